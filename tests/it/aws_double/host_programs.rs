//! What the product sends to hosts, carried out by agents.

use std::collections::BTreeMap;

use ams::clock::{Clock as _, SystemClock};
use ams::execute::actuator::{Command, Order, Program};
use ams::execute::host_program::{Carrier, HostProgram, Places};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::aws::Played;
use crate::harness::commands::order;

const HOSTILE: &str = "$(reboot) '\"`\n{{ssm:/db/password}} \u{202e}";

fn change(program: Program) -> Order {
    let env = BTreeMap::from([("TITLE".to_owned(), HOSTILE.to_owned())]);
    Order { attempt: Some(1), nonce: "n1".to_owned(), ..order(Command { program, env }) }
}

fn places() -> Places {
    Places::new(["~/.ams".to_owned()]).unwrap()
}

fn program<'a>(order: &'a Order, places: &'a Places, not_after: Timestamp) -> HostProgram<'a> {
    let limit = Duration::from_secs(5);
    HostProgram { order, places, not_after, limit, most_bytes: 56 * 1024 }
}

fn soon() -> Timestamp {
    SystemClock.now() + SignedDuration::from_mins(10)
}

#[tokio::test]
async fn a_change_begins_once_with_its_values_as_they_were() {
    let site = Site::new().await;
    site.account.parameter(TOKYO, "/db/password", "canary-7f3a");
    let order = change(Program::Script("printf '%s' \"$TITLE\"; echo >>~/times".to_owned()));
    let (places, not_after) = (places(), soon());
    let text = program(&order, &places, not_after).shell(Carrier::Agent).unwrap();
    site.host.delivered_again_after(ms(1));
    let ended = site.carry_out(&text).await;
    let runs = || site.host.commands()[0].runs.clone();
    wait::until("both ends", || runs().len() == 2 && runs().iter().all(|run| run.code.is_some()))
        .await;
    let mut codes: Vec<_> = runs().iter().filter_map(|run| run.code).collect();
    codes.sort_unstable();
    assert_eq!(codes, [0, 97]);
    assert!(runs().iter().any(|run| run.stdout == format!("AMS-BEGIN n1\n{HOSTILE}")));
    assert_eq!(site.host.read("times"), "\n");
    assert_eq!(site.host.commands()[0].filled_in, [""; 0]);
    assert!(site.host.home().join(".ams/ams-n1-1").is_dir());
    assert!([0, 97].contains(&ended.response_code()));
}

#[tokio::test]
async fn a_host_with_a_wrong_clock_or_without_base64_refuses() {
    let site = Site::new().await;
    let order = change(Program::Script("echo ran".to_owned()));
    let (places, not_after) = (places(), soon());
    let text = program(&order, &places, not_after).shell(Carrier::Agent).unwrap();
    site.host.clock_off(3600);
    assert_eq!(told(&site.carry_out(&text).await), (96, "Failed", ""));
    site.host.clock_off(0).without("base64");
    assert_eq!(told(&site.carry_out(&text).await), (95, "Failed", ""));
}

/// No PowerShell here: what would run is there to be read.
#[tokio::test]
async fn a_windows_host_shows_what_it_was_told() {
    let site = Site::new().await;
    let windows = site.account.host(TOKYO, "i-0123456789abcdef1");
    windows.windows().plays(|sent| {
        let texts = sent.powershell().texts.join("|");
        Played { lasts: ms(1), code: 4, stdout: texts }
    });
    let script = "Restart-Service W3SVC # ‘quoted’";
    let order = change(Program::PowerShell(script.to_owned()));
    let (places, not_after) = (places(), soon());
    let text = program(&order, &places, not_after).powershell().unwrap();
    let sent = site.ssm.send_command().document_name("AWS-RunPowerShellScript");
    let commands = text.lines().map(str::to_owned).collect();
    sent.instance_ids(windows.id()).parameters("commands", commands).send().await.unwrap();
    wait::until("its end", || windows.commands()[0].ended.is_some()).await;
    let [sent] = windows.commands().try_into().unwrap();
    assert_eq!((sent.runs[0].code, sent.details()), (Some(4), "Failed"));
    assert_eq!(sent.document, "AWS-RunPowerShellScript");
    let texts = sent.powershell().texts;
    assert!(texts.iter().any(|text| text == HOSTILE), "{texts:?}");
    assert!(texts.iter().any(|text| text == script), "{texts:?}");
    assert_eq!(sent.runs[0].stdout, texts.join("|"));
}
