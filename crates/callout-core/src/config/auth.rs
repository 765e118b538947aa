//! The `auth` part of an integration: six types in one flat object, as the contract writes it.

use secrecy::SecretString;

use super::{
    reader::{Fields, count, flag, list, text, word},
    rules::{self, UrlQuery},
};
use crate::{
    fault::{FaultCode, Faults},
    json::{Json, ObjectBuilder},
    secret::{SecretName, Secrets},
};

/// The longest life of an assertion: a year of 365 days.
const MAX_LIFETIME_SECONDS: u64 = 365 * 24 * 60 * 60;

/// How an integration authenticates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuthType {
    /// A static key in a header of any name.
    ApiKeyHeader,
    /// A static bearer token (RFC 6750 section 2.1).
    BearerToken,
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4).
    OAuth2ClientCredentials,
    /// A client id and secret posted as JSON for a token.
    JsonTokenExchange,
    /// A signed JWT, exchanged for a token (RFC 7523 section 2.1) or used as one.
    OAuth2JwtBearer,
    /// A secret and values of params in headers, posted for a token.
    BearerTokenExchange,
}

impl AuthType {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 6] = [
        Self::ApiKeyHeader,
        Self::BearerToken,
        Self::OAuth2ClientCredentials,
        Self::JsonTokenExchange,
        Self::OAuth2JwtBearer,
        Self::BearerTokenExchange,
    ];

    /// The contract's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKeyHeader => "api_key_header",
            Self::BearerToken => "bearer_token",
            Self::OAuth2ClientCredentials => "oauth2_client_credentials",
            Self::JsonTokenExchange => "json_token_exchange",
            Self::OAuth2JwtBearer => "oauth2_jwt_bearer",
            Self::BearerTokenExchange => "bearer_token_exchange",
        }
    }

    /// The secret that it cannot do without.
    pub const fn required_secret(self) -> SecretName {
        match self {
            Self::ApiKeyHeader => SecretName::ApiKey,
            Self::BearerToken => SecretName::BearerToken,
            Self::OAuth2ClientCredentials | Self::JsonTokenExchange => SecretName::ClientSecret,
            Self::OAuth2JwtBearer => SecretName::PrivateKey,
            Self::BearerTokenExchange => SecretName::ExchangeSecret,
        }
    }

    /// Whether that secret may be given: the required one, and a client secret beside a private key.
    pub fn takes_secret(self, name: SecretName) -> bool {
        self.required_secret() == name || (self == Self::OAuth2JwtBearer && name == SecretName::ClientSecret)
    }

    /// Whether it asks a token endpoint, or signs, for a token that is cached.
    pub const fn has_token(self) -> bool {
        !matches!(self, Self::ApiKeyHeader | Self::BearerToken)
    }
}

/// One header of a `bearer_token_exchange`, filled from a param.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExchangeHeaderMapping {
    /// The header of the exchange request.
    pub header_name: String,
    /// The param whose value it carries.
    pub param_name: String,
    /// Whether the param is kept from the endpoint. Default true.
    pub consume: bool,
    /// Whether a call without it fails before anything is sent. Default true.
    pub required: bool,
}

/// `auth` as written: every field of the contract, secrets aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthConfig {
    /// How to authenticate.
    pub kind: AuthType,
    /// The header that carries key or token; required for `api_key_header`, else `Authorization`. An empty one
    /// is none: forms send it so.
    pub header_name: Option<String>,
    /// The token endpoint. An empty one is none.
    pub token_url: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// The scopes asked for.
    pub scopes: Option<Vec<String>>,
    /// The body field of the client id.
    pub token_request_client_id_field: Option<String>,
    /// The body field of the client secret.
    pub token_request_client_secret_field: Option<String>,
    /// Where the token stands in the answer. Default `access_token`.
    pub token_response_path: Option<String>,
    /// The assertion's `iss`.
    pub assertion_issuer: Option<String>,
    /// The assertion's `sub`.
    pub assertion_subject: Option<String>,
    /// The assertion's `aud`.
    pub assertion_audience: Option<String>,
    /// Life of an assertion, and of a token whose answer names none, in seconds. Default 3,600, at least 1,
    /// at most 31,536,000, a year: an assertion that lives longer is a mistake, and a key to whoever finds it.
    pub token_lifetime_seconds: u64,
    /// Whether scopes go into the assertion rather than the form. Default false.
    pub assertion_scopes_in_jwt: bool,
    /// The exchange endpoint. At most 2,048 characters.
    pub exchange_url: Option<String>,
    /// The header of the exchange secret. Default `X-API-KEY`.
    pub exchange_secret_header: String,
    /// That header's value, `{secret}` standing for the secret. Default `{secret}`.
    pub exchange_secret_format: String,
    /// Headers of the exchange filled from params.
    pub exchange_param_headers: Vec<ExchangeHeaderMapping>,
    /// Where the token stands in the exchange's answer. Default `token`.
    pub exchange_token_field: String,
    /// Where its lifetime stands in the exchange's answer.
    pub exchange_expires_in_field: Option<String>,
    /// Life of an exchanged token whose answer names none, in seconds. Default 3,600, at least 120.
    pub exchange_default_ttl_seconds: u64,
}

