//! Integrations: each a row with its config, its revision and, per secret, the version that belongs
//! to that revision.

use std::collections::BTreeMap;

use callout_core::{
    config::{AuthConfig, IntegrationConfig, Protocol, UnknownFields},
    fault::Faults,
    json::{Json, Number, ObjectBuilder},
    secret::{SecretName, Secrets},
};
use uuid::Uuid;

use crate::{
    Store,
    audit::{Actor, AuditAction, Record, read_id},
    database::{Failure, Write, execute, row, rows},
    error::{Result, StoreError},
    list::search_text,
    secrets::change::{Pending, Versions},
    timestamp::Timestamp,
};

/// An integration to be stored.
#[derive(Clone, Debug)]
pub struct NewIntegration {
    /// Its config, checked by the engine.
    pub config: IntegrationConfig,
    /// The secrets that its auth type takes, the one that it needs among them.
    pub secrets: Secrets,
    /// Whether only an import may change it.
    pub builtin: bool,
}

/// A change of an integration.
#[derive(Clone, Debug)]
pub struct IntegrationChange {
    /// The whole config as it shall be, checked by the engine; its name is the one that it has.
    pub config: IntegrationConfig,
    /// The secrets that are given anew. Those of before whose name the auth type still takes are
    /// kept, others are deleted.
    pub secrets: Secrets,
    /// Secrets of before that are deleted too, unless they are given anew.
    pub removed: Vec<SecretName>,
}

impl IntegrationChange {
    /// To that config, with those secrets given anew and none taken away.
    pub fn new(config: IntegrationConfig, secrets: Secrets) -> Self {
        Self { config, secrets, removed: Vec::new() }
    }
}

/// An integration as it is stored, at one revision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredIntegration {
    /// Its id.
    pub id: Uuid,
    /// Whose it is.
    pub workspace_id: Uuid,
    /// Its config.
    pub config: IntegrationConfig,
    /// Whether only an import may change it.
    pub builtin: bool,
    /// 1 when it is created, one more with each change.
    pub revision: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    pub(crate) secret_versions: Versions,
}

impl StoredIntegration {
    /// Which secrets it has.
    pub fn secret_names(&self) -> impl Iterator<Item = SecretName> {
        self.secret_versions.keys().copied()
    }
}

/// An integration as it was found in the database. To read a large one takes milliseconds: whoever serves many spends
/// them elsewhere than where the store is asked.
#[derive(Clone, Debug)]
pub struct UnreadIntegration(pub(crate) IntegrationRow);

