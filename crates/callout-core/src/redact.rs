//! Keeps a call's own secrets out of everything that leaves it.

mod sieve;

use std::{
    borrow::Cow,
    fmt::{self, Write},
    ops::Range,
    sync::Arc,
};

use aho_corasick::{AhoCorasick, packed};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use memchr::memmem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use self::sieve::Sieve;
use crate::{
    http::UNRESERVED,
    json::{Json, Object, ObjectBuilder, write_inside},
};

/// Shorter values are not masked: `***` in place of every `a` would hide the answer and nothing else.
pub const MIN_REDACTED_BYTES: usize = 6;

/// What stands in place of a secret.
pub const MASK: &str = "***";

/// Replaces secrets and tokens, and their percent-encoded, base64, hex and JSON-escaped forms, by
/// [`MASK`]. Cloning is cheap. Making one takes time and memory in proportion to the secrets' length.
#[derive(Clone, Default)]
pub struct Redactor {
    matcher: Option<Arc<Matcher>>,
    /// Another redactor's secrets, masked too: an integration's besides a token's.
    outer: Option<Arc<Redactor>>,
}

/// Finds whole forms where their first bytes stand: an automaton over forms as long as a token is would cost
/// milliseconds to build and megabytes to keep.
struct Matcher {
    starts: AhoCorasick,
    forms: Vec<String>,
    /// Looks for the starts many bytes at a time, where the machine can.
    quick: Option<packed::Searcher>,
    /// Looks for where that has to look, in what is long.
    sieve: Option<Sieve>,
}

/// What JavaScript's `encodeURIComponent` leaves as it is (ECMA-262, section 19.2.6).
const URI_COMPONENT: &AsciiSet = &UNRESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// [`UNRESERVED`] and slashes, as Python's `urllib.parse.quote` leaves them.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// How JSON is written within a text, by what is escaped with four digits beside what has to be.
struct JsonWriter {
    /// Of ASCII.
    escaped: &'static str,
    escapes_others: bool,
    escapes_slashes: bool,
    in_capitals: bool,
}

/// As most write it; Python; PHP, which has an option for what is not ASCII; Go; Gson of Java; .NET; and who escapes
/// whatever means something in HTML or in a URL.
const JSON_WRITERS: [JsonWriter; 8] = [
    JsonWriter { escaped: "", escapes_others: false, escapes_slashes: false, in_capitals: false },
    JsonWriter { escaped: "", escapes_others: true, escapes_slashes: false, in_capitals: false },
    JsonWriter { escaped: "", escapes_others: true, escapes_slashes: true, in_capitals: false },
    JsonWriter { escaped: "", escapes_others: false, escapes_slashes: true, in_capitals: false },
    JsonWriter { escaped: "<>&", escapes_others: false, escapes_slashes: false, in_capitals: false },
    JsonWriter { escaped: "<>&='", escapes_others: false, escapes_slashes: false, in_capitals: false },
    JsonWriter { escaped: "<>&'+`\"", escapes_others: true, escapes_slashes: false, in_capitals: true },
    JsonWriter { escaped: "<>&='+\"", escapes_others: true, escapes_slashes: false, in_capitals: false },
];

impl JsonWriter {
    /// Whether what it writes is not the secret as it is.
    fn changes(&self, secret: &str) -> bool {
        secret.contains(|found| {
            matches!(found, '\0'..'\x20' | '"' | '\\')
                || self.is_escaped(found)
                || (self.escapes_slashes && found == '/')
        })
    }

    fn is_escaped(&self, found: char) -> bool {
        self.escaped.contains(found) || (self.escapes_others && !found.is_ascii())
    }

    /// What it writes between the quotes.
    fn written(&self, secret: &str) -> String {
        let mut written = String::with_capacity(secret.len() + 2);
        for found in secret.chars() {
            if self.is_escaped(found) {
                for unit in found.encode_utf16(&mut [0; 2]) {
                    let _ = if self.in_capitals {
                        write!(written, "\\u{unit:04X}")
                    } else {
                        write!(written, "\\u{unit:04x}")
                    };
                }
            } else if self.escapes_slashes && found == '/' {
                written.push_str("\\/");
            } else {
                let _ = write_inside(found.encode_utf8(&mut [0; 4]), &mut written);
            }
        }
        written
    }
}

