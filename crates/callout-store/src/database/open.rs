//! Connections to the database that the options name.

use std::{path::Path, str::FromStr, time::Duration};

use callout_core::{
    secret::ExposeSecret,
    time::{Deadline, SharedClock},
};
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{
    Database, Failure, FileIdentity, On, STATEMENT_TIMEOUT, SqliteFile, SqlitePools, Write, stamp::Log, within,
};
use crate::{
    error::{Result, StoreError},
    options::DatabaseUrl,
};

/// How to connect.
pub(crate) struct Connect<'a> {
    pub(crate) url: &'a DatabaseUrl,
    pub(crate) max_connections: u32,
    pub(crate) max_wait: Duration,
    pub(crate) clock: &'a SharedClock,
}

impl Database {
    /// Connects, and brings the tables up to date: in the transaction that it gives, and for good once that is
    /// committed. Who refuses what is found there changes nothing.
    pub(crate) async fn open(connect: Connect<'_>) -> Result<(Self, Write)> {
        let deadline = Deadline::after(connect.clock, connect.max_wait);
        loop {
            let database = match connect.url {
                DatabaseUrl::Memory => memory(&connect),
                DatabaseUrl::Sqlite(path) => sqlite(&connect, path)?,
                DatabaseUrl::Postgres(url) => postgres(&connect, url.0.expose_secret())?,
            };
            match database.migrate(connect.clock).await {
                // Two that switch one new file to its write-ahead log do not wait for each other. For a PostgreSQL that
                // is about to start its pool waits by itself, and a database that is not there is said at once.
                Err(StoreError::Unavailable { .. })
                    if matches!(connect.url, DatabaseUrl::Sqlite(_))
                        && !deadline.remaining(connect.clock).is_zero() =>
                {
                    database.close().await;
                    connect.clock.sleep(Duration::from_millis(100)).await;
                }
                Err(error) => return Err(database.explained(error, connect.max_wait).await),
                Ok(on) => return Ok((database, on)),
            }
        }
    }

    /// The error, or why PostgreSQL's pool had no connection in time. A server that refuses is asked again until that
    /// time is over, and that it refused is not told then: one try by itself tells.
    async fn explained(&self, error: StoreError, max_wait: Duration) -> StoreError {
        let On::Postgres(pool) = &self.0 else { return error };
        let StoreError::Unavailable { source: Some(source), .. } = &error else { return error };
        if !matches!(source.downcast_ref::<sqlx::Error>(), Some(sqlx::Error::PoolTimedOut)) {
            return error;
        }
        let options = pool.connect_options();
        let tried = within(max_wait, PgConnection::connect_with(&options)).await;
        tried.map_or_else(|why| unconnected(pool, why), |_| error)
    }
}

/// Why a connection of that pool cannot be had, and where it would lead: the pool's own words say neither.
pub(super) fn unconnected(pool: &PgPool, error: sqlx::Error) -> StoreError {
    let why = match &error {
        sqlx::Error::PoolTimedOut => "no connection was free, or could be made, in time".to_owned(),
        error => error.to_string(),
    };
    match StoreError::from(Failure::from(error)) {
        StoreError::Unavailable { source, .. } => {
            let message = format!("the database at {} is not available: {why}", place(&pool.connect_options()));
            StoreError::Unavailable { message, source }
        }
        other => other,
    }
}

/// Host and port, or the socket.
fn place(options: &PgConnectOptions) -> String {
    let (host, port) = (options.get_host(), options.get_port());
    match options.get_socket() {
        Some(folder) => format!("{}/.s.PGSQL.{port}", folder.display()),
        None if host.starts_with('/') => format!("{host}/.s.PGSQL.{port}"),
        None => format!("{host}:{port}"),
    }
}

fn memory(connect: &Connect<'_>) -> Database {
    // It lives as long as its one connection.
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(connect.max_wait)
        .connect_lazy_with(SqliteConnectOptions::new().in_memory(true).foreign_keys(true).disable_statement_logging());
    Database(On::Sqlite(SqlitePools { read: pool.clone(), write: pool, file: None }))
}

fn sqlite(connect: &Connect<'_>, path: &Path) -> Result<Database> {
    create_file(path)?;
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(false)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What is deleted is overwritten: a sealed secret does not outlive its integration in pages that have become
        // free, for a master key that gets out later. FAST would leave such pages, where long ones stand. Deletes are
        // few.
        .pragma("secure_delete", "ON")
        .busy_timeout(connect.max_wait)
        .disable_statement_logging();
    let pool = |max_connections| {
        SqlitePoolOptions::new()
            .max_connections(max_connections)
            .acquire_timeout(connect.max_wait)
            // No network is between that could have closed it, and a test costs as much as a look.
            .test_before_acquire(false)
    };
    let read = pool(connect.max_connections).connect_lazy_with(options.clone());
    let write = pool(1)
        .after_release(|connection, _| {
            Box::pin(async move {
                // What was queued to end its transaction has run when this is answered. After some errors (a full
                // disk, a failed write) SQLite has ended it itself, and sqlx, whose ROLLBACK then fails, takes the
                // connection to be in it for ever: it would begin no other.
                connection.ping().await?;
                Ok(!connection.is_in_transaction())
            })
        })
        .connect_lazy_with(options);
    let file = Some(SqliteFile { path: path.to_owned(), opened: identity(path), log: Log::of(path) });
    Ok(Database(On::Sqlite(SqlitePools { read, write, file })))
}

/// Made here and not by SQLite, so that nobody else can read it for a moment. SQLite gives its log the
/// same mode.
fn create_file(path: &Path) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(StoreError::Invalid(format!("the database {} cannot be made: {error}", path.display()))),
    }
}

/// Which file that is.
pub(super) fn identity(path: &Path) -> FileIdentity {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        std::fs::metadata(path).ok().map(|_| (0, 0))
    }
}

fn postgres(connect: &Connect<'_>, url: &str) -> Result<Database> {
    // The URL is checked where it is read; what is wrong with it may hold its password.
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Invalid("the PostgreSQL URL has an option that is not known".to_owned()))?;
    let max_wait = connect.max_wait;
    let [lock_timeout, statement_timeout] = [max_wait, STATEMENT_TIMEOUT].map(|bound| bound.as_millis().to_string());
    let options = options
        .application_name("callout")
        .options([("lock_timeout", lock_timeout.as_str()), ("statement_timeout", statement_timeout.as_str())])
        .disable_statement_logging();
    let pool = PgPoolOptions::new()
        .max_connections(connect.max_connections)
        .acquire_timeout(max_wait)
        .connect_lazy_with(options);
    Ok(Database(On::Postgres(pool)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_named_by_where_it_is() {
        for (url, named) in [
            ("postgres://me:sesame@db.internal:6432/callout", "db.internal:6432"),
            ("postgres://me@db.internal/callout?port=7000", "db.internal:7000"),
            ("postgres://[::1]:5432/callout", "[::1]:5432"),
            ("postgres://localhost/callout?host=/run/postgresql&port=5433", "/run/postgresql/.s.PGSQL.5433"),
        ] {
            assert_eq!(place(&PgConnectOptions::from_str(url).unwrap()), named);
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new.db");
        create_file(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        create_file(&path).unwrap();
        assert!(create_file(&folder.path().join("absent/new.db")).is_err());
    }
}
