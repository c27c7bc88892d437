//! The fields of a customer file.

use crate::schema::calendar::{APPROVAL, MAINTENANCE};
use crate::schema::limits::LIMITS;
use crate::schema::packet::{BACKLOG, EMAIL, SLACK};
use crate::schema::ways::{AWS, SSH};
use crate::schema::{ANY_NAME, Form, Kind, MODES, Mapping, field};

pub static FILE: Mapping = Mapping::of(
    "customer",
    "A customer: whose incidents are meant, its hosts, and the values its scenarios need.",
    &[
        field("customer", Kind::Text, "Its id, for match.customers and metrics.", "お客様のID")
            .required()
            .example("example-shop"),
        field("name", Kind::Text, "As people call it.", "お客様の名前")
            .required()
            .example("株式会社サンプル"),
        field("contact", Kind::Text, "Whom to tell and how, in a line.", "連絡先（一行）")
            .example("システム部 03-0000-0000"),
        field(
            "services",
            TEXTS,
            "Its PagerDuty services by id or name; they say whose incident it is.",
            "このお客様のPagerDutyサービス（IDか名前）",
        )
        .without("only `belongs` says so")
        .example("[shop-production]"),
        field(
            "belongs",
            Kind::Map(&BELONGS),
            "Which incidents are its own, where services are shared.",
            "どのインシデントがこのお客様のものか（サービスを共有する場合）",
        )
        .example("{title: {all: [\"[SHOP]\"]}}"),
        field(
            "language",
            Kind::Word(&["ja", "en"]),
            "Of the notes in its incidents.",
            "ノートの言語",
        )
        .without("`lang` of the settings"),
        field(
            "escalation_policy",
            Kind::Text,
            "PagerDuty escalation policy by id, for hand-offs without a destination.",
            "渡し先の指定がない引継ぎに使うエスカレーションポリシーのID",
        )
        .without("the incident's own")
        .example("PSHOPEP"),
        field(
            "escalation",
            Kind::Map(&ESCALATION),
            "Whom to page when the levels of the incident's own policy reach nobody.",
            "インシデントのポリシーで誰も呼び出せないときの呼び出し先",
        )
        .without("only `pagerduty.fallback` of the settings")
        .example("{policy: PSECOND, users: [PABC123]}"),
        field(
            "acknowledge",
            Kind::Word(&["never", "on_start", "where_timeout"]),
            "Whether AMS acknowledges what it works on; `where_timeout` only where the service has an \
             acknowledgement timeout.",
            "対応開始時に acknowledge するか（where_timeout は acknowledge のタイムアウトがあるサービスだけ）",
        )
        .without("`pagerduty.acknowledge` of the settings")
        .example("where_timeout"),
        field(
            "ticket_project",
            Kind::Text,
            "The project of its tickets: `{{ customer.ticket_project }}`.",
            "チケットのプロジェクト",
        )
        .example("SHOP"),
        field("backlog", Kind::Map(&BACKLOG), "Hand-offs become tickets.", "引継ぎのチケット")
            .without("AMS opens no tickets")
            .example("{project: SHOP, issue_type: 障害}"),
        field("slack", Kind::Map(&SLACK), "Hand-offs are told in a channel.", "引継ぎの投稿先")
            .without("nothing is posted")
            .example("{channel: C0123456789}"),
        field("email", Kind::Map(&EMAIL), "Hand-offs are mailed.", "引継ぎのメール")
            .without("no mail is sent")
            .example("{to: [ops@example.com]}"),
        field(
            "time_zone",
            Kind::Text,
            "Its times are told and meant in this zone.",
            "時刻の時間帯",
        )
        .default("UTC")
        .example("Asia/Tokyo"),
        field(
            "parameters",
            PARAMETERS,
            "Values for the parameters of scenarios.",
            "シナリオのパラメータの値",
        )
        .example("{service: httpd, limit: 90}"),
        field("ssh", Kind::Map(&SSH), "How hosts with `reach: ssh` are reached.", "SSHの設定")
            .example("{user: ams, identity: /etc/ams/keys/example-shop, known_hosts: /etc/ams/known_hosts/example-shop}"),
        field(
            "aws",
            Kind::List(&Kind::Map(&AWS)),
            "Its AWS accounts, for hosts with `reach: ssm`.",
            "AWSアカウント",
        )
        .example("[{account: \"111122223333\", role: arn:aws:iam::111122223333:role/AmsFirstResponse, external_id: ams-6f0c2b7e-example-shop, regions: [ap-northeast-1]}]"),
        field("hosts", Kind::List(&Kind::Map(&HOST)), "Its inventory.", "ホストの台帳")
            .example("[{name: web01}]"),
        field(
            "destinations",
            Kind::ByName(ANY_NAME, &Kind::Map(&DESTINATION)),
            "Who gets a hand-off that a scenario sends `to` a name.",
            "hand_off の to で使う渡し先",
        )
        .example("{network: {policy: PNETWRK}}"),
        field(
            "modes",
            Kind::ByName(ANY_NAME, &Kind::Word(&MODES)),
            "How far AMS may go, by scenario id; `default` for all others.",
            "シナリオごとのモード（default はその他すべて）",
        )
        .example("{default: auto, web-service-down: approve}"),
        field(
            "limits",
            Kind::Map(&LIMITS),
            "What limits recoveries, beside what scenarios limit.",
            "復旧の制限（シナリオの制限に加えて）",
        )
        .without("only what the configuration and scenarios limit")
        .example("{budget: {per: customer, most: 20, within: 24h}}"),
        field(
            "mask",
            Kind::Map(&MASK),
            "What else is secret in its runs, beside what looks like a credential.",
            "ほかに隠すもの（認証情報に見えるものはいつも隠す）",
        )
        .example("{patterns: ['会員番号 (?<secret>[0-9]{8})']}"),
        field(
            "suspensions",
            Kind::List(&Kind::Map(&SUSPENSION)),
            "When the customer wants the system left alone.",
            "対応停止の期間",
        )
        .example(
            "[{from: \"2026-12-01 22:00\", until: \"2026-12-02 05:00\", reason: 定期メンテナンス}]",
        ),
        field(
            "maintenance",
            Kind::List(&Kind::Map(&MAINTENANCE)),
            "When the system is left alone again and again.",
            "定期メンテナンスの時間帯",
        )
        .example("[{days: [sun], from: \"02:00\", until: \"05:00\", reason: 定期再起動}]"),
        field(
            "approvers",
            TEXTS,
            "Who may answer `ams approve`: PagerDuty user ids.",
            "「ams approve」に答えられる人（PagerDutyのユーザーID）",
        )
        .without("any person of the account")
        .example("[PABC123]"),
        field("approval", Kind::Map(&APPROVAL), "When nobody is asked.", "承認の例外")
            .example("{waived: [{days: [mon], from: \"09:00\", until: \"18:00\"}]}"),
    ],
);

