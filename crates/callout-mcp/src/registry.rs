//! The tools of one engine in one process.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use callout::{Delivery, Engine, Json, ToolRegistry};
use futures_util::{StreamExt as _, stream};
use tokio::sync::watch;

use crate::{Called, Changes, Refusal, ToolList, ToolSource};

/// A [`ToolSource`] over an engine and a [`ToolRegistry`], the same for whoever asks. Cheap to clone;
/// clones are the same registry.
///
/// The host's params ([`ToolRegistry::with_host_param`]) are filled in here: clients do not see them and
/// cannot set them.
#[derive(Clone, Debug)]
pub struct Registry(Arc<Parts>);

/// What the host supplies for its params, each an object.
#[derive(Clone)]
pub enum HostParams {
    /// The same for every tool.
    Same(Json),
    /// Each tool's own, by its name: one name may stand for a string in one tool and for a number in another.
    ByTool(HashMap<String, Json>),
}

impl HostParams {
    fn of(&self, tool: &str) -> Json {
        match self {
            Self::Same(params) => params.clone(),
            Self::ByTool(all) => all.get(tool).cloned().unwrap_or_else(Json::empty_object),
        }
    }
}

impl From<Json> for HostParams {
    fn from(params: Json) -> Self {
        Self::Same(params)
    }
}

impl From<HashMap<String, Json>> for HostParams {
    fn from(all: HashMap<String, Json>) -> Self {
        Self::ByTool(all)
    }
}

/// What the host binds is its own affair.
impl fmt::Debug for HostParams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostParams").finish_non_exhaustive()
    }
}

struct Parts {
    engine: Engine,
    current: RwLock<Arc<Current>>,
    /// How often the tools have changed.
    changes: watch::Sender<u64>,
}

#[derive(Debug)]
struct Current {
    registry: ToolRegistry,
    list: ToolList,
    deliveries: HashMap<String, Delivery>,
    host: HostParams,
}

impl Current {
    fn new(registry: ToolRegistry, host: HostParams) -> Self {
        let tools = registry.tools();
        let deliveries = tools.iter().map(|tool| (tool.name.clone(), tool.delivery)).collect();
        Self { list: ToolList::new(&tools), deliveries, registry, host }
    }
}

impl Registry {
    /// These tools, called by that engine, with `host` as the host's params: an object, or one for each tool.
    pub fn new(engine: Engine, tools: ToolRegistry, host: impl Into<HostParams>) -> Self {
        let current = RwLock::new(Arc::new(Current::new(tools, host.into())));
        Self(Arc::new(Parts { engine, current, changes: watch::Sender::new(0) }))
    }

    /// Other tools from now on. Calls in flight end as they began. Clients are told if they would see
    /// another list; whether they would is the answer.
    pub fn replace(&self, tools: ToolRegistry) -> bool {
        self.replace_with(tools, self.current().host.clone())
    }

    /// As [`Registry::replace`], with other params of the host.
    pub fn replace_with(&self, tools: ToolRegistry, host: impl Into<HostParams>) -> bool {
        let next = Arc::new(Current::new(tools, host.into()));
        let before = {
            let mut current = self.0.current.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *current, Arc::clone(&next))
        };
        let has_changed = !before.list.is_same_as(&next.list);
        if has_changed {
            self.0.changes.send_modify(|count| *count += 1);
        }
        has_changed
    }

    fn current(&self) -> Arc<Current> {
        Arc::clone(&self.0.current.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { engine, current, changes: _ } = self;
        f.debug_struct("Registry").field("engine", engine).field("current", current).finish_non_exhaustive()
    }
}

impl ToolSource for Registry {
    async fn list(&self, _http: Option<&http::Extensions>) -> Result<ToolList, Refusal> {
        Ok(self.current().list.clone())
    }

    async fn call(&self, _http: Option<&http::Extensions>, tool: &str, params: Json) -> Result<Called, Refusal> {
        let current = self.current();
        let Some(delivery) = current.deliveries.get(tool).copied() else { return Err(Refusal::UnknownTool) };
        let result = current.registry.call(&self.0.engine, tool, params, current.host.of(tool)).await;
        Ok(Called::new(result, delivery))
    }

    async fn changes(&self, _http: Option<&http::Extensions>) -> Changes {
        let changes = self.0.changes.subscribe();
        stream::unfold(changes, async |mut changes| changes.changed().await.ok().map(|()| ((), changes))).boxed()
    }
}

#[cfg(test)]
mod tests {
    use callout::{EgressPolicy, Json};

    use super::*;

    #[test]
    fn what_the_host_binds_is_not_shown() {
        let engine = Engine::builder().with_egress(EgressPolicy::public()).build().unwrap();
        let host = Json::parse(r#"{"session": "canary-7"}"#).unwrap();
        let by_tool = HashMap::from([("shop__orders".to_owned(), host.clone())]);
        for host in [HostParams::from(host), by_tool.into()] {
            let tools = ToolRegistry::new().with_host_param("session");
            let shown = format!("{:?}", Registry::new(engine.clone(), tools, host));
            assert!(shown.starts_with("Registry(") && !shown.contains("canary-7"), "{shown}");
        }
    }
}
