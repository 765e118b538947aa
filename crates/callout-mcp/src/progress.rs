//! Tells clients how their calls get on.

use callout::{CallInfo, Event, Observer};
use tokio::sync::mpsc;

/// Lines that wait to be sent; what comes while so many wait is left out.
const WAITING: usize = 32;

tokio::task_local! {
    /// Where the events of the call that this task makes go.
    static LINES: mpsc::Sender<String>;
}

/// The engine's observer for [`McpServer`](crate::McpServer): clients that ask for progress are told of
/// each attempt, of waits before the next, and of a call that waits for approval.
///
/// Give it to [`callout::EngineBuilder::with_observer`]. A host with an observer of its own hands its
/// events on to this one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress;

impl Observer for Progress {
    fn observe(&self, _call: &CallInfo<'_>, event: &Event) {
        // Calls that nobody watches, and those of other parts of the program, have no such place.
        let _ = LINES.try_with(|lines| {
            if let Some(line) = line(event) {
                let _ = lines.try_send(line);
            }
        });
    }
}

/// What a client is told of an event; the result tells of the end.
fn line(event: &Event) -> Option<String> {
    match event {
        Event::Started => Some("started".to_owned()),
        Event::Held => Some("waiting for approval".to_owned()),
        Event::Decided { approved, .. } => Some(if *approved { "approved" } else { "refused" }.to_owned()),
        Event::Attempt { number, method } => Some(format!("attempt {}: {} sent", number + 1, method.as_str())),
        Event::Retrying { after, .. } => Some(format!("failed; trying again in {:.1} s", after.as_secs_f64())),
        Event::TokenRefused { status } => Some(format!("the token was refused with {status}; getting another")),
        _ => None,
    }
}

/// Does a call's work, and hands each line about it to `tell`, beside the work and in order. All lines
/// have been told when it returns.
pub(crate) async fn watched<T, F: Future<Output = ()>>(
    work: impl Future<Output = T>,
    tell: impl Fn(f64, String) -> F,
) -> T {
    let (sender, mut lines) = mpsc::channel(WAITING);
    // The sender goes with the work, so that the lines end with it.
    let work = LINES.scope(sender, work);
    let telling = async {
        let mut told = 0.0;
        while let Some(line) = lines.recv().await {
            told += 1.0;
            tell(told, line).await;
        }
    };
    futures_util::future::join(work, telling).await.0
}

#[cfg(test)]
mod tests {
    use std::{sync::Mutex, time::Duration};

    use callout::{Method, RetryReason};

    use super::*;

    #[tokio::test]
    async fn lines_are_told_in_order_and_all_before_the_end() {
        let told = Mutex::new(Vec::new());
        let work = async {
            for event in [
                Event::Started,
                Event::Attempt { number: 0, method: Method::Get },
                Event::Retrying { after: Duration::from_millis(250), why: RetryReason::Status(503) },
            ] {
                LINES.with(|lines| lines.try_send(line(&event).unwrap()).unwrap());
            }
            7
        };
        let done = watched(work, |number, line| {
            told.lock().unwrap().push((number, line));
            std::future::ready(())
        });
        assert_eq!(done.await, 7);
        let expected = ["started", "attempt 1: GET sent", "failed; trying again in 0.2 s"];
        let told = told.into_inner().unwrap();
        assert_eq!(told.iter().map(|(_, line)| line.as_str()).collect::<Vec<_>>(), expected);
        assert!(told.windows(2).all(|pair| pair[0].0 < pair[1].0));
    }
}
