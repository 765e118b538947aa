//! Whose certificates are trusted, and which one is shown.

use std::sync::Arc;

use callout_core::Error;
use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, aws_lc_rs},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{PemObject as _, SectionKind},
    },
};
use rustls_platform_verifier::Verifier;

use crate::client::invalid;

/// What TLS connections are made with.
pub(crate) struct Tls {
    pub(crate) config: ClientConfig,
    /// This machine has no CA certificates.
    pub(crate) no_platform_roots: bool,
}

/// A certificate with its chain, and its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// Trusts the platform's certificates and these roots; shows the identity to who asks. All of them are PEM.
///
/// The cryptography is what the process has chosen as its default, else aws-lc.
///
/// # Errors
///
/// `invalid_config`: a certificate or the identity cannot be used.
pub(crate) fn tls(roots: &[Vec<u8>], identity: Option<&[u8]>) -> Result<Tls, Error> {
    let roots = roots.iter().map(|pem| certificates(pem)).collect::<Result<Vec<_>, _>>()?.concat();
    let identity = identity.map(client_identity).transpose()?;
    let mut alone = RootCertStore::empty();
    for root in &roots {
        alone.add(root.clone()).map_err(unusable)?;
    }
    let provider = CryptoProvider::get_default().cloned();
    let provider = provider.unwrap_or_else(|| Arc::new(aws_lc_rs::default_provider()));
    let config = ClientConfig::builder_with_provider(provider.clone());
    let config = config.with_safe_default_protocol_versions().map_err(unusable)?;
    let (config, no_platform_roots) = match platform(roots, provider) {
        // It is called dangerous, for a verifier could be anything; this one is the platform's.
        Ok(verifier) => (config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)), false),
        // A slim container has no CA certificates. http URLs work there all the same; a TLS error
        // names the cause.
        Err(_) => (config.with_root_certificates(alone), true),
    };
    let config = match identity {
        Some((certificates, key)) => config.with_client_auth_cert(certificates, key).map_err(unusable)?,
        None => config.with_no_client_auth(),
    };
    Ok(Tls { config, no_platform_roots })
}

#[cfg(not(target_os = "android"))]
fn platform(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    // Not the same on every platform, though there are none.
    if roots.is_empty() { Verifier::new(provider) } else { Verifier::new_with_extra_roots(roots, provider) }
}

/// Android's verifier takes no others: the roots that are named then stand in its place.
#[cfg(target_os = "android")]
fn platform(roots: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Verifier, rustls::Error> {
    if !roots.is_empty() {
        return Err(rustls::Error::General("no roots beside the platform's".to_owned()));
    }
    Verifier::new(provider)
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found = CertificateDer::pem_slice_iter(pem).collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|_| invalid("root certificate: is not PEM"))?;
    if found.is_empty() {
        return Err(invalid("root certificate: holds no `BEGIN CERTIFICATE` block"));
    }
    Ok(found)
}

fn client_identity(pem: &[u8]) -> Result<Identity, Error> {
    let bad = || invalid("client identity: must be PEM with a certificate and its private key, both in one");
    let (mut certificates, mut key) = (Vec::new(), None);
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(pem) {
        let (kind, der) = section.map_err(|_| bad())?;
        match kind {
            SectionKind::Certificate => certificates.push(der.into()),
            SectionKind::PrivateKey => key = Some(PrivateKeyDer::Pkcs8(der.into())),
            SectionKind::RsaPrivateKey => key = Some(PrivateKeyDer::Pkcs1(der.into())),
            SectionKind::EcPrivateKey => key = Some(PrivateKeyDer::Sec1(der.into())),
            _ => return Err(bad()),
        }
    }
    match key {
        Some(key) if !certificates.is_empty() => Ok((certificates, key)),
        _ => Err(bad()),
    }
}

fn unusable(error: rustls::Error) -> Error {
    invalid("TLS: a root certificate or the client identity cannot be used").with_source(Unusable(error.to_string()))
}

/// The reason, without its type.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Unusable(String);
