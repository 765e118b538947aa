//! Where integrations are written, and in which format.

use std::{
    fs,
    path::{Path, PathBuf},
};

use callout::IntegrationConfig;
use callout_openapi::{Imported, SecretNeeded, lean};

use super::yaml;
use crate::{Stop, out, show};

/// Writes one integration to a file or to standard output.
pub(crate) fn write_one(target: Option<&Path>, config: &IntegrationConfig, head: &[String]) -> Result<(), Stop> {
    let text = if target.is_some_and(is_json) {
        format!("{:#}\n", lean(config))
    } else {
        yaml::integration(&lean(config), head, |_| None)
    };
    if let Some(path) = target {
        return save(path, &text);
    }
    out::data(&text)
}

/// Writes the integrations: one to a file or to standard output, several into a folder.
pub(crate) fn write(target: Option<&Path>, imported: &Imported, filters_are_set: bool) -> Result<(), Stop> {
    let text = |config: &IntegrationConfig, path: Option<&Path>| text(config, path, imported, filters_are_set);
    let integrations = imported.integrations.as_slice();
    let is_folder = |path: &Path| path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/');
    match (target, integrations) {
        (None, [one]) => out::data(&text(one, None))?,
        (Some(path), [one]) if !is_folder(path) => save(path, &text(one, Some(path)))?,
        (Some(folder), several) if is_folder(folder) => {
            fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
            for config in several {
                let path = folder.join(format!("{}.yaml", config.name));
                save(&path, &text(config, Some(&path)))?;
            }
        }
        (target, several) => {
            let is_file = target.map_or_else(String::new, |path| format!(", and {} is none", path.display()));
            return Err(Stop(format!(
                "there are {} integrations: name a folder to write them into (-o FOLDER/){is_file}",
                several.len()
            )));
        }
    }
    Ok(())
}

fn text(config: &IntegrationConfig, path: Option<&Path>, imported: &Imported, filters_are_set: bool) -> String {
    let body = lean(config);
    if path.is_some_and(is_json) {
        return format!("{body:#}\n");
    }
    let comment = |endpoint: &str| {
        let of_it = |proposal: &&callout_openapi::Proposal| {
            proposal.integration == config.name && proposal.endpoint == endpoint
        };
        let proposal = imported.proposals.iter().find(of_it).filter(|_| !filters_are_set)?;
        Some(format!("a shorter answer: response_filter: [{}]", proposal.response_filter.join(", ")))
    };
    let secrets = imported.report.secrets.iter().filter(|secret| secret.integration == config.name);
    let head: Vec<String> = secrets.map(secret_line).collect();
    yaml::integration(&body, &head, comment)
}

/// How a secret is given.
pub(crate) fn secret_line(secret: &SecretNeeded) -> String {
    format!("--secret {}=env:NAME gives {}", secret.secret, secret.what)
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("json"))
}

fn save(path: &Path, text: &str) -> Result<(), Stop> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    show::note(&format!("wrote {}", PathBuf::from(path).display()));
    Ok(())
}
