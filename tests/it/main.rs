//! What AMS promises, tested from outside the library. One binary, one module per story or part.

#![expect(
    clippy::unwrap_used,
    reason = "clippy.toml lets tests unwrap; their shared code is tests too"
)]

// Incidents from webhook to outcome, over two region processes.
mod first_response;
// Customers' accounts, which are not there where tests run: also for benchmarks, so it is a folder
// of its own.
#[path = "../aws/mod.rs"]
mod aws;
// That it behaves as AWS is described.
mod aws_double;
// The contract of claim stores, against every adapter.
mod claim_store;
// Two processes and one incident in every order of everything that may go wrong.
mod claim_model;
// What guards let through, in any order of asks and over every store.
mod guards;
// What `ams serve` accepts as its settings, and what it says to everything else.
mod configuration;
// Whether a deployment would work, looked at from outside.
mod doctor;
// Recoveries that outlive their runner.
mod detached_commands;
// Between a process and its store: also for the chaos program, so it is a folder of its own.
#[path = "../fault_proxy/mod.rs"]
mod fault_proxy;
// What steps ask of AWS in customers' accounts.
mod aws_steps;
// The second way in: events by Amazon EventBridge.
mod eventbridge;
// What is kept of outputs, and for how long.
mod evidence;
// Figures out of the history, and past incidents against the rules.
mod backtest;
mod figures;
// Shared by the stories: one file each.
mod harness;
// What the templates of infra/ allow.
mod infra;
// Secrets and scenarios that AWS keeps, exchanged while AMS runs.
mod bucket_rules;
mod secrets;
// What is sent to other machines, in the shells that are found on them.
mod host_program;
// Requests against a real server, answered in every way a server can misbehave.
mod history;
mod http_requests;
mod tcp_connections;
// One incident for each way AMS acts, as docs/recorded-session.md shows them.
mod recorded;
// Commands over SSH, against a real server.
mod ssh_commands;
// Commands by agents of AWS, against the double.
mod ssm_commands;
// Real commands in real process groups.
mod local_commands;
// What is kept of a command's output, in memory and as evidence.
mod local_output;
// Titles against catalogs of any shape.
mod matching;
// The notes, word for word.
mod notes;
// Tickets, messages and mails beside PagerDuty.
mod packet;
mod progress_notes;
// What processes show of themselves.
mod observed;
// The PagerDuty client against a scripted server.
mod pagerduty_client;
// The whole thing as a newcomer sees it.
mod rehearsals;
mod sandbox;
// Which hosts a run is about, and what happens when nobody can say.
mod targets;
// The source itself keeps its rules.
mod tidy;
// Spans from webhook to outcome, as a collector sees them.
mod traces;
// The pages for authors do what they say.
mod tutorial;
// Webhooks over HTTP: what is answered to whom, and what each means.
mod receiver;
// What editors are told about the files people write, and the reference made of it.
mod schema;
// Every mistake an author can make, and where the finding points.
mod scenario_files;
// The stand-in for PagerDuty behaves as PagerDuty is described.
mod standin;
// The fault proxy itself.
mod through_faults;
// Two regions over one DynamoDB.
mod two_regions;
