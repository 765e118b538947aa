//! Private keys as people have them, and JWTs signed with them (RFC 7515, RFC 7519).
//!
//! Accepted: PKCS#8 (RFC 5208, RFC 5958), PKCS#1 (RFC 8017) and SEC1 (RFC 5915) in PEM (RFC 7468),
//! with line breaks, with `\n` written out in their place as environment variables have them, or
//! with spaces; and a Google service-account JSON file, or any JSON object with a `private_key` and,
//! if there is to be a `kid`, a `private_key_id`.
//!
//! | key | algorithm |
//! |---|---|
//! | RSA, 2,048 to 8,192 bits | RS256 |
//! | EC P-256 | ES256 |
//! | EC P-384 | ES384 |
//! | Ed25519 | EdDSA |

use std::fmt;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaKeyPair,
};
use base64::{
    Engine as _,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use callout_core::json::{Json, ObjectBuilder};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::aws_lc};
use pkcs8::{ObjectIdentifier, PrivateKeyInfoRef};

/// What is accepted, for messages.
const ALLOWED: &str = "an RSA key of 2048 to 8192 bits, an EC key on P-256 or P-384, or an Ed25519 key";

/// A key that signs, and the name under which the other side knows it.
pub(crate) struct SigningKey {
    algorithm: Algorithm,
    key: EncodingKey,
    id: Option<String>,
}

impl SigningKey {
    /// Reads a key, and signs with it once to be sure of it.
    ///
    /// # Errors
    ///
    /// What was found and what is allowed; nothing of the key.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let (pem, id) = if text.starts_with('{') { from_json(text)? } else { (text.to_owned(), None) };
        let block = PemBlock::find(&pem)?;
        let (algorithm, key) = block.key()?;
        let parsed = Self { algorithm, key, id };
        parsed.sign(&Json::empty_object()).map_err(|_| format!("does not sign; use {ALLOWED}"))?;
        Ok(parsed)
    }

    /// The claims as a signed JWT in compact form (RFC 7515 section 7.1).
    ///
    /// The provider is named here, so that neither the process's default nor what else the program
    /// has switched on has a say in it.
    pub(crate) fn sign(&self, claims: &Json) -> Result<String, SignError> {
        let mut header = ObjectBuilder::new().with("alg", format!("{:?}", self.algorithm)).with("typ", "JWT");
        if let Some(id) = &self.id {
            header.insert("kid", id.as_str());
        }
        let mut jwt = BASE64_URL_SAFE_NO_PAD.encode(Json::from(header).to_string());
        jwt.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut jwt);
        let signer = (aws_lc::DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).map_err(|_| SignError)?;
        let signature = signer.try_sign(jwt.as_bytes()).map_err(|_| SignError)?;
        jwt.push('.');
        BASE64_URL_SAFE_NO_PAD.encode_string(signature, &mut jwt);
        Ok(jwt)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { algorithm, key: _, id } = self; // key: secret
        f.debug_struct("SigningKey").field("algorithm", algorithm).field("id", id).finish_non_exhaustive()
    }
}

/// Signing failed. It does not with a key that has signed before, short of memory running out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SignError;

/// The PEM text and the key's id in a service-account file.
fn from_json(text: &str) -> Result<(String, Option<String>), String> {
    let file = Json::parse(text).map_err(|error| {
        format!("begins like a JSON file but is none (line {}, column {})", error.line(), error.column())
    })?;
    let Some(key) = file.get("private_key").and_then(Json::as_str) else {
        return Err("is a JSON file without a `private_key`; use a service account's key file, or a PEM text".into());
    };
    let id = file.get("private_key_id").and_then(Json::as_str).filter(|id| !id.is_empty());
    Ok((key.trim().to_owned(), id.map(str::to_owned)))
}

/// One `-----BEGIN label-----` … `-----END label-----` (RFC 7468).
struct PemBlock<'a> {
    label: &'a str,
    body: &'a str,
}

impl<'a> PemBlock<'a> {
    /// The first block with a private key, else the first block.
    fn find(text: &'a str) -> Result<Self, String> {
        let mut first = None;
        let mut rest = text;
        while let Some((block, after)) = Self::next(rest)? {
            if block.label.ends_with("PRIVATE KEY") {
                return Ok(block);
            }
            first.get_or_insert(block);
            rest = after;
        }
        first.ok_or_else(|| {
            "is neither a PEM text (`-----BEGIN PRIVATE KEY-----` …) nor a service account's JSON file".to_owned()
        })
    }

    fn next(text: &'a str) -> Result<Option<(Self, &'a str)>, String> {
        let Some((_, rest)) = text.split_once("-----BEGIN ") else { return Ok(None) };
        let broken =
            || "has a broken PEM frame: `-----BEGIN …-----` and `-----END …-----` must both be there".to_owned();
        let (label, rest) = rest.split_once("-----").ok_or_else(broken)?;
        let end = format!("-----END {label}-----");
        let (body, rest) = rest.split_once(&end).ok_or_else(broken)?;
        Ok(Some((Self { label, body }, rest)))
    }

