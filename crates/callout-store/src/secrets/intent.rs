//! Intents: which secrets outside may differ from what the database says. See the module above.

use std::{pin::pin, time::Duration};

use callout_core::{secret::SecretName, time::Deadline};
use futures_util::future::{Either, select};
use uuid::Uuid;

use crate::{
    Store,
    audit::read_id,
    database::{Write, execute, row, rows},
    error::{Result, StoreError},
    integrations::read_versions,
    store::{Parts, Vault},
};

/// So old is an intent that others take over.
const ABANDONED_AFTER: Duration = Duration::from_mins(1);
/// So long may the writes outside of one change take, well within that.
pub(super) const TIME_OUTSIDE: Duration = Duration::from_secs(30);

/// Held by one change.
#[derive(Clone, Debug)]
pub(crate) struct Intent {
    /// Of this holding of it; another after it was taken over.
    id: Uuid,
    workspace: Uuid,
    integration: Uuid,
    env: String,
    names: Vec<SecretName>,
    /// Whether a write outside may come after what is deleted here: the last one of a change under way whose place
    /// it took, or one that was given up.
    may_come_late: bool,
}

type IntentRow = (String, String, String, String, String);

impl Intent {
    /// In the transaction that writes the integration: fails if somebody took it over.
    pub(super) async fn confirm(&self, on: &mut Write, is_kept: bool) -> Result<()> {
        let (id, integration) = (self.id.to_string(), self.integration.to_string());
        let held = if is_kept {
            execute!(
                *on,
                "UPDATE secret_intents SET names = names WHERE id = $1 AND integration_id = $2",
                &id,
                &integration
            )?
        } else {
            execute!(*on, "DELETE FROM secret_intents WHERE id = $1 AND integration_id = $2", &id, &integration)?
        };
        if held == 1 { Ok(()) } else { Err(StoreError::Changed) }
    }

    /// Whose last write nobody knows the end of.
    pub(super) fn given_up(self) -> Self {
        Self { may_come_late: true, ..self }
    }

    fn names(&self) -> String {
        self.names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn read((integration, id, workspace, env, names): IntentRow) -> Result<Self> {
        let names = names.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>();
        Ok(Self {
            id: read_id(&id)?,
            workspace: read_id(&workspace)?,
            integration: read_id(&integration)?,
            env,
            names: names.map_err(|error| StoreError::Damaged(format!("intent {id}: {error}")))?,
            may_come_late: false,
        })
    }
}

impl Store {
    /// Finishes or undoes what a crash left of changes to secrets outside the database: those that are
    /// older than a minute. Opening a store does so too; a server calls it now and then.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`] if the database or the secret store is.
    pub async fn recover(&self) -> Result<()> {
        let Vault::External(_) = &self.0.vault else { return Ok(()) };
        let mut on = self.0.database.read().await?;
        let left: Vec<IntentRow> = rows!(
            on,
            "SELECT integration_id, id, workspace_id, env, names FROM secret_intents WHERE started_at < $1 AND env = $2",
            self.0.abandoned_before(),
            &self.0.env,
        )?;
        drop(on);
        let mut first_error = None;
        for row in left {
            let done = match self.0.take_over(Intent::read(row)?).await {
                Ok(Some(intent)) => self.0.resolve(&intent).await,
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            };
            // One secret that cannot be deleted does not keep the others.
            first_error = first_error.or(done.err());
        }
        first_error.map_or(Ok(()), Err)
    }
}

impl Parts {
    fn abandoned_before(&self) -> i64 {
        self.now().unix_micros() - ABANDONED_AFTER.as_micros() as i64
    }

    fn new_intent(&self, workspace: Uuid, integration: Uuid, names: &[SecretName]) -> Intent {
        Intent {
            id: self.new_id(),
            workspace,
            integration,
            env: self.env.clone(),
            names: names.to_vec(),
            may_come_late: false,
        }
    }

    /// Step 1. Another change's intent is in its way, until it is abandoned.
    pub(super) async fn begin_intent(
        &self,
        workspace: Uuid,
        integration: Uuid,
        names: &[SecretName],
    ) -> Result<Intent> {
        let intent = self.new_intent(workspace, integration, names);
        for _ in 0..2 {
            let mut on = self.database.write().await?;
            self.home().require(&mut on).await?;
            let begun = execute!(
                on,
                "INSERT INTO secret_intents (integration_id, id, workspace_id, env, names, started_at) \
                 VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                integration.to_string(),
                intent.id.to_string(),
                workspace.to_string(),
                &intent.env,
                intent.names(),
                self.now().unix_micros(),
            )?;
            if begun == 1 {
                on.commit().await?;
                return Ok(intent);
            }
            let other: Option<IntentRow> = row!(
                on,
                "SELECT integration_id, id, workspace_id, env, names FROM secret_intents \
                 WHERE integration_id = $1 AND started_at < $2",
                integration.to_string(),
                self.abandoned_before(),
            )?;
            drop(on);
            let Some(other) = other else { break };
            if let Some(other) = self.take_over(Intent::read(other)?).await? {
                self.resolve(&other).await?;
            }
        }
        Err(StoreError::Changed)
    }