const TEXTS: Kind = Kind::OneOrMany(0, &Kind::Text);

pub static ESCALATION: Mapping = Mapping::of(
    "customer/escalation",
    "Whom to page when the levels of the incident's own policy reach nobody, in this order. Ids are \
     PagerDuty's.",
    &[
        field("policy", Kind::Text, "Another escalation policy.", "別のエスカレーションポリシー")
            .example("PSECOND"),
        field(
            "users",
            TEXTS,
            "Users, assigned directly: that does not escalate any further.",
            "直接割り当てるユーザー（それ以上エスカレーションされない）",
        )
        .example("[PABC123]"),
        field(
            "responders",
            Kind::Map(&RESPONDERS),
            "Who is asked to join, where the account's plan has responder requests.",
            "レスポンダーとして呼び出す相手（契約プランによる）",
        )
        .example("{users: [PABC123]}"),
    ],
);

pub static RESPONDERS: Mapping = Mapping::of(
    "customer/escalation/responders",
    "Who is asked to join an incident.",
    &[
        field("users", TEXTS, "Users by id.", "ユーザーのID").example("[PABC123]"),
        field("policies", TEXTS, "Escalation policies by id.", "エスカレーションポリシーのID")
            .example("[PSECOND]"),
    ],
);

pub static MASK: Mapping = Mapping::of(
    "customer/mask",
    "What is covered with `****` in notes, bodies of requests, stories and `ams explain`.",
    &[
        field(
            "patterns",
            TEXTS,
            "Regular expressions; with a group `(?<secret>…)` only that is covered.",
            "正規表現（(?<secret>…) があればその部分だけを隠す）",
        )
        .example("['会員番号 (?<secret>[0-9]{8})']"),
        field(
            "values",
            Kind::OneOrMany(
                0,
                &Kind::Form(Form { words: "text", pattern: "^(env|file):.", scalar: true }),
            ),
            "Secrets themselves, as `env:NAME` or `file:PATH`; of eight bytes and more.",
            "秘密の値そのもの（env:NAME か file:PATH。8バイト以上）",
        )
        .example("[\"file:/run/secrets/example-shop\"]"),
    ],
);

pub static BELONGS: Mapping = Mapping::of(
    "customer/belongs",
    "Which incidents are a customer's own. A service decides before a title; a title that is several \
     customers' is nobody's.",
    &[
        field("services", TEXTS, "PagerDuty services by id or name.", "PagerDutyサービス")
            .example("[shop-production]"),
        field(
            "title",
            Kind::Map(&TITLE),
            "Words in titles, for services that customers share.",
            "タイトルの語（サービスを共有する場合）",
        )
        .example("{all: [\"[SHOP]\"]}"),
    ],
);

