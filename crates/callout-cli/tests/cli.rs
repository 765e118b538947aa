//! The program as a user sees it: what it prints, where, and how it exits.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

mod support;

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener},
    process::{Command, Output, Stdio},
    thread,
};

use callout::Json;
use support::Folder;

/// Answers each connection once with that status and body, and gives back what it was sent.
fn upstream(status: &'static str, body: &'static str) -> (SocketAddr, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let served = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 1024];
        while !request.windows(4).any(|window| window == b"\r\n\r\n") {
            let length = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..length]);
        }
        write!(
            stream,
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        String::from_utf8_lossy(&request).into_owned()
    });
    (address, served)
}

fn callout(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_callout"))
        .args(arguments)
        .env("CALLOUT_CLI_TEST_KEY", "canary-key-9")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The flag's value that gives the key.
const KEY: &str = "api_key=env:CALLOUT_CLI_TEST_KEY";

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn integration(address: SocketAddr) -> String {
    format!(
        "name: shop
display_name: Shop
base_url: http://{address}/v1
auth: {{ type: api_key_header, header_name: X-Key }}
endpoints:
  - name: find
    description: Finds things
    method: GET
    path: /things/{{id}}
    input_schema: {{ type: object, properties: {{ id: {{ type: string }}, n: {{ type: integer }} }} }}
    result_key: name
"
    )
}

/// What is written around a mistake may be a secret.
#[test]
fn a_mistake_beside_a_secret_does_not_show_it() {
    let folder = Folder::new("slips");
    for (slip, expected) in [
        ("auth:\n  type: bearer_token\n   bearer_token_value: { value: canary-1 }\n", "line"),
        ("auth\n  type: bearer_token\n  bearer_token_value: { value: canary-1 }\n", "line"),
        (
            "auth:\n  type: bearer_token\n  bearer_token_value: { value canary-1 }\n",
            "auth.bearer_token_value: there is a field that it does not have: it has `value`",
        ),
        ("auth:\n  type: bearer_token\n  bearer_token_value: canary-1\n", "auth.bearer_token_value: must be an object"),
    ] {
        let file = folder.file("slip.yaml", &format!("name: shop\nbase_url: https://shop.example\n{slip}"));
        for command in ["check", "token", "mcp", "tools"] {
            let output = callout(&[command, &file]);
            let text = out(&output) + &err(&output);
            assert!(text.contains(expected) && text.contains("slip.yaml"), "{command} {slip} {text}");
            assert!(!text.contains("canary"), "{command} {slip} {text}");
        }
    }
}

#[test]
fn a_secret_that_is_missing_is_said_with_the_flag_that_gives_it() {
    let folder = Folder::new("missing");
    let file = folder.file("shop.yaml", &integration("127.0.0.1:9".parse().unwrap()));
    for command in [&["token", &*file][..], &["call", &file, "find"], &["mcp", &file]] {
        let output = callout(command);
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        let text = err(&output);
        assert!(
            text.contains("auth.api_key_value: is required for auth type api_key_header; --secret api_key=env:NAME"),
            "{text}"
        );
    }
}

#[test]
fn check_prints_every_fault_with_its_file_and_place() {
    let folder = Folder::new("check");
    let bad = folder.file(
        "bad.json",
        r#"{"name": "Shop", "display_name": "", "base_url": "https://x.example/?q", "enable": true,
            "auth": {"type": "oauth2_client_credentials", "exchange_url": "https://x.example/"},
            "endpoints": [{"name": "a", "description": "", "method": "GET", "path": "/{", "response_mapping": {"total": "$["},
                           "result_template": "{% for %}", "input_schema": {"type": "nothing"}, "headers": {"Host": "x"},
                           "retry_config": {"max_retries": 11}}]}"#,
    );
    let output = callout(&["check", &bad]);
    assert_eq!(output.status.code(), Some(2));
    let text = out(&output);
    for place in [
        "name:",
        "display_name:",
        "base_url:",
        "enable: there is no such field, did you mean \"enabled\"?",
        "auth.token_url:",
        "auth.client_id:",
        "auth.client_secret_value:",
        "auth.exchange_url:",
        "endpoints[0].path:",
        "endpoints[0].response_mapping.total:",
        "endpoints[0].result_template:",
        "endpoints[0].input_schema",
        "endpoints[0].headers.Host:",
        "endpoints[0].retry_config.max_retries:",
    ] {
        assert!(text.contains(&format!("{bad}: {place}")), "no {place} in\n{text}");
    }
    assert_eq!(text.lines().count(), 14, "{text}");

    let good = folder.file(
        "good.yaml",
        "name: ok\ndisplay_name: Good\nbase_url: https://x.example\nendpoints:\n  - { name: a, description: d, path: / }\n",
    );
    let output = callout(&["check", &good]);
    assert_eq!((output.status.code(), out(&output)), (Some(0), format!("{good}: good\n")));

    let twice = folder.file("twice.json", "{\"name\": \"a\",\n \"name\": \"b\"}");
    let output = callout(&["check", &good, &twice]);
    assert_eq!(output.status.code(), Some(2));
    assert!(out(&output).contains("the name \"name\" stands twice in one object at line 2"), "{}", out(&output));
}

