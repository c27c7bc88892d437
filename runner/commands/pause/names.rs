//! A pause for a name that nobody has would stop nothing, and nobody would notice.

use crate::commands::pause::What;
use crate::config::Records;
use crate::customer::catalog::Customers;
use crate::finding::did_you_mean;
use crate::scenario::catalog::Catalog;

/// Whether the files have every name. Files that cannot be read are no reason not to pause.
pub(super) fn check(what: &What, records: &Records) -> Result<(), String> {
    let customers = records.customers.as_ref().and_then(|path| Customers::load(path).ok());
    if let Some(customers) = &customers {
        of_customers(what, customers)?;
    }
    let catalog = records.scenarios.as_ref().and_then(|path| Catalog::load(path, None).ok());
    if let (Some(catalog), Some(id)) = (&catalog, &what.scenario) {
        let known = catalog.scenarios.iter().map(|scenario| scenario.id.as_str());
        is_known("scenario", id, known)?;
    }
    Ok(())
}

fn of_customers(what: &What, customers: &Customers) -> Result<(), String> {
    let all = || customers.all().iter();
    if let Some(id) = &what.customer {
        is_known("customer", id, all().map(|customer| customer.id.as_str()))?;
    }
    let meant = || all().filter(|it| what.customer.as_ref().is_none_or(|id| it.id == *id));
    if let Some(name) = &what.host
        && !meant().any(|customer| customer.host(name).is_some())
    {
        let hosts = meant().flat_map(|customer| &customer.hosts).map(|host| host.name.as_str());
        return is_known("host", name, hosts);
    }
    if let Some(name) = &what.group {
        let groups = meant().flat_map(|customer| &customer.hosts).flat_map(|host| &host.groups);
        is_known("group", name, groups.map(String::as_str))?;
    }
    Ok(())
}

fn is_known<'a>(
    kind: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Result<(), String> {
    if known.clone().any(|it| it == name) {
        return Ok(());
    }
    let near = did_you_mean(name, known).map(|near| format!("; did you mean '{near}'?"));
    let near = near.unwrap_or_default();
    Err(format!("no file has a {kind} '{name}'{near} (--anyway pauses it all the same)"))
}
