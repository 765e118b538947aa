//! Holding calls until somebody has approved them.

use std::{fmt, future::Future, sync::Arc};

use callout_core::{
    Error, ErrorKind,
    config::Method,
    http::{BoxFuture, Caller},
    json::Json,
};

use crate::{SentRequest, observer::CallId};

/// A call that is held: what a person, or a rule, needs to see in order to decide.
///
/// It has been checked and its request made; nothing of it has been sent, no token call either.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct HeldCall {
    /// Its id.
    pub id: CallId,
    /// What the host calls it ([`crate::CallOptions::with_id`]): whom to ask, where several people share a workspace.
    pub host_id: Option<Arc<str>>,
    /// Whose call it is.
    pub owner: Caller,
    /// The integration's name.
    pub integration: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// What the endpoint does, in the config's words.
    pub description: String,
    /// The method.
    pub method: Method,
    /// The params of the call.
    pub params: Json,
    /// The request that would be sent, secrets masked.
    pub request: SentRequest,
}

/// What is to become of a held call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is sent.
    Approved,
    /// It ends with [`ErrorKind::ApprovalRefused`].
    Refused {
        /// Why, for the model: "the user wants to check the address first".
        reason: String,
    },
}

/// Decides about held calls: asks a person, looks at a rule.
///
/// ```
/// use callout::{Approval, Approver, Decision, Engine, HeldCall};
///
/// struct AskOnTerminal;
///
/// impl Approver for AskOnTerminal {
///     async fn decide(&self, call: &HeldCall) -> Decision {
///         println!("{} {} with {}?", call.request.method, call.request.url, call.params);
///         Decision::Refused { reason: "nobody is there".into() }
///     }
/// }
///
/// let engine = Engine::builder().with_approval(Approval::writes(AskOnTerminal)).build()?;
/// # Ok::<(), callout::Error>(())
/// ```
pub trait Approver: Send + Sync + 'static {
    /// Ends when the decision is there. It may take as long as it likes: the call's deadline begins
    /// afterwards. If the call is dropped meanwhile, so is this future.
    fn decide(&self, call: &HeldCall) -> impl Future<Output = Decision> + Send;
}

trait DynApprover: Send + Sync {
    fn decide<'a>(&'a self, call: &'a HeldCall) -> BoxFuture<'a, Decision>;
}

impl<A: Approver> DynApprover for A {
    fn decide<'a>(&'a self, call: &'a HeldCall) -> BoxFuture<'a, Decision> {
        Box::pin(Approver::decide(self, call))
    }
}

type Holds = Arc<dyn Fn(&HeldCall) -> bool + Send + Sync>;

/// Which calls an engine holds, and who decides about them. Without one no call is held.
#[derive(Clone)]
pub struct Approval {
    holds: Which,
    approver: Arc<dyn DynApprover>,
}

#[derive(Clone)]
enum Which {
    Writes,
    All,
    Chosen(Holds),
}

impl Approval {
    /// Holds the calls that may change something: POST, PUT, PATCH and DELETE.
    pub fn writes(approver: impl Approver) -> Self {
        Self { holds: Which::Writes, approver: Arc::new(approver) }
    }

    /// Holds every call.
    pub fn all(approver: impl Approver) -> Self {
        Self { holds: Which::All, approver: Arc::new(approver) }
    }

    /// Holds the calls for which `holds` is true.
    pub fn when(holds: impl Fn(&HeldCall) -> bool + Send + Sync + 'static, approver: impl Approver) -> Self {
        Self { holds: Which::Chosen(Arc::new(holds)), approver: Arc::new(approver) }
    }

    /// The call, if it is held; `describe` is called only if that must be known.
    pub(crate) fn holds(&self, method: Method, describe: impl FnOnce() -> HeldCall) -> Option<HeldCall> {
        match &self.holds {
            Which::Writes if method == Method::Get => None,
            Which::Writes | Which::All => Some(describe()),
            Which::Chosen(holds) => Some(describe()).filter(|call| holds(call)),
        }
    }

    /// # Errors
    ///
    /// `approval_refused`, with the reason.
    pub(crate) async fn decide(&self, call: &HeldCall) -> Result<(), Error> {
        match self.approver.decide(call).await {
            Decision::Approved => Ok(()),
            Decision::Refused { reason } => {
                let reason = if reason.is_empty() { "no reason was given" } else { &reason };
                let message = format!(
                    "the call was not approved, and nothing was sent: {reason}; do not make it again unless asked to"
                );
                Err(Error::new(ErrorKind::ApprovalRefused, message))
            }
        }
    }
}

impl fmt::Debug for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = match self.holds {
            Which::Writes => "writes",
            Which::All => "all",
            Which::Chosen(_) => "chosen",
        };
        f.debug_struct("Approval").field("holds", &holds).finish_non_exhaustive()
    }
}
