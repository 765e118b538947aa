//! Secrets in a store outside, on both databases: every point at which a change can fail or stop, what
//! recovery makes of it, changes at once, and stores that cannot be written.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails where something is not there"
)]

mod support;

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use callout_core::{
    config::{AuthConfig, AuthType},
    secret::{SecretName, SecretString, Secrets},
    secret_store::{SecretStore, SecretStoreError, SharedSecretStore},
};
use callout_store::{
    IntegrationChange, ListQuery, NewIntegration, SecretBackend, Store, StoreError, StoredIntegration, Workspace,
    secrets::{EnvironmentSecrets, MemorySecrets},
};
use support::{Database, TestClock, kind, me, plain, secret, shown, with_token, workspace};
use tokio::sync::Notify;

on_both! {
    a_change_that_stops_anywhere_is_finished_or_undone,
    a_change_that_fails_outside_is_undone_at_once,
    of_two_changes_at_once_one_wins,
    a_slow_change_that_was_taken_over_fails_whole,
    what_is_put_after_it_was_given_up_is_cleared_away,
    an_abandoned_change_stands_in_nobodys_way,
    a_store_outside_needs_no_master_key,
    what_cannot_be_written_says_so,
}

/// What goes wrong at a call to the store outside.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    /// The process stops before it.
    StopsBefore,
    /// The process stops after it.
    StopsAfter,
    /// It fails and does nothing.
    Fails,
    /// It is done, but its answer is lost.
    FailsAfter,
}

/// Memory with trouble at one of its writes, counted from 0.
#[derive(Clone)]
struct Troubled {
    inner: MemorySecrets,
    at: Option<(usize, Trouble)>,
    writes: Arc<AtomicUsize>,
    stopped: Arc<Notify>,
}

impl Troubled {
    fn new(inner: &MemorySecrets, at: Option<(usize, Trouble)>) -> Self {
        Self { inner: inner.clone(), at, writes: Arc::default(), stopped: Arc::default() }
    }

    fn next(&self) -> Option<Trouble> {
        let write = self.writes.fetch_add(1, Ordering::SeqCst);
        self.at.filter(|(at, _)| *at == write).map(|(_, trouble)| trouble)
    }

    async fn before(&self, trouble: Option<Trouble>) -> Result<(), SecretStoreError> {
        match trouble {
            Some(Trouble::StopsBefore) => self.stop().await,
            Some(Trouble::Fails) => Err(lost()),
            _ => Ok(()),
        }
    }

    async fn after(&self, trouble: Option<Trouble>) -> Result<(), SecretStoreError> {
        match trouble {
            Some(Trouble::StopsAfter) => self.stop().await,
            Some(Trouble::FailsAfter) => Err(lost()),
            _ => Ok(()),
        }
    }

    async fn stop(&self) -> Result<(), SecretStoreError> {
        self.stopped.notify_one();
        pending().await
    }
}

fn lost() -> SecretStoreError {
    SecretStoreError::Unavailable { message: "the secret store is gone".to_owned(), source: None }
}

impl SecretStore for Troubled {
    async fn put(&self, path: &str, value: &SecretString) -> Result<u64, SecretStoreError> {
        let trouble = self.next();
        self.before(trouble).await?;
        let version = SecretStore::put(&self.inner, path, value).await?;
        self.after(trouble).await.map(|()| version)
    }

    async fn get(&self, path: &str, version: u64) -> Result<SecretString, SecretStoreError> {
        SecretStore::get(&self.inner, path, version).await
    }

    async fn delete(&self, path: &str) -> Result<(), SecretStoreError> {
        let trouble = self.next();
        self.before(trouble).await?;
        SecretStore::delete(&self.inner, path).await?;
        self.after(trouble).await
    }
}

async fn open(database: &Database, clock: &TestClock, secrets: impl SecretStore) -> Store {
    let options = database.options_with(clock);
    Store::open(options.with_secrets(SecretBackend::External(SharedSecretStore::new(secrets)))).await.unwrap()
}

