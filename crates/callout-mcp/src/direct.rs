//! Calls that need nothing of a session's machinery, and so do not pay for it.
//!
//! The SDK serves each request of revision 2026-07-28 by a service of its own, with tasks and channels, and
//! reads its body twice. A plain call needs none of that: it asks for no progress, and its client cancels it
//! by going away. What is in any way unusual is left to the SDK, which also says what is wrong with it.

use http::{HeaderMap, HeaderName, header, uri::Authority};
use rmcp::model::{JsonObject, ProtocolVersion, RequestId, RequestMetaObject};
use serde::Deserialize;

/// The headers in which a request says what its body asks for.
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

const CALL: &str = "tools/call";
const LISTEN: &str = "subscriptions/listen";

/// How a name in a header begins that is not written as it is.
const ENCODED: &str = "=?base64?";

/// A call of revision 2026-07-28 without progress, in which all is as usual.
pub(crate) struct Direct {
    pub(crate) id: RequestId,
    pub(crate) tool: String,
    pub(crate) arguments: Option<JsonObject>,
}

/// A message. Collecting what is not known also keeps arrays from being taken for objects.
#[derive(Deserialize)]
struct Message<'a> {
    jsonrpc: &'a str,
    id: RequestId,
    method: &'a str,
    params: Params,
    #[serde(flatten)]
    unknown: JsonObject,
}

#[derive(Deserialize)]
struct Params {
    name: String,
    arguments: Option<JsonObject>,
    #[serde(rename = "_meta")]
    meta: RequestMetaObject,
    #[serde(flatten)]
    unknown: JsonObject,
}

impl Direct {
    /// `None` where it is another request, or anything is amiss with it.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8], allowed_hosts: &[String]) -> Option<Self> {
        if !is_of_2026_07_28(headers) || !is_usual(headers, allowed_hosts) {
            return None;
        }
        let message: Message<'_> = serde_json::from_slice(body).ok()?;
        let Params { name, arguments, meta, unknown } = message.params;
        let is_call = message.jsonrpc == "2.0" && message.method == CALL && only(headers, &METHOD)? == CALL;
        let named = only(headers, &NAME)?;
        let is_plain = named == name && !named.starts_with(ENCODED) && meta.get_progress_token().is_none();
        let is_known = message.unknown.is_empty() && unknown.is_empty();
        (is_call && is_plain && is_known && is_whole(&meta)).then_some(Self { id: message.id, tool: name, arguments })
    }
}

/// Whether its headers say that it asks to be told of changes. From that revision on they have to tell the
/// truth: the SDK refuses what is another request. Of those before it does not look at them.
pub(crate) fn is_wish_to_listen(headers: &HeaderMap) -> bool {
    is_of_2026_07_28(headers) && only(headers, &METHOD) == Some(LISTEN)
}

fn is_of_2026_07_28(headers: &HeaderMap) -> bool {
    only(headers, &VERSION) == Some(ProtocolVersion::V_2026_07_28.as_str())
}

/// Whether the SDK would let it pass.
fn is_usual(headers: &HeaderMap, allowed_hosts: &[String]) -> bool {
    let is_of_a_program = !headers.contains_key(header::ORIGIN);
    let is_json = only(headers, &header::CONTENT_TYPE) == Some("application/json");
    let accepts = only(headers, &header::ACCEPT).unwrap_or_default();
    let accepts = |kind| accepts.split(',').any(|accepted| accepted.trim() == kind);
    is_of_a_program
        && is_json
        && accepts("application/json")
        && accepts("text/event-stream")
        && is_for(headers, allowed_hosts)
}

/// Whether the host that it names is among these, letter by letter; if there are none, any is.
fn is_for(headers: &HeaderMap, allowed_hosts: &[String]) -> bool {
    let named = only(headers, &header::HOST).and_then(|host| Authority::try_from(host).ok());
    named.is_some_and(|named| {
        allowed_hosts.is_empty() || allowed_hosts.iter().any(|host| host == named.as_str() || host == named.host())
    })
}

/// What a header says that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut all = headers.get_all(name).iter();
    let first = all.next().filter(|_| all.next().is_none())?;
    first.to_str().ok()
}

