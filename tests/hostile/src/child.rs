//! The child process, and who starts it.

use std::{env, fs, ops::Range, process::Command, thread, time::Duration};

use crate::{judge, timed};

const BATCH: &str = "CALLOUT_HOSTILE_BATCH";
const STACK: &str = "CALLOUT_HOSTILE_STACK";
/// A thread of this size is half of what one has by default.
const STACK_BYTES: usize = 1 << 20;

/// What cases may take, and how their processes are bounded.
#[derive(Clone, Debug)]
pub struct Suite {
    /// The name of the test that is the child.
    pub child: &'static str,
    /// Bytes of the stack of the thread that cases run on. Default 1 MiB, half of what a thread has.
    pub stack_bytes: usize,
    /// Addresses that the process may use in all, in kB. Default 1 GiB: what is read, what is made of it, and
    /// its libraries.
    pub memory_kb: u32,
    /// CPU that one case may take in a release build. Default 100 ms. A debug build, which is some twenty
    /// times slower, may take thirty times as long.
    pub longest: Duration,
    /// Bytes that one case may add to the process at its peak. Default 16 MiB.
    pub most_bytes: u64,
}

impl Default for Suite {
    fn default() -> Self {
        Self {
            child: "child",
            stack_bytes: STACK_BYTES,
            memory_kb: 1 << 20,
            longest: Duration::from_millis(100),
            most_bytes: 16 << 20,
        }
    }
}

/// One case, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its number.
    pub at: usize,
    /// CPU of its thread.
    pub took: Duration,
    /// Bytes beyond what the process had before, at its peak.
    pub bytes: u64,
    /// What came of it, and its name.
    pub told: String,
}

impl Suite {
    /// Runs each batch in a process of its own and checks that every case ends, within its bounds.
    pub fn run(&self, batches: &[Range<usize>]) -> Vec<Seen> {
        let mut all = Vec::new();
        for batch in batches {
            let mut seen = self.batch(batch);
            assert_eq!(seen.iter().map(|seen| seen.at).collect::<Vec<_>>(), batch.clone().collect::<Vec<_>>());
            for each in &mut seen {
                self.within_time(each);
            }
            all.extend(seen);
        }
        all
    }

    fn within_time(&self, seen: &mut Seen) {
        let longest = if cfg!(debug_assertions) { self.longest * 30 } else { self.longest };
        let (at, mut first) = (seen.at, Some(seen.took));
        seen.took = judge(longest, &seen.told, || {
            let took = first.take().unwrap_or_else(|| self.batch(&(at..at + 1))[0].took);
            (took, took)
        });
    }

    fn batch(&self, batch: &Range<usize>) -> Vec<Seen> {
        let bounded =
            format!("ulimit -v {} && exec \"$0\" --exact {} --nocapture --test-threads 1", self.memory_kb, self.child);
        let output = Command::new("sh")
            .args(["-c", &bounded])
            .arg(env::current_exe().unwrap())
            .env(BATCH, format!("{}-{}", batch.start, batch.end))
            .env(STACK, self.stack_bytes.to_string())
            // What one case leaves behind in the allocator would hide what the next one takes.
            .envs([("MALLOC_ARENA_MAX", "1"), ("MALLOC_MMAP_THRESHOLD_", "4096"), ("MALLOC_TRIM_THRESHOLD_", "0")])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let begun = text.lines().rfind(|line| line.starts_with("begins ")).unwrap_or_default();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "cases {batch:?}: {}, {begun}\n{errors}", output.status);
        let seen: Vec<_> = text.lines().filter_map(read).collect();
        for each in &seen {
            if env::var_os("CALLOUT_HOSTILE_SHOW").is_some() {
                println!("{each:?}");
            }
            assert!(each.bytes <= self.most_bytes, "{each:?}");
        }
        seen
    }
}

/// A line that [`case`] has written.
fn read(line: &str) -> Option<Seen> {
    let mut words = line.strip_prefix("ends ")?.splitn(4, ' ');
    let mut number = || words.next().and_then(|word| word.parse::<u64>().ok());
    let (at, micros, bytes) = (number()?, number()?, number()?);
    let told = words.next().unwrap_or_default().to_owned();
    Some(Seen { at: usize::try_from(at).ok()?, took: Duration::from_micros(micros), bytes, told })
}

/// What the child does: the cases of its batch, on a thread with a small stack. In a process that is no
/// child it does nothing.
pub fn child(work: impl FnOnce(Range<usize>) + Send) {
    let Ok(batch) = env::var(BATCH) else { return };
    let (from, to) = batch.split_once('-').unwrap_or_else(|| panic!("{batch} is no batch"));
    let batch = from.parse().unwrap()..to.parse().unwrap();
    let stack_bytes = env::var(STACK).unwrap().parse().unwrap();
    thread::scope(|scope| {
        let small = thread::Builder::new().stack_size(stack_bytes);
        small.spawn_scoped(scope, || work(batch)).unwrap().join().unwrap();
    });
}

/// Runs one case in the child and writes down what it took.
pub fn case(at: usize, name: &str, work: impl FnOnce() -> String) {
    let shown = |text: &str| text.chars().take(100).collect::<String>().escape_debug().to_string();
    // Said before it is run: what ends the process cannot be said after.
    println!("\nbegins {at} {}", shown(name));
    let before = forget_peak();
    let (outcome, took) = timed(work);
    let bytes = peak_bytes().saturating_sub(before);
    println!("\nends {at} {} {bytes} {} of {}", took.as_micros(), shown(&outcome), shown(name));
}

fn peak_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() * 1024
}

/// From here on the peak is counted anew.
fn forget_peak() -> u64 {
    fs::write("/proc/self/clear_refs", "5").unwrap();
    peak_bytes()
}
