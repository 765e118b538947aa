//! Workspaces: made and listed by the operator, deleted by the operator or their owner.

use axum::extract::{RawQuery, Request, State};
use callout::{FaultCode, Faults, Json, json::ObjectBuilder};
use callout_store::{AuditAction, Permission, StoreError, Workspace};
use http::StatusCode;

use crate::{App, access::Asker, body, error::ApiError, page, reply::Reply};

/// `GET /v1/workspaces`
pub(crate) async fn list(State(app): State<App>, asker: Asker, RawQuery(query): RawQuery) -> Result<Reply, ApiError> {
    asker.operator()?;
    let page = page::asked(query.as_deref())?;
    let listed = app.store().list_workspaces(page).await?;
    Ok(Reply::ok(page::write(page, listed, to_json)))
}

/// `POST /v1/workspaces`
pub(crate) async fn create(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let done = create_checked(&app, &asker, request).await;
    asker.audited(&app, AuditAction::WorkspaceCreate, "workspace", done).await
}

async fn create_checked(app: &App, asker: &Asker, request: Request) -> Result<Reply, ApiError> {
    asker.operator()?;
    let name = read_name(&body::required(app, request).await?)?;
    let created = app.store().create_workspace(&name, &asker.actor()).await;
    let workspace = created.map_err(|error| match error {
        StoreError::NameTaken(name) => ApiError::name_taken(&name, ""),
        other => other.into(),
    })?;
    Ok(Reply::created(to_json(&workspace)))
}

/// `DELETE /v1/workspaces/{workspace_id}`: with its integrations, secrets and keys.
pub(crate) async fn delete(State(app): State<App>, asker: Asker) -> Result<StatusCode, ApiError> {
    let target = asker.target("workspace", "workspace_id");
    let done = delete_checked(&app, &asker).await;
    asker.audited(&app, AuditAction::WorkspaceDelete, &target, done).await
}

async fn delete_checked(app: &App, asker: &Asker) -> Result<StatusCode, ApiError> {
    let workspace = asker.workspace(app, Permission::WorkspaceDelete).await?;
    app.store().delete_workspace(workspace, &asker.actor()).await?;
    app.keys().forget_workspace(workspace);
    app.loaded().forget_workspace(workspace);
    Ok(StatusCode::NO_CONTENT)
}

fn read_name(body: &Json) -> Result<String, ApiError> {
    let mut faults = Faults::new();
    let name = body.get("name").and_then(Json::as_str);
    faults.field("name", |faults| match name {
        None => faults.report(FaultCode::Missing, "is required and a string"),
        Some(name) => body::check_name(name, faults),
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
