//! Stage 4: a claim and a scenario become an end.
//!
//! `run.rs` is the only loop that acts: record, act, record. `plan.rs` decides what comes next and
//! `verdict.rs` what a result means; both are pure. The world is touched through `actuator.rs`,
//! whose adapters are `local.rs`, `http.rs`, `tcp.rs`, `ssh/` and `ssm/`; `dispatch.rs` picks between them.
//! What other machines are sent is `host_program.rs`. What an owner before us had begun is found out
//! first (`adopt.rs`).

pub mod actuator;
mod adopt;
pub mod alert_names;
mod announce;
mod asking;
pub mod aws_api;
mod describe;
pub mod detached;
pub mod dispatch;
pub mod end;
mod follow;
mod guarded;
pub mod host_probe;
pub mod host_program;
pub mod http;
pub mod instances;
pub mod local;
mod locate;
mod look;
pub mod memory;
mod output;
mod paused;
pub mod people;
mod permit;
pub mod plan;
pub mod prepare;
pub mod preview;
mod process_group;
mod round;
pub mod run;
pub mod so_far;
pub mod sources;
pub mod ssh;
pub mod ssm;
pub mod take;
pub mod target;
pub mod tcp;
pub mod verdict;
pub mod world;
