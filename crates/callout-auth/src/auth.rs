//! Auth of one integration: from the config to the header of an attempt.

use std::{
    borrow::Cow,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use callout_core::{
    Error, ErrorKind,
    config::{AuthConfig, AuthType},
    fault::Faults,
    http::{Caller, SharedHttp},
    json::Object,
    limits::{Limits, Timeouts},
    redact::Redactor,
    secret::{ExposeSecret, SecretString, Secrets},
    time::{Deadline, SharedClock, SharedRng},
};
use futures_util::future::{Either, select};
use http::{HeaderName, HeaderValue, header::AUTHORIZATION};

use crate::{
    cache::{Entry, Holds, TokenCache},
    fetch::{Fetch, RENEWAL_PAUSE},
    key::KeySeed,
    params::{AuthParams, ParamHeaders},
    slot::{Fetched, Flight, Found, Stored},
    strategy::{Strategy, TokenStrategy},
    token::Token,
};

/// How an integration authenticates: the config's `auth`, parsed and checked, with its secrets.
///
/// Cloning is cheap. `Debug` shows no secret.
#[derive(Clone)]
pub struct Auth(Arc<Parts>);

struct Parts {
    kind: AuthType,
    owner: Caller,
    header_name: HeaderName,
    strategy: Strategy,
    params: ParamHeaders,
    redactor: Redactor,
    /// The entry of the token without params, once there was one.
    held: Holds,
}

/// What resolving a header may use, and until when.
#[derive(Clone, Copy, Debug)]
pub struct AuthContext<'a> {
    /// Sends token calls.
    pub http: &'a SharedHttp,
    /// Deadlines, `iat`.
    pub clock: &'a SharedClock,
    /// When the header is asked for: what is fresh then is used. Reading a clock can cost more than the rest of
    /// finding a cached token, and a caller knows the time as a rule.
    pub now: Instant,
    /// The `jti` of assertions.
    pub rng: &'a SharedRng,
    /// Where tokens are kept.
    pub cache: &'a TokenCache,
    /// The bounds on a token endpoint's answer.
    pub limits: &'a Limits,
    /// The bounds on a token call: the engine's, not one call's own. A token call is shared between
    /// calls and has `timeouts.call` to itself, whatever is left to the one that began it.
    pub timeouts: &'a Timeouts,
    /// Until when this caller waits.
    pub deadline: Deadline,
}

/// The value of the auth header of one attempt; [`Auth::header_name`] is its name. `Debug` shows its source only.
#[derive(Clone)]
pub struct AuthHeader {
    /// Where its credential came from.
    pub source: CredentialSource,
    token: Arc<Token>,
}

/// Where the credential of an attempt came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CredentialSource {
    /// The integration's own secret.
    Static,
    /// A token from the cache.
    Cached,
    /// A token that this call waited for; others may have waited for the same.
    Fetched,
    /// A token that this call renewed before its end.
    Renewed,
    /// A token near its end that could not be renewed.
    Kept,
}

/// A token as `callout token` shows it. `Debug` does not show the token.
#[derive(Clone)]
#[non_exhaustive]
pub struct TokenInfo {
    /// The auth type.
    pub kind: AuthType,
    /// The token; for `api_key_header` and `bearer_token` the secret itself.
    pub token: SecretString,
    /// How long it can still be used; `None` if it does not expire, or is not kept.
    pub expires_in: Option<Duration>,
    /// SHA-256 of all that decides which token it is, as hex: equal for two calls exactly if they
    /// share a token. `None` for types without a token.
    pub cache_key: Option<String>,
}

impl Auth {
    /// Compiles the `auth` of an integration; `faults` stands there.
    ///
    /// Reports what [`callout_core::config::IntegrationConfig::check`] cannot see: keys, paths, secrets
    /// that cannot stand in a header. `None` if anything cannot be used, reported here or there.
    pub fn compile(
        config: &AuthConfig,
        secrets: &Secrets,
        owner: &Caller,
        limits: &Limits,
        faults: &mut Faults,
    ) -> Option<Self> {
        let strategy = Strategy::compile(config, secrets, limits, faults)?;
        let header_name = match config.header() {
            Some(name) => name.parse().ok()?,
            None => AUTHORIZATION,
        };
        let params = ParamHeaders::compile(config, KeySeed::new(owner, config, secrets))?;
        let given = secrets.iter().map(|(_, secret)| secret.expose_secret());
        let redactor = Redactor::new(given.chain(strategy.derived_secrets()));
        let parts = Parts {
            kind: config.kind,
            owner: owner.clone(),
            header_name,
            strategy,
            params,
            redactor,
            held: Holds::default(),
        };
        Some(Self(Arc::new(parts)))
    }

