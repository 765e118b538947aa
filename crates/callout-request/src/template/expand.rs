//! From a template and params to a URL, checked again once it is made.

use std::borrow::Cow;

use callout_core::{
    Error, ErrorKind,
    fault::{FaultCode, Faults},
    http::MAX_URL_BYTES,
    json::{Json, Object},
};
use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use super::{Piece, Template};
use crate::query::{self, encode};

/// Where a placeholder stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Segment,
    Query,
}

impl Template {
    /// Reports what is wrong with the params that the path takes.
    pub(crate) fn check(&self, params: &Object, faults: &mut Faults) {
        if self.fixed.is_none() {
            self.text(params, faults);
        }
    }

    /// Reports those of the remaining params that would set a query key of the path anew.
    pub(crate) fn check_query_keys<'a>(&self, names: impl Iterator<Item = &'a str>, faults: &mut Faults) {
        for name in names {
            if self.sets_query_key(name) {
                faults.field(name, |faults| {
                    faults.report(FaultCode::Conflict, "is set by the endpoint's path and cannot be passed");
                });
            }
        }
    }

    /// The URL for these params: the path's own query, then `{?a,b}`, then the remaining params in
    /// `rest`, which must not name a key of the path.
    ///
    /// # Errors
    ///
    /// `invalid_params` for path params that are missing, no scalars, or that would change the shape
    /// of the URL; `limit_exceeded` for a URL that is too long to be sent.
    pub(crate) fn expand(&self, params: &Object, rest: &Object) -> Result<Url, Error> {
        if let Some(url) = &self.fixed
            && rest.is_empty()
            && !self.optional.iter().any(|name| params.contains(name))
        {
            return Ok(url.clone());
        }
        let mut faults = Faults::new();
        let mut text = self.text(params, &mut faults);
        self.check_query_keys(rest.keys(), &mut faults);
        if !faults.is_empty() {
            return Err(Error::from_faults(ErrorKind::InvalidParams, faults));
        }
        let optional = self.optional.iter().filter_map(|name| Some((name.as_str(), params.get(name)?)));
        let own: Vec<(&str, Cow<'_, str>)> = query::flatten(optional.chain(rest.iter())).collect();
        let mut separator = if self.query.is_empty() { '?' } else { '&' };
        for (key, value) in &own {
            text.push(separator);
            separator = '&';
            text.extend(encode(key));
            text.push('=');
            text.extend(encode(value));
        }
        if text.len() > MAX_URL_BYTES {
            let message = format!(
                "the URL would have {} bytes, more than the {MAX_URL_BYTES} that can be sent: pass fewer or shorter params",
                text.len()
            );
            return Err(Error::new(ErrorKind::LimitExceeded, message));
        }
        self.checked(&text, own.iter().map(|(key, _)| *key))
    }

    /// Parses the text and compares what came out with the compiled shape: whatever the URL parser
    /// normalises, no param moves a request elsewhere.
    pub(super) fn checked<'a>(&'a self, text: &str, own: impl Iterator<Item = &'a str>) -> Result<Url, Error> {
        let refused = || Error::new(ErrorKind::InvalidParams, "the params would change the shape of the URL");
        let url = Url::parse(text).map_err(|_| refused())?;
        let keys = self.query.iter().map(|pair| pair.key.as_str()).chain(own);
        let in_shape = self.shape.is_of(&url)
            && url.as_str().starts_with(&self.root)
            && form_urlencoded::parse(url.query().unwrap_or_default().as_bytes()).map(|(key, _)| key).eq(keys)
            && url.fragment().is_none();
        if in_shape { Ok(url) } else { Err(refused()) }
    }

    /// The URL's text up to the end of its literal query.
    fn text(&self, params: &Object, faults: &mut Faults) -> String {
        let mut text = self.root.clone();
        for segment in &self.segments {
            text.push('/');
            let start = text.len();
            for piece in segment {
                write_piece(piece, Part::Segment, params, &mut text, faults);
            }
            // Literal segments were checked when the template was compiled.
            let named = segment.iter().find_map(|piece| match piece {
                Piece::Param(name) => Some(name),
                Piece::Literal(_) => None,
            });
            if let Some(name) = named
                && text.get(start..).is_some_and(is_dots)
            {
                faults.field(name.clone(), |faults| {
                    faults.report(FaultCode::Value, "must not make the path segment `.` or `..`, which would climb");
                });
            }
        }
        for (at, pair) in self.query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            for piece in &pair.pieces {
                write_piece(piece, Part::Query, params, &mut text, faults);
            }
        }
        text
    }

    /// The text with `x` for each param.
    pub(super) fn text_of_sample(&self) -> String {
        let sample = self.required().into_iter().map(|name| (name.clone(), Json::from("x"))).collect();
        self.text(&sample, &mut Faults::new())
    }
}

