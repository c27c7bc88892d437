//! What this process wrote last, so that its next write needs no read. Being wrong costs one.

use std::collections::HashMap;
use std::hash::Hash;

use super::settle::Item;

/// Two generations: what was not written again while a whole one filled up is forgotten.
pub(super) struct Remembered<K, T> {
    young: HashMap<K, T>,
    old: HashMap<K, T>,
    most: usize,
}

impl<K: Clone + Eq + Hash, T: Item> Remembered<K, T> {
    /// Of `most` items in each generation.
    pub(super) fn new(most: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), most }
    }

    pub(super) fn get(&self, key: &K) -> Option<T> {
        self.young.get(key).or_else(|| self.old.get(key)).cloned()
    }

    /// Takes note of an item as it is now.
    pub(super) fn note(&mut self, key: &K, item: &T) {
        if self.get(key).is_some_and(|known| known.version() > item.version()) {
            // Two writes of ours, told in the other order.
            return;
        }
        self.old.remove(key);
        if !item.may_follow() {
            self.young.remove(key);
            return;
        }
        if self.young.len() >= self.most {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key.clone(), item.clone());
    }
}
