//! Every answer of PagerDuty that says no, and what follows: the table of docs/pagerduty.md.

use ams::incident::Status;
use ams::report::{Escalation, IncidentChange, IncidentPlatform as _, PlatformError};

use super::server::{
    GET, GET_NOTES, POST_NOTES, PUT, Reply, Server, code, escalate, incident, json, q1, status,
    text, title,
};

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Look,
    Title,
    Note,
    Resolve,
    Acknowledge,
    Priority,
    Page,
}

/// What follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Ended,
    Done,
    NotFound,
    Refused,
    WithoutPriority,
    Again,
    AfterLook,
    Waits,
}

use Call::{Acknowledge, Look, Note, Page, Priority, Resolve, Title};
use Then::{AfterLook, Again, Done, Ended, NotFound, Refused, Waits, WithoutPriority};

/// Status, code (none: an empty body), call, what follows.
const ROWS: [(u16, Option<u32>, Call, Then); 56] = [
    (302, None, Look, Refused),
    (400, Some(1001), Title, Ended),
    (400, Some(1001), Page, Ended),
    (400, Some(1001), Resolve, Ended),
    (400, Some(1002), Acknowledge, Done),
    (400, Some(1003), Resolve, Refused),
    (400, Some(1005), Title, Refused),
    (409, Some(1005), Title, Refused),
    (400, Some(1006), Page, Refused),
    (400, Some(1007), Page, Refused),
    (400, Some(1008), Page, Refused),
    (400, Some(1011), Page, Refused),
    (400, Some(1012), Title, Refused),
    (400, Some(1013), Title, Refused),
    (400, Some(1014), Page, Refused),
    (400, Some(1015), Page, Refused),
    (400, Some(1018), Page, Refused),
    (400, Some(1019), Title, Ended),
    (400, Some(1019), Page, Ended),
    (400, Some(1020), Priority, WithoutPriority),
    (400, Some(2001), Look, Refused),
    (400, Some(2001), Title, Refused),
    (400, Some(2001), Note, Refused),
    (400, Some(2001), Page, Refused),
    (400, Some(2002), Look, Refused),
    (400, Some(2016), Note, Refused),
    (400, Some(2018), Title, Ended),
    (400, Some(2018), Page, Ended),
    (400, Some(2019), Note, Refused),
    (401, Some(2006), Look, Refused),
    (401, Some(2006), Page, Refused),
    (402, Some(2014), Priority, WithoutPriority),
    (402, Some(2014), Page, Refused),
    (403, Some(2010), Look, Refused),
    (403, Some(2010), Note, Refused),
    (403, Some(2010), Priority, WithoutPriority),
    (404, Some(2100), Look, NotFound),
    (404, Some(2100), Note, NotFound),
    (404, Some(5001), Page, NotFound),
    (408, Some(2016), Look, Again),
    (408, Some(2016), Title, Again),
    (408, Some(2016), Note, AfterLook),
    (408, Some(2016), Resolve, AfterLook),
    (429, Some(2020), Look, Waits),
    (429, Some(2020), Note, Waits),
    (429, Some(2020), Resolve, Waits),
    (429, None, Title, Waits),
    (429, None, Page, Waits),
    (500, Some(2000), Look, Again),
    (500, Some(2000), Note, AfterLook),
    (500, Some(2000), Resolve, AfterLook),
    (500, Some(2000), Page, AfterLook),
    (502, None, Title, Again),
    (503, None, Page, AfterLook),
    (503, None, Note, AfterLook),
    (504, None, Page, AfterLook),
];

