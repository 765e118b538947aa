//! From one operation to one endpoint.

use std::collections::HashSet;

use callout_core::{
    config::{EndpointConfig, Method},
    json::{Json, Number, Object, ObjectBuilder},
    limits::Limits,
};

use crate::{
    body::{self, Body, Fields},
    document::{Document, Found},
    flat::Pair,
    names, object,
    operation::Operation,
    params::{self, Params, PathParam},
    report::Findings,
    schema::{Converter, Detail, Uses, lost},
    steps::Steps,
    text,
};

/// Characters of an endpoint's description.
const DESCRIPTION: usize = 600;
/// Bytes of the names in `{?…}`; what is beyond goes to the query all the same.
const MAX_FORM: usize = 4_000;

/// Headers that are known before an operation is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given<'d> {
    /// Constant headers of every endpoint.
    pub(crate) headers: &'d [(String, String)],
    /// The header that carries the key or token.
    pub(crate) auth: Option<&'d str>,
}

/// An endpoint that is not named yet, in less and less detail.
#[derive(Debug)]
pub(crate) struct Plan<'d> {
    document: &'d Document,
    operation: &'d Operation<'d>,
    method: Method,
    parameters: Vec<Found<'d>>,
    body: Option<Body<'d>>,
    uses: Uses,
    given: Given<'d>,
    /// What was found whatever the detail.
    found: Vec<crate::report::Finding>,
}

impl<'d> Plan<'d> {
    /// Looks at what an operation takes. `None` if it cannot be an endpoint; the reason is among the findings.
    pub(crate) fn of(
        document: &'d Document,
        operation: &'d Operation<'d>,
        given: Given<'d>,
        findings: &mut Findings,
    ) -> Option<Self> {
        let method = match operation.method {
            "get" => Method::Get,
            "post" => Method::Post,
            "put" => Method::Put,
            "patch" => Method::Patch,
            "delete" => Method::Delete,
            other => {
                findings.loss(&operation.node.place, format!("{} is no method of an endpoint", other.to_uppercase()));
                return None;
            }
        };
        let parameters = operation.parameters(document, findings);
        let steps = Steps::default();
        let body = match body::choose(document, operation, method.has_body(), &steps, findings) {
            Ok(body) => body,
            Err((place, why)) => {
                findings.loss(&place.place, why);
                return None;
            }
        };
        if method.has_body() && body.is_none() {
            findings.note(&operation.node.place, "it has no body to send: an empty JSON object is sent in its place");
        }
        report_if_too_large(&steps, operation, findings);
        for (name, callback) in operation.node.get("callbacks").into_iter().flat_map(|all| all.members()) {
            findings
                .loss(&callback.place, format!("the callback {name:.100?} is not carried over: nothing listens here"));
        }
        let roots = parameters.iter().filter_map(|parameter| params::schema_of(document, parameter));
        let roots: Vec<Found<'d>> = roots.chain(body.as_ref().and_then(|body| body.schema.clone())).collect();
        let uses = Uses::of(document, &roots);
        let found = std::mem::take(&mut findings.0);
        Some(Self { document, operation, method, parameters, body, uses, given, found })
    }

    /// Writes the endpoint. `None` if it cannot be called; the reason is among the findings.
    pub(crate) fn write(&self, detail: Detail, findings: &mut Findings) -> Option<EndpointConfig> {
        findings.0.clone_from(&self.found);
        let mut converter = Converter::new(self.document, &self.uses, detail);
        let mut params = params::collect(&mut converter, &self.parameters, self.given, findings);
        let fields = self.body.as_ref().map(|body| body::fields(&mut converter, body, findings));
        report_if_too_large(converter.steps(), self.operation, findings);
        let path = self.path(&mut params, fields.as_ref(), findings)?;
        let schema = input_schema(&path, fields.as_ref(), converter, findings);
        let description = self.description();
        let mut endpoint = EndpointConfig::new(String::new(), description, path.text);
        endpoint.method = self.method;
        endpoint.input_schema = schema;
        endpoint.headers = params.headers;
        if let Some(body) = &self.body {
            endpoint.body_format = body.format;
            if let Some(content_type) = &body.content_type {
                add_header(&mut endpoint.headers, "Content-Type", content_type.clone());
            }
        }
        if let Some(accept) = self.accept() {
            add_header(&mut endpoint.headers, "Accept", accept);
        }
        Some(endpoint)
    }

