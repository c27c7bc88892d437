//! A customer's AWS accounts, and the way to a host by an agent there (SSM), checked before anything
//! is made of them. Pure.
//!
//! A way holds the account it leads to: who has a host of one customer has no name of a role, an
//! instance or a region of another.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What a customer's file says of one account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAccountWords {
    pub customer: String,
    /// Twelve digits.
    pub account: String,
    /// ARN of the role that AMS takes on there.
    pub role: String,
    /// Given with every use of the role. Made by us, one for each customer; not a secret.
    pub external_id: String,
    /// Where hosts may be.
    pub regions: Vec<String>,
    /// Whether sessions say in tags whose incident they are for.
    pub session_tags: bool,
    pub output: Option<AwsOutput>,
}

/// Where agents put output that is longer than SSM hands over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsOutput {
    pub bucket: String,
    /// Of the names in it; no slash at its ends, may be empty.
    pub prefix: String,
}

/// An account that can be reached: every value has been checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsAccount(AwsAccountWords);

/// A value that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfitValue {
    /// `role`, or any other.
    pub field: &'static str,
    pub message: String,
    pub remedy: &'static str,
}

/// What an agent's host runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Linux,
    Windows,
}

impl Platform {
    pub const WORDS: [(&str, Self); 2] = [("linux", Self::Linux), ("windows", Self::Windows)];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Linux => "linux",
            Self::Windows => "windows",
        }
    }
}

/// The way to one host by its agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsmWay {
    account: Arc<AwsAccount>,
    host: String,
    instance: String,
    region: String,
    platform: Option<Platform>,
}

impl AwsAccount {
    /// Says of all values at once what is wrong with them.
    pub fn new(words: AwsAccountWords) -> Result<Self, Vec<UnfitValue>> {
        let mut unfit = Vec::new();
        let mut check = |holds: bool, field, message: String, remedy| {
            if !holds {
                unfit.push(UnfitValue { field, message, remedy });
            }
        };
        let AwsAccountWords { account, role, external_id, regions, output, .. } = &words;
        check(
            is_account(account),
            "account",
            format!("'{account}' is no AWS account"),
            "write its twelve digits, in quotes where they begin with a zero",
        );
        match role_account(role) {
            None => check(
                false,
                "role",
                format!("'{role}' is not the ARN of a role"),
                "write it as arn:aws:iam::111122223333:role/AmsFirstResponse",
            ),
            Some(of) => check(
                of == account,
                "role",
                format!("the role '{role}' is not one of the account {account}"),
                "give the role of this account, or correct 'account'",
            ),
        }
        check(
            is_external_id(external_id),
            "external_id",
            format!("'{external_id}' is no external id"),
            "write 8 to 1,224 letters, digits or any of +=,.@:/-_",
        );
        let remedy = "name at least one, such as ap-northeast-1";
        check(!regions.is_empty(), "regions", format!("{account} has no regions"), remedy);
        for region in regions {
            check(is_region(region), "regions", format!("'{region}' is no AWS region"), remedy);
        }
        if let Some(AwsOutput { bucket, prefix }) = output {
            let message = format!("'{bucket}/{prefix}' cannot be a place for output");
            let remedy = "give the name of a bucket, and a prefix of letters, digits and ._/-";
            check(is_bucket(bucket) && is_prefix(prefix), "output", message, remedy);
        }
        if unfit.is_empty() { Ok(Self(words)) } else { Err(unfit) }
    }

    pub const fn words(&self) -> &AwsAccountWords {
        &self.0
    }
}

impl SsmWay {
    pub fn new(
        account: Arc<AwsAccount>,
        (host, instance): (&str, &str),
        region: &str,
        platform: Option<Platform>,
    ) -> Result<Self, UnfitValue> {
        if !is_instance(instance) {
            return Err(UnfitValue {
                field: "instance",
                message: format!("'{instance}' is not the id of a machine that SSM manages"),
                remedy: "write an id such as i-0a1b2c3d4e5f60718 or mi-0a1b2c3d4e5f60718",
            });
        }
        if !account.0.regions.iter().any(|known| known == region) {
            return Err(UnfitValue {
                field: "region",
                message: format!("{host} is in {region}, which its account does not name"),
                remedy: "correct 'region', or add it to 'regions' of the account",
            });
        }
        let (host, instance, region) = (host.to_owned(), instance.to_owned(), region.to_owned());
        Ok(Self { account, host, instance, region, platform })
    }

    pub const fn account(&self) -> &Arc<AwsAccount> {
        &self.account
    }

