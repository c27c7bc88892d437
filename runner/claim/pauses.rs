//! What operators have paused: the kill switch's record in the ledger. Pure.
//!
//! It holds marks and scenario ids, no names and no reasons: those lie in the history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ledger::Mark;
use crate::limits;

/// The form of records this version reads and writes.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pauses {
    #[serde(rename = "v")]
    format: u32,
    /// Grows with each change; heartbeats say which one their process goes by.
    pub serial: u64,
    #[serde(rename = "pauses")]
    pub list: Vec<Pause>,
}

/// One pause. It stops what meets all that it names; naming nothing, it stops everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Under which the history has who, why and what in words.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Mark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Mark>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Mark>,
    /// Id of a scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// Nothing until somebody ends it.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "jiff::fmt::serde::timestamp::millisecond::optional"
    )]
    pub until: Option<Timestamp>,
}

/// What a recovery is about, as far as a pause may name it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concern {
    pub customer: Option<Mark>,
    pub scenario: String,
    /// Every name of every host, so that it does not matter by which one it was paused.
    pub hosts: Vec<Mark>,
    pub groups: Vec<Mark>,
}

/// The same in every region and spelling.
pub fn host_mark(name: &str) -> Mark {
    Mark::of(&["paused host", &name.to_lowercase()])
}

pub fn group_mark(name: &str) -> Mark {
    Mark::of(&["paused group", name])
}

impl Default for Pauses {
    fn default() -> Self {
        Self { format: FORMAT, serial: 0, list: Vec::new() }
    }
}

impl Pause {
    fn covers(&self, concern: &Concern, now: Timestamp) -> bool {
        self.is_in_force(now)
            && self.customer.as_ref().is_none_or(|it| concern.customer.as_ref() == Some(it))
            && self.scenario.as_ref().is_none_or(|it| concern.scenario == *it)
            && self.host.as_ref().is_none_or(|it| concern.hosts.contains(it))
            && self.group.as_ref().is_none_or(|it| concern.groups.contains(it))
    }

    pub fn is_in_force(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

impl Pauses {
    /// What the ledger holds. Answers with what is wrong where this version cannot read it.
    pub fn parse(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text else { return Ok(Self::default()) };
        let record: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if record.format > FORMAT {
            return Err(format!("it has format {}, this version knows {FORMAT}", record.format));
        }
        Ok(record)
    }

    pub fn text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// The pause that stops it, of several the one that lasts longest.
    pub fn covering(&self, concern: &Concern, now: Timestamp) -> Option<&Pause> {
        let covering = self.list.iter().filter(|pause| pause.covers(concern, now));
        covering.max_by_key(|pause| pause.until.unwrap_or(Timestamp::MAX))
    }

    /// The record with one pause more; as it is, where it has that one already. `Err` where there is
    /// no room.
    pub fn with(&self, pause: &Pause, now: Timestamp) -> Result<Self, String> {
        if self.list.iter().any(|it| it.id == pause.id) {
            return Ok(self.clone());
        }
        let mut next = self.next(|it| it.is_in_force(now));
        if next.list.len() >= limits::PAUSES {
            return Err(format!("{} pauses are in force, the most there may be", limits::PAUSES));
        }
        next.list.push(pause.clone());
        Ok(next)
    }

    /// The record without these pauses, and without those that are over.
    #[must_use]
    pub fn without(&self, ended: &[String], now: Timestamp) -> Self {
        let stays = |pause: &Pause| pause.is_in_force(now) && !ended.contains(&pause.id);
        if self.list.iter().all(stays) { self.clone() } else { self.next(stays) }
    }

    fn next(&self, stays: impl Fn(&Pause) -> bool) -> Self {
        let list = self.list.iter().filter(|it| stays(it)).cloned().collect();
        Self { format: FORMAT, serial: self.serial + 1, list }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> Timestamp {
        "2026-03-02T12:00:00Z".parse().unwrap()
    }

    fn pause(id: &str) -> Pause {
        let (customer, group, host, scenario, until) = (None, None, None, None, None);
        Pause { id: id.to_owned(), customer, group, host, scenario, at: noon(), until }
    }

    fn shop() -> Concern {
        Concern {
            customer: Some(Mark::of(&["customer", "shop"])),
            scenario: "restart-web".to_owned(),
            hosts: ["web01", "10.0.0.1"].map(host_mark).to_vec(),
            groups: vec![group_mark("web")],
        }
    }

    fn stops(pause: &Pause, concern: &Concern) -> bool {
        let record = Pauses::default().with(pause, noon()).unwrap();
        let read = Pauses::parse(Some(&record.text().unwrap())).unwrap();
        assert_eq!(read, record);
        read.covering(concern, noon()).is_some()
    }

    #[test]
    fn a_pause_stops_what_meets_all_that_it_names() {
        let (shop, other) = (shop(), Concern::default());
        assert!(stops(&pause("a"), &shop) && stops(&pause("a"), &other), "everything");
        let host = Pause { host: Some(host_mark("WEB01")), ..pause("a") };
        assert!(stops(&host, &shop) && !stops(&host, &other));
        let of_other = Pause { customer: Some(Mark::of(&["customer", "other"])), ..host.clone() };
        assert!(!stops(&of_other, &shop), "the same host name, another customer's");
        let group =
            Pause { group: Some(group_mark("web")), customer: shop.customer.clone(), ..host };
        assert!(stops(&group, &shop));
        let scenario = |id: &str| Pause { scenario: Some(id.to_owned()), ..pause("a") };
        assert!(stops(&scenario("restart-web"), &shop) && !stops(&scenario("clean-disk"), &shop));
    }

    #[test]
    fn a_pause_ends_by_itself_or_when_somebody_says_so() {
        let later = noon() + jiff::SignedDuration::from_hours(2);
        let short = Pause { until: Some(later), ..pause("short") };
        let record = Pauses::default().with(&short, noon()).unwrap();
        assert!(record.covering(&shop(), noon()).is_some());
        assert!(record.covering(&shop(), later).is_none());

        let both = record.with(&pause("long"), noon()).unwrap();
        assert_eq!(
            both.covering(&shop(), noon()).unwrap().id,
            "long",
            "the one that lasts longest"
        );
        assert_eq!((record.serial, both.serial), (1, 2));
        let left = both.without(&["long".to_owned()], noon());
        assert_eq!((left.serial, left.list.len()), (3, 1));
        assert_eq!(left.without(&["long".to_owned()], noon()), left, "said twice");
        assert_eq!(left.without(&[], later).list, [], "what is over is forgotten");
    }

    #[test]
    fn the_same_pause_is_entered_once_and_not_more_than_there_is_room_for() {
        let mut record = Pauses::default().with(&pause("0"), noon()).unwrap();
        assert_eq!(record.with(&pause("0"), noon()).unwrap(), record, "an answer was lost");
        for number in 1..limits::PAUSES {
            record = record.with(&pause(&number.to_string()), noon()).unwrap();
        }
        assert!(record.with(&pause("more"), noon()).is_err());
        assert!(record.text().unwrap().len() <= limits::LEDGER_BYTES);
    }
}
