//! The integration tests: one binary, one module per part of AMS that they are about.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests unwrap; their helpers are tests too"
)]

mod harness;
mod standin;
