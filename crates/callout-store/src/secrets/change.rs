//! What a change does to an integration's secrets, around and within its transaction.

use std::collections::BTreeMap;

use callout_core::{
    secret::{ExposeSecret, SecretName, Secrets},
    secret_store::SharedSecretStore,
};
use uuid::Uuid;

use super::intent::{Intent, TIME_OUTSIDE};
use crate::{
    database::{Write, execute, locking, row},
    error::{Result, StoreError},
    integrations::StoredIntegration,
    master_key::Keys,
    seal::Slot,
    store::{Parts, Vault},
};

/// Which version of each secret belongs to an integration's revision.
pub(crate) type Versions = BTreeMap<SecretName, u64>;

/// A change of secrets that is not part of its integration yet.
pub(crate) struct Pending<'a> {
    given: &'a Secrets,
    removed: Vec<SecretName>,
    outside: Option<Outside>,
}

/// What was done in a store outside.
struct Outside {
    intent: Intent,
    versions: Versions,
}

impl Pending<'_> {
    /// The versions as they shall be, from those as they are.
    pub(crate) fn versions(&self, next: &StoredIntegration) -> Versions {
        let mut versions = next.secret_versions.clone();
        versions.retain(|name, _| !self.removed.contains(name));
        match &self.outside {
            Some(outside) => versions.extend(&outside.versions),
            None => versions.extend(self.given.iter().map(|(name, _)| (name, next.revision as u64))),
        }
        versions
    }
}

impl Parts {
    /// `/{env}/integration-secrets/{workspace}/{integration}/{name}`
    pub(crate) fn secret_path(&self, workspace: Uuid, integration: Uuid, name: SecretName) -> String {
        format!("/{}/integration-secrets/{workspace}/{integration}/{name}", self.env)
    }

    /// Before the transaction: steps 1 and 2 of a store outside.
    pub(crate) async fn prepare_secrets<'a>(
        &self,
        next: &StoredIntegration,
        given: &'a Secrets,
        removed: &[SecretName],
    ) -> Result<Pending<'a>> {
        let pending = Pending { given, removed: removed.to_vec(), outside: None };
        let Vault::External(store) = &self.vault else { return Ok(pending) };
        let names: Vec<_> = given.iter().map(|(name, _)| name).chain(removed.iter().copied()).collect();
        if names.is_empty() {
            return Ok(pending);
        }
        let intent = self.begin_intent(next.workspace_id, next.id, &names).await?;
        let began = self.clock.now();
        match self.put_all(store, next, given).await {
            Ok(versions) => Ok(Pending { outside: Some(Outside { intent, versions }), ..pending }),
            Err(error) => {
                // One that had no answer may be carried out later; what was answered was not.
                let is_given_up = self.clock.now().saturating_duration_since(began) >= TIME_OUTSIDE;
                self.purge(if is_given_up { intent.given_up() } else { intent }).await;
                Err(error)
            }
        }
    }

    async fn put_all(&self, store: &SharedSecretStore, next: &StoredIntegration, given: &Secrets) -> Result<Versions> {
        let mut versions = Versions::new();
        self.in_time(async {
            for (name, value) in given.iter() {
                let path = self.secret_path(next.workspace_id, next.id, name);
                let put = store.put(&path, value).await;
                versions.insert(name, put.map_err(|error| StoreError::of_secret(error, &path))?);
            }
            Ok(())
        })
        .await?;
        Ok(versions)
    }

    /// In the transaction, before [`Parts::write_secrets`]: what the change replaces or removes.
    pub(crate) async fn delete_secrets(
        &self,
        on: &mut Write,
        current: &StoredIntegration,
        pending: &Pending<'_>,
    ) -> Result<()> {
        if !current.secret_versions.is_empty() {
            self.home().require(on).await?;
        }
        if pending.outside.is_some() {
            return Ok(());
        }
        for (name, version) in &current.secret_versions {
            if pending.given.get(*name).is_some() || pending.removed.contains(name) {
                execute!(
                    *on,
                    "DELETE FROM sealed_secrets WHERE path = $1 AND version = $2",
                    self.secret_path(current.workspace_id, current.id, *name),
                    *version as i64,
                )?;
            }
        }
        Ok(())
    }

    /// In the transaction, after the integration's row: step 3.
    pub(crate) async fn write_secrets(
        &self,
        on: &mut Write,
        next: &StoredIntegration,
        pending: &Pending<'_>,
    ) -> Result<()> {
        if !pending.given.is_empty() {
            self.home().settle(on, next.id).await?;
            if let Vault::Sealed(keys) = &self.vault {
                self.seal_all(on, keys, next, pending.given).await?;
            }
        }
        match &pending.outside {
            Some(Outside { intent, .. }) => intent.confirm(on, !pending.removed.is_empty()).await,
            None => Ok(()),
        }
    }

    async fn seal_all(&self, on: &mut Write, keys: &Keys, next: &StoredIntegration, given: &Secrets) -> Result<()> {
        // Which key is current is the database's word, and stays so until this transaction ends: a
        // rotation waits, and then finds what was sealed here.
        let select = locking!(*on, "SELECT key_id FROM master_keys WHERE current = 1", "FOR SHARE");
        let mut current: Option<(String,)> = row!(*on, select)?;
        if current.is_none() {
            // It waited for a rotation: the row that it had found is not current any more.
            current = row!(*on, select)?;
        }
        let (current,) = current.ok_or(StoreError::Changed)?;
        let key = keys.get(&current)?;
        for (name, value) in given.iter() {
            let path = self.secret_path(next.workspace_id, next.id, name);
            let slot = Slot { path: &path, version: next.revision as u64 };
            let sealed = key.seal(slot, value.expose_secret().as_bytes(), &self.rng);
            let sealed = sealed.ok_or_else(|| StoreError::Invalid("the secret is too long to be sealed".to_owned()))?;
            execute!(
                *on,
                "INSERT INTO sealed_secrets (path, version, integration_id, key_id, nonce, ciphertext) \
                 VALUES ($1, $2, $3, $4, $5, $6)",
                &path,
                next.revision,
                next.id.to_string(),
                &current,
                &sealed.nonce,
                &sealed.ciphertext,
            )?;
        }
        Ok(())
    }

    /// After the transaction: steps 4 and 5, or the way back.
    pub(crate) async fn settle_secrets(&self, pending: Pending<'_>, is_done: bool) {
        if let Some(Outside { intent, .. }) = pending.outside
            && (!is_done || !pending.removed.is_empty())
        {
            self.purge(intent).await;
        }
    }
}
