//! The transport against an upstream that misbehaves, over real sockets on loopback.
//!
//! - `retries`: how often something is sent, and how long is waited before (A2 to A5, A9)
//! - `deadlines`: bounds on time, dropped calls, the bound on calls at once (A1, A6, A8)
//! - `soak`: ten thousand calls with every fault
//! - `egress`: which addresses are dialled (C1 to C3)
//! - `proxy`: what goes through one, and what of it the upstream sees
//! - `redirects`: where a call follows, and where it does not (C4)
//! - `tls`: certificates that are trusted and not (C8)
//! - `bodies`: answers that are too large, cut or no HTTP at all (D1, D2)
#![expect(clippy::unwrap_used, clippy::format_push_string, reason = "tests fail loudly")]

mod bodies;
mod deadlines;
mod egress;
mod proxy;
mod redirects;
mod retries;
mod soak;
mod tls;

use std::{error::Error as _, time::Duration};

use callout_core::Error;
use callout_tests::{SeededRng, TestClock, Upstream};
use callout_transport::{EgressPolicy, Transport, TransportBuilder};

/// A transport that may call these upstreams and skips its waits.
fn builder(upstreams: &[&Upstream], clock: &TestClock) -> TransportBuilder {
    let policy = upstreams
        .iter()
        .fold(EgressPolicy::public(), |policy, upstream| policy.allow(&upstream.address().to_string()).unwrap());
    Transport::builder().with_egress(policy).with_clock(clock.shared()).with_rng(SeededRng::shared(7))
}

fn transport(upstream: &Upstream) -> Transport {
    builder(&[upstream], &TestClock::still()).build().unwrap()
}

/// Everything that an error shows, down its chain.
fn shown(error: &Error) -> String {
    let mut shown = format!("{error}\n{error:?}");
    let mut source = error.source();
    while let Some(cause) = source {
        shown += &format!("\n{cause}\n{cause:?}");
        source = cause.source();
    }
    shown
}

#[expect(clippy::disallowed_methods, reason = "the test waits for the world outside")]
async fn pause(length: Duration) {
    tokio::time::sleep(length).await;
}
