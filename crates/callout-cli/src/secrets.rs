//! `callout secrets`: upkeep of what is stored sealed.

use std::process::ExitCode;

use crate::{Stop, args::SecretsCommand, out, show, store};

pub(crate) async fn run(command: SecretsCommand) -> Result<ExitCode, Stop> {
    let SecretsCommand::RotateMaster { store: args } = command;
    let store = store::open(&args).await?;
    let report = store.rotate_master_key(&store::actor()).await?;
    let secrets = show::count(report.resealed, "secret", "secrets");
    out::line(format_args!("{secrets} sealed under the new master key {}", report.key_id))?;
    Ok(ExitCode::SUCCESS)
}
