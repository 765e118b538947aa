//! A command line as a shell splits it into words.

use super::{
    CurlError,
    expansions::{BEGIN, END},
    line::is_curl,
};

/// Characters of a line.
const MAX_LINE: usize = 1 << 20;

/// Splits as a POSIX shell does (2.2, quoting), and reads `$'…'` as bash does. Nothing is expanded: what a shell would
/// put something in place of is [marked](super::expansions).
pub(super) fn split(line: &str) -> Result<Vec<String>, CurlError> {
    if line.len() > MAX_LINE {
        return Err(CurlError::new("the line is longer than 1 MiB"));
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    // Whether the word is where a redirection goes, which is none of the command's.
    let mut is_target = false;
    // Whether the word is known to be a URL, so that it is not searched again for each `&` in it.
    let mut is_url = false;
    // Whether some of the word is quoted.
    let mut is_quoted = false;
    // Whether a `>` within the word is known to be text.
    let mut is_text = false;
    let mut rest = line.chars().peekable();
    while let Some(found) = rest.next() {
        let has_begun = word.is_some();
        is_url &= has_begun;
        is_text &= has_begun;
        is_quoted = (is_quoted && has_begun) || matches!(found, '\'' | '"' | '\\');
        match found {
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match rest.next().ok_or_else(unclosed)? {
                        '\'' => break,
                        other => word.push(other),
                    }
                }
            }
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '$' if rest.peek() == Some(&'\'') => {
                rest.next();
                is_quoted = true;
                ansi_quoted(&mut rest, word.get_or_insert_default())?;
            }
            '$' => dollar(&mut rest, word.get_or_insert_default())?,
            // How the shells of Windows join lines, and how a browser quotes for one of them.
            '^' | '`' if matches!(rest.peek(), Some('\n' | '\r')) => return Err(for_windows()),
            '^' if word.is_none() && rest.peek() == Some(&'"') => return Err(for_windows()),
            '`' => backtick(&mut rest, word.get_or_insert_default())?,
            '\\' => match rest.next() {
                Some('\n') | None => {}
                Some('\r') if rest.peek() == Some(&'\n') => drop(rest.next()),
                Some(other) => word.get_or_insert_default().push(other),
            },
            // A line's end ends the command if another follows. What stands before the first one, as comments and
            // variables do, is none.
            '\n' | '\r' => {
                finish(&mut words, &mut word, &mut is_target);
                // What is blank is passed over here, so that no further line end looks ahead over it again.
                while rest.next_if(|found| found.is_whitespace()).is_some() {}
                if rest.clone().take(5).eq("curl ".chars()) && words.iter().any(|word| is_curl(word)) {
                    break;
                }
            }
            // Where output goes (2.7), and of which kind. What is directly before it is a word, but for a number.
            '>' => {
                let plain = word.as_ref().filter(|_| !is_quoted);
                // One within a URL or a placeholder (`<id>`) is left to people who forget to quote it.
                is_text = is_text || plain.is_some_and(|word| word.contains("://") || word.contains('<'));
                if is_text {
                    word.get_or_insert_default().push('>');
                } else {
                    if plain.is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit())) {
                        word = None;
                    }
                    finish(&mut words, &mut word, &mut is_target);
                    while rest.next_if(|found| matches!(found, '>' | '|' | '&')).is_some() {}
                    is_target = true;
                }
            }
            // What joins commands.
            ';' | '|' => break,
            '&' => {
                is_url = is_url || word.as_ref().is_some_and(|word| word.contains("://"));
                // One within a URL is left to people who forget to quote it.
                if !is_url {
                    break;
                }
                word.get_or_insert_default().push('&');
            }
            found if found.is_whitespace() => finish(&mut words, &mut word, &mut is_target),
            '#' if word.is_none() => {
                while rest.peek().is_some_and(|found| *found != '\n') {
                    rest.next();
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    finish(&mut words, &mut word, &mut is_target);
    Ok(words)
}

/// Ends a word, if one has begun. One that is where a redirection goes is left out.
fn finish(words: &mut Vec<String>, word: &mut Option<String>, is_target: &mut bool) {
    if let Some(word) = word.take()
        && !std::mem::take(is_target)
    {
        words.push(word);
    }
}

type Rest<'r> = std::iter::Peekable<std::str::Chars<'r>>;

fn unclosed() -> CurlError {
    CurlError::new("the line has a quote or a bracket that nothing closes")
}

fn for_windows() -> CurlError {
    CurlError::new("the line is written for a shell of Windows (cmd or PowerShell): copy it for bash, or POSIX")
}

fn double_quoted(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    loop {
        match rest.next().ok_or_else(unclosed)? {
            '"' => return Ok(()),
            '\\' => match rest.next().ok_or_else(unclosed)? {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            '$' => dollar(rest, word)?,
            // How PowerShell quotes in quotes.
            '`' if rest.peek() == Some(&'"') => return Err(for_windows()),
            '`' => backtick(rest, word)?,
            other => word.push(other),
        }
    }
}

/// What a `$` begins (2.6): `$(…)`, `${…}`, a variable or a special parameter. Before anything else it is text.
fn dollar(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    let begins_name = |found: char| found.is_ascii_alphabetic() || found == '_';
    match rest.peek().copied() {
        Some('(') => {
            word.extend([BEGIN, '$']);
            bracketed(rest, word)?;
        }
        Some('{') => {
            word.extend([BEGIN, '$']);
            up_to('}', true, rest, word)?;
        }
        Some(first) if begins_name(first) => {
            word.extend([BEGIN, '$']);
            while let Some(found) = rest.next_if(|found| begins_name(*found) || found.is_ascii_digit()) {
                word.push(found);
            }
        }
        Some(special) if special.is_ascii_digit() || "@*#?-$!".contains(special) => {
            word.extend([BEGIN, '$']);
            word.extend(rest.next());
        }
        _ => {
            word.push('$');
            return Ok(());
        }
    }
    word.push(END);
    Ok(())
}

/// What is between backticks; the first was read.
fn backtick(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    word.extend([BEGIN, '`']);
    up_to('`', true, rest, word)?;
    word.push(END);
    Ok(())
}

/// A bracket up to the one that closes it, as it is written.
fn bracketed(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    let mut open = 0_u32;
    loop {
        let found = rest.next().ok_or_else(unclosed)?;
        word.push(found);
        match found {
            '(' => open += 1,
            ')' if open == 1 => return Ok(()),
            ')' => open -= 1,
            '\\' => word.extend(rest.next()),
            '\'' => up_to('\'', false, rest, word)?,
            '"' => up_to('"', true, rest, word)?,
            _ => {}
        }
    }
}

/// All up to that character and with it, as it is written.
fn up_to(end: char, has_escapes: bool, rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    loop {
        let found = rest.next().ok_or_else(unclosed)?;
        word.push(found);
        if found == end {
            return Ok(());
        }
        if has_escapes && found == '\\' {
            word.extend(rest.next());
        }
    }
}

fn ansi_quoted(rest: &mut Rest<'_>, word: &mut String) -> Result<(), CurlError> {
    // Bytes that are escaped one by one: they are characters together.
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        let found = rest.next().ok_or_else(unclosed)?;
        let escaped = if found == '\\' { Some(rest.next().ok_or_else(unclosed)?) } else { None };
        let byte = match escaped {
            Some(first @ '0'..='7') => byte_of(&format!("{first}{}", digits(rest, 8, 2)), 8),
            Some('x') => byte_of(&digits(rest, 16, 2), 16),
            _ => None,
        };
        if let Some(byte) = byte {
            bytes.push(byte);
            continue;
        }
        word.push_str(&String::from_utf8(std::mem::take(&mut bytes)).map_err(|_| no_character())?);
        let found = match escaped {
            None if found == '\'' => return Ok(()),
            None | Some('\\' | '\'' | '"' | '?') => escaped.unwrap_or(found),
            Some('a') => '\x07',
            Some('b') => '\x08',
            Some('e' | 'E') => '\x1b',
            Some('f') => '\x0c',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('t') => '\t',
            Some('v') => '\x0b',
            Some('u') => code(rest, 4)?,
            Some('U') => code(rest, 8)?,
            // Before anything else the backslash is one.
            Some(other) => {
                word.push('\\');
                other
            }
        };
        word.push(found);
    }
}

/// As many digits as there are, up to a number.
fn digits(rest: &mut Rest<'_>, radix: u32, most: usize) -> String {
    let mut digits = String::new();
    while digits.len() < most && rest.peek().is_some_and(|found| found.is_digit(radix)) {
        digits.extend(rest.next());
    }
    digits
}

/// The byte that digits write, of which a shell takes the low bits. `None` without digits.
fn byte_of(digits: &str, radix: u32) -> Option<u8> {
    u32::from_str_radix(digits, radix).ok().map(|code| (code & 0xff) as u8)
}

fn code(rest: &mut Rest<'_>, most: usize) -> Result<char, CurlError> {
    let code = u32::from_str_radix(&digits(rest, 16, most), 16).ok().and_then(char::from_u32);
    code.ok_or_else(no_character)
}

fn no_character() -> CurlError {
    CurlError::new("the line has an escape that is no character")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use callout_hostile::within;

    use super::*;

    #[test]
    fn words_are_what_a_shell_makes_of_them() {
        for (line, expected) in [
            ("curl  a\tb", vec!["curl", "a", "b"]),
            (r#"curl 'a b' "c \" d" e\ f"#, vec!["curl", "a b", "c \" d", "e f"]),
            ("curl \\\n  x", vec!["curl", "x"]),
            ("curl \\\r\n  x", vec!["curl", "x"]),
            (r#"-d "it's \n""#, vec!["-d", r"it's \n"]),
            (r"-d $'it\'s\n\u00e9'", vec!["-d", "it's\né"]),
            (r"$'\041\x21\1012'", vec!["!!A2"]),
            (r"$'\xc3\xa9\303\251x\u00e9'", vec!["ééxé"]),
            (r#"$'\a\b\e\E\f\v\?\"\q\xg'"#, vec!["\x07\x08\x1b\x1b\x0c\x0b?\"\\q\\xg"]),
            ("a'b'\"c\"d ''", vec!["abcd", ""]),
            ("curl x # comment", vec!["curl", "x"]),
            ("curl x | jq .", vec!["curl", "x"]),
            ("curl https://x.example/?a=1&b=2", vec!["curl", "https://x.example/?a=1&b=2"]),
            ("curl x && rm y", vec!["curl", "x"]),
            ("curl >a x 2>&1 -d y >> 'b c' >|d z>e", vec!["curl", "x", "-d", "y", "z"]),
            ("-d ''>a -d '5'>a -d \\5>a -d $'5'>a", vec!["-d", "", "-d", "5", "-d", "5", "-d", "5"]),
            (
                r#"-H "X: 1">a "https://x.example/">b -d a=1>/dev/null>c y"#,
                vec!["-H", "X: 1", "https://x.example/", "-d", "a=1", "y"],
            ),
            ("https://x.example/?a>b -d id=<id> '2' 2>c", vec!["https://x.example/?a>b", "-d", "id=<id>", "2"]),
            ("curl x\ncurl y", vec!["curl", "x"]),
            ("curl x\n  -d y", vec!["curl", "x", "-d", "y"]),
            ("\n\ncurl x\ncurl y", vec!["curl", "x"]),
            ("# what it does\n  curl x\n/bin/curl y\ncurl z", vec!["curl", "x", "/bin/curl", "y"]),
            ("A=curl\nB=/bin/curl\ncurl x", vec!["A=curl", "B=/bin/curl", "curl", "x"]),
            ("", vec![]),
        ] {
            assert_eq!(split(line).unwrap(), expected, "{line}");
        }
        for bad in [
            "curl 'a",
            "curl \"a",
            "curl $'a",
            "curl ${a",
            "curl \"$(a\"",
            "curl `a",
            r"curl $'\ud800'",
            r"curl $'\xc3x'",
            r"curl $'\777'",
            "curl \"a\\",
        ] {
            assert!(split(bad).is_err(), "{bad}");
        }
    }

    /// Marked by `<` and `>` here.
    #[test]
    fn what_a_shell_expands_is_marked_and_no_other_dollar_is() {
        for (line, expected) in [
            (r#"a/$B_1/c "$B-${C}" $? pa$$word"#, vec!["a/<$B_1>/c", "<$B>-<${C}>", "<$?>", "pa<$$>word"]),
            (r#"'$A' \$A "\$A" $ 5$ "5$" $.a $'$A'"#, vec!["$A", "$A", "$A", "$", "5$", "5$", "$.a", "$A"]),
            (r#"$(a | b "(" '(' \( $(c)) d"#, vec![r#"<$(a | b "(" '(' \( $(c))>"#, "d"]),
            (r#""x: $(a "b" c)" `d; e` "`f`""#, vec![r#"x: <$(a "b" c)>"#, "<`d; e`>", "<`f`>"]),
            ("${A:-b c} x", vec!["<${A:-b c}>", "x"]),
        ] {
            let words: Vec<_> =
                split(line).unwrap().iter().map(|word| word.replace(BEGIN, "<").replace(END, ">")).collect();
            assert_eq!(words, expected, "{line}");
        }
    }

    #[test]
    fn a_long_line_is_gone_through_once_whatever_it_is_made_of() {
        let often = |text: &str| text.repeat(50_000);
        for (line, words) in [
            (often("\n"), 0),
            (often("\r\n "), 0),
            (often("x\n"), 50_000),
            (often("curl x\n"), 2),
            (format!("https://x.example/?a{}", often("&b")), 1),
            (format!("{}://{}", often("x"), often("&")), 1),
            (often("$a "), 50_000),
            (format!("{}{}", often("$("), often(")")), 1),
        ] {
            let found = within(Duration::from_millis(500), &line[..20], || split(&line).unwrap().len());
            assert_eq!(found, words, "{}", &line[..20]);
        }
    }
}
