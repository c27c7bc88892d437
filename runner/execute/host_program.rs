//! What is sent to another machine to carry a command out there: one text, for an agent that runs
//! it or for a shell at the other end of a connection. Pure.
//!
//! Nothing that comes from outside is pasted: values are base64, which holds no character that a
//! shell, or an agent that fills in `{{ .. }}`, would do anything with; the author's own words are
//! quoted. The whole text is one pair of braces, so that a shell which gets only its beginning
//! does nothing at all.
//!
//! What changes something begins with a marker on the host (`marker.sh`): a directory that nobody
//! can make twice, named after the attempt. It is the only fence that holds against a runner that
//! was paused. `host_probe.rs` makes the same directory to find out what became of a change, so what
//! never began cannot begin any more. Two more refusals guard the case that no marker can be seen:
//! a program that comes too late refuses by the host's clock, and one that finds no room for a
//! marker does not begin.
//!
//! Changes over a connection go on when it is lost: their output goes to files, and `follow.sh`
//! tells it, from any byte on. Looks end with their connection. An agent bounds its commands itself.
//!
//! The PowerShell form is tested as text only: there is no PowerShell where the tests run.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::actuator::{Action, Command, Order, Program};

/// First line on standard output when the command has begun, then the order's nonce. What stands
/// before it is the host's own (a greeting of its login files).
pub const BEGIN: &str = "AMS-BEGIN";

/// Last line on standard output over a connection, after a line break that is not the command's:
/// the nonce, then a [`Word`](super::host_probe::Word).
pub const END: &str = "AMS-END";

/// What an agent is not told by exit code, on standard error: the nonce, then the code.
pub const EXIT: &str = "AMS-EXIT";

/// Characters of a text or a `NAME=value` that a Linux program can be given: `MAX_ARG_STRLEN` of
/// the kernel is 128 KiB with the closing NUL.
const ARGUMENT_BYTES: usize = 128 * 1024 - 1;

/// The same for a variable on Windows, as .NET's `SetEnvironmentVariable` documents it.
const WINDOWS_VALUE_CHARS: usize = 32_766;

/// Names that a shell keeps for itself: setting them fails or changes nothing.
const SHELLS_OWN: [&str; 5] = ["UID", "EUID", "PPID", "SHELLOPTS", "BASHOPTS"];

pub(super) const MARKER: &str = include_str!("marker.sh");
const CARRY: &str = include_str!("host_program.sh");
pub(super) const FOLLOW: &str = include_str!("follow.sh");
pub(super) const POWERSHELL: &str = include_str!("host_program.ps1");

/// An order as a text for its host.
#[derive(Clone, Copy, Debug)]
pub struct HostProgram<'a> {
    pub order: &'a Order,
    pub places: &'a Places,
    /// A change does not begin after this, by the host's clock. Whoever sends it leaves room for
    /// clocks that are wrong: the marker is what really fences.
    pub not_after: Timestamp,
    /// What runs over a connection is stopped on the host after this; rounded up to seconds.
    pub limit: Duration,
    /// Bytes the way to the host takes.
    pub most_bytes: usize,
}

/// Who runs the text on the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// An agent, which waits for it and stops it in time (SSM).
    Agent,
    /// A shell at the end of a connection that may break (SSH).
    Connection,
}

/// Why an order cannot be sent; the command was not begun.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("a request cannot be carried out as a command")]
    NoCommand,
    #[error("the command names no program")]
    NoProgram,
    #[error("{0:?} cannot name an environment variable")]
    Name(String),
    #[error("{0} contains a NUL character")]
    Nul(String),
    #[error("{what} has {bytes} bytes; a host takes at most {most}")]
    TooLong { what: String, bytes: usize, most: usize },
    #[error("PowerShell cannot be run here; write the step with `run:`, in sh")]
    PowerShellHere,
    #[error("a shell script cannot be run on Windows; write the step with `powershell:`")]
    ShellHere,
    #[error("{0:?} holds a quotation mark, which Windows takes out of arguments")]
    Quote(String),
}

/// Directories for markers, in the order in which they are tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places(Vec<String>);

impl Default for Places {
    /// Kept over a restart; where root may not write; where the disk is full or read-only.
    fn default() -> Self {
        Self(["/var/lib/ams", "~/.ams", "/run/ams"].map(str::to_owned).to_vec())
    }
}

