//! What authors write and what it means.
//!
//! `file.rs` reads a file into findings and, where there are none, a [`model::Scenario`], which
//! cannot be built otherwise. `catalog.rs` is a directory of them: `directory.rs` says which files,
//! `content.rs` gives their text.

pub mod action;
pub mod capture;
pub mod catalog;
pub mod content;
pub mod directory;
pub mod file;
pub mod model;
pub mod steps;
pub mod template;
pub mod title_regex;