/// Two secrets, and a mark that config and secrets share.
fn marked(mark: &str) -> NewIntegration {
    let mut new = plain("github");
    let mut auth = AuthConfig::new(AuthType::OAuth2JwtBearer);
    auth.assertion_issuer = Some(mark.to_owned());
    new.config.display_name = String::from(mark);
    new.config.auth = Some(auth);
    new.secrets = Secrets::new().with(SecretName::PrivateKey, mark).with(SecretName::ClientSecret, mark);
    new
}

/// The changes that are tried; each begins with the integration marked `old`, or without one.
#[derive(Clone, Copy, Debug)]
enum Change {
    Create,
    Rotate,
    RotateOne,
    OtherType,
    NoAuth,
    Delete,
    DeleteWorkspace,
}

impl Change {
    const ALL: [Self; 7] = [
        Self::Create,
        Self::Rotate,
        Self::RotateOne,
        Self::OtherType,
        Self::NoAuth,
        Self::Delete,
        Self::DeleteWorkspace,
    ];

    async fn run(self, store: Store, workspace: Workspace) -> Result<(), StoreError> {
        let by = me();
        let old = store.integration_by_name(workspace.id, "github").await;
        let mut new = marked("new");
        match self {
            Self::Create => store.create_integration(workspace.id, new, &by).await.map(drop),
            Self::Delete => store.delete_integration(workspace.id, old?.id, &by).await,
            Self::DeleteWorkspace => store.delete_workspace(workspace.id, &by).await,
            Self::Rotate | Self::RotateOne | Self::OtherType | Self::NoAuth => {
                match self {
                    Self::RotateOne => new.secrets = Secrets::new().with(SecretName::PrivateKey, "new"),
                    Self::OtherType => {
                        new.config.auth = Some(AuthConfig::new(AuthType::BearerToken));
                        new.secrets = Secrets::new().with(SecretName::BearerToken, "new");
                    }
                    Self::NoAuth => (new.config.auth, new.secrets) = (None, Secrets::new()),
                    _ => {}
                }
                let change = IntegrationChange::new(new.config, new.secrets);
                store.update_integration(&old?, change, &by).await.map(drop)
            }
        }
    }
}

/// The integrations are wholly old or new, and the store outside holds what they name and no more.
async fn assert_whole(store: &Store, outside: &MemorySecrets, database: &Database, what: &str) -> Vec<String> {
    let mut marks = Vec::new();
    let mut named = Vec::new();
    for workspace in store.list_workspaces(callout_store::Page::default()).await.unwrap().items {
        for one in store.list_integrations(workspace.id, &ListQuery::default()).await.unwrap().items {
            let secrets = store.secrets(&one).await.unwrap_or_else(|error| panic!("{what}: {error}"));
            let mark = one.config.display_name.clone();
            for (name, _) in secrets.iter() {
                // A secret that its change did not give anew is the old one.
                let kept = mark == "new" && name == SecretName::ClientSecret && what.starts_with("RotateOne");
                assert_eq!(shown(&secrets, name).as_deref(), Some(if kept { "old" } else { &mark }), "{what}: {name}");
                named.push(format!("/dev/integration-secrets/{}/{}/{name}", workspace.id, one.id));
            }
            let needed = one.config.auth.as_ref().map(|auth| auth.kind.required_secret());
            assert!(needed.is_none_or(|name| secrets.get(name).is_some()), "{what}");
            marks.push(mark);
        }
    }
    named.sort_unstable();
    assert_eq!(outside.paths(), named, "{what}");
    assert!(database.texts("SELECT id FROM secret_intents").await.is_empty(), "{what}");
    marks
}

async fn begin(database: &Database, clock: &TestClock, outside: &MemorySecrets, change: Change) -> Workspace {
    let store = open(database, clock, outside.clone()).await;
    let name = format!("w{}", store.list_workspaces(callout_store::Page::default()).await.unwrap().total);
    let workspace = store.create_workspace(&name, &me()).await.unwrap();
    if !matches!(change, Change::Create) {
        store.create_integration(workspace.id, marked("old"), &me()).await.unwrap();
    }
    workspace
}

