use std::path::Path;
use std::time::{Duration, Instant};

use ams::scenario::file;

/// Mutations in all, spread over the files.
const MUTATIONS: u64 = 3_000;
/// For one file of a few hundred bytes, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(5);

/// What breaks readers: YAML's own characters, templates, and characters that are hard to count.
const SPECIAL: [&str; 30] = [
    ":",
    "- ",
    "\n",
    "\t",
    "'",
    "\"",
    "{{",
    "}}",
    "{%",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!!int ",
    "|\n",
    ">-\n",
    "# ",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "<<: *a\n",
    "\u{0}",
    "\u{feff}",
    "\u{1f600}",
    "\u{202e}",
    "\r",
    "999999999999999999999",
    "(?<a>",
];

/// xorshift64*: the same damage in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap() % limit.max(1)
    }
}

/// One to four blows, at bytes and lines.
fn damage(text: &str, dice: &mut Dice) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..=dice.below(4) {
        let (from, to) = (dice.below(bytes.len()), dice.below(bytes.len()));
        let (from, to) = (from.min(to), from.max(to));
        let near = to.min(from + dice.below(40));
        match dice.below(7) {
            0 => drop(bytes.drain(from..near)),
            1 => bytes.truncate(to),
            2 => {
                let copy = bytes[from..near].to_vec();
                bytes.splice(to..to, copy);
            }
            3 if !bytes.is_empty() => bytes.swap(from, to),
            4 => bytes = swap_lines(&bytes, dice),
            _ => {
                let special = SPECIAL[dice.below(SPECIAL.len())];
                bytes.splice(from..from, special.bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn swap_lines(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    if !lines.is_empty() {
        let (one, other) = (dice.below(lines.len()), dice.below(lines.len()));
        lines.swap(one, other);
    }
    lines.concat()
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the time that really passes is what is tested")]
fn damaged_files_are_read_or_refused_and_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/sandbox");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let originals: Vec<String> =
        files.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let (mut read, mut refused) = (0, 0);
    for seed in 1..=MUTATIONS {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let original = &originals[dice.below(originals.len())];
        let text = damage(original, &mut dice);
        let begin = Instant::now();
        match file::read(Path::new("x.yaml"), &text, None) {
            Ok(_) => read += 1,
            Err(findings) => {
                refused += 1;
                assert!(!findings.is_empty(), "seed {seed}");
                let lines = text.split(['\n', '\r']).count() as u64;
                for finding in findings {
                    let place = finding.place;
                    assert!(place.line >= 1 && place.column >= 1, "seed {seed}: {finding}");
                    assert!(place.line <= lines + 1, "seed {seed}: {finding}");
                }
            }
        }
        assert!(begin.elapsed() < PATIENCE, "seed {seed} took {:?}", begin.elapsed());
    }
    assert!(read > 50 && refused > 1_000, "the damage is too small or too large: {read} {refused}");
}
