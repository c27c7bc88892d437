//! The fields of a scenario file outside its steps.

use crate::schema::flow::{HAND_OFF_FIELDS, RESOLVED};
use crate::schema::limits::LIMITS;
use crate::schema::{
    ALL_TYPES, ANY_NAME, Field, Form, Kind, MODES, Mapping, NAME, ONLY_TEXT, SCENARIO_ID,
    SOME_TEXT, TYPES, URGENCIES, field,
};

pub static FILE: Mapping = Mapping::of(
    "scenario",
    "One procedure: which incidents it is meant for, what is done, and what people get who take \
     over.",
    &[
        field(
            "scenario",
            Kind::Form(SCENARIO_ID),
            "Its id, unique in the directory: small letters, digits and `-`, beginning with a \
             letter, at most 80.",
            "シナリオのID（英小文字・数字・ハイフン。重複不可）",
        )
        .required()
        .example("web-service-down"),
        field(
            "about",
            Kind::Text,
            "One line for the people who read notes.",
            "ノートに出る一行の説明",
        )
        .required()
        .example("Webサービスの停止を再起動で復旧する"),
        field(
            "mode",
            Kind::Word(&MODES),
            "How far AMS may go by itself; a customer may be stricter, never laxer.",
            "AMSがどこまで自分で行うか（お客様側の指定が厳しければそちら）",
        )
        .default("auto"),
        field(
            "match",
            Kind::Map(&MATCH),
            "Which incidents it is meant for.",
            "どのインシデントのためのシナリオか",
        )
        .required()
        .example("{all: [HTTP, CRITICAL]}"),
        field(
            "parameters",
            Kind::ByName(NAME, &Kind::Either(&[Kind::Word(&ALL_TYPES), Kind::Map(&PARAMETER)])),
            "Values that differ between customers or hosts, by name; used as `parameters.NAME`.",
            "お客様やホストごとに違う値（parameters.名前 で使う）",
        )
        .example("{service: word, limit: {type: number, default: 90}}"),
        field(
            "lookup",
            Kind::ByName(NAME, &Kind::Map(&LOOKUP)),
            "Rows of table parameters, found by a value; used as `lookup.NAME.COLUMN`.",
            "表の行を値で引く（lookup.名前.列 で使う）",
        )
        .example("{app: {in: applications, by: \"{{ capture.rule }}\"}}"),
        field(
            "target",
            Kind::Either(&[Kind::Form(HOST), Kind::Map(&TARGET)]),
            "The host commands run on, found in the customer's inventory by name, alias or \
             address.",
            "命令を実行するホスト（お客様の台帳から名前・別名・アドレスで探す）",
        )
        .without("the machine of AMS")
        .example("\"{{ capture.host }}\""),
        field(
            "when_suspended",
            Kind::Word(&["leave", "wait"]),
            "While the customer has suspended response: leave the incident as it is, or begin when \
             the suspension ends.",
            "対応停止中のとき: そのままにする（leave）／明けてから始める（wait）",
        )
        .default("leave"),
        field(
            "limits",
            Kind::Map(&LIMITS),
            "What limits its recoveries, beside what the configuration and the customer limit.",
            "復旧の制限（設定とお客様の制限に加えて）",
        )
        .without("only what the configuration and the customer limit")
        .example("{budget: {most: 2, within: 24h}, cool_down: 15m}"),
        field(
            "deadline",
            Kind::Duration,
            "From the claim until people must have been told.",
            "開始から、人に渡し終えるまでの期限",
        )
        .default("20m"),
        field(
            "by_hand",
            Kind::Duration,
            "How long people need for it without AMS; `ams report` counts the time saved by it.",
            "人が行う場合の所要時間（ams report の削減時間の計算に使う）",
        )
        .without("`report.by_hand` of the configuration, 15m")
        .example("20m"),
        field(
            "progress",
            Kind::Duration,
            "How often the start note is brought up to date while a run goes on, where there is \
             something new: for procedures that take long. At least 30s; each time is one more \
             write to PagerDuty.",
            "長い手順で、開始のノートを途中経過に書き換える間隔（30秒以上）",
        )
        .without("never")
        .example("5m"),
        field(
            "steps",
            Kind::Steps(&[], 1),
            "What is done, from top to bottom.",
            "上から順に行う手順",
        )
        .required()
        .example("[{check: {http: \"http://127.0.0.1/health\"}}]"),
        field(
            "always",
            Kind::Steps(&["gather", "notify", "recover"], 0),
            "Done at the end, whatever the end is; a recover here must be idempotent.",
            "どう終わっても最後に行う手順",
        )
        .example("[{gather: {run: uptime}}]"),
        field(
            "hand_off",
            Kind::Either(&[Kind::Form(MESSAGE), Kind::Map(&HAND_OFF)]),
            "What people get who take over, for every end that does not say it itself.",
            "人に渡すときの既定の内容",
        )
        .example("{to: network, priority: P2}"),
        field(
            "resolved",
            Kind::Map(&RESOLVED),
            "What is told of a recovery that passed its verify.",
            "復旧できたときに知らせること",
        )
        .example("{stakeholders: サイトは復旧しました}"),
    ],
);

