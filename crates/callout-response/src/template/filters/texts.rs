//! Filters of text.

use callout_core::{
    http::UNRESERVED,
    json::{Json, SmolStr},
};
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::{Call, Filter, entities};
use crate::template::{
    chars,
    fault::{Fail, Outcome},
    methods,
    value::{is_true, kind, text},
};

pub(super) static FILTERS: [Filter; 20] = [
    Filter::new("upper", &[], |call| method(call, "upper", &[])),
    Filter::new("lower", &[], |call| method(call, "lower", &[])),
    Filter::new("title", &[], title),
    Filter::new("capitalize", &[], |call| method(call, "capitalize", &[])),
    Filter::new("trim", &["chars"], |call| method(call, "strip", &[0])),
    Filter::new("center", &["width"], center),
    Filter::new("replace", &["old", "new", "count"], |call| method(call, "replace", &[0, 1, 2])).requires(2),
    Filter::new("split", &["sep", "maxsplit"], split).nests(1),
    Filter::new("lines", &[], |call| method(call, "splitlines", &[])).nests(1),
    Filter::new("truncate", &["length", "killwords", "end", "leeway"], truncate),
    Filter::new("indent", &["width", "first", "blank"], indent),
    Filter::new("wordcount", &[], wordcount),
    Filter::new("wordwrap", &["width", "break_long_words"], wordwrap),
    Filter::new("striptags", &[], striptags),
    Filter::new("escape", &[], escape),
    Filter::new("e", &[], escape),
    Filter::new("forceescape", &[], escape),
    Filter::new("urlencode", &[], urlencode),
    Filter::new("startswith", &["prefix"], |call| method(call, "startswith", &[0])).requires(1),
    Filter::new("endswith", &["suffix"], |call| method(call, "endswith", &[0])).requires(1),
];

/// A filter that is a method of strings under another name.
fn method(call: &mut Call<'_>, name: &str, args: &[usize]) -> Outcome<Json> {
    let input = Json::String(call.text()?);
    let args: Vec<_> = args.iter().map_while(|place| call.named.get(*place).cloned().flatten()).collect();
    methods::call(name, &input, &args, call.meter)
}

/// Words begin behind blanks, `-` and opening brackets, as Jinja has it; the method begins them behind all but letters.
fn title(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    call.meter.write(chars::most_cased(&text))?;
    Ok(chars::titled(&text, |found| !found.is_whitespace() && !"-({[<".contains(found)).into())
}

fn center(call: &mut Call<'_>) -> Outcome<Json> {
    let width = call.count(0)?.unwrap_or(80);
    let input = Json::String(call.text()?);
    methods::call("center", &input, &[width.into()], call.meter)
}

fn split(call: &mut Call<'_>) -> Outcome<Json> {
    let input = Json::String(call.text()?);
    let sep = call.named.first().cloned().flatten().unwrap_or_default();
    let max = call.whole(1)?.unwrap_or(-1);
    methods::call("split", &input, &[sep, max.into()], call.meter)
}

fn truncate(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    let length = call.count(0)?.unwrap_or(255);
    let end = call.string(2)?.unwrap_or_else(|| SmolStr::new_static("..."));
    let leeway = call.count(3)?.unwrap_or(5);
    let total = text.chars().count();
    if total <= length.saturating_add(leeway) {
        return Ok(text.into());
    }
    let end_chars = end.chars().count();
    if length < end_chars {
        return Err(Fail::new(format!("`length` must be at least {end_chars}, the length of `end`")));
    }
    let kept: String = text.chars().take(length - end_chars).collect();
    let kept =
        if call.flag(1) { kept.as_str() } else { kept.rsplit_once(' ').map_or(kept.as_str(), |(words, _)| words) };
    call.made(format!("{kept}{end}"))
}

fn indent(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    let margin = if let Some(Json::String(margin)) = call.arg(0) {
        margin.clone()
    } else {
        let width = call.count(0)?.unwrap_or(4);
        call.meter.write(width)?;
        SmolStr::from(" ".repeat(width))
    };
    let (first, blank) = (call.flag(1), call.flag(2));
    // So that there is a last line, also if it is empty.
    call.meter.write(text.len() + 1)?;
    let text = format!("{text}\n");
    call.meter.make(chars::most_lines(&text))?;
    let lines = chars::lines(&text, false);
    call.meter.write(text.len().saturating_add(lines.len().saturating_mul(margin.len())))?;
    let mut indented = String::new();
    for (at, line) in lines.into_iter().enumerate() {
        if at > 0 {
            indented.push('\n');
        }
        let is_indented = if at == 0 { first } else { blank || !line.is_empty() };
        if is_indented {
            indented.push_str(&margin);
        }
        indented.push_str(line);
    }
    Ok(indented.into())
}

