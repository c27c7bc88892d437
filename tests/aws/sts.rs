//! STS: who opens which role, and who somebody is.
//!
//! `AssumeRole` and `GetCallerIdentity` as in the STS API reference; the external id as in "Access
//! to AWS accounts owned by third parties", tags as in "Pass session tags in AWS STS", the hour of
//! chained sessions as in "Roles terms and concepts", all three of the IAM User Guide.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::accounts::{Keys, Role, Session};
use super::form::Form;
use super::refusal::{Why, escaped};
use super::world::{Caller, Holder, Shared};

/// Of a role that is opened with the credentials of another one, as the runner's are.
const CHAINED_SECONDS: u64 = 3600;
const LEAST_SECONDS: u64 = 900;
const MOST_TAGS: usize = 50;

pub(super) fn answer(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    form: &Form,
) -> Result<String, Why> {
    match action {
        "AssumeRole" => assume_role(shared, caller, form),
        "GetCallerIdentity" => Ok(format!(
            "<UserId>AIDA</UserId><Account>{}</Account><Arn>{}</Arn>",
            caller.account, caller.arn
        )),
        _ => Err(Why::stated("InvalidAction", format!("Could not find operation {action}"))),
    }
}

fn assume_role(shared: &Shared, caller: &Caller, form: &Form) -> Result<String, Why> {
    let asked = Wish::read(form)?;
    let now = shared.clock.now();
    let mut world = shared.world();
    let (account, name) = role_of(&asked.arn).ok_or_else(|| invalid("roleArn", &asked.arn))?;
    let role = world.accounts.get(account).and_then(|account| account.roles.get(name));
    // STS does not say whether there is such a role.
    let denied = |action: &str| Why::denied(&caller.arn, action, &asked.arn);
    let Some(role) = role.filter(|role| admits(role, shared, &world.holders, caller, &asked))
    else {
        return Err(denied("sts:AssumeRole"));
    };
    if role.no_tags && !asked.tags.is_empty() {
        return Err(denied("sts:TagSession"));
    }
    let lasts = role.session.unwrap_or(Duration::from_secs(asked.seconds));
    let lasts = SignedDuration::try_from(lasts).unwrap_or(SignedDuration::ZERO);
    let keys = Keys::new("ASIA");
    let arn = format!("arn:aws:sts::{account}:assumed-role/{name}/{}", asked.name);
    let session = Session {
        account: account.to_owned(),
        region: caller.region.clone(),
        role: name.to_owned(),
        name: asked.name.clone(),
        tags: asked.tags.clone(),
        external_id: asked.external_id.clone(),
        seconds: asked.seconds,
        key_id: keys.id.clone(),
    };
    let holder = Holder {
        keys: keys.clone(),
        account: account.to_owned(),
        arn: arn.clone(),
        role: Some(name.to_owned()),
        expires: Some(now + lasts),
    };
    world.sessions.push(session);
    world.holders.insert(keys.id.clone(), holder);
    Ok(told(&keys, &arn, &asked.name, now + lasts))
}

fn told(keys: &Keys, arn: &str, name: &str, expires: Timestamp) -> String {
    format!(
        "<AssumedRoleUser><AssumedRoleId>AROA{}:{name}</AssumedRoleId><Arn>{arn}</Arn>\
         </AssumedRoleUser><Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}\
         </SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{}</Expiration>\
         </Credentials><PackedPolicySize>6</PackedPolicySize>",
        &keys.id[4..],
        keys.id,
        keys.secret,
        escaped(keys.token.as_deref().unwrap_or_default()),
        expires.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
}

/// What the trust policy says: the runner's account, with the external id if one is named.
fn admits(
    role: &Role,
    shared: &Shared,
    holders: &std::collections::HashMap<String, Holder>,
    caller: &Caller,
    asked: &Wish,
) -> bool {
    let runner = holders.get(&shared.runner.id).map(|runner| runner.account.as_str());
    let known = role.external_id.as_ref().is_none_or(|id| asked.external_id.as_ref() == Some(id));
    !role.closed && known && runner == Some(caller.account.as_str())
}

/// `AssumeRole` in the words of its reference.
struct Wish {
    arn: String,
    name: String,
    external_id: Option<String>,
    tags: BTreeMap<String, String>,
    seconds: u64,
}

impl Wish {
    fn read(form: &Form) -> Result<Self, Why> {
        let arn = form.get("RoleArn").unwrap_or_default().to_owned();
        let name = form.get("RoleSessionName").unwrap_or_default().to_owned();
        if !fits(&name, 2..=64, "_+=,.@-") {
            return Err(invalid("roleSessionName", &name));
        }
        let external_id = form.get("ExternalId").map(str::to_owned);
        if let Some(id) = external_id.as_ref().filter(|id| !fits(id, 2..=1224, "_+=,.@:/-")) {
            return Err(invalid("externalId", id));
        }
        let seconds = form.get("DurationSeconds").map_or(Ok(CHAINED_SECONDS), str::parse);
        let seconds = seconds.map_err(|_| invalid("durationSeconds", "no number"))?;
        if seconds < LEAST_SECONDS {
            return Err(invalid("durationSeconds", &seconds.to_string()));
        }
        if seconds > CHAINED_SECONDS {
            return Err(Why::stated(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed \
                 by role chaining",
            ));
        }
        let mut tags = BTreeMap::new();
        for entry in form.entries("Tags.member") {
            let of = |part: &str| form.get(&format!("{entry}.{part}")).unwrap_or_default();
            let (key, value) = (of("Key"), of("Value"));
            if !is_tag(key, 1..=128) || !is_tag(value, 0..=256) {
                return Err(invalid("tags", &format!("{key}={value}")));
            }
            if tags.insert(key.to_owned(), value.to_owned()).is_some() {
                return Err(Why::stated("InvalidParameterValue", "Duplicate tag keys found."));
            }
        }
        if tags.len() > MOST_TAGS {
            return Err(invalid("tags", &tags.len().to_string()));
        }
        Ok(Self { arn, name, external_id, tags, seconds })
    }
}

/// `arn:aws:iam::111122223333:role/Name` → account and name.
fn role_of(arn: &str) -> Option<(&str, &str)> {
    arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")
}

fn fits(text: &str, length: std::ops::RangeInclusive<usize>, signs: &str) -> bool {
    let known = |it: char| it.is_ascii_alphanumeric() || signs.contains(it);
    length.contains(&text.len()) && text.chars().all(known)
}

/// Letters of any language, digits, spaces, `_.:/=+-@`.
fn is_tag(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    let known = |it: char| it.is_alphanumeric() || it == ' ' || "_.:/=+-@".contains(it);
    length.contains(&text.chars().count()) && text.chars().all(known)
}

fn invalid(what: &str, value: &str) -> Why {
    Why::stated(
        "ValidationError",
        format!(
            "1 validation error detected: Value '{value}' at '{what}' failed to satisfy constraint"
        ),
    )
}
