//! Kill -9 at random points of create, change, delete and rotation, on both databases: each integration
//! is wholly old or wholly new, with its secrets and its audit row.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use std::time::Duration;

use callout_core::{
    config::{AuthConfig, AuthType},
    secret::{SecretName, Secrets},
    time::Rng,
};
use callout_store::{IntegrationChange, ListQuery, NewIntegration, Page, Store, StoredIntegration, Workspace};
use support::{Child, Database, SystemRng, me, plain, shown, workspace};

on_both! { killed_at_any_point_each_integration_is_whole }

/// What is killed: changes without end, each of which marks config and secrets alike.
#[test]
fn child() {
    if let Some(database) = Database::of_parent("change") {
        support::run(database, |database| async move {
            let store = database.open().await;
            let workspace = store.workspace_by_name("default").await.unwrap();
            for round in 0..100_000_u32 {
                change(&store, &workspace, round).await;
                if round == 3 {
                    println!("ready");
                }
            }
        });
    }
}

fn marked(name: &str, mark: &str) -> NewIntegration {
    let mut new = plain(name);
    new.config.display_name = String::from(mark);
    // Two secrets, or one, so that a change is of several rows.
    let mut auth = AuthConfig::new(AuthType::OAuth2JwtBearer);
    auth.assertion_issuer = Some(mark.to_owned());
    new.config.auth = Some(auth);
    new.secrets = Secrets::new().with(SecretName::PrivateKey, mark).with(SecretName::ClientSecret, mark);
    new
}

async fn change(store: &Store, workspace: &Workspace, round: u32) {
    let mut dice = [0; 2];
    SystemRng.fill(&mut dice);
    let name = format!("i{}", dice[0] % 8);
    let mark = format!("mark {round} {}", dice[1]);
    let new = marked(&name, &mark);
    match store.integration_by_name(workspace.id, &name).await {
        Err(_) => drop(store.create_integration(workspace.id, new, &me()).await.unwrap()),
        Ok(one) => match dice[1] % 8 {
            0 => store.delete_integration(workspace.id, one.id, &me()).await.unwrap(),
            1 => {
                // Less auth: the secrets go.
                let mut config = new.config;
                config.auth = None;
                let change = IntegrationChange::new(config, Secrets::new());
                store.update_integration(&one, change, &me()).await.unwrap();
            }
            2 if round.is_multiple_of(3) => drop(store.rotate_master_key(&me()).await.unwrap()),
            _ => {
                let change = IntegrationChange::new(new.config, new.secrets);
                store.update_integration(&one, change, &me()).await.unwrap();
            }
        },
    }
}

async fn all(store: &Store, workspace: &Workspace) -> Vec<StoredIntegration> {
    let query = ListQuery { page: Page { limit: 100, offset: 0 }, ..ListQuery::default() };
    store.list_integrations(workspace.id, &query).await.unwrap().items
}

async fn killed_at_any_point_each_integration_is_whole(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let mut changes = 0;
    for _ in 0..30 {
        let mut child = Child::start("change", &database, &[]);
        assert!(child.wait_for("ready"));
        let mut chance = [0; 1];
        SystemRng.fill(&mut chance);
        support::pause(Duration::from_millis(u64::from(chance[0]) / 2));
        child.kill();
        if database.is_postgres() {
            // What it had asked for is done by another process, which may not have finished.
            support::pause(Duration::from_millis(50));
        }

        // As the server that lived on sees it, and as one that starts now does.
        for store in [&store, &database.open().await] {
            let mut sealed = 0;
            let rows = "SELECT target || ' ' || COUNT(*) FROM audit GROUP BY target";
            let rows = database.texts(rows).await;
            for one in all(store, &workspace).await {
                let secrets = store.secrets(&one).await.unwrap();
                let mark = Some(one.config.display_name.clone());
                if let Some(auth) = &one.config.auth {
                    assert_eq!(auth.assertion_issuer, mark);
                    assert_eq!(shown(&secrets, SecretName::PrivateKey), mark);
                    assert_eq!(shown(&secrets, SecretName::ClientSecret), mark);
                }
                sealed += secrets.iter().count();
                let of_it = format!("integration:{} {}", one.id, one.revision);
                assert!(rows.contains(&of_it), "a row for each change: {of_it}");
            }
            assert_eq!(
                database.texts("SELECT path FROM sealed_secrets").await.len(),
                sealed,
                "none without its integration"
            );
        }
        let created = database.texts("SELECT target FROM audit WHERE action = 'integration.create'").await.len();
        let deleted = database.texts("SELECT target FROM audit WHERE action = 'integration.delete'").await.len();
        assert_eq!(created - deleted, all(&store, &workspace).await.len());
        changes = database.texts("SELECT action FROM audit").await.len();
    }
    assert!(changes >= 120, "only {changes} changes came between the kills");
}
