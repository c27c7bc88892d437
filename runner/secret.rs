//! A secret of AMS's own, which may be exchanged while AMS runs, and where it is kept.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use secrecy::{ExposeSecret as _, SecretString};

use crate::yaml::Place;

/// Where a secret is kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// A variable of the process, which stays as it is until the process ends.
    Variable(String),
    /// A file, by what is written of it and where that is.
    File { written: String, path: PathBuf },
    /// A secret of AWS Secrets Manager, by name or ARN, and of its JSON only this field.
    SecretsManager { id: String, field: Option<String> },
    /// A parameter of AWS Systems Manager's Parameter Store, by name or ARN.
    Parameter(String),
}

impl Reference {
    /// `None` for what is no reference: a value in plain text, for example. `base` is where relative
    /// paths start.
    pub fn parse(written: &str, base: &Path) -> Option<Self> {
        let (kind, rest) = written.split_once(':')?;
        let rest = rest.trim();
        if rest.is_empty() {
            return None;
        }
        match kind {
            "env" => Some(Self::Variable(rest.to_owned())),
            "file" => Some(Self::File { written: rest.to_owned(), path: base.join(rest) }),
            "secretsmanager" => {
                let (id, field) = rest.split_once('#').map_or((rest, None), |(id, field)| {
                    (id, Some(field.to_owned()).filter(|it| !it.is_empty()))
                });
                Some(Self::SecretsManager { id: id.to_owned(), field })
            }
            "parameter" => Some(Self::Parameter(rest.to_owned())),
            _ => None,
        }
    }

    /// Only AWS can tell it.
    pub const fn is_at_aws(&self) -> bool {
        matches!(self, Self::SecretsManager { .. } | Self::Parameter(_))
    }

    /// May it say something else later in the life of a process?
    pub const fn may_change(&self) -> bool {
        !matches!(self, Self::Variable(_))
    }
}

/// As it is written in the configuration.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "env:{name}"),
            Self::File { written, .. } => write!(f, "file:{written}"),
            Self::SecretsManager { id, field: None } => write!(f, "secretsmanager:{id}"),
            Self::SecretsManager { id, field: Some(field) } => {
                write!(f, "secretsmanager:{id}#{field}")
            }
            Self::Parameter(name) => write!(f, "parameter:{name}"),
        }
    }
}

/// A setting that names a secret.
#[derive(Clone, Debug)]
pub struct Origin {
    /// `pagerduty.token`.
    pub key: String,
    pub place: Place,
    pub reference: Reference,
    pub form: Form,
}

/// What a secret looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// It stands in a header or a login as it is.
    One,
    /// Each line is one, and all are valid. Shorter ones than this many characters can be guessed.
    Lines { shortest: usize },
}

/// A secret. Clones share its value.
#[derive(Clone)]
pub struct Secret(Arc<Held>);

struct Held {
    origin: Option<Origin>,
    value: RwLock<SecretString>,
}

impl Secret {
    pub fn new(origin: Origin, value: SecretString) -> Self {
        Self(Arc::new(Held { origin: Some(origin), value: RwLock::new(value) }))
    }

    /// Where it comes from; `None` for one that nobody has configured.
    pub fn origin(&self) -> Option<&Origin> {
        self.0.origin.as_ref()
    }

    /// Its value at this moment; empty before it was fetched.
    pub fn now(&self) -> SecretString {
        self.0.value.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Its lines that say something: while a secret is being exchanged, both are written, and both are
    /// valid. Nothing is not a secret.
    pub fn lines(&self) -> Vec<SecretString> {
        let now = self.now();
        let lines = now.expose_secret().lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(SecretString::from).collect()
    }

    /// Why a value cannot be this secret.
    pub fn objection(&self, value: &str) -> Option<String> {
        if value.trim().is_empty() {
            return Some("refers to an empty value".to_owned());
        }
        let shortest = match self.origin()?.form {
            Form::One if value.trim().chars().any(char::is_control) => {
                return Some("has more than one line".to_owned());
            }
            Form::One => return None,
            Form::Lines { shortest } => shortest,
        };
        let mut lines = value.lines().map(str::trim).filter(|line| !line.is_empty());
        lines
            .any(|line| line.chars().count() < shortest)
            .then(|| format!("has fewer than {shortest} characters"))
    }

    /// Puts another value into its place. Is it another one?
    pub fn exchange(&self, value: SecretString) -> bool {
        let mut held = self.0.value.write().unwrap_or_else(PoisonError::into_inner);
        let differs = held.expose_secret() != value.expose_secret();
        *held = value;
        differs
    }
}

/// Every line of every secret.
pub fn lines(secrets: &[Secret]) -> Vec<SecretString> {
    secrets.iter().flat_map(Secret::lines).collect()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.origin() {
            Some(origin) => write!(f, "Secret({})", origin.reference),
            None => f.write_str("Secret"),
        }
    }
}

impl From<SecretString> for Secret {
    fn from(value: SecretString) -> Self {
        Self(Arc::new(Held { origin: None, value: RwLock::new(value) }))
    }
}

impl From<String> for Secret {
    fn from(value: String) -> Self {
        Self::from(SecretString::from(value))
    }
}

impl From<&str> for Secret {
    fn from(value: &str) -> Self {
        Self::from(SecretString::from(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_told_as_it_is_written() {
        let base = Path::new("/etc/ams");
        for written in [
            "env:AMS_WEBHOOK_SECRET",
            "file:next-secret",
            "secretsmanager:ams/webhook",
            "secretsmanager:arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:ams-AbCdEf#key",
            "parameter:/ams/pagerduty",
        ] {
            assert_eq!(Reference::parse(written, base).unwrap().to_string(), written);
        }
        for written in ["correct-horse", "vault:x", "env:", "parameter: "] {
            assert_eq!(Reference::parse(written, base), None, "{written}");
        }
    }

    #[test]
    fn nothing_is_no_secret() {
        let secret = Secret::from("");
        assert!(secret.lines().is_empty(), "an empty key would fit what anybody signs with it");
        assert!(secret.exchange(SecretString::from("one\n\n two \n")));
        let lines = secret.lines();
        let lines: Vec<&str> = lines.iter().map(secrecy::ExposeSecret::expose_secret).collect();
        assert_eq!(lines, ["one", "two"]);
        assert!(!secret.exchange(SecretString::from("one\n\n two \n")));
        assert!(secret.objection(" \n").is_some());
    }
}