async fn a_change_that_stops_anywhere_is_finished_or_undone(database: Database) {
    let clock = TestClock::default();
    let mut stops = 0;
    for change in Change::ALL {
        for at in 0.. {
            let mut stopped_at_all = false;
            for trouble in [Trouble::StopsBefore, Trouble::StopsAfter] {
                let outside = MemorySecrets::new();
                let workspace = begin(&database, &clock, &outside, change).await;
                let what = format!("{change:?}, {trouble:?} {at}");
                let troubled = Troubled::new(&outside, Some((at, trouble)));
                let stopped = troubled.stopped.clone();
                let store = open(&database, &clock, troubled).await;
                let task = tokio::spawn(change.run(store, workspace.clone()));
                let is_stopped = tokio::select! {
                    () = stopped.notified() => true,
                    () = async { while !task.is_finished() { tokio::task::yield_now().await } } => false,
                };
                task.abort();
                let _ = task.await;
                stopped_at_all |= is_stopped;
                stops += usize::from(is_stopped);

                // Not taken for abandoned yet; whoever reads sees whole integrations already.
                let store = open(&database, &clock, outside.clone()).await;
                for one in store.list_integrations(workspace.id, &ListQuery::default()).await.unwrap().items {
                    store.secrets(&one).await.unwrap_or_else(|error| panic!("{what}: {error}"));
                }
                clock.advance(Duration::from_secs(61));
                store.recover().await.unwrap();
                let marks = assert_whole(&store, &outside, &database, &what).await;
                assert!(marks.len() <= 1, "{what}");
                // Another process finds nothing left to do, and the next change goes through.
                store.recover().await.unwrap();
                if !matches!(change, Change::DeleteWorkspace) {
                    let run = Change::Rotate;
                    let run = if marks.is_empty() { Change::Create } else { run };
                    run.run(store.clone(), workspace.clone()).await.unwrap();
                    assert_eq!(assert_whole(&store, &outside, &database, "after").await, ["new"], "{what}");
                    store.delete_workspace(workspace.id, &me()).await.unwrap();
                }
            }
            if !stopped_at_all {
                break;
            }
        }
    }
    // Two puts for create and rotate, one for one, one and two deletes for another type, two for none,
    // five for each deletion; each before and after.
    assert_eq!(stops, 2 * (2 + 2 + 1 + 3 + 2 + 5 + 5));
}

async fn a_change_that_fails_outside_is_undone_at_once(database: Database) {
    let clock = TestClock::default();
    for change in [Change::Create, Change::Rotate, Change::RotateOne, Change::OtherType] {
        for (at, trouble) in
            [(0, Trouble::Fails), (0, Trouble::FailsAfter), (1, Trouble::Fails), (1, Trouble::FailsAfter)]
        {
            let outside = MemorySecrets::new();
            let workspace = begin(&database, &clock, &outside, change).await;
            let store = open(&database, &clock, Troubled::new(&outside, Some((at, trouble)))).await;
            let what = format!("{change:?}, {trouble:?} {at}");
            let puts = if matches!(change, Change::Create | Change::Rotate) { 2 } else { 1 };
            let done = change.run(store.clone(), workspace.clone()).await;
            if at < puts {
                assert_eq!(kind(done), "unavailable", "{what}");
                if matches!(change, Change::Create) {
                    // Nothing is kept there: the database may be opened for another place.
                    assert!(database.texts("SELECT env FROM secret_home").await.is_empty(), "{what}");
                }
                let marks = assert_whole(&store, &outside, &database, &what).await;
                assert_eq!(marks, if matches!(change, Change::Create) { vec![] } else { vec!["old"] }, "{what}");
            } else {
                // It is done; what was to be deleted waits for recovery.
                assert_eq!(kind(done), "ok", "{what}");
                clock.advance(Duration::from_secs(61));
                store.recover().await.unwrap();
                assert_eq!(assert_whole(&store, &outside, &database, &what).await, ["new"], "{what}");
            }
            let store = open(&database, &clock, outside.clone()).await;
            store.delete_workspace(workspace.id, &me()).await.unwrap();
        }
    }
    // A change that the database refuses leaves nothing outside either.
    let outside = MemorySecrets::new();
    let workspace = begin(&database, &clock, &outside, Change::Rotate).await;
    let store = open(&database, &clock, outside.clone()).await;
    assert_eq!(kind(Change::Create.run(store.clone(), workspace.clone()).await), "name taken");
    let stale = store.integration_by_name(workspace.id, "github").await.unwrap();
    Change::Rotate.run(store.clone(), workspace.clone()).await.unwrap();
    let change = IntegrationChange::new(stale.config.clone(), marked("late").secrets);
    assert_eq!(kind(store.update_integration(&stale, change, &me()).await), "changed");
    assert_eq!(assert_whole(&store, &outside, &database, "late").await, ["new"]);
}

