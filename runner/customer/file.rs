//! One customer file: text in, findings and, when there are none, a customer out.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::customer::aws::AwsAccount;
use crate::customer::aws_way::{self, InAws};
use crate::customer::belongs::{self, Belongs};
use crate::customer::instance::InstanceId;
use crate::customer::way::{self, SshPart, Whose};
use crate::customer::{
    Customer, Destination, Host, Reach, Suspension, approval, limits, packet, rest,
};
use crate::fields::{At, Fields, read_file, remedy_for_word, wrong_type};
use crate::finding::{Finding, Findings};
use crate::lang::Lang;
use crate::mask;
use crate::paging::{self, Acknowledge, Fallback};
use crate::scenario::model::Mode;
use crate::yaml::{Kind, Node, Place};

/// The word for a way, before it is known in full.
#[derive(Clone, Copy)]
enum ReachWord {
    Local,
    Ssh,
    Ssm,
}

const REACHES: [(&str, ReachWord); 3] =
    [("local", ReachWord::Local), ("ssh", ReachWord::Ssh), ("ssm", ReachWord::Ssm)];

/// What the customer says of the ways to its hosts.
struct Ways<'a> {
    customer: &'a str,
    ssh: SshPart,
    aws: Vec<Arc<AwsAccount>>,
}

pub fn read(path: &Path, content: &str) -> Result<Customer, Vec<Finding>> {
    let read = read_file(path, content, |node, findings| read_customer(path, node, findings));
    read.map(|(customer, _)| customer)
}

fn read_customer(path: &Path, node: &Node, findings: &mut Findings) -> Option<Customer> {
    let fields = Fields::of(node, "the file", findings)?;
    let id = fields.required_text("customer", "example-shop", findings);
    let name = fields.required_text("name", "株式会社サンプル", findings);
    let zone = fields.text("time_zone", findings);
    let zone = zone.map_or(Some(TimeZone::UTC), |at| read_zone(&at, findings));
    let (zone_known, zone) = (zone.is_some(), zone.unwrap_or(TimeZone::UTC));
    let whose = id.as_ref().map_or("", |at| at.value.as_str());
    let ways = Ways {
        customer: whose,
        ssh: fields.get("ssh").map(|node| way::read(node, findings)).unwrap_or_default(),
        aws: list(&fields, "aws", findings, |node, findings| {
            aws_way::account(node, whose, findings)
        }),
    };
    let hosts = list(&fields, "hosts", findings, |node, findings| read_host(node, &ways, findings));
    twice(&hosts, findings);
    let hosts: Vec<Host> = hosts.into_iter().map(|at| at.value).collect();
    let customer = Customer {
        hash: String::new(),
        limits: fields
            .get("limits")
            .map(|node| limits::read(node, &hosts, findings))
            .unwrap_or_default(),
        id: id.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        name: name.as_ref().map(|at| at.value.clone()).unwrap_or_default(),
        contact: fields.text("contact", findings).map(|at| at.value),
        belongs: read_belongs(&fields, findings),
        lang: fields.word("language", &Lang::WORDS, findings).map(|at| at.value),
        ticket_project: fields.text("ticket_project", findings).map(|at| at.value),
        packet: packet::read(&fields, findings),
        escalation: fields
            .text("escalation_policy", findings)
            .and_then(|at| paging::id(at, findings)),
        fallback: fields
            .get("escalation")
            .map(|node| Fallback::read(node, "escalation", findings))
            .unwrap_or_default(),
        acknowledge: fields.word("acknowledge", &Acknowledge::WORDS, findings).map(|at| at.value),
        parameters: map(&fields, "parameters", findings),
        mask: fields
            .get("mask")
            .map(|node| mask::file::read(node, findings, mask::file::references))
            .unwrap_or_default(),
        aws: ways.aws,
        destinations: fields
            .get("destinations")
            .map(|node| read_destinations(node, findings))
            .unwrap_or_default(),
        modes: fields.get("modes").map(|node| read_modes(node, findings)).unwrap_or_default(),
        suspensions: list(&fields, "suspensions", findings, |node, findings| {
            read_suspension(node, &zone, findings)
        }),
        maintenance: list(&fields, "maintenance", findings, |node, findings| {
            rest::read_maintenance(node, &hosts, findings)
        }),
        approval: approval::read(&fields, findings),
        hosts,
        zone: zone.clone(),
        file: path.to_owned(),
        places: places(node),
    };
    fields.finish(findings);
    (id.is_some() && name.is_some() && zone_known).then_some(customer)
}

