//! The tour's identity provider: token endpoints of every kind beside the API, and an endpoint that
//! says which token it was called with.

use std::collections::HashMap;

use callout::Json;
use http::StatusCode;

use super::upstream::{Received, Reply};

/// The secret of every client of the tour. It opens nothing.
pub(crate) const SECRET: &str = "tour-secret-5d41402a";

/// `None` for what is not the identity provider's.
pub(super) fn reply(received: &Received) -> Option<Reply> {
    Some(match received.path() {
        "/auth/api-key" => {
            Reply::ok(format!(r#"{{"seen": "x-api-key, {}"}}"#, checked(received.header("x-api-key") == Some(SECRET))))
        }
        "/auth/bearer" => {
            let sent = received.header("authorization").unwrap_or_default();
            let token = sent.strip_prefix("Bearer ").unwrap_or_default();
            let kind = match token {
                SECRET => "the configured token",
                "client-credentials-token" => "a token for a client by HTTP Basic",
                "json-exchange-token" => "a token for a client by JSON",
                "jwt-bearer-token" => "a token for a signed assertion",
                "exchanged-token-alice" => "a token exchanged for alice",
                _ => return Some(Reply::new(StatusCode::UNAUTHORIZED, r#"{"message": "Bad credentials"}"#)),
            };
            Reply::ok(format!(r#"{{"seen": "{kind}"}}"#))
        }
        "/token/client-credentials" => token(
            received.header("authorization").is_some_and(|value| value.starts_with("Basic "))
                && form(received).get("grant_type").map(String::as_str) == Some("client_credentials"),
            r#"{"access_token": "client-credentials-token", "token_type": "Bearer", "expires_in": 3600}"#,
        ),
        "/token/json" => token(
            Json::parse(&received.body)
                .is_ok_and(|body| body.get("client_secret").and_then(Json::as_str) == Some(SECRET)),
            r#"{"access_token": "json-exchange-token", "expires_in": "3600"}"#,
        ),
        "/token/jwt" => token(
            form(received).get("assertion").is_some_and(|jwt| jwt.split('.').count() == 3),
            r#"{"access_token": "jwt-bearer-token", "token_type": "bearer"}"#,
        ),
        "/token/exchange" => token(
            received.header("x-api-key") == Some(SECRET) && received.header("x-user") == Some("alice"),
            r#"{"token": "exchanged-token-alice", "ttl": 600}"#,
        ),
        _ => return None,
    })
}

fn checked(good: bool) -> &'static str {
    if good { "the right one" } else { "a wrong one" }
}

fn form(received: &Received) -> HashMap<String, String> {
    form_urlencoded::parse(received.body.as_bytes()).into_owned().collect()
}

fn token(good: bool, body: &str) -> Reply {
    if good { Reply::ok(body) } else { Reply::new(StatusCode::UNAUTHORIZED, r#"{"error": "invalid_client"}"#) }
}
