//! The tools of the workspace of the key that asks.

use std::sync::Arc;

use callout::{ErrorKind, Json};
use callout_mcp::{Called, Changes, Refusal, ToolList, ToolSource};
use callout_store::{Permission, Uuid};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;

use crate::{
    App,
    error::{ApiError, Detail},
    mcp::{
        McpAsker,
        catalog::{Catalogs, Place},
        changes::Watches,
    },
};

/// Every workspace's tools; which one's, the request says.
#[derive(Debug)]
pub(crate) struct WorkspaceTools {
    app: App,
    catalogs: Arc<Catalogs>,
    watches: Watches,
}

impl WorkspaceTools {
    pub(crate) fn new(app: &App) -> Self {
        let catalogs = Arc::new(Catalogs::new());
        Self { app: app.clone(), watches: Watches::new(app, &catalogs), catalogs }
    }

    /// Where the tool's calls go. What is kept is good enough: a call looks at the integration anew.
    async fn find(&self, workspace: Uuid, tool: &str) -> Result<Option<Place>, Refusal> {
        if let Some(place) = self.catalogs.kept(workspace).and_then(|catalog| catalog.get(tool)) {
            return Ok(Some(place));
        }
        let catalog = self.catalogs.current(&self.app, workspace).await.map_err(unavailable)?;
        Ok(catalog.get(tool))
    }
}

impl ToolSource for WorkspaceTools {
    async fn list(&self, http: Option<&http::Extensions>) -> Result<ToolList, Refusal> {
        let asker = permitted(http, Permission::IntegrationView)?;
        let catalog = self.catalogs.current(&self.app, asker.workspace).await.map_err(unavailable)?;
        Ok(catalog.list.clone())
    }

    async fn call(&self, http: Option<&http::Extensions>, tool: &str, params: Json) -> Result<Called, Refusal> {
        let asker = permitted(http, Permission::IntegrationExecute)?;
        let (app, workspace) = (&self.app, asker.workspace);
        let Some(place) = self.find(workspace, tool).await? else { return Err(Refusal::UnknownTool) };
        let started = app.clock().now();
        let result = match app.loaded().get(app, workspace, place.integration).await {
            Ok(Ok(integration)) => app.engine().call(&integration, &place.endpoint, params).await,
            Ok(Err(error)) => Err(error),
            // It was deleted since.
            Err(error) if error.status == StatusCode::NOT_FOUND => return Err(Refusal::UnknownTool),
            Err(error) => return Err(unavailable(error)),
        };
        if result.as_ref().is_err_and(|error| error.kind() == ErrorKind::UnknownEndpoint) {
            return Err(Refusal::UnknownTool);
        }
        let duration = app.clock().now().saturating_duration_since(started);
        app.metrics().called("mcp", result.as_ref().err(), duration);
        Ok(Called::new(result, Some(place.delivery)))
    }

    async fn changes(&self, http: Option<&http::Extensions>) -> Changes {
        let Ok(asker) = permitted(http, Permission::IntegrationView) else { return stream::empty().boxed() };
        // It may last for hours; how many there are is bounded where they listen.
        asker.share.release();
        self.watches.follow(asker.clone()).await
    }
}

/// Who asks, if its key has that right.
fn permitted(http: Option<&http::Extensions>, right: Permission) -> Result<&McpAsker, Refusal> {
    let asker = http.and_then(|http| http.get::<McpAsker>());
    let asker = asker.ok_or_else(|| Refusal::Denied("a valid API key is required".to_owned()))?;
    if asker.key.allows(right) {
        Ok(asker)
    } else {
        Err(Refusal::Denied(format!("this key does not permit that: it lacks {}", right.as_str())))
    }
}

fn unavailable(error: ApiError) -> Refusal {
    let Detail::Text(reason) = error.detail else { return Refusal::Unavailable(error.code.to_owned()) };
    Refusal::Unavailable(reason)
}
