//! API keys: `callout_<id>_<random>`. The random part has 256 bits, is shown once and kept as its
//! SHA-256, which is as hard to turn back as the key is to guess.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use callout_core::secret::SecretString;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::{
    Store,
    access::{Permission, Role},
    audit::{Actor, AuditAction, Record, read_id},
    database::{Failure, Write, execute, locking, row, rows},
    error::{Result, StoreError},
    list::{Listed, Page},
    timestamp::Timestamp,
    workspaces::check_name,
};

const PREFIX: &str = "callout_";
const SECRET_LEN: usize = 32;
/// Of 32 bytes in base64.
const ENCODED_LEN: usize = 43;

/// An API key to be made.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// Where it is valid; `None` for an operator's, which is valid everywhere and does not expire.
    pub workspace_id: Option<Uuid>,
    /// A name for people.
    pub name: Option<String>,
    /// Its role; [`Role::Operator`] exactly if it belongs to no workspace.
    pub role: Role,
    /// Rights beside the role's.
    pub permissions: Vec<Permission>,
    /// How many days it is valid; an operator's key ignores it.
    pub days: u32,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, part of the key that is shown.
    pub id: Uuid,
    /// Where it is valid; `None` for an operator's.
    pub workspace_id: Option<Uuid>,
    /// A name for people.
    pub name: Option<String>,
    /// Its role.
    pub role: Role,
    /// Rights beside the role's.
    pub permissions: Vec<Permission>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is not valid; `None` for an operator's.
    pub expires_at: Option<Timestamp>,
}

impl ApiKey {
    /// Whether it has that right in its workspace; an operator's has each everywhere.
    pub fn allows(&self, permission: Permission) -> bool {
        self.role.permissions().contains(&permission) || self.permissions.contains(&permission)
    }

    /// Whether it is valid in every workspace.
    pub fn is_operator(&self) -> bool {
        self.role == Role::Operator && self.workspace_id.is_none()
    }
}

type KeyRow = (String, Option<String>, Option<String>, String, String, i64, Option<i64>, i64);

/// As [`KeyRow`], the hash before it.
type WithHash = (Vec<u8>, String, Option<String>, Option<String>, String, String, i64, Option<i64>, i64);

macro_rules! columns {
    () => {
        "id, workspace_id, name, role, permissions, created_at, expires_at, days"
    };
}

impl Store {
    /// Makes a key; its secret is never shown again.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if there is no such workspace; [`StoreError::Invalid`] for a name with
    /// control characters or over 256, zero days, or an operator's role in a workspace.
    pub async fn create_api_key(&self, new: NewApiKey, by: &Actor) -> Result<(ApiKey, SecretString)> {
        let mut on = self.0.database.write().await?;
        let made = self.insert_key(&mut on, new, None, by).await.map_err(|failure| match failure {
            Failure::Reference => StoreError::NotFound("workspace"),
            other => other.into(),
        })?;
        on.commit().await?;
        Ok(made)
    }

    /// Makes the operator's key of the first start, unless there is an operator's key already. Of
    /// several servers that start at once, one makes it.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn create_operator_key_once(&self, by: &Actor) -> Result<Option<(ApiKey, SecretString)>> {
        let mut on = self.0.database.write().await?;
        let found: Option<(String,)> = row!(on, "SELECT id FROM api_keys WHERE workspace_id IS NULL LIMIT 1")?;
        if found.is_some() {
            return Ok(None);
        }
        let name = Some("operator".to_owned());
        let new = NewApiKey { workspace_id: None, name, role: Role::Operator, permissions: Vec::new(), days: 0 };
        match self.insert_key(&mut on, new, Some(1), by).await {
            Ok(made) => {
                on.commit().await?;
                Ok(Some(made))
            }
            Err(Failure::Unique) => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }

    async fn insert_key(
        &self,
        on: &mut Write,
        new: NewApiKey,
        first_start: Option<i64>,
        by: &Actor,
    ) -> std::result::Result<(ApiKey, SecretString), Failure> {
        let invalid = |why: &str| Err(Failure::Other(StoreError::Invalid(why.to_owned())));
        if let Some(name) = &new.name {
            check_name("API key", name).map_err(Failure::Other)?;
        }
        if (new.role == Role::Operator) != new.workspace_id.is_none() {
            return invalid("the role operator is for keys that belong to no workspace, and for all of those");
        }
        if new.workspace_id.is_some() && new.days == 0 {
            return invalid("an API key must be valid for at least one day");
        }
        let now = self.0.now();
        let key = ApiKey {
            id: self.0.new_id(),
            workspace_id: new.workspace_id,
            name: new.name,
            role: new.role,
            permissions: new.permissions,
            created_at: now,
            expires_at: new.workspace_id.map(|_| now.plus_days(new.days)),
        };
        let (secret, hash) = self.new_secret(key.id);
        execute!(
            *on,
            "INSERT INTO api_keys (id, workspace_id, name, role, permissions, hash, days, created_at, expires_at, \
             first_start) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            key.id.to_string(),
            key.workspace_id.map(|id| id.to_string()),
            &key.name,
            key.role.as_str(),
            key.permissions.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(" "),
            &hash,
            i64::from(new.days),
            key.created_at.unix_micros(),
            key.expires_at.map(Timestamp::unix_micros),
            first_start,
        )?;
        let record = Record::done(key.workspace_id, AuditAction::ApiKeyCreate, target(key.id));
        self.0.record(on, record, by).await.map_err(Failure::Other)?;
        Ok((key, secret))
    }

