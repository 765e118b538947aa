//! How much of the server one workspace may hold, so that none takes it from the others.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use callout_store::Uuid;
use http::{HeaderValue, StatusCode, header::RETRY_AFTER};

use crate::error::ApiError;

/// What each workspace holds: requests that are being answered, and bytes of answers that wait for their clients to
/// take them. Clones count together.
#[derive(Clone)]
pub(crate) struct Shares {
    most_requests: usize,
    most_bytes: usize,
    held: Arc<Mutex<HashMap<Uuid, Held>>>,
}

/// Who makes a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holder {
    pub(crate) workspace: Uuid,
    pub(crate) key: Uuid,
}

/// Of one workspace.
#[derive(Default)]
struct Held {
    requests: usize,
    /// By key; those that have none are not in it.
    bytes: HashMap<Uuid, usize>,
}

/// One request's share, given back when it is dropped.
pub(crate) struct Share {
    shares: Shares,
    workspace: Uuid,
}

/// Room for bytes of an answer, given back when it is dropped.
pub(crate) struct Room {
    shares: Shares,
    holder: Holder,
    bytes: usize,
}

impl Shares {
    pub(crate) fn new(most_requests: usize, most_bytes: usize) -> Self {
        Self { most_requests, most_bytes, held: Arc::default() }
    }

    /// A share for one more request; 429 if the workspace has as many in flight as it may. So is it if more than a
    /// quarter of the bytes that may wait are this key's: whoever takes their answers slowly shuts nobody else out.
    pub(crate) fn take(&self, Holder { workspace, key }: Holder) -> Result<Share, ApiError> {
        self.change(workspace, |held| {
            let its_bytes = held.bytes.get(&key).copied().unwrap_or_default();
            let detail = if held.requests >= self.most_requests {
                format!("this workspace has {} requests in flight, the most at once", self.most_requests)
            } else if its_bytes > self.most_bytes / 4 {
                format!("{its_bytes} bytes of answers to this key wait for its clients to take them")
            } else {
                held.requests += 1;
                return Ok(Share { shares: self.clone(), workspace });
            };
            Err(too_many("too_many_in_flight", detail))
        })
    }

    /// Room of which nothing is taken yet.
    pub(crate) fn room(&self, holder: Holder) -> Room {
        Room { shares: self.clone(), holder, bytes: 0 }
    }

    /// Nothing is kept of a workspace that holds nothing.
    fn change<T>(&self, workspace: Uuid, change: impl FnOnce(&mut Held) -> T) -> T {
        let mut all = self.held();
        let held = all.entry(workspace).or_default();
        let done = change(held);
        if held.requests == 0 && held.bytes.is_empty() {
            all.remove(&workspace);
        }
        done
    }

    fn held(&self) -> MutexGuard<'_, HashMap<Uuid, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Room {
    /// Takes so many bytes in the place of those that it has, if there are as many. To a workspace of which no other
    /// answer waits any size is given.
    pub(crate) fn resize(&mut self, bytes: usize) -> bool {
        let before = self.bytes;
        if bytes == before {
            return true;
        }
        let Holder { workspace, key } = self.holder;
        let fits = self.shares.change(workspace, |held| {
            let others = held.bytes.values().sum::<usize>().saturating_sub(before);
            let fits = bytes < before || others == 0 || others.saturating_add(bytes) <= self.shares.most_bytes;
            if fits {
                let its_others = held.bytes.remove(&key).unwrap_or_default().saturating_sub(before);
                if its_others + bytes > 0 {
                    held.bytes.insert(key, its_others + bytes);
                }
            }
            fits
        });
        if fits {
            self.bytes = bytes;
        }
        fits
    }
}

/// 500 for an answer for which there is no room. By then what was asked for has been done, so it is none of the
/// statuses that clients repeat a request for.
pub(crate) fn let_go() -> ApiError {
    let detail = "the request has been carried out, but its answer was let go: too much of this workspace's answers \
                  waits for clients to take it";
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "answer_let_go", detail)
}

fn too_many(code: &'static str, detail: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::TOO_MANY_REQUESTS, code, detail).with_header(RETRY_AFTER, HeaderValue::from_static("1"))
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.change(self.workspace, |held| held.requests = held.requests.saturating_sub(1));
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.resize(0);
    }
}

impl fmt::Debug for Shares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shares")
            .field("most_requests", &self.most_requests)
            .field("most_bytes", &self.most_bytes)
            .field("workspaces", &self.held().len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its numbers.
    fn holder(workspace: u128, key: u128) -> Holder {
        Holder { workspace: Uuid::from_u128(workspace), key: Uuid::from_u128(key) }
    }

    #[test]
    fn a_full_workspace_leaves_the_others_theirs() {
        let shares = Shares::new(2, 0);
        let (one, two) = (holder(1, 1), holder(2, 1));
        let held = [shares.take(one).unwrap(), shares.take(holder(1, 2)).unwrap()];
        assert_eq!(shares.take(one).err().map(|error| error.status), Some(StatusCode::TOO_MANY_REQUESTS));
        assert!(shares.take(two).is_ok());
        drop(held);
        assert!(shares.held().is_empty(), "nothing is kept of a workspace at rest");
        assert!(shares.take(one).is_ok());
    }

    #[test]
    fn answers_have_room_as_far_as_it_goes_and_one_alone_always() {
        let shares = Shares::new(9, 100);
        let (one, beside, two) = (holder(1, 1), holder(1, 2), holder(2, 1));
        let mut first = shares.room(one);
        for (bytes, begins) in [(25, true), (26, false), (1000, false), (20, true)] {
            assert!(first.resize(bytes), "{bytes}");
            assert_eq!(shares.take(one).is_ok(), begins, "{bytes}");
            assert!(shares.take(beside).is_ok(), "{bytes}: those of another key");
        }
        let mut its_second = shares.room(one);
        assert!(its_second.resize(6) && shares.take(one).is_err(), "they count together");
        drop(its_second);
        assert!(shares.take(one).is_ok() && first.resize(40));
        let mut second = shares.room(beside);
        for (bytes, fits) in [(61, false), (60, true), (61, false), (30, true)] {
            assert_eq!(second.resize(bytes), fits, "{bytes}");
        }
        assert!(shares.room(two).resize(1000), "another's are its own");
        assert!(!first.resize(71) && first.resize(70), "what did not fit has changed nothing");
        drop(second);
        assert!(first.resize(1000));
        drop(first);
        assert!(shares.held().is_empty());
    }
}
