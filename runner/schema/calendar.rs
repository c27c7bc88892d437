//! The fields of hours that come again, in customer files.

use crate::schema::{Form, Group, Kind, Mapping, field};

const TIME_OF_DAY: Form = Form {
    words: "time of day",
    pattern: r"^\s*([01]?[0-9]|2[0-4]):[0-5]?[0-9]\s*$",
    scalar: false,
};

const MONTHLY: Form = Form {
    words: "such as `2nd tue`",
    pattern: r"^\s*(1st|2nd|3rd|4th|5th|last)\s+(mon|tue|wed|thu|fri|sat|sun)\s*$",
    scalar: false,
};

const DAY: Kind = Kind::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"]);

const TEXTS: Kind = Kind::OneOrMany(0, &Kind::Text);

pub static CALENDAR: Group = Group {
    name: "customer/calendar",
    fields: &[
        field("days", Kind::OneOrMany(0, &DAY), "Days of the week it begins on.", "始まる曜日")
            .without("every day")
            .example("[sat, sun]"),
        field(
            "monthly",
            Kind::Form(MONTHLY),
            "A day of each month it begins on, in place of `days`.",
            "始まる日（毎月）。daysの代わりに書く",
        )
        .example("2nd tue"),
        field("from", Kind::Form(TIME_OF_DAY), "Its beginning, in the customer's zone.", "開始")
            .required()
            .example("\"22:00\""),
        field(
            "until",
            Kind::Form(TIME_OF_DAY),
            "Its end; earlier than `from` means the next day.",
            "終了（fromより前なら翌日）",
        )
        .required()
        .example("\"06:00\""),
    ],
};

pub static MAINTENANCE: Mapping = Mapping::of(
    "customer/maintenance",
    "A window in which the system is left alone, again and again.",
    &[
        field("reason", Kind::Text, "Why, for the note.", "理由").required().example("定期再起動"),
        field("scenarios", TEXTS, "Only these scenarios.", "これらのシナリオだけ")
            .without("all scenarios")
            .example("[web-service-down]"),
        field("hosts", TEXTS, "Only these hosts, by name.", "これらのホストだけ")
            .without("all hosts")
            .example("[web01]"),
        field("groups", TEXTS, "Only the hosts of these groups.", "これらのグループのホストだけ")
            .without("all hosts")
            .example("[web]"),
    ],
)
.shared(&[&CALENDAR])
.not_both(&[&["days", "monthly"]]);

pub static APPROVAL: Mapping = Mapping::of(
    "customer/approval",
    "When nobody is asked before a recovery.",
    &[field(
        "waived",
        Kind::OneOrMany(0, &Kind::Map(&WAIVED)),
        "Hours in which nobody is asked.",
        "承認を求めない時間帯",
    )
    .example("[{days: [mon], from: \"09:00\", until: \"18:00\"}]")],
);

pub static WAIVED: Mapping = Mapping::of(
    "customer/approval/waived",
    "Hours in which nobody is asked.",
    &[field("scenarios", TEXTS, "Only for these scenarios.", "これらのシナリオだけ")
        .without("all scenarios")
        .example("[web-service-down]")],
)
.shared(&[&CALENDAR])
.not_both(&[&["days", "monthly"]]);
