//! Templates and bodies that are made to hurt: none may end the process, take more than 100 ms of CPU
//! in a release build, or more than 16 MB besides what it was given. Each runs in a process of its
//! own, on a thread with a stack of 1 MB, half of what a thread has by default.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::{env, fmt::Write, fs, process::Command, thread, time::Duration};

use callout_core::{
    json::Json,
    limits::Limits,
    time::{Deadline, SharedClock},
};
use callout_response::{
    Watch,
    template::{Template, Values},
};

const STACK_BYTES: usize = 1 << 20;
const CASE: &str = "CALLOUT_HOSTILE_CASE";
/// A release build is held to the promise; a debug build is some twenty times slower.
const LONGEST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 3_000 } else { 100 });
const MOST_BYTES: u64 = 16 << 20;
/// Addresses that a process may use in all, in kB: the largest body as it is read, and its libraries.
const MEMORY_KB: u32 = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Body {
    Small,
    /// One string of 10 MB.
    Text,
    /// 200,000 numbers.
    Numbers,
    /// 20,000 objects.
    Objects,
    /// 100,000 members.
    Members,
    /// A million members, as many as 10 MB hold, and beside each other at the top.
    Wide,
    /// Ten members with names of 1 MB each.
    LongNames,
    /// Numbers of a million digits.
    Digits,
    /// 128 levels.
    Deep,
}

