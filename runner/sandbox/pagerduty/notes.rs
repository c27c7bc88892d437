//! Notes on an incident: added, edited, deleted. They work on resolved incidents too.

use super::change::Turn;
use super::json;
use super::refusal::Refusal;
use super::state::{Agent, Entry, Event, Note};

/// Notes PagerDuty keeps per incident.
const NOTES_PER_INCIDENT: usize = 2_000;

/// Bytes PagerDuty keeps of a note.
const NOTE_BYTES: usize = 65_535;

impl Turn<'_> {
    pub(super) fn annotate(mut self, content: &str) -> Result<(Note, Vec<Event>), Refusal> {
        check(content)?;
        if self.incident.notes.len() >= NOTES_PER_INCIDENT {
            return Err(Refusal::invalid("The incident has 2000 notes"));
        }
        let Agent::User(user) = self.by.clone() else {
            return Err(Refusal::unknown_from());
        };
        let note = Note {
            id: self.ids.long(),
            user,
            content: content.to_owned(),
            at: self.now,
            edited_at: self.now,
        };
        self.incident.notes.push(note.clone());
        self.log(Entry::Noted { content: content.to_owned() });
        let data = json::webhook_note(self.incident, &note);
        self.emit_data("incident.annotated", &data);
        Ok((note, self.events))
    }

    /// Sends no event.
    pub(super) fn edit_note(mut self, note_id: &str, content: &str) -> Result<Note, Refusal> {
        check(content)?;
        let mut notes = self.incident.notes.iter_mut();
        let note = notes.find(|note| note.id == note_id);
        let note = note.ok_or_else(Refusal::not_found)?;
        content.clone_into(&mut note.content);
        note.edited_at = self.now;
        let note = note.clone();
        self.log(Entry::NoteEdited { content: content.to_owned() });
        Ok(note)
    }

    /// Sends no event.
    pub(super) fn delete_note(mut self, note_id: &str) -> Result<(), Refusal> {
        let notes = &mut self.incident.notes;
        let place = notes.iter().position(|note| note.id == note_id);
        notes.remove(place.ok_or_else(Refusal::not_found)?);
        self.log(Entry::NoteDeleted);
        Ok(())
    }
}

fn check(content: &str) -> Result<(), Refusal> {
    if content.trim().is_empty() {
        return Err(Refusal::invalid("Content cannot be empty"));
    }
    if content.len() > NOTE_BYTES {
        return Err(Refusal::invalid("Content is too long"));
    }
    Ok(())
}