impl AuthConfig {
    /// That type with every field at its default.
    pub fn new(kind: AuthType) -> Self {
        Self {
            kind,
            header_name: None,
            token_url: None,
            client_id: None,
            scopes: None,
            token_request_client_id_field: None,
            token_request_client_secret_field: None,
            token_response_path: None,
            assertion_issuer: None,
            assertion_subject: None,
            assertion_audience: None,
            token_lifetime_seconds: 3600,
            assertion_scopes_in_jwt: false,
            exchange_url: None,
            exchange_secret_header: "X-API-KEY".to_owned(),
            exchange_secret_format: "{secret}".to_owned(),
            exchange_param_headers: Vec::new(),
            exchange_token_field: "token".to_owned(),
            exchange_expires_in_field: None,
            exchange_default_ttl_seconds: 3600,
        }
    }

    /// The header that carries key or token, where one is named.
    pub fn header(&self) -> Option<&str> {
        self.header_name.as_deref().filter(|name| !name.is_empty())
    }

    /// Reads `auth` with the secrets that stand in it. Unknown fields are always faults here.
    pub(super) fn read(value: &Json, faults: &mut Faults) -> Option<(Self, Secrets)> {
        let mut fields = Fields::open(value, faults)?;
        let kind = fields.required("type", faults, word(&AuthType::ALL, AuthType::as_str));
        let mut auth = Self::new(kind.unwrap_or(AuthType::ApiKeyHeader));
        auth.header_name = fields.nullable("header_name", faults, text);
        auth.token_url = fields.nullable("token_url", faults, text);
        auth.client_id = fields.nullable("client_id", faults, text);
        auth.scopes = fields.nullable("scopes", faults, list(text));
        auth.token_request_client_id_field = fields.nullable("token_request_client_id_field", faults, text);
        auth.token_request_client_secret_field = fields.nullable("token_request_client_secret_field", faults, text);
        auth.token_response_path = fields.nullable("token_response_path", faults, text);
        auth.assertion_issuer = fields.nullable("assertion_issuer", faults, text);
        auth.assertion_subject = fields.nullable("assertion_subject", faults, text);
        auth.assertion_audience = fields.nullable("assertion_audience", faults, text);
        set(&mut auth.token_lifetime_seconds, fields.optional("token_lifetime_seconds", faults, count));
        set(&mut auth.assertion_scopes_in_jwt, fields.optional("assertion_scopes_in_jwt", faults, flag));
        auth.exchange_url = fields.nullable("exchange_url", faults, text);
        set(&mut auth.exchange_secret_header, fields.optional("exchange_secret_header", faults, text));
        set(&mut auth.exchange_secret_format, fields.optional("exchange_secret_format", faults, text));
        set(&mut auth.exchange_param_headers, fields.optional("exchange_param_headers", faults, list(read_mapping)));
        set(&mut auth.exchange_token_field, fields.optional("exchange_token_field", faults, text));
        auth.exchange_expires_in_field = fields.nullable("exchange_expires_in_field", faults, text);
        set(&mut auth.exchange_default_ttl_seconds, fields.optional("exchange_default_ttl_seconds", faults, count));
        let mut secrets = Secrets::new();
        for name in SecretName::ALL {
            if let Some(secret) = fields.nullable(name.field(), faults, read_secret) {
                secrets.insert(name, secret);
            }
        }
        fields.close(faults);
        kind.map(|_| (auth, secrets))
    }

