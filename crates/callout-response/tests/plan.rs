//! What a pipeline makes of the part of a body that it wants, beside what it makes of the whole: random
//! configs on random bodies, the same text byte for byte or none.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use callout_core::{
    Error, config::EndpointConfig, fault::Faults, json::Json, limits::Limits, redact::Redactor, time::Deadline,
};
use callout_response::{Input, Pipeline, Text, read_body, read_clean};
use proptest::{prelude::*, test_runner::TestRunner};

const SECRET: &str = "b-secret-key";

/// An endpoint's response fields, and the bounds that it is compiled and run under.
#[derive(Clone, Debug, Default)]
struct Config {
    filter: Option<Vec<String>>,
    mapping: Option<Vec<(String, String)>>,
    key: Option<String>,
    template: Option<String>,
    max_length: u64,
    max_path_matches: usize,
    max_total_path_matches: usize,
    fuel: u64,
}

impl Config {
    fn limits(&self) -> Limits {
        let mut limits = Limits::default();
        limits.max_json_depth = 7;
        limits.max_path_matches = self.max_path_matches;
        limits.max_total_path_matches = self.max_total_path_matches;
        limits.template_fuel = self.fuel;
        limits
    }

    fn compile(&self) -> Option<Pipeline> {
        let mut endpoint = EndpointConfig::new("e", "An endpoint", "/e");
        endpoint.response_filter.clone_from(&self.filter);
        endpoint.response_mapping.clone_from(&self.mapping);
        endpoint.result_key.clone_from(&self.key);
        endpoint.result_template.clone_from(&self.template);
        endpoint.max_result_length = self.max_length;
        Pipeline::compile(&endpoint, &self.limits(), &mut Faults::new())
    }
}

/// Both ways: what is wanted, then the whole, which must be what a trace gives.
fn both(config: &Config, bytes: &[u8], secret: bool) -> Option<(Option<Text>, Result<Text, String>)> {
    let pipeline = config.compile()?;
    let limits = config.limits();
    let redactor = Redactor::new(secret.then_some(SECRET));
    let (clock, params) = (support::clock(), support::params());
    let deadline = Deadline::after(&clock, Duration::from_mins(1));
    let input = Input { body: &Json::Null, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
    let part = pipeline.run_wanted(bytes, &limits, &input);
    if let Some(lines) = pipeline.run_lines(bytes, &limits, &input) {
        assert_eq!(part, Some(lines), "{config:?}");
    }
    let whole = read_body(200, None, bytes, &limits).and_then(|body| {
        let body = redactor.json(&body);
        let input = Input { body: &body, ..input };
        let (run, trace) = (pipeline.run(&input), pipeline.trace(&input));
        let traced = trace.text.ok_or_else(|| trace.error.unwrap());
        let told = |text: &Result<Text, Error>| match text {
            Ok(text) => Ok((text.text.clone(), text.truncation.is_some())),
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(told(&run), told(&traced), "{config:?}");
        run
    });
    Some((part, whole.map_err(|error| format!("{}: {error}", error.kind()))))
}

fn names() -> impl Strategy<Value = &'static str> {
    prop_oneof![
        8 => prop::sample::select(vec!["a", "b", "c", "d", "0", "1", "items", "list"]),
        1 => prop::sample::select(vec!["long name", "é", SECRET, "***", ""]),
    ]
}

fn simple_names() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["a", "b", "c", "d", "items", "list", "grouper"])
}

