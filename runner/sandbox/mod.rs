//! The whole of AMS on one machine: a stand-in PagerDuty, two region processes, the claim store,
//! and real things that break. What `ams sandbox` shows and the integration tests run against.

pub mod cases;
pub mod cluster;
pub mod control;
pub mod demo_service;
pub mod judge;
pub mod pagerduty;
pub mod patients;
pub mod story;
