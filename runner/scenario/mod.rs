//! What authors write and what it means.
//!
//! `file.rs` reads a file into findings and, where there are none, a [`model::Scenario`], which
//! cannot be built otherwise. `catalog.rs` is a directory of them: `directory.rs` says which files,
//! `content.rs` gives their text.

pub mod action;
pub mod aws_call;
pub mod capture;
pub mod catalog;
pub mod content;
pub mod directory;
mod ending;
mod expect;
pub mod expression;
pub mod file;
mod flow;
mod match_rule;
pub mod model;
mod names;
mod parameters;
pub mod probe;
mod reading;
mod safety;
mod scope;
mod script;
mod secrets;
mod shell;
pub mod step;
mod steps;
pub mod takes;
pub mod target;
pub mod template;
pub mod title_regex;
mod uses;
pub mod value;
