//! From the text of a path to segments, query pairs and names.

use callout_core::{
    config::rules::{self, UrlQuery},
    fault::{FaultCode, Faults, Place},
    json::SmolStr,
};
use url::form_urlencoded;

use super::{Pair, Piece, expand::is_dots};

/// Bytes of one path template. Longer ones are no paths of an API.
const MAX_PATH_BYTES: usize = 8192;

/// What a path says behind the host.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Parsed {
    pub(super) segments: Vec<Vec<Piece>>,
    pub(super) query: Vec<Pair>,
    pub(super) optional: Vec<SmolStr>,
}

/// Splits an endpoint's place into what no param can reach (scheme, host, port, the base URL's path)
/// and the text of the template. Faults of `base_url` that the config's own check reports are left
/// to it.
pub(super) fn locate<'p>(base_url: &str, path: &'p str, faults: &mut Faults) -> Option<(String, &'p str)> {
    let scheme_length = absolute(path);
    if base_url.is_empty() {
        return faults.field("path", |faults| locate_absolute(path, scheme_length, faults));
    }
    if scheme_length.is_some() {
        faults.field("path", |faults| {
            faults.report(
                FaultCode::Conflict,
                "is a whole URL, but the integration has a `base_url`: leave out one of the two",
            );
        });
        return None;
    }
    let base = rules::http_url(base_url, UrlQuery::Refused, &mut Faults::new())?;
    if base_url.contains(['{', '}']) {
        faults.report_at(
            Place::root().field("base_url"),
            FaultCode::Url,
            "must not hold placeholders, put them into the endpoints' paths",
        );
        return None;
    }
    Some((base.into(), path))
}

/// The length of `https://` at the beginning of a path.
pub(super) fn absolute(path: &str) -> Option<usize> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        path.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme)).then_some(scheme.len())
    })
}

fn locate_absolute<'p>(path: &'p str, scheme: Option<usize>, faults: &mut Faults) -> Option<(String, &'p str)> {
    let Some(scheme) = scheme else {
        faults.report(
            FaultCode::Path,
            "must be a whole URL (https://…), for the integration has no `base_url` to join it to",
        );
        return None;
    };
    let behind = path.get(scheme..)?;
    let mut end = behind.find(['/', '?', '#']).unwrap_or(behind.len());
    // `{?a}` may follow the host directly: its `?` begins no literal query.
    if behind.get(..end).is_some_and(|host| host.ends_with('{')) && behind.get(end..)?.starts_with('?') {
        end -= 1;
    }
    let origin = path.get(..scheme + end)?;
    if origin.contains(['{', '}']) {
        faults.report(FaultCode::Path, "may have placeholders only after the host, so that no param can choose it");
        return None;
    }
    let url = rules::http_url(origin, UrlQuery::Refused, faults)?;
    Some((url.into(), behind.get(end..)?))
}

/// One piece of a template's text, with the place where it begins.
struct Token<'p> {
    /// In bytes from the beginning of the path.
    at: usize,
    kind: TokenKind<'p>,
}

