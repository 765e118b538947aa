//! Templates made against the bounds of this engine itself.

use crate::body::Body;

/// Made against the bounds of this engine itself: every filter and method that makes something, over and over, of
/// the most that a value may be; and the same where it is refused only when it is run.
pub(crate) fn further() -> Vec<(Body, String)> {
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
