//! A collector of traces: OTLP over HTTP, read as its protocol buffers describe it (opentelemetry-proto,
//! `trace.proto` and `common.proto`).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::task::JoinHandle;

/// A span as it came.
#[derive(Clone, Debug, Default)]
pub(super) struct Span {
    pub(super) trace: Vec<u8>,
    pub(super) id: Vec<u8>,
    pub(super) parent: Vec<u8>,
    pub(super) name: String,
    pub(super) attributes: BTreeMap<String, String>,
    pub(super) events: usize,
    /// Nanoseconds since 1970.
    pub(super) ended: u64,
    /// Of the process: `service.name`, `ams.region`.
    pub(super) resource: BTreeMap<String, String>,
}

impl Span {
    pub(super) fn says(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

pub(super) struct Collector {
    pub(super) url: String,
    spans: Arc<Mutex<Vec<Span>>>,
    server: JoinHandle<()>,
}

impl Collector {
    pub(super) async fn start() -> Self {
        let spans: Arc<Mutex<Vec<Span>>> = Arc::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&spans));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, spans, server }
    }

    pub(super) fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(
    State(spans): State<Arc<Mutex<Vec<Span>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let mut read = Vec::new();
    for (_, resource_spans) in messages(&body).into_iter().filter(|(field, _)| *field == 1) {
        let mut resource = BTreeMap::new();
        for (field, part) in messages(resource_spans) {
            match field {
                1 => resource = attributes(part, 1),
                2 => read.extend(
                    messages(part)
                        .into_iter()
                        .filter(|(field, _)| *field == 2)
                        .map(|(_, bytes)| Span { resource: resource.clone(), ..span(bytes) }),
                ),
                _ => {}
            }
        }
    }
    spans.lock().unwrap_or_else(PoisonError::into_inner).extend(read);
    StatusCode::OK
}

fn span(bytes: &[u8]) -> Span {
    let mut span = Span { attributes: attributes(bytes, 9), ..Span::default() };
    let ended = numbers(bytes).into_iter().find(|(field, _)| *field == 8);
    span.ended = ended.map(|(_, at)| at).unwrap_or_default();
    for (field, part) in messages(bytes) {
        match field {
            1 => span.trace = part.to_vec(),
            2 => span.id = part.to_vec(),
            4 => span.parent = part.to_vec(),
            5 => span.name = String::from_utf8(part.to_vec()).unwrap(),
            11 => span.events += 1,
            _ => {}
        }
    }
    span
}

/// The entries of a list of names and values that stands in this field.
fn attributes(bytes: &[u8], at: u64) -> BTreeMap<String, String> {
    let entries = messages(bytes).into_iter().filter(|(field, _)| *field == at);
    let text = |part: &[u8]| String::from_utf8_lossy(part).into_owned();
    let entry = |(_, pair): (u64, &[u8])| {
        let parts = messages(pair);
        let name = parts.iter().find(|(field, _)| *field == 1).map(|(_, part)| text(part));
        let value = parts.iter().find(|(field, _)| *field == 2).map(|(_, value)| {
            let words = messages(value).into_iter().find(|(field, _)| *field == 1);
            let number = numbers(value).into_iter().find(|(field, _)| *field == 3);
            let number = number.map(|(_, number)| number.to_string());
            words.map(|(_, part)| text(part)).or(number).unwrap_or_default()
        });
        (name.unwrap_or_default(), value.unwrap_or_default())
    };
    entries.map(entry).collect()
}

/// Fields with a length: texts, bytes, messages within.
fn messages(bytes: &[u8]) -> Vec<(u64, &[u8])> {
    fields(bytes).into_iter().filter_map(|(field, _, part)| Some((field, part?))).collect()
}

fn numbers(bytes: &[u8]) -> Vec<(u64, u64)> {
    fields(bytes).into_iter().filter_map(|(field, number, _)| Some((field, number?))).collect()
}

type Field<'a> = (u64, Option<u64>, Option<&'a [u8]>);

fn fields(mut bytes: &[u8]) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let key = varint(&mut bytes);
        let (field, kind) = (key >> 3, key & 7);
        let skip = |bytes: &mut &[u8], length: usize| *bytes = &bytes[length..];
        match kind {
            0 => found.push((field, Some(varint(&mut bytes)), None)),
            1 => {
                let number = bytes[..8].try_into().map(u64::from_le_bytes).unwrap();
                found.push((field, Some(number), None));
                skip(&mut bytes, 8);
            }
            2 => {
                let length = usize::try_from(varint(&mut bytes)).unwrap();
                found.push((field, None, Some(&bytes[..length])));
                skip(&mut bytes, length);
            }
            5 => skip(&mut bytes, 4),
            other => panic!("no such wire type: {other}"),
        }
    }
    found
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let (mut number, mut shift) = (0, 0);
    loop {
        let (byte, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            return number;
        }
    }
}
