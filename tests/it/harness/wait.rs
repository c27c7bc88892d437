//! The one place where tests wait: for a state, with a deadline.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// Far beyond what any state takes, even on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

const LOOK: Duration = Duration::from_millis(5);

/// Waits until `look` finds something.
pub(crate) async fn for_some<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
        sleep(LOOK).await;
    }
}

/// Waits until `holds` holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for_some(what, || holds().then_some(())).await;
}

/// Waits until a page answers with this status.
pub(crate) async fn for_status(url: &str, status: u16) {
    let start = Instant::now();
    loop {
        if let Ok(answer) = reqwest::get(url).await
            && answer.status().as_u16() == status
        {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{url} never answered {status}");
        sleep(LOOK).await;
    }
}

/// Waits until a page has this text in it.
pub(crate) async fn for_text(url: &str, text: &str) {
    for_page(url, text, |page| page.contains(text)).await;
}

/// Waits until a page is as it should be.
pub(crate) async fn for_page(url: &str, what: &str, is_so: impl Fn(&str) -> bool) {
    let start = Instant::now();
    loop {
        if let Ok(answer) = reqwest::get(url).await
            && answer.text().await.is_ok_and(|page| is_so(&page))
        {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "{url} never said {what}");
        sleep(LOOK).await;
    }
}
