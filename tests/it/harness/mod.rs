//! What several test modules share.

mod at_aws;
pub(crate) mod commands;
pub(crate) mod engine;
pub(crate) mod openapi;
pub(crate) mod receiver;
pub(crate) mod sshd;
pub(crate) mod wait;
pub(crate) mod world;
