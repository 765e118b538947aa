//! Who asks, and what they may do: API keys, workspaces, permissions.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    extract::{FromRequestParts, RawPathParams, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use callout::SecretString;
use callout_store::{Actor, ApiKey, AuditAction, AuditResult, Permission, Uuid};
use hashlink::LruCache;
use http::{HeaderMap, StatusCode, header::AUTHORIZATION, request::Parts};

use crate::{
    App,
    envelope::RequestId,
    error::ApiError,
    holding::holding,
    share::{self, Holder, Share},
};

/// The id of the key that asked, left on the answer for the log.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyId(pub(crate) Uuid);

/// Lets nobody without a valid key pass, and nobody past the rate limit, before anything of the
/// request is read.
pub(crate) async fn authenticate(State(app): State<App>, request: Request, next: Next) -> Response {
    let presented = bearer(request.headers()).map(SecretString::from);
    let key = match known(&app, presented).await {
        Ok(key) => key,
        Err(error) => return error.into_response(),
    };
    let id = key.id;
    let mut response = match app.rate_limit().map(|limit| limit.check(id)).transpose() {
        Ok(allowance) => {
            let mut response = answer(&app, key, request, next).await.unwrap_or_else(IntoResponse::into_response);
            if let Some(allowance) = allowance {
                allowance.write(response.headers_mut());
            }
            response
        }
        Err(error) => error.into_response(),
    };
    response.extensions_mut().insert(KeyId(id));
    response
}

/// The answer, for which the request takes a share of its workspace, and room for what is sent.
async fn answer(app: &App, key: Arc<ApiKey>, mut request: Request, next: Next) -> Result<Response, ApiError> {
    let holder = key.workspace_id.map(|workspace| Holder { workspace, key: key.id });
    let share = holder.map(|holder| app.shares().take(holder)).transpose()?;
    let room = holder.map(|holder| app.shares().room(holder));
    request.extensions_mut().insert(key);
    let held = Held::new(share);
    request.extensions_mut().insert(held.clone());
    let (parts, body) = next.run(request).await.into_parts();
    // What waits for a slow client counts too.
    let body = holding(body, held, room).ok_or_else(share::let_go)?;
    Ok(Response::from_parts(parts, body))
}

/// The request's share of its workspace, given back when the last clone is dropped: what answers a request
/// beyond its first line holds one, and so does its answer until it was sent.
#[derive(Clone)]
pub(crate) struct Held(Arc<Mutex<Option<Share>>>);

impl Held {
    fn new(share: Option<Share>) -> Self {
        Self(Arc::new(Mutex::new(share)))
    }

    /// Gives it back at once: for what lasts, and is counted elsewhere.
    pub(crate) fn release(&self) {
        drop(self.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    }
}

async fn known(app: &App, presented: Option<SecretString>) -> Result<Arc<ApiKey>, ApiError> {
    let presented = presented.ok_or_else(ApiError::unauthorized)?;
    let key = app.keys().authenticate(app, &presented).await?;
    key.ok_or_else(ApiError::unauthorized)
}

/// A request by a known key: who it is, and the path's params.
#[derive(Debug)]
pub(crate) struct Asker {
    pub(crate) key: Arc<ApiKey>,
    path: RawPathParams,
    request_id: Option<RequestId>,
}

impl FromRequestParts<App> for Asker {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let key = parts.extensions.get::<Arc<ApiKey>>().cloned().ok_or_else(ApiError::unauthorized)?;
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| ApiError::invalid_value(&["path"], "encoding", "must be UTF-8 when percent-decoded"))?;
        Ok(Self { key, path, request_id: parts.extensions.get::<RequestId>().cloned() })
    }
}

impl Asker {
    /// A param of the path as it was written.
    pub(crate) fn path(&self, name: &str) -> &str {
        self.path.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }

    /// The id of the request, where the log has it.
    pub(crate) fn request_id(&self) -> Option<&RequestId> {
        self.request_id.as_ref()
    }

    /// As whom it stands in the audit log.
    pub(crate) fn actor(&self) -> Actor {
        let name = match &self.key.name {
            _ if self.key.is_operator() => "operator",
            Some(name) => name,
            None => "key",
        };
        let request_id = self.request_id().map(|id| id.as_str().to_owned());
        Actor { key_id: Some(self.key.id), name: name.to_owned(), request_id }
    }

