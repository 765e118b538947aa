//! The message of an `upstream_status` error: what an upstream says that refuses a call, in a line.

use std::iter;

use callout_core::{fault::excerpt, json::Json};

/// Characters of a body that are quoted: room for several violations of a schema, or for the words of a page.
const SHOWN_CHARS: usize = 2_000;

/// Tags of a page behind which nothing is looked for: those with words have enough of them before.
const MOST_TAGS: usize = 20_000;

/// The message of an error with that status and body.
pub(crate) fn upstream_message(status: u16, content_type: Option<&str>, body: &Json) -> String {
    let reason = http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut message = format!("the upstream answered {status}");
    if let Some(reason) = reason {
        message.push(' ');
        message.push_str(reason);
    }
    let said = match body.as_str() {
        Some(page) if is_page(page, content_type) => shown(words(Page(page).take(MOST_TAGS))),
        Some(text) => shown(words(iter::once(text))),
        None if body.is_null() => String::new(),
        None => excerpt(body, SHOWN_CHARS),
    };
    if !said.is_empty() {
        message.push_str(": ");
        message.push_str(&said);
    }
    message
}

/// As much of a text as is quoted, `…` in place of the rest.
fn shown(mut text: impl Iterator<Item = char>) -> String {
    let mut shown: String = text.by_ref().take(SHOWN_CHARS).collect();
    if text.next().is_some() {
        shown.truncate(shown.trim_end().len());
        shown.push('…');
    }
    shown
}

/// The words of a text with a space between each two, made as they are asked for: of a large text few are shown. What a
/// terminal would obey separates words too.
fn words<'t>(parts: impl Iterator<Item = &'t str>) -> impl Iterator<Item = char> {
    let words = parts.flat_map(|part| part.split(|found: char| found.is_whitespace() || found.is_control()));
    let words = words.filter(|word| !word.is_empty());
    words.flat_map(|word| iter::once(' ').chain(word.chars())).skip(1)
}

/// Whether a text is a page of HTML, by its type or by how it begins.
fn is_page(text: &str, content_type: Option<&str>) -> bool {
    let text = text.trim_start();
    let begins = |with: &str| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let is_html = content_type.is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
    begins("<!doctype html") || begins("<html") || (is_html && text.starts_with('<'))
}

/// The rest of a page, whose parts are what is shown of it: what stands between its tags, but for styles and scripts.
struct Page<'t>(&'t str);

impl<'t> Iterator for Page<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.0.is_empty() {
            return None;
        }
        let page = self.0;
        let (shown, tag) = page.split_at(tag_start(page).unwrap_or(page.len()));
        self.0 = behind_tag(tag);
        Some(shown)
    }
}

/// Where the next tag or comment begins: not every `<` is one.
fn tag_start(html: &str) -> Option<usize> {
    let opens = |next: &u8| next.is_ascii_alphabetic() || b"/!?".contains(next);
    html.match_indices('<').map(|(at, _)| at).find(|at| html.as_bytes().get(at + 1).is_some_and(opens))
}

/// What comes after a tag and what it hides. What has no end hides all.
fn behind_tag(html: &str) -> &str {
    const HIDING: [(&str, &str); 2] = [("<style", "</style"), ("<script", "</script")];
    if let Some(comment) = html.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let Some((tag, rest)) = html.split_once('>') else { return "" };
    // Of a tag that ends something nothing stands before the slash.
    let name = tag.split(|found: char| found == '/' || found.is_whitespace()).next().unwrap_or_default();
    let end = HIDING.into_iter().find_map(|(begin, end)| name.eq_ignore_ascii_case(begin).then_some(end));
    let Some(end) = end else { return rest };
    let is_end = |at: &usize| rest.get(*at..at + end.len()).is_some_and(|found| found.eq_ignore_ascii_case(end));
    let end = rest.match_indices("</").map(|(at, _)| at).find(is_end);
    end.and_then(|at| rest.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_page_its_words_are_quoted() {
        let page = r#"<!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>Service unavailable</title>
            <STYLE type="text/css">body{font-family:x}a>b{}</STYLE ><script>if (a<b) { document.write("</p>") }</script>
            </head><!-- <p>not this --><body class=c><h1>Back at
            18:00&nbsp;UTC</h1><p>a < b, <b>so</b>rry<br/>really</body></html>"#;
        for (content_type, text, expected) in [
            (None, page, "Service unavailable Back at 18:00&nbsp;UTC a < b, so rry really"),
            (Some("Text/HTML; charset=utf-8"), "<h1>\n Oops </h1>", "Oops"),
            (Some("text/html"), "Oops <b>", "Oops <b>"),
            (Some("text/xml"), "<error>Oops</error>", "<error>Oops</error>"),
            (None, "<HTML>Oops", "Oops"),
            (None, "<html>Oops<style>a{} <p>gone", "Oops"),
            (None, "<html>Oops<!-- gone", "Oops"),
            (None, "<html>Oops<p gone", "Oops"),
            (None, "<html>é<", "é<"),
        ] {
            let message = upstream_message(503, content_type, &Json::from(text));
            assert_eq!(message, format!("the upstream answered 503 Service Unavailable: {expected}"), "{text}");
        }
        // It says nothing, or only after everybody has gone.
        for page in ["<html></html>".to_owned(), format!("<html>{}gone", "<p>".repeat(MOST_TAGS))] {
            assert_eq!(upstream_message(404, None, &Json::from(page)), "the upstream answered 404 Not Found");
        }
    }

    #[test]
    fn what_is_quoted_is_bounded() {
        let quoted = |body: &Json| upstream_message(499, None, body).replacen("the upstream answered 499: ", "", 1);
        let words = |count: usize| "é ".repeat(count).trim_end().to_owned();
        for text in ["é".repeat(SHOWN_CHARS), words(SHOWN_CHARS / 2)] {
            assert_eq!(quoted(&Json::from(text.as_str())), text);
        }
        assert_eq!(quoted(&Json::from("é".repeat(SHOWN_CHARS + 1))), format!("{}…", "é".repeat(SHOWN_CHARS)));
        // No blank before it.
        let page = format!("<html>{}", "<p>é".repeat(1 << 18));
        for text in ["é\n".repeat(1 << 18), page] {
            assert_eq!(quoted(&Json::from(text)), format!("{}…", words(SHOWN_CHARS / 2)));
        }
        let list: Json = vec![Json::from(7); SHOWN_CHARS].into();
        assert_eq!(quoted(&list), format!("[{}…", &"7,".repeat(SHOWN_CHARS)[..SHOWN_CHARS - 1]));
    }
}
