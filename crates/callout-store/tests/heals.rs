//! A database that is locked, full, gone or cut off is unavailable, and works again once it is back,
//! without another start.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use std::{fs, future::poll_fn, task::Poll, time::Duration};

use callout_core::secret::SecretName;
use callout_store::{DatabaseUrl, Store};
use sqlx::{Connection, PgConnection, SqliteConnection};
use support::{Child, Database, kind, me, plain, secret, with_token, workspace};

on_both! { a_locked_database_is_unavailable_and_heals }

async fn impatient(database: &Database) -> Store {
    Store::open(database.options().with_max_wait(Duration::from_secs(2))).await.unwrap()
}

async fn a_locked_database_is_unavailable_and_heals(database: Database) {
    let store = impatient(&database).await;
    let workspace = workspace(&store).await;
    let one = store.create_integration(workspace.id, with_token("aa", "t"), &me()).await.unwrap();
    if database.is_postgres() {
        let mut other = PgConnection::connect(&database.url()).await.unwrap();
        let mut lock = other.begin().await.unwrap();
        sqlx::query("LOCK TABLE integrations IN ACCESS EXCLUSIVE MODE").execute(&mut *lock).await.unwrap();
        assert_eq!(kind(store.integration(workspace.id, one.id).await), "unavailable");
        assert_eq!(kind(store.create_integration(workspace.id, plain("bb"), &me()).await), "unavailable");
        lock.rollback().await.unwrap();
    } else {
        let mut other = SqliteConnection::connect(&format!("sqlite://{}", database.url())).await.unwrap();
        let lock = other.begin_with("BEGIN EXCLUSIVE").await.unwrap();
        assert_eq!(kind(store.create_integration(workspace.id, plain("bb"), &me()).await), "unavailable");
        assert_eq!(kind(store.delete_integration(workspace.id, one.id, &me()).await), "unavailable");
        assert_eq!(
            secret(&store, &one, SecretName::BearerToken).await.as_deref(),
            Some("t"),
            "readers are not kept out"
        );
        lock.rollback().await.unwrap();
    }
    store.create_integration(workspace.id, plain("bb"), &me()).await.unwrap();
    assert_eq!(store.integration(workspace.id, one.id).await.unwrap(), one);
}

/// What other processes do for these tests.
#[test]
fn child() {
    if let Some(database) = Database::of_parent("full") {
        support::run(database, |database| async move {
            let store = database.open().await;
            let workspace = store.workspace_by_name("default").await.unwrap();
            let long = "x".repeat(100_000);
            let mut at = 0;
            let refused = loop {
                let new = with_token(&format!("full-{at}"), &long);
                match kind(store.create_integration(workspace.id, new, &me()).await) {
                    "ok" => at += 1,
                    refused => break refused,
                }
                assert!(at < 1000);
            };
            assert_eq!(refused, "unavailable");
            let one = store.integration_by_name(workspace.id, "aa").await.unwrap();
            assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("t"));
            println!("{FULL}");
            let room = database.folder().join(ROOM);
            for _ in 0..6_000 {
                if room.exists() {
                    break;
                }
                support::pause(Duration::from_millis(10));
            }
            // The same process goes on once there is room.
            store.create_integration(workspace.id, plain("after"), &me()).await.unwrap();
            store.create_integration(workspace.id, with_token("after-that", "t"), &me()).await.unwrap();
        });
    }
}

/// What the child says when it can write no more.
const FULL: &str = "there is no room";
/// The file that tells it that there is some.
const ROOM: &str = "room";

#[cfg(unix)]
#[test]
fn a_full_disk_is_unavailable_and_harms_nothing() {
    support::run(Database::sqlite(), |database| async move {
        let store = database.open().await;
        let workspace = workspace(&store).await;
        store.create_integration(workspace.id, with_token("aa", "t"), &me()).await.unwrap();
        // Files of that process may have 2 MB; the signal at the end is passed over, so that writes fail.
        let mut limited = Child::start_in_shell("trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\"", "full", &database);
        assert!(limited.wait_for(FULL));
        // It is the log that is full: with what it holds in the database's own file it begins anew.
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").await.unwrap();
        fs::write(database.folder().join(ROOM), "").unwrap();
        assert!(limited.succeeds());
        let query = callout_store::ListQuery::default();
        for one in store.list_integrations(workspace.id, &query).await.unwrap().items {
            store.secrets(&one).await.unwrap();
        }
        store.create_integration(workspace.id, plain("bb"), &me()).await.unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_file_that_was_moved_away_is_unavailable_until_it_is_back() {
    support::run(Database::sqlite(), |database| async move {
        let store = impatient(&database).await;
        let workspace = workspace(&store).await;
        let away = database.folder().join("away.db");
        fs::rename(database.url(), &away).unwrap();
        assert_eq!(kind(store.ping().await), "unavailable");
        assert_eq!(kind(store.create_integration(workspace.id, plain("aa"), &me()).await), "unavailable");
        // Another file in its place is not taken for it.
        fs::write(database.url(), "").unwrap();
        assert_eq!(kind(store.create_integration(workspace.id, plain("aa"), &me()).await), "unavailable");
        fs::rename(&away, database.url()).unwrap();
        store.ping().await.unwrap();
        store.create_integration(workspace.id, plain("aa"), &me()).await.unwrap();
    });
}

#[test]
fn a_server_that_was_cut_off_is_unavailable_and_heals() {
    let Some(database) = Database::postgres() else { return };
    support::run(database, |database| async move {
        let store = impatient(&database).await;
        let workspace = workspace(&store).await;
        store.ping().await.unwrap();
        let cut = |allowed: bool| {
            let name = database.url().rsplit_once('/').unwrap().1.to_owned();
            [
                format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}"),
                format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"),
            ]
        };
        // Connections that are gone are made anew.
        let mut server = PgConnection::connect(&std::env::var("CALLOUT_TEST_POSTGRES").unwrap()).await.unwrap();
        let [_, terminate] = cut(true);
        sqlx::raw_sql(sqlx::AssertSqlSafe(terminate)).execute(&mut server).await.unwrap();
        store.ping().await.unwrap();
        for statement in cut(false) {
            sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut server).await.unwrap();
        }
        assert_eq!(kind(store.ping().await), "unavailable");
        assert_eq!(kind(store.create_integration(workspace.id, plain("aa"), &me()).await), "unavailable");
        let [allow, _] = cut(true);
        sqlx::raw_sql(sqlx::AssertSqlSafe(allow)).execute(&mut server).await.unwrap();
        store.ping().await.unwrap();
        store.create_integration(workspace.id, plain("aa"), &me()).await.unwrap();
    });
}

/// What the server says to a statement.
async fn told(server: &mut PgConnection, statement: String) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(server).await.map(drop)
}

