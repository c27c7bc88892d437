//! The way to a host by SSH, checked before anything is made of it. Pure.
//!
//! All of it becomes the configuration of OpenSSH's client (`execute/ssh/config.rs`), where a space,
//! a quote or a `%` would mean something: each value is held to a pattern here, so none has them.

use std::fmt;

/// Where an SSH server is, and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshDoor {
    /// A name or an address.
    pub address: String,
    pub port: u16,
    pub user: String,
}

/// What proves who we are. Never a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshIdentity {
    /// A private key without a passphrase, in a file that only AMS can read.
    File(String),
    /// The socket of an agent that holds the keys.
    Agent(String),
}

/// The only host keys that are taken; none is learnt on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SshHostKeys {
    /// A file in the form of `known_hosts`.
    File(String),
    /// Lines of that form: `10.0.1.11 ssh-ed25519 AAAA..`, jump hosts included.
    Lines(Vec<String>),
}

/// What a customer's file says of the way to one host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshWords {
    pub customer: String,
    /// The host as people call it.
    pub host: String,
    pub door: SshDoor,
    pub identity: SshIdentity,
    pub host_keys: SshHostKeys,
    /// Hosts in between, the nearest to us first.
    pub jumps: Vec<SshDoor>,
    /// A network device: no shell there, so only single commands and no marker.
    pub device: bool,
}

/// A way that can be gone: every value has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshWay(SshWords);

/// A value that cannot stand in the client's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitWord {
    /// `address`, `user`, `identity`, `known_hosts`, `host_keys` or `jump`.
    pub field: &'static str,
    pub value: String,
    pub remedy: &'static str,
}

impl fmt::Display for UnfitWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot be used as {}: {}", self.value, self.field, self.remedy)
    }
}

/// Jump hosts on the way to one host; more than two are hardly ever needed.
pub const MOST_JUMPS: usize = 4;

const PATH: &str = "give an absolute path of letters, digits and ._/+@=,-";

impl SshWay {
    /// Says of all values at once what is wrong with them.
    pub fn new(words: SshWords) -> Result<Self, Vec<UnfitWord>> {
        let mut unfit = Vec::new();
        let mut check = |field, value: &str, holds: bool, remedy| {
            if !holds {
                unfit.push(UnfitWord { field, value: value.to_owned(), remedy });
            }
        };
        for (field, door) in std::iter::once(("address", &words.door))
            .chain(words.jumps.iter().map(|jump| ("jump", jump)))
        {
            let remedy = "give a host name or an address, without port";
            check(field, &door.address, is_address(&door.address), remedy);
            check(field, "0", door.port != 0, "a port is a number from 1 to 65535");
            let field = if field == "jump" { "jump" } else { "user" };
            let remedy = "give a user name of small letters, digits and ._-";
            check(field, &door.user, is_user(&door.user), remedy);
        }
        let many = words.jumps.len().to_string();
        check("jump", &many, words.jumps.len() <= MOST_JUMPS, "at most four jump hosts");
        let (SshIdentity::File(path) | SshIdentity::Agent(path)) = &words.identity;
        check("identity", path, is_path(path), PATH);
        match &words.host_keys {
            SshHostKeys::File(path) => check("known_hosts", path, is_path(path), PATH),
            SshHostKeys::Lines(lines) => {
                let remedy = "give the lines that `ssh-keyscan` prints: ADDRESS TYPE KEY";
                check("host_keys", "", !lines.is_empty(), remedy);
                for line in lines {
                    check("host_keys", line, is_key_line(line), remedy);
                }
            }
        }
        if unfit.is_empty() { Ok(Self(words)) } else { Err(unfit) }
    }

    pub const fn words(&self) -> &SshWords {
        &self.0
    }
}

fn is_address(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=253).contains(&text.len()) && !text.starts_with(['-', '.']) && text.bytes().all(known)
}

fn is_user(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=32).contains(&text.len()) && !text.starts_with(['-', '.']) && text.bytes().all(known)
}

fn is_path(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._/+@=,-".contains(&byte);
    text.starts_with('/') && text.len() > 1 && text.bytes().all(known)
}

/// `[@cert-authority] NAMES TYPE KEY`, as ssh-keyscan prints it; no comment.
fn is_key_line(line: &str) -> bool {
    let line = line.strip_prefix("@cert-authority ").unwrap_or(line);
    let words: Vec<&str> = line.split(' ').collect();
    let [names, kind, key] = words.as_slice() else { return false };
    let name = |byte: u8| byte.is_ascii_alphanumeric() || b"._:,[]*?|+/=-".contains(&byte);
    let kind_of = |byte: u8| byte.is_ascii_alphanumeric() || b"@.-".contains(&byte);
    let base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let all = |text: &str, known: &dyn Fn(u8) -> bool| !text.is_empty() && text.bytes().all(known);
    all(names, &name) && all(kind, &kind_of) && all(key, &base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> SshWords {
        let door = |address: &str| SshDoor {
            address: address.to_owned(),
            port: 22,
            user: "ams".to_owned(),
        };
        SshWords {
            customer: "example-shop".to_owned(),
            host: "web01".to_owned(),
            door: door("10.0.1.11"),
            identity: SshIdentity::File("/etc/ams/keys/example-shop".to_owned()),
            host_keys: SshHostKeys::Lines(vec!["10.0.1.11 ssh-ed25519 AAAAC3Nz+/=".to_owned()]),
            jumps: vec![door("bastion.example-shop.jp")],
            device: false,
        }
    }

    fn unfit(change: impl Fn(&mut SshWords)) -> Vec<&'static str> {
        let mut words = words();
        change(&mut words);
        let unfit = SshWay::new(words).err().unwrap_or_default();
        unfit.iter().map(|it| it.field).collect()
    }

    #[test]
    fn an_ordinary_way_can_be_gone() {
        assert!(SshWay::new(words()).is_ok());
        assert!(unfit(|it| it.door.address = "2001:db8::1".to_owned()).is_empty());
        assert!(unfit(|it| it.host_keys = SshHostKeys::File("/etc/k".to_owned())).is_empty());
    }

    #[test]
    fn what_would_mean_something_in_a_configuration_is_refused() {
        for bad in ["", "-oProxyCommand=x", "a b", "a\nProxyCommand x", "%h", "a\"b", "$(x)"] {
            assert_eq!(unfit(|it| bad.clone_into(&mut it.door.address)), ["address"], "{bad}");
            assert_eq!(unfit(|it| bad.clone_into(&mut it.door.user)), ["user"], "{bad}");
            assert_eq!(unfit(|it| bad.clone_into(&mut it.jumps[0].user)), ["jump"], "{bad}");
            let path = format!("/etc/{bad} x");
            assert_eq!(unfit(|it| it.identity = SshIdentity::File(path.clone())), ["identity"]);
            assert_eq!(unfit(|it| it.identity = SshIdentity::Agent(bad.to_owned())), ["identity"]);
            let lines = SshHostKeys::Lines(vec![format!("10.0.1.11 ssh-ed25519 {bad}")]);
            assert_eq!(unfit(|it| it.host_keys = lines.clone()), ["host_keys"], "{bad}");
        }
        assert_eq!(unfit(|it| it.host_keys = SshHostKeys::Lines(Vec::new())), ["host_keys"]);
        assert_eq!(unfit(|it| it.jumps = vec![it.door.clone(); 5]), ["jump"]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let fields = unfit(|it| {
            "a b".clone_into(&mut it.door.user);
            it.door.port = 0;
        });
        assert_eq!(fields, ["address", "user"]);
    }
}
