//! What a command writes. Data is written as it is, but on a terminal, which would obey its control characters; text of
//! the program's own has its colours on terminals alone. That standard output cannot be written ends the program, unless
//! it is for a reader that has gone, who may miss all but what is shown once.

use std::{
    borrow::Cow,
    fmt::Display,
    io::{self, ErrorKind, IsTerminal, Write},
};

use crate::Stop;

/// Data, to standard output.
pub(crate) fn data(text: &str) -> Result<(), Stop> {
    written(put(text))
}

/// Data that is a line of its own, or several.
pub(crate) fn data_line(text: impl Display) -> Result<(), Stop> {
    data(&format!("{text}\n"))
}

/// The same, for what is shown this once: that its reader has gone is an error too.
pub(crate) fn once(text: impl Display) -> Result<(), Stop> {
    put(&format!("{text}\n")).map_err(unwritable)
}

/// Text of the program's own, colours within, to standard output.
pub(crate) fn own(text: impl Display) -> Result<(), Stop> {
    let mut stream = anstream::stdout();
    let done = write!(stream, "{text}").and_then(|()| stream.flush());
    written(done)
}

/// The same, as a line.
pub(crate) fn line(text: impl Display) -> Result<(), Stop> {
    own(format_args!("{text}\n"))
}

/// A line of the program's own on standard error, of which data is a part as it is [`shown`]. That there is no room for
/// it can be told nowhere.
pub(crate) fn aside(text: impl Display) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

fn put(text: &str) -> io::Result<()> {
    let mut stream = io::stdout();
    let shown = if stream.is_terminal() { shown(text) } else { Cow::Borrowed(text) };
    stream.write_all(shown.as_bytes())?;
    stream.flush()
}

fn written(done: io::Result<()>) -> Result<(), Stop> {
    match done {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(unwritable(error)),
        Err(_) | Ok(()) => Ok(()),
    }
}

fn unwritable(error: io::Error) -> Stop {
    Stop(format!("standard output: {error}"))
}

/// The text with what a terminal would obey written by its number, as JSON writes it.
pub(crate) fn shown(text: &str) -> Cow<'_, str> {
    let is_obeyed = |found: char| found.is_control() && !matches!(found, '\n' | '\t');
    if !text.contains(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(found) = characters.next() {
        // Many texts end their lines so.
        let is_of_line_end = found == '\r' && characters.peek() == Some(&'\n');
        if is_obeyed(found) && !is_of_line_end {
            shown.push_str(&format!("\\u{:04x}", u32::from(found)));
        } else {
            shown.push(found);
        }
    }
    shown.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_control_characters_and_does_not_obey_them() {
        for (text, expected) in [
            ("plain\n\ttext, é 日本\r\n", "plain\n\ttext, é 日本\r\n"),
            ("a\u{1b}]0;title\u{7}b", r"a\u001b]0;title\u0007b"),
            ("a\rb\r\nc", "a\\u000db\r\nc"),
            ("{\"d\":\"\u{7f}\u{9b}\0\"}", r#"{"d":"\u007f\u009b\u0000"}"#),
            ("", ""),
        ] {
            assert_eq!(shown(text), expected, "{text:?}");
        }
    }
}
