//! What can be asked of an import.
#![expect(clippy::doc_markdown, reason = "these comments are the help texts, which show no markdown")]

use std::path::PathBuf;

use callout_openapi::Selector;
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Turns an OpenAPI 3.0 or 3.1 document into integrations, and says what could not be carried over.
    Openapi(OpenapiArgs),
    /// Turns a curl command line into an integration with one endpoint; secrets are taken out and named.
    Curl(CurlArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CurlArgs {
    /// The whole line, in quotes. Default: standard input.
    pub(crate) line: Option<String>,
    /// The integration's name. Default: made of the host.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The endpoint's name. Default: made of method and path.
    #[arg(long)]
    pub(crate) endpoint: Option<String>,
    /// Writes nothing and exits with 2 if anything cannot be carried over.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Where to write: a file whose ending says whether JSON or YAML. Default: YAML on standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SplitBy {
    Tag,
}

#[derive(Debug, Args)]
pub(crate) struct OpenapiArgs {
    /// The document as JSON or YAML; - for standard input.
    pub(crate) file: PathBuf,
    /// Which operations; * stands for any text. Several of one kind widen the choice, several kinds
    /// narrow it.
    #[arg(long, value_name = "tag:NAME|op:GLOB|path:GLOB|method:GET")]
    pub(crate) include: Vec<Selector>,
    /// The integration's name. Default: made of the document's title.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Makes an integration of each tag, and more than one where a tag has more than 50 operations.
    #[arg(long, value_name = "HOW")]
    pub(crate) split_by: Option<SplitBy>,
    /// Writes nothing and exits with 2 if anything cannot be carried over.
    #[arg(long)]
    pub(crate) strict: bool,
    /// Where to write: a file whose ending says whether JSON or YAML, or a folder for several integrations.
    /// Default: YAML on standard output.
    #[arg(short, long, value_name = "FILE|FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Where the API is, in place of all the document's servers, also those of single paths and operations.
    #[arg(long, value_name = "URL")]
    pub(crate) base_url: Option<String>,
    /// How to authenticate, in place of the document's security schemes: bearer_token, or api_key_header:NAME.
    #[arg(long, value_name = "TYPE")]
    pub(crate) auth: Option<String>,
    /// The client id for OAuth 2.0 client credentials.
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// A constant header of every endpoint.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub(crate) headers: Vec<String>,
    /// Sets a response_filter where an answer is large. Without it YAML has the proposals as comments.
    #[arg(long)]
    pub(crate) propose_filters: bool,
    /// Writes the whole report as JSON, what was carried over too.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
}
