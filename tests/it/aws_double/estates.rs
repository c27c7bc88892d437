//! Instances, volumes, databases, target groups, scaling groups: looked at and changed.

use super::signed::{Client, texts};
use super::*;
use crate::aws::Fault;

const VOLUME: &str = "vol-0123456789abcdef0";
const HOUR: Duration = Duration::from_hours(1);

fn client(site: &Site) -> Client {
    Client::new(&site.aws, site.account.keys())
}

/// The texts of these elements, of an answer that is good.
async fn read(
    client: &Client,
    (service, action): (&str, &str),
    form: &[(&str, &str)],
    names: &[&str],
) -> Vec<String> {
    let (status, told) = client.ask(service, action, form).await;
    assert_eq!(status, 200, "{told}");
    names.iter().map(|name| texts(&told, name).join(",")).collect()
}

async fn refused(
    client: &Client,
    (service, action): (&str, &str),
    form: &[(&str, &str)],
) -> (u16, String) {
    let (status, told) = client.ask(service, action, form).await;
    (status, texts(&told, "Code").join(","))
}

fn says(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

#[tokio::test]
async fn instances_are_found_by_what_they_are() {
    let site = Site::new().await;
    site.host.tag("Name", "web-1").tag("Role", "web <b>");
    site.account.host(TOKYO, "i-0123456789abcdef1").stopped().tag("Name", "web-2");
    site.account.host(TOKYO, "i-0123456789abcdef2").impaired();
    site.account.host(OSAKA, "i-0123456789abcdef3");
    site.account.host(TOKYO, "mi-0123456789abcdef0");
    let client = client(&site);
    let find = async |form: &[(&str, &str)]| {
        let names = ["instanceId", "name"];
        read(&client, ("ec2", "DescribeInstances"), form, &names).await
    };
    let all = find(&[]).await;
    assert_eq!(all[0], format!("{WEB},i-0123456789abcdef1,i-0123456789abcdef2"));
    assert_eq!(all[1], "running,stopped,running");
    let name = |value| [("Filter.1.Name", "tag:Name"), ("Filter.1.Value.1", value)];
    assert_eq!(find(&name("web-?")).await[0], format!("{WEB},i-0123456789abcdef1"));
    assert_eq!(find(&name("*-2")).await[0], "i-0123456789abcdef1");
    assert_eq!(find(&name("db-1")).await[0], "");
    let running = [("Filter.2.Name", "instance-state-name"), ("Filter.2.Value.1", "running")];
    let both = [name("web-*"), running].concat();
    assert_eq!(find(&both).await[0], WEB);
    let role = [("Filter.1.Name", "tag-key"), ("Filter.1.Value.1", "Role")];
    let tags = read(&client, ("ec2", "DescribeInstances"), &role, &["value"]).await;
    assert_eq!(tags, ["web-1,web <b>"]);
    let colour = [("Filter.1.Name", "colour"), ("Filter.1.Value.1", "blue")];
    let describe = ("ec2", "DescribeInstances");
    assert_eq!(refused(&client, describe, &colour).await, says(400, "InvalidParameterValue"));
    let first = find(&[("MaxResults", "2")]).await;
    assert_eq!(first[0], format!("{WEB},i-0123456789abcdef1"));
    let rest = find(&[("NextToken", "i-0123456789abcdef1")]).await;
    assert_eq!(rest[0], "i-0123456789abcdef2");
    let status = ("ec2", "DescribeInstanceStatus");
    assert_eq!(
        read(&client, status, &[("IncludeAllInstances", "true")], &["name", "status"]).await,
        ["running,stopped,running", "ok,ok,not-applicable,not-applicable,impaired,impaired"]
    );
    let running = format!("{WEB},i-0123456789abcdef2");
    assert_eq!(read(&client, status, &[], &["instanceId"]).await, [running]);
}

#[tokio::test]
async fn instances_stop_and_start_with_their_agents() {
    let site = Site::new().await;
    let client = client(&site);
    let one = [("InstanceId.1", WEB)];
    let states = async |action: &str| read(&client, ("ec2", action), &one, &["name"]).await;
    assert_eq!(states("StopInstances").await, ["stopping,running"]);
    assert_eq!(states("DescribeInstances").await, ["stopped"]);
    assert!(site.host.is_gone());
    site.aws.changes_take(HOUR);
    assert_eq!(states("StartInstances").await, ["pending,stopped"]);
    assert_eq!(states("DescribeInstances").await, ["pending"]);
    let stop = ("ec2", "StopInstances");
    assert_eq!(refused(&client, stop, &one).await, says(400, "IncorrectInstanceState"));
    assert!(site.host.is_gone());
    site.aws.changes_are_over();
    assert_eq!(states("DescribeInstances").await, ["running"]);
    site.aws.changes_take(ms(0));
    let other = site.account.host(TOKYO, "i-0123456789abcdef1");
    other.stopped();
    let start = ("ec2", "StartInstances");
    read(&client, start, &[("InstanceId.1", other.id())], &[]).await;
    wait::until("its agent", || !other.is_gone()).await;
    assert_eq!(read(&client, ("ec2", "RebootInstances"), &one, &["return"]).await, ["true"]);
    assert_eq!((site.host.reboots(), other.reboots()), (1, 0));
    let unknown = [("InstanceId.1", "i-0123456789abcdef9")];
    assert_eq!(refused(&client, start, &unknown).await, says(400, "InvalidInstanceID.NotFound"));
    let odd = [("InstanceId.1", "web-1")];
    assert_eq!(refused(&client, start, &odd).await, says(400, "InvalidInstanceID.Malformed"));
    let dry = [("InstanceId.1", WEB), ("DryRun", "true")];
    assert_eq!(refused(&client, stop, &dry).await, says(412, "DryRunOperation"));
}

#[tokio::test]
async fn volumes_grow_step_by_step() {
    let site = Site::new().await;
    let volume = site.account.volume(TOKYO, VOLUME, 100);
    volume.attached_to(WEB);
    site.aws.changes_take(HOUR);
    let client = client(&site);
    let one = [("VolumeId.1", VOLUME)];
    let look = async |names: &[&str]| read(&client, ("ec2", "DescribeVolumes"), &one, names).await;
    assert_eq!(look(&["size", "instanceId", "volumeType"]).await, ["100", WEB, "gp3"]);
    let changes = ("ec2", "DescribeVolumesModifications");
    assert_eq!(read(&client, changes, &one, &["volumeId"]).await, [""]);
    let modify = ("ec2", "ModifyVolume");
    let to = |size| [("VolumeId", VOLUME), ("Size", size)];
    assert_eq!(refused(&client, modify, &to("50")).await, says(400, "InvalidParameterValue"));
    let begun = read(&client, modify, &to("150"), &["modificationState", "targetSize"]).await;
    assert_eq!(begun, ["modifying", "150"]);
    let progress = ["modificationState", "originalSize", "progress"];
    assert_eq!(read(&client, changes, &one, &progress).await, ["modifying", "100", "0"]);
    assert_eq!((look(&["size"]).await, volume.size()), (vec!["100".to_owned()], 100));
    let again = refused(&client, modify, &to("200")).await;
    assert_eq!(again, says(400, "IncorrectModificationState"));
    site.aws.changes_are_over();
    assert_eq!(read(&client, changes, &one, &progress).await, ["completed", "100", "100"]);
    assert_eq!(volume.size(), 150);
    let often = Fault::Refuse("VolumeModificationRateExceeded");
    site.account.meets(1, "ModifyVolume", often);
    let refusal = refused(&client, modify, &to("200")).await;
    assert_eq!(refusal, says(400, "VolumeModificationRateExceeded"));
    let unknown = [("VolumeId.1", "vol-0")];
    let describe = ("ec2", "DescribeVolumes");
    assert_eq!(refused(&client, describe, &unknown).await, says(400, "InvalidVolume.NotFound"));
}

#[tokio::test]
async fn databases_grow_by_a_tenth_at_least() {
    let site = Site::new().await;
    let database = site.account.database(TOKYO, "orders", 100);
    site.account.database(TOKYO, "orders-read", 100).replica_of("orders").is("stopped");
    site.aws.changes_take(HOUR);
    let client = client(&site);
    let describe = ("rds", "DescribeDBInstances");
    let names =
        ["DBInstanceIdentifier", "DBInstanceStatus", "ReadReplicaSourceDBInstanceIdentifier"];
    let all = read(&client, describe, &[], &names).await;
    assert_eq!(all, ["orders,orders-read", "available,stopped", "orders"]);
    let modify = ("rds", "ModifyDBInstance");
    let to = |size| [("DBInstanceIdentifier", "orders"), ("AllocatedStorage", size)];
    let now = |size| [to(size).as_slice(), &[("ApplyImmediately", "true")]].concat();
    let told = read(&client, modify, &to("200"), &["DBInstanceStatus"]).await;
    assert_eq!((told[0].as_str(), database.size()), ("available", 100));
    let told = read(&client, modify, &now("101"), &["DBInstanceStatus", "AllocatedStorage"]).await;
    assert_eq!(told, ["modifying", "100,110"]);
    let again = refused(&client, modify, &now("200")).await;
    assert_eq!(again, says(400, "InvalidDBInstanceState"));
    site.aws.changes_are_over();
    assert_eq!(database.size(), 110);
    let less = refused(&client, modify, &now("50")).await;
    assert_eq!(less, says(400, "InvalidParameterCombination"));
    let unknown = [("DBInstanceIdentifier", "none")];
    assert_eq!(refused(&client, describe, &unknown).await, says(404, "DBInstanceNotFound"));
}

#[tokio::test]
async fn targets_come_and_go() {
    let site = Site::new().await;
    let group = site.account.target_group(TOKYO, "web");
    let other = "i-0123456789abcdef1";
    group.healthy(WEB).unhealthy(other, "Target.FailedHealthChecks");
    site.aws.changes_take(HOUR);
    let client = client(&site);
    let describe = ("elasticloadbalancing", "DescribeTargetHealth");
    let of = |id| [("TargetGroupArn", group.arn()), ("Targets.member.1.Id", id)];
    let names = ["Id", "State", "Reason"];
    let all = read(&client, describe, &of(WEB)[..1], &names).await;
    assert_eq!(all, [&format!("{WEB},{other}"), "healthy,unhealthy", "Target.FailedHealthChecks"]);
    let (add, remove) = ("RegisterTargets", "DeregisterTargets");
    let place = async |action: &str, id: &'static str| {
        read(&client, ("elasticloadbalancing", action), &of(id), &[]).await;
        read(&client, describe, &of(id), &["State"]).await.remove(0)
    };
    assert_eq!(place(remove, other).await, "draining");
    site.aws.changes_are_over();
    assert_eq!(
        read(&client, describe, &of(other), &names[1..]).await,
        ["unused", "Target.NotRegistered"]
    );
    assert_eq!(place(add, "i-0123456789abcdef3").await, "initial");
    site.aws.changes_take(ms(0));
    assert_eq!(place(add, "i-0123456789abcdef2").await, "healthy");
    let none = [("TargetGroupArn", "arn:none"), ("Targets.member.1.Id", WEB)];
    assert_eq!(refused(&client, describe, &none).await, says(400, "TargetGroupNotFound"));
}