/// The host, where it is written as text alone.
const HOST: Form = Form { words: "text with values", ..ONLY_TEXT };

/// A message that stands for the whole mapping.
pub(super) const MESSAGE: Form = Form { words: "text with values", ..ONLY_TEXT };

pub static MATCH: Mapping = Mapping::of(
    "match",
    "Which incidents a scenario is meant for. At least one keyword under all or any is given.",
    &[
        field("all", KEYWORDS, "Every one of these is in the title.", "すべて含む")
            .example("[disk, full]"),
        field("any", KEYWORDS, "At least one of these is in the title.", "どれか一つ以上を含む")
            .example("[critical, 停止]"),
        field("none", KEYWORDS, "None of these is in the title.", "どれも含まない")
            .example("[test]"),
        field(
            "pattern",
            Kind::Text,
            "A regular expression that must match too; its named groups become `capture.NAME`.",
            "一致も必要な正規表現。名前付きグループは capture.名前 になる",
        )
        .example("'host=(?<host>\\S+)'"),
        field(
            "captures",
            Kind::ByName(ANY_NAME, &Kind::Word(&TYPES)),
            "The type of each named group; what is not of its type does not match.",
            "名前付きグループの型（型に合わないタイトルは一致しない）",
        )
        .without("each is a `word`")
        .example("{host: hostname}"),
        field(
            "priority",
            Kind::Number(i64::MIN, i64::MAX),
            "Among several that match, the highest wins.",
            "複数が一致したときの優先順位（大きいほうが勝つ）",
        )
        .default("0"),
        field(
            "customers",
            KEYWORDS,
            "Only for these customers, by id.",
            "このお客様（ID）のときだけ",
        )
        .without("all customers")
        .example("[example-shop]"),
        field(
            "services",
            KEYWORDS,
            "Only for these PagerDuty services, by id or name.",
            "このPagerDutyサービス（IDか名前）のときだけ",
        )
        .without("all services")
        .example("[shop-production]"),
        field(
            "urgency",
            Kind::Word(&URGENCIES),
            "Only for incidents of this urgency.",
            "この緊急度のときだけ",
        )
        .without("both"),
    ],
)
.any_of(&["all", "any"]);

const KEYWORDS: Kind = Kind::OneOrMany(0, &Kind::Form(SOME_TEXT));

pub(super) const TYPE_FIELD: Field =
    field("type", Kind::Word(&ALL_TYPES), "The type of a single value.", "値の型")
        .example("number");

pub(super) const LIST_FIELD: Field =
    field("list", Kind::Word(&TYPES), "The type of each entry of a list.", "リストの要素の型")
        .example("word");

