//! The fields of steps that decide, hold other steps, wait or end the run.

use crate::schema::steps::EVERY_STEP;
use crate::schema::{Field, Form, Group, Kind, Mapping, NAME, URGENCIES, field};

pub static WAIT: Mapping = Mapping::of(
    "steps/wait",
    "Lets time pass.",
    &[
        field("for", Kind::Duration, "So long.", "待つ時間").example("30s"),
        field(
            "until",
            Kind::Form(TIME),
            "Until it is this time of day for the customer.",
            "この時刻（お客様の現地時刻）まで",
        )
        .example("\"09:00\""),
        field(
            "days",
            Kind::OneOrMany(0, &Kind::Word(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"])),
            "With `until`: only on these days.",
            "until の曜日",
        )
        .without("every day")
        .example("[mon, tue]"),
    ],
)
.shared(&[&EVERY_STEP])
.one_of(&[&["for"], &["until"]]);

const TIME: Form =
    Form { words: "time of day", pattern: "^([01]?[0-9]|2[0-3]):[0-5]?[0-9]$", scalar: false };

const THEN: Kind = Kind::Word(&["continue", "hand_off"]);

pub static APPROVE: Mapping = Mapping::of(
    "steps/approve",
    "Asks people for permission and waits for the answer.",
    &[
        field("ask", Kind::Template, "The question.", "尋ねる文")
            .required()
            .example("\"{{ target.host }} を再起動してよいですか\""),
        field("within", Kind::Duration, "How long people have to answer.", "返事を待つ時間")
            .default("30m"),
        field(
            "when_not_approved",
            THEN,
            "What to do when people say no, or nobody answers in time.",
            "承認されない・返事がないとき",
        )
        .default("hand_off"),
    ],
)
.shared(&[&EVERY_STEP]);

pub static BRANCH: Mapping = Mapping::of(
    "steps/branch",
    "Goes the first way whose condition holds. A list alone is its cases.",
    &[field("cases", CASES, "The ways, from top to bottom; `otherwise` last.", "場合分け")
        .required()
        .example("[{when: steps.disk.used > 90, steps: []}, {otherwise: continue}]")],
)
.shared(&[&EVERY_STEP]);

const CASES: Kind = Kind::List(&Kind::Map(&CASE));

pub static CASE: Mapping = Mapping::of(
    "steps/branch/case",
    "One way of a branch: a condition with its steps, or otherwise.",
    &[
        field("when", Kind::Expression, "The condition.", "条件").example("steps.disk.used > 90"),
        field("steps", Kind::Steps(&[], 0), "What is done where it holds.", "成り立つときの手順")
            .example("[{gather: {run: uptime}}]"),
        field(
            "otherwise",
            Kind::Either(&[Kind::Word(&["continue"]), Kind::Steps(&[], 0)]),
            "What is done where no condition holds: steps, or `continue` for nothing. The last \
             case, and every branch has it.",
            "どれも成り立たないとき（手順か continue。必須）",
        )
        .example("continue"),
    ],
)
.one_of(&[&["when", "steps"], &["otherwise"]]);

pub static PARALLEL: Mapping = Mapping::of(
    "steps/parallel",
    "Checks and gathers side by side. A list alone is its steps.",
    &[field("steps", Kind::Steps(&["check", "gather"], 0), "Checks and gathers.", "確認と収集")
        .required()
        .example("[{gather: {run: uptime}}]")],
)
.shared(&[&EVERY_STEP]);

pub static EACH: Mapping = Mapping::of(
    "steps/each",
    "The same steps for each entry of a list.",
    &[
        field(
            "item",
            Kind::Form(NAME),
            "What an entry is called: `each.ITEM`.",
            "要素の呼び名（each.名前）",
        )
        .required()
        .example("host"),
        field("of", Kind::Expression, "The list.", "対象のリスト")
            .required()
            .example("target.hosts"),
        field(
            "at_once",
            Kind::Number(1, 1_000),
            "Entries worked on side by side.",
            "同時に進める数",
        )
        .default("1"),
        field(
            "at_most",
            Kind::Number(1, 1_000),
            "With more entries than this, nothing is touched and people are told.",
            "これより多ければ何もせず人に渡す",
        )
        .default("20"),
        STEPS,
    ],
)
.shared(&[&EVERY_STEP]);

const STEPS: Field = field("steps", Kind::Steps(&[], 0), "What is done.", "行う手順")
    .required()
    .example("[{gather: {run: uptime}}]");

const MOST_TRIES: i64 = 10;

pub static LADDER: Mapping = Mapping::of(
    "steps/ladder",
    "Ways to recover, from the gentlest up; the next one is tried when one did not help.",
    &[
        field("rungs", Kind::List(&Kind::Map(&RUNG)), "From the gentlest up.", "軽いものから順に")
            .required()
            .example("[{name: 再起動, steps: [{gather: {run: uptime}}]}]"),
        field(
            "tries",
            Kind::Number(1, MOST_TRIES),
            "Tries of all rungs together.",
            "全体の試行回数",
        )
        .without("every rung as often as it says")
        .example("3"),
    ],
)
.shared(&[&EVERY_STEP]);

pub static RUNG: Mapping = Mapping::of(
    "steps/ladder/rung",
    "One way to recover; a verify in it says whether it helped.",
    &[
        field("name", Kind::Text, "What it does, for people.", "この段の名前")
            .required()
            .example("再起動"),
        field("tries", Kind::Number(1, MOST_TRIES), "How often it is tried.", "試す回数")
            .default("1"),
        STEPS,
    ],
);

pub static RESOLVE: Mapping = Mapping::of(
    "steps/resolve",
    "Ends the run well. Text alone is the message.",
    &[
        field("message", Kind::Template, "Why it is well.", "解決とした理由")
            .example("再起動で応答が戻りました"),
        field(
            "ticket",
            Kind::Word(&["follow_up", "none"]),
            "`follow_up`: a ticket for what a workaround leaves to do, where the customer has `backlog`.",
            "follow_up なら、暫定対応の後に残る恒久対応のチケットを起票する",
        )
        .default("none"),
        STAKEHOLDERS,
    ],
)
.shared(&[&EVERY_STEP]);

/// One that needs a value that is not there is not sent.
const STAKEHOLDERS: Field = field(
    "stakeholders",
    Kind::Template,
    "A status update of PagerDuty's, to those who follow the incident without working on it.",
    "関係者へのステータス更新（対応者以外でインシデントを見ている人に届く）",
)
.without("they are told nothing")
.example("\"{{ customer.name }} 様のサイト停止は担当者が対応しています\"");

pub static HAND_OFF_STEP: Mapping =
    Mapping::of("steps/hand_off", "Ends the run with people. Text alone is the message.", &[])
        .shared(&[&HAND_OFF_FIELDS, &EVERY_STEP]);

pub static HAND_OFF_FIELDS: Group = Group {
    name: "hand_off",
    fields: &[
        field("message", Kind::Template, "Why, in your words.", "渡す理由")
            .example("データベースの復旧が必要です"),
        field(
            "manual",
            Kind::Template,
            "The procedure by hand, as you would tell a colleague.",
            "手作業の手順",
        )
        .example("1. df -h で空き容量を確認する"),
        field(
            "to",
            Kind::Template,
            "A destination of the customer's, by its name there.",
            "渡す先（お客様のファイルの destinations の名前）",
        )
        .without("the incident's own escalation policy")
        .example("network"),
        field(
            "priority",
            Kind::Text,
            "PagerDuty's priority by name, set at the hand-off.",
            "PagerDutyの優先度の名前",
        )
        .without("left as it is")
        .example("P2"),
        field(
            "urgency",
            Kind::Word(&URGENCIES),
            "PagerDuty's urgency. `low` wakes nobody, unless `page: true` says so.",
            "PagerDutyの緊急度。`low` は `page: true` がなければ誰も起こさない",
        )
        .without("left as it is"),
        field(
            "page",
            Kind::Bool,
            "`false` pages nobody: the incident stays where it is, with a note.",
            "false なら呼び出さず、ノートだけを残す",
        )
        .default("true"),
        field(
            "ticket",
            Kind::Word(&["usual", "follow_up", "none"]),
            "`follow_up`: a second ticket for what is left to do later; `none`: no ticket, where \
             this end was meant.",
            "follow_up なら恒久対応のチケットも起票する。none なら起票しない",
        )
        .default("usual"),
        STAKEHOLDERS,
    ],
};

pub static RESOLVED: Mapping = Mapping::of(
    "resolved",
    "What is told of a recovery that passed its verify, beside the note.",
    &[STAKEHOLDERS.required()],
);
