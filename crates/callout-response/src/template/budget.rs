//! What one render may cost: time, memory and output, counted where they arise.

use std::{
    io,
    sync::atomic::{AtomicU64, Ordering},
};

use callout_core::{
    limits::Limits,
    time::{Deadline, SharedClock},
};

use super::fault::{Fail, Outcome};
use crate::Watch;

/// More fuel than this is not given: it is what keeps a render under 100 ms of CPU and 16 MB.
const MAX_FUEL: u64 = 100_000;
/// Units of work that come with one unit of fuel.
const UNITS_PER_FUEL: u64 = 40;
/// Cost of looking at one element, member or part of an expression.
const VISIT: u64 = 8;
/// Cost of one element or member of a new list or mapping.
const MAKE: u64 = 24;
/// Cost of a digit of a number that has more than are read, or written, at once.
const DIGIT: u64 = 2;
/// Cost of a byte outside of ASCII of a text whose characters are asked what they are: it is looked up in tables that are
/// gone through, which takes up to 0.1 µs a byte.
const KIND: u64 = 8;
/// So many units of work lie between two looks at the clock.
const CLOCK_UNITS: u64 = 1 << 16;

/// The fuel of a render, for minijinja's own counting.
pub(super) fn fuel(limits: &Limits) -> u64 {
    limits.template_fuel.min(MAX_FUEL)
}

/// What one instruction of minijinja's takes of its fuel, in units of which a byte takes one.
const INSTRUCTION: u64 = 64;

/// Counts as minijinja does, where it does not run.
#[derive(Debug)]
pub(super) struct Fuel {
    left: u64,
}

impl Fuel {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { left: fuel(limits).saturating_mul(INSTRUCTION) }
    }

    /// Whether there was enough for that many instructions and bytes; once there was not, there never is.
    #[inline]
    pub(super) fn spend(&mut self, instructions: u64, bytes: usize) -> bool {
        self.left = self.left.saturating_sub(instructions.saturating_mul(INSTRUCTION).saturating_add(bytes as u64));
        self.left > 0
    }
}

/// Counts the work of one render and stops it when it is too much or the call's time is over.
#[derive(Debug)]
pub(super) struct Meter {
    left: AtomicU64,
    fuel: u64,
    clock: SharedClock,
    deadline: Deadline,
}

impl Meter {
    /// With one in `share` of what there is.
    pub(super) fn new(limits: &Limits, watch: &Watch<'_>, share: u64) -> Self {
        let fuel = fuel(limits);
        Self {
            left: AtomicU64::new(fuel.saturating_mul(UNITS_PER_FUEL) / share.max(1)),
            fuel,
            clock: watch.clock.clone(),
            deadline: watch.deadline,
        }
    }

    /// Accounts for looking at that many values.
    #[inline]
    pub(super) fn visit(&self, values: usize) -> Outcome<()> {
        self.charge((values as u64).saturating_mul(VISIT))
    }

    /// Accounts for comparing, counting or searching that many bytes.
    #[inline]
    pub(super) fn read(&self, bytes: usize) -> Outcome<()> {
        self.charge(1 + bytes as u64 / 8)
    }

    /// Accounts for looking at each character of a text of that many bytes.
    #[inline]
    pub(super) fn scan(&self, bytes: usize) -> Outcome<()> {
        self.charge(1 + bytes as u64 / 2)
    }

    /// Accounts for asking each character of a text what it is, besides looking at it.
    #[inline]
    pub(super) fn classify(&self, text: &str) -> Outcome<()> {
        let bytes = text.bytes().filter(|byte| !byte.is_ascii()).count();
        self.charge((bytes as u64).saturating_mul(KIND))
    }

    /// Accounts for calculating with that many digits of a number, one after the other.
    #[inline]
    pub(super) fn calculate(&self, digits: usize) -> Outcome<()> {
        self.charge((digits as u64).saturating_mul(DIGIT))
    }

