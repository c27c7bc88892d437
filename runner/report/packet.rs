//! What else people were told, in words: lines of the last note, and what tickets, messages and mails
//! say unless a customer's file says it otherwise.

use crate::claim::told::{ToldResult, ToldWhat};
use crate::lang::Lang;
use crate::report::note::{Kind, Story, Style};

/// What came of telling people in one further place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Went {
    Sent(Sent),
    Refused(String),
    /// It may have arrived.
    Unknown(String),
    /// It certainly has not.
    GivenUp(String),
    /// The customer wants it, and the settings have no way for it.
    NotSetUp,
    /// Nobody knows yet.
    UnderWay,
}

/// Where it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// As people find it: key and address, channel, addressees.
    pub shown: String,
    /// The other system's own id.
    pub reference: Option<String>,
    /// Added to what was there before.
    pub appended: bool,
}

/// A further place, and what came of it.
pub type Beside = (ToldWhat, Went);

impl Went {
    /// For the journal; nothing where nothing was begun or nobody knows yet.
    pub const fn result(&self) -> Option<ToldResult> {
        match self {
            Self::Sent(_) => Some(ToldResult::Sent),
            Self::Refused(_) => Some(ToldResult::Refused),
            Self::Unknown(_) => Some(ToldResult::Unknown),
            Self::GivenUp(_) => Some(ToldResult::GivenUp),
            Self::NotSetUp | Self::UnderWay => None,
        }
    }
}

/// Heading of the lines in the last note.
pub const fn heading(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "■ 連携先",
        Lang::En => "■ Also told",
    }
}

/// First line of the note about what took longer.
pub const fn late_heading(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "AMS: 連携の結果です。",
        Lang::En => "AMS: how what was still under way went.",
    }
}

const fn name(lang: Lang, what: ToldWhat) -> &'static str {
    match (lang, what) {
        (Lang::Ja, ToldWhat::Ticket) => "チケット",
        (Lang::En, ToldWhat::Ticket) => "Ticket",
        (Lang::Ja, ToldWhat::FollowUp) => "恒久対応のチケット",
        (Lang::En, ToldWhat::FollowUp) => "Follow-up ticket",
        (_, ToldWhat::Chat) => "Slack",
        (Lang::Ja, ToldWhat::Mail) => "メール",
        (Lang::En, ToldWhat::Mail) => "E-mail",
    }
}

/// `チケット: SHOP-12 https://… （追記）`.
pub fn line(lang: Lang, (what, went): &Beside) -> String {
    let name = name(lang, *what);
    match (lang, went) {
        (Lang::Ja, Went::Sent(Sent { shown, appended: true, .. })) => {
            format!("{name}: {shown}（追記）")
        }
        (Lang::En, Went::Sent(Sent { shown, appended: true, .. })) => {
            format!("{name}: {shown} (added to it)")
        }
        (_, Went::Sent(Sent { shown, .. })) => format!("{name}: {shown}"),
        (Lang::Ja, Went::Refused(why)) => format!("{name}: 受け付けられませんでした（{why}）"),
        (Lang::En, Went::Refused(why)) => format!("{name}: refused ({why})"),
        (Lang::Ja, Went::Unknown(why)) => {
            format!("{name}: 届いたかどうか不明です。再送していません（{why}）")
        }
        (Lang::En, Went::Unknown(why)) => {
            format!("{name}: nobody knows whether it arrived; not sent again ({why})")
        }
        (Lang::Ja, Went::GivenUp(why)) => format!("{name}: 送れませんでした（{why}）"),
        (Lang::En, Went::GivenUp(why)) => format!("{name}: could not be sent ({why})"),
        (Lang::Ja, Went::NotSetUp) => {
            format!("{name}: 送っていません。AMSの設定に送り先の接続情報がありません")
        }
        (Lang::En, Went::NotSetUp) => {
            format!("{name}: not sent; AMS's settings do not say how")
        }
        (Lang::Ja, Went::UnderWay) => format!("{name}: 送信中です。結果はノートに追記します"),
        (Lang::En, Went::UnderWay) => format!("{name}: under way; a note will say how it went"),
    }
}

/// Where an owner before this one had recorded the result and nothing else.
pub const fn before(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "引継ぎ前のリージョンの記録",
        Lang::En => "recorded by the region before",
    }
}

/// Nothing was announced because the claim store did not answer.
pub const fn not_recorded(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "AMS の記録先に書き込めないため送っていません",
        Lang::En => "the claim store could not record it",
    }
}

/// Templates as a customer's file may have its own; the names are in
/// [`crate::customer::packet::NAMES`].
pub const fn summary(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "[AMS 引継ぎ] {{ incident.title }}",
        Lang::En => "[AMS hand-off] {{ incident.title }}",
    }
}

/// In both languages.
pub const DESCRIPTION: &str = "{{ run.note }}\n\nPagerDuty: {{ incident.url }}";

pub const fn follow_up_summary(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "[AMS 恒久対応] {{ scenario.about }}",
        Lang::En => "[AMS follow-up] {{ scenario.about }}",
    }
}

pub const fn follow_up_description(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => {
            "AMSの対応は暫定です。原因の調査と恒久対応をお願いします。\n\n{{ run.note }}\n\nPagerDuty: {{ incident.url }}"
        }
        Lang::En => {
            "What AMS did is a workaround. Please find the cause and remove it.\n\n{{ run.note }}\n\nPagerDuty: {{ incident.url }}"
        }
    }
}

pub const fn mail_subject(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "[AMS 引継ぎ] {{ customer.name }}: {{ incident.title }}",
        Lang::En => "[AMS hand-off] {{ customer.name }}: {{ incident.title }}",
    }
}

pub const fn mail_body(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => {
            "{{ run.note }}\n\nチケット: {{ ticket.shown }}\nPagerDuty: {{ incident.url }}\n\n-- \nこのメールはAMSが自動で送信しました。返信は読まれません。"
        }
        Lang::En => {
            "{{ run.note }}\n\nTicket: {{ ticket.shown }}\nPagerDuty: {{ incident.url }}\n\n-- \nSent by AMS; nobody reads replies."
        }
    }
}

/// Name of the link to a ticket in a message.
pub const fn ticket(lang: Lang) -> &'static str {
    name(lang, ToldWhat::Ticket)
}

impl Style {
    /// What was under way when the last note was written.
    pub fn late_note(&self, story: &Story<'_>) -> String {
        let lines: Vec<String> =
            story.beside.iter().map(|beside| line(self.lang, beside)).collect();
        let note = format!("{}\n{}\n", late_heading(self.lang), lines.join("\n"));
        self.close(&note, story, Kind::Late)
    }
}
