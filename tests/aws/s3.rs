//! S3: objects by path (`/bucket/key`), as a signed client stores and fetches them.
//!
//! After the pages of `ListObjectsV2`, `PutObject`, `GetObject`, `HeadObject` and `DeleteObject` of the Amazon S3 API
//! reference. A bucket takes its own account's requests and those of accounts that its policy
//! names; a name is taken in all of AWS, and lies in one region. What agents upload follows
//! "Using Amazon S3 for command output" of the Systems Manager user guide: by the host's own
//! permission, and after the command's end is told, which is when nobody says.

use std::collections::{BTreeMap, BTreeSet};

use axum::body::Bytes;
use axum::http::header::{CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, RANGE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};

use super::accounts::Account;
use super::form::{Form, decoded};
use super::refusal::Why;
use super::sign::{hex, text};
use super::world::{Caller, Shared};

/// By name.
pub(super) type Buckets = BTreeMap<String, BucketState>;

pub(super) struct BucketState {
    account: String,
    region: String,
    readers: BTreeSet<String>,
    objects: BTreeMap<String, Object>,
    /// Every page of its list names a further one.
    endless: bool,
}

/// Something stored.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) body: Bytes,
    /// `content-type` and everything that begins with `x-amz-`.
    pub(crate) headers: BTreeMap<String, String>,
}

/// A request about one object.
pub(super) struct Wish {
    method: Method,
    bucket: String,
    key: String,
    /// The start of keys that are listed, and the key after which the list goes on.
    list: Option<(String, String)>,
    /// First and last byte.
    range: Option<(usize, Option<usize>)>,
    object: Object,
}

impl Wish {
    pub(super) fn read(parts: &Parts, body: &Bytes) -> Self {
        let path = parts.uri.path().trim_start_matches('/');
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let range = text(&parts.headers, RANGE.as_str()).and_then(range);
        let kept = |name: &str| name == "content-type" || name.starts_with("x-amz-");
        let headers = parts.headers.iter().filter(|(name, _)| kept(name.as_str()));
        let headers = headers.filter_map(|(name, value)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        });
        let object = Object { body: body.clone(), headers: headers.collect() };
        let method = parts.method.clone();
        let query = Form::read(parts.uri.query().unwrap_or_default());
        let given = |name| query.get(name).unwrap_or_default().to_owned();
        let is_list = key.is_empty() && query.get("list-type") == Some("2");
        let list = is_list.then(|| (given("prefix"), given("continuation-token")));
        Self { method, bucket: decoded(bucket), key: decoded(key), list, range, object }
    }

    /// As policies name it.
    pub(super) fn action(&self) -> &'static str {
        match self.method {
            Method::PUT => "PutObject",
            Method::GET if self.list.is_some() => "ListBucket",
            Method::GET => "GetObject",
            Method::HEAD => "HeadObject",
            Method::DELETE => "DeleteObject",
            _ => "",
        }
    }

    pub(super) fn answer(&self, shared: &Shared, caller: &Caller) -> Result<Response, Why> {
        let mut world = shared.world();
        let bucket = bucket(&mut world.buckets, caller, &self.bucket)?;
        if !self.object.headers.contains_key("x-amz-content-sha256") {
            let message = "Missing required header for this request: x-amz-content-sha256";
            return Err(Why::stated("InvalidRequest", message));
        }
        let found = bucket.objects.get(&self.key);
        let missing = || Why::answered(404, "NoSuchKey", "The specified key does not exist.");
        match self.action() {
            "ListBucket" => {
                let (prefix, after) = self.list.clone().unwrap_or_default();
                Ok(list(bucket, &prefix, &after).into_response())
            }
            "PutObject" => {
                let tag = tag(&self.object);
                bucket.objects.insert(self.key.clone(), self.object.clone());
                Ok(([(ETAG, tag)], ()).into_response())
            }
            "GetObject" => part(found.ok_or_else(missing)?, self.range),
            "HeadObject" => {
                let found = found.ok_or_else(missing)?;
                let length = found.body.len().to_string();
                Ok(([(ETAG, tag(found)), (CONTENT_LENGTH, length)], ()).into_response())
            }
            "DeleteObject" => {
                bucket.objects.remove(&self.key);
                Ok(StatusCode::NO_CONTENT.into_response())
            }
            _ => Err(Why::answered(405, "MethodNotAllowed", "not allowed against this resource")),
        }
    }
}

/// One that the caller may use, where it is.
fn bucket<'a>(
    buckets: &'a mut Buckets,
    caller: &Caller,
    name: &str,
) -> Result<&'a mut BucketState, Why> {
    let none = || Why::answered(404, "NoSuchBucket", "The specified bucket does not exist");
    let bucket = buckets.get_mut(name).ok_or_else(none)?;
    if bucket.account != caller.account && !bucket.readers.contains(&caller.account) {
        return Err(Why::denied(&caller.arn, "s3:*", &format!("arn:aws:s3:::{name}")));
    }
    if bucket.region != caller.region {
        let message =
            format!("the region '{}' is wrong; expecting '{}'", caller.region, bucket.region);
        return Err(Why::stated("AuthorizationHeaderMalformed", message));
    }
    Ok(bucket)
}

