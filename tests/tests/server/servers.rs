//! Several servers before one database: what one changes, all see.
//!
//! On PostgreSQL where `CALLOUT_TEST_POSTGRES` holds the URL of a server on which databases may be made,
//! with the value `required` it must; elsewhere that half is left out, and says so.

use callout::Clock as _;
use callout_server::ServerOptions;
use callout_store::MasterKeySource;
use callout_tests::{Recorded, Reply, Upstream};
use sqlx::{Connection, PgConnection};

use super::{Server, integration};

async fn follow(one: &Server, two: &Server) {
    let upstream = Upstream::with(|request: &Recorded| {
        Reply::json(200, format!(r#"{{"a":{}}}"#, request.header("x-key").unwrap_or_default().len()))
    })
    .await;
    let id = one.create(&integration("shop", &upstream.url())).await;
    let test = two.path(&format!("/integrations/{id}/endpoints/go/test"));
    let params = Some(r#"{"params":{"id":1}}"#);
    let tested = async || two.ask_as(Some(&one.owner), "POST", &test, params).await.expect(200).text_at("final_result");
    assert_eq!(tested().await, "x is 18");
    let rotated = r#"{"auth":{"api_key_value":{"value":"sk-new"}}}"#;
    one.ask("PATCH", &format!("/integrations/{id}"), Some(rotated)).await.expect(200);
    assert_eq!(tested().await, "x is 6", "the other server uses the new secret at once");
    one.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
    two.ask_as(Some(&one.owner), "POST", &test, params).await.expect(404);
}

#[tokio::test]
async fn two_servers_on_one_file() {
    let one = Server::start().await;
    let database = one.folder().join("callout.db").display().to_string();
    let two = Server::on(&database, |store| store, ServerOptions::default()).await;
    assert!(two.operator.is_empty(), "the operator's key is made once");
    follow(&one, &two).await;
}

#[tokio::test]
async fn two_servers_on_one_postgres() {
    let Some(database) = Postgres::make().await else { return };
    let (url, folder) = (database.url(), tempfile::tempdir().unwrap());
    let start = || {
        let key = MasterKeySource::File(folder.path().join("master.key"));
        Server::on(&url, |store| store.with_master_key(key), ServerOptions::default())
    };
    let (mut one, mut two) = (start().await, start().await);
    assert!(!one.operator.is_empty() && two.operator.is_empty(), "the operator's key is made once");
    follow(&one, &two).await;
    for server in [&mut one, &mut two] {
        server.stop().await;
        server.store.close().await;
    }
    database.drop_it().await;
}

/// Two servers on one file, and an integration that one of them has made.
#[cfg(unix)]
async fn on_one_file() -> (Server, Server, Upstream, String) {
    let one = Server::start().await;
    let upstream = Upstream::with(|_: &Recorded| Reply::json(200, r#"{"a":1}"#)).await;
    let id = one.create(&integration("shop", &upstream.url())).await;
    let database = one.folder().join("callout.db").display().to_string();
    let two = Server::on(&database, |store| store, ServerOptions::default()).await;
    (one, two, upstream, id)
}

/// A log that is as it was tells that nothing was committed, and calls do not ask.
#[cfg(unix)]
#[tokio::test]
async fn a_change_is_seen_though_the_log_has_told_of_none_for_long() {
    let (one, two, _upstream, id) = on_one_file().await;
    let test = two.path(&format!("/integrations/{id}/endpoints/go/test"));
    let answered = async || {
        let tested = two.ask_as(Some(&one.owner), "POST", &test, Some(r#"{"params":{"id":1}}"#)).await;
        tested.expect(200).text_at("final_result")
    };
    for at in 0..2 {
        assert_eq!(two.store.change_stamp(), None);
        two.clock.advance(std::time::Duration::from_secs(2));
        assert!(two.store.change_stamp().is_some());
        // The second time by what the first has seen.
        assert_eq!(answered().await, answered().await);
        let change =
            format!(r#"{{"endpoints":[{{"name":"go","description":"","path":"/go","result_template":"now {at}"}}]}}"#);
        one.ask("PATCH", &format!("/integrations/{id}"), Some(&change)).await.expect(200);
        assert_eq!(answered().await, format!("now {at}"));
    }
}

/// Closed, the store answers nobody: only who does not ask it goes on.
#[cfg(unix)]
#[tokio::test]
async fn calls_do_not_ask_while_the_log_tells_of_no_commit() {
    let (one, two, _upstream, id) = on_one_file().await;
    let test = two.path(&format!("/integrations/{id}/endpoints/go/test"));
    let asked = async || two.ask_as(Some(&one.owner), "POST", &test, Some(r#"{"params":{"id":1}}"#)).await;
    asked().await.expect(200);
    assert_eq!(two.store.change_stamp(), None);
    two.clock.advance(std::time::Duration::from_secs(2));
    asked().await.expect(200);
    // That the file is gone is told to who asks.
    let (file, away) = (one.folder().join("callout.db"), one.folder().join("away.db"));
    std::fs::rename(&file, &away).unwrap();
    asked().await.expect(200);
    two.clock.advance(std::time::Duration::from_secs(2));
    asked().await.expect(503);
    std::fs::rename(&away, &file).unwrap();
    let known_since = two.clock.now();
    asked().await.expect(200);
    two.store.close().await;
    let answer = asked().await;
    // Beside other load it may take longer to close than what was seen is known.
    if two.clock.now() - known_since < std::time::Duration::from_millis(500) {
        answer.expect(200);
    }
    two.clock.advance(std::time::Duration::from_secs(2));
    asked().await.expect(503);
}

/// A database of one test.
struct Postgres {
    server: String,
    name: String,
}

impl Postgres {
    async fn make() -> Option<Self> {
        let Ok(server) = std::env::var("CALLOUT_TEST_POSTGRES") else {
            eprintln!("not run on PostgreSQL: CALLOUT_TEST_POSTGRES holds no URL");
            return None;
        };
        let name = format!("callout_test_servers_{}", std::process::id());
        run(&server, format!("CREATE DATABASE {name} TEMPLATE template0")).await;
        Some(Self { server, name })
    }

    fn url(&self) -> String {
        let (server, _) = self.server.rsplit_once('/').unwrap();
        format!("{server}/{}", self.name)
    }

    async fn drop_it(self) {
        run(&self.server, format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn run(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
