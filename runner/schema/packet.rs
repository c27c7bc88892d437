//! The fields of a customer file that say where hand-offs are told beside PagerDuty.

use crate::schema::{Form, Kind, Mapping, field};

pub static BACKLOG: Mapping = Mapping::of(
    "customer/backlog",
    "Tickets in Nulab's Backlog, for hand-offs and for what workarounds leave to do.",
    &[
        field(
            "project",
            Kind::Form(Form { words: "key of a project", pattern: "^[A-Z0-9_]{1,25}$", scalar: true }),
            "The project's key: what stands before the `-` in its issues.",
            "プロジェクトキー",
        )
        .required()
        .example("SHOP"),
        field(
            "append",
            Kind::Word(&["incident", "scenario", "never"]),
            "On which open ticket a hand-off is told, in place of a new one: the incident's own, the \
             scenario's, or none.",
            "追記するチケット（同じインシデント、同じシナリオ、追記しない）",
        )
        .default("incident"),
        field("issue_type", Kind::Text, "Of its tickets, by name.", "種別の名前")
            .without("the project's first")
            .example("障害"),
        field("priority", Kind::Text, "Of its tickets, by name.", "優先度の名前")
            .without("the middle one")
            .example("高"),
        field("follow_up_type", Kind::Text, "Of follow-up tickets, by name.", "恒久対応の種別の名前")
            .without("`issue_type`")
            .example("課題"),
        field("summary", Kind::Template, "Its first line.", "件名")
            .without("the product's own words")
            .example("\"{{ customer.name }}: {{ incident.title }}\""),
        field("description", Kind::Template, "Its text, also as a comment.", "詳細（追記にも使う）")
            .without("what the last note says")
            .example("\"{{ run.note }}\""),
        field("follow_up_summary", Kind::Template, "A follow-up ticket's first line.", "恒久対応の件名")
            .without("the product's own words")
            .example("\"{{ customer.name }}: {{ scenario.about }}\""),
        field(
            "follow_up_description",
            Kind::Template,
            "A follow-up ticket's text, also as a comment.",
            "恒久対応の詳細（追記にも使う）",
        )
        .without("the product's own words")
        .example("\"{{ run.note }}\""),
    ],
);

pub static SLACK: Mapping = Mapping::of(
    "customer/slack",
    "Messages in Slack, an incident's in one thread.",
    &[
        field(
            "channel",
            Kind::Form(Form {
                words: "id of a channel",
                pattern: "^[CG][A-Z0-9]{8,}$",
                scalar: true,
            }),
            "The channel's id. AMS's bot must be in it.",
            "チャンネルのID",
        )
        .required()
        .example("C0123456789"),
        field("text", Kind::Template, "The message, in Slack's own marks.", "本文（Slackの記法）")
            .without("the product's own message")
            .example("\"<!here> {{ run.headline }} {{ incident.title }}\""),
    ],
);

pub static EMAIL: Mapping = Mapping::of(
    "customer/email",
    "Mails, an incident's in one thread.",
    &[
        field(
            "to",
            Kind::OneOrMany(
                1,
                &Kind::Form(Form {
                    words: "mail address",
                    pattern: "^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+$",
                    scalar: true,
                }),
            ),
            "Addresses, without names; at most 20.",
            "宛先（名前を付けない。20件まで）",
        )
        .required()
        .example("[ops@example.com]"),
        field("subject", Kind::Template, "The mail's subject.", "件名")
            .without("the product's own words")
            .example("\"[AMS] {{ incident.title }}\""),
        field("body", Kind::Template, "The mail's text.", "本文")
            .without("what the last note says")
            .example("\"{{ run.note }}\""),
    ],
);
