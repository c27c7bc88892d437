//! Stage 3: which scenario is meant for a title. Pure; explains itself.

pub mod choose;

pub use choose::{Choice, Index, Meant};