fn write_piece(piece: &Piece, part: Part, params: &Object, text: &mut String, faults: &mut Faults) {
    match piece {
        Piece::Literal(literal) => text.push_str(literal),
        Piece::Param(name) => {
            let value = faults.field(name.clone(), |faults| path_value(params.get(name), part, faults));
            // A fault has been reported where there is no value.
            text.extend(encode(value.as_deref().unwrap_or_default()));
        }
    }
}

/// The text of a param for its place in the path.
fn path_value<'a>(value: Option<&'a Json>, part: Part, faults: &mut Faults) -> Option<Cow<'a, str>> {
    let Some(value) = value else {
        faults.report(FaultCode::Missing, "is required");
        return None;
    };
    let Some(text) = query::scalar(value) else {
        faults.report(
            FaultCode::WrongType,
            format!("goes into the URL's path and must be a string, number or boolean, not {}", value.type_name()),
        );
        return None;
    };
    if part == Part::Segment {
        if text.is_empty() {
            faults.report(FaultCode::TooShort, "goes into the URL's path and must not be empty");
            return None;
        }
        if text.chars().any(char::is_control) {
            faults.report(FaultCode::Pattern, "goes into the URL's path and must not hold control characters");
            return None;
        }
    }
    Some(text)
}

/// Whether a segment is `.` or `..` in any spelling that a server may read so: percent-encoded, also
/// twice and three times, as proxies that decode on their way make it.
pub(super) fn is_dots(segment: &str) -> bool {
    let mut segment = Cow::Borrowed(segment);
    // A param's own `%` has been encoded once already.
    for _ in 0..4 {
        if matches!(segment.as_ref(), "." | "..") {
            return true;
        }
        if !segment.contains('%') {
            return false;
        }
        let decoded = percent_decode_str(&segment).decode_utf8_lossy().into_owned();
        segment = Cow::Owned(decoded);
    }
    matches!(segment.as_ref(), "." | "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_out_of_shape_is_never_handed_on() {
        let template = Template::compile("https://a.example:8443/v1", "/u/{id}?k=1", &mut Faults::new()).unwrap();
        let checked = |text: &str| template.checked(text, ["q"].into_iter());
        assert!(checked("https://a.example:8443/v1/u/x?k=1&q=2").is_ok());
        for text in [
            "http://a.example:8443/v1/u/x?k=1&q=2",
            "https://b.example:8443/v1/u/x?k=1&q=2",
            "https://a.example/v1/u/x?k=1&q=2",
            "https://u@a.example:8443/v1/u/x?k=1&q=2",
            "https://a.example:8443/v2/u/x?k=1&q=2",
            "https://a.example:8443/v1/u/x/y?k=1&q=2",
            "https://a.example:8443/v1/u/x\\y?k=1&q=2",
            "https://a.example:8443/v1/u/..?k=1&q=2",
            "https://a.example:8443/v1/u/%2E%2e?k=1&q=2",
            "https://a.example:8443/v1/u/x?k=1",
            "https://a.example:8443/v1/u/x?k=1&q=2&r=3",
            "https://a.example:8443/v1/u/x?q=2&k=1",
            "https://a.example:8443/v1/u/x?k=1&q=2#f",
            "not a URL",
        ] {
            assert_eq!(checked(text).unwrap_err().kind(), ErrorKind::InvalidParams, "{text}");
        }
    }

    #[test]
    fn dots_in_every_spelling() {
        for text in [".", "..", "%2e", "%2E.", ".%252e", "%25252e", "%%32e"] {
            assert!(is_dots(text), "{text}");
        }
        for text in ["", "...", ".a", "%2f", "%", "a", "%2e%2e%2e", "..%2f"] {
            assert!(!is_dots(text), "{text}");
        }
    }
}
