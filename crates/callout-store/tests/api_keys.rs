//! API keys on both databases: made, presented, expired, rotated, deleted; the operator's first key.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use std::time::Duration;

use callout_core::secret::ExposeSecret;
use callout_store::{ApiKey, NewApiKey, Page, Permission, Role, Store, Uuid};
use support::{Database, TestClock, kind, me, workspace};

on_both! {
    a_key_is_shown_once_and_valid_until_it_expires,
    a_rotated_key_is_the_same_key_with_another_secret,
    a_deleted_key_stops_at_once,
    what_is_no_key_is_none,
    several_servers_make_one_operator_key,
}

fn member(workspace: Uuid, days: u32) -> NewApiKey {
    NewApiKey {
        workspace_id: Some(workspace),
        name: Some("agent".to_owned()),
        role: Role::Member,
        permissions: vec![Permission::AuditView],
        days,
    }
}

async fn presented(store: &Store, secret: &impl ExposeSecret<str>) -> Option<ApiKey> {
    store.authenticate(secret.expose_secret()).await.unwrap()
}

const DAY: Duration = Duration::from_hours(24);

async fn a_key_is_shown_once_and_valid_until_it_expires(database: Database) {
    let clock = TestClock::default();
    let store = database.open_with(&clock).await;
    let workspace = workspace(&store).await;
    let (key, secret) = store.create_api_key(member(workspace.id, 2), &me()).await.unwrap();
    assert_eq!(key.expires_at, Some(key.created_at.plus_days(2)));
    assert!(key.allows(Permission::IntegrationExecute) && key.allows(Permission::AuditView));
    assert!(!key.allows(Permission::IntegrationCreate) && !key.is_operator());
    let shown = secret.expose_secret().to_owned();
    let parts: Vec<_> = shown.splitn(3, '_').collect();
    assert_eq!((parts[0], parts[1], parts[2].len()), ("callout", &*key.id.simple().to_string(), 43));

    assert_eq!(presented(&store, &secret).await.as_ref(), Some(&key));
    assert_eq!(store.api_key(workspace.id, key.id).await.unwrap(), key);
    let listed = store.list_api_keys(workspace.id, Page::default()).await.unwrap();
    assert_eq!((listed.total, &listed.items[0]), (1, &key));
    assert!(!format!("{key:?}").contains(parts[2]));
    clock.advance(Duration::from_mins(2875));
    assert!(presented(&store, &secret).await.is_some());
    clock.advance(Duration::from_mins(5));
    assert_eq!(presented(&store, &secret).await, None);
    assert_eq!(kind(store.api_key(workspace.id, key.id).await), "ok", "an expired key can be rotated");

    let other = store.create_workspace("other", &me()).await.unwrap();
    assert_eq!(kind(store.api_key(other.id, key.id).await), "not found");
    assert_eq!(kind(store.create_api_key(member(Uuid::from_u128(1), 1), &me()).await), "not found");
    let mut bad = member(workspace.id, 0);
    assert_eq!(kind(store.create_api_key(bad.clone(), &me()).await), "invalid");
    (bad.days, bad.role) = (1, Role::Operator);
    assert_eq!(kind(store.create_api_key(bad.clone(), &me()).await), "invalid");
    (bad.role, bad.name) = (Role::Owner, Some("a\0b".to_owned()));
    assert_eq!(kind(store.create_api_key(bad, &me()).await), "invalid");
}

async fn a_rotated_key_is_the_same_key_with_another_secret(database: Database) {
    let clock = TestClock::default();
    let store = database.open_with(&clock).await;
    let workspace = workspace(&store).await;
    let (key, old) = store.create_api_key(member(workspace.id, 3), &me()).await.unwrap();
    clock.advance(DAY * 5);
    let (rotated, new) = store.rotate_api_key(workspace.id, key.id, &me()).await.unwrap();
    assert_eq!((rotated.id, rotated.role, &rotated.permissions), (key.id, key.role, &key.permissions));
    assert_eq!(presented(&store, &old).await, None);
    assert_eq!(presented(&store, &new).await, Some(rotated));
    clock.advance(Duration::from_mins(4315));
    assert!(presented(&store, &new).await.is_some(), "valid for its days from then on");
    clock.advance(Duration::from_mins(5));
    assert_eq!(presented(&store, &new).await, None);
    let other = store.create_workspace("other", &me()).await.unwrap();
    assert_eq!(kind(store.rotate_api_key(other.id, key.id, &me()).await), "not found");
}

