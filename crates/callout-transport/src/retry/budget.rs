//! Retry budgets: retries stay a small part of the traffic while an upstream is down.

use std::{
    collections::HashMap,
    fmt::Display,
    sync::{Mutex, PoisonError},
};

use callout_core::http::Caller;

use super::RetryPolicy;

/// How many budgets are kept. Past it, the one that lacks least is forgotten: it loses least by
/// starting anew.
const MAX_BUDGETS: usize = 4_096;

/// One budget per workspace, integration and host. Amounts are in thousandths of a retry, so that
/// ten gains of 0.1 make exactly one.
#[derive(Debug)]
pub(crate) struct Budgets {
    full: u64,
    gain: u64,
    /// Only those that are not full.
    spent: Mutex<HashMap<Key, u64>>,
}

type Key = (Caller, Box<str>);

const RETRY: u64 = 1_000;

impl Budgets {
    pub(crate) fn new(policy: &RetryPolicy) -> Self {
        Self {
            full: u64::from(policy.budget) * RETRY,
            gain: (policy.gain * RETRY as f64).round() as u64,
            spent: Mutex::default(),
        }
    }

    /// A first attempt was begun.
    pub(crate) fn gain(&self, caller: &Caller, host: &(impl Display + ?Sized)) {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        // Nothing is kept for an upstream that is up: no key is made, no memory is used.
        if spent.is_empty() {
            return;
        }
        let key = (caller.clone(), host.to_string().into());
        if let Some(left) = spent.get_mut(&key) {
            *left = left.saturating_add(self.gain);
            if *left >= self.full {
                spent.remove(&key);
            }
        }
    }

    /// Pays for one retry, if there is enough left.
    pub(crate) fn pay(&self, caller: &Caller, host: &(impl Display + ?Sized)) -> bool {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (caller.clone(), host.to_string().into());
        let left = spent.get(&key).copied().unwrap_or(self.full);
        let Some(left) = left.checked_sub(RETRY) else { return false };
        if spent.len() >= MAX_BUDGETS && !spent.contains_key(&key) {
            let fullest = spent.iter().max_by_key(|(_, left)| **left).map(|(key, _)| key.clone());
            fullest.and_then(|key| spent.remove(&key));
        }
        spent.insert(key, left);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(workspace: &str) -> Caller {
        Caller { workspace: workspace.into(), integration: "crm".into() }
    }

    #[test]
    fn a_thousand_calls_on_a_dead_upstream_cost_a_hundred_and_fifty_retries() {
        let budgets = Budgets::new(&RetryPolicy::default());
        let (dead, other) = (caller("a"), caller("b"));
        let mut retries = 0;
        for _ in 0..1_000 {
            budgets.gain(&dead, "api");
            retries += u32::from(budgets.pay(&dead, "api")) + u32::from(budgets.pay(&dead, "api"));
        }
        // 50 to begin with and 0.1 for each call; the first call's gain finds it full.
        assert_eq!(retries, 149);
        assert!(budgets.pay(&other, "api") && budgets.pay(&dead, "other"));
    }

    #[test]
    fn a_budget_recovers_up_to_its_start_and_is_then_forgotten() {
        let budgets = Budgets::new(&RetryPolicy::default());
        let caller = caller("a");
        (0..50).for_each(|_| assert!(budgets.pay(&caller, "api")));
        assert!(!budgets.pay(&caller, "api"));
        (0..9).for_each(|_| budgets.gain(&caller, "api"));
        assert!(!budgets.pay(&caller, "api"));
        budgets.gain(&caller, "api");
        assert!(budgets.pay(&caller, "api"));
        (0..10_000).for_each(|_| budgets.gain(&caller, "api"));
        assert!(budgets.spent.lock().unwrap().is_empty());
    }

    #[test]
    fn the_map_is_bounded_and_the_poorest_are_kept() {
        let budgets = Budgets::new(&RetryPolicy::default());
        let poor = caller("poor");
        (0..50).for_each(|_| assert!(budgets.pay(&poor, "api")));
        for at in 0..MAX_BUDGETS + 100 {
            assert!(budgets.pay(&caller("many"), &format_args!("host-{at}")));
        }
        assert_eq!(budgets.spent.lock().unwrap().len(), MAX_BUDGETS);
        assert!(!budgets.pay(&poor, "api"));
    }
}
