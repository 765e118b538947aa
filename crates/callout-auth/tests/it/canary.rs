//! No secret, token, assertion or Basic value stands in Debug, in an error or in a log, for any type.

use std::{
    cell::RefCell,
    fmt::{self, Write},
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use callout_auth::Auth;
use callout_core::{
    config::{AuthConfig, AuthType},
    http::{HttpRequest, HttpResponse},
    json::Json,
    redact::Redactor,
    secret::{ExposeSecret, SecretName, Secrets},
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

use crate::support::{
    Network, World, client_credentials, client_secret, compile, exchange, exchange_secret, form, jwt_bearer, key,
    params, private_key, response, runtime,
};

thread_local! {
    static LOG: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Keeps everything that is said to it, at every level, for the thread that says it.
struct Log;

struct Line<'a>(&'a mut String);

impl Log {
    /// For the whole program: a subscriber for one thread misses events whose first use is on another.
    fn begin() {
        let _ = tracing::subscriber::set_global_default(Self);
        LOG.take();
    }

    fn write(record: impl FnOnce(&mut dyn Visit)) {
        LOG.with_borrow_mut(|log| record(&mut Line(log)));
    }
}

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{field}={value:?} ");
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        Self::write(|line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        Self::write(|line| values.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        Self::write(|line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

const TOKEN: &str = "canary-minted-token-0123456789";

fn all_types() -> Vec<(Auth, Vec<String>)> {
    let secret = |name, value: &str| Secrets::new().with(name, value);
    let api_key = AuthConfig { header_name: Some("X-Key".to_owned()), ..AuthConfig::new(AuthType::ApiKeyHeader) };
    let bearer = AuthConfig::new(AuthType::BearerToken);
    let json = AuthConfig { kind: AuthType::JsonTokenExchange, ..client_credentials() };
    let in_body = AuthConfig { token_request_client_id_field: Some("id".to_owned()), ..client_credentials() };
    let with_secret = private_key("p256.pkcs8").with(SecretName::ClientSecret, "canary-client-secret");
    let self_signed = AuthConfig { token_url: None, ..jwt_bearer() };
    [
        (api_key, secret(SecretName::ApiKey, "canary-api-key")),
        (bearer, secret(SecretName::BearerToken, "canary-bearer-token")),
        (client_credentials(), client_secret()),
        (in_body, client_secret()),
        (json, client_secret()),
        (jwt_bearer(), with_secret),
        (self_signed, private_key("p256.pkcs8")),
        (exchange(&[("X-User", "user", true, false)]), exchange_secret()),
    ]
    .into_iter()
    .map(|(config, secrets)| {
        let mut canaries: Vec<_> = secrets.iter().map(|(_, secret)| secret.expose_secret().to_owned()).collect();
        canaries.push(key("p256.pkcs8").lines().nth(1).unwrap().to_owned());
        canaries.push(BASE64_STANDARD.encode("client:canary-client-secret"));
        canaries.push(TOKEN.to_owned());
        (compile(&config, &secrets).unwrap(), canaries)
    })
    .collect()
}

/// Everything that a program could print of one call.
async fn everything(world: &World, auth: &Auth, out: &mut String) -> Option<String> {
    let taken = params(auth, r#"{"user":"canary-user-name"}"#).unwrap();
    let _ = write!(out, "{auth:?} {auth:#?} {taken:?} {:?} {:?}", world.context(), world.cache);
    match auth.header(&taken, &world.context()).await {
        Ok(header) => {
            let _ = write!(out, "{header:?}");
            let info = auth.token(&taken, &world.context()).await.unwrap();
            let _ = write!(out, "{info:?}");
            auth.invalidate(&taken, &header, &world.cache);
            Some(info.token.expose_secret().to_owned())
        }
        Err(error) => {
            let _ = write!(out, "{error} {error:?} {error:#?} {}", error.message());
            None
        }
    }
}

/// An endpoint that gives a token at first, if it is to, and then says back all that it was sent.
fn echoing(seen: Vec<HttpRequest>, status: u16, token_first: bool) -> Network {
    Network::new(move |number| {
        let answer = if number == 0 && token_first {
            granting()
        } else {
            let said = seen.iter().fold(String::new(), |mut said, request| {
                for value in request.headers.values() {
                    said.push_str(&String::from_utf8_lossy(value.as_bytes()));
                }
                said + std::str::from_utf8(&request.body).unwrap()
            });
            response(status, &format!(r#"{{"error":"x","error_description":{}}}"#, Json::from(said)))
        };
        std::future::ready(Ok(answer))
    })
}

fn granting() -> HttpResponse {
    response(200, &format!(r#"{{"access_token":"{TOKEN}","token":"{TOKEN}","expires_in":600}}"#))
}

#[test]
fn nothing_that_can_be_printed_holds_a_secret() {
    Log::begin();
    let runtime = runtime();
    let mut logged = String::new();
    for (auth, mut canaries) in all_types() {
        let mut out = String::new();
        let network = Network::new(|_| std::future::ready(Ok(granting())));
        canaries.extend(runtime.block_on(everything(&World::new(&network), &auth, &mut out)));
        let _ = write!(out, "{:?}", network.sent());
        for (status, token_first) in [(200, false), (400, false), (503, false), (401, true)] {
            let world = World::new(&echoing(network.sent(), status, token_first));
            if token_first {
                runtime.block_on(world.header(&auth)).unwrap();
                world.clock.advance(Duration::from_secs(545));
                runtime.block_on(world.header(&auth)).unwrap();
            }
            runtime.block_on(everything(&world, &auth, &mut out));
        }
        if auth.kind() == AuthType::OAuth2JwtBearer {
            canaries.extend(network.sent().iter().map(|request| form(request)["assertion"].clone()));
        }
        let log = LOG.take();
        out.push_str(&log);
        logged.push_str(&log);
        for canary in &canaries {
            assert!(!out.contains(canary.as_str()), "{:?} shows {canary}: {out}", auth.kind());
        }
        let masked = Redactor::new(canaries.iter().map(String::as_str)).text(&out).into_owned();
        assert_eq!(masked, out, "{:?} shows a form of a secret", auth.kind());
    }
    for said in ["got a token", "got no token", "could not be renewed", "the endpoint refused a token"] {
        assert!(logged.contains(said), "{said}: {logged}");
    }
}

/// Its token is kept for as long as the config says, which the answer alone would not let anybody guess.
#[test]
fn a_lifetime_that_is_no_number_is_told_in_the_log() {
    Log::begin();
    let runtime = runtime();
    let config = AuthConfig { exchange_expires_in_field: Some("l.exp".to_owned()), ..exchange(&[]) };
    let auth = compile(&config, &exchange_secret()).unwrap();
    for (found, is_told) in [
        (r#"[{"exp":59}]"#, true),
        (r#"{"exp":"soon"}"#, true),
        (r#"{"exp":59}"#, false),
        (r#"{"exp":null}"#, false),
        ("{}", false),
    ] {
        let network = Network::answering(&format!(r#"{{"token":"{TOKEN}","l":{found}}}"#));
        runtime.block_on(World::new(&network).header(&auth)).unwrap();
        let log = LOG.take();
        assert_eq!(log.contains("the lifetime of a token is no number"), is_told, "{found}: {log}");
    }
}

/// An endpoint that repeats the assertion it was sent, which is valid for an hour.
#[test]
fn an_assertion_that_is_echoed_is_masked() {
    let runtime = runtime();
    let sent: Arc<Mutex<Option<Network>>> = Arc::default();
    let seen = Arc::clone(&sent);
    let network = Network::new(move |number| {
        let request = seen.lock().unwrap().as_ref().unwrap().sent()[number].clone();
        let body = format!("bad assertion {}", form(&request)["assertion"]);
        std::future::ready(Ok(response(400, &body)))
    });
    *sent.lock().unwrap() = Some(network.clone());
    let auth = compile(&jwt_bearer(), &private_key("p256.pkcs8")).unwrap();
    let error = runtime.block_on(World::new(&network).value(&auth)).unwrap_err();
    assert!(error.message().ends_with("answered 400: bad assertion ***"), "{error}");
}

#[test]
fn redactors_mask_secrets_and_tokens() {
    let runtime = runtime();
    for (auth, canaries) in all_types() {
        let network =
            Network::answering(&format!(r#"{{"access_token":"{TOKEN}","token":"{TOKEN}","expires_in":600}}"#));
        let header = runtime.block_on(World::new(&network).header(&auth)).unwrap();
        let both = auth.redactor().and(&header.redactor());
        let secret = &canaries[0];
        assert_eq!(both.text(secret), "***", "{:?}", auth.kind());
        let value = String::from_utf8(header.value().as_bytes().to_vec()).unwrap();
        assert_eq!(both.text(&value).replace("Bearer ", ""), "***", "{:?}", auth.kind());
    }
    let basic = BASE64_STANDARD.encode("client:canary-client-secret");
    assert_eq!(crate::support::client().redactor().text(&basic), "***");
}

#[test]
fn a_secret_that_cannot_stand_in_a_header_is_a_config_fault() {
    let message = "is sent in a header and must not hold line breaks or other control characters";
    for (config, name, field) in [
        (AuthConfig::new(AuthType::BearerToken), SecretName::BearerToken, "bearer_token_value"),
        (
            AuthConfig { header_name: Some("X".to_owned()), ..AuthConfig::new(AuthType::ApiKeyHeader) },
            SecretName::ApiKey,
            "api_key_value",
        ),
        (exchange(&[]), SecretName::ExchangeSecret, "exchange_secret_value"),
    ] {
        let faults = compile(&config, &Secrets::new().with(name, "canary\n")).unwrap_err();
        assert_eq!(faults, [format!("auth.{field}: {message}")]);
    }
    // A format that cannot is told by the config's check; the secret has a fault only if it has one itself.
    let config = AuthConfig { exchange_secret_format: "a\n{secret}".to_owned(), ..exchange(&[]) };
    for (secret, expected) in [("canary", vec![]), ("canary\n", vec![format!("auth.exchange_secret_value: {message}")])]
    {
        let faults = compile(&config, &Secrets::new().with(SecretName::ExchangeSecret, secret)).unwrap_err();
        assert_eq!(faults, expected);
    }
}
