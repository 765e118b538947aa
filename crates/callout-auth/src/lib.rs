//! How an integration authenticates: six types, and a cache for the tokens that four of them get.
//!
//! [`Auth::compile`] turns the config's `auth` and its secrets into something that gives each attempt
//! its header: [`Auth::take_params`] first, before anything is sent, then [`Auth::header`] for each
//! attempt, and [`Auth::invalidate`] when the endpoint refuses a token.
//!
//! It opens no connection: token calls go through the [`HttpService`](callout_core::http::HttpService)
//! that it is handed, under the same rules as all other calls. It spawns no task, reads no clock and no
//! random source but those it is handed, and sends no request to an integration's own endpoints.
//!
//! ```
//! use callout_auth::Auth;
//! use callout_core::{
//!     config::{AuthConfig, AuthType}, fault::Faults, http::Caller, json::Json, limits::Limits,
//!     secret::{SecretName, Secrets},
//! };
//!
//! let mut config = AuthConfig::new(AuthType::ApiKeyHeader);
//! config.header_name = Some("X-Api-Key".to_owned());
//! let secrets = Secrets::new().with(SecretName::ApiKey, "k3y-of-the-shop");
//! let mut faults = Faults::new();
//! let auth = Auth::compile(&config, &secrets, &Caller::default(), &Limits::default(), &mut faults).unwrap();
//!
//! assert!(faults.is_empty());
//! assert_eq!(auth.redactor().text("refused: k3y-of-the-shop"), "refused: ***");
//! let params = Json::empty_object();
//! assert!(auth.take_params(params.as_object().unwrap()).is_ok());
//! ```

mod answer;
mod auth;
mod cache;
mod endpoint;
mod fetch;
mod key;
mod params;
mod private_key;
mod slot;
mod strategy;
mod sync;
mod token;

pub use auth::{Auth, AuthContext, AuthHeader, CredentialSource, TokenInfo};
pub use cache::{TokenCache, TokenStats};
pub use params::AuthParams;
