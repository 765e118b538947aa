//! A name service that answers by script, for names that change their mind.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

use callout_transport::Resolver;

/// Names and their addresses. Each name has a queue of answers; the last one stays. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Names(Arc<Mutex<Parts>>);

#[derive(Debug, Default)]
struct Parts {
    answers: HashMap<String, VecDeque<Vec<IpAddr>>>,
    asked: Vec<String>,
}

impl Names {
    /// Without any name: every look-up fails.
    pub fn new() -> Self {
        Self::default()
    }

    /// With one more answer for that name.
    #[must_use]
    pub fn with(self, name: &str, addresses: &[&str]) -> Self {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.0.lock().unwrap().answers.entry(name.to_owned()).or_default().push_back(addresses);
        self
    }

    /// The look-ups so far.
    pub fn asked(&self) -> Vec<String> {
        self.0.lock().unwrap().asked.clone()
    }
}

impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut parts = self.0.lock().unwrap();
        parts.asked.push(host.to_owned());
        let Some(answers) = parts.answers.get_mut(host) else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        };
        let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Ok(next.unwrap_or_default())
    }
}