fn wordcount(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    call.meter.classify(&text)?;
    Ok(chars::words(&text).count().into())
}

fn wordwrap(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    let width = call.count(0)?.unwrap_or(79).max(1);
    let breaks = call.arg(1).is_none_or(is_true);
    call.meter.write(text.len().saturating_mul(2))?;
    let mut wrapped = String::new();
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            wrapped.push('\n');
        }
        let mut column = 0;
        for mut word in line.split(' ') {
            let mut chars = word.chars().count();
            // A word that has to be broken begins where there is room for some of it.
            let begins = column + 1 + chars <= width || (breaks && chars > width && column + 1 < width);
            if column > 0 && begins {
                wrapped.push(' ');
                column += 1;
            } else if column > 0 {
                wrapped.push('\n');
                column = 0;
            }
            while breaks && column + chars > width {
                let room = width - column;
                let (part, rest) = word.split_at(word.char_indices().nth(room).map_or(word.len(), |(at, _)| at));
                wrapped.push_str(part);
                wrapped.push('\n');
                (word, chars, column) = (rest, chars - room, 0);
            }
            wrapped.push_str(word);
            column += chars;
        }
    }
    Ok(wrapped.into())
}

/// Without tags and comments, white space run together, and then characters in place of references to them. From a tag
/// that has no end all is text, as in Jinja.
fn striptags(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    let mut plain = String::new();
    let mut rest = text.as_str();
    while let Some(open) = rest.find('<') {
        let (before, tag) = rest.split_at(open);
        let ended = match tag.strip_prefix("<!--") {
            Some(comment) => comment.split_once("-->"),
            None => tag.split_once('>'),
        };
        let Some((_, behind)) = ended else { break };
        call.meter.write(before.len())?;
        plain.push_str(before);
        rest = behind;
    }
    call.meter.write(rest.len())?;
    plain.push_str(rest);
    call.meter.write(plain.len())?;
    let mut together = String::with_capacity(plain.len());
    for word in plain.split_whitespace() {
        if !together.is_empty() {
            together.push(' ');
        }
        together.push_str(word);
    }
    Ok(entities::resolved(&together, call.meter)?.into())
}

fn escape(call: &mut Call<'_>) -> Outcome<Json> {
    let text = call.text()?;
    call.meter.write(text.len().saturating_mul(2))?;
    let mut escaped = String::with_capacity(text.len());
    for found in text.chars() {
        match found {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(found),
        }
    }
    call.made(escaped)
}

/// A string's slashes stay, for it may be a path.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// A string percent-encoded; a mapping, or a list of pairs, as a query.
fn urlencode(call: &mut Call<'_>) -> Outcome<Json> {
    let pairs: Vec<(SmolStr, Json)> = match call.json() {
        Json::Object(members) => {
            call.meter.make(members.len())?;
            members.iter().map(|(name, value)| (SmolStr::new(name), value.clone())).collect()
        }
        Json::Array(pairs) => {
            call.meter.make(pairs.len())?;
            let pair = |pair: &Json| match pair.as_array().map(|pair| &**pair) {
                Some([name, value]) => Ok((text(name, call.meter)?, value.clone())),
                _ => Err(Fail::new(format!("a query is made of pairs, not {}", kind(pair)))),
            };
            pairs.iter().map(pair).collect::<Outcome<_>>()?
        }
        _ => {
            let text = call.text()?;
            let most = text.len().saturating_mul(3);
            call.meter.write(most)?;
            let mut encoded = String::with_capacity(most);
            encoded.extend(utf8_percent_encode(&text, PATH));
            return Ok(encoded.into());
        }
    };
    let mut query = String::new();
    for (name, value) in pairs.into_iter().filter(|(_, value)| !value.is_null()) {
        let value = text(&value, call.meter)?;
        call.meter.write((name.len() + value.len()).saturating_mul(3) + 2)?;
        if !query.is_empty() {
            query.push('&');
        }
        query.extend(utf8_percent_encode(&name, UNRESERVED));
        query.push('=');
        query.extend(utf8_percent_encode(&value, UNRESERVED));
    }
    Ok(query.into())
}