async fn of_two_changes_at_once_one_wins(database: Database) {
    let clock = TestClock::default();
    let outside = MemorySecrets::new();
    let workspace = begin(&database, &clock, &outside, Change::Rotate).await;
    let store = open(&database, &clock, outside.clone()).await;
    for _ in 0..10 {
        let current = store.integration_by_name(workspace.id, "github").await.unwrap();
        let at_once = |at: usize| {
            let (store, current) = (store.clone(), current.clone());
            let new = marked(&format!("mark {at}"));
            let change = IntegrationChange::new(new.config, new.secrets);
            tokio::spawn(async move { kind(store.update_integration(&current, change, &me()).await) })
        };
        let tasks: Vec<_> = (0..4).map(at_once).collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                "ok" => won += 1,
                other => assert_eq!(other, "changed"),
            }
        }
        assert_eq!(won, 1);
        assert_whole(&store, &outside, &database, "at once").await;
    }
}

/// Holds each put until it is let go.
#[derive(Clone)]
struct Slow(MemorySecrets, Arc<Notify>, Arc<Notify>);

impl SecretStore for Slow {
    async fn put(&self, path: &str, value: &SecretString) -> Result<u64, SecretStoreError> {
        self.1.notify_one();
        self.2.notified().await;
        SecretStore::put(&self.0, path, value).await
    }

    async fn get(&self, path: &str, version: u64) -> Result<SecretString, SecretStoreError> {
        SecretStore::get(&self.0, path, version).await
    }

    async fn delete(&self, path: &str) -> Result<(), SecretStoreError> {
        SecretStore::delete(&self.0, path).await
    }
}

async fn a_slow_change_that_was_taken_over_fails_whole(database: Database) {
    let outside = MemorySecrets::new();
    let slow = Slow(outside.clone(), Arc::default(), Arc::default());
    // Two clocks: this server's stands still while the other's goes on.
    let (clock, later) = (TestClock::default(), TestClock::default());
    later.advance(Duration::from_secs(61));
    let store = open(&database, &clock, slow.clone()).await;
    let workspace = workspace(&store).await;
    let other = open(&database, &later, outside.clone()).await;
    let task = tokio::spawn({
        let store = store.clone();
        async move { store.create_integration(workspace.id, with_token("github", "slow"), &me()).await }
    });
    slow.1.notified().await;
    other.recover().await.unwrap();
    assert!(database.texts("SELECT id FROM secret_intents").await.is_empty());
    slow.2.notify_one();
    assert_eq!(kind(task.await.unwrap()), "changed");
    assert_eq!(other.list_integrations(workspace.id, &ListQuery::default()).await.unwrap().total, 0);
    // What it put after all was its own to clear away.
    assert!(outside.paths().is_empty(), "{:?}", outside.paths());
}

async fn what_is_put_after_it_was_given_up_is_cleared_away(database: Database) {
    let clock = TestClock::default();
    let outside = MemorySecrets::new();
    let slow = Slow(outside.clone(), Arc::default(), Arc::default());
    let store = open(&database, &clock, slow.clone()).await;
    let workspace = workspace(&store).await;
    let task = tokio::spawn({
        let store = store.clone();
        async move { store.create_integration(workspace.id, with_token("github", "late"), &me()).await }
    });
    slow.1.notified().await;
    clock.advance(Duration::from_secs(31));
    assert_eq!(kind(task.await.unwrap()), "unavailable");
    // The store outside carries it out after all.
    let id = database.texts("SELECT integration_id FROM secret_intents").await.remove(0);
    let path = format!("/dev/integration-secrets/{}/{id}/{}", workspace.id, SecretName::BearerToken);
    SecretStore::put(&outside, &path, &SecretString::from("late".to_owned())).await.unwrap();
    store.recover().await.unwrap();
    assert_eq!(outside.paths(), [path], "its time is not over");
    clock.advance(Duration::from_secs(61));
    store.recover().await.unwrap();
    assert!(outside.paths().is_empty());
    assert!(database.texts("SELECT id FROM secret_intents").await.is_empty());
}

