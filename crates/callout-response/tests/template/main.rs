//! Result templates from outside: what they can say, what they say when something is wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod as_jinja;
#[path = "../support/mod.rs"]
mod support;

use std::time::Duration;

use callout_core::{Error, ErrorKind, json::Json, limits::Limits, time::Deadline};
use callout_response::{
    Watch,
    template::{Template, Values},
};
use support::{clock, params};

const BODY: &str = r#"{
    "name": "Ada", "total": 3, "price": 1.10, "huge": 12345678901234567890123, "tiny": 0.1000000000000000055511151231257827,
    "none": null, "yes": true, "no": false, "empty": [], "text": "one two  three", "html": "<b>x &amp; y</b>",
    "items": [
        {"id": 1, "name": "pear", "price": 2.50, "tags": ["a", "b"], "stock": {"left": 3}},
        {"id": 2, "name": "Apple", "price": 1.25, "tags": [], "stock": {"left": 0}},
        {"id": 3, "name": "fig", "price": 10, "tags": ["b"], "stock": {"left": 12}}
    ],
    "map": {"z": 1, "a": 2, "items": 5}, "matrix": [[1, 2], [3, 4]], "keys": "shadow", "__hidden": 1
}"#;

fn compile_fault(template: &str) -> Option<String> {
    Template::compile(template, &Limits::default()).err()
}

fn render(template: &str, body: &str) -> Result<String, Error> {
    render_with(template, body, &Limits::default())
}

fn render_with(template: &str, body: &str, limits: &Limits) -> Result<String, Error> {
    let template = Template::compile(template, limits).unwrap();
    let body = Json::parse(body).unwrap();
    let clock = clock();
    let deadline = Deadline::after(&clock, Duration::from_mins(1));
    let values = Values { result: &body, response: &body, params: &params(), status: 200 };
    template.render(&values, &Watch { clock: &clock, deadline })
}

fn check(table: &[(&str, &str)]) {
    for (template, expected) in table {
        let got = render(template, BODY).unwrap_or_else(|error| format!("{}: {error}", error.kind()));
        assert_eq!(&got, expected, "{template}");
    }
}

