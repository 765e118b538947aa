//! How things look on a terminal: colour only there, plain text elsewhere.

use std::fmt::Display;

use anstyle::{AnsiColor, Style};
use callout::{Error, Json, Length, SentRequest, Trace, Truncation};

use crate::{Stop, out};

const HEADING: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default().bold();

/// How many lines of one value a trace shows.
const SHOWN_LINES: usize = 40;

fn styled(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

pub(crate) fn good(text: impl Display) -> String {
    styled(GOOD, text)
}

pub(crate) fn bad(text: impl Display) -> String {
    styled(BAD, text)
}

pub(crate) fn dim(text: impl Display) -> String {
    styled(DIM, text)
}

pub(crate) fn heading(text: impl Display) -> String {
    styled(HEADING, text)
}

/// How many there are of what, with its word for one or for several.
pub(crate) fn count<N: Display + PartialEq + From<u8>>(count: N, one: &str, several: &str) -> String {
    let word = if count == N::from(1) { one } else { several };
    format!("{count} {word}")
}

/// To standard error.
pub(crate) fn error(message: &str) {
    for line in message.lines() {
        out::aside(format_args!("{} {}", styled(BAD, "error:"), out::shown(line)));
    }
}

/// To standard error.
pub(crate) fn note(message: &str) {
    out::aside(dim(format!("note: {}", out::shown(message))));
}

/// An error with its code, causes and what can be done.
pub(crate) fn failure(error: &Error) -> String {
    let mut text = format!("{error} [{}]", error.kind());
    let mut cause = std::error::Error::source(error);
    while let Some(source) = cause {
        text.push_str(&format!(": {source}"));
        cause = source.source();
    }
    if let Some(after) = error.retry_after() {
        text.push_str(&format!("; the upstream asks to wait {} s", after.as_secs()));
    } else if error.is_retryable() {
        text.push_str("; trying again later may help");
    }
    text
}

pub(crate) fn cut(truncation: &Truncation) -> String {
    match truncation.from {
        Length::Exactly(from) => format!("cut to {} of {}", truncation.kept, characters(from)),
        Length::AtLeast(from) => format!("cut to {} of at least {}", truncation.kept, characters(from)),
    }
}

fn characters(length: usize) -> String {
    count(length, "character", "characters")
}

/// How often a call was tried again.
pub(crate) fn retries(retries: u32) -> String {
    count(retries, "retry", "retries")
}

/// A request for a person to read.
pub(crate) fn request(request: &SentRequest) -> Result<(), Stop> {
    out::own(heading("request"))?;
    out::data_line(format_args!("  {} {}", request.method, request.url))?;
    for (name, value) in &request.headers {
        out::own(DIM)?;
        out::data(&format!("  {name}: {value}"))?;
        out::line(format_args!("{DIM:#}"))?;
    }
    match &request.body {
        Some(body) => block(&Json::parse(body).map_or_else(|_| body.clone(), |body| format!("{body:#}"))),
        None => Ok(()),
    }
}

/// A whole call for a person to read.
pub(crate) fn trace(trace: &Trace) -> Result<(), Stop> {
    if let Some(sent) = &trace.request {
        request(sent)?;
    }
    if let Some(status) = trace.status {
        let retries = if trace.retries == 0 { String::new() } else { format!(", {}", retries(trace.retries)) };
        let milliseconds = trace.duration.as_secs_f64() * 1e3;
        out::line(format_args!("{}  {status} in {milliseconds:.1} ms{retries}", heading("response")))?;
    }
    let stages = [
        ("", &trace.raw_response),
        ("after response_filter", &trace.after_filter),
        ("after response_mapping", &trace.after_mapping),
        ("after result_key", &trace.after_result_key),
    ];
    let mut before: Option<&Json> = None;
    for (name, value) in stages {
        let Some(value) = value else { continue };
        if before == Some(value) {
            out::line(format_args!("{}  {}", heading(name), dim("unchanged")))?;
        } else {
            if !name.is_empty() {
                out::line(heading(name))?;
            }
            block(&format!("{value:#}"))?;
        }
        before = Some(value);
    }
    if let Some(text) = &trace.text {
        let delivery =
            trace.delivery.map(|delivery| format!(", delivered as {}", delivery.as_str())).unwrap_or_default();
        let cut = text.truncation.as_ref().map(|truncation| format!(", {}", cut(truncation))).unwrap_or_default();
        let length = characters(text.text.chars().count());
        out::line(format_args!("{}  {length}{delivery}{cut}", heading("text")))?;
        block(&text.text)?;
    }
    if let Some(error) = &trace.error {
        out::own(bad("error"))?;
        out::data_line(format_args!("  {}", failure(error)))?;
    }
    Ok(())
}

/// Data, each line behind two spaces, at most [`SHOWN_LINES`] of them.
fn block(text: &str) -> Result<(), Stop> {
    out::data_line(indented(text))?;
    let left = text.lines().count().saturating_sub(SHOWN_LINES);
    if left == 0 {
        return Ok(());
    }
    let left = count(left, "more line", "more lines");
    out::line(format_args!("  {}", dim(format!("… {left}; --json shows all"))))
}

/// The first [`SHOWN_LINES`] lines, each behind two spaces.
pub(crate) fn indented(text: &str) -> String {
    let lines: Vec<_> = text.lines().take(SHOWN_LINES).map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// One word of a POSIX shell's line.
pub(crate) fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_stays_one_word() {
        for (text, word) in [("it's", r"'it'\''s'"), ("", "''"), ("a b", "'a b'"), ("/a/b-c_1.db", "/a/b-c_1.db")] {
            assert_eq!(quoted(text), word);
        }
    }
}
