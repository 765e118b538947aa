//! Integrations as written: the types of the HTTP contract, read from JSON with every fault at once.
//!
//! [`IntegrationConfig::read`] turns a create-integration body into a config and the secrets that
//! stand in it. [`IntegrationConfig::check`] holds the rules on names, lengths, URLs, headers and on
//! what each auth type needs. What needs a parser (paths, schemas, templates, keys) is checked where
//! it is compiled, by the engine's `load`; it reports into the same [`Faults`].

mod auth;
mod endpoint;
mod origins;
mod reader;
pub mod rules;

pub use auth::{AuthConfig, AuthType, ExchangeHeaderMapping};
pub use endpoint::{BodyFormat, Delivery, EndpointConfig, Method, RequestTransform, RetryConfig};
pub use reader::UnknownFields;
use reader::{Fields, flag, list_of, text, word};

use crate::{
    fault::{FaultCode, Faults},
    json::{Json, ObjectBuilder},
    limits::Limits,
    secret::Secrets,
};

/// Most endpoints of one integration.
pub const MAX_ENDPOINTS: usize = 50;

/// Stands for a `base_url` that could not be read. It is no URL, but not the absence of one either: paths to be
/// joined to it are not asked to be whole URLs.
const UNREADABLE_BASE_URL: &str = "unreadable";

/// How an integration is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// Over HTTP. The default.
    #[default]
    Rest,
    /// On a person's machine: such integrations are stored and listed, never called from here.
    Desktop,
}

impl Protocol {
    /// All of them, in the contract's order.
    pub const ALL: [Self; 2] = [Self::Rest, Self::Desktop];

    /// The contract's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Desktop => "desktop",
        }
    }
}

/// One integration as written, secrets aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IntegrationConfig {
    /// Its name: lower-case letters, digits, `_` and `-`, 2 to 128 characters.
    pub name: String,
    /// Its name for people, 1 to 256 characters.
    pub display_name: String,
    /// How it is reached. Default `rest`.
    pub protocol: Protocol,
    /// Where the API is; empty if every endpoint's path is a whole URL. At most 2,048 characters.
    pub base_url: String,
    /// How to authenticate; `None` for not at all.
    pub auth: Option<AuthConfig>,
    /// At most 50.
    pub endpoints: Vec<EndpointConfig>,
    /// Whether it may be called. Default true.
    pub enabled: bool,
}