impl UnreadIntegration {
    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Damaged`] if it holds what this program cannot read.
    pub fn read(self) -> Result<StoredIntegration> {
        read_integration(self.0)
    }
}

/// As [`columns`] selects them.
pub(crate) type IntegrationRow = (String, String, String, i64, i64, i64, i64, String);

macro_rules! columns {
    () => {
        "id, workspace_id, config, builtin, revision, created_at, updated_at, secret_versions"
    };
}
pub(crate) use columns;

impl Store {
    /// Stores a new integration with its secrets.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`]; [`StoreError::NotFound`] if there is no such workspace;
    /// [`StoreError::Invalid`] if the secrets are not those of the auth type.
    pub async fn create_integration(
        &self,
        workspace: Uuid,
        new: NewIntegration,
        by: &Actor,
    ) -> Result<StoredIntegration> {
        self.create(workspace, new, AuditAction::IntegrationCreate, by).await
    }

    async fn create(
        &self,
        workspace: Uuid,
        NewIntegration { config, secrets, builtin }: NewIntegration,
        action: AuditAction,
        by: &Actor,
    ) -> Result<StoredIntegration> {
        check_secrets(config.auth.as_ref(), &secrets, &Versions::new())?;
        let now = self.0.now();
        let mut stored = StoredIntegration {
            id: self.0.new_id(),
            workspace_id: workspace,
            config,
            builtin,
            revision: 1,
            created_at: now,
            updated_at: now,
            secret_versions: Versions::new(),
        };
        self.workspace(workspace).await?;
        let pending = self.0.prepare_secrets(&stored, &secrets, &[]).await?;
        stored.secret_versions = pending.versions(&stored);
        let done = self.insert(&stored, &pending, action, by).await;
        self.0.settle_secrets(pending, done.is_ok()).await;
        done.map(|()| stored)
    }

    async fn insert(
        &self,
        new: &StoredIntegration,
        pending: &Pending<'_>,
        action: AuditAction,
        by: &Actor,
    ) -> Result<()> {
        let mut on = self.0.database.write().await?;
        let inserted = execute!(
            on,
            "INSERT INTO integrations (id, workspace_id, name, search_text, protocol, enabled, builtin, config, \
             secret_versions, revision, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            new.id.to_string(),
            new.workspace_id.to_string(),
            &new.config.name,
            search_text(&new.config, new.id),
            new.config.protocol.as_str(),
            i64::from(new.config.enabled),
            i64::from(new.builtin),
            new.config.to_json().to_string(),
            write_versions(&new.secret_versions),
            new.revision,
            new.created_at.unix_micros(),
            new.updated_at.unix_micros(),
        );
        inserted.map_err(|failure| match failure {
            Failure::Unique => StoreError::NameTaken(new.config.name.clone()),
            Failure::Reference => StoreError::NotFound("workspace"),
            Failure::Other(error) => error,
        })?;
        self.0.write_secrets(&mut on, new, pending).await?;
        self.0.record(&mut on, Record::done(Some(new.workspace_id), action, target(new.id)), by).await?;
        on.commit().await
    }

    /// The integration of that id.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn integration(&self, workspace: Uuid, id: Uuid) -> Result<StoredIntegration> {
        self.unread_integration(workspace, id).await?.read()
    }

    /// As [`Store::integration`], and not read yet.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn unread_integration(&self, workspace: Uuid, id: Uuid) -> Result<UnreadIntegration> {
        let mut on = self.0.database.read().await?;
        let found: Option<IntegrationRow> = row!(
            on,
            concat!("SELECT ", columns!(), " FROM integrations WHERE id = $1 AND workspace_id = $2"),
            id.to_string(),
            workspace.to_string(),
        )?;
        found.map(UnreadIntegration).ok_or(StoreError::NotFound("integration"))
    }

    /// The integration of that name.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn integration_by_name(&self, workspace: Uuid, name: &str) -> Result<StoredIntegration> {
        let mut on = self.0.database.read().await?;
        let found: Option<IntegrationRow> = row!(
            on,
            concat!("SELECT ", columns!(), " FROM integrations WHERE name = $1 AND workspace_id = $2"),
            name.replace('\0', "\u{fffd}"),
            workspace.to_string(),
        )?;
        found.map_or(Err(StoreError::NotFound("integration")), read_integration)
    }

    /// The revision that it is at: what a cache compares.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn integration_revision(&self, workspace: Uuid, id: Uuid) -> Result<i64> {
        let mut on = self.0.database.read().await?;
        let found: Option<(i64,)> = row!(
            on,
            "SELECT revision FROM integrations WHERE id = $1 AND workspace_id = $2",
            id.to_string(),
            workspace.to_string(),
        )?;
        found.map(|(revision,)| revision).ok_or(StoreError::NotFound("integration"))
    }

    /// The ids and revisions of a workspace's integrations that can be called: enabled and not `desktop`.
    /// By name, the first `most` of them.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn callable_revisions(&self, workspace: Uuid, most: u32) -> Result<Vec<(Uuid, i64)>> {
        let mut on = self.0.database.read().await?;
        let found: Vec<(String, i64)> = rows!(
            on,
            "SELECT id, revision FROM integrations WHERE workspace_id = $1 AND enabled = 1 AND protocol = $2 \
             ORDER BY name LIMIT $3",
            workspace.to_string(),
            Protocol::Rest.as_str(),
            i64::from(most),
        )?;
        found.into_iter().map(|(id, revision)| Ok((read_id(&id)?, revision))).collect()
    }

    /// Changes an integration as it was read.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] if it is at another revision by now; [`StoreError::Builtin`];
    /// [`StoreError::NotFound`]; [`StoreError::Invalid`] if the name differs, or the secrets are not
    /// those of the auth type.
    pub async fn update_integration(
        &self,
        current: &StoredIntegration,
        change: IntegrationChange,
        by: &Actor,
    ) -> Result<StoredIntegration> {
        if current.builtin {
            return Err(StoreError::Builtin);
        }
        self.update(current, change, AuditAction::IntegrationUpdate, by).await
    }

    async fn update(
        &self,
        current: &StoredIntegration,
        IntegrationChange { config, secrets, removed }: IntegrationChange,
        action: AuditAction,
        by: &Actor,
    ) -> Result<StoredIntegration> {
        if config.name != current.config.name {
            return Err(StoreError::Invalid("the name of an integration cannot change".to_owned()));
        }
        let takes = |name: SecretName| config.auth.as_ref().is_some_and(|auth| auth.kind.takes_secret(name));
        let mut kept = current.secret_versions.clone();
        kept.retain(|name, _| takes(*name) && !removed.contains(name));
        check_secrets(config.auth.as_ref(), &secrets, &kept)?;
        let mut next = current.clone();
        next.revision += 1;
        next.updated_at = self.0.now();
        let stays = |name: SecretName| kept.contains_key(&name) || secrets.get(name).is_some();
        let removed: Vec<_> = current.secret_names().filter(|name| !stays(*name)).collect();
        next.config = config;
        let pending = self.0.prepare_secrets(&next, &secrets, &removed).await?;
        next.secret_versions = pending.versions(&next);
        let done = self.replace(current, &next, &pending, action, by).await;
        self.0.settle_secrets(pending, done.is_ok()).await;
        done.map(|()| next)
    }

    async fn replace(
        &self,
        current: &StoredIntegration,
        next: &StoredIntegration,
        pending: &Pending<'_>,
        action: AuditAction,
        by: &Actor,
    ) -> Result<()> {
        let mut on = self.0.database.write().await?;
        let changed = execute!(
            on,
            "UPDATE integrations SET search_text = $1, protocol = $2, enabled = $3, config = $4, secret_versions = $5, \
             revision = $6, updated_at = $7 WHERE id = $8 AND workspace_id = $9 AND revision = $10 AND builtin = $11",
            search_text(&next.config, next.id),
            next.config.protocol.as_str(),
            i64::from(next.config.enabled),
            next.config.to_json().to_string(),
            write_versions(&next.secret_versions),
            next.revision,
            next.updated_at.unix_micros(),
            next.id.to_string(),
            next.workspace_id.to_string(),
            current.revision,
            i64::from(next.builtin),
        )?;
        if changed == 0 {
            return Err(unchanged(&mut on, next).await?);
        }
        self.0.delete_secrets(&mut on, current, pending).await?;
        self.0.write_secrets(&mut on, next, pending).await?;
        self.0.record(&mut on, Record::done(Some(next.workspace_id), action, target(next.id)), by).await?;
        on.commit().await
    }

    /// Deletes an integration and its secrets.
    ///
    /// # Errors
    ///
    /// [`StoreError::Builtin`]; [`StoreError::NotFound`]
    pub async fn delete_integration(&self, workspace: Uuid, id: Uuid, by: &Actor) -> Result<()> {
        self.delete(workspace, id, false, by).await
    }

    /// As [`Store::delete_integration`], also for a builtin one: for whoever imported it.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn delete_integration_or_builtin(&self, workspace: Uuid, id: Uuid, by: &Actor) -> Result<()> {
        self.delete(workspace, id, true, by).await
    }

    async fn delete(&self, workspace: Uuid, id: Uuid, builtin_too: bool, by: &Actor) -> Result<()> {
        let mut on = self.0.database.write().await?;
        let deleted = execute!(
            on,
            "DELETE FROM integrations WHERE id = $1 AND workspace_id = $2 AND builtin <= $3",
            id.to_string(),
            workspace.to_string(),
            i64::from(builtin_too),
        )?;
        if deleted == 0 {
            let found: Option<(i64,)> = row!(
                on,
                "SELECT builtin FROM integrations WHERE id = $1 AND workspace_id = $2",
                id.to_string(),
                workspace.to_string(),
            )?;
            return Err(if found.is_some() { StoreError::Builtin } else { StoreError::NotFound("integration") });
        }
        let purge = self.0.leave_purge(&mut on, workspace, id).await?;
        self.0.record(&mut on, Record::done(Some(workspace), AuditAction::IntegrationDelete, target(id)), by).await?;
        on.commit().await?;
        if let Some(purge) = purge {
            self.0.purge(purge).await;
        }
        Ok(())
    }

    /// Stores an integration that its workspace cannot change, or puts it in the place of the builtin one
    /// of that name, whose secrets go: one that is not given could else be sent to where the new config
    /// leads.
    ///
    /// # Errors
    ///
    /// [`StoreError::NameTaken`] if one of that name is not builtin; else as [`Store::create_integration`]
    /// and [`Store::update_integration`].
    pub async fn import_builtin(&self, workspace: Uuid, new: NewIntegration, by: &Actor) -> Result<StoredIntegration> {
        let new = NewIntegration { builtin: true, ..new };
        match self.integration_by_name(workspace, &new.config.name).await {
            Ok(current) if current.builtin => {
                let removed = current.secret_names().collect();
                let change = IntegrationChange { config: new.config, secrets: new.secrets, removed };
                self.update(&current, change, AuditAction::IntegrationImport, by).await
            }
            Ok(_) => Err(StoreError::NameTaken(new.config.name)),
            Err(StoreError::NotFound(_)) => self.create(workspace, new, AuditAction::IntegrationImport, by).await,
            Err(error) => Err(error),
        }
    }
}

