//! Methods of strings, mappings and lists, as Python has them.

use callout_core::json::{Array, Json, Object, SmolStr};

use super::{
    budget::Meter,
    chars,
    fault::{Fail, Outcome},
    format,
    ops::{self, Num},
    parts,
    value::{Val, is_true, kind},
};

pub(super) const NAMES: [&str; 45] = [
    "capitalize",
    "casefold",
    "center",
    "count",
    "endswith",
    "find",
    "format",
    "get",
    "index",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "islower",
    "isnumeric",
    "isspace",
    "isupper",
    "items",
    "join",
    "keys",
    "ljust",
    "lower",
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rindex",
    "rjust",
    "rpartition",
    "rsplit",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "swapcase",
    "title",
    "upper",
    "values",
    "zfill",
    "copy",
    "is_integer",
];

/// The name of a method that some value has.
pub(super) fn find(name: &str) -> Option<&'static str> {
    NAMES.into_iter().find(|known| *known == name)
}

/// `value.name(args)`
pub(super) fn call(name: &str, value: &Json, args: &[Val], meter: &Meter) -> Outcome<Json> {
    let call = Method { name, args, meter };
    let made = match value {
        Json::String(text) => {
            meter.scan(text.len())?;
            call.of_string(text)
        }
        Json::Object(members) => call.of_mapping(members),
        Json::Array(elements) => call.of_list(elements),
        Json::Number(_) if name == "is_integer" => Some(is_integer(value, meter)),
        _ => None,
    };
    made.unwrap_or_else(|| Err(Fail::new(format!("{} has no method `{name}`", kind(value)))))
}

fn is_integer(value: &Json, meter: &Meter) -> Outcome<Json> {
    Ok(match Num::of(value, meter)? {
        Some(Num::Float(float)) => (float.fract() == 0.0).into(),
        _ => true.into(),
    })
}

struct Method<'a> {
    name: &'a str,
    args: &'a [Val],
    meter: &'a Meter,
}

/// What a text is padded on.
enum Pad {
    Left,
    Right,
    Both,
}

