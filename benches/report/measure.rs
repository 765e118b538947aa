//! Time, medians and interleaving.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};

/// CPU time of this process so far, all threads.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// CPU time that the work takes.
pub(crate) fn cpu_of(work: impl FnOnce()) -> Duration {
    let before = cpu();
    work();
    cpu().saturating_sub(before)
}

/// Wall time.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the system's clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Runs all ways in turn, `rounds` times after one that does not count. For each way the median time,
/// and the median of its ratios to each of the others: `ratios[way][beside]`.
pub(crate) fn interleaved(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> (Vec<Duration>, Vec<Vec<f64>>) {
    let mut times: Vec<Vec<Duration>> = Vec::new();
    for round in 0..=rounds {
        let taken = ways.iter_mut().map(cpu_of).collect();
        if round > 0 {
            times.push(taken);
        }
    }
    let seconds = |round: &Vec<Duration>, way: usize| round.get(way).map_or(f64::NAN, Duration::as_secs_f64);
    let of = |way: usize| median(times.iter().map(|round| seconds(round, way)).collect());
    let ratio = |way: usize, beside: usize| {
        median(times.iter().map(|round| seconds(round, way) / seconds(round, beside)).collect())
    };
    let all = 0..ways.len();
    (
        all.clone().map(|way| Duration::from_secs_f64(of(way))).collect(),
        all.clone().map(|way| all.clone().map(|beside| ratio(way, beside)).collect()).collect(),
    )
}
