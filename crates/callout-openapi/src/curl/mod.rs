//! From a curl command line to an integration with one endpoint.

mod body;
mod expansions;
mod globs;
mod line;
mod options;
mod secrets;
mod words;

use callout_core::{
    config::{EndpointConfig, IntegrationConfig, Method},
    http::UNRESERVED,
    json::{Json, Object, ObjectBuilder, SmolStr},
};
use percent_encoding::utf8_percent_encode;
use url::Url;

use crate::{names, params::text_schema, repair::Check, report::SecretNeeded};
use globs::Globs;
use line::Line;

/// What a curl line became.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CurlImport {
    /// The integration, without secrets.
    pub integration: IntegrationConfig,
    /// Params with which the endpoint sends what the line does, but for what was left out.
    pub params: Json,
    /// The secret that was taken out, if there was one: its name, never its value.
    pub secrets: Vec<SecretNeeded>,
    /// The params whose values may be secrets and were taken out too: the endpoint sends what the line does once a
    /// call gives them.
    pub withheld: Vec<String>,
    /// What could not be carried over, and what was done about it.
    pub losses: Vec<String>,
    /// What is good to know.
    pub notes: Vec<String>,
}

/// Why nothing was made of a line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CurlError(pub(crate) String);

impl CurlError {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

/// Turns a curl command line into an integration with one endpoint, and the params that make it send what
/// the line does.
///
/// Quotes, escapes and line ends are read as a POSIX shell reads them (and `$'…'` as bash does); nothing is
/// expanded or run, and no file is read. What is all a variable of the shell, be it a segment of the path, the value
/// of a query key or a field of the body, is a param that a call gives; what else a shell would put something in place
/// of is sent as it is written, which is among the losses. Secrets are taken out, wherever they stand: in a header, a
/// user, the URL or a cookie. `name` is the integration's, `endpoint` the endpoint's; both are made of
/// the URL where they are not given. `check` is the engine's own check of a config.
///
/// # Errors
///
/// If the line is none of curl's, has no URL, or asks for what no endpoint can send.
pub fn import_curl(
    line: &str,
    name: Option<&str>,
    endpoint: Option<&str>,
    check: Check<'_>,
) -> Result<CurlImport, CurlError> {
    let line = Line::parse(words::split(line)?)?;
    let mut made = Made { losses: line.losses.clone(), ..Made::default() };
    let url = parse_url(&line.url)?;
    let method = method(&line)?;
    let mut headers = line.headers.clone();
    let auth = secrets::take(&line, &url, &mut headers, &mut made);
    for (name, value) in &mut headers {
        *value = made.written(&format!("the header {name:.50}"), value);
    }
    let body = body::of(&line, method, &mut headers, &mut made)?;
    let host = url.host_str().unwrap_or_default().to_owned();
    let path = path(&url, Globs::of(&line), method, &body, &mut made);
    let before_listed = path.split("{?").next().unwrap_or_default();
    let description = format!("{} {}", method.as_str(), before_listed.split('?').next().unwrap_or_default());
    let given = endpoint.map(str::to_owned);
    let wanted = names::endpoint(None, method.as_str(), &placeless(&path)).to_lowercase();
    let mut config = EndpointConfig::new(given.unwrap_or(wanted), description, path);
    config.method = method;
    config.input_schema = made.schema(&body);
    config.headers = headers;
    config.body_format = body.format;
    let base = origin(&url);
    let name = name
        .map_or_else(|| names::integration(host.trim_start_matches("www.").trim_start_matches("api.")), str::to_owned);
    let mut integration = IntegrationConfig::new(name, base);
    integration.display_name = host;
    integration.auth = auth;
    let integration = integration.with_endpoint(config);
    let mut faults = callout_core::fault::Faults::new();
    check(&integration, &mut faults);
    if let Some(fault) = faults.iter().next() {
        return Err(CurlError::new(format!("the line cannot become an endpoint: {fault}")));
    }
    let secrets =
        made.secret.map(|(secret, what)| SecretNeeded { integration: integration.name.clone(), secret, what });
    Ok(CurlImport {
        integration,
        params: made.values.build().into(),
        secrets: secrets.into_iter().collect(),
        withheld: made.withheld,
        losses: made.losses,
        notes: made.notes,
    })
}

/// What is put together on the way.
#[derive(Debug, Default)]
struct Made {
    properties: ObjectBuilder,
    required: Vec<Json>,
    values: ObjectBuilder,
    secret: Option<(&'static str, String)>,
    withheld: Vec<String>,
    losses: Vec<String>,
    notes: Vec<String>,
}

impl Made {
    /// A param with the value that the line has.
    fn param(&mut self, name: &str, schema: Json, value: Json, required: bool) {
        self.properties.insert(name, schema);
        self.values.insert(name, value);
        if required {
            self.required.push(name.into());
        }
    }

