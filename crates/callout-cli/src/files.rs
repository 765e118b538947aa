//! Reads integration files: JSON or YAML, secrets inline or by flag, every fault at once.

use std::{fs, path::Path};

use callout::{
    Caller, Fault, FaultCode, Faults, Integration, IntegrationConfig, Json, Limits, SecretName, Secrets, UnknownFields,
    json::{Duplicates, ReadOptions},
};

use crate::Stop;

/// Reads a document as JSON or YAML, by the file's ending; without one, by its first character.
pub(crate) fn read_document(path: &Path) -> Result<Json, Stop> {
    let bytes = fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    let is_yaml = match ending.as_deref() {
        Some("yaml" | "yml") => true,
        Some("json") => false,
        _ => bytes.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{'),
    };
    if is_yaml {
        let text = String::from_utf8(bytes).map_err(|_| format!("{}: not UTF-8", path.display()))?;
        return yaml(&text).map_err(|error| Stop(format!("{}: {error}", path.display())));
    }
    let strict = ReadOptions { duplicates: Duplicates::Refuse, ..ReadOptions::default() };
    strict.read(&bytes).map_err(|error| Stop(format!("{}: {error}", path.display())))
}

/// Values of a YAML document, with what its aliases repeat: more than the schemas of fifty endpoints can have.
const MAX_YAML_NODES: usize = 4_000_000;

/// Reads YAML by the words of 1.2: `no` and `on` are texts, and so is what loses digits as a number (`007`, `1_000`).
fn yaml(text: &str) -> Result<Json, String> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_nodes: MAX_YAML_NODES,
            max_events: 2 * MAX_YAML_NODES,
            // As deep as JSON.
            max_depth: ReadOptions::default().max_depth,
            max_aliases: MAX_YAML_NODES,
            enforce_alias_anchor_ratio: false,
        },
        // The lines around a mistake may hold a secret.
        with_snippet: false,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    serde_saphyr::from_str_with_options(text, options)
        .map_err(|error: serde_saphyr::Error| error.render_with_formatter(&serde_saphyr::UserMessageFormatter))
}

/// Reads an integration and its secrets, of which those that are given come before those that stand in it. What is
/// wrong with it goes into `faults`.
pub(crate) fn read(document: &Json, given: &Secrets, faults: &mut Faults) -> Option<(IntegrationConfig, Secrets)> {
    let (config, secrets) = IntegrationConfig::read(document, UnknownFields::Refuse, faults)?;
    Some((config, secrets.with_all(given)))
}

/// As [`read`], and compiles it.
pub(crate) fn compile(document: &Json, given: &Secrets, faults: &mut Faults) -> Option<Integration> {
    let (config, secrets) = read(document, given, faults)?;
    compile_read(config, &secrets, faults).filter(|_| faults.is_empty())
}

fn compile_read(config: IntegrationConfig, secrets: &Secrets, faults: &mut Faults) -> Option<Integration> {
    let owner = Caller { workspace: "".into(), integration: config.name.as_str().into() };
    Integration::compile(config, secrets, owner, &Limits::default(), faults)
}

/// Checks a config as the engine would load it, once its secrets are given.
pub(crate) fn check(config: &IntegrationConfig, faults: &mut Faults) {
    let mut found = Faults::new();
    compile_read(config.clone(), &stand_ins(config), &mut found);
    take_over(&found, faults);
}

/// Takes over what was found, but for secrets that are missing.
fn take_over(found: &Faults, faults: &mut Faults) {
    for fault in found.iter().filter(|fault| missing_secret(fault).is_none()) {
        faults.report_at(fault.place.clone(), fault.code, fault.message.clone());
    }
}

/// Something in place of each secret that a config needs, to look at what needs none. A private key has
/// no stand-in, for it is parsed.
fn stand_ins(config: &IntegrationConfig) -> Secrets {
    match config.auth.as_ref().map(|auth| auth.kind.required_secret()) {
        None | Some(SecretName::PrivateKey) => Secrets::new(),
        Some(name) => Secrets::new().with(name, "stand-in"),
    }
}

/// The secret that is missing, if the fault is that one is.
pub(crate) fn missing_secret(fault: &Fault) -> Option<SecretName> {
    secret_at_fault(fault).filter(|_| fault.code == FaultCode::Missing)
}

/// The secret that the fault is of, if it is of one.
fn secret_at_fault(fault: &Fault) -> Option<SecretName> {
    let place = fault.place.to_string();
    let name = place.strip_prefix("auth.")?;
    SecretName::ALL.into_iter().find(|secret| secret.field() == name)
}

/// What is wrong with a document beside a missing secret.
pub(crate) fn faults_but_for_secrets(document: &Json) -> Faults {
    let mut faults = Faults::new();
    if let Some((config, _)) = read(document, &Secrets::new(), &mut faults) {
        check(&config, &mut faults);
    }
    faults
}

