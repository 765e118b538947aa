//! `callout secrets`: upkeep of what is stored sealed.

use std::process::ExitCode;

use anstream::println;

use crate::{Stop, args::SecretsCommand, store};

pub(crate) async fn run(command: SecretsCommand) -> Result<ExitCode, Stop> {
    let SecretsCommand::RotateMaster { store: args } = command;
    let store = store::open(&args).await?;
    let report = store.rotate_master_key(&store::actor()).await?;
    println!("{} secrets are sealed under the new master key {}", report.resealed, report.key_id);
    Ok(ExitCode::SUCCESS)
}