/// So many bytes of a secret, in any of its forms, are enough for [`Redactor::may_match`].
pub const START_BYTES: usize = 16;

/// Bytes from which on a text is sieved first.
const LONG: usize = 1 << 10;

impl Matcher {
    fn new(mut forms: Vec<String>) -> Option<Self> {
        forms.sort_unstable();
        forms.dedup();
        // All starts have one length, so that they are found in the order of their beginnings.
        let length = forms.iter().map(String::len).min()?.min(START_BYTES);
        let mut starts: Vec<Vec<u8>> = forms.iter().map(|form| form.as_bytes()[..length].to_vec()).collect();
        starts.dedup();
        let quick = packed::Searcher::new(&starts);
        let sieve = Sieve::new(&starts);
        Some(Self { starts: AhoCorasick::new(&starts).ok()?, forms, quick, sieve })
    }

    /// Whether a form begins here as far as the automaton looks.
    fn has_start(&self, text: &[u8]) -> bool {
        match &self.sieve {
            Some(sieve) if text.len() >= LONG => sieve.any(text, |part| self.has_start_in(part)),
            _ => self.has_start_in(text),
        }
    }

    fn has_start_in(&self, text: &[u8]) -> bool {
        match &self.quick {
            Some(quick) => quick.find(text).is_some(),
            None => self.starts.is_match(text),
        }
    }

    /// Where each form stands, one after the other. The search for one takes time in proportion to the text, however
    /// much of it is like the form: who sends a text may have chosen the secret too.
    fn matches<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = Range<usize>> + 't {
        let forms = self.forms.iter().filter(|form| form.len() <= text.len());
        forms.flat_map(|form| memmem::find_iter(text, form).map(|at| at..at + form.len()))
    }
}