/// The places of what scenarios say something about.
fn places(node: &Node) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    let mut add = |start: &str, node: Option<&Node>, values: bool| {
        let Some(Node { kind: Kind::Map(entries), .. }) = node else { return };
        for (key, value) in entries {
            let place = if values { value.place } else { key.place };
            places.insert(format!("{start}.{}", key.name), place);
        }
    };
    add("parameters", node.below(&["parameters"]), true);
    add("modes", node.below(&["modes"]), false);
    if let Some(Node { kind: Kind::List(hosts), .. }) = node.below(&["hosts"]) {
        for host in hosts {
            if let Some(Node { kind: Kind::Text(name), .. }) = host.below(&["name"]) {
                add(&format!("hosts.{name}"), host.below(&["parameters"]), true);
            }
        }
    }
    for (way, key) in [
        (&["suspensions"][..], "scenario"),
        (&["maintenance"], "scenarios"),
        (&["approval", "waived"], "scenarios"),
    ] {
        let Some(Node { kind: Kind::List(items), .. }) = node.below(way) else { continue };
        for (index, item) in items.iter().enumerate() {
            let place = item.below(&[key]).map(|node| node.place);
            places.extend(place.map(|place| (format!("{}.{index}", way.join(".")), place)));
        }
    }
    places
}

/// `services` at the top is the short form of the one under `belongs`.
fn read_belongs(fields: &Fields<'_>, findings: &mut Findings) -> Belongs {
    let services = texts(fields, "services", findings);
    let mut belongs =
        fields.get("belongs").map(|node| belongs::read(node, findings)).unwrap_or_default();
    belongs.services.extend(services);
    belongs
}

fn read_zone(at: &At<String>, findings: &mut Findings) -> Option<TimeZone> {
    TimeZone::get(&at.value)
        .map_err(|_| {
            findings.add(
                "unknown-time-zone",
                at.place,
                format!("'{}' is not a time zone", at.value),
                "write a name such as Asia/Tokyo or UTC",
            );
        })
        .ok()
}

fn texts(fields: &Fields<'_>, key: &'static str, findings: &mut Findings) -> Vec<String> {
    fields.texts(key, findings).into_iter().map(|at| at.value).collect()
}

/// Values of the operator's own; what they must be is for the scenarios to say.
fn map(fields: &Fields<'_>, key: &'static str, findings: &mut Findings) -> Map<String, Value> {
    let Some(node) = fields.get(key) else { return Map::new() };
    let Some(own) = Fields::of(node, key, findings) else { return Map::new() };
    own.all().iter().map(|(name, value)| (name.name.clone(), value.to_json())).collect()
}

fn list<T>(
    fields: &Fields<'_>,
    key: &'static str,
    findings: &mut Findings,
    read: impl Fn(&Node, &mut Findings) -> Option<T>,
) -> Vec<T> {
    match fields.get(key) {
        None => Vec::new(),
        Some(Node { kind: Kind::List(items), .. }) => {
            items.iter().filter_map(|item| read(item, findings)).collect()
        }
        Some(node) => {
            wrong_type(findings, node.place, key, "a list (`- …`)", &node.kind);
            Vec::new()
        }
    }
}

/// Two names for one machine would have limits and turns of their own.
fn twice(hosts: &[At<Host>], findings: &mut Findings) {
    let mut known: BTreeMap<&str, &str> = BTreeMap::new();
    for At { place, value: host } in hosts {
        let Some(instance) = &host.instance else { continue };
        if let Some(other) = known.insert(instance, &host.name) {
            findings.add(
                "same-instance-twice",
                *place,
                format!("{} and {other} are the same machine, {instance}", host.name),
                "keep one of them, with the other name under 'aliases'",
            );
        }
    }
}

