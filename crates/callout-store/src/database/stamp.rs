//! Whether anything was committed, told by the log's file.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How a database's log was found. As long as it is found so, nothing was committed, by whatever process; see
/// [`crate::Store::change_stamp`] for what cannot be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeStamp {
    device: u64,
    inode: u64,
    length: u64,
    /// Since 1970-01-01 UTC, by the clock of the file system: compared, and nothing else.
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A commit writes to the log first, and can be seen some time after that, when the log is on the disk; and the
/// times of files go in steps. A log that has not been as it is for so long is not judged by.
const SETTLED: Duration = Duration::from_secs(1);

/// SQLite's write-ahead log, watched.
pub(super) struct Log {
    path: PathBuf,
    /// How it was found last, and when it was first found so.
    last: Mutex<Option<(ChangeStamp, Instant)>>,
}

impl Log {
    /// Of the database in that file, which is there.
    pub(super) fn of(database: &Path) -> Self {
        // SQLite's own stands beside what a link leads to.
        let mut path = std::fs::canonicalize(database).unwrap_or_else(|_| database.to_owned()).into_os_string();
        path.push("-wal");
        Self { path: path.into(), last: Mutex::default() }
    }

    /// How it is found at that moment, if it has been so for long enough.
    pub(super) fn stamp(&self, now: Instant) -> Option<ChangeStamp> {
        let found = ChangeStamp::of(&self.path)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((stamp, since)) if stamp == found => {
                (now.saturating_duration_since(since) >= SETTLED).then_some(found)
            }
            _ => {
                *last = Some((found, now));
                None
            }
        }
    }
}

impl ChangeStamp {
    #[cfg(unix)]
    fn of(path: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            length: found.len(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }

    /// Elsewhere a file's time may change only when it is closed.
    #[cfg(not(unix))]
    fn of(_: &Path) -> Option<Self> {
        None
    }
}

#[cfg(all(test, unix))]
mod tests {
    use callout_core::time::{Clock, StillClock};

    use super::*;

    #[test]
    fn a_log_is_judged_by_once_it_has_been_as_it_is_for_a_second() {
        let folder = tempfile::tempdir().unwrap();
        let (database, link) = (folder.path().join("it.db"), folder.path().join("link.db"));
        std::fs::write(&database, "").unwrap();
        std::os::unix::fs::symlink(&database, &link).unwrap();
        let written = folder.path().join("it.db-wal");
        let log = Log::of(&link);
        let start = StillClock::new().now();
        let at = |milliseconds| log.stamp(start + Duration::from_millis(milliseconds));
        assert_eq!(at(0), None, "there is none");
        std::fs::write(&written, "one").unwrap();
        assert_eq!((at(5_000), at(5_999)), (None, None));
        let first = at(6_000);
        assert!(first.is_some() && at(9_000) == first);
        std::fs::write(&written, "longer").unwrap();
        assert_eq!((at(9_001), at(10_000)), (None, None));
        let second = at(10_001);
        assert!(second.is_some() && second != first);
        // Begun anew, and its time put back.
        let modified = written.metadata().unwrap().modified().unwrap();
        std::fs::remove_file(&written).unwrap();
        assert_eq!(at(10_002), None);
        std::fs::write(&written, "short").unwrap();
        std::fs::File::options().write(true).open(&written).unwrap().set_modified(modified).unwrap();
        assert_eq!(at(20_000), None);
    }
}
