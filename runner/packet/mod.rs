//! Telling a run's end in every place its customer wants it told: beside PagerDuty first, for a moment,
//! so that the last note names the ticket; then the note; then what took longer.
//!
//! Every place is announced in the journal before anything is sent there. A take-over looks for what
//! was announced and not recorded, and sends only what certainly was not sent.

mod orders;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use crate::begun::Begun;
use crate::claim::journal::{Entry, Journal};
use crate::claim::told::{Telling, ToldResult, ToldWhat};
use crate::execute::end::{End, Told};
use crate::execute::run::told;
use crate::handoff::packet::{Board, Packet};
use crate::incident::Outcome;
use crate::limits;
use crate::pipeline::Pipeline;
use crate::report::packet::{self as words, Sent, Went};
use crate::report::reporter::Untold;
use crate::respond::Left;
use crate::scenario::model::Ticket;
use crate::scenario::value::Values;

impl Pipeline {
    /// Tells the end beside PagerDuty and by the last note.
    pub(crate) async fn tell_everywhere(&self, begun: &mut Begun, end: &End) -> Result<(), Left> {
        let wanted = wanted(begun, end);
        if wanted.is_empty() {
            return self.end_note(&self.story(begun), end, begun).await;
        }
        let noted = self.was_told(&self.story(begun), begun).await?;
        let left = self.known_before(begun, &wanted).await;
        let left = self.announce_telling(begun, left).await?;
        if left.is_empty() {
            return self.end_note(&self.story(begun), end, begun).await;
        }
        let packet = self.packet(begun, end, &left).await;
        self.send(begun, end, packet, noted).await
    }

    async fn send(
        &self,
        begun: &mut Begun,
        end: &End,
        packet: Packet,
        noted: bool,
    ) -> Result<(), Left> {
        let contents = packet.contents();
        let board: Arc<Board> = Arc::new(watch::Sender::new(BTreeMap::new()));
        let began = Instant::now();
        let sending = packet.tell(Arc::clone(&board), began + limits::PACKET_LATEST);
        tokio::pin!(sending);
        let halt = begun.place.halt.clone();
        let soon = tokio::select! {
            told = timeout_at(began + limits::PACKET_BEFORE_NOTE, &mut sending) => told.ok(),
            () = halt.cancelled() => return Err(Left::Halted),
        };
        if let Some(told) = soon {
            told.map_err(Left::Lost)?;
            see(begun, &contents, &board);
            self.record_told(begun, &contents).await?;
            return if noted {
                self.late_note(begun).await
            } else {
                self.last_note(begun, end).await
            };
        }
        see(begun, &contents, &board);
        let late = async {
            tokio::select! {
                told = &mut sending => told.map_err(Left::Lost),
                () = halt.cancelled() => Err(Left::Halted),
            }
        };
        let note = async { if noted { Ok(()) } else { self.last_note(begun, end).await } };
        tokio::try_join!(note, late)?;
        see(begun, &contents, &board);
        self.record_told(begun, &contents).await?;
        self.late_note(begun).await
    }

    async fn last_note(&self, begun: &Begun, end: &End) -> Result<(), Left> {
        self.end_note(&self.story(begun), end, begun).await
    }

    /// A note that is given up was counted where that happened.
    async fn late_note(&self, begun: &Begun) -> Result<(), Left> {
        let story = self.story(begun);
        match begun.reporter.late_note(&story, &begun.place.halt).await {
            Ok(()) | Err(Untold::Failed(_)) => Ok(()),
            Err(untold) => Err(untold.into()),
        }
    }

    /// Takes from the journal what was told before; answers with what is left.
    async fn known_before(
        &self,
        begun: &mut Begun,
        wanted: &[ToldWhat],
    ) -> Vec<(ToldWhat, Telling)> {
        begun.beside.clear();
        let lang = begun.reporter.style.lang;
        let mut left = Vec::new();
        for what in wanted {
            let telling = begun.journal.telling(*what);
            let Telling::Over { result, reference } = telling else {
                if self.has_way(*what) {
                    left.push((*what, telling));
                } else {
                    begun.beside.push((*what, Went::NotSetUp));
                }
                continue;
            };
            let before = words::before(lang).to_owned();
            let went = match result {
                ToldResult::Sent => {
                    let shown = self.shown(*what, reference.as_deref()).await.unwrap_or(before);
                    Went::Sent(Sent { shown, reference, appended: false })
                }
                ToldResult::Refused => Went::Refused(before),
                ToldResult::Unknown => Went::Unknown(before),
                ToldResult::GivenUp => Went::GivenUp(before),
            };
            begun.beside.push((*what, went));
        }
        left
    }

    fn has_way(&self, what: ToldWhat) -> bool {
        match what {
            ToldWhat::Ticket | ToldWhat::FollowUp => self.ways.backlog.is_some(),
            ToldWhat::Chat => self.ways.slack.is_some(),
            ToldWhat::Mail => self.ways.email.is_some(),
        }
    }

