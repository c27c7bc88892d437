//! The fields of the ways to a customer's hosts, and of its accounts.

use crate::schema::{Kind, Mapping, field};

const TEXTS: Kind = Kind::OneOrMany(0, &Kind::Text);

pub static AWS: Mapping = Mapping::of(
    "customer/aws",
    "An AWS account of the customer's, and the role AMS takes on there.",
    &[
        field("account", Kind::Text, "Its twelve digits, in quotes.", "アカウントID")
            .required()
            .example("\"111122223333\""),
        field("role", Kind::Text, "ARN of the role.", "引き受けるロールのARN")
            .required()
            .example("arn:aws:iam::111122223333:role/AmsFirstResponse"),
        field(
            "external_id",
            Kind::Text,
            "Given with every use of the role; the customer's own, and the role cannot be taken on without \
             it.",
            "外部ID（お客様ごとに1つ）",
        )
        .required()
        .example("ams-6f0c2b7e-example-shop"),
        field("regions", TEXTS, "Where its hosts are.", "リージョン")
            .required()
            .example("[ap-northeast-1]"),
        field(
            "session_tags",
            Kind::Bool,
            "Sessions say in tags whose incident they are for (`sts:TagSession`).",
            "セッションにインシデントのタグを付ける",
        )
        .default("true")
        .example("false"),
        field(
            "output",
            Kind::Map(&AWS_OUTPUT),
            "Where agents put all of an output that is longer than SSM hands over.",
            "長い出力の置き場所（S3）",
        )
        .without("24,000 characters are read")
        .example("{bucket: example-shop-ams-output, prefix: ssm}"),
    ],
);

pub static AWS_OUTPUT: Mapping = Mapping::of(
    "customer/aws/output",
    "A bucket of the customer's, in the region of the hosts.",
    &[
        field("bucket", Kind::Text, "Its name.", "バケット名")
            .required()
            .example("example-shop-ams-output"),
        field("prefix", Kind::Text, "Before the names of the objects.", "プレフィックス")
            .without("nothing")
            .example("ssm"),
    ],
);

pub static SSH: Mapping = Mapping::of(
    "customer/ssh",
    "The way to a host by SSH. Only keys, never passwords; only host keys that are given here.",
    &[
        field("user", Kind::Text, "Who AMS is there.", "ログインするユーザー").example("ams"),
        field("port", Kind::Number(1, 65_535), "The server's port.", "ポート")
            .default("22")
            .example("2222"),
        field(
            "identity",
            Kind::Text,
            "File of a private key without a passphrase.",
            "秘密鍵のファイル",
        )
        .example("/etc/ams/keys/example-shop"),
        field(
            "agent",
            Kind::Text,
            "Socket of an agent that holds the key.",
            "鍵を持つエージェントのソケット",
        )
        .example("/run/ams/agent.sock"),
        field("known_hosts", Kind::Text, "File with the host keys.", "ホスト鍵のファイル")
            .example("/etc/ams/known_hosts/example-shop"),
        field(
            "host_keys",
            TEXTS,
            "The host keys, as `ssh-keyscan` prints them.",
            "ホスト鍵（ssh-keyscan の行）",
        )
        .example("[\"10.0.1.25 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA\"]"),
        field(
            "jump",
            TEXTS,
            "Hosts in between, the nearest to AMS first; four at most.",
            "踏み台（AMSに近い順）",
        )
        .example("[\"ams@bastion.example-shop.jp:22\"]"),
        field(
            "device",
            Kind::Bool,
            "A network device: single commands, no shell.",
            "ネットワーク機器（シェルなし）",
        )
        .default("false")
        .example("true"),
    ],
)
.not_both(&[&["identity", "agent"], &["known_hosts", "host_keys"]]);
