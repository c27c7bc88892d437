//! The test double of AWS behaves as AWS is described, to the clients that the product uses.

// Whether a script truly runs, and what is told of how it went.
mod agents;
// Objects, and the output of commands among them.
mod buckets;
// Instances, volumes, databases and the like.
mod estates;
// Answers that are lost, late, or refused.
mod faults;
// What the product sends to hosts, carried out by agents.
mod host_programs;
// Roles, sessions, signatures.
mod roles;
// What SSM takes, and what it tells.
mod run_command;
// Requests that are signed as the product signs.
mod signed;

use std::time::Duration;

use aws_sdk_ssm::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationOutput as Invocation;

use crate::aws::{Account, Aws, Host, Keys};
use crate::harness::wait;

const TOKYO: &str = "ap-northeast-1";
const OSAKA: &str = "ap-northeast-3";
const WEB: &str = "i-0123456789abcdef0";
const CUSTOMER: &str = "111122223333";

const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}

fn credentials(keys: &Keys) -> Credentials {
    Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test")
}

fn ssm(aws: &Aws, keys: &Keys, region: &'static str) -> aws_sdk_ssm::Client {
    let config = aws_sdk_ssm::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(region))
        .credentials_provider(credentials(keys))
        .endpoint_url(aws.url())
        .retry_config(aws_sdk_ssm::config::retry::RetryConfig::disabled());
    aws_sdk_ssm::Client::from_conf(config.build())
}

fn sts(aws: &Aws, keys: &Keys) -> aws_sdk_sts::Client {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(TOKYO))
        .credentials_provider(credentials(keys))
        .endpoint_url(aws.url())
        .retry_config(aws_sdk_sts::config::retry::RetryConfig::disabled());
    aws_sdk_sts::Client::from_conf(config.build())
}

/// As AWS names it; what the SDK says where no answer came.
fn code<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> String {
    match error {
        SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => "no answer".to_owned(),
        SdkError::TimeoutError(_) => "time-out".to_owned(),
        other => other.code().unwrap_or("none").to_owned(),
    }
}

/// A customer with one server, and somebody who may do everything there.
struct Site {
    aws: Aws,
    account: Account,
    host: Host,
    ssm: aws_sdk_ssm::Client,
    /// `executionTimeout`.
    seconds: u64,
}

impl Site {
    async fn new() -> Self {
        let aws = Aws::start().await;
        let account = aws.account(CUSTOMER);
        let host = account.host(TOKYO, WEB);
        let ssm = ssm(&aws, &account.keys(), TOKYO);
        Self { aws, account, host, ssm, seconds: 600 }
    }

    /// Sends a script as the product would; the command's id, or AWS's code for why not.
    async fn send(&self, script: &str) -> Result<String, String> {
        let sent = self
            .ssm
            .send_command()
            .document_name("AWS-RunShellScript")
            .instance_ids(WEB)
            .comment("nonce-1")
            .timeout_seconds(30)
            .parameters("commands", script.lines().map(str::to_owned).collect())
            .parameters("executionTimeout", vec![self.seconds.to_string()])
            .send()
            .await;
        let sent = sent.map_err(|error| code(&error))?;
        Ok(sent.command().and_then(|command| command.command_id()).unwrap().to_owned())
    }

    async fn look(&self, id: &str) -> Result<Invocation, String> {
        let look = self.ssm.get_command_invocation().command_id(id).instance_id(WEB);
        look.send().await.map_err(|error| code(&error))
    }

    /// Waits for the command's end, then looks as the product would.
    async fn end(&self, id: &str) -> Invocation {
        wait::until("the end of a command", || {
            self.host.commands().iter().any(|sent| sent.id == id && sent.ended.is_some())
        })
        .await;
        self.look(id).await.unwrap()
    }

    async fn carry_out(&self, script: &str) -> Invocation {
        let id = self.send(script).await.unwrap();
        self.end(&id).await
    }

    /// Waits until a script has written this file in its home.
    async fn written(&self, name: &str) -> String {
        wait::for_some(name, || Some(self.host.read(name)).filter(|text| !text.is_empty())).await
    }
}

/// Code, details and standard output, as somebody sees them who looks.
fn told(invocation: &Invocation) -> (i32, &str, &str) {
    (
        invocation.response_code(),
        invocation.status_details().unwrap_or_default(),
        invocation.standard_output_content().unwrap_or_default(),
    )
}
