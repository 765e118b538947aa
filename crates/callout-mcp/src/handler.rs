//! The protocol's requests, answered from a [`ToolSource`].

use std::{
    borrow::Cow,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, OnceLock},
};

use callout::Json;
use futures_util::{FutureExt as _, StreamExt as _, stream};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, CustomRequest, CustomResult, ErrorCode, Extensions,
        Implementation, InitializeRequestParams, InitializeResult, JsonObject, ListToolsResult, PaginatedRequestParams,
        ProgressNotificationParam, ProtocolVersion, ServerCapabilities, ServerConfig, SubscriptionFilter,
    },
    service::{NotificationContext, RequestContext, SubscriptionContext},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{Refusal, ToolSource, listening::Begun, progress, result};

/// What clients are told of a server as a whole that is not told otherwise.
const INSTRUCTIONS: &str = "Each tool is one endpoint of an HTTP API. A call that failed is a result with isError, \
                            which says whether the same call may succeed later. Where a text was cut, another one \
                            behind it says so, and _meta.truncation has the lengths.";

/// The revisions that are spoken: all but 2025-03-26, whose servers must take batches of messages.
const REVISIONS: &[ProtocolVersion] = &[
    ProtocolVersion::V_2024_11_05,
    ProtocolVersion::V_2025_06_18,
    ProtocolVersion::V_2025_11_25,
    ProtocolVersion::V_2026_07_28,
];

/// Serves the tools of a [`ToolSource`]. Cheap to clone.
pub struct McpServer<S> {
    parts: Arc<Parts<S>>,
    /// What clients are told of it.
    info: Arc<ServerConfig>,
}

struct Parts<S> {
    source: S,
    /// Streams of announcements end.
    closing: CancellationToken,
}

impl<S: ToolSource> McpServer<S> {
    /// A server for those tools.
    pub fn new(source: S) -> Self {
        let capabilities = ServerCapabilities::builder().enable_tools().enable_tool_list_changed().build();
        let own = Implementation::new("callout", env!("CARGO_PKG_VERSION"));
        let info = ServerConfig::new(capabilities).with_server_info(own).with_instructions(INSTRUCTIONS);
        Self { parts: Arc::new(Parts { source, closing: CancellationToken::new() }), info: Arc::new(info) }
    }

    /// With a name and a version of its own, which clients show. Default: `callout` and its version.
    #[must_use]
    pub fn with_name(mut self, name: impl Into<String>, version: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.info).server_info = Implementation::new(name, version);
        self
    }

    /// With instructions of its own, which clients hand to their models. Default: how it is told that a call failed, or
    /// that a text was cut.
    #[must_use]
    pub fn with_instructions(mut self, instructions: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.info).instructions = Some(instructions.into());
        self
    }

    /// Cancelled once no announcements are made any more.
    pub(crate) fn closing(&self) -> &CancellationToken {
        &self.parts.closing
    }

    /// What comes of a call; see [`result::result`] for `any_structure`.
    pub(crate) async fn call(
        &self,
        http: Option<&http::Extensions>,
        tool: &str,
        arguments: Option<JsonObject>,
        any_structure: bool,
    ) -> Result<CallToolResult, ErrorData> {
        let params = match arguments {
            Some(arguments) => Json::from(serde_json::Value::Object(arguments)),
            None => Json::empty_object(),
        };
        let called = unbroken(async { self.parts.source.call(http, tool, params).await }).await?;
        let called = called.map_err(|refusal| refused(refusal, tool))?;
        Ok(result::result(&called, any_structure))
    }

    /// Follows the asker's changes, from now on.
    pub(crate) async fn begin(&self, http: Option<&http::Extensions>) -> Begun {
        let changes = unbroken(async { self.parts.source.changes(http).await }).await;
        // Of what broke off nothing is announced.
        Begun::new(changes.unwrap_or_else(|_| stream::empty().boxed()))
    }

    /// One client's side of it.
    pub(crate) fn handler(&self) -> Handler<S> {
        Handler {
            server: self.clone(),
            begun: OnceLock::new(),
            input_ended: CancellationToken::new(),
            ended: CancellationToken::new().drop_guard(),
        }
    }
}

