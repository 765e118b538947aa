//! What goes over the wire for each type: golden requests, HTTP Basic (B6), assertions (B7).

use std::{
    collections::HashSet,
    fmt::Write,
    sync::{Arc, OnceLock},
    time::Duration,
};

use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use callout_auth::Auth;
use callout_core::{
    ErrorKind,
    config::{AuthConfig, AuthType},
    http::HttpRequest,
    json::{Json, ObjectBuilder},
    secret::{SecretName, Secrets},
};

use crate::support::{
    CLIENT_SECRET, Network, START_UNIX, TestClock, World, client_credentials, client_secret, compile, exchange,
    exchange_secret, form, jwt_bearer, key, numbered, params, private_key, response, text,
};

/// Method, URL, the headers that say something, and the body.
fn shown(request: &HttpRequest) -> String {
    let mut shown = format!("{} {}\n", request.method, request.url);
    for (name, value) in &request.headers {
        if name != "user-agent" {
            let _ = writeln!(shown, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
    }
    shown + "\n" + std::str::from_utf8(&request.body).unwrap()
}

/// The one token request of this config.
async fn token_request(auth: &Auth) -> HttpRequest {
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let world = World::new(&network);
    assert_eq!(world.value(auth).await.unwrap(), "Bearer token-000000");
    let mut sent = network.sent();
    assert_eq!(sent.len(), 1);
    assert!(sent[0].headers["user-agent"].to_str().unwrap().starts_with("callout/"));
    sent.remove(0)
}

#[tokio::test]
async fn static_secrets_stand_in_their_header_as_they_are() {
    let network = Network::answering("{}");
    let world = World::new(&network);
    let named = |kind, name: Option<&str>| AuthConfig { header_name: name.map(str::to_owned), ..AuthConfig::new(kind) };
    for (config, secret, name, value) in [
        (named(AuthType::ApiKeyHeader, Some("X-Api-Key")), SecretName::ApiKey, "x-api-key", "s ä=1"),
        (named(AuthType::ApiKeyHeader, Some("Authorization")), SecretName::ApiKey, "authorization", "s ä=1"),
        (named(AuthType::BearerToken, None), SecretName::BearerToken, "authorization", "Bearer s ä=1"),
        (named(AuthType::BearerToken, Some("")), SecretName::BearerToken, "authorization", "Bearer s ä=1"),
        (named(AuthType::BearerToken, Some("X-Token")), SecretName::BearerToken, "x-token", "Bearer s ä=1"),
    ] {
        let auth = compile(&config, &Secrets::new().with(secret, "s ä=1")).unwrap();
        let header = world.header(&auth).await.unwrap();
        assert_eq!((auth.header_name().as_str(), text(&header).as_str()), (name, value));
        assert!(header.value().is_sensitive());
        let info = world.token(&auth).await.unwrap();
        assert_eq!(callout_core::secret::ExposeSecret::expose_secret(&info.token), "s ä=1");
        assert_eq!((info.expires_in, info.cache_key), (None, None));
    }
    assert_eq!(network.count(), 0);
}

#[tokio::test]
async fn a_token_goes_into_the_configured_header() {
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let config = AuthConfig { header_name: Some("X-Session".to_owned()), ..client_credentials() };
    let auth = compile(&config, &client_secret()).unwrap();
    let header = World::new(&network).header(&auth).await.unwrap();
    assert_eq!((auth.header_name().as_str(), text(&header).as_str()), ("x-session", "Bearer token-000000"));
}

#[tokio::test]
async fn client_credentials_by_basic() {
    let auth = compile(&client_credentials(), &client_secret()).unwrap();
    let basic = BASE64_STANDARD.encode(format!("client:{CLIENT_SECRET}"));
    let expected = format!(
        "POST https://id.example/token\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\n\
         authorization: Basic {basic}\n\ngrant_type=client_credentials"
    );
    assert_eq!(shown(&token_request(&auth).await), expected);
}

/// RFC 6749 section 2.3.1 and appendix B.
#[tokio::test]
async fn id_and_secret_are_form_encoded_before_they_are_joined() {
    for (id, secret, pair) in [
        ("a:b", "c:d", "a%3Ab:c%3Ad"),
        ("a b", "c+d", "a+b:c%2Bd"),
        ("50%", "/é", "50%25:%2F%C3%A9"),
        ("a-b_c.d*e", "~", "a-b_c.d*e:%7E"),
    ] {
        let config = AuthConfig { client_id: Some(id.to_owned()), ..client_credentials() };
        let auth = compile(&config, &Secrets::new().with(SecretName::ClientSecret, secret)).unwrap();
        let request = token_request(&auth).await;
        assert_eq!(request.headers["authorization"], format!("Basic {}", BASE64_STANDARD.encode(pair)));
        assert!(request.headers["authorization"].is_sensitive());
    }
}

#[tokio::test]
async fn client_credentials_in_the_body_and_scopes() {
    let scopes = Some(vec!["a:read".to_owned(), "b".to_owned()]);
    for (id_field, secret_field, body) in [
        (
            Some("user"),
            Some("pass"),
            "grant_type=client_credentials&user=client&pass=canary-client-secret&scope=a%3Aread+b",
        ),
        (
            Some("user"),
            None,
            "grant_type=client_credentials&user=client&client_secret=canary-client-secret&scope=a%3Aread+b",
        ),
        (
            None,
            Some("pass"),
            "grant_type=client_credentials&client_id=client&pass=canary-client-secret&scope=a%3Aread+b",
        ),
        (None, None, "grant_type=client_credentials&scope=a%3Aread+b"),
    ] {
        let config = AuthConfig {
            token_request_client_id_field: id_field.map(str::to_owned),
            token_request_client_secret_field: secret_field.map(str::to_owned),
            scopes: scopes.clone(),
            ..client_credentials()
        };
        let request = token_request(&compile(&config, &client_secret()).unwrap()).await;
        assert_eq!(std::str::from_utf8(&request.body).unwrap(), body);
        assert_eq!(request.headers.contains_key("authorization"), id_field.or(secret_field).is_none());
    }
}

#[tokio::test]
async fn json_exchange() {
    let config = AuthConfig { kind: AuthType::JsonTokenExchange, ..client_credentials() };
    let plain = token_request(&compile(&config, &client_secret()).unwrap()).await;
    assert_eq!(
        shown(&plain),
        "POST https://id.example/token\naccept: application/json\ncontent-type: application/json\n\n\
         {\"client_id\":\"client\",\"client_secret\":\"canary-client-secret\"}"
    );
    let config = AuthConfig {
        scopes: Some(vec!["a".to_owned(), "b".to_owned()]),
        token_request_client_id_field: Some("apiKey".to_owned()),
        token_request_client_secret_field: Some("api\"Secret".to_owned()),
        ..config
    };
    let named = token_request(&compile(&config, &client_secret()).unwrap()).await;
    assert_eq!(
        std::str::from_utf8(&named.body).unwrap(),
        "{\"apiKey\":\"client\",\"api\\\"Secret\":\"canary-client-secret\",\"scope\":\"a b\"}"
    );
}

#[test]
fn client_fields_that_collide_are_config_faults() {
    let table = [
        (
            AuthType::JsonTokenExchange,
            Some("x"),
            Some("x"),
            vec!["auth.token_request_client_secret_field: must not be `x`, the client id's field"],
        ),
        (
            AuthType::JsonTokenExchange,
            None,
            Some("client_id"),
            vec!["auth.token_request_client_secret_field: must not be `client_id`, the client id's field"],
        ),
        (
            AuthType::OAuth2ClientCredentials,
            Some("grant_type"),
            Some("scope"),
            vec![
                "auth.token_request_client_id_field: must not be `grant_type`, which the token request has already",
                "auth.token_request_client_secret_field: must not be `scope`, which the token request has already",
            ],
        ),
        (AuthType::JsonTokenExchange, Some("grant_type"), Some("scope"), vec![]),
    ];
    for (kind, id, secret, expected) in table {
        let config = AuthConfig {
            kind,
            token_request_client_id_field: id.map(str::to_owned),
            token_request_client_secret_field: secret.map(str::to_owned),
            ..client_credentials()
        };
        let faults = compile(&config, &client_secret()).err().unwrap_or_default();
        assert_eq!(faults, expected);
    }
}

#[tokio::test]
async fn bearer_exchange_with_params() {
    let mut config = exchange(&[
        ("X-User", "user", true, true),
        ("X-Level", "level", false, false),
        ("X-Live", "live", true, false),
        ("X-None", "none", true, false),
    ]);
    config.exchange_secret_format = "Key {secret}!".to_owned();
    let auth = compile(&config, &exchange_secret()).unwrap();
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let world = World::new(&network);
    let taken = params(&auth, r#"{"user":"zoë","level":1.50,"live":true,"none":null,"other":[1]}"#).unwrap();
    auth.header(&taken, &world.context()).await.unwrap();
    assert_eq!(
        shown(&network.sent()[0]),
        "POST https://id.example/exchange\naccept: application/json\nx-user: zoë\nx-level: 1.50\nx-live: true\n\
         x-api-key: Key canary-exchange-secret!\n\n"
    );
}

#[test]
fn auth_params_are_refused_before_anything_is_sent() {
    let auth = compile(
        &exchange(&[("X-User", "user", true, true), ("X-Org", "org", true, true), ("X-Note", "note", true, false)]),
        &exchange_secret(),
    )
    .unwrap();
    for (given, kind, message) in [
        (
            "{}",
            ErrorKind::MissingAuthParam,
            "user: is required: the token exchange sends it as header X-User; org: is required: the token exchange sends it as header X-Org",
        ),
        (
            r#"{"user":null,"org":"o"}"#,
            ErrorKind::MissingAuthParam,
            "user: is required: the token exchange sends it as header X-User",
        ),
        (
            r#"{"user":"a\r\nX-Admin: 1","org":"o"}"#,
            ErrorKind::InvalidParams,
            "user: must not hold line breaks or other control characters: the token exchange sends it as header X-User",
        ),
        (
            r#"{"user":"\u0000","org":"o"}"#,
            ErrorKind::InvalidParams,
            "user: must not hold line breaks or other control characters: the token exchange sends it as header X-User",
        ),
        (
            r#"{"user":"a","org":["o"],"note":{}}"#,
            ErrorKind::InvalidParams,
            "org: must be a string, a number or a boolean: the token exchange sends it as header X-Org; \
             note: must be a string, a number or a boolean: the token exchange sends it as header X-Note",
        ),
    ] {
        let error = params(&auth, given).unwrap_err();
        assert_eq!((error.kind(), error.message()), (kind, message), "{given}");
        assert!(!error.faults().is_empty());
    }
    assert!(params(&auth, r#"{"user":"","org":0}"#).is_ok());
}

/// A param cannot displace the secret or what the request needs.
#[tokio::test]
async fn the_secret_stands_whatever_the_params_say() {
    let auth = compile(&exchange(&[("x-api-key", "user", true, true)]), &exchange_secret()).unwrap();
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    auth.header(&params(&auth, r#"{"user":"me"}"#).unwrap(), &World::new(&network).context()).await.unwrap();
    let sent = network.sent();
    assert_eq!(sent[0].headers.get_all("x-api-key").iter().collect::<Vec<_>>(), [crate::support::EXCHANGE_SECRET]);
}

/// The header and claims of a JWT, not verified.
fn decoded(jwt: &str) -> (String, String) {
    let part = |at| String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').nth(at).unwrap()).unwrap()).unwrap();
    (part(0), part(1))
}

#[tokio::test]
async fn google_scope_and_key_id_in_the_jwt() {
    let file = ObjectBuilder::new()
        .with("type", "service_account")
        .with("private_key_id", "key-1")
        .with("private_key", key("rsa.pkcs8"))
        .with("client_email", "robot@project.iam.example");
    let config = AuthConfig {
        token_url: Some("https://oauth2.example/token".to_owned()),
        assertion_issuer: Some("robot@project.iam.example".to_owned()),
        assertion_subject: Some("person@example.org".to_owned()),
        scopes: Some(vec!["https://scope.example/a".to_owned(), "https://scope.example/b".to_owned()]),
        assertion_scopes_in_jwt: true,
        ..AuthConfig::new(AuthType::OAuth2JwtBearer)
    };
    let secrets = Secrets::new().with(SecretName::PrivateKey, Json::from(file).to_string());
    let request = token_request(&compile(&config, &secrets).unwrap()).await;
    let fields = form(&request);
    assert_eq!(fields.len(), 2);
    assert_eq!(fields["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (header, claims) = decoded(&fields["assertion"]);
    assert_eq!(header, r#"{"alg":"RS256","typ":"JWT","kid":"key-1"}"#);
    let (iat, exp) = (START_UNIX, START_UNIX + 3600);
    assert_eq!(
        claims,
        format!(
            r#"{{"iss":"robot@project.iam.example","sub":"person@example.org","aud":"https://oauth2.example/token","scope":"https://scope.example/a https://scope.example/b","iat":{iat},"exp":{exp},"jti":"01010101010101010101010101010101"}}"#
        )
    );
}

/// Salesforce: the client's id is the issuer, the audience is not the token URL, no `expires_in`.
#[tokio::test]
async fn salesforce_no_lifetime_in_the_answer() {
    let config = AuthConfig {
        token_url: Some("https://my.example/services/oauth2/token".to_owned()),
        client_id: Some("3MVG9".to_owned()),
        assertion_subject: Some("user@org.example".to_owned()),
        assertion_audience: Some("https://login.example".to_owned()),
        token_lifetime_seconds: 180,
        ..AuthConfig::new(AuthType::OAuth2JwtBearer)
    };
    let auth = compile(&config, &private_key("rsa.pkcs1")).unwrap();
    let network =
        Network::answering(r#"{"access_token":"00D!x","instance_url":"https://my.example","token_type":"Bearer"}"#);
    let world = World::new(&network);
    let info = world.token(&auth).await.unwrap();
    assert_eq!(info.expires_in.unwrap().as_secs(), 180);
    let fields = form(&network.sent()[0]);
    assert_eq!(fields.len(), 2, "the client id is the issuer, and not in the form");
    let (header, claims) = decoded(&fields["assertion"]);
    assert_eq!(header, r#"{"alg":"RS256","typ":"JWT"}"#);
    assert!(
        claims.starts_with(r#"{"iss":"3MVG9","sub":"user@org.example","aud":"https://login.example","iat":"#),
        "{claims}"
    );
}

/// As `DocuSign` has it: the audience is a bare host; here with the scopes and the client in the form.
#[tokio::test]
async fn docusign_bare_host_and_the_form_beside_the_assertion() {
    let config = AuthConfig {
        assertion_audience: Some("account.example".to_owned()),
        client_id: Some("integration-key".to_owned()),
        scopes: Some(vec!["signature".to_owned(), "impersonation".to_owned()]),
        ..jwt_bearer()
    };
    let secrets = private_key("p384.sec1").with(SecretName::ClientSecret, CLIENT_SECRET);
    let fields = form(&token_request(&compile(&config, &secrets).unwrap()).await);
    let (header, claims) = decoded(&fields["assertion"]);
    assert_eq!(header, r#"{"alg":"ES384","typ":"JWT"}"#);
    assert!(claims.contains(r#""aud":"account.example""#) && !claims.contains("scope"), "{claims}");
    assert_eq!(
        (fields["scope"].as_str(), fields["client_id"].as_str(), fields["client_secret"].as_str(), fields.len()),
        ("signature impersonation", "integration-key", CLIENT_SECRET, 5)
    );
}

/// App Store Connect, Snowflake: no token URL, so that the scopes can stand in the JWT only.
#[tokio::test]
async fn an_assertion_as_the_token_carries_the_scopes() {
    let config = AuthConfig { token_url: None, scopes: Some(vec!["a".to_owned(), "b".to_owned()]), ..jwt_bearer() };
    let auth = compile(&config, &private_key("ed25519.pkcs8")).unwrap();
    let value = World::new(&Network::answering("")).value(&auth).await.unwrap();
    let (header, claims) = decoded(value.strip_prefix("Bearer ").unwrap());
    assert_eq!(header, r#"{"alg":"EdDSA","typ":"JWT"}"#);
    assert!(claims.starts_with(r#"{"iss":"issuer","sub":"issuer","scope":"a b","iat":"#), "{claims}");
}

#[tokio::test]
async fn each_attempt_has_an_assertion_of_its_own() {
    let clock = Arc::new(OnceLock::<TestClock>::new());
    let hands = Arc::clone(&clock);
    let network = Network::new(move |number| {
        // Each answer takes two seconds.
        hands.get().unwrap().advance(Duration::from_secs(2));
        std::future::ready(Ok(if number < 2 { response(503, "") } else { numbered(number, 3600) }))
    });
    let world = World::new(&network);
    assert!(clock.set(world.clock.clone()).is_ok());
    let auth = compile(&jwt_bearer(), &private_key("p256.pkcs8")).unwrap();
    world.header(&auth).await.unwrap();
    let sent = network.sent();
    let claims: Vec<_> =
        sent.iter().map(|request| Json::parse(&decoded(&form(request)["assertion"]).1).unwrap()).collect();
    let of = |name: &str| -> Vec<_> { claims.iter().map(|claims| claims.get(name).unwrap().to_string()).collect() };
    assert_eq!(of("iat"), [0, 2, 4].map(|after| (START_UNIX + after).to_string()));
    assert_eq!(of("exp"), [3600, 3602, 3604].map(|after| (START_UNIX + after).to_string()));
    assert_eq!(of("jti").into_iter().collect::<HashSet<_>>().len(), 3);
}

#[tokio::test]
async fn equal_keys_show_as_equal_digests() {
    let network = Network::new(|number| std::future::ready(Ok(numbered(number, 3600))));
    let world = World::new(&network);
    let auth = compile(&exchange(&[("X-User", "user", true, false)]), &exchange_secret()).unwrap();
    let mut digests = Vec::new();
    for given in [r#"{"user":"1"}"#, r#"{"user":1}"#, r#"{"user":""}"#, "{}", r#"{"user":null}"#, r#"{"user":true}"#] {
        let info = auth.token(&params(&auth, given).unwrap(), &world.context()).await.unwrap();
        digests.push(info.cache_key.unwrap());
    }
    assert_eq!(digests[3], digests[4], "null is absent");
    assert_eq!(digests.iter().collect::<HashSet<_>>().len(), 5);
    assert!(digests.iter().all(|digest| digest.len() == 64));
}