/// Why no row was changed.
async fn unchanged(on: &mut Write, next: &StoredIntegration) -> Result<StoreError> {
    let found: Option<(i64,)> = row!(
        *on,
        "SELECT builtin FROM integrations WHERE id = $1 AND workspace_id = $2",
        next.id.to_string(),
        next.workspace_id.to_string(),
    )?;
    Ok(match found {
        None => StoreError::NotFound("integration"),
        Some((builtin,)) if builtin != i64::from(next.builtin) => StoreError::Builtin,
        Some(_) => StoreError::Changed,
    })
}

fn target(id: Uuid) -> String {
    format!("integration:{id}")
}

/// An integration is never stored without the secret that it needs, nor with one that it does not take.
fn check_secrets(auth: Option<&AuthConfig>, given: &Secrets, kept: &Versions) -> Result<()> {
    let kind = auth.map(|auth| auth.kind);
    if let Some((name, _)) = given.iter().find(|(name, _)| !kind.is_some_and(|kind| kind.takes_secret(*name))) {
        let by = kind
            .map_or_else(|| "an integration without auth".to_owned(), |kind| format!("auth type {}", kind.as_str()));
        return Err(StoreError::Invalid(format!("auth.{} is not used by {by}", name.field())));
    }
    let needed = kind.map(callout_core::config::AuthType::required_secret);
    match needed.filter(|name| given.get(*name).is_none() && !kept.contains_key(name)) {
        Some(name) => Err(StoreError::Invalid(format!("auth.{} is required", name.field()))),
        None => Ok(()),
    }
}

