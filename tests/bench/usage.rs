//! Memory and processor time of another process.

use std::io;
use std::time::Duration;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Resident now.
    pub(crate) resident_kib: u64,
    /// Resident at most so far.
    pub(crate) peak_kib: u64,
    /// Processor time, with that of the commands it has reaped.
    pub(crate) cpu: Duration,
}

/// Linux reports processor time in these on every architecture AMS is built for.
const TICKS_PER_SECOND: u32 = 100;

pub(crate) fn of(pid: u32) -> io::Result<Usage> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let value = line.and_then(|line| line.split_ascii_whitespace().next());
        value.and_then(|value| value.parse().ok()).unwrap_or_default()
    };
    Ok(Usage { resident_kib: field("VmRSS:"), peak_kib: field("VmHWM:"), cpu: cpu(&stat) })
}

/// `pid (name) state ..`: user, system, and both again for reaped children, from the 14th field.
fn cpu(stat: &str) -> Duration {
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_ascii_whitespace().skip(11).take(4);
    let ticks: u32 = times.filter_map(|ticks| ticks.parse::<u32>().ok()).sum();
    Duration::from_secs(ticks.into()) / TICKS_PER_SECOND
}
