//! The map of the API: every path, its methods, and who may ask.

use axum::{
    Extension, Router,
    middleware::from_fn_with_state,
    response::{IntoResponse, Response},
    routing::{any, delete, get, post},
};
use http::StatusCode;
use tower_http::{catch_panic::CatchPanicLayer, compression::CompressionLayer};

use crate::{
    App, access, api_keys, audit, calls, envelope,
    error::ApiError,
    health, integrations,
    mcp::{self, Mcp},
    metrics, openapi, workspaces,
};

pub(crate) fn router(app: &App, mcp: &Mcp) -> Router {
    // Everything under /v1 needs a key; which right, each handler says first.
    let keyed = Router::new()
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
        .route("/metrics", get(metrics::show));
    // Its protocol is MCP, which the OpenAPI document does not describe.
    let mut mcp = Router::new()
        .route("/mcp", any(mcp::answer).layer(Extension(mcp.clone())))
        .route_layer(from_fn_with_state(app.clone(), access::authenticate));
    let origins = &app.options().mcp_origins;
    if !origins.is_empty() {
        // Around the key: a browser asks without one whether a page may ask with it.
        mcp = mcp.layer(mcp::cors(origins));
    }
    let open = Router::new()
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/openapi.json", get(openapi::show))
        .route("/docs", get(openapi::docs));
    layered(app, keyed, mcp.merge(open))
}

/// With what every answer goes through, and before anything of `keyed` who asks. It is one layer around each, for
/// axum boxes a request's way through each, and clones all that is below it.
fn layered(app: &App, keyed: Router<App>, open: Router<App>) -> Router {
    let around = || {
        let envelope = from_fn_with_state(app.clone(), envelope::envelope);
        (CompressionLayer::new(), envelope, CatchPanicLayer::custom(panicked))
    };
    let keyed = keyed.route_layer((around(), from_fn_with_state(app.clone(), access::authenticate)));
    keyed.merge(open.fallback(no_such_path).layer(around())).with_state(app.clone())
}

async fn no_such_path() -> ApiError {
    ApiError::not_found("path")
}

/// A defect in one request touches no other; its text may hold anything and is not shown.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the server failed; please report the request id")
        .into_response()
}

#[cfg(test)]
mod tests {
    use axum::{body::Body, extract::Request};
    use callout::{Engine, ExposeSecret, Json, system_clock, system_rng};
    use callout_store::{Actor, NewApiKey, Role, Store, StoreOptions};
    use futures_util::FutureExt as _;
    use http::request::Builder;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::{ServerOptions, holding::PIECE};

    /// And the header of one who has a key.
    async fn app() -> (App, String) {
        let (clock, rng) = (system_clock(), system_rng());
        let options = StoreOptions::new("sqlite::memory:".parse().unwrap(), clock.clone(), rng.clone());
        let store = Store::open(options).await.unwrap();
        let engine = Engine::builder().build().unwrap();
        let by = Actor::new("test");
        let workspace_id = Some(store.create_workspace("shop", &by).await.unwrap().id);
        let new = NewApiKey { workspace_id, name: None, role: Role::Viewer, permissions: Vec::new(), days: 1 };
        let (_, key) = store.create_api_key(new, &by).await.unwrap();
        (App::new(store, engine, clock, rng, ServerOptions::default()), format!("Bearer {}", key.expose_secret()))
    }

    #[tokio::test]
    async fn a_panic_in_one_request_touches_no_other() {
        let (app, with_key) = app().await;
        let broken = || async {
            let nothing: Vec<ApiError> = Vec::new();
            nothing.into_iter().next().expect("a secret that the panic tells")
        };
        let open = Router::new().route("/broken", get(broken)).route("/healthz", get(health::live));
        let router = layered(&app, Router::new().route("/keyed", get(broken)), open);

        let ask = |request: Builder| router.clone().oneshot(request.body(Body::empty()).unwrap());
        for request in [Request::get("/broken"), Request::get("/keyed").header("authorization", with_key)] {
            let answer = ask(request).await.unwrap();
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            let body = answer.into_body().collect().await.unwrap().to_bytes();
            let body = Json::parse(std::str::from_utf8(&body).unwrap()).unwrap();
            assert_eq!(body.get("error_code"), Some(&Json::from("internal")));
            assert!(!body.to_string().contains("secret"), "{body}");
        }
        assert_eq!(ask(Request::get("/healthz")).await.unwrap().status(), StatusCode::OK);
        // Nothing is done for one who has no key, and that answer has what all have.
        let refused = ask(Request::get("/keyed")).await.unwrap();
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
        assert!(refused.headers().contains_key(envelope::REQUEST_ID));
    }

    #[tokio::test]
    async fn a_large_answer_is_coded_piece_by_piece() {
        let (app, with_key) = app().await;
        // All of it is little once it is coded, and so a coding has room for all of it at once.
        let large = || async { "x".repeat(100 * PIECE) };
        let router = layered(&app, Router::new().route("/large", get(large)), Router::new());
        let request = Request::get("/large").header("authorization", with_key).header("accept-encoding", "gzip");
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.headers()["content-encoding"], "gzip");
        let (mut body, mut turns) = (answer.into_body(), 1);
        loop {
            match body.frame().now_or_never() {
                Some(Some(frame)) => drop(frame.unwrap()),
                Some(None) => break,
                None => {
                    turns += 1;
                    tokio::task::yield_now().await;
                }
            }
        }
        assert!(turns >= 100, "in {turns} turns");
    }
}
