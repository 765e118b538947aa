use callout::{Caller, Faults, Integration, IntegrationConfig, Json, Limits, Secrets, UnknownFields};

/// A JSON text as an integration: it is refused with faults or it loads; what is written of it reads as
/// the same config, with the same verdict.
///
/// # Panics
///
/// Where that does not hold.
pub fn config(bytes: &[u8]) {
    let Some(document) = std::str::from_utf8(bytes).ok().and_then(|text| Json::parse(text).ok()) else { return };
    for unknown in [UnknownFields::Refuse, UnknownFields::RefuseInAuth] {
        let mut faults = Faults::new();
        let Some((config, secrets)) = IntegrationConfig::read(&document, unknown, &mut faults) else {
            assert!(!faults.is_empty(), "refused without a fault");
            continue;
        };
        let written = config.to_json();
        let readable = faults.is_empty();
        let loads = compiles(config, &secrets, &mut faults);
        assert!(faults.iter().all(|fault| fault.message.len() < 4_096), "a fault of a bounded length");
        if !readable {
            continue;
        }
        let mut again = Faults::new();
        let read = IntegrationConfig::read(&written, UnknownFields::Refuse, &mut again);
        let (config, _) = read.unwrap_or_else(|| panic!("{written} cannot be read"));
        assert!(again.is_empty(), "{written} has faults: {again:?}");
        assert_eq!(config.to_json(), written);
        assert_eq!(compiles(config, &secrets, &mut again), loads, "{written}");
    }
}

fn compiles(config: IntegrationConfig, secrets: &Secrets, faults: &mut Faults) -> bool {
    let loaded = Integration::compile(config, secrets, Caller::default(), &Limits::default(), faults);
    assert!(loaded.is_some() || !faults.is_empty(), "refused without a fault");
    if let Some(integration) = &loaded {
        for tool in integration.tools() {
            assert!(tool.input_schema.as_object().is_some(), "a tool's parameters are a schema");
            let shown = tool.to_anthropic();
            let properties = shown.get("input_schema").and_then(|schema| schema.get("properties")?.as_object());
            let is_taken = |name: &str| {
                (1..=64).contains(&name.len())
                    && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
            };
            assert!(properties.is_some_and(|all| all.keys().all(is_taken)), "a name that providers refuse: {shown}");
        }
    }
    loaded.is_some() && faults.is_empty()
}
