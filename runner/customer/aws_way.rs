//! Reads a customer's AWS accounts, and how its hosts are reached there.

use std::sync::Arc;

use crate::customer::Reach;
use crate::customer::aws::{AwsAccount, AwsAccountWords, AwsOutput, Platform, SsmWay, UnfitValue};
use crate::fields::{At, Fields};
use crate::finding::{Findings, did_you_mean};
use crate::yaml::{Node, Place};

/// `None` where something is wrong with it.
pub(super) fn account(
    node: &Node,
    customer: &str,
    findings: &mut Findings,
) -> Option<Arc<AwsAccount>> {
    let fields = Fields::of(node, "aws", findings)?;
    let account = fields.required_text("account", "\"111122223333\"", findings);
    let example = "arn:aws:iam::111122223333:role/AmsFirstResponse";
    let role = fields.required_text("role", example, findings);
    let external_id = fields.required_text("external_id", "ams-6f0c2b7e-example-shop", findings);
    let has_regions = fields.required("regions", "[ap-northeast-1]", findings).is_some();
    let regions = fields.texts("regions", findings).into_iter().map(|at| at.value).collect();
    let words = [("true", true), ("false", false)];
    let session_tags = fields.word("session_tags", &words, findings).is_none_or(|at| at.value);
    let output = fields.get("output").map(|node| output(node, findings));
    fields.finish(findings);
    let (account, role, external_id) = (account?, role?, external_id?);
    let output = match output {
        Some(read) => Some(read?),
        None => None,
    };
    if !has_regions {
        return None;
    }
    let words = AwsAccountWords {
        customer: customer.to_owned(),
        account: account.value,
        role: role.value,
        external_id: external_id.value,
        regions,
        session_tags,
        output,
    };
    match AwsAccount::new(words) {
        Ok(account) => Some(Arc::new(account)),
        Err(unfit) => {
            for value in unfit {
                if value.field == "role" {
                    findings.add("bad-role", role.place, value.message, value.remedy);
                } else {
                    add(account.place, value, findings);
                }
            }
            None
        }
    }
}

fn output(node: &Node, findings: &mut Findings) -> Option<AwsOutput> {
    let fields = Fields::of(node, "output", findings)?;
    let bucket = fields.required_text("bucket", "example-shop-ams-output", findings);
    let prefix = fields.text("prefix", findings).map(|at| at.value).unwrap_or_default();
    fields.finish(findings);
    Some(AwsOutput { bucket: bucket?.value, prefix: prefix.trim_end_matches('/').to_owned() })
}

/// What a host says of where it is in AWS.
#[derive(Default)]
pub(super) struct InAws {
    pub(super) instance: Option<At<String>>,
    account: Option<At<String>>,
    region: Option<At<String>>,
    platform: Option<Platform>,
}

impl InAws {
    pub(super) fn read(fields: &Fields<'_>, findings: &mut Findings) -> Self {
        Self {
            instance: fields.text("instance", findings),
            account: fields.text("account", findings),
            region: fields.text("region", findings),
            platform: fields.word("platform", &Platform::WORDS, findings).map(|at| at.value),
        }
    }
}

/// The way to one host by its agent. An account or a region that is the only one need not be named.
pub(super) fn ssm(
    (host, place): (&str, Place),
    own: &InAws,
    accounts: &[Arc<AwsAccount>],
    findings: &mut Findings,
) -> Reach {
    let incomplete = |message: &str, remedy: &str, findings: &mut Findings| {
        let message = format!("{host} is reached by SSM, and {message}");
        findings.add("host-without-way", place, message, remedy);
        Reach::None
    };
    let Some(instance) = &own.instance else {
        let remedy = "give its id: instance: i-0a1b2c3d4e5f60718";
        return incomplete("nothing says which machine it is", remedy, findings);
    };
    let account = match (&own.account, accounts) {
        (_, []) => {
            let remedy = "give account, role, external_id and regions under 'aws' of the customer";
            return incomplete("the customer has no AWS account", remedy, findings);
        }
        (None, [only]) => only,
        (None, _) => {
            let remedy = "say in which one: account: \"111122223333\"";
            return incomplete("the customer has several AWS accounts", remedy, findings);
        }
        (Some(named), _) => {
            let of = |account: &&Arc<AwsAccount>| account.words().account == named.value;
            let Some(account) = accounts.iter().find(of) else {
                unknown_account(named, accounts, findings);
                return Reach::None;
            };
            account
        }
    };
    let region = match (&own.region, account.words().regions.as_slice()) {
        (Some(named), _) => named.value.as_str(),
        (None, [only]) => only,
        (None, _) => {
            let remedy = "say in which one: region: ap-northeast-1";
            return incomplete("its account has several regions", remedy, findings);
        }
    };
    match SsmWay::new(Arc::clone(account), (host, &instance.value), region, own.platform) {
        Ok(way) => Reach::Ssm(Arc::new(way)),
        Err(unfit) => {
            let region = own.region.as_ref().filter(|_| unfit.field == "region");
            add(region.unwrap_or(instance).place, unfit, findings);
            Reach::None
        }
    }
}

fn unknown_account(named: &At<String>, accounts: &[Arc<AwsAccount>], findings: &mut Findings) {
    let known = accounts.iter().map(|it| it.words().account.as_str());
    let remedy = match did_you_mean(&named.value, known.clone()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("possible here: {}", known.collect::<Vec<_>>().join(", ")),
    };
    let message = format!("the customer has no AWS account '{}'", named.value);
    findings.add("unknown-account", named.place, message, remedy);
}

fn add(place: Place, unfit: UnfitValue, findings: &mut Findings) {
    findings.add("bad-way", place, unfit.message, unfit.remedy);
}
