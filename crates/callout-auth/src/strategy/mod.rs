//! The six ways to authenticate. Those that get a token have a file each, which shows what goes over the wire.
//!
//! The other two put a secret that does not change into a header. Nothing is asked for and nothing is cached, and
//! a 401 is final: the same secret would be refused again. `api_key_header` sends it verbatim, in a header of any
//! name:
//!
//! ```text
//! GET /v1/things HTTP/1.1
//! X-Api-Key: <api_key>
//! ```
//!
//! `bearer_token` sends it as RFC 6750 section 2.1 has it. `header_name` puts it, `Bearer ` included, into another
//! header:
//!
//! ```text
//! GET /v1/things HTTP/1.1
//! Authorization: Bearer <bearer_token>
//! ```

mod bearer_token_exchange;
mod client_credentials;
mod json_token_exchange;
mod jwt_bearer;

use std::sync::Arc;

use callout_core::{
    Error,
    config::{AuthConfig, AuthType},
    fault::{FaultCode, Faults},
    limits::Limits,
    secret::{ExposeSecret, SecretName, Secrets},
    time::SharedRng,
};
use http::{HeaderName, HeaderValue};

use self::{
    bearer_token_exchange::BearerTokenExchange, client_credentials::ClientCredentials,
    json_token_exchange::JsonTokenExchange, jwt_bearer::JwtBearer,
};
use crate::{
    endpoint::{Issued, Wire},
    token::{Token, bearer, sensitive},
};

/// How an integration authenticates, ready for use.
#[derive(Debug)]
pub(crate) enum Strategy {
    /// The secret of `api_key_header` or `bearer_token`, as it stands in its header.
    Static(Arc<Token>),
    /// The types that ask for a token or sign one; a fetch holds it while it runs.
    Token(Arc<TokenStrategy>),
}

/// The types that ask for a token or sign one.
#[derive(Debug)]
pub(crate) enum TokenStrategy {
    /// See `client_credentials.rs`.
    ClientCredentials(ClientCredentials),
    /// See `json_token_exchange.rs`.
    JsonTokenExchange(JsonTokenExchange),
    /// See `jwt_bearer.rs`.
    JwtBearer(JwtBearer),
    /// See `bearer_token_exchange.rs`.
    BearerTokenExchange(BearerTokenExchange),
}

impl Strategy {
    /// Compiles the type that `config` names, standing at `auth`. Reports what the config's check
    /// cannot see; `None` if there is anything that it cannot be used with.
    pub(crate) fn compile(
        config: &AuthConfig,
        secrets: &Secrets,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let fixed = |value| Self::Static(Arc::new(Token::fixed(value)));
        let token = |strategy| Self::Token(Arc::new(strategy));
        Some(match config.kind {
            AuthType::ApiKeyHeader => fixed(secret_header(secrets, SecretName::ApiKey, faults, sensitive)?),
            AuthType::BearerToken => fixed(secret_header(secrets, SecretName::BearerToken, faults, bearer)?),
            AuthType::OAuth2ClientCredentials => {
                token(TokenStrategy::ClientCredentials(ClientCredentials::compile(config, secrets, limits, faults)?))
            }
            AuthType::JsonTokenExchange => {
                token(TokenStrategy::JsonTokenExchange(JsonTokenExchange::compile(config, secrets, limits, faults)?))
            }
            AuthType::OAuth2JwtBearer => {
                token(TokenStrategy::JwtBearer(JwtBearer::compile(config, secrets, limits, faults)?))
            }
            AuthType::BearerTokenExchange => token(TokenStrategy::BearerTokenExchange(BearerTokenExchange::compile(
                config, secrets, limits, faults,
            )?)),
        })
    }

    /// What must not be shown besides the secrets as they were given: how they stand on the wire.
    pub(crate) fn derived_secrets(&self) -> Option<&str> {
        match self {
            Self::Static(_) => None,
            Self::Token(strategy) => match strategy.as_ref() {
                TokenStrategy::ClientCredentials(strategy) => strategy.basic_credentials(),
                TokenStrategy::JsonTokenExchange(_)
                | TokenStrategy::JwtBearer(_)
                | TokenStrategy::BearerTokenExchange(_) => None,
            },
        }
    }
}

impl TokenStrategy {
    /// Gets a new token: one token call with its retries, or a signature.
    ///
    /// # Errors
    ///
    /// Those of [`crate::endpoint::TokenEndpoint::ask`]; `auth_failed` if signing fails.
    pub(crate) async fn issue(
        &self,
        param_headers: &[(HeaderName, HeaderValue)],
        rng: &SharedRng,
        wire: &Wire,
    ) -> Result<Issued, Error> {
        match self {
            Self::ClientCredentials(strategy) => strategy.endpoint().ask(|| Ok(strategy.request()), wire).await,
            Self::JsonTokenExchange(strategy) => strategy.endpoint().ask(|| Ok(strategy.request()), wire).await,
            Self::JwtBearer(strategy) => match strategy.endpoint() {
                Some(endpoint) => endpoint.ask(|| strategy.request(endpoint, &wire.clock, rng), wire).await,
                None => strategy.issue(&wire.clock, rng),
            },
            Self::BearerTokenExchange(strategy) => {
                strategy.endpoint().ask(|| Ok(strategy.request(param_headers)), wire).await
            }
        }
    }
}

/// A secret as a header's value, made by `form` from it. Reports one that cannot stand in a header.
fn secret_header(
    secrets: &Secrets,
    name: SecretName,
    faults: &mut Faults,
    form: impl FnOnce(&str) -> Option<HeaderValue>,
) -> Option<HeaderValue> {
    let value = form(secrets.get(name)?.expose_secret());
    if value.is_none() {
        faults.field(name.field(), |faults| {
            faults.report(
                FaultCode::Pattern,
                "is sent in a header and must not hold line breaks or other control characters",
            );
        });
    }
    value
}

/// What a config leaves open is written as nothing in some and as an empty text in others.
fn given(text: Option<&String>) -> Option<&str> {
    text.map(String::as_str).filter(|text| !text.is_empty())
}

/// The scopes joined by spaces (RFC 6749 section 3.3), if there are any.
fn joined_scopes(config: &AuthConfig) -> Option<String> {
    config.scopes.as_ref().filter(|scopes| !scopes.is_empty()).map(|scopes| scopes.join(" "))
}

/// The names of the client's fields in a request's body, which must differ from each other and from
/// the request's other fields.
fn client_fields(config: &AuthConfig, others: &[&str], faults: &mut Faults) -> Option<(String, String)> {
    let id = config.token_request_client_id_field.as_deref().unwrap_or("client_id");
    let secret = config.token_request_client_secret_field.as_deref().unwrap_or("client_secret");
    let before = faults.len();
    for (field, name) in [("token_request_client_id_field", id), ("token_request_client_secret_field", secret)] {
        if others.contains(&name) {
            faults.field(field, |faults| {
                faults
                    .report(FaultCode::Conflict, format!("must not be `{name}`, which the token request has already"));
            });
        }
    }
    if id == secret {
        faults.field("token_request_client_secret_field", |faults| {
            faults.report(FaultCode::Conflict, format!("must not be `{id}`, the client id's field"));
        });
    }
    (faults.len() == before).then(|| (id.to_owned(), secret.to_owned()))
}
