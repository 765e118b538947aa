//! The HTTP API over real sockets, on SQLite and (where `CALLOUT_TEST_POSTGRES` names one) PostgreSQL:
//! what it answers, who may ask, what it keeps, what it starts with, and that nothing of a secret leaves it.
#![expect(clippy::unwrap_used, reason = "a test fails where something is not there")]

mod audit;
mod calls;
mod canary;
mod changes;
mod contract;
mod defaults;
mod edges;
mod harness;
mod integrations;
mod keys;
mod matrix;
mod operation;
mod servers;

use harness::{Answer, Server, integration};
