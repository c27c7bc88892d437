use super::*;
use crate::aws::{Fault, Played};

/// Leaves a line for each time it ran.
const ONCE: &str = "echo ran >>\"$HOME/times\"; echo done; exit 4";

fn ran(site: &Site) -> usize {
    site.host.read("times").lines().count()
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_found_and_not_sent_again() {
    for fault in [Fault::LoseAnswer, Fault::ErrorAfter] {
        let site = Site::new().await;
        let bench = Bench::new(&site).await;
        site.host.meets(1, "SendCommand", fault);
        let seen = bench.act(&change(ONCE)).await;
        assert_eq!(
            (&seen.ending, seen.stdout.head.as_str()),
            (&Ending::Exited(4), "done\n"),
            "{fault:?}: {seen:?}"
        );
        assert_eq!((ran(&site), site.sent(), site.questions()), (1, 1, 0), "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_that_never_came_cannot_begin_any_more_and_is_told_so() {
    for fault in [Fault::LoseRequest, Fault::ErrorBefore] {
        let site = Site::new().await;
        let bench = Bench::new(&site).await;
        site.host.meets(1, "SendCommand", fault);
        let seen = bench.act(&change(ONCE)).await;
        assert!(not_begun(&seen).contains("cannot begin any more"), "{fault:?}: {seen:?}");
        assert_eq!((ran(&site), site.sent(), site.questions()), (0, 0, 1), "{fault:?}");
        // The next attempt goes by a name of its own.
        let again = Order { attempt: Some(2), ..change(ONCE) };
        assert_eq!(bench.act(&again).await.ending, Ending::Exited(4));
        assert_eq!(ran(&site), 1);
    }
}

#[tokio::test]
async fn a_look_whose_answer_is_lost_is_sent_again() {
    for fault in [Fault::LoseAnswer, Fault::LoseRequest, Fault::ErrorBefore, Fault::ErrorAfter] {
        let site = Site::new().await;
        let bench = Bench::new(&site).await;
        site.host.meets(1, "SendCommand", fault);
        let seen = bench.act(&look("echo up")).await;
        assert_eq!(
            (&seen.ending, seen.stdout.head.as_str()),
            (&Ending::Exited(0), "up\n"),
            "{fault:?}"
        );
    }
}

#[tokio::test]
async fn a_change_that_ssm_hides_is_asked_for_on_its_host() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.host.meets(1, "SendCommand", Fault::LoseAnswer);
    site.host.listed_after(Duration::from_mins(1));
    let seen = bench.act(&change(ONCE)).await;
    assert_eq!(seen.ending, Ending::Exited(4), "{seen:?}");
    assert!(seen.stdout.cut, "its output is not to be had, which is not nothing");
    assert_eq!((ran(&site), site.sent()), (1, 1));
}

#[tokio::test]
async fn a_command_may_be_invisible_at_first_and_answers_may_be_lost_while_it_runs() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.host.visible_after(ms(800)).listed_after(ms(800));
    site.account.meets(2, "GetCommandInvocation", Fault::LoseAnswer);
    site.account.meets(1, "GetCommandInvocation", Fault::ErrorBefore);
    let seen = bench.act(&change(ONCE)).await;
    assert_eq!((&seen.ending, seen.stdout.head.as_str()), (&Ending::Exited(4), "done\n"));
    assert_eq!((ran(&site), site.sent(), site.questions()), (1, 1, 0));
}

#[tokio::test]
async fn a_throttled_account_is_waited_for_and_gets_what_it_refused() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.account.meets(1, "DescribeInstanceInformation", Fault::Throttle);
    site.account.meets(2, "SendCommand", Fault::Throttle);
    site.account.meets(1, "GetCommandInvocation", Fault::Throttle);
    let seen = bench.act(&change(ONCE)).await;
    assert_eq!(seen.ending, Ending::Exited(4), "{seen:?}");
    assert_eq!((ran(&site), site.sent(), site.aws.asked("SendCommand")), (1, 1, 3));
}

#[tokio::test]
async fn what_comes_late_is_fenced_off() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    // SSM gives up on it after 1.2 s here, and its agent gets it all the same.
    site.host.delivered_after(ms(2_000)).starts_late();
    let order = change(ONCE);
    let running = bench.start(order.clone());
    // The question about it must come at once.
    crate::harness::wait::until("it to be given up", || {
        site.host.commands().first().is_some_and(|sent| sent.ended.is_some())
    })
    .await;
    site.host.delivered_after(ms(0));
    let seen = running.await.unwrap();
    assert!(not_begun(&seen).contains("its agent did not take it in time"), "{seen:?}");
    crate::harness::wait::until("it to come", || {
        site.host.commands()[0].runs.iter().any(|run| run.code == Some(97))
    })
    .await;
    assert_eq!(ran(&site), 0);
}

