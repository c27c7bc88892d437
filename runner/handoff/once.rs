//! Telling people in one further place, once: an attempt whose answer was lost is looked for before
//! the next one, and what cannot be looked for is not done again.

use std::ops::ControlFlow;
use std::time::Duration;

use async_trait::async_trait;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use crate::claim::hold::{Doubt, Permission};
use crate::claim::protocol::Refusal;
use crate::limits;
use crate::report::packet::{Sent, Went};

/// One place to tell people, for one run.
#[async_trait]
pub trait Way: Send + Sync {
    /// Of whoever does the same to the same system at this time.
    fn turns(&self) -> &Semaphore;

    /// Was it done already?
    async fn look(&self) -> Found;

    async fn send(&self) -> Attempt;
}

pub enum Found {
    There(Sent),
    Not,
    /// Nobody can say now.
    Later(String),
    /// Nobody can ever say.
    Cannot(String),
}

pub enum Attempt {
    Sent(Sent),
    /// Understood, and no.
    Refused(String),
    /// Certainly not done; may work later, or after the time that was asked for.
    Later {
        why: String,
        after: Option<Duration>,
    },
    /// It may have been done.
    Lost(String),
}

/// Goes on until it is done, refused or `until` has come. `in_doubt`: an owner before this one had
/// announced it. `Err` where the run is another's by now.
pub async fn once(
    way: &dyn Way,
    in_doubt: bool,
    permission: &Permission,
    until: Instant,
) -> Result<Went, Refusal> {
    let mut pauses = ExponentialBuilder::default()
        .with_min_delay(limits::PACKET_FIRST_PAUSE)
        .with_max_delay(limits::PACKET_LONGEST_PAUSE)
        .with_jitter()
        .without_max_times()
        .build();
    let mut doubt = in_doubt;
    if in_doubt {
        // What that owner had under way when it stopped may still be carried out.
        sleep(limits::PACKET_ARRIVES).await;
    }
    loop {
        // In a storm the turn may not come in time.
        let Ok(turn) = timeout_at(until, way.turns().acquire()).await else {
            return Ok(over(doubt, "too many at once".to_owned()));
        };
        let (why, after) = match permission.ask().await {
            // Telling people is nothing that a pause stops.
            Ok(()) | Err(Doubt::Paused(_)) => match attempt(way, &mut doubt).await {
                ControlFlow::Break(went) => return Ok(went),
                ControlFlow::Continue(later) => later,
            },
            Err(Doubt::Refused(refusal)) => return Err(refusal),
            Err(doubt @ Doubt::Unknown(_)) => (doubt.to_string(), None),
        };
        drop(turn);
        let pause = after.or_else(|| pauses.next()).unwrap_or(limits::PACKET_LONGEST_PAUSE);
        if Instant::now() + pause >= until {
            return Ok(over(doubt, why));
        }
        sleep(pause).await;
    }
}

/// Time ran out.
const fn over(doubt: bool, why: String) -> Went {
    if doubt { Went::Unknown(why) } else { Went::GivenUp(why) }
}

/// Looks where something may have been done, and does it where nothing was.
async fn attempt(way: &dyn Way, doubt: &mut bool) -> ControlFlow<Went, (String, Option<Duration>)> {
    if *doubt {
        match way.look().await {
            Found::There(sent) => return ControlFlow::Break(Went::Sent(sent)),
            Found::Cannot(why) => return ControlFlow::Break(Went::Unknown(why)),
            Found::Later(why) => return ControlFlow::Continue((why, None)),
            Found::Not => *doubt = false,
        }
    }
    match way.send().await {
        Attempt::Sent(sent) => ControlFlow::Break(Went::Sent(sent)),
        Attempt::Refused(why) => ControlFlow::Break(Went::Refused(why)),
        Attempt::Later { why, after } => ControlFlow::Continue((why, after)),
        Attempt::Lost(why) => {
            *doubt = true;
            ControlFlow::Continue((why, Some(limits::PACKET_ARRIVES)))
        }
    }
}
