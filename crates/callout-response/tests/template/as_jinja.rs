//! What Jinja2 3.1.6 on Python 3.11 writes with the same template. Each text was taken from there.

use super::check;

#[test]
fn names_are_set_and_end_as_in_jinja() {
    check(&[
        // Brackets around one name are none.
        ("{% set (abc) %}x{% endset %}{{ abc }}{% set (b) = 1 %}{{ b }}", "x1"),
        ("{% for (a) in [1, 2] %}{{ a }}{% endfor %}", "12"),
        // What `with` sets is not there yet in its values.
        ("{% set x = 5 %}{% with x = x + 1, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}", "655"),
        (
            "{% with a = 1, b = 2, c = 3 %}{% with a = b, b = a %}{{ a }}{{ b }}{{ c }}{% endwith %}{{ a }}{% endwith %}",
            "2131",
        ),
        ("{% with a = 1, a = 2 %}{{ a }}{% endwith %}", "2"),
        // What is set within a block that is captured ends with it.
        ("{% set n = 1 %}{% set line %}{% set n = 2 %}{{ n }}{% endset %}{{ n }}{{ line }}", "12"),
        ("{% set n = 1 %}{% filter upper %}a{% set n = 2 %}{{ n }}{% endfilter %}{{ n }}", "A21"),
        (
            "{% set n = 1 %}{% set line | upper %}a{% set n = 2 %}{{ n }}{% for i in [1] %}{% set line %}{{ n }}{% endset %}{{ line }}{% endfor %}{% endset %}{{ n }}{{ line }}",
            "1A22",
        ),
        ("{% set ns = namespace(a=1) %}{% set x %}{% set ns.a = 2 %}{% endset %}{{ ns.a }}", "2"),
    ]);
}

#[test]
fn values_are_looked_up_and_compared_as_in_jinja() {
    check(&[
        // Keys that are no strings.
        (
            "{% set d = {1: 'one', none: 'n', false: 'f'} %}{{ d[1] }} {{ 1 in d }} {{ 2 in d }} {{ none in d }} {{ '2' not in d }} {{ [1] in [d] }}",
            "one True False True True False",
        ),
        (
            "{{ {true: 'yes', false: 'no', none: '?'}[yes] }} {{ {true: 'yes', false: 'no'}[3 > 4] }} {{ {none: 1}[none] }} {{ {none: 1}.get(none) }} {{ {false: 1}.get(true, 0) }}",
            "yes no 1 1 0",
        ),
        (
            "{{ 1 is sameas true }} {{ 0 is sameas false }} {{ 1 is sameas 1.0 }} {{ no is sameas false }} {{ none is sameas none }} {{ 1.5 is sameas 1.5 }} {{ 'a' is sameas 'a' }}",
            "False False False True True True True",
        ),
    ]);
}

#[test]
fn texts_are_made_as_in_jinja() {
    check(&[
        (
            "{{ '<p>Tom &amp; <b>Jerry</b></p>'|striptags }} {{ '&lt;b&gt; &amp;lt; &nbsp; &#39; &#x27;'|striptags }}",
            "Tom & Jerry <b> &lt; \u{a0} ' '",
        ),
        // References without a semicolon, of Windows, to nothing; and what is none.
        (
            "{{ '&eacute;&Eacute; &copy2020 &hellip; &hellip &#8364 &#128;&#0;&#x1F600;&#1; &#99999999999; &not &notin; &nota &apos;'|striptags }}",
            "éÉ ©2020 … &hellip € €\u{fffd}😀 \u{fffd} ¬ ∉ ¬a '",
        ),
        ("{{ '&nope; & &; &# &#x; &#xg &é; a&'|striptags }}", "&nope; & &; &# &#x; &#xg &é; a&"),
        (
            "{{ \"hello, world-foo it's\"|wordcount }} {{ 'a_b  c'|wordcount }} {{ ''|wordcount }} {{ '- !'|wordcount }} {{ 'größe 12.5'|wordcount }}",
            "5 2 0 0 3",
        ),
        // What methods may be given besides.
        (
            "{{ [1, 2, 1].index(1, 1) }} {{ [1, 2, 1].index(1, -1) }} {{ [1, 2, 1].index(1, -9, 9) }} {{ [1, 2, 1].index(2, 0, -1) }}",
            "2 2 0 1",
        ),
        (
            "{{ '  1  2   3  '.split(none, 1) }} {{ '  1  2   3  '.rsplit(none, 1) }} {{ ' a b '.split(none, 0) }} {{ ' a b '.rsplit(none, 0) }}",
            "['1', '2   3  '] ['  1  2', '3'] ['a b '] [' a b']",
        ),
        (
            "{{ ' a b '.split(none, 5) }} {{ 'a b '.split(none, 1) }} {{ '  '.split(none, 1) }} {{ 'a b '.split(none, 2) }}",
            "['a', 'b'] ['a', 'b '] [] ['a', 'b']",
        ),
        (
            "{{ 'a\\r\\nb\\rc\\n'.splitlines(true) }} {{ 'a\\r\\nb\\rc\\x0bd\\u2028e\\x85f\\x1cg\\n\\nh'.splitlines() }}",
            "['a\\r\\n', 'b\\r', 'c\\n'] ['a', 'b', 'c', 'd', 'e', 'f', 'g', '', 'h']",
        ),
        ("{{ ''.splitlines() }} {{ '\\n'.splitlines() }} {{ 'a\\n'.splitlines(false) }}", "[] [''] ['a']"),
    ]);
}

#[test]
fn lists_are_gone_through_as_in_jinja() {
    check(&[
        // Arguments by name are the mapped filter's, also where they are called as those of `map`.
        (
            "{{ [1, 'x']|map('int', default=-1)|list }} {{ ['1.5', 'x']|map('float', default=0.5)|list }}",
            "[1, -1] [1.5, 0.5]",
        ),
        ("{{ [[{'name': 'a'}, {'name': 'b'}], []]|map('join', ', ', attribute='name')|list }}", "['a, b', '']"),
        (
            "{{ [[{'p': 1}, {'p': 2}]]|map('sum', attribute='p')|list }} {{ [items]|map('max', attribute='price')|map(attribute='id')|list }}",
            "[3] [3]",
        ),
        (
            "{{ ['abcdefghijkl']|map('truncate', length=6, leeway=0)|list }} {{ [1.25, 2]|map('round', precision=1)|list }} {{ [none, '']|map('default', default_value='x', boolean=true)|list }}",
            "['abc...'] [1.2, 2] ['x', 'x']",
        ),
    ]);
}
