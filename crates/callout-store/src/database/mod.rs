//! One way to run a statement on SQLite and PostgreSQL: each is written once, with `$1` for its first
//! value and in the part of SQL that both have.
//!
//! - SQLite: a write-ahead log, `synchronous = FULL`, foreign keys, `secure_delete`, one connection that
//!   writes (others of this process queue for it, other processes' are waited for) and several that read.
//! - PostgreSQL: a small pool; every wait for a lock is bounded, and so is every statement, by the server and,
//!   should its host be gone without a word, here.

mod error;
mod migrate;
mod open;
mod stamp;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

pub(crate) use error::Failure;
pub(crate) use open::Connect;
use sqlx::{Postgres, Sqlite, Transaction, pool::PoolConnection};
pub use stamp::ChangeStamp;
use stamp::Log;

use crate::error::{Result, StoreError};

/// The same thing of one database or the other.
pub(crate) enum On<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// A transaction; dropped without [`commit`], it leaves nothing behind.
pub(crate) type Write = On<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>;

/// A connection for reading.
pub(crate) type Read = On<PoolConnection<Sqlite>, PoolConnection<Postgres>>;

/// Runs a statement on a [`Read`] or [`Write`]; the number of rows that it changed.
macro_rules! execute {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        match &mut $on {
            $crate::database::On::Sqlite(on) => {
                sqlx::query($sql)$(.bind($value))*.execute(&mut **on).await.map(|done| done.rows_affected())
            }
            $crate::database::On::Postgres(on) => {
                let done = $crate::database::in_time(sqlx::query($sql)$(.bind($value))*.execute(&mut **on)).await;
                done.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::database::Failure::from)
    };
}

/// The rows of a statement on a [`Read`] or [`Write`], as tuples.
macro_rules! rows {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        match &mut $on {
            $crate::database::On::Sqlite(on) => sqlx::query_as($sql)$(.bind($value))*.fetch_all(&mut **on).await,
            $crate::database::On::Postgres(on) => {
                $crate::database::in_time(sqlx::query_as($sql)$(.bind($value))*.fetch_all(&mut **on)).await
            }
        }
        .map_err($crate::database::Failure::from)
    };
}

/// As [`rows`], and no more of them than the bound allows; the others are never held.
macro_rules! rows_within {
    ($bound:expr, $on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        match &mut $on {
            $crate::database::On::Sqlite(on) => $bound.take(sqlx::query_as($sql)$(.bind($value))*.fetch(&mut **on)).await,
            $crate::database::On::Postgres(on) => {
                $crate::database::in_time($bound.take(sqlx::query_as($sql)$(.bind($value))*.fetch(&mut **on))).await
            }
        }
        .map_err($crate::database::Failure::from)
    };
}

/// The row of a statement on a [`Read`] or [`Write`], if there is one.
macro_rules! row {
    ($on:expr, $sql:expr $(, $value:expr)* $(,)?) => {
        match &mut $on {
            $crate::database::On::Sqlite(on) => sqlx::query_as($sql)$(.bind($value))*.fetch_optional(&mut **on).await,
            $crate::database::On::Postgres(on) => {
                $crate::database::in_time(sqlx::query_as($sql)$(.bind($value))*.fetch_optional(&mut **on)).await
            }
        }
        .map_err($crate::database::Failure::from)
    };
}

/// A statement that locks the rows it selects, in the way that is named, until the [`Write`] it is meant for ends.
/// SQLite needs no words for it: there, a transaction that writes is alone.
macro_rules! locking {
    ($on:expr, $select:expr, $lock:literal) => {
        match &$on {
            $crate::database::On::Sqlite(_) => $select,
            $crate::database::On::Postgres(_) => concat!($select, " ", $lock),
        }
    };
}

pub(crate) use {execute, locking, row, rows, rows_within};

/// So long may PostgreSQL work on a statement.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);

/// What PostgreSQL has neither answered nor given up by then asks a host that is gone: nobody else would say so
/// before TCP does, a quarter of an hour later. Until then the pool keeps the connection's place, for sqlx waits for
/// the host's farewell when it closes one over TLS.
const LONGEST: Duration = Duration::from_secs(65);

/// Bounds what is asked of PostgreSQL.
pub(crate) async fn in_time<T>(work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    within(LONGEST, work).await
}

