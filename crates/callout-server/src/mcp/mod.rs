//! `/mcp`: a workspace's endpoints as tools of the Model Context Protocol, with the rights of the key
//! that asks.
//!
//! The protocol itself is [`callout_mcp`]'s. Here stands whose tools they are, who may call them, and
//! what a request of it may cost: the key, the rate limit, the share of its workspace and the bounds on
//! bodies are those of every other request.

mod catalog;
mod changes;
mod origins;
mod tools;

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::{Request, State},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD_NO_PAD};
use callout::{ExposeSecret as _, SecretString};
use callout_mcp::{HttpOptions, HttpService, McpServer, Owner};
use callout_store::{ApiKey, Uuid};
use futures_util::StreamExt as _;
use http::{Method, StatusCode, header::AUTHORIZATION};
use http_body_util::Full;
use sha2::{Digest as _, Sha256};

pub(crate) use self::origins::cors;
pub use self::origins::{WebOrigin, WebOriginError};
use crate::{
    App,
    access::{Held, bearer},
    body,
    error::ApiError,
    mcp::tools::WorkspaceTools,
};

/// The MCP server of all workspaces.
#[derive(Clone, Debug)]
pub(crate) struct Mcp(HttpService<WorkspaceTools>);

impl Mcp {
    pub(crate) fn new(app: &App) -> Self {
        let mut options = HttpOptions::default();
        options.max_body_bytes = body::most_of_a_call(app);
        // A request needs a key, which no web page has: the host's name, which a proxy may change, adds
        // nothing.
        options.allowed_hosts = Vec::new();
        options.allowed_origins = app.options().mcp_origins.iter().map(ToString::to_string).collect();
        options.max_sessions = app.options().max_mcp_sessions;
        Self(HttpService::new(&McpServer::new(WorkspaceTools::new(app)), options))
    }

    /// Nothing is announced any more; calls in flight go on.
    pub(crate) fn close(&self) {
        self.0.close();
    }

    /// Nothing goes on.
    pub(crate) fn end(&self) {
        self.0.end();
    }
}

/// Who asks, as the tools see it.
#[derive(Clone)]
pub(crate) struct McpAsker {
    pub(crate) key: Arc<ApiKey>,
    pub(crate) workspace: Uuid,
    /// To see later whether the key is still one.
    presented: Arc<SecretString>,
    share: Held,
}

/// `/mcp`, in every method: POST asks, GET listens and DELETE ends a session.
pub(crate) async fn answer(
    State(app): State<App>,
    Extension(mcp): Extension<Mcp>,
    Extension(share): Extension<Held>,
    Extension(key): Extension<Arc<ApiKey>>,
    request: Request,
) -> Result<Response, ApiError> {
    let Some(workspace) = key.workspace_id else {
        let detail = "the operator's key belongs to no workspace, and so to no tools: use a key of a workspace";
        return Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", detail));
    };
    let presented = bearer(request.headers()).map(|key| Arc::new(SecretString::from(key)));
    let presented = presented.ok_or_else(ApiError::unauthorized)?;
    let (mut parts, body) = request.into_parts();
    // What follows is the protocol's, and logs and keeps what it is given.
    parts.headers.remove(AUTHORIZATION);
    let mut gone = None;
    if parts.method == Method::GET {
        // A stream that may last for hours; how many there are is bounded by session.
        share.release();
        let (app, presented) = (app.clone(), Arc::clone(&presented));
        gone = Some(async move { changes::gone(&app, &presented).await });
    }
    let (tenant, id) = (workspace.to_string(), owner_of(key.id, &presented));
    parts.extensions.insert(McpAsker { key, workspace, presented, share });
    let owner = Owner { tenant: &tenant, id: &id };
    let body = if parts.method == Method::POST {
        Full::new(body::receive_of(&app, &parts.headers, body, body::most_of_a_call(&app)).await?)
    } else {
        Full::default()
    };
    let answer = mcp.0.handle(owner, Request::from_parts(parts, body)).await.map(Body::new);
    Ok(match gone {
        // With a key that is gone nothing is told there.
        Some(gone) if answer.status() == StatusCode::OK => {
            answer.map(|body| Body::from_stream(body.into_data_stream().take_until(gone)))
        }
        _ => answer,
    })
}

/// Whose a session is: the key's, and of its secrets that one's. With another there is none, so that the client begins
/// one anew: the session before is told of nothing, for it asks with a secret that is no key any more.
fn owner_of(key: Uuid, presented: &SecretString) -> String {
    let digest: [u8; 32] = Sha256::digest(presented.expose_secret()).into();
    format!("{key} {}", BASE64_STANDARD_NO_PAD.encode(digest))
}