    /// The abandoned intent as one's own; `None` if somebody else was faster.
    async fn take_over(&self, other: Intent) -> Result<Option<Intent>> {
        let intent = Intent { id: self.new_id(), ..other.clone() };
        let mut on = self.database.write().await?;
        let taken = execute!(
            on,
            "UPDATE secret_intents SET id = $1, started_at = $2 WHERE integration_id = $3 AND id = $4",
            intent.id.to_string(),
            self.now().unix_micros(),
            intent.integration.to_string(),
            other.id.to_string(),
        )?;
        on.commit().await?;
        Ok((taken == 1).then_some(intent))
    }

    /// Steps 4 and 5: deletes of its secrets those that the integration does not name, and ends it.
    async fn resolve(&self, intent: &Intent) -> Result<()> {
        let Vault::External(store) = &self.vault else { return Ok(()) };
        let integration = intent.integration.to_string();
        if !self.hold(intent).await? {
            return Ok(());
        }
        let mut on = self.database.read().await?;
        let named: Option<(String,)> =
            row!(on, "SELECT secret_versions FROM integrations WHERE id = $1", &integration)?;
        drop(on);
        let named = named.and_then(|(text,)| read_versions(&text)).unwrap_or_default();
        let unnamed: Vec<_> = intent.names.iter().filter(|name| !named.contains_key(name)).collect();
        self.in_time(async {
            for name in &unnamed {
                let path = self.secret_path(intent.workspace, intent.integration, **name);
                store.delete(&path).await.map_err(|error| StoreError::of_secret(error, &path))?;
            }
            Ok(())
        })
        .await?;
        if intent.may_come_late && !unnamed.is_empty() {
            // Looked at once more when the time of that write is over. (Of one that is named it makes a version that
            // nobody asks for.)
            return Ok(());
        }
        let mut on = self.database.write().await?;
        execute!(
            on,
            "DELETE FROM secret_intents WHERE integration_id = $1 AND id = $2",
            &integration,
            intent.id.to_string(),
        )?;
        on.commit().await
    }

    /// Whether its secrets may be deleted: nobody takes it over for the next minute; or nobody else is
    /// left to whom they could belong, since it was taken over and the integration is not there.
    async fn hold(&self, intent: &Intent) -> Result<bool> {
        let integration = intent.integration.to_string();
        let mut on = self.database.write().await?;
        let held = execute!(
            on,
            "UPDATE secret_intents SET started_at = $1 WHERE integration_id = $2 AND id = $3",
            self.now().unix_micros(),
            &integration,
            intent.id.to_string(),
        )?;
        let others: Option<(String,)> = row!(
            on,
            "SELECT id FROM integrations WHERE id = $1 UNION ALL \
             SELECT id FROM secret_intents WHERE integration_id = $1 LIMIT 1",
            &integration,
        )?;
        on.commit().await?;
        Ok(held == 1 || others.is_none())
    }

    /// As [`Parts::resolve`]; what fails is left to the next recovery.
    pub(crate) async fn purge(&self, intent: Intent) {
        if let Err(error) = self.resolve(&intent).await {
            tracing::warn!(integration = %intent.integration, %error, "secrets outside could not be cleared away yet");
        }
    }

    /// In the transaction that deletes an integration: the intent to delete its secrets outside.
    pub(crate) async fn leave_purge(
        &self,
        on: &mut Write,
        workspace: Uuid,
        integration: Uuid,
    ) -> Result<Option<Intent>> {
        self.home().require(on).await?;
        let Vault::External(_) = &self.vault else { return Ok(None) };
        let mut intent = self.new_intent(workspace, integration, &SecretName::ALL);
        let taken = execute!(
            *on,
            "UPDATE secret_intents SET id = $1, names = $2, started_at = $3 WHERE integration_id = $4",
            intent.id.to_string(),
            intent.names(),
            self.now().unix_micros(),
            integration.to_string(),
        )?;
        intent.may_come_late = taken == 1;
        if taken == 0 {
            execute!(
                *on,
                "INSERT INTO secret_intents (integration_id, id, workspace_id, env, names, started_at) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                integration.to_string(),
                intent.id.to_string(),
                workspace.to_string(),
                &intent.env,
                intent.names(),
                self.now().unix_micros(),
            )?;
        }
        Ok(Some(intent))
    }

    /// As [`Parts::leave_purge`], for each integration of a workspace that has secrets.
    pub(crate) async fn leave_purges(&self, on: &mut Write, workspace: Uuid) -> Result<Vec<Intent>> {
        let found: Vec<(String,)> = rows!(
            *on,
            "SELECT id FROM integrations WHERE workspace_id = $1 AND (secret_versions <> '{}' \
             OR id IN (SELECT integration_id FROM secret_intents))",
            workspace.to_string(),
        )?;
        let mut intents = Vec::with_capacity(found.len());
        for (id,) in found {
            intents.extend(self.leave_purge(on, workspace, read_id(&id)?).await?);
        }
        Ok(intents)
    }

    /// Bounds what is done outside.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let deadline = Deadline::after(&self.clock, TIME_OUTSIDE);
        match select(pin!(work), pin!(self.clock.until(deadline.moment()))).await {
            Either::Left((done, _)) => done,
            Either::Right(_) => {
                Err(StoreError::unavailable(format!("the secret store did not answer within {TIME_OUTSIDE:?}")))
            }
        }
    }
}