impl Method<'_> {
    fn arg(&self, place: usize) -> Option<&Json> {
        self.args.get(place).map(|value| &value.json).filter(|json| !json.is_null())
    }

    fn needed(&self, place: usize) -> Outcome<&Json> {
        self.args
            .get(place)
            .map(|value| &value.json)
            .ok_or_else(|| Fail::new(format!("`{}` needs {} arguments", self.name, place + 1)))
    }

    fn string(&self, place: usize) -> Outcome<Option<&SmolStr>> {
        match self.arg(place) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(other) => Err(Fail::new(format!("`{}` takes a string, not {}", self.name, kind(other)))),
        }
    }

    fn needed_string(&self, place: usize) -> Outcome<&SmolStr> {
        self.needed(place)?;
        self.string(place)?.ok_or_else(|| Fail::new(format!("`{}` takes a string, not none", self.name)))
    }

    fn whole(&self, place: usize) -> Outcome<Option<i128>> {
        match self.arg(place) {
            None => Ok(None),
            Some(json) => match Num::of(json, self.meter)? {
                Some(Num::Int(number)) => Ok(Some(number)),
                _ => Err(Fail::new(format!("`{}` takes a whole number, not {}", self.name, kind(json)))),
            },
        }
    }

    /// How often at most; a negative number is no bound.
    fn times(&self, place: usize) -> Outcome<usize> {
        Ok(self.whole(place)?.and_then(|times| usize::try_from(times).ok()).unwrap_or(usize::MAX))
    }

    /// The text with letters in another case.
    fn cased(&self, text: &str, change: fn(&str) -> String) -> Outcome<Json> {
        self.meter.write(chars::most_cased(text))?;
        Ok(change(text).into())
    }

    fn of_mapping(&self, members: &Object) -> Option<Outcome<Json>> {
        Some(match self.name {
            "get" => self.got(members),
            "keys" => self.meter.make(members.len()).map(|()| members.keys().map(Json::from).collect()),
            "values" => self.meter.make(members.len()).map(|()| members.values().cloned().collect()),
            "items" => parts::pairs(members, self.meter),
            "copy" => Ok(members.clone().into()),
            _ => return None,
        })
    }

    fn got(&self, members: &Object) -> Outcome<Json> {
        let found = match ops::key(self.needed(0)?) {
            Some(name) => ops::member(members, name, self.meter)?.cloned(),
            None => None,
        };
        Ok(found.unwrap_or_else(|| self.args.get(1).map(|value| value.json.clone()).unwrap_or_default()))
    }

    fn of_list(&self, elements: &Array) -> Option<Outcome<Json>> {
        Some(match self.name {
            "count" | "index" => self.positions(elements),
            "copy" => Ok(elements.clone().into()),
            _ => return None,
        })
    }

    fn positions(&self, elements: &Array) -> Outcome<Json> {
        let wanted = self.needed(0)?;
        let (from, to) = if self.name == "index" { self.bounds(elements.len())? } else { (0, elements.len()) };
        let mut count = 0_usize;
        for (at, element) in elements.iter().enumerate().take(to).skip(from) {
            if ops::equal(element, wanted, self.meter)? {
                if self.name == "index" {
                    return Ok(at.into());
                }
                count += 1;
            }
        }
        if self.name == "index" { Err(Fail::new("the list has no such element")) } else { Ok(count.into()) }
    }

    fn of_string(&self, text: &SmolStr) -> Option<Outcome<Json>> {
        let all = |asked: fn(char) -> bool| -> Outcome<Json> {
            self.meter.classify(text)?;
            Ok((!text.is_empty() && text.chars().all(asked)).into())
        };
        Some(match self.name {
            "upper" => self.cased(text, str::to_uppercase),
            "lower" | "casefold" => self.cased(text, str::to_lowercase),
            "capitalize" => self.cased(text, capitalized),
            "title" => self.cased(text, titled),
            "swapcase" => self.cased(text, swapped),
            "strip" => self.stripped(text, true, true),
            "lstrip" => self.stripped(text, true, false),
            "rstrip" => self.stripped(text, false, true),
            "center" => self.padded(text, &Pad::Both),
            "ljust" => self.padded(text, &Pad::Right),
            "rjust" => self.padded(text, &Pad::Left),
            "zfill" => self.zero_filled(text),
            "startswith" => self.affix(text, |text, part| text.starts_with(part)),
            "endswith" => self.affix(text, |text, part| text.ends_with(part)),
            "removeprefix" => self.needed_string(0).map(|part| text.strip_prefix(part.as_str()).unwrap_or(text).into()),
            "removesuffix" => self.needed_string(0).map(|part| text.strip_suffix(part.as_str()).unwrap_or(text).into()),
            "find" => self.found(text, false, false),
            "index" => self.found(text, false, true),
            "rfind" => self.found(text, true, false),
            "rindex" => self.found(text, true, true),
            "count" => self.counted(text),
            "replace" => self.replaced(text),
            "split" => self.split(text, false),
            "rsplit" => self.split(text, true),
            "splitlines" => self.lines(text),
            "partition" => self.partitioned(text, false),
            "rpartition" => self.partitioned(text, true),
            "join" => self.joined(text),
            "format" => format::braces(text, self.args, self.meter),
            "isalnum" => all(char::is_alphanumeric),
            "isalpha" => all(char::is_alphabetic),
            "isdigit" => all(chars::is_digit),
            "isdecimal" => all(chars::is_decimal),
            "isnumeric" => all(char::is_numeric),
            "isspace" => all(char::is_whitespace),
            "isascii" => Ok(text.is_ascii().into()),
            "islower" => Ok(chars::is_lower(text).into()),
            "isupper" => Ok(chars::is_upper(text).into()),
            _ => return None,
        })
    }

    fn stripped(&self, text: &str, start: bool, end: bool) -> Outcome<Json> {
        let chars = self.string(0)?;
        self.meter.read(text.len().saturating_mul(chars.map_or(1, SmolStr::len)))?;
        let goes = |found: char| chars.map_or(found.is_whitespace(), |chars| chars.contains(found));
        let text = if start { text.trim_start_matches(goes) } else { text };
        let text = if end { text.trim_end_matches(goes) } else { text };
        self.meter.write(text.len())?;
        Ok(text.into())
    }

    fn padded(&self, text: &str, pad: &Pad) -> Outcome<Json> {
        self.needed(0)?;
        let width = usize::try_from(self.whole(0)?.unwrap_or(0).max(0)).unwrap_or(usize::MAX);
        let fill = match self.string(1)? {
            None => ' ',
            Some(fill) => match (fill.chars().next(), fill.chars().nth(1)) {
                (Some(only), None) => only,
                _ => return Err(Fail::new(format!("`{}` fills with one character", self.name))),
            },
        };
        let missing = width.saturating_sub(text.chars().count());
        self.meter.write(missing.saturating_mul(fill.len_utf8()).saturating_add(text.len()))?;
        let left = match pad {
            Pad::Left => missing,
            Pad::Right => 0,
            // Of an odd number Python puts the one left over before the text only if the width is odd.
            Pad::Both => missing / 2 + (missing & width & 1),
        };
        let fill = |count: usize| std::iter::repeat_n(fill, count);
        Ok(fill(left).chain(text.chars()).chain(fill(missing - left)).collect::<String>().into())
    }

    fn zero_filled(&self, text: &str) -> Outcome<Json> {
        self.needed(0)?;
        let width = usize::try_from(self.whole(0)?.unwrap_or(0).max(0)).unwrap_or(usize::MAX);
        let missing = width.saturating_sub(text.chars().count());
        self.meter.write(missing.saturating_add(text.len()))?;
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) => (text.get(..1).unwrap_or_default(), digits),
            None => ("", text),
        };
        Ok(format!("{sign}{}{digits}", "0".repeat(missing)).into())
    }

    /// One part, or a list of parts of which any will do.
    fn affix(&self, text: &str, asked: impl Fn(&str, &str) -> bool) -> Outcome<Json> {
        let Some((_, text)) = self.between(text)? else { return Ok(false.into()) };
        match self.needed(0)? {
            Json::Array(parts) => {
                let mut found = false;
                for part in parts {
                    self.meter.visit(1)?;
                    if let (false, Some(part)) = (found, part.as_str()) {
                        self.meter.read(part.len().min(text.len()))?;
                        found = asked(text, part);
                    }
                }
                Ok(found.into())
            }
            _ => Ok(asked(text, self.needed_string(0)?).into()),
        }
    }

    fn counted(&self, text: &str) -> Outcome<Json> {
        let part = self.needed_string(0)?.as_str();
        Ok(self.between(text)?.map_or(0, |(_, text)| text.matches(part).count()).into())
    }

    fn found(&self, text: &str, last: bool, needed: bool) -> Outcome<Json> {
        let part = self.needed_string(0)?.as_str();
        let at = self.between(text)?.and_then(|(start, text)| {
            let at = if last { text.rfind(part) } else { text.find(part) };
            text.get(..at?).map(|before| start + before.chars().count())
        });
        match at {
            Some(at) => Ok(at.into()),
            None if needed => Err(Fail::new("the string does not contain that")),
            None => Ok((-1).into()),
        }
    }

    /// Where the second and third argument let a part of so many begin and end, as Python's slices do.
    fn bounds(&self, length: usize) -> Outcome<(usize, usize)> {
        let place = |place: i128| {
            let from_end = if place < 0 { place.saturating_add(length as i128).max(0) } else { place };
            usize::try_from(from_end).unwrap_or(usize::MAX)
        };
        Ok((self.whole(1)?.map_or(0, place), self.whole(2)?.map_or(length, place).min(length)))
    }

    /// The part of a text between its bounds, with the number of characters before it. `None` where the part would
    /// begin behind the text or its end.
    fn between<'t>(&self, text: &'t str) -> Outcome<Option<(usize, &'t str)>> {
        if self.arg(1).is_none() && self.arg(2).is_none() {
            return Ok(Some((0, text)));
        }
        let (start, end) = self.bounds(text.chars().count())?;
        let byte = |character: usize| text.char_indices().nth(character).map_or(text.len(), |(at, _)| at);
        if start > end {
            return Ok(None);
        }
        Ok(text.get(byte(start)..byte(end)).map(|part| (start, part)))
    }

    fn replaced(&self, text: &str) -> Outcome<Json> {
        let (old, new) = (self.needed_string(0)?, self.needed_string(1)?);
        let times = self.times(2)?;
        let count = text.matches(old.as_str()).count().min(times);
        self.meter.write(text.len().saturating_add(count.saturating_mul(new.len())))?;
        Ok(text.replacen(old.as_str(), new, times).into())
    }

    fn split(&self, text: &str, from_end: bool) -> Outcome<Json> {
        let times = self.times(1)?;
        let parts: Vec<&str> = match self.string(0)? {
            Some(between) if between.is_empty() => return Err(Fail::new("the separator is empty")),
            Some(between) => {
                self.meter.make(text.matches(between.as_str()).count().min(times).saturating_add(1))?;
                if from_end {
                    text.rsplitn(times.saturating_add(1), between.as_str()).collect()
                } else {
                    text.splitn(times.saturating_add(1), between.as_str()).collect()
                }
            }
            None => {
                self.meter.make(text.split_whitespace().count())?;
                words(text, times, from_end)
            }
        };
        // The parts are texts of their own.
        self.meter.write(text.len())?;
        let parts = parts.into_iter().map(Json::from);
        Ok(if from_end { parts.rev().collect() } else { parts.collect() })
    }

    fn lines(&self, text: &str) -> Outcome<Json> {
        self.meter.make(chars::most_lines(text))?;
        // The lines are texts of their own.
        self.meter.write(text.len())?;
        let lines = chars::lines(text, self.arg(0).is_some_and(is_true));
        Ok(lines.into_iter().map(Json::from).collect())
    }

    fn partitioned(&self, text: &str, last: bool) -> Outcome<Json> {
        let between = self.needed_string(0)?.as_str();
        self.meter.write(text.len())?;
        let halves = if last { text.rsplit_once(between) } else { text.split_once(between) };
        let parts = match halves {
            Some((before, behind)) => [before, between, behind],
            None if last => ["", "", text],
            None => [text, "", ""],
        };
        Ok(parts.into_iter().map(Json::from).collect())
    }

    fn joined(&self, between: &str) -> Outcome<Json> {
        let mut joined = String::new();
        for (at, element) in parts::elements(self.needed(0)?, self.meter)?.iter().enumerate() {
            let Json::String(part) = element else {
                return Err(Fail::new(format!(
                    "`join` takes strings, and there is {}; the filter `join` takes anything",
                    kind(element)
                )));
            };
            self.meter.write(part.len() + between.len())?;
            if at > 0 {
                joined.push_str(between);
            }
            joined.push_str(part);
        }
        Ok(joined.into())
    }
}

/// Words between white space; what is left after so many splits stays one, up to the end of the text.
fn words(text: &str, times: usize, from_end: bool) -> Vec<&str> {
    let mut words = Vec::new();
    let mut rest = text;
    loop {
        rest = if from_end { rest.trim_end() } else { rest.trim_start() };
        if rest.is_empty() {
            return words;
        }
        let cut = if words.len() == times {
            None
        } else if from_end {
            rest.rsplit_once(char::is_whitespace)
        } else {
            rest.split_once(char::is_whitespace).map(|(word, left)| (left, word))
        };
        let Some((left, word)) = cut else {
            words.push(rest);
            return words;
        };
        words.push(word);
        rest = left;
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        None => String::new(),
        Some(first) => first.to_uppercase().chain(chars.as_str().to_lowercase().chars()).collect(),
    }
}

fn titled(text: &str) -> String {
    chars::titled(text, |found| found.is_lowercase() || found.is_uppercase())
}

fn swapped(text: &str) -> String {
    let mut swapped = String::with_capacity(text.len());
    for found in text.chars() {
        if found.is_uppercase() {
            swapped.extend(found.to_lowercase());
        } else {
            swapped.extend(found.to_uppercase());
        }
    }
    swapped
}
