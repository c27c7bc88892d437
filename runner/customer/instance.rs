//! A server by the id that AWS knows it by. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::customer::aws::{Platform, SsmWay};
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
    /// What it runs, if EC2 says so.
    pub platform: Option<Platform>,
}

impl Customer {
    /// The host of the inventory with this id.
    pub fn host_with(&self, id: &InstanceId) -> Option<&Host> {
        self.hosts.iter().find(|host| {
            host.instance.as_deref() == Some(id.as_str())
                || host.aliases.iter().any(|alias| alias == id.as_str())
        })
    }

    /// A server that was looked up, as a host: by its id, which no tag and no title can imitate. It is
    /// in no group and has no parameters of its own. `None` for a server in an account that is not
    /// this customer's, or in a region that its account does not name.
    pub fn host_of(&self, instance: &Instance) -> Option<Host> {
        let Instance { id, address, account, region, platform } = instance;
        let way = match (account, region) {
            (Some(account), Some(region)) => {
                let own = self.aws.iter().find(|own| own.words().account == *account)?;
                let names = (id.as_str(), id.as_str());
                let way = SsmWay::new(Arc::clone(own), names, region, *platform).ok()?;
                Reach::Ssm(Arc::new(way))
            }
            // In rehearsals nothing is reached.
            _ => Reach::None,
        };
        Some(Host {
            name: id.to_string(),
            address: address.clone(),
            instance: Some(id.to_string()),
            reach: way,
            ..Host::default()
        })
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

    const SHOP: &str = "customer: shop\nname: Shop\naws:\n  \
        - {account: \"111122223333\", role: arn:aws:iam::111122223333:role/Ams, \
           external_id: ams-0f0f0f0f, regions: [ap-northeast-1]}\n\
        hosts: [{name: web01, instance: i-0a1b2c3d}]\n";

    #[test]
    fn a_server_in_an_account_or_region_of_somebody_else_is_no_host() {
        let shop = crate::customer::file::read(std::path::Path::new("shop.yaml"), SHOP).unwrap();
        let instance = |account: &str, region: &str| Instance {
            id: InstanceId::parse("i-0a1b2c3d4e5f60718").unwrap(),
            address: None,
            account: Some(account.to_owned()),
            region: Some(region.to_owned()),
            platform: None,
        };
        let own = shop.host_of(&instance("111122223333", "ap-northeast-1")).unwrap();
        let Reach::Ssm(way) = own.reach else { panic!("{:?}", own.reach) };
        assert_eq!((way.instance(), way.region()), ("i-0a1b2c3d4e5f60718", "ap-northeast-1"));
        assert!(shop.host_of(&instance("444455556666", "ap-northeast-1")).is_none());
        assert!(shop.host_of(&instance("111122223333", "us-east-1")).is_none());
        assert!(shop.host_with(&InstanceId::parse("i-0a1b2c3d").unwrap()).is_some());
    }
}
