//! Tokens from servers that others wrote, over sockets on loopback: a provider that is strict about HTTP
//! Basic (B6), and a token endpoint that checks assertions (B7). Both tell the caller of their resource
//! what the token was given for, so that a call ends well only if the whole way is right.
//!
//! They need `CALLOUT_TEST_IDENTITY_NODE`, the `node_modules` of `tests/identity/package.json`, and
//! `CALLOUT_TEST_IDENTITY_PYTHON`, a python with `tests/identity/requirements.txt`; `.ci/identity`
//! installs both. Without these the tests are skipped, or fail with `CALLOUT_TEST_IDENTITY=required`.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests fail loudly")]

use std::{
    env,
    ffi::OsString,
    fs,
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use callout::{
    AuthConfig, AuthType, EgressPolicy, EndpointConfig, Engine, Error, ErrorKind, Exchange, HttpResponse, HttpService,
    IntegrationConfig, Json, Method, SecretName, Secrets, json::ObjectBuilder,
};
use callout_tests::Sender;
use callout_transport::Transport;
use rcgen::KeyPair;
use tempfile::TempDir;

/// As `server.mjs` registers them; there is no `é`, which RFC 6749 appendix A leaves out and the
/// provider refuses.
const CLIENT_ID: &str = "shop: 50%+/a b";
const CLIENT_SECRET: &str = "s:e c+r%e/t%2B&=~!";

const FORM: &str = "application/x-www-form-urlencoded";

/// A server in a process of its own, which ends with this.
struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start(command: &mut Command) -> Self {
        let mut said = tempfile::tempfile().unwrap();
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(said.try_clone().unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = process.stdout.take().unwrap();
        let mut server = Self { process, port: 0 };
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = tell.send(line);
        });
        let line = told.recv_timeout(Duration::from_mins(1)).unwrap_or_default();
        if let Some(port) = line.trim().strip_prefix("ready ") {
            server.port = port.parse().unwrap();
            return server;
        }
        let mut errors = String::new();
        said.rewind().unwrap();
        said.read_to_string(&mut errors).unwrap();
        panic!("{command:?} is not ready: {line:?} {errors}")
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What a variable says; nothing skips the test, unless it must not be skipped.
fn place(variable: &str) -> Option<OsString> {
    let found = env::var_os(variable).filter(|value| !value.is_empty());
    if found.is_none() {
        let reason = format!("{variable} is not set; `source .ci/identity` installs what it names");
        assert!(env::var_os("CALLOUT_TEST_IDENTITY").is_none_or(|value| value != "required"), "{reason}");
        eprintln!("skipped: {reason}");
    }
    found
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("identity").join(name)
}

/// The strict provider.
fn provider() -> Option<Server> {
    let modules = place("CALLOUT_TEST_IDENTITY_NODE")?;
    Some(Server::start(Command::new("node").arg(script("server.mjs")).arg(modules)))
}

/// A key of callout-auth's tests.
fn key(name: &str) -> String {
    let keys = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/callout-auth/tests/keys");
    fs::read_to_string(keys.join(name).with_added_extension("pem")).unwrap()
}

/// The endpoint for assertions, which knows an issuer of each kind of key, and `google`, whose key has
/// an id.
struct Assertions {
    server: Server,
    _keys: TempDir,
}

impl Assertions {
    fn start() -> Option<Self> {
        let python = place("CALLOUT_TEST_IDENTITY_PYTHON")?;
        let keys = tempfile::tempdir().unwrap();
        for (issuer, id, public) in [
            ("rsa", "_", "rsa.public"),
            ("p256", "_", "p256.public"),
            ("p384", "_", "p384.public"),
            ("ed25519", "_", "ed25519.public"),
            ("google", "key-1", "rsa.public"),
        ] {
            let folder = keys.path().join(issuer);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(id).with_added_extension("pem"), key(public)).unwrap();
        }
        let server = Server::start(Command::new(python).arg("-B").arg(script("server.py")).arg(keys.path()));
        Some(Self { server, _keys: keys })
    }

    fn config(&self, issuer: &str) -> AuthConfig {
        AuthConfig {
            token_url: Some(self.server.url("/token")),
            assertion_issuer: Some(issuer.to_owned()),
            assertion_subject: Some("zoë@shop.example".to_owned()),
            ..AuthConfig::new(AuthType::OAuth2JwtBearer)
        }
    }

    async fn call(&self, network: Network, config: AuthConfig, key: String) -> Result<String, Error> {
        call(network, &self.server, config, Secrets::new().with(SecretName::PrivateKey, key)).await
    }
}

