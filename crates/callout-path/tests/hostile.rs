//! Paths and documents that are made to hurt: none may end the process, take more than 100 ms of CPU in a
//! release build, or more than 16 MB besides what it was given. They run in a process of their own with
//! bounded memory, on a thread with a stack of 1 MB, half of what a thread has by default.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use callout_core::{
    json::{Json, ObjectBuilder},
    limits::Limits,
};
use callout_hostile::{Suite, case};
use callout_path::{Mask, Path};

/// Patterns of which each byte of a text moves many states on, and others that are large.
const PATTERNS: [&str; 26] = [
    "(a|b|ab)*c",
    "(x+x+)+y",
    ".*.*.*=.*",
    "(a*)*(a*)*(a*)*c",
    "[ab]*a[ab]{8}c",
    "[ab]*a[ab]{10}c",
    "[ab]*a[ab]{12}c",
    "[ab]*a[ab]{20}c",
    "[ab]*a[ab]{40}c",
    "[ab]*a[ab]{80}c",
    "[ab]*a[ab]{200}c",
    "[ab]*a[ab]{400}c",
    "(.*a){20}c",
    "[ab]*a.{20}c",
    "[ab]*a.{50}c",
    "[^x]*a[^x]{30}c",
    "[^x]*a[^x]{90}c",
    "([ab]*a){30}c",
    "([^c]*a[^c]{10}){3}c",
    "(\\\\p{L}*a){4}c",
    "\\\\p{L}*a\\\\p{L}{3}c",
    "[\\\\p{L}x]*é\\\\p{L}{4}c",
    "[ab]*(a[ab]{20}|b[ab]{21}|aa[ab]{22})c",
    "(a?){30}a{30}c",
    "([ab]?){100}[ab]{100}c",
    "((a|b)(a|b)?(a|b)?){20}c",
];

/// 200,000 letters without order: one text, or many short ones.
fn letters(count: usize, letters: &[char]) -> String {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        letters[(state >> 24) as usize % letters.len()]
    };
    (0..count).map(|_| next()).collect()
}

fn documents() -> Vec<(&'static str, Json)> {
    let text = letters(200_000, &['a', 'b']);
    let parts: Json = (0..1_000).map(|at| Json::string(&text[at * 200..at * 200 + 200])).collect();
    let patterns: Json = PATTERNS.iter().map(|pattern| Json::string(pattern.replace("\\\\", "\\"))).collect();
    let with_text =
        |value: Json| -> Json { ObjectBuilder::new().with("t", value).with("p", patterns.clone()).with("n", 1).into() };
    let mut deep = Json::from(1);
    for _ in 0..127 {
        deep = vec![deep].into();
    }
    let number = |digits: usize| number_of(&"7".repeat(digits));
    vec![
        ("one text", with_text(vec![Json::from(text.clone())].into())),
        ("texts", with_text(parts)),
        ("letters", with_text(vec![Json::from(letters(100_000, &['é', 'ж', 'a', 'x']))].into())),
        ("a's", with_text(vec![Json::from("a".repeat(400_000))].into())),
        ("deep", deep),
        ("nested", Json::parse(&format!("{}{}", "[[1],".repeat(60), "1".to_owned() + &"]".repeat(60))).unwrap()),
        ("wide", (0..200_000).collect::<Vec<i32>>().into()),
        ("members", (0..100_000).map(|at| (format!("key {at}"), Json::from(at))).collect()),
        ("tree", tree(6)),
        ("digits", (0..20).map(|_| number(500_000)).collect()),
        ("decimals", vec![number_of("9.5"); 99_000].into()),
        // Halfway between two floats but for the last digits.
        ("halves", vec![number_of(&format!("9007199254740993.{}1", "0".repeat(83))); 99_000].into()),
        ("large", vec![number_of("1.000000000000000126855606e+300"); 99_000].into()),
        ("small", vec![number_of("1.000000000000000107949552e-300"); 99_000].into()),
        ("names", names()),
    ]
}

fn number_of(text: &str) -> Json {
    Json::parse(text).unwrap()
}

/// Long names that differ at their ends, and a list of elements for each of which they can be looked for.
fn names() -> Json {
    let wide = (0..256).map(|at| (format!("{}{at:03}", "k".repeat(900)), Json::from(at)));
    let same = |at: usize| (format!("{}{at:03}", "k".repeat(20_000)), Json::from(at));
    ObjectBuilder::new()
        .with("w", wide.collect::<Json>())
        .with("a", (0..16).map(same).collect::<Json>())
        .with("b", (0..16).rev().map(same).collect::<Json>())
        .with("l", (0..90_000).collect::<Vec<i32>>())
        .into()
}

fn tree(levels: usize) -> Json {
    if levels == 0 {
        return Json::string("leaf");
    }
    (0..6).map(|at| (format!("k{at}"), tree(levels - 1))).collect()
}

