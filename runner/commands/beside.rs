//! Customers that stand beside the scenarios being checked.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::customer::Customer;
use crate::customer::catalog::Customers;
use crate::customer::check;
use crate::finding::Finding;
use crate::scenario::catalog::Catalog;
use crate::scenario::directory::{CUSTOMERS, is_scenario};
use crate::scenario::model::Scenario;

/// Where customers are, and which scenarios they are for.
struct Source {
    path: PathBuf,
    /// The scenarios at or below this path; all of them without one.
    below: Option<PathBuf>,
    /// Every scenario they are for is among those that were named.
    all_named: bool,
}

/// What was looked at, and what is wrong with it.
#[derive(Default)]
pub(super) struct Looked {
    pub files: usize,
    /// Customers by id and version.
    pub hashes: BTreeSet<(String, String)>,
    pub findings: Vec<Finding>,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot read {}", path.display())]
pub(super) struct CannotRead {
    path: PathBuf,
    source: io::Error,
}

/// A folder of customers, or a file in one.
pub(super) fn is_of_customers(path: &Path) -> bool {
    let named = |path: &Path| path.file_name().is_some_and(|name| name == CUSTOMERS);
    named(path) || path.parent().is_some_and(named) && path.is_file()
}

/// Looks at the customers in folders of that name inside and beside `paths`, and at those under
/// `given`.
pub(super) fn look(
    catalog: &Catalog,
    paths: &[PathBuf],
    given: &[PathBuf],
) -> Result<Looked, CannotRead> {
    let sources = sources(catalog, paths, given);
    let mut looked = Looked::default();
    if sources.is_empty() {
        return Ok(looked);
    }
    let files: Vec<PathBuf> = catalog.scenarios.iter().map(|it| real(&it.file)).collect();
    // Whose destinations each scenario can name; `None` where one of them could not be read.
    let mut of_scenario: Vec<Option<Vec<Arc<Customer>>>> = vec![Some(Vec::new()); files.len()];
    for Source { path, below, all_named } in sources {
        let customers =
            Customers::load(&path).map_err(|source| CannotRead { path: path.clone(), source })?;
        let is_for = |file: &PathBuf| below.as_ref().is_none_or(|below| file.starts_with(below));
        let mut scenarios: Vec<Arc<Scenario>> = Vec::new();
        for (index, _) in files.iter().enumerate().filter(|(_, file)| is_for(file)) {
            scenarios.push(Arc::clone(&catalog.scenarios[index]));
            match &mut of_scenario[index] {
                Some(known) if customers.findings.is_empty() => {
                    known.extend_from_slice(customers.all());
                }
                unknown => *unknown = None,
            }
        }
        // What nobody seems to ask for may be in a file with mistakes.
        let all_known = all_named && catalog.scenarios.len() == catalog.files;
        looked.findings.extend(check::customers(customers.all(), &scenarios, all_known));
        looked.files += customers.files;
        let hashes = customers.hashes().map(|(id, hash)| (id.to_owned(), hash.to_owned()));
        looked.hashes.extend(hashes);
        looked.findings.extend(customers.findings);
    }
    for (scenario, customers) in catalog.scenarios.iter().zip(of_scenario) {
        let customers = customers.unwrap_or_default();
        looked.findings.extend(check::destinations(&customers, std::slice::from_ref(scenario)));
    }
    Ok(looked)
}

fn sources(catalog: &Catalog, paths: &[PathBuf], given: &[PathBuf]) -> Vec<Source> {
    let all_named = !paths.is_empty() && paths.iter().all(|path| path.is_dir());
    let given = given.iter().map(|path| Source { path: path.clone(), below: None, all_named });
    let inside = catalog.customers.iter().map(|path| {
        let below = path.parent().map(real);
        Source { path: path.clone(), below, all_named: true }
    });
    let beside = paths.iter().filter_map(|path| {
        let parent = match path.file_name() {
            Some(_) => path.parent()?.to_owned(),
            None => path.join(".."),
        };
        let customers = parent.join(CUSTOMERS);
        // Where other scenarios stand beside this one, the customers are for them as well.
        let all_named = path.is_dir() && !has_scenarios(&parent);
        customers.is_dir().then(|| Source { path: customers, below: Some(real(path)), all_named })
    });
    let mut known = HashSet::new();
    given.chain(inside).chain(beside).filter(|source| known.insert(real(&source.path))).collect()
}

fn real(path: &Path) -> PathBuf {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn has_scenarios(folder: &Path) -> bool {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = std::fs::read_dir(folder) else { return true };
    entries.flatten().any(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        is_scenario(&name) && !name.starts_with('.')
    })
}