#[test]
fn values_print_as_they_were_written() {
    check(&[
        ("", ""),
        ("plain { text } %}", "plain { text } %}"),
        ("{{ name }}", "Ada"),
        ("{{ result.name }} {{ response.total }} {{ status }} {{ params.q }}", "Ada 3 200 x"),
        ("{{ price }} {{ huge }} {{ tiny }}", "1.10 12345678901234567890123 0.1000000000000000055511151231257827"),
        ("{{ none }} {{ yes }} {{ no }} {{ empty }}", "None True False []"),
        ("{{ result.none }}", "None"),
        ("{{ items[0] }}", "{'id': 1, 'name': 'pear', 'price': 2.50, 'tags': ['a', 'b'], 'stock': {'left': 3}}"),
        ("{{ items[0]|tojson }}", r#"{"id":1,"name":"pear","price":2.50,"tags":["a","b"],"stock":{"left":3}}"#),
        ("{{ [none, 'é\"', 1.5] }}", r#"[None, 'é"', 1.5]"#),
        ("{{ map|tojson(indent=2) }}", "{\n  \"z\": 1,\n  \"a\": 2,\n  \"items\": 5\n}"),
        ("{{ [] | tojson(2) }}", "[]"),
        ("{{ result['__hidden'] }}", "1"),
        ("{{ 1, 2 }}", "[1, 2]"),
    ]);
}

#[test]
fn the_four_names_win_over_members() {
    let body = r#"{"result": 1, "response": 2, "params": 3, "status": 4, "__run": 5, "range": 6}"#;
    let got = render("{{ result.result }} {{ response.status }} {{ params.q }} {{ status }} {{ range }}", body);
    assert_eq!(got.unwrap(), "1 4 x 200 6");
    assert_eq!(render("{{ range(2) }}", body).unwrap(), "[0, 1]");
    assert_eq!(render("{{ result }} {{ result|length }}", "[1, 2]").unwrap(), "[1, 2] 2");
}

#[test]
fn statements() {
    check(&[
        (
            "{% for item in items %}{{ loop.index }}:{{ item.name }}{{ ', ' if not loop.last }}{% endfor %}",
            "1:pear, 2:Apple, 3:fig",
        ),
        ("{% for item in items if item.price > 2 %}{{ item.id }}/{{ loop.length }} {% endfor %}", "1/2 3/2 "),
        ("{% for x in empty %}x{% else %}none{% endfor %}", "none"),
        ("{% for key in map %}{{ key }}{% endfor %}", "zaitems"),
        ("{% for key, value in map.items() %}{{ key }}={{ value }};{% endfor %}", "z=1;a=2;items=5;"),
        ("{% for (key, value) in map|items %}{{ key }}{% endfor %}", "zaitems"),
        ("{% for c in 'añ' %}<{{ c }}>{% endfor %}", "<a><ñ>"),
        ("{% for row in matrix %}{% for x in row %}{{ x }}{{ loop.revindex }}{% endfor %}|{% endfor %}", "1221|3241|"),
        (
            "{% with %}{% for i in [1, 2] %}{% if i == 2 %}{% break %}{% endif %}{{ i }}{% endfor %}{% endwith %}{% set x %}{% for i in [1] %}{% continue %}{% endfor %}{% endset %}",
            "1",
        ),
        (
            "{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}",
            "02",
        ),
        ("{% for i in range(4) %}{{ loop.cycle('a', 'b') }}{% endfor %}", "abab"),
        ("{% if total > 2 %}many{% elif total %}few{% else %}none{% endif %}", "many"),
        ("{% if not items %}no{% else %}yes{% endif %}", "yes"),
        ("{% set x = total * 2 %}{{ x }}{% set a, b = 1, [2] %}{{ a }}{{ b }}", "61[2]"),
        ("{% set x %}a{{ total }}b{% endset %}[{{ x }}]{% set y | upper | reverse %}xy{% endset %}{{ y }}", "[a3b]YX"),
        (
            "{% filter upper | replace('A', '-') %}a{{ name }}{% filter reverse %}xyz{% endfilter %}{% endfilter %}",
            "--D-ZYX",
        ),
        ("{% with x = 1, y = 2 %}{{ x + y }}{% endwith %}", "3"),
        (
            "{% set ns = namespace(sum=0, all=[]) %}{% for i in items %}{% set ns.sum = ns.sum + i.price %}\
             {% set ns.all = ns.all + [i.id] %}{% endfor %}{{ ns.sum }} {{ ns.all }}",
            "13.75 [1, 2, 3]",
        ),
        ("a{# {{ nothing }} #}b {%- if true -%} c {%- endif %} d", "abc d"),
        ("{% raw %}{{ x }}{% endraw %}{{ '{{' }}{", "{{ x }}{{{"),
        ("a\n{% if true %}\nb\n{% endif %}\n", "a\n\nb\n"),
        ("tab\t\u{1} {curly} \\n \"quote\"", "tab\t\u{1} {curly} \\n \"quote\""),
        ("a\n\n", "a\n"),
    ]);
}

#[test]
fn operators() {
    check(&[
        ("{{ -0 }} {{ -0.0 }} {{ - - 0 }} {{ -(0) }}", "0 -0.0 0 0"),
        ("{{ 1 + 2 * 3 - 4 }} {{ (1 + 2) * 3 }} {{ 2 ** 3 ** 2 }} {{ -2 ** 2 }}", "3 9 64 4"),
        (
            "{{ 7 / 2 }} {{ 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 // -2 }} {{ -7 % 3 }} {{ 7 % -3 }} {{ 7.5 % 2 }}",
            "3.5 2.0 3 -4 -4 2 -2 1.5",
        ),
        (
            "{{ 1 % 0.1 }} {{ 1 // 0.1 }} {{ 1e17 % 3 }} {{ 1e300 % 0.7 }} {{ 0.3 // 0.1 }} {{ -1e-20 % 1 }}",
            "0.09999999999999995 9.0 1.0 0.3790560774266656 2.0 1.0",
        ),
        (
            "{{ -7.5 % 2 }} {{ -7.5 // 2 }} {{ 7.5 % -2 }} {{ 7.5 // -2 }} {{ 6.0 % -3 }} {{ 6.0 // -3 }} {{ 0.0 // -3 }}",
            "0.5 -4.0 -0.5 -4.0 -0.0 -2.0 -0.0",
        ),
        ("{{ price * 2 }} {{ huge > 5 }} {{ 9007199254740993 + 0 }} {{ 1 + true }}", "2.2 True 9007199254740993 2"),
        ("{{ 170141183460469231731687303715884105727 }}", "170141183460469231731687303715884105727"),
        ("{{ 'a' + 'b' }} {{ [1] + [2] }} {{ 'ab' * 2 }} {{ 2 * [1] }} {{ 'x' * -1 }}", "ab [1, 2] abab [1, 1] "),
        ("{{ 1 ~ 'a' ~ none ~ [1] ~ 1.50 }}", "1aNone[1]1.5"),
        ("{{ 1 ~ 2 * 3 }} {{ (1 + 2) ~ 3 }}", "16 33"),
        (
            "{{ 1 < 2 < 3 }} {{ 1 < 3 < 2 }} {{ 1 == 1.0 }} {{ 'a' != 'b' }} {{ [1, {'a': 2}] == [1.0, {'a': 2}] }}",
            "True False True True True",
        ),
        ("{{ 'a' in 'cab' }} {{ 2 in [1, 2] }} {{ 'z' in map }} {{ 3 not in [1] }}", "True True True True"),
        ("{{ not false and true or false }} {{ '' or 'x' }} {{ 0 and 1 }} {{ 1 and 'y' }}", "True x 0 y"),
        ("{{ 'a' if yes else 'b' }}{{ 'c' if no }}{{ 1 if no else 2 if no else 3 }}", "a3"),
        (
            "{{ items[1].name }} {{ items[-1]['name'] }} {{ items.0.tags.1 }} {{ matrix[1][0] }} {{ 'héllo'[1] }}",
            "Apple fig b 3 é",
        ),
        (
            "{{ items[:2]|length }} {{ [1,2,3,4][1:3] }} {{ [1,2,3,4][::-1] }} {{ [1,2,3,4][::2] }} {{ [1,2,3][-2:] }}",
            "2 [2, 3] [4, 3, 2, 1] [1, 3] [2, 3]",
        ),
        (
            "{{ 'héllo'[1:3] }} {{ 'héllo'[::-1] }} {{ 'abc'[5:] }} {{ 'abc'[:-1] }} {{ [1, 2][2:1:-1] }}",
            "él olléh  ab []",
        ),
        ("{{ -total }} {{ - -total }} {{ -price }} {{ -huge }}", "-3 3 -1.1 -12345678901234567890123"),
        ("{{ {'a': 1, 'b': [2]} }} {{ dict(x=1).x }} {{ {1: 2}['1'] }}", "{'a': 1, 'b': [2]} 1 2"),
        ("{{ range(3) }} {{ range(1, 4) }} {{ range(5, 0, -2) }} {{ range(0) }}", "[0, 1, 2] [1, 2, 3] [5, 3, 1] []"),
        ("{{ 'a' 'b' }} {{ 0x1F }} {{ 1_000 }} {{ 1e3 }} {{ \"\\u00e9\" }}", "ab 31 1000 1000.0 é"),
    ]);
}

#[test]
fn filters() {
    check(&[
        (
            "{{ missing|default('x') }} {{ result.nope|default(1) }} {{ none|default('y') }} {{ ''|d('z', true) }}",
            "x 1 None z",
        ),
        // The fallback is looked at only if it is needed, and may not be there either.
        (
            "{{ name|default(nope) }} {{ nope|default(name) }} {{ nope|default(nor)|default('?') }} {{ nope|default(nor|default(name)) }}",
            "Ada Ada ? Ada",
        ),
        (
            "{{ nope|default(nor) is defined }} {{ ''|default(nope, true) is undefined }} {{ name|d(1 / 0, true) }} {{ nope|default }}|",
            "False True Ada |",
        ),
        (
            "{{ nope|default(items)|length }} {{ (nope|default(items[0].stock)).left }} {{ (nope|default(map)).z }}",
            "3 3 1",
        ),
        ("{{ [none, 0, 1]|map('default', 'x', true)|list }}", "['x', 'x', 1]"),
        // What a filter does not find is not there.
        (
            "{{ []|first|default('a') }} {{ ''|last|default('b') }} {{ {}|first|d('c') }} {{ []|min|d('d') }} {{ []|max|default(nope)|d('e') }}",
            "a b c d e",
        ),
        (
            "{{ map|attr('nope')|default(1) }} {{ map|attr('nope') is defined }} {{ []|first is undefined }} {{ [1]|last is defined }} {{ nope|default([]|first)|d(2) }}",
            "1 False True True 2",
        ),
        (
            "{{ name|upper }} {{ name|lower }} {{ 'a b-c'|title }} {{ 'aBC'|capitalize }} {{ ' x '|trim }} {{ 'xax'|trim('x') }}",
            "ADA ada A B-C Abc x a",
        ),
        (
            "{{ 'aaa'|replace('a', 'b', 2) }} {{ 'a,b'|split(',') }} {{ text|wordcount }} {{ 'a\nb'|lines }}",
            "bba ['a', 'b'] 3 ['a', 'b']",
        ),
        (
            "{{ 'abcdefghij'|truncate(6, true, '…', 0) }} {{ 'one two three'|truncate(10, leeway=0) }} {{ 'short'|truncate }}",
            "abcde… one... short",
        ),
        ("{{ 'a\nb'|indent }}|{{ 'a\n\nb'|indent(2, true) }}|{{ 'x'|center(5) }}|", "a\n    b|  a\n\n  b|  x  |"),
        (
            "{{ html|striptags }} {{ '<a>'|e }} {{ 'a b/ü'|urlencode }} {{ {'a': 'b c', 'd': 1}|urlencode }}",
            "x & y &lt;a&gt; a%20b/%C3%BC a=b%20c&d=1",
        ),
        (
            "{{ 'a < b  and c'|striptags }}|{{ '<b>x</b> <!-- a > b --> y < z'|striptags }}|{{ 'x <!-- a <b>y</b>'|striptags }}|{{ '<!--> a -->'|striptags }}",
            "a < b and c|x y < z|x <!-- a <b>y</b>|",
        ),
        (
            "{{ items|length }} {{ map|count }} {{ 'héé'|length }} {{ items|first|attr('name') }} {{ [1,2]|last }}",
            "3 3 3 pear 2",
        ),
        (
            "{{ items|map(attribute='name')|join(', ') }} {{ items|map('length')|list }} {{ ['a']|map('upper')|first }}",
            "pear, Apple, fig [5, 5, 5] A",
        ),
        (
            "{{ items|join('-', attribute='id') }} {{ items|map(attribute='stock.left')|sum }} {{ items|sum(attribute='id', start=10) }}",
            "1-2-3 15 16",
        ),
        (
            "{{ items|sort(attribute='name')|map(attribute='name')|join(',') }} {{ [3,1,2]|sort(reverse=true) }} {{ ['b','A']|sort(case_sensitive=true) }}",
            "Apple,fig,pear [3, 2, 1] ['A', 'b']",
        ),
        (
            "{% set xs = [{'a': 2, 'b': 'y'}, {'a': 1, 'b': 'x'}, {'a': 2, 'b': 'X'}] %}{{ xs|sort(attribute='a,b')|join(attribute='b') }} {{ xs|sort(attribute='b, a', reverse=true)|join(attribute='b') }} {{ xs|sort(false, true, 'a,b')|join(attribute='b') }}",
            "xXy yXx xXy",
        ),
        (
            "{{ [1, 'a', none, 2.5, [1]]|sort }} {{ [1, 1.0, 2, 'A', 'a', {}, {}, {'a': 1}]|unique|list }}",
            "[None, 1, 2.5, 'a', [1]] [1, 2, 'A', {}, {'a': 1}]",
        ),
        (
            "{{ map|dictsort }} {{ map|dictsort(by='value', reverse=true)|first|first }} {{ map|items|last }}",
            "[['a', 2], ['items', 5], ['z', 1]] items ['items', 5]",
        ),
        (
            "{{ items|selectattr('stock.left')|map(attribute='id')|list }} {{ items|selectattr('price', 'gt', 2)|list|length }}",
            "[1, 3] 2",
        ),
        (
            "{{ items|rejectattr('tags')|map(attribute='id')|list }} {{ items|selectattr('nope', 'undefined')|list|length }}",
            "[2] 3",
        ),
        (
            "{{ [1,2,3]|select('odd')|list }} {{ [1,2,3]|reject('odd')|list }} {{ [0,1]|select }} {{ [1,2,3]|select('in', [1,3])|list }}",
            "[1, 3] [2] [1] [1, 3]",
        ),
        (
            "{{ [1,2,3]|batch(2)|list }} {{ [1,2,3]|batch(2, 0) }} {{ [1,2,3]|slice(2) }} {{ [1,2,3]|slice(2, 0) }}",
            "[[1, 2], [3]] [[1, 2], [3, 0]] [[1, 2], [3]] [[1, 2], [3, 0]]",
        ),
        (
            "{% for g in items|groupby('tags') %}{{ g.grouper }}:{{ g.list|length }};{% endfor %}",
            "[]:1;['a', 'b']:1;['b']:1;",
        ),
        (
            "{% for key, list in [{'k':'b','v':1},{'k':'a','v':2},{'k':'b','v':3}]|groupby('k') %}{{ key }}:{{ list|map(attribute='v')|join(',') }} {% endfor %}",
            "a:2 b:1,3 ",
        ),
        (
            "{% for key, list in [{'k':'b','v':1},{'k':'A','v':2},{'k':'B','v':3},{'k':'a','v':4}]|groupby('k') %}{{ key }}:{{ list|map(attribute='v')|join(',') }} {% endfor %}",
            "A:2,4 b:1,3 ",
        ),
        (
            "{% for key, list in [{'k':'b','v':1},{'k':'A','v':2},{'k':'B','v':3},{'v':4}]|groupby('k', 'a', case_sensitive=true) %}{{ key }}:{{ list|map(attribute='v')|join(',') }} {% endfor %}",
            "A:2 B:3 a:4 b:1 ",
        ),
        (
            "{{ [3,1]|min }} {{ [3,1]|max }} {{ items|max(attribute='price')|attr('id') }} {{ [3,1]|reverse }} {{ 'ab'|reverse }}",
            "1 3 3 [1, 3] ba",
        ),
        (
            "{{ 2.5|round }} {{ 1.255|round(2) }} {{ 1.21|round(1, 'ceil') }} {{ 1.29|round(1, 'floor') }} {{ 5|round(2) }} {{ 1234|round(-2) }}",
            "2.0 1.25 1.3 1.2 5 1200",
        ),
        (
            "{{ '42'|int + 1 }} {{ '3.9'|int }} {{ 'x'|int }} {{ 'x'|int(7) }} {{ '1.5'|float }} {{ 3|float }} {{ -3|abs }} {{ price|string }} {{ 0|bool }}",
            "43 3 0 7 1.5 3.0 3 1.10 False",
        ),
        (
            "{{ '%s has %d, %.2f %5.1f|%-5s|%05d|%+d|%x|%%'|format('Ada', 3.9, price, 2.25, 'x', 42, 1, 255) }}",
            "Ada has 3, 1.10   2.2|x    |00042|+1|ff|%",
        ),
        ("{{ '%(a)s-%(b)03d'|format({'a': 1, 'b': 2}) }}", "1-002"),
        ("{{ [1, 2]|zip(['a', 'b', 'c']) }} {{ map|tojson|length }}", "[[1, 'a'], [2, 'b']] 23"),
        ("{{ 'a b c d'|wordwrap(3) }}", "a b\nc d"),
        (
            "{{ 'abcdefgh'|wordwrap(3) }}|{{ 'ab abcdefgh ij'|wordwrap(5) }}|{{ 'ééééé é'|wordwrap(2) }}|{{ 'abc'|wordwrap(1) }}|{{ 'one abcdefgh'|wordwrap(5, false) }}",
            "abc\ndef\ngh|ab ab\ncdefg\nh ij|éé\néé\né\né|a\nb\nc|one\nabcdefgh",
        ),
        (
            "{{ 'x'.center(4) }}|{{ 'xy'.center(5) }}|{{ 'x'|center(4) }}|{{ 'xyz'.center(4, '*') }}|{{ 'xy'|center(5) }}|",
            " x  |  xy | x  |xyz*|  xy |",
        ),
    ]);
}

#[test]
fn tests_of_values() {
    check(&[
        (
            "{{ name is defined }} {{ nope is defined }} {{ nope is not defined }} {{ nope is undefined }} {{ items[9] is defined }}",
            "True False True True False",
        ),
        (
            "{{ none is none }} {{ 1 is none }} {{ name is string }} {{ 1 is number }} {{ 1.0 is integer }} {{ price is float }}",
            "True False True True False True",
        ),
        (
            "{{ map is mapping }} {{ items is sequence }} {{ items is iterable }} {{ 3 is odd }} {{ 4 is even }} {{ 9 is divisibleby 3 }}",
            "True True True True True True",
        ),
        (
            "{{ 1 is eq 1 }} {{ 1 is in [1, 2] }} {{ 1 is not in [1, 2] }} {{ 5 is gt(3) and 2 is lt 3 }} {{ 'ab' is startingwith 'a' }}",
            "True True False True True",
        ),
        (
            "{{ true is true }} {{ 'a' is lower }} {{ yes is boolean }} {{ '' is empty }} {{ -1 is number }}",
            "True True True True True",
        ),
        ("{{ 'x' if total is odd and name is string else 'y' }}", "x"),
    ]);
}

#[test]
fn methods() {
    check(&[
        (
            "{{ name.upper() }} {{ 'a-b'.split('-') }} {{ ' x'.strip() }} {{ 'a b  c'.split() }} {{ 'a b c'.split(none, 1) }}",
            "ADA ['a', 'b'] x ['a', 'b', 'c'] ['a', 'b c']",
        ),
        (
            "{{ 'a.b.c'.rsplit('.', 1) }} {{ 'a b c'.rsplit(none, 1) }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }}",
            "['a.b', 'c'] ['a b', 'c'] ['a', '=', 'b=c'] ['a=b', '=', 'c']",
        ),
        (
            "{{ 'abc'.startswith('a') }} {{ 'abc'.endswith(['x', 'c']) }} {{ 'héllo'.find('l') }} {{ 'x'.find('y') }} {{ 'aXbX'.rfind('X') }} {{ 'aa'.count('a') }}",
            "True True 2 -1 3 2",
        ),
        (
            "{{ 'aaa'.replace('a', 'b', 1) }} {{ 'x'.join(['a', 'b']) }} {{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ 'a'.ljust(3, '.') }} {{ 'a'.rjust(3) }}|",
            "baa axb 007 -007 a..   a|",
        ),
        (
            "{{ 'pre-x'.removeprefix('pre-') }} {{ 'x.txt'.removesuffix('.txt') }} {{ 'aB'.swapcase() }} {{ \"it's ok\"|title }} {{ '12'.isdigit() }} {{ 'a\nb'.splitlines() }}",
            "x x Ab It's Ok True ['a', 'b']",
        ),
        (
            "{{ map.get('z') }} {{ map.get('q') }} {{ map.get('q', 0) }} {{ map.keys() }} {{ map.values() }} {{ map.items }}",
            "1 None 0 ['z', 'a', 'items'] [1, 2, 5] 5",
        ),
        ("{{ [1, 2, 1].count(1) }} {{ ['a', 'b'].index('b') }} {{ (2.0).is_integer() }}", "2 1 True"),
        ("{{ '{} {0} {:>4}|{:<4}|{:^4}|'.format(1, 'b', 'c', 'd') }}", "1 1    b|c   | d  |"),
        (
            "{{ '{:,.2f} {:.1%} {:05d} {:+} {:x} {{}}'.format(1234567.891, 0.256, 42, 5, 255) }}",
            "1,234,567.89 25.6% 00042 +5 ff {}",
        ),
        (
            "{{ '{:,}'.format(1234567) }} {{ '{:*^7}'.format('x') }} {{ '{:e} {:g} {:g}'.format(12345.678, 0.0001, 1e10) }}",
            "1,234,567 ***x*** 1.234568e+04 0.0001 1e+10",
        ),
        (
            "{{ '{:.3} {:.10} {:.3} {:.4} {:.3} {:,.6} {:+.2} {:.0} {:.3}'.format(3.14159, 0.5, 123.456, 12.0, -0.00001234, 12345.678, 1.25, 5.0, 0.0) }}",
            "3.14 0.5 1.23e+02 12.0 -1.23e-05 12,345.7 +1.2 5e+00 0.0",
        ),
        ("{{ '{:8.2}|{:08.3}|{:.3}|{:<6.2}|'.format(1.25, 3.14159, 'text', 1.25) }}", "     1.2|00003.14|tex|1.2   |"),
        ("{{ '{:g} {:.3g} {:.3g} {:.3g}'.format(999999.5, 999.99, 9.9999, 1000) }}", "1e+06 1e+03 10 1e+03"),
        ("{{ '{:.2} {:,.1} {:+.3}'.format(5, -12345, 7) }}", "5 -12,345 +7"),
        (
            "{{ '%.3s|%6.3s|%-6.3s|%06.3s|%+.2s|%.2s'|format(3.14159, 3.14159, 3.14159, 3.14159, 3.14159, 12345) }}",
            "3.1|   3.1|3.1   |   3.1|3.|12",
        ),
    ]);
}

#[test]
fn what_goes_wrong_is_told_with_its_line() {
    let names =
        "result, response, params, status, name, total, price, huge, tiny, none, yes, no, empty, text, and 6 more";
    let table = [
        ("a\n{{ nope }}", format!("line 2: `nope` is undefined; there are {names}")),
        ("{{ result.totl }}", "line 1: `result.totl` is undefined; there are name, total, price, huge, tiny, none, yes, no, empty, text, and 6 more".to_owned()),
        ("{{ items[0].stock.lft.x }}", "line 1: `items[0].stock.lft` is undefined; there are left".to_owned()),
        ("{{ items[7] }}", "line 1: `items[7]` is undefined, the list has 3 elements".to_owned()),
        ("{{ total.x }}", "line 1: `total.x` is undefined, what it is looked up in is a number".to_owned()),
        ("{{ nope|upper }}", format!("line 1: `nope` is undefined; there are {names}")),
        ("{% if nope %}{% endif %}", format!("line 1: `nope` is undefined; there are {names}")),
        ("{{ nope|default(nor) }}", format!("line 1: `nor` is undefined; there are {names}")),
        ("{% set x = nope|default(nor) %}{{ x|default('') }}", format!("line 1: `nor` is undefined; there are {names}")),
        ("{{ nope|default(items[7])|upper }}", "line 1: `items[7]` is undefined, the list has 3 elements".to_owned()),
        ("{{ nope|default(1 / 0) }}", "line 1: `nope|default(1 / 0)`: division by zero".to_owned()),
        ("{% set ns = namespace() %}{{ nope|default(ns) }}", "line 1: `nope|default(ns)`: `ns` is a namespace, which is no value; use its members".to_owned()),
        ("\n\n{% for x in total %}{% endfor %}", "line 3: a number has no elements to go through".to_owned()),
        ("{{ loop.index }}", "line 1: `loop.index` is undefined, it is only there inside a `for`".to_owned()),
        ("{{ 'a' + 1 }}", "line 1: cannot add a string and a number; `~` joins any two values as text".to_owned()),
        ("{{ 'a' is odd }}", "line 1: `'a' is odd`: needs a number, not a string".to_owned()),
        ("{{ 1 is divisibleby 0.0 }}", "line 1: `1 is divisibleby 0.0`: division by zero".to_owned()),
        ("{{ 'a' < 1 }}", "line 1: cannot compare a string with a number".to_owned()),
        ("{{ none > 1 }}", "line 1: cannot compare none with a number".to_owned()),
        ("{{ 1 / 0 }}", "line 1: division by zero".to_owned()),
        ("{{ 1.5 % 0 }}", "line 1: division by zero".to_owned()),
        ("{{ 10 ** 40 }}", "line 1: the result is too large for a whole number".to_owned()),
        ("{{ 10.0 ** 400 }}", "line 1: the result is no number that JSON has".to_owned()),
        ("{{ +'a' }}", "line 1: cannot add a number and a string; `~` joins any two values as text".to_owned()),
        ("{{ -'a' }}", "line 1: cannot negate a string".to_owned()),
        ("{{ 1 in 2 }}", "line 1: a number contains nothing; `in` needs a list, mapping or string".to_owned()),
        ("{{ items | sort(attribute='nope') }}", "line 1: `items | sort(attribute='nope')`: an element has no \"nope\"".to_owned()),
        ("{{ items | sort(attribute='id, nope') }}", "line 1: `items | sort(attribute='id, nope')`: an element has no \"nope\"".to_owned()),
        ("{{ total|length }}", "line 1: `total|length`: a number has no length".to_owned()),
        ("{{ total.upper() }}", "line 1: `total.upper()`: a number has no method `upper`".to_owned()),
        ("{{ []|first }}", "line 1: `[]|first`: a list is empty".to_owned()),
        ("{{ ([]|first).x|default(1) }}", "line 1: `[]|first`: a list is empty".to_owned()),
        ("{{ []|max|upper|default(1) }}", "line 1: `[]|max`: a list is empty".to_owned()),
        ("{{ nope|default([]|min) }}", "line 1: `[]|min`: a list is empty".to_owned()),
        ("{{ map|attr('nope') }}", "line 1: `map|attr('nope')`: there is no member \"nope\"".to_owned()),
        ("{{ 5|first|default(1) }}", "line 1: `5|first`: a number has no elements to go through".to_owned()),
        ("{{ [[]]|map('first')|default(1) }}", "line 1: `[[]]|map('first')`: a list is empty".to_owned()),
        ("{{ [1, 2, 1].index(1, 1, 2) }}", "line 1: `[1, 2, 1].index(1, 1, 2)`: the list has no such element".to_owned()),
        ("{{ 'x'.replace('a') }}", "line 1: `'x'.replace('a')`: `replace` needs 2 arguments".to_owned()),
        ("{% for a, b in [[1, 2, 3]] %}{% endfor %}", "line 1: sequence of wrong length (expected 2, got 3)".to_owned()),
        ("{% for a, b in [1] %}{% endfor %}", "line 1: value is not iterable".to_owned()),
        ("{% set ns = namespace() %}\n{{ ns }}", "line 2: `ns` is a namespace, which is no value; use its members".to_owned()),
        ("{% set ns = namespace() %}{{ ns.x }}", "line 1: `ns.x` is undefined, the namespace has no such member".to_owned()),
        ("{% set x = 1 %}{% set x.y = 1 %}", "line 1: can only assign to namespaces, not number".to_owned()),
        ("{% set ns = namespace() %}{% set ns.a = ns %}", "line 1: `ns` is a namespace, which is no value; use its members".to_owned()),
        ("{{ ['a']|map('nope' ~ '') }}", "line 1: `['a']|map('nope' ~ '')`: there is no filter \"nope\"".to_owned()),
        ("{{ [1][:'a'] }}", "line 1: `[1][:'a']`: a slice is bounded by whole numbers, not a string".to_owned()),
        ("{{ [1][::0] }}", "line 1: `[1][::0]`: the step of a slice cannot be zero".to_owned()),
    ];
    for (template, expected) in table {
        let error = render(template, BODY).expect_err(template);
        assert_eq!(error.message(), format!("result_template, {expected}"), "{template}");
        assert_eq!(error.kind(), ErrorKind::Template, "{template}");
    }
}

#[test]
fn what_cannot_be_compiled_is_told_with_its_line() {
    let table = [
        ("a\n{{ }}", "line 2: expected a value, not the end of the tag"),
        ("{{ a b }}", "line 1: expected the end of the tag, not `b`"),
        ("{{ a.1x }}", "line 1: expected the end of the tag, not `x`"),
        ("{{ 1 + }}", "line 1: expected a value, not the end of the tag"),
        ("{{ [1, 2 }}", "line 1: the tag has no end, `}}`"),
        ("{% if a %}", "line 1: the `if` has no `endif`"),
        ("{% for x in y %}{% endif %}", "line 1: `endif`, but the `for` of line 1 is still open"),
        ("{% endfor %}", "line 1: `endfor`, but no `for` is open"),
        ("{% else %}", "line 1: `else` stands outside of an `if`"),
        ("{% if a %}{% else %}{% elif b %}{% endif %}", "line 1: `elif` behind an `else`"),
        ("{% for x y %}{% endfor %}", "line 1: expected `in`, not `y`"),
        ("{% for x in y recursive %}{% endfor %}", "line 1: `recursive` cannot be used in a result template"),
        ("{% include 'x' %}", "line 1: `include` cannot be used in a result template"),
        ("{% macro x() %}{% endmacro %}", "line 1: `macro` cannot be used in a result template"),
        ("{% nope %}", "line 1: there is no statement `nope`"),
        ("{% break %}", "line 1: `break` stands outside of a `for`"),
        (
            "{% for i in [1] %}{% with %}{% break %}{% endwith %}{% endfor %}",
            "line 1: `break` cannot leave a `with` block within the `for`",
        ),
        (
            "{% for i in [1] %}{% set x %}{% if i %}{% continue %}{% endif %}{% endset %}{% endfor %}",
            "line 1: `continue` cannot leave a `set` block within the `for`",
        ),
        (
            "{% for i in [1] %}{% filter upper %}{% for j in i %}{% else %}{% break %}{% endfor %}{% endfilter %}{% endfor %}",
            "line 1: `break` cannot leave a `filter` block within the `for`",
        ),
        ("{{ x|nope }}", "line 1: there is no filter `nope`"),
        ("{{ x|debug }}", "line 1: there is no filter `debug`"),
        ("{{ debug() }}", "line 1: there is no function `debug`; there are range, dict and namespace"),
        ("{{ x is nope }}", "line 1: there is no test `nope`"),
        ("{{ x.nope() }}", "line 1: there is no method `nope`; filters are applied with `|`"),
        ("{{ x()() }}", "line 1: there is no function `x`; there are range, dict and namespace"),
        ("{{ x.y()() }}", "line 1: there is no method `y`; filters are applied with `|`"),
        ("{{ (x)() }}", "line 1: only methods and the functions range, dict and namespace can be called"),
        ("{{ x|replace('a') }}", "line 1: the filter `replace` needs old, new, count"),
        ("{{ x|upper(1) }}", "line 1: the filter `upper` takes fewer arguments"),
        (
            "{{ x|sort(by=1) }}",
            "line 1: the filter `sort` takes no argument `by`; it takes reverse, case_sensitive, attribute",
        ),
        ("{{ x|map('nope') }}", "line 1: there is no filter \"nope\""),
        ("{{ x|map('select', 'odd') }}", "line 1: `select` cannot be mapped"),
        ("{{ x|map('replace', 'a') }}", "line 1: the filter `replace` needs old, new, count"),
        (
            "{{ x|map('int', attribute='id') }}",
            "line 1: the filter `int` takes no argument `attribute`; it takes default",
        ),
        (
            "{{ x|map(name, default=1) }}",
            "line 1: the filter `map` takes `attribute` and `default`, or a filter's name, in quotes if arguments by name follow it",
        ),
        ("{{ loop }}", "line 1: `loop` has cycle(…), index, index0, revindex, revindex0, first, last, length"),
        ("{{ loop.cycle() }}", "line 1: `loop.cycle` needs the values to go through"),
        ("{{ __run }}", "line 1: expected a value, not `__run`"),
        ("{% set __run = 1 %}", "line 1: names that begin with two underscores are kept for the engine"),
        ("{% set loop = 1 %}", "line 1: `loop` cannot be set, it has a meaning of its own"),
        ("{% set x = namespace() + 1 %}", "line 1: expected the end of the tag, not `+`"),
        ("{{ namespace() }}", "line 1: `namespace` can only be used as `{% set name = namespace(…) %}`"),
        ("{{ x[] }}", "line 1: the brackets are empty"),
        ("{{ x[1:2:3:4] }}", "line 1: expected `]`, not `:`"),
        ("{{ f(*x) }}", "line 1: there is no function `f`; there are range, dict and namespace"),
        ("{{ x|join(*y) }}", "line 1: expected a value, not `*`"),
        ("{% set x = 1 %}{% set x, %}", "line 1: expected a name, not the end of the tag"),
    ];
    for (template, expected) in table {
        assert_eq!(compile_fault(template).as_deref(), Some(expected), "{template}");
    }
    let limits = Limits::default();
    let long = "x".repeat(limits.max_template_bytes + 1);
    assert_eq!(
        compile_fault(&long).as_deref(),
        Some("must be 16384 bytes long at most (`max_template_bytes`), not 16385")
    );
    assert_eq!(compile_fault(&long[1..]), None);
}

#[test]
fn limits_are_named() {
    let mut limits = Limits::default();
    limits.max_template_output_bytes = 10;
    let error = render_with("{{ 'x' * 5 }}\n{{ 'y' * 5 }}", BODY, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(error.message(), "result_template: the text is longer than 10 bytes (`max_template_output_bytes`)");
    assert_eq!(render_with("{{ 'x' * 10 }}", BODY, &limits).unwrap().len(), 10);
    let mut limits = Limits::default();
    limits.template_fuel = 100;
    let error = render_with("{% for x in range(1000) %}{% endfor %}", BODY, &limits).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().ends_with("the render takes more work than allowed (`template_fuel`, 100)"), "{error}");
    // More than can be counted is more than is allowed.
    for huge in
        ["'x' * 10 ** 20", "'x'.ljust(10 ** 30)", "'x'.zfill(10 ** 30)", "'x'|indent(10 ** 30)", "[1] * 10 ** 20"]
    {
        let error = render(&format!("{{{{ {huge} }}}}"), BODY).expect_err(huge);
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{huge}: {error}");
    }
    let shallow = "{% set ns = namespace(x=['a'], m={'k': {}}) %}{% for i in range(500) %}\
        {% set ns.x = ns.x|map('upper')|list %}{% set ns.m = {'k': ns.m.get('k', {})} %}{% endfor %}{{ ns.x }}{{ ns.m }}";
    assert_eq!(render(shallow, BODY).unwrap(), "['A']{'k': {}}");
    let deep = "{% set ns = namespace(x=1) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}";
    let error = render(deep, BODY).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.message().contains("`max_json_depth`"), "{error}");
}

#[test]
fn numbers_are_paid_for_by_what_it_takes_to_read_and_write_them() {
    let table = [
        ("x == x", "1.7976931348623157e+308", 5_000, true),
        ("x == x", "1.000000000000000126855606e+300", 5_000, false),
        ("[x|string|float, x|string|float]", "1.7976931348623157e+308", 5_000, true),
        ("[x|string|float, x|string|float]", "1.000000000000000126855606e+300", 5_000, false),
        ("x|round(2)", "3.14159", 5_000, true),
        ("x|round(2)", "1.7976931348623157e+308", 5_000, false),
        ("x|round(300)", "3.14159", 5_000, false),
        ("'%.2f'|format(x)", "3.14159", 3_000, true),
        ("'%.2f'|format(x)", "1.7976931348623157e+308", 3_000, false),
    ];
    for (expression, number, times, fits) in table {
        let body = format!("{{\"a\": [{}]}}", vec![number; times].join(","));
        let outcome = render(&format!("{{% for x in a %}}{{% set y = {expression} %}}{{% endfor %}}"), &body);
        let refused = outcome.as_ref().is_err_and(|error| error.kind() == ErrorKind::LimitExceeded);
        assert_eq!((outcome.is_ok(), refused), (fits, !fits), "{expression} of {number}: {outcome:?}");
    }
    // Whole numbers are read faster, also those of 20 digits.
    let ids: Vec<_> = (0..8_000).map(|at| (u64::MAX - at * 7919 % 8_000).to_string()).collect();
    let sorted = render("{{ a|sort|first }}", &format!("{{\"a\": [{}]}}", ids.join(",")));
    assert_eq!(sorted.unwrap(), "18446744073709543616");
}

#[test]
fn the_same_input_gives_the_same_output() {
    let template = "{% for k, v in result|items %}{{ k }}={{ v }} {{ v is mapping }};{% endfor %}{{ result|dictsort }}{{ items|groupby('price') }}";
    let first = render(template, BODY).unwrap();
    assert!((0..20).all(|_| render(template, BODY).unwrap() == first));
    assert!(Json::parse(BODY).is_ok());
}
