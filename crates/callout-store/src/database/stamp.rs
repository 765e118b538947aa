//! Whether anything was committed, told by the log's file.

use std::{path::Path, time::Duration};

use super::{Database, On};

/// When a database was last written to. Between two that are equal nothing was committed, by whatever process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeStamp {
    log: Log,
}

/// SQLite's write-ahead log. Each commit writes to it first: it is longer then, or begun anew, and later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Log {
    device: u64,
    inode: u64,
    length: u64,
    /// Since 1970-01-01 UTC.
    modified: Duration,
}

/// A commit can be seen some time after its log was written, when that is on the disk; and the times of files go
/// in steps. A log that was written to since is not judged by.
const SETTLED: Duration = Duration::from_secs(1);

impl Database {
    /// See [`crate::Store::change_stamp`].
    pub(crate) fn change_stamp(&self, unix: Duration) -> Option<ChangeStamp> {
        let On::Sqlite(pools) = &self.0 else { return None };
        pools.check_file().ok()?;
        let (path, _) = pools.file.as_ref()?;
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        let log = Log::of(log.as_ref())?;
        let is_settled = unix.checked_sub(log.modified).is_some_and(|age| age >= SETTLED);
        is_settled.then_some(ChangeStamp { log })
    }
}

impl Log {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(path).ok()?;
        let (seconds, nanoseconds) = (u64::try_from(found.mtime()).ok()?, u32::try_from(found.mtime_nsec()).ok()?);
        let modified = Duration::new(seconds, nanoseconds);
        Some(Self { device: found.dev(), inode: found.ino(), length: found.len(), modified })
    }

    /// Elsewhere a file's time may change only when it is closed.
    #[cfg(not(unix))]
    fn of(_: &Path) -> Option<Self> {
        None
    }
}
