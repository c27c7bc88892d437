//! `regions:`, where PagerDuty reaches every region's receiver: for `ams doctor` and
//! `ams pagerduty subscribe`, which look at all of them.

use std::path::PathBuf;

use secrecy::SecretString;

use super::mask::Variables;
use super::source::Source;
use crate::fields::{At, Fields};
use crate::finding::Findings;
use crate::incident::Region;
use crate::limits::{REGIONS, WEBHOOK_PATH};
use crate::secret::Secret;
use crate::yaml::{Kind, Node};

/// A region's receiver, as PagerDuty reaches it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionAddress {
    pub name: Region,
    /// Where webhooks go, path and all.
    pub url: String,
    /// Where the secret of its subscription is kept for it.
    pub secret: Option<SecretPlace>,
}

/// Where a secret is, or is to be put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    File(PathBuf),
    /// By name. A person puts it there.
    Variable(String),
}

pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<Vec<RegionAddress>> {
    let Some(node) = source.fields.get("regions") else { return Some(Vec::new()) };
    let Kind::List(items) = &node.kind else {
        let remedy = "write a list: [{name: tokyo, url: https://ams-tokyo.example.com}]";
        source.bad((node.place, "regions"), "is no list", remedy, findings);
        return None;
    };
    if items.len() > REGIONS {
        let message = format!("has {} entries", items.len());
        let remedy = format!("name each region once; there may be {REGIONS}");
        source.bad((node.place, "regions"), &message, &remedy, findings);
        return None;
    }
    let mut regions: Vec<RegionAddress> = Vec::new();
    let mut all_read = true;
    for item in items {
        let Some(region) = read_one(source, item, findings) else {
            all_read = false;
            continue;
        };
        let twice = |it: &RegionAddress| it.name == region.name || it.url == region.url;
        if regions.iter().any(twice) {
            let message = format!("has the name or the address of '{}' twice", region.name);
            let remedy = "give each region a name and an address of its own";
            source.bad((item.place, "regions"), &message, remedy, findings);
        }
        regions.push(region);
    }
    all_read.then_some(regions)
}

fn read_one(source: &Source<'_>, node: &Node, findings: &mut Findings) -> Option<RegionAddress> {
    let fields = Fields::of(node, "regions", findings)?;
    let name = fields.required_text("name", "tokyo", findings);
    let url = fields.required_text("url", "https://ams-tokyo.example.com", findings);
    let secret = fields.text("secret", findings);
    fields.finish(findings);
    let url = url.and_then(|url| receiver(source, &url, findings));
    let secret = match secret {
        Some(written) => Some(secret_place(source, &written, findings)?),
        None => None,
    };
    Some(RegionAddress { name: Region::new(name?.value), url: url?, secret })
}

/// The receiver's address. Subscriptions of AMS are known by the path they lead to, so there is
/// only one.
fn receiver(source: &Source<'_>, written: &At<String>, findings: &mut Findings) -> Option<String> {
    let At { place, value } = written;
    let mut bad = |message: &str, remedy: &str| {
        source.bad((*place, "regions.url"), message, remedy, findings);
        None
    };
    let Some((scheme, rest)) = value.trim().split_once("://") else {
        return bad(&format!("is '{value}', which is no address"), "write https://HOST");
    };
    let scheme = scheme.to_ascii_lowercase();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if !["https", "http"].contains(&scheme.as_str()) || host.is_empty() {
        return bad(&format!("is '{value}', which is no address"), "write https://HOST");
    }
    // It would stand in PagerDuty, in logs and in what is printed.
    if host.contains('@') {
        return bad("holds a user or password", "write the address alone: https://HOST");
    }
    let path = format!("/{}", path.trim_end_matches('/'));
    if path != "/" && path != WEBHOOK_PATH {
        let message = format!("leads to {path}, and AMS takes webhooks at {WEBHOOK_PATH}");
        return bad(&message, "write the address without a path: https://HOST");
    }
    Some(format!("{scheme}://{}{WEBHOOK_PATH}", host.to_ascii_lowercase()))
}

fn secret_place(
    source: &Source<'_>,
    written: &At<String>,
    findings: &mut Findings,
) -> Option<SecretPlace> {
    match written.value.split_once(':') {
        Some(("file", path)) if !path.trim().is_empty() => {
            Some(SecretPlace::File(source.base.join(path.trim())))
        }
        Some(("env", name)) if !name.trim().is_empty() => {
            Some(SecretPlace::Variable(name.trim().to_owned()))
        }
        _ => {
            let message = "says no place for a secret that AMS can use";
            let remedy = "write file:PATH, which `ams pagerduty subscribe` fills, or env:NAME; \
                          from another store (SSM, Secrets Manager) put it into one of the two";
            source.bad((written.place, "regions.secret"), message, remedy, findings);
            None
        }
    }
}

impl SecretPlace {
    /// The secrets that are there now, one in each line; `Err` says why nothing is.
    pub fn read(&self, variables: &Variables) -> Result<Vec<SecretString>, String> {
        let found = match self {
            Self::File(path) => std::fs::read_to_string(path)
                .map_err(|error| format!("{} cannot be read: {error}", path.display())),
            Self::Variable(name) => {
                variables.0.get(name).cloned().ok_or(format!("the variable {name} is not set"))
            }
        };
        let lines = Secret::from(found?).lines();
        if lines.is_empty() { Err("it is empty".to_owned()) } else { Ok(lines) }
    }
}
