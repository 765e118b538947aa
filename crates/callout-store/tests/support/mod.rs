//! One suite on both databases: [`on_both!`] makes a test of each body for SQLite and for PostgreSQL.
//!
//! The PostgreSQL half runs where `CALLOUT_TEST_POSTGRES` holds the URL of a server on which it may
//! make databases; each test makes one of its own and drops it. Without the variable it says so and
//! passes. If the URL is there but the server cannot be reached, it fails; with the value `required`
//! it fails too, for places where the half must not be left out by mistake.
#![expect(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::{
    future::Future,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use callout_core::{
    config::{AuthConfig, AuthType, IntegrationConfig},
    secret::{ExposeSecret, SecretName, Secrets},
    time::{Clock, Rng, SharedClock, SharedRng},
};
use callout_store::{
    Actor, MasterKeySource, NewIntegration, SecretBackend, Store, StoreError, StoreOptions, StoredIntegration,
    Workspace,
};
use sqlx::{
    ConnectOptions, Connection, PgConnection, SqliteConnection,
    postgres::{PgConnectOptions, PgSslMode},
};
use tempfile::TempDir;

/// Makes `sqlite::NAME` and `postgres::NAME` of each `async fn NAME(database: Database)`.
#[macro_export]
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(
                #[test]
                fn $name() {
                    $crate::support::run($crate::support::Database::sqlite(), super::$name);
                }
            )*
        }
        mod postgres {
            $(
                #[test]
                fn $name() {
                    if let Some(database) = $crate::support::Database::postgres() {
                        $crate::support::run(database, super::$name);
                    }
                }
            )*
        }
    };
}

/// Runs a test on a runtime of its own and drops its database, within four minutes.
pub fn run<F: Future<Output = ()>>(database: Database, test: impl FnOnce(Database) -> F) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_mins(4), test(database)).await.expect("the test ends in time");
    });
}

/// A database of one test, dropped with it.
#[derive(Clone)]
pub struct Database(Arc<Kind>);

enum Kind {
    /// Another process's, which drops it.
    Parents {
        url: String,
        folder: PathBuf,
    },
    Sqlite(TempDir),
    Postgres {
        server: String,
        name: String,
        folder: TempDir,
    },
}

impl Database {
    pub fn sqlite() -> Self {
        Self(Arc::new(Kind::Sqlite(tempfile::tempdir().unwrap())))
    }

    /// `None`, with a word why, where there is no PostgreSQL to test on.
    pub fn postgres() -> Option<Self> {
        Self::postgres_with("")
    }

    /// As [`Database::postgres`], made with these options.
    pub fn postgres_with(options: &str) -> Option<Self> {
        let server = match std::env::var("CALLOUT_TEST_POSTGRES") {
            Ok(server) if server == "required" => panic!("CALLOUT_TEST_POSTGRES must hold a URL here"),
            Ok(server) => server,
            Err(_) => {
                eprintln!("not run on PostgreSQL: CALLOUT_TEST_POSTGRES holds no URL");
                return None;
            }
        };
        let mut chance = [0; 8];
        SystemRng.fill(&mut chance);
        let name = format!("callout_test_{:x}", u64::from_le_bytes(chance));
        outside_of_runtime(admin(&server, format!("CREATE DATABASE {name} TEMPLATE template0 {options}")));
        Some(Self(Arc::new(Kind::Postgres { server, name, folder: tempfile::tempdir().unwrap() })))
    }

    pub fn is_postgres(&self) -> bool {
        self.url().starts_with("postgres")
    }

    /// A folder of its own.
    pub fn folder(&self) -> &Path {
        match &*self.0 {
            Kind::Sqlite(folder) | Kind::Postgres { folder, .. } => folder.path(),
            Kind::Parents { folder, .. } => folder,
        }
    }

    pub fn url(&self) -> String {
        match &*self.0 {
            Kind::Sqlite(folder) => folder.path().join("callout.db").display().to_string(),
            Kind::Parents { url, .. } => url.clone(),
            Kind::Postgres { server, name, .. } => on_database(server, name),
        }
    }

    pub fn key_file(&self) -> PathBuf {
        self.folder().join("master.key")
    }

    pub fn options(&self) -> StoreOptions {
        self.options_with(&TestClock::default())
    }

    pub fn options_with(&self, clock: &TestClock) -> StoreOptions {
        let clock = SharedClock::new(clock.clone());
        StoreOptions::new(self.url().parse().unwrap(), clock, SharedRng::new(SystemRng))
            .with_master_key(MasterKeySource::File(self.key_file()))
            .with_max_connections(4)
    }

    pub async fn open(&self) -> Store {
        Store::open(self.options()).await.unwrap()
    }

    pub async fn open_with(&self, clock: &TestClock) -> Store {
        Store::open(self.options_with(clock)).await.unwrap()
    }

