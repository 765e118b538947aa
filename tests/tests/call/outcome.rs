//! Behaviour, sections 7 and 8: what comes back.

use std::time::Duration;

use callout::{
    CallOptions, ConnectionStatus, Delivery, EgressPolicy, EndpointConfig, Engine, ErrorKind, IntegrationConfig, Json,
    Secrets, Timeouts,
};
use callout_tests::{Recorded, Reply, Upstream, compressed};
use tokio::net::TcpListener;

use super::{engine, go, load, with_endpoint};

#[tokio::test]
async fn an_outcome_tells_what_happened() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::status(503).header("retry-after", "0"));
    upstream.reply("/v1/", Reply::json(201, r#"{"name":"0123456789"}"#));
    let integration =
        with_endpoint(&upstream, r#"{"path":"/","result_key":"name","max_result_length":4,"result_delivery":"queue"}"#);
    let outcome = go(&integration, "{}").await.unwrap();
    assert_eq!((outcome.status(), outcome.text(), outcome.retries()), (201, "0123", 1));
    assert_eq!(outcome.delivery(), Delivery::Queue);
    assert_eq!(outcome.truncation().unwrap().kept, 4);
    assert!(outcome.duration() > Duration::ZERO);
}

#[tokio::test]
async fn statuses_outside_2xx_are_errors_with_their_body() {
    let upstream = Upstream::start().await;
    // The template would fail, if the pipeline ran.
    let integration = with_endpoint(&upstream, r#"{"path":"/{status}","result_template":"{{ nothing }}"}"#);
    for (status, content_type, body, retryable, shown) in [
        (404, "application/json", r#"{"message":"gone"}"#, false, r#"404 Not Found: {"message":"gone"}"#),
        (500, "text/html", "<h1>\n Oops </h1>", true, "500 Internal Server Error: Oops"),
        (409, "text/plain", "\u{1b}[31mno\u{7}\u{9b}way\u{7f}", false, "409 Conflict: [31mno way"),
        (400, "text/plain", "", false, "400 Bad Request"),
        (304, "text/plain", "", false, "304 Not Modified"),
    ] {
        upstream.reply(&format!("/v1/{status}"), Reply::bytes(status, content_type, body));
        let error = go(&integration, &format!(r#"{{"status":{status}}}"#)).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::UpstreamStatus, Some(status)));
        assert_eq!(
            (error.message(), error.is_retryable()),
            (format!("the upstream answered {shown}").as_str(), retryable)
        );
        assert!(error.body().is_some());
    }
}

#[tokio::test]
async fn of_a_long_body_the_first_2000_characters_are_told() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::bytes(404, "text/plain", " é\n".repeat(1 << 20)));
    let error = go(&with_endpoint(&upstream, r#"{"path":"/"}"#), "{}").await.unwrap_err();
    let told = |shown: &str| format!("the upstream answered 404 Not Found: {shown}…");
    assert_eq!(error.message(), told("é ".repeat(1_000).trim_end()));
    // Several violations are within it.
    let violation =
        r#"{"type":"missing","loc":["body","currency"],"msg":"Field required","input":{"amount":"x"},"url":"u"},"#;
    let body = format!(r#"{{"detail":[{}{{}}]}}"#, violation.repeat(1_000));
    upstream.reply("/v1/json", Reply::json(404, body.clone()));
    let error = go(&with_endpoint(&upstream, r#"{"path":"/json"}"#), "{}").await.unwrap_err();
    assert_eq!(error.message(), told(&body[..2_000]));
}

#[tokio::test]
async fn half_a_json_is_no_answer() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/half", Reply::until_close(r#"{"items":[1,2"#));
    upstream.reply("/v1/whole", Reply::until_close(r#"{"items":[1,2]}"#));
    // What has changed something may not be asked once more.
    for (method, retryable) in [("POST", false), ("PATCH", false), ("PUT", true), ("DELETE", true)] {
        let endpoint = format!(r#"{{"path":"/{{which}}","method":"{method}"}}"#);
        let error = go(&with_endpoint(&upstream, &endpoint), r#"{"which":"half"}"#).await.unwrap_err();
        assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Interrupted, retryable), "{method}: {error}");
    }
    let integration = with_endpoint(&upstream, r#"{"path":"/{which}","method":"GET"}"#);
    let error = go(&integration, r#"{"which":"half"}"#).await.unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Interrupted, true), "{error}");
    assert_eq!(go(&integration, r#"{"which":"whole"}"#).await.unwrap().text(), r#"{"items":[1,2]}"#);

    // What a status says is no less true; and where the answer said itself where it ends, it is as it was sent.
    let refused = "HTTP/1.1 429 Too Many Requests\r\ncontent-type: application/json\r\n\r\n{\"slow\":";
    upstream.reply("/v1/refused", Reply::raw(refused));
    let error = go(&integration, r#"{"which":"refused"}"#).await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::UpstreamStatus, Some(429)), "{error}");
    for (which, reply) in [
        ("plain", Reply::json(200, r#"{"items":[1,2"#)),
        ("coded", Reply::json(200, compressed("gzip", br#"{"items":[1,2"#).await).header("content-encoding", "gzip")),
    ] {
        upstream.reply(&format!("/v1/{which}"), reply);
        let params = format!(r#"{{"which":"{which}"}}"#);
        assert_eq!(go(&integration, &params).await.unwrap().text(), r#"{"items":[1,2"#, "{which}");
    }
}

#[tokio::test]
async fn errors_say_whether_and_when_to_try_again() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::json(429, r#"{"slow":"down"}"#).header("retry-after", "3600"));
    let integration = with_endpoint(&upstream, r#"{"path":"/"}"#);
    let error = go(&integration, "{}").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::UpstreamStatus, Some(429)));
    assert_eq!((error.is_retryable(), error.retry_after()), (true, Some(Duration::from_hours(1))));
    assert_eq!((error.integration(), error.endpoint()), (Some("shop"), Some("go")));
    assert_eq!(error.body().unwrap().to_string(), r#"{"slow":"down"}"#);
    assert_eq!(upstream.count(), 1, "a wait past the deadline is not begun");

    for (status, asked, is_retryable) in [
        // As GitHub says that there were too many requests.
        (403, Some("60"), true),
        (420, Some("70"), true),
        (403, None, false),
        (404, None, false),
        (501, None, false),
        (408, None, true),
        (500, None, true),
        // A CDN's words for a server that is away, slow or overloaded.
        (520, None, true),
        (524, None, true),
        (529, None, true),
    ] {
        let (path, reply) = match asked {
            Some(seconds) => (format!("/later/{status}"), Reply::status(status).header("retry-after", seconds)),
            None => (format!("/{status}"), Reply::status(status)),
        };
        upstream.reply(&format!("/v1{path}"), reply);
        let integration = with_endpoint(&upstream, &format!(r#"{{"path":"{path}"}}"#));
        let error = go(&integration, "{}").await.unwrap_err();
        let asked = asked.map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
        let expected = (Some(status), is_retryable, asked);
        assert_eq!((error.status(), error.is_retryable(), error.retry_after()), expected);
    }
}

#[tokio::test]
async fn a_write_that_was_carried_out_is_not_to_be_called_again_for_its_answer() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::json(200, r#"{"id":1}"#));
    let other_params = "The same call will fail again; other params may help.";
    let done = "The API has carried it out; only its answer could not be used. Do not call it again for that.";
    for (method, stage, carried_out) in [
        ("POST", r#""result_key":"receipt""#, true),
        ("POST", r#""result_template":"{{ receipt }}""#, true),
        ("DELETE", r#""result_key":"receipt""#, true),
        ("GET", r#""result_key":"receipt""#, false),
    ] {
        let integration = with_endpoint(&upstream, &format!(r#"{{"path":"/","method":"{method}",{stage}}}"#));
        let error = go(&integration, "{}").await.unwrap_err();
        assert_eq!((error.status(), error.is_carried_out()), (Some(200), carried_out), "{method} {error}");
        let inbox = engine().inbox();
        inbox.spawn(&integration, "go", Json::empty_object()).unwrap();
        let advice = if carried_out { done } else { other_params };
        assert_eq!(inbox.interrupted().await.text(), format!("{error}. {advice}"));
    }
    // The answer is that of another place, to which it led.
    upstream.reply("/v1/form", Reply::redirect(303, "/v1/gone"));
    upstream.reply("/v1/gone", Reply::status(404));
    let form = with_endpoint(&upstream, r#"{"path":"/form","method":"POST"}"#);
    let error = go(&form, "{}").await.unwrap_err();
    assert_eq!((error.status(), error.is_carried_out()), (Some(404), false));
    assert_eq!(error.advice(), "It may have been carried out all the same: find out before you call again.");
    // Before anything is sent there is nothing that was carried out.
    let incomplete = with_endpoint(&upstream, r#"{"path":"/{id}","method":"POST"}"#);
    assert!(!go(&incomplete, "{}").await.unwrap_err().is_carried_out());
}

#[tokio::test]
async fn a_call_may_have_less_time_than_the_engine_gives() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::stall());
    let integration = with_endpoint(&upstream, r#"{"path":"/"}"#);
    let mut timeouts = Timeouts::default();
    timeouts.call = Duration::from_millis(100);
    let options = CallOptions::default().with_timeouts(timeouts);
    let error = engine().call_with(&integration, "go", Json::empty_object(), &options).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test]
async fn a_call_that_is_given_less_time_keeps_the_engines_bound_on_an_attempt() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::stall());
    upstream.reply("/v1/", Reply::json(200, "{}"));
    let integration = with_endpoint(&upstream, r#"{"method":"GET","path":"/"}"#);
    let mut timeouts = Timeouts::default();
    timeouts.attempt = Duration::from_millis(500);
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    let engine = Engine::builder().with_egress(egress).with_timeouts(timeouts).build().unwrap();
    let mut timeouts = engine.timeouts();
    timeouts.call = Duration::from_secs(20);
    let options = CallOptions::default().with_timeouts(timeouts);
    let outcome = engine.call_with(&integration, "go", Json::empty_object(), &options).await.unwrap();
    assert!(outcome.retries() >= 1, "the first attempt is given up");
}

#[tokio::test]
async fn an_api_that_does_not_answer_in_time_is_found_so_by_a_test_of_the_connection() {
    // Accepts, and never shakes hands; takes requests, and answers none.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stalls = Upstream::with(|_: &Recorded| Reply::stall()).await;
    let mut timeouts = Timeouts::default();
    (timeouts.connect, timeouts.call) = (Duration::from_millis(150), Duration::from_millis(400));
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    let engine = Engine::builder().with_egress(egress).with_timeouts(timeouts).build().unwrap();
    for url in [format!("https://{}", silent.local_addr().unwrap()), stalls.url()] {
        let integration = engine.load(IntegrationConfig::new("shop", url), &Secrets::new()).unwrap();
        let found = engine.test_connection(&integration, Json::empty_object()).await;
        assert_eq!((found.status, found.http_status), (ConnectionStatus::Timeout, None), "{}", found.message);
    }
}

#[tokio::test]
async fn making_a_connection_has_the_engines_time_whatever_a_call_asks_for() {
    // Accepts, and never shakes hands.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut endpoint = EndpointConfig::new("go", "Goes", "/");
    endpoint.retry_config.max_retries = 0;
    let url = format!("https://{}", silent.local_addr().unwrap());
    let mut timeouts = Timeouts::default();
    timeouts.connect = Duration::from_millis(150);
    let egress = EgressPolicy::public().allow("127.0.0.1").unwrap();
    let engine = Engine::builder().with_egress(egress).with_timeouts(timeouts).build().unwrap();
    let config = IntegrationConfig::new("shop", url).with_endpoint(endpoint);
    let integration = engine.load(config, &Secrets::new()).unwrap();
    for asked in [Duration::from_millis(1), Duration::from_secs(20)] {
        timeouts.connect = asked;
        let options = CallOptions::default().with_timeouts(timeouts);
        let error = engine.call_with(&integration, "go", Json::empty_object(), &options).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
        assert!(error.message().ends_with("in time, for which it has 150ms"), "{error}");
    }
}

#[tokio::test]
async fn a_failed_stage_keeps_the_results_before_it() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/", Reply::json(200, r#"{"a":{"b":1.10},"c":2}"#));
    let integration = with_endpoint(
        &upstream,
        r#"{"path":"/","response_filter":["a"],"response_mapping":{"x":"a.b"},"result_key":"y"}"#,
    );
    let trace = engine().trace(&integration, "go", Json::empty_object()).await;
    let text = |value: &Option<Json>| value.as_ref().map(ToString::to_string);
    assert_eq!(text(&trace.raw_response).as_deref(), Some(r#"{"a":{"b":1.10},"c":2}"#));
    assert_eq!(text(&trace.after_filter).as_deref(), Some(r#"{"a":{"b":1.10}}"#));
    assert_eq!(text(&trace.after_mapping).as_deref(), Some(r#"{"x":1.10}"#));
    assert_eq!((text(&trace.after_result_key), trace.text.is_none()), (None, true));
    let error = trace.error.unwrap();
    assert_eq!((error.kind(), error.status()), (ErrorKind::ResultKeyMissing, Some(200)));
    assert!(error.to_string().contains("result_key") && error.to_string().contains('x'), "{error}");
}

#[tokio::test]
async fn a_trace_writes_the_test_answer() {
    let upstream = Upstream::start().await;
    upstream.reply("/v1/5", Reply::json(200, r#"{"a":1}"#));
    let integration = with_endpoint(&upstream, r#"{"path":"/{id}{?q}","method":"GET"}"#);
    let trace = engine().trace(&integration, "go", Json::parse(r#"{"id":5,"q":"z"}"#).unwrap()).await;
    let request = trace.request.as_ref().unwrap();
    assert_eq!((request.method.as_str(), request.url.as_str()), ("GET", upstream.at("/v1/5?q=z").as_str()));
    let answer = trace.to_json();
    let shown: Vec<_> =
        answer.as_object().unwrap().iter().map(|(name, value)| (name.to_owned(), value.to_string())).collect();
    let shown: Vec<_> = shown
        .iter()
        .filter(|(name, _)| name != "duration_ms")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let body = r#"{"a":1}"#;
    assert_eq!(
        shown,
        [
            ("status_code", "200"),
            ("retries", "0"),
            ("raw_response", body),
            ("after_filter", body),
            ("after_mapping", body),
            ("final_result", r#""{\"a\":1}""#),
            ("error", "null"),
        ]
    );
}

#[tokio::test]
async fn a_trace_as_text_is_the_trace_however_the_body_is_written() {
    let endpoints = [
        r#"{"path":"/","method":"GET"}"#,
        r#"{"path":"/","method":"GET","response_filter":["a"]}"#,
        r#"{"path":"/","method":"GET","response_mapping":{"x":"a"},"result_template":"{{ x }}"}"#,
        r#"{"path":"/","method":"GET","result_key":"no.such"}"#,
    ];
    // Compact, spaced, with names twice, with other escapes, cut in an emoji, with the key of this integration, with a
    // mark before it, and no JSON at all.
    let bodies = [
        r#"{"a":["x\n\"",1.50,{}],"b":{"c":"é/"}}"#,
        "{\"a\": [1.50], \"b\":{} }\n",
        r#"{"a":1,"b":[2],"a":[3]}"#,
        r#"{"a":["\u0061\/"],"b":1}"#,
        r#"{"a":["\ud83d"],"b":1}"#,
        r#"{"a":["of-this-test"],"b":1}"#,
        "\u{feff}{\"a\":[1]}",
        "plain",
    ];
    for (status, body) in bodies.iter().map(|body| (200, *body)).chain([(404, bodies[0])]) {
        let upstream = Upstream::with(move |_: &Recorded| Reply::json(status, body)).await;
        for endpoint in endpoints {
            let keyed = r#"{"name":"shop","display_name":"Shop","base_url":"URL/v1","auth":{"type":"api_key_header",
                "header_name":"X-Key","api_key_value":{"value":"of-this-test"}},
                "endpoints":[{"name":"go","description":"Goes",GO]}"#;
            let keyed = load(&upstream, &keyed.replace("GO", &endpoint[1..])).unwrap();
            let is_copied = [body == bodies[0], body == bodies[0] || body == bodies[5]].map(|is| is && status == 200);
            for (integration, is_copied) in [keyed, with_endpoint(&upstream, endpoint)].iter().zip(is_copied) {
                let mut trace = engine().trace(integration, "go", Json::empty_object()).await;
                assert_eq!(format!("{trace:?}").contains("raw_text: Some"), is_copied, "{body}");
                assert_eq!(trace.status, Some(status), "{:?}", trace.error);
                assert_eq!(trace.to_json_text(), trace.to_json().to_string(), "{endpoint} {body}");
                // It is what stands there that is written, whoever has put it there.
                trace.raw_response = Some(Json::parse("[1]").unwrap());
                assert_eq!(trace.to_json_text(), trace.to_json().to_string(), "{endpoint} {body}");
            }
        }
    }
}

/// A few paths can ask for more than any memory has.
#[tokio::test]
async fn a_result_that_is_too_large_to_be_written_fails_the_call_and_stands_in_no_trace() {
    let upstream = Upstream::start().await;
    let body = format!(r#"{{"a":"{}"}}"#, "x".repeat(400_000));
    let members: Vec<_> = (0..120).map(|at| format!(r#""m{at}":"$""#)).collect();
    let endpoint = format!(r#"{{"path":"/","response_mapping":{{{}}},"max_result_length":9}}"#, members.join(","));
    let integration = with_endpoint(&upstream, &endpoint);
    for _ in 0..2 {
        upstream.reply("/v1/", Reply::json(200, body.clone()));
    }
    let error = go(&integration, "{}").await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (ErrorKind::LimitExceeded, Some(200)));
    assert!(error.message().starts_with("response_mapping: its result has more than 41943040 bytes"), "{error}");
    let trace = engine().trace(&integration, "go", Json::empty_object()).await;
    assert_eq!(trace.error.as_ref().unwrap().message(), error.message());
    assert!(trace.after_mapping.is_none() && trace.to_json_text().len() < 3 * body.len());
}

#[test]
fn error_codes_are_stable() {
    let codes: Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    let expected = "invalid_config unknown_endpoint integration_disabled unsupported_protocol invalid_params \
        approval_refused missing_auth_param missing_secret auth_failed egress_denied connect timeout interrupted redirect_refused \
        response_too_large upstream_status result_key_missing template limit_exceeded cancelled";
    assert_eq!(codes, expected.split_whitespace().collect::<Vec<_>>());
}
