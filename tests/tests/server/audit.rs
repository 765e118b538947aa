//! The audit log: which changes, and refusals of some, stand in it, whatever becomes of those who asked.

use std::{path::Path, time::Duration};

use callout::system_clock;
use callout_store::Role;
use sqlx::{Connection, SqliteConnection};

use super::{Server, integration};

/// How many refusals the log shows.
async fn denied(server: &Server) -> usize {
    server.ask("GET", "/audit-log?limit=100", None).await.expect(200).text.matches("\"denied\"").count()
}

#[tokio::test]
async fn the_audit_log_says_who_changed_what_and_holds_no_value() {
    let server = Server::start().await;
    let (viewer_id, viewer) = server.key(Role::Viewer, &[]).await;
    let id = server.create(&integration("shop", "https://a.example")).await;
    let path = server.path(&format!("/integrations/{id}"));
    server.ask_as(Some(&viewer), "DELETE", &path, None).await.expect(403);
    server.ask("PATCH", &format!("/integrations/{id}"), Some(r#"{"enabled":false}"#)).await.expect(200);
    server.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
    let log = server.ask("GET", "/audit-log?limit=4", None).await.expect(200);
    let rows: Vec<String> = (0..4)
        .map(|at| {
            format!(
                "{} {} {}",
                log.text_at(&format!("items.{at}.action")),
                log.text_at(&format!("items.{at}.result")),
                log.text_at(&format!("items.{at}.target"))
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            format!("integration.delete done integration:{id}"),
            format!("integration.update done integration:{id}"),
            format!("integration.delete denied integration:{id}"),
            format!("integration.create done integration:{id}"),
        ]
    );
    assert_eq!(log.text_at("items.2.key_id"), viewer_id.to_string());
    // Of the same refusal over and over, one a minute is kept.
    for _ in 0..5 {
        server.ask_as(Some(&viewer), "DELETE", &path, None).await.expect(403);
    }
    assert_eq!(denied(&server).await, 1);
    server.clock.advance(Duration::from_mins(2));
    server.ask_as(Some(&viewer), "DELETE", &path, None).await.expect(403);
    assert_eq!(denied(&server).await, 2);
    // So is a key that would have granted too much, a workspace that is not theirs to make, a name twice.
    server.ask_as(Some(&viewer), "POST", "/v1/workspaces", Some(r#"{"name":"x"}"#)).await.expect(403);
    server.ask("POST", "/integrations", Some(&integration("shop", "https://a.example"))).await.expect(201);
    server.ask("POST", "/integrations", Some(&integration("shop", "https://a.example"))).await.expect(409);
    let log = server.ask("GET", "/audit-log?limit=100", None).await.expect(200);
    let log_holds = |action: &str, result: &str| {
        let row = format!(r#""action":"{action}","#);
        log.text
            .split(r#"{"id""#)
            .any(|entry| entry.contains(&row) && entry.contains(&format!(r#""result":"{result}""#)))
    };
    assert!(log_holds("workspace.create", "denied") && log_holds("integration.create", "conflict"), "{}", log.text);
    // One that was refused for one reason is not the same as one for another.
    let foreign = "/v1/00000000-0000-4000-8000-000000000000/integrations";
    let body = integration("shop", "https://a.example");
    server.ask_as(Some(&server.owner), "POST", foreign, Some(&body)).await.expect(403);
    assert_eq!(denied(&server).await, 4);
    assert!(!log.text_at("items.0.request_id").is_empty());
    assert!(!log.text.contains("sk-live"), "{}", log.text);
    server.ask_as(Some(&viewer), "GET", &server.path("/audit-log"), None).await.expect(403);
    let all = server.ask_as(Some(&server.operator), "GET", "/v1/audit-log", None).await.expect(200);
    assert!(all.text.contains("workspace.create"), "{}", all.text);
    server.ask_as(Some(&server.owner), "GET", "/v1/audit-log", None).await.expect(403);
}

/// A connection to the database of a server that runs.
async fn database(folder: &Path) -> SqliteConnection {
    SqliteConnection::connect(&format!("sqlite://{}", folder.join("callout.db").display())).await.unwrap()
}

async fn run(statement: &'static str, on: &mut SqliteConnection) {
    sqlx::query(statement).execute(on).await.unwrap();
}

#[tokio::test]
async fn a_refusal_that_could_not_be_recorded_is_not_taken_for_one_that_was() {
    let server = Server::start().await;
    let (_, viewer) = server.key(Role::Viewer, &[]).await;
    let refused = || server.ask_as(Some(&viewer), "POST", "/v1/workspaces", Some(r#"{"name":"x"}"#));
    let mut on = database(server.folder()).await;
    run("ALTER TABLE audit RENAME TO away", &mut on).await;
    assert!(refused().await.status >= 500);
    run("ALTER TABLE away RENAME TO audit", &mut on).await;
    refused().await.expect(403);
    assert_eq!(denied(&server).await, 1);
    refused().await.expect(403);
    assert_eq!(denied(&server).await, 1);
}

#[tokio::test]
async fn who_goes_away_when_refused_is_recorded() {
    let server = Server::start().await;
    let (_, viewer) = server.key(Role::Viewer, &[]).await;
    let mut on = database(server.folder()).await;
    let (mut recorded, clock) = (0, system_clock());
    for patience in (1..10).map(|tenths| Duration::from_millis(100 * tenths)) {
        // Nobody else can write meanwhile.
        run("BEGIN IMMEDIATE", &mut on).await;
        let asked = server.ask_as(Some(&viewer), "POST", "/v1/workspaces", Some(r#"{"name":"x"}"#));
        assert!(tokio::time::timeout(patience, asked).await.is_err(), "it waits for the row to be written");
        run("ROLLBACK", &mut on).await;
        for _ in 0..1_000 {
            recorded = denied(&server).await;
            if recorded > 0 {
                break;
            }
            clock.sleep(Duration::from_millis(10)).await;
        }
        // On a slow machine it may not have got so far.
        if recorded > 0 {
            break;
        }
    }
    assert_eq!(recorded, 1);
}

#[tokio::test]
async fn what_is_no_id_in_a_path_is_not_kept() {
    let server = Server::start().await;
    let (id, viewer) = server.key(Role::Viewer, &[]).await;
    let oversized = "x".repeat(50_000);
    for (method, path) in [
        ("DELETE", server.path(&format!("/integrations/{oversized}"))),
        ("PATCH", server.path(&format!("/integrations/{oversized}"))),
        ("DELETE", server.path(&format!("/api-keys/{oversized}"))),
        ("POST", server.path(&format!("/api-keys/{}/rotate", id.to_string().to_uppercase()))),
        ("DELETE", format!("/v1/workspaces/{}", server.workspace)),
    ] {
        server.ask_as(Some(&viewer), method, &path, None).await.expect(403);
    }
    let log = server.ask("GET", "/audit-log?limit=5", None).await.expect(200);
    let targets: Vec<_> = (0..5).map(|at| log.text_at(&format!("items.{at}.target"))).collect();
    let (workspace, key) = (format!("workspace:{}", server.workspace), format!("api_key:{id}"));
    assert_eq!(targets, [&*workspace, &*key, "api_key", "integration", "integration"]);
}