    fn description(&self) -> String {
        let node = &self.operation.node;
        let deprecated = node.flag("deprecated") == Some(true);
        let (summary, description) = (node.text("summary"), node.text("description"));
        let of_item = [summary, description].iter().all(Option::is_none);
        let item = |name: &str| self.operation.of_item(name).and_then(|found| found.node.as_str());
        let (summary, description) =
            if of_item { (item("summary"), item("description")) } else { (summary, description) };
        let text = text::operation(summary, description, deprecated, DESCRIPTION);
        if text.is_empty() || text == "Deprecated." {
            format!("{text} {} {:.500}", self.method.as_str(), self.operation.path).trim().to_owned()
        } else {
            text
        }
    }

    /// The media type to ask for, where answers have none that is JSON.
    fn accept(&self) -> Option<String> {
        let responses = self.operation.node.get("responses")?;
        // Beside good answers the default is what errors look like.
        let has_good = responses.members().any(|(status, _)| status.starts_with('2'));
        let is_good = |status: &str| if has_good { status.starts_with('2') } else { status == "default" };
        let good = responses.members().filter(|(status, _)| is_good(status));
        let mut others = Vec::new();
        for (_, response) in good {
            let Ok(response) = self.document.follow(response.node, &response.place) else { continue };
            for (media, _) in response.get("content").into_iter().flat_map(|content| content.members()) {
                let essence = body::essence(media);
                if essence == "application/json" || essence.contains('*') {
                    return None;
                }
                others.push(media.trim().to_owned());
            }
        }
        let is_header = |media: &String| media.is_ascii() && !media.bytes().any(|byte| byte.is_ascii_control());
        let json = others.iter().find(|media| body::essence(media).ends_with("json"));
        json.or_else(|| others.first()).filter(|media| is_header(media)).cloned()
    }

    /// The path template and the params that it takes.
    fn path(&self, params: &mut Params, fields: Option<&Fields>, findings: &mut Findings) -> Option<PathPlan> {
        let body_names: HashSet<String> = fields
            .into_iter()
            .flat_map(|fields| {
                fields.properties.iter().map(|pair| pair.key.clone()).chain(fields.other_names.iter().cloned())
            })
            .collect();
        let mut taken: HashSet<String> = params.query.iter().map(|pair| pair.key.clone()).collect();
        taken.extend(body_names.iter().cloned());
        let mut plan = PathPlan::default();
        self.segments(params, &mut taken, &mut plan, findings)?;
        let literal_keys = literal_query_keys(&plan.text);
        let mut optional: Vec<String> = Vec::new();
        let mut length = 0;
        for pair in std::mem::take(&mut params.query) {
            if literal_keys.contains(&pair.key) {
                findings.note(&pair.place, format!("the path sets the query key {:.100?} itself", pair.key));
                continue;
            }
            let legal = names::is_param(&pair.key);
            if self.method.has_body() && (!legal || body_names.contains(&pair.key)) {
                beside_body(pair, &mut taken, &mut plan, findings)?;
                continue;
            }
            length += pair.key.len() + 1;
            if legal && length <= MAX_FORM {
                optional.push(pair.key.clone());
            } else if self.method.has_body() {
                findings.loss(&pair.place, format!("there is no room for the query key {:.100?}", pair.key));
                continue;
            }
            plan.params.push(pair);
        }
        if !optional.is_empty() {
            plan.text.push_str(&format!("{{?{}}}", optional.join(",")));
        }
        Some(plan)
    }