impl Redactor {
    /// A redactor for these values, and for what is left of them without white space around: a header arrives so (RFC
    /// 9110 section 5.5). Values under [`MIN_REDACTED_BYTES`] are passed over.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut forms: Vec<String> = Vec::new();
        let secrets = secrets.into_iter().flat_map(|secret| [Some(secret), trimmed(secret)]).flatten();
        for secret in secrets.filter(|secret| secret.len() >= MIN_REDACTED_BYTES) {
            let escaped = [NON_ALPHANUMERIC, UNRESERVED, URI_COMPONENT, PATH];
            let escaped = escaped.map(|set| utf8_percent_encode(secret, set).to_string());
            for escaped in escaped.into_iter().chain([form_encoded(secret)]) {
                forms.push(with_small_escapes(&escaped));
                forms.push(escaped);
            }
            for writer in JSON_WRITERS.iter().filter(|writer| writer.changes(secret)) {
                let once = writer.written(secret);
                forms.push(writer.written(&once)); // JSON within JSON within a text
                forms.push(once);
            }
            let mut hex = String::with_capacity(2 * secret.len());
            for byte in secret.bytes() {
                let _ = write!(hex, "{byte:02x}");
            }
            forms.extend([
                secret.to_owned(),
                hex.to_uppercase(),
                hex,
                BASE64_STANDARD.encode(secret),
                BASE64_STANDARD.encode(secret).trim_end_matches('=').to_owned(),
                BASE64_URL_SAFE_NO_PAD.encode(secret),
            ]);
        }
        Self { matcher: Matcher::new(forms).map(Arc::new), outer: None }
    }

    /// A redactor that masks what either masks.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        match (&self.matcher, &other.matcher) {
            (None, _) if self.outer.is_none() => other.clone(),
            (_, None) if other.outer.is_none() => self.clone(),
            _ => {
                let inner = match &self.outer {
                    Some(outer) => outer.and(other),
                    None => other.clone(),
                };
                Self { matcher: self.matcher.clone(), outer: Some(Arc::new(inner)) }
            }
        }
    }

    /// Whether it masks nothing.
    pub fn is_empty(&self) -> bool {
        self.matcher.is_none() && self.outer.as_ref().is_none_or(|outer| outer.is_empty())
    }

    /// Whether one of the secrets may stand in these bytes: quicker than [`Redactor::is_match`], and
    /// certain only when it says no. What stands in escapes of JSON is not seen.
    pub fn may_match(&self, bytes: &[u8]) -> bool {
        self.matcher.as_ref().is_some_and(|matcher| matcher.has_start(bytes))
            || self.outer.as_ref().is_some_and(|outer| outer.may_match(bytes))
    }

    /// Whether one of the secrets stands in these bytes.
    pub fn is_match(&self, bytes: &[u8]) -> bool {
        self.matcher.as_ref().is_some_and(|matcher| matcher.has_start(bytes) && matcher.matches(bytes).next().is_some())
            || self.outer.as_ref().is_some_and(|outer| outer.is_match(bytes))
    }

    /// The text with every secret masked.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if !self.may_match(text.as_bytes()) {
            return Cow::Borrowed(text);
        }
        let matchers = std::iter::successors(Some(self), |redactor| redactor.outer.as_deref());
        let matchers = matchers.filter_map(|redactor| redactor.matcher.as_deref());
        let mut found: Vec<Range<usize>> = matchers.flat_map(|matcher| matcher.matches(text.as_bytes())).collect();
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        // One secret may be a part of another: what either covers is masked.
        found.sort_unstable_by_key(|found| found.start);
        let mut masked = String::with_capacity(text.len());
        let mut done = 0;
        for found in found {
            if found.start >= done {
                masked.push_str(&text[done..found.start]);
                masked.push_str(MASK);
            }
            done = done.max(found.end);
        }
        masked.push_str(&text[done..]);
        Cow::Owned(masked)
    }

    /// The value with every secret masked in its strings and member names. What holds none is
    /// shared, not copied.
    #[must_use]
    pub fn json(&self, value: &Json) -> Json {
        if self.is_empty() { value.clone() } else { self.masked(value).unwrap_or_else(|| value.clone()) }
    }

    /// `None` if nothing had to be masked.
    fn masked(&self, value: &Json) -> Option<Json> {
        match value {
            Json::Null | Json::Bool(_) => None,
            Json::Number(number) => self.is_match(number.as_str().as_bytes()).then(|| Json::string(MASK)),
            Json::String(text) => match self.text(text) {
                Cow::Borrowed(_) => None,
                Cow::Owned(masked) => Some(masked.into()),
            },
            Json::Array(elements) => {
                let mut copy: Option<Vec<Json>> = None;
                for (at, element) in elements.iter().enumerate() {
                    if let Some(masked) = self.masked(element) {
                        copy.get_or_insert_with(|| elements.to_vec())[at] = masked;
                    }
                }
                copy.map(Json::from)
            }
            Json::Object(members) => self.masked_members(members),
        }
    }

    fn masked_members(&self, members: &Object) -> Option<Json> {
        let mut copy: Option<ObjectBuilder> = None;
        for (at, (name, value)) in members.iter().enumerate() {
            // Once each: a value that is asked twice asks all below it twice as often at every level.
            let (name, masked) = (self.text(name), self.masked(value));
            if copy.is_none() && (masked.is_some() || matches!(name, Cow::Owned(_))) {
                let mut begun = ObjectBuilder::with_capacity(members.len());
                for (name, value) in members.iter().take(at) {
                    begun.insert(name, value.clone());
                }
                copy = Some(begun);
            }
            if let Some(copy) = &mut copy {
                copy.insert(name, masked.unwrap_or_else(|| value.clone()));
            }
        }
        copy.map(Json::from)
    }
}

/// Without white space around it, if it has some.
fn trimmed(secret: &str) -> Option<&str> {
    let trimmed = secret.trim();
    (trimmed.len() < secret.len()).then_some(trimmed)
}

