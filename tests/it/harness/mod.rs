//! What several test modules share.

pub(crate) mod openapi;
pub(crate) mod receiver;
