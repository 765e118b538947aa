//! What no path may do, whoever wrote it and whatever it meets: run on, overflow the stack, panic.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::thread;

use callout_core::{json::Json, limits::Limits};
use callout_path::{Grammar, Mask, Path, TooMuch};
use proptest::prelude::*;

fn limits(nodes: usize) -> Limits {
    let mut limits = Limits::default();
    limits.max_path_matches = nodes;
    limits
}

fn visits(path: &str, document: &Json, nodes: usize) -> bool {
    let limits = limits(nodes);
    let path = Path::parse(path, &limits).unwrap();
    let value = path.value(document, &limits);
    let select = path.select(document, &mut Mask::new(), &limits);
    assert_eq!(value.is_ok(), select.is_ok(), "{path}");
    if let Err(error) = value {
        assert_eq!(error, TooMuch::OnePath(nodes));
    }
    select.is_ok()
}

#[test]
fn visited_nodes_are_counted() {
    let array = r#"{"a":[1,2,3],"b":{"c":[{"d":"x"},{"d":"y"},{}]}}"#;
    // Path, and the least limit under which it ends.
    let table = [
        ("$.a[*]", 4),
        ("$.a[0:2]", 3),
        ("$.a[0,0,0]", 6),
        ("$.a[*,*]", 8),
        ("$.a[?@ > 1]", 7),
        ("$.a[?@ > 0 && @ < 9 && @ != 4]", 13),
        ("$.a[?@ == @]", 10),
        ("$.a[?@]", 7),
        ("$.a[?!@ || @]", 10),
        ("$.a[?1 == 1 && length('x') < 2]", 10),
        ("$.a[?length(@) == 1]", 7),
        ("$.a[?match('x', 'x')]", 7),
        ("$.a[?search(@, 'x')]", 7),
        ("$.a[?@ > 12345678901234567890]", 10),
        ("$.a[?@ > 1.2345678901234567e-300]", 7),
        ("$.a[?@ > 1.0000000000000001268e300]", 70),
        ("$.b.c[?@.d]", 8),
        ("$.b.c[?@.d == 'x']", 8),
        ("$.b.c[?@.d == $.a[0]]", 14),
        ("$..d", 13),
        ("$..*", 22),
        ("$.b[?count(@.*) > 0]", 6),
        ("$.a[?@ == 9 || count($.a[*]) == 3]", 22),
        ("$.b.c[?@ == $.b.c[0]]", 19),
        ("$[?match('x', $.b.c[0].d)]", 511),
        ("$.a[?$.x || $.y]", 10),
        ("$.a[?$.x.* || $.y..z]", 10),
        ("b.c.d", 7),
        ("a.0", 2),
    ];
    let document = Json::parse(array).unwrap();
    for (path, least) in table {
        let found = (0..2_000).find(|nodes| visits(path, &document, *nodes));
        assert_eq!(found, Some(least), "{path}");
    }
}

#[test]
fn a_query_that_multiplies_ends_at_the_limit() {
    let (deep, wide): (_, Json) = (nested(8), (0..2_000).collect::<Vec<i32>>().into());
    let hostile = [
        ("$".to_owned() + &"[*,*,*,*]".repeat(6), &deep),
        ("$".to_owned() + &"..*".repeat(300), &deep),
        ("$".to_owned() + &"[0,0,0,0,0,0,0,0]".repeat(8), &deep),
        ("$".to_owned() + &"..['x','y','z',0]".repeat(8), &deep),
        (format!("$[{}]", vec!["*"; 400].join(",")), &wide),
        (format!("$[{}]", vec!["::"; 300].join(",")), &wide),
        ("$[?count($..*) > 0]".to_owned(), &wide),
        ("$[?$[?@ == 1999]]".to_owned(), &wide),
        ("$[?value($[?value($[?@ == 1]) == 1]) == 2]".to_owned(), &wide),
        (format!("$[?{}]", vec!["$ == $"; 100].join("&&")), &wide),
        ("$..[?$ == $]".to_owned(), &wide),
    ];
    for (path, document) in hostile {
        let path = Path::parse(&path, &Limits::default()).unwrap();
        assert_eq!(path.value(document, &Limits::default()).map(drop), Err(TooMuch::OnePath(100_000)), "{path}");
    }
}