/// Whether it says all that each request of the revision must.
fn is_whole(meta: &RequestMetaObject) -> bool {
    meta.protocol_version() == Some(ProtocolVersion::V_2026_07_28)
        && meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use callout::{EgressPolicy, Engine, Json, ToolRegistry};
    use futures_util::FutureExt as _;
    use http::{HeaderValue, Request};
    use http_body_util::{BodyExt as _, Full};

    use super::*;
    use crate::{HttpOptions, HttpService, McpServer, Owner, Registry};

    const USUAL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"shop__go","arguments":{"id":7},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"test","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}}}}"#;

    fn usual() -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("host", "localhost"),
            ("content-type", "application/json"),
            ("accept", "application/json, text/event-stream"),
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "shop__go"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn read(headers: &HeaderMap, body: &str) -> Option<Direct> {
        Direct::read(headers, body.as_bytes(), &HttpOptions::default().allowed_hosts)
    }

    #[test]
    fn what_is_usual_is_a_direct_call() {
        let call = read(&usual(), USUAL).unwrap();
        assert_eq!((call.id, &*call.tool), (RequestId::Number(1), "shop__go"));
        assert_eq!(call.arguments.unwrap()["id"], 7);
        for (name, value) in [
            ("host", "127.0.0.1:9000"),
            ("accept", "text/event-stream,application/json, */*"),
            ("user-agent", "a client"),
        ] {
            let mut headers = usual();
            headers.insert(name, HeaderValue::from_static(value));
            assert!(read(&headers, USUAL).is_some(), "{name}: {value}");
        }
        for (from, to) in [
            (r#""id":1"#, r#""id":"a\"b""#),
            (r#""arguments":{"id":7},"#, ""),
            (r#""arguments":{"id":7}"#, r#""arguments":null"#),
        ] {
            assert!(USUAL.contains(from), "{from}");
            assert!(read(&usual(), &USUAL.replace(from, to)).is_some(), "{to}");
        }
    }

    #[test]
    fn what_is_unusual_is_no_direct_call() {
        for (name, value) in [
            ("mcp-method", "tools/list"),
            ("mcp-name", "other__go"),
            ("mcp-name", "=?base64?c2hvcF9fZ28=?="),
            ("mcp-protocol-version", "2025-06-18"),
            ("origin", "https://evil.example"),
            ("content-type", "text/plain"),
            ("accept", "application/json"),
            ("accept", "text/event-stream"),
            ("host", "evil.example"),
            ("host", ""),
        ] {
            let mut headers = usual();
            headers.insert(name, HeaderValue::from_static(value));
            assert!(read(&headers, USUAL).is_none(), "{name}: {value}");
        }
        for (name, value) in &usual() {
            let mut twice = usual();
            twice.append(name, value.clone());
            assert!(read(&twice, USUAL).is_none(), "{name} twice");
            let mut without = usual();
            without.remove(name);
            assert!(read(&without, USUAL).is_none(), "without {name}");
        }
        for (from, to) in [
            ("2026-07-28", "2026-07-29"),
            (r#""io.modelcontextprotocol/clientCapabilities":{}"#, r#""x":1"#),
            (r#""2.0""#, r#""1.0""#),
            ("tools/call", "tools/list"),
            (r#""id":1,"#, ""),
            (r#""id":1,"#, r#""id":1,"x":2,"#),
            (r#""arguments""#, r#""x":2,"arguments""#),
            (r#"{"id":7}"#, r#"{"id":7,}"#),
            (r#"{"id":7}"#, r#""{\"id\":7}""#),
            (r#"{"id":7}"#, "[7]"),
            (r#""_meta":{"#, r#""_meta":{"progressToken":5,"#),
        ] {
            assert!(USUAL.contains(from), "{from}");
            assert!(read(&usual(), &USUAL.replace(from, to)).is_none(), "{to}");
        }
        // An array is no object, whatever is in it.
        let (_, params) = USUAL.split_once(r#""params":"#).unwrap();
        let params = params.strip_suffix('}').unwrap();
        assert!(read(&usual(), &format!(r#"["2.0",1,"tools/call",{params}]"#)).is_none());
        let (_, meta) = params.split_once(r#""_meta":"#).unwrap();
        let array = format!(r#"["shop__go",{{"id":7}},{}]"#, meta.strip_suffix('}').unwrap());
        assert!(read(&usual(), &USUAL.replace(params, &array)).is_none());
    }

    /// The SDK would answer it in a task, which needs a runtime: there is none here.
    #[test]
    fn a_usual_call_is_answered_without_a_task() {
        let engine = Engine::builder().with_egress(EgressPolicy::public()).build().unwrap();
        let server = McpServer::new(Registry::new(engine, ToolRegistry::new(), Json::empty_object()));
        let service = HttpService::new(&server, HttpOptions::default());
        let mut request = Request::post("/mcp").body(Full::<Bytes>::from(USUAL)).unwrap();
        *request.headers_mut() = usual();
        let answer = service.handle(Owner { tenant: "", id: "one" }, request).now_or_never().unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.into_body().collect().now_or_never().unwrap().unwrap().to_bytes();
        let said = String::from_utf8(body.to_vec()).unwrap();
        assert!(said.contains("Unknown tool: shop__go"), "{said}");
    }
}
