//! Input schemas: what violations say, which schemas are refused, and what hostile ones can do.

use std::{fmt::Write, time::Duration};

use callout_core::{ErrorKind, fault::Faults, json::Json, limits::Limits};
use callout_hostile::within;
use callout_request::Request;

use crate::{compile, compile_with, faults_of, object, violations, violations_of, with_schema};

const API: &str = "https://api.example.com";

#[test]
fn violations_read_well() {
    let long = "x".repeat(1000);
    let table: &[(&str, &str, &[&str])] = &[
        ("{}", r#"{"a":[1]}"#, &[]),
        (r#"{"description":"d"}"#, r#"{"a":[1]}"#, &[]),
        (r#"{"properties":{"page":{"type":"integer"}}}"#, r#"{"page":"x"}"#, &["page: must be an integer, not \"x\""]),
        (r#"{"properties":{"page":{"type":"integer"}}}"#, r#"{"page":1.0}"#, &[]),
        (r#"{"properties":{"page":{"type":"integer"}}}"#, r#"{"page":12345678901234567890123}"#, &[]),
        (r#"{"properties":{"page":{"type":"integer"}}}"#, r#"{"page":"7"}"#, &["page: must be an integer, not \"7\""]),
        (
            r#"{"properties":{"a":{"type":["string","null"]}}}"#,
            r#"{"a":true}"#,
            &["a: must be null or string, not true"],
        ),
        (
            r#"{"properties":{"a":{"properties":{"ids":{"items":{"type":"string"}}}}}}"#,
            r#"{"a":{"ids":["x","y",3]}}"#,
            &["a.ids[2]: must be a string, not 3"],
        ),
        (r#"{"required":["a","b c"]}"#, "{}", &["a: is required", "[\"b c\"]: is required"]),
        (
            r#"{"properties":{"a":{}},"additionalProperties":false}"#,
            r#"{"a":1,"b":2,"c":3}"#,
            &[
                "b: is not among the params that the input schema allows here",
                "c: is not among the params that the input schema allows here",
            ],
        ),
        (
            r#"{"properties":{"a":{}},"unevaluatedProperties":false}"#,
            r#"{"b":2}"#,
            &["b: is not among the params that the input schema allows here"],
        ),
        (
            r#"{"type":"object","additionalProperties":false}"#,
            r#"{"b":{},"c":2}"#,
            &[
                "b: is not among the params that the input schema allows here",
                "c: is not among the params that the input schema allows here",
            ],
        ),
        (
            r#"{"properties":{"a":{"items":{"additionalProperties":false}}}}"#,
            r#"{"a":[{},{"b/c~":1}]}"#,
            &["a[1][\"b/c~\"]: is not among the params that the input schema allows here"],
        ),
        (
            r#"{"properties":{"a/b":{"anyOf":[{"type":"string"},{"additionalProperties":false}]}}}"#,
            r#"{"a/b":{"c":1}}"#,
            &["[\"a/b\"]: fits none of 2 alternatives (must be a string, not {\"c\":1}; \
                 c: is not among the params that the input schema allows here)"],
        ),
        (
            r#"{"properties":{"additionalProperties":false}}"#,
            r#"{"additionalProperties":{"b":1}}"#,
            &["additionalProperties: is not allowed here"],
        ),
        (
            r#"{"properties":{"s":{"enum":["open","closed",1]}}}"#,
            r#"{"s":"all"}"#,
            &["s: must be one of \"open\", \"closed\", 1, not \"all\""],
        ),
        (r#"{"properties":{"s":{"const":"x"}}}"#, r#"{"s":"y"}"#, &["s: must be \"x\", not \"y\""]),
        (r#"{"properties":{"s":false}}"#, r#"{"s":"y"}"#, &["s: is not allowed here"]),
        (r#"{"properties":{"s":{"maxLength":2}}}"#, r#"{"s":"abc"}"#, &["s: the value is longer than 2 characters"]),
        (
            r#"{"properties":{"s":{"pattern":"^[a-z]+$"}}}"#,
            r#"{"s":"A"}"#,
            &["s: the value does not match \"^[a-z]+$\""],
        ),
        (r#"{"properties":{"n":{"minimum":1}}}"#, r#"{"n":0}"#, &["n: the value is less than the minimum of 1"]),
        (
            r#"{"properties":{"a":{"anyOf":[{"type":"string"},{"properties":{"b":{"type":"integer"}},"type":"object"}]}}}"#,
            r#"{"a":{"b":"x"}}"#,
            &["a: fits none of 2 alternatives (must be a string, not {\"b\":\"x\"}; b: must be an integer, not \"x\")"],
        ),
        (r#"{"properties":{"s":{"format":"email"}}}"#, r#"{"s":"no"}"#, &[]),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"s":{"format":"email"}}}"#,
            r#"{"s":"no"}"#,
            &[],
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{
                "j":{"contentMediaType":"application/json"},
                "a":{"contentEncoding":"base64"},"b":{"contentEncoding":"base64url"},
                "c":{"contentEncoding":"base32"},"d":{"contentEncoding":"base32hex"},"e":{"contentEncoding":"base16"},
                "f":{"contentEncoding":"base64","contentMediaType":"application/json"}}}"#,
            r#"{"j":"{","a":"!","b":"!","c":"!","d":"!","e":"!","f":"!"}"#,
            &[],
        ),
        (r#"{"type":"array"}"#, "{}", &["must be an array, not {}"]),
    ];
    for (schema, params, expected) in table {
        assert_eq!(violations(&compile(API, &with_schema(schema)), params), *expected, "{schema} {params}");
    }
    let request = compile(API, &with_schema(r#"{"properties":{"n":{"type":"integer"}},"additionalProperties":false}"#));
    let text = violations(&request, &format!(r#"{{"n":"{long}","{long}":1}}"#)).join("\n");
    assert!(text.len() < 300 && text.contains("xxx…"), "{text}");
}

#[test]
fn every_violation_is_listed_up_to_a_bound() {
    let request = compile(API, &with_schema(r#"{"properties":{"a":{"items":{"type":"string"}}}}"#));
    let ones = |count: usize| format!("{{\"a\":[{}]}}", vec!["1"; count].join(","));
    assert_eq!(violations(&request, &ones(50)).len(), 50);
    let found = violations(&request, &ones(5_000));
    assert_eq!((found.len(), found.last().map(String::as_str)), (51, Some("and 4950 more violations")));
    // Far too many to list: told in one sentence.
    let found = violations(&request, &ones(200_000));
    assert_eq!(found, ["do not fit the endpoint's input schema, and are too large to say where"]);
}

#[test]
fn schemas_that_are_config_faults() {
    let at = "endpoints[0].input_schema";
    let table: &[(&str, &str, &str)] = &[
        (r#"{"type":"strin"}"#, ".type: ", "\"strin\""),
        (r#"{"properties":{"a":{"minLength":-1}}}"#, ".properties.a.minLength: ", "-1"),
        (r#"{"properties":{"a":{"required":true}}}"#, ".properties.a.required: ", "true"),
        (r#"{"properties":[]}"#, ".properties: ", "[]"),
        (r#"{"properties":{"a":{"pattern":"("}}}"#, ".properties.a.pattern: ", "is no usable pattern"),
        (r#"{"properties":{"a":{"pattern":"(a)\\1"}}}"#, ".properties.a.pattern: ", "no back-references"),
        (r#"{"properties":{"a":{"pattern":"^(?!x)"}}}"#, ".properties.a.pattern: ", "no look-around"),
        (r#"{"$ref":"http://127.0.0.1:9/s.json"}"#, "[\"$ref\"]: ", "nothing is ever fetched"),
        (r#"{"$schema":"https://example.com/mine"}"#, "", "is not known here"),
        (r#"{"properties":{"a":{"$schema":"http://json-schema.org/draft-07/schema#"}}}"#, "", "only the schema itself"),
        (r#"{"$defs":{"a":{"$id":"https://a.example/x"}}}"#, "", "only the schema itself may have an `$id`"),
        (r#"{"$schema":"http://json-schema.org/draft-04/schema#","definitions":{"a":{"id":"x"}}}"#, "", "an `id`"),
        (r#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#, "", "stands twice"),
        (r##"{"$ref":"#/$defs/absent"}"##, "", "which is not in this schema"),
        (r##"{"$ref":"#absent"}"##, "", "which is not in this schema"),
        (r##"{"$ref":"#"}"##, ": ", "comes back to where it stands"),
        (r##"{"allOf":[{"$ref":"#/$defs/a"}],"$defs":{"a":{"anyOf":[{"$ref":"#"}]}}}"##, ": ", "comes back"),
    ];
    for (schema, place, message) in table {
        let faults = faults_of(API, &with_schema(schema));
        assert!(
            faults.iter().any(|fault| fault.starts_with(&format!("{at}{}", place.replace("[\"$ref\"]", ".$ref")))
                && fault.contains(message)),
            "{schema}: {faults:?}"
        );
    }
}

#[test]
fn no_reference_leaves_the_schema() {
    let keywords = ["$ref", "$dynamicRef", "$recursiveRef"];
    let targets = [
        "http://127.0.0.1:9/s.json",
        "https://json-schema.org/draft/2020-12/schema",
        "file:///etc/passwd",
        "/etc/passwd",
        "other.json#/a",
        "//127.0.0.1:9/x",
        "urn:x:y",
        "?x",
    ];
    let places = ["@", r#"{"properties":{"a":@}}"#, r#"{"$defs":{"unused":@}}"#, r#"{"allOf":[true,@]}"#];
    for keyword in keywords {
        for target in targets {
            for place in places {
                let schema = place.replace('@', &format!("{{\"{keyword}\":\"{target}\"}}"));
                let faults = faults_of(API, &with_schema(&schema));
                assert!(
                    faults.iter().any(|fault| fault.contains(target) && fault.contains("nothing is ever fetched")),
                    "{schema}: {faults:?}"
                );
            }
        }
    }
    // A base of its own does not make a reference one that is followed.
    let faults = faults_of(API, &with_schema(r#"{"$id":"http://127.0.0.1:9/","properties":{"a":{"$ref":"s.json"}}}"#));
    assert_eq!(faults.len(), 1, "{faults:?}");
    // What only looks like a reference is data.
    let data = r#"{"properties":{"$ref":{"type":"string"},"$id":{"enum":["x",{"$ref":"file:///x"}]}}}"#;
    assert_eq!(violations(&compile(API, &with_schema(data)), r#"{"$ref":1}"#).len(), 1);
}

#[test]
fn references_within_the_schema_are_followed() {
    let integer = &["a: must be an integer, not \"x\""][..];
    for schema in [
        r##"{"properties":{"a":{"$ref":"#/$defs/i"}},"$defs":{"i":{"type":"integer"}}}"##,
        r##"{"$id":"https://a.example/s","properties":{"a":{"$ref":"#/$defs/i"}},"$defs":{"i":{"type":"integer"}}}"##,
        r##"{"properties":{"a":{"$ref":"#i"}},"$defs":{"x":{"$anchor":"i","type":"integer"}}}"##,
        r##"{"properties":{"a":{"$dynamicRef":"#i"}},"$defs":{"x":{"$dynamicAnchor":"i","type":"integer"}}}"##,
        r##"{"properties":{"a":{"$ref":"#/x-mine/i~1%7E0"}},"x-mine":{"i/~":{"type":"integer"}}}"##,
        r##"{"$schema":"http://json-schema.org/draft-07/schema#","properties":{"a":{"$ref":"#i"}},"definitions":{"x":{"$id":"#i","type":"integer"}}}"##,
        r##"{"$schema":"http://json-schema.org/draft-04/schema#","properties":{"a":{"$ref":"#i"}},"definitions":{"x":{"id":"#i","type":"integer"}}}"##,
    ] {
        assert_eq!(violations(&compile(API, &with_schema(schema)), r#"{"a":"x"}"#), integer, "{schema}");
        assert_eq!(violations(&compile(API, &with_schema(schema)), r#"{"a":1}"#), [""; 0], "{schema}");
    }
}

#[test]
fn a_schema_may_refer_to_itself_for_trees() {
    let request = compile(
        API,
        &with_schema(r##"{"type":"object","properties":{"v":{"type":"integer"},"l":{"$ref":"#"},"r":{"$ref":"#"}}}"##),
    );
    assert_eq!(
        violations(&request, r#"{"l":{"l":{"v":1}},"r":{"r":{"v":"x"}}}"#),
        ["r.r.v: must be an integer, not \"x\""]
    );
    let deep = |levels: usize| format!("{}{}{}", "{\"l\":".repeat(levels), "{}", "}".repeat(levels));
    assert_eq!(violations(&request, &deep(127)), [""; 0]);
    assert_eq!(
        request.validate(&object(&deep(127).replacen("{}", "{\"v\":0}", 1))).map_err(|error| error.kind()),
        Ok(())
    );
}

/// `allOf` of two references to the one before, `depth` times: 2^depth subschemas at one value.
fn doubling(depth: usize, step: &str) -> String {
    let mut schema = String::from(r#"{"$defs":{"a0":{"type":"integer"}"#);
    for at in 1..=depth {
        let step = step.replace("REF", &format!("{{\"$ref\":\"#/$defs/a{}\"}}", at - 1));
        write!(schema, ",\"a{at}\":{step}").unwrap();
    }
    write!(schema, "}},\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/a{depth}\"}}}}}}").unwrap();
    schema
}

#[test]
fn schemas_that_multiply_are_refused_at_once() {
    for step in [
        r#"{"allOf":[REF,REF]}"#,
        r#"{"anyOf":[REF,REF]}"#,
        r#"{"oneOf":[REF,{"not":REF}]}"#,
        r#"{"if":REF,"then":REF,"unevaluatedProperties":false}"#,
        r#"{"allOf":[REF],"anyOf":[REF]}"#,
        r#"{"dependentSchemas":{"x":REF,"y":REF}}"#,
    ] {
        let faults = within(Duration::from_secs(2), step, || faults_of(API, &with_schema(&doubling(40, step))));
        assert!(faults.iter().any(|fault| fault.contains("more than 2000 subschemas")), "{step}: {faults:?}");
    }
    let faults = faults_of(API, &with_schema(&doubling(7, r#"{"if":REF,"then":REF,"unevaluatedProperties":false}"#)));
    assert_eq!(faults, [""; 0]);
    let faults = faults_of(API, &with_schema(&doubling(8, r#"{"if":REF,"then":REF,"unevaluatedProperties":false}"#)));
    assert!(faults.iter().any(|fault| fault.contains("`unevaluatedProperties`")), "{faults:?}");
    let faults = faults_of(API, &with_schema(&doubling(70, r#"{"allOf":[REF]}"#)));
    assert!(faults.iter().any(|fault| fault.contains("more than 64 deep")), "{faults:?}");
    assert_eq!(faults_of(API, &with_schema(&doubling(20, r#"{"allOf":[REF]}"#))), [""; 0]);
}

#[test]
fn checks_that_multiply_with_the_params_end_at_a_bound() {
    let nested = |levels: usize, inner: &str| format!("{}{inner}{}", "{\"a\":".repeat(levels), "}".repeat(levels));
    let cases = [
        // Two ways into the same member at each level: 2^100.
        (
            r##"{"type":"object","allOf":[{"properties":{"a":{"$ref":"#"}}},{"properties":{"a":{"$ref":"#"}}}]}"##
                .to_owned(),
            nested(100, "1"),
        ),
        (
            r##"{"additionalProperties":{"$ref":"#"},"patternProperties":{"a":{"$ref":"#"}}}"##.to_owned(),
            nested(100, "1"),
        ),
        // Children twice at every level, through definitions of their own.
        (doubling(60, r#"{"allOf":[{"properties":{"a":REF}},{"properties":{"a":REF}}]}"#), nested(61, "\"x\"")),
        // Long texts against many patterns.
        (
            format!(
                "{{\"properties\":{{\"a\":{{\"allOf\":[{}]}}}}}}",
                vec![r#"{"pattern":"([a-z]?x){20}y"}"#; 90].join(",")
            ),
            format!("{{\"a\":\"{}\"}}", "x".repeat(1_000_000)),
        ),
    ];
    for (schema, params) in cases {
        let request = compile(API, &with_schema(&schema));
        let checked = within(Duration::from_secs(5), &schema, || request.validate(&object(&params)));
        let error = checked.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{schema}: {error}");
    }
    // Each of a thousand alternatives would keep a copy of the value.
    let alternatives =
        format!("{{\"properties\":{{\"a\":{{\"anyOf\":[{}]}}}}}}", vec![r#"{"type":"string"}"#; 1000].join(","));
    let values = format!("{{\"a\":[{}]}}", vec!["{\"b\":1}"; 20_000].join(","));
    let request = compile(API, &with_schema(&alternatives));
    let found = within(Duration::from_secs(5), "alternatives", || violations(&request, &values));
    assert_eq!(found, ["do not fit the endpoint's input schema, and are too large to say where"]);
    assert_eq!(violations(&request, r#"{"a":"x"}"#), [""; 0]);
}

/// What is checked where it came in, and what elsewhere: known before it is done, the same each time.
#[test]
fn only_what_takes_little_is_checked_at_once() {
    let plain = r#"{"properties":{"a":{"type":"string"}}}"#.to_owned();
    let many = format!("{{\"properties\":{{\"a\":{{\"anyOf\":[{}]}}}}}}", vec![r#"{"type":"string"}"#; 1000].join(","));
    let text = |length: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(length));
    let list = |length: usize| format!("{{\"a\":[{}]}}", vec!["1"; length].join(","));
    let table = [
        (&plain, text(10), Some(true)),
        (&plain, text(10_000), Some(true)),
        (&plain, text(20_000), None),
        (&plain, list(10), Some(false)),
        (&many, text(10), None),
        (&many, "{}".to_owned(), Some(true)),
    ];
    for (schema, params, expected) in table {
        let request = compile(API, &with_schema(schema));
        let params = object(&params);
        let at_once = request.validate_at_once(&params);
        assert_eq!(at_once.as_ref().map(Result::is_ok), expected, "{schema}");
        if let Some(at_once) = at_once {
            assert_eq!(violations_of(at_once), violations_of(request.validate(&params)));
        }
    }
}

#[test]
fn params_and_schema_nest_only_so_deep_together() {
    // Five subschemas for each level of the params. Test threads have the 2 MB of a worker's stack.
    let request = compile(
        API,
        &with_schema(r##"{"type":"object","allOf":[{"anyOf":[{"oneOf":[{"properties":{"a":{"$ref":"#"}}}]}]}]}"##),
    );
    let nested = |levels: usize| object(&format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels)));
    assert_eq!(request.validate(&nested(101)).unwrap_err().kind(), ErrorKind::InvalidParams);
    let error = request.validate(&nested(110)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert!(error.to_string().contains("more than 512 deep together"), "{error}");
}

#[test]
fn ordinary_large_params_pass() {
    let schema = r#"{"type":"object","properties":{
        "content":{"type":"string","pattern":"\\S"},
        "ids":{"type":"array","uniqueItems":true,"items":{"type":"string","pattern":"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"}},
        "vector":{"type":"array","items":{"type":"number","minimum":-1,"maximum":1}},
        "rows":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string","maxLength":100},
            "kind":{"enum":["a","b","c"]},"value":{"anyOf":[{"type":"number"},{"type":"null"}]}},
            "required":["name"],"additionalProperties":false}}},"additionalProperties":false}"#;
    let ids: Vec<_> = (0..2_000).map(|n| format!("\"{n:08x}-0000-0000-0000-{n:012x}\"")).collect();
    let vector = vec!["0.123456789"; 20_000].join(",");
    let rows = (0..5_000)
        .map(|n| format!("{{\"name\":\"row {n}\",\"kind\":\"b\",\"value\":{n}.5}}"))
        .collect::<Vec<_>>()
        .join(",");
    let params = format!(
        r#"{{"content":"{}","ids":[{}],"vector":[{vector}],"rows":[{rows}]}}"#,
        "word ".repeat(60_000),
        ids.join(",")
    );
    let request = compile(API, &with_schema(schema));
    request.validate(&object(&params)).unwrap();
}

#[test]
fn deep_long_and_large_schemas_are_refused() {
    let at = "endpoints[0].input_schema: ";
    // 63 levels of `properties` over `a` are 127 objects, and one is innermost.
    let deep = |levels: usize| format!("{}{}{}", "{\"properties\":{\"a\":".repeat(levels), "{}", "}}".repeat(levels));
    assert_eq!(faults_of(API, &with_schema(&deep(63))), [""; 0]);
    let mut endpoint = with_schema("{}");
    let inner = object(&deep(63));
    endpoint.input_schema =
        [("not", [("not", Json::Object(inner))].into_iter().collect::<Json>())].into_iter().collect();
    assert_eq!(faults_of(API, &endpoint), [format!("{at}must not nest deeper than 128 levels")]);
    let long = format!("{{\"description\":\"{}\"}}", "x".repeat(65_536));
    assert_eq!(faults_of(API, &with_schema(&long)), [format!("{at}must have at most 65536 bytes as compact JSON")]);
    // A chain of references through properties, as long as the bytes allow.
    let mut chain = String::from(r#"{"$defs":{"a0":{}"#);
    for n in 1..1_000 {
        write!(chain, ",\"a{n}\":{{\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/a{}\"}}}}}}", n - 1).unwrap();
    }
    write!(chain, "}},\"properties\":{{\"a\":{{\"$ref\":\"#/$defs/a999\"}}}}}}").unwrap();
    assert_eq!(violations(&compile(API, &with_schema(&chain)), r#"{"a":{"a":{"a":1}}}"#), [""; 0]);
}

#[test]
fn patterns_are_bounded() {
    let huge = faults_of(API, &with_schema(r#"{"properties":{"a":{"pattern":"(([a-z]{100}){100}){100}"}}}"#));
    assert!(huge.iter().any(|fault| fault.contains("too large when compiled")), "{huge:?}");
    let many: Vec<_> = (0..101).map(|n| format!("\"^p{n}$\":{{}}")).collect();
    let many = faults_of(API, &with_schema(&format!("{{\"patternProperties\":{{{}}}}}", many.join(","))));
    assert!(many.iter().any(|fault| fault.contains("at most 100 patterns, not 101")), "{many:?}");
    // Backtracking engines never finish this one.
    let request = compile(API, &with_schema(r#"{"properties":{"a":{"pattern":"^(a+)+$"}}}"#));
    let params = format!("{{\"a\":\"{}!\"}}", "a".repeat(50_000));
    assert_eq!(within(Duration::from_secs(2), "a+", || violations(&request, &params).len()), 1);
}

#[test]
fn equal_patterns_of_a_config_are_paid_for_once() {
    // All endpoints of a config have one account.
    let mut limits = Limits::default();
    limits.max_pattern_bytes = 200 << 10;
    let endpoint = |count: u32| {
        let patterns = format!(r#"{{"a":{{"pattern":"^[a-z]+$"}},"b":{{"pattern":"^(ab?){{{count}}}$"}}}}"#);
        with_schema(&format!(r#"{{"properties":{patterns}}}"#))
    };
    let mut faults = Faults::new();
    let loads = |count, faults: &mut Faults| Request::compile(API, &endpoint(count), None, &limits, faults);
    let loaded = [90, 90, 90, 91, 92, 91].map(|count| loads(count, &mut faults).is_some());
    assert_eq!(loaded, [true, true, true, true, false, true]);
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert!(
        told[0].starts_with("input_schema.properties.b.pattern: ") && told[0].contains("`max_pattern_bytes`"),
        "{told:?}"
    );
    let mut faults = Faults::new();
    for request in [92, 92].map(|count| loads(count, &mut faults).unwrap()) {
        assert_eq!(violations(&request, &format!(r#"{{"b":"{}"}}"#, "ab".repeat(92))), [""; 0]);
        assert_eq!(violations(&request, &format!(r#"{{"b":"{}"}}"#, "ab".repeat(91))).len(), 1);
    }
}

#[test]
fn a_schema_is_no_fault_of_the_auth() {
    assert!(compile_with(API, &with_schema(r#"{"type":"object"}"#), Some(&crate::exchange(&[]))).is_ok());
}
