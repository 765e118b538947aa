use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use bytes::Bytes;
use callout_auth::{Auth, AuthContext, TokenCache};
use callout_core::{
    Error, ErrorKind,
    config::{AuthConfig, AuthType},
    fault::Faults,
    http::{Caller, Exchange, HttpResponse, HttpService, SharedHttp},
    json::{Json, Object, ReadOptions},
    limits::{Limits, Timeouts},
    secret::{ExposeSecret, SecretName, Secrets},
    time::Deadline,
};
use http::HeaderMap;

use crate::{line, world};

/// What the endpoint is asked with, and what it may echo.
const SECRET: &str = "k3y-of-the-shop";

/// Answers alike, whatever it is asked.
struct Endpoint(HttpResponse);

impl HttpService for Endpoint {
    async fn send(&self, exchange: Exchange<'_>) -> Result<HttpResponse, Error> {
        (exchange.request)(world::clock().now()).await?;
        Ok(self.0.clone())
    }
}

/// The path of a token on a line, a status on a line, then an answer: it ends in a token that stands in the
/// answer and can be sent in a header, for a day at most, or in an error that shows no secret.
///
/// # Panics
///
/// Where that does not hold.
pub fn token_response(bytes: &[u8]) {
    let Some((path, rest)) = line(bytes) else { return };
    let Some((status, body)) = line(rest) else { return };
    let Ok(status) = status.parse::<u16>() else { return };
    let answer = HttpResponse::new(status, HeaderMap::new(), Bytes::copy_from_slice(body));
    let mut oauth = AuthConfig::new(AuthType::OAuth2ClientCredentials);
    oauth.token_url = Some("https://id.example/token".to_owned());
    oauth.client_id = Some("shop".to_owned());
    oauth.token_response_path = (!path.is_empty()).then(|| path.to_owned());
    ask(&oauth, &Secrets::new().with(SecretName::ClientSecret, SECRET), &answer);
    let mut exchange = AuthConfig::new(AuthType::BearerTokenExchange);
    exchange.exchange_url = Some("https://id.example/exchange".to_owned());
    exchange.exchange_token_field = if path.is_empty() { "token".to_owned() } else { path.to_owned() };
    exchange.exchange_expires_in_field = Some("expires_in".to_owned());
    ask(&exchange, &Secrets::new().with(SecretName::ExchangeSecret, SECRET), &answer);
}

fn ask(config: &AuthConfig, secrets: &Secrets, answer: &HttpResponse) {
    let (limits, mut faults) = (Limits::default(), Faults::new());
    let owner = Caller::default();
    let Some(auth) = Auth::compile(config, secrets, &owner, &limits, &mut faults) else {
        assert!(!faults.is_empty(), "refused without a fault");
        return;
    };
    let (http, cache) = (SharedHttp::new(Endpoint(answer.clone())), TokenCache::new(10));
    let (clock, rng, timeouts) = (world::clock(), world::rng(), Timeouts::default());
    let context = AuthContext {
        http: &http,
        clock: &clock,
        now: clock.now(),
        rng: &rng,
        cache: &cache,
        limits: &limits,
        timeouts: &timeouts,
        deadline: Deadline::after(&clock, Duration::from_mins(1)),
    };
    let Ok(params) = auth.take_params(&Object::default()) else { panic!("there are no params to miss") };
    match now(auth.token(&params, &context)) {
        Ok(found) => {
            let token = found.token.expose_secret();
            assert!((200..300).contains(&answer.status), "a token of a {}", answer.status);
            assert!(!token.trim().is_empty() && token.len() <= limits.max_token_bytes, "{token:?}");
            assert!(!token.chars().any(char::is_control), "{token:?}");
            assert!(found.expires_in.is_none_or(|left| left <= Duration::from_hours(24)), "{:?}", found.expires_in);
            let body = ReadOptions::default().read(&answer.body);
            let body = body.unwrap_or_else(|error| panic!("a token of what is no JSON: {error}"));
            assert!(body.get("error").is_none_or(Json::is_null), "a token beside an error");
            assert!(holds(&body, token), "{token:?} stands nowhere in the answer");
            assert!(!format!("{found:?}").contains(token) || token.len() < 6, "a token is shown");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::AuthFailed, "{error}");
            let shown = format!("{error} {error:?}");
            let in_config = format!("{config:?}").contains(SECRET);
            assert!(in_config || !shown.contains(SECRET), "{shown}");
            assert!(error.to_string().len() < 4_096, "{error}");
        }
    }
}

fn holds(document: &Json, token: &str) -> bool {
    match document {
        Json::String(text) => text == token,
        Json::Array(elements) => elements.iter().any(|element| holds(element, token)),
        Json::Object(members) => members.values().any(|member| holds(member, token)),
        Json::Null | Json::Bool(_) | Json::Number(_) => false,
    }
}

/// What a future gives in which nothing waits.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..1_000 {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
    }
    panic!("something waits where nothing can come")
}
