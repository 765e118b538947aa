//! Who may do what to which: every operation of the OpenAPI document × every kind of key × own,
//! foreign, absent and malformed ids. Exact statuses, foreign and absent alike, nothing changed by
//! what is refused.

use std::{collections::BTreeMap, time::Duration};

use callout::{ExposeSecret, Json};
use callout_server::ServerOptions;
use callout_store::{AuditResult, ListQuery, Page, Permission, Role, Uuid};
use callout_tests::{Recorded, Reply, Upstream};

use super::{Answer, Server, harness};

/// One operation as the document has it.
#[derive(Debug)]
struct Operation {
    id: String,
    method: String,
    path: String,
    right: Right,
    body: Option<String>,
    success: u16,
    statuses: Vec<u16>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Right {
    Open,
    Operator,
    Permission(Permission),
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    None,
    /// Not even of a key's form, and of its form but unknown.
    Malformed,
    Unknown,
    Deleted,
    Expired,
    /// The owner's of another workspace.
    Foreign,
    /// Of the workspace, with every permission but the one that is needed.
    Without,
    /// Of the workspace, with the one permission that is needed.
    With,
    Operator,
}

const KEYS: [Key; 9] = [
    Key::None,
    Key::Malformed,
    Key::Unknown,
    Key::Deleted,
    Key::Expired,
    Key::Foreign,
    Key::Without,
    Key::With,
    Key::Operator,
];

/// Whose id stands in the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Whose {
    Own,
    Foreign,
    Absent,
    Malformed,
}

const WHOSE: [Whose; 4] = [Whose::Own, Whose::Foreign, Whose::Absent, Whose::Malformed];

impl Operation {
    fn has(&self, param: &str) -> bool {
        self.path.contains(&format!("{{{param}}}"))
    }

    /// Whether it is about something in a workspace.
    fn has_item(&self) -> bool {
        self.has("integration_id") || self.has("key_id")
    }

    /// Which ids make a difference.
    fn workspaces(&self) -> &'static [Whose] {
        if self.has("workspace_id") { &WHOSE } else { &WHOSE[..1] }
    }

    fn items(&self) -> &'static [Whose] {
        if self.has_item() { &WHOSE } else { &WHOSE[..1] }
    }

    /// What must come of it; `None` where the case is another one.
    fn expected(&self, key: Key, workspace: Whose, item: Whose) -> Option<u16> {
        let of_item = match item {
            Whose::Own => self.success,
            Whose::Foreign | Whose::Absent => 404,
            Whose::Malformed => 422,
        };
        if self.right == Right::Open {
            return Some(self.success);
        }
        match key {
            Key::None | Key::Malformed | Key::Unknown | Key::Deleted | Key::Expired => return Some(401),
            _ => {}
        }
        if self.right == Right::Operator {
            return match key {
                Key::Operator => Some(self.success),
                // No permission gives it.
                Key::With => None,
                _ => Some(403),
            };
        }
        match (key, workspace) {
            (_, Whose::Malformed) => Some(422),
            // To that key the foreign workspace is its own; every key may view.
            (Key::Foreign, Whose::Foreign) => None,
            (Key::Without, _) if self.right == Right::Permission(Permission::IntegrationView) => None,
            (Key::Foreign | Key::Without, _) | (Key::With, Whose::Foreign | Whose::Absent) => Some(403),
            (Key::Operator, Whose::Absent) => Some(404),
            // There the own item is the foreign one, and the foreign one is at home.
            (Key::Operator, Whose::Foreign) => match (self.has_item(), item) {
                (false, _) | (true, Whose::Foreign) => None,
                (true, Whose::Own) => Some(404),
                (true, _) => Some(of_item),
            },
            _ => Some(of_item),
        }
    }
}

/// A server with two workspaces, each with an integration and a key, and one key of each kind.
struct World {
    server: Server,
    workspaces: BTreeMap<Whose, String>,
    integrations: BTreeMap<Whose, String>,
    api_keys: BTreeMap<Whose, String>,
    keys: BTreeMap<Key, String>,
}

