//! The master key on both databases: made once, proven at each start, replaced under load, by a process
//! that is killed midway, and from an environment variable; and a new database opened by several
//! processes at once.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callout_core::secret::{SecretName, Secrets};
use callout_store::{DatabaseUrl, IntegrationChange, MasterKeySource, Store, StoreError, StoreOptions};
use support::{Child, Database, kind, me, secret, with_token, workspace};

on_both! {
    a_key_is_made_for_a_new_database_only,
    a_wrong_key_opens_nothing_and_changes_nothing,
    a_refused_opening_makes_nothing_and_leaves_tables_at_their_version,
    keys_that_a_pipe_gives_once_are_read_once,
    rotation_under_load_fails_no_call,
    two_rotations_at_once_lose_nothing,
    rotation_killed_midway_is_finished_by_the_next,
    a_key_in_a_variable_is_rotated_after_a_restart,
    four_processes_open_a_new_database_at_once,
    a_secret_that_does_not_open_keeps_its_key,
}

/// What other processes do for these tests.
#[test]
fn child() {
    if let Some(database) = Database::of_parent("open") {
        support::run(database, |database| async move {
            workspace_of_process(&database.open().await).await;
        });
    }
    if let Some(database) = Database::of_parent("rotate") {
        support::run(database, |database| async move {
            let store = database.open().await;
            println!("ready");
            for _ in 0..1000 {
                store.rotate_master_key(&me()).await.unwrap();
            }
        });
    }
    if let Some(database) = Database::of_parent("variable") {
        support::run(database, |database| async move {
            let source = MasterKeySource::Env("CALLOUT_TEST_KEYS".to_owned());
            let store = Store::open(database.options().with_master_key(source)).await;
            let expected = std::env::var("CALLOUT_TEST_EXPECTED").unwrap();
            let Ok(store) = store else {
                assert_eq!(kind(store), expected);
                return;
            };
            let workspace = store.workspace_by_name("default").await;
            let workspace = match workspace {
                Ok(workspace) => workspace,
                Err(_) => workspace_of_process(&store).await,
            };
            let done = match expected.as_str() {
                "create" => kind(store.create_integration(workspace.id, with_token("aa", "sesame"), &me()).await),
                "rotated" => match store.rotate_master_key(&me()).await {
                    Ok(report) => {
                        if report.key_id == "second" {
                            "rotated"
                        } else {
                            "another"
                        }
                    }
                    Err(error) => kind::<()>(Err(error)),
                },
                "invalid" => kind(store.rotate_master_key(&me()).await),
                _ => "ok",
            };
            assert_eq!(done, if expected == "create" { "ok" } else { &expected });
            let one = store.integration_by_name(workspace.id, "aa").await.unwrap();
            assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("sesame"));
        });
    }
}

async fn workspace_of_process(store: &Store) -> callout_store::Workspace {
    match workspace_named(store, "default").await {
        Ok(made) => made,
        Err(StoreError::NameTaken(_)) => store.workspace_by_name("default").await.unwrap(),
        Err(error) => panic!("{error}"),
    }
}

async fn workspace_named(store: &Store, name: &str) -> Result<callout_store::Workspace, StoreError> {
    store.create_workspace(name, &me()).await
}