fn paths() -> Vec<String> {
    let mut all = Vec::new();
    for pattern in PATTERNS {
        for function in ["match", "search"] {
            all.push(format!("$.t[?{function}(@, '{pattern}')]"));
        }
    }
    // Patterns of the document: each element's own, and all against all.
    all.push("$.p[?search($.t[0], @)]".to_owned());
    all.push("$.p[?match($.t[0], @)]".to_owned());
    all.push("$..[?search($.t[0], @)]".to_owned());
    all.push("$.t[?search(@, $.p[9])]".to_owned());
    all.push("$.t[?search(@, $.p[20]) || match(@, $.p[21])]".to_owned());
    // What multiplies.
    all.push("$".to_owned() + &"[*,*,*,*]".repeat(6));
    all.push("$".to_owned() + &"[0,0,0,0,0,0,0,0]".repeat(40));
    all.push("$".to_owned() + &"..*".repeat(300));
    all.push("$..*".to_owned() + &"..*".repeat(20) + "[?@ == $]");
    all.push("$".to_owned() + &"..['a','b','t',0]".repeat(40));
    all.push(format!("$[{}]", vec!["*"; 400].join(",")));
    all.push(format!("$[{}]", vec!["::"; 300].join(",")));
    all.push(format!("$[{}]", vec!["::-1"; 200].join(",")));
    all.push("$[?count($..*) > 0]".to_owned());
    all.push("$..[?count($..*) > count(@..*)]".to_owned());
    all.push("$[?$[?$[?$[?@ == 1]]]]".to_owned());
    all.push("$..[?@ == $]".to_owned());
    all.push("$..[?@ < $..*]".replace("$..*", "value($..k0)"));
    all.push(format!("$[?{}]", vec!["@ == $"; 120].join("&&")));
    all.push(format!("$[?{}]", vec!["@.a.b.c"; 120].join("||")));
    all.push(format!("$[?{}]", vec!["length(@) > 9"; 70].join("||")));
    all.push("$[?@ > 1 && @ < 2]".to_owned());
    // Conditions that look at nothing but the element, or not even that.
    for (condition, many, joined) in [
        ("@>0", 200, "&&"),
        ("@==7", 160, "||"),
        ("@", 300, "&&"),
        ("!@", 250, "||"),
        ("1==1", 160, "&&"),
        ("'a'<'b'", 100, "&&"),
        ("length('ab')==2", 55, "&&"),
        ("match('ab','a.')", 50, "&&"),
        ("search(@,'[ab]c')", 50, "||"),
        ("length(@)>9", 70, "||"),
        ("count(@.*)>0", 70, "||"),
        ("@>9007199254740993.00000001", 30, "||"),
        ("@<1.000000000000000126855606e+300", 25, "||"),
        ("@>1.000000000000000107949553e-300", 25, "||"),
        ("@==$.a", 120, "||"),
        ("$.a==$.b", 100, "&&"),
    ] {
        let conditions = vec![condition; many].join(joined);
        all.push(format!("$[?{conditions}]"));
        all.push(format!("$.l[?{conditions}]"));
    }
    all.push(format!("$.l[?$.w['{}255']==1]", "k".repeat(900)));
    all.push(format!("$.l[?$.w['{}999']]", "k".repeat(900)));
    all.push(format!("$[{}]['{}255']", vec!["'w'"; 20].join(","), "k".repeat(900)));
    all.push("$[?length(@) == length($)]".to_owned());
    // Long and deep ones.
    for (open, close) in [("(", ")"), ("!(", ")"), ("$[?", "]"), ("@[?", "]"), ("count($[?", "])>0"), ("[", "]")] {
        for levels in [10, 31, 32, 33, 120] {
            all.push(format!("$[?{}@{}]", open.repeat(levels), close.repeat(levels)));
        }
    }
    for (head, piece) in
        [("$", ".a"), ("$", "['a']"), ("$", "[0]"), ("a", ".b"), ("a", ".0"), ("/a", "/b"), ("/", "~0"), ("$", "..")]
    {
        for count in [100, 300, 1_000, 100_000] {
            all.push(format!("{head}{}", piece.repeat(count)));
        }
    }
    all.push("k0.k1.k2.k3.k4.k5".to_owned());
    all.push("t.a.b.c.d".to_owned());
    all.push("0.0.0.0.0.0.0".to_owned());
    all
}

/// Every document with every path; a debug build, which takes twenty times as long, tries some of each.
fn cases() -> Vec<(usize, usize)> {
    const ONE_IN: usize = if cfg!(debug_assertions) { 12 } else { 1 };
    let (documents, paths) = (documents().len(), paths().len());
    let all = (0..documents).flat_map(|document| (0..paths).map(move |path| (document, path)));
    all.filter(|(document, path)| (document + path).is_multiple_of(ONE_IN)).collect()
}

/// A path is looked up, and selected by.
fn attempt(text: &str, document: &Json, selects: bool) -> String {
    let limits = Limits::default();
    let Ok(path) = Path::parse(text, &limits) else { return "fault".to_owned() };
    let outcome = if selects {
        path.select(document, &mut Mask::new(), &limits)
    } else {
        path.value(document, &limits).map(drop)
    };
    outcome.map_or_else(|error| error.to_string(), |()| "ends".to_owned())
}

/// What the child process does.
#[test]
fn child() {
    callout_hostile::child(|batch| {
        let (documents, paths, all) = (documents(), paths(), cases());
        for at in batch {
            let (document, path) = all[at / 2];
            let ((name, document), text) = (&documents[document], &paths[path]);
            case(at, &format!("{name}: {text}"), || attempt(text, document, at % 2 == 1));
        }
    });
}

#[test]
fn no_path_ends_the_process_or_takes_too_much() {
    let suite = Suite { memory_kb: 600 << 10, ..Suite::default() };
    let (half, all) = (cases().len(), 2 * cases().len());
    assert_eq!(suite.run(&[0..half, half..all]).len(), all);
}
