//! Moments as the store keeps them.

use std::{fmt, str::FromStr, time::Duration};

/// A moment in microseconds since 1970-01-01 UTC. `Display` writes it as RFC 3339 with `Z`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// So many microseconds since 1970.
    pub const fn from_unix_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// A time since 1970-01-01 UTC, as a [clock](callout_core::time::Clock::unix) tells it. One that is too late
    /// becomes the latest.
    pub fn from_unix(unix: Duration) -> Self {
        Self(i64::try_from(unix.as_micros()).unwrap_or(i64::MAX))
    }

    /// Microseconds since 1970.
    pub const fn unix_micros(self) -> i64 {
        self.0
    }

    /// So many days later.
    #[must_use]
    pub const fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(days as i64 * 86_400_000_000))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(end).fmt(f)
    }
}

/// A text that is no moment in RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z")]
pub struct BadTimestamp(String);

impl FromStr for Timestamp {
    type Err = BadTimestamp;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read: Result<jiff::Timestamp, _> = text.parse();
        read.map(|read| Self(read.as_microsecond())).map_err(|_| BadTimestamp(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_3339_both_ways() {
        for (micros, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_767_225_600_000_000, "2026-01-01T00:00:00Z"),
            (1_767_225_600_123_456, "2026-01-01T00:00:00.123456Z"),
            (-1, "1969-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(Timestamp::from_unix_micros(micros).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp::from_unix_micros(micros)));
        }
        assert_eq!("2026-01-01T01:00:00+01:00".parse(), Ok(Timestamp::from_unix_micros(1_767_225_600_000_000)));
        assert!("yesterday".parse::<Timestamp>().is_err());
        assert!(Timestamp::from_unix_micros(i64::MAX).to_string().starts_with("9999-12-30T"));
        assert_eq!(Timestamp::from_unix(Duration::from_secs(1)).unix_micros(), 1_000_000);
        assert_eq!(Timestamp::from_unix(Duration::MAX).unix_micros(), i64::MAX);
        assert_eq!(Timestamp::default().plus_days(2).unix_micros(), 172_800_000_000);
    }
}
