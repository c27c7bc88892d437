//! A directory of customers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::customer::{Customer, file};
use crate::digest;
use crate::fields::At;
use crate::finding::{Finding, Findings};
use crate::folding::fold;
use crate::incident::{Incident, Named};
use crate::mask::file::Reference;
use crate::scenario::content;
use crate::yaml::Place;

#[derive(Clone, Debug, Default)]
pub struct Customers {
    all: Vec<Arc<Customer>>,
    by_id: HashMap<String, usize>,
    /// Service id or name → position.
    by_service: HashMap<String, usize>,
    /// What only one customer can have (an instance, an external id) → position.
    by_own: HashMap<Own, usize>,
    /// Customers that are known by titles.
    by_title: Vec<usize>,
    pub findings: Vec<Finding>,
    /// Files looked at.
    pub files: usize,
}

/// What names one customer's part of AWS.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Own {
    Instance(String),
    ExternalId(String),
}

impl Own {
    fn all(customer: &Customer) -> impl Iterator<Item = Self> + '_ {
        let instances = customer.hosts.iter().filter_map(|host| host.instance.clone());
        let ids = customer.aws.iter().map(|account| account.words().external_id.clone());
        instances.map(Self::Instance).chain(ids.map(Self::ExternalId))
    }
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
        let all = content::read_all(&files, read).ok_or(std::io::ErrorKind::FileTooLarge)?;
        for read in all {
            match read {
                Ok(customer) => customers.add(customer),
                Err(findings) => customers.findings.extend(findings),
            }
        }
        Ok(customers)
    }

    fn add(&mut self, customer: Customer) {
        let mut findings = Findings::of(&customer.file);
        let start = Place::START;
        if self.by_id(&customer.id).is_some() {
            findings.add(
                "duplicate-id",
                start,
                format!("the id '{}' is also used by another customer", customer.id),
                "give this customer an id of its own",
            );
        }
        for service in &customer.belongs.services {
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
        self.check_own(&customer, &mut findings);
        let found = findings.into_sorted();
        if !found.is_empty() {
            self.findings.extend(found);
            return;
        }
        let position = self.all.len();
        for service in &customer.belongs.services {
            self.by_service.insert(service.clone(), position);
        }
        self.by_own.extend(Own::all(&customer).map(|own| (own, position)));
        if customer.belongs.title.is_some() {
            self.by_title.push(position);
        }
        self.by_id.insert(customer.id.clone(), position);
        self.all.push(Arc::new(customer));
    }

    /// Ids and versions of all of them.
    pub fn hashes(&self) -> impl Iterator<Item = (&str, &str)> {
        self.all.iter().map(|customer| (customer.id.as_str(), customer.hash.as_str()))
    }

    /// Looks up the secrets that customers name, to know them where they are printed. One that is
    /// not there is told, and its customer is used: its runs must not end for that.
    pub fn look_up_secrets(&mut self, env: &BTreeMap<String, String>) {
        for customer in self.all.iter_mut().filter(|it| !it.mask.values.is_empty()) {
            let customer = Arc::make_mut(customer);
            let base = customer.file.parent().unwrap_or(Path::new(".")).to_owned();
            let mut findings = Findings::of(&customer.file);
            for At { place, value } in &customer.mask.values {
                let found = match value {
                    Reference::Variable(name) => {
                        env.get(name).cloned().ok_or(format!("the variable {name} is not set"))
                    }
                    Reference::File(path) => std::fs::read_to_string(base.join(path))
                        .map_err(|error| format!("{} cannot be read: {error}", path.display())),
                };
                match found {
                    Ok(secret) => customer.mask.known.push(SecretString::from(secret)),
                    Err(why) => findings.warn(
                        "unknown-secret",
                        *place,
                        format!("{why}, so what it holds is not masked"),
                        "put the secret there, or remove the line",
                    ),
                }
            }
            self.findings.extend(findings.into_sorted());
        }
    }

    /// A machine or an external id of two customers would make one reach what is the other's.
    fn check_own(&self, customer: &Customer, findings: &mut Findings) {
        let mut told = HashSet::new();
        for own in Own::all(customer) {
            let Some(other) = self.by_own.get(&own) else { continue };
            let other = &self.all[*other].id;
            match &own {
                _ if told.contains(&own) => {}
                Own::Instance(instance) => findings.add(
                    "same-instance-twice",
                    Place::START,
                    format!("the machine {instance} is also one of the customer '{other}'"),
                    "a machine belongs to one customer: remove it from one of the two",
                ),
                Own::ExternalId(id) => findings.add(
                    "external-id-shared",
                    Place::START,
                    format!("the external id '{id}' is also that of the customer '{other}'"),
                    "make a new one for this customer, here and in the trust policies of its roles",
                ),
            }
            told.insert(own);
        }
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

    /// Who has the service for itself.
    pub fn of_service(&self, service: &Named) -> Option<&Arc<Customer>> {
        let by_id = self.by_service.get(&service.id);
        self.all.get(*by_id.or_else(|| self.by_service.get(&service.name))?)
    }

    /// Whose incident it is: by its PagerDuty service, else by its title. A title that is several
    /// customers' is nobody's: a guess here would act on the wrong one's servers.
    pub fn of(&self, incident: &Incident, title: &str) -> Option<Arc<Customer>> {
        if let Some(customer) = incident.service.as_ref().and_then(|it| self.of_service(it)) {
            return Some(Arc::clone(customer));
        }
        let folded = fold(title);
        let mut named = self.by_title.iter().filter_map(|position| {
            let customer = self.all.get(*position)?;
            let words = customer.belongs.title.as_ref()?;
            words.fit(&folded).then_some(customer)
        });
        let (first, second) = (named.next()?, named.next());
        if let Some(second) = second {
            tracing::warn!(
                incident.id = %incident.id,
                "incident {} is left without customer: its title is that of {} and of {}",
                incident.id, first.id, second.id,
            );
            return None;
        }
        Some(Arc::clone(first))
    }
}

fn read(
    path: &Path,
    content: Result<String, content::Unreadable>,
) -> Result<Customer, Vec<Finding>> {
    let content = content.map_err(|content::Unreadable { place, message, remedy }| {
        let mut findings = Findings::of(path);
        findings.add("unreadable-file", place, message, remedy);
        findings.into_sorted()
    })?;
    let mut customer = file::read(path, &content)?;
    customer.hash = digest::short(&content);
    Ok(customer)
}
