//! From a document to integrations.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use callout_core::{
    config::{AuthConfig, EndpointConfig, IntegrationConfig, MAX_ENDPOINTS, rules},
    fault::Faults,
    json::Object,
    limits::Limits,
};

use crate::{
    document::{Document, LEADS_OUT, quoted},
    endpoint::{Given, Plan},
    filter, names,
    operation::{Operation, operations},
    pointer::Pointer,
    repair::{self, Check},
    report::{Fate, Findings, OperationReport, Report, SecretNeeded, Severity},
    security::{self, Chosen},
    select::{Selector, selects},
    server, text,
};

/// What is wanted of a document.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// The integration's name. Default: made of the document's title.
    pub name: Option<String>,
    /// Where the API is, in place of the document's servers, those of single paths and operations among them. Of the
    /// latter those that are relative are joined to it.
    pub base_url: Option<String>,
    /// Which operations. Of each kind of selector that there is, one must hold. Default: all.
    pub include: Vec<Selector>,
    /// Whether each tag becomes an integration of its own. Default: one integration.
    pub split_by_tag: bool,
    /// How to authenticate, in place of the document's security schemes.
    pub auth: Option<AuthConfig>,
    /// The client's id for OAuth 2.0 client credentials.
    pub client_id: Option<String>,
    /// Constant headers of each endpoint.
    pub headers: Vec<(String, String)>,
    /// Whether proposed response filters are set. Default: they are only proposed.
    pub propose_filters: bool,
}

/// A `response_filter` that would make a large answer smaller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The integration's name.
    pub integration: String,
    /// The endpoint's name.
    pub endpoint: String,
    /// The paths.
    pub response_filter: Vec<String>,
}

/// What a document became.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Imported {
    /// The integrations, each with at most 50 endpoints.
    pub integrations: Vec<IntegrationConfig>,
    /// Response filters for large answers, set already if that was asked for.
    pub proposals: Vec<Proposal>,
    /// What became of each operation.
    pub report: Report,
}

/// Why nothing was made of a document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// There is nowhere to send requests to.
    #[error("{0}: say where the API is (`--base-url https://…`)")]
    NoServer(String),
    /// There is nothing to choose from.
    #[error("the document has no operations")]
    NoOperations,
    /// There are paths, and none can be read.
    #[error("{}; {first}{}", unread(*paths), way_out(first))]
    NothingReadable {
        /// Paths of the document.
        paths: usize,
        /// The first thing that cannot, and why.
        first: String,
    },
    /// No operation is what was asked for.
    #[error("{} what was asked for{}", none_of(*operations), said(tags))]
    NothingChosen {
        /// Operations of the document.
        operations: usize,
        /// Their tags, the first by name.
        tags: Vec<String>,
    },
    /// What was given cannot be used.
    #[error("{0}")]
    Options(String),
}

/// Tags that are shown to who has asked for none of them.
const MAX_TAGS: usize = 30;
/// Characters of a title with its tag, of the 256 of a display name; a number may stand behind them.
const TITLE: usize = 240;
/// Characters of a tag beside the title.
const TAG: usize = 100;

fn none_of(operations: usize) -> String {
    match operations {
        1 => "the document's one operation is not".to_owned(),
        several => format!("none of the document's {several} operations is"),
    }
}

fn unread(paths: usize) -> String {
    match paths {
        1 => "the document's one path cannot be read".to_owned(),
        several => format!("none of the document's {several} paths can be read"),
    }
}

fn way_out(why: &str) -> &'static str {
    if why.contains(LEADS_OUT) { ": bundle the document's files into one first" } else { "" }
}

fn said(tags: &[String]) -> String {
    if tags.is_empty() {
        return String::new();
    }
    let tags: Vec<_> = tags.iter().map(|tag| quoted(tag)).collect();
    format!("; among its tags are {}", tags.join(", "))
}

