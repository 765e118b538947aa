//! The `callout` program: try, check and call integrations from a terminal, and serve the HTTP API.
//!
//! Exit codes: 0 for success, 1 for a call that failed, 2 for a bad config or usage, and for output that cannot be
//! written.

mod args;
mod call;
mod check;
mod demo;
mod files;
mod import;
mod integrations;
mod keys;
mod mcp;
mod out;
mod params;
mod secrets;
mod serve;
mod show;
mod store;
mod token;
mod tools;
mod workspaces;

use std::process::ExitCode;

use clap::Parser;
use mimalloc::MiMalloc;

use crate::args::{Cli, Command};

/// A server's requests allocate on one thread what another frees, which costs glibc's allocator a seventh of all
/// that is done for a call. The program's choice: a runtime that links the engine makes its own.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// A call that failed after a good load.
const FAILED: u8 = 1;
/// A bad config, a bad flag, a file that cannot be read, output that cannot be written.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let done = match command {
        Command::Demo => on_runtime(demo::run()),
        Command::Call(args) => on_runtime(call::run(args)),
        Command::Check { files } => check::run(&files),
        Command::Import(command) => import::run(command),
        Command::Token(args) => on_runtime(token::run(args)),
        Command::Tools { file, shape } => tools::run(&file, shape),
        Command::Mcp(args) => on_runtime(mcp::run(args)),
        Command::Serve(args) => on_runtime(serve::run(args)),
        Command::Keys(command) => on_runtime(keys::run(command)),
        Command::Workspaces(command) => on_runtime(workspaces::run(command)),
        Command::Integrations(command) => on_runtime(integrations::run(command)),
        Command::Secrets(command) => on_runtime(secrets::run(command)),
    };
    match done {
        Ok(code) => code,
        Err(Stop(message)) => {
            show::error(&message);
            ExitCode::from(UNUSABLE)
        }
    }
}

/// Ends the program with [`UNUSABLE`] and this message.
#[derive(Debug)]
struct Stop(String);

impl<T: std::fmt::Display> From<T> for Stop {
    fn from(message: T) -> Self {
        Self(message.to_string())
    }
}

fn on_runtime(work: impl Future<Output = Result<ExitCode, Stop>>) -> Result<ExitCode, Stop> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let done = runtime.block_on(work);
    // A read of standard input cannot be ended, and nobody waits for it.
    runtime.shutdown_background();
    done
}
