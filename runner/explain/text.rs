//! A run's account for people at a terminal: how it stands, what it is, what happened, who knows.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::explain::line::{labelled, wrapped};
use crate::explain::steps::State;
use crate::explain::{Account, CarrierAccount, StepAccount, words};
use crate::history::story::{Known, Paged};
use crate::incident::Outcome;
use crate::lang::Lang;
use crate::report::text as sentences;

/// How an account is written.
#[derive(Clone, Debug)]
pub struct Style {
    pub lang: Lang,
    pub zone: TimeZone,
    /// Seconds after which a silent owner loses its runs.
    pub lease_seconds: u64,
    /// Somebody in the store shows life.
    pub anyone_alive: bool,
}

/// Columns of a label.
const LABEL: usize = 13;
/// Before what belongs to a line with a time.
const BELOW: &str = "            ";

impl Style {
    pub fn write(&self, account: &Account) -> String {
        let mut lines = Vec::new();
        self.summary(&mut lines, account);
        self.facts(&mut lines, account);
        if account.now.is_some() {
            self.now(&mut lines, account);
        }
        if account.outcome != Some(Outcome::Unmatched) {
            self.happened(&mut lines, account);
        }
        if let Some(end) = &account.end {
            self.told(&mut lines, account, end.paged.as_ref());
        }
        if !account.remarks.is_empty() {
            lines.push(format!("\n{}", words::labels(self.lang).remarks));
            lines.extend(account.remarks.iter().map(|remark| wrapped("  ", remark)));
        }
        lines.join("\n")
    }

    fn summary(&self, lines: &mut Vec<String>, account: &Account) {
        let Account { incident, run, outcome, is_open, .. } = account;
        let how = words::outcome(self.lang, *outcome, *is_open);
        lines.push(match self.lang {
            Lang::Ja => format!("インシデント {incident}（対応 {run} 回目）: {how}"),
            Lang::En => format!("Incident {incident}, run {run}: {how}"),
        });
        if *outcome == Some(Outcome::Unmatched) {
            lines.push(wrapped("", words::unmatched(self.lang)));
        }
        if let Some(end) = account.end.as_ref().filter(|end| !end.is_planned) {
            lines.push(wrapped("", &end.headline));
            lines.extend(end.reason.iter().map(|reason| wrapped("", reason)));
        }
        lines.push(String::new());
    }

    fn facts(&self, lines: &mut Vec<String>, account: &Account) {
        let labels = words::labels(self.lang);
        if let Some(title) = &account.title {
            lines.push(wrapped("", title));
        }
        let mut fact = |label, text: &str| lines.push(wrapped(&labelled(label, LABEL), text));
        let known = |it: &Known| {
            if it.name == it.id { it.id.clone() } else { format!("{} ({})", it.name, it.id) }
        };
        if let Some(customer) = &account.customer {
            fact(labels.customer, &known(customer));
        }
        if let Some(service) = &account.service {
            fact(labels.service, &known(service));
        }
        if let Some(at) = account.began_at {
            let reopened = account.opening == Some("reopened");
            let how = if reopened { format!(" ({})", labels.reopened) } else { String::new() };
            fact(labels.began, &format!("{}{how}", self.date(at)));
        }
        if let Some((began, ended)) = account.began_at.zip(account.ended_at)
            && account.outcome != Some(Outcome::Unmatched)
        {
            let took = std::time::Duration::try_from(ended.duration_since(began));
            let took = took.map(|took| format!(" ({})", sentences::duration(self.lang, took)));
            fact(labels.ended, &format!("{}{}", self.date(ended), took.unwrap_or_default()));
        }
        if let Some(scenario) = &account.scenario {
            let about = scenario.about.as_ref().filter(|about| **about != scenario.id);
            let about = about.map(|about| format!(" - {about}")).unwrap_or_default();
            fact(labels.scenario, &format!("{}{about}", scenario.id));
            if let Some(hash) = scenario.hash.as_deref().and_then(|hash| hash.get(..12)) {
                fact(labels.version, hash);
            }
        }
        for text in self.because(account) {
            fact(labels.because, &text);
        }
        if !account.captures.is_empty() {
            let captures = account.captures.iter().map(|(name, value)| format!("{name}={value}"));
            fact(labels.captured, &captures.collect::<Vec<_>>().join(" "));
        }
        if let Some(mode) = &account.mode {
            fact(labels.mode, &words::mode(self.lang, mode));
        }
    }

