//! Templates that nest and chain, as long as a template may be.

/// Every kind of level that an expression has, one in the other.
pub(crate) const EVERY_LEVEL: (&str, &str) =
    ("(0 or 1 and not 1 < 1 + 1 ~ 1 * 2 ** 2|d(1 if 0 else [a[{'a': -", "}]]))");

/// As much of `open` as a template may have, around `inner`.
pub(crate) fn chain(open: &str, inner: &str, close: &str, levels: usize) -> String {
    let levels = levels.min((16_300 - inner.len()) / (open.len() + close.len()));
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// Chains and nestings of every kind, as long as a template may be and shorter.
pub(crate) fn nestings() -> Vec<String> {
    let mut all = Vec::new();
    let kinds: [(&str, &str, &str, &str, &str); 47] = [
        ("{{ ", "-", "1", "", " }}"),
        ("{{ ", "- ", "s", "", " }}"),
        ("{{ ", "+ ", "s", "", " }}"),
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
