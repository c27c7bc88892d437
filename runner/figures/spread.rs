//! How long something took, over many times. Pure.

use serde::Serialize;

/// Mean and ninth decile of some times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    pub count: usize,
    pub mean_seconds: Option<f64>,
    pub p90_seconds: Option<f64>,
}

impl Spread {
    /// Of milliseconds. The ninth decile is by nearest rank: a time that was measured, of however few.
    pub(super) fn of(mut millis: Vec<i64>) -> Self {
        let count = millis.len();
        let Some(rank) = (count * 90).div_ceil(100).checked_sub(1) else { return Self::default() };
        let sum: i128 = millis.iter().map(|it| i128::from(*it)).sum();
        let mean = i64::try_from(sum / count as i128).unwrap_or(i64::MAX);
        let (_, p90, _) = millis.select_nth_unstable(rank);
        Self { count, mean_seconds: Some(seconds(mean)), p90_seconds: Some(seconds(*p90)) }
    }
}

/// Thousandths stay.
fn seconds(millis: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "2^52 milliseconds are 140,000 years")]
    let millis = millis as f64;
    millis / 1_000.0
}
