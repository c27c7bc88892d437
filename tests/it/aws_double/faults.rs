//! What goes wrong on the way to AWS and back.

use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::config::{Builder, Config};

use super::*;
use crate::aws::{Fault, Played, busiest_seconds};

async fn site() -> Site {
    let site = Site::new().await;
    site.host.plays(|_| Played::default());
    site
}

#[tokio::test]
async fn an_answer_is_lost_before_or_after_the_command_is_taken() {
    let cases = [
        (Fault::LoseRequest, "no answer", 0),
        (Fault::LoseAnswer, "no answer", 1),
        (Fault::ErrorBefore, "InternalServerError", 0),
        (Fault::ErrorAfter, "InternalServerError", 1),
        (Fault::Throttle, "ThrottlingException", 0),
        (Fault::Deny, "AccessDeniedException", 0),
        (Fault::Expire, "ExpiredTokenException", 0),
    ];
    for (fault, wanted, taken) in cases {
        let site = site().await;
        site.host.meets(1, "SendCommand", fault);
        assert_eq!(site.send("true").await.unwrap_err(), wanted, "{fault:?}");
        assert_eq!(site.host.commands().len(), taken, "{fault:?}");
        site.send("true").await.unwrap();
    }
}

fn changed(site: &Site, change: impl FnOnce(Builder) -> Builder) -> aws_sdk_ssm::Client {
    let config: Config = change(site.ssm.config().to_builder()).build();
    aws_sdk_ssm::Client::from_conf(config)
}

#[tokio::test]
async fn an_answer_hangs_or_is_slow() {
    let mut site = site().await;
    site.ssm = changed(&site, |config| {
        let timeout = TimeoutConfig::builder().operation_timeout(ms(300)).build();
        config.timeout_config(timeout)
    });
    site.account.meets(1, "SendCommand", Fault::Hang);
    assert_eq!(site.send("true").await.unwrap_err(), "time-out");
    wait::until("the first", || site.host.commands().len() == 1).await;
    site.account.meets(1, "SendCommand", Fault::Slow(Duration::from_mins(1)));
    assert_eq!(site.send("true").await.unwrap_err(), "time-out");
    wait::until("the second", || site.host.commands().len() == 2).await;
}

/// What the SDK does where nobody tells it not to: the reason why the product does.
#[tokio::test]
async fn the_sdk_left_alone_sends_a_command_three_times() {
    let mut site = site().await;
    site.ssm = changed(&site, |config| {
        let retry = RetryConfig::standard().with_initial_backoff(ms(1));
        config.retry_config(retry)
    });
    site.host.meets(9, "SendCommand", Fault::LoseAnswer);
    assert_eq!(site.send("restart").await.unwrap_err(), "no answer");
    assert_eq!(site.host.commands().len(), 3);
}

#[tokio::test]
async fn a_fault_meets_whom_it_is_meant_for() {
    let site = site().await;
    let other = site.account.host(TOKYO, "i-0123456789abcdef1");
    let stranger = site.aws.account("444455556666");
    other.meets(1, "SendCommand", Fault::Throttle);
    stranger.meets(1, "SendCommand", Fault::Throttle);
    site.host.meets(2, "GetCommandInvocation", Fault::Throttle);
    let id = site.send("true").await.unwrap();
    for _ in 0..2 {
        assert_eq!(site.look(&id).await.unwrap_err(), "ThrottlingException");
    }
    site.end(&id).await;
    let commands = vec!["true".to_owned()];
    let elsewhere = site.ssm.send_command().document_name("AWS-RunShellScript");
    let elsewhere = elsewhere.instance_ids(other.id()).parameters("commands", commands);
    assert_eq!(code(&elsewhere.send().await.unwrap_err()), "ThrottlingException");
}

#[tokio::test]
async fn a_region_that_is_down_takes_no_other_with_it() {
    let site = site().await;
    let osaka = ssm(&site.aws, &site.account.keys(), OSAKA);
    site.aws.region_down(TOKYO);
    assert_eq!(site.send("true").await.unwrap_err(), "no answer");
    osaka.list_commands().send().await.unwrap();
    site.aws.region_up(TOKYO);
    site.send("true").await.unwrap();
}

#[tokio::test]
async fn an_account_that_is_asked_too_often_is_throttled_alone() {
    let site = site().await;
    let other = site.aws.account("444455556666");
    site.account.most_per_second(1);
    let asks = |client: aws_sdk_ssm::Client| async move {
        let mut refused = 0;
        for _ in 0..20 {
            let told = client.list_commands().send().await;
            refused += usize::from(told.is_err_and(|it| code(&it) == "ThrottlingException"));
        }
        refused
    };
    assert!(asks(site.ssm.clone()).await >= 1);
    assert_eq!(asks(ssm(&site.aws, &other.keys(), TOKYO)).await, 0);
    let busiest = busiest_seconds(&site.aws.requests());
    assert!((2..=20).contains(&busiest[CUSTOMER]), "{busiest:?}");
    let asked = &site.aws.requests()[0];
    assert_eq!((asked.service.as_str(), asked.action.as_str()), ("ssm", "ListCommands"));
    assert_eq!((asked.account.as_str(), asked.region.as_str()), (CUSTOMER, TOKYO));
}
