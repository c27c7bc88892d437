//! A way through the model in words, for people.

use super::acts::{Act, Deed, Fate};
use super::state::{Luck, Opening};

const REGIONS: [&str; 2] = ["tokyo", "osaka"];

pub(super) fn way(acts: &[Act]) -> String {
    acts.iter().map(told).collect::<Vec<_>>().join("; ")
}

fn told(act: &Act) -> String {
    match act {
        Act::Does(who, deed, luck) => {
            format!("{} {}{}", REGIONS[*who], done(*deed), unlucky(*luck))
        }
        Act::Suffers(who, fate) => format!("{} {}", REGIONS[*who], suffered(*fate)),
        Act::Allows => "a person allows it".to_owned(),
        Act::Arrives(_) => "the late request arrives".to_owned(),
    }
}

const fn done(deed: Deed) -> &'static str {
    match deed {
        Deed::Claim(Opening::Triggered) => "claims",
        Deed::Claim(Opening::Reopened) => "claims the reopened incident",
        Deed::RetryClaim => "sends its claim again",
        Deed::GiveUpClaim => "gives up its claim",
        Deed::StandDown => "hears that a person took the incident",
        Deed::TakeOver => "takes over",
        Deed::RetryTakeOver => "sends its take-over again",
        Deed::GiveUpTakeOver => "gives up its take-over",
        Deed::Answer => "hears that a person allowed it",
        Deed::AskPeople(_) => "asks people",
        Deed::Hear(_) => "reads the answer",
        Deed::Expire(_) => "waits for an answer in vain",
        Deed::Intend(_) => "writes an intent",
        Deed::GiveUpIntent(_) => "gives up its intent",
        Deed::Start(_) => "starts the effect",
        Deed::Done(_) => "records the result",
        Deed::AskHost(_) => "asks the host",
        Deed::GiveUpAdopting(_) => "finds out nothing on the host",
        Deed::Close(_) => "tells people of the end",
        Deed::Finish(_) => "writes the outcome",
    }
}

const fn suffered(fate: Fate) -> &'static str {
    match fate {
        Fate::Crash => "is killed",
        Fate::Stop => "stops and releases",
        Fate::Restart => "comes back",
        Fate::Pause => "stands still for a lease",
        Fate::Cut => "loses its heartbeat",
        Fate::Recover => "goes on",
    }
}

const fn unlucky(luck: Luck) -> &'static str {
    match luck {
        Luck::Answered => "",
        Luck::AnswerLost => " (answer lost)",
        Luck::RequestLost => " (request lost)",
        Luck::Late => " (request late)",
        Luck::Doubled => " (doubled)",
    }
}
