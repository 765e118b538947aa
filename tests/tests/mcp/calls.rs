//! Listing and calling: results, failures, cancelled calls, many at once, bounds.

use std::{sync::Arc, time::Duration};

use callout::{Json, ToolRegistry};
use callout_mcp::{Called, Changes, McpServer, Refusal, Registry, Success, ToolList, ToolSource};
use callout_tests::{Reply, Upstream};
use tokio::sync::Barrier;

use crate::{
    at, builder,
    client::{Client, call, initialize},
    endpoint, integration, json, registry,
    revision::META,
    text_at, tools,
};

#[tokio::test]
async fn tools_are_listed_without_what_the_host_binds() {
    let upstream = Upstream::start().await;
    upstream.reply("/users/42/orders", Reply::json(200, r#"{"orders":3}"#));
    let orders = endpoint("orders", "/users/{user_id}/orders{?state}", "");
    let tools = tools(&upstream, &[orders]).with_host_param("user_id");
    let mut client =
        Client::start(Registry::new(builder().build().unwrap(), tools, json(r#"{"user_id":42,"stray":1}"#))).await;

    let listed = client.ask("tools/list", "{}").await;
    assert_eq!(text_at(&listed, "result.tools.0.name"), "shop__orders");
    assert_eq!(text_at(&listed, "result.tools.0.description"), "Does orders");
    let schema = at(&listed, "result.tools.0.inputSchema");
    assert_eq!(text_at(&schema, "type"), "object");
    let properties = at(&schema, "properties");
    let names: Vec<_> = properties.as_object().unwrap().iter().map(|(name, _)| name.to_owned()).collect();
    assert_eq!(names, ["state"]);
    assert!(!listed.to_string().contains("user_id"), "{listed}");
    assert_eq!(at(&listed, "result.tools.0.annotations"), json(r#"{"readOnlyHint":true,"openWorldHint":true}"#));
    assert!(listed.get("nextCursor").is_none());

    // What the model says of it does not count.
    let answer = client.call("shop__orders", r#"{"user_id":7,"state":"open"}"#).await;
    assert_eq!(text_at(&answer, "result.content.0.text"), r#"{"orders":3}"#);
    assert_eq!(upstream.requests()[0].target, "/users/42/orders?state=open");
}

#[tokio::test]
async fn params_are_called_by_the_names_that_are_listed() {
    let upstream = Upstream::start().await;
    upstream.reply("/charges", Reply::json(200, "1"));
    let schema = r#","input_schema":{"properties":{"created[gte]":{"type":"integer"},"expand[]":{}}}"#;
    let tools = tools(&upstream, &[endpoint("charges", "/charges", schema)]).with_host_param("expand[]");
    let mut client = Client::start(Registry::new(builder().build().unwrap(), tools, json(r#"{"expand[]":"a"}"#))).await;

    let listed = client.ask("tools/list", "{}").await;
    let properties = at(&listed, "result.tools.0.inputSchema.properties");
    assert_eq!(properties.as_object().unwrap().keys().collect::<Vec<_>>(), ["created_gte"]);
    assert_eq!(text_at(&properties, "created_gte.description"), "The API calls it created[gte]");
    for arguments in [r#"{"created_gte":5,"expand":"b"}"#, r#"{"created[gte]":5}"#] {
        let answer = client.call("shop__charges", arguments).await;
        assert_eq!(text_at(&answer, "result.content.0.text"), "1");
    }
    let targets: Vec<_> = upstream.requests().iter().map(|request| request.target.clone()).collect();
    assert_eq!(targets, ["/charges?created%5Bgte%5D=5&expand%5B%5D=a"; 2]);
    let answer = client.call("shop__charges", r#"{"created_gte":"x"}"#).await;
    let told = text_at(&answer, "result.content.0.text");
    assert!(told.starts_with("shop.charges: created_gte: must be an integer"), "{told}");
}

#[tokio::test]
async fn a_result_has_its_text_and_its_structure() {
    let upstream = Upstream::start().await;
    upstream.reply("/object", Reply::json(200, r#"{"z":1,"a":[1.50,null]}"#));
    upstream.reply("/array", Reply::json(200, "[1,2]"));
    upstream.reply("/cut", Reply::json(200, r#"{"text":"0123456789"}"#));
    upstream.reply("/empty", Reply::status(204));
    let endpoints = [
        endpoint("object", "/object", r#","result_delivery":"queue""#),
        endpoint("array", "/array", ""),
        endpoint("cut", "/cut", r#","max_result_length":16"#),
        endpoint("empty", "/empty", ""),
    ];
    let mut client = Client::start(registry(&upstream, &endpoints)).await;

    let answer = client.call("shop__object", "{}").await;
    assert_eq!(at(&answer, "result.content"), json(r#"[{"type":"text","text":"{\"z\":1,\"a\":[1.50,null]}"}]"#));
    assert_eq!(at(&answer, "result.structuredContent.a.0"), json("1.5"));
    assert_eq!(at(&answer, "result.isError"), json("false"));
    assert_eq!(text_at(&answer, "result._meta.result_delivery"), "queue");
    assert_eq!(at(&answer, "result._meta.status"), json("200"));
    assert!(at(&answer, "result._meta.truncation").is_null());

    // Before 2026-07-28 the structure is an object or nothing.
    let answer = client.call("shop__array", "{}").await;
    assert_eq!(at(&answer, "result.content"), json(r#"[{"type":"text","text":"[1,2]"}]"#));
    assert!(at(&answer, "result.structuredContent").is_null(), "{answer}");
    assert_eq!(text_at(&answer, "result._meta.result_delivery"), "interrupt");

    let answer = client.call("shop__cut", "{}").await;
    assert_eq!(text_at(&answer, "result.content.0.text"), r#"{"text":"01234"}"#);
    let told = "The result was cut to 16 of at least 17 characters: ask for less to see the rest.";
    assert_eq!(text_at(&answer, "result.content.1.text"), told);
    assert!(at(&answer, "result.structuredContent").is_null(), "{answer}");
    // Where the writer stopped: it was longer than that.
    assert_eq!(at(&answer, "result._meta.truncation.length"), json("16"));
    assert_eq!(at(&answer, "result._meta.truncation.original_length"), json("17"));
    assert_eq!(at(&answer, "result._meta.truncation.is_exact"), json("false"));

    let answer = client.call("shop__empty", "{}").await;
    let told = r#"[{"type":"text","text":"The call succeeded with status 204, and its result is empty."}]"#;
    assert_eq!(at(&answer, "result.content"), json(told));
}

#[tokio::test]
async fn members_keep_their_order() {
    let upstream = Upstream::start().await;
    upstream.reply("/find", Reply::json(200, r#"{"z":1,"a":{"y":2,"b":3}}"#));
    let schema = r#","input_schema":{"properties":{"sort":{"properties":{"z":{},"a":{}}},"filter":{}}}"#;
    let find = endpoint("find", "/find", schema).replace("GET", "POST");
    let mut client = Client::start(registry(&upstream, &[find])).await;
    let listed = client.ask("tools/list", "{}").await;
    let properties = at(&listed, "result.tools.0.inputSchema.properties");
    assert_eq!(properties.as_object().unwrap().keys().collect::<Vec<_>>(), ["sort", "filter"]);
    assert_eq!(at(&properties, "sort.properties").to_string(), r#"{"z":{},"a":{}}"#);
    let arguments = r#"{"sort":{"status":1,"date":-1},"filter":{"z":1,"a":2}}"#;
    let answer = client.call("shop__find", arguments).await;
    assert_eq!(upstream.requests()[0].text(), arguments);
    assert_eq!(at(&answer, "result.structuredContent").to_string(), r#"{"z":1,"a":{"y":2,"b":3}}"#);
}

#[tokio::test]
async fn a_call_that_fails_is_a_result_with_advice() {
    let upstream = Upstream::start().await;
    upstream.reply("/missing/1", Reply::json(404, r#"{"message":"there is no 1"}"#));
    upstream.reply("/busy", Reply::status(503).header("retry-after", "7"));
    let schema = r#","input_schema":{"type":"object","properties":{"id":{"type":"integer"}}}"#;
    let endpoints = [
        endpoint("missing", "/missing/{id}", schema),
        endpoint("busy", "/busy", r#","retry_config":{"max_retries":0}"#),
        endpoint("order", "/order", r#","result_key":"receipt""#).replace("GET", "POST"),
    ];
    upstream.reply("/order", Reply::json(200, r#"{"id":1}"#));
    let mut client = Client::start(registry(&upstream, &endpoints)).await;

    for (tool, arguments, said, advice, code, retryable) in [
        (
            "missing",
            r#"{"id":1}"#,
            "404 Not Found: {\"message\":\"there is no 1\"}",
            "correct them",
            "upstream_status",
            false,
        ),
        ("missing", r#"{"id":"one"}"#, "shop.missing: id: ", "Correct the params", "invalid_params", false),
        ("missing", "{}", "shop.missing: id: is required", "Correct the params", "invalid_params", false),
        ("busy", "{}", "503 Service Unavailable", "try again after 7 s", "upstream_status", true),
        ("order", "{}", "there is nothing at `receipt`", "Do not call it again", "result_key_missing", false),
    ] {
        let answer = client.call(&format!("shop__{tool}"), arguments).await;
        let text = text_at(&answer, "result.content.0.text");
        assert!(text.contains(said) && text.contains(advice), "{answer}");
        assert_eq!(at(&answer, "result.isError"), json("true"));
        assert!(at(&answer, "error").is_null(), "{answer}");
        assert_eq!(text_at(&answer, "result._meta.error.code"), code);
        assert_eq!(at(&answer, "result._meta.error.retryable"), Json::from(retryable));
        assert_eq!(at(&answer, "result._meta.error.carried_out"), Json::from(tool == "order"));
        assert_eq!(text_at(&answer, "result._meta.result_delivery"), "interrupt");
    }
    assert_eq!(at(&client.call("shop__busy", "{}").await, "result._meta.error.retry_after_ms"), json("7000"));
}

#[tokio::test]
async fn what_the_host_binds_is_not_told_in_a_failure() {
    let upstream = Upstream::start().await;
    let schema = r#","input_schema":{"properties":{"region":{"enum":["eu","us"]},"q":{"type":"integer"}}}"#;
    let tools = tools(&upstream, &[endpoint("find", "/find", schema)]).with_host_param("region");
    let host = json(r#"{"region":"canary-7"}"#);
    let mut client = Client::start(Registry::new(builder().build().unwrap(), tools, host)).await;
    for arguments in [r#"{"q":1}"#, r#"{"q":"one","region":"eu"}"#] {
        let answer = client.call("shop__find", arguments).await;
        let text = text_at(&answer, "result.content.0.text");
        assert!(
            text.contains("a param that the host supplies") && text.contains("calling it again will not"),
            "{text}"
        );
        assert!(!["canary", "region", "\"us\""].iter().any(|word| answer.to_string().contains(word)), "{answer}");
        assert_eq!(text_at(&answer, "result._meta.error.code"), "invalid_params");
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn what_is_not_there_is_an_error_of_the_protocol() {
    let upstream = Upstream::start().await;
    let mut client = Client::start(registry(&upstream, &[endpoint("one", "/one", "")])).await;
    let answer = client.call("shop__two", "{}").await;
    assert_eq!(at(&answer, "error.code"), json("-32602"));
    assert_eq!(text_at(&answer, "error.message"), "Unknown tool: shop__two");
    for cursor in ["x", "1", "99999999999999999999", "-1"] {
        let answer = client.ask("tools/list", &format!(r#"{{"cursor":"{cursor}"}}"#)).await;
        assert_eq!(at(&answer, "error.code"), json("-32602"), "{cursor}: {answer}");
    }
    let answer = client.ask("resources/read", r#"{"uri":"file:///etc/passwd"}"#).await;
    assert_eq!(at(&answer, "error.code"), json("-32601"));
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn params_of_another_form_are_an_error_that_says_the_right_one() {
    let upstream = Upstream::start().await;
    let registry = registry(&upstream, &[endpoint("one", "/one", "")]);
    let with_meta = |params: &str| {
        let open = params.strip_suffix('}').unwrap();
        format!("{open}{}{META}}}", if open == "{" { "" } else { "," })
    };
    let mut before = Client::start(registry.clone()).await;
    let mut since = Client::connect(registry);
    since.ask("server/discover", &with_meta("{}")).await;
    // Method, params, the code before revision 2026-07-28 and since, what the message says.
    for (method, params, of_before, of_since, says) in [
        ("tools/call", r#"{"name":"shop__one","arguments":"{}"}"#, "-32602", "-32602", "arguments"),
        ("tools/call", r#"{"name":"shop__one","arguments":[1]}"#, "-32602", "-32602", "arguments"),
        ("tools/call", r#"{"name":7,"arguments":{}}"#, "-32602", "-32602", "name as a string"),
        ("tools/call", r#"{"arguments":{}}"#, "-32602", "-32602", "name as a string"),
        ("tools/call", "{}", "-32602", "-32602", "name as a string"),
        ("initialize", "{}", "-32602", "-32602", "protocolVersion"),
        ("subscriptions/listen", "{}", "-32601", "-32602", ""),
        ("subscriptions/listen", r#"{"notifications":["tools"]}"#, "-32601", "-32602", ""),
        ("tools/none", "{}", "-32601", "-32601", "tools/none"),
    ] {
        for (client, params, code) in
            [(&mut before, params.to_owned(), of_before), (&mut since, with_meta(params), of_since)]
        {
            let answer = client.ask(method, &params).await;
            assert_eq!(at(&answer, "error.code"), json(code), "{method} {params}: {answer}");
            assert!(text_at(&answer, "error.message").contains(says), "{method} {params}: {answer}");
        }
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_long_list_comes_in_pages() {
    let upstream = Upstream::start().await;
    let long = format!(r#","input_schema":{{"type":"object","description":"{}"}}"#, "x".repeat(30_000));
    let endpoints: Vec<_> = (0..50).map(|at| endpoint(&format!("e{at}"), "/e", &long)).collect();
    let mut client = Client::start(registry(&upstream, &endpoints)).await;
    let mut names = Vec::new();
    let mut params = "{}".to_owned();
    let mut pages = 0;
    loop {
        let page = client.ask("tools/list", &params).await;
        assert!(page.to_string().len() < 1 << 20, "a page is an event of a stream, which clients bound");
        names.extend(at(&page, "result.tools").as_array().unwrap().iter().map(|tool| text_at(tool, "name")));
        pages += 1;
        match at(&page, "result.nextCursor").as_str() {
            Some(cursor) => params = format!(r#"{{"cursor":"{cursor}"}}"#),
            None => break,
        }
    }
    assert!((2..=4).contains(&pages), "{pages}");
    assert_eq!(names, (0..50).map(|at| format!("shop__e{at}")).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_cancelled_call_closes_its_connection_and_has_no_answer() {
    let upstream = Upstream::start().await;
    upstream.reply("/stalls", Reply::stall());
    upstream.reply("/quick", Reply::json(200, "1"));
    let endpoints = [endpoint("stalls", "/stalls", ""), endpoint("quick", "/quick", "")];
    let mut client = Client::start(registry(&upstream, &endpoints)).await;
    let id = client.begin("tools/call", &call("shop__stalls", "{}")).await;
    reached(&upstream, 1).await;
    assert_eq!(upstream.open_connections(), 1);
    client.say("notifications/cancelled", &format!(r#"{{"requestId":{id},"reason":"changed my mind"}}"#)).await;
    assert!(upstream.settled(0).await, "the upstream's connection stays open");
    // `answer` fails on any other answer that comes first.
    let answer = client.call("shop__quick", "{}").await;
    assert_eq!(text_at(&answer, "result.content.0.text"), "1");
    assert_eq!(upstream.count(), 2, "it is not sent again");
}

#[tokio::test]
async fn answers_that_come_soon_are_written_though_the_input_has_ended() {
    let upstream = Upstream::start().await;
    upstream.reply("/slow", Reply::json(200, "1").after(Duration::from_secs(1)).then_close());
    upstream.reply("/stalls", Reply::stall());
    let endpoints = [endpoint("slow", "/slow", ""), endpoint("stalls", "/stalls", "")];
    let mut client = Client::start(registry(&upstream, &endpoints)).await;
    let slow = client.begin("tools/call", &call("shop__slow", "{}")).await;
    client.begin("tools/call", &call("shop__stalls", "{}")).await;
    reached(&upstream, 2).await;
    client.end_input().await;
    let answer = client.answer(slow).await;
    assert_eq!(text_at(&answer, "result.content.0.text"), "1");
    // The other has its 5 s, and no more.
    let early = tokio::time::timeout(Duration::from_secs(2), &mut client.serving).await;
    assert!(early.is_err() && upstream.open_connections() == 1, "it was cancelled at once");
    tokio::time::timeout(Duration::from_secs(8), &mut client.serving).await.unwrap().unwrap();
    assert!(upstream.settled(0).await, "a call goes on for nobody");
}

#[tokio::test]
async fn a_client_that_goes_away_cancels_its_calls() {
    let upstream = Upstream::start().await;
    upstream.reply("/stalls", Reply::stall());
    let mut client = Client::start(registry(&upstream, &[endpoint("stalls", "/stalls", "")])).await;
    for _ in 0..3 {
        client.begin("tools/call", &call("shop__stalls", "{}")).await;
    }
    reached(&upstream, 3).await;
    drop(client);
    // Answers that come within 5 s are still written: a script may close its side first.
    assert!(upstream.settled(0).await || upstream.settled(0).await, "calls go on for nobody");
}

#[tokio::test]
async fn an_answer_is_written_after_the_input_has_ended_also_where_progress_was_to_be_told() {
    for meta in ["", r#","_meta":{"progressToken":1}"#] {
        let upstream = Upstream::start().await;
        upstream.reply("/flaky", Reply::status(503).after(Duration::from_millis(200)));
        upstream.reply("/flaky", Reply::json(200, r#"{"ok":true}"#));
        let mut client = Client::start(registry(&upstream, &[endpoint("flaky", "/flaky", "")])).await;
        let id = client.begin("tools/call", &format!(r#"{{"name":"shop__flaky","arguments":{{}}{meta}}}"#)).await;
        reached(&upstream, 1).await;
        // There is more to tell of after that.
        client.end_input().await;
        let answer = client.answer(id).await;
        assert_eq!(text_at(&answer, "result.content.0.text"), r#"{"ok":true}"#, "{meta}");
        assert_eq!(at(&answer, "result._meta.retries"), json("1"));
    }
}

#[tokio::test]
async fn progress_is_told_to_those_who_ask() {
    let upstream = Upstream::start().await;
    upstream.reply("/flaky", Reply::status(503));
    upstream.reply("/flaky", Reply::json(200, r#"{"ok":true}"#));
    let retried = endpoint("flaky", "/flaky", r#","retry_config":{"max_retries":2}"#);
    let mut client = Client::start(registry(&upstream, &[retried])).await;
    let params = r#"{"name":"shop__flaky","arguments":{},"_meta":{"progressToken":"p1"}}"#;
    let answer = client.ask("tools/call", params).await;
    assert_eq!(at(&answer, "result._meta.retries"), json("1"));
    let told = std::mem::take(&mut client.told);
    let lines: Vec<_> = told.iter().map(|told| text_at(told, "params.message")).collect();
    assert_eq!(lines.len(), 4, "{lines:?}");
    assert_eq!([&*lines[0], &*lines[1], &*lines[3]], ["started", "attempt 1: GET sent", "attempt 2: GET sent"]);
    assert!(lines[2].starts_with("failed; trying again in "), "{lines:?}");
    for (number_at, told) in (0..).zip(&told) {
        assert_eq!(text_at(told, "method"), "notifications/progress");
        assert_eq!(text_at(told, "params.progressToken"), "p1");
        assert_eq!(number(&at(told, "params.progress")), number_at + 1, "it only grows");
    }
    client.call("shop__flaky", "{}").await;
    assert!(client.told.is_empty(), "nobody asked: {:?}", client.told);
}

#[tokio::test]
async fn fifty_calls_run_at_once() {
    let all = Arc::new(Barrier::new(50));
    let upstream =
        Upstream::with(move |request| Reply::json(200, format!(r#"{{"path":"{}"}}"#, request.target)).together(&all))
            .await;
    let mut client = Client::start(registry(&upstream, &[endpoint("item", "/items/{id}", "")])).await;
    let mut waiting = std::collections::HashMap::new();
    for number in 0..50 {
        let id = client.begin("tools/call", &call("shop__item", &format!(r#"{{"id":{number}}}"#))).await;
        waiting.insert(id, number);
    }
    while !waiting.is_empty() {
        let message = client.next().await;
        let id = number(&at(&message, "id"));
        let number = waiting.remove(&id).unwrap();
        assert_eq!(text_at(&message, "result.structuredContent.path"), format!("/items/{number}"));
    }
}

#[tokio::test]
async fn a_message_that_is_too_long_is_passed_over() {
    let upstream = Upstream::start().await;
    upstream.reply("/one", Reply::json(200, "1"));
    let mut client = Client::start(registry(&upstream, &[endpoint("one", "/one{?q}", "")])).await;
    let long = "x".repeat(5 << 20);
    client.begin("tools/call", &call("shop__one", &format!(r#"{{"q":"{long}"}}"#))).await;
    // What the engine can still read it refuses itself, with a word.
    let answer = client.call("shop__one", &format!(r#"{{"q":"{}"}}"#, &long[..2 << 20])).await;
    assert_eq!(text_at(&answer, "result._meta.error.code"), "limit_exceeded", "{answer}");
    let answer = client.call("shop__one", "{}").await;
    assert_eq!(text_at(&answer, "result.content.0.text"), "1");
    assert_eq!(upstream.count(), 1);
}

#[tokio::test]
async fn half_a_surrogate_pair_is_read_as_the_replacement_character() {
    let upstream = Upstream::start().await;
    upstream.reply("/one", Reply::json(200, "1"));
    let mut client = Client::start(registry(&upstream, &[endpoint("one", "/one{?q}", "")])).await;
    for (written, sent) in [(r"a\ud83d", "a%EF%BF%BD"), (r"\ud83d\ude00", "%F0%9F%98%80"), (r"\\ud83d", "%5Cud83d")] {
        let answer = client.call("shop__one", &format!(r#"{{"q":"{written}"}}"#)).await;
        assert_eq!(text_at(&answer, "result.content.0.text"), "1", "{written}: {answer}");
        assert_eq!(upstream.requests().last().unwrap().target, format!("/one?q={sent}"));
    }
}

#[tokio::test]
async fn a_stream_without_a_client_ends_well() {
    let upstream = Upstream::start().await;
    let tools =
        ToolRegistry::new().with_integration(&integration(&upstream, &format!("[{}]", endpoint("a", "/a", ""))));
    let Client { serving, .. } =
        Client::connect(Registry::new(builder().build().unwrap(), tools, Json::empty_object()));
    tokio::time::timeout(Duration::from_secs(5), serving).await.unwrap().unwrap();
}

/// An endpoint, whose text it changes, and a tool that is none.
struct Own(Registry);

impl ToolSource for Own {
    async fn list(&self, http: Option<&http::Extensions>) -> Result<ToolList, Refusal> {
        let schema = json(r#"{"properties":{"loud":{"type":"boolean"}}}"#);
        Ok(self.0.list(http).await?.with_tool("whoami", "Who the user is", &schema))
    }

    async fn call(&self, http: Option<&http::Extensions>, tool: &str, params: Json) -> Result<Called, Refusal> {
        if tool == "whoami" {
            return Ok(Called::text(format!(r#"{{"params":{params}}}"#)));
        }
        let called = self.0.call(http, tool, params).await?;
        let Ok(Success::Outcome(outcome)) = &called.result else { return Ok(called) };
        Ok(Called::text(outcome.text().to_uppercase()))
    }

    async fn changes(&self, http: Option<&http::Extensions>) -> Changes {
        self.0.changes(http).await
    }
}

#[tokio::test]
async fn a_host_serves_its_own_tools_and_texts_under_its_own_name() {
    let upstream = Upstream::start().await;
    upstream.reply("/one", Reply::json(200, r#""one""#));
    let own = Own(registry(&upstream, &[endpoint("one", "/one", "")]));
    let server = McpServer::new(own).with_name("agency", "3.1").with_instructions("Be brief.");
    let mut client = Client::connect_to(server);
    let begun = client.ask("initialize", &initialize()).await;
    assert_eq!(at(&begun, "result.serverInfo"), json(r#"{"name":"agency","version":"3.1"}"#));
    assert_eq!(text_at(&begun, "result.instructions"), "Be brief.");
    client.say("notifications/initialized", "{}").await;

    let listed = client.ask("tools/list", "{}").await;
    assert_eq!(text_at(&listed, "result.tools.0.name"), "shop__one");
    assert_eq!(text_at(&listed, "result.tools.1.name"), "whoami");
    assert_eq!(text_at(&listed, "result.tools.1.description"), "Who the user is");
    let schema = json(r#"{"properties":{"loud":{"type":"boolean"}},"type":"object"}"#);
    assert_eq!(at(&listed, "result.tools.1.inputSchema"), schema);
    let answer = client.call("whoami", r#"{"loud":true}"#).await;
    assert_eq!(text_at(&answer, "result.content.0.text"), r#"{"params":{"loud":true}}"#);
    assert_eq!(at(&answer, "result.structuredContent"), json(r#"{"params":{"loud":true}}"#));
    assert_eq!(text_at(&client.call("shop__one", "{}").await, "result.content.0.text"), "ONE");
}

/// Panics whatever it is asked for, as any code of a host may.
struct Broken;

impl ToolSource for Broken {
    async fn list(&self, _: Option<&http::Extensions>) -> Result<ToolList, Refusal> {
        std::panic::resume_unwind(Box::new("broken"))
    }

    async fn call(&self, _: Option<&http::Extensions>, _: &str, _: Json) -> Result<Called, Refusal> {
        std::panic::resume_unwind(Box::new("broken"))
    }

    async fn changes(&self, _: Option<&http::Extensions>) -> Changes {
        std::panic::resume_unwind(Box::new("broken"))
    }
}

#[tokio::test]
async fn a_panic_in_what_the_host_has_put_in_is_an_error() {
    let mut client = Client::start(Broken).await;
    let called = call("any", "{}");
    for (method, params) in [("tools/list", "{}"), ("tools/call", &*called)] {
        let answer = client.ask(method, params).await;
        assert_eq!(at(&answer, "error.code"), json("-32603"), "{method}: {answer}");
    }
    assert!(client.ask("ping", "{}").await.get("result").is_some(), "the session goes on");
}

fn number(value: &Json) -> u64 {
    value.to_string().trim_end_matches(".0").parse().unwrap()
}

/// Waits until the upstream has had so many requests.
pub(crate) async fn reached(upstream: &Upstream, count: usize) {
    for _ in 0..500 {
        if upstream.count() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert!(upstream.count() >= count, "only {} requests came", upstream.count());
}