async fn a_key_is_made_for_a_new_database_only(database: Database) {
    // One that is there already is used.
    let given = format!("given:{}\n", STANDARD.encode([7; 32]));
    fs::write(database.key_file(), &given).unwrap();
    let store = database.open().await;
    assert_eq!(fs::read_to_string(database.key_file()).unwrap(), given);
    assert_eq!(database.texts("SELECT key_id FROM master_keys").await, ["given"]);
    drop(store);
    fs::remove_file(database.key_file()).unwrap();
    let error = Store::open(database.options()).await.unwrap_err();
    assert!(matches!(&error, StoreError::MasterKey(why) if why.contains("restore")), "{error}");
    assert!(!database.key_file().exists(), "no other key is made in its place");

    if !database.is_postgres() {
        // By default it stands beside the file.
        let path = database.folder().join("other.db");
        let options = || {
            let url: DatabaseUrl = path.display().to_string().parse().unwrap();
            let clock = callout_core::time::SharedClock::new(support::TestClock::default());
            StoreOptions::new(url, clock, callout_core::time::SharedRng::new(support::SystemRng))
        };
        Store::open(options()).await.unwrap();
        let key = fs::read_to_string(database.folder().join("other.db.key")).unwrap();
        Store::open(options()).await.unwrap();
        assert_eq!(fs::read_to_string(database.folder().join("other.db.key")).unwrap(), key);
        #[cfg(unix)]
        for name in ["other.db", "other.db.key"] {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(database.folder().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
        }
    }
}

async fn a_wrong_key_opens_nothing_and_changes_nothing(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let one = store.create_integration(workspace.id, with_token("aa", "sesame"), &me()).await.unwrap();
    store.close().await;
    let before = database.dump().await;
    assert!(before.len() >= 5);
    let good = fs::read_to_string(database.key_file()).unwrap();
    let id = good.split_once(':').unwrap().0;
    for wrong in [
        String::new(),
        "no key".to_owned(),
        format!("other:{}", STANDARD.encode([7; 32])),
        format!("{id}:{}", STANDARD.encode([7; 32])),
    ] {
        fs::write(database.key_file(), &wrong).unwrap();
        assert_eq!(kind(Store::open(database.options()).await), "master key", "{wrong}");
        assert_eq!(fs::read_to_string(database.key_file()).unwrap(), wrong);
        assert_eq!(database.dump().await, before);
    }
    fs::remove_file(database.key_file()).unwrap();
    assert_eq!(kind(Store::open(database.options()).await), "master key");
    assert_eq!(database.dump().await, before);
    fs::write(database.key_file(), &good).unwrap();
    let store = database.open().await;
    assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("sesame"));
}

async fn a_refused_opening_makes_nothing_and_leaves_tables_at_their_version(database: Database) {
    let nowhere = MasterKeySource::File(database.folder().join("absent/master.key"));
    for source in [MasterKeySource::Env("CALLOUT_TEST_NO_KEYS".to_owned()), nowhere] {
        assert_eq!(kind(Store::open(database.options().with_master_key(source)).await), "master key");
        if database.is_postgres() {
            let tables = "SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = 'public'";
            assert_eq!(database.texts(tables).await, [""; 0]);
        }
        assert_eq!(fs::read_dir(database.folder()).unwrap().count(), 0);
    }

    let store = database.open().await;
    let workspace = workspace(&store).await;
    store.create_integration(workspace.id, with_token("aa", "sesame"), &me()).await.unwrap();
    store.close().await;
    // As the program before this one left it.
    for statement in ["DROP TABLE secret_home", "DELETE FROM callout_schema WHERE version = 2"] {
        database.execute(statement).await.unwrap();
    }
    let (good, before) = (fs::read_to_string(database.key_file()).unwrap(), database.dump().await);
    let versions = || database.texts("SELECT CAST(version AS TEXT) FROM callout_schema ORDER BY version");
    let other = format!("other:{}", STANDARD.encode([7; 32]));
    for (key, env, refused) in
        [(None, "dev", "master key"), (Some(&other), "dev", "master key"), (Some(&good), "prod", "invalid")]
    {
        match key {
            Some(key) => fs::write(database.key_file(), key).unwrap(),
            None => fs::remove_file(database.key_file()).unwrap(),
        }
        assert_eq!(kind(Store::open(database.options().with_env(env)).await), refused);
        assert_eq!(versions().await, ["1"], "{refused}");
        assert_eq!(database.dump().await, before);
    }
    database.open().await;
    assert_eq!(versions().await, ["1", "2"]);
}