    /// What an owner before this one had made, as people know it.
    async fn shown(&self, what: ToldWhat, reference: Option<&str>) -> Option<String> {
        match what {
            ToldWhat::Ticket | ToldWhat::FollowUp => {
                self.ways.backlog.as_ref()?.shown(reference?).await
            }
            ToldWhat::Chat | ToldWhat::Mail => None,
        }
    }

    /// Records what is about to be told. What cannot be recorded is not sent: nobody would know of it
    /// after a crash.
    async fn announce_telling(
        &self,
        begun: &mut Begun,
        left: Vec<(ToldWhat, Telling)>,
    ) -> Result<Vec<(ToldWhat, Telling)>, Left> {
        let at = self.executor.clock.now();
        let new = left.iter().filter(|(_, telling)| *telling == Telling::NotBegun);
        let journal = new.fold(begun.journal.clone(), |journal, (what, _)| {
            journal.with(Entry::Telling { what: *what, at })
        });
        if journal == begun.journal {
            return Ok(left);
        }
        let until = Instant::now() + limits::PACKET_BEFORE_NOTE;
        loop {
            match self.claims().done(begun.claim(), &journal).await {
                Ok(Ok(())) => {
                    begun.journal = journal;
                    return Ok(left);
                }
                Ok(Err(refusal)) => return Err(Left::Lost(refusal)),
                Err(error) if Instant::now() >= until => {
                    self.metrics.store_errors.inc();
                    let run = begun.claim().run();
                    tracing::error!(%error, "people are not told of run {run} beside PagerDuty");
                    let why = words::not_recorded(begun.reporter.style.lang).to_owned();
                    let missed = left.iter().map(|(what, _)| (*what, Went::GivenUp(why.clone())));
                    begun.beside.extend(missed);
                    return Ok(Vec::new());
                }
                Err(_) => {
                    self.metrics.store_errors.inc();
                }
            }
            tokio::select! {
                () = sleep(limits::HEARTBEAT_EVERY) => {}
                () = begun.place.halt.cancelled() => return Err(Left::Halted),
            }
        }
    }

    /// Records what came of it. Until this is written, a take-over looks for it.
    async fn record_told(&self, begun: &mut Begun, contents: &[ToldWhat]) -> Result<(), Left> {
        let run = begun.claim().run().clone();
        let now = self.executor.clock.now();
        let mut journal: Journal = begun.journal.clone();
        for (what, went) in begun.beside.iter().filter(|(what, _)| contents.contains(what)) {
            let Some(result) = went.result() else { continue };
            self.metrics.told(what.word(), result.word());
            let reference = match went {
                Went::Sent(sent) => {
                    self.keep_thread(begun, *what, sent).await;
                    sent.reference.clone()
                }
                Went::Refused(why) | Went::Unknown(why) | Went::GivenUp(why) => {
                    let (what, result, why) = (what.word(), result.word(), begun.mask().apply(why));
                    tracing::warn!(%run, what, result, "run {run} was not told everywhere: {why}");
                    None
                }
                Went::NotSetUp | Went::UnderWay => None,
            };
            journal = journal.with(Entry::Told { what: *what, result, reference, at: now });
        }
        match self.claims().done(begun.claim(), &journal).await {
            Ok(Ok(())) => {}
            Ok(Err(refusal)) => return Err(Left::Lost(refusal)),
            // The write of the outcome carries it.
            Err(_) => {
                self.metrics.store_errors.inc();
            }
        }
        begun.journal = journal;
        Ok(())
    }
}

/// Takes over what the board says by now.
fn see(begun: &mut Begun, contents: &[ToldWhat], board: &Board) {
    let board = board.borrow();
    begun.beside.retain(|(what, _)| !contents.contains(what));
    for what in contents {
        let went = board.get(what).cloned().unwrap_or(Went::UnderWay);
        begun.beside.push((*what, went));
    }
    begun.beside.sort_by_key(|(what, _)| *what);
}

/// What the customer wants told of such an end, in its order.
fn wanted(begun: &Begun, end: &End) -> Vec<ToldWhat> {
    let Some(customer) = &begun.customer else { return Vec::new() };
    // What an earlier owner's steps had read is gone, but not which ticket its author wants.
    let ticket = if begun.told == Told::default() {
        told(&begun.scenario, end, &Values::default()).ticket
    } else {
        begun.told.ticket
    };
    let to_people = match end.outcome() {
        Outcome::HandedOff | Outcome::Escalated => true,
        Outcome::Resolved | Outcome::RecoveredItself => false,
        _ => return Vec::new(),
    };
    // Of all that a storm stops, the first is told.
    if matches!(end, End::Guarded(no) if no.follows(begun.claim().run())) {
        return Vec::new();
    }
    let tickets = customer.packet.backlog.is_some();
    let places = [
        (ToldWhat::Ticket, tickets && to_people && ticket != Ticket::None),
        (ToldWhat::FollowUp, tickets && ticket == Ticket::FollowUp),
        (ToldWhat::Chat, to_people && customer.packet.slack.is_some()),
        (ToldWhat::Mail, to_people && customer.packet.email.is_some()),
    ];
    places.into_iter().filter(|(_, wants)| *wants).map(|(what, _)| what).collect()
}
