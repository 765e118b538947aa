//! Who calls: each way in a process of its own, so that none uses, or pays for, what another has left in the
//! allocator and the caches.

use std::{
    future::Future,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use callout::Json;
use callout_benches::obvious;
use serde_json::json;

use crate::{call::loaded, measure::cpu_of};

/// How many calls are in flight at any time.
pub(crate) const IN_FLIGHT: usize = 64;
pub(crate) const TOKEN: &str = "a-token-that-is-as-long-as-one-is";

/// What a call is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// reqwest, which reads the body.
    Bare,
    /// reqwest and `serde_json::Value`, written plainly.
    ByHand,
    Callout,
}

impl Way {
    const ALL: [(&str, Self); 3] = [("bare", Self::Bare), ("by-hand", Self::ByHand), ("callout", Self::Callout)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, way)| *way == self).map_or("", |(name, _)| name)
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(of, _)| *of == name).map(|(_, way)| *way)
    }
}

/// A running process that calls when it is told to; it ends with this value.
pub(crate) struct Caller {
    child: Child,
    tell: ChildStdin,
    told: BufReader<ChildStdout>,
}

impl Caller {
    pub(crate) fn start(way: Way, port: u16, path: &str) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(program);
        command.args(["caller", way.name(), &port.to_string(), path]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let tell = child.stdin.take().expect("its input is piped");
        let told = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, tell, told }
    }

    /// CPU time that it takes for so many calls.
    pub(crate) fn call(&mut self, calls: usize) -> Duration {
        writeln!(self.tell, "{calls}").expect("it is told");
        let mut line = String::new();
        self.told.read_line(&mut line).expect("it tells");
        Duration::from_nanos(line.trim().parse().expect("a number"))
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads numbers of calls, makes them, and tells the nanoseconds of CPU that they took.
pub(crate) fn serve(mut arguments: impl Iterator<Item = String>) {
    let mut argument = || arguments.next().expect("a way, a port and a path");
    let way = Way::named(&argument()).expect("bare, by-hand or callout");
    let (port, path) = (argument().parse().expect("a port"), argument());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://127.0.0.1:{port}/{path}");
    let sent = || {
        let request = client.post(&url).bearer_auth(TOKEN).json(&json!({"q": "x", "page": 1}));
        async { request.send().await.expect("an answer") }
    };
    let bare = || {
        let sent = sent();
        async { sent.await.bytes().await.expect("a body").len() }
    };
    let by_hand = || {
        let sent = sent();
        async {
            let body: serde_json::Value = sent.await.json().await.expect("JSON");
            obvious::shape(&body, &obvious::EVENTS).len()
        }
    };
    let (engine, integration) = loaded(port, &path);
    let ours = || {
        let (engine, integration) = (engine.clone(), Arc::clone(&integration));
        async move {
            let params = Json::from_iter([("q", Json::from("x")), ("page", Json::from(1))]);
            let outcome = engine.call(&integration, "events", params).await.expect("an outcome");
            outcome.text().len()
        }
    };
    for line in std::io::stdin().lines() {
        let calls: usize = line.expect("text").parse().expect("a number of calls");
        let took = cpu_of(|| match way {
            Way::Bare => runtime.block_on(many(calls, bare)),
            Way::ByHand => runtime.block_on(many(calls, by_hand)),
            Way::Callout => runtime.block_on(many(calls, ours)),
        });
        println!("{}", took.as_nanos());
    }
}

/// So many calls, [`IN_FLIGHT`] of them at any time.
async fn many<F>(calls: usize, one: impl Fn() -> F + Copy)
where
    F: Future<Output = usize>,
{
    let lane = || async move {
        for _ in 0..calls / IN_FLIGHT {
            assert!(one().await > 0, "an empty answer");
        }
    };
    futures_util::future::join_all((0..IN_FLIGHT).map(|_| lane())).await;
}
