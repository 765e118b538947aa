//! Opens the store that the flags name.

use callout::SharedClock;
use callout_store::{Actor, DatabaseUrl, MasterKeySource, SecretBackend, Store, StoreOptions, Uuid, Workspace};

use crate::{
    Stop,
    args::{SecretBackendArg, StoreArgs},
};

/// The environment variable of the master key, for databases that no file stands beside.
const MASTER_KEY: &str = "CALLOUT_MASTER_KEY";

/// Who changes something from the command line, in the audit log.
pub(crate) fn actor() -> Actor {
    Actor { key_id: None, name: "cli".to_owned(), request_id: None }
}

pub(crate) async fn open(args: &StoreArgs) -> Result<Store, Stop> {
    open_at(args, args.database.parse().map_err(|error| format!("--database: {error}"))?).await
}

/// As [`open`], with another database than the flags name.
pub(crate) async fn open_at(args: &StoreArgs, database: DatabaseUrl) -> Result<Store, Stop> {
    let source = match (&args.master_key, &database) {
        (Some(source), _) => Some(source.parse().map_err(|error| format!("--master-key: {error}"))?),
        // A SQLite database has a file beside it.
        (None, DatabaseUrl::Postgres(_)) => Some(MasterKeySource::Env(MASTER_KEY.to_owned())),
        (None, _) => None,
    };
    let mut options = StoreOptions::new(database)
        .with_env(args.environment.as_str())
        .with_clock(clock())
        .with_rng(callout::system_rng())
        .with_secrets(backend(args.secret_backend).await?);
    if let Some(source) = source {
        options = options.with_master_key(source);
    }
    Ok(Store::open(options).await?)
}

pub(crate) fn clock() -> SharedClock {
    callout::system_clock()
}

#[cfg_attr(not(feature = "ssm"), expect(clippy::unused_async, reason = "the AWS SDK is asked where it is built in"))]
async fn backend(backend: SecretBackendArg) -> Result<SecretBackend, Stop> {
    match backend {
        SecretBackendArg::Database => Ok(SecretBackend::Database),
        #[cfg(feature = "ssm")]
        SecretBackendArg::Ssm => {
            let ssm = callout_store::secrets::SsmSecrets::from_environment(None).await;
            Ok(SecretBackend::External(callout_store::SharedSecretStore::new(ssm)))
        }
        #[cfg(not(feature = "ssm"))]
        SecretBackendArg::Ssm => {
            Err(Stop("--secrets ssm: this program was built without it; build it with `--features ssm`".to_owned()))
        }
    }
}

/// The workspace of that id or name.
pub(crate) async fn workspace(store: &Store, id_or_name: &str) -> Result<Workspace, Stop> {
    let found = match Uuid::try_parse(id_or_name) {
        Ok(id) => store.workspace(id).await,
        Err(_) => store.workspace_by_name(id_or_name).await,
    };
    found.map_err(|error| match error {
        callout_store::StoreError::NotFound(_) => {
            Stop(format!("there is no workspace {id_or_name:?}; `callout workspaces list` shows those there are"))
        }
        error => error.into(),
    })
}
