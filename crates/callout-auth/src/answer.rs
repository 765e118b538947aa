//! What a token endpoint's answer says: a token and its lifetime, or why there is none.

use std::{borrow::Cow, time::Duration};

use callout_core::{
    Error, ErrorKind,
    config::AuthType,
    fault::{FaultCode, Faults, excerpt},
    http::HttpResponse,
    json::{Json, Number, ReadError, ReadErrorKind, ReadOptions},
    limits::Limits,
    redact::Redactor,
};
use callout_path::Path;

/// No token is kept longer, whatever its answer says.
pub(crate) const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// How many characters of remote text an error shows.
const MAX_SHOWN: usize = 200;

/// So many tokens of an answer are masked, from its beginning: of [`MAX_SHOWN`] characters more cannot be.
const MAX_MASKED: usize = 64;

const NOT_JSON: &str = "a body that is not JSON";

/// Where a refusal says what its `error` is about: the name of RFC 6749 section 5.2, and those of web frameworks, whose
/// `error` is often no more than the status.
const DESCRIPTIONS: [&str; 4] = ["error_description", "message", "reason", "detail"];

/// Where token and lifetime stand in an answer.
#[derive(Debug)]
pub(crate) struct AnswerRules {
    /// Whose they are: what to do about an error depends on what the type sends.
    kind: AuthType,
    token: Path,
    /// The path as the config writes it.
    token_shown: String,
    expires_in: Option<Path>,
    /// The lifetime of a token whose answer names none.
    default_lifetime: Duration,
}

/// How long a token may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lifetime {
    /// That long, [`MAX_LIFETIME`] at most.
    For(Duration),
    /// By those who asked for it and nobody else: the answer says that it has expired.
    Once,
}

/// A token as the answer gives it.
pub(crate) struct Granted {
    pub(crate) token: String,
    pub(crate) lifetime: Lifetime,
}

impl AnswerRules {
    /// The rules of RFC 6749 section 5.1, the token at `token_response_path`.
    pub(crate) fn oauth(
        kind: AuthType,
        path: Option<&str>,
        default_lifetime_seconds: u64,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let path = path.unwrap_or("access_token");
        let token = faults.field("token_response_path", |faults| parse(path, limits, faults));
        let expires_in = Path::parse("expires_in", limits).ok();
        Some(Self {
            kind,
            token: token?,
            token_shown: path.to_owned(),
            expires_in,
            default_lifetime: lifetime_of(default_lifetime_seconds),
        })
    }

    /// The rules of a `bearer_token_exchange`.
    pub(crate) fn exchange(
        token_field: &str,
        expires_in_field: Option<&str>,
        default_ttl_seconds: u64,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let token = faults.field("exchange_token_field", |faults| parse(token_field, limits, faults));
        let expires_in = match expires_in_field.filter(|field| !field.is_empty()) {
            None => Some(None),
            Some(field) => faults.field("exchange_expires_in_field", |faults| parse(field, limits, faults)).map(Some),
        };
        Some(Self {
            kind: AuthType::BearerTokenExchange,
            token: token?,
            token_shown: token_field.to_owned(),
            expires_in: expires_in?,
            default_lifetime: lifetime_of(default_ttl_seconds),
        })
    }

    /// The token and its lifetime.
    ///
    /// # Errors
    ///
    /// `auth_failed`, saying what the answer is instead; no part of a 2xx answer is shown but its
    /// `error` and the names of its members, as the token may stand anywhere in it. Of other answers the
    /// start is shown, with what stands where tokens do masked: a refusal may repeat one that is in use.
    pub(crate) fn read(
        &self,
        response: &HttpResponse,
        integration: &str,
        limits: &Limits,
        redactor: &Redactor,
    ) -> Result<Granted, Error> {
        let status = response.status;
        let refuse = |message: String| Error::new(ErrorKind::AuthFailed, message);
        if response.body.len() > limits.max_token_response_bytes {
            let max = limits.max_token_response_bytes;
            return Err(refuse(format!("the answer is larger than {max} bytes (`max_token_response_bytes`)")));
        }
        let body = read(&response.body, limits);
        if !(200..300).contains(&status) {
            let json = body.as_ref().map_err(ReadError::kind);
            let said = self.refusal(json, &response.body, limits, redactor);
            // Each of 5xx is tried again here.
            let passing = response.may_pass() || (500..600).contains(&status);
            return Err(refuse(format!("answered {status}{said}"))
                .with_retryable(passing)
                .with_retry_after(response.retry_after));
        }
        let body =
            body.map_err(|error| refuse(format!("answered {status} with {}", self.unread(response, error.kind()))))?;
        if let Some(error) = error_of(&body) {
            let description = described(&body, &["error_description"]);
            let said = self.told(error, description, &self.masking_tokens(&body, limits, redactor));
            return Err(refuse(format!("answered {status} with an error: {said}")));
        }
        check_type(&body, redactor).map_err(refuse)?;
        let token = self.token(&body, limits, redactor).map_err(refuse)?;
        Ok(Granted { token, lifetime: self.lifetime(&body, integration, limits) })
    }

