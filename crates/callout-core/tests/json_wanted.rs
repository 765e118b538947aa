//! Reading in part beside reading the whole: the same values where something is wanted, the same texts
//! refused at the same places.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher},
};

use callout_core::json::{Json, LoneSurrogates, ObjectBuilder, ReadErrorKind, ReadOptions, Want, Wanted};
use proptest::prelude::*;

/// Decides by a digest of the way to a value, so that the same can be asked of the whole.
#[derive(Clone, Copy, Debug)]
struct Chance(u64);

impl Chance {
    fn next(self, what: impl Hash) -> u64 {
        let mut hasher = DefaultHasher::new();
        (self.0, what).hash(&mut hasher);
        hasher.finish()
    }

    fn want(number: u64) -> Want<Self> {
        match number % 5 {
            0 => Want::All,
            1 | 2 => Want::Part(Self(number)),
            3 => Want::Place,
            _ => Want::Nothing,
        }
    }
}

impl Wanted for Chance {
    fn member(self, name: &str) -> Want<Self> {
        Self::want(self.next(name))
    }

    fn element(self, index: usize) -> Want<Self> {
        // What is left out must stand behind what is wanted.
        match Self::want(self.next(index)) {
            Want::Nothing if index as u64 <= self.0 % 4 => Want::Place,
            _ if index as u64 > self.0 % 4 => Want::Nothing,
            want => want,
        }
    }
}

/// What reading in part must give, from the whole.
fn part(value: &Json, wanted: Chance) -> Json {
    let of = |want: Want<Chance>, value: &Json| match want {
        Want::All => Some(value.clone()),
        Want::Part(wanted) => Some(part(value, wanted)),
        Want::Place => Some(Json::Null),
        Want::Nothing => None,
    };
    match value {
        Json::Array(elements) => {
            elements.iter().enumerate().filter_map(|(at, value)| of(wanted.element(at), value)).collect()
        }
        Json::Object(members) => {
            let kept = members.iter().filter_map(|(name, value)| Some((name, of(wanted.member(name), value)?)));
            kept.fold(ObjectBuilder::new(), |object, (name, value)| object.with(name, value)).into()
        }
        scalar => scalar.clone(),
    }
}

fn options() -> ReadOptions {
    ReadOptions { max_depth: 6, lone_surrogates: LoneSurrogates::Replace, ..ReadOptions::default() }
}

