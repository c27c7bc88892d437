//! The tutorials do what they say: their files are written and their commands run, word by word.
//! The examples of the other pages are files that can be used.

use std::path::{Path, PathBuf};
use std::process::Command;

use ams::customer::catalog::Customers;
use regex::Regex;
use serde_json::Value;

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scenarios");

/// One fenced block of a page.
struct Block {
    /// `guide.md:12`, for people.
    place: String,
    language: String,
    /// `file=scenarios/web.yaml`: what to do, and with which file.
    order: Option<(String, PathBuf)>,
    text: String,
}

fn blocks(page: &Path) -> Vec<Block> {
    let name = page.file_name().unwrap().to_string_lossy();
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (index, line) in std::fs::read_to_string(page).unwrap().lines().enumerate() {
        match (line.strip_prefix("```"), open.take()) {
            (Some(info), None) => {
                let (language, order) = info.split_once(' ').unwrap_or((info, ""));
                open = Some(Block {
                    place: format!("{name}:{}", index + 1),
                    language: language.to_owned(),
                    order: order.split_once('=').map(|(word, file)| (word.to_owned(), file.into())),
                    text: String::new(),
                });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "{name}: the last block is not closed");
    blocks
}

/// The lines with `-` or nothing in front become those with `+` or nothing in front.
fn changed(content: &str, diff: &str, place: &str) -> String {
    let mut before = String::new();
    let mut after = String::new();
    for line in diff.lines() {
        let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
        assert!(["-", "+", " "].contains(&sign), "{place}: no sign in front of '{line}'");
        for side in [("-", &mut before), ("+", &mut after)] {
            if sign == side.0 || sign == " " {
                side.1.push_str(rest);
                side.1.push('\n');
            }
        }
    }
    let found = content.matches(&before).count();
    assert_eq!(found, 1, "{place}: this is not at one place of the file:\n{before}");
    content.replacen(&before, &after, 1)
}

/// What a reader's terminal shows; times differ from run to run.
fn typed(folder: &Path, command: &str) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_ams")).parent().unwrap();
    let output = Command::new("/bin/sh")
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder)
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .output()
        .unwrap();
    masked(&String::from_utf8(output.stdout).unwrap())
}

fn masked(text: &str) -> String {
    Regex::new(r"\(\d+\.\d s\)").unwrap().replace_all(text.trim_end(), "(0.0 s)").into_owned()
}

/// `$ command`, what it prints, the next command.
fn talk(folder: &Path, block: &Block) -> usize {
    let mut count = 0;
    for part in format!("\n{}", block.text).split("\n$ ").skip(1) {
        let (command, expected) = part.split_once('\n').unwrap_or((part, ""));
        let actual = typed(folder, command);
        assert_eq!(actual, masked(expected), "{}: $ {command}", block.place);
        count += 1;
    }
    assert!(count > 0 && block.text.starts_with("$ "), "{}: no command", block.place);
    count
}

/// An empty directory, and every block of the page in its order.
fn follow(page: &str) {
    let folder = tempfile::tempdir().unwrap();
    let mut commands = 0;
    for block in blocks(&Path::new(PAGES).join(page)) {
        let place = &block.place;
        let Some((word, file)) = &block.order else {
            assert_eq!(block.language, "console", "{place}: neither a file nor commands");
            commands += talk(folder.path(), &block);
            continue;
        };
        let file = folder.path().join(file);
        let content = || std::fs::read_to_string(&file).unwrap();
        match (block.language.as_str(), word.as_str()) {
            ("yaml", "file") => std::fs::write(&file, &block.text).unwrap(),
            ("yaml", "append") => {
                std::fs::write(&file, format!("{}\n{}", content(), block.text)).unwrap();
            }
            ("diff", "file") => {
                std::fs::write(&file, changed(&content(), &block.text, place)).unwrap();
            }
            ("yaml", "whole") => assert_eq!(content(), block.text, "{place}: the file is another"),
            other => panic!("{place}: nobody knows what {other:?} is"),
        }
    }
    assert!(commands >= 10, "{page}: the search for commands has gone blind");
    let end = typed(folder.path(), "ams validate --strict && ams test");
    assert!(
        end.contains("checked (1 of a customer), 0 findings"),
        "{page} ends with findings:\n{end}"
    );
}

#[test]
fn the_tutorial_can_be_followed() {
    follow("tutorial.md");
}

#[test]
fn the_japanese_tutorial_can_be_followed() {
    follow("tutorial.ja.md");
}

/// Both say the same, in the same order.
#[test]
fn the_two_tutorials_have_the_same_blocks() {
    let orders = |page: &str| -> Vec<_> {
        let blocks = blocks(&Path::new(PAGES).join(page));
        blocks.into_iter().map(|block| (block.language, block.order)).collect()
    };
    assert_eq!(orders("tutorial.md"), orders("tutorial.ja.md"));
}

/// Blocks that are whole files; `findings.md` shows what is wrong.
fn examples(first_word: &str) -> Vec<(String, Vec<Block>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(PAGES).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.extension().is_none_or(|ending| ending != "md") || name == "findings.md" {
            continue;
        }
        let mut whole = blocks(&path);
        whole.retain(|block| {
            block.language == "yaml" && block.order.is_none() && block.text.starts_with(first_word)
        });
        found.push((name, whole));
    }
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found
}

#[test]
fn scenarios_shown_on_pages_can_be_used() {
    let mut count = 0;
    for (page, blocks) in examples("scenario:") {
        let folder = tempfile::tempdir().unwrap();
        for block in &blocks {
            let name = format!("{}.yaml", block.place.replace(':', "-"));
            std::fs::write(folder.path().join(name), &block.text).unwrap();
        }
        if blocks.is_empty() {
            continue;
        }
        count += blocks.len();
        let text = typed(folder.path(), "ams validate --format json .");
        let answer: Value = serde_json::from_str(&text).unwrap();
        let findings = answer["findings"].as_array().unwrap();
        let findings: Vec<_> = findings.iter().filter(|it| it["id"] != "test-missing").collect();
        assert!(findings.is_empty(), "{page}: {findings:#?}");
        assert_eq!(answer["scenarios"], blocks.len(), "{page}");
    }
    assert!(count >= 10, "the search for examples has gone blind");
}

#[test]
fn customers_shown_on_pages_can_be_used() {
    let mut count = 0;
    for (_, blocks) in examples("customer:") {
        // A test file names its customer in the first line too.
        for block in blocks.iter().filter(|block| !block.text.contains("\ntests:")) {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("customer.yaml"), &block.text).unwrap();
            let customers = Customers::load(folder.path()).unwrap();
            let findings: Vec<_> = customers.findings.iter().map(ToString::to_string).collect();
            assert!(findings.is_empty(), "{}: {findings:#?}", block.place);
            count += 1;
        }
    }
    assert!(count > 0, "the search for examples has gone blind");
}
