//! What can be asked for on the command line.
#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which show no markdown")]

use std::{num::NonZeroU32, path::PathBuf};

use callout_server::WebOrigin;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::import::ImportCommand;

/// Runs configured calls to HTTP APIs and shapes their answers for language models.
#[derive(Debug, Parser)]
#[command(name = "callout", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// A tour: starts an API on this machine, calls it in every way, shows what happens.
    Demo,
    /// Calls an endpoint and prints the text a model would get.
    Call(CallArgs),
    /// Says everything that is wrong with integration files.
    Check {
        /// Integrations as JSON or YAML.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Makes integrations of what there is already: an OpenAPI document, a curl line.
    #[command(subcommand)]
    Import(ImportCommand),
    /// Gets a token and shows its type, lifetime and cache key.
    Token(TokenArgs),
    /// Prints an integration's endpoints as tools for function calling.
    Tools {
        /// An integration as JSON or YAML.
        file: PathBuf,
        /// Which API's format they are written in.
        #[arg(long = "for", value_enum, value_name = "PROVIDER", default_value = "plain")]
        shape: Shape,
    },
    /// Serves endpoints as MCP tools on standard input and output, as MCP clients start it.
    Mcp(McpArgs),
    /// Serves the HTTP API; without flags it makes a database, a master key and an operator key.
    Serve(ServeArgs),
    /// Makes, lists and revokes API keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Makes and lists workspaces.
    #[command(subcommand)]
    Workspaces(WorkspacesCommand),
    /// Puts integration files into a workspace.
    #[command(subcommand)]
    Integrations(IntegrationsCommand),
    /// Looks after the stored secrets.
    #[command(subcommand)]
    Secrets(SecretsCommand),
}

