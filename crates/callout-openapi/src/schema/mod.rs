//! From the schemas of a document to one JSON Schema 2020-12 that stands alone.
//!
//! What is referred to once is written where it is referred to. What is referred to more often, or
//! refers to itself, stands in `$defs`. Only keywords that say something about a request are kept, and
//! only in the form that JSON Schema gives them.

mod exclusive;
mod keywords;
pub(crate) mod lost;
mod uses;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};

use callout_core::json::{Json, Object, ObjectBuilder};

use crate::{
    document::{Document, Found, Version},
    pointer::Pointer,
    report::Findings,
    steps::Steps,
    text,
};

pub(crate) use exclusive::{Values, may_fit_several};
pub(crate) use keywords::read_only;
pub(crate) use uses::Uses;

/// Subschemas within each other. Each takes up to three levels of JSON, of which 128 are allowed.
const MAX_DEPTH: usize = 30;
/// Subschemas that one operation may be made of.
const MAX_SUBSCHEMAS: usize = 20_000;
/// Names that are looked at for one operation, to find those of other parts that are only read.
const MAX_NAMES: usize = 100_000;
/// Characters of a description within a schema.
const DESCRIPTION: usize = 300;
/// A schema of at most so many bytes, without references, is written wherever it is referred to.
const SMALL: usize = 200;

/// How much is written, for schemas that would be too large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Whether descriptions below the top are.
    pub(crate) descriptions: bool,
    /// How many subschemas stand within each other.
    pub(crate) depth: usize,
    /// Whether patterns are.
    pub(crate) patterns: bool,
}

impl Detail {
    /// Everything, then less and less.
    pub(crate) const STEPS: [Self; 7] = [
        Self { descriptions: true, depth: MAX_DEPTH, patterns: true },
        Self { descriptions: false, depth: MAX_DEPTH, patterns: true },
        Self { descriptions: false, depth: 6, patterns: true },
        Self { descriptions: false, depth: 4, patterns: true },
        Self { descriptions: false, depth: 3, patterns: false },
        Self { descriptions: false, depth: 2, patterns: false },
        Self { descriptions: false, depth: 0, patterns: false },
    ];
}

/// Converts the schemas of one operation.
#[derive(Debug)]
pub(crate) struct Converter<'d> {
    document: &'d Document,
    detail: Detail,
    uses: &'d Uses,
    left: usize,
    names_left: usize,
    /// What is only read by the word of the `allOf` that a schema is a part of.
    only_read: HashSet<&'d str>,
    /// For looking through the schemas before they are converted.
    steps: Steps,
    /// For comparing alternatives.
    compared: Steps,
    /// Definitions: place to name, and what is written of them.
    names: HashMap<Definition<'d>, String>,
    queue: VecDeque<(Definition<'d>, String)>,
    definitions: BTreeMap<String, Json>,
}

/// What stands at a place, and what is only read there by the word of the `allOf` that refers to it.
type Definition<'d> = (Pointer, BTreeSet<&'d str>);

impl<'d> Converter<'d> {
    pub(crate) fn new(document: &'d Document, uses: &'d Uses, detail: Detail) -> Self {
        Self {
            document,
            detail,
            uses,
            left: MAX_SUBSCHEMAS,
            names_left: MAX_NAMES,
            only_read: HashSet::new(),
            steps: Steps::default(),
            compared: Steps::default(),
            names: HashMap::new(),
            queue: VecDeque::new(),
            definitions: BTreeMap::new(),
        }
    }

