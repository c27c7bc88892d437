//! What authors write and what it means.
//!
//! `file.rs` reads a file into findings and, where there are none, a [`model::Scenario`], which
//! cannot be built otherwise. `catalog.rs` is a directory of them.

pub mod action;
pub mod capture;
pub mod catalog;
pub mod file;
pub mod model;
pub mod steps;
pub mod template;
