//! Who calls: each way in a process of its own.

use callout::Json;
use callout_benches::{
    apart::{Apart, answer, cpu_of},
    many, obvious,
};
use serde_json::json;

use crate::call::loaded;

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

/// A process that makes as many calls as it is told to, and tells the CPU that they take.
pub(crate) fn start(way: Way, port: u16, path: &str) -> Apart {
    Apart::start(&["caller", way.name(), &port.to_string(), path])
}

/// What that process does.
pub(crate) fn serve(mut arguments: impl Iterator<Item = String>) {
    let mut argument = || arguments.next().expect("a way, a port and a path");
    let way = Way::named(&argument()).expect("bare, by-hand or callout");
    let (port, path) = (argument().parse().expect("a port"), argument());
    let url = format!("http://127.0.0.1:{port}/{path}");
    match way {
        Way::Bare => {
            let client = client();
            run(|| async {
                let body = sent(&client, &url).await.bytes().await.expect("a body");
                assert!(!body.is_empty(), "an empty answer");
            });
        }
        Way::ByHand => {
            let client = client();
            run(|| async {
                let body: serde_json::Value = sent(&client, &url).await.json().await.expect("JSON");
                assert!(!obvious::shape(&body, &obvious::EVENTS).is_empty(), "an empty answer");
            });
        }
        Way::Callout => {
            let (engine, integration) = loaded(port, &path);
            run(|| async {
                let params = Json::from_iter([("q", Json::from("x")), ("page", Json::from(1))]);
                let outcome = engine.call(&integration, "events", params).await.expect("an outcome");
                assert!(!outcome.text().is_empty(), "an empty answer");
            });
        }
    }
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

async fn sent(client: &reqwest::Client, url: &str) -> reqwest::Response {
    let request = client.post(url).bearer_auth(TOKEN).json(&json!({"q": "x", "page": 1}));
    request.send().await.expect("an answer")
}

fn run<F: Future<Output = ()>>(one: impl Fn() -> F + Copy) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    answer(|calls| {
        let calls = calls.parse().expect("a number of calls");
        cpu_of(|| runtime.block_on(many(calls, IN_FLIGHT, one)))
    });
}
