//! Which private keys are accepted and what the others are told (B7), and that signing does not depend
//! on what else the program has switched on (B8).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use callout_core::{
    config::AuthConfig,
    json::{Json, ObjectBuilder},
    secret::{SecretName, Secrets},
};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, crypto::rust_crypto};

use proptest::prelude::*;

use crate::support::{Network, World, compile, jwt_bearer, key};

/// The assertion that a key given in this form signs.
async fn assertion(pem: &str) -> String {
    let config = AuthConfig { token_url: None, ..jwt_bearer() };
    let auth = compile(&config, &Secrets::new().with(SecretName::PrivateKey, pem))
        .unwrap_or_else(|faults| panic!("{faults:?}"));
    let value = World::new(&Network::answering("")).value(&auth).await.unwrap();
    value.strip_prefix("Bearer ").unwrap().to_owned()
}

/// Checks the signature with the other backend, which shares no code with the one that signs.
fn verify(jwt: &str, algorithm: Algorithm, public: &str) {
    let public = key(public);
    let decoding = match algorithm {
        Algorithm::RS256 => DecodingKey::from_rsa_pem(public.as_bytes()),
        Algorithm::ES256 | Algorithm::ES384 => DecodingKey::from_ec_pem(public.as_bytes()),
        _ => DecodingKey::from_ed_pem(public.as_bytes()),
    };
    let verifier = (rust_crypto::DEFAULT_PROVIDER.verifier_factory)(&algorithm, &decoding.unwrap()).unwrap();
    let (message, signature) = jwt.rsplit_once('.').unwrap();
    let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert!(verifier.verify(message.as_bytes(), &signature).is_ok());
    assert!(verifier.verify(format!("{message}x").as_bytes(), &signature).is_err());
    let header = BASE64_URL_SAFE_NO_PAD.decode(jwt.split('.').next().unwrap()).unwrap();
    assert!(String::from_utf8(header).unwrap().contains(&format!(r#""alg":"{algorithm:?}""#)));
}

#[tokio::test]
async fn every_form_of_a_key_signs() {
    let rsa = key("rsa.pkcs8");
    let on_one_line = rsa.replace('\n', "\\n");
    let crlf_written_out = rsa.replace('\n', "\\r\\n");
    let with_spaces = rsa.replace('\n', " ");
    let with_crlf = format!("\u{feff}\r\n{}", rsa.replace('\n', "\r\n"));
    let json = Json::from(ObjectBuilder::new().with("private_key", rsa.as_str())).to_string();
    let json_escaped_twice = Json::from(ObjectBuilder::new().with("private_key", on_one_line.as_str())).to_string();
    let after_certificate = format!("{}{rsa}", key("rsa.certificate"));
    for (pem, algorithm, public) in [
        (rsa, Algorithm::RS256, "rsa.public"),
        (key("rsa.pkcs1"), Algorithm::RS256, "rsa.public"),
        (on_one_line, Algorithm::RS256, "rsa.public"),
        (crlf_written_out, Algorithm::RS256, "rsa.public"),
        (with_spaces, Algorithm::RS256, "rsa.public"),
        (with_crlf, Algorithm::RS256, "rsa.public"),
        (json, Algorithm::RS256, "rsa.public"),
        (json_escaped_twice, Algorithm::RS256, "rsa.public"),
        (after_certificate, Algorithm::RS256, "rsa.public"),
        (key("p256.pkcs8"), Algorithm::ES256, "p256.public"),
        (key("p256.no_public.pkcs8"), Algorithm::ES256, "p256.public"),
        (key("p256.sec1"), Algorithm::ES256, "p256.public"),
        (key("p384.pkcs8"), Algorithm::ES384, "p384.public"),
        (key("p384.sec1"), Algorithm::ES384, "p384.public"),
        (key("ed25519.pkcs8"), Algorithm::EdDSA, "ed25519.public"),
    ] {
        verify(&assertion(&pem).await, algorithm, public);
    }
}

const ALLOWED: &str = "an RSA key of 2048 to 8192 bits, an EC key on P-256 or P-384, or an Ed25519 key";

#[test]
fn other_keys_are_told_what_they_are() {
    let refused = |what: &str| format!("is {what}, which no supported algorithm signs with; use {ALLOWED}");
    let encrypted = || "is encrypted; decrypt it first with `openssl pkcs8 -in FILE -out PLAIN`".to_owned();
    let no_key =
        || "is neither a PEM text (`-----BEGIN PRIVATE KEY-----` …) nor a service account's JSON file".to_owned();
    let broken = || "has a broken PEM frame: `-----BEGIN …-----` and `-----END …-----` must both be there".to_owned();
    for (pem, expected) in [
        (key("rsa1024.pkcs8"), format!("is an RSA key that cannot be used (TooSmall); use {ALLOWED}")),
        (key("rsa_pss.pkcs8"), refused("an RSA-PSS key")),
        (key("p521.pkcs8"), refused("an EC key on P-521")),
        (key("p521.sec1"), refused("an EC key on P-521")),
        (key("secp256k1.pkcs8"), refused("an EC key on secp256k1")),
        (key("secp256k1.sec1"), refused("an EC key on secp256k1")),
        (key("x25519.pkcs8"), refused("an X25519 key")),
        (key("ed448.pkcs8"), refused("an Ed448 key")),
        (key("rsa.encrypted"), encrypted()),
        (key("rsa.encrypted_pkcs1"), encrypted()),
        (key("rsa.public"), format!("is a public key; the private key is needed: {ALLOWED}")),
        (key("rsa.certificate"), format!("is a certificate; its private key is needed: {ALLOWED}")),
        (
            key("openssh"),
            format!("is an OpenSSH key; convert it with `ssh-keygen -p -m PKCS8 -f FILE`, and use {ALLOWED}"),
        ),
        (
            key("rsa.pkcs8").replace("PRIVATE KEY", "EC PRIVATE KEY"),
            refused("a broken EC key, or one on another curve"),
        ),
        (key("p256.sec1").replace("EC PRIVATE KEY", "PRIVATE KEY"), "holds no PKCS#8 key".to_owned()),
        ("secret".to_owned(), no_key()),
        (String::new(), no_key()),
        ("-----BEGIN PRIVATE KEY-----\nAAAA".to_owned(), broken()),
        ("-----BEGIN PRIVATE KEY".to_owned(), broken()),
        (
            "-----BEGIN PRIVATE KEY-----\n!?\n-----END PRIVATE KEY-----".to_owned(),
            "has a PEM frame around what is not base64".to_owned(),
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----".to_owned(), "holds no PKCS#8 key".to_owned()),
        (
            "{\"type\":\"authorized_user\"}".to_owned(),
            "is a JSON file without a `private_key`; use a service account's key file, or a PEM text".to_owned(),
        ),
        ("{\n\"type\":}".to_owned(), "begins like a JSON file but is none (line 2, column 8)".to_owned()),
    ] {
        let faults = compile(&jwt_bearer(), &Secrets::new().with(SecretName::PrivateKey, pem)).unwrap_err();
        assert_eq!(faults, [format!("auth.private_key_value: {expected}")]);
    }
}

/// Both backends are on in this program, so that the library's own default is none, and its `encode`
/// panics. What is signed here names its backend.
#[tokio::test]
async fn signing_works_where_the_library_has_no_default() {
    let pem = key("rsa.pkcs8");
    let by_default = std::panic::catch_unwind(|| {
        let signing = EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap();
        jsonwebtoken::encode(&Header::new(Algorithm::RS256), &serde_json::json!({}), &signing).is_ok()
    });
    assert!(by_default.is_err(), "both backends must be on for this test");
    verify(&assertion(&key("rsa.pkcs8")).await, Algorithm::RS256, "rsa.public");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// A key with bytes changed, lost or added is a fault or a key, and never ends the program.
    #[test]
    fn no_text_is_a_panic(
        name in prop::sample::select(vec!["rsa.pkcs8", "rsa.pkcs1", "p256.sec1", "p384.pkcs8", "ed25519.pkcs8", "openssh"]),
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[A-Za-z0-9+/=\\n{-]{0,4}"), 1..4),
    ) {
        let mut pem = key(name);
        for (at, text) in changes {
            let at = at.index(pem.len());
            pem.replace_range(at..(at + text.len()).min(pem.len()), &text);
        }
        let _ = compile(&jwt_bearer(), &Secrets::new().with(SecretName::PrivateKey, pem));
    }

    #[test]
    fn no_other_text_is_a_panic(text in "(\\PC|-----BEGIN |-----END |PRIVATE KEY-----|\\n|[{}\":,]){0,30}") {
        let _ = compile(&jwt_bearer(), &Secrets::new().with(SecretName::PrivateKey, text));
    }
}
