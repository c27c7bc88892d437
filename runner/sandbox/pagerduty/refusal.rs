//! How the stand-in says no, in PagerDuty's codes.

/// A request PagerDuty refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{status} code {code} {message}: {}", errors.join("; "))]
pub struct Refusal {
    pub status: u16,
    pub code: u32,
    pub message: &'static str,
    pub errors: Vec<String>,
}

impl Refusal {
    fn new(status: u16, code: u32, message: &'static str, error: &str) -> Self {
        Self { status, code, message, errors: vec![error.to_owned()] }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, 2100, "Not Found", "Not found")
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(401, 2006, "Unauthorized", "The API token is not valid")
    }

    pub(super) fn no_from() -> Self {
        let error = "You must specify a user's email address in the From header";
        Self::new(400, 2016, "Invalid Input Provided", error)
    }

    pub(super) fn unknown_from() -> Self {
        let error = "The From header names no user of this account";
        Self::new(400, 1008, "Requester User Not Found", error)
    }

    pub(super) fn unknown_assignee() -> Self {
        let error = "An assignee is no user of this account";
        Self::new(400, 1007, "Assignee User Not Found", error)
    }

    pub(super) fn already_resolved() -> Self {
        let error = "Incident Already Resolved";
        Self::new(400, 1001, "Incident Already Resolved", error)
    }

    pub(super) fn already_acknowledged() -> Self {
        let error = "Incident Already Acknowledged";
        Self::new(400, 1002, "Incident Already Acknowledged", error)
    }

    pub(super) fn already_merged() -> Self {
        let error = "Incident Already Merged";
        Self::new(400, 1019, "Incident Already Merged", error)
    }

    pub(super) fn cannot_escalate_low() -> Self {
        let error = "Low-urgency incidents cannot be escalated";
        Self::new(400, 1006, "Incident Cannot Be Escalated", error)
    }

    /// PagerDuty's words for a level, or a policy, that does not exist.
    pub(super) fn no_such_level() -> Self {
        let error = "the escalation policy or incident id are invalid";
        Self::new(400, 2001, "Invalid Input Provided", error)
    }

    pub(super) fn nobody_on_call() -> Self {
        let error = "The escalation policy has no user on call at this level";
        Self::new(400, 1015, "Escalation Policy Has No User On Call", error)
    }

    pub(super) fn unknown_priority() -> Self {
        let error = "The priority does not exist";
        Self::new(400, 1020, "Invalid Priority Provided", error)
    }

    pub(super) fn invalid_status() -> Self {
        let error = "Status must be triggered, acknowledged or resolved";
        Self::new(400, 1003, "Invalid Status Provided", error)
    }

    pub(super) fn invalid(error: &str) -> Self {
        Self::new(400, 2001, "Invalid Input Provided", error)
    }

    pub(super) fn too_many_subscriptions() -> Self {
        let error = "At most 10 webhook subscriptions are allowed";
        Self::new(400, 2019, "Product Limit Reached", error)
    }

    pub(super) fn page_too_far() -> Self {
        let error = "Offset+limit exceeds maximum allowed value of 10000";
        Self::new(400, 2002, "Arguments Caused Error", error)
    }
}
