//! `callout secrets`: upkeep of what is stored sealed.

use std::process::ExitCode;

use anstream::println;

use crate::{Stop, args::SecretsCommand, show, store};

pub(crate) async fn run(command: SecretsCommand) -> Result<ExitCode, Stop> {
    let SecretsCommand::RotateMaster { store: args } = command;
    let store = store::open(&args).await?;
    let report = store.rotate_master_key(&store::actor()).await?;
    let secrets = show::count(report.resealed, "secret", "secrets");
    println!("{secrets} sealed under the new master key {}", report.key_id);
    Ok(ExitCode::SUCCESS)
}