impl World {
    async fn new(operation: &Operation, integration: &str) -> Self {
        let server = Server::with(ServerOptions::default()).await;
        let other = server.store.create_workspace("other", &harness::actor()).await.unwrap().id;
        let key = async |workspace: Uuid, role: Role, permissions: Vec<Permission>, days: u32| {
            let new = callout_store::NewApiKey { workspace_id: Some(workspace), name: None, role, permissions, days };
            let (key, secret) = server.store.create_api_key(new, &harness::actor()).await.unwrap();
            (key.id, secret.expose_secret().to_owned())
        };
        let (_, expired) = key(server.workspace, Role::Owner, Vec::new(), 1).await;
        server.clock.advance(Duration::from_hours(48));
        let (deleted_id, deleted) = key(server.workspace, Role::Owner, Vec::new(), 30).await;
        server.store.delete_api_key(server.workspace, deleted_id, &harness::actor()).await.unwrap();
        let (_, foreign) = key(other, Role::Owner, Vec::new(), 30).await;
        let (needed, others): (Vec<_>, Vec<_>) =
            Permission::ALL.iter().partition(|permission| operation.right == Right::Permission(**permission));
        let (_, with) = key(server.workspace, Role::Viewer, needed, 30).await;
        let (_, without) = key(server.workspace, Role::Viewer, others, 30).await;
        let (own_key, _) = key(server.workspace, Role::Viewer, Vec::new(), 30).await;
        let (foreign_key, _) = key(other, Role::Viewer, Vec::new(), 30).await;
        let own = server.create(integration).await;
        let path = format!("/v1/{other}/integrations");
        let created = server.ask_as(Some(&foreign), "POST", &path, Some(integration)).await.expect(201);
        let ids = |own: String, foreign: String| {
            let absent = "00000000-0000-4000-8000-000000000000".to_owned();
            BTreeMap::from([
                (Whose::Own, own),
                (Whose::Foreign, foreign),
                (Whose::Absent, absent),
                (Whose::Malformed, "not-an-id".to_owned()),
            ])
        };
        let mut unknown = with.clone();
        unknown.replace_range(unknown.len() - 1.., if unknown.ends_with('A') { "B" } else { "A" });
        let keys = BTreeMap::from([
            (Key::Malformed, "nonsense".to_owned()),
            (Key::Unknown, unknown),
            (Key::Deleted, deleted),
            (Key::Expired, expired),
            (Key::Foreign, foreign),
            (Key::Without, without),
            (Key::With, with),
            (Key::Operator, server.operator.clone()),
        ]);
        Self {
            workspaces: ids(server.workspace.to_string(), other.to_string()),
            integrations: ids(own, created.text_at("id")),
            api_keys: ids(own_key.to_string(), foreign_key.to_string()),
            keys,
            server,
        }
    }

    async fn ask(&self, operation: &Operation, key: Key, workspace: Whose, item: Whose, endpoint: &str) -> Answer {
        let path = operation
            .path
            .replace("{workspace_id}", &self.workspaces[&workspace])
            .replace("{integration_id}", &self.integrations[&item])
            .replace("{key_id}", &self.api_keys[&item])
            .replace("{endpoint_name}", endpoint);
        let key = self.keys.get(&key).map(String::as_str);
        let answer = self.server.ask_as(key, &operation.method, &path, operation.body.as_deref()).await;
        let status = answer.status;
        assert!(operation.statuses.contains(&status), "{} answers {status}, which is not documented", operation.id);
        answer
    }

    /// All that a request could change, but for the note of a refusal in the audit log.
    async fn kept(&self) -> String {
        let store = &self.server.store;
        let workspaces = store.list_workspaces(Page::default()).await.unwrap();
        let mut kept = format!("{workspaces:?}");
        for workspace in &workspaces.items {
            let integrations = store.list_integrations(workspace.id, &ListQuery::default()).await.unwrap();
            let keys = store.list_api_keys(workspace.id, Page::default()).await.unwrap();
            kept.push_str(&format!("{integrations:?}{keys:?}"));
        }
        let audit = store.audit(None, Page { limit: 1000, offset: 0 }).await.unwrap();
        kept.push_str(&format!("{:?}", audit.items.iter().filter(|entry| entry.result == AuditResult::Done).count()));
        kept
    }
}

