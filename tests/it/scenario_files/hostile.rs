use std::ops::Range;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use ams::finding::Finding;
use ams::scenario::catalog::{Catalog, CatalogError};
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{GOOD, folder};

/// Far more than any of these needs, in a debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[expect(clippy::disallowed_methods, reason = "the time that really passes is what is tested")]
fn now() -> Instant {
    Instant::now()
}

/// Loads within [`PATIENCE`]; the findings as `FILE:LINE:COLUMN id`.
fn load(dir: &Path) -> (Catalog, Vec<String>) {
    let begin = now();
    let catalog = Catalog::load(dir, None).unwrap();
    assert!(begin.elapsed() < PATIENCE, "{:?}", begin.elapsed());
    let shown = |it: &Finding| {
        format!("{}:{} {}", it.file.strip_prefix(dir).unwrap().display(), it.place, it.id)
    };
    let findings = catalog.findings.iter().map(shown).collect();
    (catalog, findings)
}

/// One file beside a good one: the finding, and the good one loads.
fn one(name: &str, content: &[u8]) -> Vec<String> {
    let dir = folder(&[("good.yaml", GOOD.as_bytes()), (name, content)]);
    let (catalog, findings) = load(dir.path());
    assert_eq!(catalog.scenarios.len(), 1, "{name}: {findings:?}");
    findings
}

#[test]
fn encodings_other_than_utf8_are_named() {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
        "\u{feff}scenario: x\n".encode_utf16().flat_map(bytes).collect()
    };
    let little = utf16(u16::to_le_bytes);
    assert_eq!(one("x.yaml", &little), ["x.yaml:1:1 unreadable-file"]);
    assert_eq!(one("x.yaml", &utf16(u16::to_be_bytes)), ["x.yaml:1:1 unreadable-file"]);
    // Without the mark it is UTF-8 with characters that YAML does not know.
    assert_eq!(one("x.yaml", &little[2..]), ["x.yaml:1:2 syntax"]);
    let sjis = b"scenario: x\r\nabout: \x8a\xc4\x8e\x8b\r\n";
    assert_eq!(one("x.yaml", sjis), ["x.yaml:2:8 unreadable-file"]);
    let marked = format!("\u{feff}{}", GOOD.replace("web-down", "other"));
    let dir = folder(&[("x.yaml", marked.as_bytes())]);
    assert_eq!(load(dir.path()).1, Vec::<String>::new());
}

#[test]
fn a_file_of_any_size_is_refused_without_reading_it_all() {
    let dir = folder(&[("good.yaml", GOOD.as_bytes())]);
    let huge = std::fs::File::create(dir.path().join("huge.yaml")).unwrap();
    huge.set_len(100 * 1024 * 1024 * 1024).unwrap();
    std::fs::write(dir.path().join("ten.yaml"), vec![b'a'; 10 * 1024 * 1024]).unwrap();
    std::fs::write(dir.path().join("zero.yaml"), b"").unwrap();
    let (catalog, findings) = load(dir.path());
    assert_eq!(catalog.scenarios.len(), 1);
    assert_eq!(findings[..2], ["huge.yaml:1:1 unreadable-file", "ten.yaml:1:1 unreadable-file"]);
    assert!(findings[2..].iter().all(|it| it == "zero.yaml:1:1 missing-field"), "{findings:?}");
    assert!(catalog.findings[0].message.contains("107374182400 bytes"), "{findings:?}");
}

