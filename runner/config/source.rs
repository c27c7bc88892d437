//! One mapping of the configuration file and the environment that overrides it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};

use crate::fields::{At, Fields, parse_duration, remedy_for_word};
use crate::finding::Findings;
use crate::secret::{Form, Origin, Reference, Secret};
use crate::yaml::{Kind, Node, Place};

/// A mapping of the file together with the environment that may override it.
pub(super) struct Source<'a> {
    pub(super) fields: Fields<'a>,
    /// `PAGERDUTY_` for keys below `pagerduty:`.
    pub(super) section: &'static str,
    pub(super) env: &'a BTreeMap<String, String>,
    /// Relative paths start here.
    pub(super) base: &'a Path,
}

impl Source<'_> {
    /// A sub-mapping; absent means empty, so that the environment alone can fill it.
    pub(super) fn section<T>(
        &self,
        key: &'static str,
        section: &'static str,
        findings: &mut Findings,
        read: impl FnOnce(&Source<'_>, &mut Findings) -> Option<T>,
    ) -> Option<T> {
        let empty = Node { place: self.fields.place(), kind: Kind::Null };
        let node = self.fields.get(key).unwrap_or(&empty);
        let fields = Fields::of(node, key, findings)?;
        let source = Source { fields, section, env: self.env, base: self.base };
        let value = read(&source, findings);
        source.fields.finish(findings);
        value
    }

    fn variable(&self, key: &str) -> String {
        format!("AMS_{}{}", self.section, key.to_uppercase())
    }

    /// From the environment, else from the file.
    pub(super) fn text(&self, key: &'static str, findings: &mut Findings) -> Option<At<String>> {
        let from_file = self.fields.text(key, findings);
        match self.overriding(key) {
            Some(value) => Some(At { place: self.place(key), value: value.clone() }),
            None => from_file,
        }
    }

    /// Does the file or the environment say anything of this key, or of one below it?
    pub(super) fn says(&self, key: &'static str) -> bool {
        let variable = self.variable(key);
        let below = format!("{variable}_");
        let set = |(name, value): (&String, &String)| {
            (*name == variable || name.starts_with(&below)) && !value.is_empty()
        };
        self.fields.get(key).is_some() || self.env.iter().any(set)
    }

    /// Container platforms set a variable to nothing when nobody has set it.
    pub(super) fn overriding(&self, key: &str) -> Option<&String> {
        self.env.get(&self.variable(key)).filter(|value| !value.is_empty())
    }

    /// Where the setting stands, or would stand.
    pub(super) fn place(&self, key: &'static str) -> Place {
        self.fields.get(key).map_or(self.fields.place(), |node| node.place)
    }

    pub(super) fn required(
        &self,
        key: &'static str,
        example: &str,
        findings: &mut Findings,
    ) -> Option<At<String>> {
        let value = self.text(key, findings);
        if value.is_none() && self.fields.get(key).is_none() {
            let below = match self.path_of_section().as_str() {
                "" => String::new(),
                section => format!(" below '{section}:'"),
            };
            findings.add(
                "missing-field",
                self.fields.place(),
                format!("'{}' is not set", self.key(key)),
                format!("add a line '{key}: {example}'{below}, or set {}", self.variable(key)),
            );
        }
        let empty = value.as_ref().filter(|at| at.value.trim().is_empty());
        if let Some(At { place, .. }) = empty {
            self.bad((*place, key), "is empty", &format!("write for example {example}"), findings);
            return None;
        }
        value
    }

    /// The key as people find it in the file.
    fn key(&self, key: &str) -> String {
        match self.path_of_section().as_str() {
            "" => key.to_owned(),
            section => format!("{section}.{key}"),
        }
    }

    /// `STORE_DYNAMODB_` is `store.dynamodb` in the file.
    fn path_of_section(&self) -> String {
        let path = self.section.trim_end_matches('_').replace('_', ".").to_lowercase();
        // The keys of two words that have keys below them.
        path.replace("custom.fields", "custom_fields").replace("last.resort", "last_resort")
    }

    pub(super) fn bad(
        &self,
        (at, key): (Place, &str),
        message: &str,
        remedy: &str,
        findings: &mut Findings,
    ) {
        let by = match self.overriding(key) {
            Some(_) => format!(" (set by {})", self.variable(key)),
            None => String::new(),
        };
        let message = format!("'{}'{by} {message}", self.key(key));
        findings.add("bad-setting", at, message, remedy);
    }

    /// In place of AWS's own address.
    pub(super) fn address(&self, key: &'static str, findings: &mut Findings) -> Option<At<String>> {
        let written = self.text(key, findings);
        if let Some(At { place, value }) = &written
            && !["https://", "http://"].iter().any(|scheme| value.starts_with(scheme))
        {
            let message = format!("is '{value}', which is no address");
            let remedy = "leave it out, or write for example https://vpce-1.example.com";
            self.bad((*place, key), &message, remedy, findings);
        }
        written
    }

    pub(super) fn word<T: Copy>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
        findings: &mut Findings,
    ) -> Option<T> {
        let At { place, value } = self.text(key, findings)?;
        let found = words.iter().find(|(word, _)| *word == value).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let remedy = remedy_for_word(&value, &known);
            self.bad((place, key), &format!("is '{value}'"), &remedy, findings);
        }
        found
    }

    pub(super) fn duration(&self, key: &'static str, findings: &mut Findings) -> Option<Duration> {
        let At { place, value } = self.text(key, findings)?;
        let parsed = parse_duration(&value);
        if parsed.is_none() {
            let message = format!("is '{value}', which is no length of time");
            self.bad((place, key), &message, "write a number with its unit: 20s, 5m", findings);
        }
        parsed
    }

    pub(super) fn path(
        &self,
        key: &'static str,
        example: &str,
        findings: &mut Findings,
    ) -> Option<PathBuf> {
        Some(self.base.join(self.required(key, example, findings)?.value))
    }

    /// Follows a reference to a secret of AMS's own. The value itself in the file is a mistake: files
    /// are copied, committed and shown. What AWS keeps is fetched afterwards, before anything starts.
    pub(super) fn secret(
        &self,
        key: &str,
        at: &At<String>,
        form: Form,
        findings: &mut Findings,
    ) -> Option<Secret> {
        let Some(reference) = Reference::parse(&at.value, self.base) else {
            let remedy = "write env:NAME, file:PATH, secretsmanager:NAME or parameter:NAME, and put \
                          the secret there";
            self.bad(
                (at.place, key),
                "cannot be used: it is written in plain text",
                remedy,
                findings,
            );
            return None;
        };
        let origin =
            Origin { key: self.key(key), place: at.place, reference: reference.clone(), form };
        if reference.is_at_aws() {
            return Some(Secret::new(origin, SecretString::default()));
        }
        let value = self.follow((at.place, key), &reference, findings)?;
        let secret = Secret::new(origin, value.clone());
        let Some(objection) = secret.objection(value.expose_secret()) else { return Some(secret) };
        let remedy = match form {
            Form::One => "put the secret alone there",
            Form::Lines { .. } => "make a long one, for example with: openssl rand -hex 32",
        };
        self.bad((at.place, key), &objection, remedy, findings);
        None
    }

    /// A secret that stays as it is while AMS runs: in a variable or a file.
    pub(super) fn value(
        &self,
        key: &str,
        at: &At<String>,
        findings: &mut Findings,
    ) -> Option<SecretString> {
        let why = match Reference::parse(&at.value, self.base) {
            Some(it) if it.is_at_aws() => "cannot be used: it is kept at AWS",
            Some(reference) => return self.follow((at.place, key), &reference, findings),
            None => "cannot be used: it is written in plain text",
        };
        let remedy = "write env:NAME or file:PATH, and put the secret there";
        self.bad((at.place, key), why, remedy, findings);
        None
    }

    fn follow(
        &self,
        (place, key): (Place, &str),
        reference: &Reference,
        findings: &mut Findings,
    ) -> Option<SecretString> {
        let (fetched, remedy) = match reference {
            Reference::File { written, path } => (
                std::fs::read_to_string(path)
                    .map_err(|error| format!("the file {written} cannot be read: {error}")),
                "put the secret there, or name another file (file:PATH) or a variable (env:NAME)",
            ),
            Reference::Variable(name) => (
                self.env
                    .get(name)
                    .cloned()
                    .ok_or_else(|| format!("the variable {name} is not set")),
                "set it, or name another one (env:NAME) or a file (file:PATH)",
            ),
            Reference::SecretsManager { .. } | Reference::Parameter(_) => return None,
        };
        match fetched.map(|value| value.trim().to_owned()) {
            Ok(value) if !value.is_empty() => Some(SecretString::from(value)),
            Ok(_) => {
                let remedy = "put the secret there";
                self.bad((place, key), "refers to an empty value", remedy, findings);
                None
            }
            Err(reason) => {
                self.bad((place, key), &format!("cannot be used: {reason}"), remedy, findings);
                None
            }
        }
    }
}
