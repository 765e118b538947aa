//! What a pipeline needs: a clock that stands still, and params.

use callout_core::{
    json::{Json, Object},
    time::{SharedClock, StillClock},
};

pub(crate) fn clock() -> SharedClock {
    SharedClock::new(StillClock::new())
}

pub(crate) fn params() -> Object {
    Json::parse(r#"{"q": "x"}"#).unwrap().as_object().unwrap().clone()
}
