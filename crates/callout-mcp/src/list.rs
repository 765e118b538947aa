//! Tools as MCP lists them, page by page.

use std::sync::Arc;

use callout::{Json, Tool};
use rmcp::model::{JsonObject, MetaObject, Tool as Listed};
use serde_json::{Value, json};

/// The most tools of one page.
const PAGE_TOOLS: usize = 250;

/// The most bytes of one page: clients bound what one event of a stream may hold, some at 1 MiB.
const PAGE_BYTES: usize = 512 << 10;

/// Tools as clients see them. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct ToolList(Arc<[Entry]>);

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    tool: Listed,
    /// As JSON.
    bytes: usize,
}

impl ToolList {
    /// These tools, in this order.
    pub fn new(tools: &[Tool]) -> Self {
        Self(tools.iter().map(entry).collect())
    }

    /// These, and behind them a tool of the host's own that is no endpoint: calls of it are the
    /// [`ToolSource`](crate::ToolSource)'s to make. `input_schema` is JSON Schema, of an object.
    #[must_use]
    pub fn with_tool(self, name: &str, description: &str, input_schema: &Json) -> Self {
        let tool = Listed::new(name.to_owned(), description.to_owned(), schema(Some(input_schema)));
        Self(self.0.iter().cloned().chain([Entry::new(tool)]).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How large they are as JSON, in bytes.
    pub fn bytes(&self) -> usize {
        self.0.iter().map(|entry| entry.bytes).sum()
    }

    /// Whether a client would see the same.
    pub fn is_same_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The page that begins there, and where the next one does. `None` if none begins there.
    pub(crate) fn page(&self, start: usize) -> Option<(Vec<Listed>, Option<usize>)> {
        if start > 0 && start >= self.len() {
            return None;
        }
        let mut tools = Vec::new();
        let mut bytes = 0;
        for entry in self.0.iter().skip(start) {
            bytes += entry.bytes;
            if tools.len() == PAGE_TOOLS || (bytes > PAGE_BYTES && !tools.is_empty()) {
                break;
            }
            tools.push(entry.tool.clone());
        }
        let next = start + tools.len();
        Some((tools, (next < self.len()).then_some(next)))
    }
}

impl Entry {
    fn new(tool: Listed) -> Self {
        let bytes = serde_json::to_string(&tool).map_or(0, |text| text.len());
        Self { tool, bytes }
    }
}

fn entry(tool: &Tool) -> Entry {
    let shape = tool.to_mcp();
    let schema = schema(shape.get("inputSchema"));
    let mut meta = JsonObject::new();
    meta.insert("result_delivery".to_owned(), json!(tool.delivery.as_str()));
    let mut listed = Listed::new(tool.name.clone(), tool.description.clone(), schema).with_meta(MetaObject(meta));
    listed.annotations = shape.get("annotations").and_then(|hints| serde_json::from_value(hints.into()).ok());
    Entry::new(listed)
}

/// As the protocol has it, which takes objects alone.
fn schema(schema: Option<&Json>) -> JsonObject {
    let mut schema = match schema.map(Value::from) {
        Some(Value::Object(schema)) => schema,
        _ => JsonObject::new(),
    };
    schema.entry("type").or_insert_with(|| json!("object"));
    schema
}

#[cfg(test)]
mod tests {
    use callout::{EndpointConfig, Engine, IntegrationConfig, Method, Secrets};

    use super::*;

    fn tools(count: usize, description: &str) -> ToolList {
        let engine = Engine::builder().build().unwrap();
        let mut all = Vec::new();
        for number in 0..count.div_ceil(50) {
            let mut config = IntegrationConfig::new(format!("shop-{number}"), "https://shop.example");
            for endpoint in 0..50.min(count - number * 50) {
                config = config.with_endpoint(EndpointConfig::new(format!("e{endpoint}"), description, "/things/{id}"));
            }
            all.extend(engine.load(config, &Secrets::new()).unwrap().tools());
        }
        ToolList::new(&all)
    }

    fn pages(list: &ToolList) -> Vec<usize> {
        let mut start = Some(0);
        let mut sizes = Vec::new();
        while let Some(at) = start {
            let (page, next) = list.page(at).unwrap();
            sizes.push(page.len());
            start = next;
        }
        sizes
    }

    #[test]
    fn pages_hold_every_tool_once_and_are_bounded() {
        assert_eq!(pages(&tools(0, "")), [0]);
        assert_eq!(pages(&tools(250, "small")), [250]);
        assert_eq!(pages(&tools(251, "small")), [250, 1]);
        let large = tools(100, &"x".repeat(10_000));
        let sizes = pages(&large);
        assert_eq!(sizes.iter().sum::<usize>(), 100);
        assert!(sizes.len() > 1 && (48..=52).contains(&sizes[0]), "half a MiB each: {sizes:?}");
        assert_eq!(pages(&tools(3, &"x".repeat(600_000))), [1, 1, 1], "none is too large for a page of its own");
        assert!(large.page(100).is_none() && large.page(usize::MAX).is_none());
    }

    #[test]
    fn annotations_follow_the_method() {
        let engine = Engine::builder().build().unwrap();
        let mut config = IntegrationConfig::new("shop", "https://shop.example");
        for method in [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete] {
            let mut endpoint = EndpointConfig::new(method.as_str().to_lowercase(), "Does", "/x");
            endpoint.method = method;
            config = config.with_endpoint(endpoint);
        }
        let list = ToolList::new(&engine.load(config, &Secrets::new()).unwrap().tools());
        let hints: Vec<_> = list
            .page(0)
            .unwrap()
            .0
            .iter()
            .map(|tool| {
                let hints = tool.annotations.clone().unwrap();
                (hints.read_only_hint, hints.destructive_hint, hints.idempotent_hint, hints.open_world_hint)
            })
            .collect();
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(
            hints,
            [(yes, None, None, yes), (no, no, no, yes), (no, yes, yes, yes), (no, yes, no, yes), (no, yes, yes, yes),]
        );
    }
}
