//! One process at one queue, in every way a queue and a claim store can misbehave.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ams::aws::own::Own;
use ams::aws::signed::Signed;
use ams::aws::sqs::{Place, Sqs};
use ams::clock::SystemClock;
use ams::metrics::Metrics;
use ams::receive::http::{Intake, Receiver, Taken};
use ams::receive::queue::Queue as Reader;
use ams::receive::{Delivery, Event};
use async_trait::async_trait;
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::triggered;
use crate::aws::{Aws, Fault, Queue};
use crate::harness::wait;
use crate::receiver::BOT;

const RECEIVE: &str = "ReceiveMessage";
const DELETE: &str = "DeleteMessageBatch";
const PUT_BACK: &str = "ChangeMessageVisibilityBatch";

/// The stages behind the queue, as told.
#[derive(Default)]
struct Stages {
    /// Used up first; `None` never answers. Then everything is claimed.
    answers: Mutex<VecDeque<Option<Taken>>>,
    taken: Mutex<Vec<String>>,
    is_unready: AtomicBool,
    looks: AtomicUsize,
}

impl Stages {
    fn answer(&self, answer: Option<Taken>) {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
    }

    /// Incidents that came this far.
    fn taken(&self) -> Vec<String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Intake for Stages {
    async fn take(&self, delivery: Delivery) -> Taken {
        let Event::Opened { incident, .. } = delivery.event else { panic!("{delivery:?}") };
        let id = incident.id.to_string();
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(id.clone());
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match answer {
            Some(Some(taken)) => taken,
            Some(None) => std::future::pending().await,
            None => Taken::Claimed { run: format!("{id}/1") },
        }
    }

    fn readiness(&self) -> Result<(), String> {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let is_ready = !self.is_unready.load(Ordering::SeqCst);
        is_ready.then_some(()).ok_or_else(|| "not now".to_owned())
    }
}

struct Bench {
    aws: Aws,
    queue: Queue,
    stages: Arc<Stages>,
    metrics: Metrics,
    stop: CancellationToken,
    reader: Option<JoinHandle<()>>,
}

impl Bench {
    async fn new() -> Self {
        let aws = Aws::start().await;
        let queue = aws.home().queue("ams");
        let (stages, metrics) = (Arc::default(), Metrics::default());
        Self { aws, queue, stages, metrics, stop: CancellationToken::new(), reader: None }
    }

    fn start(&mut self) {
        let keys = self.aws.home().keys();
        let clock = Arc::new(SystemClock);
        let credentials = Credentials::new(&keys.id, &keys.secret, None, None, "test");
        let (url, region) = (self.queue.url(self.aws.url()), "ap-northeast-1".to_owned());
        let sqs = Sqs {
            place: Place { url, region, endpoint: None },
            signed: Signed::new(clock.clone()).unwrap(),
            own: Own::of(SharedCredentialsProvider::new(credentials), clock),
        };
        let receiver = Receiver {
            intake: Arc::clone(&self.stages) as Arc<dyn Intake>,
            secrets: Arc::new([]),
            keys: Arc::new([]),
            has_queue: true,
            bot_user: BOT.into(),
            metrics: self.metrics.clone(),
        };
        let reading = Reader::of(sqs, &receiver).take_until(self.stop.clone());
        self.reader = Some(tokio::spawn(reading));
    }

    fn counts(&self, line: &str) -> bool {
        self.metrics.render().lines().any(|it| it == line)
    }

    async fn deleted(&self, count: usize) {
        wait::until("messages to be removed", || self.queue.deleted().len() == count).await;
    }

    async fn taken(&self, count: usize) {
        wait::until("messages to be taken", || self.stages.taken().len() == count).await;
    }

    async fn asked(&self, action: &str, count: usize) {
        wait::until(action, || self.aws.asked(action) >= count).await;
    }

