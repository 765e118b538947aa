//! Published suites, run whole: `JSONTestSuite` over the reader of bodies (D3), the compliance suite of
//! RFC 9535 over `JSONPath` (E3).
//!
//! They need `CALLOUT_TEST_SUITE_JSON`, a folder of `JSONTestSuite`'s files, and
//! `CALLOUT_TEST_SUITE_PATHS`, the file `cts.json`; `.ci/suites` installs both. Without these the tests
//! are skipped, or fail with `CALLOUT_TEST_SUITE=required`.
#![expect(clippy::unwrap_used, reason = "tests fail loudly")]

use std::{collections::BTreeMap, env, ffi::OsString, fs, path::Path as FilePath};

use callout::{ErrorKind, Json, Limits, json::ReadOptions};
use callout_path::Path;
use callout_response::read_body;

/// What a variable says; nothing skips the test, unless it must not be skipped.
fn place(variable: &str) -> Option<OsString> {
    let found = env::var_os(variable).filter(|value| !value.is_empty());
    if found.is_none() {
        let reason = format!("{variable} is not set; `source .ci/suites` installs what it names");
        assert!(env::var_os("CALLOUT_TEST_SUITE").is_none_or(|value| value != "required"), "{reason}");
        eprintln!("skipped: {reason}");
    }
    found
}

/// The files of a folder by name.
fn files(folder: &FilePath) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

/// JSON without the white space between its tokens.
fn compact(text: &str) -> String {
    let (mut within, mut escaped) = (false, false);
    let keeps = |&char: &char| {
        let keep = within || !char.is_ascii_whitespace();
        within ^= char == '"' && !escaped;
        escaped = within && char == '\\' && !escaped;
        keep
    };
    text.chars().filter(keeps).collect()
}

/// Where the suite leaves it open (`i_…`): what we take.
const TAKEN: &[&str] = &[
    "i_number_double_huge_neg_exp.json",
    "i_number_huge_exp.json",
    "i_number_neg_int_huge_exp.json",
    "i_number_pos_double_huge_exp.json",
    "i_number_real_neg_overflow.json",
    "i_number_real_pos_overflow.json",
    "i_number_real_underflow.json",
    "i_number_too_big_neg_int.json",
    "i_number_too_big_pos_int.json",
    "i_number_very_big_negative_int.json",
];

#[test]
fn the_json_test_suite_is_read_as_it_says() {
    let Some(folder) = place("CALLOUT_TEST_SUITE_JSON") else { return };
    let (mut counts, mut wrong) = ([0; 3], Vec::new());
    for (name, bytes) in files(FilePath::new(&folder)) {
        let read = ReadOptions::default().read(&bytes);
        let (verdict, right) = match name.split('_').next() {
            // Deeper than `max_json_depth`; the suite leaves that open too.
            _ if name.ends_with("_structure_500_nested_arrays.json") => (2, read.is_err()),
            Some("y") => (0, read.is_ok()),
            Some("n") => (1, read.is_err()),
            _ => (2, read.is_ok() == TAKEN.contains(&&*name)),
        };
        counts[verdict] += 1;
        if !right {
            wrong.push(name.clone());
        }
        // Whatever it is, a body is a value, a text, a note of its kind or an error, and the JSON is the same.
        match (read_body(200, Some("application/json"), &bytes, &Limits::default()), read) {
            (Ok(body), Ok(read)) => assert_eq!(body, read, "{name}"),
            (Ok(_), Err(_)) => {}
            (Err(error), read) => {
                assert!(read.is_err() && error.kind() == ErrorKind::LimitExceeded, "{name}: {error}");
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    println!("read as it must be: {}, refused: {}, left open: {}", counts[0], counts[1], counts[2]);
    assert!(counts[0] >= 100 && counts[1] >= 188 && counts[2] >= 15, "the suite is not whole: {counts:?}");
}

#[test]
fn what_the_json_test_suite_says_is_json_keeps_its_value() {
    let Some(folder) = place("CALLOUT_TEST_SUITE_JSON") else { return };
    let mut compared = [0; 2];
    for (name, bytes) in files(FilePath::new(&folder)).into_iter().filter(|(name, _)| name.starts_with("y_")) {
        let Ok(read) = ReadOptions::default().read(&bytes) else { continue };
        // Another reader takes the same value from what is written back as from the file.
        if let Ok(theirs) = serde_json::from_slice::<serde_json::Value>(&bytes) {
            let ours: serde_json::Value = serde_json::from_str(&read.to_string()).unwrap();
            assert_eq!(ours, theirs, "{name}");
            compared[0] += 1;
        }
        // Every digit and every member is where it was; escapes are written in their shortest form.
        let text = String::from_utf8(bytes).unwrap();
        if !text.contains('\\') && !name.contains("duplicated") {
            assert_eq!(read.to_string(), compact(&text), "{name}");
            compared[1] += 1;
        }
    }
    println!("the same value in another reader: {}, the same digits: {}", compared[0], compared[1]);
    assert!(compared[0] > 80 && compared[1] > 60, "{compared:?}");
}

/// All that a query selects, as an array.
fn selected(path: &Path, document: &Json) -> Json {
    let found = path.value(document, &Limits::default()).unwrap();
    match found {
        Some(values) if !path.is_single() => values.into_owned(),
        Some(value) => [value.into_owned()].into_iter().collect(),
        None => Json::Array(Vec::new().into()),
    }
}

#[test]
fn the_compliance_suite_of_rfc_9535_passes() {
    let Some(file) = place("CALLOUT_TEST_SUITE_PATHS") else { return };
    let suite = Json::parse(&fs::read_to_string(file).unwrap()).unwrap();
    let cases = suite.get("tests").and_then(Json::as_array).unwrap();
    let (mut valid, mut invalid, mut wrong) = (0, 0, Vec::new());
    for case in cases {
        let member = |name: &str| case.get(name);
        let text = |name: &str| member(name).and_then(Json::as_str).unwrap_or_default();
        let (name, selector) = (text("name"), text("selector"));
        let parsed = Path::parse(selector, &Limits::default());
        if member("invalid_selector").is_some() {
            invalid += 1;
            if parsed.is_ok() {
                wrong.push(format!("{name}: {selector} is taken"));
            }
            continue;
        }
        valid += 1;
        let path = match parsed {
            Ok(path) => path,
            Err(error) => {
                wrong.push(format!("{name}: {selector} is refused: {error}"));
                continue;
            }
        };
        let ours = selected(&path, member("document").unwrap());
        // Where an order is left open, each that is right is listed.
        let right = match (member("result"), member("results").and_then(Json::as_array)) {
            (Some(result), _) => ours == *result,
            (None, Some(results)) => results.contains(&ours),
            (None, None) => false,
        };
        if !right {
            wrong.push(format!("{name}: {selector} selects {ours}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("selected as they must: {valid}, refused: {invalid}");
    assert!(valid >= 440 && invalid >= 240, "the suite is not whole: {valid} and {invalid}");
}
