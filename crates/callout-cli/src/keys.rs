//! `callout keys`: API keys from the command line, for whoever can open the database.

use std::process::ExitCode;

use callout::{ExposeSecret, json::ObjectBuilder};
use callout_store::{ApiKey, NewApiKey, Permission, Role, Uuid};

use crate::{Stop, args::KeysCommand, out, show, store};

pub(crate) async fn run(command: KeysCommand) -> Result<ExitCode, Stop> {
    match command {
        KeysCommand::Create { workspace, role, permissions, days, name, json, store: args } => {
            let new = |workspace_id| -> Result<NewApiKey, Stop> {
                let role: Role = role.parse().map_err(|error| format!("--role: {error}"))?;
                if role == Role::Operator {
                    let way_out = "`callout serve` makes the operator's key, `callout keys replace-operator` another";
                    return Err(Stop(format!("--role: {way_out}")));
                }
                let permissions = permissions.iter().map(|right| right.parse::<Permission>());
                let permissions =
                    permissions.collect::<Result<_, _>>().map_err(|error| format!("--permission: {error}"))?;
                Ok(NewApiKey { workspace_id: Some(workspace_id), name, role, permissions, days })
            };
            let store = store::open(&args).await?;
            let workspace = store::workspace(&store, &workspace).await?;
            let (key, secret) = store.create_api_key(new(workspace.id)?, &store::actor()).await?;
            if json {
                let answer = ObjectBuilder::new()
                    .with("workspace_id", workspace.id.to_string())
                    .with("key_id", key.id.to_string())
                    .with("api_key", secret.expose_secret());
                out::once(callout::Json::from(answer))?;
            } else {
                out::once(secret.expose_secret())?;
                let end = key.expires_at.map(|end| format!(" until {end}")).unwrap_or_default();
                show::note(&format!(
                    "key {} of workspace {} ({}), {}{end}; it is shown this once",
                    key.id,
                    workspace.name,
                    workspace.id,
                    rights(&key)
                ));
            }
        }
        KeysCommand::List { workspace, store: args } => {
            let store = store::open(&args).await?;
            let workspace = store::workspace(&store, &workspace).await?;
            let row = |key: ApiKey| {
                let end = key.expires_at.map(|end| end.to_string()).unwrap_or_default();
                let name = key.name.as_deref().unwrap_or_default();
                out::data_line(format_args!("{}  {:<8} until {end}  {name}", key.id, rights(&key)))
            };
            store::each(|page| store.list_api_keys(workspace.id, page), row).await?;
        }
        KeysCommand::Revoke { key_id, workspace, store: args } => {
            let id = Uuid::try_parse(&key_id).map_err(|_| format!("{key_id:?} is no key's id: that is a UUID"))?;
            let store = store::open(&args).await?;
            let workspace = store::workspace(&store, &workspace).await?;
            store.delete_api_key(workspace.id, id, &store::actor()).await?;
            show::note(&format!("key {id} is revoked"));
        }
        KeysCommand::ReplaceOperator { store: args } => {
            let store = store::open(&args).await?;
            let mut old = Vec::new();
            let row = |key: ApiKey| {
                old.push(key.id);
                Ok(())
            };
            store::each(|page| store.list_operator_keys(page), row).await?;
            for id in old {
                store.delete_operator_key(id, &store::actor()).await?;
            }
            match store.create_operator_key_once(&store::actor()).await? {
                Some((_, secret)) => out::once(secret.expose_secret())?,
                None => return Err(Stop("a server has made one meanwhile, and printed it".to_owned())),
            }
            show::note("the operator's key; it is shown this once");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Its role, and what it may beside that: `viewer+Integration.delete`.
fn rights(key: &ApiKey) -> String {
    let more = key.permissions.iter().map(|right| right.as_str());
    std::iter::once(key.role.as_str()).chain(more).collect::<Vec<_>>().join("+")
}
