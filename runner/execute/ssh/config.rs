//! The configuration of OpenSSH's client for one host. Pure.
//!
//! Everything stands in a file, because the file is what a jump's own client gets too; options on
//! the command line are not handed on, and everybody on the machine can read them. Nothing of the
//! user's or the machine's own configuration is used. `ssh_config(5)` of OpenSSH 9.2.

use sha2::{Digest as _, Sha256};

use crate::customer::ssh::{SshDoor, SshHostKeys, SshIdentity, SshWay};

/// The host in its configuration. Names in there are ours, so that none is taken for an option.
pub(super) const TARGET: &str = "ams-target";

/// For all hosts on the way. A question would wait for ever; a key that is not known is not taken;
/// what the other side could ask of us (agent, screen, ports, its own environment) it does not get.
const COMMON: &str = "\
BatchMode yes
PreferredAuthentications publickey
PubkeyAuthentication yes
PasswordAuthentication no
KbdInteractiveAuthentication no
NumberOfPasswordPrompts 0
AddKeysToAgent no
StrictHostKeyChecking yes
GlobalKnownHostsFile /dev/null
UpdateHostKeys no
VerifyHostKeyDNS no
CanonicalizeHostname no
ConnectTimeout 10
ConnectionAttempts 1
ServerAliveInterval 5
ServerAliveCountMax 3
ControlMaster no
ControlPath none
ForwardAgent no
ForwardX11 no
ClearAllForwardings yes
PermitLocalCommand no
RequestTTY no
EscapeChar none
LogLevel ERROR
";

/// `known_hosts` is where the lines of the customer's file were written to, where it has lines.
pub(super) fn client(way: &SshWay, known_hosts: &str) -> String {
    let words = way.words();
    let names: Vec<String> = (1..=words.jumps.len()).map(|it| format!("ams-jump-{it}")).collect();
    let through = match names.len() {
        0 => String::new(),
        _ => format!("ProxyJump {}\n", names.join(",")),
    };
    let jumps: String =
        names.iter().zip(&words.jumps).map(|(name, jump)| block(name, jump)).collect();
    let known_hosts = match &words.host_keys {
        SshHostKeys::File(path) => path,
        SshHostKeys::Lines(_) => known_hosts,
    };
    let identity = match &words.identity {
        SshIdentity::File(path) => {
            format!("IdentityFile {path}\nIdentitiesOnly yes\nIdentityAgent none\n")
        }
        SshIdentity::Agent(path) => format!("IdentityFile none\nIdentityAgent {path}\n"),
    };
    let target = block(TARGET, &words.door);
    format!("{target}{through}{jumps}Host *\n{COMMON}UserKnownHostsFile {known_hosts}\n{identity}")
}

fn block(name: &str, door: &SshDoor) -> String {
    let SshDoor { address, port, user } = door;
    format!("Host {name}\nHostName {address}\nPort {port}\nUser {user}\n")
}

/// Names a customer's host in a journal, where no names stand.
pub(super) fn place(way: &SshWay) -> String {
    let words = way.words();
    format!("ssh:{}", hash(&format!("{}\n{}", words.customer, words.host)))
}

/// Names a file after what is in it: what was written once is never changed under a client.
pub(super) fn hash(text: &str) -> String {
    let mut start = [0; 16];
    start.copy_from_slice(&Sha256::digest(text.as_bytes())[..16]);
    format!("{:032x}", u128::from_be_bytes(start))
}
