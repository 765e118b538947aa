//! What an answer asks of who calls, in `WWW-Authenticate` (RFC 9110 section 11.6.1).

use http::{HeaderMap, header::WWW_AUTHENTICATE};

/// Whether there is a challenge of the scheme `Bearer` whose `error` is `invalid_token` (RFC 6750 section 3.1).
///
/// A header may hold several challenges, each with a list of params, and commas part both: a scheme is told by what is
/// no `name=value`. The names of schemes and params are the same in any case.
pub(crate) fn says_invalid_token(headers: &HeaderMap) -> bool {
    headers.get_all(WWW_AUTHENTICATE).iter().any(|value| {
        let value = String::from_utf8_lossy(value.as_bytes());
        let mut is_bearer = false;
        elements(&value).any(|element| {
            let mut found = param(element);
            if found.is_none() {
                let (scheme, first) = element.split_once([' ', '\t']).unwrap_or((element, ""));
                if !scheme.is_empty() {
                    is_bearer = scheme.eq_ignore_ascii_case("bearer");
                }
                found = param(first.trim());
            }
            is_bearer && found.is_some_and(|(name, value)| name.eq_ignore_ascii_case("error") && is_invalid(value))
        })
    })
}

/// What stands between the commas that are in no quoted text, trimmed.
fn elements(header: &str) -> impl Iterator<Item = &str> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let parts = header.split(move |found: char| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match found {
            _ if was_escaped => {}
            '\\' => is_escaped = is_quoted,
            '"' => is_quoted = !is_quoted,
            ',' => return !is_quoted,
            _ => {}
        }
        false
    });
    parts.map(str::trim)
}

/// Name and value, if it is `name=value`; there may be white space around the `=`.
fn param(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim_end();
    let is_name = !name.is_empty() && !name.contains([' ', '\t', '"']);
    is_name.then(|| (name, value.trim_start()))
}

fn is_invalid(value: &str) -> bool {
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    quoted.map_or_else(|| value == "invalid_token", |text| text.replace('\\', "") == "invalid_token")
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn only_a_bearer_challenge_with_that_error_says_it() {
        let table: &[(&[&str], bool)] = &[
            (&[r#"Bearer realm="x", error="invalid_token""#], true),
            (&[r#"Bearer error="invalid_token", error_description="it has ended""#], true),
            (&["bearer ERROR=invalid_token"], true),
            (&[r#"Bearer realm="a, \"b\", c=d" , error = "invalid_token""#], true),
            (&["Bearer realm=\"\u{e9}\",, error=\"invalid_token\","], true),
            (&[r#"Basic realm="x", Bearer realm="y", error="invalid_token""#], true),
            (&[r#"Negotiate a87421000492aa874209af8bc028==, Bearer error="invalid_token""#], true),
            (&[r#"Bearer error="invalid_token", Basic realm="x""#], true),
            (&[r#"Basic realm="x""#, r#"Bearer error="invalid_token""#], true),
            (&["Bearer", "Basic"], false),
            (&[], false),
            (&[""], false),
            (&[r#"Bearer error="insufficient_scope", error_description="this is no invalid_token""#], false),
            (&[r#"Bearer error_description="error=invalid_token""#], false),
            (&[r#"Bearer realm="x, error=invalid_token""#], false),
            (&[r#"Bearer realm="\", error=invalid_token""#], false),
            (&[r#"Basic realm="bearer invalid_token""#], false),
            (&[r#"Basic error="invalid_token""#], false),
            (&[r#"Bearer realm="x", Basic realm="y", error="invalid_token""#], false),
            (&[r#"Bearer, Basic error="invalid_token""#], false),
            (&[r#"DPoP error="invalid_token", algs="ES256""#], false),
            (&[r#"Bearers error="invalid_token""#], false),
            (&[r#"error="invalid_token""#], false),
            (&["Bearer invalid_token"], false),
        ];
        for (values, expected) in table {
            let mut headers = HeaderMap::new();
            for value in *values {
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            assert_eq!(says_invalid_token(&headers), *expected, "{values:?}");
        }
    }
}