async fn keys_that_a_pipe_gives_once_are_read_once(database: Database) {
    // As a shell has it: `--master-key file:<(…)`.
    #[cfg(unix)]
    {
        use std::{io::Write as _, os::fd::AsRawFd as _};
        let given = format!("given:{}\n", STANDARD.encode([7; 32]));
        // In a database that is new, and in one that has a key.
        for _ in 0..2 {
            let (reader, mut writer) = std::io::pipe().unwrap();
            writer.write_all(given.as_bytes()).unwrap();
            drop(writer);
            let source = MasterKeySource::File(format!("/dev/fd/{}", reader.as_raw_fd()).into());
            let store = Store::open(database.options().with_master_key(source)).await.unwrap();
            store.close().await;
            assert_eq!(database.texts("SELECT key_id FROM master_keys").await, ["given"]);
        }
    }
    #[cfg(not(unix))]
    drop(database);
}

async fn rotation_under_load_fails_no_call(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    for at in 0..150 {
        let new = with_token(&format!("i{at}"), &format!("token {at}"));
        store.create_integration(workspace.id, new, &me()).await.unwrap();
    }
    // Servers of their own, which hear of the new keys by reading their file again.
    let stop = Arc::new(AtomicBool::new(false));
    let (called, mut calls) = tokio::sync::mpsc::unbounded_channel();
    let mut servers = Vec::new();
    for at in 0..3_usize {
        let server = database.open().await;
        let (stop, called) = (stop.clone(), called.clone());
        servers.push(tokio::spawn(async move {
            let mut round = at;
            while !stop.load(Ordering::Relaxed) {
                round += 3;
                // Each its own integrations, so that no two change one.
                let name = format!("i{}", (round % 150) / 3 * 3 + at);
                let one = server.integration_by_name(workspace.id, &name).await.unwrap();
                let found = secret(&server, &one, SecretName::BearerToken).await.unwrap();
                assert!(found.starts_with("token "));
                let secrets = Secrets::new().with(SecretName::BearerToken, format!("token {round}"));
                let change = IntegrationChange::new(one.config.clone(), secrets);
                server.update_integration(&one, change, &me()).await.unwrap();
                called.send(()).unwrap();
            }
        }));
    }
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(store.rotate_master_key(&me()).await.unwrap().key_id);
        // Three calls a rotation, however slow the machine.
        for _ in 0..3 {
            calls.recv().await.unwrap();
        }
    }
    stop.store(true, Ordering::Relaxed);
    for server in servers {
        server.await.unwrap();
    }
    let rotations = ids.len();
    ids.dedup();
    assert_eq!(ids.len(), rotations, "each makes a key");
    let last = ids.pop().unwrap();
    let file = fs::read_to_string(database.key_file()).unwrap();
    assert_eq!(file.lines().map(|line| line.split_once(':').unwrap().0).collect::<Vec<_>>(), [&last]);
    assert_eq!(database.texts("SELECT DISTINCT key_id FROM sealed_secrets").await, std::slice::from_ref(&last));
    assert_eq!(database.texts("SELECT key_id FROM master_keys").await, std::slice::from_ref(&last));
    all_open(&database, 150).await;
}

