//! `callout integrations import`: a file into a workspace.

use std::process::ExitCode;

use anstream::println;
use callout::{Faults, IntegrationConfig, UnknownFields};
use callout_store::NewIntegration;

use crate::{Stop, args::IntegrationsCommand, files, store};

pub(crate) async fn run(command: IntegrationsCommand) -> Result<ExitCode, Stop> {
    let IntegrationsCommand::Import { file, builtin, workspace, given, store: args } = command;
    let given = files::secrets(&given.secrets)?;
    let document = files::read_document(&file)?;
    // Everything that is wrong with it is said before a database is opened.
    let mut faults = Faults::new();
    if files::compile(&document, &given, &mut faults).is_none() {
        return Err(files::faulty(&file, &faults));
    }
    let read = IntegrationConfig::read(&document, UnknownFields::Refuse, &mut faults);
    let (config, mut secrets) = read.ok_or_else(|| files::faulty(&file, &faults))?;
    for (name, value) in given.iter() {
        secrets.insert(name, value.clone());
    }
    let store = store::open(&args).await?;
    let workspace = store::workspace(&store, &workspace).await?;
    let new = NewIntegration { config, secrets, builtin };
    let stored = if builtin {
        store.import_builtin(workspace.id, new, &store::actor()).await?
    } else {
        store.create_integration(workspace.id, new, &store::actor()).await?
    };
    println!("{}", stored.id);
    Ok(ExitCode::SUCCESS)
}