/// Objects on one page; S3 has a thousand, and tests are to see more pages than one.
const PAGE: usize = 3;

/// In the order of keys. A token is the last key of the page before.
fn list(bucket: &BucketState, prefix: &str, after: &str) -> String {
    let listed = bucket.objects.iter().filter(|(key, _)| key.starts_with(prefix));
    let mut listed = listed.filter(|(key, _)| key.as_str() > after).peekable();
    let page: Vec<_> = listed.by_ref().take(PAGE).collect();
    let is_cut = bucket.endless || listed.peek().is_some();
    let entry = |(key, object): &(&String, &Object)| {
        let (size, tag) = (object.body.len(), tag(object));
        format!("<Contents><Key>{key}</Key><ETag>{tag}</ETag><Size>{size}</Size></Contents>")
    };
    let last = page.last().map_or(after, |(key, _)| key.as_str());
    let next = is_cut.then(|| format!("<NextContinuationToken>{last}</NextContinuationToken>"));
    let contents: String = page.iter().map(entry).collect();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult><IsTruncated>{is_cut}</IsTruncated>\
         {contents}{}</ListBucketResult>",
        next.unwrap_or_default()
    )
}

/// What an agent stores, with the permission of its host.
pub(super) fn upload(
    shared: &Shared,
    (account, region, name): (&str, &str, &str),
    key: String,
    body: Vec<u8>,
) {
    let arn = format!("arn:aws:sts::{account}:assumed-role/ssm-host");
    let caller = Caller { account: account.to_owned(), region: region.to_owned(), arn };
    let mut world = shared.world();
    if let Ok(bucket) = bucket(&mut world.buckets, &caller, name) {
        let object = Object { body: body.into(), headers: BTreeMap::new() };
        bucket.objects.insert(key, object);
    }
}

/// `bytes=0-99`, `bytes=100-`.
fn range(text: &str) -> Option<(usize, Option<usize>)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    Some((first.parse().ok()?, last.parse().ok()))
}

fn part(object: &Object, range: Option<(usize, Option<usize>)>) -> Result<Response, Why> {
    let kind = object.headers.get("content-type").cloned();
    let kind = (CONTENT_TYPE, kind.unwrap_or_else(|| "binary/octet-stream".to_owned()));
    let size = object.body.len();
    let Some((first, last)) = range else {
        return Ok(([kind, (ETAG, tag(object))], object.body.clone()).into_response());
    };
    let end = last.map_or(size, |last| size.min(last + 1));
    if first >= end {
        return Err(Why::answered(416, "InvalidRange", "The requested range is not satisfiable"));
    }
    let told = (CONTENT_RANGE, format!("bytes {first}-{}/{size}", end - 1));
    let part = object.body.slice(first..end);
    Ok((StatusCode::PARTIAL_CONTENT, [kind, told], part).into_response())
}

fn tag(object: &Object) -> String {
    format!("\"{}\"", &hex(&Sha256::digest(&object.body))[..32])
}

/// A bucket of an account.
#[derive(Clone, Debug)]
pub(crate) struct Bucket {
    account: Account,
    name: String,
}

impl Bucket {
    pub(super) fn new(account: &Account, region: &str, name: &str) -> Self {
        let state = BucketState {
            account: account.id.clone(),
            region: region.to_owned(),
            readers: BTreeSet::new(),
            objects: BTreeMap::new(),
            endless: false,
        };
        account.shared.world().buckets.entry(name.to_owned()).or_insert(state);
        Self { account: account.clone(), name: name.to_owned() }
    }

    /// Its policy lets this account in as well.
    pub(crate) fn shared_with(&self, account: &str) -> &Self {
        if let Some(bucket) = self.account.shared.world().buckets.get_mut(&self.name) {
            bucket.readers.insert(account.to_owned());
        }
        self
    }

    pub(crate) fn object(&self, key: &str) -> Option<Object> {
        self.account.shared.world().buckets.get(&self.name)?.objects.get(key).cloned()
    }

    /// As somebody of the account puts it there.
    pub(crate) fn put(&self, key: &str, body: &str) {
        let object = Object { body: body.to_owned().into(), headers: BTreeMap::new() };
        self.change(|bucket| drop(bucket.objects.insert(key.to_owned(), object)));
    }

    pub(crate) fn lists_without_end(&self, endless: bool) {
        self.change(|bucket| bucket.endless = endless);
    }

    pub(crate) fn remove(&self, key: &str) {
        self.change(|bucket| drop(bucket.objects.remove(key)));
    }

    fn change(&self, change: impl FnOnce(&mut BucketState)) {
        if let Some(bucket) = self.account.shared.world().buckets.get_mut(&self.name) {
            change(bucket);
        }
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        let world = self.account.shared.world();
        let bucket = world.buckets.get(&self.name);
        bucket.into_iter().flat_map(|bucket| bucket.objects.keys().cloned()).collect()
    }
}