    /// Checks every rule that needs no key and no path parser: lengths, URLs, header names, what the
    /// type needs, and that no field of another type is set.
    pub(super) fn check(&self, faults: &mut Faults) {
        self.check_fields_of_other_types(faults);
        self.check_needs(faults);
        on(faults, "header_name", self.header(), rules::header_name);
        on(faults, "exchange_url", self.exchange_url.as_deref(), |url, faults| rules::length(url, 0, 2048, faults));
        for (name, url) in [("token_url", &self.token_url), ("exchange_url", &self.exchange_url)] {
            on(faults, name, url.as_deref().filter(|url| !url.is_empty()), |url, faults| {
                if url.contains(['{', '}']) {
                    faults.report(FaultCode::Url, "takes no placeholders, braces must be percent-encoded");
                } else {
                    rules::http_url(url, UrlQuery::Allowed, faults);
                }
            });
        }
        for (name, value, max) in [
            ("token_request_client_id_field", &self.token_request_client_id_field, 256),
            ("token_request_client_secret_field", &self.token_request_client_secret_field, 256),
            ("token_response_path", &self.token_response_path, 512),
            ("exchange_token_field", &Some(self.exchange_token_field.clone()), 256),
        ] {
            on(faults, name, value.as_deref(), |value, faults| rules::length(value, 1, max, faults));
        }
        on(faults, "exchange_expires_in_field", self.exchange_expires_in_field.as_deref(), |value, faults| {
            rules::length(value, 0, 256, faults);
        });
        on(faults, "exchange_secret_header", Some(&self.exchange_secret_header), rules::header_name);
        on(faults, "exchange_secret_format", Some(&self.exchange_secret_format), check_secret_format);
        faults.field("scopes", |faults| self.check_scopes(faults));
        faults.field("token_lifetime_seconds", |faults| {
            at_least(self.token_lifetime_seconds, 1, faults);
            at_most(self.token_lifetime_seconds, MAX_LIFETIME_SECONDS, faults);
        });
        faults.field("exchange_default_ttl_seconds", |faults| at_least(self.exchange_default_ttl_seconds, 120, faults));
        faults.field("exchange_param_headers", |faults| self.check_param_headers(faults));
    }

    fn check_scopes(&self, faults: &mut Faults) {
        for (at, scope) in self.scopes.iter().flatten().enumerate() {
            // RFC 6749 section 3.3: a scope is joined with others by spaces.
            let good = !scope.is_empty() && !scope.chars().any(|found| found.is_whitespace() || found.is_control());
            if !good {
                faults.index(at, |faults| faults.report(FaultCode::Pattern, "must be one scope, without white space"));
            }
        }
    }

