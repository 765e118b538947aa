//! A world in which nothing happens by itself: a clock that stands still, dice that always fall alike.

use std::time::Duration;

use callout_core::{
    config::{IntegrationConfig, UnknownFields},
    fault::Faults,
    json::{Json, ObjectBuilder},
    time::{Rng, SharedClock, SharedRng, StillClock},
};

struct Zeros;

impl Rng for Zeros {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(0);
    }
}

pub(crate) fn clock() -> SharedClock {
    SharedClock::new(StillClock::new().with_unix(Duration::from_hours(500_000)))
}

pub(crate) fn rng() -> SharedRng {
    SharedRng::new(Zeros)
}

/// An integration of one endpoint, which has the members that are given; its name and description and, if
/// it need not have one, its path are made up. `base_url` goes to the integration.
pub(crate) fn integration(members: &Json) -> Option<IntegrationConfig> {
    let members = members.as_object()?;
    let mut endpoint = ObjectBuilder::new().with("name", "fuzz").with("description", "Fuzz").with("path", "/x");
    for (name, value) in members.iter() {
        endpoint.insert(name, value.clone());
    }
    let mut integration = ObjectBuilder::new().with("name", "fuzz").with("display_name", "Fuzz");
    if let Some(base) = members.get("base_url") {
        integration.insert("base_url", base.clone());
    }
    integration.insert("endpoints", vec![Json::from(endpoint)]);
    let mut faults = Faults::new();
    let (config, _) = IntegrationConfig::read(&integration.into(), UnknownFields::RefuseInAuth, &mut faults)?;
    faults.is_empty().then_some(config)
}