async fn two_rotations_at_once_lose_nothing(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    for at in 0..20 {
        store.create_integration(workspace.id, with_token(&format!("i{at}"), "token"), &me()).await.unwrap();
    }
    let mut tasks = Vec::new();
    for _ in 0..3 {
        let store = database.open().await;
        tasks.push(tokio::spawn(async move {
            for _ in 0..3 {
                // Where both finish one rotation, the later may find that the key is not current any more.
                assert!(["ok", "changed"].contains(&kind(store.rotate_master_key(&me()).await)));
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    all_open(&database, 20).await;
}

async fn all_open(database: &Database, count: usize) {
    let store = database.open().await;
    let workspace = store.workspace_by_name("default").await.unwrap();
    let page = callout_store::Page { limit: 1000, offset: 0 };
    let query = callout_store::ListQuery { page, ..Default::default() };
    let all = store.list_integrations(workspace.id, &query).await.unwrap().items;
    assert_eq!(all.len(), count);
    for one in all {
        let found = secret(&store, &one, SecretName::BearerToken).await.unwrap();
        assert!(found.starts_with("token"), "{found}");
    }
}

async fn rotation_killed_midway_is_finished_by_the_next(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    for at in 0..250 {
        store.create_integration(workspace.id, with_token(&format!("i{at}"), "token"), &me()).await.unwrap();
    }
    let mut unfinished = 0;
    for round in 0..15 {
        let mut child = Child::start("rotate", &database, &[]);
        assert!(child.wait_for("ready"));
        support::pause(Duration::from_millis(3 * round));
        child.kill();
        let keys = fs::read_to_string(database.key_file()).unwrap().lines().count();
        unfinished += usize::from(keys > 1);
        all_open(&database, 250).await;
        // This server heard of nothing and goes on.
        let one = store.integration_by_name(workspace.id, "i7").await.unwrap();
        assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("token"));
    }
    assert!(unfinished > 0, "no kill came between");
    store.rotate_master_key(&me()).await.unwrap();
    assert_eq!(fs::read_to_string(database.key_file()).unwrap().lines().count(), 1);
    all_open(&database, 250).await;
}

async fn a_key_in_a_variable_is_rotated_after_a_restart(database: Database) {
    let [one, two] = [1, 2].map(|byte| STANDARD.encode([byte; 32]));
    let first = format!("first:{one}");
    let both = format!("second:{two},first:{one}");
    let second = format!("second:{two}");
    for (keys, expected) in [
        (&first, "create"),
        (&first, "invalid"),
        (&both, "ok"),
        (&second, "master key"),
        (&both, "rotated"),
        (&first, "master key"),
        (&both, "rotated"),
        (&second, "ok"),
    ] {
        let child =
            Child::start("variable", &database, &[("CALLOUT_TEST_KEYS", keys), ("CALLOUT_TEST_EXPECTED", expected)]);
        assert!(child.succeeds(), "{keys} {expected}");
    }
}

async fn four_processes_open_a_new_database_at_once(database: Database) {
    let children: Vec<_> = (0..4).map(|_| Child::start("open", &database, &[])).collect();
    for child in children {
        assert!(child.succeeds());
    }
    assert_eq!(database.texts("SELECT name FROM workspaces").await, ["default"]);
    assert_eq!(fs::read_to_string(database.key_file()).unwrap().lines().count(), 1);
}

async fn a_secret_that_does_not_open_keeps_its_key(database: Database) {
    let store = database.open().await;
    let workspace = workspace(&store).await;
    let good = store.create_integration(workspace.id, with_token("aa", "token"), &me()).await.unwrap();
    let bad = store.create_integration(workspace.id, with_token("bb", "token"), &me()).await.unwrap();
    let damage = format!("UPDATE sealed_secrets SET version = 2 WHERE integration_id = '{}'", bad.id);
    database.execute(&damage).await.unwrap();
    assert_eq!(kind(store.rotate_master_key(&me()).await), "sealed");
    assert_eq!(fs::read_to_string(database.key_file()).unwrap().lines().count(), 2, "the old key stays");
    assert_eq!(secret(&database.open().await, &good, SecretName::BearerToken).await.as_deref(), Some("token"));
    store.delete_integration(workspace.id, bad.id, &me()).await.unwrap();
    store.rotate_master_key(&me()).await.unwrap();
    assert_eq!(fs::read_to_string(database.key_file()).unwrap().lines().count(), 1);
    assert_eq!(secret(&store, &good, SecretName::BearerToken).await.as_deref(), Some("token"));
}