    fn check_param_headers(&self, faults: &mut Faults) {
        rules::at_most(self.exchange_param_headers.len(), 20, "entries", faults);
        for (at, mapping) in self.exchange_param_headers.iter().enumerate() {
            faults.index(at, |faults| {
                let taken =
                    |other: &ExchangeHeaderMapping| other.header_name.eq_ignore_ascii_case(&mapping.header_name);
                faults.field("header_name", |faults| {
                    rules::header_name(&mapping.header_name, faults);
                    if mapping.header_name.eq_ignore_ascii_case(&self.exchange_secret_header) {
                        faults.report(FaultCode::Duplicate, "carries the secret already (`exchange_secret_header`)");
                    } else if self.exchange_param_headers[..at].iter().any(taken) {
                        faults.report(FaultCode::Duplicate, "stands twice");
                    }
                });
                faults.field("param_name", |faults| {
                    rules::length(&mapping.param_name, 1, 256, faults);
                    if !mapping.param_name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)) {
                        faults.report(FaultCode::Pattern, "must be letters, digits, `_` and `-`");
                    }
                });
            });
        }
    }

    fn check_needs(&self, faults: &mut Faults) {
        let needs: &[(&str, bool)] = match self.kind {
            AuthType::ApiKeyHeader => &[("header_name", self.header().is_some())],
            AuthType::BearerToken => &[],
            AuthType::OAuth2ClientCredentials | AuthType::JsonTokenExchange => {
                &[("token_url", is_given(self.token_url.as_ref())), ("client_id", is_given(self.client_id.as_ref()))]
            }
            AuthType::OAuth2JwtBearer => {
                &[("assertion_issuer", is_given(self.assertion_issuer.as_ref()) || is_given(self.client_id.as_ref()))]
            }
            AuthType::BearerTokenExchange => &[("exchange_url", is_given(self.exchange_url.as_ref()))],
        };
        for (name, given) in needs {
            if !given {
                let or = if *name == "assertion_issuer" { " (or `client_id` in its place)" } else { "" };
                faults.field(*name, |faults| {
                    faults.report(FaultCode::Missing, format!("is required for auth type {}{or}", self.kind.as_str()));
                });
            }
        }
    }

    fn check_fields_of_other_types(&self, faults: &mut Faults) {
        use AuthType::{
            BearerTokenExchange as Exchange, JsonTokenExchange as Json, OAuth2ClientCredentials as Client,
            OAuth2JwtBearer as Jwt,
        };
        let default = Self::new(self.kind);
        let set: [(&str, bool, &[AuthType]); 18] = [
            ("token_url", self.token_url.is_some(), &[Client, Json, Jwt]),
            ("client_id", self.client_id.is_some(), &[Client, Json, Jwt]),
            ("scopes", self.scopes.as_ref().is_some_and(|scopes| !scopes.is_empty()), &[Client, Json, Jwt]),
            ("token_request_client_id_field", self.token_request_client_id_field.is_some(), &[Client, Json]),
            ("token_request_client_secret_field", self.token_request_client_secret_field.is_some(), &[Client, Json]),
            ("token_response_path", self.token_response_path.is_some(), &[Client, Json, Jwt]),
            ("assertion_issuer", self.assertion_issuer.is_some(), &[Jwt]),
            ("assertion_subject", self.assertion_subject.is_some(), &[Jwt]),
            ("assertion_audience", self.assertion_audience.is_some(), &[Jwt]),
            (
                "token_lifetime_seconds",
                self.token_lifetime_seconds != default.token_lifetime_seconds,
                &[Client, Json, Jwt],
            ),
            ("assertion_scopes_in_jwt", self.assertion_scopes_in_jwt, &[Jwt]),
            ("exchange_url", self.exchange_url.is_some(), &[Exchange]),
            ("exchange_secret_header", self.exchange_secret_header != default.exchange_secret_header, &[Exchange]),
            ("exchange_secret_format", self.exchange_secret_format != default.exchange_secret_format, &[Exchange]),
            ("exchange_param_headers", !self.exchange_param_headers.is_empty(), &[Exchange]),
            ("exchange_token_field", self.exchange_token_field != default.exchange_token_field, &[Exchange]),
            ("exchange_expires_in_field", self.exchange_expires_in_field.is_some(), &[Exchange]),
            (
                "exchange_default_ttl_seconds",
                self.exchange_default_ttl_seconds != default.exchange_default_ttl_seconds,
                &[Exchange],
            ),
        ];
        for (name, is_set, users) in set {
            if is_set && !users.contains(&self.kind) {
                let users: Vec<_> = users.iter().map(|kind| kind.as_str()).collect();
                faults.field(name, |faults| {
                    faults.report(
                        FaultCode::Conflict,
                        format!("is not used by auth type {}, only by {}", self.kind.as_str(), users.join(", ")),
                    );
                });
            }
        }
    }

    /// The object as the contract writes it, without secrets.
    pub fn to_json(&self) -> Json {
        let Self {
            kind,
            header_name,
            token_url,
            client_id,
            scopes,
            token_request_client_id_field,
            token_request_client_secret_field,
            token_response_path,
            assertion_issuer,
            assertion_subject,
            assertion_audience,
            token_lifetime_seconds,
            assertion_scopes_in_jwt,
            exchange_url,
            exchange_secret_header,
            exchange_secret_format,
            exchange_param_headers,
            exchange_token_field,
            exchange_expires_in_field,
            exchange_default_ttl_seconds,
        } = self;
        ObjectBuilder::new()
            .with("type", kind.as_str())
            .with("header_name", header_name.clone())
            .with("token_url", token_url.clone())
            .with("client_id", client_id.clone())
            .with("scopes", scopes.clone())
            .with("token_request_client_id_field", token_request_client_id_field.clone())
            .with("token_request_client_secret_field", token_request_client_secret_field.clone())
            .with("token_response_path", token_response_path.clone())
            .with("assertion_issuer", assertion_issuer.clone())
            .with("assertion_subject", assertion_subject.clone())
            .with("assertion_audience", assertion_audience.clone())
            .with("token_lifetime_seconds", *token_lifetime_seconds)
            .with("assertion_scopes_in_jwt", *assertion_scopes_in_jwt)
            .with("exchange_url", exchange_url.clone())
            .with("exchange_secret_header", exchange_secret_header.clone())
            .with("exchange_secret_format", exchange_secret_format.clone())
            .with("exchange_param_headers", exchange_param_headers.iter().map(mapping_to_json).collect::<Json>())
            .with("exchange_token_field", exchange_token_field.clone())
            .with("exchange_expires_in_field", exchange_expires_in_field.clone())
            .with("exchange_default_ttl_seconds", *exchange_default_ttl_seconds)
            .into()
    }
}

