//! Brings a database to this program's tables; several processes may do so at once.

use callout_core::time::SharedClock;

use super::{Database, On, Write, execute, row};
use crate::error::{Result, StoreError};

/// For SQLite and for PostgreSQL, in order. What has been released is never changed, only added to.
const MIGRATIONS: [(&str, &str); 2] = [
    (include_str!("migrations/0001.sqlite.sql"), include_str!("migrations/0001.postgres.sql")),
    (include_str!("migrations/0002.sqlite.sql"), include_str!("migrations/0002.postgres.sql")),
];

/// The advisory lock that openers of one PostgreSQL database take turns by: "callout" in ASCII.
const LOCK: i64 = 0x0063_616c_6c6f_7574;

impl Database {
    /// A transaction in which no other process opens this database or changes its master keys.
    pub(crate) async fn write_alone(&self) -> Result<Write> {
        let mut on = self.write().await?;
        if let On::Postgres(_) = on {
            // Waits as long as the others need, not only as long as for a row.
            execute!(on, "SELECT set_config('lock_timeout', '60s', true)")?;
            execute!(on, "SELECT pg_advisory_xact_lock($1)", LOCK)?;
        }
        Ok(on)
    }

    /// Makes or completes the tables, in the transaction that it gives.
    pub(super) async fn migrate(&self, clock: &SharedClock) -> Result<Write> {
        let mut on = self.write_alone().await?;
        refuse_other_encodings(&mut on).await?;
        execute!(
            on,
            "CREATE TABLE IF NOT EXISTS callout_schema (version BIGINT PRIMARY KEY, applied_at BIGINT NOT NULL)"
        )?;
        let newest: Option<(Option<i64>,)> = row!(on, "SELECT MAX(version) FROM callout_schema")?;
        let done = newest.and_then(|(version,)| version).unwrap_or(0);
        let known = MIGRATIONS.len() as i64;
        if done > known {
            return Err(StoreError::Invalid(format!(
                "the database was made by a newer program (version {done} of its tables, this program knows {known}); \
                 use that program"
            )));
        }
        for (at, (sqlite, postgres)) in MIGRATIONS.iter().enumerate().skip(done as usize) {
            let ran = match &mut on {
                On::Sqlite(on) => sqlx::raw_sql(*sqlite).execute(&mut **on).await.map(drop),
                On::Postgres(on) => sqlx::raw_sql(*postgres).execute(&mut **on).await.map(drop),
            };
            ran.map_err(super::Failure::from)?;
            let now = clock.unix().as_micros() as i64;
            execute!(on, "INSERT INTO callout_schema (version, applied_at) VALUES ($1, $2)", at as i64 + 1, now)?;
        }
        Ok(on)
    }
}

/// PostgreSQL keeps texts in the encoding of the database, and fails over what that has no letter for. One of UTF-8
/// has all, and `SQL_ASCII` keeps bytes as they come.
async fn refuse_other_encodings(on: &mut Write) -> Result<()> {
    if let On::Sqlite(_) = on {
        return Ok(());
    }
    let encoding: Option<(String,)> = row!(*on, "SELECT current_setting('server_encoding')")?;
    match encoding {
        Some((encoding,)) if !matches!(encoding.as_str(), "UTF8" | "SQL_ASCII") => Err(StoreError::Invalid(format!(
            "the PostgreSQL database has the encoding {encoding}, which cannot hold every text; make one with ENCODING \
             'UTF8'"
        ))),
        _ => Ok(()),
    }
}
