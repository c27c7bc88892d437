//! A server by the id that AWS knows it by. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::customer::{Customer, Host, Reach};

/// `i-0a1b2c3d4e5f60718` of EC2, or `mi-…` of a server elsewhere with the SSM agent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId(String);

impl InstanceId {
    /// `None` for what AWS gives to no server.
    pub fn parse(text: &str) -> Option<Self> {
        let number = text.strip_prefix("mi-").or_else(|| text.strip_prefix("i-"))?;
        let hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        // Old instances have eight digits.
        let fits = matches!(number.len(), 8 | 17) && number.bytes().all(hexadecimal);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.0
    }
}

impl TryFrom<String> for InstanceId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| format!("{text:?} is no instance id"))
    }
}

/// A server that was looked up in a customer's account, and not taken from the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Instance {
    pub id: InstanceId,
    /// Its private address.
    pub address: Option<String>,
    /// AWS account, twelve digits.
    pub account: Option<String>,
    pub region: Option<String>,
}

impl Customer {
    /// The host of the inventory with this id.
    pub fn host_with(&self, id: &InstanceId) -> Option<&Host> {
        self.hosts.iter().find(|host| {
            host.instance.as_ref() == Some(id)
                || host.aliases.iter().any(|alias| alias == id.as_str())
        })
    }
}

impl Instance {
    /// The server as a host: by its id, which no tag and no title can imitate. It is in no group and
    /// has no parameters of its own.
    pub fn host(&self) -> Host {
        Host {
            name: self.id.to_string(),
            address: self.address.clone(),
            instance: Some(self.id.clone()),
            reach: Reach::None,
            ..Host::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_servers_are_instance_ids() {
        for good in ["i-0a1b2c3d4e5f60718", "i-1a2b3c4d", "mi-0a1b2c3d4e5f60718"] {
            assert_eq!(InstanceId::parse(good).map(String::from).as_deref(), Some(good));
        }
        for bad in ["", "i-", "i-0A1B2C3D", "i-0a1b2c3d4e5f6071", "vol-0a1b2c3d", "i-0a1b2c3d\n"] {
            assert_eq!(InstanceId::parse(bad), None, "{bad}");
        }
        assert!(serde_json::from_str::<InstanceId>("\"i-$(reboot)\"").is_err());
    }
}
