//! A request as a command line.

use crate::SentRequest;

/// Bytes of a body that are given as an argument: Linux takes less than 131,072 in one.
const MAX_ARGUMENT: usize = 100_000;

impl SentRequest {
    /// The request as a `curl` command, quoted for POSIX shells: whatever stands in it, the shell
    /// takes each part as one word and expands nothing. Masked secrets are `***`; put the real ones
    /// in their place. A body of more than 100,000 bytes comes through a pipe, as no argument may be that long.
    pub fn to_curl(&self) -> String {
        // Without one curl would leave out `Content-Length: 0`, which is sent and which some servers ask for.
        let empty = matches!(self.method.as_str(), "POST" | "PUT" | "PATCH").then_some("");
        let body = self.body.as_deref().or(empty);
        let long = body.filter(|body| body.len() > MAX_ARGUMENT);
        // It is built into the shell, which bounds what other programs are given.
        let mut command = long.map_or_else(String::new, |body| format!("printf %s {} | ", quoted(body)));
        // Without --globoff curl would expand brackets and braces in a URL.
        command.push_str(&format!(
            "curl --globoff --compressed --request {} {}",
            quoted(&self.method),
            quoted(&self.url)
        ));
        for (name, value) in &self.headers {
            // `Name:` would take a header away, also with spaces behind it; `Name;` sends it empty.
            let header = if value.trim().is_empty() { format!("{name};") } else { format!("{name}: {value}") };
            command.push_str(&format!(" \\\n  --header {}", quoted(&header)));
        }
        if long.is_some() {
            command.push_str(" \\\n  --data-binary @-");
        } else if let Some(body) = body {
            // Unlike --data, it takes a leading `@` for what it is.
            command.push_str(&format!(" \\\n  --data-raw {}", quoted(body)));
        }
        command
    }
}

/// One word of a POSIX shell (IEEE 1003.1, Shell Command Language, 2.2.2).
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        process::{Command, Stdio},
    };

    use super::*;

    fn request(body: Option<&str>) -> SentRequest {
        SentRequest {
            method: "POST".into(),
            url: "https://api.example/a?q=[1]&r={x}$(reboot)".into(),
            headers: vec![
                ("x-it".into(), "it's `id` \"$HOME\"".into()),
                ("x-empty".into(), String::new()),
                ("x-spaces".into(), "  ".into()),
            ],
            body: body.map(str::to_owned),
        }
    }

    #[test]
    fn a_method_that_has_a_body_has_an_empty_one_where_there_is_none() {
        for (method, has_data) in [("POST", true), ("PUT", true), ("PATCH", true), ("GET", false), ("DELETE", false)] {
            let command = SentRequest { method: method.into(), ..request(None) }.to_curl();
            assert_eq!(command.ends_with(" \\\n  --data-raw ''"), has_data, "{command}");
            assert_eq!(command.contains("--data-raw"), has_data, "{command}");
        }
    }

    #[test]
    fn a_body_that_is_too_long_for_an_argument_comes_through_a_pipe() {
        let of_length = |length: usize| format!("it's 100% \\n$(x)\n{}\n", "x".repeat(length));
        let body = of_length(200_000);
        let command = request(Some(&body)).to_curl();
        assert!(command.starts_with("printf %s 'it'") && command.ends_with(" \\\n  --data-binary @-"));
        // A shell's own word on it, which is given its script as it would be by a pipe.
        let script = command.replacen("| curl", "| cat; : curl", 1);
        let mut shell =
            Command::new("sh").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = shell.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert!(output.stdout == body.as_bytes(), "{} bytes of {}", output.stdout.len(), body.len());
        assert!(request(Some(&of_length(90_000))).to_curl().starts_with("curl "));
    }

    #[test]
    fn a_shell_takes_each_part_as_one_word() {
        let command = request(Some("@{\"a\":\"it's\\n;&|*~\"}\n$(x)")).to_curl();
        insta::assert_snapshot!(command, @r#"
        curl --globoff --compressed --request POST 'https://api.example/a?q=[1]&r={x}$(reboot)' \
          --header 'x-it: it'\''s `id` "$HOME"' \
          --header 'x-empty;' \
          --header 'x-spaces;' \
          --data-raw '@{"a":"it'\''s\n;&|*~"}
        $(x)'
        "#);
        // A shell's own word on it.
        let script = command.replacen("curl", "printf '%s\\0'", 1);
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        let words: Vec<_> = words.trim_end_matches('\0').split('\0').collect();
        let expected = [
            "--globoff",
            "--compressed",
            "--request",
            "POST",
            "https://api.example/a?q=[1]&r={x}$(reboot)",
            "--header",
            "x-it: it's `id` \"$HOME\"",
            "--header",
            "x-empty;",
            "--header",
            "x-spaces;",
            "--data-raw",
            "@{\"a\":\"it's\\n;&|*~\"}\n$(x)",
        ];
        assert_eq!(words, expected);
    }
}