    /// The auth type.
    pub fn kind(&self) -> AuthType {
        self.0.kind
    }

    /// The name of the header that it sets.
    pub fn header_name(&self) -> &HeaderName {
        &self.0.header_name
    }

    /// Masks the integration's own secrets in all their forms, and how they stand in HTTP Basic.
    pub fn redactor(&self) -> &Redactor {
        &self.0.redactor
    }

    /// Takes the values of the params that the token depends on. Null is absent.
    ///
    /// Strings go into their header as they are, numbers and booleans as JSON writes them.
    ///
    /// # Errors
    ///
    /// `missing_auth_param` if a required one is missing; `invalid_params` if one is neither of these or holds
    /// control characters. Every fault names its param and header. Nothing has been sent.
    pub fn take_params(&self, params: &Object) -> Result<AuthParams, Error> {
        self.0.params.take(params)
    }

    /// The header for one attempt: the secret, or a token from the cache, or a new one.
    ///
    /// However many callers want the same token, there is one fetch; all get its result or its error.
    /// An error is not kept: the next caller tries again. A token is renewed once a tenth of its
    /// lifetime, but no more than 60 s, is left of it: by the first caller that sees this, while the others
    /// go on using it. If that fails, all do, until it expires; it is tried again after 5 s, or as long
    /// as the endpoint asks for. The caller that renews waits for at most half of what is left until its
    /// deadline, as long as the old token lasts.
    ///
    /// # Errors
    ///
    /// `auth_failed`: the endpoint refused, or its answer is no token. The transport's kinds if it could not be
    /// reached. `timeout` if the deadline passed while waiting.
    pub async fn header(&self, params: &AuthParams, context: &AuthContext<'_>) -> Result<AuthHeader, Error> {
        let strategy = match &self.0.strategy {
            Strategy::Static(token) => {
                return Ok(AuthHeader { source: CredentialSource::Static, token: Arc::clone(token) });
            }
            Strategy::Token(strategy) => strategy,
        };
        if let Some(token) = self.held(params, context) {
            return Ok(AuthHeader { source: CredentialSource::Cached, token });
        }
        let (token, source) = self.resolve(strategy, params, context).await?;
        Ok(AuthHeader { source, token })
    }

    /// After a 401, or a 403 with `WWW-Authenticate: Bearer error="invalid_token"` (RFC 6750 section 3.1):
    /// drops the token that `header` carries from the cache, if it is still the one there. A token that
    /// has taken its place stays.
    ///
    /// Says whether sending again with a header resolved anew makes sense: with tokens, not with
    /// secrets that do not change.
    pub fn invalidate(&self, params: &AuthParams, header: &AuthHeader, cache: &TokenCache) -> bool {
        if header.source == CredentialSource::Static {
            return false;
        }
        if let Some(entry) = cache.get(&self.0.params.key(params)) {
            let dropped = entry.slot.remove_if(|token| Arc::ptr_eq(token, &header.token));
            tracing::debug!(integration = &*self.0.owner.integration, dropped, "the endpoint refused a token");
        }
        true
    }

    /// A token with what there is to know about it, from the cache or new.
    ///
    /// # Errors
    ///
    /// As [`Auth::header`].
    pub async fn token(&self, params: &AuthParams, context: &AuthContext<'_>) -> Result<TokenInfo, Error> {
        let kind = self.0.kind;
        match &self.0.strategy {
            Strategy::Static(token) => {
                let token: SecretString = if kind == AuthType::ApiKeyHeader {
                    String::from_utf8_lossy(token.value().as_bytes()).into_owned().into()
                } else {
                    token.secret()
                };
                Ok(TokenInfo { kind, token, expires_in: None, cache_key: None })
            }
            Strategy::Token(strategy) => {
                let (token, _) = self.resolve(strategy, params, context).await?;
                let key = self.0.params.key(params);
                let entry = context.cache.get(&key);
                let expires = entry.and_then(|entry| entry.slot.expires_of(|kept| Arc::ptr_eq(kept, &token)));
                Ok(TokenInfo {
                    kind,
                    token: token.secret(),
                    expires_in: expires.map(|moment| moment.saturating_duration_since(context.clock.now())),
                    cache_key: Some(key.to_hex()),
                })
            }
        }
    }

    /// The fresh token that this integration holds on to: what most calls find.
    fn held(&self, params: &AuthParams, context: &AuthContext<'_>) -> Option<Arc<Token>> {
        let place = self.0.held.get(&params.given);
        let held = place.as_ref()?;
        let token = Arc::clone(held.fresh(context.cache, &params.given, context.now)?);
        context.cache.hit(held);
        Some(token)
    }

