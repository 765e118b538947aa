//! `callout integrations`: a file into a workspace, and out of it what the workspace cannot delete.

use std::{path::Path, process::ExitCode};

use callout::{Faults, Secrets};
use callout_server::ServerOptions;
use callout_store::{NewIntegration, StoreError};

use crate::{
    Stop,
    args::{IntegrationsCommand, StoreArgs},
    files, out, store,
};

pub(crate) async fn run(command: IntegrationsCommand) -> Result<ExitCode, Stop> {
    match command {
        IntegrationsCommand::Import { file, builtin, workspace, given, store: args } => {
            let given = files::secrets(&given.secrets)?;
            import(&file, builtin, &workspace, &given, &args).await
        }
        IntegrationsCommand::Delete { name, workspace, store: args } => delete(&name, &workspace, &args).await,
    }
}

async fn delete(name: &str, workspace: &str, args: &StoreArgs) -> Result<ExitCode, Stop> {
    let store = store::open(args).await?;
    let workspace = store::workspace(&store, workspace).await?;
    let stored = store.integration_by_name(workspace.id, name).await.map_err(|error| match error {
        StoreError::NotFound(_) => Stop(format!("workspace {} has no integration {name:?}", workspace.name)),
        error => error.into(),
    })?;
    store.delete_integration_or_builtin(workspace.id, stored.id, &store::actor()).await?;
    Ok(ExitCode::SUCCESS)
}

async fn import(
    file: &Path,
    builtin: bool,
    workspace: &str,
    given: &Secrets,
    args: &StoreArgs,
) -> Result<ExitCode, Stop> {
    let document = files::read_document(file)?;
    // Everything that is wrong with it is said before a database is opened.
    let mut faults = Faults::new();
    let stop = |faults: &Faults| files::faulty(file, &document, given, faults);
    if files::compile(&document, given, &mut faults).is_none() {
        return Err(stop(&faults));
    }
    let (config, secrets) = files::read(&document, given, &mut faults).ok_or_else(|| stop(&faults))?;
    // What a server would not take from a request does not come in by this way either.
    ServerOptions::default().refuse_large(&config, &mut faults);
    if !faults.is_empty() {
        return Err(stop(&faults));
    }
    let store = store::open(args).await?;
    let workspace = store::workspace(&store, workspace).await?;
    let new = NewIntegration { config, secrets, builtin };
    let stored = if builtin {
        store.import_builtin(workspace.id, new, &store::actor()).await
    } else {
        store.create_integration(workspace.id, new, &store::actor()).await
    };
    let stored = stored.map_err(|error| match error {
        StoreError::NameTaken(taken) => Stop(format!(
            "workspace {0} has another integration {taken:?}; `callout integrations delete {taken} --workspace {0}` \
             takes it out",
            workspace.name,
        )),
        error => error.into(),
    })?;
    out::line(stored.id)?;
    Ok(ExitCode::SUCCESS)
}
