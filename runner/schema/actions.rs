//! The fields of what a step does, what is read from it and what its result should be.

use crate::schema::aws::AWS;
use crate::schema::scenario::{LIST_FIELD, TYPE_FIELD};
use crate::schema::{ALL_TYPES, ANY_NAME, Form, Group, Kind, Mapping, NAME, SOME_TEXT, field};

pub static ACTION: Group = Group {
    name: "actions",
    fields: &[
        field(
            "run",
            Kind::Form(SOME_TEXT),
            "A script for `/bin/sh`, exactly as written; values reach it through `env`.",
            "/bin/sh のスクリプト（書いたまま実行。値は env で渡す）",
        )
        .example("systemctl is-active httpd"),
        field(
            "powershell",
            Kind::Form(SOME_TEXT),
            "A script for PowerShell, exactly as written.",
            "PowerShell のスクリプト（書いたまま実行）",
        )
        .example("Get-Service Spooler"),
        field(
            "exec",
            Kind::OneOrMany(1, &Kind::Text),
            "A program and its arguments, without a shell and exactly as written.",
            "プログラムと引数（シェルを通さない）",
        )
        .example("[systemctl, is-active, httpd]"),
        field(
            "http",
            Kind::Either(&[Kind::Form(URL), Kind::Map(&HTTP)]),
            "A request from AMS itself: an address for a GET, or fields.",
            "AMS自身からのHTTPリクエスト（URLだけなら GET）",
        )
        .example("\"http://127.0.0.1/health\""),
        field(
            "tcp",
            Kind::Form(ADDRESS),
            "A connection from AMS itself to HOST:PORT; the output is what the other side says \
             first.",
            "AMS自身からのTCP接続（ホスト:ポート）。出力は最初の応答",
        )
        .example("\"{{ target.address }}:25\""),
        field(
            "aws",
            Kind::Map(&AWS),
            "A question to AWS, or a change there, in an account of the customer's.",
            "お客様のAWSアカウントへの問い合わせ・変更",
        )
        .example("{volume: \"{{ parameters.volume }}\"}"),
        field(
            "pagerduty",
            Kind::Either(&[Kind::Word(&["alerts"]), Kind::Map(&PAGERDUTY)]),
            "A question to PagerDuty: the incident's alerts, or other open incidents.",
            "PagerDutyへの問い合わせ（アラート、ほかの未解決インシデント）",
        )
        .example("alerts"),
        field(
            "env",
            Kind::ByName(VARIABLE, &Kind::Template),
            "Environment variables of a command; the one way by which values reach it.",
            "命令の環境変数（値を渡す唯一の方法）",
        )
        .example("{SERVICE: \"{{ parameters.service }}\"}"),
        field(
            "on",
            Kind::Template,
            "The machine a command runs on: a host of the customer's, or `runner` for AMS's own.",
            "命令を実行するホスト（runner はAMS自身）",
        )
        .without("the target; without one, AMS's own machine")
        .example("\"{{ each.host }}\""),
        field(
            "timeout",
            Kind::Duration,
            "Then the command is stopped, or the request dropped.",
            "打ち切るまでの時間",
        )
        .default("1m"),
    ],
};

pub static LOOKS: Group = Group {
    name: "looks",
    fields: &[
        field(
            "tries",
            Kind::Number(1, 1_000),
            "Looks at most, until one is met.",
            "成功するまでの最大回数",
        )
        .without("1; with `within`, as many as fit into it")
        .example("3"),
        field("within", Kind::Duration, "How long to go on looking.", "見続ける時間")
            .without("`verify`: `1m`; others look once")
            .example("2m"),
        field("every", Kind::Duration, "Between two looks.", "見る間隔").default("5s"),
        field(
            "in_a_row",
            Kind::Number(1, 1_000),
            "Looks that must be met one after the other.",
            "続けて成功する必要のある回数",
        )
        .default("1"),
    ],
};

pub static RESULT: Group = Group {
    name: "results",
    fields: &[
        field(
            "values",
            Kind::ByName(VALUE_NAME, &Kind::Either(&[Kind::Word(&ALL_TYPES), Kind::Map(&VALUE)])),
            "What is read from the output, by name; a word alone is the type of the whole output.",
            "出力から読み取る値",
        )
        .example("{used: {pattern: '(\\d+)%', type: number}}"),
        field(
            "expect",
            Kind::Map(&EXPECT),
            "When the result counts as met; everything given must hold.",
            "結果を「よし」とする条件（すべて成り立つこと）",
        )
        .without("exit code 0, or a status from 200 to 299")
        .example("{that: used < 90}"),
    ],
};

const URL: Form = Form {
    words: "text with values",
    pattern: r"^(https?://|\{\{ ?(vars|parameters|lookup|capture|steps)\.)",
    scalar: false,
};

const ADDRESS: Form = Form { words: "text with values", pattern: ":", scalar: false };

