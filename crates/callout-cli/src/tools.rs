//! `callout tools`: the endpoints as tools for function calling.

use std::{path::Path, process::ExitCode};

use anstream::println;
use callout::{Json, Secrets, Tool};

use crate::{Stop, files};

pub(crate) fn run(path: &Path) -> Result<ExitCode, Stop> {
    let integration = files::load(path, &Secrets::new())?;
    let tools: Json = integration.tools().iter().map(Tool::to_json).collect();
    println!("{tools:#}");
    Ok(ExitCode::SUCCESS)
}