    pub async fn open_outside(&self, secrets: impl callout_core::secret_store::SecretStore) -> Store {
        let secrets = callout_core::secret_store::SharedSecretStore::new(secrets);
        Store::open(self.options().with_secrets(SecretBackend::External(secrets))).await.unwrap()
    }

    /// Runs a statement past the store; the rows that it changed, or why not.
    pub async fn execute(&self, statement: &str) -> Result<u64, String> {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        if self.is_postgres() {
            let mut on = postgres(&self.url()).await;
            sqlx::query(statement).execute(&mut on).await.map(|done| done.rows_affected())
        } else {
            let mut on = SqliteConnection::connect(&format!("sqlite://{}", self.url())).await.unwrap();
            sqlx::query(statement).execute(&mut on).await.map(|done| done.rows_affected())
        }
        .map_err(|error| error.to_string())
    }

    /// The first column of what a query finds, as text.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = sqlx::AssertSqlSafe(query.to_owned());
        let rows: Vec<(String,)> = if self.is_postgres() {
            let mut on = postgres(&self.url()).await;
            sqlx::query_as(query).fetch_all(&mut on).await.unwrap()
        } else {
            let mut on = SqliteConnection::connect(&format!("sqlite://{}", self.url())).await.unwrap();
            sqlx::query_as(query).fetch_all(&mut on).await.unwrap()
        };
        rows.into_iter().map(|(text,)| text).collect()
    }
}

impl Database {
    /// A column of the sealed secrets in hexadecimal digits, in lower case.
    pub async fn hex(&self, column: &str, condition: &str) -> String {
        let hex = if self.is_postgres() { format!("encode({column}, 'hex')") } else { format!("lower(hex({column}))") };
        self.texts(&format!("SELECT {hex} FROM sealed_secrets {condition}")).await.remove(0)
    }

    /// Every row of every table, to be compared.
    pub async fn dump(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for (table, columns) in [
            ("workspaces", "id || name"),
            ("integrations", "id || name || config || secret_versions || revision"),
            ("sealed_secrets", "path || version || key_id || {nonce} || {ciphertext}"),
            ("master_keys", "key_id || {nonce} || {ciphertext} || current"),
            ("api_keys", "id || role"),
            ("audit", "id || action || target"),
            ("secret_intents", "integration_id || id"),
        ] {
            let (nonce, ciphertext) = if self.is_postgres() {
                ("encode(nonce, 'hex')", "encode(ciphertext, 'hex')")
            } else {
                ("hex(nonce)", "hex(ciphertext)")
            };
            let columns = columns.replace("{nonce}", nonce).replace("{ciphertext}", ciphertext);
            rows.extend(self.texts(&format!("SELECT '{table} ' || {columns} FROM {table} ORDER BY 1")).await);
        }
        rows
    }

    /// The database that the parent of this process hands it, if this is a [`Child`].
    pub fn of_parent(role: &str) -> Option<Self> {
        let read = |name: &str| std::env::var(name).ok();
        if read("CALLOUT_TEST_CHILD")? != role {
            return None;
        }
        let (url, folder) = (read("CALLOUT_TEST_CHILD_URL")?, read("CALLOUT_TEST_CHILD_FOLDER")?.into());
        Some(Self(Arc::new(Kind::Parents { url, folder })))
    }
}

/// Another process of this very test program, which runs the test `child` as that role. Killed when
/// dropped.
pub struct Child(std::process::Child);

impl Child {
    pub fn start(role: &str, database: &Database, variables: &[(&str, &str)]) -> Self {
        let command = std::process::Command::new(std::env::current_exe().unwrap());
        Self::start_as(command, role, database, variables)
    }

    /// Through a shell that runs `script` with the program and its arguments as `$0` and `$@`.
    pub fn start_in_shell(script: &str, role: &str, database: &Database) -> Self {
        let mut command = std::process::Command::new("bash");
        command.arg("-c").arg(script).arg(std::env::current_exe().unwrap());
        Self::start_as(command, role, database, &[])
    }

    fn start_as(
        mut command: std::process::Command,
        role: &str,
        database: &Database,
        variables: &[(&str, &str)],
    ) -> Self {
        let command = command
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env("CALLOUT_TEST_CHILD", role)
            .env("CALLOUT_TEST_CHILD_URL", database.url())
            .env("CALLOUT_TEST_CHILD_FOLDER", database.folder())
            .envs(variables.iter().copied())
            .stdout(std::process::Stdio::piped());
        Self(command.spawn().unwrap())
    }

    /// Waits until it prints that line, or ends.
    pub fn wait_for(&mut self, line: &str) -> bool {
        use std::io::BufRead;
        let lines = std::io::BufReader::new(self.0.stdout.as_mut().unwrap()).lines();
        lines.map_while(Result::ok).any(|found| found.ends_with(line))
    }

