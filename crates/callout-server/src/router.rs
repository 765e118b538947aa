//! The map of the API: every path, its methods, and who may ask.

use axum::{
    Router,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{delete, get, post},
};
use http::StatusCode;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::{
    App, access, api_keys, audit, calls, envelope, error::ApiError, health, integrations, metrics, openapi, workspaces,
};

pub(crate) fn router(app: &App) -> Router {
    // Everything under /v1 needs a key; which right, each handler says first.
    let signed = Router::new()
        .route("/v1/{workspace_id}/integrations", get(integrations::list).post(integrations::create))
        .route(
            "/v1/{workspace_id}/integrations/{integration_id}",
            get(integrations::get).patch(integrations::update).delete(integrations::delete),
        )
        .route("/v1/{workspace_id}/integrations/{integration_id}/test-connection", post(calls::test_connection))
        .route("/v1/{workspace_id}/integrations/{integration_id}/endpoints/{endpoint_name}/test", post(calls::test))
        .route(
            "/v1/{workspace_id}/integrations/{integration_id}/endpoints/{endpoint_name}/execute",
            post(calls::execute),
        )
        .route("/v1/{workspace_id}/api-keys", get(api_keys::list).post(api_keys::create))
        .route("/v1/{workspace_id}/api-keys/{key_id}", delete(api_keys::delete))
        .route("/v1/{workspace_id}/api-keys/{key_id}/rotate", post(api_keys::rotate))
        .route("/v1/{workspace_id}/audit-log", get(audit::list))
        .route("/v1/workspaces", get(workspaces::list).post(workspaces::create))
        .route("/v1/workspaces/{workspace_id}", delete(workspaces::delete))
        .route("/v1/audit-log", get(audit::list_all))
        .route("/metrics", get(metrics::show))
        .route_layer(from_fn_with_state(app.clone(), access::sign));
    let open = Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::show))
        .route("/docs", get(openapi::docs));
    signed
        .merge(open)
        .fallback(no_such_path)
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), envelope::envelope))
        .layer(CompressionLayer::new())
        .with_state(app.clone())
}

async fn no_such_path() -> ApiError {
    ApiError::not_found("path")
}

/// A defect in one request touches no other; its text may hold anything and is not shown.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; please report the request id")
        .into_response()
}
