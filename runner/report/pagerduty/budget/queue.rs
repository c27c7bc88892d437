//! Who waits for a turn: by lane, and within a lane each run in its turn. Pure.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use super::lane::{BELOW_PAGES, Lane};

/// One that waits.
#[derive(Debug)]
pub(super) struct Waiting<T> {
    id: u64,
    pub(super) since: Duration,
    pub(super) who: T,
}

#[derive(Debug)]
struct Line<T> {
    /// Runs with somebody waiting, the next one first.
    runs: VecDeque<String>,
    waiting: HashMap<String, VecDeque<Waiting<T>>>,
    count: usize,
}

#[derive(Debug)]
pub(super) struct Queue<T> {
    lines: [Line<T>; Lane::COUNT],
    last_id: u64,
    /// Turns given below pages.
    turns: u64,
}

/// Of the turns below pages every so many-th goes to who has waited longest, whatever its lane, so that
/// none waits for as long as a storm lasts.
const BY_AGE: u64 = 4;

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        let line = || Line { runs: VecDeque::new(), waiting: HashMap::new(), count: 0 };
        Self { lines: std::array::from_fn(|_| line()), last_id: 0, turns: 0 }
    }

    pub(super) const fn count(&self, lane: Lane) -> usize {
        self.lines[lane.index()].count
    }

    /// Answers with what to name it by when it goes away.
    pub(super) fn push(&mut self, (lane, run): (Lane, &str), since: Duration, who: T) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let line = &mut self.lines[lane.index()];
        line.count += 1;
        let waiting = Waiting { id, since, who };
        if let Some(others) = line.waiting.get_mut(run) {
            others.push_back(waiting);
        } else {
            line.runs.push_back(run.to_owned());
            line.waiting.insert(run.to_owned(), VecDeque::from([waiting]));
        }
        id
    }

    /// Goes away without its turn. `false`: it has had it.
    pub(super) fn remove(&mut self, (lane, run): (Lane, &str), id: u64) -> bool {
        let line = &mut self.lines[lane.index()];
        let Some(of_run) = line.waiting.get_mut(run) else { return false };
        let Some(place) = of_run.iter().position(|one| one.id == id) else { return false };
        of_run.remove(place);
        line.count -= 1;
        if of_run.is_empty() {
            line.waiting.remove(run);
            line.runs.retain(|other| other != run);
        }
        true
    }

    pub(super) fn pop_page(&mut self) -> Option<Waiting<T>> {
        self.pop(Lane::Escalate)
    }

    /// The next one of the lanes below pages.
    pub(super) fn pop_other(&mut self) -> Option<(Lane, Waiting<T>)> {
        let waiting = BELOW_PAGES.map(|lane| self.since(lane).map(|since| (lane, since)));
        let first = waiting.into_iter().flatten().next()?;
        self.turns += 1;
        let oldest = waiting.into_iter().flatten().min_by_key(|(_, since)| *since);
        let (lane, _) = oldest.filter(|_| self.turns.is_multiple_of(BY_AGE)).unwrap_or(first);
        Some((lane, self.pop(lane)?))
    }

    pub(super) fn has_others(&self) -> bool {
        BELOW_PAGES.iter().any(|lane| self.count(*lane) > 0)
    }

    /// Since when somebody waits, of any lane.
    pub(super) fn oldest(&self) -> Option<Duration> {
        let below = BELOW_PAGES.into_iter().filter_map(|lane| self.since(lane));
        below.chain(self.since(Lane::Escalate)).min()
    }

    /// Of who is next in this lane.
    fn since(&self, lane: Lane) -> Option<Duration> {
        let line = &self.lines[lane.index()];
        Some(line.waiting.get(line.runs.front()?)?.front()?.since)
    }

    fn pop(&mut self, lane: Lane) -> Option<Waiting<T>> {
        let line = &mut self.lines[lane.index()];
        let run = line.runs.pop_front()?;
        let of_run = line.waiting.get_mut(&run)?;
        let next = of_run.pop_front();
        if of_run.is_empty() {
            line.waiting.remove(&run);
        } else {
            line.runs.push_back(run);
        }
        line.count -= usize::from(next.is_some());
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn others(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop_other().map(|(_, waiting)| waiting.who)).collect()
    }

    fn waiting(who: &[(Lane, &str, &'static str)]) -> Queue<&'static str> {
        let mut queue = Queue::new();
        for ((lane, run, who), at) in who.iter().zip(0..) {
            queue.push((*lane, run), Duration::from_secs(at), *who);
        }
        queue
    }

    #[test]
    fn lanes_go_in_their_order() {
        use Lane::{Escalate, Look, Note, Resolve, Title};
        let mut queue = waiting(&[
            (Look, "A", "look"),
            (Note, "A", "note"),
            (Title, "A", "title"),
            (Resolve, "A", "resolve"),
            (Escalate, "A", "page"),
        ]);
        assert_eq!(queue.oldest(), Some(Duration::ZERO));
        assert_eq!(queue.pop_page().map(|it| it.who), Some("page"));
        assert_eq!(others(&mut queue), ["resolve", "title", "note", "look"]);
        assert!(!queue.has_others() && queue.oldest().is_none());
    }

    #[test]
    fn within_a_lane_every_run_has_its_turn() {
        let mut queue = waiting(&[
            (Lane::Note, "A", "a1"),
            (Lane::Note, "A", "a2"),
            (Lane::Note, "A", "a3"),
            (Lane::Note, "B", "b1"),
            (Lane::Note, "C", "c1"),
        ]);
        assert_eq!(others(&mut queue), ["a1", "b1", "c1", "a2", "a3"]);
    }

    #[test]
    fn every_fourth_turn_goes_to_who_has_waited_longest() {
        let mut queue = waiting(&[
            (Lane::Look, "A", "look"),
            (Lane::Note, "B", "1"),
            (Lane::Note, "C", "2"),
            (Lane::Note, "D", "3"),
            (Lane::Note, "E", "4"),
        ]);
        assert_eq!(others(&mut queue), ["1", "2", "3", "look", "4"]);
    }

    #[test]
    fn who_goes_away_leaves_no_gap() {
        let mut queue = waiting(&[(Lane::Note, "B", "b")]);
        let id = queue.push((Lane::Note, "A"), Duration::ZERO, "a");
        assert!(queue.remove((Lane::Note, "A"), id));
        assert!(!queue.remove((Lane::Note, "A"), id), "it is gone");
        assert_eq!((queue.count(Lane::Note), others(&mut queue)), (1, vec!["b"]));
    }
}