async fn a_deleted_key_stops_at_once(database: Database) {
    let store = database.open().await;
    let elsewhere = database.open().await;
    let workspace = workspace(&store).await;
    let (key, secret) = store.create_api_key(member(workspace.id, 3), &me()).await.unwrap();
    assert!(presented(&elsewhere, &secret).await.is_some());
    let other = store.create_workspace("other", &me()).await.unwrap();
    assert_eq!(kind(store.delete_api_key(other.id, key.id, &me()).await), "not found");
    assert_eq!(kind(store.delete_operator_key(key.id, &me()).await), "not found");
    store.delete_api_key(workspace.id, key.id, &me()).await.unwrap();
    assert_eq!(presented(&elsewhere, &secret).await, None);
    assert_eq!(kind(store.delete_api_key(workspace.id, key.id, &me()).await), "not found");

    let (_, secret) = store.create_api_key(member(workspace.id, 3), &me()).await.unwrap();
    store.delete_workspace(workspace.id, &me()).await.unwrap();
    assert_eq!(presented(&elsewhere, &secret).await, None);
}

async fn what_is_no_key_is_none(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let (_, secret) = store.create_api_key(member(workspace.id, 3), &me()).await.unwrap();
    let (_, other) = store.create_api_key(member(workspace.id, 3), &me()).await.unwrap();
    let (secret, other) = (secret.expose_secret(), other.expose_secret());
    // The id of one with the random part of the other, an unknown id, and a changed random part.
    let crossed = format!("{}{}", &secret[..41], &other[41..]);
    let unknown = format!("callout_{}{}", "0".repeat(32), &secret[40..]);
    let changed = format!("{}{}{}", &secret[..50], if &secret[50..51] == "A" { "B" } else { "A" }, &secret[51..]);
    for bad in ["", "callout_", "Bearer", "\0", &secret[1..], &secret.to_uppercase(), &crossed, &unknown, &changed] {
        assert_eq!(store.authenticate(bad).await.unwrap(), None, "{bad:?}");
    }
    assert!(store.authenticate(secret).await.unwrap().is_some());
}

async fn several_servers_make_one_operator_key(database: Database) {
    database.open().await;
    let at_once = |_| {
        let database = database.clone();
        tokio::spawn(async move { database.open().await.create_operator_key_once(&me()).await.unwrap() })
    };
    let tasks: Vec<_> = (0..6).map(at_once).collect();
    let mut made = Vec::new();
    for task in tasks {
        made.extend(task.await.unwrap());
    }
    let [(key, secret)] = &made[..] else { panic!("{} were made", made.len()) };
    let store = database.open().await;
    assert_eq!(presented(&store, secret).await.as_ref(), Some(key));
    assert!(key.is_operator() && key.allows(Permission::WorkspaceDelete) && key.expires_at.is_none());
    assert!(store.create_operator_key_once(&me()).await.unwrap().is_none());

    let new = NewApiKey { workspace_id: None, name: None, role: Role::Operator, permissions: Vec::new(), days: 0 };
    let (second, _) = store.create_api_key(new, &me()).await.unwrap();
    assert_eq!(store.list_operator_keys(Page::default()).await.unwrap().total, 2);
    store.delete_operator_key(key.id, &me()).await.unwrap();
    assert!(store.create_operator_key_once(&me()).await.unwrap().is_none());
    assert_eq!(presented(&store, secret).await, None);
    store.delete_operator_key(second.id, &me()).await.unwrap();
    assert!(store.create_operator_key_once(&me()).await.unwrap().is_some(), "none is left");
}
