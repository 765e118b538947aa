//! Time, medians and interleaving.

use std::time::{Duration, Instant};

use callout_benches::apart::cpu_of;

/// Wall time.
#[expect(clippy::disallowed_methods, reason = "a measurement reads the system's clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// For each way the median time, and the median of its ratios to each of the others: `ratios[way][beside]`.
pub(crate) struct Compared {
    pub(crate) times: Vec<Duration>,
    pub(crate) ratios: Vec<Vec<f64>>,
}

impl Compared {
    pub(crate) fn ratio(&self, way: usize, beside: usize) -> f64 {
        self.ratios.get(way).and_then(|row| row.get(beside)).copied().unwrap_or(f64::NAN)
    }
}

/// Runs all ways in turn, `rounds` times after one that does not count, by the CPU of this process.
pub(crate) fn interleaved(rounds: usize, ways: &mut [&mut dyn FnMut()]) -> Compared {
    let mut ways: Vec<_> = ways.iter_mut().map(|way| || [cpu_of(&mut **way)]).collect();
    let [own] = interleaved_by(rounds, &mut ways);
    own
}

/// The same of ways that tell what they took by several clocks at once.
pub(crate) fn interleaved_by<const CLOCKS: usize>(
    rounds: usize,
    ways: &mut [impl FnMut() -> [Duration; CLOCKS]],
) -> [Compared; CLOCKS] {
    let mut rounds_taken: Vec<Vec<[Duration; CLOCKS]>> = Vec::new();
    for round in 0..=rounds {
        let mut taken = vec![[Duration::ZERO; CLOCKS]; ways.len()];
        for turn in 0..ways.len() {
            let at = (round + turn) % ways.len();
            taken[at] = ways[at]();
        }
        if round > 0 {
            rounds_taken.push(taken);
        }
    }
    let all = 0..ways.len();
    std::array::from_fn(|clock| {
        let seconds = |round: &Vec<[Duration; CLOCKS]>, way: usize| {
            round.get(way).map_or(f64::NAN, |taken| taken[clock].as_secs_f64())
        };
        let time = |way| median(rounds_taken.iter().map(|round| seconds(round, way)).collect());
        let ratio = |way, beside| {
            median(rounds_taken.iter().map(|round| seconds(round, way) / seconds(round, beside)).collect())
        };
        Compared {
            times: all.clone().map(|way| Duration::from_secs_f64(time(way))).collect(),
            ratios: all.clone().map(|way| all.clone().map(|beside| ratio(way, beside)).collect()).collect(),
        }
    })
}
