//! Statements that run here give what minijinja gives with them: texts, errors with their lines, and where
//! a text ends.

use std::time::Duration;

use callout_core::{
    json::{Json, Object},
    limits::Limits,
    time::{Deadline, SharedClock, StillClock},
};
use proptest::prelude::*;

use super::super::{Enough, Template, Values, Way, parse};
use crate::Watch;

const BODY: &str = r#"{
    "name": "Ada", "total": 3, "price": 1.10, "none": null, "yes": true, "empty": [], "text": "one\ntwo é",
    "items": [{"id": 1, "name": "pear", "tags": ["a", "b"]}, {"id": 2, "name": "", "tags": []}, {"id": 3, "tags": ["b"]}],
    "map": {"z": 1, "a": [2]}, "pairs": [[1, "p"], [2, "q"]], "uneven": [[1, 2], [3]], "x": "a member"
}"#;

/// What comes of a template, in each of two ways and with several limits.
fn both(source: &str, limits: &Limits) -> [Vec<String>; 2] {
    let clock = SharedClock::new(StillClock::new());
    let watch = Watch { clock: &clock, deadline: Deadline::after(&clock, Duration::from_mins(1)) };
    let body = Json::parse(BODY).unwrap();
    let params = Object::default();
    let values = Values { result: &body, response: &body, params: &params, status: 200 };
    let parts = || parse::parse(source).unwrap();
    let own = parts().statements;
    assert!(own.is_some(), "{source}");
    [own, None].map(|statements| {
        let is_own = statements.is_some();
        let template = Template::of(parts(), statements, limits).unwrap();
        assert_eq!(matches!(template.way, Way::Own(_)), is_own);
        let ends = [Enough::ALL, Enough { chars: 7, ends: true }, Enough { chars: 7, ends: false }];
        ends.iter().map(|enough| format!("{:?}", template.render_within(&values, &watch, 1, *enough))).collect()
    })
}

fn assert_same(source: &str) {
    let [own, machine] = both(source, &Limits::default());
    assert_eq!(own, machine, "{source}");
}

/// Most give something wherever they stand: a render ends at the first that does not.
const EXPRESSIONS: [&str; 27] = [
    "name",
    "price",
    "none",
    "empty",
    "items",
    "map",
    "pairs",
    "uneven",
    "x",
    "y | default(z)",
    "y | default(missing) | default(x)",
    "x.id | default(loop.index)",
    "x.tags[0] | default('t')",
    "x['id'] | default(0)",
    "y | default('y')",
    "text[3]",
    "result.items[1].name",
    "items[-1].id",
    "loop.index",
    "loop.revindex0",
    "loop.last",
    "loop.length",
    "x.missing | default('-')",
    "range(3)",
    "loop.cycle('a', 'b')",
    "x == y | default(2)",
    "missing",
];

