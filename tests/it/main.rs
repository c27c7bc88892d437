//! What AMS promises, tested from outside the library.

// Shared helpers, one file each.
mod harness;
// Requests against a real server, answered in every way a server can misbehave.
mod http_requests;
// Real commands in real process groups.
mod local_commands;
// What is kept of a command's output, in memory and as evidence.
mod local_output;
// The PagerDuty client against a scripted server.
mod pagerduty_client;