impl<S> Clone for McpServer<S> {
    fn clone(&self) -> Self {
        Self { parts: Arc::clone(&self.parts), info: Arc::clone(&self.info) }
    }
}

impl<S> fmt::Debug for McpServer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("McpServer").finish_non_exhaustive()
    }
}

/// One session, or one request where there are none.
pub(crate) struct Handler<S> {
    server: McpServer<S>,
    /// The changes that a session before 2026-07-28 is told of.
    begun: OnceLock<Begun>,
    /// Cancelled where the client's stream has ended. The SDK sends nothing but answers then, and whoever tells of
    /// anything else would wait for that to no end.
    input_ended: CancellationToken,
    /// Ends what was spawned for the session, with it.
    ended: DropGuard,
}

impl<S: ToolSource> Handler<S> {
    /// Follows the asker's changes, from now on.
    pub(crate) async fn begin(&self, http: Option<&http::Extensions>) -> Begun {
        self.server.begin(http).await
    }

    /// To be cancelled where the client's stream has ended.
    pub(crate) fn input_ended(&self) -> &CancellationToken {
        &self.input_ended
    }
}

impl<S: ToolSource> ServerHandler for Handler<S> {
    fn get_info(&self) -> ServerConfig {
        (*self.server.info).clone()
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Cow::Borrowed(REVISIONS)
    }

    async fn list_tools(
        &self,
        request: Option<PaginatedRequestParams>,
        context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        let http = host(&context.extensions);
        let list = unbroken(async { self.server.parts.source.list(http).await }).await?;
        let list = list.map_err(|refusal| refused(refusal, ""))?;
        let unknown = || ErrorData::invalid_params("there is no such cursor", None);
        let start = match request.and_then(|request| request.cursor) {
            None => 0,
            Some(cursor) => cursor.parse().map_err(|_| unknown())?,
        };
        let (tools, next) = list.page(start).ok_or_else(unknown)?;
        let mut result = ListToolsResult::with_all_items(tools);
        result.next_cursor = next.map(|next| next.to_string());
        Ok(result)
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let any_structure = is_of_2026_07_28(&context);
        let http = host(&context.extensions);
        let call = self.server.call(http, &request.name, request.arguments, any_structure);
        tokio::select! {
            called = told(&context, &self.input_ended, call) => called.map(CallToolResponse::Complete),
            () = context.ct.cancelled() => Err(cancelled()),
        }
    }