    /// Why this scenario, or why none.
    fn because(&self, account: &Account) -> Vec<String> {
        if account.outcome == Some(Outcome::Unmatched) {
            let near: Vec<String> =
                account.near.iter().map(|near| words::near(self.lang, near)).collect();
            let is_told = account.title.is_some();
            let none = near.is_empty() && is_told;
            return if none { vec![words::no_near(self.lang).to_owned()] } else { near };
        }
        let is_known = !account.keywords.is_empty();
        is_known.then(|| words::keywords(self.lang, &account.keywords)).into_iter().collect()
    }

    fn now(&self, lines: &mut Vec<String>, account: &Account) {
        let Some(now) = &account.now else { return };
        lines.push(format!("\n{}", words::labels(self.lang).now));
        let owner = account.carriers.last().map_or("?", |carrier| carrier.owner.as_str());
        let mut say = |text: &str| lines.push(wrapped("  ", text));
        if now.released {
            say(&words::released(self.lang, owner));
        } else {
            say(&words::heartbeat(self.lang, now.heartbeat, owner, self.lease_seconds));
        }
        if !self.anyone_alive {
            say(words::no_region(self.lang));
        }
        if let Some(stand_down) = &account.stand_down {
            let by = stand_down.by.as_deref();
            say(&words::asked_by(self.lang, &stand_down.words, by));
        }
        if let Some(end) = account.end.as_ref().filter(|end| end.is_planned) {
            say(words::still_telling(self.lang));
            say(&end.headline);
            end.reason.iter().for_each(|reason| say(reason));
        }
        let announced = account.steps.iter().any(|step| step.state != State::Ended);
        if !now.may_be_at.is_empty() {
            say(words::may_be_at(self.lang, announced));
            now.may_be_at.iter().for_each(|at| say(&format!("  {}", account.step_named(*at))));
        }
        if let Some(next) = now.next_change {
            let asks = account.mode.as_deref() == Some("approve");
            say(&words::next_change(self.lang, &account.step_named(next), asks));
        }
        if let Some(until) = now.asks_until {
            say(&words::asks_until(self.lang, &self.date(until)));
        }
        if let Some(until) = now.deferred_until {
            say(&words::deferred_until(self.lang, &self.date(until)));
        }
        say(&words::last_write(self.lang, &self.time(Some(now.since))));
        if let Some(until) = now.until {
            say(&words::until(self.lang, &self.date(until)));
        }
    }

    /// Everything with a time in its order; what has none stays where it was.
    fn happened(&self, lines: &mut Vec<String>, account: &Account) {
        let mut events: Vec<(Option<Timestamp>, String)> = Vec::new();
        for step in &account.steps {
            events.push((step.began_at, self.step(step)));
        }
        if account.steps.is_empty() {
            let text = words::nothing_done(self.lang, account.is_open);
            events.push((None, wrapped(&self.head(None), text)));
        }
        for (index, carrier) in account.carriers.iter().enumerate() {
            let before = index.checked_sub(1).and_then(|index| account.carriers.get(index));
            let text = self.carrier(carrier, before);
            // Whoever began it comes first, whatever the clocks say.
            let at = if index == 0 { 0 } else { place(&events, carrier.since) };
            events.insert(at, (carrier.since, wrapped(&self.head(carrier.since), &text)));
        }
        if let Some(asked) = &account.stand_down {
            let text = words::asked_by(self.lang, &asked.words, asked.by.as_deref());
            let at = place(&events, Some(asked.at));
            events.insert(at, (Some(asked.at), wrapped(&self.head(Some(asked.at)), &text)));
        }
        if let Some(ended) = account.ended_at {
            let text = words::outcome(self.lang, account.outcome, account.is_open);
            events.push((Some(ended), wrapped(&self.head(Some(ended)), &format!("→ {text}"))));
        }
        lines.push(format!("\n{}", words::labels(self.lang).happened));
        lines.extend(events.into_iter().map(|(_, text)| text));
        if account.steps.iter().any(|step| step.began_at.is_none()) {
            lines.push(wrapped("  ", words::without_time(self.lang)));
        }
    }