#[test]
fn a_call_prints_its_text_and_sends_what_the_flags_say() {
    let folder = Folder::new("call");
    let (address, served) = upstream("200 OK", r#"{"name": "a lamp"}"#);
    let file = folder.file("shop.yaml", &integration(address));
    let output = callout(&[
        "call",
        &file,
        "find",
        "--param",
        "id=007",
        "--param",
        "n=5",
        "--params",
        r#"{"n": 1}"#,
        "--secret",
        "api_key=env:CALLOUT_CLI_TEST_KEY",
        "--allow",
        &address.to_string(),
    ]);
    assert_eq!((output.status.code(), out(&output), err(&output)), (Some(0), "a lamp\n".to_owned(), String::new()));
    let request = served.join().unwrap();
    assert!(request.starts_with("GET /v1/things/007?n=5 HTTP/1.1\r\n"), "{request}");
    assert!(request.to_lowercase().contains("x-key: canary-key-9\r\n"), "{request}");
}

#[test]
fn a_trace_shows_every_stage_and_no_secret() {
    let folder = Folder::new("trace");
    let (address, _served) = upstream("200 OK", r#"{"name": "canary-key-9", "n": 1.10}"#);
    let file = folder.file("shop.yaml", &integration(address));
    // With the mark and the line end of an editor.
    let key = folder.file("key", "\u{feff}canary-key-9\r\n");
    let secret = format!("api_key=file:{key}");
    let output =
        callout(&["call", &file, "find", "--param", "id=1", "--secret", &secret, "--allow", "127.0.0.1", "--trace"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", err(&output));
    for shown in
        ["request", "x-key: ***", "response", "\"n\": 1.10", "after result_key", "text", "delivered as interrupt"]
    {
        assert!(text.contains(shown), "no {shown} in\n{text}");
    }
    assert!(!text.contains("canary"), "{text}");
    assert!(!text.contains('\u{1b}'), "colour belongs on terminals only");
}

/// The first example of the config guide, which is copied by those who begin.
#[test]
fn the_guides_example_writes_a_line_for_each_issue_and_none_where_there_are_none() {
    let guide = include_str!("../../callout/src/guide/config.md");
    let (_, example) = guide.split_once("```yaml\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let folder = Folder::new("guide");
    for (body, expected) in [
        (
            r#"[{"title":"Leak","user":{"login":"ann","id":1},"id":7},{"title":"Crash"}]"#,
            "- Leak (ann)\n- Crash (None)",
        ),
        ("[]", ""),
    ] {
        let (address, served) = upstream("200 OK", body);
        let text = example.replace("https://api.github.com", &format!("http://{address}"));
        let file = folder.file("github.yaml", &text.replace("{ value: … }", "{ value: canary-key-9 }"));
        let params = ["--param", "owner=ann", "--param", "repo=box", "--allow", "127.0.0.1"];
        let output = callout(&[&["call", &*file, "list-issues"][..], &params[..]].concat());
        assert_eq!((output.status.code(), out(&output).trim_end()), (Some(0), expected), "{}", err(&output));
        assert!(served.join().unwrap().starts_with("GET /repos/ann/box/issues "));
    }
}

/// A pipe gets data as it is: what would be an escape sequence on a terminal is a part of it.
#[test]
fn a_pipe_gets_every_character_of_an_answer() {
    let folder = Folder::new("characters");
    let (body, text) =
        ("a\\u001b]0;title \u{7f}\\u001b[31mred\\u001bPq rest", "a\u{1b}]0;title \u{7f}\u{1b}[31mred\u{1b}Pq rest");
    let answer: &'static str = format!("{{\"name\": \"{body}\"}}").leak();
    for flag in [None, Some("--json"), Some("--trace")] {
        let (address, _served) = upstream("200 OK", answer);
        let file = folder.file("shop.yaml", &integration(address));
        let key = "api_key=env:CALLOUT_CLI_TEST_KEY";
        let mut arguments = vec!["call", &file, "find", "--param", "id=1", "--secret", key, "--allow", "127.0.0.1"];
        arguments.extend(flag);
        let shown = out(&callout(&arguments));
        match flag {
            None => assert_eq!(shown, format!("{text}\n")),
            Some("--json") => {
                let json = Json::parse(&shown).unwrap();
                assert_eq!(json.get("final_result"), Some(&Json::from(text)), "{shown}");
            }
            Some(_) => assert!(shown.ends_with(&format!("\n  {text}\n")), "{shown:?}"),
        }
    }
}

/// A reader that has gone wants no more, and that is no fault.
#[test]
fn output_that_cannot_be_written_exits_with_2_unless_its_reader_has_gone() {
    let folder = Folder::new("full");
    let (address, _served) = upstream("200 OK", r#"{"name": "a lamp"}"#);
    let file = folder.file("shop.yaml", &integration(address));
    let key = "api_key=env:CALLOUT_CLI_TEST_KEY";
    let call = ["call", &file, "find", "--param", "id=1", "--secret", key, "--allow", "127.0.0.1"];
    let program = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_callout"));
        program.args(arguments).env("CALLOUT_CLI_TEST_KEY", "canary-key-9").stdin(Stdio::null()).stderr(Stdio::piped());
        program
    };
    if cfg!(target_os = "linux") {
        let dry_run = [&call[..7], &["--dry-run"]].concat();
        for arguments in [&call[..], &dry_run, &["tools", &file], &["check", &file], &["demo"]] {
            let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
            let output = program(arguments).stdout(full).output().unwrap();
            let said = err(&output);
            assert_eq!(output.status.code(), Some(2), "{arguments:?} {said}");
            assert!(said.starts_with("error: standard output: No space left"), "{arguments:?} {said}");
        }
        // Nor where there is no room for what is told beside it.
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let status = program(&["tools", "no-such-file.yaml"]).stdout(Stdio::null()).stderr(full).status().unwrap();
        assert_eq!(status.code(), Some(2));
    }
    let mut gone = program(&["tools", &file]).stdout(Stdio::piped()).spawn().unwrap();
    drop(gone.stdout.take());
    let output = gone.wait_with_output().unwrap();
    assert_eq!((output.status.code(), err(&output)), (Some(0), String::new()));
}

#[test]
fn a_failed_call_exits_with_1_and_its_json_is_printed_all_the_same() {
    let folder = Folder::new("failed");
    let (address, _served) = upstream("404 Not Found", r#"{"message": "no such thing"}"#);
    let file = folder.file("shop.yaml", &integration(address));
    let call = |more: &[&str]| {
        let common = ["call", &file, "find", "--param", "id=1", "--secret", "api_key=env:CALLOUT_CLI_TEST_KEY"];
        callout(&[&common, more].concat())
    };
    let output = call(&["--allow", "127.0.0.1", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let json = Json::parse(&out(&output)).unwrap();
    let names: Vec<_> = json.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "status_code",
            "duration_ms",
            "retries",
            "raw_response",
            "after_filter",
            "after_mapping",
            "final_result",
            "error"
        ]
    );
    assert_eq!(json.get("status_code"), Some(&Json::from(404)));
    assert_eq!(json.get("raw_response").unwrap().to_string(), r#"{"message":"no such thing"}"#);
    assert!(json.get("error").unwrap().as_str().unwrap().starts_with("shop.find: the upstream answered 404 Not Found"));

    let output = call(&[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("egress_denied"), "{}", err(&output));
    let output = callout(&["call", &file, "lose", "--secret", "api_key=env:CALLOUT_CLI_TEST_KEY"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("there is no such endpoint; it has find"), "{}", err(&output));
}

#[test]
fn a_bad_config_and_bad_usage_exit_with_2() {
    let folder = Folder::new("usage");
    let file = folder.file("shop.yaml", &integration("127.0.0.1:9".parse().unwrap()));
    let unfit = format!("api_key=file:{}", folder.file("unfit", "canary-key-9\nmore\n"));
    let empty = format!("api_key=file:{}", folder.file("empty", "\n"));
    for (arguments, expected) in [
        (vec!["call", &file, "find"], "auth.api_key_value: is required"),
        (vec!["call", &file, "find", "--secret", "api_key=canary-key-9"], "--secret takes NAME=env:VAR"),
        (vec!["call", &file, "find", "--secret", "canary-key-9"], "--secret takes NAME=env:VAR"),
        (vec!["call", &file, "find", "--secret", "canary-key-9=="], "--secret takes NAME=env:VAR"),
        (vec!["mcp", &file, "--secret", "canary.key.9"], "--secret takes NAME=env:VAR"),
        (vec!["call", &file, "find", "--secret", &unfit], "shop.yaml: --secret api_key: is sent in a header"),
        (vec!["mcp", &file, "--secret", &unfit], "shop.yaml: --secret api_key: is sent in a header"),
        (
            vec!["integrations", "import", &file, "--secret", "bearer_token=env:CALLOUT_CLI_TEST_KEY"],
            "shop.yaml: --secret bearer_token: is not used by auth type api_key_header",
        ),
        (vec!["call", &file, "find", "--secret", &empty], "empty is empty"),
        (vec!["call", &file, "find", "--secret", "password=env:X"], "there is no secret \"password\""),
        (vec!["call", &file, "find", "--secret", "api_key=env:CALLOUT_NO_SUCH"], "no variable \"CALLOUT_NO_SUCH\""),
        (
            vec!["call", &file, "find", "--secret", "api_key=env:CALLOUT_CLI_TEST_KEY", "--params", "[1]"],
            "must be a JSON object",
        ),
        (
            vec!["call", &file, "find", "--secret", "api_key=env:CALLOUT_CLI_TEST_KEY", "--allow", "10.0.0.0/99"],
            "--allow",
        ),
        (
            vec!["call", &file, "find", "--secret", KEY, "--param", "id=1", "--param", "id=canary"],
            "--param id is given twice",
        ),
        (vec!["call", "no-such-file.yaml", "find"], "no-such-file.yaml"),
        (vec!["call"], "Usage"),
        (vec!["frobnicate"], "frobnicate"),
    ] {
        let output = callout(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(expected), "no {expected} in {}", err(&output));
        assert!(!err(&output).contains("canary"), "{}", err(&output));
    }
}

#[test]
fn a_token_is_described_and_shown_only_on_request() {
    let folder = Folder::new("token");
    let text = |address: SocketAddr| {
        format!(
            r#"{{"name":"shop","display_name":"Shop","base_url":"https://x.example","auth":{{"type":"bearer_token_exchange",
                "exchange_url":"http://{address}/token","exchange_secret_value":{{"value":"canary-key-9"}},
                "exchange_param_headers":[{{"header_name":"X-User","param_name":"user"}}]}}}}"#
        )
    };
    for reveal in [false, true] {
        let (address, served) = upstream("200 OK", r#"{"token": "a-token-of-alice", "expires_in": 60}"#);
        let file = folder.file("shop.json", &text(address));
        let mut arguments = vec!["token", &file, "--param", "user=alice", "--allow", "127.0.0.1"];
        arguments.extend(reveal.then_some("--reveal"));
        let output = callout(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        assert!(served.join().unwrap().to_lowercase().contains("x-user: alice"));
        let shown = out(&output);
        assert!(shown.contains("bearer_token_exchange") && shown.contains("s left"), "{shown}");
        let digest = shown.lines().find_map(|line| line.strip_prefix("cache key")).unwrap().trim();
        assert_eq!((digest.len(), digest.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true), "{shown}");
        assert_eq!(shown.contains("a-token-of-alice"), reveal, "{shown}");
        assert!(!shown.contains("canary"), "{shown}");
    }
    let file = folder.file("shop.json", &text("127.0.0.1:9".parse().unwrap()));
    let output = callout(&["token", &file, "--param", "user=alice", "--allow", "127.0.0.1"]);
    assert_eq!(output.status.code(), Some(1), "{}", err(&output));
    let output = callout(&["token", &file]);
    assert!(err(&output).contains("missing_auth_param"), "{}", err(&output));
}

#[test]
fn tools_are_json_for_function_calling() {
    let folder = Folder::new("tools");
    let file = folder.file("shop.json", r#"{"name":"shop","display_name":"Shop","base_url":"https://x.example","endpoints":[{"name":"find","description":"Finds things","path":"/{id}"}]}"#);
    let output = callout(&["tools", &file]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let tools = Json::parse(&out(&output)).unwrap();
    let tool = &tools.as_array().unwrap()[0];
    assert_eq!(tool.get("name"), Some(&Json::from("shop__find")));
    assert_eq!(tool.get("input_schema").unwrap().get("required").unwrap().to_string(), r#"["id"]"#);
}

#[test]
fn tools_need_no_key_that_stands_elsewhere() {
    let folder = Folder::new("tools-keyless");
    let text = |auth: &str, path: &str| {
        format!(
            r#"{{"name":"shop","display_name":"Shop","base_url":"https://x.example","auth":{{{auth}}},"endpoints":[
                {{"name":"find","description":"Finds things","path":"{path}","input_schema":{{"type":"object"}}}}]}}"#
        )
    };
    let jwt = r#""type":"oauth2_jwt_bearer","token_url":"https://x.example/token","client_id":"c""#;
    let client_secret = r#""client_secret_value":{"value":"canary-key-9"}"#;
    let exchange = r#""type":"bearer_token_exchange","exchange_url":"https://x.example/token",
        "exchange_param_headers":[{"header_name":"X-User","param_name":"user"}]"#;
    for (auth, required) in [
        (jwt.to_owned(), r#"["id"]"#),
        (format!("{jwt},{client_secret}"), r#"["id"]"#),
        (exchange.to_owned(), r#"["id","user"]"#),
    ] {
        let file = folder.file("shop.json", &text(&auth, "/{id}"));
        let output = callout(&["tools", &file]);
        assert_eq!(output.status.code(), Some(0), "{auth} {}", err(&output));
        let tools = Json::parse(&out(&output)).unwrap();
        let schema = tools.as_array().unwrap()[0].get("input_schema").unwrap();
        assert_eq!(schema.get("required").unwrap().to_string(), required, "{auth}");
    }
    for (auth, path, expected) in [
        (format!("{jwt},{client_secret}"), "/{", "endpoints[0].path:"),
        (format!(r#"{jwt},"private_key_value":{{"value":"canary"}}"#), "/{id}", "auth.private_key_value:"),
        (format!(r#"{jwt},"api_key_value":{{"value":"canary"}}"#), "/{id}", "auth.api_key_value:"),
        (r#""type":"oauth2_jwt_bearer""#.to_owned(), "/{id}", "auth.assertion_issuer:"),
    ] {
        let file = folder.file("shop.json", &text(&auth, path));
        let output = callout(&["tools", &file]);
        assert_eq!(output.status.code(), Some(2), "{auth} {}", out(&output));
        assert!(err(&output).contains(expected) && !err(&output).contains("canary"), "{auth} {}", err(&output));
    }
}

#[test]
fn the_demo_ends_well_and_without_colour_in_a_pipe() {
    let output = callout(&["demo"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}{}", err(&output));
    assert_eq!(err(&output), "");
    for shown in [
        "#1347 Found a bug, by octocat [bug]",
        "client_id=demo-app",
        "Open https://github.com/login/device and enter WDJB-MJHT.",
        "16801",
        "1 retry",
        "404 Not Found",
        "invalid_params",
        "egress_denied",
        "the holder of ***",
        "a token exchanged for alice",
    ] {
        assert!(text.contains(shown), "no {shown} in\n{text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains("tour-secret"), "{text}");
}

#[test]
fn a_dry_run_prints_the_request_and_sends_nothing() {
    let folder = Folder::new("dry-run");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let file = folder.file("shop.yaml", &integration(address));
    let call = |form: &str, params: &str| {
        let key = "api_key=env:CALLOUT_CLI_TEST_KEY";
        callout(&["call", &file, "find", "--params", params, "--secret", key, form])
    };
    let output = call("--dry-run", r#"{"id":"it's","n":5}"#);
    let shown = out(&output);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(shown.starts_with(&format!("request  GET http://{address}/v1/things/it%27s?n=5\n")), "{shown}");
    assert!(shown.contains("\n  x-key: ***\n") && !shown.contains("canary"), "{shown}");

    let output = call("--dry-run=curl", r#"{"id":"it's","n":5}"#);
    let shown = out(&output);
    assert!(shown.contains(&format!("'http://{address}/v1/things/it%27s?n=5'")), "{shown}");
    assert!(shown.contains("--header 'x-key: ***'") && !shown.contains("canary"), "{shown}");

    let output = call("--dry-run", r#"{"id":"1","n":"5"}"#);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("invalid_params"), "{}", err(&output));

    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "something was sent");
}

#[test]
fn a_list_for_what_only_the_path_names_repeats_its_key() {
    let folder = Folder::new("lists");
    let text = integration("127.0.0.1:9".parse().unwrap()).replace("/things/{id}", "/things/{id}{?labels}");
    let file = folder.file("shop.yaml", &text);
    for (label, sent) in
        [("labels=[\"a\",\"b\"]", "?labels=a&labels=b"), ("labels=[x", "?labels=%5Bx"), ("labels=5", "?labels=5")]
    {
        let output =
            callout(&["call", &file, "find", "--param", "id=[1]", "--param", label, "--secret", KEY, "--dry-run"]);
        let shown = out(&output);
        assert!(shown.lines().next().unwrap().ends_with(&format!("/things/%5B1%5D{sent}")), "{shown}{}", err(&output));
    }
}

#[test]
fn what_was_converted_is_said_in_each_form_and_of_failures() {
    let folder = Folder::new("lenient");
    let file = folder.file("shop.yaml", &integration("127.0.0.1:9".parse().unwrap()));
    let call = |form: &str, params: &str| {
        let all: [&str; 9] = ["call", &file, "find", "--lenient", "--secret", KEY, "--params", params, form];
        callout(all.split_at(if form.is_empty() { 8 } else { 9 }).0)
    };
    // That address is not opened: those that are no dry run fail.
    for (form, code) in [("--dry-run", 0), ("--dry-run=curl", 0), ("--trace", 1), ("--json", 1), ("", 1)] {
        let output = call(form, r#"{"id":"1","n":"5"}"#);
        assert_eq!(output.status.code(), Some(code), "{form} {}", err(&output));
        assert!(err(&output).contains("note: n was converted to integer\n"), "{form} {}", err(&output));
        let output = call(form, r#"{"id":"1","n":5}"#);
        assert!(!err(&output).contains("converted"), "{form} {}", err(&output));
    }
}
