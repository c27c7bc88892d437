//! A double of Backlog's API v2: forms are checked as Backlog describes them, issues and comments are
//! kept, and it fails as it is told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub(super) const KEY: &str = "backlog-key-0123456789";

/// What happens to the next request that writes.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// It is carried out, and the answer breaks off.
    AnswerLost,
    /// It is carried out, and nobody ever answers.
    NeverAnswered,
    /// It is not carried out.
    Says(u16),
}

#[derive(Clone)]
pub(super) struct Issue {
    pub(super) id: u64,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) kind: u64,
    pub(super) priority: u64,
    pub(super) status: u64,
    pub(super) comments: Vec<String>,
}

#[derive(Default)]
struct Inside {
    issues: Vec<Issue>,
    faults: VecDeque<Fault>,
    /// Every write that came, carried out or not.
    writes: usize,
    problems: Vec<String>,
}

type Shared = Arc<Mutex<Inside>>;

pub(super) struct Backlog {
    pub(super) url: String,
    inside: Shared,
    server: JoinHandle<()>,
}

const PROJECT: u64 = 11;
const ME: u64 = 77;

impl Backlog {
    pub(super) async fn start() -> Self {
        let inside = Shared::default();
        let routes = Router::new()
            .route("/api/v2/projects/{project}", get(project))
            .route("/api/v2/projects/{project}/issueTypes", get(issue_types))
            .route("/api/v2/projects/{project}/statuses", get(statuses))
            .route("/api/v2/priorities", get(priorities))
            .route("/api/v2/users/myself", get(myself))
            .route("/api/v2/issues", get(list).post(create))
            .route("/api/v2/issues/{issue}", get(one))
            .route("/api/v2/issues/{issue}/comments", get(comments).post(comment))
            .with_state(Arc::clone(&inside));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, inside, server }
    }

    /// Lines for the settings.
    pub(super) fn settings(&self) -> String {
        format!("backlog: {{url: \"{}\", key: \"env:BACKLOG_KEY\"}}\n", self.url)
    }

    pub(super) fn fail(&self, times: usize, fault: Fault) {
        lock(&self.inside).faults.extend(std::iter::repeat_n(fault, times));
    }

    pub(super) fn heal(&self) {
        lock(&self.inside).faults.clear();
    }

    pub(super) fn issues(&self) -> Vec<Issue> {
        lock(&self.inside).issues.clone()
    }

    pub(super) fn writes(&self) -> usize {
        lock(&self.inside).writes
    }

    pub(super) fn close(&self, id: u64) {
        let mut inside = lock(&self.inside);
        inside.issues.iter_mut().find(|issue| issue.id == id).unwrap().status = 4;
    }

    /// What was asked that Backlog would not understand.
    pub(super) fn problems(&self) -> Vec<String> {
        lock(&self.inside).problems.clone()
    }
}

