//! The pipeline against tables of rows: body, endpoint, params and status in, every stage, the text
//! and its truncation out (behaviour, sections 6 and 7).
//!
//! The rows stand in `fixtures/pipeline/`, one file a topic. Their expected values were derived
//! from the behaviour page, not from what the pipeline answered. A row:
//!
//! - `name`, unique, tells the rule
//! - `body`: a JSON value, or `{"$file": …}` for a real one from `data/` (`operation`, `resource` or
//!   `entry` choose a part); or `bytes`: `{"content_type": …, "text" | "hex": …}`, to be read first
//! - `endpoint`: the response fields of an endpoint; `params`, `status` if they matter
//! - `expect`: `body`, `after_filter`, `after_mapping`, `after_result_key` (compared as written, so
//!   that order and digits matter), `text` and `truncated_from`, or `error` with its `kind` and what
//!   its message `contains`; `unreached` stages; or `cuts`, rows of limit, text and whole length
//!
//! Every row is also run without a trace, again on a pipeline compiled anew, and on the bytes of the body
//! by what the pipeline wants of it. None has a secret: those of a body are masked before the pipeline.

#![expect(clippy::expect_used, clippy::panic, reason = "a row that is not written as above ends the test")]

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use callout_core::{
    Error, ErrorKind,
    config::{EndpointConfig, IntegrationConfig, UnknownFields},
    fault::Faults,
    json::{Duplicates, Json, Object, ObjectBuilder, ReadOptions},
    limits::Limits,
    redact::Redactor,
    time::{Deadline, SharedClock, StillClock},
};
use callout_response::{Input, Length, Pipeline, Stages, Text, read_body};

const TOPICS: [&str; 11] =
    ["body", "fhir", "filter", "github", "mapping", "result_key", "stages", "stripe", "template", "text", "truncation"];
const STAGES: [&str; 3] = ["after_filter", "after_mapping", "after_result_key"];

#[test]
fn pipeline_fixtures() {
    let mut data = Data::default();
    let mut mismatches = Vec::new();
    let mut names = HashSet::new();
    let (mut rows, mut real, mut planned) = (0, 0, 0);
    assert_eq!(topics(), TOPICS, "fixture files");
    for topic in TOPICS {
        let table = read(&directory("fixtures/pipeline").join(format!("{topic}.json")), Duplicates::Refuse);
        for row in table.as_array().expect("a table is an array") {
            let name =
                row.get("name").and_then(Json::as_str).unwrap_or_else(|| panic!("{topic}: a row without a name"));
            assert!(names.insert(name.to_owned()), "{name:?} stands twice");
            rows += 1;
            real += usize::from(row.get("body").is_some_and(|body| body.get("$file").is_some()));
            let mut seen = Seen { row: name, mismatches: &mut mismatches, planned: &mut planned };
            check(row, &mut data, &mut seen);
        }
    }
    assert!(mismatches.is_empty(), "{} mismatches in {rows} rows\n\n{}", mismatches.len(), mismatches.join("\n\n"));
    assert!(rows >= 100, "only {rows} rows");
    assert!(real >= 50, "only {real} rows on real bodies");
    assert!(planned >= 200, "only {planned} runs on a part of the body");
}

/// Collects what a row did not give.
struct Seen<'a> {
    row: &'a str,
    mismatches: &'a mut Vec<String>,
    /// Runs on no more of a body than was wanted.
    planned: &'a mut usize,
}

impl Seen<'_> {
    fn compare(&mut self, what: &str, expected: &str, got: &str) {
        if expected != got {
            self.mismatches.push(format!("{} | {what}\n  expected {expected}\n  got      {got}", self.row));
        }
    }

    fn require(&mut self, what: &str, holds: bool, got: impl FnOnce() -> String) {
        if !holds {
            self.compare(what, "as the rule says", &got());
        }
    }
}

/// What goes into one run.
struct Given {
    body: Json,
    params: Object,
    status: u16,
    redactor: Redactor,
    clock: SharedClock,
}

