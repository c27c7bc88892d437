//! Why a connection could not be made, in words of ours with what to do. Pure.
//!
//! The client's own messages are OpenSSH 9.2's; of those that are not known the first line is told.

use std::time::Duration;

use crate::customer::ssh::{SshDoor, SshHostKeys, SshIdentity, SshWay};
use crate::mask;

/// Characters of a message that is told as it is.
const MESSAGE_CHARS: usize = 200;

/// What the client says when it got no greeting. Behind a jump host that follows from what the
/// jump's own client has said before.
const NO_GREETING: &str = "kex_exchange_identification";

/// What a jump's client says when the jump host is well and cannot connect further.
const NOT_FURTHER: &str = "open failed";

/// What went wrong by the words that say so, and what to do. The first one counts: causes stand
/// before what follows from them.
const REASONS: [(&str, &str, &str); 18] = [
    (
        "REMOTE HOST IDENTIFICATION HAS CHANGED",
        "its host key is not the one that {keys} has",
        "if the host was set up anew, compare its key there and write the new one down; if not, \
         somebody may stand in between",
    ),
    ("marked as revoked", "its host key is revoked in {keys}", "give the host a new key"),
    (
        "host key is known for",
        "its host key is not in {keys}",
        "compare the key on the host with what `ssh-keyscan` prints and write it down there",
    ),
    (
        "Host key verification failed",
        "its host key is not in {keys}",
        "compare the key on the host with what `ssh-keyscan` prints and write it down there",
    ),
    (
        "UNPROTECTED PRIVATE KEY FILE",
        "{identity} may be read by others, so it is not used",
        "let only AMS read it (chmod 600)",
    ),
    (
        "incorrect passphrase",
        "{identity} has a passphrase",
        "give AMS a key without one, or an agent that holds it",
    ),
    ("Load key", "{identity} cannot be read as a private key", "check the file"),
    (
        "Permission denied",
        "{user} is not let in with {identity}",
        "add the public key to the user's authorized_keys there, or correct `user`",
    ),
    (
        "Too many authentication failures",
        "{identity} offers too many keys",
        "let it hold the one key for this customer",
    ),
    (
        "Could not resolve hostname",
        "the name {address} is not known",
        "correct `address`, or give the address itself",
    ),
    ("Connection refused", "nothing listens at {address}", "check that sshd runs there"),
    (
        "administratively prohibited",
        "the jump host does not connect to {address}",
        "allow it there (AllowTcpForwarding, PermitOpen)",
    ),
    (
        "timed out",
        "{address} did not answer in time",
        "check that it is up and that the way to its port is open",
    ),
    ("No route to host", "there is no way to {address}", "check the network, or give a jump host"),
    (
        "Network is unreachable",
        "there is no way to {address}",
        "check the network, or give a jump host",
    ),
    (
        "no matching",
        "it offers only methods that OpenSSH does not use any more",
        "renew its SSH server",
    ),
    (
        " closed by",
        "{address} closed the connection before it stood",
        "look into the log of sshd there: it may have too many connections, or not allow ours",
    ),
    (
        "reset by peer",
        "{address} closed the connection before it stood",
        "look into the log of sshd there: it may have too many connections, or not allow ours",
    ),
];

/// What people are told of a connection that did not come about.
pub(super) fn reason(way: &SshWay, said: &str) -> String {
    let words = way.words();
    let at_jump = said.contains(NO_GREETING) && !said.contains(NOT_FURTHER);
    let jumps = words.jumps.iter().filter(|_| at_jump);
    let named = jumps.clone().find(|jump| said.contains(&jump.address));
    let jump = named.or_else(|| jumps.clone().next());
    let place = match jump {
        Some(_) => format!("on the way to {}, at a jump host", words.host),
        None => words.host.clone(),
    };
    let known = REASONS.iter().find(|(sign, ..)| said.contains(sign));
    match known {
        Some((_, what, remedy)) => {
            format!("{place}: {}; {remedy}", filled(what, way, jump.unwrap_or(&words.door)))
        }
        None => format!("{place}: no shell began there{}", first_line(said)),
    }
}

/// Does the client say that it ended before the host was told anything?
pub(super) fn came_before_anything(said: &str) -> bool {
    const SIGNS: [&str; 4] = [
        "ssh: connect to host",
        "ssh: Could not resolve hostname",
        "Host key verification failed",
        ": Permission denied (",
    ];
    SIGNS.iter().any(|sign| said.contains(sign))
}

/// How long a host may take until its shell is there is bounded beside the client's own bounds.
pub(super) fn too_slow(way: &SshWay, waited: Duration) -> String {
    let (what, remedy) = (
        "{address} did not answer in time",
        "check that it is up and that the way to its port is open",
    );
    let words = way.words();
    let what = filled(what, way, &words.door);
    format!("{}: {what} ({:.1} s); {remedy}", words.host, waited.as_secs_f32())
}

fn filled(what: &str, way: &SshWay, door: &SshDoor) -> String {
    let words = way.words();
    let keys = match &words.host_keys {
        SshHostKeys::File(path) => path.as_str(),
        SshHostKeys::Lines(_) => "the customer's `host_keys`",
    };
    let identity = match &words.identity {
        SshIdentity::File(path) => format!("the key {path}"),
        SshIdentity::Agent(path) => format!("the agent {path}"),
    };
    what.replace("{keys}", keys)
        .replace("{identity}", &identity)
        .replace("{user}", &door.user)
        .replace("{address}", &format!("{}, port {}", door.address, door.port))
}

fn first_line(said: &str) -> String {
    let line = said.lines().map(str::trim).find(|line| !line.is_empty());
    match line {
        Some(line) => format!(" ({})", mask::first_chars(&mask::plain(line), MESSAGE_CHARS)),
        None => String::new(),
    }
}
