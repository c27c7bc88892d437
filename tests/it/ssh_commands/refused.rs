use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use ams::customer::ssh::{SshHostKeys, SshIdentity, SshWords};

use super::{Bench, by, changed, script, within};
use crate::harness::commands::reason;
use crate::harness::sshd::{Sshd, key};

/// What people are told, for a look and for a change.
async fn told(sshd: &Sshd, change: impl Fn(&mut SshWords)) -> String {
    let bench = Bench::new(sshd);
    let look = by(changed(sshd, change), script("touch \"$HOME/x\""));
    let look = within(look, Duration::from_secs(20));
    let mut change = look.clone();
    change.attempt = Some(1);
    let reasons = [bench.act(&look).await, bench.act(&change).await];
    let [look, change] = reasons.each_ref().map(|seen| reason(seen).to_owned());
    assert_eq!(look, change);
    assert!(!sshd.has("x"));
    look
}

#[tokio::test]
async fn an_unknown_host_key_is_not_taken() {
    let sshd = Sshd::start().await;
    let known = sshd.path("known_hosts");
    fs::write(&known, "").unwrap();
    let file = known.display().to_string();
    let reason = told(&sshd, |it| it.host_keys = SshHostKeys::File(file.clone())).await;
    assert_eq!(
        reason,
        format!(
            "web01: its host key is not in {file}; compare the key on the host with what \
             `ssh-keyscan` prints and write it down there"
        )
    );
    assert_eq!(fs::read_to_string(&known).unwrap(), "", "no trust on first use");
}

#[tokio::test]
async fn a_host_key_that_changed_is_not_taken() {
    let sshd = Sshd::start().await;
    key(&sshd.path("other"));
    let other = fs::read_to_string(sshd.path("other.pub")).unwrap();
    let other: Vec<&str> = other.split(' ').take(2).collect();
    let lines = vec![format!("[127.0.0.1]:{} {}", sshd.port, other.join(" "))];
    let reason = told(&sshd, |it| it.host_keys = SshHostKeys::Lines(lines.clone())).await;
    assert!(
        reason
            .starts_with("web01: its host key is not the one that the customer's `host_keys` has")
    );
    assert!(reason.contains("compare its key there"), "{reason}");
}

#[tokio::test]
async fn a_key_that_is_not_let_in_is_told_with_its_user() {
    let sshd = Sshd::start().await;
    let path = sshd.path("stranger");
    key(&path);
    let path = path.display().to_string();
    let reason = told(&sshd, |it| it.identity = SshIdentity::File(path.clone())).await;
    let user = sshd.words().door.user;
    assert_eq!(
        reason,
        format!(
            "web01: {user} is not let in with the key {path}; add the public key to the user's \
             authorized_keys there, or correct `user`"
        )
    );
}

#[tokio::test]
async fn a_key_that_cannot_be_used_is_told_as_that() {
    let sshd = Sshd::start().await;
    let path = sshd.path("user");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let reason = told(&sshd, |_| {}).await;
    assert!(reason.contains("may be read by others") && reason.contains("chmod 600"), "{reason}");
    fs::write(&path, "no key\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let reason = told(&sshd, |_| {}).await;
    assert!(reason.contains("cannot be read as a private key"), "{reason}");
    fs::remove_file(&path).unwrap();
    let reason = told(&sshd, |_| {}).await;
    assert!(reason.contains("is not there; put it there"), "{reason}");
}

#[tokio::test]
async fn where_nothing_listens_that_is_told() {
    let mut sshd = Sshd::start().await;
    sshd.stop();
    let port = sshd.port;
    let reason = told(&sshd, |_| {}).await;
    assert_eq!(
        reason,
        format!("web01: nothing listens at 127.0.0.1, port {port}; check that sshd runs there")
    );
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_given_up_in_time() {
    let sshd = Sshd::start().await;
    // Takes connections and says nothing, as a host behind a wall does.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let way = changed(&sshd, |it| it.door.port = silent.local_addr().unwrap().port());
    let order = within(by(way, script("true")), Duration::from_secs(1));
    let seen = Bench::new(&sshd).act(&order).await;
    assert!(
        reason(&seen).contains("did not answer in time (1.0 s); check that it is up"),
        "{seen:?}"
    );
    assert!(seen.took < Duration::from_secs(10));
}

#[tokio::test]
async fn a_name_that_nobody_knows_is_told() {
    let sshd = Sshd::start().await;
    let reason = told(&sshd, |it| "web01.invalid".clone_into(&mut it.door.address)).await;
    assert!(reason.contains("the name web01.invalid, port"), "{reason}");
}

#[tokio::test]
async fn without_a_socket_there_is_no_agent() {
    let sshd = Sshd::start().await;
    let socket = sshd.path("no-agent").display().to_string();
    let reason = told(&sshd, |it| it.identity = SshIdentity::Agent(socket.clone())).await;
    assert_eq!(
        reason,
        format!(
            "web01: the socket of the agent {socket} is not there; put it there, or correct the \
             customer's file"
        )
    );
}