    async fn resolve(
        &self,
        strategy: &Arc<TokenStrategy>,
        params: &AuthParams,
        context: &AuthContext<'_>,
    ) -> Result<(Arc<Token>, CredentialSource), Error> {
        let now = context.now;
        let entry = context.cache.get_or_add(&self.0.params.key(params), &self.0.owner);
        let counters = context.cache.counters();
        if let Some(token) = entry.slot.fresh(now) {
            self.0.held.put(context.cache, &entry, &params.given, counters.hit());
            return Ok((token, CredentialSource::Cached));
        }
        let found = entry.slot.find(now, || {
            let parts = &*self.0;
            Fetch::new(Arc::clone(strategy), parts.owner.clone(), parts.redactor.clone(), params, context).run()
        });
        match found {
            Found::Value(token) => {
                counters.hit();
                Ok((token, CredentialSource::Cached))
            }
            Found::Renew { old, flight } => {
                counters.miss();
                self.renew(&entry, old, flight, context).await
            }
            Found::Wait(flight) => {
                counters.miss();
                Ok((self.wait(flight, context).await?, CredentialSource::Fetched))
            }
        }
    }

    /// Waits for a fetch until the caller's deadline. There is no token to go on with.
    async fn wait(&self, flight: Flight<Arc<Token>, Error>, context: &AuthContext<'_>) -> Result<Arc<Token>, Error> {
        let deadline = Box::pin(context.clock.until(context.deadline.moment()));
        match select(flight, deadline).await {
            Either::Left((Fetched::Keep(Stored { value, .. }) | Fetched::UseOnce(value), _)) => Ok(value),
            Either::Left((Fetched::Failed { error, .. }, _)) => Err(error),
            Either::Right(_) => {
                Err(Error::new(ErrorKind::Timeout, "the call's time ran out while it waited for a token")
                    .with_retryable(true))
            }
        }
    }

    /// Drives a renewal. Unless it gives a new token, the old one serves while it lasts.
    async fn renew(
        &self,
        entry: &Entry,
        old: Stored<Arc<Token>>,
        flight: Flight<Arc<Token>, Error>,
        context: &AuthContext<'_>,
    ) -> Result<(Arc<Token>, CredentialSource), Error> {
        let clock = context.clock;
        let patience = clock.now() + context.deadline.remaining(clock) / 2;
        let integration = &*self.0.owner.integration;
        let failed = match select(flight, Box::pin(clock.until(patience))).await {
            Either::Left((Fetched::Keep(Stored { value, .. }) | Fetched::UseOnce(value), _)) => {
                return Ok((value, CredentialSource::Renewed));
            }
            Either::Left((Fetched::Failed { error, .. }, _)) => error,
            Either::Right(((), flight)) if clock.now() >= old.expires => {
                return Ok((self.wait(flight, context).await?, CredentialSource::Fetched));
            }
            Either::Right(((), flight)) => {
                entry.slot.rest_until(clock.now() + RENEWAL_PAUSE);
                drop(flight);
                Error::new(ErrorKind::Timeout, "the token endpoint did not answer in time").with_retryable(true)
            }
        };
        if clock.now() >= old.expires {
            return Err(failed);
        }
        tracing::warn!(integration, kind = %failed.kind(), error = %failed, "a token could not be renewed and is used until it expires");
        Ok((old.value, CredentialSource::Kept))
    }
}

impl AuthHeader {
    /// Its value, marked sensitive.
    pub fn value(&self) -> &HeaderValue {
        self.token.value()
    }

    /// Masks the token in the header; empty for secrets that do not change, which [`Auth::redactor`]
    /// masks.
    pub fn redactor(&self) -> Cow<'_, Redactor> {
        self.token.redactor()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { kind, owner, header_name, strategy, params, redactor: _, held: _ } = &*self.0;
        f.debug_struct("Auth")
            .field("kind", kind)
            .field("owner", owner)
            .field("header_name", header_name)
            .field("strategy", strategy)
            .field("params", params)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, token: _ } = self; // a secret
        f.debug_struct("AuthHeader").field("source", source).finish_non_exhaustive()
    }
}

impl fmt::Debug for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, token: _, expires_in, cache_key } = self; // token: secret
        f.debug_struct("TokenInfo")
            .field("kind", kind)
            .field("expires_in", expires_in)
            .field("cache_key", cache_key)
            .finish_non_exhaustive()
    }
}
