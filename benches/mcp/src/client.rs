//! Calls one tool over and over, on connections that stay open.
#![expect(clippy::disallowed_methods, reason = "it is real time that is measured")]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::upstream::MARKER;

/// What each request of revision 2026-07-28 carries.
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}"#;

/// Which kind of client calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// Revision 2026-07-28.
    Alone,
    /// Revision 2025-06-18.
    Sessions,
}

#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    address: String,
    tool: String,
    key: Option<String>,
}

impl Server {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut parts = text.split(',').map(str::to_owned);
        let (Some(name), Some(address), Some(tool)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(format!("a server is NAME,ADDRESS,TOOL[,KEY], not {text}"));
        };
        Ok(Self { name, address, tool, key: parts.next() })
    }
}

/// How many good calls a second so many connections get done.
pub(crate) fn calls_per_second(
    server: &Server,
    style: Style,
    connections: usize,
    length: Duration,
) -> Result<f64, String> {
    let ready = (0..connections).map(|_| Connection::open(server, style)).collect::<Result<Vec<_>, _>>()?;
    let began = Instant::now();
    let calling = ready.into_iter().map(|mut connection| {
        thread::spawn(move || {
            let mut done = 0_u32;
            while began.elapsed() < length {
                let answer = connection.ask(&connection.call.clone())?;
                if !answer.contains(MARKER) {
                    return Err(format!("not a good result: {answer}"));
                }
                done += 1;
            }
            Ok(done)
        })
    });
    let calling: Vec<_> = calling.collect();
    let mut calls = 0;
    for each in calling {
        calls += each.join().map_err(|_| "a connection's thread has failed")??;
    }
    Ok(f64::from(calls) / began.elapsed().as_secs_f64())
}

struct Connection {
    writer: TcpStream,
    reader: BufReader<TcpStream>,
    /// The whole request of a call.
    call: String,
    /// The session that the server named last.
    session: Option<String>,
}

impl Connection {
    fn open(server: &Server, style: Style) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", server.name);
        let writer = TcpStream::connect(&server.address).map_err(failed)?;
        writer.set_nodelay(true).map_err(failed)?;
        writer.set_read_timeout(Some(Duration::from_secs(30))).map_err(failed)?;
        let reader = BufReader::new(writer.try_clone().map_err(failed)?);
        let mut connection = Self { writer, reader, call: String::new(), session: None };
        let tool = &server.tool;
        match style {
            Style::Alone => {
                let body = format!(
                    r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{"id":7}},{META}}}}}"#
                );
                let headers =
                    format!("mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: {tool}\r\n");
                connection.call = request(server, &headers, &body);
            }
            Style::Sessions => {
                let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
                connection.ask(&request(server, "", hello))?;
                let session = connection.session.clone().ok_or("no session came")?;
                let headers = format!("mcp-session-id: {session}\r\nmcp-protocol-version: 2025-06-18\r\n");
                let ready = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
                connection.ask(&request(server, &headers, ready))?;
                let body = format!(
                    r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{tool}","arguments":{{"id":7}}}}}}"#
                );
                connection.call = request(server, &headers, &body);
            }
        }
        Ok(connection)
    }

    /// Sends a request and reads the whole body of its answer.
    fn ask(&mut self, request: &str) -> Result<String, String> {
        self.writer.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        let status = self.line()?;
        let is_good = status.contains(" 200 ") || status.contains(" 202 ");
        let mut length = 0;
        let mut is_chunked = false;
        loop {
            let header = self.line()?;
            let (name, value) = header.split_once(':').unwrap_or((&header, ""));
            let value = value.trim();
            match &*name.to_ascii_lowercase() {
                "" => break,
                "content-length" => length = value.parse().map_err(|_| "a length that is no number")?,
                "transfer-encoding" => is_chunked = true,
                "mcp-session-id" => self.session = Some(value.to_owned()),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if is_chunked {
            loop {
                let size = usize::from_str_radix(&self.line()?, 16).map_err(|_| "a chunk without a size")?;
                self.take(size, &mut body)?;
                self.line()?;
                if size == 0 {
                    break;
                }
            }
        } else {
            self.take(length, &mut body)?;
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        if is_good { Ok(body) } else { Err(format!("{status}: {body}")) }
    }

    fn line(&mut self) -> Result<String, String> {
        let mut line = String::new();
        match self.reader.read_line(&mut line) {
            Ok(0) => Err("the server hung up".to_owned()),
            Ok(_) => Ok(line.trim_end().to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }

    fn take(&mut self, length: usize, into: &mut Vec<u8>) -> Result<(), String> {
        let start = into.len();
        into.resize(start + length, 0);
        self.reader.read_exact(&mut into[start..]).map_err(|error| error.to_string())
    }
}

fn request(server: &Server, headers: &str, body: &str) -> String {
    let key = server.key.as_ref().map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
    format!(
        "POST /mcp HTTP/1.1\r\nhost: {}\r\n{key}accept: application/json, text/event-stream\r\n\
         content-type: application/json\r\n{headers}content-length: {}\r\n\r\n{body}",
        server.address,
        body.len()
    )
}
