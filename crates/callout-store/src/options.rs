//! What a store is opened with.

use std::{fmt, path::PathBuf, str::FromStr, time::Duration};

use callout_core::{
    secret::{ExposeSecret, SecretString},
    secret_store::SharedSecretStore,
    time::{SharedClock, SharedRng},
};
use url::Url;

use crate::{error::StoreError, master_key::MasterKeySource};

/// Where everything but the master key is kept.
///
/// Read from `postgres://user:password@host/database` (or `postgresql://`), `sqlite:PATH`, a plain
/// file path, or `sqlite::memory:`. `Display` and `Debug` leave the password out.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// In memory, for tests: gone with the store.
    Memory,
    /// A SQLite file, made if it is absent.
    Sqlite(PathBuf),
    /// A PostgreSQL database, version 13 or later.
    Postgres(PostgresUrl),
}

/// A URL of PostgreSQL, with its password.
#[derive(Clone)]
pub struct PostgresUrl(pub(crate) SecretString);

impl DatabaseUrl {
    /// Whether it is a file that is not there yet.
    pub(crate) fn is_new_file(&self) -> bool {
        matches!(self, Self::Sqlite(path) if matches!(path.try_exists(), Ok(false)))
    }
}

impl FromStr for DatabaseUrl {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Url::parse(text).map_err(|error| StoreError::Invalid(format!("the PostgreSQL URL is none: {error}")))?;
            return Ok(Self::Postgres(PostgresUrl(text.to_owned().into())));
        }
        let path = text.strip_prefix("sqlite:").unwrap_or(text);
        let path = path.strip_prefix("//").filter(|_| text.starts_with("sqlite:")).unwrap_or(path);
        match path {
            ":memory:" => Ok(Self::Memory),
            "" => Err(StoreError::Invalid("the database is missing: a file path or a postgres:// URL".to_owned())),
            _ if path.contains("://") => {
                let scheme = path.split("://").next().unwrap_or_default();
                Err(StoreError::Invalid(format!(
                    "there is no database {scheme}://…; use a file path, sqlite:PATH or postgres://…"
                )))
            }
            // SQLite reads such a name as a URI, and so as that of another file.
            _ if path.starts_with("file:") => Err(StoreError::Invalid(format!(
                "{path} is written as SQLite's own URI; use the path alone, or sqlite:PATH"
            ))),
            path => Ok(Self::Sqlite(path.into())),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str("sqlite::memory:"),
            Self::Sqlite(path) => write!(f, "sqlite:{}", path.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The query may hold a password too, and paths of keys.
        let Ok(url) = Url::parse(self.0.expose_secret()) else { return f.write_str("postgres://…") };
        let user = if url.username().is_empty() { String::new() } else { format!("{}@", url.username()) };
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "postgres://{user}{}{port}{}", url.host_str().unwrap_or_default(), url.path())
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where secrets are kept.
#[derive(Clone, Debug, Default)]
pub enum SecretBackend {
    /// In the database, sealed under the master key. The default.
    #[default]
    Database,
    /// In a store outside: AWS SSM, memory, the environment, a host's own.
    External(SharedSecretStore),
}

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct StoreOptions {
    pub(crate) database: DatabaseUrl,
    pub(crate) master_key: Option<MasterKeySource>,
    pub(crate) secrets: SecretBackend,
    pub(crate) env: String,
    pub(crate) clock: SharedClock,
    pub(crate) rng: SharedRng,
    pub(crate) max_connections: u32,
    pub(crate) max_wait: Duration,
}

impl StoreOptions {
    /// That database, secrets sealed in it, env `dev`. The clock is that of every time which is stored or compared;
    /// chance is in ids, API keys, nonces and new master keys.
    pub fn new(database: DatabaseUrl, clock: SharedClock, rng: SharedRng) -> Self {
        Self {
            database,
            master_key: None,
            secrets: SecretBackend::default(),
            env: "dev".to_owned(),
            clock,
            rng,
            max_connections: 8,
            max_wait: Duration::from_secs(5),
        }
    }

    /// Where the master key is. By default beside a SQLite file, under its name with `.key` appended;
    /// in memory for a database in memory; for PostgreSQL it must be given. Of one database alone: a rotation takes
    /// away the keys that its own database needs no more.
    #[must_use]
    pub fn with_master_key(mut self, source: MasterKeySource) -> Self {
        self.master_key = Some(source);
        self
    }

    /// Where secrets are kept. Default [`SecretBackend::Database`]. The database remembers it, and the env, from its
    /// first secret to its last.
    #[must_use]
    pub fn with_secrets(mut self, secrets: SecretBackend) -> Self {
        self.secrets = secrets;
        self
    }

    /// The first part of every secret's path: letters, digits, `_`, `-` and `.`. Default `dev`.
    #[must_use]
    pub fn with_env(mut self, env: impl Into<String>) -> Self {
        self.env = env.into();
        self
    }

    /// At most so many connections at once, at least one. Default 8.
    #[must_use]
    pub fn with_max_connections(mut self, max: u32) -> Self {
        self.max_connections = max.max(1);
        self
    }

    /// How long a call waits for a lock or a connection before it is
    /// [`StoreError::Unavailable`]. Default 5 s.
    #[must_use]
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn database_urls() {
        for (text, shown) in [
            ("callout.db", "sqlite:callout.db"),
            ("sqlite:/var/lib/callout.db", "sqlite:/var/lib/callout.db"),
            ("sqlite:///var/lib/callout.db", "sqlite:/var/lib/callout.db"),
            ("sqlite::memory:", "sqlite::memory:"),
            ("./file:callout.db", "sqlite:./file:callout.db"),
            ("postgres://me:sesame@db.internal:6432/callout?password=sesame", "postgres://me@db.internal:6432/callout"),
            ("postgresql://localhost/callout", "postgres://localhost/callout"),
        ] {
            let url: DatabaseUrl = text.parse().unwrap();
            assert_eq!(url.to_string(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
        for (text, told) in [
            ("", "missing"),
            ("sqlite:", "missing"),
            ("mysql://me:sesame@localhost/x", "mysql://…"),
            ("postgres://me:sesame@host:99999/x", "port"),
            ("file:callout.db", "use the path alone"),
            ("sqlite:file:callout.db?mode=ro", "use the path alone"),
            ("file:///var/lib/callout.db", "use a file path"),
        ] {
            let error = text.parse::<DatabaseUrl>().unwrap_err().to_string();
            assert!(error.contains(told) && !error.contains("sesame"), "{error}");
        }
    }
}
