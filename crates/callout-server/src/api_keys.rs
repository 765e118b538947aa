//! API keys: make, list, rotate, delete. A key is shown once.

use axum::extract::{RawQuery, Request, State};
use callout::{ExposeSecret, FaultCode, Faults, Json, SecretString, json::ObjectBuilder};
use callout_store::{ApiKey, AuditAction, NewApiKey, Permission, Role, Uuid};
use http::StatusCode;

use crate::{App, access::Asker, body, error::ApiError, page, reply::Reply};

/// Most days that a key may be valid.
const MAX_DAYS: i64 = 90;
/// Most permissions that a key may be given beside its role's.
const MAX_PERMISSIONS: usize = 32;

/// `GET /v1/{workspace_id}/api-keys`
pub(crate) async fn list(State(app): State<App>, asker: Asker, RawQuery(query): RawQuery) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::ApiKeyView).await?;
    let page = page::asked(query.as_deref())?;
    let listed = app.store().list_api_keys(workspace, page).await?;
    Ok(Reply::ok(page::write(page, listed, |key| to_json(key).into())))
}

/// `POST /v1/{workspace_id}/api-keys`
pub(crate) async fn create(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let done = create_checked(&app, &asker, request).await;
    asker.audited(&app, AuditAction::ApiKeyCreate, "api_key", done).await
}

async fn create_checked(app: &App, asker: &Asker, request: Request) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(app, Permission::ApiKeyCreate).await?;
    let new = read_new(&body::required(app, request).await?, workspace)?;
    grant(&asker.key, new.role, &new.permissions)?;
    let (key, secret) = app.store().create_api_key(new, &asker.actor()).await?;
    Ok(Reply::created(with_secret(&key, &secret)))
}

/// `POST /v1/{workspace_id}/api-keys/{key_id}/rotate`
pub(crate) async fn rotate(State(app): State<App>, asker: Asker) -> Result<Reply, ApiError> {
    let target = asker.target("api_key", "key_id");
    let done = rotate_checked(&app, &asker).await;
    asker.audited(&app, AuditAction::ApiKeyRotate, &target, done).await
}

async fn rotate_checked(app: &App, asker: &Asker) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(app, Permission::ApiKeyCreate).await?;
    let id = asker.id("key_id")?;
    let key = app.store().api_key(workspace, id).await?;
    // Whoever rotates a key holds it afterwards.
    grant(&asker.key, key.role, &key.permissions)?;
    let (key, secret) = app.store().rotate_api_key(workspace, id, &asker.actor()).await?;
    app.keys().forget(id);
    Ok(Reply::ok(with_secret(&key, &secret)))
}

/// `DELETE /v1/{workspace_id}/api-keys/{key_id}`
pub(crate) async fn delete(State(app): State<App>, asker: Asker) -> Result<StatusCode, ApiError> {
    let target = asker.target("api_key", "key_id");
    let done = delete_checked(&app, &asker).await;
    asker.audited(&app, AuditAction::ApiKeyDelete, &target, done).await
}

async fn delete_checked(app: &App, asker: &Asker) -> Result<StatusCode, ApiError> {
    let workspace = asker.workspace(app, Permission::ApiKeyDelete).await?;
    let id = asker.id("key_id")?;
    app.store().delete_api_key(workspace, id, &asker.actor()).await?;
    app.keys().forget(id);
    Ok(StatusCode::NO_CONTENT)
}

/// A key grants no more than its maker has.
fn grant(maker: &ApiKey, role: Role, permissions: &[Permission]) -> Result<(), ApiError> {
    let asked = role.permissions().iter().chain(permissions);
    let beyond: Vec<_> = asked.filter(|right| !maker.allows(**right)).map(|right| right.as_str()).collect();
    if beyond.is_empty() {
        return Ok(());
    }
    let detail = format!("a key grants no more than its maker has, which is not {}", beyond.join(", "));
    Err(ApiError::new(StatusCode::FORBIDDEN, "forbidden", detail))
}

