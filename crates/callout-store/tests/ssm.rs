//! AWS SSM Parameter Store, as the `PyPI` package moto serves it: the same as with any store outside, and
//! what becomes of a service that is gone.
//!
//! Runs where `CALLOUT_TEST_SSM` holds the endpoint; `.ci/services` starts one and says where. Without
//! the variable it says so and passes; with the value `required` it fails, for places where it must not
//! be left out by mistake.
#![cfg(feature = "ssm")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use callout_core::{
    secret::{ExposeSecret, SecretName, SecretString, Secrets},
    secret_store::{SecretStore, SecretStoreError},
};
use callout_store::{IntegrationChange, StoreError, secrets::SsmSecrets};
use support::{Database, kind, me, secret, with_token, workspace};

on_both! { integrations_keep_their_secrets_in_parameters, a_service_that_is_gone_is_unavailable }

fn endpoint() -> Option<String> {
    match std::env::var("CALLOUT_TEST_SSM") {
        Ok(endpoint) if endpoint == "required" => panic!("CALLOUT_TEST_SSM must hold an endpoint here"),
        Ok(endpoint) => Some(endpoint),
        Err(_) => {
            eprintln!("not run on SSM: CALLOUT_TEST_SSM holds no endpoint");
            None
        }
    }
}

async fn integrations_keep_their_secrets_in_parameters(database: Database) {
    let Some(endpoint) = endpoint() else { return };
    let ssm = SsmSecrets::from_environment(Some(&endpoint)).await;
    let store = database.open_outside(ssm.clone()).await;
    let workspace = workspace(&store).await;
    let one = store.create_integration(workspace.id, with_token("aa", "sesame é 1"), &me()).await.unwrap();
    assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("sesame é 1"));
    let path = format!("/dev/integration-secrets/{}/{}/bearer_token", workspace.id, one.id);
    assert_eq!(SecretStore::get(&ssm, &path, 1).await.unwrap().expose_secret(), "sesame é 1");

    let secrets = Secrets::new().with(SecretName::BearerToken, "x".repeat(5000));
    let change = IntegrationChange::new(one.config.clone(), secrets);
    let two = store.update_integration(&one, change, &me()).await.unwrap();
    assert_eq!(secret(&store, &two, SecretName::BearerToken).await.map(|value| value.len()), Some(5000));
    assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("sesame é 1"), "each its version");
    assert!(matches!(SecretStore::get(&ssm, &path, 3).await, Err(SecretStoreError::NotFound)));

    // Gone with the auth that needed it, with the integration, and with the workspace.
    let mut config = two.config.clone();
    config.auth = None;
    store.update_integration(&two, IntegrationChange::new(config, Secrets::new()), &me()).await.unwrap();
    assert!(matches!(SecretStore::get(&ssm, &path, 2).await, Err(SecretStoreError::NotFound)));
    for name in ["bb", "cc"] {
        let one = store.create_integration(workspace.id, with_token(name, "sesame"), &me()).await.unwrap();
        let path = format!("/dev/integration-secrets/{}/{}/bearer_token", workspace.id, one.id);
        match name {
            "bb" => store.delete_integration(workspace.id, one.id, &me()).await.unwrap(),
            _ => store.delete_workspace(workspace.id, &me()).await.unwrap(),
        }
        assert!(matches!(SecretStore::get(&ssm, &path, 1).await, Err(SecretStoreError::NotFound)), "{name}");
    }
    SecretStore::delete(&ssm, &path).await.unwrap();
    assert!(database.texts("SELECT id FROM secret_intents").await.is_empty());

    // What AWS refuses is told without the value.
    let refused = SecretStore::put(&ssm, "/aws/reserved", &SecretString::from("sesame")).await.unwrap_err();
    assert!(!format!("{refused} {refused:?} {ssm:?}").contains("sesame"));
}

async fn a_service_that_is_gone_is_unavailable(database: Database) {
    if endpoint().is_none() {
        return;
    }
    let store = database.open_outside(SsmSecrets::from_environment(Some("http://127.0.0.1:1")).await).await;
    let workspace = workspace(&store).await;
    let error = store.create_integration(workspace.id, with_token("aa", "sesame"), &me()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("sesame"));
    assert!(matches!(&error, StoreError::Unavailable { message, .. } if message.contains("SSM")), "{error}");
    assert_eq!(kind(store.integration_by_name(workspace.id, "aa").await), "not found");
}
