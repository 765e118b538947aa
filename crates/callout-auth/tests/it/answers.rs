//! What a token endpoint may answer: lifetimes (B4), types and refusals (B5), sizes (B9), and anything
//! else that JSON can be.

use std::time::Duration;

use callout_core::{
    ErrorKind,
    config::{AuthConfig, AuthType},
    http::HttpResponse,
};
use proptest::prelude::*;

use crate::support::{
    CLIENT_SECRET, Network, World, client, client_credentials, client_secret, compile, exchange, exchange_secret,
    jwt_bearer, numbered, private_key, response, runtime,
};

fn answering(answer: HttpResponse) -> (Network, World) {
    let network = Network::new(move |_| std::future::ready(Ok(answer.clone())));
    let world = World::new(&network);
    (network, world)
}

/// `expires_in` as JSON, and the lifetime in seconds; `None` for a token that is used once.
const LIFETIMES: [(&str, Option<u64>); 21] = [
    ("3600", Some(3600)),
    ("\"3600\"", Some(3600)),
    ("3600.0", Some(3600)),
    ("\" 60 \"", Some(60)),
    ("6e1", Some(60)),
    ("null", Some(900)),
    ("\"\"", Some(900)),
    ("\"abc\"", Some(900)),
    ("\"+60\"", Some(900)),
    ("\"0x10\"", Some(900)),
    ("true", Some(900)),
    ("[60]", Some(900)),
    ("{}", Some(900)),
    ("0", None),
    ("\"0\"", None),
    ("-0.0", None),
    ("-5", None),
    ("1e18", Some(86_400)),
    ("9223372036854775808", Some(86_400)),
    ("\"1e999\"", Some(86_400)),
    ("86401", Some(86_400)),
];