#[tokio::test]
async fn scaling_groups_stay_within_their_bounds() {
    let site = Site::new().await;
    let group = site.account.scaling_group(TOKYO, "web", (1..=4, 2));
    site.aws.changes_take(HOUR);
    let client = client(&site);
    let set = ("autoscaling", "SetDesiredCapacity");
    let to = |size| [("AutoScalingGroupName", "web"), ("DesiredCapacity", size)];
    read(&client, set, &to("3"), &[]).await;
    let names = ["MinSize", "MaxSize", "DesiredCapacity", "LifecycleState"];
    let one = [("AutoScalingGroupNames.member.1", "web")];
    let describe = ("autoscaling", "DescribeAutoScalingGroups");
    let told = read(&client, describe, &one, &names).await;
    assert_eq!(told, ["1", "4", "3", "InService,InService,Pending"]);
    for size in ["0", "5"] {
        assert_eq!(refused(&client, set, &to(size)).await, says(400, "ValidationError"));
    }
    assert_eq!(group.desired(), 3);
    let other = [("AutoScalingGroupNames.member.1", "none")];
    assert_eq!(read(&client, describe, &other, &names[..1]).await, [""]);
}

/// The same reason in four wordings.
#[tokio::test]
async fn each_service_says_no_in_its_own_words() {
    let site = Site::new().await;
    let client = client(&site);
    let throttled = [
        ("ec2", "DescribeInstances", says(503, "RequestLimitExceeded")),
        ("rds", "DescribeDBInstances", says(400, "Throttling")),
    ];
    for (service, action, wanted) in throttled {
        site.account.meets(1, action, Fault::Throttle);
        assert_eq!(refused(&client, (service, action), &[]).await, wanted);
        site.account.meets(1, action, Fault::ErrorBefore);
        assert_eq!(refused(&client, (service, action), &[]).await.0, 500);
    }
    site.host.meets(1, "StopInstances", Fault::Deny);
    let one = [("InstanceId.1", WEB)];
    let stop = ("ec2", "StopInstances");
    assert_eq!(refused(&client, stop, &one).await, says(403, "UnauthorizedOperation"));
    site.account.meets(1, "DescribeDBInstances", Fault::Expire);
    let databases = ("rds", "DescribeDBInstances");
    assert_eq!(refused(&client, databases, &[]).await, says(403, "ExpiredToken"));
    assert_eq!(refused(&client, ("ec2", "RunInstances"), &[]).await, says(400, "InvalidAction"));
    let guessed = Keys { secret: "guessed".to_owned(), ..site.account.keys() };
    let guessing = Client::new(&site.aws, guessed);
    assert_eq!(refused(&guessing, stop, &one).await, says(401, "AuthFailure"));
    assert_eq!(refused(&guessing, databases, &[]).await, says(403, "SignatureDoesNotMatch"));
}