    fn key(&self) -> Result<(Algorithm, EncodingKey), String> {
        if self.body.contains("Proc-Type:") {
            return Err(encrypted());
        }
        match self.label {
            "PRIVATE KEY" => pkcs8(&self.der()?),
            "RSA PRIVATE KEY" => rsa(&self.der()?),
            "EC PRIVATE KEY" => sec1(&self.der()?),
            "ENCRYPTED PRIVATE KEY" => Err(encrypted()),
            "OPENSSH PRIVATE KEY" => {
                Err(format!("is an OpenSSH key; convert it with `ssh-keygen -p -m PKCS8 -f FILE`, and use {ALLOWED}"))
            }
            "PUBLIC KEY" | "RSA PUBLIC KEY" => Err(format!("is a public key; the private key is needed: {ALLOWED}")),
            "CERTIFICATE" => Err(format!("is a certificate; its private key is needed: {ALLOWED}")),
            "DSA PRIVATE KEY" => Err(refused("a DSA key")),
            _ => Err(refused("a PEM text of another kind")),
        }
    }

    /// The bytes between the frame's lines; `\n` and `\r` may be written out.
    fn der(&self) -> Result<Vec<u8>, String> {
        let plain = self.body.replace("\\n", "").replace("\\r", "");
        let plain: String = plain.chars().filter(|found| !found.is_ascii_whitespace()).collect();
        BASE64_STANDARD.decode(plain).map_err(|_| "has a PEM frame around what is not base64".to_owned())
    }
}

fn encrypted() -> String {
    "is encrypted; decrypt it first with `openssl pkcs8 -in FILE -out PLAIN`".to_owned()
}

fn refused(found: &str) -> String {
    format!("is {found}, which no supported algorithm signs with; use {ALLOWED}")
}

fn pkcs8(der: &[u8]) -> Result<(Algorithm, EncodingKey), String> {
    const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
    const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
    const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
    const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
    let info = PrivateKeyInfoRef::try_from(der).map_err(|_| "holds no PKCS#8 key".to_owned())?;
    match info.algorithm.oid {
        RSA => rsa(info.private_key.as_bytes()),
        EC => ec_pkcs8(der, info.algorithm.parameters_oid().ok()),
        ED25519 => {
            Ed25519KeyPair::from_pkcs8(der).map_err(|_| "is a broken Ed25519 key".to_owned())?;
            Ok((Algorithm::EdDSA, EncodingKey::from_ed_der(der)))
        }
        RSA_PSS => Err(refused("an RSA-PSS key")),
        other => Err(refused(match other.to_string().as_str() {
            "1.3.101.110" => "an X25519 key",
            "1.3.101.111" => "an X448 key",
            "1.3.101.113" => "an Ed448 key",
            "1.2.840.10040.4.1" => "a DSA key",
            "1.2.840.113549.1.3.1" => "a Diffie-Hellman key",
            _ => "a key of an unknown type",
        })),
    }
}

/// `der` is an `RSAPrivateKey` (RFC 8017 appendix A.1.2).
fn rsa(der: &[u8]) -> Result<(Algorithm, EncodingKey), String> {
    RsaKeyPair::from_der(der).map_err(|error| format!("is an RSA key that cannot be used ({error}); use {ALLOWED}"))?;
    Ok((Algorithm::RS256, EncodingKey::from_rsa_der(der)))
}

fn ec_pkcs8(der: &[u8], curve: Option<ObjectIdentifier>) -> Result<(Algorithm, EncodingKey), String> {
    let (algorithm, signing) = match curve.map(|curve| curve.to_string()).as_deref() {
        Some("1.2.840.10045.3.1.7") => (Algorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        Some("1.3.132.0.34") => (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING),
        Some("1.3.132.0.35") => return Err(refused("an EC key on P-521")),
        Some("1.3.132.0.10") => return Err(refused("an EC key on secp256k1")),
        Some(_) => return Err(refused("an EC key on another curve")),
        None => return Err(refused("an EC key that does not name its curve")),
    };
    EcdsaKeyPair::from_pkcs8(signing, der).map_err(|_| "is a broken EC key".to_owned())?;
    Ok((algorithm, EncodingKey::from_ec_der(der)))
}

/// `der` is an `ECPrivateKey` (RFC 5915), which is tried on each curve.
fn sec1(der: &[u8]) -> Result<(Algorithm, EncodingKey), String> {
    let on = |curve: &'static EcdsaSigningAlgorithm| EcdsaKeyPair::from_private_key_der(curve, der).ok();
    for (algorithm, curve) in
        [(Algorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING), (Algorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING)]
    {
        if let Some(pkcs8) = on(curve).and_then(|key| key.to_pkcs8v1().ok()) {
            return Ok((algorithm, EncodingKey::from_ec_der(pkcs8.as_ref())));
        }
    }
    Err(if on(&ECDSA_P521_SHA512_FIXED_SIGNING).is_some() {
        refused("an EC key on P-521")
    } else if on(&ECDSA_P256K1_SHA256_ASN1_SIGNING).is_some() {
        refused("an EC key on secp256k1")
    } else {
        refused("a broken EC key, or one on another curve")
    })
}
