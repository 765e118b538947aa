//! The audit log: who changed what, when and with which result. It holds no values, and the database
//! itself refuses to change or delete its rows.

use std::fmt;

use uuid::Uuid;

use crate::{
    Store,
    access::UnknownWord,
    database::{Write, execute, row, rows},
    error::{Result, StoreError},
    list::{Listed, Page},
    store::Parts,
    timestamp::Timestamp,
};

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The API key, where there is one.
    pub key_id: Option<Uuid>,
    /// `cli`, `operator`, or the key's name.
    pub name: String,
    /// The request that it came with.
    pub request_id: Option<String>,
}

impl Actor {
    /// Without key and request.
    pub fn new(name: impl Into<String>) -> Self {
        Self { key_id: None, name: name.into(), request_id: None }
    }
}

/// What was done, or tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditAction {
    /// An integration was created.
    IntegrationCreate,
    /// An integration was changed, or its secret rotated.
    IntegrationUpdate,
    /// An integration was deleted with its secrets.
    IntegrationDelete,
    /// A builtin integration was imported.
    IntegrationImport,
    /// An API key was created.
    ApiKeyCreate,
    /// An API key's secret was replaced.
    ApiKeyRotate,
    /// An API key was deleted.
    ApiKeyDelete,
    /// A workspace was created.
    WorkspaceCreate,
    /// A workspace was deleted with everything in it.
    WorkspaceDelete,
    /// The master key was replaced.
    MasterKeyRotate,
}

impl AuditAction {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::IntegrationCreate,
        Self::IntegrationUpdate,
        Self::IntegrationDelete,
        Self::IntegrationImport,
        Self::ApiKeyCreate,
        Self::ApiKeyRotate,
        Self::ApiKeyDelete,
        Self::WorkspaceCreate,
        Self::WorkspaceDelete,
        Self::MasterKeyRotate,
    ];

    /// The word for it: `integration.create` and so on.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::IntegrationCreate => "integration.create",
            Self::IntegrationUpdate => "integration.update",
            Self::IntegrationDelete => "integration.delete",
            Self::IntegrationImport => "integration.import",
            Self::ApiKeyCreate => "api_key.create",
            Self::ApiKeyRotate => "api_key.rotate",
            Self::ApiKeyDelete => "api_key.delete",
            Self::WorkspaceCreate => "workspace.create",
            Self::WorkspaceDelete => "workspace.delete",
            Self::MasterKeyRotate => "master_key.rotate",
        }
    }
}

impl fmt::Display for AuditAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for AuditAction {
    type Err = UnknownWord;

    fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
        UnknownWord::or("audit action", &Self::ALL, Self::as_str, word)
    }
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AuditResult {
    /// It was done.
    Done,
    /// It was not allowed.
    Denied,
    /// Another change stood in its way.
    Conflict,
}

impl AuditResult {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Done, Self::Denied, Self::Conflict];

    /// The word for it: `done`, `denied`, `conflict`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Denied => "denied",
            Self::Conflict => "conflict",
        }
    }
}

impl fmt::Display for AuditResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for AuditResult {
    type Err = UnknownWord;

    fn from_str(word: &str) -> std::result::Result<Self, Self::Err> {
        UnknownWord::or("audit result", &Self::ALL, Self::as_str, word)
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number; later entries have greater ones.
    pub id: i64,
    /// When.
    pub at: Timestamp,
    /// Where; `None` for what belongs to no workspace.
    pub workspace_id: Option<Uuid>,
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: AuditAction,
    /// To what: `integration:<id>`, `api_key:<id>`, `workspace:<id>`, `master_key:<id>`; the kind alone for what has
    /// no id. At most 256 characters.
    pub target: String,
    /// How it ended.
    pub result: AuditResult,
}

/// Most characters of a target that are kept: rows cannot be deleted, and no target that is one is as long.
const MAX_TARGET: usize = 256;

type EntryRow = (i64, i64, Option<String>, Option<String>, String, Option<String>, String, String, String);

impl Store {
    /// The log, newest first; `None` for all workspaces and what belongs to none.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn audit(&self, workspace: Option<Uuid>, page: Page) -> Result<Listed<AuditEntry>> {
        let mut on = self.0.database.read().await?;
        let (limit, offset) = page.bounds();
        let found: Vec<EntryRow>;
        let total: Option<(i64,)>;
        if let Some(workspace) = workspace {
            let id = workspace.to_string();
            total = row!(on, "SELECT COUNT(*) FROM audit WHERE workspace_id = $1", &id)?;
            found = rows!(
                on,
                "SELECT id, at, workspace_id, actor_key_id, actor_name, request_id, action, target, result FROM audit \
                 WHERE workspace_id = $1 ORDER BY id DESC LIMIT $2 OFFSET $3",
                &id,
                limit,
                offset,
            )?;
        } else {
            total = row!(on, "SELECT COUNT(*) FROM audit")?;
            found = rows!(
                on,
                "SELECT id, at, workspace_id, actor_key_id, actor_name, request_id, action, target, result FROM audit \
                 ORDER BY id DESC LIMIT $1 OFFSET $2",
                limit,
                offset,
            )?;
        }
        Listed::of(found, total, read_entry)
    }

    /// Records that something was tried and refused.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn record_refusal(
        &self,
        workspace: Option<Uuid>,
        action: AuditAction,
        target: &str,
        by: &Actor,
        result: AuditResult,
    ) -> Result<()> {
        let mut on = self.0.database.write().await?;
        self.0.record(&mut on, Record { workspace, action, target: target.to_owned(), result }, by).await?;
        on.commit().await
    }
}

/// What goes into the log beside who and when.
pub(crate) struct Record {
    pub(crate) workspace: Option<Uuid>,
    pub(crate) action: AuditAction,
    pub(crate) target: String,
    pub(crate) result: AuditResult,
}

impl Record {
    /// It was done.
    pub(crate) fn done(workspace: Option<Uuid>, action: AuditAction, target: impl fmt::Display) -> Self {
        Self { workspace, action, target: target.to_string(), result: AuditResult::Done }
    }
}

impl Parts {
    /// In the transaction of the change itself.
    pub(crate) async fn record(&self, on: &mut Write, record: Record, by: &Actor) -> Result<()> {
        execute!(
            *on,
            "INSERT INTO audit (at, workspace_id, actor_key_id, actor_name, request_id, action, target, result) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            self.now().unix_micros(),
            record.workspace.map(|id| id.to_string()),
            by.key_id.map(|id| id.to_string()),
            storable(&by.name),
            by.request_id.as_deref().map(storable),
            record.action.as_str(),
            storable(&record.target).chars().take(MAX_TARGET).collect::<String>(),
            record.result.as_str(),
        )?;
        Ok(())
    }
}

/// PostgreSQL's texts hold no NUL.
fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn read_entry(row: EntryRow) -> Result<AuditEntry> {
    let (id, at, workspace_id, key_id, name, request_id, action, target, result) = row;
    let damaged = |error: UnknownWord| StoreError::Damaged(format!("audit entry {id}: {error}"));
    Ok(AuditEntry {
        id,
        at: Timestamp::from_unix_micros(at),
        workspace_id: workspace_id.as_deref().map(read_id).transpose()?,
        actor: Actor { key_id: key_id.as_deref().map(read_id).transpose()?, name, request_id },
        action: action.parse().map_err(damaged)?,
        target,
        result: result.parse().map_err(damaged)?,
    })
}

/// An id as the database has it.
pub(crate) fn read_id(text: &str) -> Result<Uuid> {
    text.parse().map_err(|_| StoreError::Damaged(format!("the database holds {text:?} where an id belongs")))
}
