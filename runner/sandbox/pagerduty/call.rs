//! Which operation of the REST API a request is.

/// An operation the stand-in serves; ids as they stand in the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Call {
    ListIncidents,
    GetIncident(String),
    ChangeIncident(String),
    ListNotes(String),
    AddNote(String),
    EditNote(String, String),
    DeleteNote(String, String),
    AddStatusUpdate(String),
    SetFields(String),
    ListAlerts(String),
    ListIncidentLog(String),
    ListLog,
    ListAbilities,
    ListServices,
    ListPolicies,
    AskResponders(String),
    GetService(String),
    /// Of the Events API, which has another host and no token.
    Enqueue,
    GetPolicy(String),
    ListPriorities,
    ListUsers,
    GetUser(String),
    ListOncalls,
    ListSubscriptions,
    AddSubscription,
    GetSubscription(String),
    ChangeSubscription(String),
    EnableSubscription(String),
    PingSubscription(String),
}

impl Call {
    /// The operation, with its path as PagerDuty's API description writes it.
    pub(super) fn parse(method: &str, path: &str) -> Option<(Self, &'static str)> {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let own = |id: &&str| (*id).to_owned();
        Some(match (method, parts.as_slice()) {
            ("GET", ["incidents"]) => (Self::ListIncidents, "/incidents"),
            ("GET", ["incidents", id]) => (Self::GetIncident(own(id)), "/incidents/{id}"),
            ("PUT", ["incidents", id]) => (Self::ChangeIncident(own(id)), "/incidents/{id}"),
            ("GET", ["incidents", id, "notes"]) => {
                (Self::ListNotes(own(id)), "/incidents/{id}/notes")
            }
            ("POST", ["incidents", id, "notes"]) => {
                (Self::AddNote(own(id)), "/incidents/{id}/notes")
            }
            ("PUT", ["incidents", id, "notes", note]) => {
                (Self::EditNote(own(id), own(note)), "/incidents/{id}/notes/{note_id}")
            }
            ("DELETE", ["incidents", id, "notes", note]) => {
                (Self::DeleteNote(own(id), own(note)), "/incidents/{id}/notes/{note_id}")
            }
            ("POST", ["incidents", id, "status_updates"]) => {
                (Self::AddStatusUpdate(own(id)), "/incidents/{id}/status_updates")
            }
            ("PUT", ["incidents", id, "custom_fields", "values"]) => {
                (Self::SetFields(own(id)), "/incidents/{id}/custom_fields/values")
            }
            ("GET", ["incidents", id, "alerts"]) => {
                (Self::ListAlerts(own(id)), "/incidents/{id}/alerts")
            }
            ("GET", ["incidents", id, "log_entries"]) => {
                (Self::ListIncidentLog(own(id)), "/incidents/{id}/log_entries")
            }
            ("POST", ["incidents", id, "responder_requests"]) => {
                (Self::AskResponders(own(id)), "/incidents/{id}/responder_requests")
            }
            ("GET", ["services", id]) => (Self::GetService(own(id)), "/services/{id}"),
            ("POST", ["v2", "enqueue"]) => (Self::Enqueue, "/v2/enqueue"),
            ("GET", ["log_entries"]) => (Self::ListLog, "/log_entries"),
            ("GET", ["abilities"]) => (Self::ListAbilities, "/abilities"),
            ("GET", ["services"]) => (Self::ListServices, "/services"),
            ("GET", ["escalation_policies"]) => (Self::ListPolicies, "/escalation_policies"),
            ("GET", ["escalation_policies", id]) => {
                (Self::GetPolicy(own(id)), "/escalation_policies/{id}")
            }
            ("GET", ["priorities"]) => (Self::ListPriorities, "/priorities"),
            ("GET", ["users"]) => (Self::ListUsers, "/users"),
            ("GET", ["users", id]) => (Self::GetUser(own(id)), "/users/{id}"),
            ("GET", ["oncalls"]) => (Self::ListOncalls, "/oncalls"),
            ("GET", ["webhook_subscriptions"]) => {
                (Self::ListSubscriptions, "/webhook_subscriptions")
            }
            ("POST", ["webhook_subscriptions"]) => {
                (Self::AddSubscription, "/webhook_subscriptions")
            }
            ("GET", ["webhook_subscriptions", id]) => {
                (Self::GetSubscription(own(id)), "/webhook_subscriptions/{id}")
            }
            ("PUT", ["webhook_subscriptions", id]) => {
                (Self::ChangeSubscription(own(id)), "/webhook_subscriptions/{id}")
            }
            ("POST", ["webhook_subscriptions", id, "ping"]) => {
                (Self::PingSubscription(own(id)), "/webhook_subscriptions/{id}/ping")
            }
            ("POST", ["webhook_subscriptions", id, "enable"]) => {
                (Self::EnableSubscription(own(id)), "/webhook_subscriptions/{id}/enable")
            }
            _ => return None,
        })
    }

    /// Does it act in a user's name?
    pub(super) const fn needs_from(&self) -> bool {
        matches!(
            self,
            Self::ChangeIncident(_)
                | Self::AddNote(_)
                | Self::EditNote(..)
                | Self::AddStatusUpdate(_)
        )
    }
}
