//! Templates that ask for more than there is.

use crate::body::Body;

/// Templates that make much of little, or much of much.
pub(crate) fn greedy() -> Vec<(Body, String)> {
    use Body::{
        Deep, Digits, Greek, Halves, Large, LongNames, Longest, Members, Numbers, Objects, Small, Text, Thai,
        ThaiDigits, Wide, Words,
    };
    let forever = |inner: &str| format!("{{% for i in range(100000) %}}{inner}{{% endfor %}}");
    let variables = (0..800).map(|at| format!("{{%set v{at}=1%}}")).collect::<String>();
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
        // As many as there can be, and more.
        (Small, "{{ 'x' * 100000000000000000000 }}".into()),
        (Small, "{{ 'xy' * 18446744073709551615 }}{{ '' * 18446744073709551615 }}".into()),
        (Small, "{{ [1] * 100000000000000000000 }}".into()),
        (Small, "{{ 'x'.ljust(10 ** 30) }}".into()),
        (Small, "{{ 'x'.center(10 ** 30, 'é') }}".into()),
        (Small, "{{ 'x'|center(18446744073709551615) }}".into()),
        (Small, "{{ ''.zfill(10 ** 30) }}".into()),
        (Small, "{{ 'x'|indent(10 ** 30) }}".into()),
        (Small, "{{ [1]|batch(10 ** 30, 'x') }}{{ [1]|slice(10 ** 30) }}".into()),
        (Small, "{{ 'x y'|wordwrap(10 ** 30) }}{{ 'x'|truncate(10 ** 30) }}{{ 'x'.replace('x', 'y', 10 ** 30) }}".into()),
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
        (Small, "{% set s = 'a' * 100000 ~ 'b' %}{% set t = ['a' * 100000 ~ 'c'] * 3000 %}{% for i in range(10000) %}{% if s.startswith(t) %}{% endif %}{% endfor %}".into()),
        (Small, "{% set s = 'b' ~ 'a' * 100000 %}{% set t = ['c' ~ 'a' * 100000] * 3000 %}{% for i in range(10000) %}{% if s|endswith(t) %}{% endif %}{% endfor %}".into()),
        (Small, "{% set a = '<' * 500000 %}{{ a|striptags }}{{ a|e }}".into()),
        (Small, "{% set a = 'a<b> ' * 250000 %}{{ a|striptags|length }}".into()),
        (Words, "{{ s|striptags|length }}".into()),
        (Words, "{{ b|urlencode|length }}".into()),
        (Small, "{% set a = '<!--' * 100000 %}{{ a|striptags }}{% set b = '<!-><' * 100000 %}{{ b|striptags }}".into()),
        (Small, "{% set a = 'ß' * 300000 %}{% for i in range(100) %}{{ a|upper|length }}{% endfor %}".into()),
        (Small, "{% for i in range(100) %}{% set x %}{{ 'x' * 60000 }}{% endset %}{% endfor %}".into()),
        (Small, "{% set x %}{{ 'x' * 1000 }}{% endset %}{% for i in range(100) %}{% set x %}{{ x }}{{ x }}{% endset %}{% endfor %}".into()),
        (Small, format!("{}{}{}", "{% set x %}".repeat(30), "{% for i in range(100000) %}xxxxxxxxxxxxxxxx{% endfor %}", "{% endset %}".repeat(30))),
        (Small, "{% for i in range(200) %}{{ range(1000)|map('string')|map('upper')|map('length')|sum }}{% endfor %}".into()),
        (Small, "{{ [[[[1]]]]|map('map', 'map', 'map', 'abs') }}".into()),
        (Small, format!("{{{{ range(20000)|map('format', {})|list|length }}}}", vec!["1"; 8_000].join(","))),
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
        // Names among many variables, and those that are set to anew.
        (Small, format!("{variables}{{% for i in range(5000) %}}{{% if {} %}}{{% endif %}}{{% endfor %}}", vec!["v100"; 500].join(" and "))),
        (Small, forever(&format!("{variables}{{{{ v0 }}}}"))),
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
        (Small, "{% set a = 'é' * 100000 %}{% for i in range(1000) %}{{ a|wordwrap(1)|length }}{{ a|wordwrap(50000)|length }}{% endfor %}".into()),
        (Text, "{{ s|wordcount }}{{ s|wordwrap(1)|length }}".into()),
        (Text, "{% for i in range(100000) %}{% if s %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% set x = s %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% if s == response.s %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% if 'zzz' in s %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{{ s|length }}{% endfor %}".into()),
        (Text, "{{ s|truncate(10) }}{{ s|striptags }}{{ s|urlencode }}".into()),
        (Text, "{{ s|list|unique|length }}".into()),
        (Text, "{% for i in range(100000) %}{% if s is empty %}{% endif %}{% endfor %}".into()),
        (Text, "{% for i in range(100000) %}{% set x = '%.1s'|format(s) %}{% endfor %}".into()),
        (Text, "{{ ('%(s).1s' * 20000)|format(result)|length }}".into()),
        (Text, "{{ ('{0:.1}' * 20000).format(s)|length }}".into()),
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
        (Objects, "{{ a|sort(attribute='k,id,v.w.0')|length }}".into()),
        (Small, "{% set p = 'a,' * 200000 %}{% for i in range(1000) %}{{ []|sort(attribute=p) }}{% endfor %}".into()),
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
        "{% if n is integer %}{% endif %}",
        "{% if n is float %}{% endif %}",
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
    for inner in ["a|sort", "b|sort", "c|max", "a == a", "c == response.c", "1.0 in c", "b|sum", "c|unique|length"] {
        all.push((Halves, forever(&format!("{{% set y = {inner} %}}"))));
    }
    for inner in ["a|sort", "a|max", "a == response.a", "1 in a", "a|unique|length"] {
        all.push((Longest, forever(&format!("{{% set y = {inner} %}}"))));
    }
    for (list, inner) in [
        ("a", "x|round(2)"),
        ("a", "x|round(-2)"),
        ("a", "x|round(2, 'ceil')"),
        ("b", "x|round(-2)"),
        ("b", "-x + x"),
        ("b", "'%d'|format(x)"),
        ("c", "x|round(300)"),
        ("c", "x|round(40)"),
        ("c", "'%.40f'|format(x)"),
        ("c", "'%.40e'|format(x)"),
        ("t", "x|float"),
        ("t", "x|int"),
    ] {
        let all_of = format!("{{% for x in {list} %}}{{% set y = {inner} %}}{{% endfor %}}");
        all.push((Halves, forever(&all_of)));
    }
    for inner in ["x|round", "x|round(2)", "x|round(300)", "'%.2f'|format(x)", "'%d'|format(x)", "'{:,.2f}'.format(x)"]
    {
        all.push((Large, format!("{{% for x in a %}}{{% set y = {inner} %}}{{% endfor %}}")));
    }
    let methods = ["upper", "lower", "swapcase", "capitalize", "title", "strip"];
    all.extend(methods.map(|method| (Greek, format!("{{{{ s.{method}()|length }}}}"))));
    all.extend(methods.map(|method| (Small, format!("{{% set s = 'ΐ' * 400000 %}}{{{{ s.{method}()|length }}}}"))));
    let kinds = ["|wordcount", ".isalnum()", ".isalpha()", ".isdecimal()", ".isdigit()", ".isnumeric()", " is lower"];
    let kinds = kinds.map(|asked| forever(&format!("{{% if s{asked} %}}{{% endif %}}")));
    for body in [Thai, ThaiDigits] {
        all.extend(kinds.iter().map(|template| (body, template.clone())));
    }
    for set in ["{% set s = 'ก' * 30000 %}", "{% set s = '๐' * 30000 %}"] {
        all.extend(kinds.iter().map(|template| (Small, format!("{set}{template}"))));
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