fn paths() -> impl Strategy<Value = String> {
    let dotted = prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "d", "0", "1", "2", "items"]), 1..5)
        .prop_map(|parts| parts.join("."));
    let pointer = prop::collection::vec(names(), 1..4).prop_map(|tokens| format!("/{}", tokens.join("/")));
    let segment = prop_oneof![
        4 => simple_names().prop_map(|name| format!(".{name}")),
        2 => (-2_i32..3).prop_map(|at| format!("[{at}]")),
        2 => Just("[*]".to_owned()),
        1 => Just("['a','b',1]".to_owned()),
        1 => Just("[0:2]".to_owned()),
        1 => simple_names().prop_map(|name| format!("..{name}")),
        1 => Just("[?@.a > 1]".to_owned()),
        1 => Just("[?@.a == $.b || count(@.*) > 1]".to_owned()),
    ];
    let query = prop::collection::vec(segment, 0..4).prop_map(|segments| format!("${}", segments.concat()));
    prop_oneof![4 => dotted, 2 => pointer, 3 => query]
}

/// Templates of every kind of use: members, elements, loops in loops, counts, tests, names set anew.
fn templates() -> impl Strategy<Value = String> {
    let root = prop::sample::select(vec!["result", "response", "a", "b", "c", "items", "x", "y", "params", "status"]);
    let step = prop_oneof![
        6 => simple_names().prop_map(|name| format!(".{name}")),
        1 => names().prop_map(|name| format!("['{name}']")),
        1 => (-2_i32..3).prop_map(|at| format!("[{at}]")),
        1 => prop::sample::select(vec!["[:1]", "|length", "|first", ".get('a')", "|tojson", "[x]", ".keys()"])
            .prop_map(ToOwned::to_owned),
    ];
    let chain = (
        root,
        prop_oneof![1 => Just(0), 6 => 1..3_usize].prop_flat_map(move |many| prop::collection::vec(step.clone(), many)),
    )
        .prop_map(|(root, steps)| format!("{root}{}", steps.concat()));
    let chain = chain.boxed();
    let print = prop_oneof![
        8 => chain.clone().prop_map(|chain| format!("{{{{ {chain}|default('-') }}}}")),
        1 => chain.clone().prop_map(|chain| format!("{{{{ {chain} }}}}")),
        1 => chain.clone().prop_map(|chain| format!("{{% if {chain} is defined %}}yes{{% endif %}}")),
        1 => chain.clone().prop_map(|chain| format!("{{% if {chain} is mapping %}}map{{% endif %}}")),
        1 => (chain.clone(), chain.clone()).prop_map(|(one, two)| format!("{{{{ {one} if {two} else 'no' }}}}")),
        1 => chain.clone().prop_map(|chain| format!("{{% set x = {chain} %}}{{{{ x|default(0) }}}}")),
        1 => Just("{{ loop.index0 if loop is defined else 'text' }}{{ status }}".replace("loop is defined", "true")),
    ];
    let body = prop::collection::vec(print, 1..3).prop_map(|all| all.concat()).boxed();
    body.prop_recursive(3, 8, 2, move |inner| {
        let variable = prop::sample::select(vec!["x", "y", "a", "result"]);
        let looped = (variable, chain.clone(), inner.clone()).prop_map(|(variable, chain, inner)| {
            format!("{{% for {variable} in {chain} %}}{inner};{{% else %}}none{{% endfor %}}")
        });
        prop_oneof![looped, (inner.clone(), inner).prop_map(|(one, two)| format!("{one} {two}"))]
    })
}

fn configs() -> impl Strategy<Value = Config> {
    (
        prop::option::weighted(0.25, prop::collection::vec(paths(), 1..4)),
        prop::option::weighted(0.4, prop::collection::vec((simple_names().prop_map(ToOwned::to_owned), paths()), 1..4)),
        prop::option::weighted(0.1, paths()),
        prop::option::weighted(0.6, templates()),
        prop_oneof![3 => Just(0_u64), 1 => 1_u64..40],
        prop_oneof![6 => Just(100_000_usize), 1 => 1_usize..30],
        prop_oneof![6 => Just(1_000_000_usize), 1 => 1_usize..60],
        prop_oneof![6 => Just(100_000_u64), 1 => 1_u64..60],
    )
        .prop_map(
            |(filter, mapping, key, template, max_length, max_path_matches, max_total_path_matches, fuel)| Config {
                filter,
                mapping,
                key,
                template,
                max_length,
                max_path_matches,
                max_total_path_matches,
                fuel,
            },
        )
}

