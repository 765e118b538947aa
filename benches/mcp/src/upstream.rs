//! The API behind the tools: one item, about a kilobyte of JSON, for whoever has the key.

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    thread,
};

/// What every good answer holds, and so every good result.
pub(crate) const MARKER: &str = "an item as it should be";

/// The key that the API wants, in `X-Key`.
pub(crate) const KEY: &str = "bench-key";

pub(crate) fn serve(address: &str) -> Result<(), String> {
    let listener = TcpListener::bind(address).map_err(|error| format!("{address}: {error}"))?;
    let rows: Vec<_> = (0..12)
        .map(|row| format!(r#"{{"id":{row},"name":"row number {row}","price":{row}.25,"tags":["a","b"],"sold":null}}"#))
        .collect();
    let body = format!(r#"{{"about":"{MARKER}","rows":[{}]}}"#, rows.join(","));
    let good = answer("200 OK", &body);
    let refused = answer("401 Unauthorized", r#"{"message":"the key is missing"}"#);
    for stream in listener.incoming() {
        let (good, refused) = (good.clone(), refused.clone());
        if let Ok(stream) = stream {
            thread::spawn(move || converse(stream, &good, &refused));
        }
    }
    Ok(())
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn converse(stream: TcpStream, good: &str, refused: &str) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut writer = stream.try_clone().ok()?;
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    loop {
        let mut has_key = false;
        loop {
            line.clear();
            if lines.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim_end().to_ascii_lowercase();
            has_key |= header == format!("x-key: {KEY}");
            if header.is_empty() {
                break;
            }
        }
        writer.write_all(if has_key { good } else { refused }.as_bytes()).ok()?;
    }
}