/// The transport, and the bodies that went through it.
#[derive(Clone)]
struct Network {
    transport: Arc<Transport>,
    bodies: Arc<Mutex<Vec<Bytes>>>,
}

impl Network {
    fn new() -> Self {
        let policy = EgressPolicy::public().allow("127.0.0.1").unwrap();
        let transport = Arc::new(Transport::builder().with_egress(policy).build().unwrap());
        Self { transport, bodies: Arc::default() }
    }

    fn bodies(&self) -> Vec<Bytes> {
        self.bodies.lock().unwrap().clone()
    }
}

impl HttpService for Network {
    async fn send<'a>(&'a self, exchange: Exchange<'a>) -> Result<HttpResponse, Error> {
        let factory = exchange.request;
        let request = Box::new(move |now| -> callout_core::http::BoxFuture<'a, _> {
            let making = factory(now);
            Box::pin(async move {
                let request = making.await?;
                self.bodies.lock().unwrap().push(request.body.clone());
                Ok(request)
            })
        });
        self.transport.send(Exchange { request, ..exchange }).await
    }
}

/// Calls the server's resource with a token from its token endpoint.
async fn call(network: Network, server: &Server, auth: AuthConfig, secrets: Secrets) -> Result<String, Error> {
    let mut endpoint = EndpointConfig::new("go", "Goes", "/resource");
    endpoint.method = Method::Get;
    let mut config = IntegrationConfig::new("shop", server.url("")).with_endpoint(endpoint);
    config.auth = Some(auth);
    let engine = Engine::builder().with_http(network).build().unwrap();
    let integration = engine.load(config, &secrets).unwrap();
    engine.call(&integration, "go", Json::empty_object()).await.map(callout::Outcome::into_text)
}

async fn by_basic(server: &Server, id: &str, secret: &str) -> Result<String, Error> {
    let config = AuthConfig {
        token_url: Some(server.url("/token")),
        client_id: Some(id.to_owned()),
        ..AuthConfig::new(AuthType::OAuth2ClientCredentials)
    };
    call(Network::new(), server, config, Secrets::new().with(SecretName::ClientSecret, secret)).await
}