/// Turns a document into integrations.
///
/// `check` is the engine's own check of a config (without secrets), of each endpoint alone and of the integrations as
/// they come out: what it refuses of a schema is taken out and reported, and an operation that it refuses altogether is
/// left out. So whatever comes out loads.
///
/// # Errors
///
/// If nothing can be made of the document at all.
pub fn import(document: &Document, options: &Options, check: Check<'_>) -> Result<Imported, ImportError> {
    let mut findings = Findings::default();
    let all = operations(document, &mut findings);
    if all.is_empty() {
        return Err(nothing(document, &findings));
    }
    let chosen: Vec<&Operation<'_>> = all.iter().filter(|operation| selects(&options.include, operation)).collect();
    if chosen.is_empty() {
        let tags: BTreeSet<&str> = all.iter().flat_map(Operation::tags).collect();
        let tags = tags.into_iter().take(MAX_TAGS).map(str::to_owned).collect();
        return Err(ImportError::NothingChosen { operations: all.len(), tags });
    }
    if let Some(twice) = document.twice() {
        findings.loss(&Pointer::root(), format!("{twice}: the last one is taken"));
    }
    for (name, webhook) in document.member("webhooks").into_iter().flat_map(Object::iter) {
        let place = Pointer::root().below("webhooks").below(name);
        if webhook.as_object().is_some() {
            findings.note(&place, "a webhook is a call to the host, and is not imported");
        }
    }
    let name = options.name.clone().unwrap_or_else(|| names::integration(document.title().unwrap_or_default()));
    let mut import = Import {
        document,
        options,
        check,
        limits: Limits::default(),
        frame: frame(&name, document.title(), check, options)?,
        base: server::of_document(document, options.base_url.as_deref(), &mut findings),
        reports: Vec::new(),
    };
    let mut groups = Vec::new();
    for operation in &chosen {
        import.assign(operation, &mut groups);
    }
    let orders = orders(document, &groups, &chosen);
    for group in &mut groups {
        let order = orders.get(&server::origin(&group.base_url)).map(Vec::as_slice).unwrap_or_default();
        import.make(group, &chosen, order, &mut findings);
    }
    import.finish(groups, &chosen, all.len(), findings)
}

/// Why there are no operations.
fn nothing(document: &Document, findings: &Findings) -> ImportError {
    let Some(first) = findings.0.iter().find(|finding| finding.severity == Severity::Loss) else {
        return ImportError::NoOperations;
    };
    let paths = document.member("paths").into_iter().flat_map(Object::keys).filter(|path| !path.starts_with("x-"));
    ImportError::NothingReadable { paths: paths.count(), first: format!("{}: {}", first.place, first.reason) }
}

/// An integration without endpoints, and a check that it is good.
fn frame(
    name: &str,
    title: Option<&str>,
    check: Check<'_>,
    options: &Options,
) -> Result<IntegrationConfig, ImportError> {
    let mut frame = IntegrationConfig::new(name, "https://api.example");
    let title = text::brief(title.unwrap_or_default(), 200);
    if !title.is_empty() {
        frame.display_name = title;
    }
    frame.auth.clone_from(&options.auth);
    let mut faults = Faults::new();
    rules::integration_name(name, &mut faults);
    for (name, value) in &options.headers {
        rules::header_name(name, &mut faults);
        rules::header_value(value, &mut faults);
    }
    check(&frame, &mut faults);
    match faults.iter().next() {
        None => Ok(frame),
        Some(fault) => Err(ImportError::Options(format!("the integration {name:.100?} cannot be made: {fault}"))),
    }
}

/// Operations that go into one integration, or several where there is no room, and their endpoints.
struct Group {
    base_url: String,
    tag: Option<String>,
    /// Which of the chosen operations they are.
    operations: Vec<usize>,
    /// Chosen for these operations alone: what is at another origin has secrets of its own.
    auth: Option<Chosen>,
    endpoints: Vec<Made>,
}

/// An endpoint on its way into an integration.
struct Made {
    /// Of which of the chosen operations.
    at: usize,
    endpoint: EndpointConfig,
    /// The response filter that is proposed.
    filter: Option<Vec<String>>,
}

/// The security schemes of each origin, in the order in which its operations would choose them together: where those of
/// a group could have several, an origin that is split by tags needs no second secret.
fn orders(document: &Document, groups: &[Group], chosen: &[&Operation<'_>]) -> BTreeMap<String, Vec<String>> {
    let mut origins: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for group in groups {
        origins.entry(server::origin(&group.base_url)).or_default().extend(&group.operations);
    }
    let order = |(origin, mut all): (String, Vec<usize>)| {
        all.sort_unstable();
        let operations: Vec<&Operation<'_>> = all.into_iter().map(|at| chosen[at]).collect();
        (origin, security::order(document, &operations))
    };
    origins.into_iter().map(order).collect()
}

struct Import<'d> {
    document: &'d Document,
    options: &'d Options,
    check: Check<'d>,
    limits: Limits,
    frame: IntegrationConfig,
    base: Result<String, String>,
    reports: Vec<OperationReport>,
}

