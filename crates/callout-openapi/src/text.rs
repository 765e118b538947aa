//! Descriptions as a model needs them: plain, short, whole sentences.

/// Characters of a text that are looked at.
const MAX_READ: usize = 20_000;

/// The text in one line, without markup, cut at the end of a sentence (else of a word) so that it has
/// at most `max` characters.
pub(crate) fn brief(text: &str, max: usize) -> String {
    cut(&plain(text), max)
}

/// What an operation does: its summary, and as much of its description as there is room for.
pub(crate) fn operation(summary: Option<&str>, description: Option<&str>, deprecated: bool, max: usize) -> String {
    let (summary, description) = (plain(summary.unwrap_or_default()), plain(description.unwrap_or_default()));
    let mut text = if deprecated { "Deprecated. ".to_owned() } else { String::new() };
    if description.to_lowercase().starts_with(summary.trim_end_matches('.').to_lowercase().as_str()) {
        text.push_str(&description);
    } else {
        text.push_str(&summary);
        if !summary.is_empty() && !summary.ends_with(['.', '!', '?', ':']) {
            text.push('.');
        }
        if !description.is_empty() {
            text.push(' ');
            text.push_str(&description);
        }
    }
    cut(text.trim(), max)
}

/// Cuts at a sentence's end, if that leaves a third of what there is room for.
pub(crate) fn cut(text: &str, max: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(max) else { return text.to_owned() };
    let head = text.get(..end).unwrap_or_default();
    let sentence = head.match_indices(['.', '!', '?']).map(|(at, mark)| at + mark.len()).rfind(|&at| {
        let before = head.get(..at).unwrap_or_default().to_lowercase();
        text.get(at..).is_some_and(|rest| rest.starts_with(' '))
            && !["e.g.", "i.e.", "etc.", "vs.", "approx."].iter().any(|short| before.ends_with(short))
    });
    if let Some(at) = sentence.filter(|&at| at * 3 >= head.len()) {
        return head.get(..at).unwrap_or_default().to_owned();
    }
    let room = text.char_indices().nth(max.saturating_sub(1)).map_or(0, |(at, _)| at);
    let head = text.get(..room).unwrap_or_default();
    let is_whole = text.get(room..).is_some_and(|rest| rest.starts_with(' '));
    let word = head.rfind(' ').filter(|&at| !is_whole && at * 2 >= head.len()).unwrap_or(head.len());
    format!("{}…", head.get(..word).unwrap_or_default().trim_end_matches([' ', ',', ';', ':']))
}

/// The text without Markdown and HTML, in one line.
fn plain(text: &str) -> String {
    let read = text.char_indices().nth(MAX_READ).map_or(text.len(), |(at, _)| at);
    let text = text.get(..read).unwrap_or(text);
    let mut kept = String::with_capacity(text.len());
    let mut in_code = false;
    for line in text.lines() {
        let mut line = line.trim();
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
            continue;
        }
        if in_code || line.starts_with('|') || is_rule(line) {
            continue;
        }
        while let Some(rest) = line.strip_prefix('>') {
            line = rest.trim_start();
        }
        if line.starts_with("[!") && line.ends_with(']') {
            continue;
        }
        let heading = line.trim_start_matches('#');
        if heading.len() < line.len() && (heading.is_empty() || heading.starts_with(' ')) {
            line = heading.trim();
        }
        for bullet in ["- ", "* ", "+ "] {
            line = line.strip_prefix(bullet).unwrap_or(line);
        }
        kept.push_str(line);
        kept.push(' ');
    }
    let text = without_links(&without_tags(&kept));
    let text = decode(&text.replace("**", "").replace("__", ""));
    let words: Vec<&str> = text.split(|found: char| found.is_whitespace() || found.is_control()).collect();
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_rule(line: &str) -> bool {
    line.len() >= 3 && ["-", "=", "*"].iter().any(|mark| line.replace(mark, "").is_empty())
}

/// Drops `<b>`, `</b>`, `<!-- … -->`; `a < b` stays.
fn without_tags(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        kept.push_str(before);
        let inside = tag.get(1..).unwrap_or_default();
        let is_tag = inside.starts_with(|found: char| found.is_ascii_alphabetic() || found == '/' || found == '!');
        if let Some(end) = inside.find('>').filter(|_| is_tag) {
            // A tag between words parts them.
            kept.push(' ');
            rest = inside.get(end + 1..).unwrap_or_default();
        } else {
            kept.push('<');
            rest = inside;
        }
    }
    kept.push_str(rest);
    // A tag before a full stop leaves no space.
    kept.replace(" .", ".").replace(" ,", ",")
}

/// `[text](url)` becomes `text`, `![text](url)` nothing.
fn without_links(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        let (before, behind) = rest.split_at(at);
        let end = behind.find(')');
        let (Some(open), Some(end)) = (before.rfind('['), end) else {
            kept.push_str(before);
            kept.push_str("](");
            rest = behind.get(2..).unwrap_or_default();
            continue;
        };
        let label = before.get(open + 1..).unwrap_or_default();
        let lead = before.get(..open).unwrap_or_default();
        if let Some(lead) = lead.strip_suffix('!') {
            kept.push_str(lead);
        } else {
            kept.push_str(lead);
            kept.push_str(label);
        }
        rest = behind.get(end + 1..).unwrap_or_default();
    }
    kept.push_str(rest);
    kept
}

fn decode(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")]
        .iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes() {
        for (text, expected) in [
            ("Lists **all** [pets](https://x.example/a_b).", "Lists all pets."),
            ("<p>Gets a <code>thing</code>.</p>\n<ul><li>a</li></ul>", "Gets a thing. a"),
            ("# Title\n\nText\n* one\n* two\n\n| a | b |\n|---|---|\n", "Title Text one two"),
            ("> [!NOTE]\n> Careful.\n```sh\ncurl x\n```\nDone", "Careful. Done"),
            ("a < b &amp;&lt; c", "a < b &< c"),
            ("![logo](x.png) Shop", "Shop"),
            ("broken [link](x", "broken [link](x"),
            ("tab\tand\u{7}bell", "tab and bell"),
            ("snake_case and `code` stay", "snake_case and `code` stay"),
            ("", ""),
        ] {
            assert_eq!(plain(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_end_with_a_sentence() {
        for (text, max, expected) in [
            ("One two. Three four. Five six.", 22, "One two. Three four."),
            ("Takes e.g. a name. More text that is too long.", 25, "Takes e.g. a name."),
            ("A single sentence that does not end soon", 20, "A single sentence…"),
            ("ééééé", 5, "ééééé"),
            ("éééééé", 5, "éééé…"),
            ("v1.2 is not two sentences at all", 12, "v1.2 is not…"),
        ] {
            let found = cut(text, max);
            assert_eq!(found, expected, "{text}");
            assert!(found.chars().count() <= max);
        }
    }

    #[test]
    fn an_operation_says_what_it_does_once() {
        let of = |summary, description, deprecated| operation(Some(summary), Some(description), deprecated, 100);
        assert_eq!(of("List pets", "List pets of a shop.", false), "List pets of a shop.");
        assert_eq!(of("List pets", "Newest first.", true), "Deprecated. List pets. Newest first.");
        assert_eq!(of("", "Newest first.", false), "Newest first.");
        assert_eq!(operation(None, None, false, 100), "");
    }
}