impl Body {
    fn text(self) -> String {
        let list = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
        match self {
            Self::Small => r#"{"a": {"b": [1, 2, 3]}, "s": "text"}"#.to_owned(),
            Self::Text => format!("{{\"s\": \"{}\", \"a\": [1]}}", "ab \\u00e9,".repeat(10 << 17)),
            Self::Numbers => {
                format!("{{\"a\": [{}], \"s\": \"x\"}}", list(200_000, &|at| ((at * 7919) % 200_000).to_string()))
            }
            Self::Objects => {
                let object =
                    |at: usize| format!(r#"{{"id": {at}, "k": "key {}", "v": {{"w": [{at}]}}}}"#, (at * 7919) % 20_000);
                format!("{{\"a\": [{}], \"s\": \"x\"}}", list(20_000, &object))
            }
            Self::Members => {
                format!("{{\"a\": {{{}}}, \"s\": \"x\"}}", list(100_000, &|at| format!("\"key {at}\": {at}")))
            }
            Self::Wide => format!("{{{}, \"s\": \"x\"}}", list(1_000_000, &|at| format!("\"{at}\":1"))),
            Self::LongNames => {
                let name = "a".repeat(1_000_000);
                format!("{{\"a\": {{{}}}, \"s\": \"{name}0\"}}", list(10, &|at| format!("\"{name}{at}\": {at}")))
            }
            Self::Digits => {
                let digits = "123456789".repeat(111_111);
                format!(
                    "{{\"n\": {digits}, \"f\": 0.{digits}, \"z\": 0.{}1, \"s\": \"{digits}\", \"a\": [1]}}",
                    "0".repeat(1_000_000)
                )
            }
            Self::Deep => format!("{{\"a\": {}{}, \"s\": \"x\"}}", "[".repeat(127), "]".repeat(127)),
        }
    }
}

/// Every kind of level that an expression has, one in the other.
const EVERY_LEVEL: (&str, &str) = ("(0 or 1 and not 1 < 1 + 1 ~ 1 * 2 ** 2|d(1 if 0 else [a[{'a': -", "}]]))");

/// As much of `open` as a template may have, around `inner`.
fn chain(open: &str, inner: &str, close: &str, levels: usize) -> String {
    let levels = levels.min((16_300 - inner.len()) / (open.len() + close.len()));
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// Chains and nestings of every kind, as long as a template may be and shorter.
fn nestings() -> Vec<String> {
    let mut all = Vec::new();
    let kinds: [(&str, &str, &str, &str, &str); 46] = [
        ("{{ ", "-", "1", "", " }}"),
        ("{{ ", "- ", "s", "", " }}"),
        ("{{ ", "not ", "1", "", " }}"),
        ("{{ ", "(", "1", ")", " }}"),
        ("{{ ", "[", "1", "]", " }}"),
        ("{{ ", "{'a':", "1", "}", " }}"),
        ("{{ ", "(1,", "1", ")", " }}"),
        ("{{ ", "dict(a=", "1", ")", " }}"),
        ("{{ ", "range(", "1", ")", " }}"),
        ("{{ ", "a[", "0", "]", " }}"),
        ("{{ ", "a[:", "0", "]", " }}"),
        ("{{ ", "s.join(", "s", ")", " }}"),
        ("{{ ", "s|d(", "s", ")", " }}"),
        ("{{ ", "1 is eq(", "1", ")", " }}"),
        ("{{ ", "1 is eq -", "1", "", " }}"),
        ("{{ ", "1 if ", "1", "", " }}"),
        ("{{ ", "1 if 0 else ", "1", "", " }}"),
        ("{{ ", "1 if (", "1", ")", " }}"),
        ("{{ ", "loop.cycle(", "1", ")", " }}"),
        ("{{ ", "(1+", "1", ")", " }}"),
        ("{{ ", "1+", "1", "", " }}"),
        ("{{ ", "1-", "1", "", " }}"),
        ("{{ ", "1*", "1", "", " }}"),
        ("{{ ", "1/", "1", "", " }}"),
        ("{{ ", "1%", "1", "", " }}"),
        ("{{ ", "1**", "1", "", " }}"),
        ("{{ ", "1~", "1", "", " }}"),
        ("{{ ", "1<", "1", "", " }}"),
        ("{{ ", "1==", "1", "", " }}"),
        ("{{ ", "1 in ", "a", "", " }}"),
        ("{{ ", "1 and ", "1", "", " }}"),
        ("{{ ", "0 or ", "1", "", " }}"),
        ("{{ ", "s ~ ", "s", "|upper", " }}"),
        ("{{ s", "", "", "|upper", " }}"),
        ("{{ s", "", "", ".upper()", " }}"),
        ("{{ a", "", "", ".b", " }}"),
        ("{{ a", "", "", "[0]", " }}"),
        ("{{ a", "", "", "[:]", " }}"),
        ("{{ s", "", "", " is string", " }}"),
        ("", "{% if 1 %}", "x", "{% endif %}", ""),
        ("", "{% for x in [1] %}", "x", "{% endfor %}", ""),
        ("", "{% with x = 1 %}", "x", "{% endwith %}", ""),
        ("", "{% set x %}", "x", "{% endset %}", ""),
        ("", "{% filter upper %}", "x", "{% endfilter %}", ""),
        ("{% if 0 %}", "{% elif 0 %}", "x", "", "{% endif %}"),
        ("{% if 0 %}", "{% else %}{% if 0 %}", "x", "{% endif %}", "{% endif %}"),
    ];
    for (before, open, inner, close, after) in kinds {
        for levels in [5, 15, 19, 20, 31, 32, 80, 98, 99, 100, 150, 500, 2_000, 16_000] {
            all.push(format!("{before}{}{after}", chain(open, inner, close, levels)));
        }
    }
    // Every kind of level that there is, nested as deep as they go.
    all.push(format!("{{{{ {}1{} }}}}", EVERY_LEVEL.0.repeat(2), EVERY_LEVEL.1.repeat(2)));
    let blocks = "{% if 0 %}{% elif 0 %}{% elif 0 %}{% else %}{% for x in [1] %}";
    for levels in [10, 16, 30] {
        let end = "{% endfor %}{% endif %}".repeat(levels);
        all.push(format!("{}{{{{ {} }}}}{end}", blocks.repeat(levels), chain("(1+", "1", ")", 18)));
    }
    // Ends that are missing, and openings without number.
    for piece in [
        "{{",
        "{%",
        "{#",
        "{{ '",
        "{{ (",
        "{% raw %}",
        "{% if 1 %}",
        "}}",
        "{{}}",
        "{%%}",
        "\\",
        "{{ \"\\u",
        "{{-",
        "{{{{",
    ] {
        all.push(piece.repeat(16_300 / piece.len()));
    }
    all
}

/// Templates that make much of little, or much of much.
fn greedy() -> Vec<(Body, String)> {
    use Body::{Deep, Digits, LongNames, Members, Numbers, Objects, Small, Text, Wide};
    let forever = |inner: &str| format!("{{% for i in range(100000) %}}{inner}{{% endfor %}}");
    let doubled = |set: &str| format!("{}{{{{ s|length }}}}", set.repeat(100));
    let mut all: Vec<(Body, String)> = vec![
        (Small, "{% set y=[1]*1000 %}{% set y=[y]*1000 %}{% set y=[y]*1000 %}{{ y|tojson|length }}".into()),
        (Small, "{% set y=[1]*1000 %}{% set y=[y]*1000 %}{% set y=[y]*1000 %}{{ y }}".into()),
        (Small, "{% set y=[1]*1000 %}{% set y=[y]*1000 %}{% set y=[y]*1000 %}{{ y ~ '' }}".into()),
        (Small, "{% set y=[1]*1000 %}{% set y=[y]*1000 %}{% set z=[1]*1000 %}{% set z=[z]*1000 %}{{ y == z }}".into()),
        (Small, "{% set y=[1]*1000 %}{% set y=[y]*1000 %}{% set y=[y]*1000 %}{{ y|string|length }}{{ 2 in y }}".into()),
        (Small, "{% set y=[1]*1000 %}{% set y=[y]*1000 %}{% set y=[y]*1000 %}{{ y|sort|length }}{{ y|unique }}".into()),
        (Small, "{% set y=range(100)|list %}{% for a in y %}{% for b in y %}{% for c in y %}{% for d in y %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}".into()),
        (Small, "{% set ns=namespace(x='a') %}{% for i in range(100) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x|length }}".into()),
        (Small, "{% set ns=namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = ns.x + ns.x %}{% endfor %}{{ ns.x|length }}".into()),
        (Small, "{% set ns=namespace(x=[1]) %}{% for i in range(10000) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}".into()),
        (Small, "{% set ns=namespace(x={}) %}{% for i in range(100) %}{% set ns.x = {'a': ns.x, 'b': ns.x} %}{% endfor %}{{ ns.x|tojson }}".into()),
        (Small, "{% set ns=namespace(x=[1]) %}{% for i in range(100) %}{% set ns.x = [ns.x, ns.x] %}{{ ns.x == [ns.x, ns.x] }}{% endfor %}".into()),
        (Small, "{% set ns=namespace(x=[]) %}{% for i in range(10000) %}{% set ns.x = ns.x + [i] %}{% endfor %}{{ ns.x|length }}".into()),
        (Small, "{% set ns=namespace(x='') %}{% for i in range(10000) %}{% set ns.x = ns.x ~ 'xxxxxxxxxxxxxxxxxxxx' %}{% endfor %}{{ ns.x|length }}".into()),
        (Small, "{{ range(1000000000) }}".into()),
        (Small, "{{ range(100000)|list|tojson }}".into()),
        (Small, "{{ range(-9223372036854775808, 9223372036854775807, 1) }}".into()),
        (Small, "{% for i in range(100000000) %}{% endfor %}".into()),
        (Small, "{% for i in range(30000) %}x{% endfor %}".into()),
        (Small, "{{ 'x' * 1000000000 }}".into()),
        (Small, "{{ 'x' * 9223372036854775807 }}{{ '' * 9223372036854775807 }}".into()),
        (Small, "{{ [] * 9223372036854775807 }}{{ [1] * 9223372036854775807 }}".into()),
        (Small, "{{ 'x'.center(1000000000) }}".into()),
        (Small, "{{ 'x'|center(1000000000) }}".into()),
        (Small, "{{ 'x'.zfill(9223372036854775807) }}".into()),
        (Small, "{{ 'a\nb'|indent(1000000000) }}".into()),
        (Small, "{{ '%1000000000d'|format(1) }}".into()),
        (Small, "{{ '%.1000000000f'|format(1) }}".into()),
        (Small, "{{ '{:1000000000}'.format(1) }}".into()),
        (Small, "{% set p = '%1000d' * 1000 %}{{ p|format(1) }}".into()),
        (Small, "{% for i in range(10000) %}{{ '%1000d'|format(1) }}{% endfor %}".into()),
        (Small, "{% for i in range(10000) %}{{ '%.100f'|format(1e300) }}{% endfor %}".into()),
        (Small, "{% for i in range(100000) %}{{ 2 ** 126 % 7 // 3 * 1.5 }}{% endfor %}".into()),
        (Small, "{{ [1, 2]|batch(1000000000, 'x') }}".into()),
        (Small, "{{ [1, 2]|slice(1000000000) }}".into()),
        (Small, "{{ 1e308|round(300) }}{{ 1|round(-300) }}{{ 1.5|round(9223372036854775807) }}".into()),
        (Small, "{% set a = 'a' * 100000 %}{{ a.replace('a', a)|length }}".into()),
        (Small, "{% set a = 'a' * 100000 %}{{ a.replace('', a)|length }}".into()),
        (Small, "{% set a = 'a' * 100000 %}{{ a.join(range(1000)|map('string'))|length }}".into()),
        (Small, "{% set a = 'a' * 100000 %}{{ range(1000)|join(a)|length }}".into()),
        (Small, "{% set a = 'a ' * 100000 %}{% for i in range(1000) %}{{ a.split()|length }}{% endfor %}".into()),
        (Small, "{% set a = 'a ' * 100000 %}{% for i in range(1000) %}{{ a|title|length }}{% endfor %}".into()),
        (Small, "{% set a = 'a' * 500000 %}{% for i in range(10000) %}{{ 'ab' in a }}{% endfor %}".into()),
        (Small, "{% set a = 'a' * 500000 %}{% set b = 'a' * 250000 ~ 'b' %}{% for i in range(10000) %}{{ b in a }}{% endfor %}".into()),
        (Small, "{% set a = 'a' * 500000 %}{% for i in range(10000) %}{{ a[400000] }}{% endfor %}".into()),
        (Small, "{% set a = 'a' * 500000 %}{% for i in range(10000) %}{{ a|length }}{% endfor %}".into()),
        (Small, "{% set a = 'ab' * 200000 %}{{ a.strip(a) }}{{ ('a' * 100000).strip('b' * 100000 ~ 'a') }}".into()),
        (Small, "{% set a = '<' * 500000 %}{{ a|striptags }}{{ a|e }}".into()),
        (Small, "{% set a = 'ß' * 300000 %}{% for i in range(100) %}{{ a|upper|length }}{% endfor %}".into()),
        (Small, "{% for i in range(100) %}{% set x %}{{ 'x' * 60000 }}{% endset %}{% endfor %}".into()),
        (Small, "{% set x %}{{ 'x' * 1000 }}{% endset %}{% for i in range(100) %}{% set x %}{{ x }}{{ x }}{% endset %}{% endfor %}".into()),
        (Small, format!("{}{}{}", "{% set x %}".repeat(30), "{% for i in range(100000) %}xxxxxxxxxxxxxxxx{% endfor %}", "{% endset %}".repeat(30))),
        (Small, "{% for i in range(200) %}{{ range(1000)|map('string')|map('upper')|map('length')|sum }}{% endfor %}".into()),
        (Small, "{{ [[[[1]]]]|map('map', 'map', 'map', 'abs') }}".into()),
        (Small, "{% set m = [] %}{% for i in range(500) %}{% for j in range(500) %}{% set m = m + [{'a': i}] %}{% endfor %}{% endfor %}".into()),
        (Small, "{{ (range(3000)|map('string')|map('batch', 1)|list|unique)|length }}".into()),
        (Small, "{% set d = [{}] * 30000 %}{{ d|unique|length }}{{ d|sort|length }}".into()),
        (Small, "{% set ns=namespace(x=[]) %}{% for i in range(300) %}{% set ns.x = ns.x + [{'a': i}] %}{% endfor %}{% for i in range(100) %}{{ ns.x|unique|length }}{% endfor %}".into()),
        (Small, format!("{{{{ [{}]|tojson }}}}", vec!["1"; 8_000].join(","))),
        (Small, format!("{{% for i in range(10000) %}}{{% set x = [{}] %}}{{% endfor %}}", vec!["1"; 7_000].join(","))),
        (Small, format!("{{% for i in range(10000) %}}{{% set x = {{{}}} %}}{{% endfor %}}", vec!["'k':1"; 2_000].join(","))),
        (Small, format!("{{% for i in range(10000) %}}{{% if {} %}}{{% endif %}}{{% endfor %}}", vec!["0"; 3_000].join(" or "))),
        (Small, format!("{{% for i in range(10000) %}}{}{{% endfor %}}", "{{ s }}".repeat(2_000))),
        (Small, format!("{{% for i in range(10000) %}}{}{{% endfor %}}", "{% set x = s %}".repeat(1_000))),
        (Text, "{{ s }}".into()),
        (Text, "{{ result }}".into()),
        (Text, "{{ s|tojson }}".into()),
        (Text, "{{ s ~ s }}".into()),
        (Text, "{{ s|upper }}{{ s.lower() }}".into()),
        (Text, "{{ s[::-1]|length }}".into()),
        (Text, "{{ s[:10] }}".into()),
        (Text, "{% for c in s %}{% endfor %}".into()),
        (Text, "{{ s.split(',')|length }}".into()),
        (Text, "{{ s.replace('a', 'bb')|length }}".into()),
        (Text, "{{ s|wordcount }}{{ s|wordwrap(1)|length }}".into()),
        (Text, "{% for i in range(100000) %}{% if s %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% set x = s %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% if s == response.s %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% if 'zzz' in s %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{{ s|length }}{% endfor %}".into()),
        (Text, "{{ s|truncate(10) }}{{ s|striptags }}{{ s|urlencode }}".into()),
        (Text, "{{ s|list|unique|length }}".into()),
        (Numbers, "{{ a }}".into()),
        (Numbers, "{{ a|sort|first }}".into()),
        (Numbers, "{{ a|sum }}".into()),
        (Numbers, "{{ a|unique|length }}{{ a|reverse|first }}".into()),
        (Numbers, "{% for x in a %}{{ x }}{% endfor %}".into()),
        (Numbers, "{% for x in a if x < 0 %}{% endfor %}".into()),
        (Numbers, "{% for x, y in [a] %}{% endfor %}".into()),
        (Numbers, "{% for x, y in [a, a, a, a, a, a] %}{% endfor %}".into()),
        (Numbers, "{% set x, y = a %}".into()),
        (Numbers, "{% for i in range(1000) %}{{ a|length }}{{ a[199999] }}{{ a == response.a }}{% endfor %}".into()),
        (Numbers, "{% for i in range(1000) %}{{ -1 in a }}{% endfor %}".into()),
        (Numbers, "{{ a|map('string')|join(',') }}".into()),
        (Numbers, "{{ a|batch(1)|list|length }}{{ a|zip(a, a, a) }}".into()),
        (Numbers, "{{ (a + a + a + a)|length }}".into()),
        (Numbers, "{{ a|groupby('x', 1) }}".into()),
        (Numbers, "{{ a|min }}{{ a|max }}{{ a|last }}".into()),
        (Objects, "{{ a|sort(attribute='k')|length }}".into()),
        (Objects, "{{ a|groupby('k')|length }}".into()),
        (Objects, "{{ a|unique|length }}".into()),
        (Objects, "{{ a|map(attribute='v.w.0')|sum }}".into()),
        (Objects, "{% for x in a %}{{ x.id }}: {{ x.k }}\n{% endfor %}".into()),
        (Objects, "{% for x in a %}{% for y in a %}{% if x == y %}{% endif %}{% endfor %}{% endfor %}".into()),
        (Objects, "{{ a|selectattr('id', 'odd')|rejectattr('k')|list }}{{ a|tojson(indent=16) }}".into()),
        (Objects, "{{ a|map('dictsort')|list }}".into()),
        (Objects, "{{ a|map('items')|map('list')|list }}".into()),
        (Members, "{{ a.nope }}".into()),
        (Members, "{{ a|dictsort|first }}".into()),
        (Members, "{{ a.items()|length }}{{ a.keys()|length }}{{ a.values()|length }}".into()),
        (Members, "{% for k, v in a.items() %}{{ k }}{{ v }}{% endfor %}".into()),
        (Members, "{% for k in a %}{{ a[k] }}{% endfor %}".into()),
        (Members, "{{ a == response.a }}{{ a|urlencode }}".into()),
        (Deep, "{{ a }}{{ [[[a]]] }}{{ a|tojson(indent=16) }}".into()),
        (Deep, "{% set ns=namespace(x=a) %}{% for i in range(100) %}{% set ns.x = [ns.x] %}{% endfor %}".into()),
        (Deep, "{% set ns=namespace(x=a) %}{% for i in range(30) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}{{ ns.x == ns.x }}{{ [ns.x, ns.x]|sort }}".into()),
        (Deep, "{% set x = a %}{% for i in range(50) %}{% set x = x|list %}{% endfor %}{{ x|list|list|list|list|list }}".into()),
    ];
    for inner in [
        "{% if n > 1 %}{% endif %}",
        "{% if n %}{% endif %}",
        "{% if z %}{% endif %}",
        "{% if n == f %}{% endif %}",
        "{% set x = n|int %}",
        "{% set x = s|int %}",
        "{% set x = s|float %}",
        "{% set x = a[n] is defined %}",
        "{% set x = n is odd %}",
        "{% set x = '%d'|format(f) %}",
        "{% set x = f|round(2) %}",
        "{% set x = -f + f %}",
        "{% set x = [f, n]|max %}",
        "{% set x = n ~ '' %}",
        "{% set x = {n: 1} %}",
        "{% set x = f.is_integer() %}",
    ] {
        all.push((Digits, forever(inner)));
    }
    for inner in [
        "{% set x = a[s] %}",
        "{% set x = a.get(s) %}",
        "{% if s in a %}{% endif %}",
        "{% set x = {s: 1} %}",
        "{% set x = a == response.a %}",
    ] {
        all.push((LongNames, forever(inner)));
    }
    for inner in [
        "{{ nope is defined }}",
        "{% set x = result.nope is defined %}",
        "{% set x = s %}",
        "{% set x = result == response %}",
    ] {
        all.push((Wide, forever(inner)));
    }
    all.push((Wide, "{{ nope }}".into()));
    all.push((Wide, "{{ result.nope }}".into()));
    all.push((Wide, "{{ result|dictsort }}{{ result|items }}".into()));
    for inner in [
        "{% if s.isalpha() %}{% endif %}",
        "{% if s is lower %}{% endif %}",
        "{% if s|wordcount %}{% endif %}",
        "{% if s.find('zz') %}{% endif %}",
        "{% if s.count('a') %}{% endif %}",
        "{% if s.startswith(s) %}{% endif %}",
        "{% if s < response.s %}{% endif %}",
        "{% if [s]|sort %}{% endif %}",
        "{% set x = s[-1] %}",
        "{% set x = s[5:6] %}",
        "{% set x = s|trim %}",
        "{% set x = s|truncate(5) %}",
        "{% set x = s|first %}",
    ] {
        all.push((Text, forever(inner)));
        all.push((Small, format!("{{% set s = 'a b' * 100000 %}}{}", forever(&inner.replace("response.s", "s")))));
    }
    for set in [
        "{% set s = s ~ s %}",
        "{% set s = s + s %}",
        "{% set s = s * 2 %}",
        "{% set s = [s, s]|join %}",
        "{% set s = s|replace('t', 'tt') %}",
        "{% set s = '%s%s'|format(s, s) %}",
        "{% set s = '{0}{0}'.format(s) %}",
        "{% set s = s.join([s, s]) %}",
        "{% set s = s|tojson|tojson %}",
        "{% set s = s|urlencode|urlencode %}",
        "{% set s = s|e|e %}",
        "{% set s %}{{ s }}{{ s }}{% endset %}",
        "{% set s = [s, s] %}",
        "{% set s = [s] * 100 %}",
        "{% set s = {'a': s, 'b': s} %}",
        "{% set s = ([s]|zip([s])) %}",
        "{% set s = s|list + s|list %}",
    ] {
        all.push((Small, doubled(set)));
    }
    all
}

/// Made against the bounds of this engine itself: every filter and method that makes something, over and over, of
/// the most that a value may be; and the same where it is refused only when it is run.
fn further() -> Vec<(Body, String)> {
    const OF_TEXT: [&str; 34] = [
        "t|batch(2)",
        "t|capitalize",
        "t|center(9000)",
        "t|dictsort",
        "t|e|e",
        "t|first",
        "t|format",
        "t|forceescape",
        "t|indent(9)",
        "t|items",
        "t|join('--')",
        "t|last",
        "t|lines",
        "t|lower",
        "t|reverse",
        "t|slice(3)",
        "t|sort",
        "t|split('a')",
        "t|title",
        "t|trim('ab ')",
        "t|truncate(9000)",
        "t|unique",
        "t|urlencode",
        "t|wordwrap(3)",
        "t.casefold()",
        "t.partition('b')",
        "t.rsplit('b')",
        "t.splitlines()",
        "t.swapcase()",
        "t.expandtabs()",
        "t.translate({})",
        "t.encode()",
        "t.rfind('zzz')",
        "t.zfill(90000)",
    ];
    const OF_LIST: [&str; 34] = [
        "t|batch(1)",
        "t|first",
        "t|groupby(0)",
        "t|join",
        "t|join(t|join)",
        "t|length",
        "t|list",
        "t|map('string')|list",
        "t|map('tojson')|join",
        "t|max",
        "t|min",
        "t|pprint",
        "t|reject('odd')|list",
        "t|reverse|list",
        "t|select('in', t)|list",
        "t|slice(9)",
        "t|sort(reverse=true)",
        "t|string",
        "t|sum",
        "t|tojson",
        "t|tojson(indent=16)",
        "t|unique|list",
        "t|zip(t, t)",
        "t + t",
        "t * 9",
        "t == t",
        "t < t",
        "[t, t]|sort",
        "{'a': t}|tojson",
        "{'a': t} == {'a': t}",
        "t[::-1]",
        "t[1:]",
        "t.index(-1)",
        "t.count(1)",
    ];
    let mut all = Vec::new();
    for expression in OF_TEXT {
        all.push((
            Body::Small,
            format!(
                "{{% set t = 'ab ' * 30000 %}}{{% for i in range(100000) %}}{{% set x = {expression} %}}{{% endfor %}}"
            ),
        ));
        all.push((
            Body::Text,
            format!("{{% set t = s %}}{{% for i in range(100000) %}}{{% set x = {expression} %}}{{% endfor %}}"),
        ));
    }
    for expression in OF_LIST {
        all.push((Body::Small, format!("{{% set t = range(3000)|list %}}{{% for i in range(100000) %}}{{% set x = {expression} %}}{{% endfor %}}")));
        all.push((
            Body::Numbers,
            format!("{{% set t = a %}}{{% for i in range(100000) %}}{{% set x = {expression} %}}{{% endfor %}}"),
        ));
    }
    all
}

fn cases() -> Vec<(Body, String)> {
    let mut all: Vec<_> = nestings().into_iter().map(|template| (Body::Small, template)).collect();
    all.extend(greedy());
    let mut further = further();
    // One process for those that share a body.
    further.sort_by_key(|(body, _)| format!("{body:?}"));
    all.extend(further);
    all
}

/// Renders one template as the engine does, under fuel without end; what came of it.
fn attempt(template: &str, body: &Json, clock: &SharedClock) -> String {
    let mut limits = Limits::default();
    limits.template_fuel = u64::MAX;
    let template = match Template::compile(template, &limits) {
        Ok(template) => template,
        Err(fault) => return format!("fault: {fault}"),
    };
    let watch = Watch { clock, deadline: Deadline::after(clock, Duration::from_mins(1)) };
    let values = Values { result: body, response: body, params: &support::params(), status: 200 };
    match template.render(&values, &watch) {
        Ok(text) => format!("text of {}", text.len()),
        Err(error) => format!("{}: {error}", error.kind()),
    }
}

#[cfg(target_os = "linux")]
fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

/// How long this thread has run, which is not how long it waited for a processor.
#[cfg(target_os = "linux")]
fn cpu_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// From here on the peak is counted anew.
#[cfg(target_os = "linux")]
fn forget_peak() -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak_bytes()
}

#[test]
fn bounds_can_be_reached_and_not_passed() {
    let nested = |levels: usize| format!("{{{{ {} }}}}", chain("(1+", "1", ")", levels));
    let blocks = |levels: usize| chain("{% if 1 %}", "x", "{% endif %}", levels);
    let branches = |levels: usize| format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(levels));
    let every = |levels: usize| format!("{{{{ {}1{} }}}}", EVERY_LEVEL.0.repeat(levels), EVERY_LEVEL.1.repeat(levels));
    let compiles = |template: String| Template::compile(&template, &Limits::default()).map(drop);
    for (at, past) in
        [(nested(19), nested(20)), (blocks(32), blocks(33)), (branches(99), branches(100)), (every(2), every(3))]
    {
        assert_eq!(compiles(at), Ok(()));
        assert!(compiles(past.clone()).is_err(), "{past}");
    }
}

