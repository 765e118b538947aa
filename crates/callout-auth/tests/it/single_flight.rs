//! One fetch per key however many wait (B1), and what a refused token sets off (B2).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use callout_core::{
    ErrorKind,
    config::AuthType,
    secret::{SecretName, Secrets},
};
use tokio::sync::Semaphore;

use crate::support::{
    Network, World, client, client_credentials, client_secret, compile, compile_as, joined, no_params, numbered,
    response, text, when,
};

const CALLS: usize = 1000;

/// A network that answers when a permit is added to the semaphore.
fn gated(
    answer: impl Fn(usize) -> callout_core::http::HttpResponse + Send + Sync + 'static,
) -> (Network, Arc<Semaphore>) {
    let gate = Arc::new(Semaphore::new(0));
    let (answer, held) = (Arc::new(answer), Arc::clone(&gate));
    let network = Network::new(move |number| {
        let (answer, held) = (Arc::clone(&answer), Arc::clone(&held));
        async move {
            held.acquire().await.unwrap().forget();
            Ok(answer(number))
        }
    });
    (network, gate)
}

/// Lets tasks run until nothing changes any more.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_calls_on_a_cold_key_and_on_an_expired_one_are_one_token_request_each() {
    let network = Network::new(|number| async move {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        Ok(numbered(number, 3600))
    });
    let (world, auth) = (World::new(&network), client());
    for round in 0..3 {
        let calls: Vec<_> = (0..CALLS)
            .map(|_| {
                let (world, auth) = (world.clone(), auth.clone());
                tokio::spawn(async move { world.value(&auth).await.unwrap() })
            })
            .collect();
        for call in calls {
            assert_eq!(joined(call).await, format!("Bearer token-{round:06}"));
        }
        assert_eq!(network.count(), round + 1);
        world.clock.advance(Duration::from_hours(1));
    }
    let stats = world.cache.stats();
    assert_eq!((stats.fetches, stats.failures, stats.entries.max(1)), (3, 0, 1));
    assert_eq!(stats.hits + stats.misses, 3 * CALLS as u64);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn all_waiters_get_the_failure_and_the_next_call_tries_again() {
    let (network, gate) = gated(|number| match number {
        0 => response(400, r#"{"error":"invalid_grant","error_description":"clock"}"#),
        _ => numbered(number, 3600),
    });
    let (world, auth) = (World::new(&network), client());
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let (world, auth) = (world.clone(), auth.clone());
            tokio::spawn(async move { world.value(&auth).await })
        })
        .collect();
    when(|| world.cache.stats().misses == 100).await;
    gate.add_permits(10);
    for call in calls {
        let error = joined(call).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::AuthFailed, None));
        assert!(error.message().contains("invalid_grant: clock"), "{error}");
    }
    assert_eq!(network.count(), 1);
    assert_eq!((world.cache.stats().fetches, world.cache.stats().failures), (1, 1));
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000001");
}

#[tokio::test]
async fn when_the_first_caller_is_cancelled_the_rest_are_served_by_its_fetch() {
    let (network, gate) = gated(|number| numbered(number, 3600));
    let (world, auth) = (World::new(&network), client());
    let spawn = || {
        let (world, auth) = (world.clone(), auth.clone());
        tokio::spawn(async move { world.value(&auth).await })
    };
    let first = spawn();
    settle().await;
    assert_eq!(network.count(), 1);
    let rest: Vec<_> = (0..20).map(|_| spawn()).collect();
    settle().await;
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    gate.add_permits(1);
    for call in rest {
        assert_eq!(joined(call).await.unwrap(), "Bearer token-000000");
    }
    assert_eq!(network.count(), 1);
}