#[tokio::test]
async fn what_comes_twice_runs_once() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.host.delivered_again_after(ms(10));
    let seen = bench.act(&change("sleep 0.5; echo ran >>\"$HOME/times\"; exit 4")).await;
    assert_eq!(seen.ending, Ending::Exited(4), "{seen:?}");
    crate::harness::wait::until("both to end", || {
        let runs = &site.host.commands()[0].runs;
        runs.len() == 2 && runs.iter().all(|run| run.code.is_some())
    })
    .await;
    assert_eq!(ran(&site), 1);
}

#[tokio::test]
async fn a_second_start_follows_the_first() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let first = bench.start(change(&format!("sleep 0.7; {ONCE}")));
    crate::harness::wait::until("it to begin", || {
        site.host.commands().iter().any(|sent| !sent.runs.is_empty())
    })
    .await;
    // A runner that took over while the first one was paused.
    let second = Bench::new(&site).await.act(&change(ONCE)).await;
    assert_eq!(second.ending, Ending::Exited(4), "{second:?}");
    assert_eq!(first.await.unwrap().ending, Ending::Exited(4));
    assert_eq!(ran(&site), 1);
}

#[tokio::test]
async fn success_without_running_is_no_success() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.host.ends_as("Success");
    let seen = bench.act(&look("echo up")).await;
    assert!(unknown(&seen).contains("did not report that it began"), "{seen:?}");
    // Its questions are not answered either.
    let seen = bench.act(&change(ONCE)).await;
    assert!(unknown(&seen).contains("did not report that it began"), "{seen:?}");
    assert_eq!(ran(&site), 0);
}

#[tokio::test]
async fn words_of_which_each_says_that_nothing_ran_say_what_to_do() {
    for (status, remedy) in [
        ("Undeliverable", "check that the host runs"),
        ("InvalidPlatform", "`platform`"),
        ("AccessDenied", "ssm:SendCommand"),
    ] {
        let site = Site::new().await;
        let bench = Bench::new(&site).await;
        site.host.ends_as(status);
        let seen = bench.act(&change(ONCE)).await;
        assert!(not_begun(&seen).contains(remedy), "{status}: {seen:?}");
    }
    let site = Site::new().await;
    site.account.spaced_words();
    let bench = Bench::new(&site).await;
    site.host.ends_as("RateExceeded");
    let order = within(change(ONCE), ms(700));
    assert!(not_begun(&bench.act(&order).await).contains("too many commands"));
    for status in ["Cancelled", "Incomplete", "NoInstancesInTag", "Invented"] {
        site.host.ends_as(status);
        unknown(&bench.act(&change(ONCE)).await);
    }
}

#[tokio::test]
async fn a_host_that_refuses_says_why() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.host.clock_off(3_600);
    let seen = bench.act(&change(ONCE)).await;
    assert!(not_begun(&seen).contains("set its clock"), "{seen:?}");
    site.host.clock_off(0).without("base64");
    let seen = bench.act(&Order { nonce: "11aa".to_owned(), ..change(ONCE) }).await;
    assert!(not_begun(&seen).contains("no `base64`"), "{seen:?}");
    assert_eq!(ran(&site), 0);
}

#[tokio::test]
async fn an_end_that_ssm_never_tells_is_asked_for_on_the_host() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    // Reading is denied to nobody, but never answered.
    site.account.meets(10_000, "GetCommandInvocation", Fault::ErrorBefore);
    let seen = bench.act(&within(change(ONCE), ms(800))).await;
    let reason = unknown(&seen);
    assert!(reason.contains("SSM did not say in time how it ended (Internal"), "{reason}");
    assert_eq!((ran(&site), site.sent()), (1, 1), "it ran, and is not sent again");
}

#[tokio::test]
async fn a_player_is_only_heard_with_its_first_line() {
    let site = Site::new().await;
    site.host.plays(|_| Played { stdout: "AMS-BEGIN other\nup\n".to_owned(), ..Played::default() });
    let bench = Bench::new(&site).await;
    unknown(&bench.act(&look("echo up")).await);
}
