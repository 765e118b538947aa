//! When to try again, and when: data in, decision out. The loop itself is the transport's.

mod after;
mod backoff;
mod budget;

use std::time::Duration;

pub(crate) use after::retry_after;
pub(crate) use backoff::Waits;
pub(crate) use budget::Budgets;
use callout_core::{config::RetryConfig, http::Replay};

/// How long to wait between attempts, and how many retries an upstream that is down may cost. How
/// often and on which statuses is each endpoint's own affair ([`RetryConfig`]).
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RetryPolicy {
    /// The longest first wait; it doubles with each retry. Waits are drawn evenly from zero up to
    /// it (full jitter). Default 250 ms.
    pub base: Duration,
    /// The longest wait, however often it has doubled. A `Retry-After` is not bound by it, only by
    /// the call's deadline. Default 30 s.
    pub cap: Duration,
    /// What a retry budget starts with and holds at most, in retries; there is one for each
    /// workspace, integration and host. Default 50.
    pub budget: u32,
    /// What each first attempt adds to its budget, 0 to 1 retries. Default 0.1.
    pub gain: f64,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { base: Duration::from_millis(250), cap: Duration::from_secs(30), budget: 50, gain: 0.1 }
    }
}

/// How an attempt failed, as far as trying again is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// No connection could be made: nothing was sent. Retried for every method.
    Unsent,
    /// HTTP/2 says that the request was not processed (RFC 9113 section 8.7). Retried for every method.
    Unprocessed,
    /// The connection broke before an answer's head, and the server had most likely closed it before the request
    /// came. Where a request may be sent twice it is sent again at once, which is no retry, and the next time
    /// retried like a broken one.
    Stale,
    /// The connection broke, or the answer was no HTTP, after the request may have reached the
    /// server. Retried where a request may be sent twice.
    Broken,
    /// The attempt ran out of its own time. Retried like a broken one.
    TimedOut,
    /// Another attempt would end alike: a refused address, a bad certificate, too large an answer, a
    /// redirect elsewhere. Never retried.
    Final,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Status(u16),
    Failed(Failure),
}

/// Whether to send again at once, in a call that has not done so yet. It says nothing of how the upstream is, so it
/// is neither counted nor paid for.
pub(crate) fn at_once(replay: Replay, ending: Ending) -> bool {
    replay == Replay::Safe && ending == Ending::Failed(Failure::Stale)
}

/// Whether to try again, waits and budget aside.
pub(crate) fn again(replay: Replay, ending: Ending, retries: u32, config: &RetryConfig) -> bool {
    if retries >= config.max_retries {
        return false;
    }
    match ending {
        Ending::Status(status) => config.retry_on_status.contains(&status),
        Ending::Failed(Failure::Unsent | Failure::Unprocessed) => true,
        Ending::Failed(Failure::Stale | Failure::Broken | Failure::TimedOut) => replay == Replay::Safe,
        Ending::Failed(Failure::Final) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every (replay × status or failure) with retries left, and the same with none left.
    #[test]
    fn truth_table() {
        let mut endings: Vec<_> =
            [Failure::Unsent, Failure::Unprocessed, Failure::Stale, Failure::Broken, Failure::TimedOut, Failure::Final]
                .into_iter()
                .map(|failure| (format!("{failure:?}"), Ending::Failed(failure)))
                .collect();
        endings.extend((100..=999).map(|status| (status.to_string(), Ending::Status(status))));
        let configs = [
            ("default", RetryConfig::default()),
            ("no statuses", RetryConfig { max_retries: 10, retry_on_status: vec![] }),
            ("409, 500", RetryConfig { max_retries: 1, retry_on_status: vec![409, 500] }),
            ("no retries", RetryConfig { max_retries: 0, retry_on_status: vec![429, 503] }),
        ];
        let mut table = String::new();
        for (name, config) in &configs {
            for (replay, replayed) in [(Replay::Safe, "safe"), (Replay::OnlyUnsent, "only unsent")] {
                let retried = |retries| -> Vec<&str> {
                    let again = endings.iter().filter(|(_, ending)| again(replay, *ending, retries, config));
                    again.map(|(name, _)| name.as_str()).collect()
                };
                table.push_str(&[&[*name, replayed, "->"][..], &retried(0)].concat().join(" "));
                table.push('\n');
                assert_eq!(retried(config.max_retries.saturating_sub(1)), retried(0));
                assert!(retried(config.max_retries).is_empty());
            }
        }
        for (replay, expected) in [(Replay::Safe, &["Stale"][..]), (Replay::OnlyUnsent, &[])] {
            let at_once = endings.iter().filter(|(_, ending)| at_once(replay, *ending));
            assert_eq!(at_once.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), expected);
        }
        insta::assert_snapshot!(table, @"
        default safe -> Unsent Unprocessed Stale Broken TimedOut 429 502 503 504
        default only unsent -> Unsent Unprocessed 429 502 503 504
        no statuses safe -> Unsent Unprocessed Stale Broken TimedOut
        no statuses only unsent -> Unsent Unprocessed
        409, 500 safe -> Unsent Unprocessed Stale Broken TimedOut 409 500
        409, 500 only unsent -> Unsent Unprocessed 409 500
        no retries safe ->
        no retries only unsent ->
        ");
    }
}
