//! Every fault that an upstream can commit, each on a path of its own: what `callout-faults` serves.

use std::{fmt::Write as _, time::Duration};

use crate::{Recorded, Reply};

/// A fault on a path.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Where it is.
    pub path: &'static str,
    /// What happens there.
    pub what: &'static str,
    reply: fn() -> Reply,
}

/// All of them.
pub const FAULTS: [Fault; 26] = [
    fault("/ok", "200 and a small JSON object", || Reply::json(200, r#"{"ok": true}"#)),
    fault("/503", "503, every time", || Reply::status(503)),
    fault("/429", "429 with `Retry-After: 1`", || Reply::status(429).header("retry-after", "1")),
    fault("/429-long", "429 with `Retry-After` of a day", || Reply::status(429).header("retry-after", "86400")),
    fault("/999", "a status that does not exist", || Reply::json(999, "{}")),
    fault("/101", "a protocol switch that nobody asked for", || Reply::status(101).header("upgrade", "x")),
    fault("/hang-up", "reads the request, closes the connection", Reply::hang_up),
    fault("/reset", "reads the request, resets the connection", Reply::reset),
    fault("/stall", "reads the request, says nothing", Reply::stall),
    fault("/stall-in-body", "sends the head and two bytes, then nothing", Reply::stall_in_body),
    fault("/slow", "answers after 2 s", || Reply::json(200, "{}").after(Duration::from_secs(2))),
    fault("/drip", "one byte every 0.9 s", || Reply::drip("x".repeat(1_000), Duration::from_millis(900))),
    fault("/truncated", "half the announced length", || Reply::truncated(r#"{"items": [1, 2"#, 30)),
    fault("/until-close", "half a JSON object, no length", || Reply::until_close(r#"{"items": [1, 2"#)),
    fault("/unfinished-chunks", "chunks without the last one", || Reply::unfinished_chunks(r#"{"items": [1, 2"#)),
    fault("/bad-chunk", "a chunk length that is no number", Reply::bad_chunk),
    fault("/endless-chunks", "chunks without an end", Reply::endless_chunks),
    fault("/endless-body", "a body without length and end", Reply::endless_body),
    fault("/endless-headers", "headers without an end", Reply::endless_headers),
    fault("/endless-1xx", "informational answers without an end", Reply::endless_informational),
    fault("/large-headers", "300 kB of headers", || Reply::large_headers(300_000)),
    fault("/length-and-chunks", "a length and chunks that disagree", Reply::length_and_chunks),
    fault("/stray", "an answer, and a second one unasked", || Reply::stray_second("{}", r#"{"stray": true}"#)),
    fault("/not-gzip", "`Content-Encoding: gzip` over plain text", || {
        Reply::json(200, r#"{"plain": true}"#).header("content-encoding", "gzip")
    }),
    fault("/elsewhere", "redirects to another origin", || Reply::redirect(307, "http://other.invalid/take")),
    fault("/loop", "redirects to itself", || Reply::redirect(302, "/loop")),
];

const fn fault(path: &'static str, what: &'static str, reply: fn() -> Reply) -> Fault {
    Fault { path, what, reply }
}

/// The answer to a request, by its path.
pub fn answer(request: &Recorded) -> Reply {
    match FAULTS.iter().find(|fault| fault.path == request.path()) {
        Some(fault) => (fault.reply)(),
        None if request.path() == "/" => Reply::bytes(200, "text/plain", table()),
        None => Reply::json(404, r#"{"error": "no such fault; see /"}"#),
    }
}

/// The list of paths, for people.
pub fn table() -> String {
    let mut table = String::new();
    for Fault { path, what, .. } in FAULTS {
        let _ = writeln!(table, "{path:<20} {what}");
    }
    table
}
