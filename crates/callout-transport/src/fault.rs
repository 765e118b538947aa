//! What went wrong on the wire, classified once: the one place that walks a client error's chain.

use std::{error::Error as StdError, io, net::SocketAddr, time::Duration};

use callout_core::{Error, ErrorKind, http::Replay};
use hyper_util::client::legacy;

use crate::{connector::Used, egress::Refusal, resolver::LookupError, retry::Failure, target::Target};

/// How long the text of a cause may be, in characters: some of it is the upstream's.
const MAX_CAUSE: usize = 300;

/// Why no connection could be made.
///
/// ```
/// use callout_core::{Error, ErrorKind, http::Replay};
/// use callout_transport::ConnectFault;
///
/// let other = Error::new(ErrorKind::Timeout, "too slow");
/// assert_eq!(ConnectFault::of(&other), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConnectFault {
    /// The host's name could not be looked up.
    Lookup,
    /// Nothing listens there, or the network has no way to it.
    Unreachable,
    /// It took longer than `Timeouts::connect`.
    Timeout,
    /// The TLS handshake failed: a certificate that is expired, for another host or of an unknown
    /// issuer; a client certificate that is missing or refused.
    Tls,
    /// Something else, such as a proxy that refuses.
    Other,
}

impl ConnectFault {
    /// What a transport's error was, if it was about making a connection. A client certificate that is
    /// refused counts too, though it is so only after the connection was made.
    pub fn of(error: &Error) -> Option<Self> {
        let mut link = error.source();
        while let Some(cause) = link {
            if let Some(Cause { fault, .. }) = cause.downcast_ref() {
                return *fault;
            }
            link = cause.source();
        }
        None
    }
}

/// The source of an [`Error`]: the text of the whole chain, and nothing of the client's own types.
#[derive(Debug, thiserror::Error)]
#[error("{text}")]
struct Cause {
    fault: Option<ConnectFault>,
    text: String,
}

/// A failed attempt: the error for the caller, and what the retry loop needs to know of it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) failure: Failure,
    pub(crate) error: Error,
}

impl Fault {
    /// One that another attempt would only repeat.
    pub(crate) fn last(error: Error) -> Self {
        Self { failure: Failure::Final, error }
    }

    /// The error for the caller. What may have been carried out must not be called retryable where
    /// doing it twice is not the same as doing it once.
    pub(crate) fn into_error(self, replay: Replay) -> Error {
        match (self.failure, replay) {
            (Failure::Stale | Failure::Broken | Failure::TimedOut, Replay::OnlyUnsent) => {
                let caution =
                    |message: &str| format!("{message}; it may have been carried out, so it is not sent again");
                self.error.map_message(caution).with_retryable(false).with_may_be_carried_out()
            }
            _ => self.error,
        }
    }

    /// The same where a redirect has been followed: what led there has reached the server.
    pub(crate) fn after_an_answer(self) -> Self {
        match self.failure {
            Failure::Unsent | Failure::Unprocessed => Self { failure: Failure::Broken, ..self },
            Failure::Stale | Failure::Broken | Failure::TimedOut | Failure::Final => self,
        }
    }

    fn connect(fault: ConnectFault, message: String, text: String) -> Self {
        // A certificate does not get better from asking again.
        let (failure, retryable) =
            if fault == ConnectFault::Tls { (Failure::Final, false) } else { (Failure::Unsent, true) };
        let error = Error::new(ErrorKind::Connect, message).with_retryable(retryable);
        Self { failure, error: error.with_source(Cause { fault: Some(fault), text }) }
    }

