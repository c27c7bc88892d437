//! A step's call with its values, in an account of the run's own customer. Pure.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::customer::aws::{AwsAccount, SsmWay};
use crate::customer::{Customer, Reach};
use crate::execute::actuator::AwsCall;
use crate::execute::end::{End, Lack};
use crate::execute::prepare::Moment;
use crate::scenario::aws_call::AwsTemplate;
use crate::scenario::template::Template;
use crate::scenario::value::Values;

impl Moment<'_> {
    /// Whatever a value says, it names nothing outside this run's customer.
    pub(in crate::execute) fn aws(
        &self,
        step: usize,
        call: &AwsTemplate,
        values: &Values,
    ) -> Result<AwsCall, End> {
        let no = |why: String| End::CannotGoOn { step, lack: Lack::Other(why) };
        let filled = |template: &Template| match template.render(values) {
            Ok(text) => Ok(text.trim().to_owned()),
            Err(error) => Err(self.no_value(step, values, &error)),
        };
        let Some(customer) = self.world.customer.as_deref() else {
            return Err(End::CannotGoOn { step, lack: Lack::NoCustomer });
        };
        let mut fields = BTreeMap::new();
        for field in call.word.fields {
            let Some(template) = call.fields.get(field.name) else { continue };
            let value = filled(template)?;
            if !field.form.fits(&value) {
                return Err(no(format!("'{value}' is not {}", field.form.words())));
            }
            fields.insert(field.name, value);
        }
        let way = self.way_of_target(values);
        let way = way.as_deref();
        let named = call.account.as_ref().map(&filled).transpose()?;
        let account = account(customer, named.as_deref(), way).map_err(no)?;
        let named = call.region.as_ref().map(&filled).transpose()?;
        let region = region(account, named, way).map_err(no)?;
        Ok(AwsCall { word: call.word, fields, account: Arc::clone(account), region })
    }

    /// Where the host is that the run is about.
    fn way_of_target(&self, values: &Values) -> Option<Arc<SsmWay>> {
        let target = values.get("target.host")?;
        match &self.world.host(self.memory, target.as_str()?)?.reach {
            Reach::Ssm(way) => Some(Arc::clone(way)),
            Reach::None | Reach::Local | Reach::Ssh(_) => None,
        }
    }
}

/// The one that is named, else that of the target, else the only one.
fn account<'a>(
    customer: &'a Customer,
    named: Option<&str>,
    way: Option<&'a SsmWay>,
) -> Result<&'a Arc<AwsAccount>, String> {
    let name = &customer.name;
    match (named, way, customer.aws.as_slice()) {
        (Some(named), ..) => {
            let known = customer.aws.iter().find(|it| it.words().account == named);
            known.ok_or_else(|| format!("{name} has no AWS account '{named}'"))
        }
        (None, Some(way), _) => Ok(way.account()),
        (None, None, [only]) => Ok(only),
        (None, None, []) => Err(format!("{name} has no AWS account in its file")),
        (None, None, _) => {
            Err(format!("{name} has several AWS accounts, and the step names none (account: …)"))
        }
    }
}

fn region(
    account: &Arc<AwsAccount>,
    named: Option<String>,
    way: Option<&SsmWay>,
) -> Result<String, String> {
    let words = account.words();
    let of_target = way.filter(|way| way.account() == account).map(|way| way.region().to_owned());
    let only = match words.regions.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    let account = &words.account;
    let region = named.or(of_target).or(only).ok_or_else(|| {
        format!(
            "the AWS account {account} has several regions, and the step names none (region: …)"
        )
    })?;
    if words.regions.contains(&region) {
        Ok(region)
    } else {
        Err(format!("the AWS account {account} has no region '{region}' in its customer's file"))
    }
}