    /// A param whose value is taken out.
    fn param_to_be_given(&mut self, name: &str, schema: Json, required: bool) {
        self.properties.insert(name, schema);
        self.withheld.push(name.to_owned());
        if required {
            self.required.push(name.into());
        }
    }

    /// The text as it is written, and a loss if a shell would have put something in it.
    fn written(&mut self, place: &str, text: &str) -> String {
        self.losses.extend(expansions::loss(place, text));
        expansions::plain(text)
    }

    /// The same of all texts in a value.
    fn written_value(&mut self, place: &str, value: Json) -> Json {
        self.losses.extend(expansions::loss(place, &value.to_string()));
        expansions::plain_value(value)
    }

    /// A loss if what is percent-encoded is no text.
    fn decoded(&mut self, place: &str, text: &str) {
        if percent_encoding::percent_decode_str(text).decode_utf8().is_err() {
            self.losses.push(format!("bytes of {place} are no UTF-8: U+FFFD is sent in place of them"));
        }
    }

    fn schema(&mut self, body: &body::Body) -> Object {
        let properties = std::mem::take(&mut self.properties).build();
        let required = std::mem::take(&mut self.required);
        let mut schema = ObjectBuilder::new().with("type", "object");
        if !properties.is_empty() {
            schema.insert("properties", properties);
        }
        if !required.is_empty() {
            schema.insert("required", required);
        }
        if !body.is_there {
            schema.insert("additionalProperties", false);
        }
        schema.build()
    }
}

fn parse_url(text: &str) -> Result<Url, CurlError> {
    // Behind the place there may be another URL, as the value of a query key.
    let has_scheme = text.split_once("://").is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']));
    let text = if has_scheme { text.to_owned() } else { format!("http://{text}") };
    let (scheme, behind) = text.split_once("://").unwrap_or_default();
    let authority = behind.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    if let Some(named) = expansions::named(&format!("{scheme}{host}")) {
        return Err(CurlError::new(format!(
            "where the API is cannot be read, for a shell puts something in place of {named}: write what that is"
        )));
    }
    let url = Url::parse(&text).map_err(|error| CurlError::new(format!("the line's URL cannot be read: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(CurlError::new(format!("{}: is no place for HTTP", url.scheme())));
    }
    Ok(url)
}

fn method(line: &Line) -> Result<Method, CurlError> {
    let has_body = !line.data.is_empty() && !line.as_query;
    let name = line.method.clone().unwrap_or_else(|| if has_body { "POST".to_owned() } else { "GET".to_owned() });
    let all = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    all.into_iter()
        .find(|method| method.as_str().eq_ignore_ascii_case(&name))
        .ok_or_else(|| CurlError::new(format!("{name:.20} is no method of an endpoint")))
}

fn origin(url: &Url) -> String {
    url[..url::Position::BeforePath]
        .split_once('@')
        .map_or_else(|| url[..url::Position::BeforePath].to_owned(), |(_, host)| format!("{}://{host}", url.scheme()))
}

/// The path as a template: what looks like an id is a param, and so are `{name}` and each query key.
fn path(url: &Url, mut globs: Globs, method: Method, body: &body::Body, made: &mut Made) -> String {
    let mut path = String::new();
    let mut before = String::new();
    let mut taken: Vec<String> = body.names.clone();
    for segment in url.path().split('/').skip(1) {
        path.push('/');
        let marked = percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned();
        let decoded = expansions::plain(&marked);
        let variable = expansions::variable(&marked).map(str::to_ascii_lowercase);
        if variable.is_none() && looks_like_a_secret(&decoded) {
            let name = free(&id_name(&before), &mut taken);
            path.push_str(&format!("{{{name}}}"));
            made.notes
                .push(format!("a segment of the path may be a secret: it is the param {name:?}, and a call gives it"));
            made.param_to_be_given(&name, text_schema(), true);
            continue;
        }
        if let Some(wanted) = variable.or_else(|| globs.take_name(&decoded).map(str::to_owned)) {
            let name = free(&wanted, &mut taken);
            path.push_str(&format!("{{{name}}}"));
            made.notes.push(format!("the segment {decoded:?} of the path is the param {name:?}, and a call gives it"));
            made.param_to_be_given(&name, text_schema(), true);
        } else if looks_like_an_id(&decoded) {
            let name = free(&id_name(&before), &mut taken);
            path.push_str(&format!("{{{name}}}"));
            made.notes.push(format!("the segment {decoded:?} of the path is the param {name:?}"));
            made.param(&name, schema_of(&decoded.as_str().into()), decoded.as_str().into(), true);
        } else {
            made.losses.extend(expansions::loss("the path", &marked));
            // Braces would be placeholders.
            path.push_str(&expansions::plain_part(segment).replace('{', "%7B").replace('}', "%7D"));
        }
        before = decoded;
    }
    if globs.are_left() {
        made.losses.push(
            "curl makes URLs of what `{…}` and `[…]` list (but with --globoff): they are sent as they are written"
                .to_owned(),
        );
    }
    if path == "/" {
        path.clear();
    }
    made.decoded("the query", url.query().unwrap_or_default());
    let mut listed: Vec<String> = Vec::new();
    // Each key with its values, and whether one of them may be a secret.
    let mut queries: Vec<(String, Vec<Json>, bool)> = Vec::new();
    let own = url.query_pairs().map(|(key, value)| (key.into_owned(), value.into_owned()));
    for (key, value) in own.chain(body.query.iter().cloned()) {
        let key = made.written("a key of the query", &key);
        let may_be_secret = secrets::is_secret_pair(&key, &value);
        match queries.iter_mut().find(|(other, ..)| *other == key) {
            Some((_, values, holds_secret)) => {
                values.push(scalar(&value));
                *holds_secret |= may_be_secret;
            }
            None => queries.push((key, vec![scalar(&value)], may_be_secret)),
        }
    }
    for (key, mut values, holds_secret) in queries {
        let is_listed = names::is_param(&key) && !taken.contains(&key);
        // What the path does not take goes to the body, where there is one: the path sets the key itself.
        let is_set = !is_listed && method.has_body() && !key.is_empty() && values.len() == 1;
        if !is_listed && !is_set && (made.values_hold(&key) || method.has_body()) {
            made.losses.push(format!("the query key {key:.50?} cannot be a param and is left out"));
            continue;
        }
        let name = if is_set {
            free(&format!("query_{}", names::legal_param(&key)), &mut taken)
        } else {
            taken.push(key.clone());
            key.clone()
        };
        if is_set {
            made.notes.push(format!("the query key {key:.50?} is the param {name:?}"));
            let separator = if path.contains('?') { '&' } else { '?' };
            path.push_str(&format!("{separator}{}={{{name}}}", utf8_percent_encode(&key, UNRESERVED)));
        } else if is_listed {
            listed.push(key.clone());
        }
        let is_one = values.len() == 1;
        let value = if is_one { values.remove(0) } else { values.into() };
        if holds_secret {
            // A secret that is made of digits says nothing of the next one.
            let schema = if is_one { text_schema() } else { schema_of(&value) };
            made.notes.push(format!(
                "the value of the query key {key:.50?} may be a secret: it is taken out, and a call gives it"
            ));
            made.param_to_be_given(&name, schema, is_one);
        } else if let Some(variable) = value.as_str().and_then(expansions::variable) {
            made.notes.push(format!(
                "the value of the query key {key:.50?} is the variable ${variable:.50}: a call gives it"
            ));
            made.param_to_be_given(&name, text_schema(), true);
        } else {
            let value = made.written_value(&format!("the query key {key:.50?}"), value);
            made.param(&name, schema_of(&value), value, is_set);
        }
    }
    if !listed.is_empty() {
        path.push_str(&format!("{{?{}}}", listed.join(",")));
    }
    path
}

impl Made {
    fn values_hold(&self, name: &str) -> bool {
        // A name that was given already would be replaced.
        self.required.iter().any(|other| other.as_str() == Some(name))
    }
}

/// The path without its params, to be named by.
fn placeless(path: &str) -> String {
    let path = path.split('?').next().unwrap_or_default();
    path.replace(['{', '}'], "")
}

/// A name like this one that nothing has yet.
fn free(name: &str, taken: &mut Vec<String>) -> String {
    let free = names::free(name, |name| taken.iter().any(|other| other == name));
    taken.push(free.clone());
    free
}

/// Digits, or a UUID.
fn looks_like_an_id(segment: &str) -> bool {
    let is_uuid = segment.len() == 36
        && segment.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    is_uuid || (!segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A long word of letters and digits, as tokens in the URLs of webhooks and bots are.
fn looks_like_a_secret(segment: &str) -> bool {
    let has = |word: &str, kind: fn(&u8) -> bool| word.bytes().any(|byte| kind(&byte));
    let is_secret =
        |word: &str| word.len() >= 16 && has(word, u8::is_ascii_digit) && has(word, u8::is_ascii_alphabetic);
    segment.len() >= 20
        && !looks_like_an_id(segment)
        && (is_bot(segment) || segment.split(|found: char| !found.is_ascii_alphanumeric()).any(is_secret))
}

/// The number of a bot and its token, which hyphens may part into short words: `bot123456:AAH-…`.
fn is_bot(segment: &str) -> bool {
    let is_of_a_token = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    segment.split_once(':').is_some_and(|(bot, token)| {
        let number = bot.strip_prefix("bot").unwrap_or(bot);
        number.len() >= 6 && number.bytes().all(|byte| byte.is_ascii_digit()) && token.bytes().all(is_of_a_token)
    })
}

/// `things` before it makes `thing_id`.
fn id_name(before: &str) -> String {
    let word: String = before
        .chars()
        .map(|found| if found.is_ascii_alphanumeric() { found.to_ascii_lowercase() } else { '_' })
        .collect();
    let word = word.trim_matches('_');
    let word = word.get(..word.len().min(40)).unwrap_or_default();
    let word = word.strip_suffix('s').filter(|rest| !rest.is_empty() && !rest.ends_with('s')).unwrap_or(word);
    if word.is_empty() || looks_like_an_id(word) || looks_like_a_secret(word) {
        "id".to_owned()
    } else {
        format!("{word}_id")
    }
}

/// A text as the number or truth value that it writes, if it writes one.
fn scalar(text: &str) -> Json {
    match Json::parse(text) {
        Ok(value @ (Json::Number(_) | Json::Bool(_))) if value.to_string() == text => value,
        _ => Json::String(SmolStr::from(text)),
    }
}

/// The schema of a value like this one.
fn schema_of(value: &Json) -> Json {
    body::schema_of(value, 0)
}