impl Given {
    fn input(&self) -> Input<'_> {
        Input {
            body: &self.body,
            params: &self.params,
            status: self.status,
            redactor: &self.redactor,
            clock: &self.clock,
            deadline: Deadline::after(&self.clock, Duration::from_mins(1)),
        }
    }
}

fn check(row: &Json, data: &mut Data, seen: &mut Seen<'_>) {
    const MEMBERS: [&str; 7] = ["name", "body", "bytes", "params", "status", "endpoint", "expect"];
    members_are(row, &MEMBERS);
    let expect = row.get("expect").expect("a row expects something");
    members_are(
        expect,
        &["body", STAGES[0], STAGES[1], STAGES[2], "text", "truncated_from", "error", "unreached", "cuts"],
    );
    let status = row.get("status").map_or(200, |status| u16::try_from(number(status)).expect("a status"));
    let body = match (row.get("bytes"), row.get("body")) {
        (Some(bytes), None) => {
            let content_type = bytes.get("content_type").and_then(Json::as_str);
            match read_body(status, content_type, &bytes_of(bytes), &Limits::default()) {
                Ok(body) => body,
                Err(error) => return check_error(expect, &error, seen),
            }
        }
        (None, Some(body)) => data.body(body),
        _ => panic!("{}: either `body` or `bytes`", seen.row),
    };
    if let Some(expected) = expect.get("body") {
        seen.compare("body", &expected.to_string(), &body.to_string());
    }
    let given = Given {
        body,
        params: row.get("params").and_then(Json::as_object).cloned().unwrap_or_default(),
        status,
        redactor: Redactor::default(),
        clock: SharedClock::new(StillClock::new()),
    };
    let endpoint = row.get("endpoint").expect("a row has an endpoint");
    let Some(cuts) = expect.get("cuts") else {
        return check_run(endpoint, &given, expect, seen);
    };
    for cut in cuts.as_array().expect("cuts are rows") {
        let [limit, text, from] = &cut.as_array().expect("a cut is a row")[..] else {
            panic!("{}: a cut is a limit, a text and a length", seen.row)
        };
        let endpoint = with(endpoint, "max_result_length", limit);
        let expect = ObjectBuilder::new().with("text", text.clone()).with("truncated_from", from.clone());
        check_run(&endpoint, &given, &expect.into(), seen);
    }
}

fn check_run(endpoint: &Json, given: &Given, expect: &Json, seen: &mut Seen<'_>) {
    let (pipeline, again) = match (compiled(endpoint), compiled(endpoint)) {
        (Ok(pipeline), Ok(again)) => (pipeline, again),
        (Err(error), _) | (_, Err(error)) => return check_error(expect, &error, seen),
    };
    let stages = pipeline.trace(&given.input());
    check_stages(&stages, expect, seen);
    let mut texts = [pipeline.run(&given.input()), pipeline.run(&given.input()), again.run(&given.input())].into_iter();
    let first = texts.next().expect("the first of three");
    for other in texts {
        seen.compare("the same again", &shown(&first), &shown(&other));
    }
    let bytes = given.body.to_string();
    if let Some(text) = pipeline.run_wanted(bytes.as_bytes(), &Limits::default(), &given.input()) {
        *seen.planned += 1;
        seen.compare("of what is wanted", &shown(&first), &shown(&Ok(text)));
    }
    match (&first, &stages.text, &stages.error) {
        (Ok(text), Some(traced), None) => {
            seen.compare("text without a trace", &traced.text, &text.text);
            check_lengths(text, traced, seen);
            check_text(endpoint, expect, &stages, traced, seen);
        }
        (Err(error), None, Some(traced)) => {
            seen.compare("error without a trace", &traced.to_string(), &error.to_string());
            seen.compare("kind without a trace", traced.kind().code(), error.kind().code());
            check_error(expect, error, seen);
        }
        (first, text, error) => seen.compare(
            "run and trace",
            "both a text or both an error",
            &format!("run {} and trace {text:?} {error:?}", shown(first)),
        ),
    }
}

