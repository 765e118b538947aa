//! Reads integration files: JSON or YAML, secrets inline or by flag, every fault at once.

use std::{fs, path::Path};

use callout::{
    Caller, Faults, Integration, IntegrationConfig, Json, Limits, SecretName, Secrets, UnknownFields,
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
        return serde_saphyr::from_str(&text).map_err(|error| Stop(format!("{}: {error}", path.display())));
    }
    let strict = ReadOptions { duplicates: Duplicates::Refuse, ..ReadOptions::default() };
    strict.read(&bytes).map_err(|error| Stop(format!("{}: {error}", path.display())))
}

/// Reads and compiles an integration. What is wrong with it goes into `faults`.
pub(crate) fn compile(document: &Json, given: &Secrets, faults: &mut Faults) -> Option<Integration> {
    let (config, mut secrets) = IntegrationConfig::read(document, UnknownFields::Refuse, faults)?;
    for (name, value) in given.iter() {
        secrets.insert(name, value.clone());
    }
    let owner = Caller { workspace: "".into(), integration: config.name.as_str().into() };
    Integration::compile(config, &secrets, owner, &Limits::default(), faults).filter(|_| faults.is_empty())
}

/// As [`compile`], for commands that need a good integration: the faults are the message.
pub(crate) fn load(path: &Path, given: &Secrets) -> Result<Integration, Stop> {
    let document = read_document(path)?;
    let mut faults = Faults::new();
    compile(&document, given, &mut faults).ok_or_else(|| faulty(path, &faults))
}

/// Every fault of a file, a line each.
pub(crate) fn faulty(path: &Path, faults: &Faults) -> Stop {
    let lines: Vec<_> = faults.iter().map(|fault| format!("{}: {fault}", path.display())).collect();
    Stop(lines.join("\n"))
}

/// Reads `--secret NAME=env:VAR` and `NAME=file:PATH`. One line end behind a file's content is no
/// part of the secret.
pub(crate) fn secrets(flags: &[String]) -> Result<Secrets, Stop> {
    let mut secrets = Secrets::new();
    for flag in flags {
        let usage = || Stop(format!("--secret takes NAME=env:VAR or NAME=file:PATH, not {:?}", shown(flag)));
        let (name, source) = flag.split_once('=').ok_or_else(usage)?;
        let name: SecretName = name.parse().map_err(|error| Stop(format!("--secret: {error}")))?;
        let value = match source.split_once(':') {
            Some(("env", variable)) => std::env::var(variable)
                .map_err(|_| format!("--secret {name}: the environment has no variable {variable:?}"))?,
            Some(("file", path)) => {
                let text = fs::read_to_string(path).map_err(|error| format!("--secret {name}: {path}: {error}"))?;
                let line = text.strip_suffix('\n').unwrap_or(&text);
                if line.len() < text.len() { line.strip_suffix('\r').unwrap_or(line).to_owned() } else { text }
            }
            _ => return Err(usage()),
        };
        secrets.insert(name, value);
    }
    Ok(secrets)
}

/// The flag without what may be a secret written where its source belongs.
fn shown(flag: &str) -> &str {
    flag.split('=').next().unwrap_or_default()
}
