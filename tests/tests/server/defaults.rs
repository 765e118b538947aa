//! What is bounded unless told otherwise, in numbers: those that README and the behaviour pages tell.

use std::{fs, path::Path};

use callout::{Limits, RetryConfig, Timeouts};
use callout_mcp::HttpOptions;
use callout_server::ServerOptions;

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn every_default_is_what_it_was() {
    let limits = "Limits { max_response_bytes: 10485760, max_header_bytes: 65536, max_token_response_bytes: 64000, \
                  max_token_bytes: 16000, max_json_depth: 128, max_params_bytes: 1048576, max_schema_bytes: 65536, \
                  max_path_bytes: 1024, max_path_nesting: 32, max_path_matches: 100000, \
                  max_total_path_matches: 1000000, max_pattern_bytes: 33554432, max_paths: 256, \
                  max_result_bytes: 41943040, max_template_bytes: 16384, template_fuel: 100000, \
                  max_template_output_bytes: 1048576, max_headers: 64, max_calls_per_upstream: 1024 }";
    assert_eq!(format!("{:?}", Limits::default()), limits);
    assert_eq!(format!("{:?}", Timeouts::default()), "Timeouts { connect: 5s, attempt: 30s, call: 60s }");
    let retries = "RetryConfig { max_retries: 2, retry_on_status: [429, 502, 503, 504] }";
    assert_eq!(format!("{:?}", RetryConfig::default()), retries);
    let server = "ServerOptions { max_body_bytes: 2097152, max_integration_bytes: 1048576, read_timeout: 30s, \
                  max_connections: 4096, max_requests_per_workspace: 256, \
                  max_waiting_bytes_per_workspace: 268435456, shutdown_timeout: 65s, max_loaded_integrations: 1000, \
                  requests_per_minute: None, mcp_origins: [], max_mcp_sessions: 256 }";
    assert_eq!(format!("{:?}", ServerOptions::default()), server);
    let http = "HttpOptions { max_body_bytes: 4194304, allowed_hosts: [\"localhost\", \"127.0.0.1\", \"::1\"], \
                allowed_origins: [], max_sessions: 256, session_idle: 3600s }";
    assert_eq!(format!("{:?}", HttpOptions::default()), http);
}

#[test]
fn the_defaults_are_those_that_the_pages_tell() {
    let (limits, server) = (Limits::default(), ServerOptions::default());
    let Timeouts { connect, attempt, call, .. } = Timeouts::default();
    // How a row of README's table begins, its last cell, and whether that is so.
    let rows = [
        ("response body", "10 MiB", limits.max_response_bytes == 10 << 20),
        ("response headers", "64 KiB", limits.max_header_bytes == 64 << 10),
        (
            "answer of a token endpoint; one token",
            "64 kB; 16 kB",
            (limits.max_token_response_bytes, limits.max_token_bytes) == (64_000, 16_000),
        ),
        ("nesting of JSON", "128", limits.max_json_depth == 128),
        ("params of a call", "1 MiB", limits.max_params_bytes == 1 << 20),
        (
            "input schema; template source",
            "64 KiB; 16 KiB",
            (limits.max_schema_bytes, limits.max_template_bytes) == (64 << 10, 16 << 10),
        ),
        (
            "nodes visited in one body by one path; by all paths of an endpoint",
            "100,000; 1,000,000",
            (limits.max_path_matches, limits.max_total_path_matches) == (100_000, 1_000_000),
        ),
        ("patterns (regular expressions)", "32 MiB", limits.max_pattern_bytes == 32 << 20),
        ("result of a mapping", "40 MiB", limits.max_result_bytes == 40 << 20),
        (
            "steps of a template; its output",
            "100,000; 1 MiB",
            limits.template_fuel == 100_000 && limits.max_template_output_bytes == 1 << 20,
        ),
        // The second is the engine's own, which `no_more_than_1024_of_a_workspace_wait_and_4096_in_all` reaches.
        ("calls in flight to one upstream; calls", "1,024; 1,024", limits.max_calls_per_upstream == 1024),
        (
            "time to connect; for an attempt; for the whole call",
            "5 s; 30 s; 60 s",
            [connect, attempt, call].map(|time| time.as_millis()) == [5_000, 30_000, 60_000],
        ),
        (
            "body of a request to the server; an integration as stored",
            "2 MiB; 1 MiB",
            (server.max_body_bytes, server.max_integration_bytes) == (2 << 20, 1 << 20),
        ),
        (
            "per server: requests in flight of one workspace; its answers",
            "256; 256 MiB; 4,096, or nearly half of the files",
            (server.max_requests_per_workspace, server.max_waiting_bytes_per_workspace) == (256, 256 << 20)
                && server.max_connections == 4096,
        ),
        ("retries of a call", "2 by default, 10 at most", RetryConfig::default().max_retries == 2),
    ];
    let readme = read("README.md");
    let (_, table) = readme.split_once("\n| what | default |\n|---|---|\n").unwrap();
    let lines: Vec<_> = table.lines().take_while(|line| line.starts_with('|')).collect();
    assert_eq!(lines.len(), rows.len());
    for (line, (what, default, is_so)) in lines.into_iter().zip(rows) {
        let (left, right) = line.strip_prefix("| ").unwrap().rsplit_once(" | ").unwrap();
        assert!(left.starts_with(what) && right.starts_with(default) && is_so, "{what} | {default}: {line}");
    }

    let engine = read("crates/callout/src/guide/behaviour.md");
    let http = read("crates/callout-server/src/behaviour.md");
    for (page, rule, is_so) in [
        (&engine, "One upstream has at most 1,024 calls at once.", limits.max_calls_per_upstream == 1024),
        (&http, "a workspace has at most 256 requests in flight", server.max_requests_per_workspace == 256),
        (&http, "to take them have at most 256 MiB", server.max_waiting_bytes_per_workspace == 256 << 20),
        (&http, "at most 256 sessions and 512 listeners", server.max_mcp_sessions == 256),
    ] {
        assert!(page.contains(rule) && is_so, "{rule}");
    }
}
