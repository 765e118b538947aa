//! Integrations through the API: create, get, list, delete, and what is refused on the way.

use callout::Json;

use super::{Server, integration};

#[tokio::test]
async fn an_integration_is_created_shown_and_deleted() {
    let server = Server::start().await;
    let created = server.ask("POST", "/integrations", Some(&integration("shop", "https://api.example.com"))).await;
    let created = created.expect(201);
    let id = created.text_at("id");
    assert_eq!(created.text_at("workspace_id"), server.workspace.to_string());
    assert_eq!(created.text_at("auth.header_name"), "X-Key");
    assert_eq!(created.at("auth.api_key_value"), Json::Null, "a secret is never shown");
    assert!(!created.text.contains("sk-live"), "{}", created.text);
    assert_eq!(created.at("builtin"), Json::Bool(false));
    assert!(created.text_at("created_at").ends_with('Z'), "{}", created.text);

    let got = server.ask("GET", &format!("/integrations/{id}"), None).await.expect(200);
    assert_eq!(got.json(), created.json());
    server.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(204);
    server.ask("GET", &format!("/integrations/{id}"), None).await.expect(404);
    let again = server.ask("DELETE", &format!("/integrations/{id}"), None).await.expect(404);
    assert_eq!(again.text_at("error_code"), "not_found");
    assert_eq!(again.text_at("request_id"), again.header("x-request-id"));
}

#[tokio::test]
async fn order_and_digits_of_a_schema_survive() {
    let server = Server::start().await;
    let schema = r#"{"type":"object","properties":{"z":{"maximum":12345678901234567890123},"a":{"minimum":1.50}}}"#;
    let body = format!(
        r#"{{"name":"digits","display_name":"D","base_url":"https://a.example","endpoints":[
            {{"name":"go","description":"","path":"/","input_schema":{schema}}}]}}"#
    );
    let id = server.create(&body).await;
    let got = server.ask("GET", &format!("/integrations/{id}"), None).await.expect(200);
    assert_eq!(got.at("endpoints.0.input_schema").to_string(), schema);
}