#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// The database: a SQLite file, or postgres://USER@HOST/NAME. Default: the environment variable
    /// CALLOUT_DATABASE, else callout.db. Use the variable for a URL that has a password.
    #[arg(long, value_name = "FILE|URL")]
    pub(crate) database: Option<String>,
    /// The key that seals secrets: a file, or an environment variable. Default: a file beside the
    /// SQLite database; for PostgreSQL, env:CALLOUT_MASTER_KEY.
    #[arg(long, value_name = "file:PATH|env:NAME")]
    pub(crate) master_key: Option<String>,
    /// The first part of every secret's path.
    #[arg(long = "env", value_name = "NAME", default_value = "dev")]
    pub(crate) environment: String,
    /// Where secrets are kept: sealed in the database, or in the AWS SSM Parameter Store.
    #[arg(long = "secrets", value_name = "WHERE", default_value = "database")]
    pub(crate) secret_backend: SecretBackendArg,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SecretBackendArg {
    Database,
    Ssm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    #[command(flatten)]
    pub(crate) store: StoreArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    /// Also starts an API and an identity provider to try, on this machine, allows calls to them, and prints
    /// curl lines that use them. Keeps nothing, unless --database is given.
    #[arg(long)]
    pub(crate) demo: bool,
    /// The most requests a minute of one API key, on this server; a minute's worth may come at once.
    #[arg(long, value_name = "REQUESTS")]
    pub(crate) rate_limit: Option<NonZeroU32>,
    /// A web origin whose pages may use /mcp (https://app.example:443, http://localhost:*). Requests from
    /// pages of other origins are refused. Programs that are no browsers send no origin and need none.
    #[arg(long = "mcp-origin", value_name = "ORIGIN")]
    pub(crate) mcp_origins: Vec<WebOrigin>,
    /// How log lines look on standard error.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) log: LogFormat,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Makes a key and prints it, once.
    Create {
        /// The workspace's name or id.
        #[arg(long, value_name = "ID|NAME")]
        workspace: String,
        /// viewer, member, admin or owner.
        #[arg(long, default_value = "member")]
        role: String,
        /// A right beyond the role's, such as Integration.create.
        #[arg(long = "permission", value_name = "RIGHT")]
        permissions: Vec<String>,
        /// How long it is valid, 1 to 90.
        #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=90))]
        days: u32,
        /// What it is for.
        #[arg(long)]
        name: Option<String>,
        /// Prints {"workspace_id", "key_id", "api_key"}.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Lists a workspace's keys, never the keys themselves.
    List {
        /// The workspace's name or id.
        #[arg(long, value_name = "ID|NAME")]
        workspace: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Revokes a key: it stops within a second.
    Revoke {
        /// The key's id.
        key_id: String,
        /// The workspace's name or id.
        #[arg(long, value_name = "ID|NAME")]
        workspace: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Revokes the operator's key and makes another, for one that was lost or has become known.
    ReplaceOperator {
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WorkspacesCommand {
    /// Makes a workspace and prints its id.
    Create {
        /// Its name, which no other has.
        name: String,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Lists the workspaces.
    List {
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum IntegrationsCommand {
    /// Creates an integration from a file.
    Import {
        /// An integration as JSON or YAML; secrets may stand in it.
        file: PathBuf,
        /// Makes it one that the workspace cannot change or delete; importing it again replaces it
        /// with its secrets, so that one which is not given again is gone.
        #[arg(long)]
        builtin: bool,
        /// The workspace's name or id.
        #[arg(long, value_name = "ID|NAME", default_value = "default")]
        workspace: String,
        #[command(flatten)]
        given: SecretArgs,
        #[command(flatten)]
        store: StoreArgs,
    },
    /// Deletes an integration with its secrets, also one that the workspace cannot delete.
    Delete {
        /// The integration's name.
        name: String,
        /// The workspace's name or id.
        #[arg(long, value_name = "ID|NAME", default_value = "default")]
        workspace: String,
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretsCommand {
    /// Makes a new master key and seals every secret anew under it, while servers run.
    RotateMaster {
        #[command(flatten)]
        store: StoreArgs,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// An integration as JSON or YAML, as it would be sent to create it; secrets may stand in it.
    pub(crate) file: PathBuf,
    /// The endpoint's name.
    pub(crate) endpoint: String,
    #[command(flatten)]
    pub(crate) params: ParamArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    /// Shows the request and each stage of the response.
    #[arg(long, conflicts_with = "json")]
    pub(crate) trace: bool,
    /// Prints the whole breakdown as JSON, also when the call fails.
    #[arg(long)]
    pub(crate) json: bool,
    /// Prints the request that would be sent, secrets masked, and sends nothing, no token call
    /// either. `=curl` prints it as a command line.
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "request",
        conflicts_with_all = ["trace", "json"]
    )]
    pub(crate) dry_run: Option<DryRun>,
    /// Converts params that are strings to the numbers and booleans that the input schema asks for, and
    /// numbers such as 5.0 to integers.
    #[arg(long)]
    pub(crate) lenient: bool,
}

#[derive(Debug, Args)]
pub(crate) struct McpArgs {
    /// Integrations as JSON or YAML, as `callout call` takes them. A file that changes is read again, and
    /// clients are told.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Binds a param in every tool that has it: clients do not see it and cannot set it. In each tool the
    /// value is a string where the tool's input schema says so, else JSON if it is JSON.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) bind: Vec<String>,
    /// A secret by its short name (api_key, bearer_token, client_secret, private_key, exchange_secret)
    /// from the environment or a file. With several integrations the name of its own comes first:
    /// github.bearer_token=env:GITHUB_TOKEN.
    #[arg(long = "secret", value_name = "[INTEGRATION.]NAME=env:VAR|file:PATH")]
    pub(crate) secrets: Vec<String>,
    /// Converts params that are strings to the numbers and booleans that the input schema asks for, and
    /// numbers such as 5.0 to integers.
    #[arg(long)]
    pub(crate) lenient: bool,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
}

/// How tools are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Shape {
    /// Name, description and input schema as it is.
    Plain,
    /// OpenAI's Chat Completions API.
    Openai,
    /// The same, in strict mode where the schema can be said in it.
    OpenaiStrict,
    /// OpenAI's Responses API.
    OpenaiResponses,
    /// The same, in strict mode where the schema can be said in it.
    OpenaiResponsesStrict,
    /// Anthropic's Messages API.
    Anthropic,
    /// The Model Context Protocol.
    Mcp,
}

/// How a dry run shows the request.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum DryRun {
    /// Method and URL, headers, body.
    Request,
    /// A curl command, quoted for sh.
    Curl,
}

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// An integration as JSON or YAML.
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) params: ParamArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) secrets: SecretArgs,
    /// Shows the token itself.
    #[arg(long)]
    pub(crate) reveal: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SecretArgs {
    /// A secret by its short name (api_key, bearer_token, client_secret, private_key, exchange_secret)
    /// from the environment or a file.
    #[arg(long = "secret", value_name = "NAME=env:VAR|NAME=file:PATH")]
    pub(crate) secrets: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ParamArgs {
    /// One param. The value is a string where the input schema says so, else JSON if it is JSON. A list is one
    /// value, as JSON.
    #[arg(long = "param", value_name = "KEY=VALUE")]
    pub(crate) param: Vec<String>,
    /// All params as a JSON object: the text itself, a file, or standard input. --param wins over it.
    #[arg(long, value_name = "JSON|@FILE|-")]
    pub(crate) params: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct NetworkArgs {
    /// Opens an address that is not public: a host, an IP address or a network, with or without a
    /// port (127.0.0.1, 10.0.0.0/8, api.internal:8443).
    #[arg(long, value_name = "HOST_OR_CIDR")]
    pub(crate) allow: Vec<String>,
    /// The longest the whole call may take, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60.0)]
    pub(crate) timeout: f64,
    /// Trusts the certificates in this PEM file besides the platform's.
    #[arg(long, value_name = "PEM_FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// Presents the certificate and key in this PEM file to servers that ask for one (mTLS).
    #[arg(long, value_name = "PEM_FILE")]
    pub(crate) client_identity: Option<PathBuf>,
    /// Sends everything through this proxy; the environment's proxy variables are not read.
    #[arg(long, value_name = "URL")]
    pub(crate) proxy: Option<String>,
}