    /// Writes the document's path with names that a path may have.
    fn segments(
        &self,
        params: &mut Params,
        taken: &mut HashSet<String>,
        plan: &mut PathPlan,
        findings: &mut Findings,
    ) -> Option<()> {
        let place = &self.operation.node.place;
        let mut rest = self.operation.path;
        if rest.is_empty() {
            return Some(());
        }
        if let Some((before, _)) = rest.split_once('#') {
            findings.loss(place, "the path's fragment (`#…`) is never sent and is left out");
            rest = before;
        }
        let mut names: Vec<(String, String)> = Vec::new();
        while let Some((before, behind)) = rest.split_once('{') {
            let Some((written, after)) = behind.split_once('}') else {
                findings.loss(place, "the path has a `{` that nothing closes");
                return None;
            };
            plan.text.push_str(before);
            rest = after;
            let bare =
                written.trim_start_matches(['+', '#', '/', '.', ';', '?', '&']).trim_end_matches(['*', '+']).trim();
            let found = params.path.iter().position(|param| param.name == written || param.name == bare);
            if bare != written && found.is_none_or(|at| params.path[at].name != written) {
                findings.loss(place, format!("`{{{written:.100}}}` takes one segment here, without slashes"));
            }
            let name = if let Some((_, name)) = names.iter().find(|(other, _)| other == bare) {
                name.clone()
            } else {
                let param = found.map(|at| params.path.remove(at));
                self.path_param(bare, param, taken, plan, findings, &mut names)
            };
            plan.text.push_str(&format!("{{{name}}}"));
        }
        plan.text.push_str(rest);
        for param in &params.path {
            findings.note(&param.place, format!("the path has no `{{{:.100}}}`", param.name));
        }
        Some(())
    }

    fn path_param(
        &self,
        written: &str,
        param: Option<PathParam>,
        taken: &mut HashSet<String>,
        plan: &mut PathPlan,
        findings: &mut Findings,
        names: &mut Vec<(String, String)>,
    ) -> String {
        let place = param.as_ref().map_or(&self.operation.node.place, |param| &param.place).clone();
        let legal = names::legal_param(written);
        let legal = legal.trim_start_matches(['.', '-', '[', ']', '@']);
        let legal = if legal.is_empty() { "param" } else { legal };
        let name = if taken.contains(legal) {
            free_name(&format!("path_{legal}"), taken)
        } else {
            taken.insert(legal.to_owned());
            legal.to_owned()
        };
        if name != written {
            findings.note(&place, format!("`{{{written:.100}}}` of the path is the param {name:?}"));
        }
        if param.is_none() {
            findings.note(&place, format!("`{{{written:.100}}}` of the path is not described: it is taken as text"));
        }
        let before = param.as_ref().map_or("", |param| param.before.as_str());
        plan.text.push_str(before);
        let schema = param.map_or_else(params::text_schema, |param| param.schema);
        plan.params.push(Pair { key: name.clone(), schema, required: true, place });
        names.push((written.to_owned(), name.clone()));
        name
    }
}

/// Adds a header that the document tells of, unless it was given: a header stands once.
fn add_header(headers: &mut Vec<(String, String)>, name: &str, value: String) {
    if !headers.iter().any(|(other, _)| other.eq_ignore_ascii_case(name)) {
        headers.push((name.to_owned(), value));
    }
}

fn report_if_too_large(steps: &Steps, operation: &Operation<'_>, findings: &mut Findings) {
    if steps.were_too_few() {
        let why = "its schemas are too large to be looked through: what is beyond is not carried over";
        findings.loss(&operation.node.place, why);
    }
}

/// A query param whose name the body has too, or that cannot stand in `{?…}`: in the path's own
/// query, under another name, if every call has it.
fn beside_body(pair: Pair, taken: &mut HashSet<String>, plan: &mut PathPlan, findings: &mut Findings) -> Option<()> {
    let why = if names::is_param(&pair.key) { "is a name of the body too" } else { "cannot be named in a path" };
    let is_key =
        !pair.key.is_empty() && pair.key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
    let is_array = pair.schema.get("type").and_then(Json::as_str) == Some("array");
    if !pair.required {
        findings.loss(&pair.place, format!("the query parameter {:.100?} {why} and is left out", pair.key));
        return Some(());
    }
    if !is_key || is_array {
        findings.loss(&pair.place, format!("the query parameter {:.100?} {why} and cannot be passed", pair.key));
        return None;
    }
    let name = free_name(&format!("query_{}", pair.key), taken);
    findings.note(&pair.place, format!("the query parameter {:.100?} is the param {name:?}, for it {why}", pair.key));
    let separator = if plan.text.contains('?') { '&' } else { '?' };
    plan.text.push_str(&format!("{separator}{}={{{name}}}", pair.key));
    plan.params.push(Pair { key: name, ..pair });
    Some(())
}

