//! `callout mcp` as MCP clients start it: the protocol alone on standard output, files that change,
//! params and secrets that no client sees.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Child, ChildStdin, Command, Output, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use callout::Json;
use support::Folder;

/// Answers each request with its target and its key, as JSON.
fn upstream() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = Vec::new();
            let mut buffer = [0; 1024];
            while !request.windows(4).any(|window| window == b"\r\n\r\n") {
                let length = stream.read(&mut buffer).unwrap();
                request.extend_from_slice(&buffer[..length]);
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let target = request.split(' ').nth(1).unwrap_or_default();
            let keyed = request.to_lowercase().contains("x-key: canary-key-9");
            let body = format!(r#"{{"target":"{target}","keyed":{keyed}}}"#);
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            )
            .unwrap();
        }
    });
    address
}

fn shop(name: &str, address: SocketAddr, more: &str) -> String {
    format!(
        "name: {name}
display_name: Shop
base_url: http://{address}
auth: {{ type: api_key_header, header_name: X-Key }}
endpoints:
  - name: find
    description: Finds things
    method: GET
    path: /users/{{user_id}}/things/{{id}}
    input_schema: {{ type: object, properties: {{ user_id: {{ type: string }}, id: {{ type: integer }} }} }}
{more}"
    )
}

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_callout"));
    command.arg("mcp").args(arguments).env("CALLOUT_MCP_TEST_KEY", "canary-key-9");
    command
}

