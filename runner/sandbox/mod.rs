//! What `ams sandbox` and the integration tests run against in place of the real world.

pub mod pagerduty;