impl IntegrationConfig {
    /// An integration without auth and endpoints.
    pub fn new(name: impl Into<String>, base_url: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            display_name: name.clone(),
            name,
            protocol: Protocol::default(),
            base_url: base_url.into(),
            auth: None,
            endpoints: Vec::new(),
            enabled: true,
        }
    }

    /// With that way to authenticate.
    #[must_use]
    pub fn with_auth(mut self, auth: AuthConfig) -> Self {
        self.auth = Some(auth);
        self
    }

    /// With that endpoint added.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: EndpointConfig) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Reads a create-integration body: the config, and the secrets that stand in it.
    ///
    /// Everything that is wrong with its shape goes into `faults`, and what has faults is left out
    /// of the result, as if it had not been written: what was read with faults must not be called.
    /// `None` where nothing can be made of it. The rules of [`IntegrationConfig::check`] are not applied yet.
    ///
    /// To load an integration is one call, `load_json` of the engine. This is for programs that
    /// show, change or store a config.
    pub fn read(value: &Json, unknown: UnknownFields, faults: &mut Faults) -> Option<(Self, Secrets)> {
        let mut fields = Fields::open(value, faults)?;
        let name = fields.required("name", faults, text);
        let display_name = fields.required("display_name", faults, text);
        let protocol = word(&Protocol::ALL, Protocol::as_str);
        let protocol = fields.optional("protocol", faults, protocol).unwrap_or_default();
        let base_url = |value: &Json, faults: &mut Faults| {
            Some(text(value, faults).unwrap_or_else(|| UNREADABLE_BASE_URL.to_owned()))
        };
        let base_url = fields.optional("base_url", faults, base_url).unwrap_or_default();
        let auth = fields.nullable("auth", faults, AuthConfig::read);
        let endpoint = |value: &Json, faults: &mut Faults| Some(EndpointConfig::read(value, unknown, faults));
        let endpoints =
            fields.optional("endpoints", faults, list_of(MAX_ENDPOINTS, "endpoints", endpoint)).unwrap_or_default();
        let enabled = fields.optional("enabled", faults, flag).unwrap_or(true);
        if unknown == UnknownFields::Refuse {
            fields.close(faults);
        }
        let (auth, secrets) = match auth {
            Some((auth, secrets)) => (Some(auth), secrets),
            None => (None, Secrets::new()),
        };
        // Endpoints that could not be read keep their position, so that later faults name the right one.
        let unreadable = || EndpointConfig::new(String::new(), String::new(), String::new());
        let config = Self {
            name: name.unwrap_or_default(),
            display_name: display_name.unwrap_or_default(),
            protocol,
            base_url,
            auth,
            endpoints: endpoints.into_iter().map(|endpoint| endpoint.unwrap_or_else(unreadable)).collect(),
            enabled,
        };
        Some((config, secrets))
    }

    /// Checks every rule that needs no parser of paths, schemas, templates or keys. Places that have
    /// a fault already get no second one ([`Faults::absorb`]).
    pub fn check(&self, secrets: &Secrets, limits: &Limits, faults: &mut Faults) {
        let mut found = Faults::new();
        found.field("name", |faults| rules::integration_name(&self.name, faults));
        found.field("display_name", |faults| rules::length(&self.display_name, 1, 256, faults));
        if !self.base_url.is_empty() {
            found.field("base_url", |faults| rules::base_url(&self.base_url, faults));
        }
        found.field("auth", |faults| {
            if let Some(auth) = &self.auth {
                auth.check(faults);
            }
            auth::check_secrets(self.auth.as_ref(), secrets, faults);
        });
        found.field("endpoints", |faults| {
            rules::at_most(self.endpoints.len(), MAX_ENDPOINTS, "endpoints", faults);
            for (at, endpoint) in self.endpoints.iter().take(MAX_ENDPOINTS).enumerate() {
                faults.index(at, |faults| {
                    endpoint.check(limits, faults);
                    if !endpoint.name.is_empty() && self.endpoints[..at].iter().any(|other| other.name == endpoint.name)
                    {
                        faults.field("name", |faults| {
                            faults.report(FaultCode::Duplicate, format!("{:?} stands twice", endpoint.name));
                        });
                    }
                });
            }
        });
        faults.absorb(found);
    }

    /// The body as the contract writes it, without secrets.
    pub fn to_json(&self) -> Json {
        let Self { name, display_name, protocol, base_url, auth, endpoints, enabled } = self;
        ObjectBuilder::new()
            .with("name", name.clone())
            .with("display_name", display_name.clone())
            .with("protocol", protocol.as_str())
            .with("base_url", base_url.clone())
            .with("auth", auth.as_ref().map(AuthConfig::to_json))
            .with("endpoints", endpoints.iter().map(EndpointConfig::to_json).collect::<Json>())
            .with("enabled", *enabled)
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(body: &str) -> Vec<String> {
        let mut faults = Faults::new();
        let body = Json::parse(body).unwrap();
        if let Some((config, secrets)) = IntegrationConfig::read(&body, UnknownFields::Refuse, &mut faults) {
            config.check(&secrets, &Limits::default(), &mut faults);
        }
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_whole_config_reads_and_writes_back() {
        let body = r#"{"name":"shop","display_name":"Shop","protocol":"rest","base_url":"https://shop.example/v1","auth":{"type":"bearer_token_exchange","header_name":null,"token_url":null,"client_id":null,"scopes":null,"token_request_client_id_field":null,"token_request_client_secret_field":null,"token_response_path":null,"assertion_issuer":null,"assertion_subject":null,"assertion_audience":null,"token_lifetime_seconds":3600,"assertion_scopes_in_jwt":false,"exchange_url":"https://shop.example/token","exchange_secret_header":"X-Key","exchange_secret_format":"Key {secret}","exchange_param_headers":[{"header_name":"X-User","param_name":"user","consume":true,"required":false}],"exchange_token_field":"token","exchange_expires_in_field":"ttl","exchange_default_ttl_seconds":120},"endpoints":[{"name":"Book","description":"Books","method":"PUT","path":"/b/{id}","input_schema":{"type":"object"},"response_mapping":{"b":"x","a":"y"},"response_filter":["x","y"],"result_template":"{{ a }}","result_key":"a","max_result_length":10,"retry_config":{"max_retries":0,"retry_on_status":[500]},"result_delivery":"queue","headers":{"X-A":"1"},"body_format":"form","request_transform":{"inject":{"k":"v"},"wrap_params_key":"data"}}],"enabled":false}"#;
        let mut faults = Faults::new();
        let (config, _) =
            IntegrationConfig::read(&Json::parse(body).unwrap(), UnknownFields::Refuse, &mut faults).unwrap();
        config.check(
            &Secrets::new().with(crate::secret::SecretName::ExchangeSecret, "s"),
            &Limits::default(),
            &mut faults,
        );
        assert!(faults.is_empty(), "{faults:?}");
        assert_eq!(config.to_json().to_string(), body);
    }

    #[test]
    fn ten_faults_give_ten_places() {
        let body = r#"{"nam":"x","name":"Shop!","display_name":"","base_url":"ftp://x","enabled":"yes",
            "auth":{"type":"bearer_token","client_id":"c","bearer_token_value":{"value":""}},
            "endpoints":[{"name":"a","path":"/","description":"d","max_result_length":-1},
                         {"name":"a","description":"d","path":"/","headers":{"Host":"x"},"retry_config":{"max_retries":11}}]}"#;
        let expected = [
            "auth.bearer_token_value.value: must have at least 1 characters, not 0",
            "endpoints[0].max_result_length: must not be negative, not -1",
            "enabled: must be true or false, not string",
            "nam: there is no such field, did you mean \"name\"?",
            "name: must be lower-case letters, digits, `_` and `-`, beginning and ending with a letter or digit",
            "display_name: must have at least 1 characters, not 0",
            "base_url: must begin with http:// or https://",
            "auth.client_id: is not used by auth type bearer_token, only by oauth2_client_credentials, json_token_exchange, oauth2_jwt_bearer",
            "endpoints[1].retry_config.max_retries: must be 0 to 10, not 11",
            "endpoints[1].headers.Host: Host is set by the connection and cannot be configured",
            "endpoints[1].name: \"a\" stands twice",
        ];
        assert_eq!(faults(body), expected);
    }

    #[test]
    fn each_type_says_what_it_needs_and_what_it_does_not_take() {
        let auth = |auth: &str| faults(&format!(r#"{{"name":"ab","display_name":"x","auth":{auth}}}"#));
        let table: [(&str, &[&str]); 9] = [
            (r"{}", &["auth.type: is required"]),
            (
                r#"{"type":"api_key_header"}"#,
                &[
                    "auth.header_name: is required for auth type api_key_header",
                    "auth.api_key_value: is required for auth type api_key_header",
                ],
            ),
            (r#"{"type":"bearer_token"}"#, &["auth.bearer_token_value: is required for auth type bearer_token"]),
            (
                r#"{"type":"oauth2_client_credentials","client_secret_value":{"value":"s"}}"#,
                &[
                    "auth.token_url: is required for auth type oauth2_client_credentials",
                    "auth.client_id: is required for auth type oauth2_client_credentials",
                ],
            ),
            (
                r#"{"type":"oauth2_jwt_bearer","private_key_value":{"value":"k"},"client_secret_value":{"value":"s"}}"#,
                &["auth.assertion_issuer: is required for auth type oauth2_jwt_bearer (or `client_id` in its place)"],
            ),
            (
                r#"{"type":"bearer_token_exchange","exchange_url":"https://x.example/","exchange_secret_format":"none","exchange_default_ttl_seconds":119,"exchange_secret_value":{"value":"s"},"exchange_param_headers":[{"header_name":"x-api-key","param_name":"a b"}]}"#,
                &[
                    "auth.exchange_secret_format: must have at least 8 characters, not 4",
                    "auth.exchange_secret_format: must hold `{secret}` once and no other braces",
                    "auth.exchange_default_ttl_seconds: must be at least 120, not 119",
                    "auth.exchange_param_headers[0].header_name: carries the secret already (`exchange_secret_header`)",
                    "auth.exchange_param_headers[0].param_name: must be letters, digits, `_` and `-`",
                ],
            ),
            (
                r#"{"type":"bearer_token","bearer_token_value":{"value":"t"},"api_key_value":{"value":"k"}}"#,
                &["auth.api_key_value: is not used by auth type bearer_token, which needs bearer_token_value"],
            ),
            (
                r#"{"type":"bearer_token","bearer_token_value":{"value":"t"},"api_key_ssm_param_path":"/x"}"#,
                &["auth.api_key_ssm_param_path: there is no such field"],
            ),
            (
                r#"{"type":"basic"}"#,
                &[
                    "auth.type: must be one of api_key_header, bearer_token, oauth2_client_credentials, json_token_exchange, oauth2_jwt_bearer, bearer_token_exchange, not \"basic\"",
                ],
            ),
        ];
        for (body, expected) in table {
            assert_eq!(auth(body), expected, "{body}");
        }
    }

    #[test]
    fn fields_of_other_types_are_refused() {
        let with_client = "oauth2_client_credentials, json_token_exchange";
        let with_url = "oauth2_client_credentials, json_token_exchange, oauth2_jwt_bearer";
        let table = [
            ("token_url", r#""https://a.example/""#, with_url),
            ("client_id", r#""c""#, with_url),
            ("scopes", r#"["s"]"#, with_url),
            ("token_request_client_id_field", r#""f""#, with_client),
            ("token_request_client_secret_field", r#""f""#, with_client),
            ("token_response_path", r#""p""#, with_url),
            ("assertion_issuer", r#""i""#, "oauth2_jwt_bearer"),
            ("assertion_subject", r#""s""#, "oauth2_jwt_bearer"),
            ("assertion_audience", r#""a""#, "oauth2_jwt_bearer"),
            ("token_lifetime_seconds", "60", with_url),
            ("assertion_scopes_in_jwt", "true", "oauth2_jwt_bearer"),
            ("exchange_url", r#""https://a.example/""#, "bearer_token_exchange"),
            ("exchange_secret_header", r#""X-Key""#, "bearer_token_exchange"),
            ("exchange_secret_format", r#""Key {secret}""#, "bearer_token_exchange"),
            ("exchange_param_headers", r#"[{"header_name":"X-User","param_name":"u"}]"#, "bearer_token_exchange"),
            ("exchange_token_field", r#""t""#, "bearer_token_exchange"),
            ("exchange_expires_in_field", r#""e""#, "bearer_token_exchange"),
            ("exchange_default_ttl_seconds", "120", "bearer_token_exchange"),
        ];
        // All but those that every type has.
        let all = AuthConfig::new(AuthType::BearerToken).to_json();
        let all: Vec<_> =
            all.as_object().unwrap().keys().filter(|name| !["type", "header_name"].contains(name)).collect();
        assert_eq!(all, table.map(|(name, ..)| name));
        for (field, value, users) in table {
            for kind in AuthType::ALL.map(AuthType::as_str) {
                let body =
                    format!(r#"{{"name":"ab","display_name":"x","auth":{{"type":"{kind}","{field}":{value}}}}}"#);
                let mut found = faults(&body);
                found.retain(|fault| fault.contains("is not used by"));
                let mut expected = Vec::new();
                if !users.split(", ").any(|user| user == kind) {
                    expected.push(format!("auth.{field}: is not used by auth type {kind}, only by {users}"));
                }
                assert_eq!(found, expected, "{body}");
            }
        }
    }

    #[test]
    fn what_forms_leave_empty_is_absent() {
        let endpoint = |method: &str, transform: &str| {
            format!(
                r#""endpoints":[{{"name":"a","description":"","path":"/","method":"{method}","request_transform":{transform}}}]"#
            )
        };
        for (part, expected) in [
            (endpoint("GET", r#"{"wrap_params_key":""}"#), None),
            (endpoint("POST", r#"{"wrap_params_key":"","inject":{"":"v"}}"#), None),
            (
                endpoint("GET", r#"{"wrap_params_key":"a"}"#),
                Some("endpoints[0].request_transform: cannot be used with GET, which has no body"),
            ),
            (r#""auth":{"type":"bearer_token","bearer_token_value":{"value":"t"},"header_name":""}"#.to_owned(), None),
            (
                r#""auth":{"type":"api_key_header","api_key_value":{"value":"k"},"header_name":""}"#.to_owned(),
                Some("auth.header_name: is required for auth type api_key_header"),
            ),
        ] {
            let body = format!(r#"{{"name":"ab","display_name":"x","base_url":"https://a.example",{part}}}"#);
            assert_eq!(faults(&body), expected.into_iter().collect::<Vec<_>>(), "{part}");
        }
    }

    #[test]
    fn an_endpoint_has_so_many_headers_at_most() {
        for (count, expected) in [(64, None), (65, Some("must have at most 64 headers, not 65"))] {
            let headers: Vec<_> = (0..count).map(|at| format!(r#""X-{at}":"""#)).collect();
            let found = faults(&format!(
                r#"{{"name":"ab","display_name":"x","base_url":"https://a.example","endpoints":[
                    {{"name":"a","description":"","path":"/","headers":{{{}}}}}]}}"#,
                headers.join(",")
            ));
            let expected: Vec<_> = expected.iter().map(|why| format!("endpoints[0].headers: {why}")).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_life_of_an_assertion_is_a_second_to_a_year() {
        for (seconds, expected) in [
            (0, Some("must be at least 1, not 0")),
            (1, None),
            (31_536_000, None),
            (31_536_001, Some("must be at most 31536000, not 31536001")),
            (i64::MAX as u64, Some("must be at most 31536000, not 9223372036854775807")),
        ] {
            let found = faults(&format!(
                r#"{{"name":"ab","display_name":"x","auth":{{"type":"oauth2_jwt_bearer","assertion_issuer":"i",
                    "private_key_value":{{"value":"k"}},"token_lifetime_seconds":{seconds}}}}}"#
            ));
            let expected: Vec<_> = expected.iter().map(|why| format!("auth.token_lifetime_seconds: {why}")).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn the_contract_ignores_unknown_fields_outside_auth() {
        let body = Json::parse(r#"{"name":"ab","display_name":"x","x":1,"endpoints":[{"name":"a","description":"","path":"/","y":1}],"auth":{"type":"bearer_token","z":1}}"#).unwrap();
        let mut faults = Faults::new();
        IntegrationConfig::read(&body, UnknownFields::RefuseInAuth, &mut faults);
        assert_eq!(faults.iter().map(ToString::to_string).collect::<Vec<_>>(), ["auth.z: there is no such field"]);
    }
}