/// A run that ends by itself.
fn run(arguments: &[&str]) -> Output {
    command(arguments).stdin(Stdio::null()).output().unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

struct Client {
    child: Child,
    input: Option<ChildStdin>,
    lines: mpsc::Receiver<String>,
    asked: u32,
}

impl Client {
    fn start(arguments: &[&str]) -> Self {
        let mut child =
            command(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        let mut client = Self { input: child.stdin.take(), child, lines, asked: 0 };
        client.ask(
            "initialize",
            r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}"#,
        );
        client.write(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
        client
    }

    /// Of two files, in whose tools a param is bound.
    fn of_two(one: &str, two: &str, upstream: SocketAddr) -> Self {
        let allow = upstream.to_string();
        let of_one = ["--secret", "one.api_key=env:CALLOUT_MCP_TEST_KEY"];
        let of_two = ["--secret", "two.api_key=env:CALLOUT_MCP_TEST_KEY"];
        Self::start(&[&[one, two, "--allow", &allow, "--bind", "user_id=42"][..], &of_one, &of_two].concat())
    }

    fn write(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// The next message. Every line of standard output is one.
    fn next(&self) -> Json {
        let line = self.lines.recv_timeout(Duration::from_secs(20)).unwrap();
        Json::parse(&line).unwrap()
    }

    fn ask(&mut self, method: &str, params: &str) -> Json {
        self.asked += 1;
        let id = self.asked;
        self.write(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#));
        let answer = self.next();
        assert_eq!(answer.get("id"), Some(&Json::from(id)), "{answer}");
        answer
    }

    fn tools(&mut self) -> Vec<String> {
        let listed = self.ask("tools/list", "{}");
        let tools = listed.get("result").unwrap().get("tools").unwrap().as_array().unwrap();
        tools.iter().map(|tool| tool.get("name").unwrap().as_str().unwrap().to_owned()).collect()
    }

    fn text(&mut self, tool: &str, arguments: &str) -> String {
        let answer = self.ask("tools/call", &format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#));
        let content = answer.get("result").unwrap().get("content").unwrap().as_array().unwrap();
        content.first().unwrap().get("text").unwrap().as_str().unwrap().to_owned()
    }

    /// Ends the input and gives what was said on standard error.
    fn end(mut self) -> String {
        drop(self.input.take());
        let mut said = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(self.child.wait().unwrap().success(), "{said}");
        said
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn files_become_tools_on_standard_input_and_output() {
    let address = upstream();
    let folder = Folder::new("mcp-tools");
    let (one, two) =
        (folder.file("one.yaml", &shop("one", address, "")), folder.file("two.yaml", &shop("two", address, "")));
    let mut client = Client::of_two(&one, &two, address);
    assert_eq!(client.tools(), ["one__find", "two__find"]);
    assert!(!client.ask("tools/list", "{}").to_string().contains("user_id"), "clients do not see what is bound");
    for tool in ["one__find", "two__find"] {
        let text = client.text(tool, r#"{"id": 7, "user_id": "8"}"#);
        assert_eq!(text, r#"{"target":"/users/42/things/7","keyed":true}"#);
    }
    // A failure is on standard output too, as a result.
    assert!(client.text("one__find", "{}").contains("one.find: id: is required"));
    let said = client.end();
    assert!(said.contains("2 tools"), "{said}");
    assert!(!said.contains("canary"), "{said}");
}

#[test]
fn a_file_that_changes_is_read_again_and_told() {
    let address = upstream();
    let folder = Folder::new("mcp-changes");
    let file = folder.file("shop.yaml", &shop("shop", address, ""));
    let allow = address.to_string();
    let mut client = Client::start(&[&file, "--allow", &allow, "--secret", "api_key=env:CALLOUT_MCP_TEST_KEY"]);
    assert_eq!(client.tools(), ["shop__find"]);

    // One that is wrong leaves what is there.
    folder.file("shop.yaml", "name: [");
    thread_sleep(Duration::from_millis(2500));
    assert_eq!(client.tools(), ["shop__find"]);

    let more = "  - { name: list, description: Lists, method: GET, path: /list }\n";
    folder.file("shop.yaml", &shop("shop", address, more));
    let told = client.next();
    assert_eq!(told.get("method"), Some(&Json::from("notifications/tools/list_changed")), "{told}");
    assert_eq!(client.tools(), ["shop__find", "shop__list"]);
    assert_eq!(client.text("shop__list", "{}"), r#"{"target":"/list","keyed":true}"#);
    let said = client.end();
    assert!(said.contains("what was read before stays") && said.contains("was read again"), "{said}");
}

#[test]
fn a_bound_param_has_the_type_that_each_tool_asks_for() {
    let address = upstream();
    let folder = Folder::new("mcp-bind");
    let asking = |name: &str, kind: &str| {
        shop(name, address, "").replace("user_id: { type: string }", &format!("user_id: {{ type: {kind} }}"))
    };
    let (one, two) =
        (folder.file("one.yaml", &asking("one", "string")), folder.file("two.yaml", &asking("two", "integer")));
    let mut client = Client::of_two(&one, &two, address);
    let all_answer = |client: &mut Client| {
        for tool in ["one__find", "two__find"] {
            assert_eq!(client.text(tool, r#"{"id": 7}"#), r#"{"target":"/users/42/things/7","keyed":true}"#, "{tool}");
        }
    };
    all_answer(&mut client);
    // Also once they ask for another, and one that it cannot have leaves what is there.
    for kind in ["[string, 'null']", "boolean"] {
        folder.file("two.yaml", &asking("two", kind));
        thread_sleep(Duration::from_millis(2500));
        all_answer(&mut client);
    }
    let said = client.end();
    assert!(said.contains("two.yaml was read again"), "{said}");
    assert!(said.contains("--bind user_id: two__find does not take that value"), "{said}");
}

#[test]
fn what_cannot_be_served_is_said_at_once() {
    let address = upstream();
    let folder = Folder::new("mcp-usage");
    let (one, other) =
        (folder.file("one.yaml", &shop("one", address, "")), folder.file("o.yaml", &shop("one", address, "")));
    let two = folder.file("two.yaml", &shop("two", address, ""));
    let bad = folder.file("bad.yaml", "name: bad\n");
    let secret = ["--secret", "one.api_key=env:CALLOUT_MCP_TEST_KEY"];
    for (arguments, expected) in [
        (vec![], "required"),
        (vec![&*bad], "bad.yaml: "),
        (vec![&*one, &*other, secret[0], secret[1]], "another file has the name one"),
        (vec![&*one, &*two, "--secret", "api_key=env:CALLOUT_MCP_TEST_KEY"], "say whose a secret is"),
        (vec![&*one, secret[0], secret[1], "--secret", "none.api_key=env:CALLOUT_MCP_TEST_KEY"], "--secret none.…"),
        (vec![&*one, secret[0], secret[1], "--bind", "nothing=1"], "--bind nothing: no tool has that param"),
        (vec![&*one, secret[0], secret[1], "--bind", "nothing"], "--bind takes NAME=VALUE"),
        (vec![&*one, secret[0], secret[1], "--bind", "id=x"], "--bind id: one__find does not take that value"),
    ] {
        let output = run(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{arguments:?}: {}", err(&output));
        assert!(output.stdout.is_empty(), "standard output is the protocol's alone");
    }
    // Nobody comes, and that is no fault.
    let output = run(&[&one, secret[0], secret[1]]);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", err(&output));
}

#[expect(clippy::disallowed_methods, reason = "the program outside has its own time")]
fn thread_sleep(pause: Duration) {
    thread::sleep(pause);
}
