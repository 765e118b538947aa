//! Workspaces and integrations on both databases: create, read, change, delete, import, and who wins
//! when several do so at once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use callout_core::{
    config::{AuthConfig, AuthType, IntegrationConfig},
    secret::{SecretName, Secrets},
};
use callout_store::{IntegrationChange, NewIntegration, Page, Store, StoreError, Uuid, secrets::MemorySecrets};
use support::{Database, kind, me, plain, secret, with_token, workspace};

on_both! {
    workspaces_are_made_found_listed_and_deleted_with_all_in_them,
    an_integration_is_stored_as_it_is_written,
    a_change_needs_the_revision_that_was_read,
    one_of_several_at_once_wins,
    a_vanished_workspace_is_not_found,
    builtin_integrations_are_changed_by_import_only,
    an_import_leaves_no_secret_that_it_does_not_give,
    a_nul_in_any_text_is_no_failure,
    secrets_follow_the_auth_type,
    a_secret_that_is_taken_away_is_gone,
}

#[test]
fn a_database_whose_encoding_lacks_letters_is_refused() {
    for (encoding, is_taken) in [("LATIN1", false), ("SQL_ASCII", true)] {
        let Some(database) = Database::postgres_with(&format!("ENCODING '{encoding}' LOCALE 'C'")) else { return };
        support::run(database, move |database| async move {
            let opened = Store::open(database.options()).await.map(drop).map_err(|error| error.to_string());
            assert_eq!(opened.is_ok(), is_taken, "{encoding}: {opened:?}");
            assert!(opened.err().is_none_or(|error| error.contains(encoding)), "it says why");
            let tables =
                database.texts("SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'").await;
            assert_eq!(tables.is_empty(), !is_taken, "{tables:?}");
        });
    }
}

async fn workspaces_are_made_found_listed_and_deleted_with_all_in_them(database: Database) {
    let store = database.open().await;
    let one = store.create_workspace("one", &me()).await.unwrap();
    let two = store.create_workspace("Two", &me()).await.unwrap();
    assert_eq!(kind(store.create_workspace("one", &me()).await), "name taken");
    for bad in ["", "a\nb", &"x".repeat(257)] {
        assert_eq!(kind(store.create_workspace(bad, &me()).await), "invalid", "{bad:?}");
    }
    assert_eq!(store.workspace(one.id).await.unwrap(), one);
    assert_eq!(store.workspace_by_name("Two").await.unwrap(), two);
    assert_eq!(kind(store.workspace_by_name("two").await), "not found");
    // In byte order on both.
    let listed = store.list_workspaces(Page::default()).await.unwrap();
    assert_eq!((listed.total, listed.items), (2, vec![two.clone(), one.clone()]));

    let stored = store.create_integration(one.id, with_token("github", "t"), &me()).await.unwrap();
    store.create_integration(two.id, with_token("github", "t"), &me()).await.unwrap();
    store.delete_workspace(one.id, &me()).await.unwrap();
    assert_eq!(kind(store.workspace(one.id).await), "not found");
    assert_eq!(kind(store.integration(one.id, stored.id).await), "not found");
    assert_eq!(kind(store.delete_workspace(one.id, &me()).await), "not found");
    assert_eq!(database.texts("SELECT path FROM sealed_secrets").await.len(), 1, "the other workspace's");
}

async fn an_integration_is_stored_as_it_is_written(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let body = r#"{"name":"shop","display_name":"Shöp \u0000 🛒","base_url":"https://shop.example/v1","endpoints":[
        {"name":"z","description":"d","method":"POST","path":"/b/{id}","input_schema":{"b":12345678901234567890123,"a":1.0}}]}"#;
    let mut faults = callout_core::fault::Faults::new();
    let body = callout_core::json::Json::parse(body).unwrap();
    let read = IntegrationConfig::read(&body, callout_core::config::UnknownFields::Refuse, &mut faults);
    let config = read.unwrap().0;
    let new = NewIntegration { config: config.clone(), secrets: Secrets::new(), builtin: false };
    let stored = store.create_integration(workspace.id, new.clone(), &me()).await.unwrap();
    assert_eq!((stored.revision, stored.builtin, stored.created_at), (1, false, stored.updated_at));
    let read = store.integration(workspace.id, stored.id).await.unwrap();
    assert_eq!(read, stored);
    assert_eq!(read.config.to_json().to_string(), config.to_json().to_string(), "order and digits are kept");
    assert_eq!(store.integration_by_name(workspace.id, "shop").await.unwrap(), stored);
    assert_eq!(store.integration_revision(workspace.id, stored.id).await.unwrap(), 1);
    assert_eq!(kind(store.create_integration(workspace.id, new, &me()).await), "name taken");

    let other = store.create_workspace("other", &me()).await.unwrap();
    assert_eq!(kind(store.integration(other.id, stored.id).await), "not found");
    assert_eq!(kind(store.integration_revision(other.id, stored.id).await), "not found");
    assert_eq!(kind(store.delete_integration(other.id, stored.id, &me()).await), "not found");
    store.delete_integration(workspace.id, stored.id, &me()).await.unwrap();
    assert_eq!(kind(store.integration(workspace.id, stored.id).await), "not found");
    assert_eq!(kind(store.delete_integration(workspace.id, stored.id, &me()).await), "not found");
}