/// The path as an endpoint has it, and the params that are no part of the body.
#[derive(Debug, Default)]
struct PathPlan {
    text: String,
    params: Vec<Pair>,
}

/// A name like this one that nothing has yet.
fn free_name(name: &str, taken: &mut HashSet<String>) -> String {
    let free = names::free(&names::legal_param(name), |name| taken.contains(name));
    taken.insert(free.clone());
    free
}

fn literal_query_keys(path: &str) -> HashSet<String> {
    let Some((_, query)) = path.split_once('?') else { return HashSet::new() };
    query.split('&').map(|pair| pair.split('=').next().unwrap_or_default().to_owned()).collect()
}

fn input_schema(path: &PathPlan, fields: Option<&Fields>, converter: Converter<'_>, findings: &mut Findings) -> Object {
    let mut properties = ObjectBuilder::new();
    let mut required: Vec<Json> = Vec::new();
    let takes_params = fields.is_none_or(|fields| fields.takes_params);
    let beside: &[Pair] = if takes_params { &path.params } else { &[] };
    if let Some(first) = path.params.first().filter(|_| !takes_params) {
        findings.note(&first.place, "params beside the body are text, for its schema leaves no room to say more");
    }
    let names: Vec<String> = beside.iter().map(|pair| pair.key.clone()).collect();
    let own = fields.into_iter().flat_map(|fields| &fields.properties);
    for Pair { key, schema, required: needed, .. } in beside.iter().chain(own) {
        properties.insert(key.as_str(), schema.clone());
        if *needed && !required.iter().any(|other| other.as_str() == Some(key)) {
            required.push(key.as_str().into());
        }
    }
    let also = fields.into_iter().flat_map(|fields| &fields.also_required);
    required.extend(also.map(|name| name.as_str().into()));
    let mut schema = ObjectBuilder::new().with("type", "object");
    let properties = properties.build();
    if !properties.is_empty() {
        schema.insert("properties", properties);
    }
    if !required.is_empty() {
        schema.insert("required", required);
    }
    match fields {
        None => drop(schema.insert("additionalProperties", false)),
        Some(fields) => {
            for (name, value) in &fields.rest {
                schema.insert(name.as_str(), rest(name, value, beside, &names));
            }
        }
    }
    if let Some(definitions) = converter.definitions(findings) {
        schema.insert("$defs", definitions);
    }
    lost::settled(&schema.build())
}

/// A keyword of the body's object, for the object with the other params in it.
fn rest(name: &str, value: &Json, beside: &[Pair], names: &[String]) -> Json {
    let count = |add: usize| value.as_number().and_then(Number::as_u64).map(|own| Json::from(own + add as u64));
    match (name, value.as_array()) {
        ("minProperties", _) => {
            count(beside.iter().filter(|pair| pair.required).count()).unwrap_or_else(|| value.clone())
        }
        ("maxProperties", _) => count(beside.len()).unwrap_or_else(|| value.clone()),
        ("allOf" | "anyOf" | "oneOf", Some(parts)) => parts.iter().map(|part| object::opened(part, names)).collect(),
        _ => value.clone(),
    }
}

/// Whether a schema is within what an endpoint's may be.
pub(crate) fn fits(schema: &Object, limits: &Limits) -> bool {
    fn walk(value: &Json, levels: usize) -> bool {
        match value {
            Json::Array(elements) => levels > 0 && elements.iter().all(|value| walk(value, levels - 1)),
            Json::Object(members) => levels > 0 && members.values().all(|value| walk(value, levels - 1)),
            _ => true,
        }
    }
    let schema = Json::Object(schema.clone());
    walk(&schema, limits.max_json_depth) && schema.to_string().len() <= limits.max_schema_bytes
}
