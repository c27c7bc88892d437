//! Where scenarios and customers are: a directory, or a prefix in a bucket, which is copied to a
//! directory of this process's own.

use std::path::PathBuf;

use super::EvidenceConfig;
use super::source::Source;
use crate::aws;
use crate::aws::s3::Bucket;
use crate::fields::At;
use crate::finding::Findings;
use crate::yaml::Place;

/// A prefix in a bucket, and the directory for copies of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MirrorConfig {
    pub bucket: Bucket,
    pub folder: PathBuf,
}

impl MirrorConfig {
    /// The copy in force.
    pub fn current(&self) -> PathBuf {
        self.folder.join("current")
    }
}

/// The directories that rules are read from, and which of them are copies.
#[derive(Default)]
pub(super) struct RulesPlaces {
    pub(super) scenarios: Option<PathBuf>,
    pub(super) customers: Option<PathBuf>,
    pub(super) mirrors: Vec<MirrorConfig>,
}

const SCHEME: &str = "s3://";

impl Source<'_> {
    /// Copies lie beside the evidence, one directory for each key.
    pub(super) fn rules(
        &self,
        aws: Option<&aws::Settings>,
        evidence: Option<&EvidenceConfig>,
        findings: &mut Findings,
    ) -> RulesPlaces {
        let beside = evidence.map(|it| it.directory.with_file_name("rules"));
        let beside = beside.unwrap_or_default();
        let mut places = RulesPlaces::default();
        let mut place = |key, example, findings: &mut Findings| {
            let At { place, value } = self.required(key, example, findings)?;
            let Some(rest) = value.strip_prefix(SCHEME) else { return Some(self.base.join(value)) };
            let bucket = self.bucket((place, key), rest, aws, findings)?;
            let mirror = MirrorConfig { bucket, folder: beside.join(key) };
            let path = mirror.current();
            places.mirrors.push(mirror);
            Some(path)
        };
        let scenarios = place("scenarios", "./scenarios", findings);
        let named = self.says("customers");
        let customers = named.then(|| place("customers", "./customers", findings)).flatten();
        RulesPlaces { scenarios, customers, ..places }
    }

    fn bucket(
        &self,
        (place, key): (Place, &'static str),
        rest: &str,
        aws: Option<&aws::Settings>,
        findings: &mut Findings,
    ) -> Option<Bucket> {
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c);
        if name.len() < 3 || !name.chars().all(is_name) {
            let message = format!("is '{SCHEME}{rest}', which names no bucket");
            let remedy = format!("write for example s3://example-msp-ams/{key}");
            self.bad((place, key), &message, &remedy, findings);
            return None;
        }
        let Some(aws) = aws else {
            let remedy = "add 'aws: {region: ap-northeast-1}', or set AMS_AWS_REGION";
            self.bad((place, key), "is a bucket, and 'aws.region' is not set", remedy, findings);
            return None;
        };
        Some(Bucket {
            name: name.to_owned(),
            region: aws.region.clone(),
            prefix: prefix.trim_matches('/').to_owned(),
            endpoint: aws.endpoint.clone(),
        })
    }

    /// The directory, for who looks at a desk; what is in a bucket is not there.
    pub(super) fn rules_at_hand(
        &self,
        key: &'static str,
        findings: &mut Findings,
    ) -> Option<PathBuf> {
        if !self.says(key) {
            return None;
        }
        let At { value, .. } = self.required(key, "./scenarios", findings)?;
        (!value.starts_with(SCHEME)).then(|| self.base.join(value))
    }
}
