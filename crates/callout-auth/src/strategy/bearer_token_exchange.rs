//! `bearer_token_exchange`: a secret and values of params in headers, for a token.
//!
//! ```text
//! POST /exchange HTTP/1.1
//! X-API-KEY: <exchange_secret>
//! X-User: <param user>
//! Accept: application/json
//! Content-Length: 0
//! ```
//!
//! `exchange_secret_header` and `exchange_secret_format` say how the secret stands there,
//! `exchange_param_headers` which params stand beside it. The answer:
//!
//! ```text
//! {"token": "…"}
//! ```
//!
//! The token stands at `exchange_token_field`. Its lifetime stands at `exchange_expires_in_field`; if
//! that is not set, it is `exchange_default_ttl_seconds` whatever the answer says.

use std::fmt;

use callout_core::{
    config::{AuthConfig, rules},
    fault::Faults,
    limits::Limits,
    secret::{SecretName, Secrets},
};
use http::{HeaderName, HeaderValue};

use super::{given, secret_header};
use crate::{
    answer::AnswerRules,
    endpoint::{TokenEndpoint, TokenRequest},
    token::sensitive,
};

/// See the module.
pub(crate) struct BearerTokenExchange {
    endpoint: TokenEndpoint,
    secret_name: HeaderName,
    secret: HeaderValue,
}

impl BearerTokenExchange {
    pub(super) fn compile(
        config: &AuthConfig,
        secrets: &Secrets,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let answer = AnswerRules::exchange(
            &config.exchange_token_field,
            config.exchange_expires_in_field.as_deref(),
            config.exchange_default_ttl_seconds,
            limits,
            faults,
        );
        let format = &config.exchange_secret_format;
        // What is wrong with the format is told by the config's check, and is no fault of the secret.
        let is_sendable = rules::is_header_value(format);
        let secret = secret_header(secrets, SecretName::ExchangeSecret, faults, |secret| {
            if is_sendable { sensitive(&format.replace("{secret}", secret)) } else { sensitive(secret) }
        });
        let secret = secret.filter(|_| is_sendable);
        Some(Self {
            endpoint: TokenEndpoint::new(given(config.exchange_url.as_ref()), answer?)?,
            secret_name: config.exchange_secret_header.parse().ok()?,
            secret: secret?,
        })
    }

    pub(super) fn endpoint(&self) -> &TokenEndpoint {
        &self.endpoint
    }

    pub(super) fn request(&self, param_headers: &[(HeaderName, HeaderValue)]) -> TokenRequest {
        let mut request = self.endpoint.empty();
        for (name, value) in param_headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        // Last: no param has a say in it.
        request.headers_mut().insert(self.secret_name.clone(), self.secret.clone());
        request
    }
}

impl fmt::Debug for BearerTokenExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, secret_name, secret: _ } = self; // secret
        f.debug_struct("BearerTokenExchange")
            .field("endpoint", endpoint)
            .field("secret_name", secret_name)
            .finish_non_exhaustive()
    }
}
