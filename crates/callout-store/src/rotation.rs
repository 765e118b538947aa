//! Replaces the master key while servers go on reading and writing.
//!
//! 1. Alone on the database: a key is added at the head of the file by an atomic rename, and becomes
//!    the current one. A transaction that seals holds on to the current key until it ends, so that from
//!    here on all is sealed under the new one.
//! 2. What is sealed under another key is sealed anew, some rows in each transaction, each still in its
//!    place and version. Servers that meet the new key's id read their file again.
//! 3. Alone again: the other keys are struck from the database, which refuses that while anything is
//!    sealed under them, and then from the file.
//!
//! Killed anywhere between, the file holds every key that something is sealed under, and the next run
//! goes on where this one ended. With keys in an environment variable, the operator puts the new key
//! first, starts every server again, and then rotates; this adds no key, and takes none away.

use std::time::Duration;

use callout_core::time::SharedRng;

use crate::{
    Store,
    audit::{Actor, AuditAction, Record},
    database::{Write, execute, locking, row, rows},
    error::{Result, StoreError},
    master_key::{Keys, MasterKeySource, generate},
    seal::Slot,
    secrets::SealedRow,
    store::{Vault, insert_check},
};

/// So many rows are sealed anew in one transaction.
const BATCH: i64 = 100;

/// What a rotation did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotationReport {
    /// How many secrets were sealed anew by this run.
    pub resealed: u64,
    /// The id of the key that everything is sealed under now.
    pub key_id: String,
}

impl Store {
    /// Seals everything under a new master key: one that it makes, for a file of one key; the first,
    /// for a variable, or for a file with several, which an earlier run left unfinished.
    ///
    /// # Errors
    ///
    /// [`StoreError::Invalid`] if there is no master key, or the variable has no new one;
    /// [`StoreError::Sealed`] if a secret does not open, which leaves it and its key as they are;
    /// [`StoreError::Changed`] if a later rotation took over, which does the work of both.
    pub async fn rotate_master_key(&self, by: &Actor) -> Result<RotationReport> {
        let Vault::Sealed(keys) = &self.0.vault else {
            return Err(StoreError::Invalid("secrets are kept outside the database, under no master key".to_owned()));
        };
        let key_id = self.adopt_new_key(keys).await?;
        let mut resealed = 0;
        while self.has_others(&key_id).await? {
            match self.reseal(keys, &key_id).await? {
                // Others are at work on those that are left.
                0 => self.0.clock.sleep(Duration::from_millis(20)).await,
                rows => resealed += rows,
            }
        }
        self.strike_old_keys(keys, &key_id, by).await?;
        Ok(RotationReport { resealed, key_id })
    }

    /// Step 1; the id of the current key.
    async fn adopt_new_key(&self, keys: &Keys) -> Result<String> {
        let mut on = self.0.database.write_alone().await?;
        // Another process may have rotated since it was read.
        let mut ring = keys.reload()?;
        let current: Option<(String,)> = row!(on, "SELECT key_id FROM master_keys WHERE current = 1")?;
        let (current,) =
            current.ok_or_else(|| StoreError::Damaged("the database has no current master key".to_owned()))?;
        if ring.get(&current).is_none() {
            return Err(keys.missing(&current));
        }
        if !ring.has_older() {
            ring = ring.with_first(new_key(keys, &self.0.rng)?);
            match keys.source() {
                Some(MasterKeySource::File(path)) => keys.replace_file(path, ring.clone())?,
                _ => keys.set(ring.clone()),
            }
        }
        let first = ring.first();
        if first.id() != current {
            let known: Option<(i64,)> = row!(on, "SELECT current FROM master_keys WHERE key_id = $1", first.id())?;
            execute!(on, "UPDATE master_keys SET current = 0 WHERE current = 1")?;
            if known.is_some() {
                execute!(on, "UPDATE master_keys SET current = 1 WHERE key_id = $1", first.id())?;
            } else {
                insert_check(&mut on, first, &self.0.rng).await?;
            }
        }
        on.commit().await?;
        Ok(first.id().to_owned())
    }

    async fn has_others(&self, key_id: &str) -> Result<bool> {
        let mut on = self.0.database.read().await?;
        let found: Option<(i64,)> = row!(
            on,
            "SELECT version FROM sealed_secrets WHERE key_id IN (SELECT key_id FROM master_keys WHERE key_id <> $1) \
             LIMIT 1",
            key_id,
        )?;
        Ok(found.is_some())
    }

    /// Step 2, once; how many rows it sealed anew.
    async fn reseal(&self, keys: &Keys, key_id: &str) -> Result<u64> {
        let new = keys.get(key_id)?;
        // One rotation at a time.
        let mut on = self.0.database.write_alone().await?;
        require_current(&mut on, key_id).await?;
        // Waits for nobody while it holds rows, and so never stands in a circle of those that wait.
        let select = locking!(
            on,
            "SELECT path, version, key_id, nonce, ciphertext FROM sealed_secrets WHERE key_id IN \
             (SELECT key_id FROM master_keys WHERE key_id <> $1) LIMIT $2",
            "FOR UPDATE SKIP LOCKED"
        );
        let found: Vec<SealedRow> = rows!(on, select, key_id, BATCH)?;
        let mut done = 0;
        for (path, version, old_id, nonce, ciphertext) in &found {
            let slot = Slot { path, version: *version as u64 };
            let plain = keys.get(old_id)?.open(slot, nonce, ciphertext);
            let anew = plain.and_then(|plain| new.seal(slot, &plain, &self.0.rng));
            let anew = anew.ok_or_else(|| StoreError::Sealed { path: path.clone() })?;
            execute!(
                on,
                "UPDATE sealed_secrets SET key_id = $1, nonce = $2, ciphertext = $3 \
                 WHERE path = $4 AND version = $5 AND key_id = $6",
                key_id,
                &anew.nonce,
                &anew.ciphertext,
                path,
                *version,
                old_id,
            )?;
            done += 1;
        }
        on.commit().await?;
        Ok(done)
    }

    /// Step 3.
    async fn strike_old_keys(&self, keys: &Keys, key_id: &str, by: &Actor) -> Result<()> {
        let mut on = self.0.database.write_alone().await?;
        require_current(&mut on, key_id).await?;
        execute!(on, "DELETE FROM master_keys WHERE key_id <> $1", key_id)?;
        let record = Record::done(None, AuditAction::MasterKeyRotate, format!("master_key:{key_id}"));
        self.0.record(&mut on, record, by).await?;
        // Before the lock is given back, so that no other rotation adds a key meanwhile.
        let ring = keys.reload()?;
        if ring.has_older() && ring.first().id() == key_id {
            match keys.source() {
                Some(MasterKeySource::File(path)) => keys.replace_file(path, ring.only_first())?,
                Some(MasterKeySource::Env(_)) => {}
                None => keys.set(ring.only_first()),
            }
        }
        on.commit().await
    }
}

/// Fails if another key is current by now: a later rotation has taken over.
async fn require_current(on: &mut Write, key_id: &str) -> Result<()> {
    let current: Option<(i64,)> = row!(*on, "SELECT current FROM master_keys WHERE key_id = $1", key_id)?;
    if current == Some((1,)) { Ok(()) } else { Err(StoreError::Changed) }
}

fn new_key(keys: &Keys, rng: &SharedRng) -> Result<crate::seal::MasterKey> {
    match keys.source() {
        Some(source @ MasterKeySource::Env(_)) => Err(StoreError::Invalid(format!(
            "{source} holds one key: put a new one before it, with a comma between, start every server again, then rotate"
        ))),
        _ => generate(rng),
    }
}