async fn a_change_needs_the_revision_that_was_read(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let first = store.create_integration(workspace.id, plain("github"), &me()).await.unwrap();
    let mut config = first.config.clone();
    config.display_name = String::from("Other");
    let change = IntegrationChange::new(config, Secrets::new());
    let second = store.update_integration(&first, change.clone(), &me()).await.unwrap();
    assert_eq!((second.revision, second.created_at, second.id), (2, first.created_at, first.id));
    assert_eq!(store.integration(workspace.id, first.id).await.unwrap(), second);
    assert_eq!(kind(store.update_integration(&first, change.clone(), &me()).await), "changed");

    let mut renamed = change.clone();
    renamed.config.name = String::from("gitlab");
    assert_eq!(kind(store.update_integration(&second, renamed, &me()).await), "invalid");
    store.delete_integration(workspace.id, first.id, &me()).await.unwrap();
    assert_eq!(kind(store.update_integration(&second, change, &me()).await), "not found");
}

async fn one_of_several_at_once_wins(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let at_once = |_| {
        let store = store.clone();
        tokio::spawn(async move { store.create_integration(workspace.id, with_token("github", "t"), &me()).await })
    };
    let created: Vec<_> = (0..8).map(at_once).collect();
    let mut kinds = Vec::new();
    for task in created {
        kinds.push(kind(task.await.unwrap()));
    }
    kinds.sort_unstable();
    assert_eq!(kinds, [&["name taken"; 7][..], &["ok"]].concat());

    let current = store.integration_by_name(workspace.id, "github").await.unwrap();
    let at_once = |at: usize| {
        let (store, current) = (store.clone(), current.clone());
        let secrets = Secrets::new().with(SecretName::BearerToken, format!("t{at}"));
        let change = IntegrationChange::new(current.config.clone(), secrets);
        tokio::spawn(async move { (at, store.update_integration(&current, change, &me()).await) })
    };
    let changed: Vec<_> = (0..8).map(at_once).collect();
    let mut winners = Vec::new();
    for task in changed {
        match task.await.unwrap() {
            (at, Ok(stored)) => winners.push((at, stored)),
            (_, Err(StoreError::Changed)) => {}
            (_, Err(error)) => panic!("{error}"),
        }
    }
    let [(at, stored)] = &winners[..] else { panic!("{} won", winners.len()) };
    assert_eq!(secret(&store, stored, SecretName::BearerToken).await, Some(format!("t{at}")));
    assert_eq!(database.texts("SELECT path FROM sealed_secrets").await.len(), 1);
}

async fn a_vanished_workspace_is_not_found(database: Database) {
    let store = database.open().await;
    assert_eq!(kind(store.create_integration(Uuid::from_u128(7), plain("github"), &me()).await), "not found");
    for at in 0..10 {
        let workspace = store.create_workspace(&format!("w{at}"), &me()).await.unwrap();
        let (one, other) = (store.clone(), store.clone());
        let deleted = tokio::spawn(async move { one.delete_workspace(workspace.id, &me()).await });
        let created =
            tokio::spawn(async move { other.create_integration(workspace.id, with_token("github", "t"), &me()).await });
        assert_eq!(kind(deleted.await.unwrap()), "ok");
        assert!(["ok", "not found"].contains(&kind(created.await.unwrap())));
    }
    assert!(database.texts("SELECT id FROM integrations").await.is_empty());
    assert!(database.texts("SELECT path FROM sealed_secrets").await.is_empty());
}

