//! When a token is renewed, by whom, and what a failed renewal changes: nothing, until the token ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use callout_core::{Error, ErrorKind};
use tokio::sync::Semaphore;

use crate::support::{
    Network, World, client, compile, joined, jwt_bearer, key, no_params, numbered, private_key, response, text, when,
};

/// Lifetime in seconds, and the last second at which the token is not renewed yet.
const MARGINS: [(u64, u64); 5] = [(3600, 3539), (600, 539), (100, 89), (10, 8), (86_400 * 30, 86_400 - 61)];

#[tokio::test]
async fn a_tenth_of_the_lifetime_but_at_most_a_minute_before_its_end() {
    for (lifetime, last) in MARGINS {
        let network = Network::new(move |number| std::future::ready(Ok(numbered(number, lifetime))));
        let (world, auth) = (World::new(&network), client());
        world.value(&auth).await.unwrap();
        world.clock.advance(Duration::from_secs(last));
        assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000000", "{lifetime}");
        world.clock.advance(Duration::from_secs(1));
        assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000001", "{lifetime}");
        assert_eq!(network.count(), 2, "{lifetime}");
    }
}

#[tokio::test]
async fn only_the_caller_that_renews_waits_for_it() {
    let gate = Arc::new(Semaphore::new(1));
    let held = Arc::clone(&gate);
    let network = Network::new(move |number| {
        let held = Arc::clone(&held);
        async move {
            held.acquire().await.unwrap().forget();
            Ok(numbered(number, 600))
        }
    });
    let (world, auth) = (World::new(&network), client());
    world.value(&auth).await.unwrap();
    world.clock.advance(Duration::from_secs(545));
    let renewing = tokio::spawn({
        let (world, auth) = (world.clone(), auth.clone());
        async move { world.value(&auth).await }
    });
    when(|| network.count() == 2).await;
    for _ in 0..100 {
        assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000000");
    }
    gate.add_permits(1);
    assert_eq!(joined(renewing).await.unwrap(), "Bearer token-000001");
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000001");
    assert_eq!(network.count(), 2);
}

#[tokio::test]
async fn a_failed_renewal_shows_only_when_the_token_has_ended() {
    let down = Arc::new(AtomicBool::new(false));
    let is_down = Arc::clone(&down);
    let network = Network::new(move |number| {
        let answer =
            if is_down.load(SeqCst) { response(401, r#"{"error":"invalid_client"}"#) } else { numbered(number, 600) };
        std::future::ready(Ok(answer))
    });
    let (world, auth) = (World::new(&network), client());
    world.value(&auth).await.unwrap();
    down.store(true, SeqCst);
    world.clock.advance(Duration::from_mins(9));
    // 60 s are left: tried at once, then every 5 s, however many calls there are.
    for second in 0..60 {
        for _ in 0..10 {
            assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000000", "second {second}");
        }
        assert_eq!(network.count(), 2 + second / 5, "second {second}");
        world.clock.advance(Duration::from_secs(1));
    }
    let error = world.value(&auth).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    down.store(false, SeqCst);
    assert!(world.value(&auth).await.is_ok());
}

#[tokio::test]
async fn an_endpoint_that_asks_for_a_pause_gets_it() {
    let network = Network::new(|number| {
        let mut answer = if number == 0 { numbered(0, 600) } else { response(429, "") };
        answer.retry_after = Some(Duration::from_secs(20));
        std::future::ready(Ok(answer))
    });
    let (world, auth) = (World::new(&network), client());
    world.value(&auth).await.unwrap();
    world.clock.advance(Duration::from_mins(9));
    for (second, sent) in [(0, 4), (19, 4), (20, 7)] {
        world.value(&auth).await.unwrap();
        assert_eq!(network.count(), sent, "after {second} s");
        world.clock.advance(Duration::from_secs(if second == 0 { 19 } else { 1 }));
    }
}

/// A renewal that hangs costs the caller half its time, not its call.
#[tokio::test]
async fn a_renewal_that_hangs_is_given_up_while_the_old_token_lasts() {
    let network = Network::new(|number| async move {
        if number == 1 {
            std::future::pending::<()>().await;
        }
        Ok(numbered(number, 600))
    });
    let (world, auth) = (World::new(&network), client());
    world.value(&auth).await.unwrap();
    world.clock.advance(Duration::from_secs(541));
    let call = tokio::spawn({
        let (world, auth) = (world.clone(), auth.clone());
        async move { auth.header(&no_params(&auth), &world.context_until(Duration::from_secs(30))).await }
    });
    when(|| network.count() == 2).await;
    world.clock.advance(Duration::from_secs(15));
    assert_eq!(text(&joined(call).await.unwrap()), "Bearer token-000000");
    // Left alone for 5 s, then renewed by the next caller.
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000000");
    world.clock.advance(Duration::from_secs(5));
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000002");
}

#[tokio::test]
async fn a_token_that_has_expired_is_waited_for_by_all() {
    let network = Network::new(|number| async move {
        match number {
            1 => Err(Error::new(ErrorKind::Connect, "no route")),
            _ => Ok(numbered(number, 600)),
        }
    });
    let (world, auth) = (World::new(&network), client());
    world.value(&auth).await.unwrap();
    world.clock.advance(Duration::from_mins(10));
    let error = world.value(&auth).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect);
    assert_eq!(error.message(), "token request to https://id.example/token: no route");
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000002");
}

/// Without a token URL the assertion is the token: signed here, kept, made anew near its end.
#[tokio::test]
async fn an_assertion_that_is_the_token_is_made_anew_near_its_end() {
    let network = Network::answering("{}");
    let world = World::new(&network);
    let config = callout_core::config::AuthConfig { token_url: None, token_lifetime_seconds: 600, ..jwt_bearer() };
    let auth = compile(&config, &private_key("p256.pkcs8")).unwrap();
    let first = world.value(&auth).await.unwrap();
    assert!(first.starts_with("Bearer eyJ"));
    assert!(!first.contains(key("p256.pkcs8").lines().nth(1).unwrap()));
    world.clock.advance(Duration::from_secs(539));
    assert_eq!(world.value(&auth).await.unwrap(), first);
    world.clock.advance(Duration::from_secs(1));
    assert_ne!(world.value(&auth).await.unwrap(), first);
    assert_eq!((network.count(), world.cache.stats().fetches), (0, 2));
}