fn mapping_to_json(mapping: &ExchangeHeaderMapping) -> Json {
    let ExchangeHeaderMapping { header_name, param_name, consume, required } = mapping;
    ObjectBuilder::new()
        .with("header_name", header_name.clone())
        .with("param_name", param_name.clone())
        .with("consume", *consume)
        .with("required", *required)
        .into()
}

fn read_mapping(value: &Json, faults: &mut Faults) -> Option<ExchangeHeaderMapping> {
    let mut fields = Fields::open(value, faults)?;
    let header_name = fields.required("header_name", faults, text);
    let param_name = fields.required("param_name", faults, text);
    let consume = fields.optional("consume", faults, flag).unwrap_or(true);
    let required = fields.optional("required", faults, flag).unwrap_or(true);
    fields.close(faults);
    Some(ExchangeHeaderMapping { header_name: header_name?, param_name: param_name?, consume, required })
}

fn read_secret(value: &Json, faults: &mut Faults) -> Option<SecretString> {
    let mut fields = Fields::open(value, faults)?;
    let secret = fields.required("value", faults, |value, faults| {
        let secret = text(value, faults)?;
        rules::length(&secret, 1, 8192, faults);
        Some(secret)
    });
    fields.close_unnamed(faults);
    secret.map(SecretString::from)
}

/// Checks the secrets that were given against the type: the needed one is there, no other is.
pub(super) fn check_secrets(auth: Option<&AuthConfig>, secrets: &Secrets, faults: &mut Faults) {
    let Some(auth) = auth else {
        for (name, _) in secrets.iter() {
            faults.field(name.field(), |faults| faults.report(FaultCode::Conflict, "is given, but `auth` has no type"));
        }
        return;
    };
    let needed = auth.kind.required_secret();
    if secrets.get(needed).is_none() {
        faults.field(needed.field(), |faults| {
            faults.report(FaultCode::Missing, format!("is required for auth type {}", auth.kind.as_str()));
        });
    }
    for (name, _) in secrets.iter().filter(|(name, _)| !auth.kind.takes_secret(*name)) {
        faults.field(name.field(), |faults| {
            faults.report(
                FaultCode::Conflict,
                format!("is not used by auth type {}, which needs {}", auth.kind.as_str(), needed.field()),
            );
        });
    }
}

fn check_secret_format(format: &str, faults: &mut Faults) {
    rules::length(format, 8, 128, faults);
    let rest = format.replacen("{secret}", "", 1);
    if rest.len() == format.len() || rest.contains(['{', '}']) {
        faults.report(FaultCode::Pattern, "must hold `{secret}` once and no other braces");
    }
    rules::header_value(format, faults);
}

fn is_given(value: Option<&String>) -> bool {
    value.is_some_and(|value| !value.is_empty())
}

fn at_least(value: u64, min: u64, faults: &mut Faults) {
    if value < min {
        faults.report(FaultCode::OutOfRange, format!("must be at least {min}, not {value}"));
    }
}

fn at_most(value: u64, max: u64, faults: &mut Faults) {
    if value > max {
        faults.report(FaultCode::OutOfRange, format!("must be at most {max}, not {value}"));
    }
}

fn set<T>(target: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *target = value;
    }
}

fn on(faults: &mut Faults, field: &'static str, value: Option<&str>, rule: impl FnOnce(&str, &mut Faults)) {
    if let Some(value) = value {
        faults.field(field, |faults| rule(value, faults));
    }
}