pub static PARAMETER: Mapping = Mapping::of(
    "parameter",
    "A value that the host, the customer or the default gives. A word alone is its type.",
    &[
        TYPE_FIELD,
        LIST_FIELD,
        field(
            "default",
            Kind::Anything,
            "Taken where neither the host nor the customer gives the value.",
            "ホストにもお客様にもないときの値",
        )
        .without("without a value the run goes to people")
        .example("90"),
        field(
            "about",
            Kind::Text,
            "For the people who fill in the customer's file.",
            "値を書く人への説明",
        )
        .example("使用率の上限"),
    ],
)
.one_of(&[&["type"], &["list"]]);

pub static LOOKUP: Mapping = Mapping::of(
    "lookup",
    "A row of a table parameter.",
    &[
        field(
            "in",
            Kind::Text,
            "The parameter that holds the table; its type is `table`.",
            "表を持つパラメータの名前",
        )
        .required()
        .example("applications"),
        field("by", Kind::Template, "The name of the row.", "行の名前")
            .required()
            .example("\"{{ capture.rule }}\""),
    ],
);

pub static TARGET: Mapping = Mapping::of(
    "target",
    "The host or hosts the steps act on. Text alone is the host.",
    &[
        field(
            "host",
            Kind::OneOrMany(1, &Kind::Either(&[Kind::Template, Kind::Map(&SOURCE)])),
            "Name, alias, address or instance id in the customer's inventory, where it is named: a text, \
             the alerts' details, a look-up in AWS. Of several sources the first that names a host \
             of the customer's is taken; a list value names several hosts.",
            "台帳のホスト名・別名・アドレス・インスタンスID。複数の探し方を書くと、お客様のホストが最初に\
             見つかったものを使う",
        )
        .example("\"{{ capture.host }}\""),
        field(
            "group",
            Kind::Template,
            "All hosts of this group of the customer's.",
            "台帳のグループに属する全ホスト",
        )
        .example("web"),
        field(
            "when_none",
            Kind::Word(&["hand_off", "none"]),
            "What to do when no host is found: give it to people, or go on with what needs none.",
            "ホストが見つからないとき: 人に渡す／ホストの要らない手順だけ続ける",
        )
        .default("hand_off"),
        field(
            "when_several",
            Kind::Word(&["hand_off", "first", "all"]),
            "What to do with more than one host: give it to people, take the first, or keep all \
             for an `each`.",
            "複数ホストのとき: 人に渡す／最初の1台／すべて（each で使う）",
        )
        .default("hand_off"),
    ],
)
.one_of(&[&["host"], &["group"]]);

pub static SOURCE: Mapping = Mapping::of(
    "target/host",
    "A source outside the title: it is asked once, before the first step that needs the host.",
    &[
        field(
            "alert",
            Kind::OneOrMany(1, &Kind::Form(SOME_TEXT)),
            "Keys under which the details of the incident's alerts name the host, wherever they stand; \
             the first key that names a host of the customer's is taken.",
            "アラートの詳細でホストを示す項目名（どの階層でもよい。お客様のホストが最初に見つかった項目を使う）",
        )
        .example("[Event host, host, hostname]"),
        field(
            "look_up",
            Kind::Map(&LOOK_UP),
            "Servers in the customer's AWS accounts that have a tag.",
            "お客様の AWS からタグで探す",
        )
        .example("{tag: Name, is: \"{{ capture.name }}\"}"),
    ],
)
.one_of(&[&["alert"], &["look_up"]]);

pub static LOOK_UP: Mapping = Mapping::of(
    "target/look_up",
    "A look-up by tag: EC2 instances that are not terminated.",
    &[
        field("tag", Kind::Form(SOME_TEXT), "The tag's key.", "タグのキー")
            .required()
            .example("Name"),
        field(
            "is",
            Kind::Template,
            "The tag's whole value; what has `*`, `?` or `\\` in it finds nothing.",
            "タグの値（完全一致。* ? \\ を含む値では何も見つからない）",
        )
        .required()
        .example("\"{{ capture.name }}\""),
    ],
);

pub static HAND_OFF: Mapping =
    Mapping::of("hand_off", "What people get who take over. Text alone is the message.", &[])
        .shared(&[&HAND_OFF_FIELDS]);
