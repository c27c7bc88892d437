//! A server of a customer, by SSH.

use ams::incident::Outcome;

use super::{Chapter, Recorder, WEB_SERVICE};
use crate::harness::sshd::Sshd;
use crate::harness::world::World;

pub(super) async fn server() -> Chapter {
    let sshd = Sshd::start().await;
    std::fs::write(
        sshd.path("home").join("error.log"),
        "[error] (28)No space left on device: could not create the rewrite mutex\n",
    )
    .unwrap();
    let words = sshd.words();
    let key = std::fs::read_to_string(sshd.path("host.pub")).unwrap();
    let key: Vec<&str> = key.split_whitespace().take(2).collect();
    let customer = format!(
        "customer: example-shop\nname: Example Shop Ltd.\nlanguage: en\nservices: [Sandbox web shop]\n\
         ssh:\n  user: {}\n  port: {}\n  identity: {}\n  host_keys: [\"[127.0.0.1]:{} {}\"]\nhosts:\n  \
         - {{name: web01, address: 127.0.0.1, groups: [web], reach: ssh, parameters: {{web_service: httpd}}}}\n",
        words.door.user,
        sshd.port,
        sshd.path("user").display(),
        sshd.port,
        key.join(" "),
    );
    let markers = format!("host_markers: [{}]\n", sshd.path("markers").display());
    let world = World::with(WEB_SERVICE).customer(&customer).settings(&markers).start().await;
    let told =
        Recorder::of(&world).await.record("[SHOP] web01: httpd is down", Outcome::Resolved).await;
    let started = sshd.read("started");
    assert_eq!(started, "httpd\n");
    world.end().await;
    Chapter {
        heading: "A server by SSH",
        about: "`reach: ssh`, against a real OpenSSH server with keys made for the occasion.",
        customer: customer
            .replace(&format!("port: {}", sshd.port), "port: 22")
            .replace(&format!("user: {}", words.door.user), "user: ams")
            .replace(&*sshd.path("user").to_string_lossy(), "/etc/ams/keys/example-shop")
            .replace(key[1], "AAAAC3NzaC1lZDI1NTE5AAAA…")
            .replace(&format!("[127.0.0.1]:{}", sshd.port), "10.0.1.11")
            .replace("address: 127.0.0.1", "address: 10.0.1.11"),
        scenario: WEB_SERVICE.to_owned(),
        webhook: told.webhook,
        timeline: told.timeline,
        account: told.account,
        left: format!("On the server, the recovery's own record:\n\n```text\n{started}```"),
    }
}
