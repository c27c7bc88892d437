//! Which files below a directory are scenarios, and where links may lead.
//!
//! Links are followed as long as they stay below the directory that was named: Kubernetes mounts
//! configuration as links into a hidden directory beside them. What leads elsewhere was not
//! reviewed with the rest, and is reported instead of read. Every directory and every file is
//! looked at once, however many links lead to it, so the walk ends.

use std::collections::{HashSet, VecDeque};
use std::fs::{DirEntry, FileType};
use std::io;
use std::path::{Path, PathBuf};

use crate::finding::{Finding, Findings};
use crate::scenario::catalog::CatalogError;
use crate::scenario::content;
use crate::yaml::Place;

/// Scenario files of one catalog.
pub const MAX_FILES: usize = 20_000;
/// Names looked at below one directory; more are a wrong path, such as `/`.
pub const MAX_NAMES: usize = 200_000;

/// A folder of this name holds customers, for tests and examples.
pub const CUSTOMERS: &str = "customers";

/// What is to be read, and what is wrong before anything is read.
#[derive(Debug, Default)]
pub struct Listing {
    pub files: Vec<PathBuf>,
    pub findings: Vec<Finding>,
    /// Files that are in `findings` and not in `files`.
    pub refused: usize,
    /// Folders of customers, which are no scenarios.
    pub customers: Vec<PathBuf>,
    /// Where `files` really are.
    known: HashSet<PathBuf>,
}

impl Listing {
    /// A file, or every `*.yaml` below a directory except tests (`*.test.yaml`). What an earlier
    /// path has given already is not listed again.
    pub fn add(&mut self, path: &Path) -> Result<(), CatalogError> {
        let unreadable = |source| CatalogError::Unreadable { path: path.to_owned(), source };
        let real = path.canonicalize().map_err(unreadable)?;
        if !real.is_dir() {
            match ending(&name_of(path)) {
                Ending::Wrong => self.refuse(path, Problem::Ending),
                Ending::Other if name_of(path).ends_with(".test.yaml") => {
                    self.refuse(path, Problem::IsTest);
                }
                Ending::Scenario | Ending::Other => self.list(vec![(path.to_owned(), real)]),
            }
            return Ok(());
        }
        let mut walk = Walk {
            root: real.clone(),
            named: path,
            seen: HashSet::from([real.clone()]),
            folders: vec![(path.to_owned(), real)],
            links: VecDeque::new(),
            files: Vec::new(),
            names: 0,
        };
        // Directories before links: what is reached both ways is known by its own name.
        loop {
            if let Some((folder, real)) = walk.folders.pop() {
                walk.folder(&folder, &real, self)?;
            } else if let Some((link, within)) = walk.links.pop_front() {
                walk.link(&link, &within, self);
            } else {
                break;
            }
        }
        self.list(walk.files);
        if self.files.len() > MAX_FILES {
            return Err(CatalogError::TooMany { path: path.to_owned() });
        }
        Ok(())
    }

    fn list(&mut self, files: Vec<(PathBuf, PathBuf)>) {
        let before = self.files.len();
        for (path, real) in files {
            if self.known.insert(real) {
                self.files.push(path);
            }
        }
        self.files[before..].sort();
    }

    fn refuse(&mut self, path: &Path, problem: Problem) {
        let mut findings = Findings::of(path);
        match problem {
            Problem::Ending => findings.add(
                "wrong-ending",
                Place::START,
                "a file with this ending is not read as a scenario",
                "rename it to NAME.yaml, or move it elsewhere if it is none",
            ),
            Problem::IsTest => findings.add(
                "test-is-no-scenario",
                Place::START,
                "this file holds tests, not a scenario",
                "run it with ams test",
            ),
            Problem::NotAFile => {
                let content::Unreadable { place, message, remedy } = content::not_a_file();
                findings.add("unreadable-file", place, message, remedy);
            }
            Problem::Unreadable(what, error) => findings.add(
                "unreadable-file",
                Place::START,
                format!("the {what} cannot be read: {error}"),
                "look at its rights and where it leads",
            ),
            Problem::LeadsOut(target, root) => findings.add(
                "link-out-of-directory",
                Place::START,
                format!("the link leads to {}, outside {}", target.display(), root.display()),
                "put the file itself here, or name its own directory as a further path",
            ),
            Problem::Loop => findings.warn(
                "link-loop",
                Place::START,
                "the link leads back to a directory it lies in",
                "remove it; what it leads to is read without it",
            ),
        }
        self.refused += usize::from(findings.has_errors());
        self.findings.extend(findings.into_sorted());
    }
}

