//! Servers by tag, asked of EC2 in every region that the run's own customer names.
//!
//! `DescribeInstances` as in the EC2 API reference, filtered by tag. Nothing is changed by it, so a
//! request without an answer is made again. The role needs `ec2:DescribeInstances`.

mod answer;

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use tokio::time::{sleep, timeout};

use self::answer::Page;
use crate::aws::Aws;
use crate::aws::sessions::{Session, Sessions};
use crate::aws::signed;
use crate::clock::Clock;
use crate::customer::Customer;
use crate::customer::aws::AwsAccount;
use crate::customer::instance::Instance;
use crate::execute::sources::{LookUp, NoAnswer};
use crate::limits;
use crate::scenario::template::percent_encode;

/// `DescribeInstances` of this version.
const VERSION: &str = "2016-11-15";

/// Servers of one page.
const PAGE: &str = "100";

/// States of servers that are there: all but `shutting-down` and `terminated`.
const STATES: [&str; 4] = ["pending", "running", "stopping", "stopped"];

pub struct Instances {
    sessions: Sessions,
    http: reqwest::Client,
    clock: Arc<dyn Clock>,
}

/// What is asked of one region.
#[derive(Clone, Copy)]
struct Question<'a> {
    account: &'a AwsAccount,
    region: &'a str,
    tag: &'a str,
    value: &'a str,
}

#[async_trait]
impl LookUp for Instances {
    async fn by_tag(
        &self,
        customer: &Customer,
        tag: &str,
        value: &str,
    ) -> Result<Vec<Instance>, NoAnswer> {
        if customer.aws.is_empty() {
            let name = &customer.name;
            return Err(NoAnswer(format!("{name} has no AWS account in its customer's file")));
        }
        let mut asked = Vec::new();
        for account in &customer.aws {
            for region in &account.words().regions {
                asked.push(self.in_region(Question { account, region, tag, value }));
            }
        }
        let found: Vec<Vec<Instance>> =
            stream::iter(asked).buffered(limits::EC2_AT_ONCE).try_collect().await?;
        Ok(found.concat())
    }
}

impl Instances {
    pub fn new(aws: Aws, http: reqwest::Client, clock: Arc<dyn Clock>) -> Self {
        Self { sessions: Sessions::new(aws, Arc::clone(&clock)), http, clock }
    }

    /// Page after page: with a filter EC2 gives short and empty ones, and says that there are more.
    async fn in_region(&self, question: Question<'_>) -> Result<Vec<Instance>, NoAnswer> {
        let (mut found, mut next) = (Vec::new(), None);
        for _ in 0..limits::EC2_PAGES {
            let page = self.page(question, next.as_deref()).await.map_err(|why| {
                let account = &question.account.words().account;
                NoAnswer(format!("EC2 of {account} in {}: {why}", question.region))
            })?;
            found.extend(page.instances);
            next = page.next;
            if next.is_none() {
                return Ok(found);
            }
        }
        let (region, most) = (question.region, limits::EC2_PAGES);
        Err(NoAnswer(format!("EC2 in {region} has more than {most} pages of servers")))
    }

    async fn page(&self, question: Question<'_>, next: Option<&str>) -> Result<Page, String> {
        let mut wait = limits::EC2_FIRST_WAIT;
        let mut attempt = 1;
        loop {
            let session = self.sessions.look(question.account).await;
            let session = session.map_err(|error| error.to_string())?;
            let asked = timeout(limits::EC2_REQUEST, self.ask(&session, question, next)).await;
            let why = match asked {
                Ok(Ok(text)) => return answer::read(&text, question),
                Ok(Err(why)) => why,
                Err(_) => "no answer in time".to_owned(),
            };
            let is_over = ["RequestExpired", "AuthFailure"].iter().any(|word| why.contains(word));
            if is_over {
                self.sessions.forget(question.account, None, &session).await;
            }
            // What EC2 understood and refused is refused again.
            let is_final = why.starts_with("HTTP 4") && !is_over;
            if is_final || attempt >= limits::EC2_ATTEMPTS {
                return Err(why);
            }
            attempt += 1;
            sleep(wait).await;
            wait *= 2;
        }
    }

    async fn ask(
        &self,
        session: &Session,
        question: Question<'_>,
        next: Option<&str>,
    ) -> Result<String, String> {
        let url = format!("{}/?{}", session.aws().ec2(question.region), query(question, next));
        let (region, now) = (question.region, self.clock.now());
        let request = signed::Get { url: &url, region, service: "ec2", now };
        let mut body = request.send(&self.http, &session.credentials).await?;
        let mut bytes = Vec::new();
        while let Some(piece) = body.next().await? {
            bytes.extend(piece);
            if bytes.len() > limits::EC2_PAGE_BYTES {
                return Err(format!("the answer has more than {} bytes", limits::EC2_PAGE_BYTES));
            }
        }
        String::from_utf8(bytes).map_err(|_| "the answer is not UTF-8".to_owned())
    }
}

fn query(question: Question<'_>, next: Option<&str>) -> String {
    let mut query = vec![
        ("Action".to_owned(), "DescribeInstances".to_owned()),
        ("Version".to_owned(), VERSION.to_owned()),
        ("MaxResults".to_owned(), PAGE.to_owned()),
        ("Filter.1.Name".to_owned(), format!("tag:{}", question.tag)),
        ("Filter.1.Value.1".to_owned(), question.value.to_owned()),
        ("Filter.2.Name".to_owned(), "instance-state-name".to_owned()),
    ];
    let states = (1..).zip(STATES);
    query.extend(states.map(|(at, state)| (format!("Filter.2.Value.{at}"), state.to_owned())));
    query.extend(next.map(|next| ("NextToken".to_owned(), next.to_owned())));
    let pairs = query.iter().map(|(name, value)| format!("{name}={}", percent_encode(value)));
    pairs.collect::<Vec<_>>().join("&")
}
