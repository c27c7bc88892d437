//! Stage 6: giving an incident to people so that somebody is really paged.

pub mod escalate;
