//! What comes over a connection: where the command's output begins and ends in it. Pure.

use crate::execute::host_probe::{PROBE, Word, read_probe};
use crate::execute::host_program::{BEGIN, END};

/// Bytes before the command's own; login files may greet, and nobody needs all of that.
const GREETING_BYTES: usize = 64 * 1024;

/// Bytes that the last line has beside its nonce, at most.
const END_BYTES: usize = 40;

/// One command's standard output on its way.
pub(super) struct Wire {
    nonce: String,
    /// Lines before the command began, the unfinished one last.
    before: Vec<u8>,
    /// A probe's answer, where one was sent.
    pub(super) probed: Option<(u32, Word)>,
    pub(super) begun: bool,
    /// The last bytes, which may be the beginning of the end.
    held: Vec<u8>,
    pub(super) ended: Option<Word>,
}

impl Wire {
    pub(super) fn new(nonce: &str) -> Self {
        Self {
            nonce: nonce.to_owned(),
            before: Vec::new(),
            probed: None,
            begun: false,
            held: Vec::new(),
            ended: None,
        }
    }

    /// Takes what came, gives what of it the command has printed.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.begun {
            self.held.extend_from_slice(bytes);
        } else {
            self.before.extend_from_slice(bytes);
            self.look_for_the_beginning();
        }
        self.look_for_the_end();
        let most = if self.ended.is_some() { 0 } else { END_BYTES + self.nonce.len() };
        let ready = self.held.len().saturating_sub(most);
        self.held.drain(..ready).collect()
    }

    /// What was held back, when nothing more comes.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn look_for_the_beginning(&mut self) {
        while let Some(end) = self.before.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.before.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            if line.starts_with(PROBE) {
                self.probed = read_probe(&line, &self.nonce);
            }
            if line.trim_end() == format!("{BEGIN} {}", self.nonce) || self.probed.is_some() {
                self.begun = true;
                self.held = std::mem::take(&mut self.before);
                return;
            }
        }
        let excess = self.before.len().saturating_sub(GREETING_BYTES);
        self.before.drain(..excess);
    }

    /// The last line is the end only where nothing follows it.
    fn look_for_the_end(&mut self) {
        if self.ended.is_some() || self.held.last() != Some(&b'\n') {
            return;
        }
        let mark = format!("\n{END} {} ", self.nonce);
        let found = self.held.windows(mark.len()).rposition(|it| it == mark.as_bytes());
        let Some(start) = found else { return };
        let word = String::from_utf8_lossy(&self.held[start + mark.len()..]).into_owned();
        let Some(word) = Word::read(&word) else { return };
        self.held.truncate(start);
        self.ended = Some(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(text: &[u8], piece: usize) -> (Vec<u8>, Wire) {
        let mut wire = Wire::new("00ff");
        let mut printed = Vec::new();
        for piece in text.chunks(piece) {
            printed.extend(wire.take(piece));
        }
        printed.extend(wire.rest());
        (printed, wire)
    }

    #[test]
    fn the_output_is_what_stands_between_whatever_the_pieces() {
        let text =
            b"Welcome!\nAMS-BEGIN 00ff\na\xff\n\nAMS-END 11aa EXIT 0\nb\nAMS-END 00ff EXIT 7\n";
        for piece in 1..text.len() {
            let (printed, wire) = through(text, piece);
            assert_eq!(printed, b"a\xff\n\nAMS-END 11aa EXIT 0\nb", "{piece}");
            assert!(wire.begun && wire.ended == Some(Word::Exited(7)), "{piece}");
        }
    }

    #[test]
    fn without_an_end_everything_is_output() {
        let (printed, wire) = through(b"AMS-BEGIN 00ff\nhalf\nAMS-END 00ff EX", 5);
        assert_eq!((printed.as_slice(), wire.ended), (&b"half\nAMS-END 00ff EX"[..], None));
        let (printed, wire) = through(b"no such account\n", 3);
        assert!(printed.is_empty() && !wire.begun);
    }

    #[test]
    fn bytes_that_are_no_text_before_the_end_do_not_move_it() {
        let mut text = b"AMS-BEGIN 00ff\n".to_vec();
        text.extend([0xff; 300]);
        text.extend(b"\nAMS-END 00ff TIMEOUT\n");
        let (printed, wire) = through(&text, 64);
        assert_eq!((printed, wire.ended), (vec![0xff; 300], Some(Word::TimedOut)));
    }

    #[test]
    fn a_probe_is_told_before_the_output() {
        let (printed, wire) = through(b"AMS-PROBE 00ff 3 RUNNING\nx\nAMS-END 00ff LOST\n", 9);
        assert_eq!(wire.probed, Some((3, Word::Running)));
        assert_eq!((printed.as_slice(), wire.ended), (&b"x"[..], Some(Word::Lost)));
        let (_, wire) = through(b"AMS-PROBE 00ff 1 FENCED\n", 64);
        assert_eq!((wire.probed, wire.ended), (Some((1, Word::Fenced)), None));
    }

    #[test]
    fn greetings_without_end_are_bounded() {
        let mut wire = Wire::new("00ff");
        for _ in 0..100 {
            wire.take(&[b'x'; 8192]);
        }
        assert!(wire.before.len() <= GREETING_BYTES);
    }
}
