//! Calls of an endpoint: test, with every stage, and execute, with the text alone.

use std::time::Duration;

use axum::extract::{Request, State};
use callout::{
    Connection, FaultCode, Json, Outcome, Trace,
    json::{Number, ObjectBuilder},
    milliseconds,
};
use callout_store::{Permission, Timestamp};

use crate::{
    App,
    access::Asker,
    body,
    call_log::{Call, integration_name},
    envelope::RequestId,
    error::{ApiError, call_error, refused_call},
    reply::Reply,
};

/// `POST /v1/{workspace_id}/integrations/{integration_id}/endpoints/{endpoint_name}/test`
///
/// Runs on a disabled integration too. Whatever becomes of the call, the answer is 200 with the
/// breakdown; only an endpoint that does not exist is not found.
pub(crate) async fn test(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::IntegrationView).await?;
    let id = asker.id("integration_id")?;
    let params = read_params(&body::required(&app, request).await?)?;
    let loaded = app.loaded().get(&app, workspace, id).await?;
    let endpoint = asker.path("endpoint_name");
    let request_id = asker.request_id();
    let call = Call { kind: "test", workspace, integration: id, loaded: &loaded, endpoint, request_id };
    let integration = match &loaded {
        Ok(integration) => integration,
        Err(error) => {
            call.ended(&app, None, 0, Some(error), Duration::ZERO);
            return Ok(Reply::ok(Trace::failed(error.clone()).to_json()));
        }
    };
    let trace = app.engine().trace(integration, endpoint, params).await;
    call.ended(&app, trace.status, trace.retries, trace.error.as_ref(), trace.duration);
    match &trace.error {
        Some(error) if error.kind() == callout::ErrorKind::UnknownEndpoint => Err(ApiError::not_found("endpoint")),
        _ => Ok(Reply::written(trace.to_json_text())),
    }
}

/// `POST /v1/{workspace_id}/integrations/{integration_id}/endpoints/{endpoint_name}/execute`
///
/// An upstream that fails is an answer with `error`, as in a test; what is wrong with the request
/// itself (params, an integration that is disabled) is refused.
pub(crate) async fn execute(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::IntegrationExecute).await?;
    let id = asker.id("integration_id")?;
    let params = read_params(&body::required(&app, request).await?)?;
    let started = app.clock().now();
    let loaded = app.loaded().get(&app, workspace, id).await?;
    let endpoint = asker.path("endpoint_name");
    let called = match &loaded {
        Ok(integration) => app.engine().call(integration, endpoint, params).await,
        Err(error) => Err(error.clone()),
    };
    let duration = app.clock().now().saturating_duration_since(started);
    let request_id = asker.request_id();
    let call = Call { kind: "execute", workspace, integration: id, loaded: &loaded, endpoint, request_id };
    call.gave(&app, &called, duration);
    match called {
        Ok(outcome) => Ok(Reply::ok(outcome_json(&outcome))),
        Err(error) => match refused_call(&error) {
            Some(refusal) => Err(refusal),
            None => Ok(Reply::ok(failure_json(&error, duration))),
        },
    }
}

/// `POST /v1/{workspace_id}/integrations/{integration_id}/test-connection`
pub(crate) async fn test_connection(State(app): State<App>, asker: Asker, request: Request) -> Result<Reply, ApiError> {
    let workspace = asker.workspace(&app, Permission::IntegrationView).await?;
    let id = asker.id("integration_id")?;
    let params = match body::optional(&app, request).await? {
        Some(body) => read_params(&body)?,
        None => Json::empty_object(),
    };
    let loaded = app.loaded().get(&app, workspace, id).await?;
    let connection = match &loaded {
        Ok(integration) => app.engine().test_connection(integration, params).await,
        Err(error) => Connection::misconfigured(error.to_string(), app.clock().unix()),
    };
    let status = connection.status.as_str();
    app.metrics().connection_tested(status);
    tracing::info!(
        workspace_id = %workspace,
        integration_id = %id,
        integration = integration_name(&loaded),
        outcome = status,
        status = connection.http_status,
        duration_ms = milliseconds(connection.duration),
        request_id = asker.request_id().map(RequestId::as_str),
        "connection test"
    );
    Ok(Reply::ok(connection_json(&connection)))
}

/// `params` of a body; absent means none.
fn read_params(body: &Json) -> Result<Json, ApiError> {
    let Some(fields) = body.as_object() else {
        return Err(ApiError::invalid_value(&["body"], FaultCode::WrongType.as_str(), "must be an object"));
    };
    match fields.get("params") {
        None => Ok(Json::empty_object()),
        Some(params @ Json::Object(_)) => Ok(params.clone()),
        Some(_) => {
            Err(ApiError::invalid_value(&["body", "params"], FaultCode::WrongType.as_str(), "must be an object"))
        }
    }
}

fn outcome_json(outcome: &Outcome) -> Json {
    ObjectBuilder::new()
        .with("status", outcome.status())
        .with("text", outcome.text())
        .with("truncation", outcome.truncation().map(|truncation| truncation.to_json()))
        .with("delivery", outcome.delivery().as_str())
        .with("duration_ms", Number::from_f64(milliseconds(outcome.duration())))
        .with("retries", outcome.retries())
        .with("error", Json::Null)
        .into()
}

fn failure_json(error: &callout::Error, duration: Duration) -> Json {
    ObjectBuilder::new()
        .with("status", error.status())
        .with("text", Json::Null)
        .with("truncation", Json::Null)
        .with("delivery", Json::Null)
        .with("duration_ms", Number::from_f64(milliseconds(duration)))
        .with("retries", error.retries())
        .with("error", call_error(error))
        .into()
}

fn connection_json(connection: &Connection) -> Json {
    let tested_at = Timestamp::from_unix(connection.tested_at);
    connection.to_builder().with("tested_at", tested_at.to_string()).into()
}