impl Import<'_> {
    /// Begins an operation's report, and puts it to those that go into the same integration.
    fn assign(&mut self, operation: &Operation<'_>, groups: &mut Vec<Group>) {
        let mut findings = Findings::default();
        let at = self.reports.len();
        let given = self.options.base_url.as_deref();
        match server::of_operation(self.document, operation, &self.base, given, &mut findings) {
            Ok(base_url) => {
                let tag = self.options.split_by_tag.then(|| operation.tags().next().unwrap_or("other").to_owned());
                let same = |group: &&mut Group| group.base_url == base_url && group.tag == tag;
                match groups.iter_mut().find(same) {
                    Some(group) => group.operations.push(at),
                    None => {
                        groups.push(Group { base_url, tag, operations: vec![at], auth: None, endpoints: Vec::new() });
                    }
                }
            }
            Err(why) => findings.loss(&operation.node.place, why),
        }
        self.reports.push(OperationReport {
            method: operation.method.to_uppercase(),
            path: operation.path.to_owned(),
            operation_id: operation.id().map(str::to_owned),
            tag: operation.tags().next().map(str::to_owned),
            place: operation.node.place.clone(),
            fate: Fate::LeftOut,
            findings: findings.0,
        });
    }

    /// Chooses how those of a group authenticate, and makes their endpoints.
    fn make(&mut self, group: &mut Group, chosen: &[&Operation<'_>], order: &[String], findings: &mut Findings) {
        let operations: Vec<&Operation<'_>> = group.operations.iter().map(|at| chosen[*at]).collect();
        group.auth = self.auth(&operations, order, findings);
        let mut frame = self.frame.clone();
        frame.auth = group.auth.as_ref().map(|chosen| chosen.auth.clone());
        frame.base_url.clone_from(&group.base_url);
        for (at, operation) in group.operations.iter().copied().zip(operations) {
            let mut findings = Findings(std::mem::take(&mut self.reports[at].findings));
            if let Some(endpoint) = self.endpoint(operation, &frame, group.auth.as_ref(), true, &mut findings) {
                let filter = filter::propose(self.document, operation);
                group.endpoints.push(Made { at, endpoint, filter });
            }
            self.reports[at].findings = findings.0;
        }
    }

    fn auth(&self, operations: &[&Operation<'_>], order: &[String], findings: &mut Findings) -> Option<Chosen> {
        if let Some(auth) = &self.options.auth {
            let secret = auth.kind.required_secret().as_str().replace('_', " ");
            return Some(Chosen { scheme: None, auth: auth.clone(), secret: format!("the {secret}") });
        }
        let refusal = |auth: &AuthConfig| {
            let mut frame = self.frame.clone();
            frame.auth = Some(auth.clone());
            let mut faults = Faults::new();
            (self.check)(&frame, &mut faults);
            faults.iter().next().map(ToString::to_string)
        };
        let (base, client_id) = (self.base.as_deref().ok(), self.options.client_id.as_deref());
        security::choose(self.document, operations, order, base, client_id, &refusal, findings)
    }

    fn endpoint(
        &self,
        operation: &Operation<'_>,
        frame: &IntegrationConfig,
        auth: Option<&Chosen>,
        patterns: bool,
        findings: &mut Findings,
    ) -> Option<EndpointConfig> {
        // Types without a header of their own carry their token where bearer tokens stand.
        let header = auth.map(|chosen| chosen.auth.header_name.as_deref().unwrap_or("Authorization"));
        let given = Given { headers: &self.options.headers, auth: header };
        let plan = Plan::of(self.document, operation, given, findings)?;
        let mut endpoint = repair::endpoint(&plan, operation, frame, self.check, &self.limits, patterns, findings)?;
        security::check(self.document, operation, auth, findings);
        endpoint.name = names::endpoint(operation.id(), operation.method, operation.path);
        Some(endpoint)
    }

    fn finish(
        mut self,
        groups: Vec<Group>,
        chosen: &[&Operation<'_>],
        operations_in_document: usize,
        findings: Findings,
    ) -> Result<Imported, ImportError> {
        if let Err(why) = &self.base
            && groups.iter().all(|group| group.endpoints.is_empty())
        {
            return Err(ImportError::NoServer(why.clone()));
        }
        let mut imported = Imported::default();
        let mut taken = HashSet::new();
        let main = self.base.clone().ok();
        for group in groups {
            self.integrations(group, chosen, main.as_deref(), &mut taken, &mut imported);
        }
        imported.report.operations_in_document = operations_in_document;
        imported.report.operations = self.reports;
        imported.report.findings = findings.0;
        Ok(imported)
    }

    /// One integration of a group, or as many as it needs where it may be split.
    fn integrations(
        &mut self,
        group: Group,
        chosen: &[&Operation<'_>],
        main: Option<&str>,
        taken: &mut HashSet<String>,
        imported: &mut Imported,
    ) {
        let mut name = self.frame.name.clone();
        let mut display_name = self.frame.display_name.clone();
        if let Some(tag) = &group.tag {
            name = names::integration(&format!("{name}-{tag}"));
            display_name = format!("{}: {tag:.TAG$}", text::cut(&display_name, TITLE - TAG - 2));
        }
        if main != Some(group.base_url.as_str()) {
            let host = group.base_url.split("://").nth(1).unwrap_or_default();
            name = names::integration(&format!("{name}-{host}"));
        }
        let mut endpoints = group.endpoints.into_iter().peekable();
        let mut part = 1_u32;
        while endpoints.peek().is_some() {
            if part > 1 && !self.options.split_by_tag {
                for made in endpoints {
                    self.reports[made.at].fate = Fate::NoRoom;
                }
                return;
            }
            let mut integration = self.frame.clone();
            let wanted = if part == 1 { name.clone() } else { names::integration(&format!("{name}-{part}")) };
            integration.name = names::unique(wanted, "", &group.base_url, taken).0;
            integration.display_name =
                if part == 1 { display_name.clone() } else { format!("{display_name} ({part})") };
            integration.base_url.clone_from(&group.base_url);
            integration.auth = group.auth.as_ref().map(|chosen| chosen.auth.clone());
            part += 1;
            let mut made: Vec<Made> = endpoints.by_ref().take(MAX_ENDPOINTS).collect();
            self.name(&mut made);
            self.settle(&integration, &mut made, chosen, group.auth.as_ref());
            if made.is_empty() {
                continue;
            }
            self.fill(&mut integration, made, imported);
            if let Some(chosen) = &group.auth {
                imported.report.secrets.push(SecretNeeded {
                    integration: integration.name.clone(),
                    secret: chosen.auth.kind.required_secret().as_str(),
                    what: chosen.secret.clone(),
                });
            }
            imported.integrations.push(integration);
        }
    }

    /// Tells the endpoints of an integration apart.
    fn name(&mut self, made: &mut [Made]) {
        let mut taken = HashSet::new();
        for Made { at, endpoint, .. } in made {
            let report = &mut self.reports[*at];
            let (method, path) = (report.method.to_lowercase(), report.path.clone());
            let (name, changed) = names::unique(endpoint.name.clone(), &method, &path, &mut taken);
            if changed {
                let mut findings = Findings(std::mem::take(&mut report.findings));
                let why = format!("the name {:?} is taken: the endpoint is {name:?}", endpoint.name);
                findings.note(&report.place.below("operationId"), why);
                report.findings = findings.0;
            }
            endpoint.name = name;
        }
    }

    /// Takes out what keeps endpoints that load alone from being loaded together: of one that is refused its patterns,
    /// for those of all have one bound, and the endpoint itself if that is not why.
    fn settle(
        &mut self,
        integration: &IntegrationConfig,
        made: &mut Vec<Made>,
        chosen: &[&Operation<'_>],
        auth: Option<&Chosen>,
    ) {
        loop {
            let mut faults = Faults::new();
            let endpoints = made.iter().map(|made| made.endpoint.clone());
            (self.check)(&endpoints.fold(integration.clone(), IntegrationConfig::with_endpoint), &mut faults);
            let refused = repair::refused(&faults, made.len());
            if refused.is_empty() {
                return;
            }
            let mut position = 0..;
            made.retain_mut(|made| {
                let Some(fault) = position.next().and_then(|at| refused.get(&at)) else { return true };
                let operation = chosen[made.at];
                let without = self.endpoint(operation, integration, auth, false, &mut Findings::default());
                let schema = without.map(|endpoint| endpoint.input_schema);
                let schema = schema.filter(|schema| *schema != made.endpoint.input_schema);
                let report = &mut self.reports[made.at];
                let mut findings = Findings(std::mem::take(&mut report.findings));
                let is_kept = schema.is_some();
                if let Some(schema) = schema {
                    made.endpoint.input_schema = schema;
                    findings.loss(&report.place, format!("its patterns are not checked: {}", fault.message));
                } else {
                    findings.loss(&report.place, repair::told(fault));
                }
                report.findings = findings.0;
                is_kept
            });
        }
    }

    fn fill(&mut self, integration: &mut IntegrationConfig, made: Vec<Made>, imported: &mut Imported) {
        for Made { at, mut endpoint, filter } in made {
            self.reports[at].fate =
                Fate::Imported { integration: integration.name.clone(), endpoint: endpoint.name.clone() };
            if let Some(response_filter) = filter {
                if self.options.propose_filters {
                    endpoint.response_filter = Some(response_filter.clone());
                }
                imported.proposals.push(Proposal {
                    integration: integration.name.clone(),
                    endpoint: endpoint.name.clone(),
                    response_filter,
                });
            }
            integration.endpoints.push(endpoint);
        }
    }
}
