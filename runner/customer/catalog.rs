//! A directory of customers.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use crate::customer::{Customer, file};
use crate::finding::{Finding, Findings};
use crate::incident::Incident;
use crate::scenario::content;
use crate::yaml::Place;

#[derive(Clone, Debug, Default)]
pub struct Customers {
    all: Vec<Arc<Customer>>,
    by_id: HashMap<String, usize>,
    /// Service id or name → position.
    by_service: HashMap<String, usize>,
    pub findings: Vec<Finding>,
    /// Files looked at.
    pub files: usize,
}

impl Customers {
    /// Loads every `*.yaml` directly in a directory, or one file.
    pub fn load(path: &Path) -> std::io::Result<Self> {
        let mut files = Vec::new();
        if std::fs::metadata(path)?.is_dir() {
            for entry in std::fs::read_dir(path)? {
                let file = entry?.path();
                if file.extension().is_some_and(|ending| ending == "yaml") && file.is_file() {
                    files.push(file);
                }
            }
        } else {
            files.push(path.to_owned());
        }
        files.sort();
        let mut customers = Self { files: files.len(), ..Self::default() };
        for file in files {
            match content::read(&file) {
                Ok(content) => customers.add(&file, &content),
                Err(content::Unreadable { place, message, remedy }) => {
                    let mut findings = Findings::of(&file);
                    findings.add("unreadable-file", place, message, remedy);
                    customers.findings.extend(findings.into_sorted());
                }
            }
        }
        Ok(customers)
    }

    fn add(&mut self, path: &Path, content: &str) {
        let customer = match file::read(path, content) {
            Ok(customer) => customer,
            Err(findings) => {
                self.findings.extend(findings);
                return;
            }
        };
        let mut findings = Findings::of(path);
        let start = Place::START;
        if self.by_id(&customer.id).is_some() {
            findings.add(
                "duplicate-id",
                start,
                format!("the id '{}' is also used by another customer", customer.id),
                "give this customer an id of its own",
            );
        }
        for service in &customer.services {
            if let Some(other) = self.by_service.get(service) {
                let other = &self.all[*other].id;
                findings.add(
                    "service-of-two-customers",
                    start,
                    format!("the service '{service}' also belongs to the customer '{other}'"),
                    "a run is bound to one customer: remove the service from one of the two",
                );
            }
        }
        let found = findings.into_sorted();
        if !found.is_empty() {
            self.findings.extend(found);
            return;
        }
        let position = self.all.len();
        for service in &customer.services {
            self.by_service.insert(service.clone(), position);
        }
        self.by_id.insert(customer.id.clone(), position);
        self.all.push(Arc::new(customer));
    }

    pub fn all(&self) -> &[Arc<Customer>] {
        &self.all
    }

    pub fn len(&self) -> usize {
        self.all.len()
    }

    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub fn first(&self) -> Option<&Arc<Customer>> {
        self.all.first()
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Customer>> {
        self.all.get(*self.by_id.get(id)?)
    }

    /// Whose incident it is, by its PagerDuty service.
    pub fn of(&self, incident: &Incident) -> Option<Arc<Customer>> {
        let service = incident.service.as_ref()?;
        let position =
            self.by_service.get(&service.id).or_else(|| self.by_service.get(&service.name))?;
        self.all.get(*position).cloned()
    }
}
