//! The report of an import, for people, on standard error.

use std::collections::BTreeMap;

use callout_openapi::{Document, Finding, Imported, OperationReport, Severity};

use super::output;
use crate::{out, show};

/// Operations of a kind that are listed with all that was found; `--report` has all of them.
const MAX_LISTED: usize = 200;

pub(crate) fn print(document: &Document, imported: &Imported) {
    let report = &imported.report;
    let all = show::count(report.operations_in_document, "operation", "operations");
    let operations = if report.operations.len() == report.operations_in_document {
        all
    } else {
        format!("{} of {all}", report.operations.len())
    };
    let lossy: Vec<_> = report.with_loss().collect();
    let left_out: Vec<_> = report.left_out().collect();
    let no_room: Vec<_> = report.no_room().collect();
    out::aside(format_args!(
        "{}: {operations}, {} imported{}, {} left out{}",
        show::heading(out::shown(document.title().unwrap_or("the document"))),
        report.imported(),
        if lossy.is_empty() { String::new() } else { format!(" ({} with loss)", lossy.len()) },
        left_out.len(),
        if no_room.is_empty() { String::new() } else { format!(", {} without room", no_room.len()) },
    ));
    for integration in &imported.integrations {
        let count = show::count(integration.endpoints.len(), "endpoint", "endpoints");
        out::aside(format_args!(
            "  {} {}",
            integration.name,
            show::dim(format!("{count} at {}", integration.base_url))
        ));
    }
    list("imported with loss", &lossy);
    list("left out", &left_out);
    if !no_room.is_empty() {
        say_no_room(&no_room);
    }
    for finding in &report.findings {
        out::aside(format_args!("{} {}", mark(finding.severity), said(finding)));
    }
    let are_several = imported.integrations.len() > 1;
    for secret in &report.secrets {
        // Each has its own, be it the same by name.
        let whose = if are_several { format!("{}: ", secret.integration) } else { String::new() };
        let line = output::secret_line(secret);
        out::aside(format_args!("{} {whose}{}", show::heading("secret:"), out::shown(&line)));
    }
}

fn list(title: &str, operations: &[&OperationReport]) {
    if operations.is_empty() {
        return;
    }
    out::aside(show::heading(format!("{title}:")));
    for operation in operations.iter().take(MAX_LISTED) {
        let id = operation.operation_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
        out::aside(format_args!(
            "  {} {}{}",
            operation.method,
            out::shown(&operation.path),
            show::dim(out::shown(&id))
        ));
        for finding in operation.findings.iter().filter(|finding| finding.severity == Severity::Loss) {
            out::aside(format_args!("    {}", said(finding)));
        }
    }
    if let Some(more) = operations.len().checked_sub(MAX_LISTED).filter(|more| *more > 0) {
        out::aside(format_args!("  {}", show::dim(format!("… {more} more; --report FILE has all of them"))));
    }
}

fn say_no_room(operations: &[&OperationReport]) {
    let mut tags: BTreeMap<&str, usize> = BTreeMap::new();
    for operation in operations {
        *tags.entry(operation.tag.as_deref().unwrap_or("without a tag")).or_default() += 1;
    }
    let mut tags: Vec<_> = tags.into_iter().collect();
    tags.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let shown: Vec<_> = tags.iter().take(12).map(|(tag, count)| format!("{tag} {count}")).collect();
    let more = if tags.len() > shown.len() { ", …" } else { "" };
    out::aside(format_args!(
        "{} an integration has at most 50 endpoints, which leaves out {}: {}{more}. Choose by --include tag:NAME, or \
         split by --split-by tag",
        show::heading("without room:"),
        show::count(operations.len(), "operation", "operations"),
        out::shown(&shown.join(", ")),
    ));
}

/// A finding and its place, which holds names of the document.
fn said(finding: &Finding) -> String {
    format!("{} {}", out::shown(&finding.reason), show::dim(out::shown(&finding.place.to_string())))
}

fn mark(severity: Severity) -> String {
    match severity {
        Severity::Note => show::dim("note:"),
        Severity::Loss => show::bad("loss:"),
    }
}