async fn rename(server: &mut PgConnection, from: &str, to: &str) {
    for _ in 0..50 {
        let end = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{from}'");
        told(server, end).await.unwrap();
        if told(server, format!("ALTER DATABASE {from} RENAME TO {to}")).await.is_ok() {
            return;
        }
        // Connections that were ended are gone a moment later.
        support::pause(Duration::from_millis(100));
    }
    unreachable!("{from} is in use");
}

#[test]
fn a_database_that_is_being_restored_is_unavailable_and_heals() {
    let Some(database) = Database::postgres() else { return };
    support::run(database, |database| async move {
        let store = impatient(&database).await;
        let workspace = workspace(&store).await;
        let name = database.url().rsplit_once('/').unwrap().1.to_owned();
        let away = format!("{name}_away");
        let mut server = PgConnection::connect(&std::env::var("CALLOUT_TEST_POSTGRES").unwrap()).await.unwrap();
        rename(&mut server, &name, &away).await;
        for statement in [None, Some(format!("CREATE DATABASE {name} TEMPLATE template0"))] {
            if let Some(statement) = statement {
                // It is there, and has no tables yet.
                told(&mut server, statement).await.unwrap();
            }
            assert_eq!(kind(store.ping().await), "unavailable");
            assert_eq!(kind(store.workspace(workspace.id).await), "unavailable");
            assert_eq!(kind(store.create_integration(workspace.id, plain("aa"), &me()).await), "unavailable");
        }
        told(&mut server, format!("DROP DATABASE {name} WITH (FORCE)")).await.unwrap();
        rename(&mut server, &away, &name).await;
        store.ping().await.unwrap();
        store.create_integration(workspace.id, plain("aa"), &me()).await.unwrap();
    });
}

#[test]
fn who_leaves_at_any_point_leaves_no_transaction_open() {
    let Some(database) = Database::postgres() else { return };
    support::run(database, |database| async move {
        let store = Store::open(database.options().with_max_connections(1)).await.unwrap();
        let open = "SELECT CAST(COUNT(*) AS TEXT) FROM pg_stat_activity WHERE datname = current_database() \
                    AND application_name = 'callout' AND state LIKE 'idle in transaction%'";
        for most in 1..100 {
            let (name, by, mut polls) = (format!("w{most}"), me(), 0);
            let mut asked = Box::pin(store.create_workspace(&name, &by));
            let done = poll_fn(|context| {
                polls += 1;
                if polls > most { Poll::Ready(None) } else { asked.as_mut().poll(context).map(Some) }
            });
            let done = done.await;
            drop(asked);
            let mut found = database.texts(open).await;
            for _ in 0..50 {
                if found == ["0"] {
                    break;
                }
                // The connection is on its way back.
                support::pause(Duration::from_millis(100));
                found = database.texts(open).await;
            }
            assert_eq!(found, ["0"], "given up after {most} steps");
            if let Some(done) = done {
                done.unwrap();
                return;
            }
        }
        unreachable!("it does not end");
    });
}

#[test]
fn nothing_there_is_unavailable_and_what_is_no_database_says_so() {
    support::run(Database::sqlite(), |database| async move {
        fs::write(database.url(), "this is no database, but a text of some length".repeat(100)).unwrap();
        assert_eq!(kind(Store::open(database.options()).await), "damaged");
        let options = |url: &str| {
            let url: DatabaseUrl = url.parse().unwrap();
            let source = callout_store::MasterKeySource::File(database.key_file());
            let clock = callout_core::time::SharedClock::new(support::TestClock::default());
            let rng = callout_core::time::SharedRng::new(support::SystemRng);
            callout_store::StoreOptions::new(url, clock, rng)
                .with_master_key(source)
                .with_max_wait(Duration::from_millis(300))
        };
        let absent = database.folder().join("absent/callout.db");
        assert_eq!(kind(Store::open(options(absent.to_str().unwrap())).await), "invalid");
        let error = Store::open(options("postgres://me:sesame@127.0.0.1:1/none")).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sesame"), "{error:?}");
        let told = error.to_string().to_lowercase();
        assert!(told.contains("the database at 127.0.0.1:1 is not available") && told.contains("refused"), "{told}");
        assert_eq!(kind::<()>(Err(error)), "unavailable");
        assert!(!database.key_file().exists());
    });
}