fn read_new(body: &Json, workspace: Uuid) -> Result<NewApiKey, ApiError> {
    let mut faults = Faults::new();
    let Some(fields) = body.as_object() else {
        return Err(ApiError::invalid_value(&["body"], FaultCode::WrongType.as_str(), "must be an object"));
    };
    let days = read_days(fields.get("duration_days"), &mut faults);
    let name = faults.field("name", |faults| read_name(fields.get("name"), faults));
    let role = match fields.get("role") {
        None => Role::Member,
        Some(role) => faults.field("role", |faults| read_role(role, faults)).unwrap_or(Role::Member),
    };
    let permissions = faults.field("permissions", |faults| read_permissions(fields.get("permissions"), faults));
    if !faults.is_empty() {
        return Err(ApiError::invalid("body", &faults));
    }
    Ok(NewApiKey { workspace_id: Some(workspace), name, role, permissions, days })
}

fn read_days(value: Option<&Json>, faults: &mut Faults) -> u32 {
    faults.field("duration_days", |faults| {
        let Some(value) = value else {
            faults.report(FaultCode::Missing, "is required");
            return 0;
        };
        let days = value.as_number().and_then(callout::json::Number::as_whole);
        match days {
            Some(days @ 1..=MAX_DAYS) => u32::try_from(days).unwrap_or(0),
            Some(_) => {
                faults.report(FaultCode::OutOfRange, format!("must be 1 to {MAX_DAYS}"));
                0
            }
            None => {
                faults.report(FaultCode::WrongType, format!("must be an integer, not {}", value.type_name()));
                0
            }
        }
    })
}

fn read_name(value: Option<&Json>, faults: &mut Faults) -> Option<String> {
    match value {
        None | Some(Json::Null) => None,
        Some(Json::String(name)) => {
            body::check_name(name, faults);
            Some(name.to_string())
        }
        Some(other) => {
            faults.report(FaultCode::WrongType, format!("must be a string, not {}", other.type_name()));
            None
        }
    }
}

fn read_role(value: &Json, faults: &mut Faults) -> Option<Role> {
    let role = value.as_str().and_then(|text| text.parse().ok()).filter(|role| *role != Role::Operator);
    if role.is_none() {
        faults.report(FaultCode::NotOneOf, "must be one of viewer, member, admin, owner");
    }
    role
}

fn read_permissions(value: Option<&Json>, faults: &mut Faults) -> Vec<Permission> {
    let Some(value) = value else { return Vec::new() };
    let Some(elements) = value.as_array().filter(|elements| elements.len() <= MAX_PERMISSIONS) else {
        let found = value.as_array().map_or(value.type_name(), |_| "a longer one");
        faults.report(FaultCode::WrongType, format!("must be an array of at most {MAX_PERMISSIONS}, not {found}"));
        return Vec::new();
    };
    let mut permissions = Vec::new();
    for (at, element) in elements.iter().enumerate() {
        match element.as_str().and_then(|text| text.parse::<Permission>().ok()) {
            Some(permission) if !permissions.contains(&permission) => permissions.push(permission),
            Some(_) => {}
            None => faults.index(at, |faults| {
                let all: Vec<_> = Permission::ALL.iter().map(|permission| permission.as_str()).collect();
                faults.report(FaultCode::NotOneOf, format!("must be one of {}", all.join(", ")));
            }),
        }
    }
    permissions
}

fn with_secret(key: &ApiKey, secret: &SecretString) -> Json {
    to_json(key).with("api_key", secret.expose_secret()).into()
}

fn to_json(key: &ApiKey) -> ObjectBuilder {
    ObjectBuilder::new()
        .with("key_id", key.id.to_string())
        .with("name", key.name.clone())
        .with("role", key.role.as_str())
        .with("permissions", key.permissions.iter().map(|right| Json::from(right.as_str())).collect::<Json>())
        .with("created_at", key.created_at.to_string())
        .with("expires_at", key.expires_at.map(|end| end.to_string()))
}
