//! The audit log on both databases: a row for every change, in its transaction, append-only.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use callout_core::secret::{SecretName, Secrets};
use callout_store::{Actor, AuditAction, AuditResult, IntegrationChange, NewApiKey, Page, Role, Uuid};
use support::{Database, kind, me, plain, with_token, workspace};

on_both! {
    every_change_is_recorded,
    the_log_is_append_only,
    a_long_target_is_cut,
    a_change_that_fails_leaves_no_row,
}

async fn every_change_is_recorded(database: Database) {
    let store = database.open().await;
    let by = Actor { key_id: Some(Uuid::from_u128(9)), name: "agent".to_owned(), request_id: Some("r1".to_owned()) };
    let workspace = store.create_workspace("default", &by).await.unwrap();
    let one = store.create_integration(workspace.id, with_token("github", "sesame"), &by).await.unwrap();
    let secrets = Secrets::new().with(SecretName::BearerToken, "sesame");
    let two = store.update_integration(&one, IntegrationChange::new(one.config.clone(), secrets), &by).await.unwrap();
    store.delete_integration(workspace.id, two.id, &by).await.unwrap();
    let builtin = store.import_builtin(workspace.id, plain("gitlab"), &by).await.unwrap();
    let id = Some(workspace.id);
    let new = NewApiKey { workspace_id: id, name: None, role: Role::Viewer, permissions: Vec::new(), days: 1 };
    let (key, _) = store.create_api_key(new, &by).await.unwrap();
    store.rotate_api_key(workspace.id, key.id, &by).await.unwrap();
    store.delete_api_key(workspace.id, key.id, &by).await.unwrap();
    store.record_refusal(id, AuditAction::WorkspaceDelete, "workspace:x", &by, AuditResult::Denied).await.unwrap();
    let report = store.rotate_master_key(&by).await.unwrap();
    store.delete_workspace(workspace.id, &by).await.unwrap();

    let expected = [
        ("workspace.create", format!("workspace:{}", workspace.id), "done", id),
        ("integration.create", format!("integration:{}", one.id), "done", id),
        ("integration.update", format!("integration:{}", one.id), "done", id),
        ("integration.delete", format!("integration:{}", one.id), "done", id),
        ("integration.import", format!("integration:{}", builtin.id), "done", id),
        ("api_key.create", format!("api_key:{}", key.id), "done", id),
        ("api_key.rotate", format!("api_key:{}", key.id), "done", id),
        ("api_key.delete", format!("api_key:{}", key.id), "done", id),
        ("workspace.delete", "workspace:x".to_owned(), "denied", id),
        ("master_key.rotate", format!("master_key:{}", report.key_id), "done", None),
        ("workspace.delete", format!("workspace:{}", workspace.id), "done", id),
    ];
    let all = store.audit(None, Page::default()).await.unwrap();
    assert_eq!(all.total, expected.len() as u64);
    for (entry, (action, target, result, workspace_id)) in all.items.iter().rev().zip(expected) {
        assert_eq!(
            (entry.action.as_str(), &entry.target, entry.result.as_str(), entry.workspace_id, &entry.actor),
            (action, &target, result, workspace_id, &by)
        );
    }
    assert!(all.items.is_sorted_by(|newer, older| newer.id > older.id && newer.at >= older.at));
    let page = store.audit(id, Page { limit: 3, offset: 2 }).await.unwrap();
    assert_eq!((page.total, page.items.len()), (10, 3), "it outlives its workspace");
    assert_eq!(page.items[0].action, AuditAction::ApiKeyDelete);
    assert!(!format!("{all:?}").contains("sesame"));
}

async fn the_log_is_append_only(database: Database) {
    let store = database.open().await;
    workspace(&store).await;
    let mut attempts = vec!["UPDATE audit SET actor_name = 'x'", "DELETE FROM audit", "DELETE FROM audit WHERE id = 1"];
    if database.is_postgres() {
        attempts.push("TRUNCATE audit");
    }
    for attempt in attempts {
        let refused = database.execute(attempt).await.unwrap_err();
        assert!(refused.contains("append-only"), "{attempt}: {refused}");
    }
    assert_eq!(store.audit(None, Page::default()).await.unwrap().items[0].actor, me());
}

async fn a_long_target_is_cut(database: Database) {
    let store = database.open().await;
    let long = "é".repeat(60_000);
    store.record_refusal(None, AuditAction::WorkspaceDelete, &long, &me(), AuditResult::Denied).await.unwrap();
    let kept = store.audit(None, Page::default()).await.unwrap();
    assert_eq!(kept.items[0].target, "é".repeat(256));
}

async fn a_change_that_fails_leaves_no_row(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let one = store.create_integration(workspace.id, plain("github"), &me()).await.unwrap();
    let change = IntegrationChange::new(one.config.clone(), Secrets::new());
    store.update_integration(&one, change.clone(), &me()).await.unwrap();
    let before = store.audit(None, Page::default()).await.unwrap();
    assert_eq!(kind(store.create_integration(workspace.id, plain("github"), &me()).await), "name taken");
    assert_eq!(kind(store.update_integration(&one, change, &me()).await), "changed");
    assert_eq!(kind(store.delete_integration(workspace.id, Uuid::from_u128(1), &me()).await), "not found");
    assert_eq!(kind(store.create_workspace("default", &me()).await), "name taken");
    assert_eq!(store.audit(None, Page::default()).await.unwrap(), before);
}
