//! A directory of scenarios: the good ones load, the bad ones are reported.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::finding::{Finding, Findings};
use crate::scenario::directory::{Listing, MAX_FILES, MAX_NAMES};
use crate::scenario::model::Scenario;
use crate::scenario::{content, file};

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub scenarios: Vec<Arc<Scenario>>,
    /// By file and place, warnings of files that are used among them.
    pub findings: Vec<Finding>,
    /// Files looked at.
    pub files: usize,
    /// Folders of customers that stand between them.
    pub customers: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("cannot read {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} holds more than {MAX_FILES} scenario files", path.display())]
    TooMany { path: PathBuf },
    #[error("{} holds more than {MAX_NAMES} files and directories", path.display())]
    TooLarge { path: PathBuf },
    #[error("the scenario files have more than {} bytes together", content::MAX_BYTES)]
    TooLong,
}

/// What one file gave.
type Read = Result<(Scenario, Vec<Finding>), Vec<Finding>>;

impl Catalog {
    /// Loads a file, or every `*.yaml` below a directory except tests (`*.test.yaml`).
    pub fn load(
        path: &Path,
        vars: Option<&BTreeMap<String, String>>,
    ) -> Result<Self, CatalogError> {
        Self::load_all(&[path], vars)
    }

    /// Loads several paths as one catalog: ids are unique across all of them.
    pub fn load_all<P: AsRef<Path>>(
        paths: &[P],
        vars: Option<&BTreeMap<String, String>>,
    ) -> Result<Self, CatalogError> {
        let mut listing = Listing::default();
        for path in paths {
            listing.add(path.as_ref())?;
        }
        let Listing { files, findings, refused, customers, .. } = listing;
        let scenarios = Vec::new();
        let mut catalog = Self { scenarios, findings, files: files.len() + refused, customers };
        let mut ids: BTreeMap<String, PathBuf> = BTreeMap::new();
        let all = content::read_all(&files, |path, content| read(path, content, vars));
        for read in all.ok_or(CatalogError::TooLong)? {
            match read {
                Ok((scenario, warnings)) => {
                    catalog.findings.extend(warnings);
                    catalog.add(scenario, &mut ids);
                }
                Err(findings) => catalog.findings.extend(findings),
            }
        }
        catalog.findings.sort_by(|a, b| a.file.cmp(&b.file).then(a.place.cmp(&b.place)));
        Ok(catalog)
    }

    fn add(&mut self, scenario: Scenario, ids: &mut BTreeMap<String, PathBuf>) {
        if let Some(first) = ids.get(&scenario.id) {
            let mut findings = Findings::of(&scenario.file);
            findings.add(
                "duplicate-id",
                scenario.place,
                format!("the id '{}' is also used by {}", scenario.id, first.display()),
                "give this scenario an id of its own",
            );
            self.findings.extend(findings.into_sorted());
            return;
        }
        ids.insert(scenario.id.clone(), scenario.file.clone());
        self.scenarios.push(Arc::new(scenario));
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Scenario>> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }
}

fn read(
    path: &Path,
    content: Result<String, content::Unreadable>,
    vars: Option<&BTreeMap<String, String>>,
) -> Read {
    let content = content.map_err(|content::Unreadable { place, message, remedy }| {
        let mut findings = Findings::of(path);
        findings.add("unreadable-file", place, message, remedy);
        findings.into_sorted()
    })?;
    file::read(path, &content, vars)
}
