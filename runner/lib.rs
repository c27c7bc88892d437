//! AMS: first response to PagerDuty incidents.
//!
//! An incident passes through the modules in this order:
//!
//! ```text
//! receive ─▶ claim ─▶ matching ─▶ execute ─▶ report ─▶ handoff
//! ```
//!
//! `pipeline` is that order as code, `app` wires adapters to it, `commands` is the command line.
//! docs/ARCHITECTURE.md has the picture, the invariants and what is deliberately absent.

// Nouns and rules without I/O, used by every stage.
pub mod clock;
pub mod digest;
pub mod fields;
pub mod finding;
pub mod folding;
mod full_width;
pub mod incident;
pub mod lang;
pub mod limits;
pub mod mask;
pub mod paging;
pub mod plain;
pub mod prefix;
pub mod secret;
pub mod shorten;
pub mod yaml;

// What authors write, and its fields as data.
pub mod scenario;
pub mod schema;

// The stages, in the order an incident passes them.
pub mod receive;

pub mod aws;
pub mod claim;
pub mod customer;
pub mod dynamodb;
pub mod history;
mod sqlite;

pub mod matching;

pub mod guard;

pub mod execute;

pub mod report;

pub mod handoff;

// A run as it is told afterwards, many runs as figures, past incidents against the rules.
pub mod backtest;
pub mod explain;
pub mod figures;

// The stages in order, and what a process carries.
pub mod app;
pub mod begun;
mod chronicle;
pub mod config;
pub mod doctor;
pub mod early;
pub mod evidence;
mod joined;
pub mod metrics;
pub mod mirror;
mod packet;
mod page;
pub mod pausing;
pub mod peers;
pub mod pipeline;
pub mod reconcile;
pub mod reload;
pub mod respond;
pub mod resume;
pub mod rotate;
pub mod rules;
pub mod runs;
mod settle;
pub mod shadow;
pub mod spans;
pub mod sweep;
mod tally;
mod tell;
mod watched;

// The whole thing on one machine.
pub mod rehearse;
pub mod sandbox;

// The command line: one file per subcommand, no logic of their own.
pub mod commands;
