//! Whole messages of bounded length over a kept connection. Both ends are known programs.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Webhooks and answers here have a few kilobytes.
const MESSAGE_BYTES: usize = 256 * 1024;

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    /// Bytes of the message that was handed out last.
    taken: usize,
}

pub(crate) struct Message<'a> {
    pub(crate) head: &'a str,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        Self::over(TcpStream::connect(address).await?)
    }

    pub(crate) fn over(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::new(), taken: 0 })
    }

    pub(crate) async fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.stream.write_all(message).await
    }

    /// The next message; `None` when the other side has closed between two of them.
    pub(crate) async fn receive(&mut self) -> io::Result<Option<Message<'_>>> {
        self.buffer.drain(..std::mem::take(&mut self.taken));
        let (head, end) = loop {
            if let Some(lengths) = lengths(&self.buffer)?
                && lengths.1 <= self.buffer.len()
            {
                break lengths;
            }
            if self.buffer.len() > MESSAGE_BYTES {
                return Err(invalid("a message is too long"));
            }
            match self.stream.read_buf(&mut self.buffer).await? {
                0 if self.buffer.is_empty() => return Ok(None),
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                _ => {}
            }
        };
        self.taken = end;
        Ok(Some(Message { head: text(&self.buffer[..head])?, body: &self.buffer[head..end] }))
    }

    /// The status of the answer to `request`.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> io::Result<u16> {
        self.send(request).await?;
        let answer = self.receive().await?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let status = answer.head.split(' ').nth(1).and_then(|status| status.parse().ok());
        status.ok_or_else(|| invalid("an answer has no status"))
    }
}

/// Bytes of the head and of the whole message, once the head is there.
fn lengths(buffer: &[u8]) -> io::Result<Option<(usize, usize)>> {
    let Some(end) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
        return Ok(None);
    };
    let head = end + 4;
    let fields = text(&buffer[..end])?.lines().filter_map(|line| line.split_once(':'));
    let mut lengths = fields.filter(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let body = match lengths.next() {
        Some((_, length)) => length.trim().parse().map_err(|_| invalid("a length is no number"))?,
        None => 0,
    };
    Ok(Some((head, head + body)))
}

fn text(bytes: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(bytes).map_err(|_| invalid("a head is no text"))
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
