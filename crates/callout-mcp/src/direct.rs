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