/// Names the loader or a shell acts on would let a value become code.
const VARIABLE: Form = Form {
    words: "NAME",
    pattern: "^(?!(LD_|AMS_|BASH_))(?!(PATH|IFS|ENV|SHELL|SHELLOPTS|PS4)$)[A-Z_][A-Z0-9_]*$",
    scalar: true,
};

/// What every step has cannot be read under the same name.
const VALUE_NAME: Form = Form {
    pattern: "^(?!(result|began|exit_code|status|no_answer|output|previous|capture|vars|incident|\
              parameters|lookup|customer|target|steps|each|now)$)[a-z][a-z0-9_]{0,39}$",
    ..NAME
};

pub static HTTP: Mapping = Mapping::of(
    "http",
    "A request. Text alone is the address of a GET.",
    &[
        field(
            "url",
            Kind::Form(URL),
            "Begins with `http://`, `https://` or a value that holds a whole address.",
            "URL（http:// か https:// で始まるか、URLを持つ値）",
        )
        .required()
        .example("\"http://127.0.0.1/health\""),
        field(
            "method",
            Kind::Word(&["GET", "HEAD", "POST", "PUT"]),
            "`POST` and `PUT` stand in recover and notify steps only.",
            "POST と PUT は recover と notify だけ",
        )
        .default("GET"),
        field(
            "headers",
            Kind::ByName(ANY_NAME, &Kind::Template),
            "Headers of the request.",
            "リクエストヘッダー",
        )
        .example("{Content-Type: application/json}"),
        field("body", Kind::Template, "What is sent.", "送る内容")
            .example("'{\"state\": \"drain\"}'"),
    ],
);

pub static PAGERDUTY: Mapping = Mapping::of(
    "pagerduty",
    "A question to PagerDuty. The word alerts asks for the incident's alerts.",
    &[field(
        "open_incidents",
        Kind::OneOrMany(1, &Kind::Text),
        "Other open incidents whose titles have all of these words.",
        "これらの語をすべて含む、ほかの未解決インシデント",
    )
    .required()
    .example("[clock, sync]")],
);

pub static VALUE: Mapping = Mapping::of(
    "values",
    "A value read from the output; from the whole output, if nothing says otherwise.",
    &[
        TYPE_FIELD,
        LIST_FIELD,
        field(
            "pattern",
            Kind::Text,
            "A regular expression: its first group, or the whole match; with `list`, every match.",
            "正規表現（最初のグループ。list なら一致したものすべて）",
        )
        .example("'(\\d+)%'"),
        field(
            "json",
            Kind::Form(Form { words: "text", pattern: "^/", scalar: true }),
            "A JSON pointer into the output; `*` is every entry of a list.",
            "出力のJSONの中の場所（* は全要素）",
        )
        .example("/pools/0/state"),
        field(
            "calc",
            Kind::Expression,
            "Calculated from the values above it and from other values.",
            "ほかの値からの計算",
        )
        .example("min(size * 1.2, parameters.cap)"),
        field(
            "default",
            Kind::Anything,
            "Taken where the output does not have the value.",
            "出力にないときの値",
        )
        .without("the value is missing")
        .example("0"),
    ],
)
.not_both(&[&["type", "list"], &["pattern", "json", "calc"]]);

const RANGE: Kind = Kind::OneOrMany(
    1,
    &Kind::Either(&[
        Kind::Number(0, 65_535),
        Kind::Form(Form {
            words: "range",
            pattern: r"^\s*[0-9]{1,5}\s*\.\.\s*[0-9]{1,5}\s*$",
            scalar: false,
        }),
    ]),
);

const FOUND_TEXT: Form = Form { words: "text", pattern: r"[\s\S]", scalar: true };

pub static EXPECT: Mapping = Mapping::of(
    "expect",
    "When a result counts as met.",
    &[
        field("exit_code", RANGE, "The command ended with it.", "終了コード")
            .default("0")
            .example("[0, 2..4]"),
        field("status", RANGE, "The HTTP answer has it.", "HTTPステータス")
            .default("200..299")
            .example("[200, 301..308]"),
        field(
            "unclear",
            RANGE,
            "Exit codes or statuses that say nothing about what was looked at.",
            "何も言えない終了コード・ステータス",
        )
        .example("[2, 3]"),
        field(
            "contains",
            Kind::Form(FOUND_TEXT),
            "The output has this text, exactly as written.",
            "出力に含まれる文字列",
        )
        .example("active (running)"),
        field(
            "lacks",
            Kind::Form(FOUND_TEXT),
            "The output does not have this text.",
            "出力に含まれない文字列",
        )
        .example("CRITICAL"),
        field(
            "that",
            Kind::OneOrMany(0, &Kind::Expression),
            "Conditions; the step's own values stand there by their bare names.",
            "条件（この手順の値は名前だけで書ける）",
        )
        .example("[used < 90, workers > 0]"),
    ],
);