#[tokio::test]
async fn lifetimes() {
    let config = AuthConfig { token_lifetime_seconds: 900, ..client_credentials() };
    let auth = compile(&config, &client_secret()).unwrap();
    for (given, expected) in LIFETIMES {
        let (network, world) = answering(response(200, &format!(r#"{{"access_token":"t0ken","expires_in":{given}}}"#)));
        let info = world.token(&auth).await.unwrap();
        assert_eq!(info.expires_in, expected.map(Duration::from_secs), "{given}");
        world.token(&auth).await.unwrap();
        assert_eq!(network.count(), if expected.is_some() { 1 } else { 2 }, "{given}");
    }
    let (_, world) = answering(response(200, r#"{"access_token":"t0ken"}"#));
    assert_eq!(world.token(&auth).await.unwrap().expires_in, Some(Duration::from_mins(15)));
}

#[tokio::test]
async fn lifetimes_of_an_exchange() {
    let answer = r#"{"token":"t0ken","expires_in":60,"data":{"ttl":"120"}}"#;
    for (field, expected) in
        [(None, 700), (Some("data.ttl"), 120), (Some("expires_in"), 60), (Some("data"), 700), (Some(""), 700)]
    {
        let config = AuthConfig {
            exchange_expires_in_field: field.map(str::to_owned),
            exchange_default_ttl_seconds: 700,
            ..exchange(&[])
        };
        let (_, world) = answering(response(200, answer));
        let info = world.token(&compile(&config, &exchange_secret()).unwrap()).await.unwrap();
        assert_eq!(info.expires_in, Some(Duration::from_secs(expected)), "{field:?}");
    }
}

#[tokio::test]
async fn configured_lifetimes_are_bounded_too() {
    let config = AuthConfig { token_lifetime_seconds: u64::MAX, ..client_credentials() };
    let (_, world) = answering(response(200, r#"{"access_token":"t0ken"}"#));
    let info = world.token(&compile(&config, &client_secret()).unwrap()).await.unwrap();
    assert_eq!(info.expires_in, Some(Duration::from_hours(24)));
}

#[tokio::test]
async fn a_token_may_be_of_any_type_but_those_that_take_more_than_to_be_sent() {
    let json = AuthConfig { kind: AuthType::JsonTokenExchange, ..client_credentials() };
    let types = [
        client(),
        compile(&json, &client_secret()).unwrap(),
        compile(&jwt_bearer(), &private_key("p256.pkcs8")).unwrap(),
        compile(&exchange(&[]), &exchange_secret()).unwrap(),
    ];
    for (kind, is_used) in [
        ("\"Bearer\"", true),
        ("\" BEARER\"", true),
        ("\"BearerToken\"", true),
        ("\"\"", true),
        ("null", true),
        // eBay's.
        ("\"Application Access Token\"", true),
        ("\"JWT\"", true),
        ("7", true),
        ("\"MAC\"", false),
        ("\"DPoP\"", false),
        ("\"PoP\"", false),
        ("\"N_A\"", false),
    ] {
        let answer = format!(r#"{{"token":"t0ken","access_token":"t0ken","token_type":{kind}}}"#);
        for auth in &types {
            let (_, world) = answering(response(200, &answer));
            let value = world.value(auth).await;
            assert_eq!(value.is_ok_and(|value| value == "Bearer t0ken"), is_used, "{:?} {kind}", auth.kind());
        }
    }
}

#[tokio::test]
async fn an_error_that_says_there_is_none_does_not_take_the_token_away() {
    for error in ["null", "false", "\"\"", "0", "0.0", "[]", "{}"] {
        let answer = format!(r#"{{"access_token":"t0ken","error":{error}}}"#);
        let (_, world) = answering(response(200, &answer));
        assert_eq!(world.value(&client()).await.unwrap(), "Bearer t0ken", "{error}");
        let (_, world) = answering(response(400, &answer));
        assert!(world.value(&client()).await.is_err(), "{error}");
    }
    for error in ["true", "7", "-1", "[0]", "{\"code\":0}", "\"0\""] {
        let (_, world) = answering(response(200, &format!(r#"{{"access_token":"t0ken","error":{error}}}"#)));
        assert!(world.value(&client()).await.is_err(), "{error}");
    }
}

/// Status, body, and the message after `token request to …: `.
const REFUSALS: [(u16, &str, &str); 35] = [
    (
        200,
        r#"{"access_token":"t0ken","token_type":"mac"}"#,
        "the token's `token_type` is \"mac\", only Bearer can be used",
    ),
    (
        200,
        r#"{"access_token":"t0ken","token_type":"DPoP"}"#,
        "the token's `token_type` is \"DPoP\", only Bearer can be used",
    ),
    (
        200,
        r#"{"access_token":"t0ken","token_type":"N_A"}"#,
        "the token's `token_type` is \"N_A\", only Bearer can be used",
    ),
    (
        200,
        r#"{"error":"bad_verification_code","error_description":"expired"}"#,
        "answered 200 with an error: bad_verification_code: expired",
    ),
    (200, r#"{"access_token":"t0ken","error":{"code":5}}"#, "answered 200 with an error: {\"code\":5}"),
    (200, "<!DOCTYPE html><p>Login", "answered 200 with XML or HTML, not JSON; check the URL"),
    (200, "<?xml version=\"1.0\"?><token>t0ken</token>", "answered 200 with XML or HTML, not JSON; check the URL"),
    (
        200,
        "access_token=t0ken&token_type=bearer",
        "answered 200 with a form-encoded token, not JSON, although JSON was asked for; use an endpoint that answers as RFC 6749 section 5.1 says",
    ),
    (200, "", "answered 200 with an empty body, not JSON"),
    (204, "", "answered 204 with an empty body, not JSON"),
    (200, "nonsense", "answered 200 with a body that is not JSON"),
    (200, r#"{"access_token":""}"#, "`access_token` is an empty string"),
    (200, r#"{"access_token":"  "}"#, "`access_token` is an empty string"),
    (200, r#"{"access_token":12}"#, "`access_token` must be a string, not a number"),
    (200, r#"{"access_token":{"a":1}}"#, "`access_token` must be a string, not an object"),
    (200, r#"{"access_token":null,"data":"x"}"#, "`access_token` is null"),
    (200, r#"{"token":"t0ken","ttl":1}"#, "the answer has no `access_token`, only token, ttl"),
    (200, "7", "the answer has no `access_token`: it is a number"),
    (200, "{}", "the answer has no `access_token`: it is an object"),
    (200, "[]", "`access_token` must be a string, not an array"),
    (200, r#"{"access_token":"a\nb"}"#, "`access_token` holds control characters and cannot be sent in a header"),
    (200, "{\"access_token\":\"a\u{85}b\"}", "`access_token` holds control characters and cannot be sent in a header"),
    (
        401,
        r#"{"error":"invalid_client","error_description":null}"#,
        "answered 401: invalid_client (check `client_id` and the client secret)",
    ),
    (
        400,
        r#"{"error":"invalid_grant","error_description":"not \u0007 enabled"}"#,
        "answered 400: invalid_grant: not   enabled",
    ),
    (
        400,
        r#"{"error":"unauthorized_client"}"#,
        "answered 400: unauthorized_client (check `client_id`, the client secret and whether the client is allowed this grant)",
    ),
    // As Spring, Zoom and others answer, whose `error` says little.
    (
        401,
        r#"{"status":401,"error":"Unauthorized","message":"the account is locked","path":"/token"}"#,
        "answered 401: Unauthorized: the account is locked",
    ),
    (
        400,
        r#"{"reason":"Invalid client_id or client_secret","error":"invalid_request"}"#,
        "answered 400: invalid_request: Invalid client_id or client_secret",
    ),
    (
        400,
        r#"{"error":"invalid_client","errors":["no such app"]}"#,
        r#"answered 400: {"error":"invalid_client","errors":["no such app"]} (check `client_id` and the client secret)"#,
    ),
    // Of a success nothing else is shown: it may be the token.
    (200, r#"{"error":"denied","message":"t0ken"}"#, "answered 200 with an error: denied"),
    (400, r#"{"errors":[{"code":17}]}"#, "answered 400: {\"errors\":[{\"code\":17}]}"),
    (403, "plain\r\nno", "answered 403: plain  no"),
    (404, "<html>", "answered 404: XML or HTML"),
    (302, "", "answered 302"),
    (429, r#"{"error":"slow_down"}"#, "answered 429: slow_down"),
    (503, "", "answered 503"),
];

#[tokio::test]
async fn refusals_name_their_cause_and_are_not_kept() {
    for (status, body, expected) in REFUSALS {
        let (network, world) = answering(response(status, body));
        let auth = client();
        let error = world.value(&auth).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AuthFailed, "{body}");
        assert_eq!(error.message(), format!("token request to https://id.example/token: {expected}"));
        assert_eq!(error.status(), None, "the status is not the endpoint's");
        let passing = matches!(status, 429 | 503);
        assert_eq!(error.is_retryable(), passing, "{status}");
        let attempts = if passing { 3 } else { 1 };
        assert_eq!((network.count(), error.retries()), (attempts, attempts as u32 - 1), "{status} {body}");
        assert!(world.value(&auth).await.is_err());
        assert_eq!(network.count(), 2 * attempts, "an error was kept");
    }
}

#[tokio::test]
async fn the_way_out_of_a_refusal_names_what_the_type_has() {
    let jwt = || compile(&jwt_bearer(), &private_key("p256.pkcs8")).unwrap();
    let session = || compile(&exchange(&[]), &exchange_secret()).unwrap();
    for (auth, error, way_out) in [
        (client(), "invalid_client", " (check `client_id` and the client secret)"),
        (session(), "invalid_client", " (check the exchange secret)"),
        (session(), "unauthorized_client", " (check the exchange secret)"),
        (client(), "invalid_grant", ""),
        (session(), "invalid_grant", ""),
        (
            jwt(),
            "invalid_grant",
            " (check the assertion's issuer, subject and audience, the key and this machine's time)",
        ),
        (client(), "invalid_scope", " (check `scopes`)"),
        (session(), "invalid_scope", ""),
    ] {
        let (_, world) = answering(response(400, &format!(r#"{{"error":"{error}"}}"#)));
        let told = world.value(&auth).await.unwrap_err();
        assert!(told.message().ends_with(&format!(": answered 400: {error}{way_out}")), "{told}");
    }
}

#[tokio::test]
async fn a_refusal_that_says_when_to_come_back_is_a_passing_one() {
    let wait = Some(Duration::from_mins(1));
    let mut busy = response(403, "too many");
    busy.retry_after = wait;
    let (_, world) = answering(busy);
    let error = world.value(&client()).await.unwrap_err();
    assert_eq!((error.is_retryable(), error.retry_after()), (true, wait));
}

#[tokio::test]
async fn remote_text_is_bounded_and_masked() {
    let long = "x".repeat(5000);
    let cut = "x".repeat(200);
    for (status, body, expected) in [
        (400, format!(r#"{{"error":"{long}","error_description":"{long}"}}"#), format!("answered 400: {cut}…: {cut}…")),
        (400, long.clone(), format!("answered 400: {cut}…")),
        (400, format!("your secret {CLIENT_SECRET} is wrong"), "answered 400: your secret *** is wrong".to_owned()),
        // The secret lies across the cut.
        (400, format!("{}{CLIENT_SECRET}", "y".repeat(195)), format!("answered 400: {}***", "y".repeat(195))),
        (400, format!(r#"{{"message":"{CLIENT_SECRET}"}}"#), "answered 400: {\"message\":\"***\"}".to_owned()),
        (200, format!(r#"{{"{CLIENT_SECRET}":1}}"#), "the answer has no `access_token`, only ***".to_owned()),
    ] {
        let (_, world) = answering(response(status, &body));
        let error = world.value(&client()).await.unwrap_err();
        assert_eq!(error.message(), format!("token request to https://id.example/token: {expected}"));
    }
}

/// A refusal may repeat the token that it is about, which can be in use still.
#[tokio::test]
async fn a_token_in_a_refusal_is_masked() {
    let session = |field: &str| {
        let config = AuthConfig { exchange_token_field: field.to_owned(), ..exchange(&[]) };
        compile(&config, &exchange_secret()).unwrap()
    };
    let deep = format!(r#"{{"token":"live-session-123","x":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    for (auth, status, body, expected) in [
        (
            session("token"),
            409,
            r#"{"message":"a session is open already","token":"live-session-123"}"#,
            r#"answered 409: {"message":"a session is open already","token":"***"}"#,
        ),
        (
            session("sessions.token"),
            409,
            r#"{"sessions":[{"token":"live-session-123"},{"token":"live-session-456"}],"user":"is shown"}"#,
            r#"answered 409: {"sessions":[{"token":"***"},{"token":"***"}],"user":"is shown"}"#,
        ),
        (
            client(),
            400,
            r#"{"access_token":"live-session-123","data":[{"refresh_token":"live-456","id_token":"live-789"}]}"#,
            r#"answered 400: {"access_token":"***","data":[{"refresh_token":"***","id_token":"***"}]}"#,
        ),
        (
            client(),
            400,
            r#"{"error":"in_use","error_description":"live-session-123 is in use","access_token":"live-session-123"}"#,
            "answered 400: in_use: *** is in use",
        ),
        (
            client(),
            200,
            r#"{"error":"live-session-123 is in use","access_token":"live-session-123"}"#,
            "answered 200 with an error: *** is in use",
        ),
        (client(), 400, "message=no&refresh_token=live-session-123", "answered 400: a form that holds a token"),
        (session("key"), 400, "key=live-session-123", "answered 400: a form that holds a token"),
        (session("key"), 400, "key=", "answered 400: key="),
        // Whatever its name is like, and whatever it stands in.
        (
            client(),
            400,
            r#"{"accessToken":"live-session-123","REFRESH-TOKEN":"live-456","token":"live-789","tokens":"are shown"}"#,
            r#"answered 400: {"accessToken":"***","REFRESH-TOKEN":"***","token":"***","tokens":"are shown"}"#,
        ),
        (
            session("token"),
            409,
            r#"{"token":{"value":"live-session-123","more":[{"value":"live-456"}]}}"#,
            r#"answered 409: {"token":{"value":"***","more":[{"value":"***"}]}}"#,
        ),
        (
            session("key"),
            409,
            r#"{"detail":"{\"key\":\"live-session-123\",\"token\":\"live-456\"}"}"#,
            r#"answered 409: {"detail":"{\"key\":\"***\",\"token\":\"***\"}"}"#,
        ),
        (session("token"), 409, r#"{"detail":"{\"token\":\"live-session-123"}"#, r#"answered 409: {"detail":"***"}"#),
        // What is JSON but for a part of it.
        (session("token"), 409, r#"{"token":"live-session-123","a":NaN}"#, "answered 409: a body that is not JSON"),
        (session("token"), 409, r#" ["live-session-123",NaN]"#, "answered 409: a body that is not JSON"),
        (session("token"), 409, ")]}'\n{\"token\":\"live-session-123\"}", "answered 409: a body that is not JSON"),
        (session("token"), 409, "[in_use] is open already", "answered 409: [in_use] is open already"),
        (session("token"), 409, "[1001] is open already", "answered 409: [1001] is open already"),
        (
            session("token"),
            401,
            r#"{"error":"in_use","error_description":"{0} is not known"}"#,
            "answered 401: in_use: {0} is not known",
        ),
        (session("token"), 409, r#"{"token":123456789}"#, r#"answered 409: {"token":"***"}"#),
        (
            session("token"),
            409,
            deep.as_str(),
            "answered 409: JSON that nests deeper than 128 levels (`max_json_depth`)",
        ),
    ] {
        let (_, world) = answering(response(status, body));
        let error = world.value(&auth).await.unwrap_err();
        assert!(error.message().ends_with(&format!(": {expected}")), "{error}");
    }
    // However many there are, none is shown.
    let many: Vec<_> = (0..1_000).map(|at| format!(r#"{{"id_token":"live-{at}"}}"#)).collect();
    let (_, world) = answering(response(400, &format!("[{}]", many.join(","))));
    let error = world.value(&client()).await.unwrap_err();
    assert!(error.message().contains("***") && !error.message().contains("live"), "{error}");
}

#[tokio::test]
async fn sizes_are_bounded() {
    let (_, world) = answering(response(200, &format!(r#"{{"access_token":"{}"}}"#, "t".repeat(16_000))));
    assert!(world.value(&client()).await.is_ok());
    let (_, world) = answering(response(200, &format!(r#"{{"access_token":"{}"}}"#, "t".repeat(16_001))));
    let error = world.value(&client()).await.unwrap_err();
    assert!(error.message().ends_with("the token has 16001 bytes, at most 16000 are allowed (`max_token_bytes`)"));
    let (_, world) = answering(response(200, &format!(r#"{{"access_token":"t","pad":"{}"}}"#, "t".repeat(64_000))));
    let error = world.value(&client()).await.unwrap_err();
    assert!(error.message().ends_with("the answer is larger than 64000 bytes (`max_token_response_bytes`)"), "{error}");
}

#[tokio::test]
async fn depth_is_bounded() {
    let (open, close) = ("[".repeat(127), "]".repeat(127));
    let (_, world) = answering(response(200, &format!(r#"{{"access_token":"t0ken","pad":{open}{close}}}"#)));
    assert!(world.value(&client()).await.is_ok());
    let (_, world) = answering(response(200, &format!(r#"{{"access_token":"t0ken","pad":[{open}{close}]}}"#)));
    let error = world.value(&client()).await.unwrap_err();
    let expected = "answered 200 with JSON that nests deeper than 128 levels (`max_json_depth`)";
    assert!(error.message().ends_with(expected), "{error}");
}

#[test]
fn a_path_that_does_not_parse_or_leads_to_many_values_is_a_config_fault() {
    for (path, expected) in [
        ("$[", ""),
        ("$..token", "must lead to one value, not to as many as match"),
        ("$.l[*].exp", "must lead to one value, not to as many as match"),
    ] {
        let path = path.to_owned();
        for (config, secrets, place) in [
            (
                AuthConfig { token_response_path: Some(path.clone()), ..client_credentials() },
                client_secret(),
                "auth.token_response_path: ",
            ),
            (
                AuthConfig { exchange_token_field: path.clone(), ..exchange(&[]) },
                exchange_secret(),
                "auth.exchange_token_field: ",
            ),
            (
                AuthConfig { exchange_expires_in_field: Some(path.clone()), ..exchange(&[]) },
                exchange_secret(),
                "auth.exchange_expires_in_field: ",
            ),
        ] {
            let faults = compile(&config, &secrets).unwrap_err();
            assert_eq!(faults.len(), 1, "{path}: {faults:?}");
            assert!(faults[0].starts_with(&format!("{place}{expected}")), "{path}: {faults:?}");
        }
    }
}

#[tokio::test]
async fn the_token_may_stand_deep_in_the_answer() {
    let config = AuthConfig { token_response_path: Some("data.session.token".to_owned()), ..client_credentials() };
    let (_, world) = answering(response(200, r#"{"data":{"session":{"token":"deep"}},"expires_in":60}"#));
    assert_eq!(world.value(&compile(&config, &client_secret()).unwrap()).await.unwrap(), "Bearer deep");
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(|number| serde_json::json!(number)),
        "\\PC{0,8}|[\\x00-\\x20]{0,3}|Bearer|[0-9]{1,30}".prop_map(Into::into),
    ];
    let name = prop_oneof![
        3 => Just("access_token".to_owned()),
        3 => Just("expires_in".to_owned()),
        1 => Just("token_type".to_owned()),
        1 => Just("error".to_owned()),
        1 => "\\PC{0,4}",
    ];
    leaf.prop_recursive(3, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Into::into),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the answer is, there is a token that a header can carry, or an error.
    #[test]
    fn no_answer_is_a_panic(body in any_json(), status in prop_oneof![4 => Just(200), 1 => 200..600_u16]) {
        let runtime = runtime();
        let (_, world) = answering(response(status, &body.to_string()));
        match runtime.block_on(world.value(&client())) {
            Ok(value) => prop_assert!(value.len() > "Bearer ".len()),
            Err(error) => prop_assert!(error.message().chars().count() < 1000, "{}", error),
        }
    }

    /// The same for bytes that are no JSON.
    #[test]
    fn no_body_is_a_panic(body in prop::collection::vec(any::<u8>(), 0..200), status in 200..600_u16) {
        let runtime = runtime();
        let answer = HttpResponse::new(status, http::HeaderMap::new(), body.into());
        let (_, world) = answering(answer);
        let _ = runtime.block_on(world.value(&client()));
    }
}

#[tokio::test]
async fn a_token_used_once_is_shared_by_those_who_wait_for_it() {
    let network = Network::new(|number| async move {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
        Ok(numbered(number, 0))
    });
    let (world, auth) = (World::new(&network), client());
    let waiting = (0..10).map(|_| world.value(&auth));
    for value in futures_util::future::join_all(waiting).await {
        assert_eq!(value.unwrap(), "Bearer token-000000");
    }
    assert_eq!(world.value(&auth).await.unwrap(), "Bearer token-000001");
}
