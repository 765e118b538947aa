//! Every bound of the engine in one place, each with its default.

use std::time::Duration;

/// Bounds on what tenants, models and upstreams can make the engine hold or do.
///
/// Reaching one is an error that names it, never a crash and never a silent cut (but for
/// `max_result_length`, an endpoint's own, which says that it cut).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Bytes of a response body after decompression. Default 10 MiB.
    pub max_response_bytes: usize,
    /// Bytes of all response headers, names and values. Default 64 KiB. Over HTTP/1 there may be 100 of them,
    /// however short they are.
    pub max_header_bytes: usize,
    /// Bytes of a token endpoint's answer. Default 64 kB.
    pub max_token_response_bytes: usize,
    /// Bytes of one token. Default 16 kB.
    pub max_token_bytes: usize,
    /// Arrays and objects open at once in a body or in params. Default 128.
    pub max_json_depth: usize,
    /// Bytes of the params of one call, as compact JSON. Default 1 MiB.
    pub max_params_bytes: usize,
    /// Bytes of an `input_schema`, as compact JSON. Default 64 KiB.
    pub max_schema_bytes: usize,
    /// Bytes of one path (dotted, pointer, `JSONPath`). Default 1 KiB.
    pub max_path_bytes: usize,
    /// Brackets and parentheses open at once in a `JSONPath`. Default 32.
    pub max_path_nesting: usize,
    /// Nodes that one path may visit in one body. Default 100,000. What takes longer than to look at a node, such as
    /// to match a long text, counts as several (`guide::behaviour` has the rules, in section 6).
    pub max_path_matches: usize,
    /// Nodes that all paths of one endpoint, of its filter, mapping and result key, may visit in one body
    /// together. Default 1,000,000.
    pub max_total_path_matches: usize,
    /// Bytes that the patterns (regular expressions) in the paths and input schemas of one config may take
    /// when they are compiled, with what is tried to find out how large they are. Equal ones of input schemas are
    /// compiled once. Default 32 MiB.
    pub max_pattern_bytes: usize,
    /// Paths of one endpoint's filter, and of its mapping. Default 256 each.
    pub max_paths: usize,
    /// Bytes of the result of an endpoint's mapping, as compact JSON, and of that of a result key with several
    /// matches: either may hold one value of a body again and again. Default 40 MiB, four times
    /// `max_response_bytes`: who raises that raises this too.
    pub max_result_bytes: usize,
    /// Bytes of a template's source. Default 16 KiB.
    pub max_template_bytes: usize,
    /// Work that one render may take, in instructions. Default 100,000, which is the most too: more
    /// counts as that.
    pub template_fuel: u64,
    /// Bytes that one render may write. Default 1 MiB.
    pub max_template_output_bytes: usize,
    /// Headers of one endpoint. Default 64.
    pub max_headers: usize,
    /// Calls in flight at once per upstream (scheme, host and port). Default 1,024.
    pub max_calls_per_upstream: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_response_bytes: 10 << 20,
            max_header_bytes: 64 << 10,
            max_token_response_bytes: 64_000,
            max_token_bytes: 16_000,
            max_json_depth: 128,
            max_params_bytes: 1 << 20,
            max_schema_bytes: 64 << 10,
            max_path_bytes: 1 << 10,
            max_path_nesting: 32,
            max_path_matches: 100_000,
            max_total_path_matches: 1_000_000,
            max_pattern_bytes: 32 << 20,
            max_paths: 256,
            max_result_bytes: 40 << 20,
            max_template_bytes: 16 << 10,
            template_fuel: 100_000,
            max_template_output_bytes: 1 << 20,
            max_headers: 64,
            max_calls_per_upstream: 1024,
        }
    }
}

/// How long a call and its parts may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timeouts {
    /// Making a connection: name look-up, TCP, TLS. Default 5 s.
    ///
    /// The same for all calls of an engine, since they share connections: one that a call asks for is not
    /// looked at.
    pub connect: Duration,
    /// One attempt, from its first byte to the last byte of its answer. Default 30 s.
    pub attempt: Duration,
    /// The whole call: token, attempts, waits, body and pipeline. Default 60 s.
    pub call: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), attempt: Duration::from_secs(30), call: Duration::from_mins(1) }
    }
}