/// As [`load`], for commands that need no secret. What stands in the file must be good all the same.
pub(crate) fn load_without_secrets(path: &Path) -> Result<Integration, Stop> {
    let document = read_document(path)?;
    let stop = |faults: &Faults| faulty(path, &document, &Secrets::new(), faults);
    let mut found = Faults::new();
    let Some((mut config, own)) = read(&document, &Secrets::new(), &mut found) else { return Err(stop(&found)) };
    let secrets = stand_ins(&config).with_all(&own);
    let whole = compile_read(config.clone(), &secrets, &mut found);
    let mut faults = Faults::new();
    take_over(&found, &mut faults);
    if !faults.is_empty() {
        return Err(stop(&faults));
    }
    if let Some(integration) = whole {
        return Ok(integration);
    }
    // What is missing is a key that nothing can stand in for. Auth of that kind takes no params, so that the endpoints
    // are the same without it.
    config.auth = None;
    compile_read(config, &Secrets::new(), &mut faults).ok_or_else(|| stop(&faults))
}

/// As [`compile`], for commands that need a good integration: the faults are the message.
pub(crate) fn load(path: &Path, given: &Secrets) -> Result<Integration, Stop> {
    let document = read_document(path)?;
    let mut faults = Faults::new();
    compile(&document, given, &mut faults).ok_or_else(|| faulty(path, &document, given, &faults))
}

/// Every fault of a file, a line each. One of a secret that does not stand in the file is the flag's that gives it.
pub(crate) fn faulty(path: &Path, document: &Json, given: &Secrets, faults: &Faults) -> Stop {
    let is_in_file = |name: SecretName| document.get("auth").is_some_and(|auth| auth.get(name.field()).is_some());
    let is_a_flags = |name: &SecretName| given.get(*name).is_some() && !is_in_file(*name);
    let line = |fault: &Fault| {
        if let Some(name) = secret_at_fault(fault).filter(is_a_flags) {
            return format!("{}: --secret {name}: {}", path.display(), fault.message);
        }
        let way_out = missing_secret(fault).map(|name| format!("; --secret {name}=env:NAME or =file:PATH gives it"));
        format!("{}: {fault}{}", path.display(), way_out.unwrap_or_default())
    };
    let lines: Vec<_> = faults.iter().map(line).collect();
    Stop(lines.join("\n"))
}

/// Reads `--secret NAME=env:VAR` and `NAME=file:PATH`. One line end behind a file's content and the mark that some
/// editors put before it (BOM) are no part of the secret.
pub(crate) fn secrets(flags: &[String]) -> Result<Secrets, Stop> {
    let mut secrets = Secrets::new();
    for flag in flags {
        let usage = || usage(flag);
        let (name, source) = flag.split_once('=').ok_or_else(usage)?;
        let (kind, place) = source.split_once(':').ok_or_else(usage)?;
        if !matches!(kind, "env" | "file") {
            return Err(usage());
        }
        let name: SecretName = name.parse().map_err(|error| Stop(format!("--secret: {error}")))?;
        let value = if kind == "env" {
            std::env::var(place).map_err(|_| format!("--secret {name}: the environment has no variable {place:?}"))?
        } else {
            let text = fs::read_to_string(place).map_err(|error| format!("--secret {name}: {place}: {error}"))?;
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            let line = text.strip_suffix('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
            line.unwrap_or(text).to_owned()
        };
        if value.is_empty() {
            return Err(Stop(format!("--secret {name}: {source} is empty")));
        }
        secrets.insert(name, value);
    }
    Ok(secrets)
}

/// How the flag is written, and which one is not, unless what stands in its name's place may be the secret itself.
fn usage(flag: &str) -> Stop {
    let name = flag.split_once('=').and_then(|(name, _)| name.parse::<SecretName>().ok());
    let which = name.map_or_else(String::new, |name| format!(", not {:?}", name.as_str()));
    Stop(format!("--secret takes NAME=env:VAR or NAME=file:PATH{which}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yaml_has_the_words_of_1_2() {
        let read = yaml("[true, False, ~, on, off, yes, No, y, N, 1.5, 12, 007, 1_000]").unwrap();
        let expected = r#"[true,false,null,"on","off","yes","No","y","N",1.5,12,"007","1_000"]"#;
        assert_eq!(read.to_string(), expected);
    }

    #[test]
    fn yaml_may_be_as_large_as_json() {
        let values = yaml(&format!("[{}1]", "1,".repeat(300_000))).unwrap();
        assert_eq!(values.as_array().map(|all| all.len()), Some(300_001));
        let aliases = yaml(&format!("[&a {{ b: c }}{}]", ", *a".repeat(2_000))).unwrap();
        assert_eq!(aliases.as_array().map(|all| all.len()), Some(2_001));
        let bomb = format!(
            "a0: &a0 [x, x]\n{}",
            (1..60).map(|at| format!("a{at}: &a{at} [*a{}, *a{}]\n", at - 1, at - 1)).collect::<String>()
        );
        assert!(yaml(&bomb).is_err(), "a bomb of aliases is refused");
    }

    #[test]
    fn what_is_wrong_with_yaml_is_told_in_plain_words() {
        for (text, told) in [
            ("name: a\nname: secret", "duplicate mapping key `name` is not allowed here at line 2, column 1"),
            ("a: 1\n---\nb: secret", "only single YAML document expected but multiple found at line 3, column 1"),
        ] {
            assert_eq!(yaml(text).unwrap_err(), told);
        }
    }
}
