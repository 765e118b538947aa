//! Calls a second of MCP servers over HTTP, side by side: the same calls to each in turn, round by round,
//! so that whatever else the machine does falls on all of them.
//!
//! ```text
//! callout-mcp-bench upstream ADDRESS
//! callout-mcp-bench load [--sessions] [--connections N] [--rounds N] [--seconds N] SERVER…
//! ```
//!
//! A SERVER is `NAME,ADDRESS,TOOL[,KEY]`: how it is called here, where it listens (its path is `/mcp`), the
//! tool, and the bearer key if it takes one. With `--sessions` each connection begins with `initialize`,
//! as clients before revision 2026-07-28 do; without, each request stands for itself.

mod client;
mod upstream;

use std::{process::ExitCode, time::Duration};

use client::{Server, Style};

/// How a run is made, each with its default.
struct Options {
    style: Style,
    /// Calls in flight. Default 16.
    connections: usize,
    /// Default 7.
    rounds: usize,
    /// Of one server in one round. Default 3 s.
    length: Duration,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((command, [address])) if command == "upstream" => upstream::serve(address),
        Some((command, rest)) if command == "load" => load(rest),
        _ => Err("usage: upstream ADDRESS | load [FLAGS] NAME,ADDRESS,TOOL[,KEY]…".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn load(arguments: &[String]) -> Result<(), String> {
    let mut options = Options { style: Style::Alone, connections: 16, rounds: 7, length: Duration::from_secs(3) };
    let mut servers = Vec::new();
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut number =
            || arguments.next().and_then(|text| text.parse().ok()).ok_or(format!("{argument} takes a number"));
        match &**argument {
            "--sessions" => options.style = Style::Sessions,
            "--connections" => options.connections = number()?,
            "--rounds" => options.rounds = number()?,
            "--seconds" => options.length = Duration::from_secs(number()? as u64),
            server => servers.push(Server::read(server)?),
        }
    }
    let mut rates = vec![Vec::new(); servers.len()];
    for round in 0..=options.rounds {
        for (server, rates) in servers.iter().zip(&mut rates) {
            let rate = client::calls_per_second(server, options.style, options.connections, options.length)?;
            // The first round warms connections and caches.
            if round > 0 {
                rates.push(rate);
            }
        }
    }
    let first = rates.first().cloned().unwrap_or_default();
    for (server, rates) in servers.iter().zip(rates) {
        let ratios = rates.iter().zip(&first).map(|(rate, first)| rate / first).collect();
        println!("{:24} {:8.0} calls/s   {:.2} of the first", server.name, median(rates), median(ratios));
    }
    Ok(())
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
