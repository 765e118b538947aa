//! What tools a workspace has, kept while its integrations stay as they are.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use callout::{Delivery, Tool};
use callout_mcp::ToolList;
use callout_store::Uuid;
use hashlink::LruCache;
use http::StatusCode;

use crate::{App, error::ApiError, shared_look::SharedLooks};

/// The integrations of one workspace whose endpoints are tools, the first by name.
const MAX_INTEGRATIONS: u32 = 1000;

/// Bytes of one workspace's tools, as JSON.
const MAX_TOOL_BYTES: usize = 16 << 20;

/// Bytes of all workspaces' tools that are kept.
const MAX_KEPT_BYTES: usize = 64 << 20;

/// How long it may take to make one: a thousand integrations are loaded, whose secrets may stand far away. Each of
/// them has a bound of its own, and what fails ends it.
const LONGEST: Duration = Duration::from_mins(10);

/// The tools of one workspace.
pub(crate) struct Catalog {
    /// Of what they were made.
    revisions: Vec<(Uuid, i64)>,
    pub(crate) list: ToolList,
    by_name: HashMap<String, Place>,
}

/// Where a tool's calls go.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) integration: Uuid,
    pub(crate) endpoint: String,
    pub(crate) delivery: Delivery,
}

impl Catalog {
    pub(crate) fn get(&self, tool: &str) -> Option<Place> {
        self.by_name.get(tool).cloned()
    }
}

/// The catalogs of the workspaces that were asked for last.
pub(crate) struct Catalogs {
    kept: Mutex<Kept>,
    /// Callers who come while one is being made wait for the one who does it; if that fails, it has failed for all
    /// of them.
    looks: SharedLooks<Uuid, Arc<Catalog>>,
}

struct Kept {
    by_workspace: LruCache<Uuid, Arc<Catalog>>,
    bytes: usize,
}

impl Catalogs {
    pub(crate) fn new() -> Self {
        let kept = Kept { by_workspace: LruCache::new_unbounded(), bytes: 0 };
        Self { kept: Mutex::new(kept), looks: SharedLooks::new(LONGEST) }
    }

    /// What is kept of a workspace, however old it is.
    pub(crate) fn kept(&self, workspace: Uuid) -> Option<Arc<Catalog>> {
        self.lock().by_workspace.get(&workspace).cloned()
    }

    /// The workspace's tools as the store has them now.
    pub(crate) async fn current(self: &Arc<Self>, app: &App, workspace: Uuid) -> Result<Arc<Catalog>, ApiError> {
        let revisions = app.store().callable_revisions(workspace, MAX_INTEGRATIONS).await?;
        if let Some(catalog) = self.kept_of(workspace, &revisions) {
            return Ok(catalog);
        }
        let (catalogs, own) = (Arc::clone(self), app.clone());
        let look = async move { catalogs.look(&own, workspace).await };
        // It takes much room, which few requests need.
        Box::pin(self.looks.look(workspace, app.clock(), look)).await
    }

    async fn look(&self, app: &App, workspace: Uuid) -> Result<Arc<Catalog>, ApiError> {
        let revisions = app.store().callable_revisions(workspace, MAX_INTEGRATIONS).await?;
        // Another may have made it meanwhile.
        if let Some(catalog) = self.kept_of(workspace, &revisions) {
            return Ok(catalog);
        }
        let catalog = Arc::new(make(app, workspace, revisions).await?);
        self.lock().put(workspace, Arc::clone(&catalog));
        Ok(catalog)
    }

    /// What is kept of a workspace, if it was made of these.
    fn kept_of(&self, workspace: Uuid, revisions: &[(Uuid, i64)]) -> Option<Arc<Catalog>> {
        self.kept(workspace).filter(|catalog| catalog.revisions == revisions)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn put(&mut self, workspace: Uuid, catalog: Arc<Catalog>) {
        self.bytes += catalog.list.bytes();
        if let Some(before) = self.by_workspace.insert(workspace, catalog) {
            self.bytes -= before.list.bytes();
        }
        while self.bytes > MAX_KEPT_BYTES && self.by_workspace.len() > 1 {
            let Some((_, oldest)) = self.by_workspace.remove_lru() else { break };
            self.bytes -= oldest.list.bytes();
        }
    }
}

async fn make(app: &App, workspace: Uuid, revisions: Vec<(Uuid, i64)>) -> Result<Catalog, ApiError> {
    let mut tools = Vec::new();
    let mut by_name = HashMap::new();
    let mut bytes = 0;
    for (integration, _) in &revisions {
        let loaded = match app.loaded().get(app, workspace, *integration).await {
            Ok(Ok(loaded)) => loaded,
            Ok(Err(error)) => {
                tracing::warn!(%integration, %error, "an integration cannot be used, so it has no tools");
                continue;
            }
            Err(error) if error.status == StatusCode::NOT_FOUND => continue,
            Err(error) => return Err(error),
        };
        let own = loaded.tools();
        bytes += own.iter().map(size).sum::<usize>();
        if bytes > MAX_TOOL_BYTES {
            tracing::warn!(%workspace, "the workspace has more tools than one client can be shown");
            break;
        }
        for tool in own {
            let Tool { name, endpoint, delivery, .. } = tool.clone();
            by_name.entry(name).or_insert(Place { integration: *integration, endpoint, delivery });
            tools.push(tool);
        }
    }
    // Thousands of schemas take a while to be written.
    let list = app.compute(workspace, move || ToolList::new(&tools)).await?;
    Ok(Catalog { revisions, list, by_name })
}

/// Of one tool, roughly: its schema is nearly all of it.
fn size(tool: &Tool) -> usize {
    tool.name.len() + tool.description.len() + tool.input_schema.to_string().len()
}

impl fmt::Debug for Catalogs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.lock();
        f.debug_struct("Catalogs")
            .field("workspaces", &kept.by_workspace.len())
            .field("bytes", &kept.bytes)
            .finish_non_exhaustive()
    }
}
