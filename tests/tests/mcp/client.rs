//! A client on a pair of streams.

use std::time::Duration;

use callout::Json;
use callout_mcp::{MAX_MESSAGE_BYTES, McpServer, ToolSource, serve};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream, Lines},
    task::JoinHandle,
};

use crate::json;

/// How long a client waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    input: DuplexStream,
    output: Lines<BufReader<DuplexStream>>,
    asked: u64,
    /// What came unasked, in order.
    pub(crate) told: Vec<Json>,
    pub(crate) serving: JoinHandle<()>,
}

impl Client {
    /// Connected, and nothing said yet.
    pub(crate) fn connect<S: ToolSource>(source: S) -> Self {
        Self::connect_to(McpServer::new(source))
    }

    /// The same, to a server that is told more.
    pub(crate) fn connect_to<S: ToolSource>(server: McpServer<S>) -> Self {
        let (input, server_input) = tokio::io::duplex(64 << 10);
        let (server_output, output) = tokio::io::duplex(64 << 10);
        let serving = tokio::spawn(async move {
            serve(&server, server_input, server_output, MAX_MESSAGE_BYTES).await.unwrap();
        });
        Self { input, output: BufReader::new(output).lines(), asked: 0, told: Vec::new(), serving }
    }

    /// After the handshake of the revisions that have one.
    pub(crate) async fn start<S: ToolSource>(source: S) -> Self {
        let mut client = Self::connect(source);
        let answer = client.ask("initialize", &initialize()).await;
        assert_eq!(crate::text_at(&answer, "result.protocolVersion"), "2025-06-18", "{answer}");
        client.say("notifications/initialized", "{}").await;
        client
    }

    pub(crate) async fn write(&mut self, line: &str) {
        self.input.write_all(line.as_bytes()).await.unwrap();
        self.input.write_all(b"\n").await.unwrap();
    }

    /// Says nothing more, and still listens.
    pub(crate) async fn end_input(&mut self) {
        self.input.shutdown().await.unwrap();
    }

    /// A notification.
    pub(crate) async fn say(&mut self, method: &str, params: &str) {
        self.write(&format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#)).await;
    }

    /// A request, whose answer is not awaited: its id.
    pub(crate) async fn begin(&mut self, method: &str, params: &str) -> u64 {
        self.asked += 1;
        let id = self.asked;
        self.write(&format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)).await;
        id
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> Json {
        let line = tokio::time::timeout(PATIENCE, self.output.next_line()).await.unwrap().unwrap();
        json(&line.unwrap())
    }

    /// The next message that was not asked for.
    pub(crate) async fn next_told(&mut self) -> Json {
        let message = self.next().await;
        assert!(message.get("id").is_none(), "{message}");
        message
    }

    /// The answer to that request; what comes between is kept in `told`.
    pub(crate) async fn answer(&mut self, id: u64) -> Json {
        loop {
            let message = self.next().await;
            let Some(found) = message.get("id") else {
                self.told.push(message);
                continue;
            };
            assert_eq!(*found, Json::from(id), "another answer came: {message}");
            return message;
        }
    }

    pub(crate) async fn ask(&mut self, method: &str, params: &str) -> Json {
        let id = self.begin(method, params).await;
        self.answer(id).await
    }

    /// Calls a tool; the whole answer.
    pub(crate) async fn call(&mut self, tool: &str, arguments: &str) -> Json {
        self.ask("tools/call", &call(tool, arguments)).await
    }
}

pub(crate) fn call(tool: &str, arguments: &str) -> String {
    format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#)
}

pub(crate) fn initialize() -> String {
    r#"{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}"#.to_owned()
}
