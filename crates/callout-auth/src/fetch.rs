//! One fetch of a token: shared by all who wait for it, and owning all that it needs.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use callout_core::{Error, ErrorKind, http::Caller, redact::Redactor, time::SharedRng};

use crate::{
    answer::Lifetime,
    auth::AuthContext,
    cache::Counters,
    endpoint::{Issued, Wire},
    params::AuthParams,
    slot::{Fetched, Stored},
    strategy::TokenStrategy,
    token::Token,
};

/// How long a token that could not be renewed is left alone, unless the endpoint asks for longer.
pub(crate) const RENEWAL_PAUSE: Duration = Duration::from_secs(5);

/// The longest time before a token's end at which it is renewed.
const MAX_MARGIN: Duration = Duration::from_mins(1);

/// See the module.
pub(crate) struct Fetch {
    strategy: Arc<TokenStrategy>,
    params: AuthParams,
    rng: SharedRng,
    wire: Wire,
    counters: Arc<Counters>,
}

impl Fetch {
    pub(crate) fn new(
        strategy: Arc<TokenStrategy>,
        caller: Caller,
        redactor: Redactor,
        params: &AuthParams,
        context: &AuthContext<'_>,
    ) -> Self {
        Self {
            strategy,
            params: params.clone(),
            rng: context.rng.clone(),
            wire: Wire {
                http: context.http.clone(),
                clock: context.clock.clone(),
                limits: context.limits.clone(),
                timeouts: *context.timeouts,
                caller,
                redactor,
            },
            counters: Arc::clone(context.cache.counters()),
        }
    }

    /// Gets the token and says how long it is to be kept.
    pub(crate) async fn run(self) -> Fetched<Arc<Token>, Error> {
        self.counters.fetch();
        let integration = &*self.wire.caller.integration;
        let issued = self.strategy.issue(&self.params.headers(), &self.rng, &self.wire).await;
        let kept = issued.and_then(|Issued { granted, since }| {
            let token = Token::new(&granted.token)
                .ok_or_else(|| Error::new(ErrorKind::AuthFailed, "the token cannot be sent in a header"))?;
            Ok((Arc::new(token), granted.lifetime, since))
        });
        match kept {
            Ok((token, Lifetime::Once, _)) => {
                tracing::debug!(integration, "got a token to be used once");
                Fetched::UseOnce(token)
            }
            Ok((token, Lifetime::For(lifetime), since)) => {
                tracing::debug!(integration, lifetime_seconds = lifetime.as_secs(), "got a token");
                Fetched::Keep(kept_for(token, lifetime, since))
            }
            Err(error) => {
                self.counters.failure();
                tracing::debug!(integration, kind = %error.kind(), "got no token");
                let now = self.wire.clock.now();
                let pause = error.retry_after().map_or(RENEWAL_PAUSE, |asked| asked.max(RENEWAL_PAUSE));
                Fetched::Failed { error, rest_until: now.checked_add(pause).unwrap_or(now) }
            }
        }
    }
}

/// Renewed when a tenth of the lifetime, or [`MAX_MARGIN`] if that is less, is left.
fn kept_for(value: Arc<Token>, lifetime: Duration, since: Instant) -> Stored<Arc<Token>> {
    let margin = MAX_MARGIN.min(lifetime / 10);
    Stored { value, renew_at: since + lifetime.saturating_sub(margin), expires: since + lifetime }
}