fn read_integration(row: IntegrationRow) -> Result<StoredIntegration> {
    let (id, workspace_id, config, builtin, revision, created_at, updated_at, versions) = row;
    let damaged = |why: String| StoreError::Damaged(format!("the stored integration {id} cannot be read: {why}"));
    let mut faults = Faults::new();
    let read = Json::parse(&config).map_err(|error| damaged(error.to_string()))?;
    let read = IntegrationConfig::read(&read, UnknownFields::RefuseInAuth, &mut faults);
    if let Some(fault) = faults.iter().next() {
        return Err(damaged(fault.to_string()));
    }
    let (config, _) = read.ok_or_else(|| damaged("it is no integration".to_owned()))?;
    let secret_versions = read_versions(&versions).ok_or_else(|| damaged(format!("secret versions {versions}")))?;
    Ok(StoredIntegration {
        id: read_id(&id)?,
        workspace_id: read_id(&workspace_id)?,
        config,
        builtin: builtin != 0,
        revision,
        created_at: Timestamp::from_unix_micros(created_at),
        updated_at: Timestamp::from_unix_micros(updated_at),
        secret_versions,
    })
}

/// `{"api_key":3}`
fn write_versions(versions: &Versions) -> String {
    let mut object = ObjectBuilder::new();
    for (name, version) in versions {
        if let Some(number) = Number::from_text(&version.to_string()) {
            object.insert(name.as_str(), number);
        }
    }
    Json::from(object).to_string()
}

pub(crate) fn read_versions(text: &str) -> Option<Versions> {
    let read = Json::parse(text).ok()?;
    let members = read.as_object()?.iter();
    members
        .map(|(name, version)| Some((name.parse().ok()?, version.as_number()?.as_u64()?)))
        .collect::<Option<BTreeMap<_, _>>>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_read_back() {
        let versions = Versions::from([(SecretName::PrivateKey, 12), (SecretName::ClientSecret, u64::MAX)]);
        assert_eq!(write_versions(&versions), r#"{"client_secret":18446744073709551615,"private_key":12}"#);
        assert_eq!(read_versions(&write_versions(&versions)), Some(versions));
        assert_eq!(read_versions("{}"), Some(Versions::new()));
        for bad in ["", "[]", r#"{"api_key":-1}"#, r#"{"password":1}"#, r#"{"api_key":"1"}"#] {
            assert_eq!(read_versions(bad), None, "{bad}");
        }
    }
}
