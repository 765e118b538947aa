//! What can be asked for on the command line.
#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which show no markdown")]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

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
    /// Gets a token and shows its type, lifetime and cache key.
    Token(TokenArgs),
    /// Prints an integration's endpoints as tools for function calling.
    Tools {
        /// An integration as JSON or YAML.
        file: PathBuf,
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
    /// One param. The value is a string where the input schema says so, else JSON if it is JSON.
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
