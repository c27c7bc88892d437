//! The fields of what AWS is asked for; the words themselves are in `scenario/aws_call.rs`.

use crate::schema::{Kind, Mapping, field};

pub static AWS: Mapping = Mapping::of(
    "aws",
    "What AWS is asked for, in an account of the customer's. Each word is one call; its result is JSON.",
    &[
        field("instance", Kind::Template, "How an EC2 instance is.", "EC2インスタンスの状態")
            .example("\"{{ parameters.instance }}\""),
        field("start_instance", Kind::Template, "Starts one; changes.", "起動する（変更）")
            .example("\"{{ parameters.instance }}\""),
        field("stop_instance", Kind::Template, "Stops one; changes.", "停止する（変更）")
            .example("\"{{ parameters.instance }}\""),
        field("reboot_instance", Kind::Template, "Reboots one; changes.", "再起動する（変更）")
            .example("\"{{ parameters.instance }}\""),
        field("volume", Kind::Template, "How an EBS volume is.", "EBSボリュームの状態")
            .example("\"{{ parameters.volume }}\""),
        field(
            "extend_volume",
            Kind::Map(&SIZE),
            "Makes one larger, in GiB; changes.",
            "ボリュームを拡張する（GiB。変更）",
        )
        .example("{id: \"{{ parameters.volume }}\", size: \"{{ steps.volume.wanted }}\"}"),
        field(
            "volume_change",
            Kind::Template,
            "How far the newest change of a volume is; `none` where there was none.",
            "ボリュームの最新の変更の進み具合",
        )
        .example("\"{{ parameters.volume }}\""),
        field("database", Kind::Template, "How an RDS instance is.", "RDSインスタンスの状態")
            .example("\"{{ parameters.database }}\""),
        field(
            "extend_database",
            Kind::Map(&SIZE),
            "Gives one more storage at once, in GiB; changes.",
            "RDSのストレージを拡張する（GiB。変更）",
        )
        .example("{id: \"{{ parameters.database }}\", size: \"{{ steps.database.wanted }}\"}"),
        field(
            "target_health",
            Kind::Template,
            "How the targets of a target group are, by its ARN.",
            "ターゲットグループの各ターゲットの状態",
        )
        .example("\"{{ parameters.target_group }}\""),
        field("add_target", Kind::Map(&TARGET), "Lets a target in; changes.", "ターゲットを加える（変更）")
            .example("{group: \"{{ parameters.target_group }}\", id: \"{{ parameters.instance }}\"}"),
        field(
            "remove_target",
            Kind::Map(&TARGET),
            "Takes a target out; changes.",
            "ターゲットを外す（変更）",
        )
        .example("{group: \"{{ parameters.target_group }}\", id: \"{{ parameters.instance }}\"}"),
        field("scaling_group", Kind::Template, "How a scaling group is.", "Auto Scalingグループの状態")
            .example("\"{{ parameters.scaling_group }}\""),
        field(
            "set_capacity",
            Kind::Map(&CAPACITY),
            "How many instances a scaling group shall have; changes.",
            "Auto Scalingグループの希望台数を決める（変更）",
        )
        .example("{name: \"{{ parameters.scaling_group }}\", size: 4}"),
        field("account", Kind::Template, "One of the customer's accounts.", "お客様のアカウント")
            .without("the target's, else the only one")
            .example("\"111122223333\""),
        field("region", Kind::Template, "One of the account's regions.", "アカウントのリージョン")
            .without("the target's, else the only one")
            .example("ap-northeast-1"),
    ],
)
.one_of(&[
    &["instance"],
    &["start_instance"],
    &["stop_instance"],
    &["reboot_instance"],
    &["volume"],
    &["extend_volume"],
    &["volume_change"],
    &["database"],
    &["extend_database"],
    &["target_health"],
    &["add_target"],
    &["remove_target"],
    &["scaling_group"],
    &["set_capacity"],
]);

pub static SIZE: Mapping = Mapping::of(
    "aws/extend",
    "What is made larger, and how large. AWS makes nothing smaller.",
    &[
        field("id", Kind::Template, "The volume or the database.", "対象のID")
            .required()
            .example("\"{{ parameters.volume }}\""),
        field("size", Kind::Template, "In GiB, a whole number.", "大きさ（GiB、整数）")
            .required()
            .example("\"{{ steps.volume.wanted }}\""),
    ],
);

pub static TARGET: Mapping = Mapping::of(
    "aws/target",
    "A target of a load balancer.",
    &[
        field("group", Kind::Template, "The target group's ARN.", "ターゲットグループのARN")
            .required()
            .example("\"{{ parameters.target_group }}\""),
        field("id", Kind::Template, "An instance or an IP address.", "インスタンスIDかIPアドレス")
            .required()
            .example("\"{{ parameters.instance }}\""),
        field("port", Kind::Template, "Its port.", "ポート").without("the group's").example("8080"),
    ],
);

pub static CAPACITY: Mapping = Mapping::of(
    "aws/capacity",
    "How many instances a scaling group wants. AWS refuses what its bounds do not allow.",
    &[
        field("name", Kind::Template, "The group's name.", "グループ名")
            .required()
            .example("\"{{ parameters.scaling_group }}\""),
        field("size", Kind::Template, "Instances, a whole number.", "台数（整数）")
            .required()
            .example("4"),
    ],
);