async fn within<T>(longest: Duration, work: impl Future<Output = sqlx::Result<T>>) -> sqlx::Result<T> {
    match tokio::time::timeout(longest, work).await {
        Ok(done) => done,
        Err(elapsed) => Err(sqlx::Error::Io(elapsed.into())),
    }
}

impl Write {
    /// Makes all of it so.
    pub(crate) async fn commit(self) -> Result<()> {
        let done = match self {
            Self::Sqlite(on) => on.commit().await,
            Self::Postgres(on) => in_time(on.commit()).await,
        };
        Ok(done.map_err(Failure::from)?)
    }
}

/// The open database.
pub(crate) struct Database(On<SqlitePools, sqlx::PgPool>);

struct SqlitePools {
    read: sqlx::SqlitePool,
    write: sqlx::SqlitePool,
    /// None in memory.
    file: Option<SqliteFile>,
}

struct SqliteFile {
    path: PathBuf,
    /// Which one it was when it was opened.
    opened: FileIdentity,
    log: Log,
}

/// Device and inode, where there are such.
type FileIdentity = Option<(u64, u64)>;

impl Database {
    /// A connection for reading.
    pub(crate) async fn read(&self) -> Result<Read> {
        Ok(match &self.0 {
            On::Sqlite(pools) => {
                pools.check_file()?;
                On::Sqlite(pools.read.acquire().await.map_err(Failure::from)?)
            }
            On::Postgres(pool) => On::Postgres(pool.acquire().await.map_err(|error| open::unconnected(pool, error))?),
        })
    }

    /// A transaction that may write.
    pub(crate) async fn write(&self) -> Result<Write> {
        Ok(match &self.0 {
            On::Sqlite(pools) => {
                pools.check_file()?;
                // From its first statement on, so that it never finds that another was faster.
                On::Sqlite(pools.write.begin_with("BEGIN IMMEDIATE").await.map_err(Failure::from)?)
            }
            On::Postgres(pool) => {
                let own = pool.clone();
                // On its own, so that it ends also when nobody waits for it any more, and is rolled back then: of a
                // BEGIN that was given up sqlx knows nothing, and whoever has the connection next is in the middle of
                // that transaction.
                let begun = tokio::spawn(async move { in_time(own.begin()).await }).await;
                let begun = begun.map_err(|_| StoreError::unavailable("a transaction could not be begun"))?;
                On::Postgres(begun.map_err(|error| open::unconnected(pool, error))?)
            }
        })
    }

    /// Whether it answers, and has its tables: one that is being restored has none yet.
    pub(crate) async fn ping(&self) -> Result<()> {
        let mut on = self.read().await?;
        let _: Option<(Option<i64>,)> = row!(on, "SELECT MAX(version) FROM callout_schema")?;
        Ok(())
    }

    /// See [`crate::Store::change_stamp`].
    pub(crate) fn change_stamp(&self, now: Instant) -> Option<ChangeStamp> {
        let On::Sqlite(pools) = &self.0 else { return None };
        pools.file.as_ref()?.log.stamp(now)
    }

    /// Ends its connections.
    pub(crate) async fn close(&self) {
        match &self.0 {
            On::Sqlite(pools) => {
                pools.read.close().await;
                pools.write.close().await;
            }
            On::Postgres(pool) => pool.close().await,
        }
    }
}

impl SqlitePools {
    /// SQLite goes on writing into a file that was deleted or moved away, where nobody would find it.
    fn check_file(&self) -> Result<()> {
        let Some(SqliteFile { path, opened, .. }) = &self.file else { return Ok(()) };
        if open::identity(path) == *opened {
            return Ok(());
        }
        Err(StoreError::unavailable(format!(
            "the database file {} was removed or replaced; put it back or start again",
            path.display()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_host_that_is_gone_was_asked_is_unavailable() {
        let silent = within(Duration::from_millis(5), std::future::pending::<sqlx::Result<()>>()).await;
        let error = StoreError::from(Failure::from(silent.unwrap_err()));
        assert!(matches!(error, StoreError::Unavailable { .. }), "{error}");
        assert_eq!(in_time(async { Ok(7) }).await.unwrap(), 7);
        assert!(LONGEST > STATEMENT_TIMEOUT, "the server's word comes first");
    }
}
