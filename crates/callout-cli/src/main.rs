//! The `callout` program: try, check and call integrations from a terminal.
//!
//! Exit codes: 0 for success, 1 for a call that failed, 2 for a bad config or usage.

mod args;
mod call;
mod check;
mod demo;
mod files;
mod params;
mod show;
mod token;
mod tools;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Cli, Command};

/// A call that failed after a good load.
const FAILED: u8 = 1;
/// A bad config, a bad flag, a file that cannot be read.
const UNUSABLE: u8 = 2;

fn main() -> ExitCode {
    let Cli { command } = Cli::parse();
    let done = match command {
        Command::Demo => on_runtime(demo::run()),
        Command::Call(args) => on_runtime(call::run(args)),
        Command::Check { files } => Ok(check::run(&files)),
        Command::Token(args) => on_runtime(token::run(args)),
        Command::Tools { file } => tools::run(&file),
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
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
