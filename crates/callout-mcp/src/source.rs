//! Where tools come from.

use callout::{Delivery, Error, Json, Outcome};
use futures_util::stream::BoxStream;

use crate::ToolList;

/// Tells, item by item, that the tools have changed. Where it ends, nothing is announced any more.
pub type Changes = BoxStream<'static, ()>;

/// The tools that a server offers, and how they are called.
///
/// [`Registry`](crate::Registry) is one. A host that has tools which are no endpoints puts its own around it:
///
/// ```
/// use callout::Json;
/// use callout_mcp::{Called, Changes, Refusal, Registry, ToolList, ToolSource};
///
/// struct Tools(Registry);
///
/// impl ToolSource for Tools {
///     async fn list(&self, http: Option<&http::Extensions>) -> Result<ToolList, Refusal> {
///         let schema = Json::empty_object();
///         Ok(self.0.list(http).await?.with_tool("whoami", "Who the user is", &schema))
///     }
///
///     async fn call(&self, http: Option<&http::Extensions>, tool: &str, params: Json) -> Result<Called, Refusal> {
///         match tool {
///             "whoami" => Ok(Called::text("Alice, who has been with us since 2019")),
///             _ => self.0.call(http, tool, params).await,
///         }
///     }
///
///     async fn changes(&self, http: Option<&http::Extensions>) -> Changes {
///         self.0.changes(http).await
///     }
/// }
/// ```
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
    pub result: Result<Success, Error>,
    /// When the endpoint wants its results handed over, failures too.
    pub delivery: Delivery,
}

/// What a call gives that did not fail.
#[derive(Clone, Debug)]
pub enum Success {
    /// What the engine made of an endpoint's answer.
    Outcome(Outcome),
    /// The host's own text: of a tool that is no endpoint, or in the place of an outcome's.
    Text(String),
}

impl Called {
    /// What came of a call.
    pub fn new(result: Result<Outcome, Error>, delivery: Delivery) -> Self {
        Self { result: result.map(Success::Outcome), delivery }
    }

    /// A text of the host's own. What fails is an [`Error`].
    pub fn text(text: impl Into<String>) -> Self {
        Self { result: Ok(Success::Text(text.into())), delivery: Delivery::default() }
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