/// The same with the digits of its escapes in lower case (RFC 3986 section 2.1 takes both).
fn with_small_escapes(escaped: &str) -> String {
    let mut parts = escaped.split('%');
    let mut small = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        small.push('%');
        small.push_str(&digits.to_ascii_lowercase());
        small.push_str(rest);
    }
    small
}

/// `application/x-www-form-urlencoded`, as a secret stands in a form body.
fn form_encoded(secret: &str) -> String {
    url::form_urlencoded::byte_serialize(secret.as_bytes()).collect()
}

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { matcher: _, outer: _ } = self; // secrets
        f.debug_struct("Redactor").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "S3cr+t/é\"-~(x";

    #[test]
    fn every_form_is_masked() {
        let redactor = Redactor::new([SECRET, "short"]);
        let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
        for form in [
            SECRET.to_owned(),
            "S3cr%2Bt%2F%C3%A9%22%2D%7E%28x".to_owned(),
            "S3cr%2bt%2f%c3%a9%22%2d%7e%28x".to_owned(),
            "S3cr%2Bt%2F%C3%A9%22-~%28x".to_owned(),
            "S3cr%2bt%2f%c3%a9%22-~%28x".to_owned(),
            "S3cr%2Bt%2F%C3%A9%22-~(x".to_owned(),
            "S3cr%2bt%2f%c3%a9%22-~(x".to_owned(),
            "S3cr%2Bt%2F%C3%A9%22-%7E%28x".to_owned(),
            "S3cr%2bt%2f%c3%a9%22-%7e%28x".to_owned(),
            BASE64_STANDARD.encode(SECRET),
            BASE64_URL_SAFE_NO_PAD.encode(SECRET),
            hex.to_uppercase(),
            hex,
            "S3cr+t/é\\\"-~(x".to_owned(),
            "S3cr%2Bt/%C3%A9%22-~%28x".to_owned(),
            "S3cr+t/\\u00e9\\\"-~(x".to_owned(),
            "S3cr+t/é\\\\\\\"-~(x".to_owned(),
            "S3cr+t\\\\\\/\\\\u00e9\\\\\\\"-~(x".to_owned(),
            "S3cr+t\\/\\u00e9\\\"-~(x".to_owned(),
            "S3cr+t\\/é\\\"-~(x".to_owned(),
            "S3cr\\u002Bt/\\u00E9\\u0022-~(x".to_owned(),
            "S3cr\\u002bt/\\u00e9\\u0022-~(x".to_owned(),
        ] {
            assert!(redactor.text(&format!("<{form}>")).starts_with("<***"), "{form}");
            for before in 0..40 {
                let text = format!("{}{form}", "-".repeat(before));
                assert!(redactor.may_match(text.as_bytes()) && redactor.is_match(text.as_bytes()), "{text}");
            }
        }
        assert_eq!(redactor.text("short"), "short");
        assert!(!redactor.may_match(b"S3cr+t/ nothing of which is whole, short or long S3cr+"));
        assert!(matches!(redactor.text("nothing"), Cow::Borrowed(_)));
    }

    #[test]
    fn every_form_is_masked_in_a_long_text() {
        let secret = "s3cr+t/é\"x, and so long that its starts are sieved";
        let redactor = Redactor::new([secret]);
        for form in redactor.matcher.iter().flat_map(|matcher| &matcher.forms) {
            for before in (0..600).chain([LONG - form.len(), 4 * LONG]) {
                let (before, after) = ("{\"a\":".repeat(before / 5), "é".repeat(LONG));
                let text = format!("{before}{form}{after}");
                assert!(redactor.may_match(text.as_bytes()), "{form} at {}", before.len());
                assert_eq!(redactor.text(&text), format!("{before}{MASK}{after}"));
            }
        }
        assert!(!redactor.may_match("s3cr+t/é\"x, and so short".repeat(LONG).replace("and", "but").as_bytes()));
    }

    /// Long secrets, so that a form is found by its start only, and starts that lie in one another.
    #[test]
    fn whole_forms_are_masked_and_nothing_but_whole_forms() {
        let long = "abcdefghijklmnopqrstuvwxyz".repeat(600);
        let redactor = Redactor::new([long.as_str(), "abcdefghijklmnopqrstuvwxyz-1", "abcdefghijklmnopqrstuvwxyz"]);
        for (text, masked) in [
            (long.clone(), MASK.to_owned()),
            (format!("<{long}{long}>"), format!("<{MASK}{MASK}>")),
            ("abcdefghijklmnop".to_owned(), "abcdefghijklmnop".to_owned()),
            ("abcdefghijklmnopqrstuvwxyz-1-2".to_owned(), "***-2".to_owned()),
            ("é abcdabcdefghijklmnopqrstuvwxyzé".to_owned(), "é abcd***é".to_owned()),
            ("abcdefghijabcdefghijklmnopqrstuvwxyz".to_owned(), "abcdefghij***".to_owned()),
        ] {
            assert_eq!(redactor.text(&text), masked, "{}", text.len());
        }
        assert_eq!(Redactor::new(["aaaaaa", "aaaaaab"]).text("xaaaaaaaaaaaaaaab"), "x******");
        assert_eq!(Redactor::new([" a-secret\n"]).text("<a-secret>"), "<***>");
    }

    #[test]
    fn of_secrets_that_hold_each_other_nothing_is_left() {
        let [own, token, other] =
            ["the-secret", "the-secret:and-a-rest", "and-a-rest/more"].map(|secret| Redactor::new([secret]));
        for all in [own.and(&token).and(&other), other.and(&token.and(&own)), token.and(&other).and(&own)] {
            assert_eq!(all.text("<the-secret:and-a-rest> <the-secret>"), "<***> <***>");
            assert_eq!(all.text("<the-secret:and-a-rest/more>"), "<***>", "they overlap");
        }
    }

    #[test]
    fn json_is_masked_in_names_and_values_and_else_shared() {
        let redactor = Redactor::new(["canary-1"]).and(&Redactor::new(["canary-2", "12345678"]));
        let value = Json::parse(r#"{"a":["x canary-1 y",1],"canary-2":{"b":null},"n":12345678,"same":[1,2]}"#).unwrap();
        assert_eq!(redactor.json(&value).to_string(), r#"{"a":["x *** y",1],"***":{"b":null},"n":"***","same":[1,2]}"#);
        assert!(Redactor::new([]).and(&Redactor::default()).is_empty());
    }

    /// Whoever has chosen both the secret and the text.
    #[test]
    fn a_text_that_is_like_the_secret_everywhere_takes_no_longer_than_another() {
        let secret = format!("{}/é\"-~(x", "a".repeat(15_980));
        let (redactor, text) = (Redactor::new([secret.as_str()]), "a".repeat(10 << 20));
        assert!(redactor.may_match(text.as_bytes()));
        let longest = std::time::Duration::from_secs(if cfg!(debug_assertions) { 5 } else { 1 });
        let masked = callout_hostile::within(longest, "a text of a secret's starts", || redactor.text(&text).len());
        assert_eq!(masked, text.len());
    }

    /// An upstream can write a secret below as many levels as a body may have.
    #[test]
    fn masking_takes_no_longer_for_each_level() {
        let redactor = Redactor::new(["canary-1"]);
        let deep = |inner: &str| format!("{}{inner}{}", "{\"a\":".repeat(23), "}".repeat(23));
        let masked = |name: &str, body: &str| {
            let longest = std::time::Duration::from_secs(1);
            callout_hostile::within(longest, name, || redactor.json(&Json::parse(body).unwrap()).to_string())
        };
        assert_eq!(masked("objects alone", &deep("\"canary-1\"")), deep("\"***\""));
        for levels in [5, 22, 120] {
            let body = format!("{}\"canary-1\"{}", "{\"a\":1,\"b\":[".repeat(levels / 2), "]}".repeat(levels / 2));
            assert_eq!(masked(&format!("{levels} levels"), &body), body.replace("canary-1", MASK));
        }
    }
}
