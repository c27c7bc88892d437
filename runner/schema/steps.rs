//! The fields of steps that do something, and of every step.

use crate::schema::actions::{ACTION, LOOKS, RESULT};
use crate::schema::flow::{APPROVE, BRANCH, EACH, HAND_OFF_STEP, LADDER, PARALLEL, RESOLVE, WAIT};
use crate::schema::scenario::MESSAGE;
use crate::schema::{Field, Group, Kind, Mapping, NAME, URGENCIES, field};

pub static STEP: Mapping = Mapping::of(
    "step",
    "One step: a word, and its fields below it.",
    &[
        field("check", Kind::Map(&CHECK), "Is it really broken?", "本当に壊れているか確かめる"),
        field("gather", Kind::Map(&GATHER), "Collects facts.", "事実を集める（判断はしない）"),
        field("recover", Kind::Map(&RECOVER), "Changes something.", "復旧操作を行う"),
        field("verify", Kind::Map(&VERIFY), "Did it help?", "復旧したか確かめる"),
        field(
            "notify",
            Kind::Map(&NOTIFY),
            "Tells a system outside: a ticket, a chat message.",
            "チケットやチャットなど外のしくみに知らせる",
        ),
        field("wait", Kind::Map(&WAIT), "Lets time pass.", "待つ"),
        field("approve", Kind::Map(&APPROVE), "Asks people for permission.", "人の承認を得る"),
        field(
            "branch",
            Kind::Either(&[Kind::List(&Kind::Map(&super::flow::CASE)), Kind::Map(&BRANCH)]),
            "Goes the first way whose condition holds.",
            "最初に成り立つ条件の手順へ進む",
        ),
        field(
            "parallel",
            Kind::Either(&[Kind::Steps(&["check", "gather"], 0), Kind::Map(&PARALLEL)]),
            "Checks and gathers side by side.",
            "確認と収集を同時に行う",
        ),
        field(
            "each",
            Kind::Map(&EACH),
            "The same steps for each entry of a list.",
            "リストの要素ごとに同じ手順を行う",
        ),
        field(
            "ladder",
            Kind::Map(&LADDER),
            "Ways to recover, from the gentlest up.",
            "軽い復旧から順に試す",
        ),
        field(
            "resolve",
            Kind::Either(&[Kind::Form(MESSAGE), Kind::Map(&RESOLVE)]),
            "Ends the run well.",
            "解決して終わる",
        ),
        field(
            "hand_off",
            Kind::Either(&[Kind::Form(MESSAGE), Kind::Map(&HAND_OFF_STEP)]),
            "Ends the run with people.",
            "人に渡して終わる",
        ),
    ],
);

pub static EVERY_STEP: Group = Group {
    name: "every step",
    fields: &[
        field(
            "name",
            Kind::Text,
            "What the step does, for notes and tests.",
            "手順の名前（ノートとテストに出る）",
        )
        .without("the step's word")
        .example("外から見た応答"),
        field(
            "id",
            Kind::Form(NAME),
            "What other steps refer to it by: `steps.ID.NAME`.",
            "ほかの手順から参照するためのID（steps.ID.名前）",
        )
        .example("disk"),
        field(
            "when",
            Kind::Expression,
            "The step is left out where this does not hold.",
            "これが成り立たなければ飛ばす",
        )
        .without("always")
        .example("steps.disk.used > 90"),
    ],
};

const THEN: Kind = Kind::Word(&["continue", "hand_off"]);

const EFFECT: Field = field(
    "effect",
    Kind::Word(&["once", "idempotent"]),
    "`once`: never repeated blindly; `idempotent`: doing it twice is the same as doing it once.",
    "once: 二度行わない／idempotent: 二度行っても同じ",
)
.default("once");

pub static CHECK: Mapping = Mapping::of(
    "steps/check",
    "Is it really broken? expect describes the healthy state.",
    &[
        field(
            "when_healthy",
            Kind::Word(&["resolve", "hand_off", "continue"]),
            "What to do where it is well.",
            "正常なとき",
        )
        .default("continue"),
        field("when_broken", THEN, "What to do where it is not.", "異常なとき").default("continue"),
        field(
            "when_unclear",
            THEN,
            "What to do where it could not be found out.",
            "分からないとき",
        )
        .default("hand_off"),
        IF_BROKEN,
    ],
)
.shared(PROBE)
.one_of(ACTIONS)
.needs(FOR_COMMANDS);

const IF_BROKEN: Field = field(
    "if_broken",
    Kind::Map(&SEVERITY),
    "What the incident becomes when this finds it broken. It goes along with the next write to \
     PagerDuty; of several findings the last one in the file holds.",
    "異常だったときにインシデントの優先度・緊急度をどうするか",
)
.without("left as it is")
.example("{priority: P1}");

pub static SEVERITY: Mapping = Mapping::of(
    "severity",
    "How bad it is, in PagerDuty's words.",
    &[
        field("priority", Kind::Text, "PagerDuty's priority by name.", "PagerDutyの優先度の名前")
            .without("left as it is")
            .example("P1"),
        field(
            "urgency",
            Kind::Word(&URGENCIES),
            "PagerDuty's urgency, at once; `high` notifies whoever is assigned.",
            "PagerDutyの緊急度。`high` にすると担当者に通知が届く",
        )
        .without("left as it is"),
    ],
);

pub static GATHER: Mapping =
    Mapping::of("steps/gather", "Collects facts; its result decides nothing.", &[])
        .shared(PROBE)
        .one_of(ACTIONS)
        .needs(FOR_COMMANDS);

pub static RECOVER: Mapping = Mapping::of(
    "steps/recover",
    "Changes something. A verify must follow.",
    &[
        EFFECT,
        field("when_failed", THEN, "What to do where it failed.", "失敗したとき")
            .default("hand_off"),
        field(
            "when_unclear",
            THEN,
            "What to do where nobody can say how it went, such as a command that did not end.",
            "どうなったか分からないとき（終わらない命令など）",
        )
        .default("hand_off"),
    ],
)
.shared(PROBE)
.one_of(ACTIONS)
.needs(FOR_COMMANDS);

pub static VERIFY: Mapping = Mapping::of(
    "steps/verify",
    "Did it help? Looks again and again until it passes or its time is over.",
    &[
        field(
            "when_broken",
            THEN,
            "What to do where it did not help; in a ladder the next rung comes first.",
            "復旧していないとき",
        )
        .default("hand_off"),
        IF_BROKEN,
    ],
)
.shared(PROBE)
.one_of(ACTIONS)
.needs(FOR_COMMANDS);

pub static NOTIFY: Mapping =
    Mapping::of("steps/notify", "Tells a system outside. Its failure stops nothing.", &[EFFECT])
        .shared(PROBE)
        .one_of(ACTIONS)
        .needs(FOR_COMMANDS);

const PROBE: &[&Group] = &[&EVERY_STEP, &ACTION, &LOOKS, &RESULT];

const ACTIONS: &[&[&str]] =
    &[&["run"], &["powershell"], &["exec"], &["http"], &["tcp"], &["aws"], &["pagerduty"]];

const COMMANDS: &[&str] = &["run", "powershell", "exec"];

const FOR_COMMANDS: &[(&str, &[&str])] = &[("env", COMMANDS), ("on", COMMANDS)];