fn check_stages(stages: &Stages, expect: &Json, seen: &mut Seen<'_>) {
    let values = [&stages.after_filter, &stages.after_mapping, &stages.after_result_key];
    for (stage, value) in STAGES.into_iter().zip(values) {
        if let Some(expected) = expect.get(stage) {
            let got = value.as_ref().map_or_else(|| "nothing".to_owned(), ToString::to_string);
            seen.compare(stage, &expected.to_string(), &got);
        }
        if stages.error.is_none() {
            seen.require(stage, value.is_some(), || "no value though nothing failed".to_owned());
        }
    }
    for stage in expect.get("unreached").map(strings).unwrap_or_default() {
        let got = match STAGES.iter().position(|name| *name == stage) {
            Some(at) => values[at].as_ref().map(ToString::to_string),
            None if stage == "text" => stages.text.as_ref().map(|text| text.text.clone()),
            None => panic!("{}: there is no stage {stage:?}", seen.row),
        };
        seen.compare(stage, "nothing", &got.unwrap_or_else(|| "nothing".to_owned()));
    }
}

fn check_text(endpoint: &Json, expect: &Json, stages: &Stages, got: &Text, seen: &mut Seen<'_>) {
    let Some(expected) = expect.get("text") else {
        return seen.compare("outcome", &expect.to_string(), &got.text);
    };
    seen.compare("text", expected.as_str().expect("a text is a string"), &got.text);
    let from = expect.get("truncated_from").filter(|from| !from.is_null()).map(number);
    let cut = got.truncation.as_ref().map(|cut| cut.from);
    seen.compare("truncated_from", &format!("{:?}", from.map(Length::Exactly)), &format!("{cut:?}"));
    let chars = got.text.chars().count();
    let limit = endpoint.get("max_result_length").map_or(0, number);
    seen.require("at most the limit", limit == 0 || chars <= limit, || format!("{chars} characters"));
    if let Some(cut) = &got.truncation {
        seen.require("kept", cut.kept == chars, || format!("{} for {chars} characters", cut.kept));
        // Strings and what a template wrote are cut as text; everything else stays JSON, or nothing.
        let is_text = endpoint.get("result_template").is_some()
            || stages.after_result_key.as_ref().is_some_and(|value| value.as_str().is_some());
        let holds = is_text || got.text.is_empty() || Json::parse(&got.text).is_ok();
        seen.require("stays JSON", holds, || got.text.clone());
    }
}

/// Without a trace the whole length may be a lower bound.
fn check_lengths(run: &Text, traced: &Text, seen: &mut Seen<'_>) {
    let agree = match (&run.truncation, &traced.truncation) {
        (None, None) => true,
        (Some(run), Some(traced)) => {
            let kept = run.kept;
            kept == traced.kept
                && match (run.from, traced.from) {
                    (Length::Exactly(run), Length::Exactly(traced)) => run == traced,
                    (Length::AtLeast(run), Length::Exactly(traced)) => kept < run && run <= traced,
                    _ => false,
                }
        }
        _ => false,
    };
    seen.require("truncation without a trace", agree, || {
        format!("{:?}, traced {:?}", run.truncation, traced.truncation)
    });
}

fn check_error(expect: &Json, got: &Error, seen: &mut Seen<'_>) {
    let Some(expected) = expect.get("error") else {
        return seen.compare("outcome", &expect.to_string(), &format!("{}: {got}", got.kind()));
    };
    members_are(expected, &["kind", "contains"]);
    let kind = expected.get("kind").and_then(Json::as_str).expect("an error has a kind");
    seen.require(&format!("error is {kind}"), got.kind().code() == kind, || format!("{}: {got}", got.kind()));
    for part in expected.get("contains").map(strings).unwrap_or_default() {
        seen.require(&format!("error contains {part:?}"), got.to_string().contains(part), || got.to_string());
    }
}

fn shown(result: &Result<Text, Error>) -> String {
    match result {
        Ok(text) => format!("{:?} {:?}", text.text, text.truncation),
        Err(error) => format!("{}: {error}", error.kind()),
    }
}

