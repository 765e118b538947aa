//! What is told of a call that has ended: a line of the log, and a count.

use std::time::Duration;

use callout::{Error, Outcome, milliseconds};
use callout_store::Uuid;

use crate::{App, envelope::RequestId, loaded::LoadedIntegration};

/// A call of an endpoint, by its names and ids.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// `test`, `execute` or `mcp`.
    pub(crate) kind: &'static str,
    pub(crate) workspace: Uuid,
    pub(crate) integration: Uuid,
    /// What that id led to.
    pub(crate) loaded: &'a LoadedIntegration,
    pub(crate) endpoint: &'a str,
    pub(crate) request_id: Option<&'a RequestId>,
}

impl Call<'_> {
    /// Tells what came of it.
    pub(crate) fn gave(&self, app: &App, result: &Result<Outcome, Error>, duration: Duration) {
        match result {
            Ok(outcome) => self.ended(app, Some(outcome.status()), outcome.retries(), None, duration),
            Err(error) => self.ended(app, error.status(), error.retries(), Some(error), duration),
        }
    }

    /// As [`Call::gave`], with each part by itself.
    pub(crate) fn ended(
        &self,
        app: &App,
        status: Option<u16>,
        retries: u32,
        error: Option<&Error>,
        duration: Duration,
    ) {
        app.metrics().called(self.kind, error, duration);
        // Names and codes alone: what is sent and answered may hold anything. None of them is looked for, or written,
        // where nobody takes the line.
        tracing::info!(
            kind = self.kind,
            workspace_id = %self.workspace,
            integration_id = %self.integration,
            integration = integration_name(self.loaded),
            endpoint = self.endpoint_name(),
            status,
            retries,
            error = error.map(|error| error.kind().code()),
            duration_ms = milliseconds(duration),
            request_id = self.request_id.map(RequestId::as_str),
            "call"
        );
    }

    /// As the integration has it: whoever calls may have written anything in its place.
    fn endpoint_name(&self) -> Option<&str> {
        let integration = self.loaded.as_ref().ok()?;
        integration.endpoint_names().find(|name| *name == self.endpoint)
    }
}

/// The name that goes with an id, if that led to one.
pub(crate) fn integration_name(loaded: &LoadedIntegration) -> Option<&str> {
    match loaded {
        Ok(integration) => Some(integration.name()),
        Err(error) => error.integration(),
    }
}
