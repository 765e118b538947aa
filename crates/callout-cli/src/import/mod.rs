//! `callout import`: integrations of what an API, or a person, has written already.

mod args;
mod curl;
mod openapi;
mod output;
mod report;
mod yaml;

use std::process::ExitCode;

pub(crate) use args::ImportCommand;

use crate::Stop;

pub(crate) fn run(command: ImportCommand) -> Result<ExitCode, Stop> {
    match command {
        ImportCommand::Openapi(args) => openapi::run(&args),
        ImportCommand::Curl(args) => curl::run(&args),
    }
}
