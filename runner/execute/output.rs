//! Bounded capture of one stream: its start and end in memory, all of it in an evidence file.
//!
//! A small output never touches the disk. Every future here may be dropped between two polls
//! without losing bytes: what was read and not yet written is kept in the capture, not in the
//! future, because reading is abandoned whenever a command leaves children behind.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};

use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;

use super::actuator::{Order, Output};
use crate::limits::{
    EVIDENCE_FILE_BYTES, EVIDENCE_FLUSH, OUTPUT_INLINE_BYTES, OUTPUT_MEMORY_BYTES,
};

/// Bytes kept of each end of a long output.
const HALF: usize = OUTPUT_MEMORY_BYTES / 2;

/// One read. Most commands print less; a larger buffer per stream only costs memory.
const CHUNK_BYTES: usize = 8 * 1024;

/// Characters of a nonce that reach a file name; ours has 32.
const NONCE_CHARS: usize = 64;

// Until the evidence file begins, all bytes so far must still be in `head`.
const _: () = assert!(OUTPUT_INLINE_BYTES <= HALF);

/// Which stream is captured; the word ends the evidence file's name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stream {
    Stdout,
    Stderr,
    Body,
}

impl Stream {
    const fn word(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Body => "body",
        }
    }
}

pub(super) struct Capture<'a> {
    evidence_dir: &'a Path,
    order: &'a Order,
    stream: Stream,
    head: Vec<u8>,
    /// The last bytes of what did not fit into `head`.
    tail: VecDeque<u8>,
    total_bytes: u64,
    /// Whoever carried it has cut it.
    cut: bool,
    evidence: Evidence,
    /// Bytes meant for the evidence file that are not in it yet.
    unwritten: Vec<u8>,
    /// Bytes given to the evidence file so far, `unwritten` included.
    accepted: u64,
}

enum Evidence {
    /// Nothing to write, or not opened yet.
    Unopened,
    Open(File),
    /// It could not be written; the step goes on without.
    Lost,
}

impl<'a> Capture<'a> {
    pub(super) fn new(evidence_dir: &'a Path, order: &'a Order, stream: Stream) -> Self {
        Self {
            evidence_dir,
            order,
            stream,
            head: Vec::new(),
            tail: VecDeque::new(),
            total_bytes: 0,
            cut: false,
            evidence: Evidence::Unopened,
            unwritten: Vec::new(),
            accepted: 0,
        }
    }

