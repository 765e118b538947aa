//! The tools of the workspace of the key that asks.

use std::sync::Arc;

use callout::{CallOptions, Json};
use callout_mcp::{Called, Changes, Refusal, ToolList, ToolSource};
use callout_store::{Permission, Uuid};
use futures_util::{StreamExt as _, stream};
use http::StatusCode;

use crate::{
    App,
    call_log::Call,
    envelope::RequestId,
    error::{ApiError, Detail},
    loaded::LoadedIntegration,
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

    /// Where the tool's calls go, and the integration as it is now. What is kept says where to look: only if
    /// it is not there any more, the store is asked for all that the workspace has.
    async fn find(
        &self,
        workspace: Uuid,
        tool: &str,
        request_id: Option<&RequestId>,
    ) -> Result<(Place, LoadedIntegration), Refusal> {
        let found = self.look(workspace, tool).await.map_err(|error| unavailable(&error, request_id))?;
        found.ok_or(Refusal::UnknownTool)
    }

    async fn look(&self, workspace: Uuid, tool: &str) -> Result<Option<(Place, LoadedIntegration)>, ApiError> {
        let kept = self.catalogs.kept(workspace).and_then(|catalog| catalog.get(tool));
        if let Some(place) = kept
            && let Some(loaded) = self.load(workspace, &place).await?
        {
            return Ok(Some((place, loaded)));
        }
        let catalog = self.catalogs.current(&self.app, workspace).await?;
        let Some(place) = catalog.get(tool) else { return Ok(None) };
        Ok(self.load(workspace, &place).await?.map(|loaded| (place, loaded)))
    }

    /// `None` if the integration or its endpoint is no longer there.
    async fn load(&self, workspace: Uuid, place: &Place) -> Result<Option<LoadedIntegration>, ApiError> {
        match self.app.loaded().get(&self.app, workspace, place.integration).await {
            Ok(Ok(integration)) if integration.endpoint_names().all(|name| name != place.endpoint) => Ok(None),
            Ok(loaded) => Ok(Some(loaded)),
            Err(error) if error.status == StatusCode::NOT_FOUND => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl ToolSource for WorkspaceTools {
    async fn list(&self, http: Option<&http::Extensions>) -> Result<ToolList, Refusal> {
        let asker = permitted(http, Permission::IntegrationView)?;
        let current = self.catalogs.current(&self.app, asker.workspace).await;
        let catalog = current.map_err(|error| unavailable(&error, request_id(http)))?;
        Ok(catalog.list.clone())
    }

    async fn call(&self, http: Option<&http::Extensions>, tool: &str, params: Json) -> Result<Called, Refusal> {
        let asker = permitted(http, Permission::IntegrationExecute)?;
        let app = &self.app;
        let started = app.clock().now();
        let (place, loaded) = self.find(asker.workspace, tool, request_id(http)).await?;
        let result = match &loaded {
            Ok(integration) => {
                let options = CallOptions::default().with_tool_names(true);
                app.engine().call_with(integration, &place.endpoint, params, &options).await
            }
            Err(error) => Err(error.clone()),
        };
        let duration = app.clock().now().saturating_duration_since(started);
        let Place { integration, endpoint, delivery } = &place;
        let call = Call {
            kind: "mcp",
            workspace: asker.workspace,
            integration: *integration,
            loaded: &loaded,
            endpoint,
            request_id: request_id(http),
        };
        call.gave(app, &result, duration);
        Ok(Called::new(result, *delivery))
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

/// The id of the request, where the log has it.
fn request_id(http: Option<&http::Extensions>) -> Option<&RequestId> {
    http.and_then(|http| http.get::<RequestId>())
}

fn unavailable(error: &ApiError, request_id: Option<&RequestId>) -> Refusal {
    error.tell(request_id);
    Refusal::Unavailable(match &error.detail {
        Detail::Text(reason) => reason.clone(),
        Detail::Faults(_) => error.code.to_owned(),
    })
}
