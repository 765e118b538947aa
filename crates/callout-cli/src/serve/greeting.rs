//! What `callout serve` prints before it serves.

use std::fmt::{self, Display};

use callout::{ExposeSecret, SecretString};
use callout_store::Workspace;

use super::{demo::Demo, lines};
use crate::{
    args::{SecretBackendArg, StoreArgs},
    show, store,
};

pub(super) struct Greeting<'a> {
    pub(super) origin: &'a str,
    pub(super) args: &'a StoreArgs,
    /// As it may be shown; `None` for one that is not kept.
    pub(super) database: Option<&'a str>,
    pub(super) workspace: Option<&'a Workspace>,
    pub(super) key: Option<&'a SecretString>,
    pub(super) demo: Option<&'a Demo>,
}

impl Display for Greeting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, database, workspace, key, demo, .. } = self;
        writeln!(f, "{}", show::heading(format!("Callout serves {origin}")))?;
        writeln!(f, "  docs        {origin}/docs")?;
        writeln!(f, "  MCP         {origin}/mcp, with a workspace's key")?;
        writeln!(f, "  database    {}", database.unwrap_or("none that stays: this is a demo"))?;
        if let Some(Workspace { id, name, .. }) = workspace {
            writeln!(f, "  workspace   {id} ({name})")?;
        }
        if let Some(demo) = demo {
            writeln!(f, "  demo API    http://{} answers as GitHub does, and hands out tokens", demo.address())?;
        }
        if let Some(key) = key {
            writeln!(f, "\n{}", show::heading("The operator's key, shown this once"))?;
            writeln!(f, "  {}", key.expose_secret())?;
        } else {
            let flags = self.store_flags();
            writeln!(f, "\nThe operator's key was shown at the first start. To make another in its place:")?;
            writeln!(f, "  callout keys replace-operator{flags}")?;
            if let Some(workspace) = workspace {
                writeln!(f, "or one for the workspace:")?;
                writeln!(f, "  callout keys create --workspace {} --role admin{flags}", workspace.id)?;
            }
        }
        if let Some(workspace) = workspace {
            writeln!(f, "\n{}", show::heading("Try it"))?;
            let key = key.map_or("PUT_YOUR_KEY_HERE", |key| key.expose_secret());
            writeln!(f, "{}", lines::curl(origin, &workspace.id.to_string(), key, *demo))?;
        }
        Ok(())
    }
}

impl Greeting<'_> {
    /// The flags that lead another command to the same store. A URL is left to the environment: a
    /// password may stand in it.
    fn store_flags(&self) -> String {
        let StoreArgs { database, master_key, environment, secret_backend } = self.args;
        let database = database.as_deref().filter(|text| !text.contains("://"));
        let environment = Some(environment.as_str()).filter(|name| *name != "dev");
        let secrets = match secret_backend {
            SecretBackendArg::Database => None,
            SecretBackendArg::Ssm => Some("ssm"),
        };
        let mut flags = String::new();
        for (name, value) in
            [("database", database), ("master-key", master_key.as_deref()), ("env", environment), ("secrets", secrets)]
        {
            if let Some(value) = value {
                flags.push_str(&format!(" --{name} {}", show::quoted(value)));
            }
        }
        if self.args.database.as_deref().is_some_and(|text| text.contains("://")) {
            flags.push_str(&format!("   # with the URL in {}", store::DATABASE));
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn advice(args: &StoreArgs) -> String {
        let greeting = Greeting { origin: "http://x", args, database: None, workspace: None, key: None, demo: None };
        let text = greeting.to_string();
        let advice = text.lines().map(str::trim).find(|line| line.starts_with("callout keys")).unwrap();
        advice.to_owned()
    }

    #[test]
    fn what_is_advised_leads_to_the_same_store() {
        let mut args = StoreArgs {
            database: None,
            master_key: None,
            environment: "dev".to_owned(),
            secret_backend: SecretBackendArg::Database,
        };
        assert_eq!(advice(&args), "callout keys replace-operator");
        args.secret_backend = SecretBackendArg::Ssm;
        assert_eq!(advice(&args), "callout keys replace-operator --secrets ssm");
        args.database = Some("it.db".to_owned());
        args.environment = "prod".to_owned();
        assert_eq!(advice(&args), "callout keys replace-operator --database it.db --env prod --secrets ssm");
        args.database = Some("postgres://me:sesame@host/it".to_owned());
        assert_eq!(
            advice(&args),
            "callout keys replace-operator --env prod --secrets ssm   # with the URL in CALLOUT_DATABASE"
        );
    }
}