    fn carrier(&self, carrier: &CarrierAccount, before: Option<&CarrierAccount>) -> String {
        let owner = carrier.owner.as_str();
        match before {
            Some(before) => words::took_over(self.lang, owner, before.owner.as_str()),
            None if carrier.since.is_none() => {
                words::has_it(self.lang, owner, carrier.epoch.unwrap_or_default())
            }
            None => words::began(self.lang, owner),
        }
    }

    fn step(&self, step: &StepAccount) -> String {
        let mut details = Vec::new();
        if let Some(attempts) = step.attempts.filter(|attempts| *attempts > 1) {
            details.push(sentences::attempts(self.lang, attempts));
        }
        if let Some(took) = step.took_ms {
            let took = std::time::Duration::from_millis(took);
            details.push(sentences::duration(self.lang, took));
        }
        let details =
            if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
        let text = format!("{} → {}{details}", words::step(step), step.words);
        let mut shown = vec![wrapped(&self.head(step.began_at), &text)];
        if let Some(owner) = &step.adopted_from {
            let found_at = self.time(step.ended_at);
            let text = words::adopted(self.lang, owner.as_str(), &found_at);
            shown.push(wrapped(&format!("{BELOW}   "), &text));
        }
        shown.extend(step.output.iter().map(|line| wrapped(&format!("{BELOW} | "), line)));
        if let Some(evidence) = &step.evidence {
            let all = words::labels(self.lang).all_of_it;
            shown.push(format!("{BELOW} ({all}: {evidence})"));
        }
        shown.join("\n")
    }

    fn told(&self, lines: &mut Vec<String>, account: &Account, paged: Option<&Paged>) {
        let Some(end) = account.end.as_ref().filter(|end| !end.is_planned) else { return };
        let labels = words::labels(self.lang);
        lines.push(format!("\n{}", labels.told));
        lines.push(wrapped("  ", &words::paged(self.lang, paged)));
        if let Some(cleared) = &end.cleared {
            let at = self.time(Some(cleared.at));
            lines.push(wrapped("  ", &words::cleared(self.lang, cleared.by, &at)));
        }
        let extra = [(labels.priority, &end.priority), (labels.contact, &end.contact)];
        for (label, value) in extra {
            let text = value.iter().map(|value| wrapped("  ", &format!("{label}: {value}")));
            lines.extend(text);
        }
        lines.extend(end.message.iter().map(|message| wrapped("  ", message)));
        lines.extend(end.beside.iter().map(|beside| wrapped("  ", beside)));
        if let Some(manual) = &end.manual {
            lines.push(format!("\n{}", sentences::labels(self.lang).next));
            lines.push(wrapped("  ", manual.trim()));
        }
    }

    fn head(&self, at: Option<Timestamp>) -> String {
        format!("  {}  ", self.time(at))
    }

    fn time(&self, at: Option<Timestamp>) -> String {
        let Some(at) = at else { return "--:--:--".to_owned() };
        at.to_zoned(self.zone.clone()).strftime("%H:%M:%S").to_string()
    }

    fn date(&self, at: Timestamp) -> String {
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
    }
}

/// Before the first that happened later.
fn place(events: &[(Option<Timestamp>, String)], at: Option<Timestamp>) -> usize {
    let later =
        |event: &(Option<Timestamp>, String)| event.0.zip(at).is_some_and(|(event, at)| event > at);
    events.iter().position(later).unwrap_or(events.len())
}
