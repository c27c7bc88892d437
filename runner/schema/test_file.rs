//! The fields of a test file.

use crate::schema::{ANY_NAME, Form, Kind, Mapping, ONLY_TEXT, URGENCIES, field};

pub static FILE: Mapping = Mapping::of(
    "test",
    "Tests of the scenario beside it: NAME.test.yaml for NAME.yaml.",
    &[
        field(
            "customer",
            Kind::Text,
            "The customer whose incidents these are; a path from this file.",
            "お客様のファイル（このファイルからのパス）",
        )
        .without("no customer")
        .example("customers/example-shop.yaml"),
        field(
            "vars",
            Kind::ByName(ANY_NAME, &Kind::Text),
            "Values for `vars.NAME`, in place of the configuration's.",
            "vars.名前 の値",
        )
        .example("{logs: /srv/logs}"),
        field(
            "lang",
            Kind::Word(&["ja", "en"]),
            "The language of the notes that the tests look into.",
            "テストで見るノートの言語",
        )
        .default("ja"),
        field("tests", Kind::List(&Kind::Map(&TEST)), "The tests.", "テスト")
            .required()
            .example("[{name: 復旧する, title: HTTP 応答なし web01, expect: {outcome: resolved}}]"),
    ],
);

const TEXTS: Kind = Kind::OneOrMany(0, &Kind::Text);

const LOCAL_TIME: Form = Form {
    words: "point in time",
    pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}([ Tt][0-9]{2}:[0-9]{2}.*)?$",
    ..ONLY_TEXT
};

pub static TEST: Mapping = Mapping::of(
    "test/tests",
    "One incident, and what must come of it.",
    &[
        field("name", Kind::Text, "What it shows.", "テストの名前")
            .required()
            .example("再起動で復旧する"),
        field("title", Kind::Text, "The incident's title.", "インシデントのタイトル")
            .required()
            .example("\"HTTP 応答なし web01\""),
        field(
            "at",
            Kind::Form(LOCAL_TIME),
            "When it begins, in the customer's local time.",
            "開始時刻（お客様の現地時刻）",
        )
        .default("\"2026-01-05 10:00\"")
        .example("\"2026-11-24 03:00\""),
        field("urgency", Kind::Word(&URGENCIES), "The incident's urgency.", "緊急度")
            .default("high"),
        field("service", Kind::Text, "The incident's PagerDuty service.", "PagerDutyサービス")
            .without("the customer's first one")
            .example("shop-production"),
        field(
            "alerts",
            Kind::Anything,
            "What `pagerduty: alerts` gives.",
            "pagerduty: alerts の結果",
        )
        .example("[{summary: x, severity: warning, details: {host: web01}}]"),
        field(
            "look_up",
            Kind::Either(&[Kind::Form(ONLY_TEXT), Kind::List(&Kind::Map(&INSTANCE))]),
            "The servers in the customer's AWS accounts, for a target that is looked up by tag; a text \
             is why AWS gives no answer.",
            "お客様の AWS にあるサーバー（タグで対象を探すとき）。文字列なら、AWS が答えない理由",
        )
        .example("[{instance: i-0a1b2c3d4e5f60718, tags: {Name: web01}}]"),
        field(
            "open_incidents",
            TEXTS,
            "Titles of other open incidents.",
            "ほかの未解決インシデントのタイトル",
        )
        .example("[Host clock not synchronising db02]"),
        field(
            "results",
            Kind::ByName(
                ANY_NAME,
                &Kind::Either(&[Kind::Map(&RESULT), Kind::List(&Kind::Map(&RESULT))]),
            ),
            "What each step sees, by its name or id; a list has one result per look, and the last \
             one repeats.",
            "手順ごとの結果（名前かID。リストなら見るたびに一つずつ）",
        )
        .example("{外から見た応答: [{status: 503}, {status: 200}]}"),
        field(
            "people",
            Kind::List(&Kind::Map(&PERSON)),
            "What people do meanwhile.",
            "その間に人が行うこと",
        )
        .example("[{after: 5m, say: approve}]"),
        field("expect", Kind::Map(&EXPECTED), "What must come of it.", "期待する結果")
            .required()
            .example("{outcome: resolved}"),
    ],
);

pub static INSTANCE: Mapping = Mapping::of(
    "test/look_up",
    "A server in the customer's AWS accounts.",
    &[
        field("instance", Kind::Text, "Its instance id.", "インスタンスID")
            .required()
            .example("i-0a1b2c3d4e5f60718"),
        field("tags", Kind::ByName(ANY_NAME, &Kind::Text), "Its tags.", "タグ")
            .example("{Name: web01}"),
        field("address", Kind::Text, "Its private address.", "プライベートIPアドレス")
            .example("10.0.1.11"),
    ],
);