/// Texts that are JSON or nearly so: escapes, duplicate names, blanks, nesting past the bound.
fn texts() -> impl Strategy<Value = String> {
    let token = prop_oneof![
        "[\\[\\]{}:, \n]",
        r#""[ab]{0,2}""#,
        r#""(a|\\n|\\u0061|\\ud83d|\\ud83d\\ude00|\\x|\\"|é){0,3}""#,
        "-?[0-9]{1,2}(\\.[0-9]|e5|e|\\.)?",
        "true|false|null|nul",
    ];
    let value = prop_oneof![
        r#"(1|-2.50|true|null|"x"|"\\u0061\\\\"|"lång"|"\\ud800")"#,
        r#"(\[\]|\{\}|\[ 1 , 2 \]|\{"a":1,"b":2,"\\u0061":[3]\})"#,
    ];
    let nested = value.prop_recursive(8, 40, 5, |inner| {
        let member =
            (r#""(a|b|c|\\u0062|long name)""#, inner.clone()).prop_map(|(name, value)| format!("{name}: {value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(member, 0..5).prop_map(|all| format!("{{{}}}", all.join(" ,\n    "))),
        ]
    });
    let spoilt =
        (nested.clone(), any::<prop::sample::Index>(), "[\\[\\]{}:,\"\\\\0a\u{1}]?").prop_map(|(text, at, other)| {
            let place = at.get(&text.char_indices().map(|(at, _)| at).collect::<Vec<_>>()).to_owned();
            let behind = place + text[place..].chars().next().map_or(0, char::len_utf8);
            format!("{}{other}{}", &text[..place], &text[behind..])
        });
    prop_oneof![nested, spoilt, prop::collection::vec(token, 0..12).prop_map(|all| all.concat())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn what_is_wanted_is_what_the_whole_has(text in texts(), seed: u64) {
        let whole = options().read(text.as_bytes());
        let got = options().read_wanted(text.as_bytes(), Chance(seed), None);
        match (whole, got) {
            (Ok(whole), Ok(got)) => prop_assert_eq!(got.to_string(), part(&whole, Chance(seed)).to_string()),
            (whole, got) => prop_assert_eq!(whole.err(), got.err(), "{}", text),
        }
    }

    #[test]
    fn every_string_with_an_escape_is_shown_wherever_it_stands(text in texts(), seed: u64) {
        let shown = |wanted: u64| {
            let seen = RefCell::new(Vec::new());
            let may_pass = |text: &str| {
                seen.borrow_mut().push(text.to_owned());
                true
            };
            let read = options().read_wanted(text.as_bytes(), Chance(wanted), Some(&may_pass));
            (read.is_ok(), seen.into_inner())
        };
        let ((is_json, seen), (_, others)) = (shown(seed), shown(seed.wrapping_add(1)));
        prop_assert_eq!(is_json, options().read(text.as_bytes()).is_ok());
        if is_json {
            prop_assert_eq!(&seen, &others);
        } else {
            // Some are shown twice, none behind where it is wrong.
            let all = |seen: &[String]| seen.iter().cloned().collect::<BTreeSet<_>>();
            prop_assert_eq!(all(&seen), all(&others), "{}", text);
        }
        if is_json && text.contains('\\') {
            prop_assert!(!seen.is_empty(), "{}", text);
        }
        if !seen.is_empty() {
            let stopped = options().read_wanted(text.as_bytes(), Chance(seed), Some(&|_| false));
            prop_assert_eq!(stopped.map_err(|error| error.kind().clone()), Err(ReadErrorKind::Stopped));
        }
    }
}

/// The cases that went wrong elsewhere, by name.
#[test]
fn traps_of_reading_in_part() {
    /// Wants the member `a` and nothing else.
    #[derive(Clone, Copy)]
    struct OnlyA;
    impl Wanted for OnlyA {
        fn member(self, name: &str) -> Want<Self> {
            if name == "a" { Want::All } else { Want::Nothing }
        }
        fn element(self, _: usize) -> Want<Self> {
            Want::Part(self)
        }
    }
    let read = |text: &[u8]| match options().read_wanted(text, OnlyA, None) {
        Ok(value) => value.to_string(),
        Err(error) => error.to_string(),
    };
    let table: [(&[u8], &str); 16] = [
        (br#"{"b":1,"a":2,"c":[{"a":3}]}"#, r#"{"a":2}"#),
        (br#"{"a":1,"b":{"a":2},"a":3}"#, r#"{"a":3}"#),
        (br#"{"\u0061":1}"#, r#"{"a":1}"#),
        (br#"[{"a":1},{"b":2},3,"x",[]]"#, r#"[{"a":1},{},3,"x",[]]"#),
        (b"\xef\xbb\xbf{\"b\":\"\\ud83d\",\"a\":\"\\ud83d\"}", "{\"a\":\"\u{fffd}\"}"),
        (b"{\"b\":\"\xff\",\"a\":1}", "not UTF-8 at line 1 column 7"),
        (b"{\"b\":\"\x01\"}", "a control character in a string must be escaped at line 1 column 7"),
        (br#"{"b":"\x"}"#, "unknown escape sequence at line 1 column 8"),
        (br#"{"b":[1,]}"#, "expected a value at line 1 column 9"),
        (br#"{"b":{"c" 1}}"#, "expected `:` at line 1 column 11"),
        (br#"{"b":[1 2]}"#, "expected `,` or `]` at line 1 column 9"),
        (br#"{"b":01}"#, "expected `,` or `}` at line 1 column 7"),
        (br#"{"b":[[[[[[]]]]]]}"#, "nested deeper than 6 levels at line 1 column 11"),
        (br#"{"b":[[[[[]]]]]}"#, "{}"),
        (br#"{"b":"#, "the text ends inside a value at line 1 column 6"),
        (br#"{"b":1} x"#, "more text after the value at line 1 column 9"),
    ];
    for (text, expected) in table {
        assert_eq!(read(text), expected, "{}", text.escape_ascii());
    }
}
