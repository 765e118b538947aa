//! `callout workspaces`: the tenants of a server.

use std::process::ExitCode;

use anstream::println;
use callout_store::Page;

use crate::{Stop, args::WorkspacesCommand, store};

/// How many rows are asked for at once.
const PAGE: u32 = 100;

pub(crate) async fn run(command: WorkspacesCommand) -> Result<ExitCode, Stop> {
    match command {
        WorkspacesCommand::Create { name, store: args } => {
            let store = store::open(&args).await?;
            let workspace = store.create_workspace(&name, &store::actor()).await?;
            println!("{}", workspace.id);
        }
        WorkspacesCommand::List { store: args } => {
            let store = store::open(&args).await?;
            let mut page = Page { limit: PAGE, offset: 0 };
            loop {
                let listed = store.list_workspaces(page).await?;
                for workspace in &listed.items {
                    println!("{}  {}", workspace.id, workspace.name);
                }
                page.offset += u64::from(PAGE);
                if page.offset >= listed.total {
                    break;
                }
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
