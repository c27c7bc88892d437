//! Stage 3: which scenario is meant for a title. Pure; explains itself.

pub mod choose;
pub mod fold;

pub use choose::{Choice, Index, Meant};