/// Each below the limit of one file, and made to cost as much as possible.
#[test]
fn files_made_to_be_slow_are_not() {
    let long = "k".repeat(900_000);
    let head = "scenario: x\nabout: x\nmatch: {all: [x]";
    let files = [
        ("long key", format!("{long}: x\n")),
        ("long text", format!("scenario: {long}\n")),
        ("many keys", lines(0..19_000, |n| format!("k{n}: x\n"))),
        ("many near keys", lines(0..9_000, |n| format!("step{n}: x\n"))),
        ("many steps", format!("{head}}}\nsteps:\n{}", "- chek: {run: x}\n".repeat(5_000))),
        ("long pattern", format!("{head}, pattern: '{long}'}}\n")),
        ("wide pattern", format!("{head}, pattern: '{}'}}\n", r"\w{900}".repeat(500))),
        ("deep pattern", format!("{head}, pattern: '{}'}}\n", "(".repeat(4_000))),
        ("many keywords", format!("{head}, any: [{}]}}\n", "a, ".repeat(19_000))),
        ("long template", with_url(&"{{ incident.id }}".repeat(40_000))),
        ("deep template", with_url(&format!("{{{{ a{} }}}}", ".b".repeat(300_000)))),
        ("open template", with_url(&"{{".repeat(300_000))),
        ("nested braces", "{a: ".repeat(200_000)),
        ("nested lists", "- ".repeat(400_000)),
        ("many aliases", format!("a: &a [x]\nb: [{}]\n", "*a, ".repeat(9_000))),
        ("many anchors", lines(0..15_000, |n| format!("k{n}: &a{n} x\n"))),
        ("open quote", format!("a: '{}", "x\n\n".repeat(300_000))),
        ("lines", "\n".repeat(1_000_000)),
        ("comments", "#\n".repeat(500_000)),
        ("spaces", " ".repeat(1_000_000)),
        ("tabs", "a:\n\t\t\tb\n".to_owned()),
        ("tags", format!("a: {}x\n", "!!str ".repeat(100_000))),
        ("merge", format!("a: &a {{b: c}}\n{}", "<<: *a\n".repeat(50))),
    ];
    for (name, content) in files {
        let begin = now();
        let findings = one("x.yaml", content.as_bytes());
        assert!(!findings.is_empty(), "{name}");
        assert!(findings.len() <= 101, "{name}: {}", findings.len());
        assert!(begin.elapsed() < PATIENCE / 4, "{name} took {:?}", begin.elapsed());
    }
}

fn lines(numbers: Range<u32>, line: impl Fn(u32) -> String) -> String {
    numbers.map(line).collect::<Vec<_>>().concat()
}

fn with_url(url: &str) -> String {
    format!(
        "scenario: x\nabout: x\nmatch: {{all: [x]}}\nsteps:\n- check: {{http: 'http://{url}'}}\n"
    )
}

#[test]
fn pipes_devices_and_sockets_are_not_opened() {
    let dir = folder(&[("good.yaml", GOOD.as_bytes())]);
    let pipe = dir.path().join("pipe.yaml");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    symlink("pipe.yaml", dir.path().join("to-pipe.yaml")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("socket.yaml")).unwrap();
    symlink("/dev/zero", dir.path().join("zero.yaml")).unwrap();
    let (catalog, findings) = load(dir.path());
    assert_eq!((catalog.scenarios.len(), catalog.files), (1, 5));
    assert_eq!(
        findings,
        [
            "pipe.yaml:1:1 unreadable-file",
            "socket.yaml:1:1 unreadable-file",
            "to-pipe.yaml:1:1 unreadable-file",
            "zero.yaml:1:1 link-out-of-directory",
        ]
    );
    let (_, named) = load(&pipe);
    assert_eq!(named, [":1:1 unreadable-file"]);
}

#[test]
fn links_are_followed_inside_the_directory_and_reported_outside() {
    let outside = folder(&[("web.yaml", b"scenario: stolen\n"), ("more/x.yaml", b"x")]);
    let dir = folder(&[
        // As Kubernetes mounts it: `a` is a directory behind two links.
        ("..2026_11_22/web.yaml", GOOD.as_bytes()),
        ("..2026_11_22/a/b.yaml", GOOD.replace("web-down", "b").as_bytes()),
        ("real/c.yaml", GOOD.replace("web-down", "c").as_bytes()),
    ]);
    let link = |to: &Path, name: &str| symlink(to, dir.path().join(name)).unwrap();
    link(Path::new("..2026_11_22"), "..data");
    link(Path::new("..data/web.yaml"), "web.yaml");
    link(Path::new("..data/a"), "a");
    link(Path::new("real"), "another-name-of-real");
    link(&outside.path().join("web.yaml"), "out.yaml");
    link(outside.path(), "outside");
    link(&outside.path().join("more/README"), "README");
    link(Path::new("nowhere"), "gone.yaml");
    link(Path::new("round.yaml"), "round.yaml");
    let (catalog, findings) = load(dir.path());
    let ids: Vec<&str> = catalog.scenarios.iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["b", "c", "web-down"]);
    assert_eq!(
        findings,
        [
            "gone.yaml:1:1 unreadable-file",
            "out.yaml:1:1 link-out-of-directory",
            "outside:1:1 link-out-of-directory",
            "round.yaml:1:1 unreadable-file",
        ]
    );
    // A directory that is itself reached by a link is a directory like any other.
    let named = outside.path().join("named");
    symlink(dir.path(), &named).unwrap();
    assert_eq!(Catalog::load(&named, None).unwrap().scenarios.len(), 3);
}