pub static TITLE: Mapping = Mapping::of(
    "customer/belongs/title",
    "Words of a title, whatever their case and width.",
    &[
        field("all", TEXTS, "All of these are in it.", "すべて含む").example("[\"[SHOP]\"]"),
        field("any", TEXTS, "At least one of these is in it.", "どれか一つを含む")
            .example("[shop, 商店]"),
        field("none", TEXTS, "None of these is in it.", "どれも含まない").example("[test]"),
    ],
)
.any_of(&["all", "any"]);

const PARAMETERS: Kind = Kind::ByName(ANY_NAME, &Kind::Anything);

pub static HOST: Mapping = Mapping::of(
    "customer/hosts",
    "A host of the customer's.",
    &[
        field("name", Kind::Text, "Its name.", "ホスト名").required().example("web01"),
        field("aliases", TEXTS, "Other names it has in titles.", "タイトルに出る別名")
            .example("[web01.example.jp]"),
        field("address", Kind::Text, "Its address.", "アドレス")
            .without("its name")
            .example("10.0.1.11"),
        field("groups", TEXTS, "Groups it belongs to, for target.group.", "属するグループ")
            .example("[web]"),
        field(
            "parameters",
            PARAMETERS,
            "The host's own values; they go before the customer's.",
            "このホストの値（お客様の値より優先）",
        )
        .example("{service: nginx}"),
        field(
            "reach",
            Kind::Word(&["local", "ssh", "ssm"]),
            "How commands get to it; `local` is the machine AMS runs on, `ssm` the agent of AWS Systems \
             Manager.",
            "命令の届け方（local はAMSのいるマシン、ssm はAWS Systems Managerのエージェント）",
        )
        .without("no command reaches it"),
        field(
            "ssh",
            Kind::Map(&SSH),
            "What differs for it from the customer's `ssh`.",
            "このホストだけのSSHの設定",
        )
        .example("{user: ams-ro, device: true}"),
        field(
            "instance",
            Kind::Text,
            "Its id at EC2 or SSM; titles may name it.",
            "インスタンスID",
        )
        .without("`reach: ssm` does not work")
        .example("i-0a1b2c3d4e5f60718"),
        field("account", Kind::Text, "Which of the customer's AWS accounts it is in.", "AWSアカウント")
            .without("the only one")
            .example("\"111122223333\""),
        field("region", Kind::Text, "Which region of the account it is in.", "リージョン")
            .without("the only one")
            .example("ap-northeast-1"),
        field(
            "platform",
            Kind::Word(&["linux", "windows"]),
            "What it runs. Where the agent says something else, nothing is sent.",
            "OSの種類（エージェントの申告と違うときは送らない）",
        )
        .without("what the agent says")
        .example("windows"),
    ],
);

pub static DESTINATION: Mapping = Mapping::of(
    "customer/destinations",
    "Who gets a hand-off.",
    &[
        field(
            "policy",
            Kind::Text,
            "PagerDuty escalation policy by id.",
            "エスカレーションポリシーのID",
        )
        .without("the incident's own")
        .example("PNETWRK"),
        field("contact", Kind::Text, "Whom to call, in a line for the note.", "連絡先（一行）")
            .example("ネットワーク担当 03-0000-0010（24時間）"),
    ],
);

const TIME: Form = Form {
    words: "point in time",
    pattern: r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([ Tt][0-9]{2}:[0-9]{2}.*)?$",
    scalar: false,
};

pub static SUSPENSION: Mapping = Mapping::of(
    "customer/suspensions",
    "The customer asked to leave the system alone.",
    &[
        field(
            "from",
            Kind::Form(TIME),
            "Its beginning, in the customer's zone.",
            "開始（現地時刻）",
        )
        .required()
        .example("\"2026-12-01 22:00\""),
        field("until", Kind::Form(TIME), "Its end.", "終了")
            .required()
            .example("\"2026-12-02 05:00\""),
        field("reason", Kind::Text, "Why, for the note.", "理由")
            .required()
            .example("定期メンテナンス"),
        field("scenario", Kind::Text, "Only this scenario.", "このシナリオだけ")
            .without("all scenarios")
            .example("web-service-down"),
        field("host", Kind::Text, "Only this host, by its name.", "このホストだけ")
            .without("all hosts")
            .example("web01"),
        field("group", Kind::Text, "Only the hosts of this group.", "このグループのホストだけ")
            .without("all hosts")
            .example("web"),
    ],
);
