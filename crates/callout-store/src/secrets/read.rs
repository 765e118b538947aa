//! Reads the secrets of one revision.

use callout_core::secret::Secrets;

use crate::{
    Store,
    database::rows,
    error::{Result, StoreError},
    integrations::StoredIntegration,
    master_key::Keys,
    seal::Slot,
    store::Vault,
};

/// Path, version, key id, nonce, ciphertext.
pub(crate) type SealedRow = (String, i64, String, Vec<u8>, Vec<u8>);

impl Store {
    /// The secrets of an integration at exactly that revision.
    ///
    /// # Errors
    ///
    /// [`StoreError::Changed`] and [`StoreError::NotFound`] if it was changed or deleted meanwhile and
    /// they are gone; [`StoreError::Sealed`] if one does not open.
    pub async fn secrets(&self, integration: &StoredIntegration) -> Result<Secrets> {
        if integration.secret_versions.is_empty() {
            return Ok(Secrets::new());
        }
        let read = match &self.0.vault {
            Vault::Sealed(keys) => self.unseal(keys, integration).await,
            Vault::External(store) => {
                let mut secrets = Secrets::new();
                self.0
                    .in_time(async {
                        for (name, version) in &integration.secret_versions {
                            let path = self.0.secret_path(integration.workspace_id, integration.id, *name);
                            let value = store.get(&path, *version).await;
                            secrets.insert(*name, value.map_err(|error| StoreError::of_secret(error, &path))?);
                        }
                        Ok(())
                    })
                    .await
                    .map(|()| secrets)
            }
        };
        match read {
            // Gone with its revision, perhaps.
            Err(error @ StoreError::Sealed { .. }) => {
                let now = self.integration_revision(integration.workspace_id, integration.id).await?;
                Err(if now == integration.revision { error } else { StoreError::Changed })
            }
            read => read,
        }
    }

    async fn unseal(&self, keys: &Keys, integration: &StoredIntegration) -> Result<Secrets> {
        let mut on = self.0.database.read().await?;
        let found: Vec<SealedRow> = rows!(
            on,
            "SELECT path, version, key_id, nonce, ciphertext FROM sealed_secrets WHERE integration_id = $1",
            integration.id.to_string(),
        )?;
        drop(on);
        let mut secrets = Secrets::new();
        for (name, version) in &integration.secret_versions {
            let path = self.0.secret_path(integration.workspace_id, integration.id, *name);
            let row = found.iter().find(|row| row.0 == path && row.1 as u64 == *version);
            let opened = match row {
                Some((_, _, key_id, nonce, ciphertext)) => {
                    keys.get(key_id)?.open(Slot { path: &path, version: *version }, nonce, ciphertext)
                }
                None => None,
            };
            let text = opened.as_ref().and_then(|opened| std::str::from_utf8(opened).ok());
            match text {
                Some(text) => secrets.insert(*name, text.to_owned()),
                None => return Err(StoreError::Sealed { path }),
            }
        }
        Ok(secrets)
    }
}
