//! What became of a document: per operation, with places and reasons.

use callout_core::json::{Json, ObjectBuilder};

use crate::pointer::Pointer;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Good to know; the request is what the document describes.
    Note,
    /// Something that the document describes cannot be sent, or is not checked.
    Loss,
}

/// One thing that was found on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where it stands in the document.
    pub place: Pointer,
    /// What it is, and what was done.
    pub reason: String,
}

/// What became of one operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is an endpoint.
    Imported {
        /// The integration's name.
        integration: String,
        /// The endpoint's name.
        endpoint: String,
    },
    /// It is not, for the reasons among its findings.
    LeftOut,
    /// It could be one, but the integration has as many endpoints as one may have.
    NoRoom,
}

/// One operation that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperationReport {
    /// The method, in capitals.
    pub method: String,
    /// The path as the document writes it.
    pub path: String,
    /// Its `operationId`, if it has one.
    pub operation_id: Option<String>,
    /// Its first tag, if it has one.
    pub tag: Option<String>,
    /// Where it stands in the document.
    pub place: Pointer,
    /// What became of it.
    pub fate: Fate,
    /// What was found.
    pub findings: Vec<Finding>,
}

impl OperationReport {
    /// Whether something that the document describes could not be carried over.
    pub fn has_loss(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Loss)
    }
}

/// A secret that an integration needs and no document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretNeeded {
    /// The integration's name.
    pub integration: String,
    /// The secret's short name (`bearer_token`).
    pub secret: &'static str,
    /// What it is.
    pub what: String,
}

/// What became of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Operations of the document, chosen or not.
    pub operations_in_document: usize,
    /// Those that were chosen, in the document's order.
    pub operations: Vec<OperationReport>,
    /// What concerns the document as a whole.
    pub findings: Vec<Finding>,
    /// Secrets to be given.
    pub secrets: Vec<SecretNeeded>,
}

impl Report {
    /// How many operations were imported, those with loss among them.
    pub fn imported(&self) -> usize {
        self.operations.iter().filter(|operation| matches!(operation.fate, Fate::Imported { .. })).count()
    }

    /// Those that were imported with loss.
    pub fn with_loss(&self) -> impl Iterator<Item = &OperationReport> {
        let imported = |operation: &&OperationReport| matches!(operation.fate, Fate::Imported { .. });
        self.operations.iter().filter(imported).filter(|operation| operation.has_loss())
    }

    /// Those that were left out because they cannot be carried over.
    pub fn left_out(&self) -> impl Iterator<Item = &OperationReport> {
        self.operations.iter().filter(|operation| operation.fate == Fate::LeftOut)
    }

    /// Those for which there was no room.
    pub fn no_room(&self) -> impl Iterator<Item = &OperationReport> {
        self.operations.iter().filter(|operation| operation.fate == Fate::NoRoom)
    }

    /// Whether everything that was chosen was carried over whole.
    pub fn is_whole(&self) -> bool {
        let whole =
            |operation: &OperationReport| matches!(operation.fate, Fate::Imported { .. }) && !operation.has_loss();
        self.operations.iter().all(whole) && self.findings.iter().all(|finding| finding.severity == Severity::Note)
    }

    /// The whole report, for programs.
    pub fn to_json(&self) -> Json {
        let operations: Json = self.operations.iter().map(OperationReport::to_json).collect();
        let secrets = self.secrets.iter().map(|secret| {
            let SecretNeeded { integration, secret, what } = secret;
            Json::from(
                ObjectBuilder::new()
                    .with("integration", integration.as_str())
                    .with("secret", *secret)
                    .with("what", what.as_str()),
            )
        });
        ObjectBuilder::new()
            .with("operations_in_document", self.operations_in_document)
            .with("imported", self.imported())
            .with("imported_with_loss", self.with_loss().count())
            .with("left_out", self.left_out().count())
            .with("no_room", self.no_room().count())
            .with("findings", findings(&self.findings))
            .with("secrets", secrets.collect::<Json>())
            .with("operations", operations)
            .into()
    }
}

impl OperationReport {
    fn to_json(&self) -> Json {
        let (fate, integration, endpoint) = match &self.fate {
            Fate::Imported { integration, endpoint } => {
                let fate = if self.has_loss() { "imported_with_loss" } else { "imported" };
                (fate, Some(integration.as_str()), Some(endpoint.as_str()))
            }
            Fate::LeftOut => ("left_out", None, None),
            Fate::NoRoom => ("no_room", None, None),
        };
        ObjectBuilder::new()
            .with("method", self.method.as_str())
            .with("path", self.path.as_str())
            .with("operation_id", self.operation_id.as_deref())
            .with("place", self.place.to_string())
            .with("fate", fate)
            .with("integration", integration)
            .with("endpoint", endpoint)
            .with("findings", findings(&self.findings))
            .into()
    }
}

fn findings(findings: &[Finding]) -> Json {
    let one = |finding: &Finding| {
        let severity = match finding.severity {
            Severity::Note => "note",
            Severity::Loss => "loss",
        };
        Json::from(
            ObjectBuilder::new()
                .with("severity", severity)
                .with("place", finding.place.to_string())
                .with("reason", finding.reason.as_str()),
        )
    };
    findings.iter().map(one).collect()
}

/// Findings as they are made.
#[derive(Debug, Default)]
pub(crate) struct Findings(pub(crate) Vec<Finding>);

/// Findings of one operation. What is beyond is summed up in the last.
const MAX_FINDINGS: usize = 50;

impl Findings {
    pub(crate) fn loss(&mut self, place: &Pointer, reason: impl Into<String>) {
        self.add(Severity::Loss, place, reason.into());
    }

    pub(crate) fn note(&mut self, place: &Pointer, reason: impl Into<String>) {
        self.add(Severity::Note, place, reason.into());
    }

    fn add(&mut self, severity: Severity, place: &Pointer, reason: String) {
        let finding = Finding { severity, place: place.clone(), reason };
        if self.0.contains(&finding) {
            return;
        }
        if self.0.len() < MAX_FINDINGS {
            self.0.push(finding);
        } else if let Some(last) = self.0.last_mut() {
            "and more of the kind".clone_into(&mut last.reason);
            if severity == Severity::Loss {
                last.severity = Severity::Loss;
            }
        }
    }
}
