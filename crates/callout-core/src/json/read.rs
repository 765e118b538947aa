//! The reader: one pass over the bytes, no recursion past the bound, numbers kept as text.

use std::borrow::Cow;

use smol_str::SmolStr;

use super::{
    Json, Number, ObjectBuilder,
    ends::Ends,
    error::Slip,
    number::number_length,
    options::{Duplicates, LoneSurrogates, ReadOptions},
    space::{behind_space, is_space},
};

pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) depth: usize,
    options: ReadOptions,
    pub(super) may_pass: Option<&'a dyn Fn(&str) -> bool>,
    pub(super) ends: Ends<'a>,
    /// Whether nothing was read so far that would be written otherwise.
    pub(super) is_compact: bool,
    /// The name that stands twice, if that is why it stopped.
    pub(super) duplicate: SmolStr,
}

pub(super) type Step<T> = Result<T, Slip>;

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, options: ReadOptions, may_pass: Option<&'a dyn Fn(&str) -> bool>) -> Self {
        let bytes = text.as_bytes();
        let ends = Ends::of(bytes);
        Self { text, bytes, at: 0, depth: 0, options, may_pass, ends, is_compact: true, duplicate: SmolStr::default() }
    }

    pub(super) fn document<T>(&mut self, read: impl FnOnce(&mut Self) -> Step<T>) -> Step<T> {
        self.space();
        if self.at == self.bytes.len() {
            return Err(Slip::Empty);
        }
        let value = read(self)?;
        self.space();
        if self.at < self.bytes.len() {
            return Err(Slip::TrailingText);
        }
        Ok(value)
    }

    #[inline]
    pub(super) fn space(&mut self) {
        if self.bytes.get(self.at).is_some_and(|byte| is_space(*byte)) {
            self.is_compact = false;
            self.at = behind_space(self.bytes, self.at);
        }
    }

    pub(super) const fn max_depth(&self) -> usize {
        self.options.max_depth
    }

    #[inline]
    pub(super) fn peek(&self) -> Step<u8> {
        self.bytes.get(self.at).copied().ok_or(Slip::End)
    }

    pub(super) fn value(&mut self) -> Step<Json> {
        match self.peek()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => Ok(Json::String(self.string()?.into())),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.literal("true", Json::Bool(true)),
            b'f' => self.literal("false", Json::Bool(false)),
            b'n' => self.literal("null", Json::Null),
            _ => Err(Slip::Value),
        }
    }

    pub(super) fn nested(&mut self, read: impl FnOnce(&mut Self) -> Step<Json>) -> Step<Json> {
        self.enter()?;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// Goes into a container.
    #[inline]
    pub(super) fn enter(&mut self) -> Step<()> {
        if self.depth == self.options.max_depth {
            return Err(Slip::Depth);
        }
        self.depth += 1;
        self.at += 1;
        self.space();
        Ok(())
    }

    fn array(&mut self) -> Step<Json> {
        let mut elements = Vec::new();
        if self.peek()? == b']' {
            self.at += 1;
            return Ok(Json::Array(elements.into()));
        }
        loop {
            elements.push(self.value()?);
            if self.ends_with(b']', Slip::CommaOrBracket)? {
                return Ok(Json::Array(elements.into()));
            }
        }
    }

    fn object(&mut self) -> Step<Json> {
        let mut members = ObjectBuilder::new();
        if self.peek()? == b'}' {
            self.at += 1;
            return Ok(members.into());
        }
        loop {
            let start = self.at;
            let name: SmolStr = self.name()?.into();
            let value = self.value()?;
            let refused = (self.options.duplicates == Duplicates::Refuse).then(|| name.clone());
            if !members.insert(name, value) {
                if let Some(name) = refused {
                    self.at = start;
                    self.duplicate = name;
                    return Err(Slip::Duplicate);
                }
                self.is_compact = false;
            }
            if self.ends_with(b'}', Slip::CommaOrBrace)? {
                return Ok(members.into());
            }
        }
    }

    /// Reads a member's name and what stands between it and its value.
    #[inline]
    pub(super) fn name(&mut self) -> Step<Cow<'a, str>> {
        if self.peek()? != b'"' {
            return Err(Slip::Name);
        }
        let name = self.string()?;
        self.colon()?;
        Ok(name)
    }

    #[inline]
    pub(super) fn colon(&mut self) -> Step<()> {
        // Most often there is no space on either side.
        if let Some([b':', next, ..]) = self.bytes.get(self.at..)
            && !is_space(*next)
        {
            self.at += 1;
            return Ok(());
        }
        self.space();
        if self.peek()? != b':' {
            return Err(Slip::Colon);
        }
        self.at += 1;
        self.space();
        Ok(())
    }

    /// Passes over what stands behind an element: true at the end of the container.
    #[inline]
    pub(super) fn ends_with(&mut self, end: u8, expected: Slip) -> Step<bool> {
        self.space();
        let found = self.peek()?;
        if found != end && found != b',' {
            return Err(expected);
        }
        self.at += 1;
        if found == b',' {
            self.space();
        }
        Ok(found == end)
    }

    fn literal(&mut self, word: &'static str, value: Json) -> Step<Json> {
        self.word(word)?;
        Ok(value)
    }

    #[inline]
    pub(super) fn word(&mut self, word: &'static str) -> Step<()> {
        if !self.bytes[self.at..].starts_with(word.as_bytes()) {
            return Err(Slip::Value);
        }
        self.at += word.len();
        Ok(())
    }

    fn number(&mut self) -> Step<Json> {
        self.digits().map(|digits| Json::Number(Number::from_checked(digits)))
    }

    /// A number as it is written.
    #[inline]
    pub(super) fn digits(&mut self) -> Step<&'a str> {
        let start = self.at;
        self.at += number_length(&self.bytes[start..]).ok_or(Slip::Number)?;
        Ok(&self.text[start..self.at])
    }

    /// Reads a string; a quote must stand here.
    #[inline]
    pub(super) fn string(&mut self) -> Step<Cow<'a, str>> {
        let start = self.at + 1;
        let end = self.ends.of_string(self.at);
        // Most have no escapes.
        if self.bytes.get(end) == Some(&b'"')
            && let Some(plain) = self.text.get(start..end)
        {
            self.at = end + 1;
            return Ok(Cow::Borrowed(plain));
        }
        self.escaped_string(start, end).map(Cow::Owned)
    }

    /// What follows in a string on its first bytes, which are plain and end there.
    #[inline(never)]
    pub(super) fn escaped_string(&mut self, start: usize, end: usize) -> Step<String> {
        let text = self.text;
        self.at = end;
        let mut decoded = text[start..end].to_owned();
        while self.goes_on()? {
            decoded.push(self.escape()?);
            let start = self.at;
            self.at = self.ends.from(start);
            decoded.push_str(&text[start..self.at]);
        }
        if self.may_pass.is_some_and(|may_pass| !may_pass(&decoded)) {
            return Err(Slip::Stopped);
        }
        Ok(decoded)
    }

    /// Whether the escapes of a string that stands between these places are such, and it may pass.
    pub(super) fn escapes(&mut self, start: usize, end: usize) -> Step<()> {
        if self.may_pass.is_some() {
            return self.unescaped(start, end).map(drop);
        }
        let text = self.text;
        self.at = start;
        while let Some(plain) = text.get(self.at..end).and_then(|rest| rest.find('\\')) {
            self.at += plain;
            self.escape()?;
        }
        Ok(())
    }

    /// What the string that stands between these places stands for.
    pub(super) fn unescaped(&mut self, start: usize, end: usize) -> Step<String> {
        let text = self.text;
        let mut decoded = String::new();
        self.at = start;
        loop {
            let rest = text.get(self.at..end).unwrap_or_default();
            let Some(plain) = rest.find('\\') else {
                decoded.push_str(rest);
                break;
            };
            decoded.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            decoded.push(self.escape()?);
        }
        if self.may_pass.is_some_and(|may_pass| !may_pass(&decoded)) { Err(Slip::Stopped) } else { Ok(decoded) }
    }

    /// At what ends a plain stretch: true if it is a backslash; behind the quote if it is one.
    #[inline]
    pub(super) fn goes_on(&mut self) -> Step<bool> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                Ok(false)
            }
            b'\\' => Ok(true),
            _ => Err(Slip::ControlCharacter),
        }
    }

    pub(super) fn escape(&mut self) -> Step<char> {
        self.at += 1;
        let letter = self.peek()?;
        // The first is never written, and the second for few characters, which are not looked into. The others are
        // written wherever what they stand for is.
        self.is_compact &= !matches!(letter, b'/' | b'u');
        let plain = match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                self.at += 1;
                return self.unicode();
            }
            _ => return Err(Slip::Escape),
        };
        self.at += 1;
        Ok(plain)
    }

    fn unicode(&mut self) -> Step<char> {
        let unit = self.four_digits()?;
        if let Some(found) = char::from_u32(unit) {
            return Ok(found);
        }
        if unit < 0xdc00 && self.bytes[self.at..].starts_with(b"\\u") {
            let behind = self.at;
            self.at += 2;
            let low = self.four_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                let scalar = 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                return char::from_u32(scalar).ok_or(Slip::Escape);
            }
            // What follows is no second half: it is read again, as an escape of its own.
            self.at = behind;
        }
        match self.options.lone_surrogates {
            LoneSurrogates::Refuse => Err(Slip::LoneSurrogate),
            LoneSurrogates::Replace => Ok(char::REPLACEMENT_CHARACTER),
        }
    }

    fn four_digits(&mut self) -> Step<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            let digit = char::from(self.peek()?).to_digit(16).ok_or(Slip::Escape)?;
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{
        super::{ReadErrorKind, Whole},
        *,
    };

    fn kind(text: &str) -> ReadErrorKind {
        Json::parse(text).unwrap_err().kind().clone()
    }

    #[test]
    fn order_and_digits_are_kept() {
        let text = r#"{"z":12345678901234567890123,"a":[1.10,-0,1e5,0.1000000000000000055511151231257827],"z2":{}}"#;
        assert_eq!(Json::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn what_is_not_json_is_named_with_its_place() {
        use ReadErrorKind::*;
        let table = [
            ("", Empty),
            (" \n", Empty),
            ("{", UnexpectedEnd),
            ("[1", UnexpectedEnd),
            ("\"abc", UnexpectedEnd),
            ("[1,]", Expected("a value")),
            ("{\"a\" 1}", Expected("`:`")),
            ("{a:1}", Expected("a member name in quotes")),
            ("{\"a\":1,}", Expected("a member name in quotes")),
            ("[1 2]", Expected("`,` or `]`")),
            ("01", TrailingText),
            ("1.", Expected("a number")),
            ("nul", Expected("a value")),
            ("NaN", Expected("a value")),
            ("\"\t\"", ControlCharacter),
            ("\"\\x\"", BadEscape),
            ("\"\\u12g4\"", BadEscape),
            ("\"\\ud83d\"", LoneSurrogate),
            ("\"\\ud83d\\u0041\"", LoneSurrogate),
            ("\"\\ude00\"", LoneSurrogate),
            ("{} {}", TrailingText),
        ];
        for (text, expected) in table {
            assert_eq!(kind(text), expected, "{text:?}");
        }
        let error = Json::parse("{\n  \"é\": tru\n}").unwrap_err();
        assert_eq!((error.line(), error.column()), (2, 8));
        assert_eq!(error.to_string(), "expected a value at line 2 column 8");
    }

    #[test]
    fn depth_is_bounded_without_recursion_past_it() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(Json::parse(&nested(128)).is_ok());
        assert_eq!(kind(&nested(129)), ReadErrorKind::TooDeep(128));
        assert_eq!(kind(&"{\"a\":".repeat(100_000)), ReadErrorKind::TooDeep(128));
    }

    #[test]
    fn surrogates() {
        let replace = ReadOptions { lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() };
        let table = [
            (r#""\ud83d\ude00""#, "😀"),
            (r#""\ud83dx""#, "\u{fffd}x"),
            (r#""\ud83d\u0041""#, "\u{fffd}A"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ude00""#, "\u{fffd}"),
        ];
        for (text, expected) in table {
            assert_eq!(replace.read(text.as_bytes()).unwrap().as_str(), Some(expected), "{text}");
        }
    }

    #[test]
    fn duplicates_are_refused_where_people_write() {
        let strict = ReadOptions { duplicates: Duplicates::Refuse, ..ReadOptions::default() };
        let text = "{\"a\":1,\n \"a\":2}";
        assert_eq!(Json::parse(text).unwrap().to_string(), r#"{"a":2}"#);
        let error = strict.read(text.as_bytes()).unwrap_err();
        assert_eq!((error.kind(), error.line()), (&ReadErrorKind::DuplicateName("a".into()), 2));
    }

    #[test]
    fn a_byte_order_mark_is_passed_over_and_bad_utf8_refused() {
        let options = ReadOptions::default();
        assert_eq!(options.read(b"\xef\xbb\xbf[1]").unwrap().to_string(), "[1]");
        assert_eq!(options.read(b"\"\xff\"").unwrap_err().kind(), &ReadErrorKind::NotUtf8);
    }

    /// The value of a text that is JSON, and whether it is written as the value would be.
    fn whole(text: &[u8]) -> Whole {
        let options = ReadOptions { lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() };
        let whole = options.read_whole(text, None).unwrap();
        assert_eq!(whole.value, options.read(text).unwrap());
        whole
    }

    #[test]
    fn a_text_is_compact_if_it_is_what_would_be_written() {
        let compact = ["null", "-1.50e+07", r#""a\"\\\b\f\n\r\té/""#, "[]", "{}", r#"{"a":[1,{"b\n":"c"}],"":{}}"#];
        for text in compact {
            assert!(whole(text.as_bytes()).is_compact, "{text}");
        }
        let others = [
            " 1",
            "1\n",
            "[ ]",
            "{ }",
            "[1, 2]",
            "[1 ,2]",
            "[1 ]",
            r#"{"a" :1}"#,
            r#"{"a": 1}"#,
            r#"{"a":1 }"#,
            r#"{ "a":1}"#,
            r#"{"a":1, "b":2}"#,
            r#"{"a":1,"a":1}"#,
            r#"{"a":{"b":1,"c":2,"b":1}}"#,
            r#""\/""#,
            r#""\u0001""#,
            r#""\u0061""#,
            r#"{"\u0061":1}"#,
            r#""\ud83d""#,
            "\u{feff}1",
        ];
        for text in others {
            assert!(!whole(text.as_bytes()).is_compact, "{text}");
        }
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i64>().prop_map(Json::from),
            any::<f64>().prop_filter_map("finite", |value| Number::from_f64(value).map(Json::Number)),
            any::<String>().prop_map(Json::from),
        ];
        leaf.prop_recursive(6, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Json::from),
                prop::collection::vec((any::<String>(), inner), 0..40)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(value in any_json()) {
            prop_assert_eq!(&Json::parse(&value.to_string()).unwrap(), &value);
            prop_assert_eq!(&Json::parse(&format!("{value:#}")).unwrap(), &value);
            prop_assert!(whole(value.to_string().as_bytes()).is_compact || value.to_string().contains("\\u"));
        }

        #[test]
        fn what_is_said_to_be_compact_is_what_is_written(
            value in any_json(),
            slip in prop::sample::select(vec!["", " ", "\n", "\\/", "\\u0061", "\\n", "/", "\"a\":1,", ",\"a\":1", "\u{feff}"]),
            at in any::<prop::sample::Index>(),
        ) {
            let mut text = value.to_string();
            let places: Vec<_> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
            text.insert_str(*at.get(&places), slip);
            if let Ok(value) = Json::parse(&text) {
                let written = value.to_string();
                // What is written by its number is not looked into.
                let is_known = written == text && !text.contains("\\u");
                let is_compact = whole(text.as_bytes()).is_compact;
                prop_assert!(if is_compact { written == text } else { !is_known }, "{}", text);
            }
        }

        #[test]
        fn the_reader_accepts_exactly_what_serde_json_accepts(text in r#"[\[\]{}:,"\\ 0-9a-fnrtulse.+\-]{0,24}"#) {
            prop_assert_eq!(Json::parse(&text).is_ok(), serde_json::from_str::<serde_json::Value>(&text).is_ok() || overflows(&text));
        }
    }

    /// `serde_json` refuses floats beyond its range; their grammar is right all the same.
    fn overflows(text: &str) -> bool {
        serde_json::from_str::<serde_json::Value>(text).is_err_and(|error| error.to_string().contains("out of range"))
    }
}
