//! How much of the server one workspace may hold, so that none takes it from the others.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callout_store::Uuid;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};

use crate::error::ApiError;

/// Requests of each workspace that are being answered. Clones count together.
#[derive(Clone)]
pub(crate) struct Shares {
    most: usize,
    held: Arc<Mutex<HashMap<Uuid, usize>>>,
}

/// One request's share, given back when it is dropped.
pub(crate) struct Share {
    shares: Shares,
    workspace: Uuid,
}

impl Shares {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, held: Arc::default() }
    }

    /// A share for one more request; 429 if the workspace has as many in flight as it may.
    pub(crate) fn take(&self, workspace: Uuid) -> Result<Share, ApiError> {
        let mut held = self.held();
        let count = held.entry(workspace).or_default();
        if *count >= self.most {
            let detail = format!("this workspace has {} requests in flight, the most at once", self.most);
            return Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_in_flight", detail)
                .with_header(RETRY_AFTER, HeaderValue::from_static("1")));
        }
        *count += 1;
        Ok(Share { shares: self.clone(), workspace })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, usize>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.shares.held();
        if let Some(count) = held.get_mut(&self.workspace) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.workspace);
            }
        }
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares")
            .field("most", &self.most)
            .field("workspaces", &self.held().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_workspace_leaves_the_others_theirs() {
        let shares = Shares::new(2);
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let held = [shares.take(one).unwrap(), shares.take(one).unwrap()];
        assert_eq!(shares.take(one).err().map(|error| error.status), Some(StatusCode::TOO_MANY_REQUESTS));
        assert!(shares.take(two).is_ok());
        drop(held);
        assert!(shares.held().is_empty(), "nothing is kept of a workspace at rest");
        assert!(shares.take(one).is_ok());
    }
}
