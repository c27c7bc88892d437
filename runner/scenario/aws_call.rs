//! `aws:` steps: the few words for what is asked of AWS, and what each needs. Pure.
//!
//! A word stands for one call of one service; what it sends and reads is in `execute/aws_api/`. Values
//! come from outside, so each has a form it must fit before anything is sent.

use std::collections::BTreeMap;

use crate::fields::Fields;
use crate::scenario::reading::Reading;
use crate::scenario::template::Template;
use crate::yaml::Node;

/// What is asked of AWS, by one word.
#[derive(Debug, PartialEq, Eq)]
pub struct Call {
    pub word: &'static str,
    /// It changes something, so it stands in recover steps only.
    pub changes: bool,
    /// A word that has only one is followed by its value.
    pub fields: &'static [Field],
}

#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub form: Form,
    pub required: bool,
}

/// What a value must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Instance,
    Volume,
    Database,
    /// ARN of a target group.
    TargetGroup,
    /// An instance or an IP address.
    Target,
    GroupName,
    /// Gibibytes.
    Size,
    Capacity,
    Port,
}

const fn field(name: &'static str, form: Form) -> Field {
    Field { name, form, required: true }
}

const fn looks(word: &'static str, fields: &'static [Field]) -> Call {
    Call { word, changes: false, fields }
}

const fn changes(word: &'static str, fields: &'static [Field]) -> Call {
    Call { word, changes: true, fields }
}

const INSTANCE: &[Field] = &[field("id", Form::Instance)];
const VOLUME: &[Field] = &[field("id", Form::Volume)];
const TARGET: &[Field] = &[
    field("group", Form::TargetGroup),
    field("id", Form::Target),
    Field { name: "port", form: Form::Port, required: false },
];

/// Every word. Its row in `execute/aws_api/mod.rs` says what is sent.
pub static WORDS: [Call; 14] = [
    looks("instance", INSTANCE),
    changes("start_instance", INSTANCE),
    changes("stop_instance", INSTANCE),
    changes("reboot_instance", INSTANCE),
    looks("volume", VOLUME),
    changes("extend_volume", &[field("id", Form::Volume), field("size", Form::Size)]),
    looks("volume_change", VOLUME),
    looks("database", &[field("id", Form::Database)]),
    changes("extend_database", &[field("id", Form::Database), field("size", Form::Size)]),
    looks("target_health", &[field("group", Form::TargetGroup)]),
    changes("add_target", TARGET),
    changes("remove_target", TARGET),
    looks("scaling_group", &[field("name", Form::GroupName)]),
    changes("set_capacity", &[field("name", Form::GroupName), field("size", Form::Capacity)]),
];

/// A call before its values are filled in.
#[derive(Clone, Debug)]
pub struct AwsTemplate {
    pub word: &'static Call,
    pub fields: BTreeMap<&'static str, Template>,
    /// One of the customer's accounts, by its digits.
    pub account: Option<Template>,
    pub region: Option<Template>,
}

impl AwsTemplate {
    pub fn templates(&self) -> impl Iterator<Item = &Template> {
        self.fields.values().chain(&self.account).chain(&self.region)
    }
}

impl Form {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Instance => "the id of an EC2 instance (i-0a1b2c3d4e5f60718)",
            Self::Volume => "the id of a volume (vol-0a1b2c3d4e5f60718)",
            Self::Database => "the name of an RDS instance (example-shop-db)",
            Self::TargetGroup => "the ARN of a target group",
            Self::Target => "an instance or an IP address",
            Self::GroupName => "the name of a scaling group",
            Self::Size => "a whole number of gibibytes from 1 to 65536",
            Self::Capacity => "a whole number of instances from 0 to 10000",
            Self::Port => "a port from 1 to 65535",
        }
    }

    pub fn fits(self, text: &str) -> bool {
        let hex = |prefix: &str| {
            text.strip_prefix(prefix).is_some_and(|digits| {
                let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                (8..=17).contains(&digits.len()) && digits.bytes().all(is_hex)
            })
        };
        let number = |from: u32, to: u32| {
            text.bytes().all(|byte| byte.is_ascii_digit())
                && text.parse().is_ok_and(|number: u32| (from..=to).contains(&number))
        };
        let made_of = |more: &str| {
            text.bytes().all(|byte| byte.is_ascii_alphanumeric() || more.as_bytes().contains(&byte))
        };
        match self {
            Self::Instance => hex("i-"),
            Self::Volume => hex("vol-"),
            Self::Database => {
                text.starts_with(|c: char| c.is_ascii_alphabetic())
                    && text.len() <= 63
                    && made_of("-")
            }
            Self::TargetGroup => {
                let parts: Vec<&str> = text.split(':').collect();
                let is_group = matches!(
                    parts.as_slice(),
                    ["arn", _, "elasticloadbalancing", _, account, group]
                        if account.len() == 12 && group.starts_with("targetgroup/")
                );
                is_group && text.len() <= 256 && made_of(":/-")
            }
            Self::Target => hex("i-") || text.parse::<std::net::IpAddr>().is_ok(),
            Self::GroupName => {
                (1..=255).contains(&text.chars().count()) && !text.contains(char::is_control)
            }
            Self::Size => number(1, 65_536),
            Self::Capacity => number(0, 10_000),
            Self::Port => number(1, 65_535),
        }
    }
}

