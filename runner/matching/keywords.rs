//! The keywords of all scenarios in one automaton: one pass over a text finds those in it.

use std::collections::HashMap;
use std::fmt;

use aho_corasick::AhoCorasick;

use crate::folding::fold;

/// A folded keyword of a [`Vocabulary`], however many scenarios use it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(pub(super) usize);

/// Distinct keywords while they are gathered.
#[derive(Debug, Default)]
pub struct Gathered {
    words: HashMap<String, Word>,
}

impl Gathered {
    pub fn word(&mut self, written: &str) -> Word {
        let next = Word(self.words.len());
        *self.words.entry(fold(written)).or_insert(next)
    }

    pub fn finish(self) -> Vocabulary {
        let mut texts = vec![String::new(); self.words.len()];
        for (text, word) in self.words {
            texts[word.0] = text;
        }
        let lengths = texts.iter().map(|text| text.chars().count()).collect();
        // Refuses only beyond two thousand million bytes of keywords; then they are tried in turn.
        let automaton = AhoCorasick::new(&texts).ok();
        Vocabulary { texts, lengths, automaton }
    }
}

/// Folded keywords, and the automaton over them.
#[derive(Clone, Default)]
pub struct Vocabulary {
    texts: Vec<String>,
    lengths: Vec<usize>,
    automaton: Option<AhoCorasick>,
}

impl fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The automaton's own text has a line per state.
        write!(f, "Vocabulary of {} words", self.texts.len())
    }
}

impl Vocabulary {
    pub const fn len(&self) -> usize {
        self.texts.len()
    }

    pub const fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub fn text(&self, word: Word) -> &str {
        &self.texts[word.0]
    }

    /// In characters.
    pub fn length(&self, word: Word) -> usize {
        self.lengths[word.0]
    }

    /// Which words are in a folded text, also those that overlap or lie within each other.
    pub fn find(&self, folded: &str) -> Found {
        let mut found = Found { bits: vec![0; self.len().div_ceil(BITS)], words: Vec::new() };
        if let Some(automaton) = &self.automaton {
            for hit in automaton.find_overlapping_iter(folded) {
                found.add(Word(hit.pattern().as_usize()));
            }
        } else {
            for (number, text) in self.texts.iter().enumerate() {
                if folded.contains(text.as_str()) {
                    found.add(Word(number));
                }
            }
        }
        found
    }

    /// Which words lie within which.
    pub fn within(&self) -> Within {
        let words = self.texts.iter().map(|text| {
            let mut words = self.find(text).words;
            words.sort_unstable();
            words
        });
        Within { words: words.collect() }
    }
}

const BITS: usize = u64::BITS as usize;

/// The words of a vocabulary that are in one text.
#[derive(Debug)]
pub struct Found {
    bits: Vec<u64>,
    words: Vec<Word>,
}

impl Found {
    fn add(&mut self, word: Word) {
        let bit = 1 << (word.0 % BITS);
        let bits = &mut self.bits[word.0 / BITS];
        if *bits & bit == 0 {
            *bits |= bit;
            self.words.push(word);
        }
    }

    pub fn has(&self, word: Word) -> bool {
        self.bits[word.0 / BITS] & (1 << (word.0 % BITS)) != 0
    }

    /// Each once, in the order in which they end in the text.
    pub fn words(&self) -> &[Word] {
        &self.words
    }
}

/// Which words of a vocabulary lie within which others.
#[derive(Debug)]
pub struct Within {
    words: Vec<Vec<Word>>,
}

impl Within {
    /// The words within a word, itself too.
    pub fn of(&self, word: Word) -> &[Word] {
        &self.words[word.0]
    }

    /// Whoever writes the one has written the other.
    pub fn has(&self, word: Word, part: Word) -> bool {
        self.of(word).binary_search(&part).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_overlap_or_lie_within_each_other_are_all_found() {
        let mut gathered = Gathered::default();
        let written = ["disk", "ディスク", "ﾃﾞｨｽｸ", "スク", "クフ", "ディスク フル", "memory"];
        let words = written.map(|written| gathered.word(written));
        assert_eq!(words[1], words[2], "one word in two widths");
        let vocabulary = gathered.finish();
        assert_eq!(vocabulary.len(), 6);
        let found = vocabulary.find(&fold("web01 ＤＩＳＫ ディスクフル"));
        let has = words.map(|word| found.has(word));
        assert_eq!(has, [true, true, true, true, true, false, false]);
        assert_eq!(found.words().len(), 4, "each once");

        let within = vocabulary.within();
        assert!(within.has(words[5], words[1]) && within.has(words[1], words[3]));
        assert!(!within.has(words[1], words[5]));
        assert_eq!(vocabulary.length(words[1]), 4);
    }

    #[test]
    fn nothing_is_found_where_there_is_nothing() {
        assert_eq!(Vocabulary::default().find("disk").words(), []);
        assert_eq!(Gathered::default().finish().find("disk").words(), []);
    }
}
