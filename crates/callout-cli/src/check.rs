//! `callout check`: every fault of every file.

use std::{path::PathBuf, process::ExitCode};

use callout::{Faults, SecretName, Secrets};

use crate::{Stop, UNUSABLE, files, out, show};

pub(crate) fn run(paths: &[PathBuf]) -> Result<ExitCode, Stop> {
    let mut total = 0;
    for path in paths {
        let needed;
        let faults = match files::read_document(path) {
            Ok(document) => {
                let mut faults = Faults::new();
                files::compile(&document, &Secrets::new(), &mut faults);
                needed = only_secret(&faults);
                if needed.is_some() {
                    // Secrets need not stand in the file: what else is wrong shows with one.
                    faults = files::faults_but_for_secrets(&document);
                }
                faults.iter().map(ToString::to_string).collect()
            }
            Err(Stop(message)) => {
                // The message names the file already.
                out::data_line(message)?;
                total += 1;
                continue;
            }
        };
        let faults: Vec<String> = faults;
        total += faults.len();
        for fault in &faults {
            out::data_line(format_args!("{}: {fault}", path.display()))?;
        }
        if faults.is_empty() {
            let to_be_given = needed.map(|name| format!(", once --secret {name}=… gives its secret"));
            out::data(&format!("{}: ", path.display()))?;
            out::line(show::good("good") + &to_be_given.unwrap_or_default())?;
        }
    }
    Ok(if total == 0 { ExitCode::SUCCESS } else { ExitCode::from(UNUSABLE) })
}

/// The secret that is missing, if that is all there is to say.
fn only_secret(faults: &Faults) -> Option<SecretName> {
    match faults.iter().collect::<Vec<_>>().as_slice() {
        [only] => files::missing_secret(only),
        _ => None,
    }
}
