use ams::claim::protocol::{StandDown, StandDownReason};
use ams::clock::{Clock as _, SystemClock};
use ams::customer::ssh::SshHostKeys;
use ams::execute::actuator::Order;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::{Bench, by, changed, script};
use crate::harness::commands::{held, reason};
use crate::harness::sshd::Sshd;

/// A way to the server on which a connection waits until it is let through.
async fn gate(port: u16) -> (u16, oneshot::Receiver<()>, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gate = listener.local_addr().unwrap().port();
    let ((has_come, come), (open, opened)) = (oneshot::channel(), oneshot::channel());
    tokio::spawn(async move {
        let (mut client, _) = listener.accept().await.unwrap();
        has_come.send(()).unwrap();
        opened.await.unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        // It ends as either side likes.
        copy_bidirectional(&mut client, &mut server).await.ok();
    });
    (gate, come, open)
}

/// A recovery through a gate; people may say something while it waits there.
async fn waited(people_say_stop: bool) -> (ams::execute::actuator::Observation, String) {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let (port, come, open) = gate(sshd.port).await;
    let way = changed(&sshd, |it| {
        let SshHostKeys::Lines(lines) = &mut it.host_keys else { unreachable!() };
        lines[0] = lines[0].replace(&sshd.port.to_string(), &port.to_string());
        it.door.port = port;
    });
    let (permission, wish) = held().await;
    let order = by(way, script("echo begun >>\"$HOME/times\""));
    let order = Order { attempt: Some(1), permission: Some(permission), ..order };
    let running = bench.start(order);
    come.await.unwrap();
    if people_say_stop {
        let reason = StandDownReason::Acknowledged;
        let at = SystemClock.now();
        wish.send(Some(StandDown { reason, by: None, at })).unwrap();
    }
    open.send(()).unwrap();
    let seen = running.await.unwrap();
    (seen, sshd.read("times"))
}

#[tokio::test]
async fn a_wish_to_stop_that_comes_while_a_connection_is_made_is_heard() {
    let (seen, times) = waited(true).await;
    assert_eq!(reason(&seen), "run PT4KHLK/1 was asked to stand down");
    assert_eq!(times, "");
}

#[tokio::test]
async fn without_one_the_recovery_begins() {
    let (seen, times) = waited(false).await;
    assert_eq!(seen.ending, ams::execute::actuator::Ending::Exited(0));
    assert_eq!(times, "begun\n");
}