    /// Kill -9.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits for its end; whether its test passed.
    pub fn succeeds(mut self) -> bool {
        // All that it prints, so that it never waits for a reader.
        let _ = std::io::copy(self.0.stdout.as_mut().unwrap(), &mut std::io::sink());
        self.0.wait().unwrap().success()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Kind {
    fn drop(&mut self) {
        if let Self::Postgres { server, name, .. } = self {
            outside_of_runtime(admin(server, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")));
        }
    }
}

/// Past the store, and without TLS, whose handshakes would be most of what these tests do.
async fn postgres(url: &str) -> PgConnection {
    let options: PgConnectOptions = url.parse().expect("a URL of PostgreSQL");
    let on = options.ssl_mode(PgSslMode::Disable).connect().await;
    on.expect("the server of CALLOUT_TEST_POSTGRES can be reached")
}

fn on_database(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, String::new()), |(a, q)| (a, format!("?{q}")));
    let scheme_end = address.find("://").map_or(0, |at| at + 3);
    let host_end = address[scheme_end..].find('/').map_or(address.len(), |at| scheme_end + at);
    format!("{}/{name}{query}", &address[..host_end])
}

fn admin(server: &str, statement: String) -> impl Future<Output = ()> + Send + 'static {
    let server = server.to_owned();
    async move {
        let mut on = postgres(&server).await;
        sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut on).await.expect("it lets databases be made");
    }
}

/// Also where a runtime runs already.
fn outside_of_runtime(work: impl Future<Output = ()> + Send + 'static) {
    let thread = std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    });
    thread.join().unwrap();
}

/// The system's time, and what a test adds to it. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct TestClock(Arc<Mutex<Duration>>);

impl TestClock {
    pub fn advance(&self, by: Duration) {
        *self.0.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    #[expect(clippy::disallowed_methods, reason = "this is the system's side of the seam")]
    fn now(&self) -> Instant {
        Instant::now() + *self.0.lock().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the system's side of the seam")]
    fn unix(&self) -> Duration {
        SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + *self.0.lock().unwrap()
    }

    #[expect(clippy::disallowed_methods, reason = "this is the system's side of the seam")]
    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }

    async fn until(&self, moment: Instant) {
        loop {
            let left = moment.saturating_duration_since(Clock::now(self));
            if left.is_zero() {
                return;
            }
            self.sleep(left.min(Duration::from_millis(20))).await;
        }
    }
}

/// The system's chance.
pub struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, buffer: &mut [u8]) {
        getrandom::fill(buffer).unwrap();
    }
}

/// Lets another process go on for so long.
#[expect(clippy::disallowed_methods, reason = "another process does not hear of a test's clock")]
pub fn pause(pause: Duration) {
    std::thread::sleep(pause);
}

pub fn me() -> Actor {
    Actor::new("test")
}

pub async fn workspace(store: &Store) -> Workspace {
    store.create_workspace("default", &me()).await.unwrap()
}

/// Without auth.
pub fn plain(name: &str) -> NewIntegration {
    NewIntegration {
        config: IntegrationConfig::new(name, "https://api.example"),
        secrets: Secrets::new(),
        builtin: false,
    }
}

/// With a bearer token.
pub fn with_token(name: &str, token: &str) -> NewIntegration {
    let config = IntegrationConfig::new(name, "https://api.example").with_auth(AuthConfig::new(AuthType::BearerToken));
    NewIntegration { config, secrets: Secrets::new().with(SecretName::BearerToken, token), builtin: false }
}

pub async fn secret(store: &Store, integration: &StoredIntegration, name: SecretName) -> Option<String> {
    shown(&store.secrets(integration).await.unwrap(), name)
}

pub fn shown(secrets: &Secrets, name: SecretName) -> Option<String> {
    secrets.get(name).map(|value| value.expose_secret().to_owned())
}

/// Which error it is, in one word.
pub fn kind<T>(result: Result<T, StoreError>) -> &'static str {
    match result {
        Ok(_) => "ok",
        Err(StoreError::NotFound(_)) => "not found",
        Err(StoreError::NameTaken(_)) => "name taken",
        Err(StoreError::Builtin) => "builtin",
        Err(StoreError::Changed) => "changed",
        Err(StoreError::MasterKey(_)) => "master key",
        Err(StoreError::Sealed { .. }) => "sealed",
        Err(StoreError::ReadOnlySecrets(_)) => "read-only",
        Err(StoreError::Unavailable { .. }) => "unavailable",
        Err(StoreError::Damaged(_)) => "damaged",
        Err(StoreError::Invalid(_)) => "invalid",
        Err(_) => "other",
    }
}
