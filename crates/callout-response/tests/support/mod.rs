//! What a pipeline needs: a clock that stands still, and params.

use std::{
    future::{Future, pending},
    sync::LazyLock,
    time::{Duration, Instant},
};

use callout_core::{
    json::{Json, Object},
    time::{Clock, SharedClock},
};

#[expect(clippy::disallowed_methods, reason = "some moment for a clock that stands still")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// A clock that stands still.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        *START
    }

    fn unix(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) -> impl Future<Output = ()> + Send {
        pending()
    }

    fn until(&self, _: Instant) -> impl Future<Output = ()> + Send {
        pending()
    }
}

pub(crate) fn clock() -> SharedClock {
    SharedClock::new(Still)
}

pub(crate) fn params() -> Object {
    Json::parse(r#"{"q": "x"}"#).unwrap().as_object().unwrap().clone()
}