    /// Accounts for making a text of that many bytes, before it is made.
    #[inline]
    pub(super) fn write(&self, bytes: usize) -> Outcome<()> {
        self.charge((bytes as u64).saturating_add(1))
    }

    /// Accounts for making a list or mapping with that many entries, before it is made.
    #[inline]
    pub(super) fn make(&self, entries: usize) -> Outcome<()> {
        self.charge((entries as u64).saturating_mul(MAKE).saturating_add(1))
    }

    #[inline]
    fn charge(&self, units: u64) -> Outcome<()> {
        let before = self.left.load(Ordering::Relaxed);
        let Some(after) = before.checked_sub(units) else {
            return Err(self.exhaust());
        };
        self.left.store(after, Ordering::Relaxed);
        if before / CLOCK_UNITS != after / CLOCK_UNITS {
            self.check_time()?;
        }
        Ok(())
    }

    /// Fails once the call's deadline has passed.
    pub(super) fn check_time(&self) -> Outcome<()> {
        let watch = Watch { clock: &self.clock, deadline: self.deadline };
        if watch.is_over() { Err(Fail::Time) } else { Ok(()) }
    }

    /// It stays exhausted, so that nothing can go on with smaller steps.
    #[cold]
    fn exhaust(&self) -> Fail {
        self.left.store(0, Ordering::Relaxed);
        self.exhausted()
    }

    #[cold]
    pub(super) fn exhausted(&self) -> Fail {
        Fail::Limit(format!("the render takes more work than allowed (`template_fuel`, {})", self.fuel))
    }
}

/// How much output is of use.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Enough {
    /// So many characters.
    pub(crate) chars: usize,
    /// Whether the render ends when there are as many. If not, it is only told.
    pub(crate) ends: bool,
}

impl Enough {
    /// All of it is of use.
    pub(crate) const ALL: Self = Self { chars: usize::MAX, ends: false };
}

/// Takes the output, up to `max` bytes.
#[derive(Debug)]
pub(super) struct Output {
    bytes: Vec<u8>,
    max: usize,
    overflow: bool,
    enough: Enough,
    /// Characters in the first `counted` bytes.
    chars: usize,
    counted: usize,
}

/// Bytes that a text has room for to begin with; most are not much longer.
const ROOM: usize = 512;

impl Output {
    pub(super) fn new(max: usize, enough: Enough) -> Self {
        Self { bytes: Vec::with_capacity(ROOM.min(max)), max, overflow: false, enough, chars: 0, counted: 0 }
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// Bytes written so far.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes a text, and says whether more is to come.
    #[inline]
    pub(super) fn put(&mut self, text: &str) -> bool {
        self.take(text.as_bytes())
    }

    #[inline]
    fn take(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.max.saturating_sub(self.bytes.len()) {
            self.overflow = true;
            return false;
        }
        self.bytes.extend_from_slice(bytes);
        // There are at least as many bytes as characters.
        self.bytes.len() < self.enough.chars || !(self.enough.ends && self.is_enough())
    }

    /// Whether there is as much as is of use.
    pub(super) fn is_enough(&mut self) -> bool {
        // There are at least as many bytes as characters.
        if self.bytes.len() < self.enough.chars {
            return false;
        }
        let more = self.bytes.get(self.counted..).unwrap_or_default();
        let begins = |byte: &&u8| (**byte as i8) >= -0x40;
        // Counting is slow, and most texts need none.
        self.chars += if more.is_ascii() { more.len() } else { more.iter().filter(begins).count() };
        self.counted = self.bytes.len();
        self.chars >= self.enough.chars
    }

    /// What was written. It came as `str`s, so that nothing is lost here.
    pub(super) fn into_text(self) -> String {
        String::from_utf8(self.bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}

impl io::Write for &mut Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.take(bytes) { Ok(bytes.len()) } else { Err(io::Error::other("there is no room, or enough")) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