async fn builtin_integrations_are_changed_by_import_only(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let one = store.import_builtin(workspace.id, with_token("github", "one"), &me()).await.unwrap();
    assert!(one.builtin);
    let change = IntegrationChange::new(one.config.clone(), Secrets::new());
    assert_eq!(kind(store.update_integration(&one, change.clone(), &me()).await), "builtin");
    let mut disguised = one.clone();
    disguised.builtin = false;
    assert_eq!(kind(store.update_integration(&disguised, change, &me()).await), "builtin");
    assert_eq!(kind(store.delete_integration(workspace.id, one.id, &me()).await), "builtin");

    let two = store.import_builtin(workspace.id, with_token("github", "two"), &me()).await.unwrap();
    assert_eq!((two.id, two.revision, two.builtin), (one.id, 2, true));
    assert_eq!(secret(&store, &two, SecretName::BearerToken).await.as_deref(), Some("two"));
    store.create_integration(workspace.id, plain("gitlab"), &me()).await.unwrap();
    assert_eq!(kind(store.import_builtin(workspace.id, plain("gitlab"), &me()).await), "name taken");
}

/// Signs with a key, and takes a client's secret too.
fn signing(origin: &str) -> IntegrationConfig {
    let mut auth = AuthConfig::new(AuthType::OAuth2JwtBearer);
    auth.assertion_issuer = Some("me".to_owned());
    IntegrationConfig::new("github", origin).with_auth(auth)
}

fn key_and_client() -> Secrets {
    Secrets::new().with(SecretName::PrivateKey, "key").with(SecretName::ClientSecret, "client")
}

/// A store that keeps secrets sealed in the database, or outside, as the name says, and a workspace of that name.
async fn kept(database: &Database, name: &str, outside: &MemorySecrets) -> (Store, Uuid) {
    let store = match name {
        "sealed" => database.open().await,
        _ => database.open_outside(outside.clone()).await,
    };
    let workspace = store.create_workspace(name, &me()).await.unwrap();
    (store, workspace.id)
}

async fn an_import_leaves_no_secret_that_it_does_not_give(database: Database) {
    let new = |origin: &str, secrets| NewIntegration { config: signing(origin), secrets, builtin: true };
    let outside = MemorySecrets::new();
    for name in ["sealed", "outside"] {
        let (store, workspace) = kept(&database, name, &outside).await;
        let one = new("https://api.example", key_and_client());
        let one = store.import_builtin(workspace, one, &me()).await.unwrap();
        assert_eq!(one.secret_names().count(), 2, "{name}");

        let secrets = Secrets::new().with(SecretName::PrivateKey, "newer");
        let two = new("https://elsewhere.example", secrets);
        let two = store.import_builtin(workspace, two, &me()).await.unwrap();
        assert_eq!(two.secret_names().collect::<Vec<_>>(), [SecretName::PrivateKey], "{name}");
        assert_eq!(secret(&store, &two, SecretName::PrivateKey).await.as_deref(), Some("newer"), "{name}");
        assert_eq!(secret(&store, &two, SecretName::ClientSecret).await, None, "{name}");

        // The one that it needs is not taken from before either.
        let without = new("https://elsewhere.example", Secrets::new());
        assert_eq!(kind(store.import_builtin(workspace, without, &me()).await), "invalid", "{name}");
        assert_eq!(store.integration(workspace, one.id).await.unwrap(), two, "{name}");
        let sealed = database.texts("SELECT path FROM sealed_secrets").await;
        assert_eq!(sealed.len() + outside.paths().len(), 1, "{name}");
        // A database keeps its secrets in one place.
        store.delete_workspace(workspace, &me()).await.unwrap();
    }
}

async fn a_nul_in_any_text_is_no_failure(database: Database) {
    let store = database.open().await;
    let mut by = me();
    by.name = String::from("a\0b");
    by.request_id = Some("c\0d".to_owned());
    assert_eq!(kind(store.create_workspace("a\0b", &by).await), "invalid");
    assert_eq!(kind(store.workspace_by_name("a\0b").await), "not found");
    let workspace = store.create_workspace("default", &by).await.unwrap();
    let mut new = plain("github");
    new.config.display_name = String::from("Git\0Hub");
    let stored = store.create_integration(workspace.id, new, &by).await.unwrap();
    assert_eq!(store.integration(workspace.id, stored.id).await.unwrap().config.display_name, "Git\0Hub");
    assert_eq!(kind(store.integration_by_name(workspace.id, "a\0b").await), "not found");
    let query = callout_store::ListQuery { search: Some("t\0h".to_owned()), ..Default::default() };
    assert_eq!(store.list_integrations(workspace.id, &query).await.unwrap().total, 1);
    let entry = &store.audit(None, Page::default()).await.unwrap().items[0];
    assert_eq!((entry.actor.name.as_str(), entry.actor.request_id.as_deref()), ("a\u{fffd}b", Some("c\u{fffd}d")));
}

