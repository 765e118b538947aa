//! What it costs to load a config of the largest size that is stored, whoever wrote it: CPU of the thread that
//! loads, beside the pace of the machine, and faults that name what is beyond a bound.
#![cfg(unix)]

use std::time::Duration;

use callout::{Caller, EndpointConfig, Faults, Integration, IntegrationConfig, Json, Limits, Secrets};
use callout_hostile::within;

/// How long loading may take: a second and a half in a release build. A debug build, some twenty times slower, has
/// a quarter of the config and an eighth of the patterns.
const LONGEST: Duration = Duration::from_millis(if cfg!(debug_assertions) { 8_000 } else { 1_500 });
/// As much as is stored of an integration.
const CONFIG_BYTES: usize = if cfg!(debug_assertions) { 1 << 18 } else { 1 << 20 };

fn limits() -> Limits {
    let mut limits = Limits::default();
    if cfg!(debug_assertions) {
        limits.max_pattern_bytes /= 8;
    }
    limits
}

/// As many endpoints as there may be, each with as many paths as there may be, of that text with its number
/// in place of `#`, until the config is as large as it may be.
fn config(endpoints: usize, path: &str) -> IntegrationConfig {
    let mut config = IntegrationConfig::new("shop", "https://api.example");
    let mut bytes = 0;
    for endpoint_at in 0..endpoints {
        let mut endpoint = EndpointConfig::new(format!("e{endpoint_at}"), "An endpoint", "/things");
        let text = |at: usize| path.replace('#', &format!("{endpoint_at}_{at}"));
        let mut paths = Vec::new();
        while paths.len() < 256 && bytes < CONFIG_BYTES {
            paths.push(text(paths.len()));
            bytes += paths.last().map_or(0, String::len) + 3;
        }
        endpoint.response_filter = Some(paths);
        config = config.with_endpoint(endpoint);
    }
    config
}

/// What is wrong with the config, which is found out in time.
fn faults(config: &IntegrationConfig, name: &str) -> Vec<String> {
    within(LONGEST, name, || {
        let (limits, mut faults) = (limits(), Faults::new());
        let loaded = Integration::compile(config.clone(), &Secrets::new(), Caller::default(), &limits, &mut faults);
        assert_eq!(loaded.is_some(), faults.is_empty());
        faults.iter().map(ToString::to_string).collect()
    })
}

/// The patterns of which one byte of config takes longest to compile: tables of Unicode, repetitions, states
/// without number.
#[test]
fn a_config_of_expensive_patterns_is_refused_before_it_costs_much() {
    for pattern in [
        r"\\p{L}{30}#",
        r"\\p{L}{3}#",
        r"\\p{L}+#",
        r"(\\p{L}*a){4}#",
        r"[\\P{L}\\P{N}\\P{Lu}\\P{P}#]",
        r"(a{1,15}){1,15}#",
        r"(a{1,9}){1,9}#",
        r"((a{1,4}){1,4}){1,4}#",
        r"(((a?)*)*(b?)*)*#",
        r"[ab]*a.{20}#",
        r"[^x]*a[^x]{90}#",
        r"a{3000}#",
        r"((a?){20}){20}#",
    ] {
        let faults = faults(&config(50, &format!("$[?search(@, '{pattern}')]")), pattern);
        let first = faults.first().unwrap_or_else(|| panic!("{pattern} is loaded"));
        assert!(first.starts_with("endpoints[") && first.contains("].response_filter["), "{first}");
        assert!(first.contains("`max_pattern_bytes`") || first.contains("too large"), "{first}");
    }
}

/// What is large and ordinary is loaded: thousands of paths without patterns, and thousands of small patterns.
#[test]
fn a_large_config_of_ordinary_paths_is_loaded() {
    for (endpoints, path) in [
        (50, "data.items.field_#.value"),
        (50, "$.data[*]['field_#'].value"),
        (16, "$.items[?match(@.id, '[a-z]+_#')].name"),
    ] {
        assert_eq!(faults(&config(endpoints, path), path), [""; 0], "{path}");
    }
    let schema = r#"{"properties":{"id":{"pattern":"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"},"name":{"pattern":"^\\w+( \\w+)*$"},"day":{"pattern":"^\\d{4}-\\d{2}-\\d{2}$"}}}"#;
    let mut all = config(50, "data.items.field_#.value");
    for endpoint in &mut all.endpoints {
        endpoint.input_schema = Json::parse(schema).unwrap().as_object().cloned().unwrap();
    }
    assert_eq!(faults(&all, "schemas"), [""; 0]);
}
