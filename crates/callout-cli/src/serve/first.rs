//! The first start on a database: its workspace, and the operator's key.

use callout::SecretString;
use callout_store::{Page, Store, StoreError, Workspace};

use crate::{Stop, store};

/// The workspace that the first start makes.
const DEFAULT_WORKSPACE: &str = "default";

/// What there is once a server has started.
pub(super) struct Start {
    /// The workspace `default`, else the newest one, if there is any.
    pub(super) workspace: Option<Workspace>,
    /// The operator's key, the one time that it is made.
    pub(super) key: Option<SecretString>,
}

pub(super) async fn start(store: &Store) -> Result<Start, Stop> {
    let actor = store::actor();
    let key = store.create_operator_key_once(&actor).await?.map(|(_, secret)| secret);
    let found = match store.workspace_by_name(DEFAULT_WORKSPACE).await {
        Ok(workspace) => Some(workspace),
        Err(StoreError::NotFound(_)) => {
            store.list_workspaces(Page { limit: 1, offset: 0 }).await?.items.into_iter().next()
        }
        Err(error) => return Err(error.into()),
    };
    let workspace = match found {
        // One whose workspaces were all deleted gets none again.
        None if key.is_some() => Some(store.create_workspace(DEFAULT_WORKSPACE, &actor).await?),
        found => found,
    };
    Ok(Start { workspace, key })
}
