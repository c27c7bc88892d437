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
    GetPolicy(String),
    ListPriorities,
    ListUsers,
    GetUser(String),
    ListOncalls,
    ListSubscriptions,
    AddSubscription,
    GetSubscription(String),
    EnableSubscription(String),
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
            ("GET", ["log_entries"]) => (Self::ListLog, "/log_entries"),
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
