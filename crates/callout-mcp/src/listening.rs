//! Changes are followed before whoever listens is told that it does: none passes by in between.

use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use rmcp::{
    ErrorData, RoleServer, Service,
    model::{ClientNotification, ClientRequest, ProtocolVersion, ServerConfig, ServerResult},
    service::{NotificationContext, RequestContext},
};

use crate::{Changes, ToolSource, handler::Handler};

/// Changes that are followed already, until somebody is told of them.
#[derive(Clone)]
pub(crate) struct Begun(Arc<Mutex<Option<Changes>>>);

impl Begun {
    pub(crate) fn new(changes: Changes) -> Self {
        Self(Arc::new(Mutex::new(Some(changes))))
    }

    /// Once: they are one listener's.
    pub(crate) fn take(&self) -> Option<Changes> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl fmt::Debug for Begun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Begun").finish_non_exhaustive()
    }
}

/// A client on two streams. The SDK acknowledges a subscription before it asks the handler for one; over
/// HTTP the request can be met before the SDK sees it.
pub(crate) struct Listening<S>(pub(crate) Handler<S>);

impl<S: ToolSource> Service<RoleServer> for Listening<S> {
    async fn handle_request(
        &self,
        request: ClientRequest,
        mut context: RequestContext<RoleServer>,
    ) -> Result<ServerResult, ErrorData> {
        if matches!(request, ClientRequest::SubscriptionsListenRequest(_)) {
            context.extensions.insert(self.0.begin(None).await);
        }
        self.0.handle_request(request, context).await
    }

    async fn handle_notification(
        &self,
        notification: ClientNotification,
        context: NotificationContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.0.handle_notification(notification, context).await
    }

    fn get_info(&self) -> ServerConfig {
        Service::get_info(&self.0)
    }

    fn supported_protocol_versions(&self) -> Cow<'static, [ProtocolVersion]> {
        Service::supported_protocol_versions(&self.0)
    }
}
