//! What templates may use is listed for people in two places: the README and the documentation of this
//! module. Both lists are held to the tables here, in both directions.

use std::{collections::BTreeSet, time::Duration};

use callout_core::{
    json::Json,
    limits::Limits,
    time::{Deadline, SharedClock, StillClock},
};

use super::super::{Template, Watch, budget::Meter, fault::Fail, filters, grammar::LOOP_FIELDS, methods, predicates};

const README: &str = include_str!("../../../../../README.md");
const MODULE: &str = include_str!("../mod.rs");

/// The words of Jinja and its like, those that are not here too.
const STATEMENTS: [&str; 24] = [
    "for",
    "if",
    "elif",
    "else",
    "set",
    "with",
    "filter",
    "raw",
    "break",
    "continue",
    "block",
    "extends",
    "include",
    "import",
    "from",
    "macro",
    "call",
    "do",
    "autoescape",
    "debug",
    "trans",
    "switch",
    "while",
    "print",
];
const OPERATORS: [&str; 28] = [
    "+", "-", "*", "/", "//", "%", "**", "~", "==", "!=", "<", "<=", ">", ">=", "in", "not in", "and", "or", "is", "|",
    "&", "^", "<<", ">>", "??", ":=", "=", "<>",
];
const FUNCTIONS: [&str; 16] = [
    "range",
    "dict",
    "namespace",
    "loop.cycle",
    "loop.changed",
    "lipsum",
    "cycler",
    "joiner",
    "debug",
    "super",
    "caller",
    "self",
    "url_for",
    "open",
    "print",
    "loop",
];
const KINDS: [(&str, &str); 4] =
    [("strings", "\"text\""), ("mappings", "{\"a\": 1}"), ("lists", "[1]"), ("numbers", "7")];

/// The code in the README's row of that name, word by word.
fn row(name: &str) -> BTreeSet<&'static str> {
    let (_, section) = README.split_once("\n## What a template may use\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let row = section.lines().find(|line| line.starts_with(&format!("| {name} |")));
    let row = row.unwrap_or_else(|| panic!("the README's list has a row of {name}"));
    // A bar within a table's cell is written `\|`.
    row.split('`')
        .skip(1)
        .step_by(2)
        .flat_map(str::split_whitespace)
        .map(|word| word.trim_start_matches('\\'))
        .collect()
}

/// The code behind that word in the module's documentation, up to the next point of the list.
fn documented(label: &str) -> BTreeSet<&'static str> {
    let (_, rest) = MODULE.split_once(label).unwrap_or_else(|| panic!("the documentation has {label}"));
    let words = rest.split('`').nth(1).unwrap().split_whitespace();
    words.filter(|word| !matches!(*word, "//!")).collect()
}

fn compiles(source: &str) -> bool {
    Template::compile(source, &Limits::default()).is_ok()
}

#[test]
fn filters_and_tests_are_those_that_there_are() {
    let filters: BTreeSet<_> = filters::names().collect();
    assert_eq!(row("filters"), filters);
    assert_eq!(documented("- Filters: "), filters);
    // Tests that are signs are operators too, and are not listed.
    let tests: BTreeSet<_> = predicates::names().filter(|name| name.starts_with(char::is_alphabetic)).collect();
    assert_eq!(row("tests"), tests);
    assert_eq!(documented("- Tests: "), tests);
}

#[test]
fn methods_are_those_that_each_kind_of_value_has() {
    let clock = SharedClock::new(StillClock::new());
    let watch = Watch { clock: &clock, deadline: Deadline::after(&clock, Duration::from_mins(1)) };
    let meter = Meter::new(&Limits::default(), &watch, 1);
    let mut all = BTreeSet::new();
    for (kind, value) in KINDS {
        let value = Json::parse(value).unwrap();
        let has = |name: &&str| match methods::call(name, &value, &[], &meter) {
            Err(Fail::Template(message)) => !message.contains("has no method"),
            _ => true,
        };
        let found: BTreeSet<_> = methods::NAMES.into_iter().filter(has).collect();
        assert_eq!(row(&format!("methods of {kind}")), found, "{kind}");
        assert_eq!(documented(&format!("of {kind} (")), found, "{kind}");
        all.extend(found);
    }
    assert_eq!(all.len(), methods::NAMES.len(), "every method belongs to some kind of value");
}

#[test]
fn functions_are_those_that_can_be_called() {
    let callable = |name: &&str| {
        ["", "1", "a=1"].iter().any(|args| {
            compiles(&format!("{{% for x in [1] %}}{{{{ {name}({args}) }}}}{{% endfor %}}"))
                || compiles(&format!("{{% set x = {name}({args}) %}}"))
        })
    };
    assert_eq!(row("functions"), FUNCTIONS.into_iter().filter(callable).collect());
    assert_eq!(row("`loop` has"), LOOP_FIELDS.into_iter().chain(["loop"]).collect());
}

#[test]
fn statements_are_those_that_compile() {
    let sample = |word: &str| match word {
        "for" => "{% for x in [1] %}{% endfor %}".to_owned(),
        "if" | "switch" | "while" => format!("{{% {word} 1 %}}{{% end{word} %}}"),
        "elif" => "{% if 1 %}{% elif 2 %}{% endif %}".to_owned(),
        "else" => "{% if 1 %}{% else %}{% endif %}".to_owned(),
        "set" => "{% set x = 1 %}".to_owned(),
        "with" => "{% with x = 1 %}{% endwith %}".to_owned(),
        "filter" => "{% filter upper %}{% endfilter %}".to_owned(),
        "raw" => "{% raw %}{{{% endraw %}".to_owned(),
        "break" | "continue" => format!("{{% for x in [1] %}}{{% {word} %}}{{% endfor %}}"),
        "block" => "{% block x %}{% endblock %}".to_owned(),
        "macro" => "{% macro x() %}{% endmacro %}".to_owned(),
        "call" => "{% call x() %}{% endcall %}".to_owned(),
        "autoescape" => "{% autoescape true %}{% endautoescape %}".to_owned(),
        "trans" => "{% trans %}{% endtrans %}".to_owned(),
        "import" => "{% import 'x' as x %}".to_owned(),
        "from" => "{% from 'x' import x %}".to_owned(),
        "debug" => "{% debug %}".to_owned(),
        other => format!("{{% {other} 'x' %}}"),
    };
    let there: BTreeSet<_> = STATEMENTS.into_iter().filter(|word| compiles(&sample(word))).collect();
    assert_eq!(row("statements"), there);
}

#[test]
fn operators_are_those_that_compile() {
    let sample = |operator: &str| match operator {
        "is" => "{{ 1 is number }}".to_owned(),
        "|" => "{{ 1 | abs }}".to_owned(),
        other => format!("{{{{ 1 {other} [2] }}}}"),
    };
    let there: BTreeSet<_> =
        OPERATORS.into_iter().filter(|operator| compiles(&sample(operator))).flat_map(str::split_whitespace).collect();
    let also = ["not", "if", "else"];
    assert!(compiles("{{ not 1 }}{{ 1 if 2 else 3 }}"));
    assert_eq!(row("operators"), there.into_iter().chain(also).collect());
}
