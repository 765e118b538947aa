//! The audit log: who changed what, when, with what result; never a value.

use axum::extract::{RawQuery, State};
use callout::{Json, json::ObjectBuilder};
use callout_store::{AuditEntry, Permission, Uuid};

use crate::{App, access::Asker, error::ApiError, page, reply::Reply};

/// `GET /v1/{workspace_id}/audit-log`, newest first.
pub(crate) async fn list(State(app): State<App>, asker: Asker, RawQuery(query): RawQuery) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::AuditView).await?;
    read(&app, Some(workspace), query.as_deref()).await
}

/// `GET /v1/audit-log`: of all workspaces and of what belongs to none, for the operator.
pub(crate) async fn list_all(
    State(app): State<App>,
    asker: Asker,
    RawQuery(query): RawQuery,
) -> Result<Reply, ApiError> {
    asker.operator()?;
    read(&app, None, query.as_deref()).await
}

async fn read(app: &App, workspace: Option<Uuid>, query: Option<&str>) -> Result<Reply, ApiError> {
    let page = page::asked(query)?;
    let listed = app.store().audit(workspace, page).await?;
    Ok(Reply::ok(page::write(page, listed, to_json)))
}

fn to_json(entry: &AuditEntry) -> Json {
    ObjectBuilder::new()
        .with("id", entry.id)
        .with("at", entry.at.to_string())
        .with("workspace_id", entry.workspace_id.map(|id| id.to_string()))
        .with("key_id", entry.actor.key_id.map(|id| id.to_string()))
        .with("actor", entry.actor.name.as_str())
        .with("request_id", entry.actor.request_id.clone())
        .with("action", entry.action.as_str())
        .with("target", entry.target.as_str())
        .with("result", entry.result.as_str())
        .into()
}