fn statement() -> impl Strategy<Value = String> {
    let expression = || prop::sample::select(&EXPRESSIONS[..]);
    let targets = || prop::sample::select(&["x", "y", "x", "x, y", "(y, x)"][..]);
    let leaf = prop_oneof![
        prop::sample::select(&["a", "\n", "é ", ""][..]).prop_map(str::to_owned),
        expression().prop_map(|expression| format!("{{{{ {expression} }}}}")),
        (targets(), expression()).prop_map(|(names, value)| {
            format!("{{% set {} = {value} %}}", names.trim_start_matches('(').trim_end_matches(')'))
        }),
        Just("{% break %}".to_owned()),
        Just("{% continue %}".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let block = || prop::collection::vec(inner.clone(), 0..4).prop_map(|block| block.concat());
        prop_oneof![
            (expression(), block(), prop::option::of((expression(), block())), prop::option::of(block())).prop_map(
                |(test, then, elif, other)| {
                    let elif = elif.map(|(test, then)| format!("{{% elif {test} %}}{then}")).unwrap_or_default();
                    let other = other.map(|other| format!("{{% else %}}{other}")).unwrap_or_default();
                    format!("{{% if {test} %}}{then}{elif}{other}{{% endif %}}")
                }
            ),
            (targets(), expression(), prop::option::of(expression()), block(), prop::option::of(block())).prop_map(
                |(names, elements, test, body, other)| {
                    let test = test.map(|test| format!(" if {test}")).unwrap_or_default();
                    let other = other.map(|other| format!("{{% else %}}{other}")).unwrap_or_default();
                    format!("{{% for {names} in {elements}{test} %}}{body}{other}{{% endfor %}}")
                }
            ),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn statements_run_here_as_in_minijinja(statements in prop::collection::vec(statement(), 1..6)) {
        // So that `loop` is there, and a `break` has something to end.
        assert_same(&format!("{{% for z in range(2) %}}{}{{% else %}}else{{% endfor %}}", statements.concat()));
    }
}

#[test]
fn what_is_set_ends_where_it_does_in_minijinja() {
    for source in [
        "{% set x = 1 %}{% for y in items %}{{ x }}{% set x = loop.index %}{{ x }}{% endfor %}{{ x }}",
        "{% if yes %}{% set x = 1 %}{% endif %}{{ x }}",
        "{% for x in items %}{{ x.id }}{% for x in x.tags %}{{ x }}{% endfor %}{{ x.id }}{% endfor %}{{ x }}",
        "{% for x in items %}{% for y in [1, 2] if loop.first %}{{ loop.length }}{% endfor %}{% endfor %}",
        "{% for x in items if x.name %}{{ loop.index }}/{{ loop.length }}{% endfor %}",
        "{% for x in items %}{% break %}{% else %}none{% endfor %}",
        "{% for x in items %}{% if loop.index == 2 %}{% break %}{% endif %}{% else %}none{% endfor %}",
        "{% for x in items %}{% for y in empty %}{% else %}{% continue %}{% endfor %}{{ x.id }}{% endfor %}",
        "{% for x in empty %}{% else %}{% for y in pairs %}{{ loop.index }}{% endfor %}{% endfor %}",
        "{% for a, b in pairs %}{{ a }}{{ b }}{% endfor %}{% for a, b in map.items() %}{{ a }}{{ b }}{% endfor %}",
        "{% for a, b in uneven %}{{ a }}{% endfor %}",
        "a\n{% for a, b in items %}{{ a }}{% endfor %}",
        "\n{% set a, b = total %}",
        "{% set a, b = map %}{{ a }}{{ b }}",
        "{% for x in total %}{% endfor %}",
        "{% for c in text %}[{{ c }}]{% endfor %}",
        "{{ items }}{{ map }}{{ none }}{{ yes }}",
        "long enough to end {{ missing }}",
        "{{ text }} and more {{ missing }}",
    ] {
        assert_same(source);
    }
}

#[test]
fn neither_way_renders_what_the_other_finds_too_long() {
    let costs = [
        ("{% for a in range(50) %}{% for b in range(50) %}x{% endfor %}{% endfor %}", "loops"),
        ("{% for a in range(200) %}{{ name }}{{ price }}{% endfor %}", "prints"),
        (
            "{% for a in range(200) %}{% if a > 3 and a < 150 %}{% set b = a %}{% else %}-{% endif %}{% endfor %}",
            "tests",
        ),
        ("{% for a in range(300) if a % 2 %}{% continue %}{% endfor %}", "chosen"),
    ];
    for (source, what) in costs {
        // The least fuel with which each way renders it.
        let least = [0, 1].map(|way| {
            let (mut low, mut high) = (0, 100_000);
            while low + 1 < high {
                let middle = u64::midpoint(low, high);
                let mut limits = Limits::default();
                limits.template_fuel = middle;
                let fails = both(source, &limits)[way].iter().any(|told| told.contains("template_fuel"));
                *(if fails { &mut low } else { &mut high }) = middle;
            }
            high as f64
        });
        let ratio = least[0] / least[1];
        assert!((0.8..1.25).contains(&ratio), "{what}: {least:?}");
    }
}

#[test]
fn too_much_output_is_told_alike() {
    let mut limits = Limits::default();
    limits.max_template_output_bytes = 20;
    for source in ["{% for x in items %}0123456789{% endfor %}", "{{ items }}", "{{ text }}{{ text }}{{ text }}"] {
        let [own, machine] = both(source, &limits);
        assert_eq!(own, machine, "{source}");
    }
}
