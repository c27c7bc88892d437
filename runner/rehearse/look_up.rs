//! Servers that a test says AWS has.

use std::collections::BTreeMap;

use async_trait::async_trait;

use crate::customer::Customer;
use crate::customer::instance::{Instance, InstanceId};
use crate::execute::sources::{LookUp, NoAnswer};
use crate::fields::{Fields, wrong_type};
use crate::finding::Findings;
use crate::yaml::{Kind, Node};

/// What a look-up by tag gives.
#[derive(Clone, Debug)]
pub enum Tagged {
    Instances(Vec<TaggedInstance>),
    /// Why AWS gives no answer.
    NoAnswer(String),
}

impl Default for Tagged {
    fn default() -> Self {
        Self::Instances(Vec::new())
    }
}

#[derive(Clone, Debug)]
pub struct TaggedInstance {
    instance: Instance,
    tags: BTreeMap<String, String>,
}

#[async_trait]
impl LookUp for Tagged {
    async fn by_tag(
        &self,
        _customer: &Customer,
        tag: &str,
        value: &str,
    ) -> Result<Vec<Instance>, NoAnswer> {
        let all = match self {
            Self::Instances(all) => all,
            Self::NoAnswer(why) => return Err(NoAnswer(why.clone())),
        };
        let has = |it: &&TaggedInstance| it.tags.get(tag).is_some_and(|own| own == value);
        Ok(all.iter().filter(has).map(|it| it.instance.clone()).collect())
    }
}

pub(super) fn read(node: &Node, findings: &mut Findings) -> Tagged {
    match &node.kind {
        Kind::Text(why) => Tagged::NoAnswer(why.clone()),
        Kind::List(items) => {
            let all = items.iter().filter_map(|item| read_instance(item, findings));
            Tagged::Instances(all.collect())
        }
        other => {
            wrong_type(findings, node.place, "look_up", "a list (`- instance:` …)", other);
            Tagged::default()
        }
    }
}

fn read_instance(node: &Node, findings: &mut Findings) -> Option<TaggedInstance> {
    let fields = Fields::of(node, "an instance", findings)?;
    let id = fields.required_text("instance", "i-0a1b2c3d4e5f60718", findings);
    let address = fields.text("address", findings).map(|at| at.value);
    let tags = fields
        .get("tags")
        .map(|node| super::file::texts_by_name(node, "tags", findings))
        .unwrap_or_default();
    fields.finish(findings);
    let at = id?;
    let Some(id) = InstanceId::parse(at.value.trim()) else {
        let message = format!("'{}' is no instance id", at.value);
        findings.add("bad-instance", at.place, message, "write it as i-0a1b2c3d4e5f60718");
        return None;
    };
    let instance = Instance { id, address, account: None, region: None, platform: None };
    Some(TaggedInstance { instance, tags })
}
