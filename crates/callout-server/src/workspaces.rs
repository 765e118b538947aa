//! Workspaces: made and listed by the operator, deleted by the operator or their owner.

use axum::extract::{RawQuery, Request, State};
use callout::{FaultCode, Faults, Json, json::ObjectBuilder};
use callout_store::{AuditAction, Permission, Workspace};
use http::StatusCode;

use crate::{
    App,
    access::Signed,
    body,
    error::ApiError,
    page,
    query::{self, Query},
    reply::Reply,
};

/// Most characters of a workspace's name.
const MAX_NAME: usize = 256;

/// `GET /v1/workspaces`
pub(crate) async fn list(State(app): State<App>, signed: Signed, RawQuery(query): RawQuery) -> Result<Reply, ApiError> {
    signed.operator()?;
    let mut faults = Faults::new();
    let page = page::read(&Query::parse(query.as_deref()), &mut faults);
    query::refuse(&faults)?;
    let listed = app.store().list_workspaces(page).await?;
    Ok(Reply::ok(page::write(page, listed, to_json)))
}

/// `POST /v1/workspaces`
pub(crate) async fn create(State(app): State<App>, signed: Signed, request: Request) -> Result<Reply, ApiError> {
    signed.operator()?;
    let name = read_name(&body::required(&app, request).await?)?;
    let workspace = app.store().create_workspace(&name, &signed.actor).await?;
    Ok(Reply::created(to_json(&workspace)))
}

/// `DELETE /v1/workspaces/{workspace_id}`: with its integrations, secrets and keys.
pub(crate) async fn delete(State(app): State<App>, signed: Signed) -> Result<StatusCode, ApiError> {
    let (right, action) = (Permission::WorkspaceDelete, AuditAction::WorkspaceDelete);
    let workspace = signed.workspace_to_change(&app, right, action).await?;
    app.store().delete_workspace(workspace, &signed.actor).await?;
    app.keys().forget_workspace(workspace);
    Ok(StatusCode::NO_CONTENT)
}

fn read_name(body: &Json) -> Result<String, ApiError> {
    let mut faults = Faults::new();
    let name = body.get("name").and_then(Json::as_str);
    faults.field("name", |faults| match name {
        None => faults.report(FaultCode::Missing, "is required and a string"),
        Some(name) if !(1..=MAX_NAME).contains(&name.chars().count()) => {
            faults.report(FaultCode::OutOfRange, format!("must have 1 to {MAX_NAME} characters"));
        }
        Some(name) if name.chars().any(char::is_control) => {
            faults.report(FaultCode::Pattern, "must not hold control characters");
        }
        Some(_) => {}
    });
    match name {
        Some(name) if faults.is_empty() => Ok(name.to_owned()),
        _ => Err(ApiError::invalid("body", &faults)),
    }
}

fn to_json(workspace: &Workspace) -> Json {
    ObjectBuilder::new()
        .with("id", workspace.id.to_string())
        .with("name", workspace.name.as_str())
        .with("created_at", workspace.created_at.to_string())
        .into()
}