fn read_host(node: &Node, ways: &Ways<'_>, findings: &mut Findings) -> Option<At<Host>> {
    let fields = Fields::of(node, "a host", findings)?;
    let name = fields.required_text("name", "web01", findings)?.value;
    let address = fields.text("address", findings).map(|at| at.value);
    let own = fields.get("ssh").map(|node| way::read(node, findings)).unwrap_or_default();
    let in_aws = InAws::read(&fields, findings);
    let word = fields.word("reach", &REACHES, findings).map(|at| (at.value, at.place));
    // Where it is the way, its reader says more.
    if !matches!(word, Some((ReachWord::Ssm, _))) {
        check_instance(&in_aws, findings);
    }
    let reach = match word {
        None => Reach::None,
        Some((ReachWord::Local, _)) => Reach::Local,
        Some((ReachWord::Ssh, place)) => {
            let address = address.as_deref().unwrap_or(&name);
            let customer = ways.customer;
            way::ssh(&Whose { customer, host: &name, address, place }, &ways.ssh, own, findings)
        }
        Some((ReachWord::Ssm, place)) => aws_way::ssm((&name, place), &in_aws, &ways.aws, findings),
    };
    let host = Host {
        aliases: texts(&fields, "aliases", findings),
        address,
        groups: texts(&fields, "groups", findings),
        instance: in_aws.instance.map(|at| at.value),
        parameters: map(&fields, "parameters", findings),
        reach,
        name,
    };
    fields.finish(findings);
    Some(At { place: node.place, value: host })
}

/// An id that no server has names none, and nobody would be told.
fn check_instance(in_aws: &InAws, findings: &mut Findings) {
    let Some(At { place, value }) = &in_aws.instance else { return };
    if InstanceId::parse(value).is_none() {
        let message = format!("'{value}' is no instance id");
        let remedy = "write it as AWS shows it: i- or mi- and 17 digits (0-9, a-f), old ones 8";
        findings.add("bad-instance", *place, message, remedy);
    }
}

fn read_destinations(node: &Node, findings: &mut Findings) -> BTreeMap<String, Destination> {
    let Some(own) = Fields::of(node, "destinations", findings) else { return BTreeMap::new() };
    let mut destinations = BTreeMap::new();
    for (key, value) in own.all() {
        let Some(fields) = Fields::of(value, &key.name, findings) else { continue };
        let policy = fields.text("policy", findings).and_then(|at| paging::id(at, findings));
        let contact = fields.text("contact", findings).map(|at| at.value);
        fields.finish(findings);
        destinations.insert(key.name.clone(), Destination { policy, contact });
    }
    destinations
}

fn read_modes(node: &Node, findings: &mut Findings) -> BTreeMap<String, Mode> {
    let Some(own) = Fields::of(node, "modes", findings) else { return BTreeMap::new() };
    let mut modes = BTreeMap::new();
    for (key, value) in own.all() {
        let Some(written) = crate::fields::text(value, &key.name, findings) else { continue };
        let mode = Mode::WORDS.iter().find(|(word, _)| *word == written.value);
        if let Some((_, mode)) = mode {
            modes.insert(key.name.clone(), *mode);
        } else {
            findings.add(
                "unknown-word",
                written.place,
                format!("'{}' is not a mode", written.value),
                remedy_for_word(&written.value, &Mode::WORDS.map(|(word, _)| word)),
            );
        }
    }
    modes
}

fn read_suspension(node: &Node, zone: &TimeZone, findings: &mut Findings) -> Option<Suspension> {
    let fields = Fields::of(node, "a suspension", findings)?;
    let from = fields.required_text("from", "\"2026-12-01 22:00\"", findings);
    let until = fields.required_text("until", "\"2026-12-02 05:00\"", findings);
    let reason = fields.required_text("reason", "定期メンテナンス", findings);
    let scenario = fields.text("scenario", findings).map(|at| at.value);
    let host = fields.text("host", findings).map(|at| at.value);
    let group = fields.text("group", findings).map(|at| at.value);
    fields.finish(findings);
    let until_place = until.as_ref().map(|at| at.place);
    let from = read_time(&from?, zone, findings);
    let until = read_time(&until?, zone, findings);
    let (from, until) = (from?, until?);
    if from >= until {
        findings.add(
            "suspension-ends-first",
            until_place.unwrap_or(node.place),
            "the suspension ends before it begins",
            "exchange 'from' and 'until'",
        );
        return None;
    }
    Some(Suspension { from, until, scenario, host, group, reason: reason?.value })
}

/// `2026-12-01 22:00` in the customer's zone, or with an offset of its own.
fn read_time(at: &At<String>, zone: &TimeZone, findings: &mut Findings) -> Option<Timestamp> {
    let text = at.value.trim();
    let with_offset = text.parse::<Timestamp>().ok();
    let local = || {
        let local: DateTime = text.parse().ok()?;
        local.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp())
    };
    let time = with_offset.or_else(local);
    if time.is_none() {
        findings.add(
            "bad-time",
            at.place,
            format!("'{text}' is not a point in time"),
            "write it as \"2026-12-01 22:00\", in quotes",
        );
    }
    time
}
