//! `oauth2_jwt_bearer`: a signed assertion, exchanged for a token (RFC 7523 section 2.1) or used as one.
//!
//! ```text
//! POST /token HTTP/1.1
//! Content-Type: application/x-www-form-urlencoded
//! Accept: application/json
//!
//! grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=<JWT>
//! ```
//!
//! The JWT's header is `alg`, `typ` and, if the key has an id, `kid`; its claims are
//!
//! | claim | value |
//! |---|---|
//! | `iss` | `assertion_issuer`, else `client_id` |
//! | `sub` | `assertion_subject`, else the issuer |
//! | `aud` | `assertion_audience`, else `token_url`, else none |
//! | `scope` | the scopes, if `assertion_scopes_in_jwt` |
//! | `iat` | now |
//! | `exp` | `iat` + `token_lifetime_seconds` |
//! | `jti` | 128 random bits; new with each attempt, as `iat` is |
//!
//! The form has `scope` too, unless the scopes stand in the JWT; `client_id`, if it is set beside
//! `assertion_issuer`; and `client_secret`, if that secret is given. The answer is read as RFC 6749
//! section 5.1 has it.
//!
//! Without `token_url` nothing is asked for: the JWT itself is the token until it nears its `exp`, and
//! the scopes, having no other place, stand in it.

use std::fmt::{self, Write};

use callout_core::{
    Error, ErrorKind,
    config::AuthConfig,
    fault::{FaultCode, Faults},
    json::{Json, ObjectBuilder},
    limits::Limits,
    secret::{ExposeSecret, SecretName, SecretString, Secrets},
    time::{SharedClock, SharedRng},
};

use super::{given, joined_scopes};
use crate::{
    answer::{AnswerRules, Granted, Lifetime, lifetime_of},
    endpoint::{Issued, TokenEndpoint, TokenRequest},
    private_key::SigningKey,
};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// See the module.
pub(crate) struct JwtBearer {
    endpoint: Option<TokenEndpoint>,
    key: SigningKey,
    issuer: String,
    subject: String,
    audience: Option<String>,
    lifetime_seconds: u64,
    scope: Option<String>,
    scope_in_jwt: bool,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
}

impl JwtBearer {
    pub(super) fn compile(
        config: &AuthConfig,
        secrets: &Secrets,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let path = config.token_response_path.as_deref();
        let answer = AnswerRules::oauth(config.kind, path, config.token_lifetime_seconds, limits, faults);
        let key = secrets.get(SecretName::PrivateKey).and_then(|pem| {
            let read = SigningKey::parse(pem.expose_secret());
            read.map_err(|what| {
                faults.field(SecretName::PrivateKey.field(), |faults| faults.report(FaultCode::Key, what));
            })
            .ok()
        });
        let token_url = given(config.token_url.as_ref());
        let endpoint = match token_url {
            Some(url) => Some(TokenEndpoint::new(Some(url), answer?)?),
            None => None,
        };
        let named = given(config.assertion_issuer.as_ref());
        let client_id = given(config.client_id.as_ref());
        let issuer = named.or(client_id)?;
        Some(Self {
            scope_in_jwt: config.assertion_scopes_in_jwt || endpoint.is_none(),
            endpoint,
            key: key?,
            issuer: issuer.to_owned(),
            subject: given(config.assertion_subject.as_ref()).unwrap_or(issuer).to_owned(),
            audience: given(config.assertion_audience.as_ref()).or(token_url).map(str::to_owned),
            lifetime_seconds: config.token_lifetime_seconds,
            scope: joined_scopes(config),
            client_id: named.and(client_id).map(str::to_owned),
            client_secret: secrets.get(SecretName::ClientSecret).cloned(),
        })
    }

    pub(super) fn endpoint(&self) -> Option<&TokenEndpoint> {
        self.endpoint.as_ref()
    }

    pub(super) fn request(
        &self,
        endpoint: &TokenEndpoint,
        clock: &SharedClock,
        rng: &SharedRng,
    ) -> Result<TokenRequest, Error> {
        let assertion = self.assertion(clock, rng)?;
        let mut fields = vec![("grant_type", GRANT_TYPE), ("assertion", &assertion)];
        if let Some(scope) = self.scope.as_ref().filter(|_| !self.scope_in_jwt) {
            fields.push(("scope", scope));
        }
        if let Some(id) = &self.client_id {
            fields.push(("client_id", id));
        }
        if let Some(secret) = &self.client_secret {
            fields.push(("client_secret", secret.expose_secret()));
        }
        Ok(endpoint.form(fields).with_assertion(assertion))
    }

    /// The assertion as the token itself.
    pub(super) fn issue(&self, clock: &SharedClock, rng: &SharedRng) -> Result<Issued, Error> {
        let since = clock.now();
        let token = self.assertion(clock, rng)?;
        let lifetime = Lifetime::For(lifetime_of(self.lifetime_seconds));
        Ok(Issued { granted: Granted { token, lifetime }, since })
    }

    fn assertion(&self, clock: &SharedClock, rng: &SharedRng) -> Result<String, Error> {
        let issued_at = clock.unix().as_secs();
        let mut claims = ObjectBuilder::new().with("iss", self.issuer.as_str()).with("sub", self.subject.as_str());
        if let Some(audience) = &self.audience {
            claims.insert("aud", audience.as_str());
        }
        if let Some(scope) = self.scope.as_ref().filter(|_| self.scope_in_jwt) {
            claims.insert("scope", scope.as_str());
        }
        claims.insert("iat", issued_at);
        claims.insert("exp", issued_at.saturating_add(self.lifetime_seconds));
        claims.insert("jti", unique(rng));
        self.key
            .sign(&Json::from(claims))
            .map_err(|_| Error::new(ErrorKind::AuthFailed, "the private key could not sign the assertion"))
    }
}

impl fmt::Debug for JwtBearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            endpoint,
            key,
            issuer,
            subject,
            audience,
            lifetime_seconds,
            scope,
            scope_in_jwt,
            client_id,
            client_secret: _, // secret
        } = self;
        f.debug_struct("JwtBearer")
            .field("endpoint", endpoint)
            .field("key", key)
            .field("issuer", issuer)
            .field("subject", subject)
            .field("audience", audience)
            .field("lifetime_seconds", lifetime_seconds)
            .field("scope", scope)
            .field("scope_in_jwt", scope_in_jwt)
            .field("client_id", client_id)
            .finish_non_exhaustive()
    }
}

fn unique(rng: &SharedRng) -> String {
    let mut bytes = [0; 16];
    rng.fill(&mut bytes);
    bytes.iter().fold(String::with_capacity(32), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
