//! Tests that authors write beside their scenarios, carried out by the engine of production.
//!
//! `file.rs` reads a test file; `stage.rs` stands in for servers, requests and PagerDuty;
//! `perform.rs` runs one test in paused time; `compare.rs` says what differs. Everything between
//! the webhook and the last note is the code that runs at night.

pub mod compare;
pub mod file;
mod look_up;
pub mod perform;
mod result;
mod stage;
