//! `callout import curl`.

use std::{io::Read, process::ExitCode};

use callout::Json;
use callout_openapi::{CurlImport, import_curl};

use super::{args::CurlArgs, output};
use crate::{Stop, files, out, show};

pub(crate) fn run(args: &CurlArgs) -> Result<ExitCode, Stop> {
    let line = match args.line.as_deref() {
        None | Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            text
        }
        Some(line) => line.to_owned(),
    };
    let made = import_curl(&line, args.name.as_deref(), args.endpoint.as_deref(), &files::check)?;
    tell(&made, args);
    if args.strict && !made.losses.is_empty() {
        return Err(Stop("not everything can be carried over, and --strict is set: nothing is written".to_owned()));
    }
    let head: Vec<String> = made.secrets.iter().map(output::secret_line).collect();
    output::write_one(args.output.as_deref(), &made.integration, &head)?;
    Ok(ExitCode::SUCCESS)
}

fn tell(made: &CurlImport, args: &CurlArgs) {
    for loss in &made.losses {
        out::aside(format_args!("{} {}", show::bad("loss:"), out::shown(loss)));
    }
    for note in &made.notes {
        out::aside(format_args!("{} {}", show::dim("note:"), out::shown(note)));
    }
    let mut flags = String::new();
    for secret in &made.secrets {
        out::aside(format_args!("{} {}", show::heading("secret:"), out::shown(&output::secret_line(secret))));
        flags.push_str(&format!(" --secret {}=env:NAME", secret.secret));
    }
    let endpoint = made.integration.endpoints.first().map(|endpoint| endpoint.name.as_str()).unwrap_or_default();
    let file = args.output.as_ref().map_or_else(|| "FILE".to_owned(), |path| show::quoted(&path.display().to_string()));
    let params = match &made.params {
        Json::Object(members) if members.is_empty() => String::new(),
        params => format!(" --params {}", show::quoted(&params.to_string())),
    };
    let sends = if made.losses.is_empty() { "sends the same" } else { "sends the rest" };
    let withheld: Vec<String> = made.withheld.iter().map(|name| format!("{name:?}")).collect();
    let sends = match withheld.as_slice() {
        [] => format!("{sends}:"),
        [one] => format!("{sends} once {one} is given:"),
        several => format!("{sends} once {} are given:", several.join(", ")),
    };
    let line = format!("callout call {file} {endpoint}{params}{flags}");
    out::aside(format_args!("{} {}", show::heading(sends), out::shown(&line)));
}
