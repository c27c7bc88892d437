//! What goes along with a hand-off: a ticket, a message, a mail. The ticket first, so that the others
//! name its key; none of them waits long for another.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::once::{Way, once};
use super::ways::Ways;
use super::{backlog, email, slack};
use crate::claim::hold::Permission;
use crate::claim::protocol::Refusal;
use crate::claim::told::ToldWhat;
use crate::limits;
use crate::report::packet::Went;

/// What a run wants told; what needs the ticket's key is made once that is known.
pub struct Packet {
    pub ways: Ways,
    pub ticket: Option<Ordered<backlog::Order>>,
    pub follow_up: Option<Ordered<backlog::Order>>,
    pub chat: Option<Ordered<Made<slack::Order>>>,
    pub mail: Option<Ordered<Made<email::Order>>>,
    pub permission: Permission,
}

/// Makes an order of the ticket, where there is one by then.
pub type Made<T> = Box<dyn Fn(Option<&str>) -> T + Send + Sync>;

pub struct Ordered<T> {
    pub order: T,
    /// Announced by an owner before this one.
    pub in_doubt: bool,
}

/// How far each of them has come.
pub type Board = watch::Sender<BTreeMap<ToldWhat, Went>>;

impl Packet {
    /// What will be announced.
    pub fn contents(&self) -> Vec<ToldWhat> {
        let held = [
            (ToldWhat::Ticket, self.ticket.is_some()),
            (ToldWhat::FollowUp, self.follow_up.is_some()),
            (ToldWhat::Chat, self.chat.is_some()),
            (ToldWhat::Mail, self.mail.is_some()),
        ];
        held.into_iter().filter(|(_, is)| *is).map(|(what, _)| what).collect()
    }

    /// Tells all of it; what came of each is on the board as soon as it is known. `Err` where the run
    /// is another's by now.
    pub async fn tell(self, board: Arc<Board>, until: Instant) -> Result<(), Refusal> {
        let Self { ways, ticket, follow_up, chat, mail, permission } = self;
        let (first, second) = (Arc::clone(&board), Arc::clone(&board));
        let has_ticket = ticket.is_some();
        let tickets = async {
            for (what, ordered) in [(ToldWhat::Ticket, ticket), (ToldWhat::FollowUp, follow_up)] {
                let Some(Ordered { order, in_doubt }) = ordered else { continue };
                let way = ways.backlog.clone().map(|backlog| backlog::Ticket { backlog, order });
                let went = tell(way, in_doubt, &permission, until).await?;
                put(&first, what, went);
            }
            Ok(())
        };
        let others = async {
            let key = if has_ticket { ticket_of(&second).await } else { None };
            let chat = async {
                let Some(Ordered { order, in_doubt }) = chat else { return Ok(()) };
                let order = order(key.as_deref());
                let way = ways.slack.clone().map(|slack| slack::Message { slack, order });
                put(&second, ToldWhat::Chat, tell(way, in_doubt, &permission, until).await?);
                Ok(())
            };
            let mail = async {
                let Some(Ordered { order, in_doubt }) = mail else { return Ok(()) };
                let order = order(key.as_deref());
                let way = ways.email.clone().map(|email| email::Mail { email, order });
                put(&second, ToldWhat::Mail, tell(way, in_doubt, &permission, until).await?);
                Ok(())
            };
            tokio::try_join!(chat, mail).map(|_| ())
        };
        tokio::try_join!(tickets, others).map(|_| ())
    }
}

async fn tell(
    way: Option<impl Way>,
    in_doubt: bool,
    permission: &Permission,
    until: Instant,
) -> Result<Went, Refusal> {
    match way {
        Some(way) => once(&way, in_doubt, permission, until).await,
        None => Ok(Went::NotSetUp),
    }
}

fn put(board: &Board, what: ToldWhat, went: Went) {
    board.send_modify(|board| {
        board.insert(what, went);
    });
}

/// Key and address of the ticket, if it comes soon.
async fn ticket_of(board: &Board) -> Option<String> {
    let mut known = board.subscribe();
    let ticket = known.wait_for(|board| board.contains_key(&ToldWhat::Ticket));
    drop(timeout(limits::PACKET_TICKET_FIRST, ticket).await);
    let board = board.borrow();
    match board.get(&ToldWhat::Ticket) {
        Some(Went::Sent(sent)) => Some(sent.shown.clone()),
        _ => None,
    }
}
