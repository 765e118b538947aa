//! A pipeline with all that it needs around it.

use std::time::Duration;

use callout::Limits;
use callout_core::{
    config::EndpointConfig,
    fault::Faults,
    json::{Json, Object},
    redact::Redactor,
    time::{Deadline, SharedClock, StillClock},
};
use callout_response::{Input, Pipeline, Text, read_body};

/// A compiled pipeline, run again and again.
#[derive(Debug)]
pub struct Shaping {
    pipeline: Pipeline,
    limits: Limits,
    params: Object,
    redactor: Redactor,
    clock: SharedClock,
    deadline: Deadline,
}

impl Shaping {
    /// Compiles it; a token is masked, as in a call.
    ///
    /// # Panics
    ///
    /// If the endpoint has faults.
    pub fn of(endpoint: &EndpointConfig) -> Self {
        let limits = Limits::default();
        let clock = SharedClock::new(StillClock::new());
        let deadline = Deadline::after(&clock, Duration::from_mins(1));
        Self {
            pipeline: Pipeline::compile(endpoint, &limits, &mut Faults::new()).expect("the config is good"),
            limits,
            params: Object::default(),
            redactor: Redactor::new(["a-token-that-is-as-long-as-one-is"]),
            clock,
            deadline,
        }
    }

    fn input<'a>(&'a self, body: &'a Json) -> Input<'a> {
        let Self { params, redactor, clock, deadline, .. } = self;
        Input { body, params, status: 200, redactor, clock, deadline: *deadline }
    }

    /// From what is wanted of the body.
    pub fn wanted(&self, bytes: &[u8]) -> Option<Text> {
        self.pipeline.run_wanted(bytes, &self.limits, &self.input(&Json::Null))
    }

    /// From the whole body.
    pub fn whole(&self, bytes: &[u8]) -> Option<Text> {
        let body = read_body(200, None, bytes, &self.limits).ok()?;
        self.pipeline.run(&self.input(&body)).ok()
    }

    /// The stages alone, on a body that has been read.
    pub fn stages(&self, body: &Json) -> Option<Text> {
        self.pipeline.run(&self.input(body)).ok()
    }
}