pub static RESULT: Mapping = Mapping::of(
    "test/results",
    "What one look of a step sees; exit code 0, if nothing is said.",
    &[
        field("exit_code", NUMBER, "A command ended with it.", "終了コード").example("0"),
        field("status", NUMBER, "An HTTP answer has it.", "HTTPステータス").example("503"),
        field(
            "connected",
            Kind::Text,
            "A connection was made, and this was said first.",
            "TCPで接続でき、最初に返った文字列",
        )
        .example("220 mail01 ESMTP"),
        field(
            "no_answer",
            Kind::Word(&["dns", "tls", "refused", "timeout", "unreachable", "reset", "other"]),
            "No answer came, for this reason.",
            "応答がない理由",
        ),
        field("timed_out", Kind::True, "It did not end in time.", "時間内に終わらない")
            .example("true"),
        field("not_started", Kind::Text, "The command could not be started.", "起動できない理由")
            .example("no such program"),
        field("unknown", Kind::Text, "Nobody knows whether it ran.", "実行されたか不明な理由")
            .example("the connection broke"),
        field("output", Kind::Text, "Standard output, or the body.", "標準出力、または本文")
            .example("ok"),
        field("json", Kind::Anything, "The output, as JSON.", "JSONの出力")
            .example("{State: Running}"),
        field("error", Kind::Text, "Standard error.", "標準エラー出力")
            .example("permission denied"),
        field("took", Kind::Duration, "How long it took.", "かかった時間").example("3s"),
    ],
)
.not_both(&[&[
    "exit_code",
    "status",
    "connected",
    "no_answer",
    "timed_out",
    "not_started",
    "unknown",
]]);

const NUMBER: Kind = Kind::Number(i64::MIN, i64::MAX);

pub static PERSON: Mapping = Mapping::of(
    "test/people",
    "What a person does while the run goes on.",
    &[
        field("after", Kind::Duration, "How long after the beginning.", "開始からの時間")
            .required()
            .example("5m"),
        field(
            "say",
            Kind::Word(&["approve", "deny", "stop", "acknowledge"]),
            "What the person does.",
            "行うこと",
        )
        .required()
        .example("approve"),
    ],
);

pub static EXPECTED: Mapping = Mapping::of(
    "test/expect",
    "What must come of it; only what is named is compared.",
    &[
        field(
            "outcome",
            Kind::Word(&[
                "resolved",
                "recovered_itself",
                "handed_off",
                "escalated",
                "stood_down",
                "suspended",
                "shadowed",
                "unmatched",
            ]),
            "How it ends.",
            "終わり方",
        )
        .required()
        .example("resolved"),
        field(
            "path",
            TEXTS,
            "The steps carried out, in order; `NAME (ENTRY)` inside an each.",
            "行われた手順（順に。each の中は「名前 (要素)」）",
        )
        .example("[外から見た応答, 再起動]"),
        field("note", TEXTS, "Texts in the last note.", "最後のノートにある文字列")
            .example("[web01]"),
        field("note_lacks", TEXTS, "Texts that are not in it.", "最後のノートにない文字列")
            .example("[password]"),
        field(
            "stakeholders",
            TEXTS,
            "Texts in what stakeholders are told.",
            "関係者へのステータス更新にある文字列",
        )
        .example("[復旧しました]"),
        field(
            "hand_off",
            Kind::ByName(HAND_OFF_NAMES, &Kind::Text),
            "How it is handed over: `to`, `priority`, `urgency`, `page`.",
            "渡し方（to, priority, urgency, page）",
        )
        .example("{to: network, page: false}"),
        field("took", Kind::Map(&TOOK), "How long the run takes.", "かかった時間")
            .example("{at_most: 5m}"),
        field(
            "given",
            Kind::ByName(ANY_NAME, &Kind::Anything),
            "What steps were given, by step: `on`, `env`, `url`, `body`, `address`, `aws` with its fields.",
            "手順に渡された値（on, env, url, body, address）",
        )
        .example("{再起動: {on: web01, env: {SERVICE: httpd}}}"),
    ],
);

const HAND_OFF_NAMES: Form =
    Form { words: "name", pattern: "^(to|priority|urgency|page)$", scalar: true };

pub static TOOK: Mapping = Mapping::of(
    "test/expect/took",
    "How long the run takes.",
    &[
        field("at_least", Kind::Duration, "At least.", "最短").example("4h"),
        field("at_most", Kind::Duration, "At most.", "最長").example("5h"),
    ],
);