    async fn stop(mut self) {
        self.stop.cancel();
        self.reader.take().unwrap().await.unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(reader) = &self.reader {
            reader.abort();
        }
    }
}

#[tokio::test]
async fn messages_are_taken_while_they_come_and_removed() {
    let mut bench = Bench::new().await;
    bench.start();
    wait::until("somebody to wait", || bench.queue.is_polled()).await;
    let ids: Vec<String> = (10..35).map(|number| format!("PINC0{number}")).collect();
    for id in &ids {
        bench.queue.send(&triggered(id, "web is down"));
    }
    bench.deleted(25).await;
    let mut taken = bench.stages.taken();
    taken.sort();
    assert_eq!(taken, ids);
    assert_eq!((bench.queue.len(), bench.aws.asked(PUT_BACK)), (0, 0));
    assert!(bench.counts("ams_eventbridge_events_total{way=\"queue\",result=\"claimed\"} 25"));
    // A process that stops does not wait for the end of its poll.
    bench.stop().await;
}

#[tokio::test]
async fn a_message_stays_until_its_claim_is_durable() {
    let mut bench = Bench::new().await;
    bench.stages.answer(None);
    bench.queue.send(&triggered("PINC01", "web is down"));
    bench.start();
    bench.taken(1).await;
    // The store hangs, and the runner dies.
    bench.reader.take().unwrap().abort();
    assert_eq!((bench.queue.len(), bench.aws.asked(DELETE)), (1, 0));
    bench.queue.hidden_time_is_over();
    bench.start();
    bench.deleted(1).await;
    assert_eq!(bench.stages.taken(), ["PINC01", "PINC01"]);
}

#[tokio::test]
async fn a_message_that_cannot_be_taken_now_comes_again() {
    let mut bench = Bench::new().await;
    bench.stages.answer(Some(Taken::TryAgain { why: "the store is away".to_owned() }));
    bench.queue.send(&triggered("PINC01", "web is down"));
    bench.start();
    bench.asked(PUT_BACK, 1).await;
    assert_eq!((bench.queue.deleted().len(), bench.queue.receives()), (0, vec![1]));
    bench.queue.hidden_time_is_over();
    bench.deleted(1).await;
    assert!(bench.counts("ams_eventbridge_events_total{way=\"queue\",result=\"unavailable\"} 1"));
    assert!(bench.counts("ams_eventbridge_events_total{way=\"queue\",result=\"claimed\"} 1"));
}

#[tokio::test]
async fn a_message_that_could_not_be_removed_is_known_when_it_comes_again() {
    let mut bench = Bench::new().await;
    bench.aws.home().meets(1, DELETE, Fault::Deny);
    bench.stages.answer(Some(Taken::Claimed { run: "PINC01/1".to_owned() }));
    bench.stages.answer(Some(Taken::Elsewhere { why: "it is ours".to_owned() }));
    bench.queue.send(&triggered("PINC01", "web is down"));
    bench.start();
    bench.asked(DELETE, 1).await;
    wait::until("the failure", || bench.counts("ams_queue_failures_total 1")).await;
    bench.queue.hidden_time_is_over();
    bench.deleted(1).await;
    assert_eq!(bench.stages.taken().len(), 2);
    assert!(
        bench.counts("ams_eventbridge_events_total{way=\"queue\",result=\"taken_elsewhere\"} 1")
    );
}

/// What nobody can read is the queue's to give up, and keeps nothing else waiting.
#[tokio::test]
async fn what_cannot_be_read_ends_where_people_see_it() {
    let mut bench = Bench::new().await;
    bench.queue.gives_up_after(3);
    bench.queue.send("{\"no\": \"event\"}");
    bench.queue.send(&triggered("PINC01", "web is down"));
    bench.start();
    bench.deleted(1).await;
    for receives in 2..=3 {
        bench.asked(PUT_BACK, receives - 1).await;
        bench.queue.hidden_time_is_over();
    }
    bench.asked(PUT_BACK, 3).await;
    bench.queue.hidden_time_is_over();
    wait::until("it to be given up", || bench.queue.dead().len() == 1).await;
    assert_eq!((bench.queue.len(), bench.queue.deleted().len()), (0, 1));
    assert!(bench.counts("ams_eventbridge_events_total{way=\"queue\",result=\"malformed\"} 3"));
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_is_asked_again() {
    let mut bench = Bench::new().await;
    let home = bench.aws.home();
    home.meets(1, RECEIVE, Fault::Expire).meets(1, RECEIVE, Fault::Throttle);
    home.meets(1, RECEIVE, Fault::Deny).meets(1, RECEIVE, Fault::ErrorBefore);
    bench.queue.send(&triggered("PINC01", "web is down"));
    bench.start();
    bench.deleted(1).await;
    // What it was allowed to repeat at once is no failure.
    assert!(bench.counts("ams_queue_failures_total 2"));
}

#[tokio::test]
async fn a_process_that_may_not_begin_leaves_the_queue_alone() {
    let mut bench = Bench::new().await;
    bench.stages.is_unready.store(true, Ordering::SeqCst);
    bench.queue.send(&triggered("PINC01", "web is down"));
    bench.start();
    wait::until("two looks", || bench.stages.looks.load(Ordering::SeqCst) >= 2).await;
    assert_eq!(bench.aws.asked(RECEIVE), 0);
    bench.stages.is_unready.store(false, Ordering::SeqCst);
    bench.deleted(1).await;
}
