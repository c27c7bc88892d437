use super::*;
use crate::aws::{Played, busiest_seconds};

const MANY: usize = 40;

fn instance(number: usize) -> String {
    format!("i-{number:017x}")
}

fn playing(site: &Site, lasts: Duration) {
    for number in 0..MANY {
        site.account.host(TOKYO, &instance(number)).plays(move |sent| {
            let nonce = sent.comment.split([' ', '-']).nth(1).unwrap_or_default();
            Played { lasts, stdout: format!("AMS-BEGIN {nonce}\nup\n"), ..Played::default() }
        });
    }
}

#[tokio::test]
async fn many_commands_of_one_account_are_looked_at_together() {
    let site = Site::new().await;
    playing(&site, ms(1_500));
    let terms = Terms { poll: ms(500), ..TERMS };
    let bench = Bench::with(&site.aws, terms).await;
    let all: Vec<_> = (0..MANY)
        .map(|number| {
            let order = by(way(&words(), &instance(number)), script("echo up"));
            bench.start(Order { nonce: format!("{number:04x}"), ..order })
        })
        .collect();
    for running in all {
        let seen = running.await.unwrap();
        assert_eq!((&seen.ending, &*seen.stdout.head), (&Ending::Exited(0), "up\n"), "{seen:?}");
    }
    let asked = |action: &str| site.account.asked(action);
    assert_eq!(asked("SendCommand"), MANY);
    assert_eq!(asked("DescribeInstanceInformation"), 1);
    assert!(asked("ListCommandInvocations") <= 40, "{}", asked("ListCommandInvocations"));
    // One for each that ended, and a few for what lists did not have yet.
    let got = asked("GetCommandInvocation");
    assert!((MANY..MANY * 2).contains(&got), "{got}");
    let requests = site.aws.requests();
    let reads = requests.iter().filter(|it| it.service == "ssm" && it.action != "SendCommand");
    let busiest = busiest_seconds(reads)[SHOP];
    let most = ams::limits::SSM_READS_AT_ONCE + ams::limits::SSM_READS_PER_SECOND;
    assert!(busiest <= usize::try_from(most).unwrap() + 1, "{busiest} requests in a second");
}

/// An account that refuses is asked less; others are asked as before.
#[tokio::test]
async fn a_busy_account_holds_up_nobody_else() {
    let site = Site::new().await;
    let calm = site.aws.account("444455556666");
    calm.role("Ams").external_id("ams-calm-1");
    calm.host(TOKYO, "i-0fedcba9876543210");
    let calm_words = AwsAccountWords {
        customer: "calm".to_owned(),
        account: "444455556666".to_owned(),
        role: "arn:aws:iam::444455556666:role/Ams".to_owned(),
        external_id: "ams-calm-1".to_owned(),
        ..words()
    };
    site.account.most_per_second(0);
    let bench = Bench::new(&site).await;
    let busy = bench.start(within(look("true"), Duration::from_secs(4)));
    let order = by(way(&calm_words, "i-0fedcba9876543210"), script("true"));
    let seen = bench.act(&order).await;
    assert_eq!(seen.ending, Ending::Exited(0));
    assert!(!busy.is_finished(), "{seen:?}");
    assert!(not_begun(&busy.await.unwrap()).starts_with("web01: SSM "));
    let asked = site.account.asked("DescribeInstanceInformation");
    assert!((2..=5).contains(&asked), "{asked} requests to an account that refuses them");
}
