//! Workspaces: each tenant's integrations and API keys are its own.

use uuid::Uuid;

use crate::{
    Store,
    audit::{Actor, AuditAction, Record, read_id},
    database::{Failure, execute, locking, row, rows},
    error::{Result, StoreError},
    list::{Listed, Page},
    store::Vault,
    timestamp::Timestamp,
};

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: Uuid,
    /// Its name, unlike any other's.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
}

type WorkspaceRow = (String, String, i64);

impl Store {
    /// Makes a workspace.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`]; [`StoreError::Invalid`] for a name that is empty, longer than 256
    /// characters or holds control characters.
    pub async fn create_workspace(&self, name: &str, by: &Actor) -> Result<Workspace> {
        check_name("workspace", name)?;
        let workspace = Workspace { id: self.0.new_id(), name: name.to_owned(), created_at: self.0.now() };
        let mut on = self.0.database.write().await?;
        let inserted = execute!(
            on,
            "INSERT INTO workspaces (id, name, created_at) VALUES ($1, $2, $3)",
            workspace.id.to_string(),
            name,
            workspace.created_at.unix_micros(),
        );
        inserted.map_err(|failure| match failure {
            Failure::Unique => StoreError::NameTaken(name.to_owned()),
            other => other.into(),
        })?;
        let record = Record::done(Some(workspace.id), AuditAction::WorkspaceCreate, target(workspace.id));
        self.0.record(&mut on, record, by).await?;
        on.commit().await?;
        Ok(workspace)
    }

    /// The workspace of that id.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn workspace(&self, id: Uuid) -> Result<Workspace> {
        let mut on = self.0.database.read().await?;
        let found: Option<WorkspaceRow> =
            row!(on, "SELECT id, name, created_at FROM workspaces WHERE id = $1", id.to_string())?;
        found.map_or(Err(StoreError::NotFound("workspace")), read_workspace)
    }

    /// The workspace of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn workspace_by_name(&self, name: &str) -> Result<Workspace> {
        if check_name("workspace", name).is_err() {
            return Err(StoreError::NotFound("workspace"));
        }
        let mut on = self.0.database.read().await?;
        let found: Option<WorkspaceRow> =
            row!(on, "SELECT id, name, created_at FROM workspaces WHERE name = $1", name)?;
        found.map_or(Err(StoreError::NotFound("workspace")), read_workspace)
    }

    /// All workspaces by name, in byte order.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn list_workspaces(&self, page: Page) -> Result<Listed<Workspace>> {
        let mut on = self.0.database.read().await?;
        let (limit, offset) = page.bounds();
        let total: Option<(i64,)> = row!(on, "SELECT COUNT(*) FROM workspaces")?;
        let found: Vec<WorkspaceRow> =
            rows!(on, "SELECT id, name, created_at FROM workspaces ORDER BY name LIMIT $1 OFFSET $2", limit, offset,)?;
        Listed::of(found, total, read_workspace)
    }

    /// Deletes a workspace with its integrations, their secrets, and its API keys. Its audit entries
    /// stay.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn delete_workspace(&self, id: Uuid, by: &Actor) -> Result<()> {
        let mut on = self.0.database.write().await?;
        // Nothing is created in it from here on.
        let lock = locking!(on, "SELECT id, name, created_at FROM workspaces WHERE id = $1", "FOR UPDATE");
        let found: Option<WorkspaceRow> = row!(on, lock, id.to_string())?;
        found.ok_or(StoreError::NotFound("workspace"))?;
        self.0.home().require(&mut on).await?;
        let intents = match &self.0.vault {
            Vault::Sealed(_) => Vec::new(),
            Vault::External(_) => self.0.leave_purges(&mut on, id).await?,
        };
        execute!(on, "DELETE FROM workspaces WHERE id = $1", id.to_string())?;
        self.0.record(&mut on, Record::done(Some(id), AuditAction::WorkspaceDelete, target(id)), by).await?;
        on.commit().await?;
        for intent in intents {
            self.0.purge(intent).await;
        }
        Ok(())
    }
}

fn target(id: Uuid) -> String {
    format!("workspace:{id}")
}

fn read_workspace((id, name, created_at): WorkspaceRow) -> Result<Workspace> {
    Ok(Workspace { id: read_id(&id)?, name, created_at: Timestamp::from_unix_micros(created_at) })
}

/// Names that people give, and that a terminal shows.
pub(crate) fn check_name(what: &str, name: &str) -> Result<()> {
    let length = name.chars().count();
    if length == 0 || length > 256 || name.chars().any(char::is_control) {
        return Err(StoreError::Invalid(format!(
            "the name of a {what} must have 1 to 256 characters, none of control"
        )));
    }
    Ok(())
}
