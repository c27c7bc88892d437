//! Who opens which role, and what is written down about it.

use aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder as AssumeRole;
use aws_sdk_sts::types::Tag;

use super::*;
use crate::aws::Fault;

const EXTERNAL_ID: &str = "ams-7f3a91";

fn wish(aws: &Aws, role: &str) -> AssumeRole {
    let wish = sts(aws, &aws.runner()).assume_role().role_arn(role);
    wish.role_session_name("ams-Q1A2B3-1")
}

async fn opened(wish: AssumeRole) -> Result<Keys, String> {
    let answer = wish.send().await.map_err(|error| code(&error))?;
    let keys = answer.credentials().unwrap();
    Ok(Keys {
        id: keys.access_key_id().to_owned(),
        secret: keys.secret_access_key().to_owned(),
        token: Some(keys.session_token().to_owned()),
    })
}

async fn ping(aws: &Aws, keys: &Keys) -> Result<usize, String> {
    let asked = ssm(aws, keys, TOKYO).describe_instance_information().send().await;
    asked.map(|told| told.instance_information_list().len()).map_err(|error| code(&error))
}

#[tokio::test]
async fn a_role_opens_to_its_external_id_only() {
    let aws = Aws::start().await;
    let account = aws.account(CUSTOMER);
    account.host(TOKYO, WEB);
    let role = account.role("AmsFirstResponse");
    role.external_id(EXTERNAL_ID);
    let denied = Err("AccessDenied".to_owned());
    assert_eq!(opened(wish(&aws, &role.arn())).await, denied);
    assert_eq!(opened(wish(&aws, &role.arn()).external_id("ams-other")).await, denied);
    let tag = |key: &str, value: &str| Tag::builder().key(key).value(value).build().unwrap();
    let wish = wish(&aws, &role.arn()).external_id(EXTERNAL_ID);
    let wish = wish.tags(tag("ams:incident", "Q1A2B3")).tags(tag("ams:customer", "アクメ"));
    let keys = opened(wish).await.unwrap();
    assert_eq!(ping(&aws, &keys).await, Ok(1));
    let [session] = aws.sessions().try_into().unwrap();
    assert_eq!(session.tags["ams:customer"], "アクメ");
    assert_eq!((session.account.as_str(), session.role.as_str()), (CUSTOMER, "AmsFirstResponse"));
    assert_eq!((session.name.as_str(), session.seconds), ("ams-Q1A2B3-1", 3600));
    assert_eq!(
        (session.external_id.as_deref(), session.region.as_str()),
        (Some(EXTERNAL_ID), TOKYO)
    );
    assert_eq!(session.key_id, keys.id);
    let caller = &aws.requests()[3].caller;
    assert_eq!(caller, "arn:aws:sts::111122223333:assumed-role/AmsFirstResponse/ams-Q1A2B3-1");
    let identity = sts(&aws, &keys).get_caller_identity().send().await.unwrap();
    assert_eq!((identity.account(), identity.arn()), (Some(CUSTOMER), Some(caller.as_str())));
}

/// The customer who forgot the condition: what onboarding has to find.
#[tokio::test]
async fn a_role_without_the_condition_opens_without_the_id() {
    let aws = Aws::start().await;
    let role = aws.account(CUSTOMER).role("Careless");
    opened(wish(&aws, &role.arn())).await.unwrap();
    opened(wish(&aws, &role.arn()).external_id(EXTERNAL_ID)).await.unwrap();
}

#[tokio::test]
async fn what_a_role_does_not_allow_is_denied() {
    let aws = Aws::start().await;
    let account = aws.account(CUSTOMER);
    let denied = Err("AccessDenied".to_owned());
    let closed = account.role("Closed");
    closed.closed();
    assert_eq!(opened(wish(&aws, &closed.arn())).await, denied);
    assert_eq!(opened(wish(&aws, "arn:aws:iam::111122223333:role/None")).await, denied);
    let tagless = account.role("Tagless");
    tagless.without_tags();
    opened(wish(&aws, &tagless.arn())).await.unwrap();
    let tag = Tag::builder().key("ams:run").value("1").build().unwrap();
    assert_eq!(opened(wish(&aws, &tagless.arn()).tags(tag)).await, denied);
    let reader = account.role("Reader");
    reader.denies("ssm:DescribeInstanceInformation");
    let keys = opened(wish(&aws, &reader.arn())).await.unwrap();
    assert_eq!(ping(&aws, &keys).await, Err("AccessDeniedException".to_owned()));
    // Only the runner's account is let in, not one customer by another.
    let other = aws.account("444455556666").keys();
    let asked = sts(&aws, &other).assume_role().role_arn(tagless.arn()).role_session_name("x1");
    assert_eq!(opened(asked).await, denied);
}