    fn token(&self, body: &Json, limits: &Limits, redactor: &Redactor) -> Result<String, String> {
        let at = &self.token_shown;
        let found = self.token.value(body, limits).map_err(|error| format!("`{at}` cannot be looked up: {error}"))?;
        let token = match found.as_deref() {
            Some(Json::String(token)) => token.as_str(),
            Some(Json::Null) => return Err(format!("`{at}` is null")),
            None => {
                return Err(match body.as_object() {
                    Some(members) if !members.is_empty() => {
                        let names: Vec<_> = members.keys().collect();
                        format!("the answer has no `{at}`, only {}", bounded(&redactor.text(&names.join(", "))))
                    }
                    _ => format!("the answer has no `{at}`: it is {} {}", article(body), body.type_name()),
                });
            }
            Some(other) => {
                return Err(format!("`{at}` must be a string, not {} {}", article(other), other.type_name()));
            }
        };
        if token.trim().is_empty() {
            return Err(format!("`{at}` is an empty string"));
        }
        if token.len() > limits.max_token_bytes {
            let (found, max) = (token.len(), limits.max_token_bytes);
            return Err(format!("the token has {found} bytes, at most {max} are allowed (`max_token_bytes`)"));
        }
        if token.chars().any(char::is_control) {
            return Err(format!("`{at}` holds control characters and cannot be sent in a header"));
        }
        Ok(token.to_owned())
    }

    /// What an answer outside 2xx says, after a colon; empty if it says nothing.
    fn refusal(
        &self,
        json: Result<&Json, &ReadErrorKind>,
        body: &[u8],
        limits: &Limits,
        redactor: &Redactor,
    ) -> String {
        let said = match json {
            Ok(json) => {
                let redactor = self.masking_tokens(json, limits, redactor);
                let whole = || clean(&excerpt(redactor.json(json), MAX_SHOWN));
                match (error_of(json), described(json, &DESCRIPTIONS)) {
                    (None, _) => whole(),
                    (Some(error), None) if says_more(json) => whole() + self.way_out(error),
                    (Some(error), description) => self.told(error, description, &redactor),
                }
            }
            Err(ReadErrorKind::TooDeep(max)) => too_deep(*max),
            Err(_) if looks_like_markup(body) => "XML or HTML".to_owned(),
            Err(_) if self.is_form_of_token(body) => "a form that holds a token".to_owned(),
            // Where tokens stand in it is not known.
            Err(_) if looks_like_json(body) => NOT_JSON.to_owned(),
            Err(_) => bounded(&redactor.text(&String::from_utf8_lossy(body))),
        };
        if said.trim().is_empty() { String::new() } else { format!(": {said}") }
    }

    /// That error and what it is about, with a way out.
    fn told(&self, error: &Json, description: Option<&str>, redactor: &Redactor) -> String {
        let mut said = match error {
            Json::String(code) => bounded(&redactor.text(code)),
            other => clean(&excerpt(redactor.json(other), MAX_SHOWN)),
        };
        if let Some(description) = description {
            said.push_str(": ");
            said.push_str(&bounded(&redactor.text(description)));
        }
        said.push_str(self.way_out(error));
        said
    }

