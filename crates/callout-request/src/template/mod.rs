//! The path of an endpoint as a template of whole URLs.
//!
//! `{name}` takes a param: as (part of) one segment before `?`, as (part of) a query value after it.
//! `{?a,b}` at the end (RFC 6570 section 3.2.8, without modifiers) names optional query params; behind
//! a literal query it goes on with `&`. Everything else is literal text.

mod expand;
mod parse;

use std::collections::HashSet;

use callout_core::{
    config::rules::{self, UrlQuery},
    fault::{FaultCode, Faults},
    http::MAX_URL_BYTES,
    json::SmolStr,
};
use url::{Position, Url};

use crate::names::Names;

/// A compiled path together with the base URL that it is joined to.
#[derive(Debug)]
pub(crate) struct Template {
    /// The path as written, for messages.
    source: String,
    /// Everything before the template's own segments: origin and the base URL's path, without a
    /// slash at its end unless the path is empty.
    root: String,
    /// Segments behind `root`, each after a slash.
    segments: Vec<Vec<Piece>>,
    /// The literal query, pair by pair.
    query: Vec<Pair>,
    /// The names in `{?a,b}`.
    optional: Vec<SmolStr>,
    /// All names that it takes.
    names: Names,
    /// The keys of the literal query.
    query_keys: Names,
    /// What every URL made from this template must look like.
    shape: Shape,
    /// The URL where no param goes into it, made once.
    fixed: Option<Url>,
}

/// A part of a segment or of a query value.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// Text as it stands in the URL.
    Literal(String),
    /// The param of that name, encoded.
    Param(SmolStr),
}

impl Piece {
    const fn is_param(&self) -> bool {
        matches!(self, Self::Param(_))
    }
}

/// One pair of the literal query.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pair {
    /// The key as a server reads it.
    key: String,
    /// Key, `=` and value; without `=` where the path has none.
    pieces: Vec<Piece>,
}

/// What no param can change about a URL.
#[derive(Debug, PartialEq, Eq)]
struct Shape {
    /// Scheme, host and port.
    origin: String,
    /// How many segments the path has, those of the base URL included.
    segments: usize,
}

impl Shape {
    fn of(url: &Url) -> Self {
        Self { origin: url[..Position::BeforePath].to_owned(), segments: url.path().matches('/').count() }
    }

    fn is_of(&self, url: &Url) -> bool {
        url[..Position::BeforePath] == self.origin && url.path().matches('/').count() == self.segments
    }
}

impl Template {
    /// Joins `base_url` and `path` and compiles them. The caller stands at the endpoint; faults go to
    /// `path` below it, or to the integration's `base_url`.
    ///
    /// An empty path means the base URL as it is; else the two are joined with exactly one slash,
    /// whether or not either has one.
    pub(crate) fn compile(base_url: &str, path: &str, faults: &mut Faults) -> Option<Self> {
        let before = faults.len();
        let is_base_bad =
            !base_url.is_empty() && rules::http_url(base_url, UrlQuery::Refused, &mut Faults::new()).is_none();
        if is_base_bad && parse::absolute(path).is_none() {
            // The config's own check tells what is wrong with the base; the path is told apart from it.
            faults.field("path", |faults| drop(parse::parse(path, 0, faults)));
            return None;
        }
        let (origin_and_base, rest) = parse::locate(base_url, path, faults)?;
        let template = faults.field("path", |faults| {
            let parsed = parse::parse(rest, path.len() - rest.len(), faults)?;
            if faults.len() != before {
                return None;
            }
            let root = if parsed.segments.is_empty() {
                origin_and_base
            } else {
                origin_and_base.trim_end_matches('/').to_owned()
            };
            let mut template = Self {
                source: path.to_owned(),
                root,
                segments: parsed.segments,
                query: parsed.query,
                optional: parsed.optional,
                names: Names::Few(Vec::new()),
                query_keys: Names::Few(Vec::new()),
                shape: Shape { origin: String::new(), segments: 0 },
                fixed: None,
            };
            template.names = template.required().into_iter().chain(&template.optional).cloned().collect();
            template.query_keys = template.query.iter().map(|pair| SmolStr::from(pair.key.as_str())).collect();
            if let Err(why) = template.learn_shape() {
                faults.report(FaultCode::Path, why);
                return None;
            }
            Some(template)
        });
        template.filter(|_| faults.len() == before)
    }

    /// Expands the template with a sample and keeps what its URL looks like. A literal text that the
    /// URL parser would rewrite into another shape is found here rather than at a call.
    fn learn_shape(&mut self) -> Result<(), String> {
        let refused = |why: String| format!("does not make a usable URL: {why}");
        let sample = self.text_of_sample();
        let url = Url::parse(&sample).map_err(|error| refused(error.to_string()))?;
        let root = Url::parse(&self.root).map_err(|error| refused(error.to_string()))?;
        let expected = Shape {
            origin: Shape::of(&root).origin,
            // The root's own path `/` and the first own segment share their slash.
            segments: if self.segments.is_empty() {
                Shape::of(&root).segments
            } else {
                self.root[Shape::of(&root).origin.len().min(self.root.len())..].matches('/').count()
                    + self.segments.len()
            },
        };
        if Shape::of(&url) != expected {
            return Err(refused("its segments change when it is normalised".to_owned()));
        }
        http::Uri::try_from(url.as_str()).map_err(|error| refused(error.to_string()))?;
        self.shape = expected;
        let takes_params = self.segments.iter().flatten().any(Piece::is_param)
            || self.query.iter().flat_map(|pair| &pair.pieces).any(Piece::is_param);
        let is_fixed = !takes_params && sample.len() <= MAX_URL_BYTES;
        self.fixed = if is_fixed { self.checked(&sample, std::iter::empty()).ok() } else { None };
        Ok(())
    }

    /// The path as written.
    pub(crate) fn source(&self) -> &str {
        &self.source
    }

    /// The params that the path requires, each once, in order.
    pub(crate) fn required(&self) -> Vec<&SmolStr> {
        let pieces = self.segments.iter().flatten().chain(self.query.iter().flat_map(|pair| &pair.pieces));
        let names = pieces.filter_map(|piece| match piece {
            Piece::Param(name) => Some(name),
            Piece::Literal(_) => None,
        });
        let mut seen = HashSet::new();
        names.filter(|name| seen.insert(*name)).collect()
    }

    /// The params in `{?a,b}`.
    pub(crate) fn optional(&self) -> &[SmolStr] {
        &self.optional
    }

    /// Whether the path takes that param, so that it goes nowhere else.
    pub(crate) fn takes(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether the path's literal query sets that key, so that no param may.
    pub(crate) fn sets_query_key(&self, key: &str) -> bool {
        self.query_keys.contains(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_that_the_url_parser_rewrites_is_found_when_compiling() {
        let mut template = Template::compile("https://a.example/v1", "/a/b", &mut Faults::new()).unwrap();
        assert_eq!(template.learn_shape(), Ok(()));
        for literal in ["..", "%2e%2e", "x\\y", "x/y", "x?y", "x#y"] {
            template.segments[0] = vec![Piece::Literal(literal.to_owned())];
            assert!(template.learn_shape().is_err(), "{literal}");
        }
    }
}