enum Problem {
    Ending,
    IsTest,
    NotAFile,
    Unreadable(&'static str, io::Error),
    LeadsOut(PathBuf, PathBuf),
    Loop,
}

struct Walk<'a> {
    /// Where the directory really is; links stay below it.
    root: PathBuf,
    /// As it was named.
    named: &'a Path,
    /// Directories looked at, by where they really are.
    seen: HashSet<PathBuf>,
    folders: Vec<(PathBuf, PathBuf)>,
    /// Links not looked at yet, with the real directory each lies in.
    links: VecDeque<(PathBuf, PathBuf)>,
    /// By name, and where each really is.
    files: Vec<(PathBuf, PathBuf)>,
    names: usize,
}

impl Walk<'_> {
    fn folder(
        &mut self,
        folder: &Path,
        real: &Path,
        listing: &mut Listing,
    ) -> Result<(), CatalogError> {
        // One more than may be there, so that too many are noticed and not kept.
        let some = |entries: std::fs::ReadDir| entries.take(MAX_NAMES + 1).collect();
        let mut entries: Vec<DirEntry> = match std::fs::read_dir(folder).and_then(some) {
            Ok(entries) => entries,
            Err(source) if folder == self.named => {
                return Err(CatalogError::Unreadable { path: folder.to_owned(), source });
            }
            Err(error) => {
                listing.refuse(folder, Problem::Unreadable("directory", error));
                return Ok(());
            }
        };
        self.names += entries.len();
        if self.names > MAX_NAMES {
            return Err(CatalogError::TooLarge { path: self.named.to_owned() });
        }
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with('.') {
                // Editors and version control keep files of their own.
                continue;
            }
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_symlink() => self.links.push_back((path, real.to_owned())),
                Ok(kind) if kind.is_dir() && name == CUSTOMERS => listing.customers.push(path),
                Ok(kind) if kind.is_dir() => {
                    let real = real.join(entry.file_name());
                    if self.seen.insert(real.clone()) {
                        self.folders.push((path, real));
                    }
                }
                Ok(kind) => self.file(&path, real.join(entry.file_name()), kind, listing),
                Err(error) => listing.refuse(&path, Problem::Unreadable("file", error)),
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, real: PathBuf, kind: FileType, listing: &mut Listing) {
        match ending(&name_of(path)) {
            Ending::Scenario if kind.is_file() => self.files.push((path.to_owned(), real)),
            Ending::Scenario => listing.refuse(path, Problem::NotAFile),
            Ending::Wrong => listing.refuse(path, Problem::Ending),
            Ending::Other => {}
        }
    }

    fn link(&mut self, link: &Path, within: &Path, listing: &mut Listing) {
        let is_meant = ending(&name_of(link)) != Ending::Other;
        let found = link.canonicalize().and_then(|real| Ok((real.metadata()?.file_type(), real)));
        match found {
            Err(error) if is_meant => listing.refuse(link, Problem::Unreadable("link", error)),
            Err(_) => {}
            Ok((kind, _)) if !kind.is_dir() && !is_meant => {}
            Ok((_, real)) if !real.starts_with(&self.root) => {
                listing.refuse(link, Problem::LeadsOut(real, self.root.clone()));
            }
            Ok((kind, real)) if kind.is_dir() => {
                if within.starts_with(&real) {
                    listing.refuse(link, Problem::Loop);
                } else if self.seen.insert(real.clone()) {
                    self.folders.push((link.to_owned(), real));
                }
            }
            Ok((kind, real)) => self.file(link, real, kind, listing),
        }
    }
}

/// Test files at `path`, or below it.
pub fn collect_tests(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CatalogError> {
    let unreadable = |source| CatalogError::Unreadable { path: path.to_owned(), source };
    if !path.is_dir() {
        std::fs::metadata(path).map_err(unreadable)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        if entry.file_type().map_err(unreadable)?.is_dir() {
            collect_tests(&entry.path(), files)?;
        } else if name.ends_with(".test.yaml") {
            files.push(entry.path());
        }
    }
    Ok(())
}

/// A file of this name is read as a scenario.
pub fn is_scenario(name: &str) -> bool {
    ending(name) == Ending::Scenario
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// `NAME.yaml`.
    Scenario,
    /// `NAME.yml`, `NAME.YAML`: meant as a scenario, and nobody would miss it.
    Wrong,
    /// Everything else; `NAME.test.yaml` holds tests.
    Other,
}

fn ending(name: &str) -> Ending {
    let mut parts = name.rsplit('.');
    let (last, before) = (parts.next().unwrap_or(""), parts.next());
    match before {
        None | Some("test") => Ending::Other,
        Some(_) if last == "yaml" => Ending::Scenario,
        Some(_) if ["yaml", "yml"].iter().any(|it| last.eq_ignore_ascii_case(it)) => Ending::Wrong,
        Some(_) => Ending::Other,
    }
}