    /// What to do about that error (RFC 6749 section 5.2), by the fields that the type has.
    fn way_out(&self, error: &Json) -> &'static str {
        let is_exchange = self.kind == AuthType::BearerTokenExchange;
        match error.as_str() {
            Some("invalid_client" | "unauthorized_client") if is_exchange => " (check the exchange secret)",
            Some("invalid_client") => " (check `client_id` and the client secret)",
            Some("invalid_grant") if self.kind == AuthType::OAuth2JwtBearer => {
                " (check the assertion's issuer, subject and audience, the key and this machine's time)"
            }
            // Of a wrong secret too, by some.
            Some("unauthorized_client") => {
                " (check `client_id`, the client secret and whether the client is allowed this grant)"
            }
            Some("unsupported_grant_type") => {
                " (the endpoint does not know this grant; check the auth `type` and its URL)"
            }
            Some("invalid_scope") if !is_exchange => " (check `scopes`)",
            _ => "",
        }
    }

    /// What a 2xx answer is that is not JSON, or not as it may be.
    fn unread(&self, response: &HttpResponse, why: &ReadErrorKind) -> Cow<'static, str> {
        let body = &response.body;
        if let ReadErrorKind::TooDeep(max) = why {
            too_deep(*max).into()
        } else if body.is_empty() {
            "an empty body, not JSON".into()
        } else if looks_like_markup(body) {
            "XML or HTML, not JSON; check the URL".into()
        } else if self.is_form_of_token(body) {
            "a form-encoded token, not JSON, although JSON was asked for; use an endpoint that answers as RFC 6749 \
             section 5.1 says"
                .into()
        } else {
            NOT_JSON.into()
        }
    }

    /// With what stands in the body where the config's token does, and where tokens do as a rule, masked too.
    fn masking_tokens(&self, body: &Json, limits: &Limits, redactor: &Redactor) -> Redactor {
        let mut tokens = Vec::new();
        self.find_tokens(body, false, limits, &mut tokens);
        redactor.and(&Redactor::new(tokens.iter().map(String::as_str)))
    }

    /// Adds those tokens. Texts within the body may be JSON in their turn, as what a gateway passes on; texts within
    /// those are not looked into.
    fn find_tokens(&self, body: &Json, is_within: bool, limits: &Limits, tokens: &mut Vec<String>) {
        let own = self.token.value(body, limits).ok().flatten();
        let mut open = vec![(body, false)];
        open.extend(own.as_deref().map(|own| (own, true)));
        while let Some((value, is_token)) = open.pop() {
            match value {
                Json::String(text) if is_token && !text.is_empty() => tokens.push(text.as_str().to_owned()),
                Json::String(text) if !is_within && looks_like_json(text.as_bytes()) => {
                    match read(text.as_bytes(), limits) {
                        Ok(inner) => self.find_tokens(&inner, true, limits, tokens),
                        Err(_) => tokens.push(text.as_str().to_owned()),
                    }
                }
                Json::Array(elements) => open.extend(elements.iter().rev().map(|element| (element, is_token))),
                Json::Object(members) => {
                    let members = members.iter().rev();
                    open.extend(members.map(|(name, member)| (member, is_token || is_token_name(name))));
                }
                Json::Number(number) if is_token => tokens.push(number.as_str().to_owned()),
                Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
            }
            if tokens.len() >= MAX_MASKED {
                break;
            }
        }
    }

    /// Whether a body that is not JSON is a form with a token among its fields.
    fn is_form_of_token(&self, body: &[u8]) -> bool {
        form_urlencoded::parse(body)
            .any(|(name, value)| !value.is_empty() && (is_token_name(&name) || *name == self.token_shown))
    }

    /// Anything that is no usable number leaves the default, of which a log tells where it is not just absent: a token
    /// that is kept for longer than it lasts is refused by the API, and nothing else would say why.
    fn lifetime(&self, body: &Json, integration: &str, limits: &Limits) -> Lifetime {
        let default = Lifetime::For(self.default_lifetime);
        let Some(path) = &self.expires_in else { return default };
        let found = path.value(body, limits).ok().flatten();
        let number = match found.as_deref() {
            None | Some(Json::Null) => return default,
            Some(Json::Number(number)) => Some(number.clone()),
            Some(Json::String(text)) => Number::from_text(text.trim()),
            Some(_) => None,
        };
        match number.map(|number| number.as_f64()) {
            Some(seconds) if seconds <= 0.0 => Lifetime::Once,
            Some(seconds) if seconds > 0.0 => {
                Lifetime::For(Duration::from_secs_f64(seconds.min(MAX_LIFETIME.as_secs_f64())))
            }
            _ => {
                let (path, found) = (path.as_str(), found.as_deref().map(Json::type_name));
                let default_seconds = self.default_lifetime.as_secs();
                tracing::warn!(
                    integration,
                    path,
                    found,
                    default_seconds,
                    "the lifetime of a token is no number, the config's default is used"
                );
                default
            }
        }
    }
}