    /// Reads to the stream's end.
    pub(super) async fn read(&mut self, mut stream: impl AsyncRead + Unpin) {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES);
        loop {
            chunk.clear();
            match stream.read_buf(&mut chunk).await {
                Ok(0) => return,
                Ok(_) => self.add(&chunk).await,
                Err(error) => {
                    tracing::warn!(
                        incident.id = %self.order.run.incident,
                        step.index = self.order.step,
                        %error,
                        "reading the {} of a command broke off", self.stream.word()
                    );
                    return;
                }
            }
        }
    }

    pub(super) async fn add(&mut self, bytes: &[u8]) {
        self.take(bytes);
        self.write_out().await;
    }

    /// Counts bytes that were produced and deliberately not read.
    pub(super) fn count_unread(&mut self, bytes: u64) {
        self.total_bytes += bytes;
    }

    /// More was produced than comes here.
    pub(super) fn is_cut(&mut self) {
        self.cut = true;
    }

    /// Forgets what came so far: all of it will come again.
    pub(super) fn start_again(&mut self) {
        *self = Self::new(self.evidence_dir, self.order, self.stream);
    }

    /// The first bytes as text.
    pub(super) fn start(&self) -> String {
        String::from_utf8_lossy(&self.head).into_owned()
    }

    /// Bytes so far.
    pub(super) fn total_bytes(&self) -> u64 {
        self.total_bytes
    }

    pub(super) async fn finish(mut self) -> Output {
        if timeout(EVIDENCE_FLUSH, self.write_rest()).await.is_err() {
            self.lose(&io::Error::from(io::ErrorKind::TimedOut));
        }
        let evidence = matches!(self.evidence, Evidence::Open(_)).then(|| self.path());
        let (head, tail) = self.memory();
        Output { head, tail, total_bytes: self.total_bytes, cut: self.cut, evidence }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.total_bytes += bytes.len() as u64;
        self.take_as_evidence(bytes);

        let (first, rest) = bytes.split_at(bytes.len().min(HALF - self.head.len()));
        self.head.extend_from_slice(first);
        let rest = &rest[rest.len().saturating_sub(HALF)..];
        let excess = (self.tail.len() + rest.len()).saturating_sub(HALF);
        self.tail.drain(..excess);
        self.tail.extend(rest);
    }

    fn take_as_evidence(&mut self, bytes: &[u8]) {
        let needed = self.total_bytes > OUTPUT_INLINE_BYTES as u64;
        if !needed || matches!(self.evidence, Evidence::Lost) {
            return;
        }
        if self.accepted == 0 {
            self.unwritten.extend_from_slice(&self.head);
            self.accepted = self.head.len() as u64;
        }
        let room = usize::try_from(EVIDENCE_FILE_BYTES - self.accepted).unwrap_or(usize::MAX);
        let fitting = &bytes[..bytes.len().min(room)];
        self.unwritten.extend_from_slice(fitting);
        self.accepted += fitting.len() as u64;
    }

    async fn write_out(&mut self) {
        if self.unwritten.is_empty() {
            return;
        }
        if let Err(error) = self.try_write_out().await {
            self.lose(&error);
        }
    }

    async fn try_write_out(&mut self) -> io::Result<()> {
        if !matches!(self.evidence, Evidence::Open(_)) {
            self.evidence = Evidence::Open(open(&self.path()).await?);
        }
        if let Evidence::Open(file) = &mut self.evidence {
            while !self.unwritten.is_empty() {
                let count = file.write(&self.unwritten).await?;
                self.unwritten.drain(..count);
            }
        }
        Ok(())
    }

    /// Errors of the last write come out at the flush.
    async fn write_rest(&mut self) {
        self.write_out().await;
        if let Evidence::Open(file) = &mut self.evidence
            && let Err(error) = file.flush().await
        {
            self.lose(&error);
        }
    }

    fn lose(&mut self, error: &io::Error) {
        tracing::warn!(
            incident.id = %self.order.run.incident,
            step.index = self.order.step,
            path = %self.path().display(),
            %error,
            "the evidence file could not be written; only the start and end of the output are kept"
        );
        self.evidence = Evidence::Lost;
        self.unwritten = Vec::new();
    }

    /// Made of parsed ids and numbers only, so that nothing from outside names a file.
    fn path(&self) -> PathBuf {
        let run = &self.order.run;
        let nonce = self.order.nonce.chars();
        let nonce: String = nonce.filter(char::is_ascii_alphanumeric).take(NONCE_CHARS).collect();
        let (number, step, stream) = (run.number, self.order.step, self.stream.word());
        self.evidence_dir
            .join(run.incident.as_str())
            .join(format!("{number}-{step}-{nonce}-{stream}.txt"))
    }

    /// Head and tail as text; the tail is empty when nothing was left out between them.
    fn memory(&mut self) -> (String, String) {
        let mut head = std::mem::take(&mut self.head);
        let tail = std::mem::take(&mut self.tail);
        let kept = (head.len() + tail.len()) as u64;
        if kept == self.total_bytes {
            head.extend(tail);
            return (text(head), String::new());
        }
        head.truncate(end_of_whole_characters(&head));
        let cut = tail.iter().take(3).take_while(|b| is_continuation(**b));
        let cut = cut.count();
        (text(head), text(tail.into_iter().skip(cut).collect()))
    }
}

/// Output may hold what only operators may read: nobody else can list or open it.
///
/// An existing file is overwritten: the nonce names one attempt, so it can only be the same
/// attempt's, opened by a future that was dropped before it could keep the handle.
async fn open(path: &Path) -> io::Result<File> {
    if let Some(parent) = path.parent() {
        let mut builder = tokio::fs::DirBuilder::new();
        builder.recursive(true).mode(0o700).create(parent).await?;
    }
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).await
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// Where to cut so that no UTF-8 character is split; bytes that are not UTF-8 are left alone.
fn end_of_whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=bytes.len().min(3) {
        let at = bytes.len() - back;
        let length = match bytes[at] {
            0b1100_0000..=0b1101_1111 => 2,
            0b1110_0000..=0b1110_1111 => 3,
            0b1111_0000..=0b1111_0111 => 4,
            byte if is_continuation(byte) => continue,
            _ => 1,
        };
        return if length > back { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_never_splits_a_character() {
        let text = "a√あ🦀";
        for end in 1..=text.len() {
            let whole = end_of_whole_characters(&text.as_bytes()[..end]);
            assert!(text.is_char_boundary(whole), "cut at {end} gave {whole}");
            assert!(end - whole < 4);
        }
        assert_eq!(end_of_whole_characters(text.as_bytes()), text.len());
    }

    #[test]
    fn bytes_that_are_no_text_are_left_alone() {
        assert_eq!(end_of_whole_characters(b""), 0);
        assert_eq!(end_of_whole_characters(&[0xff, 0xff]), 2);
        assert_eq!(end_of_whole_characters(&[0x80; 5]), 5);
    }
}
