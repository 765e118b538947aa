//! `callout mcp`: the endpoints of files as MCP tools on standard input and output.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime},
};

use callout::{Faults, Integration, Json, Secrets, Tool, ToolRegistry, json::ObjectBuilder, system_clock};
use callout_mcp::{MAX_MESSAGE_BYTES, McpServer, Progress, Registry, serve};

use crate::{
    Stop,
    args::{LogFormat, McpArgs},
    call, files, params, serve as server, show,
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(crate) async fn run(args: McpArgs) -> Result<ExitCode, Stop> {
    server::log_to_stderr(LogFormat::Text)?;
    let engine = call::builder(&args.network)?.with_observer(Progress).with_lenient_params(args.lenient).build()?;
    let mut sources = Sources::read(&args)?;
    let tools = sources.registry();
    // Standard output is the protocol's alone.
    let count = show::count(tools.tools().len(), "tool", "tools");
    show::note(&format!("{count} on standard input and output; ends with the input"));
    let registry = Registry::new(engine, tools, sources.host());
    let mcp = McpServer::new(registry.clone());
    tokio::select! {
        served = serve(&mcp, tokio::io::stdin(), tokio::io::stdout(), MAX_MESSAGE_BYTES) => served.map_err(explained)?,
        () = sources.follow(&registry) => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn explained(error: callout_mcp::ServeError) -> Stop {
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    Stop(format!("{error}: {source}"))
}

/// The integration files and what was read of them.
struct Sources {
    files: Vec<IntegrationFile>,
    secrets: Vec<Given>,
    bindings: Vec<Binding>,
}

struct IntegrationFile {
    path: PathBuf,
    stamp: Stamp,
    integration: Integration,
    /// What is bound in each of its tools.
    host: HashMap<String, Json>,
}

/// What tells that a file has changed.
type Stamp = Option<(SystemTime, u64)>;

/// One `--secret`, and whose it is.
struct Given {
    integration: Option<String>,
    /// As `callout call` takes it.
    flag: String,
}

/// One `--bind`.
struct Binding {
    name: String,
    /// What it means, each tool says for itself.
    value: String,
}

impl Sources {
    fn read(args: &McpArgs) -> Result<Self, Stop> {
        let secrets: Vec<_> = args.secrets.iter().map(|flag| Given::read(flag)).collect();
        if args.files.len() > 1 && secrets.iter().any(|given| given.integration.is_none()) {
            return Err(Stop("with several files say whose a secret is: --secret INTEGRATION.NAME=…".to_owned()));
        }
        let bindings = args.bind.iter().map(|flag| Binding::read(flag)).collect::<Result<_, _>>()?;
        let mut all = Self { files: Vec::new(), bindings, secrets };
        for path in &args.files {
            let stamp = stamp(path);
            let (integration, host) = all.load(path)?;
            all.files.push(IntegrationFile { path: path.clone(), stamp, integration, host });
        }
        let mut names = HashSet::new();
        for file in &all.files {
            if !names.insert(file.integration.name()) {
                return Err(Stop(format!(
                    "{}: another file has the name {}",
                    file.path.display(),
                    file.integration.name()
                )));
            }
        }
        let unknown = all.secrets.iter().filter_map(|given| given.integration.as_deref());
        if let Some(unknown) = unknown.into_iter().find(|name| !names.contains(name)) {
            return Err(Stop(format!("--secret {unknown}.…: no file has an integration of that name")));
        }
        let tools: Vec<_> = all.files.iter().flat_map(|file| file.integration.tools()).collect();
        let unused = all
            .bindings
            .iter()
            .find(|binding| !tools.iter().any(|tool| params::is_declared(&tool.input_schema, &binding.name)));
        if let Some(Binding { name, .. }) = unused {
            return Err(Stop(format!("--bind {name}: no tool has that param")));
        }
        Ok(all)
    }

    /// Reads one file, with the secrets that are its own, and what is bound in its tools.
    fn load(&self, path: &Path) -> Result<(Integration, HashMap<String, Json>), Stop> {
        let document = files::read_document(path)?;
        let name = document.get("name").and_then(Json::as_str).unwrap_or_default();
        let own = |given: &&Given| given.integration.as_deref().is_none_or(|integration| integration == name);
        let flags: Vec<_> = self.secrets.iter().filter(own).map(|given| given.flag.clone()).collect();
        let secrets: Secrets = files::secrets(&flags)?;
        let mut faults = Faults::new();
        let integration = files::compile(&document, &secrets, &mut faults)
            .ok_or_else(|| files::faulty(path, &document, &secrets, &faults))?;
        let tools = integration.tools().into_iter();
        let host = tools.map(|tool| self.bound_in(path, &tool).map(|bound| (tool.name, bound)));
        let host = host.collect::<Result<_, _>>()?;
        Ok((integration, host))
    }

    /// The values of `--bind`, typed as the tool says.
    fn bound_in(&self, path: &Path, tool: &Tool) -> Result<Json, Stop> {
        let mut bound = ObjectBuilder::new();
        for binding in &self.bindings {
            let Binding { name, value } = binding;
            let value = if params::is_declared(&tool.input_schema, name) {
                params::fitting(value, &tool.input_schema, name).ok_or_else(|| {
                    Stop(format!("{}: --bind {name}: {} does not take that value", path.display(), tool.name))
                })?
            } else {
                params::parsed(value)
            };
            bound.insert(name.as_str(), value);
        }
        Ok(bound.into())
    }

    fn host(&self) -> HashMap<String, Json> {
        self.files.iter().flat_map(|file| file.host.clone()).collect()
    }

    fn registry(&self) -> ToolRegistry {
        let all = self.files.iter().filter(|file| file.integration.is_enabled());
        let registry = all.fold(ToolRegistry::new(), |registry, file| registry.with_integration(&file.integration));
        self.bindings.iter().fold(registry, |registry, binding| registry.with_host_param(&binding.name))
    }

    /// Takes over what changes in the files, for as long as it is polled. A file that is wrong, or gone,
    /// leaves what was read before.
    async fn follow(&mut self, registry: &Registry) {
        let clock = system_clock();
        loop {
            clock.sleep(LOOK_EVERY).await;
            if self.look() {
                registry.replace_with(self.registry(), self.host());
            }
        }
    }

    /// Whether something was read anew.
    fn look(&mut self) -> bool {
        let mut has_changed = false;
        for at in 0..self.files.len() {
            let path = self.files[at].path.clone();
            let now = stamp(&path);
            if now.is_none() || now == self.files[at].stamp {
                continue;
            }
            self.files[at].stamp = now;
            match self.load(&path) {
                Ok((new, _)) if self.is_anothers(at, new.name()) => {
                    show::error(&format!("{}: another file has the name {}", path.display(), new.name()));
                }
                Ok((new, host)) => {
                    self.files[at].integration = new;
                    self.files[at].host = host;
                    has_changed = true;
                    show::note(&format!("{} was read again", path.display()));
                }
                Err(Stop(message)) => show::error(&format!("{message}\nwhat was read before stays")),
            }
        }
        has_changed
    }

    fn is_anothers(&self, at: usize, name: &str) -> bool {
        self.files.iter().enumerate().any(|(other, file)| other != at && file.integration.name() == name)
    }
}

impl Binding {
    fn read(flag: &str) -> Result<Self, Stop> {
        let (name, value) =
            flag.split_once('=').ok_or_else(|| Stop(format!("--bind takes NAME=VALUE, not {flag:?}")))?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

impl Given {
    fn read(flag: &str) -> Self {
        // Without `=` it is no flag but perhaps the secret, and nothing of that is a name.
        let name = flag.split_once('=').map_or("", |(name, _)| name);
        match name.split_once('.') {
            Some((integration, name)) => {
                let flag = format!("{name}{}", &flag[integration.len() + 1 + name.len()..]);
                Self { integration: Some(integration.to_owned()), flag }
            }
            None => Self { integration: None, flag: flag.to_owned() },
        }
    }
}

fn stamp(path: &Path) -> Stamp {
    let about = fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_may_say_whose_it_is() {
        for (flag, integration, rest) in [
            ("bearer_token=env:A.B", None, "bearer_token=env:A.B"),
            ("github.bearer_token=env:A", Some("github"), "bearer_token=env:A"),
            ("github.bearer_token=file:/a/b=c.pem", Some("github"), "bearer_token=file:/a/b=c.pem"),
            ("nonsense", None, "nonsense"),
            ("a.secret", None, "a.secret"),
        ] {
            let given = Given::read(flag);
            assert_eq!((given.integration.as_deref(), given.flag.as_str()), (integration, rest), "{flag}");
        }
    }
}