    pub(crate) fn document(&self) -> &'d Document {
        self.document
    }

    pub(crate) fn steps(&self) -> &Steps {
        &self.steps
    }

    /// The schema in the form of JSON Schema 2020-12. References go to `#/$defs/…`; what has lost something is
    /// [marked](lost), until the schema that it goes into is whole.
    pub(crate) fn convert(&mut self, schema: &Found<'d>, findings: &mut Findings) -> Json {
        self.subschema(schema, 1, findings)
    }

    /// What a schema says itself, references aside, by those keywords that are wanted.
    pub(crate) fn convert_members(
        &mut self,
        schema: &Found<'d>,
        wanted: impl Fn(&str) -> bool,
        findings: &mut Findings,
    ) -> Object {
        keywords::members(self, schema, wanted, 1, findings)
    }

    /// The definitions that what was converted refers to, in the order of their names.
    pub(crate) fn definitions(mut self, findings: &mut Findings) -> Option<Json> {
        while let Some(((place, only_read), name)) = self.queue.pop_front() {
            self.only_read = only_read.into_iter().collect();
            let written = match place.get(self.document.root()) {
                Some(node) => self.subschema(&Found { node, place }, 1, findings),
                None => Json::empty_object(),
            };
            self.definitions.insert(name, written);
        }
        (!self.definitions.is_empty()).then(|| self.definitions.into_iter().collect())
    }

    fn subschema(&mut self, schema: &Found<'d>, depth: usize, findings: &mut Findings) -> Json {
        if self.left == 0 {
            findings.loss(&schema.place, "the schema is too large: from here on anything is accepted");
            return lost::anything();
        }
        self.left -= 1;
        match schema.node {
            Json::Bool(true) => Json::empty_object(),
            Json::Bool(false) => ObjectBuilder::new().with("not", Json::empty_object()).into(),
            Json::Object(_) if schema.text("$ref").is_some() => self.reference(schema, depth, findings),
            Json::Object(_) if depth > self.detail.depth => self.stub(schema, findings),
            Json::Object(_) => keywords::convert(self, schema, depth, findings),
            other => {
                findings.loss(
                    &schema.place,
                    format!("is no schema but of type {}: anything is accepted", other.type_name()),
                );
                lost::anything()
            }
        }
    }

    /// What stands in place of a subschema that is too deep: its type.
    fn stub(&self, schema: &Found<'d>, findings: &mut Findings) -> Json {
        let kind = schema.node.get("type").filter(|kind| kind.as_str().is_some_and(keywords::is_type));
        let has_more = schema.node.as_object().is_some_and(|schema| {
            schema.keys().any(|name| !matches!(name, "type" | "description" | "title" | "example" | "format"))
        });
        if has_more {
            let why = if self.detail.depth == MAX_DEPTH { "nests too deep" } else { "is too large" };
            findings.loss(&schema.place, format!("the schema {why}: what is below is not checked"));
        }
        let kind = kind.filter(|_| schema.flag("nullable") != Some(true));
        let says_nothing =
            |name: &str| matches!(name, "description" | "title" | "example") || (name == "type" && kind.is_some());
        let is_whole = schema.node.as_object().is_some_and(|schema| schema.keys().all(says_nothing));
        let mut written = ObjectBuilder::new();
        if let Some(kind) = kind {
            written.insert("type", kind.clone());
        }
        if !is_whole {
            written.insert(lost::UNNAMED, true);
        }
        written.into()
    }

    fn reference(&mut self, schema: &Found<'d>, depth: usize, findings: &mut Findings) -> Json {
        let found = match self.document.follow(schema.node, &schema.place) {
            Ok(found) => found,
            Err(why) => {
                findings.loss(&schema.place, format!("{why}: anything is accepted"));
                return lost::anything();
            }
        };
        let beside = self.beside(schema, depth, findings);
        let is_small = || uses::is_small(found.node, SMALL);
        if !self.uses.is_shared(&found.place) || is_small() {
            let written = self.subschema(&found, depth, findings);
            return joined(written, beside);
        }
        let only_read = keywords::wrongly_required(self, &found);
        let name = self.definition((found.place, only_read));
        let written = ObjectBuilder::new().with("$ref", format!("#/$defs/{name}"));
        beside.into_iter().fold(written, |written, (name, value)| written.with(name, value)).into()
    }

    /// What stands beside a reference: everything in 3.1, a description in 3.0 (which ignores it, but
    /// it was written to be read).
    fn beside(&mut self, schema: &Found<'d>, depth: usize, findings: &mut Findings) -> Vec<(String, Json)> {
        let Some(members) = schema.node.as_object() else { return Vec::new() };
        if self.document.version() == Version::V3_0 {
            let description = schema.text("description").filter(|_| self.describes(depth));
            let description = description.map(|text| text::brief(text, DESCRIPTION)).filter(|text| !text.is_empty());
            return description.map(|text| ("description".to_owned(), text.into())).into_iter().collect();
        }
        if members.keys().all(|name| matches!(name, "$ref" | "title" | "example" | "examples")) {
            return Vec::new();
        }
        let written = keywords::members(self, schema, |_| true, depth, findings);
        written.iter().map(|(name, value)| (name.to_owned(), value.clone())).collect()
    }

    fn describes(&self, depth: usize) -> bool {
        self.detail.descriptions || depth <= 1
    }

    /// The name of a definition.
    fn definition(&mut self, definition: Definition<'d>) -> String {
        if let Some(name) = self.names.get(&definition) {
            return name.clone();
        }
        let (place, _) = &definition;
        let plain = |found: char| if found.is_ascii_alphanumeric() || "_-.".contains(found) { found } else { '_' };
        let base: String = place.last().chars().take(60).map(plain).collect();
        let base = if base.is_empty() { "schema".to_owned() } else { base };
        let mut name = base.clone();
        let mut count = 2_u32;
        while self.names.values().any(|other| *other == name) {
            name = format!("{base}_{count}");
            count += 1;
        }
        self.names.insert(definition.clone(), name.clone());
        self.queue.push_back((definition, name.clone()));
        name
    }
}

/// A schema and what stands beside the reference to it: it wins in what explains, and is required too in
/// what checks.
fn joined(written: Json, beside: Vec<(String, Json)>) -> Json {
    if beside.is_empty() {
        return written;
    }
    let Json::Object(members) = &written else { return written };
    let explains = |name: &str| matches!(name, "description" | "default" | "deprecated");
    let clashes =
        beside.iter().any(|(name, value)| !explains(name) && members.get(name).is_some_and(|own| own != value));
    if clashes {
        let all = vec![written, beside.into_iter().collect()];
        return ObjectBuilder::new().with("allOf", all).into();
    }
    let mut all = ObjectBuilder::new();
    for (name, value) in members.iter() {
        all.insert(name, value.clone());
    }
    for (name, value) in beside {
        all.insert(name, value);
    }
    all.into()
}
