//! What becomes of a document: names, groups, servers, security, choices.
#![expect(clippy::panic, reason = "a test fails where something is not there")]

mod filters;
mod security;

use callout_core::{
    fault::{FaultCode, Place},
    json::Json,
    limits::Limits,
    secret::{SecretName, Secrets},
};
use callout_openapi::{Document, DocumentError, Fate, ImportError, Imported, Options, import};

fn run(text: &str, options: &Options) -> Result<Imported, ImportError> {
    let document = Document::read(text.as_bytes()).unwrap_or_else(|error| panic!("{error}: {text}"));
    import(&document, options, &|config, faults| {
        let all = SecretName::ALL
            .into_iter()
            .filter(|name| config.auth.as_ref().is_some_and(|auth| auth.kind.required_secret() == *name));
        let secrets = all.fold(Secrets::new(), |secrets, name| secrets.with(name, "s"));
        config.check(&secrets, &Limits::default(), faults);
    })
}

/// A document with these operations, each `METHOD /path tag operationId`; `more` are members of it.
fn document(operations: &[&str], more: &str) -> String {
    let paths: Vec<String> = operations
        .iter()
        .map(|operation| {
            let words: Vec<&str> = operation.split(' ').collect();
            let tags = words.get(2).filter(|tag| **tag != "-").map(|tag| format!(r#""tags": ["{tag}"]"#));
            let id = words.get(3).map(|id| format!(r#""operationId": "{id}""#));
            let members: Vec<String> = tags.into_iter().chain(id).collect();
            format!(r#""{}": {{"{}": {{{}}}}}"#, words[1], words[0].to_lowercase(), members.join(", "))
        })
        .collect();
    format!(r#"{{"openapi": "3.1.0", "info": {{"title": "The Shop"}}, {more} "paths": {{{}}}}}"#, paths.join(", "))
}

const SERVER: &str = r#""servers": [{"url": "https://shop.example/v1"}],"#;

fn names(imported: &Imported) -> Vec<String> {
    imported
        .integrations
        .iter()
        .map(|integration| {
            let names: Vec<_> = integration.endpoints.iter().map(|endpoint| endpoint.name.as_str()).collect();
            format!("{} {} {}", integration.name, integration.base_url, names.join(","))
        })
        .collect()
}

#[test]
fn documents_read_as_json_and_as_yaml() {
    for text in [
        r#"{"openapi": "3.0.3", "paths": {"/a": {"get": {"responses": {"200": {}}}}}}"#,
        "\u{feff}openapi: 3.1\npaths:\n  /a:\n    get: &get\n      responses: {200: {}, 4xx: {}}\n    put: *get\n",
        "{openapi: 3.0.0, paths: {/a: {get: {}}}}",
    ] {
        let document = Document::read(text.as_bytes()).unwrap();
        assert!(document.root().get("paths").and_then(|paths| paths.get("/a")).is_some(), "{text}");
    }
    let paths: String =
        (0..200).map(|at| format!("  /p{at}:\n    get: {{<<: *op, summary: x}}\n    put: *op\n")).collect();
    let anchors = format!("openapi: 3.1.0\nx-op: &op {{tags: [a]}}\npaths:\n{paths}");
    let document = Document::read(anchors.as_bytes()).unwrap_or_else(|error| panic!("of many aliases: {error}"));
    let last = document.root().get("paths").and_then(|paths| paths.get("/p199")).unwrap().to_string();
    assert!(last.contains(r#""put":{"tags":["a"]}"#) && last.contains(r#""summary":"x""#), "{last}");
    let words = "openapi: 3.1.0\nx-words: {y: [on, No, N, 007, 1_000, true]}\n";
    let document = Document::read(words.as_bytes()).unwrap();
    let read = document.root().get("x-words").unwrap().to_string();
    assert_eq!(read, r#"{"y":["on","No","N","007","1_000",true]}"#, "YAML 1.2 has other words than 1.1");
    for (text, expected) in [
        (r#"{"swagger": "2.0"}"#, "is a Swagger 2.0 document: convert it to OpenAPI 3 first"),
        (r#"{"openapi": "4.0.0"}"#, "is of OpenAPI version 4.0.0, and only 3.0 and 3.1 can be read"),
        ("{}", "has no `openapi` that says its version"),
        ("", "has no `openapi` that says its version"),
        ("[1, 2]", "has no `openapi` that says its version"),
    ] {
        let error = Document::read(text.as_bytes()).unwrap_err();
        assert!(matches!(error, DocumentError::NotOpenApi(_)), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    assert!(matches!(Document::read(b"{\"a\": 1"), Err(DocumentError::Json(_))));
    assert!(matches!(Document::read(b"a: [1\nb"), Err(DocumentError::Yaml(_))));
    assert!(matches!(Document::read(b"a: \xff"), Err(DocumentError::Yaml(_))));
    let bomb = format!(
        "a0: &a0 [x, x]\n{}",
        (1..60).map(|at| format!("a{at}: &a{at} [*a{}, *a{}]\n", at - 1, at - 1)).collect::<String>()
    );
    assert!(matches!(Document::read(bomb.as_bytes()), Err(DocumentError::Yaml(_))), "a bomb of aliases is refused");
}

#[test]
fn of_what_stands_twice_the_last_is_taken_and_it_is_said() {
    let yaml = "openapi: 3.0.0\nservers: [{url: 'https://a.example'}]\npaths:\n  /a: {get: {operationId: x}}\n";
    let json = r#"{"openapi": "3.0.0", "servers": [{"url": "https://a.example"}], "paths": {"/a": {"get": {}}, "/a": {"get": {"operationId": "y"}}}}"#;
    for (text, name, said) in [
        (yaml.to_owned(), "x", None),
        (format!("{yaml}  /a: {{get: {{operationId: y}}}}\n"), "y", Some("`/a`")),
        (format!("{yaml}  /b: {{<<: {{get: {{operationId: z}}}}, get: {{operationId: y}}}}\n"), "x,y", None),
        (json.to_owned(), "y", Some("\"/a\"")),
    ] {
        let imported = run(&text, &Options::default()).unwrap();
        assert_eq!(names(&imported), [format!("api https://a.example {name}")], "{text}");
        let reasons: Vec<&str> = imported.report.findings.iter().map(|finding| finding.reason.as_str()).collect();
        assert_eq!(
            (reasons.len(), imported.report.is_whole()),
            (usize::from(said.is_some()), said.is_none()),
            "{text}"
        );
        let is_said = |said: &str| reasons[0].contains(said) && reasons[0].ends_with(": the last one is taken");
        assert!(said.is_none_or(is_said), "{reasons:?}");
    }
}

#[test]
fn names_are_made_and_told_apart() {
    let text = document(&["GET /a - list", "GET /b - list", "GET /c/{d}", "POST /e -  "], SERVER);
    let imported = run(&text, &Options::default()).unwrap();
    let names = names(&imported);
    let second = names[0].split(',').nth(1).unwrap().to_owned();
    assert_eq!(names, [format!("the-shop https://shop.example/v1 list,{second},get-c-d,post-e")]);
    assert!(second.starts_with("list-") && second.len() == 13, "{second}");
    assert_eq!(
        imported.report.operations[1].findings[0].reason,
        format!("the name \"list\" is taken: the endpoint is {second:?}")
    );
    // The same whatever stands around it.
    let alone = run(&document(&["GET /z - list", "GET /b - list"], SERVER), &Options::default()).unwrap();
    assert_eq!(alone.integrations[0].endpoints[1].name, second);
}

#[test]
fn an_integration_has_fifty_endpoints_at_most() {
    let operations: Vec<String> =
        (0..120).map(|at| format!("GET /p{at} {} o{at}", if at % 12 == 0 { "few" } else { "many" })).collect();
    let operations: Vec<&str> = operations.iter().map(String::as_str).collect();
    let text = document(&operations, SERVER);
    let one = run(&text, &Options::default()).unwrap();
    assert_eq!((one.integrations.len(), one.integrations[0].endpoints.len()), (1, 50));
    assert_eq!((one.report.imported(), one.report.no_room().count(), one.report.is_whole()), (50, 70, false));
    let mut options = Options::default();
    options.split_by_tag = true;
    let split = run(&text, &options).unwrap();
    let sizes: Vec<_> = split
        .integrations
        .iter()
        .map(|found| (found.name.as_str(), found.display_name.as_str(), found.endpoints.len()))
        .collect();
    assert_eq!(
        sizes,
        [
            ("the-shop-few", "The Shop: few", 10),
            ("the-shop-many", "The Shop: many", 50),
            ("the-shop-many-2", "The Shop: many (2)", 50),
            ("the-shop-many-3", "The Shop: many (3)", 10)
        ]
    );
    assert!(split.report.is_whole());
    let Fate::Imported { integration, endpoint } = &split.report.operations[119].fate else { panic!() };
    assert_eq!((integration.as_str(), endpoint.as_str()), ("the-shop-many-3", "o119"));
    // Title, tag and number have room together.
    let tag = "x".repeat(98);
    let long = text.replace("The Shop", &"The Shop ".repeat(22)).replace("many", &tag);
    let split = run(&long, &options).unwrap();
    let last = &split.integrations[3].display_name;
    assert!(last.chars().count() <= 256 && last.ends_with(&format!("…: {tag} (3)")), "{last}");
}

#[test]
fn operations_are_chosen() {
    let text = document(&["GET /a/x pets listPets", "POST /a/y pets addPet", "GET /b shop getShop"], SERVER);
    for (include, expected) in [
        (vec![], "listPets,addPet,getShop"),
        (vec!["tag:PETS"], "listPets,addPet"),
        (vec!["tag:pets", "method:get"], "listPets"),
        (vec!["tag:pets", "tag:shop"], "listPets,addPet,getShop"),
        (vec!["op:*Pet"], "addPet"),
        (vec!["path:/a/*"], "listPets,addPet"),
    ] {
        let mut options = Options::default();
        options.include = include.iter().map(|selector| selector.parse().unwrap()).collect();
        let imported = run(&text, &options).unwrap();
        assert_eq!(names(&imported), [format!("the-shop https://shop.example/v1 {expected}")], "{include:?}");
        assert_eq!(imported.report.operations_in_document, 3);
    }
    let mut options = Options::default();
    options.include = vec!["tag:none".parse().unwrap()];
    let refused = run(&text, &options).unwrap_err();
    let expected = r#"none of the document's 3 operations is what was asked for; among its tags are "pets", "shop""#;
    assert_eq!(refused.to_string(), expected);
    let refused = run(&document(&["GET /a"], SERVER), &options).unwrap_err();
    assert_eq!(refused.to_string(), "the document's one operation is not what was asked for");
    let refused = run(&document(&[], SERVER), &options).unwrap_err();
    assert_eq!(refused.to_string(), "the document has no operations");
}

#[test]
fn a_document_of_several_files_is_said_to_be_one() {
    let text = |paths: &str| format!(r#"{{"openapi": "3.1.0", {SERVER} "paths": {{{paths}}}}}"#);
    let path = r#""/a": {"$ref": "paths/a.yaml"}"#;
    let operation = r#""/b": {"get": {"$ref": "b.yaml#/get"}}"#;
    let elsewhere = "leads out of the document, and nothing is fetched";
    for (paths, expected) in [
        (
            format!("{path}, {operation}"),
            format!(
                r#"none of the document's 2 paths can be read; #/paths/~1a: a path that cannot be read: `$ref` "paths/a.yaml" {elsewhere}: bundle the document's files into one first"#
            ),
        ),
        (
            operation.to_owned(),
            format!(
                r#"the document's one path cannot be read; #/paths/~1b/get: an operation that cannot be read: `$ref` "b.yaml#/get" {elsewhere}: bundle the document's files into one first"#
            ),
        ),
        (
            r##""/c": {"$ref": "#/nowhere"}"##.to_owned(),
            r##"the document's one path cannot be read; #/paths/~1c: a path that cannot be read: `$ref` "#/nowhere" leads nowhere"##.to_owned(),
        ),
    ] {
        let refused = run(&text(&paths), &Options::default()).unwrap_err();
        assert_eq!(refused.to_string(), expected);
    }
    // What can be read is imported, and the rest reported.
    let imported = run(&text(&format!(r#"{operation}, "/d": {{"get": {{}}}}"#)), &Options::default()).unwrap();
    assert_eq!((imported.report.imported(), imported.report.is_whole()), (1, false));
    let reason = format!(r#"an operation that cannot be read: `$ref` "b.yaml#/get" {elsewhere}"#);
    assert_eq!(imported.report.findings[0].reason, reason);
}

#[test]
fn operations_with_other_servers_are_integrations_of_their_own() {
    let text = r#"{"openapi": "3.0.0", "info": {"title": "S"}, "servers": [{"url": "https://a.example"}], "paths": {
        "/x": {"get": {}, "post": {"servers": [{"url": "https://up.example/files/"}]}},
        "/y": {"servers": [{"url": "/v2"}], "get": {}}}}"#;
    let imported = run(text, &Options::default()).unwrap();
    assert_eq!(
        names(&imported),
        [
            "s-api https://a.example get-x",
            "s-api-up-example-files https://up.example/files post-x",
            "s-api-a-example-v2 https://a.example/v2 get-y"
        ]
    );
    let mut options = Options::default();
    options.base_url = Some("http://127.0.0.1:8080/base".to_owned());
    // What is given stands for all that is absolute.
    let imported = run(text, &options).unwrap();
    let elsewhere = "s-api-127-0-0-1-8080-v2 http://127.0.0.1:8080/v2 get-y";
    assert_eq!(names(&imported), ["s-api http://127.0.0.1:8080/base get-x,post-x", elsewhere]);
    let upload = imported.report.operations[1].findings.iter().map(|finding| finding.reason.as_str());
    let said = "its own server https://up.example/files/ is not called: the base URL that is given stands for it";
    assert!(upload.clone().any(|reason| reason == said), "{:?}", upload.collect::<Vec<_>>());
    for (own, paths) in [("https://a.example/", "https://a.example"), ("/v1", "/v1/"), ("https://{h}", "https://{h}")] {
        let server =
            |url: &str| format!(r#""servers": [{{"url": "{url}", "variables": {{"h": {{"default": "a.example"}}}}}}]"#);
        let text = format!(
            r#"{{"openapi": "3.0.0", "info": {{"title": "S"}}, {}, "paths": {{"/x": {{{}, "get": {{}}}}}}}}"#,
            server(own),
            server(paths)
        );
        let imported = run(&text, &options).unwrap();
        assert_eq!(names(&imported), ["s-api http://127.0.0.1:8080/base get-x"], "{own}");
        assert!(imported.report.operations[0].findings.is_empty(), "{own}");
    }
    // A relative URL may name a host all the same.
    for url in ["//other.example/v2", r"\\\\other.example", "https:other.example", r"/\t/other.example"] {
        let text = format!(
            r#"{{"openapi": "3.0.0", "info": {{"title": "S"}}, "paths": {{"/x": {{"servers": [{{"url": "{url}"}}], "get": {{}}}}}}}}"#
        );
        let imported = run(&text, &options).unwrap();
        assert_eq!(names(&imported), ["s-api http://127.0.0.1:8080/base get-x"], "{url}");
        assert!(imported.report.operations[0].findings[0].reason.contains(" is not called: "), "{url}");
    }
    let error = run(&document(&["GET /a"], ""), &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "the document names no server: say where the API is (`--base-url https://…`)");
    let error = run(&document(&["GET /a"], r#""servers": [{"url": "/v1"}],"#), &Options::default()).unwrap_err();
    assert_eq!(error, ImportError::NoServer("the document's server is relative (/v1)".to_owned()));
}

#[test]
fn what_stands_beside_the_reference_of_a_path_is_kept() {
    let text = r##"{"openapi": "3.1.0", "info": {"title": "S"}, "servers": [{"url": "https://a.example"}],
        "paths": {"/x": {"$ref": "#/components/pathItems/P", "servers": [{"url": "https://b.example"}], "post": {},
            "parameters": [{"name": "lang", "in": "query"}, {"name": "z", "in": "query", "schema": {"const": 6}}]}},
        "components": {"pathItems": {"P": {"summary": "Takes a look", "get": {"operationId": "look"},
            "parameters": [{"name": "z", "in": "query", "schema": {"const": 5}}, {"name": "y", "in": "query"}]}}}}"##;
    let imported = run(text, &Options::default()).unwrap();
    assert_eq!(names(&imported), ["s-api-b-example https://b.example post-x,look"]);
    for endpoint in &imported.integrations[0].endpoints {
        assert_eq!((endpoint.path.as_str(), endpoint.description.as_str()), ("/x{?z,y,lang}", "Takes a look."));
        assert_eq!(
            Json::Object(endpoint.input_schema.clone()).to_string(),
            r#"{"type":"object","properties":{"z":{"const":6},"y":{"type":"string"},"lang":{"type":"string"}},"additionalProperties":false}"#
        );
    }
    // At each step, and of a method that stands twice the one that comes first.
    let text = r##"{"openapi": "3.1.0", "info": {"title": "S"},
        "paths": {"/x": {"$ref": "#/components/pathItems/Q", "parameters": [{"name": "a", "in": "query"}]}},
        "components": {"pathItems": {
            "Q": {"$ref": "#/components/pathItems/P", "servers": [{"url": "https://b.example"}], "get": {"operationId": "q"},
                "parameters": [{"name": "b", "in": "query"}]},
            "P": {"get": {"operationId": "p"}, "post": {"operationId": "add"}}}}}"##;
    let imported = run(text, &Options::default()).unwrap();
    assert_eq!(names(&imported), ["s-api-b-example https://b.example q,add"]);
    assert!(imported.integrations[0].endpoints.iter().all(|endpoint| endpoint.path == "/x{?b,a}"));
    let found = imported.report.findings.iter().map(|finding| (finding.place.to_string(), finding.reason.as_str()));
    let twice = "stands beside the reference that leads here too, and is not imported";
    assert_eq!(found.collect::<Vec<_>>(), [("#/components/pathItems/P/get".to_owned(), twice)]);
}

#[test]
fn what_the_check_refuses_of_a_schema_is_taken_out() {
    let text = r#"{"openapi": "3.0.0", "info": {"title": "Shop"}, "servers": [{"url": "https://a.example"}], "paths": {"/a": {"get": {
        "parameters": [{"name": "a", "in": "query", "schema": {"type": "string", "pattern": "(?=x)", "maxLength": 3}}]}}, "/b": {"get": {}}}}"#;
    let document = Document::read(text.as_bytes()).unwrap();
    let imported = import(&document, &Options::default(), &|config, faults| {
        for (at, endpoint) in config.endpoints.iter().enumerate() {
            if endpoint.path == "/b" {
                let place = Place::root().field("endpoints").index(at).field("path");
                faults.report_at(place, FaultCode::Path, "is b");
            }
            let pattern = endpoint.input_schema.get("properties").and_then(|all| all.get("a")?.get("pattern"));
            if pattern.is_some() {
                let place = Place::root()
                    .field("endpoints")
                    .index(at)
                    .field("input_schema")
                    .field("properties")
                    .field("a")
                    .field("pattern");
                faults.report_at(place, FaultCode::Schema, "has look-around");
            }
        }
    })
    .unwrap();
    let schema = Json::Object(imported.integrations[0].endpoints[0].input_schema.clone());
    assert_eq!(
        schema.to_string(),
        r#"{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"additionalProperties":false}"#
    );
    let found: Vec<_> =
        imported.report.operations.iter().map(|operation| operation.findings[0].reason.as_str()).collect();
    assert_eq!(found, ["input_schema.properties.a.pattern is not checked: has look-around", "path: is b"]);
    assert_eq!(imported.report.operations[1].fate, Fate::LeftOut);
}

#[test]
fn what_loads_alone_and_not_with_the_others_is_repaired_or_left_out() {
    let paths: String = (0..4)
        .map(|at| {
            let schema = format!(r#"{{"type": "string", "pattern": "^{at}$"}}"#);
            let parameters = format!(r#"[{{"name": "a", "in": "query", "schema": {schema}}}]"#);
            format!(r#""/p{at}": {{"get": {{"parameters": {parameters}}}}}, "#)
        })
        .collect();
    let text = format!(
        r#"{{"openapi": "3.0.0", "info": {{"title": "Shop"}}, "servers": [{{"url": "https://a.example"}}],
        "paths": {{{paths} "/alone": {{"get": {{}}}}}}}}"#
    );
    let document = Document::read(text.as_bytes()).unwrap();
    let imported = import(&document, &Options::default(), &|config, faults| {
        let mut patterns = 0;
        for (at, endpoint) in config.endpoints.iter().enumerate() {
            let place = Place::root().field("endpoints").index(at);
            if endpoint.path == "/alone" && config.endpoints.len() > 1 {
                faults.report_at(place.clone().field("path"), FaultCode::Path, "is not alone");
            }
            if endpoint.input_schema.get("properties").and_then(|all| all.get("a")?.get("pattern")).is_some() {
                patterns += 1;
                if patterns > 2 {
                    let pattern = place.field("input_schema").field("properties").field("a").field("pattern");
                    faults.report_at(pattern, FaultCode::TooLong, "is one too many");
                }
            }
        }
    })
    .unwrap();
    let found: Vec<_> = imported.integrations[0]
        .endpoints
        .iter()
        .map(|endpoint| {
            let property = endpoint.input_schema.get("properties").and_then(|all| all.get("a")).unwrap();
            format!("{} {property}", endpoint.name)
        })
        .collect();
    assert_eq!(
        found,
        [
            r#"get-p0 {"type":"string","pattern":"^0$"}"#,
            r#"get-p1 {"type":"string","pattern":"^1$"}"#,
            r#"get-p2 {"type":"string"}"#,
            r#"get-p3 {"type":"string"}"#
        ]
    );
    let findings = imported.report.operations.iter().map(|operation| {
        operation.findings.iter().map(|finding| finding.reason.as_str()).collect::<Vec<_>>().join(" | ")
    });
    let without = "its patterns are not checked: is one too many";
    assert_eq!(findings.collect::<Vec<_>>(), ["", "", without, without, "path: is not alone"]);
    assert_eq!((imported.report.imported(), imported.report.left_out().count()), (4, 1));
}
