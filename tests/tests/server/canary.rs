//! No secret leaves the server: not in an answer, a log line, a metric, nor in the database's files.

use std::{
    fs,
    io::Write,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use callout::Json;
use callout_tests::{Recorded, Reply, Upstream};
use tracing_subscriber::fmt::MakeWriter;

use super::{Answer, Server};

/// Odd enough to be found in every coding, and told apart from everything else.
const CANARY: &str = "canary/Key+é\"1";

/// Its forms: raw, base64, percent-encoded, hex, escaped as JSON.
fn forms() -> Vec<String> {
    let bytes = CANARY.as_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let percent: String = bytes
        .iter()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(*byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let json = CANARY.replace('"', "\\\"");
    vec![CANARY.to_owned(), STANDARD.encode(bytes), hex.to_uppercase(), hex, percent, json]
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// One body of each auth type that sends the canary to the upstream.
fn bodies(url: &str) -> Vec<String> {
    let canary = CANARY.replace('"', "\\\"");
    let value = |field: &str| format!(r#""{field}":{{"value":"{canary}"}}"#);
    let pem = include_str!("../../../crates/callout-cli/demo/demo-key.pem").replace('\n', "\\n");
    let auths = [
        format!(r#""type":"api_key_header","header_name":"X-Key",{}"#, value("api_key_value")),
        format!(r#""type":"bearer_token",{}"#, value("bearer_token_value")),
        format!(
            r#""type":"oauth2_client_credentials","token_url":"{url}/token","client_id":"c",{}"#,
            value("client_secret_value")
        ),
        format!(
            r#""type":"json_token_exchange","token_url":"{url}/token","client_id":"c",{}"#,
            value("client_secret_value")
        ),
        format!(
            r#""type":"oauth2_jwt_bearer","token_url":"{url}/token","assertion_issuer":"i","private_key_value":{{"value":"{pem}"}},{}"#,
            value("client_secret_value")
        ),
        format!(
            r#""type":"bearer_token_exchange","exchange_url":"{url}/token","exchange_token_field":"access_token",{}"#,
            value("exchange_secret_value")
        ),
    ];
    let body = |(at, auth): (usize, &String)| {
        format!(
            r#"{{"name":"kind-{at}","display_name":"K","base_url":"{url}","auth":{{{auth}}},
                "endpoints":[{{"name":"go","description":"","path":"/echo"}},
                    {{"name":"coded","description":"","path":"/coded","result_template":"{{{{ response }}}}"}},
                    {{"name":"moved","description":"","path":"/moved"}}]}}"#
        )
    };
    auths.iter().enumerate().map(body).collect()
}

#[tokio::test]
async fn no_canary_leaves_the_server() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(lines.clone())
        .finish();
    // For every thread: the lines of other tests are searched too.
    tracing::subscriber::set_global_default(subscriber).unwrap();

    let canary = CANARY.replace('"', "\\\"");
    let upstream = Upstream::with(move |request: &Recorded| {
        if request.path() == "/token" {
            return Reply::json(200, r#"{"access_token":"token-canary-7f3a","expires_in":3600}"#);
        }
        if request.path() == "/refused" {
            // Every coding in what the token endpoint says of itself.
            let said = Json::from(forms().join(" "));
            return Reply::json(400, format!(r#"{{"error":"invalid_request","error_description":{said}}}"#));
        }
        if request.path() == "/coded" {
            return Reply::json(200, Json::from(forms()).to_string());
        }
        if request.path() == "/moved" {
            return Reply::redirect(302, "https://elsewhere.example/canary%2FKey%2B%C3%A9%221?k=canary/Key");
        }
        let sent = request.header("authorization").unwrap_or_default().replace('"', "\\\"");
        Reply::json(418, format!(r#"{{"you sent":"{canary}","token":"{sent}"}}"#))
    })
    .await;
    let mut server = Server::start().await;
    let mut answers: Vec<Answer> = Vec::new();
    for body in bodies(&upstream.url()) {
        let created = server.ask("POST", "/integrations", Some(&body)).await.expect(201);
        let id = created.text_at("id");
        answers.push(mcp_call(&server, &format!("{}__go", created.text_at("name"))).await);
        answers.push(created);
        for endpoint in ["go", "coded", "moved"] {
            for path in ["test", "execute"] {
                let path = format!("/integrations/{id}/endpoints/{endpoint}/{path}");
                answers.push(server.ask("POST", &path, Some("{}")).await.expect(200));
            }
        }
        answers.push(server.ask("POST", &format!("/integrations/{id}/test-connection"), None).await.expect(200));
        answers
            .push(server.ask("PATCH", &format!("/integrations/{id}"), Some(r#"{"enabled":false}"#)).await.expect(200));
        if body.contains("/token\"") {
            let refused = body.replace("/token\"", "/refused\"").replace(r#""name":"kind-"#, r#""name":"refused-"#);
            let id = server.create(&refused).await;
            let answer = server.ask("POST", &format!("/integrations/{id}/endpoints/go/test"), Some("{}")).await;
            assert!(answer.text.contains("***"), "the token endpoint's words are shown, masked: {}", answer.text);
            answers.push(answer);
        }
        // Refused with the secret in the body: as a fault of its neighbour, and as no JSON at all.
        let faulty = body.replace(r#""name":"kind-"#, r#""name":"-"#);
        answers.push(server.ask("POST", "/integrations", Some(&faulty)).await.expect(422));
        answers.push(server.ask("POST", "/integrations", Some(&body[..body.len() - 3])).await.expect(422));
    }
    for path in ["/integrations", "/audit-log", "/api-keys"] {
        answers.push(server.ask("GET", &format!("{path}?limit=100"), None).await.expect(200));
    }
    answers.push(server.ask_as(Some(&server.operator), "GET", "/metrics", None).await.expect(200));
    assert!(upstream.count() >= 12 + 4, "the upstream was called");

    let mut said: Vec<(String, Vec<u8>)> = answers
        .iter()
        .enumerate()
        .map(|(at, answer)| (format!("answer {at}"), answer.text.clone().into_bytes()))
        .collect();
    said.push(("the log".to_owned(), lines.0.lock().unwrap().clone()));
    // While the server runs, so that the write-ahead log is there too.
    said.extend(files(server.folder()));
    server.stop().await;
    said.extend(files(server.folder()));
    let log = String::from_utf8_lossy(&lines.0.lock().unwrap()).into_owned();
    assert!(log.contains("/v1/{workspace_id}/integrations"), "requests are logged: {log}");
    let needles: Vec<String> = forms()
        .into_iter()
        .chain([
            "canary/Key".to_owned(),
            "canary%2FKey".to_owned(),
            "canary-7f3a".to_owned(),
            server.owner.clone(),
            server.operator.clone(),
        ])
        .collect();
    for (what, bytes) in said {
        for needle in &needles {
            let found = bytes.windows(needle.len()).any(|window| window == needle.as_bytes());
            assert!(!found, "{what} holds {needle}: {}", String::from_utf8_lossy(&bytes));
        }
    }
}

/// The same over MCP, whose library traces what it is given.
async fn mcp_call(server: &Server, tool: &str) -> Answer {
    let meta = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}"#;
    let body = format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{}},"_meta":{{{meta}}}}}}}"#
    );
    let request = http::Request::post("/mcp")
        .header("authorization", format!("Bearer {}", server.owner))
        .header("accept", "application/json, text/event-stream")
        .header("content-type", "application/json")
        .header("mcp-protocol-version", "2026-07-28")
        .header("mcp-method", "tools/call")
        .header("mcp-name", tool);
    let answer = server.send(request.body(body).unwrap()).await.expect(200);
    assert_eq!(answer.at("result.isError"), Json::Bool(true), "{}", answer.text);
    answer
}

fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found: Vec<_> = files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    assert!(found.iter().any(|(name, bytes)| name.ends_with("callout.db") && !bytes.is_empty()));
    found
}