    /// The key that was presented; `None` if it is malformed, unknown, deleted or expired.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn authenticate(&self, presented: &str) -> Result<Option<ApiKey>> {
        let Some((id, hash)) = parse(presented) else { return Ok(None) };
        let mut on = self.0.database.read().await?;
        let found: Option<WithHash> =
            row!(on, concat!("SELECT hash, ", columns!(), " FROM api_keys WHERE id = $1"), id.to_string())?;
        // The same work whether there is such a key or not.
        let stored = found.as_ref().map_or(&[0; 32][..], |row| &row.0);
        let is_same = constant_time::verify_slices_are_equal(stored, &hash).is_ok();
        let Some((_, id, workspace_id, name, role, permissions, created_at, expires_at, days)) = found else {
            return Ok(None);
        };
        let key = read_key((id, workspace_id, name, role, permissions, created_at, expires_at, days))?;
        let is_valid = key.expires_at.is_none_or(|end| self.0.now() < end);
        Ok((is_same && is_valid).then_some(key))
    }

    /// The keys of a workspace, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn list_api_keys(&self, workspace: Uuid, page: Page) -> Result<Listed<ApiKey>> {
        let mut on = self.0.database.read().await?;
        let (limit, offset) = page.bounds();
        let id = workspace.to_string();
        let total: Option<(i64,)> = row!(on, "SELECT COUNT(*) FROM api_keys WHERE workspace_id = $1", &id)?;
        let found: Vec<KeyRow> = rows!(
            on,
            concat!(
                "SELECT ",
                columns!(),
                " FROM api_keys WHERE workspace_id = $1 ORDER BY created_at DESC, id DESC LIMIT $2 OFFSET $3"
            ),
            &id,
            limit,
            offset,
        )?;
        Listed::of(found, total, read_key)
    }

    /// The operators' keys, newest first.
    ///
    /// # Errors
    ///
    /// [`StoreError::Unavailable`]
    pub async fn list_operator_keys(&self, page: Page) -> Result<Listed<ApiKey>> {
        let mut on = self.0.database.read().await?;
        let (limit, offset) = page.bounds();
        let total: Option<(i64,)> = row!(on, "SELECT COUNT(*) FROM api_keys WHERE workspace_id IS NULL")?;
        let found: Vec<KeyRow> = rows!(
            on,
            concat!(
                "SELECT ",
                columns!(),
                " FROM api_keys WHERE workspace_id IS NULL ORDER BY created_at DESC, id DESC LIMIT $1 OFFSET $2"
            ),
            limit,
            offset,
        )?;
        Listed::of(found, total, read_key)
    }

    /// One key of a workspace.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn api_key(&self, workspace: Uuid, id: Uuid) -> Result<ApiKey> {
        let mut on = self.0.database.read().await?;
        let found: Option<KeyRow> = row!(
            on,
            concat!("SELECT ", columns!(), " FROM api_keys WHERE id = $1 AND workspace_id = $2"),
            id.to_string(),
            workspace.to_string(),
        )?;
        found.map_or(Err(StoreError::NotFound("API key")), read_key)
    }

    /// Deletes a key; it is refused from then on.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn delete_api_key(&self, workspace: Uuid, id: Uuid, by: &Actor) -> Result<()> {
        self.delete_key(Some(workspace), id, by).await
    }

    /// Deletes an operator's key; it is refused from then on. After the last one,
    /// [`Store::create_operator_key_once`] makes another.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn delete_operator_key(&self, id: Uuid, by: &Actor) -> Result<()> {
        self.delete_key(None, id, by).await
    }

    async fn delete_key(&self, workspace: Option<Uuid>, id: Uuid, by: &Actor) -> Result<()> {
        let mut on = self.0.database.write().await?;
        let deleted = execute!(
            on,
            "DELETE FROM api_keys WHERE id = $1 AND COALESCE(workspace_id, '') = $2",
            id.to_string(),
            workspace.map(|id| id.to_string()).unwrap_or_default(),
        )?;
        if deleted == 0 {
            return Err(StoreError::NotFound("API key"));
        }
        self.0.record(&mut on, Record::done(workspace, AuditAction::ApiKeyDelete, target(id)), by).await?;
        on.commit().await
    }

    /// Gives a key a new secret; the old one is refused from then on. Id, name, role and permissions
    /// stay; it is valid for as many days as it was made for, from now on.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`]
    pub async fn rotate_api_key(&self, workspace: Uuid, id: Uuid, by: &Actor) -> Result<(ApiKey, SecretString)> {
        let mut on = self.0.database.write().await?;
        let select = locking!(
            on,
            concat!("SELECT ", columns!(), " FROM api_keys WHERE id = $1 AND workspace_id = $2"),
            "FOR UPDATE"
        );
        let found: Option<KeyRow> = row!(on, select, id.to_string(), workspace.to_string())?;
        let found = found.ok_or(StoreError::NotFound("API key"))?;
        let days = u32::try_from(found.7).unwrap_or(u32::MAX);
        let mut key = read_key(found)?;
        key.expires_at = Some(self.0.now().plus_days(days));
        let (secret, hash) = self.new_secret(id);
        execute!(
            on,
            "UPDATE api_keys SET hash = $1, expires_at = $2 WHERE id = $3",
            &hash,
            key.expires_at.map(Timestamp::unix_micros),
            id.to_string(),
        )?;
        self.0.record(&mut on, Record::done(Some(workspace), AuditAction::ApiKeyRotate, target(id)), by).await?;
        on.commit().await?;
        Ok((key, secret))
    }

    /// The key as it is shown, and the hash of its random part.
    fn new_secret(&self, id: Uuid) -> (SecretString, Vec<u8>) {
        let mut random = Zeroizing::new([0; SECRET_LEN]);
        self.0.rng.fill(random.as_mut_slice());
        let encoded = Zeroizing::new(URL_SAFE_NO_PAD.encode(random.as_slice()));
        let shown = format!("{PREFIX}{}_{}", id.simple(), encoded.as_str());
        (shown.into(), digest::digest(&digest::SHA256, random.as_slice()).as_ref().to_vec())
    }
}

