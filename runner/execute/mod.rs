pub mod actuator;
pub mod dispatch;
pub mod http;
pub mod local;
mod output;
mod process_group;