impl Places {
    /// `None` where one is no plain path: absolute or in the home directory (`~/`), of letters,
    /// digits and `._/-`.
    pub fn new(paths: impl IntoIterator<Item = String>) -> Option<Self> {
        let places: Vec<String> = paths.into_iter().collect();
        let is_plain = |path: &String| {
            let inside = path.strip_prefix("~/").or_else(|| path.strip_prefix('/'));
            inside.is_some_and(|inside| {
                let known = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
                !inside.is_empty() && inside.bytes().all(known) && !inside.contains("..")
            })
        };
        (!places.is_empty() && places.iter().all(is_plain)).then_some(Self(places))
    }

    /// `ams_any`: asks one place after the other until one says yes.
    pub(super) fn shell(&self) -> String {
        let asked = self.0.iter().map(|place| match place.strip_prefix("~/") {
            Some(inside) => format!("\"$@\" \"${{HOME:-/root}}\"/{inside}"),
            None => format!("\"$@\" {place}"),
        });
        format!("ams_any() {{ {}; }}\n", asked.collect::<Vec<_>>().join(" || "))
    }
}

impl HostProgram<'_> {
    /// The text for `/bin/sh`.
    pub fn shell(&self, carrier: Carrier) -> Result<String, Unfit> {
        let command = self.command()?;
        let values = self.values(command)?;
        for (name, value) in &values {
            let bytes = name.len() + 1 + value.len();
            fits(&format!("the value of {name}"), bytes, ARGUMENT_BYTES)?;
        }
        let value =
            |(name, value): &(String, String)| format!("ams_v {name} {}\n", STANDARD.encode(value));
        let values: String = values.iter().map(value).collect();
        let words = words(&command.program)?;
        let nonce = nonce(&self.order.nonce);
        let last = self.not_after.as_second();
        let limit = self.limit.as_secs() + u64::from(self.limit.subsec_nanos() > 0);
        let call = match (carrier, self.order.attempt) {
            (Carrier::Agent, None) => format!("ams_attached '' '' {nonce}"),
            (Carrier::Agent, Some(attempt)) => {
                format!("ams_attached ams-{nonce}-{attempt} {last} {nonce}")
            }
            (Carrier::Connection, None) => format!("ams_tied {nonce} {limit}"),
            (Carrier::Connection, Some(attempt)) => {
                let follow = without_comments(FOLLOW);
                format!("{follow}ams_detached ams-{nonce}-{attempt} {last} {nonce} {limit}")
            }
        };
        let text = format!(
            "{}ams_values() {{\ntrue\n{values}}}\nams_command() {{ exec \"$@\" {words}; }}\n{}{}{call}\n",
            self.places.shell(),
            without_comments(MARKER),
            without_comments(CARRY),
        );
        let text = braced(&text);
        fits("the program with its values", text.len(), self.most_bytes)?;
        Ok(text)
    }

    /// The text for an agent's PowerShell. An empty value is no variable at all on Windows.
    pub fn powershell(&self) -> Result<String, Unfit> {
        let command = self.command()?;
        let values = self.values(command)?;
        for (name, value) in &values {
            let chars = value.encode_utf16().count();
            fits(&format!("the value of {name}"), chars, WINDOWS_VALUE_CHARS)?;
        }
        let value = |(name, value): &(String, String)| {
            let value = STANDARD.encode(value);
            format!(
                "[Environment]::SetEnvironmentVariable('{name}', (Read-Ams '{value}'), 'Process')\n"
            )
        };
        let values: String = values.iter().map(value).collect();
        let nonce = nonce(&self.order.nonce);
        let name = match self.order.attempt {
            Some(attempt) => format!("ams-{nonce}-{attempt}"),
            None => String::new(),
        };
        let text = format!(
            "& {{\n{WINDOWS_PLACES}{}function Set-AmsValues {{\n{values}}}\nfunction Invoke-AmsCommand {{ {} }}\n\
             Invoke-Ams '{name}' {} '{nonce}'\n}}\n",
            without_comments(POWERSHELL),
            powershell_words(&command.program)?,
            self.not_after.as_second(),
        );
        fits("the program with its values", text.len(), self.most_bytes)?;
        Ok(text)
    }

    fn command(&self) -> Result<&Command, Unfit> {
        match &self.order.action {
            Action::Command(command) => Ok(command),
            _ => Err(Unfit::NoCommand),
        }
    }

    /// The author's values, then what says whose run it is.
    fn values(&self, command: &Command) -> Result<Vec<(String, String)>, Unfit> {
        let own = [
            ("AMS_INCIDENT", self.order.run.incident.as_str().to_owned()),
            ("AMS_RUN", self.order.run.number.to_string()),
            ("AMS_STEP", self.order.step.to_string()),
            ("AMS_NONCE", self.order.nonce.clone()),
        ];
        let own = own.map(|(name, value)| (name.to_owned(), value));
        let given = command.env.iter().map(|(name, value)| (name.clone(), value.clone()));
        let values: Vec<_> = given.chain(own).collect();
        for (name, value) in &values {
            let mut bytes = name.bytes();
            let begins = bytes.next().is_some_and(|it| it.is_ascii_alphabetic() || it == b'_');
            let goes_on = bytes.all(|it| it.is_ascii_alphanumeric() || it == b'_');
            if !begins || !goes_on || SHELLS_OWN.contains(&name.as_str()) {
                return Err(Unfit::Name(name.clone()));
            }
            without_nul(&format!("the value of {name}"), value)?;
        }
        Ok(values)
    }
}

