//! The cache keeps to its size, and one integration to its share of it (B9).

use callout_auth::{Auth, CredentialSource, TokenCache};
use callout_core::{
    config::AuthConfig,
    time::{Clock, StillClock},
};

use crate::support::{Network, World, client, compile_as, exchange, exchange_secret, numbered, params};

/// How many different params one integration's calls have.
const DIFFERENT: usize = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

fn by_user(integration: &str) -> Auth {
    compile_as("w", integration, &exchange(&[("X-User", "user", true, true)]), &exchange_secret()).unwrap()
}

async fn call(world: &World, auth: &Auth, user: usize) -> bool {
    let before = world.cache.stats().fetches;
    let params = params(auth, &format!(r#"{{"user":{user}}}"#)).unwrap();
    auth.header(&params, &world.context()).await.unwrap();
    world.cache.stats().fetches > before
}

/// Network answers are not kept here: it would be this test's memory that grows.
fn quiet() -> callout_core::http::SharedHttp {
    struct Quiet;
    impl callout_core::http::HttpService for Quiet {
        async fn send<'a>(
            &'a self,
            exchange: callout_core::http::Exchange<'a>,
        ) -> Result<callout_core::http::HttpResponse, callout_core::Error> {
            (exchange.request)(Clock::now(&StillClock::new())).await?;
            Ok(numbered(7, 3600))
        }
    }
    callout_core::http::SharedHttp::new(Quiet)
}

#[tokio::test]
async fn one_integration_with_endless_params_leaves_the_others_tokens_alone() {
    let mut world = World::new(&Network::answering(""));
    world.http = quiet();
    let quiet_ones: Vec<_> = (0..500).map(|at| by_user(&format!("quiet-{at}"))).collect();
    for auth in &quiet_ones {
        assert!(call(&world, auth, 0).await);
    }
    let noisy = by_user("noisy");
    let mut largest = 0;
    for user in 0..DIFFERENT {
        assert!(call(&world, &noisy, user).await);
        // One user is used again and again, and stays.
        assert_eq!(call(&world, &noisy, 0).await, user == DIFFERENT, "after {user}");
        if user % 1000 == 0 {
            largest = largest.max(world.cache.stats().entries);
        }
    }
    assert!(largest <= 1_600, "{largest} entries for 500 integrations and a share of 1,000");
    for auth in &quiet_ones {
        assert!(!call(&world, auth, 0).await, "a token was displaced by another integration's");
    }
    let stats = world.cache.stats();
    assert!(stats.evictions >= (DIFFERENT - 1_100) as u64, "{stats:?}");
}

/// More users than an integration holds on to by itself: some of their keys share a place there.
#[tokio::test]
async fn users_of_one_integration_never_get_each_others_tokens() {
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let world = World::new(&network);
    let auth = by_user("shared");
    let mut firsts = Vec::new();
    for round in 0..20 {
        for user in 0..40 {
            let params = params(&auth, &format!(r#"{{"user":{user}}}"#)).unwrap();
            let value = auth.header(&params, &world.context()).await.unwrap().value().clone();
            if round == 0 {
                assert!(!firsts.contains(&value), "user {user} has somebody else's token");
                firsts.push(value);
            } else {
                assert_eq!(firsts.get(user), Some(&value), "user {user}, round {round}");
            }
        }
    }
    assert_eq!(world.cache.stats().fetches, 40);
}

#[tokio::test]
async fn the_whole_keeps_to_its_bound_and_takes_in_what_is_new() {
    let mut world = World::with_cache(&Network::answering(""), TokenCache::new(100));
    world.http = quiet();
    let shops: Vec<_> = (0..2_000).map(|at| by_user(&format!("shop-{at}"))).collect();
    for (at, auth) in shops.iter().enumerate() {
        assert!(call(&world, auth, 0).await);
        for recent in &shops[at.saturating_sub(50)..=at] {
            assert!(!call(&world, recent, 0).await, "a new token was turned away");
        }
    }
    assert!(world.cache.stats().entries <= 110, "{:?}", world.cache.stats());
    assert!(world.cache.stats().evictions >= 1_800, "{:?}", world.cache.stats());
}

#[tokio::test]
async fn the_smallest_cache_works() {
    let mut world = World::with_cache(&Network::answering(""), TokenCache::new(0));
    world.http = quiet();
    let auth = client_of(&exchange(&[]));
    for _ in 0..3 {
        assert!(auth.header(&crate::support::no_params(&auth), &world.context()).await.is_ok());
    }
    let other = client();
    assert_eq!(
        world.header(&other).await.map(|header| header.source).map_err(|error| error.kind()),
        Ok(CredentialSource::Fetched)
    );
}

fn client_of(config: &AuthConfig) -> Auth {
    compile_as("w", "small", config, &exchange_secret()).unwrap()
}
