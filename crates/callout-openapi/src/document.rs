//! An OpenAPI document, read and looked into.

use callout_core::json::{Duplicates, Json, Object, ReadError, ReadOptions};
use serde_saphyr::options::DuplicateKeyPolicy;

use crate::pointer::Pointer;

/// References that may follow each other before a place is given up.
const MAX_CHAIN: usize = 32;
/// Values of a YAML document. A document of 13 MB has about a million.
const MAX_YAML_NODES: usize = 4_000_000;

/// Which rules a document follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// OpenAPI 3.0: schemas are a dialect of their own.
    V3_0,
    /// OpenAPI 3.1 and what follows it: schemas are JSON Schema 2020-12.
    V3_1,
}

/// Why a text is no document that can be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// It is neither JSON nor YAML.
    #[error("is no JSON: {0}")]
    Json(#[from] ReadError),
    /// It is no YAML.
    #[error("is no YAML: {0}")]
    Yaml(String),
    /// It is JSON or YAML, but no OpenAPI 3 document.
    #[error("{0}")]
    NotOpenApi(String),
}

/// An OpenAPI 3.0 or 3.1 document. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Document {
    root: Json,
    version: Version,
    /// The first name that stands twice in one object, of which the last is taken.
    twice: Option<String>,
}

impl Document {
    /// Reads a document as JSON if it begins with `{`, else as YAML. A byte order mark is passed over. Of a name that
    /// stands twice in one object the last is taken, which the report says.
    ///
    /// # Errors
    ///
    /// When the text is neither, or is not an OpenAPI 3 document.
    pub fn read(bytes: &[u8]) -> Result<Self, DocumentError> {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let is_json = text.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        let read = if is_json {
            // YAML too has values in braces.
            json(text).or_else(|error| yaml(text).map_err(|_| error))
        } else {
            yaml(text)
        };
        let (root, twice) = read?;
        Ok(Self { twice, ..Self::new(root)? })
    }

    /// Takes a document that has been read already.
    ///
    /// # Errors
    ///
    /// When it is not an OpenAPI 3 document.
    pub fn new(root: Json) -> Result<Self, DocumentError> {
        let refused = |why: String| Err(DocumentError::NotOpenApi(why));
        let version = match root.get("openapi") {
            Some(Json::String(text)) => text.to_string(),
            // `openapi: 3.1` without quotes is a number in YAML.
            Some(Json::Number(number)) => number.to_string(),
            _ if root.get("swagger").is_some() => {
                return refused("is a Swagger 2.0 document: convert it to OpenAPI 3 first".to_owned());
            }
            _ => return refused("has no `openapi` that says its version".to_owned()),
        };
        let version = match version.trim().split('.').collect::<Vec<_>>().as_slice() {
            ["3", "0", ..] => Version::V3_0,
            ["3", _, ..] => Version::V3_1,
            _ => return refused(format!("is of OpenAPI version {version:.20}, and only 3.0 and 3.1 can be read")),
        };
        Ok(Self { root, version, twice: None })
    }

    /// Which rules it follows.
    pub fn version(&self) -> Version {
        self.version
    }

    /// `info.title`, if there is one.
    pub fn title(&self) -> Option<&str> {
        self.root.get("info")?.get("title")?.as_str()
    }

    /// The document as it was read.
    pub fn root(&self) -> &Json {
        &self.root
    }

    /// That a name stands twice in one object, and which one.
    pub(crate) fn twice(&self) -> Option<&str> {
        self.twice.as_deref()
    }

    pub(crate) fn member(&self, name: &str) -> Option<&Object> {
        self.root.get(name)?.as_object()
    }

    /// Follows `$ref` until there is none. Only places of this document are followed.
    ///
    /// # Errors
    ///
    /// A reason, when a reference leads out of the document, nowhere, or round in a circle.
    pub(crate) fn follow<'d>(&'d self, node: &'d Json, place: &Pointer) -> Result<Found<'d>, String> {
        let mut found = Found { node, place: place.clone() };
        for _ in 0..MAX_CHAIN {
            match self.referred(&found)? {
                Some(next) => found = next,
                None => return Ok(found),
            }
        }
        Err("`$ref` leads round in a circle".to_owned())
    }

