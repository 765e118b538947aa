//! Integrations: list, create, get, change, delete.

use axum::extract::{RawQuery, Request, State};
use callout::{
    FaultCode, Faults, Integration, IntegrationConfig, Json, Protocol, Secrets, UnknownFields, json::ObjectBuilder,
};
use callout_store::{
    AuditAction, IntegrationChange, ListQuery, Listed, NewIntegration, Permission, Sort, SortBy, StoreError,
    StoredIntegration, UnreadIntegration, Uuid,
};
use http::StatusCode;

use crate::{
    App,
    access::Asker,
    body, change,
    error::ApiError,
    page,
    query::{self, Query},
    reply::Reply,
};

/// Most characters of a search.
const MAX_SEARCH: usize = 200;

/// `GET /v1/{workspace_id}/integrations`
pub(crate) async fn list(State(app): State<App>, asker: Asker, RawQuery(query): RawQuery) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::IntegrationView).await?;
    let query = read_list_query(&Query::parse(query.as_deref()))?;
    let (looking, page) = (app.store().list_unread_integrations(workspace, &query), query.page);
    let write = move |listed: Listed<UnreadIntegration>| {
        listed.read().map(|listed| Reply::ok(page::write(page, listed, to_json)))
    };
    Ok(app.compute_with(workspace, looking, write).await??)
}

/// `POST /v1/{workspace_id}/integrations`
pub(crate) async fn create(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let done = create_checked(&app, &asker, request).await;
    asker.audited(&app, AuditAction::IntegrationCreate, "integration", done).await
}

async fn create_checked(app: &App, asker: &Asker, request: Request) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(app, Permission::IntegrationCreate).await?;
    let body = body::receive(app, request, app.options().max_body_bytes).await?;
    let work = {
        let app = app.clone();
        move || read_new(&app, workspace, &body)
    };
    let new = app.compute(workspace, work).await??;
    let stored = app.store().create_integration(workspace, new, &asker.actor()).await?;
    Ok(Reply::created(to_json(&stored)))
}

/// `GET /v1/{workspace_id}/integrations/{integration_id}`
pub(crate) async fn get(State(app): State<App>, asker: Asker) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::IntegrationView).await?;
    let looking = app.store().unread_integration(workspace, asker.id("integration_id")?);
    let write = |unread: UnreadIntegration| unread.read().map(|stored| Reply::ok(to_json(&stored)));
    Ok(app.compute_with(workspace, looking, write).await??)
}

/// `PATCH /v1/{workspace_id}/integrations/{integration_id}`
pub(crate) async fn update(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let target = asker.target("integration", "integration_id");
    let done = update_checked(&app, &asker, request).await;
    asker.audited(&app, AuditAction::IntegrationUpdate, &target, done).await
}

async fn update_checked(app: &App, asker: &Asker, request: Request) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(app, Permission::IntegrationUpdate).await?;
    let id = asker.id("integration_id")?;
    let body = body::receive(app, request, app.options().max_body_bytes).await?;
    let current = app.stored(workspace, id).await?;
    if current.builtin {
        // Whatever the change says: mending it would be in vain.
        return Err(StoreError::Builtin.into());
    }
    let opened = match app.store().secrets(&current).await {
        // One that does not open any more can be given anew.
        Err(StoreError::Sealed { .. }) => Secrets::new(),
        opened => opened?,
    };
    let work = {
        let (app, current) = (app.clone(), current.clone());
        move || change_to(&app, &current, &opened, &body)
    };
    let (change, compiled) = app.compute(workspace, work).await??;
    let stored = app.store().update_integration(&current, change, &asker.actor()).await?;
    match compiled {
        Some(compiled) => app.loaded().put(&stored, compiled),
        None => app.loaded().forget(id),
    }
    Ok(Reply::ok(to_json(&stored)))
}

/// `DELETE /v1/{workspace_id}/integrations/{integration_id}`
pub(crate) async fn delete(State(app): State<App>, asker: Asker) -> Result<StatusCode, ApiError> {
    let target = asker.target("integration", "integration_id");
    let done = delete_checked(&app, &asker).await;
    asker.audited(&app, AuditAction::IntegrationDelete, &target, done).await
}

async fn delete_checked(app: &App, asker: &Asker) -> Result<StatusCode, ApiError> {
    let workspace = asker.workspace(app, Permission::IntegrationDelete).await?;
    let id = asker.id("integration_id")?;
    app.store().delete_integration(workspace, id, &asker.actor()).await?;
    app.loaded().forget(id);
    Ok(StatusCode::NO_CONTENT)
}

/// Reads, checks and compiles what shall be created, so that every fault is told at once.
fn read_new(app: &App, workspace: Uuid, body: &[u8]) -> Result<NewIntegration, ApiError> {
    let body = body::parse(body, app.engine().limits().max_json_depth)?;
    let mut faults = Faults::new();
    let read = IntegrationConfig::read(&body, UnknownFields::RefuseInAuth, &mut faults);
    let (mut config, secrets) = read.ok_or_else(|| ApiError::invalid("body", &faults))?;
    if config.protocol != Protocol::Rest {
        // So that the faults of its endpoints are found too.
        config.protocol = Protocol::Rest;
        faults.field("protocol", |faults| {
            faults.report(FaultCode::NotOneOf, "must be rest: others cannot be created here");
        });
    }
    app.options().refuse_large(&config, &mut faults);
    if app.compile(workspace, None, config.clone(), &secrets, &mut faults).is_none() {
        return Err(ApiError::invalid("body", &faults));
    }
    Ok(NewIntegration { config, secrets, builtin: false })
}

/// Reads, checks and compiles what an integration shall become. What was compiled serves for calls if no stored
/// secret is missing in it because one does not open.
fn change_to(
    app: &App,
    current: &StoredIntegration,
    opened: &Secrets,
    body: &[u8],
) -> Result<(IntegrationChange, Option<Integration>), ApiError> {
    let body = body::parse(body, app.engine().limits().max_json_depth)?;
    let mut faults = Faults::new();
    let changed = change::apply(current, opened, &body, &mut faults);
    let Some(change::Changed { config, given, removed, carried, all }) = changed else {
        return Err(ApiError::invalid("body", &faults));
    };
    app.options().refuse_large(&config, &mut faults);
    let compiled = app.compile(current.workspace_id, Some(current.id), config.clone(), &all, &mut faults);
    let compiled = compiled.ok_or_else(|| ApiError::invalid("body", &faults))?;
    let is_whole = carried.iter().all(|name| all.get(*name).is_some());
    Ok((IntegrationChange { config, secrets: given, removed }, is_whole.then_some(compiled)))
}

fn read_list_query(query: &Query) -> Result<ListQuery, ApiError> {
    let mut faults = Faults::new();
    let enabled = query.flag("enabled", &mut faults);
    let protocol = query.text("protocol", &mut faults).and_then(|text| {
        let found = Protocol::ALL.into_iter().find(|protocol| protocol.as_str() == text);
        if found.is_none() {
            let message = format!("must be {}", Protocol::ALL.map(Protocol::as_str).join(" or "));
            faults.field("protocol", |faults| faults.report(FaultCode::NotOneOf, message));
        }
        found
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
fn to_json(stored: &StoredIntegration) -> Json {
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
