//! What limits recoveries; the same fields for a customer and for a scenario.

use crate::schema::{Kind, Mapping, field};

pub static LIMITS: Mapping = Mapping::of(
    "limits",
    "What limits recoveries. All limits hold together: those of the configuration, of the customer and \
     of the scenario.",
    &[
        field(
            "budget",
            Kind::OneOrMany(0, &Kind::Map(&BUDGET)),
            "So many recoveries in so much time.",
            "一定時間あたりの復旧の回数",
        )
        .example("{per: target, most: 3, within: 2h}"),
        field(
            "cool_down",
            Kind::Duration,
            "Between two recoveries by one scenario on one target; 72h at most.",
            "同じシナリオ・同じ対象で次の復旧まで空ける時間（最長72時間）",
        )
        .without("no rest")
        .example("15m"),
        field(
            "breaker",
            Kind::OneOrMany(0, &Kind::Map(&BREAKER)),
            "No more of what has not helped several times in a row. A recovery that is verified ends \
             the row.",
            "続けて効かなかった復旧をしばらく止める（確認できた復旧で戻る）",
        )
        .example("{failures: 2, for: 6h}"),
        field(
            "one_at_a_time",
            Kind::OneOrMany(0, &Kind::Text),
            "`target`: one recovery at a time on each target. Any other word is a group of hosts that \
             are recovered one at a time, by whatever scenario.",
            "同時に一つだけ復旧するもの（target は対象ごと、その他はホストのグループ名）",
        )
        .example("[target, web]"),
        field(
            "when_busy",
            Kind::Word(&["wait", "hand_off"]),
            "While another recovery has its turn.",
            "ほかの復旧が行われている間: 待つ（wait）／人に渡す（hand_off）",
        )
        .default("wait"),
        field(
            "storm",
            Kind::OneOrMany(0, &Kind::Map(&STORM)),
            "When too many runs come to a recovery at once, facts are gathered only, and people are \
             told once.",
            "一度に多すぎるときは情報収集だけにして、人には一度だけ知らせる",
        )
        .example("{most: 10, within: 5m, quiet: 10m}"),
    ],
);

pub static BUDGET: Mapping = Mapping::of(
    "limits/budget",
    "So many recoveries in so much time. One run is one recovery of a target, however often it tries.",
    &[
        field(
            "per",
            Kind::Word(&["target", "scenario", "customer"]),
            "What is counted together, within a customer. In a scenario, `target` counts what this \
             scenario does there; elsewhere, what all do.",
            "何ごとに数えるか（シナリオの中の target はそのシナリオの分だけ）",
        )
        .default("target"),
        field("most", Kind::Number(1, 10_000), "How many are let pass.", "上限の回数")
            .required()
            .example("3"),
        field(
            "within",
            Kind::Duration,
            "In any time of this length; 72h at most.",
            "どの時間の幅で数えるか（最長72時間）",
        )
        .required()
        .example("2h"),
    ],
);

pub static BREAKER: Mapping = Mapping::of(
    "limits/breaker",
    "No more of what has not helped.",
    &[
        field(
            "per",
            Kind::Word(&["target", "group", "scenario"]),
            "Which recoveries by a scenario stand in one row: on the same target, on any host of a \
             group of the target's, or all.",
            "どの復旧を続きとみなすか",
        )
        .default("target"),
        field(
            "failures",
            Kind::Number(1, 10_000),
            "After so many in a row that did not end verified.",
            "続けて効かなかった回数",
        )
        .required()
        .example("2"),
        field("for", Kind::Duration, "None for so long after the last; 72h at most.", "止める時間")
            .required()
            .example("6h"),
        field(
            "within",
            Kind::Duration,
            "How far back it looks; 72h at most.",
            "どこまでさかのぼるか（最長72時間）",
        )
        .default("72h"),
    ],
);

pub static STORM: Mapping = Mapping::of(
    "limits/storm",
    "Too many at once.",
    &[
        field(
            "per",
            Kind::Word(&["customer", "scenario"]),
            "Runs of a customer, or those of one scenario for a customer.",
            "お客様ごとか、お客様のシナリオごとか",
        )
        .default("customer"),
        field("most", Kind::Number(1, 100), "How many runs may come.", "上限の件数")
            .required()
            .example("10"),
        field("within", Kind::Duration, "In this time; 1h at most.", "この時間の間に（最長1時間）")
            .required()
            .example("5m"),
        field(
            "quiet",
            Kind::Duration,
            "It is over when no further run has come for so long, and for `within` at least.",
            "これだけの間、新しいものが来なければ終わり",
        )
        .required()
        .example("10m"),
    ],
);
