//! Scripts truly run, and agents tell of them as agents do.

use super::*;
use crate::aws::{Begun, Cancel};

#[tokio::test]
async fn a_script_runs_on_its_host() {
    let site = Site::new().await;
    let script = "echo \"$AWS_SSM_INSTANCE_ID at $PWD\"; echo oops >&2; echo x >>~/ran; exit 3";
    let ended = site.carry_out(script).await;
    let home = site.host.home().display().to_string();
    assert_eq!(told(&ended), (3, "Failed", format!("{WEB} at {home}\n").as_str()));
    assert_eq!(ended.standard_error_content(), Some("oops\n"));
    assert_eq!(ended.status().unwrap().as_str(), "Failed");
    assert!(ended.execution_end_date_time() >= ended.execution_start_date_time());
    assert_eq!(site.host.read("ran"), "x\n");
    let [sent] = site.host.commands().try_into().unwrap();
    assert_eq!((sent.runs.len(), sent.runs[0].code), (1, Some(3)));
    assert_eq!((sent.comment.as_str(), sent.timeout_seconds), ("nonce-1", 30));
    assert_eq!((sent.runs[0].stderr.as_str(), sent.script.lines().count()), ("oops\n", 1));
}

#[tokio::test]
async fn output_is_cut() {
    let site = Site::new().await;
    let ended = site.carry_out("yes | head -c 100000; yes | head -c 9000 >&2").await;
    let (code, details, stdout) = told(&ended);
    assert_eq!((code, details, stdout.len()), (0, "Success", 24_000));
    assert!(stdout.ends_with("\ny\n--output truncated--"), "{}", &stdout[23_900..]);
    assert_eq!(ended.standard_error_content().unwrap().len(), 8_000);
    let ended = site.carry_out("yes | head -c 23998").await;
    assert_eq!(told(&ended).2.len(), 23_998);
}

#[tokio::test]
async fn a_script_that_takes_too_long_is_killed_with_all_it_started() {
    let site = Site { seconds: 5, ..Site::new().await };
    site.aws.execution_second_lasts(ms(200));
    let ended = site.carry_out("trap '' TERM; sleep 600 & echo $! >~/pid; echo begun; wait").await;
    assert_eq!(told(&ended), (137, "ExecutionTimedOut", "begun\n"));
    assert_eq!(ended.status().unwrap().as_str(), "TimedOut");
    wait::until("the child's end", || !is_alive(&site.host.read("pid"))).await;
}

/// A zombie that nobody has waited for is dead as well.
fn is_alive(id: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{}/stat", id.trim()));
    state.is_ok_and(|state| !state.contains(") Z "))
}

#[tokio::test]
async fn two_exit_codes_are_the_agents_own() {
    let site = Site::new().await;
    assert_eq!(told(&site.carry_out("exit 137").await), (137, "ExecutionTimedOut", ""));
    // The first time it restarts the host, the second time it is done.
    let script = "echo x >>~/times; [ $(wc -l <~/times) = 2 ] || exit 194; echo done";
    assert_eq!(told(&site.carry_out(script).await), (0, "Success", "done\n"));
    assert_eq!(site.host.commands()[1].runs.len(), 2);
    // What asks for it for ever is told as it ends.
    assert_eq!(told(&site.carry_out("exit 194").await), (194, "Failed", ""));
}

#[tokio::test]
async fn what_comes_too_late_does_not_run() {
    let site = Site::new().await;
    site.aws.delivery_second_lasts(ms(2));
    site.host.delivered_after(ms(500));
    let ended = site.carry_out("echo ran >~/ran").await;
    assert_eq!(told(&ended), (-1, "DeliveryTimedOut", ""));
    assert_eq!(site.host.commands()[0].runs.len(), 0);
    // Or it does all the same, as the other page has it.
    site.host.starts_late();
    let late = site.carry_out("echo ran >~/ran").await;
    assert_eq!(told(&late), (-1, "DeliveryTimedOut", ""));
    assert_eq!(site.written("ran").await, "ran\n");
    assert_eq!(site.host.commands()[0].runs.len(), 0);
    assert_eq!(site.host.commands()[1].details(), "DeliveryTimedOut");
}

#[tokio::test]
async fn a_command_may_come_twice() {
    let site = Site::new().await;
    site.host.delivered_again_after(ms(1));
    let ended = site.carry_out("mkdir ~/once && echo first || exit 9").await;
    let runs = || site.host.commands()[0].runs.clone();
    wait::until("both ends", || runs().len() == 2 && runs().iter().all(|run| run.code.is_some()))
        .await;
    let mut codes: Vec<_> = runs().iter().filter_map(|run| run.code).collect();
    assert_eq!(Some(ended.response_code()), codes.first().copied());
    codes.sort_unstable();
    assert_eq!(codes, [0, 9]);
}

