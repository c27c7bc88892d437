//! What a journal says of paging people: where it failed, and how they were told instead. Pure.

use super::journal::{Entry, Journal};
use crate::incident::Owner;

impl Journal {
    /// Processes in which every way to page failed.
    pub fn not_paged(&self) -> impl Iterator<Item = &Owner> {
        self.entries().iter().filter_map(|entry| match entry {
            Entry::NotPaged { by, .. } => Some(by),
            _ => None,
        })
    }

    /// How people were told in place of a page.
    pub fn last_resort(&self) -> Option<&str> {
        self.entries().iter().find_map(|entry| match entry {
            Entry::LastResort { way, .. } => Some(way.as_str()),
            _ => None,
        })
    }
}
