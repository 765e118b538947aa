//! What a shell puts something in place of: `$NAME`, `${…}`, `$(…)` and what stands between backticks. Nothing does so
//! here: it is marked where a line is split into words, so that it is known in the URL, a header or the body.

use callout_core::json::Json;

/// Stand around it: noncharacters, which texts have none of.
pub(super) const BEGIN: char = '\u{fdd0}';
pub(super) const END: char = '\u{fdd1}';

/// The same in a URL.
const ENCODED: [&str; 2] = ["%EF%B7%90", "%EF%B7%91"];

/// How many are named.
const MAX_NAMED: usize = 3;

/// The text as it was written.
pub(super) fn plain(text: &str) -> String {
    text.replace([BEGIN, END], "")
}

/// A value as it was written, its texts and names.
pub(super) fn plain_value(value: Json) -> Json {
    let text = value.to_string();
    if text.contains([BEGIN, END]) { Json::parse(&plain(&text)).unwrap_or(value) } else { value }
}

/// A part of a URL as it was written.
pub(super) fn plain_part(part: &str) -> String {
    ENCODED.iter().fold(part.to_owned(), |part, mark| part.replace(*mark, ""))
}

/// What stands beside them.
pub(super) fn without(text: &str) -> String {
    let mut parts = text.split(BEGIN);
    let before = parts.next().unwrap_or_default();
    let behind = parts.map(|part| part.split_once(END).map_or("", |(_, behind)| behind));
    std::iter::once(before).chain(behind).collect()
}

/// The name, if the text is a variable and nothing else.
pub(super) fn variable(text: &str) -> Option<&str> {
    name_of(text.strip_prefix(BEGIN)?.strip_suffix(END)?)
}

fn name_of(expansion: &str) -> Option<&str> {
    let text = expansion.strip_prefix('$')?;
    let name = text.strip_prefix('{').map_or(Some(text), |text| text.strip_suffix('}'))?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')).then_some(name)
}

/// Which there are, for people. `None` if there are none.
pub(super) fn named(text: &str) -> Option<String> {
    let mut named: Vec<String> = Vec::new();
    for expansion in text.split(BEGIN).skip(1) {
        let expansion = expansion.split(END).next().unwrap_or_default();
        let name = match name_of(expansion) {
            Some(name) => format!("${name:.50}"),
            // A command, or what stands in for a variable, may be a secret.
            None if expansion.starts_with("$(") => "$(…)".to_owned(),
            None if expansion.starts_with("${") => "${…}".to_owned(),
            None if expansion.starts_with('`') => "`…`".to_owned(),
            None => format!("{expansion:.2}"),
        };
        if named.contains(&name) {
            continue;
        }
        if named.len() == MAX_NAMED {
            named.push("…".to_owned());
            break;
        }
        named.push(name);
    }
    (!named.is_empty()).then(|| named.join(", "))
}

/// That it is sent as it is written, be there any.
pub(super) fn loss(place: &str, text: &str) -> Option<String> {
    let named = named(text)?;
    Some(format!("a shell puts something in place of {named} in {place}: it is sent as it is written"))
}
