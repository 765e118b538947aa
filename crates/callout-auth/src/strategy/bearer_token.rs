//! `bearer_token`: a token that does not change (RFC 6750 section 2.1).
//!
//! ```text
//! GET /v1/things HTTP/1.1
//! Authorization: Bearer <bearer_token>
//! ```
//!
//! `header_name` puts it, `Bearer ` included, into another header. Nothing is asked for and nothing is
//! cached. A 401 is final: the same token would be refused again.

use std::{fmt, sync::Arc};

use callout_core::{
    fault::Faults,
    secret::{SecretName, Secrets},
};

use super::secret_header;
use crate::token::{Token, bearer};

/// See the module.
pub(crate) struct BearerToken(Arc<Token>);

impl BearerToken {
    pub(super) fn compile(secrets: &Secrets, faults: &mut Faults) -> Option<Self> {
        secret_header(secrets, SecretName::BearerToken, faults, bearer).map(|value| Self(Arc::new(Token::fixed(value))))
    }

    /// What stands in the header.
    pub(crate) fn token(&self) -> &Arc<Token> {
        &self.0
    }
}

impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(_) = self; // secret
        f.debug_struct("BearerToken").finish_non_exhaustive()
    }
}
