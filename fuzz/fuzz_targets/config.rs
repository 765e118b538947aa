//! Any text as an integration: it is refused with faults or it loads, and never ends the process.
#![no_main]

use callout::{Caller, Faults, Integration, IntegrationConfig, Json, Limits, UnknownFields};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(document) = Json::parse(text) else { return };
    let mut faults = Faults::new();
    if let Some((config, secrets)) = IntegrationConfig::read(&document, UnknownFields::Refuse, &mut faults) {
        let written = config.to_json();
        let loaded = Integration::compile(config, &secrets, Caller::default(), &Limits::default(), &mut faults);
        assert!(loaded.is_some() || !faults.is_empty(), "refused without a fault: {written}");
    }
});
