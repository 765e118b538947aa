//! `callout tools`: the endpoints as tools for function calling.

use std::{path::Path, process::ExitCode};

use callout::{Json, Tool};

use crate::{Stop, args::Shape, files, out};

pub(crate) fn run(path: &Path, shape: Shape) -> Result<ExitCode, Stop> {
    let integration = files::load_without_secrets(path)?;
    let shape = match shape {
        Shape::Plain => Tool::to_json,
        Shape::Openai => Tool::to_openai,
        Shape::OpenaiStrict => Tool::to_openai_strict,
        Shape::OpenaiResponses => Tool::to_openai_responses,
        Shape::OpenaiResponsesStrict => Tool::to_openai_responses_strict,
        Shape::Anthropic => Tool::to_anthropic,
        Shape::Mcp => Tool::to_mcp,
    };
    let tools: Json = integration.tools().iter().map(shape).collect();
    out::data_line(format_args!("{tools:#}"))?;
    Ok(ExitCode::SUCCESS)
}
