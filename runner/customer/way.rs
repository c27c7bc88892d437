//! Reads how a customer's hosts are reached: `ssh` of the customer, with what one host has of its own.

use std::sync::Arc;

use crate::customer::Reach;
use crate::customer::ssh::{SshDoor, SshHostKeys, SshIdentity, SshWay, SshWords};
use crate::fields::{At, Fields};
use crate::finding::Findings;
use crate::yaml::{Node, Place};

/// What stands under one `ssh`.
#[derive(Clone, Debug, Default)]
pub(super) struct SshPart {
    user: Option<String>,
    port: Option<u16>,
    identity: Option<SshIdentity>,
    host_keys: Option<SshHostKeys>,
    jumps: Option<Vec<At<String>>>,
    device: Option<bool>,
}

const PORT: u16 = 22;

pub(super) fn read(node: &Node, findings: &mut Findings) -> SshPart {
    let Some(fields) = Fields::of(node, "ssh", findings) else { return SshPart::default() };
    let port = fields.number("port", findings).and_then(|at| {
        let port = u16::try_from(at.value).ok().filter(|port| *port != 0);
        if port.is_none() {
            let remedy = "write a number from 1 to 65535";
            findings.add("bad-way", at.place, format!("{} is no port", at.value), remedy);
        }
        port
    });
    let file = fields.text("identity", findings).map(|at| SshIdentity::File(at.value));
    let agent = fields.text("agent", findings).map(|at| SshIdentity::Agent(at.value));
    let known = fields.text("known_hosts", findings).map(|at| SshHostKeys::File(at.value));
    let lines = fields.texts("host_keys", findings);
    let lines: Vec<String> = lines.into_iter().map(|at| at.value).collect();
    for (first, second, both) in [
        ("identity", "agent", file.is_some() && agent.is_some()),
        ("known_hosts", "host_keys", known.is_some() && !lines.is_empty()),
    ] {
        if both {
            let message = format!("both '{first}' and '{second}' are given");
            findings.add("bad-way", node.place, message, "remove one of them");
        }
    }
    let part = SshPart {
        user: fields.text("user", findings).map(|at| at.value),
        port,
        identity: file.or(agent),
        host_keys: known.or((!lines.is_empty()).then_some(SshHostKeys::Lines(lines))),
        jumps: fields.get("jump").map(|_| fields.texts("jump", findings)),
        device: fields
            .word("device", &[("true", true), ("false", false)], findings)
            .map(|at| at.value),
    };
    fields.finish(findings);
    part
}

/// Whose host it is, and where it stands in the file.
pub(super) struct Whose<'a> {
    pub customer: &'a str,
    pub host: &'a str,
    pub address: &'a str,
    pub place: Place,
}

/// The way to one host: what it says itself before what its customer says.
pub(super) fn ssh(
    whose: &Whose<'_>,
    general: &SshPart,
    own: SshPart,
    findings: &mut Findings,
) -> Reach {
    let user = own.user.or_else(|| general.user.clone());
    let identity = own.identity.or_else(|| general.identity.clone());
    let host_keys = own.host_keys.or_else(|| general.host_keys.clone());
    let (Some(user), Some(identity), Some(host_keys)) = (user, identity, host_keys) else {
        findings.add(
            "host-without-way",
            whose.place,
            format!("{} is reached by SSH, and its way is not complete", whose.host),
            "give user, identity (or agent) and known_hosts (or host_keys) under 'ssh', here or for the \
             customer",
        );
        return Reach::None;
    };
    let jumps = own.jumps.or_else(|| general.jumps.clone()).unwrap_or_default();
    let words = SshWords {
        customer: whose.customer.to_owned(),
        host: whose.host.to_owned(),
        jumps: jumps.iter().map(|jump| door(&jump.value, &user)).collect(),
        door: SshDoor {
            address: whose.address.to_owned(),
            port: own.port.or(general.port).unwrap_or(PORT),
            user,
        },
        identity,
        host_keys,
        device: own.device.or(general.device).unwrap_or(false),
    };
    match SshWay::new(words) {
        Ok(way) => Reach::Ssh(Arc::new(way)),
        Err(unfit) => {
            for word in unfit {
                let message =
                    format!("{}: {:?} cannot be used as {}", whose.host, word.value, word.field);
                findings.add("bad-way", whose.place, message, word.remedy);
            }
            Reach::None
        }
    }
}

/// `ams@bastion.example.jp:22`; user and port may be left out. What is wrong with it is found later.
fn door(written: &str, user: &str) -> SshDoor {
    let (user, rest) = written.split_once('@').unwrap_or((user, written));
    let port = |text: &str| text.parse::<u16>().ok();
    let (address, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':').map_or(Some(PORT), port)),
        None => match rest.rsplit_once(':') {
            // An address with several colons has no port.
            Some((address, text)) if !address.contains(':') => (address, port(text)),
            _ => (rest, Some(PORT)),
        },
    };
    SshDoor { address: address.to_owned(), port: port.unwrap_or(0), user: user.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doors_are_read_as_people_write_them() {
        let read = |text| {
            let SshDoor { address, port, user } = door(text, "ams");
            format!("{user} {address} {port}")
        };
        assert_eq!(read("bastion.example.jp"), "ams bastion.example.jp 22");
        assert_eq!(read("ops@10.0.0.1:2222"), "ops 10.0.0.1 2222");
        assert_eq!(read("2001:db8::1"), "ams 2001:db8::1 22");
        assert_eq!(read("[2001:db8::1]:2200"), "ams 2001:db8::1 2200");
        assert_eq!(read("host:x"), "ams host 0");
    }
}
