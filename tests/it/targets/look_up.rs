//! Servers by tag, asked of EC2 in the run's own customer's accounts and in no other.

use std::path::Path;
use std::sync::Arc;

use ams::aws::sessions::Sessions;
use ams::aws::signed::Signed;
use ams::aws::{Aws as Client, Settings};
use ams::clock::SystemClock;
use ams::customer::aws::Platform;
use ams::customer::{Customer, file};
use ams::execute::instances::Instances;
use ams::execute::sources::LookUp as _;
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};

use crate::aws::{Aws, Fault};

const NORTH: &str = "111122223333";
const SOUTH: &str = "444455556666";
const TOKYO: &str = "ap-northeast-1";
const OSAKA: &str = "ap-northeast-3";

/// Two customers whose servers have the same tags.
struct Site {
    aws: Aws,
    instances: Instances,
}

impl Site {
    async fn new() -> Self {
        let aws = Aws::start().await;
        for (account, last) in [(NORTH, '1'), (SOUTH, '2')] {
            let account = aws.account(account);
            account.role("Ams").external_id(&format!("ams-00000{last}"));
            account.host(TOKYO, &format!("i-0000000000000000{last}")).tag("Name", "web");
            let osaka = account.host(OSAKA, &format!("i-9999999999999999{last}"));
            osaka.tag("Name", "db").tag("Role", "a b&c/日本").windows();
        }
        let keys = aws.runner();
        let keys = Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test");
        let settings = Settings { region: TOKYO.to_owned(), endpoint: Some(aws.url().to_owned()) };
        let client = Client::connect_as(&settings, SharedCredentialsProvider::new(keys)).await;
        let signed = Signed::new(Arc::new(SystemClock)).unwrap();
        let sessions = Sessions::new(client, Arc::new(SystemClock));
        let instances = Instances::new(Arc::new(sessions), signed);
        Self { aws, instances }
    }

    /// Ids, or why there are none.
    async fn find(&self, customer: &Customer, tag: &str, value: &str) -> Result<String, String> {
        let found = self.instances.by_tag(customer, tag, value).await;
        let ids = found.map(|found| found.iter().map(|it| it.id.to_string()).collect::<Vec<_>>());
        ids.map(|ids| ids.join(" ")).map_err(|error| error.to_string())
    }
}

fn customer(account: &str, last: char) -> Customer {
    let text = format!(
        "customer: c{last}\nname: Customer {last}\naws:\n  - account: \"{account}\"\n    \
         role: arn:aws:iam::{account}:role/Ams\n    external_id: ams-00000{last}\n    \
         regions: [{TOKYO}, {OSAKA}]\n"
    );
    file::read(Path::new("c.yaml"), &text).unwrap()
}

#[tokio::test]
async fn a_tag_finds_the_servers_of_the_runs_own_customer() {
    let site = Site::new().await;
    let (north, south) = (customer(NORTH, '1'), customer(SOUTH, '2'));
    assert_eq!(site.find(&north, "Name", "web").await.unwrap(), "i-00000000000000001");
    assert_eq!(site.find(&south, "Name", "web").await.unwrap(), "i-00000000000000002");
    let role = site.find(&north, "Role", "a b&c/日本").await.unwrap();
    assert_eq!(role, "i-99999999999999991", "in every region, whatever stands in the tag");
    let found = site.instances.by_tag(&north, "Name", "db").await.unwrap();
    assert_eq!(
        (found[0].platform, found[0].region.as_deref()),
        (Some(Platform::Windows), Some(OSAKA))
    );
    assert_eq!(site.find(&north, "Name", "WEB").await.unwrap(), "");
    assert_eq!(site.find(&north, "name", "web").await.unwrap(), "");
    // A role of another account in this customer's file does not open with its external id.
    let text = format!("arn:aws:iam::{SOUTH}:role/Ams");
    let thief = customer(SOUTH, '1');
    let why = site.find(&thief, "Name", "web").await.unwrap_err();
    assert!(why.contains(&text) && why.contains("external id"), "{why}");
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_servers_that_are_gone_left_out() {
    let site = Site::new().await;
    let account = site.aws.account(NORTH);
    let north = customer(NORTH, '1');
    account.host(TOKYO, "i-00000000000000003").tag("Name", "web").stopped();
    account.host(TOKYO, "i-00000000000000004").tag("Name", "web").terminated();
    let found = site.find(&north, "Name", "web").await.unwrap();
    assert_eq!(found, "i-00000000000000001 i-00000000000000003");
    let before = site.aws.asked("DescribeInstances");
    for number in 0..120 {
        account.host(OSAKA, &format!("i-000000000000{number:05x}")).tag("Name", "many");
    }
    let found = site.find(&north, "Name", "many").await.unwrap();
    assert_eq!(found.split(' ').count(), 120);
    assert_eq!(site.aws.asked("DescribeInstances") - before, 3, "two pages in one of two regions");
}

/// The filter of EC2 means anything by `*`; an answer that is not to the point is none.
#[tokio::test]
async fn a_value_that_means_anything_finds_nothing() {
    let site = Site::new().await;
    let why = site.find(&customer(NORTH, '1'), "Name", "*").await.unwrap_err();
    assert!(why.contains("not about Name = *"), "{why}");
}

#[tokio::test]
async fn a_region_without_an_answer_makes_the_whole_answer_unknown() {
    let site = Site::new().await;
    let (account, north) = (site.aws.account(NORTH), customer(NORTH, '1'));
    account.meets(1, "DescribeInstances", Fault::ErrorBefore);
    account.meets(1, "DescribeInstances", Fault::LoseAnswer);
    account.meets(1, "DescribeInstances", Fault::Throttle);
    let found = site.find(&north, "Name", "web").await.unwrap();
    assert_eq!(found, "i-00000000000000001", "reading is tried again");

    account.expire_sessions();
    let found = site.find(&north, "Name", "web").await.unwrap();
    assert_eq!(found, "i-00000000000000001", "with a new session");

    account.role("Ams").denies("ec2:DescribeInstances");
    let why = site.find(&north, "Name", "web").await.unwrap_err();
    assert!(why.contains("EC2 of 111122223333 in ap-northeast-1"), "{why}");
    assert!(why.contains("UnauthorizedOperation"), "{why}");
    let none = file::read(Path::new("c.yaml"), "customer: c\nname: Nobody\n").unwrap();
    assert!(site.find(&none, "Name", "web").await.unwrap_err().contains("has no AWS account"));
}
