//! `oauth2_client_credentials`: the client's own grant (RFC 6749 section 4.4).
//!
//! The client stands in HTTP Basic, id and secret form-encoded before they are joined (section 2.3.1):
//!
//! ```text
//! POST /token HTTP/1.1
//! Authorization: Basic base64(form(client_id):form(client_secret))
//! Content-Type: application/x-www-form-urlencoded
//! Accept: application/json
//!
//! grant_type=client_credentials&scope=a+b
//! ```
//!
//! or, if `token_request_client_id_field` or `token_request_client_secret_field` is set, in the body;
//! the one that is not set keeps its name, `client_id` or `client_secret`:
//!
//! ```text
//! POST /token HTTP/1.1
//! Content-Type: application/x-www-form-urlencoded
//! Accept: application/json
//!
//! grant_type=client_credentials&client_id=…&client_secret=…&scope=a+b
//! ```
//!
//! The answer (section 5.1), its token at `token_response_path`:
//!
//! ```text
//! {"access_token": "…", "token_type": "Bearer", "expires_in": 3600}
//! ```

use std::fmt;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use callout_core::{
    config::AuthConfig,
    fault::Faults,
    limits::Limits,
    secret::{ExposeSecret, SecretName, SecretString, Secrets},
};
use form_urlencoded::byte_serialize;
use http::{HeaderValue, header::AUTHORIZATION};

use super::{client_fields, given, joined_scopes};
use crate::{
    answer::AnswerRules,
    endpoint::{TokenEndpoint, TokenRequest},
    token::sensitive,
};

/// See the module.
#[derive(Debug)]
pub(crate) struct ClientCredentials {
    endpoint: TokenEndpoint,
    client: Client,
    scope: Option<String>,
}

/// Where the client says who it is.
enum Client {
    Basic { header: HeaderValue, credentials: SecretString },
    Body { id_field: String, id: String, secret_field: String, secret: SecretString },
}

impl ClientCredentials {
    pub(super) fn compile(
        config: &AuthConfig,
        secrets: &Secrets,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let path = config.token_response_path.as_deref();
        let answer = AnswerRules::oauth(config.kind, path, config.token_lifetime_seconds, limits, faults);
        let fields = client_fields(config, &["grant_type", "scope"], faults);
        let endpoint = TokenEndpoint::new(given(config.token_url.as_ref()), answer?);
        let id = given(config.client_id.as_ref())?.to_owned();
        let secret = secrets.get(SecretName::ClientSecret)?.clone();
        let (id_field, secret_field) = fields?;
        let in_body =
            config.token_request_client_id_field.is_some() || config.token_request_client_secret_field.is_some();
        let client = if in_body {
            Client::Body { id_field, id, secret_field, secret }
        } else {
            Client::basic(&id, secret.expose_secret())?
        };
        Some(Self { endpoint: endpoint?, client, scope: joined_scopes(config) })
    }

    pub(super) fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    /// What follows `Basic `, if it is used.
    pub(super) fn basic_credentials(&self) -> Option<&str> {
        match &self.client {
            Client::Basic { credentials, .. } => Some(credentials.expose_secret()),
            Client::Body { .. } => None,
        }
    }

    pub(super) fn request(&self) -> TokenRequest {
        let mut fields = vec![("grant_type", "client_credentials")];
        if let Client::Body { id_field, id, secret_field, secret } = &self.client {
            fields.push((id_field, id));
            fields.push((secret_field, secret.expose_secret()));
        }
        if let Some(scope) = &self.scope {
            fields.push(("scope", scope));
        }
        let mut request = self.endpoint.form(fields);
        if let Client::Basic { header, .. } = &self.client {
            request.headers_mut().insert(AUTHORIZATION, header.clone());
        }
        request
    }
}

impl Client {
    fn basic(id: &str, secret: &str) -> Option<Self> {
        let mut pair: String = byte_serialize(id.as_bytes()).collect();
        pair.push(':');
        pair.extend(byte_serialize(secret.as_bytes()));
        let credentials = BASE64_STANDARD.encode(pair);
        Some(Self::Basic { header: sensitive(&format!("Basic {credentials}"))?, credentials: credentials.into() })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { header: _, credentials: _ } => f.debug_struct("Basic").finish_non_exhaustive(), // secrets
            Self::Body { id_field, id, secret_field, secret: _ } => f
                .debug_struct("Body")
                .field("id_field", id_field)
                .field("id", id)
                .field("secret_field", secret_field)
                .finish_non_exhaustive(),
        }
    }
}