    /// A param of the path that is an id.
    pub(crate) fn id(&self, name: &str) -> Result<Uuid, ApiError> {
        // Hyphenated and in any case, as the contract's format says; other spellings are no ids.
        let text = self.path(name);
        let id = Uuid::try_parse(text).ok().filter(|_| text.len() == 36);
        id.ok_or_else(|| ApiError::invalid_value(&["path", name], "uuid", "must be a UUID"))
    }

    /// What a param of the path names, for the audit log: its kind and id, or the kind alone where it is no id. Whoever
    /// is refused may have written anything there, and the log's rows stay.
    pub(crate) fn target(&self, kind: &str, name: &str) -> String {
        self.id(name).map_or_else(|_| kind.to_owned(), |id| format!("{kind}:{id}"))
    }

    /// The workspace that the path names, if this key has that right in it.
    ///
    /// Another's workspace and one that does not exist are refused alike; only the operator, whose
    /// right reaches all, is told which it is.
    pub(crate) async fn workspace(&self, app: &App, right: Permission) -> Result<Uuid, ApiError> {
        let workspace = self.id("workspace_id")?;
        if self.key.is_operator() {
            // What asks the store takes much room, which the others' requests do not need.
            Box::pin(app.store().workspace(workspace)).await?;
            return Ok(workspace);
        }
        if self.key.workspace_id != Some(workspace) || !self.key.allows(right) {
            return Err(ApiError::forbidden());
        }
        Ok(workspace)
    }

    /// Only the operator's key may.
    pub(crate) fn operator(&self) -> Result<(), ApiError> {
        if self.key.is_operator() { Ok(()) } else { Err(ApiError::forbidden()) }
    }
}

impl Asker {
    /// Passes on what came of a change. One that was refused, for want of a right or because it met
    /// another, goes into the audit log of the key's own workspace; the store writes those that were done.
    pub(crate) async fn audited<T>(
        &self,
        app: &App,
        action: AuditAction,
        target: &str,
        done: Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let Err(error) = &done else { return done };
        let result = match error.status {
            StatusCode::FORBIDDEN => AuditResult::Denied,
            StatusCode::CONFLICT => AuditResult::Conflict,
            _ => return done,
        };
        let refusal = Refusal { key: self.key.id, action, result };
        if app.refusals().is_first(refusal, app.clock().now()) {
            let (app, workspace, actor) = (app.clone(), self.key.workspace_id, self.actor());
            let target = target.to_owned();
            // On its own: who goes away does not take the row along.
            let recording = tokio::spawn(async move {
                let recorded = app.store().record_refusal(workspace, action, &target, &actor, result).await;
                if recorded.is_err() {
                    app.refusals().forget(refusal);
                }
                recorded
            });
            recording.await.map_err(|_| ApiError::given_up())??;
        }
        done
    }
}

/// Refusals that are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Refusal {
    key: Uuid,
    action: AuditAction,
    result: AuditResult,
}

/// Who was refused what a moment ago. Of the same refusals one a minute goes into the audit log, whose rows nobody
/// can delete; the log has them all.
pub(crate) struct Refusals(Mutex<LruCache<Refusal, Instant>>);

impl Refusals {
    const APART: Duration = Duration::from_mins(1);
    const REMEMBERED: usize = 10_000;

    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(Self::REMEMBERED)))
    }

    fn is_first(&self, refusal: Refusal, now: Instant) -> bool {
        let mut known = self.known();
        let recent = known.get(&refusal).is_some_and(|at| now.saturating_duration_since(*at) < Self::APART);
        if !recent {
            known.insert(refusal, now);
        }
        !recent
    }

    /// The next is the first again: this one could not be recorded.
    fn forget(&self, refusal: Refusal) {
        self.known().remove(&refusal);
    }

    fn known(&self) -> MutexGuard<'_, LruCache<Refusal, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key in `Authorization: Bearer …` (RFC 6750 section 2.1); the scheme in any case.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim_matches(' ')).filter(|key| !key.is_empty())
}
