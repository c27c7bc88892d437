//! What stakeholders are told of an incident, and the account's own fields.

use serde_json::{Value, json};

use super::change::Turn;
use super::json;
use super::refusal::Refusal;
use super::state::{Entry, Event};

/// The fields of the account: name, and whether it takes whole numbers.
const FIELDS: [(&str, bool); 5] = [
    ("ams_outcome", false),
    ("ams_scenario", false),
    ("ams_seconds", true),
    ("ams_first_action_seconds", true),
    ("ams_ticket", false),
];

/// Characters of a text field's value.
const TEXT_CHARS: usize = 255;

impl Turn<'_> {
    pub(super) fn publish(mut self, message: &str) -> Result<(Value, Vec<Event>), Refusal> {
        if message.trim().is_empty() {
            return Err(Refusal::invalid("Message cannot be empty"));
        }
        let id = self.ids.long();
        self.log(Entry::Published { message: message.to_owned() });
        let data = json!({
            "incident": json::incident_reference(self.incident),
            "id": id,
            "message": message,
            "trimmed": false,
            "type": "incident_status_update",
        });
        self.emit_data("incident.status_update_published", &data);
        let sender = json::rest_agent(self.directory, &self.by);
        let at = json::seconds(self.now);
        let update = json!({ "id": id, "message": message, "created_at": at, "sender": sender });
        Ok((json!({ "status_update": update }), self.events))
    }

    pub(super) fn set_fields(
        mut self,
        wish: &[(String, Value)],
    ) -> Result<(Value, Vec<Event>), Refusal> {
        for (name, value) in wish {
            check(name, value)?;
        }
        for (name, value) in wish {
            self.incident.fields.insert(name.clone(), value.clone());
        }
        self.log(Entry::FieldsSet { fields: wish.to_vec() });
        let fields: Vec<Value> = self.incident.fields.iter().map(field).collect();
        let data = json!({
            "incident": json::incident_reference(self.incident),
            "custom_fields": fields,
            "changed_custom_fields": [],
            "type": "incident_field_values",
        });
        self.emit_data("incident.custom_field_values.updated", &data);
        Ok((json!({ "custom_fields": fields }), self.events))
    }
}

fn check(name: &str, value: &Value) -> Result<(), Refusal> {
    let known = FIELDS.iter().find(|(known, _)| *known == name);
    let (_, is_number) = known.ok_or_else(|| Refusal::invalid("There is no such field"))?;
    let fits = match value {
        Value::String(text) => !is_number && text.chars().count() <= TEXT_CHARS,
        Value::Number(number) => *is_number && number.is_i64(),
        Value::Null => true,
        _ => false,
    };
    if fits { Ok(()) } else { Err(Refusal::invalid("The value is not of the field's type")) }
}

fn field((name, value): (&String, &Value)) -> Value {
    let is_number = FIELDS.iter().any(|(known, is_number)| known == name && *is_number);
    json!({
        "id": format!("PF{}", name.to_uppercase().replace('_', "")),
        "type": "field_value",
        "name": name,
        "display_name": name,
        "description": null,
        "data_type": if is_number { "integer" } else { "string" },
        "field_type": "single_value",
        "value": value,
    })
}