async fn an_abandoned_change_stands_in_nobodys_way(database: Database) {
    let clock = TestClock::default();
    let outside = MemorySecrets::new();
    let workspace = begin(&database, &clock, &outside, Change::Rotate).await;
    let troubled = Troubled::new(&outside, Some((0, Trouble::StopsAfter)));
    let stopped = troubled.stopped.clone();
    let task = tokio::spawn(Change::Rotate.run(open(&database, &clock, troubled).await, workspace.clone()));
    stopped.notified().await;
    task.abort();
    let store = open(&database, &clock, outside.clone()).await;
    // Changes without secrets go through, one with secrets is told that another is under way.
    let one = store.integration_by_name(workspace.id, "github").await.unwrap();
    let change = IntegrationChange::new(one.config.clone(), Secrets::new());
    store.update_integration(&one, change, &me()).await.unwrap();
    assert_eq!(kind(Change::Rotate.run(store.clone(), workspace.clone()).await), "changed");
    clock.advance(Duration::from_secs(61));
    Change::Rotate.run(store.clone(), workspace.clone()).await.unwrap();
    assert_eq!(assert_whole(&store, &outside, &database, "taken over").await, ["new"]);

    // A store outside that answers nothing is given up.
    let slow = Slow(outside.clone(), Arc::default(), Arc::default());
    let store = open(&database, &clock, slow.clone()).await;
    let task = tokio::spawn(Change::Rotate.run(store, workspace));
    slow.1.notified().await;
    clock.advance(Duration::from_secs(31));
    assert_eq!(kind(task.await.unwrap()), "unavailable");
}

async fn a_store_outside_needs_no_master_key(database: Database) {
    let outside = MemorySecrets::new();
    let store = database.open_outside(outside.clone()).await;
    let workspace = workspace(&store).await;
    let one = store.create_integration(workspace.id, with_token("github", "sesame"), &me()).await.unwrap();
    assert_eq!(secret(&store, &one, SecretName::BearerToken).await.as_deref(), Some("sesame"));
    assert!(!database.key_file().exists());
    assert!(database.texts("SELECT path FROM sealed_secrets").await.is_empty());
    assert_eq!(kind(store.rotate_master_key(&me()).await), "invalid");
    assert!(!format!("{outside:?}{store:?}").contains("sesame"));
    SecretStore::delete(&outside, &outside.paths()[0]).await.unwrap();
    assert_eq!(kind(store.secrets(&one).await), "sealed");
}

async fn what_cannot_be_written_says_so(database: Database) {
    let outside = MemorySecrets::new();
    let store = database.open_outside(outside.clone()).await;
    let workspace = workspace(&store).await;
    let one: StoredIntegration =
        store.create_integration(workspace.id, with_token("github", "t"), &me()).await.unwrap();
    let variable = EnvironmentSecrets::variable(&outside.paths()[0]);
    let variables = [(variable.clone(), "from outside".to_owned()), ("HOME".to_owned(), "sesame".to_owned())];
    let environment = EnvironmentSecrets::from_variables(variables);
    assert!(!format!("{environment:?}").contains("from outside") && !format!("{environment:?}").contains("HOME"));
    let reading = database.open_outside(environment).await;
    assert_eq!(secret(&reading, &one, SecretName::BearerToken).await.as_deref(), Some("from outside"));
    let change = IntegrationChange::new(one.config.clone(), with_token("github", "t").secrets);
    let error = reading.update_integration(&one, change, &me()).await.unwrap_err();
    assert!(matches!(&error, StoreError::ReadOnlySecrets(why) if why.contains(&variable)), "{error}");
    assert_eq!(kind(reading.create_integration(workspace.id, with_token("gitlab", "t"), &me()).await), "read-only");
    reading.create_integration(workspace.id, plain("plain"), &me()).await.unwrap();
    assert!(database.texts("SELECT id FROM secret_intents").await.is_empty());
    // Without its variable it is told, not guessed.
    let empty = database.open_outside(EnvironmentSecrets::from_variables([])).await;
    assert_eq!(kind(empty.secrets(&one).await), "sealed");
    reading.delete_integration(workspace.id, one.id, &me()).await.unwrap();
}
