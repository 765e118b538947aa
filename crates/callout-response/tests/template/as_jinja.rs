//! What Jinja2 3.1.6 on Python 3.11 writes with the same template. Each text was taken from there.

use super::check;

#[test]
fn names_are_set_and_end_as_in_jinja() {
    check(&[
        // Brackets around one name are none.
        ("{% set (abc) %}x{% endset %}{{ abc }}{% set (b) = 1 %}{{ b }}", "x1"),
        ("{% for (a) in [1, 2] %}{{ a }}{% endfor %}", "12"),
    ]);
}
