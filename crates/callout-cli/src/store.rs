//! Opens the store that the flags name.

use callout_store::{
    Actor, DatabaseUrl, Listed, MasterKeySource, Page, SecretBackend, Store, StoreError, StoreOptions, Uuid, Workspace,
};

use crate::{
    Stop,
    args::{SecretBackendArg, StoreArgs},
    out, show,
};

/// The environment variable of the master key, for databases that no file stands beside.
const MASTER_KEY: &str = "CALLOUT_MASTER_KEY";

/// The environment variable of the database.
pub(crate) const DATABASE: &str = "CALLOUT_DATABASE";
/// The database where nothing names one.
pub(crate) const DEFAULT_DATABASE: &str = "callout.db";
/// How many rows are asked for at once.
const PAGE: u32 = 100;

/// Does something with every row of a list, page by page.
pub(crate) async fn each<T, F: Future<Output = Result<Listed<T>, StoreError>>>(
    ask: impl Fn(Page) -> F,
    mut row: impl FnMut(T) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let mut page = Page { limit: PAGE, offset: 0 };
    loop {
        let Listed { items, total } = ask(page).await?;
        items.into_iter().try_for_each(&mut row)?;
        page.offset += u64::from(PAGE);
        if page.offset >= total {
            return Ok(());
        }
    }
}

/// Who changes something from the command line, in the audit log.
pub(crate) fn actor() -> Actor {
    Actor { key_id: None, name: "cli".to_owned(), request_id: None }
}

/// The database that the flags, else the environment, else the default name.
pub(crate) fn database(args: &StoreArgs) -> Result<DatabaseUrl, Stop> {
    let named = args.database.clone().or_else(|| std::env::var(DATABASE).ok());
    let text = named.as_deref().unwrap_or(DEFAULT_DATABASE);
    Ok(text.parse().map_err(|error| format!("--database: {error}"))?)
}

/// Opens the store, and makes it where there is none, which is said.
pub(crate) async fn open_or_make(args: &StoreArgs) -> Result<Store, Stop> {
    let database = database(args)?;
    let made = match &database {
        DatabaseUrl::Sqlite(path) if !path.exists() => Some(path.display().to_string()),
        _ => None,
    };
    let store = open_at(args, database).await?;
    if let Some(path) = made {
        out::aside(format_args!("{} there was no database {path}, so it was made", show::dim("note:")));
    }
    Ok(store)
}

/// Opens a store that is there: a slip in its name must not make another.
pub(crate) async fn open(args: &StoreArgs) -> Result<Store, Stop> {
    let database = database(args)?;
    if let DatabaseUrl::Sqlite(path) = &database
        && !path.exists()
    {
        let path = path.display();
        return Err(Stop(format!("there is no database {path}; `callout serve --database {path}` makes it")));
    }
    open_at(args, database).await
}

/// As [`open_or_make`], with another database than the flags name.
pub(crate) async fn open_at(args: &StoreArgs, database: DatabaseUrl) -> Result<Store, Stop> {
    let source = match (&args.master_key, &database) {
        (Some(source), _) => Some(source.parse().map_err(|error| format!("--master-key: {error}"))?),
        // A SQLite database has a file beside it.
        (None, DatabaseUrl::Postgres(_)) => Some(MasterKeySource::Env(MASTER_KEY.to_owned())),
        (None, _) => None,
    };
    let mut options = StoreOptions::new(database, callout::system_clock(), callout::system_rng())
        .with_env(args.environment.as_str())
        .with_secrets(backend(args.secret_backend).await?);
    if let Some(source) = source {
        options = options.with_master_key(source);
    }
    Ok(Store::open(options).await?)
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
        StoreError::NotFound(_) => {
            Stop(format!("there is no workspace {id_or_name:?}; `callout workspaces list` shows those there are"))
        }
        error => error.into(),
    })
}
