//! Maintenance windows, and runs that begin when the system is theirs again.

use ams::claim::journal::Entry;
use ams::clock::{Clock as _, SystemClock};
use ams::incident::Outcome;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::harness::world::{SHORT_LEASE, World};

const RESTART: &str = "\
scenario: restart
about: ホストの復旧
match:
  all: [down]
  pattern: '^(?<host>\\S+) down'
  captures: {host: hostname}
target: \"{{ capture.host }}\"
deadline: 8s
steps:
  - recover:
      name: 起動
      run: date +%s >> \"$FOLDER/recoveries\"
      env: {FOLDER: \"{{ vars.folder }}\"}
  - verify: {name: 再確認, on: runner, run: 'true'}
";

const SHOP: &str = "customer: shop\nname: サンプル商店\nbelongs: {title: {any: [web, db]}}\n\
    hosts:\n  - {name: web01, groups: [web], reach: local}\n  - {name: db01, reach: local}\n";

/// Around now, on every day, in a zone where it is now 00:30: the window began the day before.
fn over_midnight() -> (String, String) {
    let now = SystemClock.now().to_zoned(TimeZone::UTC);
    let behind = i64::from(now.hour()) * 60 + i64::from(now.minute()) - 30;
    // `Etc/GMT+5` is five hours behind Greenwich.
    let hours = behind.div_euclid(60).rem_euclid(24);
    let hours = if hours > 12 { hours - 24 } else { hours };
    let zone = if hours >= 0 { format!("Etc/GMT+{hours}") } else { format!("Etc/GMT-{}", -hours) };
    let local = now.with_time_zone(TimeZone::get(&zone).unwrap());
    let edge = |hours: i64| {
        let edge = &local + SignedDuration::from_hours(hours);
        edge.strftime("%H:%M").to_string()
    };
    let window = format!("from: \"{}\", until: \"{}\"", edge(-2), edge(2));
    (zone, window)
}

#[tokio::test]
async fn in_a_maintenance_window_the_hosts_it_names_are_left_alone() {
    let (zone, window) = over_midnight();
    let shop = format!(
        "{SHOP}time_zone: {zone}\nmaintenance: [{{{window}, groups: [web], reason: 定期再起動}}]\n"
    );
    let world = World::with(RESTART).customer(&shop).start().await;
    let (web, db) = (world.fire("web01 down"), world.fire("db01 down"));
    world.expect(&web, Outcome::Suspended).await;
    assert!(world.last_note(&web).contains("定期再起動"), "{}", world.last_note(&web));
    world.expect(&db, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}

/// The suspension lasts longer than the run's whole deadline, and its runner does not live to see
/// the end.
#[tokio::test]
async fn a_run_that_waits_for_the_end_of_a_suspension_survives_its_runner() {
    let waits = RESTART.replace("deadline:", "when_suspended: wait\ndeadline:");
    let now = SystemClock.now();
    let until = now + SignedDuration::from_secs(14);
    let shop = format!(
        "{SHOP}suspensions: [{{from: \"{}\", until: \"{until}\", group: web, reason: 移行作業}}]\n",
        now - SignedDuration::from_hours(1),
    );
    let mut world = World::with(&waits).customer(&shop).settings(SHORT_LEASE).start().await;
    let incident = world.fire("web01 down");
    let deferred = |entry: &Entry| matches!(entry, Entry::Deferred { .. });
    world.until_run(&incident, |item| item.journal.entries().iter().any(deferred)).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.until_epoch(&incident, 2).await;
    assert_eq!(world.read("recoveries"), "");
    world.expect(&incident, Outcome::Resolved).await;
    let began: i64 = world.read("recoveries").trim().parse().expect("one recovery");
    assert!(Timestamp::from_second(began).unwrap() >= until - SignedDuration::from_secs(1));
    world.restart(owner).await;
    world.end().await;
}