/// Texts of bodies: duplicate and escaped names, wide objects, arrays in arrays, what is no JSON.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let name = prop_oneof![
        8 => names().prop_map(ToOwned::to_owned),
        1 => prop::sample::select(vec!["\\u0061", "\\u0062-secret-key", "\\ud83d", "x\\ny"]).prop_map(ToOwned::to_owned),
    ];
    let scalar = prop::sample::select(vec![
        "null",
        "true",
        "0",
        "1",
        "2.50",
        "-1e3",
        "\"\"",
        "\"text\"",
        "\"lång\"",
        "\"\\u0061\\n\"",
        "\"\\ud83d\"",
        "12345678901234567890123",
        "\"b-secret-key\"",
        "\"\\u0062-secret-key\"",
        "[]",
        "{}",
    ]);
    let value = scalar.prop_map(ToOwned::to_owned).prop_recursive(6, 60, 6, move |inner| {
        let members = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        let object = (members, prop_oneof![9 => Just(0), 1 => 30..80_usize]).prop_map(|(members, more)| {
            let members = members.into_iter().map(|(name, value)| format!("\"{name}\":{value}"));
            let more = (0..more).map(|at| format!("\"k{at}\":{at}"));
            format!("{{{}}}", more.chain(members).collect::<Vec<_>>().join(", "))
        });
        let array = prop::collection::vec(inner, 0..5).prop_map(|all| format!("[{}]", all.join(",\n")));
        prop_oneof![3 => object, 2 => array]
    });
    (value, prop_oneof![20 => Just(0), 1 => Just(1), 1 => Just(2), 1 => Just(3)], any::<prop::sample::Index>())
        .prop_map(|(text, change, at)| match change {
            1 => ["\u{feff}", &text].concat().into_bytes(),
            2 => text.into_bytes().into_iter().map(|byte| if byte == b'2' { 0xff } else { byte }).collect(),
            3 => text.as_bytes()[..at.index(text.len() + 1)].to_vec(),
            _ => text.into_bytes(),
        })
}

#[test]
fn what_is_wanted_gives_the_text_of_the_whole() {
    let (runs, texts) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let mut runner = TestRunner::new(ProptestConfig { cases: 6_000, ..ProptestConfig::default() });
    let checked = runner.run(&(configs(), bodies(), prop::bool::weighted(0.2)), |(config, bytes, secret)| {
        let Some((part, whole)) = both(&config, &bytes, secret) else { return Ok(()) };
        runs.fetch_add(1, Relaxed);
        if let Some(part) = part {
            texts.fetch_add(1, Relaxed);
            prop_assert_eq!(Ok(part), whole, "{}", String::from_utf8_lossy(&bytes));
        }
        Ok(())
    });
    checked.unwrap();
    let (runs, texts) = (runs.into_inner(), texts.into_inner());
    assert!(runs > 5_000 && texts > 500, "only {texts} of {runs} runs had a plan that gave a text");
}

