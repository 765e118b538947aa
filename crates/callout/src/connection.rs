//! Whether an integration can be reached and authenticates, without calling any of its endpoints.

use std::{sync::Arc, time::Duration};

use callout_core::{
    Error, ErrorKind,
    config::Protocol,
    json::{Json, Number, ObjectBuilder},
    time::milliseconds,
};
use callout_transport::ConnectFault;

use crate::{
    CallOptions, Integration,
    call::{self, Call, Head},
    engine::Parts,
};

/// How a connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConnectionStatus {
    /// The API answered, and not with a status that refuses the credentials or says that it is down.
    Healthy,
    /// No token could be had, or the API answered 401 or 403.
    AuthFailed,
    /// No connection could be made, it broke, or the API answered with a status from 500 up.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// TLS failed: a certificate that is expired, for another host or of an unknown issuer.
    SslError,
    /// Nothing can be sent as configured: no URL, an address that the egress policy refuses, params
    /// that the token exchange needs and did not get.
    Misconfigured,
}

impl ConnectionStatus {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Healthy, Self::AuthFailed, Self::Unreachable, Self::Timeout, Self::SslError, Self::Misconfigured];

    /// The contract's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::AuthFailed => "auth_failed",
            Self::Unreachable => "unreachable",
            Self::Timeout => "timeout",
            Self::SslError => "ssl_error",
            Self::Misconfigured => "misconfigured",
        }
    }
}

/// What a test of the connection found.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Connection {
    /// How it stands.
    pub status: ConnectionStatus,
    /// Whether there is something to authenticate with; true for an integration without `auth`.
    pub auth_resolved: bool,
    /// The status that the API answered with.
    pub http_status: Option<u16>,
    /// From the start to the answer.
    pub duration: Duration,
    /// For people: what was found and, if it is not healthy, what to do. Holds no secret.
    pub message: String,
    /// When it was tested, since 1970-01-01 UTC.
    pub tested_at: Duration,
}

impl Connection {
    /// What is found of an integration that does not load.
    pub fn misconfigured(message: impl Into<String>, tested_at: Duration) -> Self {
        Self { tested_at, ..Self::found(ConnectionStatus::Misconfigured, false, None, message.into()) }
    }

    /// Without its times.
    fn found(status: ConnectionStatus, auth_resolved: bool, http_status: Option<u16>, message: String) -> Self {
        Self { status, auth_resolved, http_status, duration: Duration::ZERO, message, tested_at: Duration::ZERO }
    }

    /// The object that the HTTP API answers with, but for `tested_at`, which it adds: `status`, `auth_resolved`,
    /// `http_status`, `duration_ms`, `message`.
    pub fn to_builder(&self) -> ObjectBuilder {
        ObjectBuilder::new()
            .with("status", self.status.as_str())
            .with("auth_resolved", self.auth_resolved)
            .with("http_status", self.http_status)
            .with("duration_ms", Number::from_f64(milliseconds(self.duration)))
            .with("message", self.message.clone())
    }
}

pub(crate) async fn test(engine: &Arc<Parts>, integration: &Integration, params: Json) -> Connection {
    let started = engine.clock.now();
    let tested_at = engine.clock.unix();
    let found = find(engine, integration, params).await;
    let duration = engine.clock.now().saturating_duration_since(started);
    Connection { duration, tested_at, ..found }
}

/// What is found, without its times.
async fn find(engine: &Arc<Parts>, integration: &Integration, params: Json) -> Connection {
    let misconfigured = |message: &str| Connection::misconfigured(message, Duration::ZERO);
    if integration.protocol() != Protocol::Rest {
        return misconfigured("integrations of protocol `desktop` are not called over HTTP");
    }
    let Json::Object(params) = params else {
        return misconfigured("params must be a JSON object");
    };
    let Some(url) = integration.test_url() else {
        return misconfigured("there is no URL to try: set `base_url`, or add an endpoint");
    };
    let options = CallOptions::default();
    let call = Call { engine, integration, endpoint: "", options: &options };
    let Head { answer, auth_resolved } = call::head(&call, url.clone(), &params).await;
    match answer {
        Ok(response) => answered(response.status, auth_resolved),
        // An answer of the API all the same, unless the token endpoint gave it.
        Err(error) if auth_resolved && error.kind() == ErrorKind::RedirectRefused => {
            Connection::found(ConnectionStatus::Healthy, auth_resolved, error.status(), error.to_string())
        }
        Err(error) => unanswered(&error, auth_resolved),
    }
}

fn answered(http_status: u16, auth_resolved: bool) -> Connection {
    let (status, message) = match http_status {
        401 | 403 => (ConnectionStatus::AuthFailed, format!("the API answered {http_status} to these credentials")),
        500.. => (ConnectionStatus::Unreachable, format!("the API answered {http_status}: it is there, and not well")),
        _ => (ConnectionStatus::Healthy, format!("the API answered {http_status}")),
    };
    Connection::found(status, auth_resolved, Some(http_status), message)
}

fn unanswered(error: &Error, auth_resolved: bool) -> Connection {
    let status = match (error.kind(), ConnectFault::of(error)) {
        (
            ErrorKind::EgressDenied
            | ErrorKind::MissingAuthParam
            | ErrorKind::InvalidParams
            | ErrorKind::MissingSecret
            | ErrorKind::InvalidConfig,
            _,
        ) => ConnectionStatus::Misconfigured,
        (_, Some(ConnectFault::Tls)) => ConnectionStatus::SslError,
        (ErrorKind::Timeout, _) | (_, Some(ConnectFault::Timeout)) => ConnectionStatus::Timeout,
        (ErrorKind::AuthFailed | ErrorKind::RedirectRefused, _) => ConnectionStatus::AuthFailed,
        _ => ConnectionStatus::Unreachable,
    };
    Connection::found(status, auth_resolved, error.status(), error.to_string())
}