/// `aws: {volume: "{{ parameters.volume }}"}`.
pub(super) fn read(node: &Node, reading: &mut Reading<'_>) -> Option<AwsTemplate> {
    let fields = Fields::of(node, "aws", reading.findings)?;
    let given: Vec<(&'static Call, &Node)> =
        WORDS.iter().filter_map(|word| Some((word, fields.get(word.word)?))).collect();
    let account = reading.template(&fields, "account");
    let region = reading.template(&fields, "region");
    let call = match given.as_slice() {
        [] => {
            fields.missing("instance", "\"{{ parameters.instance }}\"", reading.findings);
            None
        }
        [(word, node)] => read_word(word, node, reading).map(|fields| (*word, fields)),
        several => {
            let words: Vec<&str> = several.iter().map(|(word, _)| word.word).collect();
            reading.findings.add(
                "several-actions",
                node.place,
                format!("the step asks AWS for several things: {}", words.join(", ")),
                "make it one step for each",
            );
            None
        }
    };
    fields.finish(reading.findings);
    let (word, fields) = call?;
    Some(AwsTemplate { word, fields, account, region })
}

fn read_word(
    word: &'static Call,
    node: &Node,
    reading: &mut Reading<'_>,
) -> Option<BTreeMap<&'static str, Template>> {
    let mut read = BTreeMap::new();
    if let [only] = word.fields {
        read.extend(value(only, node, reading).map(|it| (only.name, it)));
    } else {
        let own = Fields::of(node, word.word, reading.findings)?;
        for field in word.fields {
            match (own.get(field.name), field.required) {
                (Some(node), _) => {
                    read.extend(value(field, node, reading).map(|it| (field.name, it)));
                }
                (None, true) => own.missing(field.name, "\"{{ … }}\"", reading.findings),
                (None, false) => {}
            }
        }
        own.finish(reading.findings);
    }
    let complete = word.fields.iter().all(|it| !it.required || read.contains_key(it.name));
    complete.then_some(read)
}

/// What is written out is checked at once; what is filled in later, when it is.
fn value(field: &Field, node: &Node, reading: &mut Reading<'_>) -> Option<Template> {
    let template = reading.template_at(node, field.name)?;
    if template.needs().next().is_none() && !field.form.fits(template.source()) {
        reading.findings.add(
            "bad-aws-value",
            node.place,
            format!("'{}' is '{}'", field.name, template.source()),
            format!("write {}", field.form.words()),
        );
        return None;
    }
    Some(template)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a title may hold is none of these.
    #[test]
    fn nothing_but_ids_and_numbers_fits() {
        let hostile = [
            "",
            " ",
            "$(reboot)",
            "i-0a1b2c3d&Action=TerminateInstances",
            "vol-1\nx",
            "-n",
            "日本",
            "i-0A1B2C3D",
            "{{ssm:canary}}",
            "\u{202e}1",
        ];
        let forms = [
            Form::Instance,
            Form::Volume,
            Form::Database,
            Form::TargetGroup,
            Form::Target,
            Form::Size,
            Form::Capacity,
            Form::Port,
        ];
        for form in forms {
            for text in hostile {
                // A database may have such a name; it is none of the other things.
                let may_be = form == Form::Database && text == "i-0A1B2C3D";
                assert!(may_be || !form.fits(text), "{form:?} {text:?}");
            }
        }
        for (form, text) in [
            (Form::Instance, "i-0a1b2c3d4e5f60718"),
            (Form::Volume, "vol-0a1b2c3d"),
            (Form::Database, "example-shop-db"),
            (
                Form::TargetGroup,
                "arn:aws:elasticloadbalancing:ap-northeast-1:111122223333:targetgroup/web/6d0ecf831eec9f09",
            ),
            (Form::Target, "10.0.1.11"),
            (Form::GroupName, "web 東京"),
            (Form::Size, "36"),
            (Form::Capacity, "0"),
            (Form::Port, "8080"),
        ] {
            assert!(form.fits(text), "{form:?} {text}");
        }
        assert!(!Form::Size.fits("0") && !Form::Size.fits("36.5") && !Form::Size.fits("+36"));
    }
}
