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
        // Only to be read; and no database, no schema, no table or no right to one, as it is until a database that was
        // dropped has been restored.
        return class || ["25006", "3D000", "3F000", "42P01", "42501"].contains(&code);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_heals_by_itself_is_told_from_what_does_not() {
        for code in ["08006", "28P01", "40001", "53300", "55P03", "57P01", "58030", "25006"] {
            assert!(is_unavailable(code), "{code}");
        }
        for code in ["3D000", "3F000", "42P01", "42501"] {
            assert!(is_unavailable(code), "{code}: it is being restored");
        }
        for code in ["5", "261", "14", "3338"] {
            assert!(is_unavailable(code), "{code} of SQLite");
        }
        for code in ["42703", "42601", "22P05", "25P02", "1", "11", "26", "787"] {
            assert!(!is_unavailable(code), "{code}");
        }
    }
}
