//! Servers by tag, asked of EC2 in every region that the run's own customer names.
//!
//! `DescribeInstances` as in the EC2 API reference. The role needs `ec2:DescribeInstances`.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::aws::failure::Failure;
use crate::aws::query::{Query, Service};
use crate::aws::sessions::Sessions;
use crate::aws::signed::{Kind, Signed};
use crate::aws::xml::Xml;
use crate::customer::Customer;
use crate::customer::aws::{AwsAccount, Platform};
use crate::customer::instance::{Instance, InstanceId};
use crate::execute::sources::{LookUp, NoAnswer};

const EC2: Service = Service { name: "ec2", version: "2016-11-15" };

/// Servers of one page.
const PAGE: &str = "100";

/// Pages of one region. With a filter there are few servers, and empty pages between them.
const MOST_PAGES: usize = 20;

/// A page, all attempts together; EC2 takes a second or two in a large account.
const PAGE_WITHIN: Duration = Duration::from_secs(15);

/// Regions of one customer's that are asked at once.
const REGIONS_AT_ONCE: usize = 8;

/// States of servers that are there: all but `shutting-down` and `terminated`.
const STATES: [&str; 4] = ["pending", "running", "stopping", "stopped"];

pub struct Instances {
    sessions: Arc<Sessions>,
    signed: Signed,
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
            stream::iter(asked).buffered(REGIONS_AT_ONCE).try_collect().await?;
        Ok(found.concat())
    }
}

impl Instances {
    pub const fn new(sessions: Arc<Sessions>, signed: Signed) -> Self {
        Self { sessions, signed }
    }

    /// Page after page: with a filter EC2 gives short and empty ones, and says that there are more.
    async fn in_region(&self, question: Question<'_>) -> Result<Vec<Instance>, NoAnswer> {
        let told = |why: String| {
            let account = &question.account.words().account;
            NoAnswer(format!("EC2 of {account} in {}: {why}", question.region))
        };
        let (mut found, mut next) = (Vec::new(), None);
        for _ in 0..MOST_PAGES {
            let page = self.page(question, next.as_deref()).await.map_err(told)?;
            let page = Xml::parse(&page).map_err(told)?;
            found.extend(question.servers(&page).map_err(told)?);
            next = page.text("nextToken").map(str::to_owned);
            if next.is_none() {
                return Ok(found);
            }
        }
        Err(told(format!("more than {MOST_PAGES} pages of servers")))
    }

    /// Credentials that are over are renewed once.
    async fn page(&self, question: Question<'_>, next: Option<&str>) -> Result<String, String> {
        let query = question.query(next);
        let mut is_new = false;
        loop {
            let session = self.sessions.look(question.account).await;
            let session = session.map_err(|error| error.to_string())?;
            let way = (&self.signed, session.aws().endpoint());
            let (region, within) = (question.region, PAGE_WITHIN);
            match query.send(way, region, &session.credentials, within).await {
                Ok(text) => return Ok(text),
                Err(Failure::Expired(_)) if !is_new => {
                    self.sessions.forget(question.account, None, &session).await;
                    is_new = true;
                }
                Err(failure) => return Err(failure.reason()),
            }
        }
    }
}

impl Question<'_> {
    fn query(&self, next: Option<&str>) -> Query {
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let mut fields = vec![
            field("MaxResults", PAGE),
            field("Filter.1.Name", &format!("tag:{}", self.tag)),
            field("Filter.1.Value.1", self.value),
            field("Filter.2.Name", "instance-state-name"),
        ];
        let states = (1..).zip(STATES);
        fields.extend(states.map(|(at, state)| field(&format!("Filter.2.Value.{at}"), state)));
        fields.extend(next.map(|next| field("NextToken", next)));
        Query { service: EC2, action: "DescribeInstances", fields, kind: Kind::Repeatable }
    }

    /// A server that is not what was asked for makes the page unreadable: nothing else in it could be
    /// trusted.
    fn servers(&self, page: &Xml) -> Result<Vec<Instance>, String> {
        let mut servers = Vec::new();
        for reservation in page.all("reservationSet/item") {
            let owner = reservation.text("ownerId");
            for server in reservation.all("instancesSet/item") {
                let is_meant = server.all("tagSet/item").iter().any(|tag| {
                    tag.text("key") == Some(self.tag) && tag.text("value") == Some(self.value)
                });
                if owner != Some(self.account.words().account.as_str()) || !is_meant {
                    return Err(format!("its answer is not about {} = {}", self.tag, self.value));
                }
                servers.push(self.server(server)?);
            }
        }
        Ok(servers)
    }

    fn server(&self, told: &Xml) -> Result<Instance, String> {
        let id = told.text("instanceId").unwrap_or_default();
        let Some(id) = InstanceId::parse(id) else {
            return Err(format!("its answer has '{id}', which is no server"));
        };
        // Only Windows has one.
        let is_windows = told.text("platform").is_some_and(|it| it.eq_ignore_ascii_case("windows"));
        Ok(Instance {
            id,
            address: told.text("privateIpAddress").map(str::to_owned),
            account: Some(self.account.words().account.clone()),
            region: Some(self.region.to_owned()),
            platform: Some(if is_windows { Platform::Windows } else { Platform::Linux }),
        })
    }
}
