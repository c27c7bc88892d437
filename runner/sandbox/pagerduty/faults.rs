//! What a test has go wrong in the stand-in's REST API.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What happens to a request instead of, or around, its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Answered with this status; nothing takes effect.
    Status(u16),
    /// Kept waiting, then carried out; never, if the client goes away meanwhile.
    Hang(Duration),
    /// Carried out after this, also when the client has gone away meanwhile.
    Late(Duration),
    /// Carried out, then the connection is cut without an answer.
    DropAnswerAfterEffect,
    /// 429; PagerDuty sends it with `ratelimit-*` headers and body, or with nothing.
    RateLimit { headers: bool },
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    /// As many as tests planned.
    planned: VecDeque<Planned>,
    /// Events reach nobody while this is set.
    pub(super) loses_webhooks: bool,
    window: Option<(Timestamp, u32)>,
}

#[derive(Debug)]
struct Planned {
    left: usize,
    fault: Fault,
    only: Option<(String, String)>,
}

impl Faults {
    pub(super) fn plan(&mut self, n: usize, fault: Fault, only: Option<(&str, &str)>) {
        let only = only.map(|(method, template)| (method.to_owned(), template.to_owned()));
        self.planned.push_back(Planned { left: n, fault, only });
    }

    pub(super) fn clear(&mut self) {
        self.planned.clear();
    }

    /// The fault this request meets, if any. The first plan that fits is used up first.
    pub(super) fn take(&mut self, method: &str, template: &str) -> Option<Fault> {
        let fits = |plan: &Planned| match &plan.only {
            None => true,
            Some((only_method, only_template)) => {
                only_method == method && only_template == template
            }
        };
        let place = self.planned.iter().position(|plan| plan.left > 0 && fits(plan))?;
        let plan = &mut self.planned[place];
        plan.left -= 1;
        let fault = plan.fault;
        self.planned.retain(|plan| plan.left > 0);
        Some(fault)
    }

    /// Counts a request against the account's rate; true if it is over it.
    pub(super) fn over_rate(&mut self, per_minute: u32, now: Timestamp) -> bool {
        let minute = SignedDuration::from_mins(1);
        let fresh = |(start, _): &(Timestamp, u32)| now.duration_since(*start) < minute;
        let (start, used) = self.window.filter(fresh).unwrap_or((now, 0));
        self.window = Some((start, used.saturating_add(1)));
        used >= per_minute
    }
}
