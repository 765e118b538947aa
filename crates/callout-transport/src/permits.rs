//! How many calls are in flight per upstream, so that a slow one holds up nobody else.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use callout_core::{Error, ErrorKind};

use crate::target::Target;

#[derive(Clone, Debug)]
pub(crate) struct Permits {
    most: usize,
    /// Only upstreams that are being called.
    in_flight: Arc<Mutex<HashMap<Arc<Target>, usize>>>,
}

/// One call in flight; dropping it ends it.
#[derive(Debug)]
pub(crate) struct Permit {
    in_flight: Arc<Mutex<HashMap<Arc<Target>, usize>>>,
    target: Arc<Target>,
}

impl Permits {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, in_flight: Arc::default() }
    }

    /// One more call to that upstream.
    ///
    /// # Errors
    ///
    /// `limit_exceeded`, at once: a queue would only move the wait to where nobody sees it.
    pub(crate) fn take(&self, target: &Arc<Target>) -> Result<Permit, Error> {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        let count = in_flight.get(target).copied().unwrap_or(0);
        if count >= self.most {
            let message = format!(
                "{count} calls to {target} are in flight already, as many as `max_calls_per_upstream` allows; try \
                 again when some have ended"
            );
            return Err(Error::new(ErrorKind::LimitExceeded, message).with_retryable(true));
        }
        in_flight.insert(target.clone(), count + 1);
        Ok(Permit { in_flight: self.in_flight.clone(), target: target.clone() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut in_flight = self.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = in_flight.get_mut(&self.target) {
            *count -= 1;
            if *count == 0 {
                in_flight.remove(&self.target);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_upstream_refuses_and_another_does_not() {
        let permits = Permits::new(2);
        let target = |url: &str| Arc::new(Target::of(&url.parse().unwrap()).unwrap());
        let (one, other) = (target("http://one.example"), target("https://one.example"));
        let held = [permits.take(&one).unwrap(), permits.take(&one).unwrap()];
        let error = permits.take(&one).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded);
        assert!(error.is_retryable() && error.message().contains("max_calls_per_upstream"), "{error}");
        drop(permits.take(&other).unwrap());
        drop(held);
        assert!(permits.in_flight.lock().unwrap().is_empty());
        assert!(permits.take(&one).is_ok());
    }
}