#[tokio::test]
async fn odd_characters_reach_a_strict_provider_by_basic() {
    let Some(server) = provider() else { return };
    assert_eq!(by_basic(&server, CLIENT_ID, CLIENT_SECRET).await.unwrap(), format!(r#"{{"client":"{CLIENT_ID}"}}"#));
    let error = by_basic(&server, CLIENT_ID, "s:e c+r%e/t+&=~!").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthFailed);
    assert!(error.message().contains("invalid_client"), "{error}");
}

/// With letters that the provider does not allow, to a reader of HTTP Basic by others still.
#[tokio::test]
async fn letters_beyond_ascii_arrive_by_basic() {
    let Some(Assertions { server, _keys }) = Assertions::start() else { return };
    let answer = by_basic(&server, "café:50%", "s/é+c%r:%C3").await.unwrap();
    assert_eq!(answer, r#"{"client":"café:50%"}"#);
    let error = by_basic(&server, "café:50%", "s/e+c%r:%C3").await.unwrap_err();
    assert!(error.message().contains("invalid_client"), "{error}");
}

/// That the provider takes the encoded pair only is what makes the first test one.
#[tokio::test]
async fn the_strict_provider_refuses_a_raw_pair() {
    let Some(server) = provider() else { return };
    let id = "shop%3A+50%25%2B%2Fa+b";
    for (pair, taken) in [
        (format!("{id}:s%3Ae+c%2Br%25e%2Ft%252B%26%3D%7E%21"), true),
        (format!("{CLIENT_ID}:{CLIENT_SECRET}"), false),
        (format!("{id}:{CLIENT_SECRET}"), false),
        // One character as it is: the plus, then the sign of an escape.
        (format!("{id}:s%3Ae+c+r%25e%2Ft%252B%26%3D%7E%21"), false),
        (format!("{id}:s%3Ae+c%2Br%25e%2Ft%2B%26%3D%7E%21"), false),
    ] {
        let basic = format!("Basic {}", BASE64_STANDARD.encode(&pair));
        let sender = Sender::post(server.url("/token")).header("content-type", FORM).header("authorization", &basic);
        let answer = sender.body("grant_type=client_credentials").send(&Network::new().transport).await.unwrap();
        let refused = matches!(answer.status, 400 | 401);
        assert_eq!((answer.status == 200, refused), (taken, !taken), "{pair}: {} {:?}", answer.status, answer.body);
    }
}

#[tokio::test]
async fn assertions_of_every_key_are_accepted() {
    let Some(server) = Assertions::start() else { return };
    let google = ObjectBuilder::new()
        .with("type", "service_account")
        .with("private_key_id", "key-1")
        .with("private_key", key("rsa.pkcs8"));
    for (issuer, key, algorithm, id) in [
        ("rsa", key("rsa.pkcs8"), "RS256", "null"),
        ("rsa", key("rsa.pkcs8").replace('\n', "\\n"), "RS256", "null"),
        ("rsa", key("rsa.pkcs1"), "RS256", "null"),
        ("p256", key("p256.pkcs8"), "ES256", "null"),
        ("p256", key("p256.sec1"), "ES256", "null"),
        ("p384", key("p384.pkcs8"), "ES384", "null"),
        ("p384", key("p384.sec1"), "ES384", "null"),
        ("ed25519", key("ed25519.pkcs8"), "EdDSA", "null"),
        ("google", Json::from(google).to_string(), "RS256", "\"key-1\""),
    ] {
        let answer = server.call(Network::new(), server.config(issuer), key).await;
        let answer = answer.unwrap_or_else(|error| panic!("{issuer}, {algorithm}: {error}"));
        let expected = format!(r#"{{"iss":"{issuer}","sub":"zoë@shop.example","alg":"{algorithm}","kid":{id}}}"#);
        assert_eq!(answer, expected);
    }
}

#[tokio::test]
async fn an_assertion_is_accepted_once() {
    let Some(server) = Assertions::start() else { return };
    for (issuer, name) in [("rsa", "rsa.pkcs8"), ("p256", "p256.sec1"), ("ed25519", "ed25519.pkcs8")] {
        let network = Network::new();
        server.call(network.clone(), server.config(issuer), key(name)).await.unwrap();
        let captured = network.bodies().remove(0);
        assert!(captured.starts_with(b"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion="));
        let again = Sender::post(server.server.url("/token")).header("content-type", FORM).body(captured);
        let answer = again.send(&network.transport).await.unwrap();
        let said = r#"{"error": "invalid_grant", "error_description": "the assertion was used before"}"#;
        assert_eq!((answer.status, std::str::from_utf8(&answer.body).unwrap()), (400, said));
        // The next call makes a new one.
        server.call(network.clone(), server.config(issuer), key(name)).await.unwrap();
    }
}

#[tokio::test]
async fn refused_assertions_fail_the_call_and_say_why() {
    let Some(server) = Assertions::start() else { return };
    let elsewhere = AuthConfig { assertion_audience: Some(server.server.url("/other")), ..server.config("rsa") };
    let too_long = AuthConfig { token_lifetime_seconds: 7200, ..server.config("rsa") };
    let rsa = key("rsa.pkcs8");
    let other_p256 = KeyPair::generate().unwrap().serialize_pem();
    for (config, key, why) in [
        (elsewhere, &rsa, "aud"),
        (too_long, &rsa, "lives too long"),
        (server.config("p256"), &other_p256, "bad_signature"),
        (server.config("p256"), &rsa, "'RS256' is not allowed"),
        (server.config("google"), &rsa, "no key of that issuer and kid"),
        (server.config("nobody"), &rsa, "no key of that issuer and kid"),
    ] {
        let network = Network::new();
        let error = server.call(network.clone(), config, key.clone()).await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::AuthFailed, None), "{error}");
        assert!(error.message().contains("answered 400"), "{error}");
        assert!(error.message().contains("invalid_grant") && error.message().contains(why), "{why}: {error}");
        assert_eq!(network.bodies().len(), 1, "neither tried again nor called");
    }
}
