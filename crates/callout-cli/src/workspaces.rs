//! `callout workspaces`: the tenants of a server.

use std::process::ExitCode;

use callout_store::Workspace;

use crate::{Stop, args::WorkspacesCommand, out, store};

pub(crate) async fn run(command: WorkspacesCommand) -> Result<ExitCode, Stop> {
    match command {
        WorkspacesCommand::Create { name, store: args } => {
            let store = store::open_or_make(&args).await?;
            let workspace = store.create_workspace(&name, &store::actor()).await?;
            out::line(workspace.id)?;
        }
        WorkspacesCommand::List { store: args } => {
            let store = store::open(&args).await?;
            let row = |workspace: Workspace| out::data_line(format_args!("{}  {}", workspace.id, workspace.name));
            store::each(|page| store.list_workspaces(page), row).await?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