impl Drop for Backlog {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(inside: &Shared) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

type Form = BTreeMap<String, Vec<String>>;

fn parse(text: &str) -> Form {
    let url = reqwest::Url::parse(&format!("http://double/?{text}")).unwrap();
    let mut form = Form::new();
    for (key, value) in url.query_pairs() {
        form.entry(key.into_owned()).or_default().push(value.into_owned());
    }
    form
}

fn error(status: u16, code: u32, message: &str) -> Response {
    let body = json!({"errors": [{"message": message, "code": code, "moreInfo": ""}]});
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

/// The query without the key, or what Backlog says to a wrong one.
fn query(inside: &Shared, query: Option<String>, known: &[&str]) -> Result<Form, Box<Response>> {
    let mut form = parse(&query.unwrap_or_default());
    if form.remove("apiKey") != Some(vec![KEY.to_owned()]) {
        return Err(Box::new(error(401, 11, "Authentication failure.")));
    }
    check_names(inside, &form, known);
    Ok(form)
}

fn check_names(inside: &Shared, form: &Form, known: &[&str]) {
    for (name, values) in form {
        let several = name.ends_with("[]");
        if !known.contains(&name.as_str()) || (values.len() > 1 && !several) {
            lock(inside).problems.push(format!("{name}={values:?}"));
        }
    }
}

fn issue_json(issue: &Issue) -> Value {
    json!({
        "id": issue.id, "projectId": PROJECT, "issueKey": format!("SHOP-{}", issue.id - 1_000),
        "issueType": {"id": issue.kind}, "priority": {"id": issue.priority},
        "summary": issue.summary, "description": issue.description,
        "status": {"id": issue.status}, "createdUser": {"id": ME},
    })
}

async fn project(
    State(inside): State<Shared>,
    Path(key): Path<String>,
    RawQuery(raw): RawQuery,
) -> Response {
    match query(&inside, raw, &[]) {
        Err(refusal) => *refusal,
        Ok(_) if key == "SHOP" => {
            Json(json!({"id": PROJECT, "projectKey": "SHOP"})).into_response()
        }
        Ok(_) => error(404, 6, "No project."),
    }
}

async fn issue_types(State(inside): State<Shared>, RawQuery(raw): RawQuery) -> Response {
    named(&inside, raw, json!([{"id": 21, "name": "タスク"}, {"id": 22, "name": "障害"}]))
}

async fn statuses(State(inside): State<Shared>, RawQuery(raw): RawQuery) -> Response {
    let all = json!([{"id": 1, "name": "未対応"}, {"id": 2, "name": "処理中"},
        {"id": 3, "name": "処理済み"}, {"id": 4, "name": "完了"}, {"id": 501, "name": "保留"}]);
    named(&inside, raw, all)
}

async fn priorities(State(inside): State<Shared>, RawQuery(raw): RawQuery) -> Response {
    let all = json!([{"id": 2, "name": "高"}, {"id": 3, "name": "中"}, {"id": 4, "name": "低"}]);
    named(&inside, raw, all)
}

async fn myself(State(inside): State<Shared>, RawQuery(raw): RawQuery) -> Response {
    named(&inside, raw, json!({"id": ME, "name": "AMS"}))
}

fn named(inside: &Shared, raw: Option<String>, what: Value) -> Response {
    match query(inside, raw, &[]) {
        Ok(_) => Json(what).into_response(),
        Err(refusal) => *refusal,
    }
}

const LIST: [&str; 9] = [
    "projectId[]",
    "createdUserId[]",
    "statusId[]",
    "sort",
    "order",
    "count",
    "offset",
    "createdSince",
    "updatedSince",
];

async fn list(State(inside): State<Shared>, RawQuery(raw): RawQuery) -> Response {
    let form = match query(&inside, raw, &LIST) {
        Ok(form) => form,
        Err(refusal) => return *refusal,
    };
    let is_day = |day: &String| day.parse::<jiff::civil::Date>().is_ok() && day.len() == 10;
    let days = ["createdSince", "updatedSince"].iter().filter_map(|key| form.get(*key));
    if !days.flatten().all(is_day) {
        lock(&inside).problems.push(format!("{form:?}"));
    }
    let states = form.get("statusId[]");
    let most: usize = form["count"][0].parse().unwrap();
    let first: usize = form["offset"][0].parse().unwrap();
    let inside = lock(&inside);
    let wanted = |issue: &&Issue| states.is_none_or(|it| it.contains(&issue.status.to_string()));
    let found = inside.issues.iter().rev().filter(wanted).skip(first).take(most);
    Json(Value::from(found.map(issue_json).collect::<Vec<_>>())).into_response()
}

async fn one(
    State(inside): State<Shared>,
    Path(id): Path<u64>,
    RawQuery(raw): RawQuery,
) -> Response {
    if let Err(refusal) = query(&inside, raw, &[]) {
        return *refusal;
    }
    match lock(&inside).issues.iter().find(|issue| issue.id == id) {
        Some(issue) => Json(issue_json(issue)).into_response(),
        None => error(404, 6, "No issue."),
    }
}

const ISSUE: [&str; 5] = ["projectId", "summary", "issueTypeId", "priorityId", "description"];

async fn create(
    State(inside): State<Shared>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    write(&inside, raw, (&headers, &body), &ISSUE, |inside, form| {
        let number = |key: &str| form[key][0].parse::<u64>().ok();
        let summary = form["summary"][0].clone();
        let fits = (1..=255).contains(&summary.chars().count())
            && form["description"][0].chars().count() <= 100_000
            && number("projectId") == Some(PROJECT)
            && [Some(21), Some(22)].contains(&number("issueTypeId"))
            && [Some(2), Some(3), Some(4)].contains(&number("priorityId"));
        if !fits || summary.contains('\n') {
            return error(400, 7, "Invalid request.");
        }
        let issue = Issue {
            id: 1_001 + inside.issues.len() as u64,
            summary,
            description: form["description"][0].clone(),
            kind: number("issueTypeId").unwrap(),
            priority: number("priorityId").unwrap(),
            status: 1,
            comments: Vec::new(),
        };
        let answer = (StatusCode::CREATED, Json(issue_json(&issue))).into_response();
        inside.issues.push(issue);
        answer
    })
    .await
}

async fn comments(
    State(inside): State<Shared>,
    Path(id): Path<u64>,
    RawQuery(raw): RawQuery,
) -> Response {
    if let Err(refusal) = query(&inside, raw, &["order", "count"]) {
        return *refusal;
    }
    let inside = lock(&inside);
    let Some(issue) = inside.issues.iter().find(|issue| issue.id == id) else {
        return error(404, 6, "No issue.");
    };
    let all: Vec<Value> =
        issue.comments.iter().rev().map(|content| json!({"content": content})).collect();
    Json(Value::from(all)).into_response()
}

async fn comment(
    State(inside): State<Shared>,
    Path(id): Path<u64>,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    write(&inside, raw, (&headers, &body), &["content"], |inside, form| {
        let content = form["content"][0].clone();
        if content.chars().count() > 50_000 {
            return error(400, 7, "The Comment must be no longer than 50,000.");
        }
        let Some(issue) = inside.issues.iter_mut().find(|issue| issue.id == id) else {
            return error(404, 6, "No issue.");
        };
        issue.comments.push(content.clone());
        (StatusCode::CREATED, Json(json!({"id": 1, "content": content}))).into_response()
    })
    .await
}

async fn write(
    inside: &Shared,
    raw: Option<String>,
    (headers, body): (&HeaderMap, &Bytes),
    fields: &[&str],
    effect: impl FnOnce(&mut Inside, &Form) -> Response,
) -> Response {
    if let Err(refusal) = query(inside, raw, &[]) {
        return *refusal;
    }
    let kind = headers.get("content-type").and_then(|it| it.to_str().ok());
    let form = parse(std::str::from_utf8(body).unwrap());
    check_names(inside, &form, fields);
    let is_form = kind == Some("application/x-www-form-urlencoded");
    if !is_form || !fields.iter().all(|field| form.contains_key(*field)) {
        lock(inside).problems.push(format!("{kind:?} {form:?}"));
        return error(400, 7, "Invalid request.");
    }
    let (fault, answer) = {
        let mut inside = lock(inside);
        inside.writes += 1;
        let fault = inside.faults.pop_front();
        match fault {
            Some(Fault::Says(status)) => return error(status, 1, "as the story wants it"),
            _ => (fault, effect(&mut inside, &form)),
        }
    };
    match fault {
        Some(Fault::AnswerLost) => {
            let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
            (answer.status(), Body::from_stream(broken)).into_response()
        }
        Some(Fault::NeverAnswered) => std::future::pending().await,
        _ => answer,
    }
}