/// Arrays of four in arrays of four.
fn nested(levels: u32) -> Json {
    (0..levels).fold(Json::from(1), |inner, _| vec![inner; 4].into())
}

#[test]
fn long_texts_cost_more_than_one_node() {
    let text = "ab".repeat(50_000);
    let document: Json = (0..2_000).map(|_| Json::from(text.as_str())).collect();
    for path in ["$[?length(@) == 1]", "$[?@ == $[0]]", "$[?@ <= $[0]]", "$[?search(@, 'c')]", "$[?match('x', @)]"] {
        assert!(!visits(path, &document, 100_000), "{path}");
    }
    assert!(visits("$[?@ == 'x']", &document, 4_000));
}

#[test]
fn long_names_cost_more_than_one_node() {
    let name = |at: usize, length: usize| format!("{}{at:03}", "k".repeat(length));
    let wide = |length: usize| -> Json { (0..200).map(|at| (name(at, length), Json::from(at))).collect() };
    let document = |length: usize| -> Json {
        let elements: Json = (0..1_000).collect::<Vec<i32>>().into();
        [("w", wide(length)), ("a", elements)].into_iter().collect()
    };
    let path = |length: usize| format!("$.a[?$.w['{}'] == 1]", name(199, length));
    // One for each element and each of two steps, and the list.
    assert!(visits(&path(10), &document(10), 3_001));
    assert!(!visits(&path(900), &document(900), 20_000));
    assert!(visits(&path(900), &document(900), 32_000));
    // Names that objects are compared by.
    let same = |length: usize| -> Json {
        let members = |order: &mut dyn Iterator<Item = usize>| -> Json {
            order.map(|at| (name(at, length), Json::from(1))).collect()
        };
        [("w", members(&mut (0..16))), ("v", members(&mut (0..16).rev()))].into_iter().collect()
    };
    for (length, nodes, fits) in [(10, 20, true), (20_000, 300, false)] {
        assert_eq!(visits("$[?$.w == $.v]", &same(length), 2 * nodes), fits, "{length}");
    }
}

#[test]
fn texts_are_bounded_before_they_are_parsed() {
    let mut limits = Limits::default();
    let long = |length: usize| "a".repeat(length);
    for (prefix, name) in [("", "dotted"), ("/", "pointer"), ("$.", "query")] {
        let longest = limits.max_path_bytes - prefix.len();
        assert!(Path::parse(&format!("{prefix}{}", long(longest)), &limits).is_ok(), "{name}");
        let error = Path::parse(&format!("{prefix}{}", long(longest + 1)), &limits).unwrap_err();
        assert!(error.to_string().contains("at most 1024 bytes"), "{error}");
    }
    let deep = |levels: usize| format!("$[?{}@{}]", "(".repeat(levels - 1), ")".repeat(levels - 1));
    assert!(Path::parse(&deep(32), &limits).is_ok());
    let error = Path::parse(&deep(33), &limits).unwrap_err();
    assert!(error.to_string().contains("more than 32 brackets are open"), "{error}");
    limits.max_path_bytes = 1 << 20;
    limits.max_path_nesting = 100;
    assert!(Path::parse(&deep(100), &limits).is_ok());
    assert!(Path::parse(&deep(101), &limits).is_err());
    assert!(Path::parse(&"$[?@".repeat(200_000), &limits).is_err());
    assert!(Path::parse(&"$[?(".repeat(200_000), &limits).is_err());
}

/// What once made the parser go back again and again, or deep down; each in a thread with a small
/// stack. The test has no clock: going back would take it hours.
#[test]
fn nothing_within_the_bounds_is_hard_to_parse() {
    let around = |before: &str, inner: &str, after: &str, times: usize| {
        format!("$[?{}{inner}{}]", before.repeat(times), after.repeat(times))
    };
    let wide = format!("{}1", "@.a&&".repeat(150));
    let queries = [
        around("(", "@.a", ")", 31),
        around("(", "1", ")", 31),
        around("!(", "@.a", ")", 31),
        around("@[?", "@.a", "]", 31),
        around("@[?", "1", "]", 31),
        around("length(", "@[?1]", ")", 3),
        around("length(", &format!("@[?{wide}]"), ")", 3),
        around("length(value(@[?", &wide, "]))==1", 10),
        around("match(value(@[?", "1", "]),value(@[?1]))", 10),
        around("count(@[?", "1", "])==1", 15),
        around("count(@[?", "@.a", "])", 15),
        around("(count(@[?", "@", "])==1)", 10),
        format!("$[?{}@.a]", "!".repeat(900)),
        format!("$[?@.a{}]", "&&@.a".repeat(200)),
        format!("$[?@{}..b==1]", ".a".repeat(480)),
        format!("${}", ".a".repeat(511)),
        format!("${}", "[0]".repeat(341)),
        format!("$[*{}]", ",*".repeat(500)),
    ];
    for query in queries {
        let parse = move || Path::parse(&query, &Limits::default()).map(drop).map_err(drop);
        let small = thread::Builder::new().stack_size(512 << 10).spawn(parse).unwrap();
        let _outcome = small.join().unwrap();
    }
}