impl Call {
    const fn word(self) -> &'static str {
        match self {
            Look => "look",
            Title => "title",
            Note => "note",
            Resolve => "resolve",
            Acknowledge => "acknowledge",
            Priority => "priority",
            Page => "page",
        }
    }

    /// Where it goes, and where it looks for what became of it.
    const fn routes(self) -> (&'static str, &'static str) {
        match self {
            Look => (GET, GET),
            Note => (POST_NOTES, GET_NOTES),
            _ => (PUT, GET),
        }
    }

    /// Its own kind of yes.
    fn yes(self) -> Reply {
        match self {
            Note => text(201, "{}"),
            _ => incident("triggered"),
        }
    }

    async fn send(self, server: &Server) -> Result<(), PlatformError> {
        let client = server.client();
        let change = match self {
            Look => return client.incident(&q1()).await.map(drop),
            Note => return client.add_note(&q1(), "hello #m1", "#m1").await,
            Title => title("t"),
            Resolve => status(Status::Resolved),
            Acknowledge => status(Status::Acknowledged),
            Priority => IncidentChange { priority: Some("P1".to_owned()), ..title("t") },
            // Nobody had it before, nor has anybody when it is looked for.
            Page => {
                let before = Some(Vec::new());
                IncidentChange { before, ..escalate(Escalation::Level(2)) }
            }
        };
        client.change(&q1(), &change).await.map(drop)
    }
}

impl Then {
    const fn word(self) -> &'static str {
        match self {
            Ended => "ended: somebody was first",
            Done => "done: it is so already",
            NotFound => "not found: not repeated",
            Refused => "refused: not repeated",
            WithoutPriority => "sent again without the priority",
            Again => "tried again",
            AfterLook => "looked for, then tried again",
            Waits => "waits for its turn, then sent again",
        }
    }

    fn fits(self, result: &Result<(), PlatformError>) -> bool {
        match self {
            Ended => matches!(result, Err(PlatformError::AlreadyEnded { .. })),
            NotFound => matches!(result, Err(PlatformError::NotFound { .. })),
            Refused => matches!(result, Err(PlatformError::Refused { .. })),
            Done | WithoutPriority | Again | AfterLook | Waits => result.is_ok(),
        }
    }

    /// The requests that are sent.
    fn requests(self, call: Call) -> Vec<&'static str> {
        let (own, look) = call.routes();
        match self {
            Ended | NotFound | Refused => vec![own],
            // The rest of such a change is nothing, so that only the incident is asked for.
            Done => vec![own, look],
            WithoutPriority | Again | Waits => vec![own, own],
            AfterLook => vec![own, look, own],
        }
    }
}

#[tokio::test]
async fn every_answer_that_says_no_has_what_follows() {
    for (http, number, call, then) in ROWS {
        let row = format!("{http} {number:?} {call:?}");
        let server = Server::start().await;
        let no = number.map_or_else(|| text(http, ""), |number| code(http, number));
        let (own, look) = call.routes();
        server.on(own, [no, call.yes()]);
        if look == GET_NOTES {
            server.on(look, [json(200, &serde_json::json!({ "notes": [] }))]);
        } else if look != own {
            server.on(look, [incident("triggered")]);
        }
        let result = call.send(&server).await;
        assert!(then.fits(&result), "{row}: {result:?}");
        assert_eq!(server.routes(), then.requests(call), "{row}");
        if then == WithoutPriority {
            let bodies: Vec<bool> = server
                .seen()
                .iter()
                .map(|seen| seen.body["incident"]["priority"].is_null())
                .collect();
            assert_eq!(bodies, [false, true], "{row}");
        }
    }
}

#[test]
fn the_document_says_the_same() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/pagerduty.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, document) = document.split_once("\n## Errors\n").unwrap();
    let document = document.split("\n## ").next().unwrap();
    let rows: Vec<String> = ROWS
        .iter()
        .map(|(http, number, call, then)| {
            let number = number.map_or_else(|| "–".to_owned(), |number| number.to_string());
            format!("| {http} | {number} | {} | {} |", call.word(), then.word())
        })
        .collect();
    let missing: Vec<&String> =
        rows.iter().filter(|row| !document.lines().any(|line| line.starts_with(*row))).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    let documented = document.lines().filter(|line| line.starts_with("| ") && line.contains(" | "));
    let documented = documented.filter(|line| line.as_bytes()[2].is_ascii_digit()).count();
    assert_eq!(documented, rows.len(), "the document has rows that nothing tests");
}
