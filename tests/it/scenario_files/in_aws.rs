use std::path::Path;

use ams::customer::aws::Platform;
use ams::customer::catalog::Customers;
use ams::customer::{Customer, Reach, file};

fn read(text: &str) -> Result<Customer, Vec<String>> {
    let text = format!("customer: shop\nname: 商店\n{text}");
    let read = file::read(Path::new("shop.yaml"), &text);
    read.map_err(|found| found.iter().map(|it| format!("{}:{}", it.id, it.place.line)).collect())
}

fn account(account: &str, external_id: &str) -> String {
    format!(
        "{{account: \"{account}\", role: \"arn:aws:iam::{account}:role/Ams\", \
         external_id: {external_id}, regions: [ap-northeast-1]}}"
    )
}

fn one(hosts: &str) -> String {
    format!("aws:\n  - {}\nhosts:\n  - {hosts}\n", account("111122223333", "ams-0001-shop"))
}

const WEB01: &str = "{name: web01, instance: i-0a1b2c3d4e5f60718, reach: ssm}";

#[test]
fn a_host_is_reached_in_the_only_account_and_region() {
    let customer = read(&one(WEB01)).unwrap();
    let host = customer.host("i-0a1b2c3d4e5f60718").unwrap();
    assert_eq!(host.name, "web01");
    let Reach::Ssm(way) = &host.reach else { panic!("{host:?}") };
    let words = way.account().words();
    assert_eq!(
        (way.host(), way.instance(), way.region(), way.platform()),
        ("web01", "i-0a1b2c3d4e5f60718", "ap-northeast-1", None)
    );
    assert_eq!(
        (&*words.customer, &*words.role, &*words.external_id, words.session_tags),
        ("shop", "arn:aws:iam::111122223333:role/Ams", "ams-0001-shop", true)
    );
}

#[test]
fn all_of_an_account_and_a_host_can_be_said() {
    let customer = read(
        "aws:
  - account: \"111122223333\"
    role: arn:aws:iam::111122223333:role/ops/Ams
    external_id: ams-0001-shop
    regions: [ap-northeast-1, ap-northeast-3]
    session_tags: false
    output: {bucket: shop-output, prefix: ssm/}
  - {account: \"012345678901\", role: \"arn:aws:iam::012345678901:role/Ams\",
     external_id: ams-0001-shop, regions: [us-east-1]}
hosts:
  - {name: ad01, instance: mi-0a1b2c3d4e5f60718, account: \"111122223333\",
     region: ap-northeast-3, platform: windows, reach: ssm}
",
    )
    .unwrap();
    let Reach::Ssm(way) = &customer.hosts[0].reach else { panic!() };
    let words = way.account().words();
    assert_eq!((way.region(), way.platform()), ("ap-northeast-3", Some(Platform::Windows)));
    assert!(!words.session_tags);
    let output = words.output.as_ref().unwrap();
    assert_eq!((&*output.bucket, &*output.prefix), ("shop-output", "ssm"));
}

#[test]
fn what_is_missing_or_wrong_is_found_where_it_stands() {
    let two = format!(
        "aws:\n  - {}\n  - {}\nhosts:\n  - {WEB01}\n",
        account("111122223333", "ams-0001-shop"),
        account("444455556666", "ams-0001-shop")
    );
    let hosts = |host: &str| one(&WEB01.replace("reach", &format!("{host}, reach")));
    for (text, expected) in [
        (format!("hosts:\n  - {WEB01}\n"), "host-without-way:4"),
        (one("{name: web01, reach: ssm}"), "host-without-way:6"),
        (two, "host-without-way:7"),
        (hosts("account: \"111122223334\""), "unknown-account:6"),
        (hosts("region: us-east-1"), "bad-way:6"),
        (one(&WEB01.replace("i-0a", "x-0a")), "bad-way:6"),
        (hosts("platform: vms"), "unknown-word:6"),
        (format!("{}  - {}\n", one(WEB01), WEB01.replace("web01", "www")), "same-instance-twice:7"),
        (one(WEB01).replace("iam::1111", "iam::2222"), "bad-role:4"),
        (one(WEB01).replace("ap-northeast-1", "tokyo"), "bad-way:4"),
        (one(WEB01).replace("external_id: ams-0001-shop, ", ""), "missing-field:4"),
    ] {
        let found = read(&text).unwrap_err();
        // A host has no way where its account cannot be used.
        assert_eq!(found[0], expected, "{found:?} in {text}");
    }
}

/// One customer's run has only its own hosts: nothing else may lead to another's.
#[test]
fn machines_and_external_ids_belong_to_one_customer() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: String| {
        let text = format!("customer: {name}\nname: {name}\n{text}");
        std::fs::write(dir.path().join(format!("{name}.yaml")), text).unwrap();
    };
    write("a", one(WEB01));
    write("b", one(&WEB01.replace("60718", "60719")).replace("ams-0001", "ams-0002"));
    write("c", one(WEB01).replace("ams-0001", "ams-0003"));
    write("d", one(&WEB01.replace("60718", "60720")));
    let customers = Customers::load(dir.path()).unwrap();
    let ids: Vec<&str> = customers.all().iter().map(|it| it.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    let found: Vec<(&str, &Path)> = customers
        .findings
        .iter()
        .map(|it| (it.id, it.file.file_name().unwrap().as_ref()))
        .collect();
    let expected =
        [("same-instance-twice", Path::new("c.yaml")), ("external-id-shared", Path::new("d.yaml"))];
    assert_eq!(found, expected);
    let ways: Vec<String> = customers
        .all()
        .iter()
        .map(|it| match &it.host("web01").unwrap().reach {
            Reach::Ssm(way) => way.account().words().external_id.clone(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ways, ["ams-0001-shop", "ams-0002-shop"], "the same name is a host of each");
}
