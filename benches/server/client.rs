//! Who asks the server.

use std::{fmt, str::FromStr};

use callout_store::Uuid;

use crate::ENDPOINT;

/// A client of a server, with what it needs to know of it.
pub(crate) struct Client {
    pub(crate) http: reqwest::Client,
    pub(crate) origin: String,
    pub(crate) key: String,
    pub(crate) operator: String,
    pub(crate) workspace: Uuid,
    /// The integration whose endpoint is tested.
    pub(crate) id: Uuid,
}

impl Client {
    pub(crate) async fn test(&self) {
        let path = format!("/integrations/{}/endpoints/{ENDPOINT}/test", self.id);
        let url = format!("{}/v1/{}{path}", self.origin, self.workspace);
        let request = self.http.post(url).bearer_auth(&self.key).body("{}");
        let answer = request.send().await.expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().await.expect("a body");
    }

    /// What one exchange with the server costs though nothing is asked.
    pub(crate) async fn health(&self) {
        let answer = self.http.get(format!("{}/healthz", self.origin)).send().await.expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().await.expect("a body");
    }

    /// What the server counts, as it shows it.
    pub(crate) async fn metrics(&self) -> String {
        let request = self.http.get(format!("{}/metrics", self.origin)).bearer_auth(&self.operator);
        request.send().await.expect("an answer").text().await.expect("a text")
    }

    pub(crate) async fn list(&self, query: &str) {
        let url = format!("{}/v1/{}/integrations?{query}", self.origin, self.workspace);
        let answer = self.http.get(url).bearer_auth(&self.key).send().await.expect("an answer");
        assert!(answer.status().is_success());
        answer.bytes().await.expect("a body");
    }
}

/// For another process: as one line.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http: _, origin, key, operator, workspace, id } = self;
        write!(f, "{origin} {key} {operator} {workspace} {id}")
    }
}

impl FromStr for Client {
    type Err = &'static str;

    fn from_str(line: &str) -> Result<Self, Self::Err> {
        let [origin, key, operator, workspace, id] = line.split(' ').collect::<Vec<_>>()[..] else {
            return Err("five words make a client");
        };
        let uuid = |text: &str| text.parse::<Uuid>().map_err(|_| "workspace and id are UUIDs");
        Ok(Self {
            http: http(),
            origin: origin.to_owned(),
            key: key.to_owned(),
            operator: operator.to_owned(),
            workspace: uuid(workspace)?,
            id: uuid(id)?,
        })
    }
}

pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().build().expect("a client")
}
