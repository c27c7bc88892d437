// The PagerDuty client against a scripted server.
mod pagerduty_client;
