//! What must hold of any input: over the corpora of the fuzz targets, and over inputs in shape.

use std::{fs, path::Path};

use callout_oracles::ORACLES;
use proptest::prelude::*;

/// Each target's corpus is run whole: its seeds, what a fuzzer found to be worth keeping, what was a finding.
#[test]
fn corpora_are_replayed() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    for (name, oracle) in ORACLES {
        let mut inputs = 0;
        for entry in fs::read_dir(corpora.join(name)).unwrap() {
            let path = entry.unwrap().path();
            // Said before it is run: what ends the process cannot be said after.
            println!("{}", path.display());
            oracle(&fs::read(&path).unwrap());
            inputs += 1;
        }
        assert!(inputs >= 5, "{name} has a corpus");
    }
}

/// A JSON string's text, with what makes trouble in it.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(vec!["id", "name", "a", "b", "items", "0", "k3y-of-the-shop"]).prop_map(str::to_owned),
        1 => prop::sample::select(vec!["", ".", "..", "%2e%2e", "a/b", "a?b=c", "é &=#", "a\r\nX: y", "\0", "__proto__"])
            .prop_map(str::to_owned),
        1 => "\\PC{0,12}",
    ]
}

fn text(text: &str) -> String {
    callout::Json::from(text).to_string()
}

/// A JSON text.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        any::<bool>().prop_map(|value| value.to_string()),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?([eE][+-]?[0-9]{1,3})?",
        word().prop_map(|word| text(&word)),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(|values| format!("[{}]", values.join(","))),
            object(inner),
        ]
    })
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    prop::collection::vec((word(), value), 0..6).prop_map(|members| {
        let members: Vec<_> = members.iter().map(|(name, value)| format!("{}:{value}", text(name))).collect();
        format!("{{{}}}", members.join(","))
    })
}

/// A path of each grammar.
fn path() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        word().prop_map(|word| format!(".{}", word.replace(['.', '$', '/'], ""))),
        word().prop_map(|word| format!("['{}']", word.replace(['\\', '\''], "").replace(char::is_control, ""))),
        prop::sample::select(vec![
            ".*",
            "..*",
            "[0]",
            "[-1]",
            "[::2]",
            "[1:]",
            "[0,'a']",
            "[?@.id]",
            "[?@ > 1]",
            "[?search(@, 'a.')]"
        ])
        .prop_map(str::to_owned),
    ];
    prop_oneof![
        prop::collection::vec(word(), 1..5).prop_map(|words| words.join(".")),
        prop::collection::vec(word(), 1..5).prop_map(|words| format!("/{}", words.join("/"))),
        prop::collection::vec(step, 0..5).prop_map(|steps| format!("${}", steps.concat())),
    ]
}