#[test]
fn directories_that_lead_round_in_circles_end() {
    let dir = folder(&[("a/web.yaml", GOOD.as_bytes()), ("b/none.txt", b"")]);
    let link = |to: &str, name: &str| symlink(to, dir.path().join(name)).unwrap();
    link("..", "a/up");
    link("../b", "a/to-b");
    link("../a", "b/to-a");
    link("self", "self");
    let deep = (0..100).fold(dir.path().to_owned(), |path, _| path.join("d"));
    std::fs::create_dir_all(&deep).unwrap();
    std::fs::write(deep.join("deep.yaml"), GOOD.replace("web-down", "deep")).unwrap();
    let (catalog, findings) = load(dir.path());
    assert_eq!(findings, ["a/up:1:1 link-loop"]);
    assert_eq!(catalog.scenarios.len(), 2);
}

#[test]
fn other_endings_of_yaml_are_not_passed_over_in_silence() {
    let dir = folder(&[
        ("web.yml", GOOD.as_bytes()),
        ("web.YAML", GOOD.as_bytes()),
        ("web.test.yml", b""),
        ("web.yaml.bak", b""),
        ("web.yaml~", b""),
        ("yaml", b""),
        ("good.yaml", GOOD.as_bytes()),
        ("names.yaml/web.yaml", GOOD.replace("web-down", "in-a-directory").as_bytes()),
    ]);
    let (catalog, findings) = load(dir.path());
    assert_eq!(findings, ["web.YAML:1:1 wrong-ending", "web.yml:1:1 wrong-ending"]);
    assert_eq!((catalog.scenarios.len(), catalog.files), (2, 4));
    assert_eq!(load(&dir.path().join("web.yml")).1, [":1:1 wrong-ending"]);
}

#[test]
fn what_may_not_be_read_is_a_finding() {
    let dir =
        folder(&[("good.yaml", GOOD.as_bytes()), ("closed.yaml", b"x"), ("closed/web.yaml", b"x")]);
    let close = |name: &str, mode: u32| {
        let rights = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(dir.path().join(name), rights).unwrap();
    };
    close("closed.yaml", 0o000);
    close("closed", 0o000);
    if std::fs::read(dir.path().join("closed.yaml")).is_ok() {
        // The superuser may read everything.
        return;
    }
    let (catalog, findings) = load(dir.path());
    close("closed", 0o700);
    assert_eq!(findings, ["closed:1:1 unreadable-file", "closed.yaml:1:1 unreadable-file"]);
    assert_eq!(catalog.scenarios.len(), 1);
}

#[test]
fn more_files_than_people_write_are_a_wrong_path() {
    let dir = folder(&[]);
    for n in 0..=20_000 {
        std::fs::write(dir.path().join(format!("{n}.yaml")), b"").unwrap();
    }
    let begin = now();
    let error = Catalog::load(dir.path(), None).unwrap_err();
    assert!(begin.elapsed() < PATIENCE);
    assert!(matches!(error, CatalogError::TooMany { .. }), "{error}");
}

/// The result does not depend on which thread read what.
#[test]
fn many_files_load_in_the_order_of_their_names() {
    // Three files of each id; the second half has a wrong field as well.
    let content = |n: usize| {
        let about = if n < 120 { "about" } else { "timeot" };
        GOOD.replace("web-down", &format!("s{:03}", n - n % 3)).replace("about", about)
    };
    let files: Vec<(String, String)> =
        (0..240).map(|n| (format!("{n:03}.yaml"), content(n))).collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let dir = folder(&files);
    let (first, findings) = load(dir.path());
    assert_eq!((first.scenarios.len(), first.files), (40, 240));
    assert!(first.scenarios.is_sorted_by_key(|it| it.id.clone()));
    assert!(findings.is_sorted() && findings.len() == 80 + 2 * 120, "{}", findings.len());
    assert_eq!(load(dir.path()).1, findings);
}

/// The engine reads expressions recursively.
#[test]
fn an_expression_without_end_is_refused() {
    let sum = vec!["1"; 50_000].join(" + ");
    let text = format!(
        "scenario: x\nabout: x\nmatch: {{all: [disk]}}\nsteps:\n  \
         - gather: {{run: df, when: '{sum} > 0'}}\n"
    );
    let dir = folder(&[("x.yaml", text.as_bytes())]);
    let ran = super::ams(dir.path(), &["validate", "x.yaml"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.out.contains("bad-expression"), "{}", ran.out);
}
