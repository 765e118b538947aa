//! Tools as the providers' APIs take them.

use callout_core::{
    config::Method,
    json::{Json, Object, ObjectBuilder},
};

use super::{Tool, dialect, schema, strict};

/// Characters of a tool's description that OpenAI takes; for a longer one it refuses the whole list of tools.
const MAX_DESCRIPTION: usize = 1_024;

impl Tool {
    /// A tool of OpenAI's Chat Completions API: `{"type": "function", "function": {…}}`. Of a description of more than
    /// 1,024 characters, which OpenAI refuses, it has the beginning.
    pub fn to_openai(&self) -> Json {
        ObjectBuilder::new().with("type", "function").with("function", self.function(None)).into()
    }

    /// The same in strict mode, in which the arguments always fit the schema, if the schema can be
    /// said in its subset of JSON Schema and is within its bounds; else as [`Tool::to_openai`].
    ///
    /// Strict mode writes null for what is optional and left out: [`super::ToolRegistry::params`]
    /// takes these nulls out again. Params that an open schema does not name cannot be passed so.
    pub fn to_openai_strict(&self) -> Json {
        ObjectBuilder::new().with("type", "function").with("function", self.function(self.strict())).into()
    }

    /// A tool of OpenAI's Responses API: `{"type": "function", "name": …, "strict": false}`. Its description is cut as
    /// by [`Tool::to_openai`].
    pub fn to_openai_responses(&self) -> Json {
        self.response_function(None)
    }

    /// The same in strict mode; see [`Tool::to_openai_strict`].
    pub fn to_openai_responses_strict(&self) -> Json {
        self.response_function(self.strict())
    }

    /// A tool of Anthropic's Messages API: `{"name", "description", "input_schema"}`.
    pub fn to_anthropic(&self) -> Json {
        ObjectBuilder::new()
            .with("name", self.name.as_str())
            .with("description", self.description.as_str())
            .with("input_schema", self.plain_schema())
            .into()
    }

    /// A tool of the Model Context Protocol: `{"name", "description", "inputSchema", "annotations"}`.
    /// The annotations say what the method says (RFC 9110 section 9.2): GET reads, PUT and DELETE may
    /// be repeated, all but GET and POST may overwrite. Clients hand the schema to their model's provider as it
    /// is, so that it has the form that all providers take: JSON Schema 2020-12, which a `$schema` of that draft still
    /// says.
    pub fn to_mcp(&self) -> Json {
        let read_only = self.method == Method::Get;
        let mut annotations = ObjectBuilder::new().with("readOnlyHint", read_only);
        if !read_only {
            annotations.insert("destructiveHint", self.method != Method::Post);
            annotations.insert("idempotentHint", self.method.is_idempotent());
        }
        annotations.insert("openWorldHint", true);
        ObjectBuilder::new()
            .with("name", self.name.as_str())
            .with("description", self.description.as_str())
            .with("inputSchema", self.schema_with_dialect())
            .with("annotations", annotations)
            .into()
    }

    /// The schema for strict mode. An input schema of `{}` has none: all that such an endpoint is for
    /// would be shut out.
    fn strict(&self) -> Option<Json> {
        let whole = dialect::current(&self.input_schema);
        let strict = strict::schema(&whole).filter(|_| !self.takes_anything)?;
        Some(self.param_names.shown(strict, &whole))
    }

    /// The schema in the form that all providers take.
    fn plain_schema(&self) -> Json {
        self.plain(&dialect::current(&self.input_schema))
    }

    fn plain(&self, whole: &Json) -> Json {
        self.param_names.shown(schema::flat(whole), whole)
    }

    fn schema_with_dialect(&self) -> Json {
        let whole = dialect::current(&self.input_schema);
        let plain = self.plain(&whole);
        let dialect = whole.get("$schema").map(|dialect| ("$schema", dialect));
        let members = plain.as_object().into_iter().flat_map(Object::iter).chain(dialect);
        members.map(|(keyword, value)| (keyword, value.clone())).collect()
    }

    fn function(&self, strict: Option<Json>) -> ObjectBuilder {
        let is_strict = strict.is_some();
        ObjectBuilder::new()
            .with("name", self.name.as_str())
            .with("description", brief(&self.description))
            .with("parameters", strict.unwrap_or_else(|| self.plain_schema()))
            .with("strict", is_strict)
    }

    fn response_function(&self, strict: Option<Json>) -> Json {
        let function = self.function(strict).build();
        let all = ObjectBuilder::new().with("type", "function");
        function.iter().fold(all, |all, (name, value)| all.with(name, value.clone())).into()
    }
}

/// As much of a description as OpenAI takes.
fn brief(description: &str) -> String {
    if description.chars().count() <= MAX_DESCRIPTION {
        return description.to_owned();
    }
    description.chars().take(MAX_DESCRIPTION - 1).chain(['…']).collect()
}