enum TokenKind<'p> {
    Text(&'p str),
    Param(&'p str),
    Form(Vec<&'p str>),
}

/// Parses what stands behind the host. `skipped` bytes of the path stand before it, for positions.
pub(super) fn parse(text: &str, skipped: usize, faults: &mut Faults) -> Option<Parsed> {
    if text.len() > MAX_PATH_BYTES {
        faults.report(FaultCode::TooLong, format!("must have at most {MAX_PATH_BYTES} bytes, not {}", text.len()));
        return None;
    }
    let before = faults.len();
    let tokens = tokens(text, skipped, faults);
    let mut parsed = Parsed::default();
    let mut path: Vec<Token<'_>> = Vec::new();
    let mut query: Option<Vec<Token<'_>>> = None;
    for Token { at, kind } in tokens {
        match kind {
            TokenKind::Form(names) => {
                if at + form_length(&names) != skipped + text.len() {
                    let name = names.join(",");
                    faults.report(FaultCode::Path, format!("has `{{?{name}}}` before its end, it must stand last"));
                }
                take_optional(&names, &mut parsed, faults);
            }
            TokenKind::Text(text) if query.is_none() => match text.split_once('?') {
                Some((end, rest)) => {
                    path.push(Token { at, kind: TokenKind::Text(end) });
                    query = Some(vec![Token { at: at + end.len() + 1, kind: TokenKind::Text(rest) }]);
                }
                None => path.push(Token { at, kind: TokenKind::Text(text) }),
            },
            kind => query.as_mut().unwrap_or(&mut path).push(Token { at, kind }),
        }
    }
    check_literals(&path, faults);
    check_literals(query.as_deref().unwrap_or_default(), faults);
    parsed.segments = segments(&path, faults);
    parsed.query = pairs(query.as_deref().unwrap_or_default(), faults);
    for name in &parsed.optional {
        if parsed.query.iter().any(|pair| pair.key == *name) {
            faults.report(
                FaultCode::Conflict,
                format!("sets the query key {name:?} itself and names it in `{{?…}}` too"),
            );
        }
    }
    (faults.len() == before).then_some(parsed)
}

fn form_length(names: &[&str]) -> usize {
    // `{?`, `}` and a comma between any two names.
    2 + names.iter().map(|name| name.len()).sum::<usize>() + names.len()
}

fn take_optional(names: &[&str], parsed: &mut Parsed, faults: &mut Faults) {
    for name in names {
        if parsed.optional.iter().any(|other| other == name) {
            faults.report(FaultCode::Duplicate, format!("names {name:?} twice in `{{?…}}`"));
        } else {
            parsed.optional.push((*name).into());
        }
    }
}

/// Cuts the text at its braces. Faulty ones are reported and left out.
fn tokens<'p>(text: &'p str, skipped: usize, faults: &mut Faults) -> Vec<Token<'p>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let at = skipped + text.len() - rest.len();
        let end = rest.find(['{', '}']).unwrap_or(rest.len());
        let (literal, behind) = rest.split_at(end);
        if !literal.is_empty() {
            tokens.push(Token { at, kind: TokenKind::Text(literal) });
        }
        let at = at + end;
        rest = if let Some(inner) = behind.strip_prefix('{') {
            let Some(close) = inner.find('}') else {
                report_brace(at, "a `{` that nothing closes: write `{name}`, or `%7B` for a brace", faults);
                break;
            };
            let (inside, after) = inner.split_at(close);
            match placeholder(inside) {
                Ok(kind) => tokens.push(Token { at, kind }),
                Err(why) => {
                    report_brace(at, &why, faults);
                    // Something stands here: what is around it gets no second fault for its absence.
                    tokens.push(Token { at, kind: TokenKind::Param(inside) });
                }
            }
            after.strip_prefix('}').unwrap_or(after)
        } else if let Some(after) = behind.strip_prefix('}') {
            report_brace(at, "a `}` that closes nothing: write `{name}`, or `%7D` for a brace", faults);
            after
        } else {
            behind
        };
    }
    tokens
}

fn report_brace(at: usize, why: &str, faults: &mut Faults) {
    faults.report(FaultCode::Path, format!("has, at byte {at}, {why}"));
}

/// Reads what stands between two braces.
fn placeholder(inside: &str) -> Result<TokenKind<'_>, String> {
    if let Some(names) = inside.strip_prefix('?') {
        let names: Vec<&str> = names.split(',').collect();
        return match names.iter().find(|name| !is_name(name)) {
            None => Ok(TokenKind::Form(names)),
            Some(name) => Err(format!("a name {name:?} in `{{?…}}`: {NAMES}, with `,` between them")),
        };
    }
    if is_name(inside) {
        return Ok(TokenKind::Param(inside));
    }
    Err(match inside.chars().next() {
        None => "an empty placeholder: write the param's name between the braces".to_owned(),
        Some('{') => format!("doubled braces: write `{{{}}}`", inside.trim_start_matches('{').trim()),
        Some('&') => format!("`{{{inside}}}`: write `{{?{}}}`, which goes on with `&`", inside.trim_start_matches('&')),
        Some('+' | '#' | '.' | '/' | ';' | '=' | ',' | '!' | '@' | '|') => {
            format!("`{{{inside}}}`: only `{{name}}`, and `{{?a,b}}` at the end, are supported")
        }
        Some(_) if inside.contains(',') => format!("`{{{inside}}}`: write one placeholder for each param"),
        Some(_) if inside.ends_with('*') || inside.contains(':') => {
            format!("`{{{inside}}}`: names take no modifiers (`*`, `:`)")
        }
        Some(_) => format!("a name {inside:?}: {NAMES}"),
    })
}

