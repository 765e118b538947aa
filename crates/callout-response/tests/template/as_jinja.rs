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
            "{{ 1 is sameas true }} {{ 0 is sameas false }} {{ 1 is sameas 1.0 }} {{ no is sameas false }} {{ none is sameas none }} {{ 1 is sameas 1 }} {{ 'a' is sameas 'a' }}",
            "False False False True True True True",
        ),
        (
            "{{ '123' is lower }} {{ '' is upper }} {{ '1' is upper }} {{ 'a1' is lower }} {{ 'aB' is lower }} {{ 'A-B' is upper }} {{ '' is lower }} {{ 5 is lower }}",
            "False False False True False True False False",
        ),
        (
            "{{ 2.0 is even }} {{ 2.0 is odd }} {{ 2.5 is odd }} {{ 2.5 is even }} {{ 3.0 is odd }} {{ -3 is odd }} {{ -3.0 is odd }} {{ true is odd }}",
            "True False False False True True True True",
        ),
        (
            "{{ 9.0 is divisibleby 3 }} {{ 1 is divisibleby 0.5 }} {{ 1 is divisibleby 0.3 }} {{ 7 is divisibleby(-7) }} {{ 7 is divisibleby 2 }}",
            "True True False True False",
        ),
    ]);
}

#[test]
fn numbers_are_made_as_in_jinja() {
    check(&[
        (
            "{{ +3 }} {{ +3.50 }} {{ 1 - +2 }} {{ + -3 }} {{ -+3 }} {{ +true }} {{ +total }} {{ +total|string }} {{ +price * 2 }} {{ 2 ** +2 }}",
            "3 3.5 -1 -3 -3 1 3 3 2.2 4",
        ),
        (
            "{{ 1e40|int }} {{ -1e40|int }} {{ '1.5e38'|int }} {{ '1e30'|int }} {{ '1e400'|int(7) }}",
            "10000000000000000303786028427003666890752 -10000000000000000303786028427003666890752 150000000000000006067947700923341471744 1000000000000000019884624838656 7",
        ),
        (
            "{{ '123456789012345678901234567890123456789012345'|int }} {{ huge|int }} {{ ' 12 '|int }} {{ '+5'|int }} {{ '-0'|int }} {{ -0.0|int }}",
            "123456789012345678901234567890123456789012345 12345678901234567890123 12 5 0 0",
        ),
        ("{{ '9' * 400 == ('9' * 400)|int|string }}", "True"),
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
        (
            "{{ '&Eacutexx; &notit; &copy2020; &ltb; &lt; &notin; &notinE; &parallel; &ltimes; &timesbar; &hellipx; &aposx;'|striptags }}",
            "Éxx; ¬it; ©2020; <b; < ∉ ⋹\u{338} ∥ ⋉ ⨱ &hellipx; &aposx;",
        ),
        ("{{ '&nope; & &; &# &#x; &#xg &é; a&'|striptags }}", "&nope; & &; &# &#x; &#xg &é; a&"),
        (
            "{{ \"hello, world-foo it's\"|wordcount }} {{ 'a_b  c'|wordcount }} {{ ''|wordcount }} {{ '- !'|wordcount }} {{ 'größe 12.5'|wordcount }}",
            "5 2 0 0 3",
        ),
        (
            "{{ \"foo_bar foo.bar foo/bar (foo) [foo]-{foo <foo it's FOO bär\"|title }} {{ 'ÜBER über'|title }}",
            "Foo_bar Foo.bar Foo/bar (Foo) [Foo]-{Foo <Foo It's Foo Bär Über Über",
        ),
        ("{{ \"it's foo_bar a.b 3d x2y É\".title() }}", "It'S Foo_Bar A.B 3D X2Y É"),
        (
            "{{ '½'.isdigit() }} {{ '²'.isdecimal() }} {{ '²'.isdigit() }} {{ '½'.isnumeric() }} {{ '٣'.isdecimal() }} {{ '٣'.isdigit() }} {{ '①'.isdigit() }} {{ '①'.isdecimal() }}",
            "False False True True True True True False",
        ),
        (
            "{{ '12²'.isdigit() }} {{ ''.isdigit() }} {{ 'Ⅷ'.isdigit() }} {{ 'Ⅷ'.isnumeric() }} {{ '𝟘𝟡'.isdecimal() }} {{ '0a'.isdecimal() }}",
            "True False False True True False",
        ),
        // Lines that are empty stay so, but not those of blanks, and the first is one as any.
        (
            "{{ 'a\\n  \\nb\\n\\nc'|indent(2) }}|{{ '\\na'|indent(2, true) }}|{{ 'a\\n\\nb'|indent(2, true, true) }}|{{ 'a\\r\\nb\\n'|indent(2) }}",
            "a\n    \n  b\n\n  c|  \n  a|  a\n  \n  b|a\n  b\n",
        ),
        (
            "{{ ''|indent(2, true) }}|{{ 'a\\n'|indent(2) }}|{{ 'a\\n'|indent(2, blank=true) }}|{{ 'x'|indent('> ', true) }}",
            "  |a\n|a\n  |> x",
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
fn values_are_formatted_as_in_python() {
    check(&[
        (
            "{{ '%d|%d|%i'|format(-0.5, -1.5, -0.0) }} {{ '%.3d|%.3d|%6.3d|%06.3d|%-6.3d|%+.3d'|format(5, -5, 5, 5, 5, 5) }}",
            "0|-1|0 005|-005|   005|000005|005   |+005",
        ),
        (
            "{{ '%#06x|%#x|%#X|%#o|%.4x|%#.4x|%#8x|%-#8x|%+#x'|format(255, 255, 255, 8, 255, 255, 255, 255, 255) }}",
            "0x00ff|0xff|0XFF|0o10|00ff|0x00ff|    0xff|0xff    |+0xff",
        ),
        (
            "{{ '{:#06x}|{:#x}|{:#b}|{:#o}|{:+#x}|{:#X}'.format(255, 255, 5, 8, -255, 255) }}",
            "0x00ff|0xff|0b101|0o10|-0xff|0XFF",
        ),
        (
            "{{ '{:010,}|{:08,}|{:010,.2f}|{:05,}|{:012,}|{:06,}|{:+010,}'.format(1234, 1234, 1234.5, 1234567, -1234, 12, 1234) }}",
            "00,001,234|0,001,234|001,234.50|1,234,567|-000,001,234|00,012|+0,001,234",
        ),
        (
            "{{ '{:<05}|{:>05}|{:^05}|{:*<05}|{:*^05}|{:05}|{:05}|{:06s}'.format(3, 3, 3, 3, 3, 'ab', -3, 'ab') }}",
            "30000|00003|00300|3****|**3**|ab000|-0003|ab0000",
        ),
        ("{{ '{:=+6}|{:*=+6}|{:05}|{:05}'.format(5, 5, true, 1.5) }}", "+    5|+****5|00001|001.5"),
        (
            "{{ '%05s|%05s|%-05s|%05s|%+s|% s|%05c'|format(5, 'ab', 'ab', none, 'x', 5, 'a') }}",
            "    5|   ab|ab   | None|x|5|    a",
        ),
        (
            "{{ '%#.3g|%#g|%#.0f|%#.0e|%#.0g|%#.3g|%#.1G|%#d|%#s|%#f'|format(1, 1, 1, 1, 1, 1e10, 1e10, 5, 'x', 1.5) }}",
            "1.00|1.00000|1.|1.e+00|1.|1.00e+10|1.E+10|5|x|1.500000",
        ),
        (
            "{{ '{:#.3}|{:#.1}|{:#}|{:#}|{:#,.0f}|{:#.0%}|{:#.3g}|{:#d}|{:#08.0f}|{:#.2}'.format(1.0, 5.0, 1.5, 5, 1234, 0.5, 1, 5, 5, 0.0001) }}",
            "1.00|5.e+00|1.5|5|1,234.|50.%|1.00|5|0000005.|0.00010",
        ),
        ("{{ '%+ d|% +d|%+ d|% d|% 5d'|format(3, 3, -3, 3, 3) }}", "+3|+3|-3| 3|    3"),
        (
            "{{ '%05.1f|%05d|%-05d|%.0f|%5.1f'|format(-1.5, -42, 42, -0.3, -0.04) }}|{{ '{:06.2f}|{:+06.2f}'.format(-1.5, 1.5) }}",
            "-01.5|-0042|42   |-0| -0.0|-01.50|+01.50",
        ),
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
        (
            "{{ [1, 2, 3, 4]|batch(3, none)|list }} {{ [1, 2, 3]|slice(2, none)|list }} {{ [1, 2, 3]|batch(2, 0)|list }}",
            "[[1, 2, 3], [4]] [[1, 2], [3]] [[1, 2], [3, 0]]",
        ),
    ]);
}