#[test]
fn documents_may_nest_deeper_than_the_stack() {
    const DEPTH: usize = 10_000;
    let all = || {
        let documents = [
            (0..DEPTH).fold(Json::from(1), |inner, _| vec![inner].into()),
            (0..DEPTH).fold(Json::from(1), |inner, _| [("a", inner)].into_iter().collect()),
            (0..DEPTH).fold(Json::from(1), |inner, at| {
                if at % 2 == 0 { vec![inner].into() } else { [("a", inner)].into_iter().collect() }
            }),
        ];
        for document in &documents {
            for path in [
                "a",
                "a.a",
                "$..a",
                "$..*",
                "$..[?@ == $]",
                "$..[?@ == $.a]",
                "$..[?@ == $[0][0]]",
                "$..[?count(@.*) == 2]",
                "$[?@..x]",
            ] {
                let walk = || {
                    let limits = Limits::default();
                    let path = Path::parse(path, &limits).unwrap();
                    let value = path.value(document, &limits).ok().flatten().map(std::borrow::Cow::into_owned);
                    let mut mask = Mask::new();
                    let _too_many = path.select(document, &mut mask, &limits);
                    // They are dropped where the stack is large: that is not this crate's part.
                    (value, mask.apply(document))
                };
                thread::scope(|scope| {
                    let small = thread::Builder::new().stack_size(256 << 10).spawn_scoped(scope, walk).unwrap();
                    drop(small.join().unwrap());
                });
            }
        }
    };
    thread::Builder::new().stack_size(256 << 20).spawn(all).unwrap().join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_panics(text in ".{0,40}") {
        check(&text);
    }

    #[test]
    fn no_order_of_words_panics(words in prop::collection::vec(prop::sample::select(WORDS), 0..24)) {
        check(&format!("${}", words.concat()));
        check(&format!("$[?{}]", words.concat()));
        check(&words.concat());
    }
}

const WORDS: &[&str] = &[
    "$", "@", ".", "..", "*", "[", "]", "(", ")", ",", ":", "?", "!", "==", "!=", "<", "<=", "&&", "||", "=", "'a'",
    "\"b\"", "'", "\\", "a", "b", "_", "é", "0", "1", "-1", "-", "1.5", "1e3", "01", "true", "null", "length(",
    "count(", "value(", "match(", "search(", "length", " ", "\n", "@.a", "$.b", "@..a", "[0]", "[*]", "[?", "[1:2]",
    "/", "~", "~0", "'[a-'",
];

/// Parses and, if that goes well, evaluates.
fn check(text: &str) {
    let limits = Limits::default();
    match Path::parse(text, &limits) {
        Ok(path) => {
            assert_eq!((path.as_str(), path.to_string().as_str()), (text, text));
            let expected = match text.as_bytes().first() {
                Some(b'$') => Grammar::JsonPath,
                Some(b'/') => Grammar::Pointer,
                _ => Grammar::Dotted,
            };
            assert_eq!(path.grammar(), expected);
            let document = Json::parse(r#"{"a":[1,"a",{"a":null,"b":[]}],"b":{"a":"b"},"é":1}"#).unwrap();
            let found = path.value(&document, &limits).unwrap();
            let mut mask = Mask::new();
            path.select(&document, &mut mask, &limits).unwrap();
            if found.is_none() {
                assert!(mask.is_empty(), "{text}");
            }
        }
        Err(error) => {
            assert!((1..=text.chars().count() + 1).contains(&error.position()), "{text:?}: {error}");
        }
    }
}
