//! `api_key_header`: the secret, verbatim, in a header of any name.
//!
//! ```text
//! GET /v1/things HTTP/1.1
//! X-Api-Key: <api_key>
//! ```
//!
//! Nothing is asked for and nothing is cached. A 401 is final: the same key would be refused again.

use std::{fmt, sync::Arc};

use callout_core::{
    fault::Faults,
    secret::{SecretName, Secrets},
};

use super::secret_header;
use crate::token::{Token, sensitive};

/// See the module.
pub(crate) struct ApiKeyHeader(Arc<Token>);

impl ApiKeyHeader {
    pub(super) fn compile(secrets: &Secrets, faults: &mut Faults) -> Option<Self> {
        secret_header(secrets, SecretName::ApiKey, faults, sensitive).map(|value| Self(Arc::new(Token::fixed(value))))
    }

    /// What stands in the header.
    pub(crate) fn token(&self) -> &Arc<Token> {
        &self.0
    }
}

impl fmt::Debug for ApiKeyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self; // secret
        f.debug_struct("ApiKeyHeader").finish_non_exhaustive()
    }
}