async fn secrets_follow_the_auth_type(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let one = NewIntegration { config: signing("https://api.example"), secrets: key_and_client(), builtin: false };
    let one = store.create_integration(workspace.id, one, &me()).await.unwrap();
    assert_eq!(one.secret_names().collect::<Vec<_>>(), [SecretName::ClientSecret, SecretName::PrivateKey]);

    // One alone is given anew; the other stays.
    let secrets = Secrets::new().with(SecretName::PrivateKey, "newer");
    let two = IntegrationChange::new(one.config.clone(), secrets);
    let two = store.update_integration(&one, two, &me()).await.unwrap();
    assert_eq!(secret(&store, &two, SecretName::PrivateKey).await.as_deref(), Some("newer"));
    assert_eq!(secret(&store, &two, SecretName::ClientSecret).await.as_deref(), Some("client"));
    assert_eq!(kind(store.secrets(&one).await), "changed", "the earlier revision's are gone");

    // Another type that takes one of them keeps that one.
    let mut config = two.config.clone();
    let mut auth = AuthConfig::new(AuthType::JsonTokenExchange);
    (auth.token_url, auth.client_id) = (Some("https://id.example/t".to_owned()), Some("c".to_owned()));
    config.auth = Some(auth);
    let three = store.update_integration(&two, IntegrationChange::new(config, Secrets::new()), &me()).await.unwrap();
    assert_eq!(three.secret_names().collect::<Vec<_>>(), [SecretName::ClientSecret]);
    assert_eq!(secret(&store, &three, SecretName::ClientSecret).await.as_deref(), Some("client"));

    // A type without its secret, or with another's, is not stored.
    let mut config = three.config.clone();
    config.auth = Some(AuthConfig::new(AuthType::BearerToken));
    for secrets in [Secrets::new(), Secrets::new().with(SecretName::ApiKey, "k").with(SecretName::BearerToken, "t")] {
        let change = IntegrationChange::new(config.clone(), secrets);
        assert_eq!(kind(store.update_integration(&three, change, &me()).await), "invalid");
    }

    // No auth, no secret.
    config.auth = None;
    let four = store.update_integration(&three, IntegrationChange::new(config, Secrets::new()), &me()).await.unwrap();
    assert!(store.secrets(&four).await.unwrap().is_empty());
    assert!(database.texts("SELECT path FROM sealed_secrets").await.is_empty());
    store.delete_integration(workspace.id, four.id, &me()).await.unwrap();
    assert_eq!(kind(store.secrets(&three).await), "not found");
}

async fn a_secret_that_is_taken_away_is_gone(database: Database) {
    let config = signing("https://api.example");
    let removed = vec![SecretName::PrivateKey, SecretName::ClientSecret];
    let without_both =
        |secrets: Secrets| IntegrationChange { config: config.clone(), secrets, removed: removed.clone() };
    let outside = MemorySecrets::new();
    for name in ["sealed", "outside"] {
        let (store, workspace) = kept(&database, name, &outside).await;
        let one = NewIntegration { config: config.clone(), secrets: key_and_client(), builtin: false };
        let one = store.create_integration(workspace, one, &me()).await.unwrap();

        // The one that it needs is not, unless another is given in its place.
        let change = without_both(Secrets::new());
        assert_eq!(kind(store.update_integration(&one, change, &me()).await), "invalid", "{name}");
        let change = without_both(Secrets::new().with(SecretName::PrivateKey, "newer"));
        let two = store.update_integration(&one, change, &me()).await.unwrap();
        assert_eq!(two.secret_names().collect::<Vec<_>>(), [SecretName::PrivateKey], "{name}");
        assert_eq!(secret(&store, &two, SecretName::PrivateKey).await.as_deref(), Some("newer"), "{name}");
        assert_eq!(store.integration(workspace, one.id).await.unwrap(), two, "{name}");
        let sealed = database.texts("SELECT path FROM sealed_secrets").await;
        assert_eq!(sealed.len() + outside.paths().len(), 1, "{name}");
        // A database keeps its secrets in one place.
        store.delete_workspace(workspace, &me()).await.unwrap();
    }
}
