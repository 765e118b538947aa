//! `json_token_exchange`: client id and secret as JSON, for endpoints that follow no standard.
//!
//! ```text
//! POST /login HTTP/1.1
//! Content-Type: application/json
//! Accept: application/json
//!
//! {"client_id": "…", "client_secret": "…", "scope": "a b"}
//! ```
//!
//! `token_request_client_id_field` and `token_request_client_secret_field` name the first two fields;
//! `scope` is there if there are scopes. The answer is read as RFC 6749 section 5.1 has it, the token at
//! `token_response_path`.

use std::fmt;

use callout_core::{
    config::AuthConfig,
    fault::Faults,
    json::ObjectBuilder,
    limits::Limits,
    secret::{ExposeSecret, SecretName, SecretString, Secrets},
};

use super::{client_fields, given, joined_scopes};
use crate::{
    answer::AnswerRules,
    endpoint::{TokenEndpoint, TokenRequest},
};

/// See the module.
pub(crate) struct JsonTokenExchange {
    endpoint: TokenEndpoint,
    id_field: String,
    id: String,
    secret_field: String,
    secret: SecretString,
    scope: Option<String>,
}

impl JsonTokenExchange {
    pub(super) fn compile(
        config: &AuthConfig,
        secrets: &Secrets,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let path = config.token_response_path.as_deref();
        let answer = AnswerRules::oauth(config.kind, path, config.token_lifetime_seconds, limits, faults);
        let scope = joined_scopes(config);
        let others: &[&str] = if scope.is_some() { &["scope"] } else { &[] };
        let fields = client_fields(config, others, faults);
        let endpoint = TokenEndpoint::new(given(config.token_url.as_ref()), answer?);
        let (id_field, secret_field) = fields?;
        Some(Self {
            endpoint: endpoint?,
            id_field,
            id: given(config.client_id.as_ref())?.to_owned(),
            secret_field,
            secret: secrets.get(SecretName::ClientSecret)?.clone(),
            scope,
        })
    }

    pub(super) fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    pub(super) fn request(&self) -> TokenRequest {
        let mut body = ObjectBuilder::new()
            .with(self.id_field.as_str(), self.id.as_str())
            .with(self.secret_field.as_str(), self.secret.expose_secret());
        if let Some(scope) = &self.scope {
            body.insert("scope", scope.as_str());
        }
        self.endpoint.json(&body.into())
    }
}

impl fmt::Debug for JsonTokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, id_field, id, secret_field, secret: _, scope } = self; // secret
        f.debug_struct("JsonTokenExchange")
            .field("endpoint", endpoint)
            .field("id_field", id_field)
            .field("id", id)
            .field("secret_field", secret_field)
            .field("scope", scope)
            .finish_non_exhaustive()
    }
}