/// What an exit code of the program means when no [`BEGIN`] came: it refused, and did nothing.
pub fn refusal(code: i32) -> Option<&'static str> {
    match code {
        95 => Some("the host has no `base64`; install coreutils or busybox there"),
        96 => Some(
            "the command came too late, or the host's clock is more than ten minutes ahead; \
             set its clock",
        ),
        97 => Some("another runner has begun or fenced off this attempt"),
        98 => Some(
            "the host has no room for the marker of a change; make room in /var/lib/ams, \
             the home directory or /run",
        ),
        _ => None,
    }
}

/// Where markers lie on Windows.
pub(super) const WINDOWS_PLACES: &str = "$amsPlaces = @((Join-Path $env:ProgramData 'ams'), \
                      (Join-Path $env:SystemRoot 'Temp\\ams'))\n";

/// A shell that has not read the last brace has nothing it could carry out.
pub(super) fn braced(text: &str) -> String {
    format!("{{\n{text}}}\n")
}

/// Only what can be part of a name; ours has nothing else.
pub(super) fn nonce(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

pub(super) fn without_comments(text: &str) -> String {
    let kept = |line: &&str| !line.is_empty() && !line.trim_start().starts_with('#');
    text.lines().filter(kept).flat_map(|line| [line, "\n"]).collect()
}

fn without_nul(what: &str, text: &str) -> Result<(), Unfit> {
    if text.contains('\0') { Err(Unfit::Nul(what.to_owned())) } else { Ok(()) }
}

fn fits(what: &str, bytes: usize, most: usize) -> Result<(), Unfit> {
    if bytes <= most {
        return Ok(());
    }
    Err(Unfit::TooLong { what: what.to_owned(), bytes, most })
}

/// The author's words for a shell.
fn words(program: &Program) -> Result<String, Unfit> {
    let words = match program {
        Program::Script(text) => vec!["/bin/sh", "-c", text.as_str()],
        Program::PowerShell(_) => return Err(Unfit::PowerShellHere),
        Program::Exec(words) if words.is_empty() => return Err(Unfit::NoProgram),
        Program::Exec(words) => words.iter().map(String::as_str).collect(),
    };
    for word in &words {
        without_nul("the command", word)?;
        fits("the command", word.len(), ARGUMENT_BYTES)?;
    }
    Ok(words.into_iter().map(quoted).collect::<Vec<_>>().join(" "))
}

/// One word for a shell. An agent fills in `{{ .. }}` before the shell sees it, so that is taken
/// apart, which a shell does not notice; people who read the customer's records hardly do.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    let mut before = '\0';
    for character in text.chars() {
        match character {
            '\'' => quoted += "'\\''",
            '{' if before == '{' => quoted += "''{",
            _ => quoted.push(character),
        }
        before = character;
    }
    quoted.push('\'');
    quoted
}

/// Base64 as well: PowerShell ends a text at any of five kinds of quotation mark.
fn powershell_words(program: &Program) -> Result<String, Unfit> {
    let words = match program {
        Program::Script(_) => return Err(Unfit::ShellHere),
        Program::PowerShell(text) => {
            without_nul("the command", text)?;
            return Ok(format!("Invoke-AmsScript '{}'", STANDARD.encode(text)));
        }
        Program::Exec(words) => words,
    };
    let [program, arguments @ ..] = words.as_slice() else { return Err(Unfit::NoProgram) };
    for word in words {
        without_nul("the command", word)?;
        if word.contains('"') {
            return Err(Unfit::Quote(word.clone()));
        }
    }
    let text = |word: &String| format!("(Read-Ams '{}')", STANDARD.encode(word));
    let arguments: Vec<String> = arguments.iter().map(text).collect();
    Ok(format!("$arguments = @({}); & {} @arguments", arguments.join(", "), text(program)))
}