#[tokio::test]
async fn every_fault_is_listed_at_once_with_its_place() {
    let server = Server::start().await;
    let body = r#"{"name":"Shop!","base_url":"ftp://x","protocol":"desktop",
        "auth":{"type":"bearer_token","bearer_token_value":{"value":"s3cret-value"},"client_id":"c","api_key_ssm_param_path":"/x"},
        "endpoints":[{"name":"a","description":"","path":"/{"},{"name":"a","description":"","path":"/x",
            "result_template":"{{","response_mapping":{"t":"$["}}]}"#;
    let refused = server.ask("POST", "/integrations", Some(body)).await.expect(422);
    let detail = refused.at("detail");
    let places: Vec<String> = detail
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            let steps = fault.get("loc").and_then(Json::as_array).unwrap();
            steps
                .iter()
                .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
                .collect::<Vec<_>>()
                .join(".")
        })
        .collect();
    for place in [
        "body.name",
        "body.display_name",
        "body.base_url",
        "body.protocol",
        "body.auth.client_id",
        "body.auth.api_key_ssm_param_path",
        "body.endpoints.0.path",
        "body.endpoints.1.name",
        "body.endpoints.1.result_template",
        "body.endpoints.1.response_mapping.t",
    ] {
        assert!(places.iter().any(|found| found == place), "{place} is not in {places:?}");
    }
    assert!(!refused.text.contains("s3cret"), "{}", refused.text);
    // Indexes are numbers, as the contract has it.
    assert!(refused.text.contains(r#"["body","endpoints",0,"path"]"#), "{}", refused.text);
    assert_eq!(server.ask("GET", "/integrations", None).await.at("total"), Json::from(0));
}

#[tokio::test]
async fn a_base_url_that_is_none_is_told_once_and_not_for_each_path() {
    let server = Server::start().await;
    for base in ["5", r#""ftp://a.example""#] {
        let body = format!(
            r#"{{"name":"shop","display_name":"S","base_url":{base},"endpoints":[
                {{"name":"a","description":"","path":"/x"}},{{"name":"b","description":"","path":"/y/{{id}}"}},
                {{"name":"c","description":"","path":"https://a.example/z"}}]}}"#
        );
        let refused = server.ask("POST", "/integrations", Some(&body)).await.expect(422);
        let detail = refused.at("detail");
        let places: Vec<_> =
            detail.as_array().unwrap().iter().map(|fault| fault.get("loc").unwrap().to_string()).collect();
        // A whole URL does not go with any.
        assert_eq!(places, [r#"["body","base_url"]"#, r#"["body","endpoints",2,"path"]"#], "{}", refused.text);
        assert!(refused.text_at("detail.1.msg").contains("leave out one of the two"), "{}", refused.text);
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_4xx() {
    let server = Server::start().await;
    let path = server.path("/integrations");
    let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
    for (body, status, kind) in [
        ("", 422, "missing"),
        ("{", 422, "json_invalid"),
        ("[]", 422, "type_error"),
        (r#"{"name":"ab","name":"cd"}"#, 422, "json_invalid"),
        (&*deep, 422, "json_invalid"),
        ("nul", 422, "json_invalid"),
    ] {
        let answer = server.ask("POST", "/integrations", Some(body)).await.expect(status);
        assert_eq!(answer.text_at("detail.0.type"), kind, "{body:.40}: {}", answer.text);
    }
    let request = http::Request::post(&path)
        .header("authorization", format!("Bearer {}", server.owner))
        .header("content-type", "text/plain");
    server.send(request.body("{}".to_owned()).unwrap()).await.expect(415);
    let large = format!("{{\"name\":\"{}\"}}", "x".repeat(9 << 20));
    let answer = server.ask("POST", "/integrations", Some(&large)).await.expect(413);
    assert_eq!(answer.text_at("error_code"), "body_too_large");
}

#[tokio::test]
async fn bodies_made_to_cost_are_refused_at_once() {
    let server = Server::start().await;
    let many = |element: &str, count: usize| vec![element; count].join(",");
    let endpoint = r#"{"name":"a","description":"","path":"/"}"#;
    let names: Vec<String> = (0..60_000).map(|at| format!(r#""n{at}":1"#)).collect();
    for (field, what) in [
        (format!(r#""endpoints":[{}]"#, many("0", 900_000)), "at most 50"),
        (format!(r#""endpoints":[{}]"#, many(endpoint, 40_000)), "at most 50"),
        (format!(r#""auth":{{"type":"bearer_token","scopes":[{}]}}"#, many("0", 900_000)), "at most 1000"),
        (format!(r#""auth":{{"type":"bearer_token",{}}}"#, names.join(",")), "more than the 1000 faults"),
        (
            format!(r#""endpoints":[{{"name":"a","description":"{}","path":"/"}}]"#, "d".repeat(1 << 20)),
            "1048576 bytes",
        ),
    ] {
        let body = format!(r#"{{"name":"cost","display_name":"x",{field}}}"#);
        let asked = server.ask("POST", "/integrations", Some(&body));
        let answer = tokio::time::timeout(std::time::Duration::from_secs(20), asked).await.unwrap().expect(422);
        assert!(answer.text.contains(what), "{what}: {:.300}", answer.text);
    }
}

#[tokio::test]
async fn a_name_is_taken_once() {
    let server = Server::start().await;
    server.create(&integration("shop", "https://a.example")).await;
    let taken = server.ask("POST", "/integrations", Some(&integration("shop", "https://b.example"))).await.expect(409);
    assert_eq!(taken.text_at("error_code"), "name_taken");
    assert_eq!(taken.text_at("detail"), r#"the name "shop" is taken in this workspace"#);
}

#[tokio::test]
async fn a_page_ends_at_its_bytes_too() {
    let server = Server::start().await;
    // A little less than 1 MiB each.
    let schema = format!(r#"{{"type":"object","description":"{}"}}"#, "x".repeat(61_000));
    let endpoint = |at: usize| {
        format!(r#"{{"name":"e{at}","description":"d","method":"GET","path":"/","input_schema":{schema}}}"#)
    };
    let endpoints: Vec<_> = (0..17).map(endpoint).collect();
    for at in 0..9 {
        let endpoints = endpoints.join(",");
        server
            .create(&format!(
                r#"{{"name":"n{at}","display_name":"N","base_url":"https://api.example","endpoints":[{endpoints}]}}"#
            ))
            .await;
    }
    let first = server.ask("GET", "/integrations?limit=100&sort_by=name", None).await.expect(200);
    assert_eq!(first.at("items").as_array().unwrap().len(), 8);
    assert_eq!(
        (first.at("has_more"), first.at("continuation_token"), first.at("total")),
        (true.into(), 8.into(), 9.into())
    );
    let rest = server.ask("GET", "/integrations?limit=100&sort_by=name&continuation_token=8", None).await.expect(200);
    assert_eq!((rest.at("items").as_array().unwrap().len(), rest.at("has_more")), (1, false.into()));
}

#[tokio::test]
async fn lists_are_filtered_sorted_and_paged() {
    let server = Server::start().await;
    // Letters that no id has, which is searched too.
    for (name, enabled) in [("kk", true), ("hh", false), ("jj", true)] {
        let body = format!(r#"{{"name":"{name}","display_name":"The 100% {name}_x","enabled":{enabled}}}"#);
        server.create(&body).await;
    }
    let names = async |query: &str| {
        let answer = server.ask("GET", &format!("/integrations{query}"), None).await.expect(200);
        let items = answer.at("items");
        let names: Vec<String> = items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item.get("name").unwrap().as_str().unwrap().to_owned())
            .collect();
        names.join(" ")
    };
    for (query, expected) in [
        ("", "jj hh kk"),
        ("?sort_by=name", "hh jj kk"),
        ("?sort_by=+name", "hh jj kk"),
        ("?sort_by=%2Bname", "hh jj kk"),
        ("?sort_by=-name", "kk jj hh"),
        ("?sort_by=created_at", "kk hh jj"),
        ("?enabled=true&sort_by=name", "jj kk"),
        ("?protocol=desktop", ""),
        ("?search=HH", "hh"),
        ("?search=100%25", "jj hh kk"),
        ("?search=%25h", ""),
        ("?search=j_x", "jj"),
        ("?search=__", ""),
        ("?limit=1&sort_by=name&continuation_token=1", "jj"),
        ("?continuation_token=9", ""),
    ] {
        assert_eq!(names(query).await, expected, "{query}");
    }
    let first = server.ask("GET", "/integrations?limit=2", None).await.expect(200);
    assert_eq!(
        (first.at("has_more"), first.at("continuation_token"), first.at("total")),
        (true.into(), 2.into(), 3.into())
    );
    let last = server.ask("GET", "/integrations?limit=2&continuation_token=2", None).await.expect(200);
    assert_eq!((last.at("has_more"), last.at("continuation_token")), (false.into(), Json::Null));
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=1&limit=2",
        "continuation_token=-1",
        "sort_by=id",
        "sort_by=",
        "search=",
        "enabled=maybe",
        "protocol=ftp",
        "limit=99999999999999999999",
    ] {
        let answer = server.ask("GET", &format!("/integrations?{query}"), None).await.expect(422);
        let name = query.split('=').next().unwrap();
        assert_eq!(answer.at("detail.0.loc").to_string(), format!(r#"["query","{name}"]"#), "{query}");
    }
}

#[tokio::test]
async fn a_builtin_integration_cannot_be_changed() {
    let server = Server::start().await;
    let mut faults = callout::Faults::new();
    let body = Json::parse(&integration("shop", "https://a.example")).unwrap();
    let read = callout::IntegrationConfig::read(&body, callout::UnknownFields::Refuse, &mut faults);
    let (config, secrets) = read.unwrap();
    let new = callout_store::NewIntegration { config, secrets, builtin: true };
    let id = server.store.import_builtin(server.workspace, new, &super::harness::actor()).await.unwrap().id;
    let path = format!("/integrations/{id}");
    let shown = server.ask("GET", &path, None).await.expect(200);
    assert_eq!(shown.at("builtin"), Json::Bool(true));
    for (method, body) in [
        ("PATCH", Some(r#"{"enabled":false}"#)),
        // Whether or not it would be a good change.
        ("PATCH", Some("{}")),
        ("PATCH", Some(r#"{"name":"other"}"#)),
        ("PATCH", Some(r#"{"base_url":5}"#)),
        ("PATCH", Some("{")),
        ("DELETE", None),
    ] {
        let refused = server.ask(method, &path, body).await.expect(409);
        assert_eq!(refused.text_at("error_code"), "builtin");
    }
    assert_eq!(server.ask("GET", &path, None).await.json(), shown.json());
}