    /// The connection broke, or what came over it was no answer.
    pub(crate) fn broken(message: String, source: &(dyn StdError + 'static)) -> Self {
        // A refused client certificate arrives with the first answer, after the handshake.
        let cause = Cause { fault: is_tls(source).then_some(ConnectFault::Tls), text: chain_text(source) };
        let error = Error::new(ErrorKind::Interrupted, message).with_retryable(true).with_source(cause);
        Self { failure: Failure::Broken, error }
    }

    pub(crate) fn attempt_timed_out(target: &Target, limit: Duration) -> Self {
        let message = format!("no whole answer from {target} within {limit:?}, the bound on one attempt");
        Self { failure: Failure::TimedOut, error: Error::new(ErrorKind::Timeout, message).with_retryable(true) }
    }

    pub(crate) fn denied(target: &Target, refusal: Refusal) -> Self {
        Self::last(denied(target, refusal))
    }

    pub(crate) fn headers_too_large(target: &Target, most: usize) -> Self {
        Self::last(Error::new(
            ErrorKind::ResponseTooLarge,
            format!("the headers of {target}'s answer are larger than {most} bytes (`max_header_bytes`)"),
        ))
    }

    /// The same, found by the client while it reads them: it does not say what is too much, their bytes or,
    /// over HTTP/1, their number.
    fn head_too_large(target: &Target, most: usize) -> Self {
        Self::last(Error::new(
            ErrorKind::ResponseTooLarge,
            format!(
                "the headers of {target}'s answer are larger than {most} bytes (`max_header_bytes`), or more than 100 \
                 of them"
            ),
        ))
    }

    /// From the client, before any answer.
    pub(crate) fn of_request(error: &legacy::Error, target: &Target, settings: Settings) -> Self {
        if let Some(LookupError::Refused(refusal)) = find(error) {
            return Self::denied(target, *refusal);
        }
        // With TLS 1.3 a client is refused after it is done with its handshake, and may have sent its request by then,
        // which nobody has read.
        if error.is_connect() || refused_client(error).is_some() {
            return Self::of_connect(error, target, settings);
        }
        if let Some(fault) = find::<h2::Error>(error).and_then(|said| Self::of_http_2(said, error, target)) {
            return fault;
        }
        match Self::of_answer(error, target, settings) {
            broken if broken.failure == Failure::Broken && is_stale(error) => {
                Self { failure: Failure::Stale, ..broken }
            }
            fault => fault,
        }
    }

    /// What a server says of a request over HTTP/2 that it has not answered, where that says more than that
    /// the connection broke.
    fn of_http_2(said: &h2::Error, source: &(dyn StdError + 'static), target: &Target) -> Option<Self> {
        let reason = said.reason().filter(|_| said.is_remote())?;
        // RFC 9113 section 8.7. A connection that ends at an earlier request would say so too, but hyper tells the same
        // of a request that it hands over just then, which the server may well answer.
        if said.is_reset() && reason == h2::Reason::REFUSED_STREAM {
            let message = format!("{target} says that it has not processed the request");
            return Some(Self { failure: Failure::Unprocessed, ..Self::broken(message, source) });
        }
        if reason == h2::Reason::HTTP_1_1_REQUIRED {
            let message = format!("{target} takes this request over HTTP/1.1 only, though it has chosen HTTP/2");
            let Self { error, .. } = Self::broken(message, source);
            return Some(Self::last(error.with_retryable(false)));
        }
        None
    }

    /// From the client, while an answer is read.
    pub(crate) fn of_answer(error: &(dyn StdError + 'static), target: &Target, settings: Settings) -> Self {
        let hyper = find::<hyper::Error>(error);
        if hyper.is_some_and(hyper::Error::is_parse_too_large) {
            return Self::head_too_large(target, settings.max_header_bytes);
        }
        if hyper.is_some_and(hyper::Error::is_parse) {
            return Self::broken(format!("what {target} answered is not valid HTTP"), error);
        }
        Self::broken(format!("the connection to {target} broke before the answer was complete"), error)
    }

    fn of_connect(error: &(dyn StdError + 'static), target: &Target, settings: Settings) -> Self {
        let text = chain_text(error);
        let via = if settings.proxied { " by way of the proxy" } else { "" };
        if find::<LookupError>(error).is_some() {
            let whose = if settings.proxied { "the proxy on the way to " } else { "" };
            return Self::connect(
                ConnectFault::Lookup,
                format!("the name of {whose}{target} cannot be looked up"),
                text,
            );
        }
        if timed_out(error) {
            // Of several addresses each had its share of it.
            let message =
                format!("no connection to {target}{via} in time, for which it has {:?}", settings.connect_timeout);
            return Self::connect(ConnectFault::Timeout, message, text);
        }
        let refused = refused_certificate(error).or_else(|| refused_client(error));
        if refused.is_some() || is_tls(error) {
            let hint = if settings.no_platform_roots { "; this machine has no CA certificates" } else { "" };
            let why = refused.map_or_else(|| innermost(error) + hint, str::to_owned);
            let message = format!("no trusted TLS connection to {target}{via}: {why}");
            return Self::connect(ConnectFault::Tls, message, text);
        }
        let message = format!("no connection to {target}{via}: {}", innermost(error));
        let fault = find::<io::Error>(error).map_or(ConnectFault::Other, |_| ConnectFault::Unreachable);
        Self::connect(fault, message, text)
    }
}

/// What messages name besides the target.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) connect_timeout: Duration,
    pub(crate) max_header_bytes: usize,
    pub(crate) no_platform_roots: bool,
    pub(crate) proxied: bool,
}

/// The verdict on an address, as an error. It does not say which address a name has: that is the
/// network's own affair, and a tenant may be reading. What a literal carries, its writer knows.
fn denied(target: &Target, refusal: Refusal) -> Error {
    let Refusal { what, metadata, carried } = refusal;
    let is_name = matches!(target.host(), url::Host::Domain(_));
    let verb = if is_name { "leads to" } else { "is" };
    let way_out = if metadata {
        "only an allow-list entry that is this very address opens it".to_owned()
    } else {
        format!("to open it, allow it in the egress policy: `--allow {target}` or `EgressPolicy::allow(\"{target}\")`")
    };
    let too = match carried {
        Some(carried) if !is_name => {
            format!("; it carries {carried}: allow `{}` too", SocketAddr::from((carried, target.port())))
        }
        _ => String::new(),
    };
    Error::new(ErrorKind::EgressDenied, format!("{target} {verb} {what}, which calls may not reach; {way_out}{too}"))
}

fn links<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An io::Error that wraps another error skips it in `source`.
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        wrapped.map(|wrapped| wrapped as &(dyn StdError + 'static)).or_else(move || error.source())
    })
}

fn find<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    links(error).find_map(<dyn StdError>::downcast_ref)
}

/// Whether TLS itself failed, in place of what carries it.
fn is_tls(error: &(dyn StdError + 'static)) -> bool {
    find::<rustls::Error>(error).is_some()
}

/// What is wrong with a server's certificate, and what to do, where the TLS library says it in words of its own alone.
fn refused_certificate(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    use rustls::{CertificateError, Error, OtherError};
    let Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) = find::<Error>(error)? else {
        return None;
    };
    match cause.to_string().as_str() {
        "CaUsedAsEndEntity" => Some(
            "its certificate is that of a CA, which cannot stand for a host: issue one for the host with it, or make \
             it with `-addext basicConstraints=critical,CA:FALSE`",
        ),
        "UnsupportedCertVersion" => Some(
            "its certificate is of X.509 version 1, which names no host: make it of version 3, with \
             `-addext subjectAltName=DNS:NAME`",
        ),
        _ => None,
    }
}

/// Why a server refuses a client, if it is for its certificate (RFC 8446 section 6.2). It is known by the alert's text:
/// over HTTP/2 nothing else is kept of what ended a connection.
fn refused_client(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    match innermost(error).strip_prefix("received fatal alert: ")? {
        "CertificateRequired" => {
            Some("it wants a client certificate: `--client-identity` or `with_client_identity_pem` gives one")
        }
        "BadCertificate"
        | "UnsupportedCertificate"
        | "CertificateRevoked"
        | "CertificateExpired"
        | "CertificateUnknown"
        | "UnknownCA"
        | "DecryptError"
        | "AccessDenied" => Some(
            "it refuses the client certificate, or the lack of one (`--client-identity`, `with_client_identity_pem`)",
        ),
        _ => None,
    }
}

/// Whether what broke before an answer's head is a connection that its server had most likely given up by then: it
/// ended after it had carried an answer, or the server says itself that it ends it, and not for a fault (RFC 9113
/// section 6.8).
fn is_stale(error: &legacy::Error) -> bool {
    if let Some(said) = find::<h2::Error>(error) {
        return said.is_go_away() && said.is_remote() && said.reason() == Some(h2::Reason::NO_ERROR);
    }
    let has_ended = find::<hyper::Error>(error).is_some_and(hyper::Error::is_incomplete_message)
        || (find::<io::Error>(error).is_some() && !is_tls(error));
    has_ended && error.connect_info().is_some_and(Used::was)
}

fn timed_out(error: &(dyn StdError + 'static)) -> bool {
    links(error)
        .filter_map(<dyn StdError>::downcast_ref)
        .any(|found: &io::Error| found.kind() == io::ErrorKind::TimedOut)
}

/// The text of the last cause, which says most.
fn innermost(error: &(dyn StdError + 'static)) -> String {
    links(error).last().map(|cause| bounded(&text(cause))).unwrap_or_default()
}

/// A cause in words. Those of HTTP/2 may hold what the upstream says (`GOAWAY`, RFC 9113 section 6.8), which
/// may be anything, such as the key that it was sent.
fn text(cause: &(dyn StdError + 'static)) -> String {
    match cause.downcast_ref::<h2::Error>() {
        Some(error) => match error.reason() {
            Some(reason) => format!("HTTP/2: {}", reason.description()),
            None => "HTTP/2".to_owned(),
        },
        None => cause.to_string(),
    }
}

fn chain_text(error: &(dyn StdError + 'static)) -> String {
    let mut texts: Vec<String> = links(error).map(text).collect();
    texts.dedup();
    bounded(&texts.join(": "))
}

/// Without controls, and cut.
fn bounded(text: &str) -> String {
    text.chars().map(|found| if found.is_control() { ' ' } else { found }).take(MAX_CAUSE).collect()
}