#[tokio::test]
async fn a_fetch_ends_when_nobody_waits_for_it() {
    struct Ended(Arc<AtomicBool>);
    impl Drop for Ended {
        fn drop(&mut self) {
            self.0.store(true, SeqCst);
        }
    }
    let ended = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&ended);
    let network = Network::new(move |number| {
        let ended = (number == 0).then(|| Ended(Arc::clone(&flag)));
        async move {
            if ended.is_some() {
                std::future::pending::<()>().await;
            }
            Ok(numbered(number, 3600))
        }
    });
    let (world, auth) = (World::new(&network), client());
    let call = tokio::spawn({
        let (world, auth) = (world.clone(), auth.clone());
        async move { world.value(&auth).await }
    });
    settle().await;
    assert!(!ended.load(SeqCst));
    call.abort();
    let _ = call.await;
    assert!(ended.load(SeqCst), "the fetch goes on with nobody waiting");
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000001");
}

#[tokio::test]
async fn each_waiter_keeps_its_own_deadline() {
    let (network, gate) = gated(|number| numbered(number, 3600));
    let (world, auth) = (World::new(&network), client());
    let spawn = |seconds| {
        let (world, auth) = (world.clone(), auth.clone());
        tokio::spawn(
            async move { auth.header(&no_params(&auth), &world.context_until(Duration::from_secs(seconds))).await },
        )
    };
    let (short, long) = (spawn(1), spawn(50));
    settle().await;
    world.clock.advance(Duration::from_secs(2));
    let error = joined(short).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Timeout, true));
    gate.add_permits(1);
    assert_eq!(text(&joined(long).await.unwrap()), "Bearer token-000000");
    assert_eq!(network.count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_refusals_of_one_token_are_one_new_token() {
    let network = Network::new(|number| async move {
        tokio::task::yield_now().await;
        Ok(numbered(number, 3600))
    });
    let (world, auth) = (World::new(&network), client());
    let stale = world.header(&auth).await.unwrap();
    let calls: Vec<_> = (0..50)
        .map(|_| {
            let (world, auth, stale) = (world.clone(), auth.clone(), stale.clone());
            tokio::spawn(async move {
                assert!(auth.invalidate(&no_params(&auth), &stale, &world.cache));
                world.value(&auth).await.unwrap()
            })
        })
        .collect();
    for call in calls {
        assert_eq!(joined(call).await, "Bearer token-000001");
    }
    assert_eq!(network.count(), 2);
}

#[tokio::test]
async fn a_late_refusal_of_the_old_token_leaves_the_new_one() {
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let (world, auth) = (World::new(&network), client());
    let params = no_params(&auth);
    let old = world.header(&auth).await.unwrap();
    assert!(auth.invalidate(&params, &old, &world.cache));
    let new = world.header(&auth).await.unwrap();
    assert_eq!(text(&new), "Bearer token-000001");
    // Sending again makes sense all the same: the new token has not been refused.
    assert!(auth.invalidate(&params, &old, &world.cache));
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000001");
    assert_eq!(network.count(), 2);
}

#[tokio::test]
async fn secrets_that_do_not_change_are_not_sent_again() {
    let network = Network::answering("{}");
    let world = World::new(&network);
    let secrets = Secrets::new().with(SecretName::BearerToken, "t0ken-1");
    let auth = compile(&callout_core::config::AuthConfig::new(AuthType::BearerToken), &secrets).unwrap();
    let header = world.header(&auth).await.unwrap();
    assert!(!auth.invalidate(&no_params(&auth), &header, &world.cache));
    assert_eq!(network.count(), 0);
}

#[tokio::test]
async fn workspaces_integrations_and_rotated_secrets_do_not_share_tokens_and_a_reload_does() {
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let world = World::new(&network);
    let config = client_credentials();
    let rotated = Secrets::new().with(SecretName::ClientSecret, "another-secret");
    for (expected, workspace, integration, secrets) in [
        (0, "w", "shop", client_secret()),
        (1, "v", "shop", client_secret()),
        (2, "w", "store", client_secret()),
        (3, "", "wshop", client_secret()),
        (4, "w", "shop", rotated),
        (0, "w", "shop", client_secret()),
    ] {
        let auth = compile_as(workspace, integration, &config, &secrets).unwrap();
        assert_eq!(
            world.value(&auth).await.unwrap(),
            format!("Bearer token-{expected:06}"),
            "{workspace}/{integration}"
        );
    }
}
