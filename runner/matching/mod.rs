//! Stage 3: which scenario is meant for a title. Pure; explains itself.
//!
//! `keywords.rs` finds the keywords of all scenarios in one pass, `choose.rs` decides. The rest is
//! for authors: `close.rs` says what nearly matched, `coverage.rs` looks at many titles,
//! `overlap.rs` and `wording.rs` find what is wrong in rules that are each well written.

pub mod choose;
pub mod close;
pub mod coverage;
pub mod keywords;
pub mod overlap;
mod similar;
mod wording;

pub use choose::{Choice, Index, Lost, LostBy, Meant, NearMiss};
pub use similar::form;
