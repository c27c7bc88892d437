pub(crate) mod commands;
pub(crate) mod wait;
