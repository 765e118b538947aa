//! Looks: reads of a row or two that calls make, of which there are thousands a second.
//!
//! The pool tests a connection when it hands it out and again when it gets it back. On SQLite each test costs
//! as much as the read, for every one is a message to the connection's thread and back. So a few
//! connections stay with those who look; one that has failed, or whose look was given up, does not.

use std::{
    ops::{Deref, DerefMut},
    sync::{Mutex, MutexGuard, PoisonError},
};

use sqlx::{Connection as _, Postgres, Sqlite, SqliteConnection, pool::PoolConnection};

use super::{Database, Failure, On};
use crate::error::Result;

/// Connections that wait for the next look.
const RESTING: usize = 2;

/// A connection for a look; see [`Database::looked`].
pub(crate) type Look = On<Looking, PoolConnection<Postgres>>;

/// A connection that stays with those who look, or one of the pool's.
pub(crate) enum Looking {
    Own(SqliteConnection),
    Pooled(PoolConnection<Sqlite>),
}

/// The connections that stay; none any more once the database is closed.
pub(super) struct Resting(Mutex<Option<Vec<SqliteConnection>>>);

impl Resting {
    pub(super) fn new() -> Self {
        Self(Mutex::new(Some(Vec::new())))
    }

    /// For a database that lives in its one connection, which cannot stay anywhere.
    pub(super) fn never() -> Self {
        Self(Mutex::new(None))
    }

    fn take(&self) -> Option<SqliteConnection> {
        self.lock().as_mut()?.pop()
    }

    fn put(&self, looking: Looking) {
        if let Some(resting) = &mut *self.lock()
            && resting.len() < RESTING
        {
            resting.push(match looking {
                Looking::Own(own) => own,
                // The pool may open another in its place.
                Looking::Pooled(pooled) => pooled.detach(),
            });
        }
    }

    pub(super) async fn close(&self) {
        let all = self.lock().take();
        for connection in all.into_iter().flatten() {
            // It ends either way.
            let _ = connection.close().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Vec<SqliteConnection>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Database {
    /// A connection for a look.
    pub(crate) async fn look(&self) -> Result<Look> {
        Ok(match &self.0 {
            On::Sqlite(pools) => {
                pools.check_file()?;
                On::Sqlite(match pools.resting.take() {
                    Some(own) => Looking::Own(own),
                    None => Looking::Pooled(pools.read.acquire().await.map_err(Failure::from)?),
                })
            }
            On::Postgres(pool) => On::Postgres(pool.acquire().await.map_err(Failure::from)?),
        })
    }

    /// Keeps the connection of a look that went well for the next one.
    pub(crate) fn looked(&self, look: Look) {
        if let (On::Sqlite(pools), On::Sqlite(looking)) = (&self.0, look) {
            pools.resting.put(looking);
        }
    }
}

impl Deref for Looking {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match self {
            Self::Own(own) => own,
            Self::Pooled(pooled) => pooled,
        }
    }
}

impl DerefMut for Looking {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match self {
            Self::Own(own) => own,
            Self::Pooled(pooled) => pooled,
        }
    }
}