/// Objects and lists of them, most of them such as rows can be read from.
fn rows() -> impl Strategy<Value = Vec<u8>> {
    let name = prop::sample::select(vec!["a", "b", "c", "\\u0061", "longer", "é"]);
    let leaf = prop::sample::select(vec!["null", "1.50", "\"x\"", "\"\\n\"", "[]", "[{\"a\":1}]", "{}", "true"]);
    let object = |inner: BoxedStrategy<String>| {
        prop::collection::vec((name.clone(), inner), 0..5).prop_map(|members| {
            let members = members.into_iter().map(|(name, value)| format!("\"{name}\": {value}"));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        })
    };
    let leaf = leaf.prop_map(ToOwned::to_owned).boxed();
    let inner = prop_oneof![2 => leaf.clone(), 1 => object(leaf)].boxed();
    let inner = prop_oneof![1 => inner.clone(), 1 => object(inner)].boxed();
    let row = prop_oneof![40 => object(inner).boxed(), 1 => prop::sample::select(vec!["7", "null", "[{}]"]).prop_map(ToOwned::to_owned)];
    let row = row.boxed();
    let many = prop_oneof![2 => 0..6_usize, 1 => 6..30_usize];
    let elements = many.prop_flat_map({
        let row = row.clone();
        move |many| prop::collection::vec(row.clone(), many)
    });
    let list = elements.prop_map(|rows| format!(" [{} ]", rows.join(" , ")));
    prop_oneof![1 => row, 3 => list].prop_map(String::into_bytes)
}

/// Mappings of plain paths, whose result is read without the objects that it is made of.
#[test]
fn rows_read_at_once_are_what_the_mapping_makes() {
    let path = prop::collection::vec(prop::sample::select(vec!["a", "b", "c", "longer", "é", "missing"]), 1..4);
    let path = prop_oneof![12 => path.prop_map(|names| names.join(".")), 1 => Just("$.a".to_owned())];
    let mapping = prop::collection::vec(
        (prop::sample::select(vec!["a", "m", "n", SECRET]).prop_map(ToOwned::to_owned), path),
        1..4,
    );
    let source = "{% for row in result %}{{ row }}{% if loop.index > 3 %}…{% break %}{% endif %}{% endfor %}";
    // Those with text of their own for each row come to no more rows than fill the text.
    let sources = prop::sample::select(vec![
        source,
        "{{ response.a }}",
        "{% for row in result %}{{ row.m }}{% endfor %}",
        "{% for row in result %}{{ row.a }}: {{ row.m }}\n{% endfor %}",
        "Rows:\n{% for row in result %}- {{ row.m }}é{% else %}none{% endfor %}that is all",
        "{% for result in result %}{{ result.n }}{{ result.m }}b-secret-key{% endfor %}",
        "{% for row in result %}{{ row.a }}{{ row['m'] }}, {{ row.a }}{% endfor %}",
        "{% for row in result %}{{ row.n }}-{% set row = {'a': ''} %}{{ row.a }}{% endfor %}",
        "{% for row in result %}{{ row }};{% endfor %}",
        "rows: {% for row in result %}- é{{ row.m|default('') }}{% if loop.last %}.{% endif %}{% else %}none{% endfor %}",
        "{% for row in result %}{% if row.m is defined and row.m %}{% continue %}{% endif %}text{% endfor %}",
        "{% for row in result %}{% for row in [1] %}{% else %}{% continue %}{% endfor %}; {% endfor %}",
        "{% for row in result %}{{ row }};{% endfor %}{{ result|length }}",
        "{% for row in result %};{{ result[7]|default('') }}{% endfor %}",
        "{% for row in result if row.m is defined %}{{ row.m }};{% endfor %}",
        "{% for row in result %}row {{ loop.index }} of {{ loop.length }}, b-secret{{ '-key' }};{% endfor %}",
    ]);
    let template = prop_oneof![1 => Just(None), 2 => sources.prop_map(|source| Some(source.to_owned()))];
    let bounds = (
        prop_oneof![4 => Just(1_000_000_usize), 1 => 1_usize..40],
        prop_oneof![1 => Just(0_u64), 2 => 1_u64..60],
        prop_oneof![6 => Just(100_000_u64), 1 => 1_u64..120],
    );
    let texts = AtomicUsize::new(0);
    let mut runner = TestRunner::new(ProptestConfig { cases: 4_000, ..ProptestConfig::default() });
    let checked =
        runner.run(&(mapping, template, bounds, rows()), |(mapping, template, (most, max_length, fuel), bytes)| {
            let config = Config {
                mapping: Some(mapping),
                template,
                max_length,
                max_path_matches: most.min(100_000),
                max_total_path_matches: most,
                fuel,
                ..Config::default()
            };
            let Some((part, whole)) = both(&config, &bytes, true) else { return Ok(()) };
            if let Some(part) = part {
                texts.fetch_add(1, Relaxed);
                prop_assert_eq!(Ok(part), whole, "{}", String::from_utf8_lossy(&bytes));
            }
            Ok(())
        });
    checked.unwrap();
    assert!(texts.load(Relaxed) > 2_000, "only {texts:?} gave a text");
}

