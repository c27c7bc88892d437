//! The PagerDuty client, spoken to over its protocol.

mod server;

mod attempts;
mod beside;
mod bounds;
mod changes;
mod error_table;
mod errors;
mod notes;
mod policies;
mod questions;
mod rate;
mod requests;