/// The endpoint's pipeline, or its faults as one error.
fn compiled(endpoint: &Json) -> Result<Pipeline, Error> {
    let mut faults = Faults::new();
    let endpoint = endpoint_config(endpoint, &mut faults);
    let pipeline = Pipeline::compile(&endpoint, &Limits::default(), &mut faults);
    match pipeline {
        Some(pipeline) if faults.is_empty() => Ok(pipeline),
        _ => Err(Error::from_faults(ErrorKind::InvalidConfig, faults)),
    }
}

fn endpoint_config(fields: &Json, faults: &mut Faults) -> EndpointConfig {
    let mut endpoint = ObjectBuilder::new().with("name", "row").with("description", "a row").with("path", "/");
    for (name, value) in fields.as_object().expect("an endpoint is an object").iter() {
        endpoint.insert(name, value.clone());
    }
    let body = ObjectBuilder::new()
        .with("name", "rows")
        .with("display_name", "Rows")
        .with("endpoints", Json::from(vec![Json::from(endpoint)]));
    let (config, _) = IntegrationConfig::read(&body.into(), UnknownFields::Refuse, faults).expect("a config");
    assert!(faults.is_empty(), "{fields}: {faults:?}");
    config.endpoints.into_iter().next().expect("one endpoint")
}

fn with(object: &Json, name: &str, value: &Json) -> Json {
    let mut copy = ObjectBuilder::new();
    for (name, value) in object.as_object().expect("an object").iter() {
        copy.insert(name, value.clone());
    }
    copy.with(name, value.clone()).into()
}

/// The real bodies, each file read once.
#[derive(Default)]
struct Data(HashMap<String, Json>);

impl Data {
    fn body(&mut self, body: &Json) -> Json {
        let Some(file) = body.get("$file").and_then(Json::as_str) else {
            return body.clone();
        };
        let whole =
            self.0.entry(file.to_owned()).or_insert_with(|| read(&directory("data").join(file), Duplicates::LastWins));
        let members: Vec<_> = body.as_object().expect("a reference is an object").iter().skip(1).collect();
        let part = match members[..] {
            [] => Some(&*whole),
            [("operation", name)] => {
                let responses = whole.as_array().expect("responses");
                responses.iter().find(|response| response.get("operation") == Some(name)).and_then(|it| it.get("body"))
            }
            [("resource", name)] => name.as_str().and_then(|name| whole.get("resources")?.get(name)),
            [("entry", at)] => {
                whole.get("entry").and_then(Json::as_array).and_then(|it| it.get(number(at))?.get("resource"))
            }
            _ => None,
        };
        part.unwrap_or_else(|| panic!("{body} names nothing")).clone()
    }
}

fn bytes_of(bytes: &Json) -> Vec<u8> {
    members_are(bytes, &["content_type", "text", "hex"]);
    if let Some(text) = bytes.get("text").and_then(Json::as_str) {
        return text.as_bytes().to_vec();
    }
    let hex = bytes.get("hex").and_then(Json::as_str).expect("`text` or `hex`");
    let pair = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex digits in pairs");
    (0..hex.len()).step_by(2).map(pair).collect()
}

fn topics() -> Vec<String> {
    let files = fs::read_dir(directory("fixtures/pipeline")).expect("the fixtures");
    let mut topics: Vec<_> = files
        .map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    topics.sort();
    topics
}

fn directory(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn read(path: &Path, duplicates: Duplicates) -> Json {
    let bytes = fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let options = ReadOptions { duplicates, ..ReadOptions::default() };
    options.read(&bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A slip in a row must not make it check less.
fn members_are(object: &Json, known: &[&str]) {
    for name in object.as_object().expect("an object").keys() {
        assert!(known.contains(&name), "{name:?} is none of {known:?} in {object}");
    }
}

fn number(value: &Json) -> usize {
    let number = value.as_number().unwrap_or_else(|| panic!("{value} is no number"));
    usize::try_from(number.as_u64().unwrap_or_else(|| panic!("{value} is no count"))).expect("a small number")
}

fn strings(value: &Json) -> Vec<&str> {
    let list = value.as_array().unwrap_or_else(|| panic!("{value} is no list"));
    list.iter().map(|text| text.as_str().unwrap_or_else(|| panic!("{text} is no string"))).collect()
}
