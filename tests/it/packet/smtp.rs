//! A mail server: the protocol is the `mailin` package's, the sockets are here. Mails are kept as they
//! came.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mailin::response::{AUTH_OK, INVALID_CREDENTIALS, NO_MAILBOX, OK};
use mailin::{Action, AuthMechanism, Handler, Response, SessionBuilder};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

pub(super) const PASSWORD: &str = "mail-password-0123456789";

#[derive(Clone, Debug, Default)]
pub(super) struct Received {
    pub(super) from: String,
    pub(super) to: Vec<String>,
    /// Head and body, as it came.
    pub(super) data: String,
}

#[derive(Default)]
struct Inside {
    mails: Vec<Received>,
    /// Mails that are taken, and whose taking nobody is told.
    lose: usize,
    /// Connections that are closed at once.
    busy: usize,
    logins: Vec<String>,
}

type Shared = Arc<Mutex<Inside>>;

pub(super) struct MailServer {
    address: std::net::SocketAddr,
    inside: Shared,
    server: JoinHandle<()>,
}

/// One conversation.
struct Conversation {
    inside: Shared,
    mail: Received,
    data: Vec<u8>,
}

impl MailServer {
    pub(super) async fn start() -> Self {
        let inside = Shared::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::clone(&inside);
        let server = tokio::spawn(async move {
            while let Ok((stream, from)) = listener.accept().await {
                let busy = {
                    let mut inside = lock(&shared);
                    inside.busy = inside.busy.saturating_sub(1);
                    inside.busy > 0
                };
                if !busy {
                    tokio::spawn(converse(stream, from.ip(), Arc::clone(&shared)));
                }
            }
        });
        Self { address, inside, server }
    }

    /// Lines for the settings.
    pub(super) fn settings(&self) -> String {
        format!(
            "email: {{smtp: \"{}\", tls: none, from: \"AMS 初動 <ams@msp.example>\", user: ams, \
             password: \"env:MAIL_PASSWORD\"}}\n",
            self.address
        )
    }

    pub(super) fn lose_answers(&self, mails: usize) {
        lock(&self.inside).lose = mails;
    }

    pub(super) fn close_connections(&self, count: usize) {
        lock(&self.inside).busy = count + 1;
    }

    pub(super) fn mails(&self) -> Vec<Received> {
        lock(&self.inside).mails.clone()
    }

    pub(super) fn logins(&self) -> Vec<String> {
        lock(&self.inside).logins.clone()
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(inside: &Shared) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Handler for Conversation {
    fn mail(&mut self, _ip: IpAddr, _domain: &str, from: &str) -> Response {
        self.mail = Received { from: from.to_owned(), ..Received::default() };
        OK
    }

    fn rcpt(&mut self, to: &str) -> Response {
        if to.starts_with("nobody@") {
            return NO_MAILBOX;
        }
        self.mail.to.push(to.to_owned());
        OK
    }

    fn data(&mut self, buf: &[u8]) -> io::Result<()> {
        self.data.extend_from_slice(buf);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.mail.data = String::from_utf8(std::mem::take(&mut self.data)).unwrap();
        lock(&self.inside).mails.push(std::mem::take(&mut self.mail));
        OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        lock(&self.inside).logins.push(user.to_owned());
        if password == PASSWORD { AUTH_OK } else { INVALID_CREDENTIALS }
    }
}

async fn converse(stream: TcpStream, from: IpAddr, inside: Shared) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut builder = SessionBuilder::new("mx.msp.example");
    builder.enable_auth(AuthMechanism::Plain).insecure_enable_plaintext_auth();
    let conversation =
        Conversation { inside: Arc::clone(&inside), mail: Received::default(), data: Vec::new() };
    let mut session = builder.build(from, conversation);
    if write.write_all(&session.greeting().buffer().unwrap()).await.is_err() {
        return;
    }
    let mut line = Vec::new();
    loop {
        line.clear();
        if !matches!(read.read_until(b'\n', &mut line).await, Ok(1..)) {
            return;
        }
        let before = lock(&inside).mails.len();
        let response = session.process(&line);
        let has_taken = lock(&inside).mails.len() > before;
        if has_taken && lock(&inside).lose > 0 {
            lock(&inside).lose -= 1;
            return;
        }
        if matches!(response.action, Action::NoReply) {
            continue;
        }
        let sent = write.write_all(&response.buffer().unwrap()).await;
        if sent.is_err() || matches!(response.action, Action::Close) {
            return;
        }
    }
}