#[tokio::test]
async fn an_agent_that_is_gone_keeps_a_command_waiting() {
    let site = Site::new().await;
    site.host.silent();
    let id = site.send("echo here").await.unwrap();
    wait::until("a try", || site.host.commands()[0].details() == "Delayed").await;
    site.host.online();
    assert_eq!(told(&site.end(&id).await), (0, "Success", "here\n"));
}

#[tokio::test]
async fn an_agent_that_dies_tells_nothing() {
    for (begun, goes_on) in [(Begun::Dies, false), (Begun::GoesOn, true)] {
        let site = Site { seconds: 5, ..Site::new().await };
        site.aws.delivery_second_lasts(ms(20));
        site.aws.execution_second_lasts(ms(400));
        if begun == Begun::GoesOn {
            site.host.dies_after(ms(1), begun);
        }
        let script = "echo $$ >~/pid; until [ -e ~/go ]; do sleep 0.02; done; echo on >~/went";
        let id = site.send(script).await.unwrap();
        let pid = site.written("pid").await;
        if begun == Begun::Dies {
            site.host.dies(begun);
        }
        wait::until("its death", || site.host.is_gone()).await;
        std::fs::write(site.host.home().join("go"), "").unwrap();
        if goes_on {
            assert_eq!(site.written("went").await, "on\n");
        }
        assert_eq!(told(&site.end(&id).await), (-1, "DeliveryTimedOut", ""));
        wait::until("its end", || !is_alive(&pid)).await;
        assert_eq!(site.host.read("went") == "on\n", goes_on);
    }
}

#[tokio::test]
async fn an_end_may_be_told_without_a_beginning() {
    let site = Site::new().await;
    let ends = [("Undeliverable", "Failed"), ("Success", "Success"), ("Terminated", "Cancelled")];
    for (details, status) in ends {
        site.host.ends_as(details);
        let ended = site.carry_out("echo ran >~/ran").await;
        assert_eq!(told(&ended).1, details);
        assert_eq!(ended.status().unwrap().as_str(), status);
    }
    assert_eq!(site.host.read("ran"), "");
}

#[tokio::test]
async fn a_cancellation_stops_or_does_not() {
    for cancel in [Cancel::Stops, Cancel::IsToldOnly, Cancel::IsIgnored] {
        let site = Site::new().await;
        site.host.cancel(cancel);
        let script = "echo $$ >~/pid; until [ -e ~/go ]; do sleep 0.02; done; echo on >~/went";
        let id = site.send(script).await.unwrap();
        let pid = site.written("pid").await;
        site.ssm.cancel_command().command_id(&id).send().await.unwrap();
        if cancel == Cancel::Stops {
            assert_eq!(told(&site.end(&id).await), (137, "Cancelled", ""));
            wait::until("its end", || !is_alive(&pid)).await;
            continue;
        }
        std::fs::write(site.host.home().join("go"), "").unwrap();
        assert_eq!(site.written("went").await, "on\n");
        let details = if cancel == Cancel::IsIgnored { "Success" } else { "Cancelled" };
        assert_eq!(told(&site.end(&id).await).1, details);
    }
}

#[tokio::test]
async fn what_waits_is_cancelled_before_it_begins() {
    let site = Site::new().await;
    site.host.offline();
    let id = site.send("echo ran >~/ran").await.unwrap();
    site.ssm.cancel_command().command_id(&id).send().await.unwrap();
    assert_eq!(told(&site.end(&id).await), (-1, "Cancelled", ""));
    let unknown = site.ssm.cancel_command().command_id("00000000-0000-0000-0000-000000000000");
    assert_eq!(code(&unknown.send().await.unwrap_err()), "InvalidCommandId");
}

#[tokio::test]
async fn a_host_has_its_own_clock_and_programs() {
    let site = Site::new().await;
    let now = |ended: &Invocation| told(ended).2.lines().next().unwrap().parse::<i64>().unwrap();
    let before = now(&site.carry_out("date +%s; command -v base64").await);
    site.host.clock_off(7200).without("base64");
    let ended = site.carry_out("date +%s; date -u +%Y | grep -c 20; command -v base64").await;
    assert!((7200..7260).contains(&(now(&ended) - before)), "{ended:?}");
    assert_eq!((ended.response_code(), told(&ended).2.lines().count()), (127, 2));
    site.host.clock_off(-7200);
    let ended = site.carry_out("date +%s").await;
    assert!((-7200..-7140).contains(&(now(&ended) - before)), "{ended:?}");
}

#[tokio::test]
async fn nothing_is_left_running() {
    let site = Site::new().await;
    site.carry_out("sleep 600 & echo $! >~/pid").await;
    let pid = site.host.read("pid");
    assert!(is_alive(&pid));
    drop(site);
    wait::until("its end", || !is_alive(&pid)).await;
}
