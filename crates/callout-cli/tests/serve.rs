//! `callout serve` and what looks after its database: the printed lines work as they stand, keys open
//! what they say, nothing is overwritten.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where something is not there")]
#![expect(clippy::disallowed_methods, reason = "the program runs on the real time")]

use std::{
    env,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use callout::Json;
use tempfile::TempDir;

/// A running `callout serve`, ended with the test.
struct Serving {
    child: Child,
    /// What it printed up to its last line.
    greeting: String,
}

impl Serving {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_callout")), folder, arguments)
    }

    /// Which may have so many files open, and so many if it asks for more.
    fn with_files(folder: &Path, files: u32, most: u32) -> Self {
        let mut shell = Command::new("sh");
        let limited = format!("ulimit -S -n {files}; ulimit -H -n {most}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited, env!("CARGO_BIN_EXE_callout")]);
        Self::run(shell, folder, &[])
    }

    fn run(mut program: Command, folder: &Path, arguments: &[&str]) -> Self {
        let mut child = program
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(arguments)
            .current_dir(folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut greeting = String::new();
        while !greeting.contains("-X DELETE") {
            greeting.push_str(&lines.next().expect("it greets").unwrap());
            greeting.push('\n');
        }
        Self { child, greeting }
    }

    /// The word behind that label of the greeting.
    fn word(&self, label: &str) -> String {
        let line = self.greeting.lines().find(|line| line.trim_start().starts_with(label)).unwrap();
        line.trim_start()[label.len()..].split_whitespace().next().unwrap().to_owned()
    }

    fn address(&self) -> String {
        self.word("Callout serves http://")
    }

    /// The key that was printed, if one was.
    fn key(&self) -> Option<String> {
        self.greeting.lines().map(str::trim).find(|line| line.starts_with("callout_")).map(str::to_owned)
    }

    /// Asks for a path with that key and gives status and body.
    fn get(&self, path: &str, key: &str) -> (u16, String) {
        self.ask("GET", path, key, "")
    }

    /// As [`Serving::get`], in that method and with a body.
    fn ask(&self, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\nconnection: close");
        write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// As an operator stops it; what it wrote to standard error.
    fn stop(mut self) -> String {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        assert!(self.child.wait().unwrap().success(), "it ends well");
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn callout(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_callout")).args(arguments).current_dir(folder).output().unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap().trim().to_owned()
}

fn err(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Without curl it is skipped, or fails with `CALLOUT_TEST_PROGRAMS=required`.
#[test]
fn the_printed_lines_of_the_demo_work_as_they_stand() {
    if Command::new("curl").arg("--version").output().is_err() {
        assert!(env::var_os("CALLOUT_TEST_PROGRAMS").is_none_or(|value| value != "required"), "no curl");
        eprintln!("skipped: there is no curl here");
        return;
    }
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--demo"]);
    let lines = serving.greeting.split_once("Try it").unwrap().1;
    let ran = Command::new("sh").arg("-c").arg(lines).output().unwrap();
    let shown = String::from_utf8(ran.stdout).unwrap();
    let answers: Vec<&str> = shown.lines().collect();
    assert_eq!(answers[0].len(), 36, "an id: {shown}");
    let tested = Json::parse(answers[1]).unwrap();
    for (stage, value) in [
        ("status_code", "200"),
        ("after_filter", r#"{"name":"bug","description":"Something isn't working","color":"f29513"}"#),
        ("after_mapping", r#"{"label":"bug","text":"Something isn't working"}"#),
        ("final_result", r#""bug: Something isn't working""#),
        ("error", "null"),
    ] {
        assert_eq!(tested.get(stage).unwrap().to_string(), value, "{stage}");
    }
    assert!(answers[2].contains(r#""text":"bug: Something isn't working""#), "{}", answers[2]);
    assert!(answers[3].contains(r#""status":"healthy""#), "{}", answers[3]);
    assert!(answers[4].contains(r#""total":1"#) && answers[5].contains(answers[0]), "{shown}");
    assert!(answers[6].contains("204"), "{}", answers[6]);
    assert!(!shown.contains("tour-secret"), "{shown}");
    serving.stop();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "a demo leaves nothing behind");
}

#[test]
fn a_first_start_makes_what_is_missing_and_a_second_changes_nothing() {
    let folder = folder();
    let first = Serving::start(folder.path(), &[]);
    let key = first.key().expect("the operator's key is shown");
    let workspace = first.word("workspace");
    let path = format!("/v1/{workspace}/integrations");
    assert_eq!(first.get(&path, &key).0, 200);
    let log = first.stop();
    assert!(log.contains("request") && !log.contains(&key), "{log}");
    for file in ["callout.db", "callout.db.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }

    let second = Serving::start(folder.path(), &["--log", "json"]);
    assert_eq!(second.key(), None, "a key is shown once");
    // What is advised works as it stands.
    let advice = second.greeting.lines().map(str::trim).find(|line| line.starts_with("callout keys create")).unwrap();
    let words: Vec<&str> = advice.split(' ').skip(1).collect();
    assert!(out(&callout(folder.path(), &words)).starts_with("callout_"), "{advice}");
    assert_eq!(second.word("workspace"), workspace);
    assert_eq!(second.get(&path, &key).0, 200, "the key stays good");
    let replaced = out(&callout(folder.path(), &["keys", "replace-operator"]));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!((second.get(&path, &key).0, second.get(&path, &replaced).0), (401, 200), "the old one is revoked");
    let log = second.stop();
    let line = log.lines().find(|line| line.contains("request_id")).unwrap();
    assert_eq!(Json::parse(line).unwrap().get("http.response.status_code"), Some(&Json::from(200)));

    std::fs::rename(folder.path().join("callout.db.key"), folder.path().join("kept")).unwrap();
    let before = std::fs::read(folder.path().join("callout.db")).unwrap();
    let refused = callout(folder.path(), &["serve", "--listen", "127.0.0.1:0"]);
    assert!(err(&refused).contains("callout.db.key"), "{refused:?}");
    assert!(!folder.path().join("callout.db.key").exists(), "no second key is made over a sealed database");
    assert_eq!(std::fs::read(folder.path().join("callout.db")).unwrap(), before);
}

#[test]
fn the_log_says_whose_call_it_was_and_which_request_the_store_failed() {
    let folder = folder();
    let serving = Serving::start(folder.path(), &["--log", "json"]);
    let (key, workspace) = (serving.key().unwrap(), serving.word("workspace"));
    let path = format!("/v1/{workspace}/integrations");
    let shop = r#"{"name":"shop","display_name":"Shop","base_url":"http://10.0.0.1",
        "endpoints":[{"name":"go","description":"Goes","method":"GET","path":"/"}]}"#;
    let (status, made) = serving.ask("POST", &path, &key, shop);
    assert_eq!(status, 201, "{made}");
    let made = Json::parse(&made).unwrap();
    let id = made.get("id").and_then(Json::as_str).unwrap();
    for (call, status) in [("go/execute", 200), ("go/test", 200), ("sk-live-1/execute", 404)] {
        let path = format!("{path}/{id}/endpoints/{call}");
        assert_eq!(serving.ask("POST", &path, &key, r#"{"params":{"who":"sk-live-2"}}"#).0, status);
    }
    let (database, away) = (folder.path().join("callout.db"), folder.path().join("away.db"));
    std::fs::rename(&database, &away).unwrap();
    let (status, refused) = serving.get(&path, &key);
    assert_eq!(status, 503, "{refused}");
    std::fs::rename(&away, &database).unwrap();

    let log = serving.stop();
    assert!(!log.contains("sk-live"), "names and codes alone: {log}");
    let lines: Vec<Json> = log.lines().filter_map(|line| Json::parse(line).ok()).collect();
    let text = |line: &Json, field: &str| line.get(field).and_then(Json::as_str).map(str::to_owned);
    let those = |message: &str| {
        lines.iter().filter(|line| text(line, "message").as_deref() == Some(message)).collect::<Vec<_>>()
    };
    let calls = those("call");
    assert_eq!(calls.len(), 3, "{log}");
    for (line, (kind, endpoint, error)) in calls.into_iter().zip([
        ("execute", Some("go"), "egress_denied"),
        ("test", Some("go"), "egress_denied"),
        ("execute", None, "unknown_endpoint"),
    ]) {
        for (field, value) in [
            ("kind", Some(kind)),
            ("workspace_id", Some(&*workspace)),
            ("integration_id", Some(id)),
            ("integration", Some("shop")),
            ("endpoint", endpoint),
            ("error", Some(error)),
        ] {
            assert_eq!(text(line, field).as_deref(), value, "{field} of {line}");
        }
        let asked = text(line, "request_id");
        assert!(asked.is_some() && those("request").iter().any(|line| text(line, "request_id") == asked), "{log}");
    }
    let (failed, refused) = (those("the store cannot be reached"), Json::parse(&refused).unwrap());
    assert_eq!(failed.len(), 1, "{log}");
    assert_eq!(text(failed[0], "request_id"), text(&refused, "request_id"));
}

#[test]
fn idle_connections_leave_files_for_calls() {
    let folder = folder();
    let serving = Serving::with_files(folder.path(), 100, 264);
    let (key, path) = (serving.key().unwrap(), format!("/v1/{}/integrations", serving.word("workspace")));
    let connect = |count: usize| -> Vec<TcpStream> {
        (0..count).map(|_| TcpStream::connect(serving.address()).unwrap()).collect()
    };
    let idle = connect(99);
    assert_eq!(serving.get(&path, &key).0, 200, "it has had its limit raised");
    let waiting = connect(160);
    std::thread::sleep(Duration::from_millis(500));
    drop((idle, waiting));
    assert_eq!(serving.get(&path, &key).0, 200);
    let log = serving.stop();
    assert!(log.contains("it serves 100"), "{log}");
    assert!(!log.contains("no connection can be accepted"), "{log}");
}

#[test]
fn an_import_is_as_large_as_a_server_takes_it_at_most() {
    let folder = folder();
    let at = folder.path();
    out(&callout(at, &["workspaces", "create", "shop"]));
    let schema = format!(r#"{{"type":"object","description":"{}"}}"#, "x".repeat(61_000));
    let endpoint = |at: usize| {
        format!(r#"{{"name":"e{at}","description":"d","method":"GET","path":"/","input_schema":{schema}}}"#)
    };
    for (name, count) in [("large", 17), ("larger", 18)] {
        let endpoints: Vec<_> = (0..count).map(endpoint).collect();
        let endpoints = endpoints.join(",");
        let text = format!(
            r#"{{"name":"{name}","display_name":"N","base_url":"https://api.example","endpoints":[{endpoints}]}}"#
        );
        std::fs::write(at.join(format!("{name}.json")), text).unwrap();
    }
    out(&callout(at, &["integrations", "import", "large.json", "--workspace", "shop"]));
    let import = ["integrations", "import", "larger.json", "--workspace", "shop", "--builtin"];
    for import in [&import[..], &import[..5]] {
        let refused = err(&callout(at, import));
        assert!(refused.contains("larger.json: must have at most 1048576 bytes"), "{refused}");
    }
}

#[test]
fn a_key_that_nobody_is_shown_is_an_error() {
    let folder = folder();
    out(&callout(folder.path(), &["workspaces", "create", "shop"]));
    for (arguments, code) in [
        (&["keys", "create", "--workspace", "shop"][..], 2),
        (&["keys", "create", "--workspace", "shop", "--json"], 2),
        (&["keys", "replace-operator"], 2),
        (&["keys", "list", "--workspace", "shop"], 0),
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut program = Command::new(env!("CARGO_BIN_EXE_callout"));
        let done = program.args(arguments).current_dir(folder.path()).stdout(writer).output().unwrap();
        assert_eq!(done.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        assert!(!String::from_utf8_lossy(&done.stderr).contains("shown this once"), "{arguments:?}");
    }
}

#[test]
fn keys_workspaces_and_imports_from_the_command_line() {
    let folder = folder();
    let at = folder.path();
    let created = callout(at, &["workspaces", "create", "shop"]);
    assert!(String::from_utf8_lossy(&created.stderr).contains("there was no database callout.db, so it was made"));
    let workspace = out(&created);
    assert!(out(&callout(at, &["workspaces", "list"])).contains(&format!("{workspace}  shop")));
    let create = ["keys", "create", "--workspace", "shop", "--role", "viewer", "--days", "1", "--json"];
    let made = out(&callout(at, &[&create[..], &["--permission", "Integration.delete"]].concat()));
    let made = Json::parse(&made).unwrap();
    assert_eq!(made.get("workspace_id"), Some(&Json::from(workspace.as_str())));
    let text = |name: &str| made.get(name).and_then(Json::as_str).unwrap().to_owned();
    let (id, key) = (text("key_id"), text("api_key"));
    let listed = out(&callout(at, &["keys", "list", "--workspace", &workspace]));
    assert!(listed.contains(&format!("{id}  viewer+Integration.delete ")) && !listed.contains(&key), "{listed}");

    std::fs::write(
        at.join("shop.yaml"),
        "name: shop\ndisplay_name: Shop\nbase_url: https://shop.example\nauth: { type: bearer_token, bearer_token_value: { value: tok-canary } }\n",
    )
    .unwrap();
    let import = ["integrations", "import", "shop.yaml", "--builtin", "--workspace", "shop"];
    let imported = out(&callout(at, &import));
    assert_eq!(out(&callout(at, &import)), imported, "importing it again replaces it");
    let refused = err(&callout(at, &["integrations", "import", "shop.yaml", "--workspace", "shop"]));
    assert!(
        refused.contains("another integration \"shop\"; `callout integrations delete shop --workspace shop`"),
        "{refused}"
    );
    let rotated = out(&callout(at, &["secrets", "rotate-master"]));
    assert!(rotated.starts_with("1 secret sealed under the new master key "), "{rotated}");

    let serving = Serving::start(at, &[]);
    let (status, body) = serving.get(&format!("/v1/{workspace}/integrations"), &key);
    assert_eq!(status, 200);
    assert!(body.contains(&imported) && body.contains(r#""builtin":true"#) && !body.contains("canary"), "{body}");
    out(&callout(at, &["keys", "revoke", &id, "--workspace", "shop"]));
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(
        serving.get(&format!("/v1/{workspace}/integrations"), &key).0,
        401,
        "a revoked key stops within a second"
    );
    drop(serving);
    out(&callout(at, &["integrations", "delete", "shop", "--workspace", "shop"]));
    assert!(err(&callout(at, &["integrations", "delete", "shop", "--workspace", "shop"])).contains("no integration"));

    for (arguments, said) in [
        (&["keys", "create", "--workspace", "nope"][..], "callout workspaces list"),
        (&["keys", "create", "--workspace", "shop", "--role", "king"], "--role"),
        (&["keys", "create", "--workspace", "shop", "--permission", "x"], "--permission"),
        (&["keys", "create", "--workspace", "shop", "--days", "91"], "--days"),
        (&["keys", "revoke", "x", "--workspace", "shop"], "UUID"),
        (&["workspaces", "create", "shop"], "shop"),
        (
            &[
                "workspaces",
                "list",
                "--database",
                "postgres://nobody@127.0.0.1:1/x",
                "--master-key",
                "file:callout.db.key",
            ],
            "127.0.0.1:1 is not available",
        ),
        (&["workspaces", "list", "--secrets", "ssm"], "ssm"),
        (&["serve", "--listen", "nowhere"], "--listen"),
        (&["serve", "--listen", "nowhere", "--mcp-origin", "app.example"], "https://app.example:443"),
        (&["serve", "--listen", "nowhere", "--mcp-origin", "*"], "--mcp-origin"),
        (&["workspaces", "list", "--database", "elsewhere.db"], "there is no database elsewhere.db"),
        (
            &["serve", "--listen", "127.0.0.1:0", "--database", "elsewhere.db", "--master-key", "env:CALLOUT_NO_KEY"],
            "CALLOUT_NO_KEY",
        ),
    ] {
        let told = err(&callout(at, arguments));
        assert!(told.contains(said), "{arguments:?}: {told}");
    }
    assert!(!at.join("elsewhere.db").exists(), "neither a slip nor a start that is refused makes a database");
}
