//! Where a database's secrets are kept: written down with the first of them, so that no other process keeps, looks for
//! or deletes some elsewhere.

use std::fmt;

use uuid::Uuid;

use crate::{
    database::{Write, execute, locking, row},
    error::{Result, StoreError},
    store::{Parts, Vault},
};

/// A backend and an env.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    backend: String,
    env: String,
}

type Row = (String, String);

/// The backends, as they are written down.
const WITHIN: &str = "database";
const OUTSIDE: &str = "outside";

macro_rules! select {
    () => {
        "SELECT backend, env FROM secret_home"
    };
}

impl Home {
    pub(crate) fn new(is_outside: bool, env: &str) -> Self {
        Self { backend: if is_outside { OUTSIDE } else { WITHIN }.to_owned(), env: env.to_owned() }
    }

    /// In the transaction that opens a database: refuses it if its secrets are kept elsewhere. Without any it is free
    /// again.
    pub(crate) async fn check(&self, on: &mut Write) -> Result<()> {
        let found: Option<Row> = row!(*on, select!())?;
        if found.is_none_or(|found| Self::from(found) == *self) {
            return Ok(());
        }
        // Who keeps one meanwhile has it locked, or waits for what becomes of it here.
        let select = locking!(*on, select!(), "FOR UPDATE");
        let found: Option<Row> = row!(*on, select)?;
        let Some(kept) = found.map(Self::from).filter(|kept| kept != self) else { return Ok(()) };
        let has_some: Option<(String,)> = row!(
            *on,
            "SELECT backend FROM secret_home \
             WHERE EXISTS (SELECT 1 FROM integrations WHERE secret_versions <> '{}')",
        )?;
        if has_some.is_some() {
            return Err(self.is_not(&kept));
        }
        execute!(*on, "DELETE FROM secret_home")?;
        Ok(())
    }

    /// In the transaction that gives that integration a secret: writes it down, unless another has. Where there are
    /// secrets already and nothing was written down, which is so of a database from before it was, it stays unknown.
    pub(super) async fn settle(&self, on: &mut Write, integration: Uuid) -> Result<()> {
        execute!(
            *on,
            "INSERT INTO secret_home (one, backend, env) SELECT 1, $1, $2 \
             WHERE NOT EXISTS (SELECT 1 FROM integrations WHERE secret_versions <> '{}' AND id <> $3) \
             ON CONFLICT DO NOTHING",
            &self.backend,
            &self.env,
            integration.to_string(),
        )?;
        self.require(on).await
    }

    /// In a transaction that changes secrets, or takes some away: refuses if they are kept elsewhere.
    pub(crate) async fn require(&self, on: &mut Write) -> Result<()> {
        let select = locking!(*on, select!(), "FOR SHARE");
        let found: Option<Row> = row!(*on, select)?;
        found.map(Self::from).filter(|kept| kept != self).map_or(Ok(()), |kept| Err(self.is_not(&kept)))
    }

    fn is_not(&self, kept: &Self) -> StoreError {
        StoreError::Invalid(format!(
            "the secrets of this database are kept {kept}, and it was opened with secrets kept {self}; open it as they \
             are kept, or delete them first",
        ))
    }
}

impl From<Row> for Home {
    fn from((backend, env): Row) -> Self {
        Self { backend, env }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, env } = self;
        let place = if backend == WITHIN { "in the database" } else { "in a store outside of it" };
        write!(f, "{place} under env {env:?}")
    }
}

impl Parts {
    pub(crate) fn home(&self) -> Home {
        Home::new(matches!(self.vault, Vault::External(_)), &self.env)
    }
}
