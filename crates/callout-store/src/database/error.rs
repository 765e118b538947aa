//! What a database's errors mean.

use sqlx::error::ErrorKind;

use crate::error::StoreError;

/// Why a statement failed: constraints that a caller may have met, or the rest.
pub(crate) enum Failure {
    /// Another row has that key.
    Unique,
    /// A row that it refers to is not there.
    Reference,
    /// Everything else.
    Other(StoreError),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        let unavailable = match &error {
            sqlx::Error::Database(found) => match found.kind() {
                ErrorKind::UniqueViolation => return Self::Unique,
                ErrorKind::ForeignKeyViolation => return Self::Reference,
                _ => found.code().is_some_and(|code| is_unavailable(&code)),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed
            // The connection did not come out of the transaction before; the next one is another.
            | sqlx::Error::InvalidSavePointStatement => true,
            _ => false,
        };
        Self::Other(if unavailable {
            let message = format!("the database is not available: {error}");
            StoreError::Unavailable { message, source: Some(Box::new(error)) }
        } else {
            StoreError::Damaged(format!("the database cannot be used: {error}"))
        })
    }
}

/// SQLSTATE of PostgreSQL, five characters, or an extended result code of SQLite, at most four digits.
fn is_unavailable(code: &str) -> bool {
    if code.len() == 5 {
        // Connection, authorization, transaction, resources, state, lock, intervention, system.
        let class = ["08", "28", "40", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class));
        return class || code == "25006";
    }
    // BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN, PROTOCOL
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14 | 15))
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            // Where neither is looked for, another request was faster.
            Failure::Unique | Failure::Reference => Self::Changed,
            Failure::Other(error) => error,
        }
    }
}
