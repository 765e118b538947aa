//! What `serve --demo` starts beside the server: the tour's API and identity provider.

use std::net::SocketAddr;

use callout::Json;

use crate::{
    Stop,
    demo::{Upstream, identity},
};

/// The running API; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Demo {
    upstream: Upstream,
    integration: Json,
}

impl Demo {
    pub(crate) async fn start() -> Result<Self, Stop> {
        let upstream = Upstream::start().await?;
        let integration = describe(upstream.address())?;
        Ok(Self { upstream, integration })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.upstream.address()
    }

    /// The body that creates an integration of this API.
    pub(crate) fn integration(&self) -> &Json {
        &self.integration
    }
}

fn describe(address: SocketAddr) -> Result<Json, Stop> {
    let text = include_str!("../../demo/served.yaml").replace("ORIGIN", &format!("http://{address}"));
    Ok(serde_saphyr::from_str(&text.replace("SECRET", identity::SECRET))?)
}
