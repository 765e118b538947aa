//! `callout token`: what a call would authenticate with.

use std::process::ExitCode;

use callout::ExposeSecret;

use crate::{FAILED, Stop, args::TokenArgs, call, files, out, params, show};

pub(crate) async fn run(args: TokenArgs) -> Result<ExitCode, Stop> {
    let integration = files::load(&args.file, &files::secrets(&args.secrets.secrets)?)?;
    let params = params::read(&args.params, &integration, None)?;
    let engine = call::engine(&args.network)?;
    let info = match engine.token(&integration, params).await {
        Ok(info) => info,
        Err(error) => {
            show::error(&show::failure(&error));
            return Ok(ExitCode::from(FAILED));
        }
    };
    out::line(format_args!("{}       {}", show::heading("type"), info.kind.as_str()))?;
    let lifetime = info
        .expires_in
        .map_or_else(|| "no end known, not cached".to_owned(), |left| format!("{} s left", left.as_secs()));
    out::line(format_args!("{}   {lifetime}", show::heading("lifetime")))?;
    let cache_key = info.cache_key.as_deref().unwrap_or("none, the secret itself is sent");
    out::line(format_args!("{}  {cache_key}", show::heading("cache key")))?;
    let token = if args.reveal { info.token.expose_secret() } else { "*** (--reveal shows it)" };
    out::own(show::heading("token"))?;
    out::data_line(format_args!("      {token}"))?;
    Ok(ExitCode::SUCCESS)
}