#[tokio::test]
async fn sts_fails_for_one_role_and_not_for_another() {
    let aws = Aws::start().await;
    let (one, other) = (aws.account(CUSTOMER).role("One"), aws.account(CUSTOMER).role("Other"));
    one.meets(1, Fault::Throttle).meets(1, Fault::ErrorAfter).meets(1, Fault::LoseRequest);
    opened(wish(&aws, &other.arn())).await.unwrap();
    for wanted in ["Throttling", "InternalFailure", "no answer"] {
        assert_eq!(opened(wish(&aws, &one.arn())).await, Err(wanted.to_owned()));
    }
    opened(wish(&aws, &one.arn())).await.unwrap();
    assert_eq!(aws.requests()[1].about, [one.arn()]);
    // Of these, one took effect before its answer was lost.
    assert_eq!(aws.sessions().len(), 3);
}

#[tokio::test]
async fn what_sts_does_not_take_is_said() {
    let aws = Aws::start().await;
    let role = aws.account(CUSTOMER).role("AmsFirstResponse").arn();
    let invalid = Err("ValidationError".to_owned());
    assert_eq!(opened(wish(&aws, &role).role_session_name("インシデント")).await, invalid);
    assert_eq!(opened(wish(&aws, &role).external_id("no spaces here")).await, invalid);
    assert_eq!(opened(wish(&aws, &role).duration_seconds(60)).await, invalid);
    // The runner has a role of its own: what is opened from there ends after an hour.
    assert_eq!(opened(wish(&aws, &role).duration_seconds(7200)).await, invalid);
    let tag = Tag::builder().key("ams:title").value("$(reboot)").build().unwrap();
    assert_eq!(opened(wish(&aws, &role).tags(tag)).await, invalid);
}

#[tokio::test]
async fn sessions_end() {
    let aws = Aws::start().await;
    let account = aws.account(CUSTOMER);
    let role = account.role("AmsFirstResponse");
    let expired = Err("ExpiredTokenException".to_owned());
    let keys = opened(wish(&aws, &role.arn())).await.unwrap();
    assert_eq!(ping(&aws, &keys).await, Ok(0));
    account.expire_sessions();
    assert_eq!(ping(&aws, &keys).await, expired);
    role.sessions_last(ms(0));
    let keys = opened(wish(&aws, &role.arn())).await.unwrap();
    assert_eq!(ping(&aws, &keys).await, expired);
}

#[tokio::test]
async fn a_signature_that_does_not_hold_opens_nothing() {
    let aws = Aws::start().await;
    let good = aws.account(CUSTOMER).keys();
    assert_eq!(ping(&aws, &good).await, Ok(0));
    let wrong_secret = Keys { secret: "guessed".to_owned(), ..good.clone() };
    assert_eq!(ping(&aws, &wrong_secret).await, Err("InvalidSignatureException".to_owned()));
    let unknown = Keys { id: "AKIAUNKNOWN".to_owned(), ..good.clone() };
    assert_eq!(ping(&aws, &unknown).await, Err("UnrecognizedClientException".to_owned()));
    let odd_token = Keys { token: Some("token".to_owned()), ..good };
    assert_eq!(ping(&aws, &odd_token).await, Err("UnrecognizedClientException".to_owned()));
    let plain = reqwest::Client::new().post(aws.url());
    let plain = plain.header("x-amz-target", "AmazonSSM.ListCommands").body("{}");
    let answer = plain.send().await.unwrap();
    assert_eq!(answer.status(), 400);
    assert!(answer.text().await.unwrap().contains("MissingAuthenticationTokenException"));
}

/// The runner's own key is no key to any customer.
#[tokio::test]
async fn accounts_and_regions_are_apart() {
    let aws = Aws::start().await;
    let (mine, other) = (aws.account(CUSTOMER), aws.account("444455556666"));
    mine.host(TOKYO, WEB);
    assert_eq!(ping(&aws, &mine.keys()).await, Ok(1));
    assert_eq!(ping(&aws, &other.keys()).await, Ok(0));
    assert_eq!(ping(&aws, &aws.runner()).await, Ok(0));
    let osaka = ssm(&aws, &mine.keys(), OSAKA).describe_instance_information().send().await;
    assert!(osaka.unwrap().instance_information_list().is_empty());
}
