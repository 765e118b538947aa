//! JSON Pointers (RFC 6901): `/data/items/0/id`.

use callout_core::json::{Json, SmolStr};

use crate::{
    error::PathError,
    route::{Hop, Route},
    step::{go_down, member},
};

/// A JSON Pointer that is not empty.
#[derive(Clone, Debug)]
pub(crate) struct Pointer {
    tokens: Box<[Token]>,
}

#[derive(Clone, Debug)]
struct Token {
    name: SmolStr,
    /// The element that the token means in an array (RFC 6901 section 4): digits without leading
    /// zeros. `-` means the one behind the last, which is never there.
    index: Option<usize>,
}

impl Token {
    /// The child and its position.
    fn find<'a>(&self, node: &'a Json) -> Option<(usize, &'a Json)> {
        match node {
            Json::Array(elements) => self.index.and_then(|index| Some((index, elements.get(index)?))),
            Json::Object(members) => member(members, &self.name),
            _ => None,
        }
    }
}

impl Pointer {
    /// Takes a text that begins with `/`.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let mut tokens = Vec::new();
        let mut start = 1;
        for token in text.split('/').skip(1) {
            let name = unescape(token).map_err(|at| {
                PathError::at(
                    text,
                    start + at,
                    "`~` must be followed by 0 or 1 in a JSON Pointer: `~0` is written for `~`, `~1` for `/`",
                )
            })?;
            start += token.len() + 1;
            let index = if token == "0" || !token.starts_with('0') && token.bytes().all(|byte| byte.is_ascii_digit()) {
                token.parse().ok()
            } else {
                None
            };
            tokens.push(Token { name, index });
        }
        Ok(Self { tokens: tokens.into() })
    }

    pub(crate) fn route(&self) -> Route {
        let hops = |token: &Token| {
            let mut hops = vec![Hop::Member(token.name.clone())];
            hops.extend(token.index.map(Hop::Element));
            hops
        };
        self.tokens.iter().map(hops).collect()
    }

    /// See [`crate::Path::reached`]: how many tokens lead to something, and the last of that.
    pub(crate) fn reached<'a>(&self, root: &'a Json) -> (usize, &'a Json) {
        go_down(&self.tokens, root, Token::find)
    }

    /// The node that the pointer names, and its position in each container on the way.
    pub(crate) fn find<'a>(&self, root: &'a Json, trail: &mut Vec<usize>) -> Option<&'a Json> {
        let mut node = root;
        for token in &self.tokens {
            let (position, child) = token.find(node)?;
            trail.push(position);
            node = child;
        }
        Some(node)
    }
}

/// The name that a token stands for, or where it has a `~` that is no escape.
fn unescape(token: &str) -> Result<SmolStr, usize> {
    let Some((plain, _)) = token.split_once('~') else { return Ok(token.into()) };
    let mut name = plain.to_owned();
    let mut at = plain.len();
    for part in token.split('~').skip(1) {
        let (found, rest) = match part.as_bytes().first() {
            Some(b'0') => ('~', part.get(1..)),
            Some(b'1') => ('/', part.get(1..)),
            _ => return Err(at),
        };
        name.push(found);
        name.push_str(rest.unwrap_or_default());
        at += 1 + part.len();
    }
    Ok(name.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(pointer: &str, document: &str) -> Option<String> {
        let document = Json::parse(document).unwrap();
        Pointer::parse(pointer).unwrap().find(&document, &mut Vec::new()).map(ToString::to_string)
    }

    #[test]
    fn the_table_of_rfc_6901() {
        let document = r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#;
        let table = [
            ("/foo", r#"["bar","baz"]"#),
            ("/foo/0", r#""bar""#),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ];
        for (pointer, expected) in table {
            assert_eq!(find(pointer, document).as_deref(), Some(expected), "{pointer}");
        }
    }

    #[test]
    fn edges() {
        let table = [
            ("/~01", r#"{"~1":1,"/":2}"#, Some("1")),
            ("/~10", r#"{"/0":1}"#, Some("1")),
            ("/~0~1~0", r#"{"~/~":1}"#, Some("1")),
            ("/a.b", r#"{"a.b":1,"a":{"b":2}}"#, Some("1")),
            ("/$ref", r##"{"$ref":"#"}"##, Some(r##""#""##)),
            ("//", r#"{"":{"":3}}"#, Some("3")),
            ("/a/", r#"{"a":{"":3}}"#, Some("3")),
            ("/a/", r#"{"a":[3]}"#, None),
            ("/-", "[1]", None),
            ("/-", r#"{"-":1}"#, Some("1")),
            ("/01", "[1,2]", None),
            ("/00", "[1,2]", None),
            ("/01", r#"{"01":1}"#, Some("1")),
            ("/+1", "[1,2]", None),
            ("/-1", "[1,2]", None),
            ("/1", "[1,2]", Some("2")),
            ("/2", "[1,2]", None),
            ("/99999999999999999999999999", "[1]", None),
            ("/a", r#"[{"a":1}]"#, None),
            ("/a/b", r#"{"a":"b"}"#, None),
            ("/a", r#"{"a":null}"#, Some("null")),
        ];
        for (pointer, document, expected) in table {
            assert_eq!(find(pointer, document).as_deref(), expected, "{pointer} on {document}");
        }
    }

    #[test]
    fn a_tilde_must_escape() {
        for (pointer, position) in [("/~", 2), ("/a~2", 3), ("/é/b~", 5), ("/~0~", 4), ("/~~0", 2)] {
            assert_eq!(Pointer::parse(pointer).unwrap_err().position(), position, "{pointer}");
        }
    }
}
