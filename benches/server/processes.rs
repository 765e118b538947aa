//! The parts of a measurement, each in a process of its own.

use std::{thread, time::Duration};

use callout_benches::{
    apart::{Apart, answer, cpu, cpu_of},
    many, upstream,
};
use tokio::runtime::{Builder, Runtime};

use crate::{
    client::Client,
    serving::{Serving, Traced},
    sizes,
};

pub(crate) const IN_FLIGHT: usize = 64;

/// What a process does, of the size with that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// Tells its address.
    Upstream,
    /// Tells its client, then the CPU that it has taken so far.
    Server,
    /// Makes as many traces as it is told to, and tells the CPU that they take.
    Engine,
}

impl Part {
    const ALL: [(&str, Self); 3] = [("upstream", Self::Upstream), ("server", Self::Server), ("engine", Self::Engine)];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(of, _)| *of == name).map(|(_, part)| *part)
    }

    fn start(self, size: usize, upstream: &str) -> Apart {
        let name = Self::ALL.iter().find(|(_, part)| *part == self).map_or("", |(name, _)| name);
        Apart::start(&[name, &size.to_string(), upstream])
    }

    #[expect(clippy::print_stdout, reason = "it tells who started it")]
    pub(crate) fn run(self, mut arguments: impl Iterator<Item = String>) {
        let size: usize = arguments.next().and_then(|size| size.parse().ok()).expect("the number of a size");
        let (_, body, shape) = sizes().into_iter().nth(size).expect("there is such a size");
        let mut address = || arguments.next().and_then(|address| address.parse().ok()).expect("an address");
        let runtime = runtime();
        match self {
            Self::Upstream => {
                println!("{}", runtime.block_on(upstream(body)).expect("a port"));
                go_on(runtime);
                answer(|_| cpu());
            }
            Self::Server => {
                let serving = runtime.block_on(Serving::start(address(), &shape, 0));
                println!("{}", serving.client);
                go_on(runtime);
                answer(|_| cpu());
            }
            Self::Engine => {
                let traced = Traced::new(address(), &shape);
                answer(|calls| {
                    let calls = calls.parse().expect("a number of calls");
                    cpu_of(|| runtime.block_on(many(calls, IN_FLIGHT, || traced.trace())))
                });
            }
        }
    }
}

/// What has been started on it.
fn go_on(runtime: Runtime) {
    thread::spawn(move || runtime.block_on(std::future::pending::<()>()));
}

pub(crate) fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A server of one size, its upstream, and the engine by itself; they end with this value.
pub(crate) struct Processes {
    pub(crate) client: Client,
    server: Apart,
    engine: Apart,
    _upstream: Apart,
}

impl Processes {
    pub(crate) fn start(size: usize) -> Self {
        let mut upstream = Part::Upstream.start(size, "");
        let address = upstream.line();
        let mut server = Part::Server.start(size, &address);
        let client = server.line().parse().expect("a client");
        Self { client, server, engine: Part::Engine.start(size, &address), _upstream: upstream }
    }

    /// CPU that the engine takes for so many traces.
    pub(crate) fn traces(&mut self, calls: usize) -> Duration {
        self.engine.time(&calls.to_string())
    }

    /// CPU that the server takes meanwhile, its database's threads included.
    pub(crate) fn of_server(&mut self, meanwhile: impl FnOnce(&Client)) -> Duration {
        let before = self.server.time("");
        meanwhile(&self.client);
        self.server.time("").saturating_sub(before)
    }
}

/// Until the database is known to be at rest, as it is between changes: it is looked at by calls alone, and has to
/// have been found as it is for a second.
pub(crate) async fn at_rest(client: &Client) {
    // Where a connection is opened, SQLite sets the owner of the log's file: all that are needed are opened first.
    many(8 * IN_FLIGHT, IN_FLIGHT, || client.test()).await;
    client.test().await;
    callout::system_clock().sleep(Duration::from_secs(2)).await;
}
