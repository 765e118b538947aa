//! `callout import openapi`.

use std::{fs, io::Read, path::Path, process::ExitCode};

use callout::{AuthConfig, AuthType};
use callout_openapi::{Document, Imported, Options, import};

use super::{
    args::{OpenapiArgs, SplitBy},
    output, report,
};
use crate::{Stop, files};

pub(crate) fn run(args: &OpenapiArgs) -> Result<ExitCode, Stop> {
    let bytes = read(&args.file)?;
    let document = Document::read(&bytes).map_err(|error| format!("{}: {error}", args.file.display()))?;
    drop(bytes);
    let options = options(args)?;
    let imported =
        import(&document, &options, &files::check).map_err(|error| format!("{}: {error}", args.file.display()))?;
    if let Some(path) = &args.report {
        let text = format!("{:#}\n", imported.report.to_json());
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    report::print(&document, &imported);
    finish(args, imported)
}

fn finish(args: &OpenapiArgs, imported: Imported) -> Result<ExitCode, Stop> {
    if args.strict && !imported.report.is_whole() {
        return Err(Stop("not everything can be carried over, and --strict is set: nothing is written".to_owned()));
    }
    if imported.integrations.is_empty() {
        return Err(Stop("no operation can be carried over: nothing is written".to_owned()));
    }
    output::write(args.output.as_deref(), &imported, args.propose_filters)?;
    Ok(ExitCode::SUCCESS)
}

fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes)?;
        return Ok(bytes);
    }
    fs::read(path).map_err(|error| Stop(format!("{}: {error}", path.display())))
}

fn options(args: &OpenapiArgs) -> Result<Options, Stop> {
    let mut options = Options::default();
    options.name.clone_from(&args.name);
    options.base_url.clone_from(&args.base_url);
    options.include.clone_from(&args.include);
    options.split_by_tag = args.split_by == Some(SplitBy::Tag);
    options.auth = args.auth.as_deref().map(auth).transpose()?;
    options.client_id.clone_from(&args.client_id);
    options.propose_filters = args.propose_filters;
    for header in &args.headers {
        let (name, value) =
            header.split_once(':').ok_or_else(|| Stop(format!("--header takes NAME: VALUE, not {header:?}")))?;
        options.headers.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    Ok(options)
}

fn auth(text: &str) -> Result<AuthConfig, Stop> {
    match text.split_once(':') {
        None if text == "bearer_token" => Ok(AuthConfig::new(AuthType::BearerToken)),
        Some(("api_key_header", name)) if !name.trim().is_empty() => {
            let mut auth = AuthConfig::new(AuthType::ApiKeyHeader);
            auth.header_name = Some(name.trim().to_owned());
            Ok(auth)
        }
        _ => Err(Stop(format!("--auth takes bearer_token or api_key_header:NAME, not {text:?}"))),
    }
}