const NAMES: &str = "names begin with a letter, digit, `_` or `$` and go on with these and `.-[]@`";

/// Names as APIs use them, `$filter` and `page[size]` among them, and none that RFC 6570 reads as an
/// operator or a modifier.
fn is_name(name: &str) -> bool {
    let first = |byte: u8| byte.is_ascii_alphanumeric() || b"_$".contains(&byte);
    name.bytes().next().is_some_and(first) && name.bytes().all(|byte| first(byte) || b".-[]@".contains(&byte))
}

/// Reports what a URL cannot hold as literal text.
fn check_literals(tokens: &[Token<'_>], faults: &mut Faults) {
    for Token { at, kind } in tokens {
        let TokenKind::Text(text) = kind else { continue };
        for (offset, found) in text.char_indices() {
            let why = match found {
                '#' => "a `#`: fragments are never sent, write `%23` for the character",
                '\\' => "a backslash: write `/`, or `%5C` for the character",
                found if found.is_whitespace() || found.is_control() => {
                    "white space or a control character: write `%20` for a space"
                }
                '%' if !is_escape(text, offset) => "a `%` without two hex digits: write `%25` for the character",
                _ => continue,
            };
            report_brace(at + offset, why, faults);
        }
    }
}

fn is_escape(text: &str, at: usize) -> bool {
    text.as_bytes().get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// Cuts the path at its slashes; the first slash is the one that joins it to the base.
fn segments(tokens: &[Token<'_>], faults: &mut Faults) -> Vec<Vec<Piece>> {
    let mut segments: Vec<Vec<Piece>> = vec![Vec::new()];
    for (position, Token { kind, .. }) in tokens.iter().enumerate() {
        match kind {
            TokenKind::Text(text) => {
                let text = if position == 0 { text.strip_prefix('/').unwrap_or(text) } else { text };
                for (part, literal) in text.split('/').enumerate() {
                    if part > 0 {
                        segments.push(Vec::new());
                    }
                    push(segments.last_mut(), (!literal.is_empty()).then(|| Piece::Literal(literal.to_owned())));
                }
            }
            TokenKind::Param(name) => push(segments.last_mut(), Some(Piece::Param((*name).into()))),
            TokenKind::Form(_) => {}
        }
    }
    let written = tokens.iter().any(|token| !matches!(token.kind, TokenKind::Text("")));
    if !written {
        return Vec::new();
    }
    let last = segments.len() - 1;
    if segments.iter().take(last).any(Vec::is_empty) {
        faults.report(FaultCode::Path, "has an empty segment (`//`)");
    }
    for segment in &segments {
        if let [Piece::Literal(text)] = segment.as_slice()
            && is_dots(text)
        {
            faults.report(
                FaultCode::Path,
                format!("has the segment {text:?}, which would climb: write the path it means"),
            );
        }
    }
    segments
}

fn push(pieces: Option<&mut Vec<Piece>>, piece: Option<Piece>) {
    if let (Some(pieces), Some(piece)) = (pieces, piece) {
        pieces.push(piece);
    }
}

/// Cuts the literal query at its `&`.
fn pairs(tokens: &[Token<'_>], faults: &mut Faults) -> Vec<Pair> {
    let mut pairs: Vec<Vec<Piece>> = vec![Vec::new()];
    for Token { kind, .. } in tokens {
        match kind {
            TokenKind::Text(text) => {
                for (part, literal) in text.split('&').enumerate() {
                    if part > 0 {
                        pairs.push(Vec::new());
                    }
                    push(pairs.last_mut(), (!literal.is_empty()).then(|| Piece::Literal(literal.to_owned())));
                }
            }
            TokenKind::Param(name) => push(pairs.last_mut(), Some(Piece::Param((*name).into()))),
            TokenKind::Form(_) => {}
        }
    }
    let with_key = |pieces: Vec<Piece>| {
        let key = match pieces.first()? {
            Piece::Literal(text) if pieces.len() == 1 || text.contains('=') => text,
            Piece::Literal(_) | Piece::Param(_) => {
                faults.report(FaultCode::Path, "has a placeholder in a query key: write `key={name}`, or `{?name}`");
                return None;
            }
        };
        let key = form_urlencoded::parse(key.as_bytes()).next()?.0.into_owned();
        Some(Pair { key, pieces })
    };
    pairs.into_iter().filter_map(with_key).collect()
}
