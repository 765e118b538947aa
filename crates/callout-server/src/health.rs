//! Whether the server lives, and whether it can serve.

use axum::extract::State;
use callout::json::ObjectBuilder;

use crate::{App, error::ApiError, reply::Reply};

/// `GET /healthz`: the process answers.
pub(crate) async fn live() -> Reply {
    Reply::ok(ObjectBuilder::new().with("status", "ok"))
}

/// `GET /readyz`: the store can be reached; 503 if not.
pub(crate) async fn ready(State(app): State<App>) -> Result<Reply, ApiError> {
    app.store().ping().await?;
    Ok(Reply::ok(ObjectBuilder::new().with("status", "ok")))
}