/// A configured lifetime, bounded.
pub(crate) fn lifetime_of(seconds: u64) -> Duration {
    Duration::from_secs(seconds).min(MAX_LIFETIME)
}

fn parse(path: &str, limits: &Limits, faults: &mut Faults) -> Option<Path> {
    if path.is_empty() {
        return None; // reported as too short
    }
    let compiled = Path::compile(path, limits, faults)?;
    if !compiled.is_single() {
        faults.report(
            FaultCode::Path,
            "must lead to one value, not to as many as match: write a JSONPath of names and indexes only (`$.a.b[0]`), \
             or a dotted path",
        );
        return None;
    }
    Some(compiled)
}

/// RFC 6749 section 7.1: a client must not use a token of a type that it does not understand. Those that are known take
/// more than to be sent, or are no access tokens; others are providers' names for bearer tokens, such as Apigee's
/// `BearerToken` and eBay's `Application Access Token`.
fn check_type(body: &Json, redactor: &Redactor) -> Result<(), String> {
    let Some(kind) = body.get("token_type") else { return Ok(()) };
    let name = kind.as_str().map(|name| name.trim().to_ascii_lowercase());
    if !matches!(name.as_deref(), Some("mac" | "dpop" | "pop" | "n_a")) {
        return Ok(());
    }
    let shown = clean(&excerpt(redactor.json(kind), 40));
    Err(format!("the token's `token_type` is {shown}, only Bearer can be used"))
}

/// What an answer says as its `error` (RFC 6749 section 5.2), if it says anything there: some endpoints say beside a
/// token that there is none.
fn error_of(body: &Json) -> Option<&Json> {
    body.get("error").filter(|error| match error {
        Json::Null => false,
        Json::Bool(is_one) => *is_one,
        Json::Number(code) => code.as_f64() != 0.0,
        Json::String(code) => !code.is_empty(),
        Json::Array(errors) => !errors.is_empty(),
        Json::Object(members) => !members.is_empty(),
    })
}

/// The first of these members that is a text and says anything.
fn described<'b>(body: &'b Json, names: &[&str]) -> Option<&'b str> {
    names.iter().find_map(|name| body.get(name).and_then(Json::as_str).filter(|text| !text.is_empty()))
}

/// Whether anything stands beside its `error`.
fn says_more(body: &Json) -> bool {
    body.as_object().is_some_and(|members| members.iter().any(|(name, value)| name != "error" && !value.is_null()))
}

fn read(body: &[u8], limits: &Limits) -> Result<Json, ReadError> {
    ReadOptions { max_depth: limits.max_json_depth, ..ReadOptions::default() }.read(body)
}

/// Whether what has that name is a token whatever the config says: `access_token`, `refreshToken`, `token` (RFC 6749
/// section 5.1, `OpenID` Connect Core section 3.1.3.3, and what those call it who follow neither).
fn is_token_name(name: &str) -> bool {
    name.as_bytes().last_chunk::<5>().is_some_and(|end| end.eq_ignore_ascii_case(b"token"))
}

/// Whether it begins as JSON does, or what was meant to be, maybe behind what keeps it from being run as a script.
/// `[1001] unknown client` and `{0} is missing` do not.
fn looks_like_json(text: &[u8]) -> bool {
    match text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start() {
        [b'{' | b'[', rest @ ..] => rest.trim_ascii_start().first().is_none_or(|found| !found.is_ascii_alphanumeric()),
        text => text.starts_with(b")]}'"),
    }
}

fn too_deep(max: usize) -> String {
    format!("JSON that nests deeper than {max} levels (`max_json_depth`)")
}

fn looks_like_markup(body: &[u8]) -> bool {
    body.trim_ascii_start().first() == Some(&b'<')
}

fn article(value: &Json) -> &'static str {
    match value {
        Json::Null => "JSON",
        Json::Array(_) | Json::Object(_) => "an",
        Json::Bool(_) | Json::Number(_) | Json::String(_) => "a",
    }
}

/// Remote text as a message may show it, its secrets masked already: one line, without control
/// characters, cut where it is long.
fn bounded(text: &str) -> String {
    let mut shown: String = clean(text).chars().take(MAX_SHOWN).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

fn clean(text: &str) -> String {
    text.chars().map(|found| if found.is_control() { ' ' } else { found }).collect()
}
