//! Another process of the same program, so that neither side uses, or pays for, what the other has in the allocator,
//! in the caches and on its threads.

use std::{
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

/// The first argument of such a process.
pub const APART: &str = "apart";

/// A running process that answers lines with lines. It is told to end with this value, and waited for.
#[derive(Debug)]
pub struct Apart {
    child: Child,
    /// There until it is told to end.
    tell: Option<ChildStdin>,
    told: BufReader<ChildStdout>,
}

impl Apart {
    /// This program once more, with these arguments behind [`APART`].
    ///
    /// # Panics
    ///
    /// If there can be no process.
    pub fn start(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(program);
        command.arg(APART).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a process");
        let tell = child.stdin.take();
        let told = BufReader::new(child.stdout.take().expect("its output is piped"));
        Self { child, tell, told }
    }

    /// The next line that it writes.
    ///
    /// # Panics
    ///
    /// If it writes none, having ended.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let length = self.told.read_line(&mut line).expect("it writes text");
        assert!(length > 0, "the process has ended");
        line.trim_end().to_owned()
    }

    /// What it answers to a line, which is nanoseconds.
    ///
    /// # Panics
    ///
    /// If it has ended, or answers with something else.
    pub fn time(&mut self, question: &str) -> Duration {
        let tell = self.tell.as_mut().expect("it is told to end last");
        writeln!(tell, "{question}").expect("it reads");
        Duration::from_nanos(self.line().parse().expect("nanoseconds"))
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        self.tell = None;
        let _ = self.child.wait();
    }
}

/// What such a process does: it answers each line that it is told with nanoseconds, until it is told no more.
///
/// # Panics
///
/// If it is told something that is no text.
#[expect(clippy::print_stdout, reason = "it answers there")]
pub fn answer(mut each: impl FnMut(&str) -> Duration) {
    for line in std::io::stdin().lines() {
        println!("{}", each(&line.expect("lines are text")).as_nanos());
    }
}

/// CPU time of this process so far, all threads.
pub fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// CPU time that the work takes.
pub fn cpu_of(work: impl FnOnce()) -> Duration {
    let before = cpu();
    work();
    cpu().saturating_sub(before)
}