/// What a child process does; without a case it is none.
#[test]
#[cfg(target_os = "linux")]
fn child() {
    let Ok(case) = env::var(CASE) else { return };
    let all = cases();
    let Some((from, to)) = case.split_once('-') else { return };
    let work = move || {
        let mut report = String::new();
        let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
        let body = Json::parse(&all[from].0.text()).unwrap();
        for (at, (_, template)) in all.iter().enumerate().take(to).skip(from) {
            let before = forget_peak();
            let started = cpu_time();
            let outcome = attempt(template, &body, &support::clock());
            let (took, bytes) = (cpu_time().saturating_sub(started), peak_bytes().saturating_sub(before));
            let outcome: String = outcome.chars().take(100).collect();
            let template: String = template.chars().take(100).collect();
            let _ =
                writeln!(report, "case {at} took {} ms {} kB {outcome:?} {template:?}", took.as_millis(), bytes >> 10);
        }
        report
    };
    let report = thread::scope(|scope| {
        thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work).unwrap().join().unwrap()
    });
    println!("\n{report}");
}

/// Cases that run in one process: with one body, so that it is read once, and not too many.
#[cfg(target_os = "linux")]
fn batches(cases: &[(Body, String)]) -> Vec<(usize, usize)> {
    const MOST: usize = 40;
    let mut batches: Vec<(usize, usize)> = Vec::new();
    for (at, (body, _)) in cases.iter().enumerate() {
        match batches.last_mut() {
            Some((from, to)) if cases[*from].0 == *body && *to - *from < MOST => *to = at + 1,
            _ => batches.push((at, at + 1)),
        }
    }
    batches
}

