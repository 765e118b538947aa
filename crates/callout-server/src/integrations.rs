//! Integrations: list, create, get, change, delete.

use axum::extract::{RawQuery, Request, State};
use callout::{FaultCode, Faults, IntegrationConfig, Json, Protocol, Secrets, UnknownFields, json::ObjectBuilder};
use callout_store::{
    AuditAction, IntegrationChange, ListQuery, NewIntegration, Permission, Sort, SortBy, StoredIntegration,
};
use http::StatusCode;

use crate::{
    App,
    access::Signed,
    body, change,
    error::ApiError,
    page,
    query::{self, Query},
    reply::Reply,
};

/// Most characters of a search.
const MAX_SEARCH: usize = 200;

/// `GET /v1/{workspace_id}/integrations`
pub(crate) async fn list(State(app): State<App>, signed: Signed, RawQuery(query): RawQuery) -> Result<Reply, ApiError> {
    let workspace = signed.workspace(&app, Permission::IntegrationView).await?;
    let query = read_list_query(&Query::parse(query.as_deref()))?;
    let listed = app.store().list_integrations(workspace, &query).await?;
    Ok(Reply::ok(page::write(query.page, listed, to_json)))
}

/// `POST /v1/{workspace_id}/integrations`
pub(crate) async fn create(State(app): State<App>, signed: Signed, request: Request) -> Result<Reply, ApiError> {
    let (right, action) = (Permission::IntegrationCreate, AuditAction::IntegrationCreate);
    let workspace = signed.workspace_to_change(&app, right, action).await?;
    let body = body::required(&app, request).await?;
    let mut faults = Faults::new();
    let (config, secrets) = read_new(&body, &mut faults)?;
    let (_, faults) = app.compile(workspace, None, config.clone(), secrets.clone(), faults).await?;
    if !faults.is_empty() {
        return Err(ApiError::invalid("body", &faults));
    }
    let new = NewIntegration { config, secrets, builtin: false };
    let stored = app.store().create_integration(workspace, new, &signed.actor).await?;
    Ok(Reply::created(to_json(&stored)))
}

/// `GET /v1/{workspace_id}/integrations/{integration_id}`
pub(crate) async fn get(State(app): State<App>, signed: Signed) -> Result<Reply, ApiError> {
    let workspace = signed.workspace(&app, Permission::IntegrationView).await?;
    let stored = app.store().integration(workspace, signed.id("integration_id")?).await?;
    Ok(Reply::ok(to_json(&stored)))
}

/// `PATCH /v1/{workspace_id}/integrations/{integration_id}`
pub(crate) async fn update(State(app): State<App>, signed: Signed, request: Request) -> Result<Reply, ApiError> {
    let (right, action) = (Permission::IntegrationUpdate, AuditAction::IntegrationUpdate);
    let workspace = signed.workspace_to_change(&app, right, action).await?;
    let id = signed.id("integration_id")?;
    let body = body::required(&app, request).await?;
    let current = app.store().integration(workspace, id).await?;
    let kept = app.store().secrets(&current).await?;
    let mut faults = Faults::new();
    let changed = change::apply(&current.config, &kept, &body, &mut faults);
    let Some(change::Changed { config, given, all }) = changed else {
        return Err(ApiError::invalid("body", &faults));
    };
    let (compiled, faults) = app.compile(workspace, Some(id), config.clone(), all, faults).await?;
    let (Some(compiled), true) = (compiled, faults.is_empty()) else {
        return Err(ApiError::invalid("body", &faults));
    };
    let change = IntegrationChange { config, secrets: given };
    let stored = app.store().update_integration(&current, change, &signed.actor).await?;
    app.loaded().put(&stored, compiled);
    Ok(Reply::ok(to_json(&stored)))
}

/// `DELETE /v1/{workspace_id}/integrations/{integration_id}`
pub(crate) async fn delete(State(app): State<App>, signed: Signed) -> Result<StatusCode, ApiError> {
    let (right, action) = (Permission::IntegrationDelete, AuditAction::IntegrationDelete);
    let workspace = signed.workspace_to_change(&app, right, action).await?;
    let id = signed.id("integration_id")?;
    app.store().delete_integration(workspace, id, &signed.actor).await?;
    app.loaded().forget(id);
    Ok(StatusCode::NO_CONTENT)
}

/// What cannot be read at all is refused here; other faults are collected.
fn read_new(body: &Json, faults: &mut Faults) -> Result<(IntegrationConfig, Secrets), ApiError> {
    let read = IntegrationConfig::read(body, UnknownFields::RefuseInAuth, faults);
    let (mut config, secrets) = read.ok_or_else(|| ApiError::invalid("body", faults))?;
    if config.protocol != Protocol::Rest {
        // So that the faults of its endpoints are found too.
        config.protocol = Protocol::Rest;
        faults.field("protocol", |faults| {
            faults.report(FaultCode::NotOneOf, "must be rest: others cannot be created here");
        });
    }
    Ok((config, secrets))
}

fn read_list_query(query: &Query) -> Result<ListQuery, ApiError> {
    let mut faults = Faults::new();
    let enabled = query.flag("enabled", &mut faults);
    let protocol = query.text("protocol", &mut faults).and_then(|text| match text {
        "rest" => Some(Protocol::Rest),
        "desktop" => Some(Protocol::Desktop),
        _ => {
            faults.field("protocol", |faults| faults.report(FaultCode::NotOneOf, "must be rest or desktop"));
            None
        }
    });
    let search = query.text("search", &mut faults).map(str::to_owned);
    if search.as_ref().is_some_and(|search| !(1..=MAX_SEARCH).contains(&search.chars().count())) {
        let message = format!("must have 1 to {MAX_SEARCH} characters");
        faults.field("search", |faults| faults.report(FaultCode::OutOfRange, message));
    }
    let sort = query.text("sort_by", &mut faults).map(str::to_owned);
    let sort = sort.and_then(|text| read_sort(&text, &mut faults)).unwrap_or_default();
    let page = page::read(query, &mut faults);
    query::refuse(&faults)?;
    Ok(ListQuery { enabled, protocol, search, sort, page })
}

/// `+field` or `-field`; a `+` that was not percent-encoded arrives as a space, and no sign means `+`.
fn read_sort(text: &str, faults: &mut Faults) -> Option<Sort> {
    let (descending, field) = match text.strip_prefix('-') {
        Some(field) => (true, field),
        None => (false, text.strip_prefix(['+', ' ']).unwrap_or(text)),
    };
    let by = match field {
        "name" => SortBy::Name,
        "created_at" => SortBy::CreatedAt,
        "updated_at" => SortBy::UpdatedAt,
        _ => {
            let message = "must be name, created_at or updated_at, with + or - before it";
            faults.field("sort_by", |faults| faults.report(FaultCode::NotOneOf, message));
            return None;
        }
    };
    Some(Sort { by, descending })
}

/// An integration as the API shows it: no secret stands in a config.
pub(crate) fn to_json(stored: &StoredIntegration) -> Json {
    let config = stored.config.to_json();
    let mut object =
        ObjectBuilder::new().with("id", stored.id.to_string()).with("workspace_id", stored.workspace_id.to_string());
    if let Some(config) = config.as_object() {
        for (name, value) in config.iter() {
            object = object.with(name, value.clone());
        }
    }
    object
        .with("builtin", stored.builtin)
        .with("created_at", stored.created_at.to_string())
        .with("updated_at", stored.updated_at.to_string())
        .into()
}
