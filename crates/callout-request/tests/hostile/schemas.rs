//! What an integration's author can write into an input schema.

use callout_core::json::{Json, Object};

use crate::{Attack, Ends, Way, object};

fn attack(name: &str, schema: &str, params: &str, ends: Ends) -> Attack {
    Attack {
        name: format!("{name}: {schema:.60}"),
        schema: object(schema),
        params: object(params),
        way: Way::Json,
        ends,
    }
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(",")
}

fn nested(levels: usize, open: &str, inner: &str, close: &str) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

/// Definitions of which each refers to the one before, and a property that refers to the last.
fn chain(length: usize, step: &str) -> String {
    let steps = list(length, |at| {
        format!("\"a{}\":{}", at + 1, step.replace("REF", &format!("{{\"$ref\":\"#/$defs/a{at}\"}}")))
    });
    format!(
        "{{\"$defs\":{{\"a0\":{{\"type\":\"integer\"}},{steps}}},\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/a{length}\"}}}}}}"
    )
}

pub(crate) fn attacks() -> Vec<Attack> {
    let mut all = Vec::new();
    outside(&mut all);
    multiplying(&mut all);
    going_round(&mut all);
    large(&mut all);
    patterns(&mut all);
    odd(&mut all);
    all
}

/// References that lead out of the schema.
fn outside(all: &mut Vec<Attack>) {
    let targets = [
        "http://127.0.0.1:9/s",
        "https://json-schema.org/draft/2020-12/schema",
        "file:///etc/passwd",
        "/etc/passwd",
        "../x.json",
        "//127.0.0.1:9/x",
        "data:application/json,{}",
        "urn:x:y",
        "jar:file:///x",
        "#/$defs/absent",
        "#absent",
        "#/%zz",
    ];
    for target in targets {
        for keyword in ["$ref", "$dynamicRef", "$recursiveRef"] {
            all.push(attack("outside", &format!("{{\"{keyword}\":\"{target}\"}}"), "{}", Ends::Fault));
        }
        all.push(attack(
            "deep",
            &format!("{{\"properties\":{{\"a\":{{\"not\":{{\"$ref\":\"{target}\"}}}}}}}}"),
            "{}",
            Ends::Fault,
        ));
    }
    all.push(attack("a base", r#"{"$id":"http://127.0.0.1:9/","properties":{"a":{"$ref":"s"}}}"#, "{}", Ends::Fault));
    all.push(attack("a dialect", r#"{"$schema":"http://127.0.0.1:9/mine"}"#, "{}", Ends::Fault));
    all.push(attack("ids", r#"{"$defs":{"a":{"$id":"http://127.0.0.1:9/a"}}}"#, "{}", Ends::Fault));
}

/// What is twice as much at each step.
fn multiplying(all: &mut Vec<Attack>) {
    for step in [
        r#"{"allOf":[REF,REF]}"#,
        r#"{"anyOf":[REF,REF]}"#,
        r#"{"oneOf":[REF,{"not":REF}]}"#,
        r#"{"if":REF,"then":REF,"else":REF}"#,
        r#"{"allOf":[REF],"anyOf":[REF],"oneOf":[REF]}"#,
        r#"{"dependentSchemas":{"x":REF,"y":REF}}"#,
        r#"{"if":REF,"then":REF,"unevaluatedProperties":false}"#,
    ] {
        for length in [12, 40, 300] {
            all.push(attack("doubles", &chain(length, step), r#"{"a":1}"#, Ends::Fault));
        }
    }
    for step in [
        r#"{"allOf":[{"properties":{"a":REF}},{"properties":{"a":REF}}]}"#,
        r#"{"properties":{"a":REF},"patternProperties":{"a":REF}}"#,
        r#"{"additionalProperties":REF,"allOf":[{"additionalProperties":REF}]}"#,
    ] {
        let params = nested(61, "{\"a\":", "\"x\"", "}");
        all.push(attack("doubles with the params", &chain(60, step), &params, Ends::Limit));
    }
    let trees = r##"{"type":"object","allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}"##;
    all.push(attack("trees", trees, &nested(100, "{\"a\":", "1", "}"), Ends::Limit));
    let items = r##"{"properties":{"a":{"$ref":"#/$defs/l"}},"$defs":{"l":{"items":{"allOf":[{"$ref":"#/$defs/l"},{"$ref":"#/$defs/l"}]}}}}"##;
    all.push(attack("lists", items, &format!("{{\"a\":{}}}", nested(100, "[", "1", "]")), Ends::Limit));
    // Many places that each apply nearly as much as one may.
    let heavy = list(150, |_| "{\"$ref\":\"#/$defs/h\"}".to_owned());
    let wide = format!(
        "{{\"$defs\":{{\"h\":{{\"allOf\":[{}]}}}},\"properties\":{{{}}}}}",
        list(1_900, |_| "true".to_owned()),
        list(150, |at| format!("\"p{at}\":{{\"$ref\":\"#/$defs/h\"}}"))
    );
    all.push(attack(
        "wide and heavy",
        &wide,
        &format!("{{{}}}", list(150, |at| format!("\"p{at}\":1"))),
        Ends::Request,
    ));
    all.push(attack(
        "one and heavy",
        &format!("{{\"$defs\":{{\"h\":{{\"allOf\":[{}]}}}},\"allOf\":[{heavy}]}}", list(1_900, |_| "true".to_owned())),
        "{}",
        Ends::Fault,
    ));
}

/// References that come back.
fn going_round(all: &mut Vec<Attack>) {
    for schema in [
        r##"{"$ref":"#"}"##,
        r##"{"allOf":[{"$ref":"#"}]}"##,
        r##"{"not":{"$ref":"#"}}"##,
        r##"{"if":{"$ref":"#"},"then":true}"##,
        r##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##,
        r##"{"$ref":"#/$defs/a","$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##,
        r##"{"anyOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"oneOf":[{"$ref":"#"}]}}}"##,
        r##"{"$dynamicRef":"#x","$dynamicAnchor":"x"}"##,
        r##"{"$defs":{"unused":{"$ref":"#/$defs/unused"}}}"##,
    ] {
        all.push(attack("comes back", schema, "{}", Ends::Fault));
    }
    let tree = r##"{"type":"object","properties":{"l":{"$ref":"#"},"r":{"$ref":"#"},"v":{"type":"integer"}}}"##;
    all.push(attack("a tree", tree, &nested(127, "{\"l\":", "{}", "}"), Ends::Request));
    let levels = r##"{"type":"object","allOf":[{"anyOf":[{"oneOf":[{"properties":{"a":{"$ref":"#"}}}]}]}]}"##;
    all.push(attack("deep together", levels, &nested(110, "{\"a\":", "1", "}"), Ends::Limit));
    all.push(attack("nearly as deep", levels, &nested(101, "{\"a\":", "1", "}"), Ends::Invalid));
}

/// As large and as deep as schemas may be, and more.
fn large(all: &mut Vec<Attack>) {
    let deep =
        |levels: usize| (0..levels).fold(Json::empty_object(), |inner, _| [("not", inner)].into_iter().collect());
    for (levels, ends) in
        [(60, Ends::Request), (70, Ends::Fault), (127, Ends::Fault), (5_000, Ends::Fault), (100_000, Ends::Fault)]
    {
        let schema: Object = deep(levels).as_object().cloned().unwrap();
        all.push(Attack { name: format!("{levels} deep"), schema, params: Object::default(), way: Way::Json, ends });
    }
    let long = |bytes: usize| format!("{{\"description\":\"{}\"}}", "x".repeat(bytes));
    all.push(attack("long", &long(60_000), "{}", Ends::Request));
    all.push(attack("too long", &long(66_000), "{}", Ends::Fault));
    all.push(attack("far too long", &long(10 << 20), "{}", Ends::Fault));
    let numbers = list(12_000, |at| at.to_string());
    let values = format!("{{\"a\":[{}]}}", list(20_000, |_| "-1".to_owned()));
    all.push(attack(
        "a huge enum",
        &format!("{{\"properties\":{{\"a\":{{\"enum\":[{numbers}]}}}}}}"),
        r#"{"a":-1}"#,
        Ends::Invalid,
    ));
    all.push(attack(
        "a huge enum, often",
        &format!("{{\"properties\":{{\"a\":{{\"items\":{{\"enum\":[{numbers}]}}}}}}}}"),
        &values,
        Ends::Limit,
    ));
    let objects = list(2_000, |at| format!("{{\"a\":{{\"b\":[{at}]}}}}"));
    all.push(attack(
        "a huge enum of objects",
        &format!("{{\"properties\":{{\"a\":{{\"items\":{{\"enum\":[{objects}]}}}}}}}}"),
        &format!("{{\"a\":[{}]}}", list(3_000, |_| "{\"a\":{\"b\":[-1]}}".to_owned())),
        Ends::Invalid,
    ));
    all.push(attack(
        "a huge constant",
        &format!("{{\"properties\":{{\"a\":{{\"items\":{{\"const\":[{numbers}]}}}}}}}}"),
        &values,
        Ends::Limit,
    ));
    let alternatives = |keyword: &str, count: usize| {
        format!(
            "{{\"properties\":{{\"a\":{{\"items\":{{\"{keyword}\":[{}]}}}}}}}}",
            list(count, |_| r#"{"type":"string"}"#.to_owned())
        )
    };
    all.push(attack("alternatives", &alternatives("anyOf", 1_000), &values, Ends::Limit));
    all.push(attack(
        "one of many",
        &alternatives("oneOf", 100),
        &format!("{{\"a\":[{}]}}", list(5_000, |_| "{\"b\":1}".to_owned())),
        Ends::Invalid,
    ));
    let properties = list(2_500, |at| format!("\"p{at}\":{{\"const\":{at}}}"));
    all.push(attack(
        "many properties",
        &format!("{{\"properties\":{{{properties}}}}}"),
        &format!("{{{}}}", list(3_000, |at| format!("\"p{at}\":-1"))),
        Ends::Invalid,
    ));
    let required = list(6_000, |at| format!("\"p{at}\""));
    all.push(attack("many required", &format!("{{\"required\":[{required}]}}"), "{}", Ends::Invalid));
    all.push(attack(
        "unique",
        r#"{"properties":{"a":{"uniqueItems":true}}}"#,
        &format!("{{\"a\":[{}]}}", list(100_000, |at| at.to_string())),
        Ends::Request,
    ));
    all.push(attack(
        "unique lists",
        r#"{"properties":{"a":{"uniqueItems":true}}}"#,
        &format!("{{\"a\":[{}]}}", list(40_000, |at| format!("[[{at}]]"))),
        Ends::Request,
    ));
    all.push(attack(
        "unique objects",
        r#"{"properties":{"a":{"uniqueItems":true}}}"#,
        &format!("{{\"a\":[{}]}}", list(40_000, |at| format!("{{\"b\":{at}}}"))),
        Ends::Request,
    ));
    let looking = format!(
        "{{\"allOf\":[{}],\"unevaluatedProperties\":false}}",
        list(900, |at| format!("{{\"properties\":{{\"p{at}\":true}}}}"))
    );
    all.push(attack(
        "unevaluated",
        &looking,
        &format!("{{{}}}", list(900, |at| format!("\"p{at}\":1"))),
        Ends::Request,
    ));
    let dependent = list(900, |at| format!("\"p{at}\":[\"q{at}\"]"));
    all.push(attack(
        "dependent",
        &format!("{{\"dependentRequired\":{{{dependent}}}}}"),
        &format!("{{{}}}", list(900, |at| format!("\"p{at}\":1"))),
        Ends::Invalid,
    ));
    names_of_members(all);
    let multiples = |of: &str, number: &str, ends| {
        attack(
            "multiples",
            &format!("{{\"properties\":{{\"a\":{{\"items\":{{\"multipleOf\":{of}}}}}}}}}"),
            &format!("{{\"a\":[{}]}}", list(100_000, |_| number.to_owned())),
            ends,
        )
    };
    all.push(multiples("1e-300", "1e300", Ends::Limit));
    all.push(multiples("0.01", "1234.56", Ends::Request));
    // Each would read the text, where content is checked.
    let content = list(1_600, |_| r#"{"contentMediaType":"application/json"}"#.to_owned());
    all.push(attack(
        "content",
        &format!(
            "{{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"properties\":{{\"a\":{{\"allOf\":[{content}]}}}}}}"
        ),
        &format!("{{\"a\":\"[{}]\"}}", list(400_000, |_| "1".to_owned())),
        Ends::Request,
    ));
    all.push(attack(
        "contains",
        r#"{"properties":{"a":{"contains":{"const":-1},"minContains":100000}}}"#,
        &format!("{{\"a\":[{}]}}", list(100_000, |at| at.to_string())),
        Ends::Invalid,
    ));
}

/// Names that many objects are asked for.
fn names_of_members(all: &mut Vec<Attack>) {
    let keys = list(4_000, |at| format!("\"{at:03x}\":[]"));
    // Names before all keys: each look-up compares with every one of them.
    let members = list(11, |at| format!("\"!{at}\":1"));
    let objects = |count: usize, members: &str| format!("{{\"a\":[{}]}}", list(count, |_| format!("{{{members}}}")));
    let often = list(30, |_| r##"{"$ref":"#/$defs/d"}"##.to_owned());
    for keyword in ["dependentRequired", "dependencies"] {
        let schema = format!(
            "{{\"$defs\":{{\"d\":{{\"{keyword}\":{{{keys}}}}}}},\"properties\":{{\"a\":{{\"items\":{{\"allOf\":[{often}]}}}}}}}}"
        );
        all.push(attack("dependent, often", &schema, &objects(10_000, &members), Ends::Limit));
    }
    let required = format!(
        "{{\"properties\":{{\"a\":{{\"items\":{{\"required\":[{}]}}}}}}}}",
        list(6_000, |at| format!("\"p{at}\""))
    );
    all.push(attack("many required, often", &required, &objects(900, ""), Ends::Invalid));
    all.push(attack("many required, too often", &required, &objects(10_000, ""), Ends::Limit));
    // Many members, of which none is one that the schema names.
    let names = list(20, |at| format!("\"p{at}\":true"));
    let often = list(900, |_| r##"{"$ref":"#/$defs/d"}"##.to_owned());
    all.push(attack(
        "other members, often",
        &format!(
            "{{\"$defs\":{{\"d\":{{\"properties\":{{{names}}}}}}},\"properties\":{{\"a\":{{\"allOf\":[{often}]}}}}}}"
        ),
        &format!("{{\"a\":{{{}}}}}", list(90_000, |at| format!("\"{at}\":1"))),
        Ends::Limit,
    ));
}

/// Patterns that are large, or slow, or many.
fn patterns(all: &mut Vec<Attack>) {
    let one = |pattern: &str| format!("{{\"properties\":{{\"a\":{{\"pattern\":\"{pattern}\"}}}}}}");
    let text = |letters: &str, times: usize| format!("{{\"a\":\"{}!\"}}", letters.repeat(times));
    for (pattern, ends) in [
        ("^(a+)+$", Ends::Invalid),
        ("(x+x+)+y", Ends::Invalid),
        ("^(a|b|ab)*c$", Ends::Invalid),
        ("(.*)(.*)(.*)(.*)(.*)=", Ends::Invalid),
        ("^(([a-z])+.)+[A-Z]([a-z])+$", Ends::Invalid),
        ("(a?){50}a{50}b", Ends::Limit),
        ("[ab]*a[ab]{200}c", Ends::Limit),
        ("\\\\p{L}{20}z", Ends::Invalid),
        ("(([a-z]{100}){100}){100}", Ends::Fault),
        ("(((((a{9}){9}){9}){9}){9}){9}", Ends::Fault),
        ("\\\\p{L}{9999}", Ends::Fault),
        ("a{1000000000}", Ends::Fault),
        ("(", Ends::Fault),
        ("(?=a)b", Ends::Fault),
        ("(a)\\\\1", Ends::Fault),
        ("(?<=a)b", Ends::Fault),
    ] {
        all.push(attack("a pattern", &one(pattern), &text("ab", 400_000), ends));
    }
    let many = |count: usize, pattern: &dyn Fn(usize) -> String| {
        format!(
            "{{\"properties\":{{\"a\":{{\"allOf\":[{}]}}}}}}",
            list(count, |at| format!("{{\"pattern\":\"{}\"}}", pattern(at)))
        )
    };
    all.push(attack(
        "many patterns",
        &many(90, &|at| format!("([a-z]?x){{20}}y{at}")),
        &text("x", 900_000),
        Ends::Limit,
    ));
    all.push(attack("many large", &many(100, &|at| format!("\\\\p{{L}}{{30}}{at}")), "{}", Ends::Fault));
    all.push(attack(
        "many tables",
        &many(60, &|at| format!("[{}{at}]", "\\\\P{L}\\\\P{N}\\\\P{S}".repeat(30))),
        "{}",
        Ends::Request,
    ));
    all.push(attack("too many", &many(101, &|at| at.to_string()), "{}", Ends::Fault));
    let names = format!("{{\"patternProperties\":{{{}}}}}", list(100, |at| format!("\"^(p|q)*{at}x$\":true")));
    all.push(attack(
        "patterns of names",
        &names,
        &format!("{{{}}}", list(60_000, |at| format!("\"p{at}\":1"))),
        Ends::Limit,
    ));
    all.push(attack(
        "names",
        r#"{"propertyNames":{"pattern":"^(a|b)*$"}}"#,
        &format!("{{{}}}", list(60_000, |at| format!("\"p{at}\":1"))),
        Ends::Invalid,
    ));
    all.push(attack("groups in groups", &one(&nested(400, "(", "a", ")")), "{}", Ends::Fault));
    all.push(attack(
        "alternatives in a pattern",
        &one(&list(10_000, |at| at.to_string()).replace(',', "|")),
        &text("ab", 1_000),
        Ends::Limit,
    ));
}

/// What is no schema, or hardly one.
fn odd(all: &mut Vec<Attack>) {
    let digits = "9".repeat(60_000);
    for (schema, params, ends) in [
        (r#"{"properties":[]}"#.to_owned(), "{}", Ends::Fault),
        (r#"{"type":7}"#.to_owned(), "{}", Ends::Fault),
        (r#"{"allOf":{}}"#.to_owned(), "{}", Ends::Fault),
        (r#"{"required":"a"}"#.to_owned(), "{}", Ends::Fault),
        (r#"{"properties":{"a":{"minLength":-1}}}"#.to_owned(), "{}", Ends::Fault),
        (r#"{"properties":{"a":{"multipleOf":0}}}"#.to_owned(), r#"{"a":1}"#, Ends::Fault),
        (r#"{"properties":{"a":{"multipleOf":1e-300}}}"#.to_owned(), r#"{"a":1e300}"#, Ends::Request),
        (r#"{"properties":{"a":{"maxLength":1e300}}}"#.to_owned(), r#"{"a":"x"}"#, Ends::Request),
        (format!("{{\"properties\":{{\"a\":{{\"maximum\":{digits}}}}}}}"), r#"{"a":1}"#, Ends::Fault),
        (r#"{"properties":{"a":{"maximum":1e999}}}"#.to_owned(), r#"{"a":1}"#, Ends::Fault),
        (format!("{{\"{}\":1}}", "x".repeat(60_000)), "{}", Ends::Request),
        (r#"{"properties":{"\u0000":{"const":"\u0000"}}}"#.to_owned(), r#"{"\u0000":"\u0000"}"#, Ends::Request),
        (r#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#.to_owned(), "{}", Ends::Fault),
        (r#"{"$vocabulary":{"http://127.0.0.1:9/v":true},"a":1}"#.to_owned(), "{}", Ends::Request),
    ] {
        all.push(attack("odd", &schema, params, ends));
    }
}
