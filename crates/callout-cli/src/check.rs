//! `callout check`: every fault of every file.

use std::{path::PathBuf, process::ExitCode};

use anstream::println;
use callout::{Faults, Secrets};

use crate::{Stop, UNUSABLE, files, show};

pub(crate) fn run(paths: &[PathBuf]) -> ExitCode {
    let mut total = 0;
    for path in paths {
        let faults = match files::read_document(path) {
            Ok(document) => {
                let mut faults = Faults::new();
                files::compile(&document, &Secrets::new(), &mut faults);
                faults.iter().map(ToString::to_string).collect()
            }
            Err(Stop(message)) => {
                // The message names the file already.
                println!("{message}");
                total += 1;
                continue;
            }
        };
        let faults: Vec<String> = faults;
        total += faults.len();
        for fault in &faults {
            println!("{}: {fault}", path.display());
        }
        if faults.is_empty() {
            println!("{}: {}", path.display(), show::good("good"));
        }
    }
    if total == 0 { ExitCode::SUCCESS } else { ExitCode::from(UNUSABLE) }
}