    /// A request of another method, or one whose params the SDK cannot read.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        context: RequestContext<RoleServer>,
    ) -> Result<CustomResult, ErrorData> {
        let CustomRequest { method, .. } = request;
        Err(match needed(&method, is_of_2026_07_28(&context)) {
            Some(what) => {
                ErrorData::invalid_params(format!("the params of {method} must be an object with {what}"), None)
            }
            None => ErrorData::new(ErrorCode::METHOD_NOT_FOUND, method, None),
        })
    }

    /// What changes once this is answered, a session before 2026-07-28 is told when it has initialized.
    async fn initialize(
        &self,
        mut request: InitializeRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<InitializeResult, ErrorData> {
        if request.protocol_version == ProtocolVersion::V_2025_03_26 {
            // Its clients speak the revision before it too, and might know none that came after.
            request.protocol_version = ProtocolVersion::V_2024_11_05;
        }
        // A session begins once.
        let _ = self.begun.set(self.begin(host(&context.extensions)).await);
        context.peer.set_peer_info(request.clone());
        self.negotiate_initialize(&request)
    }

    /// From here on a session before 2026-07-28 is told of changes.
    async fn on_initialized(&self, context: NotificationContext<RoleServer>) {
        let Some(mut changes) = self.begun.get().and_then(Begun::take) else { return };
        let peer = context.peer;
        let announcing = async move {
            while changes.next().await.is_some() {
                if peer.notify_tool_list_changed().await.is_err() {
                    return;
                }
            }
        };
        let ended = self.ended.token().clone();
        tokio::spawn(async move { ended.run_until_cancelled(announcing).await });
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        let mut accepted = SubscriptionFilter::default();
        accepted.tools_list_changed = requested.tools_list_changed;
        Some(accepted)
    }

    /// Since 2026-07-28 changes are told to those who listen.
    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let extensions = &subscription.request_context().extensions;
        let begun = extensions.get::<Begun>().or_else(|| host(extensions)?.get());
        let Some(mut changes) = begun.and_then(Begun::take) else { return Ok(()) };
        loop {
            let change = tokio::select! {
                change = unbroken(changes.next()) => change?,
                () = subscription.cancelled() => None,
                () = self.server.parts.closing.cancelled() => None,
            };
            if change.is_none() || subscription.sink().notify_tool_list_changed().await.is_err() {
                return Ok(());
            }
        }
    }
}

/// What the host has left on the HTTP request.
fn host(extensions: &Extensions) -> Option<&http::Extensions> {
    extensions.get::<http::request::Parts>().map(|request| &request.extensions)
}

fn is_of_2026_07_28(context: &RequestContext<RoleServer>) -> bool {
    context.protocol_version().is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// What the params of a method that is served have to hold, where they have to hold anything.
fn needed(method: &str, is_of_2026_07_28: bool) -> Option<&'static str> {
    match method {
        "initialize" => Some("protocolVersion, capabilities and clientInfo, which has name and version"),
        "server/discover" => Some("_meta, in which each request of revision 2026-07-28 says whose it is"),
        "subscriptions/listen" if is_of_2026_07_28 => Some(r#"notifications, such as {"toolsListChanged": true}"#),
        "tools/call" => Some("name as a string, and arguments, if there are any, as an object, not as its text"),
        _ => None,
    }
}

/// Does a call's work and tells the client of it, if it has asked and until its stream ends.
async fn told<T>(
    context: &RequestContext<RoleServer>,
    input_ended: &CancellationToken,
    call: impl Future<Output = T>,
) -> T {
    let Some(token) = context.meta.get_progress_token() else { return call.await };
    let tell = |number, line| {
        let mut progress = ProgressNotificationParam::new(token.clone(), number);
        progress.message = Some(line);
        async move {
            // A client that is gone cancels the call by other ways.
            let _ = input_ended.run_until_cancelled(context.peer.notify_progress(progress)).await;
        }
    };
    progress::watched(call, tell).await
}

/// What the host does, or an error in the place of its panic: a request whose task panics is never answered by the SDK.
async fn unbroken<T>(work: impl Future<Output = T>) -> Result<T, ErrorData> {
    // What it leaves half done is the host's own, who sees the panic.
    let done = AssertUnwindSafe(work).catch_unwind().await;
    done.map_err(|_| ErrorData::internal_error("the server broke off: something in it panicked", None))
}

/// Nobody waits for this answer.
pub(crate) fn cancelled() -> ErrorData {
    ErrorData::new(ErrorCode::INTERNAL_ERROR, "cancelled", None)
}

fn refused(refusal: Refusal, tool: &str) -> ErrorData {
    match refusal {
        Refusal::UnknownTool => {
            let shown: String = tool.chars().filter(|asked| !asked.is_control()).take(128).collect();
            ErrorData::invalid_params(Cow::Owned(format!("Unknown tool: {shown}")), None)
        }
        Refusal::Denied(reason) => ErrorData::invalid_request(reason, None),
        Refusal::Unavailable(reason) => ErrorData::internal_error(reason, None),
    }
}