#[test]
#[cfg(target_os = "linux")]
fn no_template_ends_the_process_or_takes_too_much() {
    let cases = cases();
    let mut seen = 0;
    for (from, to) in batches(&cases) {
        let output = Command::new("sh")
            .args(["-c", &format!("ulimit -v {MEMORY_KB} && exec \"$0\" --exact child --nocapture --test-threads 1")])
            .arg(env::current_exe().unwrap())
            .env(CASE, format!("{from}-{to}"))
            // What one case leaves behind in the allocator would hide what the next one takes.
            .envs([("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "4096"), ("MALLOC_TRIM_THRESHOLD_", "0")])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cases {from} to {to}: {}\n{text}\n{errors}", output.status);
        for line in text.lines().filter(|line| line.starts_with("case ")) {
            seen += 1;
            if env::var_os("CALLOUT_HOSTILE_SHOW").is_some() {
                println!("{line}");
            }
            let words: Vec<&str> = line.split(' ').collect();
            let (took, bytes) = (words[3].parse().unwrap(), words[5].parse::<u64>().unwrap() << 10);
            let shown = &cases[words[1].parse::<usize>().unwrap()];
            assert!(Duration::from_millis(took) <= LONGEST, "{line}\n{shown:?}");
            assert!(bytes <= MOST_BYTES, "{line}\n{shown:?}");
        }
    }
    assert_eq!(seen, cases.len());
}