    /// What is [followed](Self::follow), from the node itself to what has no `$ref`.
    pub(crate) fn chain<'d>(&'d self, node: &'d Json, place: &Pointer) -> Result<Vec<Found<'d>>, String> {
        let mut chain = Vec::new();
        let mut found = Found { node, place: place.clone() };
        for _ in 0..MAX_CHAIN {
            let next = self.referred(&found)?;
            chain.push(found);
            match next {
                Some(next) => found = next,
                None => return Ok(chain),
            }
        }
        Err("`$ref` leads round in a circle".to_owned())
    }

    /// What a `$ref` leads to, if there is one.
    fn referred<'d>(&'d self, found: &Found<'d>) -> Result<Option<Found<'d>>, String> {
        let Some(reference) = found.node.get("$ref").and_then(Json::as_str) else { return Ok(None) };
        let place = target(reference)?;
        let node = place.get(&self.root).ok_or_else(|| format!("`$ref` {} leads nowhere", quoted(reference)))?;
        Ok(Some(Found { node, place }))
    }
}

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Found<'d> {
    pub(crate) node: &'d Json,
    pub(crate) place: Pointer,
}

impl<'d> Found<'d> {
    /// A member of it.
    pub(crate) fn get(&self, name: &str) -> Option<Self> {
        Some(Self { node: self.node.get(name)?, place: self.place.below(name) })
    }

    /// Its members, if it is an object.
    pub(crate) fn members(&self) -> impl Iterator<Item = (&'d str, Self)> + use<'d> {
        let place = self.place.clone();
        let members = self.node.as_object();
        members.into_iter().flat_map(Object::iter).map(move |(name, node)| {
            let place = place.below(name);
            (name, Self { node, place })
        })
    }

    /// Its elements, if it is an array.
    pub(crate) fn elements(&self) -> impl Iterator<Item = Self> + use<'d> {
        let place = self.place.clone();
        let elements = self.node.as_array().into_iter().flatten().enumerate();
        elements.map(move |(at, node)| Self { node, place: place.at(at) })
    }

    pub(crate) fn text(&self, name: &str) -> Option<&'d str> {
        self.node.get(name).and_then(Json::as_str)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.node.get(name).and_then(Json::as_bool)
    }
}

/// What a reference does that names no place of the same document.
pub(crate) const LEADS_OUT: &str = "leads out of the document";

/// The place in the same document that a reference names.
fn target(reference: &str) -> Result<Pointer, String> {
    Pointer::parse(reference).ok_or_else(|| format!("`$ref` {} {LEADS_OUT}, and nothing is fetched", quoted(reference)))
}

/// A text of the document in a message.
pub(crate) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(100).collect();
    if shown.len() < text.len() { format!("{shown:?}…") } else { format!("{shown:?}") }
}

/// What was read, and what stands twice in it.
type Read = Result<(Json, Option<String>), DocumentError>;

fn json(text: &[u8]) -> Read {
    let text = String::from_utf8_lossy(text);
    let strict = ReadOptions { duplicates: Duplicates::Refuse, ..ReadOptions::default() };
    match strict.read(text.as_bytes()) {
        Ok(root) => Ok((root, None)),
        Err(refusal) => Ok((Json::parse(&text)?, Some(refusal.to_string()))),
    }
}

fn yaml(text: &[u8]) -> Read {
    let text = std::str::from_utf8(text).map_err(|error| DocumentError::Yaml(error.to_string()))?;
    match yaml_with(text, DuplicateKeyPolicy::Error) {
        Ok(root) => Ok((root, None)),
        Err(refusal) => {
            yaml_with(text, DuplicateKeyPolicy::LastWins).map(|root| (root, Some(refusal))).map_err(DocumentError::Yaml)
        }
    }
}

fn yaml_with(text: &str, duplicate_keys: DuplicateKeyPolicy) -> Result<Json, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MAX_YAML_NODES,
            max_events: 2 * MAX_YAML_NODES,
            max_depth: 120,
            // What aliases repeat counts among the nodes: that an anchor has many says nothing.
            max_aliases: MAX_YAML_NODES,
            enforce_alias_anchor_ratio: false,
        },
        duplicate_keys: duplicate_keys,
        non_finite_float_policy: serde_saphyr::options::NonFiniteFloatPolicy::AsString,
        with_snippet: false,
        // OpenAPI wants the words of YAML 1.2's JSON schema, of which `no` and `on` are none.
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    serde_saphyr::from_str_with_options(text, options).map_err(|error: serde_saphyr::Error| {
        error.render_with_formatter(&serde_saphyr::UserMessageFormatter).chars().take(500).collect()
    })
}