    /// The host as people call it.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn instance(&self) -> &str {
        &self.instance
    }

    pub fn region(&self) -> &str {
        &self.region
    }

    /// What the customer's file says it runs.
    pub const fn platform(&self) -> Option<Platform> {
        self.platform
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The account of `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
fn role_account(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (arn, partition, service) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_/-".contains(&byte);
    let name = resource.strip_prefix("role/")?;
    let is_role = arn == "arn"
        && ["aws", "aws-cn", "aws-us-gov"].contains(&partition)
        && service == "iam"
        && region.is_empty()
        && is_account(account)
        && (1..=576).contains(&name.len())
        && !name.ends_with('/')
        && name.bytes().all(known);
    is_role.then_some(account)
}

/// AWS allows two characters; what is guessed is none.
fn is_external_id(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@:/_-".contains(&byte);
    (8..=1_224).contains(&text.len()) && text.bytes().all(known)
}

/// `ap-northeast-1`, `us-gov-west-1`.
fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|it| it.is_ascii_lowercase());
    let Some((number, words)) = parts.split_last() else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (2..=4).contains(&words.len()) && words.iter().all(is_word) && is_number && text.len() <= 32
}

/// Of EC2, or of a machine elsewhere with an activation.
fn is_instance(text: &str) -> bool {
    let digits = text.strip_prefix("i-").or_else(|| text.strip_prefix("mi-"));
    digits.is_some_and(|digits| {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        [8, 17].contains(&digits.len()) && digits.bytes().all(is_hex)
    })
}

fn is_bucket(text: &str) -> bool {
    let known =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-".contains(&byte);
    (3..=63).contains(&text.len()) && text.bytes().all(known) && !text.contains("..")
}

fn is_prefix(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    text.len() <= 500
        && text.bytes().all(known)
        && !text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("..")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> AwsAccountWords {
        AwsAccountWords {
            customer: "example-shop".to_owned(),
            account: "111122223333".to_owned(),
            role: "arn:aws:iam::111122223333:role/AmsFirstResponse".to_owned(),
            external_id: "ams-6f0c2b7e-example-shop".to_owned(),
            regions: vec!["ap-northeast-1".to_owned()],
            session_tags: true,
            output: None,
        }
    }

    fn unfit(change: impl Fn(&mut AwsAccountWords)) -> Vec<&'static str> {
        let mut words = words();
        change(&mut words);
        let unfit = AwsAccount::new(words).err().unwrap_or_default();
        unfit.iter().map(|it| it.field).collect()
    }

    #[test]
    fn an_ordinary_account_can_be_reached() {
        assert!(unfit(|_| {}).is_empty());
        let path = "arn:aws-us-gov:iam::111122223333:role/ops/AmsFirstResponse";
        assert!(unfit(|it| path.clone_into(&mut it.role)).is_empty());
        assert!(unfit(|it| it.regions.push("us-gov-west-1".to_owned())).is_empty());
        let output = AwsOutput { bucket: "shop-output".to_owned(), prefix: String::new() };
        assert!(unfit(|it| it.output = Some(output.clone())).is_empty());
    }

    #[test]
    fn a_role_is_one_of_its_account() {
        for bad in [
            "",
            "AmsFirstResponse",
            "arn:aws:iam::111122223333:user/ams",
            "arn:aws:iam::111122223333:role/",
            "arn:aws:iam::111122223333:role/a b",
            "arn:aws:sts::111122223333:assumed-role/a/b",
            "arn:aws:iam::444455556666:role/AmsFirstResponse",
        ] {
            assert_eq!(unfit(|it| bad.clone_into(&mut it.role)), ["role"], "{bad}");
        }
    }

    #[test]
    fn what_is_no_account_region_or_place_is_refused() {
        for bad in ["", "1234567", "ams ams ams", "ams\nams-ams"] {
            assert_eq!(unfit(|it| bad.clone_into(&mut it.external_id)), ["external_id"], "{bad}");
            assert_eq!(unfit(|it| it.regions = vec![bad.to_owned()]), ["regions"], "{bad}");
        }
        assert_eq!(unfit(|it| it.regions.clear()), ["regions"]);
        for (bucket, prefix) in [("Shop", ""), ("a", ""), ("shop", "../x"), ("shop", "/x")] {
            let output = AwsOutput { bucket: bucket.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(unfit(|it| it.output = Some(output.clone())), ["output"], "{bucket}");
        }
    }

    #[test]
    fn a_way_leads_to_a_machine_in_a_region_of_its_account() {
        let account = Arc::new(AwsAccount::new(words()).unwrap_or_else(|_| unreachable!()));
        let way = |instance, region| {
            SsmWay::new(Arc::clone(&account), ("web01", instance), region, None).is_ok()
        };
        assert!(way("i-0a1b2c3d4e5f60718", "ap-northeast-1"));
        assert!(way("mi-0a1b2c3d4e5f60718", "ap-northeast-1"));
        assert!(way("i-1a2b3c4d", "ap-northeast-1"));
        for bad in ["", "web01", "i-", "i-0A1B2C3D", "i-0a1b2c3d4e5f6071$", "i-0a1b2c3d,i-1a2b3c4d"]
        {
            assert!(!way(bad, "ap-northeast-1"), "{bad}");
        }
        assert!(!way("i-0a1b2c3d4e5f60718", "us-east-1"));
    }
}