/// Id and hash of a key that has the shape of one.
fn parse(presented: &str) -> Option<(Uuid, Vec<u8>)> {
    let (id, encoded) = presented.strip_prefix(PREFIX)?.split_once('_')?;
    let is_id = id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if !is_id || encoded.len() != ENCODED_LEN {
        return None;
    }
    let random = Zeroizing::new(URL_SAFE_NO_PAD.decode(encoded).ok()?);
    Some((Uuid::try_parse(id).ok()?, digest::digest(&digest::SHA256, &random).as_ref().to_vec()))
}

fn target(id: Uuid) -> String {
    format!("api_key:{id}")
}

fn read_key(row: KeyRow) -> Result<ApiKey> {
    let (id, workspace_id, name, role, permissions, created_at, expires_at, _) = row;
    let damaged = |error| StoreError::Damaged(format!("the API key {id} cannot be read: {error}"));
    Ok(ApiKey {
        id: read_id(&id)?,
        workspace_id: workspace_id.as_deref().map(read_id).transpose()?,
        name,
        role: role.parse().map_err(damaged)?,
        permissions: permissions
            .split_whitespace()
            .map(str::parse)
            .collect::<std::result::Result<_, _>>()
            .map_err(damaged)?,
        created_at: Timestamp::from_unix_micros(created_at),
        expires_at: expires_at.map(Timestamp::from_unix_micros),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_has_the_shape_of_a_key_is_looked_up() {
        let id = "0198c0de0198700080000198c0de0198";
        let random = URL_SAFE_NO_PAD.encode([9; SECRET_LEN]);
        assert!(parse(&format!("callout_{id}_{random}")).is_some());
        for bad in [
            String::new(),
            "callout_".to_owned(),
            format!("callout_{id}_"),
            format!("callout_{id}{random}"),
            format!("Callout_{id}_{random}"),
            format!("callout_{}_{random}", id.to_uppercase()),
            format!("callout_{id}_{random}A"),
            format!("callout_{id}_{}", &random[1..]),
            format!("callout_{id}_{}*", &random[1..]),
            format!("callout_{id}_{}9", &random[..42]),
            format!("callout_{id}_{random}\0"),
            format!("callout_0198c0de-0198-7000-8000-0198c0de01_{random}"),
        ] {
            assert!(parse(&bad).is_none(), "{bad}");
        }
    }
}