#[test]
fn a_body_is_clean_exactly_if_nothing_is_masked_in_it() {
    let mut runner = TestRunner::new(ProptestConfig { cases: 2_000, ..ProptestConfig::default() });
    let limits = Config::default().limits();
    let checked = runner.run(&(bodies(), any::<bool>()), |(bytes, secret)| {
        let redactor = Redactor::new(secret.then_some(SECRET));
        let read = read_clean(200, None, &bytes, &limits, &redactor);
        let plain = read_body(200, None, &bytes, &limits);
        prop_assert_eq!(
            read.as_ref().map(|read| read.body.to_string()).map_err(ToString::to_string),
            plain.map(|body| body.to_string()).map_err(|error| error.to_string())
        );
        if let Ok(read) = read
            && read.is_clean
        {
            prop_assert_eq!(redactor.json(&read.body), read.body);
        }
        Ok(())
    });
    checked.unwrap();
    for (body, clean) in [
        (r#"{"a":"nothing"}"#, true),
        (r#"{"a":"with \u0065scapes\n"}"#, true),
        (r#"{"a":"b-secret-key"}"#, false),
        (r#"{"a":{"x\u0062-secret-key":1}}"#, false),
        ("no JSON", false),
    ] {
        let read = read_clean(200, None, body.as_bytes(), &limits, &Redactor::new([SECRET])).unwrap();
        assert_eq!(read.is_clean, clean, "{body}");
    }
    // JSON in JSON in JSON: written as it would be, and what stands in it is found in what it stands for alone.
    let body = r#"{"a":"{\"b\":\"{\\\"c\\\":\\\"a\\\\\\\"secret\\\"}\"}"}"#;
    let read = read_clean(200, None, body.as_bytes(), &limits, &Redactor::new([r#"a"secret"#])).unwrap();
    assert_eq!((read.is_clean, read.is_compact), (false, true));
}

/// Each row is one that a plan could get wrong: a config, a body, and whether the plan may serve it.
#[test]
fn traps_of_a_plan() {
    let paths = |paths: &[&str]| Some(paths.iter().map(|path| (*path).to_owned()).collect());
    let config =
        Config { max_path_matches: 100_000, max_total_path_matches: 1_000_000, fuel: 100_000, ..Config::default() };
    let filter = |all: &[&str]| Config { filter: paths(all), ..config.clone() };
    let mapping = |path: &str| Config { mapping: Some(vec![("m".to_owned(), path.to_owned())]), ..config.clone() };
    let template = |source: &str| Config { template: Some(source.to_owned()), ..config.clone() };
    let wide: String = (0..3_000).map(|at| format!("\"k{at}\":1,")).collect();
    let wide = format!("{{{wide}\"a\":1}}");
    let tight = Config { fuel: 20, ..template("{{ result.a }}") };
    let table = [
        (filter(&["$.data[0].x", "$.data[*].y"]), r#"{"data":[{"x":1,"y":2,"z":3},{"x":1,"y":2}],"z":0}"#, true),
        (filter(&["a"]), r#"{"a":1,"b":2,"a":{"a":3}}"#, true),
        (filter(&["a"]), r#"{"\u0061":"\ud83d","b":"\ud83d"}"#, true),
        (filter(&["a"]), "\u{feff}{\"a\":1}", true),
        (filter(&["a"]), r#"{"a":1,"b":"\x"}"#, false),
        (filter(&["a"]), "{\"a\":1,\"b\":[[[[[[[]]]]]]]}", false),
        (filter(&["a"]), "<a>no JSON</a>", false),
        (filter(&["a"]), r#"{"a":1,"b":"b-secret-key"}"#, false),
        (filter(&["***"]), r#"{"\u0062-secret-key":1}"#, false),
        (filter(&["$.a[?@.x]"]), r#"{"a":[{"x":1,"y":2},{"y":3}],"b":1}"#, true),
        (filter(&["$..x"]), r#"{"a":{"x":1}}"#, false),
        // A list is empty in a part where it is in the whole, and nowhere else.
        (filter(&["data.x"]), r#"{"data":[],"more":[1]}"#, true),
        (filter(&["data.x", "$.data.y.z"]), r#"{"data":{"y":[1]},"more":[]}"#, true),
        (filter(&["x", "$[?@.y]"]), "[]", false),
        (filter(&["$[*].x", "$[5:].y"]), "[]", true),
        (filter(&["$.a[:2].x", "$.b[?@.x]", "$.c..x"]), r#"{"a":[],"b":[],"c":[],"d":[]}"#, true),
        (Config { mapping: Some(vec![("m".to_owned(), "x".to_owned())]), ..filter(&["x", "y.z"]) }, "[ ]", true),
        (
            Config { key: Some("items".to_owned()), ..filter(&["items.id", "total"]) },
            r#"{"total":0,"items":[],"more":{}}"#,
            true,
        ),
        (
            Config {
                filter: paths(&["items.id"]),
                ..template("{% for i in items %}{{ i.id }}{% else %}none{% endfor %}")
            },
            r#"{"items":[],"more":1}"#,
            true,
        ),
        (mapping("data.x"), r#"{"data":[{"x":1},{"y":1},[{"x":2}],3]}"#, true),
        (mapping("x"), r#"[{"x":1,"y":2},3,null]"#, true),
        (mapping("1.x"), r#"[{"x":1},{"x":2}]"#, true),
        (Config { key: Some("data.a".to_owned()), ..config.clone() }, r#"{"data":{"a":[1,{"b":2}]},"c":1}"#, true),
        // The error lists the keys there are, so that the whole is asked.
        (Config { key: Some("missing".to_owned()), ..config.clone() }, r#"{"a":1,"b":2}"#, false),
        (Config { key: Some("x.y".to_owned()), ..config.clone() }, r#"[{"z":1},{"z":[2]}]"#, false),
        (Config { key: Some("x.y".to_owned()), ..config.clone() }, r#"[{"z":1},{"x":[]}]"#, true),
        (Config { key: Some("x.y".to_owned()), ..config.clone() }, r#"[{"z":1},{"x":2}]"#, true),
        (template("{% for i in result %}{{ i.x }};{% endfor %}"), r#"[{"x":1,"y":2},{"x":3}]"#, true),
        (template("{% for k in result %}{{ k }};{% endfor %}"), r#"{"x":1,"y":{"z":2}}"#, true),
        (template("{% for c in a %}{{ c }};{% endfor %}"), r#"{"a":"text","b":1}"#, true),
        (template("{{ a[0] }}"), r#"{"a":"text","b":1}"#, true),
        (template("{{ a.missing }}"), r#"{"a":{"b":1}}"#, false),
        (template("{{ response }}"), r#"{"a":{"b":1}}"#, false),
        (template("{{ a.list }}{{ a.grouper }}"), r#"{"a":[1,[2]],"b":1}"#, true),
        (template("{{ status }}{{ params.q }}"), r#"{"a":{"b":1}}"#, true),
        (template("{{ result.a }}"), &wide, true),
        // So little is left that looking through the whole would be too much.
        (tight, &wide, false),
    ];
    for (config, body, planned) in table {
        let (part, whole) = both(&config, body.as_bytes(), true).unwrap();
        assert_eq!(part.is_some(), planned, "{config:?} {part:?} {whole:?}");
        if let Some(part) = part {
            assert_eq!(Ok(part), whole, "{config:?}");
        }
    }
}

/// Which templates are written while the body is read.
#[test]
fn lines_are_written_without_values() {
    let mapping = [("a", "a"), ("m", "user.name")].map(|(name, path)| (name.to_owned(), path.to_owned())).to_vec();
    let rows = |many: usize| {
        let row = |at| format!(r#"{{"a": {at}, "more": ["é", {{}}], "user": {{"name": "n\u0041{at}", "x": null}}}}"#);
        format!("[{}]", (0..many).map(row).collect::<Vec<_>>().join(",\n"))
    };
    let is_written_of = |mapping: &[(String, String)], source: &str, body: &str, fuel: u64| {
        let config = Config {
            mapping: Some(mapping.to_vec()),
            template: Some(source.to_owned()),
            max_length: 100,
            max_path_matches: 100_000,
            max_total_path_matches: 1_000_000,
            fuel,
            ..Config::default()
        };
        let (clock, params, redactor) = (support::clock(), support::params(), Redactor::new([SECRET]));
        let deadline = Deadline::after(&clock, Duration::from_mins(1));
        let input =
            Input { body: &Json::Null, params: &params, status: 200, redactor: &redactor, clock: &clock, deadline };
        let lines = config.compile().unwrap().run_lines(body.as_bytes(), &config.limits(), &input);
        let (part, whole) = both(&config, body.as_bytes(), true).unwrap();
        if let Some(lines) = &lines {
            assert_eq!((Some(lines), Ok(lines)), (part.as_ref(), whole.as_ref()), "{source}");
        }
        lines.is_some()
    };
    let is_written = |source: &str, body: &str, fuel| is_written_of(&mapping, source, body, fuel);
    let line = "{% for e in result %}{{ e.a }} by {{ e.m }}\n{% endfor %}";
    let list = rows(60);
    let table = [
        (line, true),
        ("All:\n{% for e in result %}- {{ e.m }}{% else %}none{% endfor %}\nthat is all", true),
        // What goes through itself may be anything.
        ("{% for result in result %}{{ result.a }}{% endfor %}", false),
        ("{% for e in result %}{% endfor %}", true),
        ("{% for e in result %}{{ e.missing }}{% endfor %}", false),
        ("{% for e in result %}{{ e['a'] }}{% endfor %}", false),
        ("{% for e in result %}{{ e.a|string }}{% endfor %}", false),
        ("{% for e in result %}{{ loop.index }}{% endfor %}", false),
        ("{% for e in result %}{% if e.a %}{{ e.a }}{% endif %}{% endfor %}", false),
        ("{% for e in result if e.a %}{{ e.a }}{% endfor %}", false),
        ("{% for e in result %}{{ e.a }}{% endfor %}{{ status }}", false),
        ("{% for e in result %}{{ result }}{% endfor %}", false),
        ("{{ result }}", false),
    ];
    for (source, expected) in table {
        assert_eq!(is_written(source, &list, 100_000), expected, "{source}");
        assert_eq!(is_written(source, &rows(1), 100_000), expected, "{source}");
    }
    let long = format!(r#"[{{"a": "b-secret{}"}}, {{"a": "-key"}}]"#, " ".repeat(600));
    for (body, expected) in [
        (long.as_str(), true),
        ("[]", false),
        (r#"{"a": 1}"#, false),
        (r#"[{"a": [1]}]"#, false),
        (r#"[{"a": 1}, {"user": []}]"#, false),
        (r#"[{"a": 1}, 2]"#, false),
        (r#"[{"a": "b-secret-key"}]"#, false),
        (r#"[{"a": "b-secret-ke\u0079"}]"#, false),
        (r#"[{"\u0061": 1}]"#, false),
        (r#"[{"a": 1}"#, false),
    ] {
        assert_eq!(is_written(line, body, 100_000), expected, "{body}");
    }
    // Enough before the first of them.
    let title = format!("{}{line}", "x".repeat(117));
    assert!(is_written(&title, &list, 100_000));
    // A secret that comes of two values.
    let body = r#"[{"a": "b-secret", "user": {"name": "-key"}}]"#;
    assert!(!is_written("{% for e in result %}{{ e.a }}{{ e.m }}{% endfor %}", body, 100_000));
    // Where a look-up costs more, they are not.
    for (members, name, expected) in
        [(31, "a".to_owned(), true), (32, "a".to_owned(), false), (1, "n".repeat(64), true), (1, "n".repeat(65), false)]
    {
        let members: Vec<_> = (1..members).map(|at| format!("k{at}")).chain([name.clone()]).collect();
        let mapping: Vec<_> = members.into_iter().map(|name| (name, "user.name".to_owned())).collect();
        let source = format!("{{% for e in result %}}{{{{ e.{name} }}}}{{% endfor %}}");
        assert_eq!(is_written_of(&mapping[mapping.len() - 1..], &source, &list, 100_000), name.len() <= 64);
        let distinct: Vec<_> = mapping.iter().map(|(name, _)| (name.clone(), format!("user.{name}"))).collect();
        assert_eq!(is_written_of(&distinct, &source, &list, 100_000), expected, "{} {name}", mapping.len());
    }
    // What stands in a template is its author's business.
    let config = Config {
        mapping: Some(mapping.clone()),
        template: Some("{% for e in result %}b-secret-key {{ e.a }}{% endfor %}b-secret-key".to_owned()),
        max_path_matches: 100_000,
        max_total_path_matches: 1_000_000,
        ..Config::default()
    };
    assert!(!format!("{:?}", config.compile().unwrap()).contains(SECRET));
    // What does not pay for its work is told by what does the same.
    let least = (1..1_000).find(|fuel| is_written(line, &list, *fuel)).unwrap();
    assert!(least > 50, "{least}");
}

/// A template writes to its limit and no further: what goes wrong behind it is not met in a call, and
/// does not spoil a trace.
#[test]
fn behind_its_limit_a_text_is_not_asked_for() {
    let rows = |broken: usize| {
        let rows = (0..100).map(|at| if at == broken { "{}".to_owned() } else { format!("{{\"a\":\"row {at:03}\"}}") });
        format!("[{}]", rows.collect::<Vec<_>>().join(","))
    };
    let source = "{% for row in result %}{{ row.a }}\n{% endfor %}";
    let config = Config {
        template: Some(source.to_owned()),
        max_length: 40,
        max_path_matches: 100_000,
        max_total_path_matches: 1_000_000,
        fuel: 100_000,
        ..Config::default()
    };
    // 40 characters and those that a secret would be seen by are eight rows at most.
    for (broken, is_text) in [(3, false), (7, true), (50, true), (100, true)] {
        let (part, whole) = both(&config, rows(broken).as_bytes(), false).unwrap();
        assert_eq!((part.is_some(), whole.is_ok()), (is_text, is_text), "{broken}");
        if let Ok(whole) = whole {
            assert_eq!(whole.text, "row 000\nrow 001\nrow 002\nrow 003\nrow 004\n");
            assert!(whole.truncation.is_some());
        }
    }
    // A secret across the limit is masked whole, and what it hid is made up for.
    let secret = Config {
        template: Some("{% for row in result %}{{ params.q }}-b-secret{{ '-key' }};{% endfor %}".to_owned()),
        ..config
    };
    let (part, whole) = both(&secret, rows(100).as_bytes(), true).unwrap();
    assert_eq!(part.map(|part| part.text).as_deref(), Some("x-***;x-***;x-***;x-***;x-***;x-***;x-**"));
    assert!(whole.is_ok());
}