/// A template of pieces that go together.
fn template() -> impl Strategy<Value = String> {
    let value = prop::sample::select(vec![
        "result", "response", "params", "status", "items", "id", "nope", "[1, 2]", "'x'", "7", "result.a",
    ]);
    let filter = prop::sample::select(vec![
        "tojson",
        "length",
        "upper",
        "first",
        "d('-')",
        "list",
        "sort",
        "join(',')",
        "string",
        "map('string')|list",
        "unique|list",
        "sum",
        "round",
        "trim",
        "replace('a', 'b')",
    ]);
    let expression = (value, prop::collection::vec(filter, 0..4))
        .prop_map(|(value, filters)| [vec![value], filters].concat().join("|"));
    let print = expression.clone().prop_map(|expression| format!("{{{{ {expression} }}}}"));
    let piece = prop_oneof![
        print.clone(),
        Just("text ".to_owned()),
        (expression.clone(), print.clone())
            .prop_map(|(of, inner)| format!("{{% for x in {of} %}}{{{{ x }}}}{inner}{{% endfor %}}")),
        (expression.clone(), print.clone()).prop_map(|(of, inner)| format!("{{% if {of} %}}{inner}{{% endif %}}")),
        (expression, print).prop_map(|(of, inner)| format!("{{% set items = {of} %}}{inner}")),
    ];
    prop::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

/// Response fields of an endpoint.
fn stages() -> impl Strategy<Value = String> {
    let filter = prop::option::of(prop::collection::vec(path(), 0..3)).prop_map(|paths| {
        paths.map(|paths| {
            format!("\"response_filter\":[{}]", paths.iter().map(|path| text(path)).collect::<Vec<_>>().join(","))
        })
    });
    let mapping = prop::option::of(prop::collection::vec((word(), path()), 0..3)).prop_map(|members| {
        let written = |members: Vec<(String, String)>| {
            members.iter().map(|(name, path)| format!("{}:{}", text(name), text(path))).collect::<Vec<_>>().join(",")
        };
        members.map(|members| format!("\"response_mapping\":{{{}}}", written(members)))
    });
    let key =
        prop::option::weighted(0.2, path()).prop_map(|path| path.map(|path| format!("\"result_key\":{}", text(&path))));
    let template = prop::option::of(template())
        .prop_map(|source| source.map(|source| format!("\"result_template\":{}", text(&source))));
    let length =
        prop::option::of(0..120_u32).prop_map(|length| length.map(|length| format!("\"max_result_length\":{length}")));
    (filter, mapping, key, template, length, object(word().prop_map(|word| text(&word)))).prop_map(
        |(filter, mapping, key, template, length, params)| {
            let params = Some(format!("\"params\":{params}"));
            let fields: Vec<_> = [filter, mapping, key, template, length, params].into_iter().flatten().collect();
            format!("{{{}}}", fields.join(","))
        },
    )
}

/// Request fields of an endpoint.
fn request() -> impl Strategy<Value = String> {
    let base = prop::sample::select(vec![
        "https://api.example.com",
        "https://api.example.com:8443/v1/",
        "http://x.example/a/b",
    ]);
    let method = prop::sample::select(vec!["GET", "POST", "PUT", "PATCH", "DELETE"]);
    let path = prop::sample::select(vec![
        "/things",
        "things/{id}",
        "/{a}/{b}",
        "/x/{id}.json{?name,b}",
        "/x?k=1&v={a}",
        "/x?k=1{?b}",
        "",
        "/{a}{b}/c",
    ]);
    let format = prop::sample::select(vec!["json", "form"]);
    let transform = prop::sample::select(vec![
        "null",
        r#"{"wrap_params_key":"data"}"#,
        r#"{"inject":{"name":"x","k":"y"}}"#,
        r#"{"wrap_params_key":"items","inject":{"id":"x"}}"#,
    ]);
    (base, method, path, format, transform).prop_map(|(base, method, path, format, transform)| {
        let transform = if matches!(method, "GET" | "DELETE") { "null" } else { transform };
        format!(
            r#"{{"base_url":"{base}","method":"{method}","path":"{path}","body_format":"{format}","request_transform":{transform}}}"#
        )
    })
}

/// A schema of a document, which may refer to `A` and `B`.
fn schema() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        r#"{"type":"string"}"#,
        r#"{"type":"integer","minimum":1,"exclusiveMinimum":true}"#,
        r#"{"type":"string","nullable":true,"enum":["a",null,1]}"#,
        r#"{"type":"string","pattern":"(?<=a)b"}"#,
        r#"{"pattern":"[","readOnly":true}"#,
        r##"{"$ref":"#/components/schemas/A"}"##,
        r##"{"$ref":"#/components/schemas/B","description":"b"}"##,
        r##"{"$ref":"#/nowhere"}"##,
        "{}",
        "true",
        "7",
        "null",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(4, 24, 4, |inner| {
        let members = || prop::collection::vec((word(), inner.clone()), 0..4);
        let names = move |members: Vec<(String, String)>| {
            members.iter().map(|(name, value)| format!("{}:{value}", text(name))).collect::<Vec<_>>().join(",")
        };
        let list = prop::collection::vec(inner.clone(), 0..4).prop_map(|all| all.join(","));
        prop_oneof![
            (members(), word()).prop_map(move |(members, word)| format!(
                r#"{{"type":"object","properties":{{{}}},"required":[{}]}}"#,
                names(members),
                text(&word)
            )),
            (members(), inner.clone()).prop_map(move |(members, inner)| format!(
                r#"{{"properties":{{{}}},"additionalProperties":{inner},"minProperties":1}}"#,
                names(members)
            )),
            inner.clone().prop_map(|inner| format!(r#"{{"type":"array","items":{inner}}}"#)),
            inner.prop_map(|inner| format!(r#"{{"not":{inner},"patternProperties":{{"^x":{inner}}}}}"#)),
            (prop::sample::select(vec!["allOf", "anyOf", "oneOf"]), list)
                .prop_map(|(name, list)| format!(r#"{{"{name}":[{list}],"unevaluatedProperties":false}}"#)),
        ]
    })
}

/// A path and its item.
fn operation() -> impl Strategy<Value = (String, String)> {
    let path = prop::sample::select(vec![
        "/a/{id}",
        "/a/{id}.{name}",
        "/{a b}",
        "/x?k={id}",
        "/{+id}",
        "/a#b",
        "a",
        "/{",
        "//",
    ]);
    let place = prop::sample::select(vec!["path", "query", "header", "cookie", "body"]);
    let style = prop::sample::select(vec![
        "",
        r#""style":"deepObject","#,
        r#""style":"matrix","#,
        r#""explode":false,"#,
        r#""required":true,"#,
    ]);
    let parameter = (word(), place, style, schema()).prop_map(|(name, place, style, schema)| {
        format!(r#"{{"name":{},"in":"{place}",{style}"schema":{schema}}}"#, text(&name))
    });
    let media = prop::sample::select(vec![
        "application/json",
        "application/x-www-form-urlencoded",
        "text/x+json",
        "multipart/form-data",
    ]);
    let method = prop::sample::select(vec!["get", "put", "post", "delete", "patch", "head"]);
    let body =
        (media, schema()).prop_map(|(media, schema)| format!(r#"{{"content":{{"{media}":{{"schema":{schema}}}}}}}"#));
    (path, method, prop::collection::vec(parameter, 0..4), body, prop::option::of(word())).prop_map(
        |(path, method, parameters, body, id)| {
            let id = id.map_or_else(String::new, |id| format!(r#""operationId":{},"#, text(&id)));
            (
                path.to_owned(),
                format!(r#"{{"{method}":{{{id}"parameters":[{}],"requestBody":{body}}}}}"#, parameters.join(",")),
            )
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_holds_of_any_request(endpoint in request(), params in object(json())) {
        callout_oracles::request(format!("{endpoint}\n{params}").as_bytes());
    }

    #[test]
    fn what_holds_of_any_answer(stages in stages(), body in json(), kind in prop::sample::select(vec!["application/json", "text/plain", "image/png"])) {
        callout_oracles::pipeline(format!("{stages}\n{kind}\n{body}").as_bytes());
    }

    #[test]
    fn what_holds_of_any_template(source in template(), values in object(json())) {
        callout_oracles::template(format!("{values}\n{source}").as_bytes());
    }

    #[test]
    fn what_holds_of_any_path(path in path(), value in json()) {
        let path = path.replace('\n', "");
        callout_oracles::path(format!("{path}\n{value}").as_bytes());
    }

    #[test]
    fn what_holds_of_any_token_answer(path in prop_oneof![Just(String::new()), path()], status in 190..520_u16, body in json()) {
        let path = path.replace('\n', "");
        callout_oracles::token_response(format!("{path}\n{status}\n{body}").as_bytes());
    }

    #[test]
    fn what_holds_of_any_json(body in json(), cut in 0..40_usize) {
        callout_oracles::json(body.as_bytes());
        callout_oracles::json(&body.as_bytes()[..body.len().saturating_sub(cut)]);
    }

    #[test]
    fn what_holds_of_any_document(operations in prop::collection::vec(operation(), 1..5), schema in schema(), version in prop::sample::select(vec!["3.0.3", "3.1.0"])) {
        let paths = operations.iter().enumerate().map(|(at, (path, item))| format!("{}:{item}", text(&format!("{path}{}", "/x".repeat(at)))));
        let paths = paths.collect::<Vec<_>>().join(",");
        callout_oracles::openapi(format!(
            r##"{{"openapi":"{version}","info":{{"title":"A"}},"servers":[{{"url":"https://a.example"}}],"paths":{{{paths}}},"components":{{"schemas":{{"A":{schema},"B":{{"$ref":"#/components/schemas/A"}}}}}}}}"##
        ).as_bytes());
    }

    #[test]
    fn what_holds_of_any_config(request in request(), stages in stages()) {
        let endpoint = format!("{{\"name\":\"a\",\"description\":\"b\",{},{}", &request[1..request.len() - 1], &stages[1..]);
        let base = r#""base_url":"https://api.example.com""#;
        callout_oracles::config(format!("{{\"name\":\"shop\",\"display_name\":\"Shop\",{base},\"endpoints\":[{endpoint}]}}").as_bytes());
    }
}
