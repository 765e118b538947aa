//! Templates and bodies that are made to hurt: none may end the process, take more than 100 ms of CPU
//! in a release build, or more than 16 MB besides what it was given. They run in processes of their
//! own, on a thread with a stack of 1 MB, half of what a thread has by default.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod body;
mod further;
mod greedy;
mod nestings;
#[path = "../support/mod.rs"]
mod support;

use std::{ops::Range, time::Duration};

use callout_core::{
    json::Json,
    limits::Limits,
    time::{Deadline, SharedClock},
};
use callout_hostile::{Suite, case};
use callout_response::{
    Watch,
    template::{Template, Values},
};

use crate::{
    body::Body,
    nestings::{EVERY_LEVEL, chain},
};

fn cases() -> Vec<(Body, String)> {
    let mut all: Vec<_> = nestings::nestings().into_iter().map(|template| (Body::Small, template)).collect();
    all.extend(greedy::greedy());
    let mut further = further::further();
    // One process for those that share a body.
    further.sort_by_key(|(body, _)| format!("{body:?}"));
    all.extend(further);
    all
}

/// Renders one template as the engine does, under fuel without end; what came of it.
fn attempt(template: &str, body: &Json, clock: &SharedClock) -> String {
    let mut limits = Limits::default();
    limits.template_fuel = u64::MAX;
    let template = match Template::compile(template, &limits) {
        Ok(template) => template,
        Err(fault) => return format!("fault: {fault}"),
    };
    let watch = Watch { clock, deadline: Deadline::after(clock, Duration::from_mins(1)) };
    let values = Values { result: body, response: body, params: &support::params(), status: 200 };
    match template.render(&values, &watch) {
        Ok(text) => format!("text of {}", text.len()),
        Err(error) => format!("{}: {error}", error.kind()),
    }
}

#[test]
fn bounds_can_be_reached_and_not_passed() {
    let nested = |levels: usize| format!("{{{{ {} }}}}", chain("(1+", "1", ")", levels));
    let blocks = |levels: usize| chain("{% if 1 %}", "x", "{% endif %}", levels);
    let branches = |levels: usize| format!("{{% if 0 %}}{}{{% endif %}}", "{% elif 0 %}".repeat(levels));
    let every = |levels: usize| format!("{{{{ {}1{} }}}}", EVERY_LEVEL.0.repeat(levels), EVERY_LEVEL.1.repeat(levels));
    let compiles = |template: String| Template::compile(&template, &Limits::default()).map(drop);
    // A block that is captured counts as two branches.
    let captured = |levels: usize| branches(levels).replace("{% endif", "{% set x %}{% endset %}{% endif");
    let deep = "the expression nests deeper than 20 levels";
    let table = [
        (nested(19), nested(20), deep),
        (blocks(32), blocks(33), "more than 32 blocks are open at once"),
        (branches(99), branches(100), "more than 100 branches are open at once"),
        (captured(97), captured(98), "more than 100 branches are open at once"),
        (every(2), every(3), deep),
    ];
    for (at, past, told) in table {
        assert_eq!(compiles(at), Ok(()));
        let fault = compiles(past.clone()).unwrap_err();
        assert!(fault.contains(told), "{past}: {fault}");
    }
}

/// What a child process does.
#[test]
fn child() {
    callout_hostile::child(|batch| {
        let all = cases();
        let body = Json::parse(&all[batch.start].0.text()).unwrap();
        for at in batch {
            let template = &all[at].1;
            case(at, template, || attempt(template, &body, &support::clock()));
        }
    });
}

/// Cases that run in one process: with one body, so that it is read once, and not too many.
fn batches(cases: &[(Body, String)]) -> Vec<Range<usize>> {
    const MOST: usize = 40;
    let mut batches: Vec<Range<usize>> = Vec::new();
    for (at, (body, _)) in cases.iter().enumerate() {
        match batches.last_mut() {
            Some(batch) if cases[batch.start].0 == *body && batch.len() < MOST => batch.end = at + 1,
            _ => batches.push(at..at + 1),
        }
    }
    batches
}

#[test]
fn no_template_ends_the_process_or_takes_too_much() {
    let cases = cases();
    assert_eq!(Suite::default().run(&batches(&cases)).len(), cases.len());
}
