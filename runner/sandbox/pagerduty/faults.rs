//! What a test has go wrong in the stand-in's REST API.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

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
    /// When requests came in, those that were refused included, while they count.
    came: VecDeque<Timestamp>,
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

    /// Counts a request against the key's rate, also one that is refused: whoever does not hold back
    /// stays out.
    pub(super) fn rate(&mut self, limit: u32, window: Duration, now: Timestamp) -> Rate {
        let age = |came: &Timestamp| now.duration_since(*came).unsigned_abs();
        while self.came.front().is_some_and(|came| age(came) >= window) {
            self.came.pop_front();
        }
        let before = u32::try_from(self.came.len()).unwrap_or(u32::MAX);
        // More than twice the limit says nothing more.
        if before < limit.saturating_mul(2) {
            self.came.push_back(now);
        }
        let reset = self.came.front().map_or(window, |came| window.saturating_sub(age(came)));
        Rate { limit, is_over: before >= limit, remaining: limit.saturating_sub(before + 1), reset }
    }
}

/// What an answer says of the key's rate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rate {
    pub(super) limit: u32,
    pub(super) is_over: bool,
    pub(super) remaining: u32,
    /// Until the first request of the window counts no more.
    pub(super) reset: Duration,
}
