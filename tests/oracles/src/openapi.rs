use callout::{Caller, Faults, Integration, IntegrationConfig, Limits, Secrets};
use callout_core::config::UnknownFields;
use callout_openapi::{Document, Fate, Imported, Options, import, import_curl, lean};

/// An OpenAPI document, as JSON or YAML, or a curl line: it is refused with a reason, or what comes of it loads
/// as it is. Each operation has its fate and each that is left out its reason; the same each time.
///
/// # Panics
///
/// Where that does not hold.
pub fn openapi(bytes: &[u8]) {
    if bytes.starts_with(b"curl") {
        if let Ok(line) = std::str::from_utf8(bytes)
            && let Ok(made) = import_curl(line, None, None, &check_loads)
        {
            loads(&made.integration);
        }
        return;
    }
    let Ok(document) = Document::read(bytes) else { return };
    let mut options = Options::default();
    options.base_url = Some("https://api.example/v1".to_owned());
    let own = import(&document, &Options::default(), &check_loads);
    for split in [false, true] {
        options.split_by_tag = split;
        options.propose_filters = split;
        let Ok(imported) = import(&document, &options, &check_loads) else {
            assert!(own.is_err(), "with a base URL there is no more to refuse");
            continue;
        };
        holds(&imported);
        let again = import(&document, &options, &check_loads).map(|again| (again.integrations, again.report));
        assert_eq!(again, Ok((imported.integrations, imported.report)), "the same each time");
    }
    if let Ok(imported) = own {
        holds(&imported);
    }
}

fn holds(imported: &Imported) {
    let mut names: Vec<&str> = imported.integrations.iter().map(|integration| integration.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), imported.integrations.len(), "names are told apart");
    for integration in &imported.integrations {
        assert!((1..=50).contains(&integration.endpoints.len()), "{} endpoints", integration.endpoints.len());
        assert!(integration.endpoints.iter().all(|endpoint| endpoint.name.len() <= 64), "short names");
        loads(integration);
    }
    let endpoints: usize = imported.integrations.iter().map(|integration| integration.endpoints.len()).sum();
    assert_eq!(endpoints, imported.report.imported(), "each that is imported is an endpoint");
    for operation in &imported.report.operations {
        assert!(
            operation.fate != Fate::LeftOut || operation.has_loss(),
            "{} is left out without a reason",
            operation.path
        );
        assert!(operation.findings.iter().all(|finding| finding.reason.len() < 4_096), "a reason of a bounded length");
    }
}

/// It loads, and what is written of it reads as the same.
fn loads(config: &IntegrationConfig) {
    let mut faults = Faults::new();
    check_loads(config, &mut faults);
    assert!(faults.is_empty(), "{} does not load: {faults:?}\n{}", config.name, config.to_json());
    let written = lean(config);
    let read = IntegrationConfig::read(&written, UnknownFields::Refuse, &mut faults);
    assert!(faults.is_empty(), "{written} has faults: {faults:?}");
    assert_eq!(read.map(|(read, _)| read).as_ref(), Some(config), "{written}");
}

/// A config loads as it is, but for the secret, which no document has.
pub fn check_loads(config: &IntegrationConfig, faults: &mut Faults) {
    let needed = config.auth.as_ref().map(|auth| auth.kind.required_secret());
    let secrets = needed.map_or_else(Secrets::new, |name| Secrets::new().with(name, "a-secret"));
    Integration::compile(config.clone(), &secrets, Caller::default(), &Limits::default(), faults);
}