/// The body but for the request's id.
fn said(answer: &Answer) -> String {
    let id = answer.header("x-request-id");
    assert!(!id.is_empty());
    answer.text.replace(id, "")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_asks_for_its_permission() {
    let upstream = Upstream::with(|_: &Recorded| Reply::json(200, "[]")).await;
    let document = Json::parse(callout_server::openapi()).unwrap();
    let integration = integration(&document, &upstream.url());
    let mut asked = 0;
    let operations = operations(&document);
    assert!(operations.len() > 20, "{}", operations.len());
    for operation in &operations {
        asked += refusals(operation, &integration).await;
        for key in KEYS {
            if operation.expected(key, Whose::Own, Whose::Own) == Some(operation.success) {
                let world = World::new(operation, &integration).await;
                let answer = world.ask(operation, key, Whose::Own, Whose::Own, "list-issues").await;
                assert_eq!(answer.status, operation.success, "{} by {key:?}: {}", operation.id, answer.text);
                asked += 1;
            }
        }
    }
    assert!(asked > 1000, "{asked}");
}

/// All that one operation refuses, on one server, which is afterwards as it was.
async fn refusals(operation: &Operation, integration: &str) -> usize {
    let world = World::new(operation, integration).await;
    let before = world.kept().await;
    let mut answers = BTreeMap::new();
    for key in KEYS {
        for workspace in operation.workspaces() {
            for item in operation.items() {
                let Some(expected) = operation.expected(key, *workspace, *item) else { continue };
                if expected < 400 {
                    continue;
                }
                let answer = world.ask(operation, key, *workspace, *item, "list-issues").await;
                let case = format!("{} by {key:?} in {workspace:?} on {item:?}", operation.id);
                assert_eq!(answer.status, expected, "{case}: {}", answer.text);
                assert_eq!(answer.header("www-authenticate") == "Bearer", expected == 401, "{case}");
                answers.insert((key, *workspace, *item), said(&answer));
            }
        }
    }
    alike(operation, &answers);
    if operation.has("endpoint_name") {
        let answer = world.ask(operation, Key::With, Whose::Own, Whose::Own, "absent").await;
        assert_eq!(answer.status, 404, "{}: {}", operation.id, answer.text);
        answers.insert((Key::With, Whose::Own, Whose::Own), said(&answer));
    }
    assert_eq!(world.kept().await, before, "{} changed something that it refused", operation.id);
    answers.len()
}

/// Nobody learns from an answer whether something exists elsewhere.
fn alike(operation: &Operation, answers: &BTreeMap<(Key, Whose, Whose), String>) {
    for ((key, workspace, item), answer) in answers {
        let twin = match (workspace, item) {
            (Whose::Foreign, _) if *key != Key::Operator => (*key, Whose::Absent, *item),
            (_, Whose::Foreign) => (*key, *workspace, Whose::Absent),
            _ => continue,
        };
        if let Some(other) = answers.get(&twin) {
            assert_eq!(answer, other, "{}: {key:?} learns what exists", operation.id);
        }
    }
    // And who has no key learns nothing at all.
    for key in [Key::None, Key::Malformed, Key::Unknown, Key::Deleted, Key::Expired] {
        let said: Vec<_> = answers.iter().filter(|((by, _, _), _)| *by == key).map(|(_, answer)| answer).collect();
        assert!(said.windows(2).all(|pair| pair[0] == pair[1]), "{}: {key:?}", operation.id);
    }
}

fn operations(document: &Json) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document.get("paths").unwrap().as_object().unwrap().iter() {
        for (method, operation) in item.as_object().unwrap().iter() {
            let statuses: Vec<u16> = operation
                .get("responses")
                .unwrap()
                .as_object()
                .unwrap()
                .keys()
                .map(|status| status.parse().unwrap())
                .collect();
            let id = operation.get("operationId").unwrap().as_str().unwrap().to_owned();
            let right = match operation.get("x-permission").and_then(Json::as_str) {
                Some("operator") => Right::Operator,
                Some(permission) => Right::Permission(permission.parse().unwrap()),
                None => {
                    assert_eq!(operation.get("security").unwrap().to_string(), "[]", "{id} is open or says who may");
                    Right::Open
                }
            };
            operations.push(Operation {
                // A key that may only make keys makes only such as it is itself.
                body: if id == "create-api-key" {
                    Some(r#"{"duration_days":1,"role":"viewer"}"#.to_owned())
                } else {
                    example(operation)
                },
                id,
                method: method.to_uppercase(),
                path: path.to_owned(),
                right,
                success: statuses.iter().copied().find(|status| *status < 300).unwrap(),
                statuses,
            });
        }
    }
    operations
}

/// The first example of an operation's body.
fn example(operation: &Json) -> Option<String> {
    let media = operation.get("requestBody")?.get("content")?.get("application/json")?;
    let (_, example) = media.get("examples")?.as_object()?.iter().next()?;
    Some(example.get("value")?.to_string())
}

/// The document's own example of an integration, at an upstream of this machine.
fn integration(document: &Json, upstream: &str) -> String {
    let create = document.get("paths").unwrap().get("/v1/{workspace_id}/integrations").unwrap().get("post").unwrap();
    let body = example(create).unwrap().replace("https://api.github.com", upstream);
    // The example is created besides.
    body.replace(r#""name":"github""#, r#""name":"there-already""#)
}
