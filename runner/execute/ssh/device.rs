//! One line for a network device: no shell, no marker, no environment.

use std::process::Stdio;

use tokio_util::sync::CancellationToken;

use super::change::{CONNECTION_FAILED, Talk};
use super::refused::{came_before_anything, reason};
use crate::execute::actuator::{Action, Command, Ending, Program};
use crate::execute::local::{Streams, alongside, not_started, start};

impl Talk<'_> {
    pub(super) async fn device(&self, streams: &mut Streams<'_>) -> Ending {
        let host = &self.way.words().host;
        let line = match &self.order.action {
            Action::Command(command) => line(command),
            _ => Err("a request cannot be carried out as a command"),
        };
        let line = match line {
            Ok(line) => line,
            Err(why) => return not_started(format!("{host}: {why}")),
        };
        let mut client = match self.ssh.client(self.way, &line) {
            Ok(client) => client,
            Err(reason) => return not_started(reason),
        };
        client.stdin(Stdio::null());
        if let Some(permission) = &self.order.permission
            && let Err(doubt) = permission.ask().await
        {
            return not_started(doubt.to_string());
        }
        let (mut group, stdout, stderr) = match start(client).await {
            Ok(started) => started,
            Err(reason) => return not_started(reason),
        };
        let changes = self.order.attempt.is_some();
        let never = CancellationToken::new();
        let cancel = if changes { &never } else { self.cancel };
        if changes {
            group.leave();
        }
        let expiry = std::pin::pin!(tokio::time::sleep_until(self.expiry));
        let ended = alongside(group.ending(cancel, expiry), streams.read(stdout, stderr));
        let ending = tokio::select! {
            ending = ended => ending,
            () = self.cancel.cancelled(), if changes => return Ending::Cancelled,
        };
        match ending {
            Ending::Exited(CONNECTION_FAILED) => {
                let said = streams.stderr.start();
                let sure = came_before_anything(&said) && streams.stdout.total_bytes() == 0;
                let reason = reason(self.way, &said);
                if sure || !changes { not_started(reason) } else { Ending::Unknown { reason } }
            }
            ending => ending,
        }
    }
}

/// The words as one line. Devices read it each in their own way, so only what means nothing to any
/// of them may stand in it.
fn line(command: &Command) -> Result<String, &'static str> {
    let Program::Exec(words) = &command.program else {
        return Err("a network device has no shell; write the step with `exec:`");
    };
    if !command.env.is_empty() {
        return Err("a network device takes no environment; leave `env` out");
    }
    let line = words.join(" ");
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b" ._/:-".contains(&byte);
    if line.trim().is_empty() || line.starts_with('-') || !line.bytes().all(known) {
        return Err("a command for a network device is made of letters, digits, spaces and ._/:-");
    }
    Ok(line)
}
