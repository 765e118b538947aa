//! `callout call`: one call, as text, as a trace or as JSON, or only as the request that it would send.

use std::{fs, process::ExitCode, time::Duration};

use callout::{CallOptions, EgressPolicy, Engine, EngineBuilder, Timeouts};

use crate::{
    FAILED, Stop,
    args::{CallArgs, DryRun, NetworkArgs},
    files, out, params, show,
};

pub(crate) async fn run(args: CallArgs) -> Result<ExitCode, Stop> {
    let secrets = files::secrets(&args.secrets.secrets)?;
    let integration = files::load(&args.file, &secrets)?;
    let params = params::read(&args.params, &integration, Some(&args.endpoint))?;
    let engine = engine(&args.network)?;
    let options = CallOptions::default().with_lenient_params(args.lenient);
    // Whatever becomes of the call, and in whichever form it is shown.
    for converted in engine.conversions(&integration, &args.endpoint, params.clone(), &options) {
        show::note(&format!("{} was converted to {}", converted.place, converted.to));
    }
    if let Some(form) = args.dry_run {
        return Ok(match engine.render_with(&integration, &args.endpoint, params, &options) {
            Ok(request) => {
                match form {
                    DryRun::Request => show::request(&request)?,
                    DryRun::Curl => out::data_line(request.to_curl())?,
                }
                ExitCode::SUCCESS
            }
            Err(error) => {
                show::error(&show::failure(&error));
                ExitCode::from(FAILED)
            }
        });
    }
    if args.trace || args.json {
        let trace = engine.trace_with(&integration, &args.endpoint, params, &options).await;
        if args.json {
            out::data_line(format_args!("{:#}", trace.to_json()))?;
        } else {
            show::trace(&trace)?;
        }
        return Ok(if trace.error.is_none() { ExitCode::SUCCESS } else { ExitCode::from(FAILED) });
    }
    match engine.call_with(&integration, &args.endpoint, params, &options).await {
        Ok(outcome) => {
            out::data_line(outcome.text())?;
            if let Some(truncation) = outcome.truncation() {
                show::note(&show::cut(truncation));
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            show::error(&show::failure(&error));
            Ok(ExitCode::from(FAILED))
        }
    }
}

/// An engine with the network that the flags ask for.
pub(crate) fn engine(network: &NetworkArgs) -> Result<Engine, Stop> {
    Ok(builder(network)?.build()?)
}

/// The same, not built yet.
pub(crate) fn builder(network: &NetworkArgs) -> Result<EngineBuilder, Stop> {
    let mut egress = EgressPolicy::public();
    for entry in &network.allow {
        egress = egress.allow(entry).map_err(|error| format!("--allow: {error}"))?;
    }
    let mut builder = Engine::builder().with_egress(egress);
    let read = |path: &std::path::Path| fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    if let Some(path) = &network.ca {
        builder = builder.with_root_certificate_pem(&read(path)?);
    }
    if let Some(path) = &network.client_identity {
        builder = builder.with_client_identity_pem(&read(path)?);
    }
    if let Some(proxy) = &network.proxy {
        builder = builder.with_proxy(proxy);
    }
    Ok(builder.with_timeouts(timeouts(network)?))
}

pub(crate) fn timeouts(network: &NetworkArgs) -> Result<Timeouts, Stop> {
    let call = Duration::try_from_secs_f64(network.timeout)
        .ok()
        .filter(|timeout| !timeout.is_zero())
        .ok_or_else(|| format!("--timeout must be a number of seconds above 0, not {}", network.timeout))?;
    let mut timeouts = Timeouts::default();
    timeouts.call = call;
    Ok(timeouts)
}
