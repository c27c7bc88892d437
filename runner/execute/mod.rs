//! Stage 4: a claim and a scenario become an end.
//!
//! `run.rs` is the only loop that acts: record, act, record. `plan.rs` decides what comes next and
//! `verdict.rs` what a result means; both are pure. The world is touched through `actuator.rs`.

pub mod actuator;
pub mod plan;
pub mod prepare;
pub mod run;
pub mod verdict;
