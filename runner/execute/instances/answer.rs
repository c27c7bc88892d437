//! What EC2 answers, as far as it is needed. Pure.

use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use super::Question;
use crate::customer::aws::Platform;
use crate::customer::instance::{Instance, InstanceId};

pub(super) struct Page {
    pub(super) instances: Vec<Instance>,
    /// Where the next one begins.
    pub(super) next: Option<String>,
}

/// A server as EC2 tells of it.
#[derive(Default)]
struct Told {
    id: String,
    address: Option<String>,
    is_windows: bool,
    tags: Vec<(String, String)>,
}

/// One page of `DescribeInstances`. A server that is not what was asked for makes it unreadable:
/// nothing else in it could be trusted.
pub(super) fn read(text: &str, question: Question<'_>) -> Result<Page, String> {
    let unreadable = |error: XmlDecodeError| format!("its answer cannot be read: {error}");
    let (told, next) = decode(text).map_err(unreadable)?;
    let mut instances = Vec::new();
    for (owner, told) in told {
        let account = &question.account.words().account;
        let has = |(key, value): &(String, String)| key == question.tag && value == question.value;
        if owner != *account || !told.tags.iter().any(has) {
            return Err(format!("its answer is not about {} = {}", question.tag, question.value));
        }
        let Some(id) = InstanceId::parse(&told.id) else {
            return Err(format!("its answer has '{}', which is no server", told.id));
        };
        instances.push(Instance {
            id,
            address: told.address,
            account: Some(account.clone()),
            region: Some(question.region.to_owned()),
            platform: Some(if told.is_windows { Platform::Windows } else { Platform::Linux }),
        });
    }
    Ok(Page { instances, next: next.filter(|token| !token.is_empty()) })
}

type Decoded = (Vec<(String, Told)>, Option<String>);

fn decode(text: &str) -> Result<Decoded, XmlDecodeError> {
    let mut document = Document::new(text);
    let mut root = document.root_element()?;
    if root.start_el().local() != "DescribeInstancesResponse" {
        return Err(XmlDecodeError::custom("it is no DescribeInstancesResponse"));
    }
    let (mut told, mut next) = (Vec::new(), None);
    while let Some(mut part) = root.next_tag() {
        match part.start_el().local() {
            "reservationSet" => {
                while let Some(mut reservation) = part.next_tag() {
                    told.extend(reservation_of(&mut reservation)?);
                }
            }
            "nextToken" => next = Some(data(&mut part)?),
            _ => {}
        }
    }
    Ok((told, next))
}

/// Its servers with the account that owns them.
fn reservation_of(
    reservation: &mut ScopedDecoder<'_, '_>,
) -> Result<Vec<(String, Told)>, XmlDecodeError> {
    let (mut owner, mut servers) = (String::new(), Vec::new());
    while let Some(mut part) = reservation.next_tag() {
        match part.start_el().local() {
            "ownerId" => owner = data(&mut part)?,
            "instancesSet" => {
                while let Some(mut server) = part.next_tag() {
                    servers.push(server_of(&mut server)?);
                }
            }
            _ => {}
        }
    }
    Ok(servers.into_iter().map(|server| (owner.clone(), server)).collect())
}

fn server_of(server: &mut ScopedDecoder<'_, '_>) -> Result<Told, XmlDecodeError> {
    let mut told = Told::default();
    while let Some(mut part) = server.next_tag() {
        match part.start_el().local() {
            "instanceId" => told.id = data(&mut part)?,
            "privateIpAddress" => told.address = Some(data(&mut part)?),
            // Only Windows has one.
            "platform" => told.is_windows = data(&mut part)?.eq_ignore_ascii_case("windows"),
            "tagSet" => {
                while let Some(mut tag) = part.next_tag() {
                    told.tags.push(tag_of(&mut tag)?);
                }
            }
            _ => {}
        }
    }
    Ok(told)
}

fn tag_of(tag: &mut ScopedDecoder<'_, '_>) -> Result<(String, String), XmlDecodeError> {
    let (mut key, mut value) = (String::new(), String::new());
    while let Some(mut part) = tag.next_tag() {
        match part.start_el().local() {
            "key" => key = data(&mut part)?,
            "value" => value = data(&mut part)?,
            _ => {}
        }
    }
    Ok((key, value))
}

fn data(part: &mut ScopedDecoder<'_, '_>) -> Result<String, XmlDecodeError> {
    try_data(part).map(|text| text.trim().to_owned())
}
