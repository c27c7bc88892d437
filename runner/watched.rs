//! What `/metrics` looks at when somebody asks: how full every bound of a process is, and how old its
//! oldest run.

use std::sync::Arc;

use tokio::sync::Semaphore;

use crate::execute::dispatch::Actuators;
use crate::limits;
use crate::pipeline::Pipeline;
use crate::report::PlatformError;

/// Shows the bounds of this process. `actuators` are those that the pipeline acts with.
pub(crate) fn watch(pipeline: &Arc<Pipeline>, actuators: &Actuators) {
    let measures = &pipeline.metrics.measures;
    measures.may_fail("pagerduty", &PlatformError::CLASSES);
    let runs = pipeline.runs.clone();
    measures.bound("runs", limits::RUNS_IN_FLIGHT, move || runs.count());
    let store = Arc::clone(pipeline.claims().store());
    measures.bound("store_requests", limits::STORE_QUEUE, move || store.waiting());
    let ends = pipeline.early_ends.clone();
    measures.bound("early_ends", limits::EARLY_ENDS, move || ends.count());
    if let Some(queue) = pipeline.evidence.queue() {
        measures.bound("evidence_uploads", limits::EVIDENCE_QUEUE, move || {
            queue.max_capacity() - queue.capacity()
        });
    }
    for (name, slots) in [
        ("commands", Arc::clone(&actuators.local.slots)),
        ("ssh_commands", Arc::clone(&actuators.ssh.slots)),
    ] {
        let used = move || taken(&slots, limits::COMMANDS_AT_ONCE);
        measures.bound(name, limits::COMMANDS_AT_ONCE, used);
    }
    let at_once = limits::PACKET_AT_ONCE;
    if let Some(backlog) = pipeline.ways.backlog.clone() {
        measures.bound("tickets", at_once, move || backlog.busy());
    }
    if let Some(slack) = pipeline.ways.slack.clone() {
        measures.bound("messages", at_once, move || slack.busy());
    }
    if let Some(email) = pipeline.ways.email.clone() {
        measures.bound("mails", at_once, move || email.busy());
    }
    let (runs, clock) = (pipeline.runs.clone(), Arc::clone(&pipeline.executor.clock));
    measures.oldest_run(move || {
        let age = runs.oldest().map(|opened_at| clock.now().duration_since(opened_at).as_secs());
        age.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_default()
    });
}

fn taken(slots: &Semaphore, size: usize) -> usize {
    size.saturating_sub(slots.available_permits())
}
