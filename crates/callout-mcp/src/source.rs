//! Where tools come from.

use callout::{Delivery, Error, Json, Outcome};
use futures_util::stream::BoxStream;

use crate::ToolList;

/// Tells, item by item, that the tools have changed. Where it ends, nothing is announced any more.
pub type Changes = BoxStream<'static, ()>;

/// The tools that a server offers, and how they are called.
///
/// `http` is what the host has left on the HTTP request (its extensions), such as who asks; `None` on
/// stdio.
pub trait ToolSource: Send + Sync + 'static {
    /// The tools that this asker sees.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] becomes an error of the protocol.
    fn list(&self, http: Option<&http::Extensions>) -> impl Future<Output = Result<ToolList, Refusal>> + Send;

    /// Calls a tool. Dropping the future cancels the call.
    ///
    /// `params` have the names that the list shows, which are not always their own: [`callout::Tool::params`],
    /// [`callout::ToolRegistry`] and [`callout::CallOptions::with_tool_names`] each lead back from them.
    ///
    /// # Errors
    ///
    /// A [`Refusal`] becomes an error of the protocol; a call that failed is no refusal.
    fn call(
        &self,
        http: Option<&http::Extensions>,
        tool: &str,
        params: Json,
    ) -> impl Future<Output = Result<Called, Refusal>> + Send;

    /// When what [`ToolSource::list`] gives this asker changes: all that does once this has returned. Whoever
    /// listens is told so only then.
    fn changes(&self, http: Option<&http::Extensions>) -> impl Future<Output = Changes> + Send;
}

/// A call that was made, or refused by the engine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Called {
    /// What came of it.
    pub result: Result<Outcome, Error>,
    /// When the endpoint wants its results handed over, failures too.
    pub delivery: Delivery,
}

impl Called {
    /// What came of a call.
    pub fn new(result: Result<Outcome, Error>, delivery: Delivery) -> Self {
        Self { result, delivery }
    }
}

/// Why a request is not served.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no such tool (error -32602).
    UnknownTool,
    /// The asker may not do that (error -32600); the text says what is missing.
    Denied(String),
    /// It cannot be served now (error -32603); the text says why.
    Unavailable(String),
}
