//! How many files this process may have open, and so how many clients it can serve at once.

/// Files for what is neither a client nor an upstream: the database, the listener, standard output.
#[cfg(unix)]
const BESIDE: u64 = 64;

/// Has the system allow this process as many open files as it does at most, and says how many connections can be
/// served then: all that are wanted or, told in the log, fewer.
#[cfg(unix)]
pub(super) fn room_for(wanted: usize) -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let limit = getrlimit(Resource::Nofile);
    let Some(current) = limit.current else { return wanted };
    // Where nothing bounds it, a bound has to be named all the same.
    let most = limit.maximum.unwrap_or_else(|| current.max(files_for(wanted)));
    let raised = Rlimit { current: Some(most), maximum: limit.maximum };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { most } else { current };
    let room = connections_with(files).min(wanted);
    if room < wanted {
        tracing::warn!(
            open_files = files,
            "this process may have few files open (`ulimit -n`): of {wanted} connections at once it serves {room}, and \
             others wait"
        );
    }
    room
}

/// Has the system allow this process as many open files as it does at most: here it has no such limit.
#[cfg(not(unix))]
pub(super) fn room_for(wanted: usize) -> usize {
    wanted
}

/// For each connection its own file, and one of the upstream that its call goes to.
#[cfg(unix)]
fn files_for(connections: usize) -> u64 {
    (connections as u64).saturating_mul(2).saturating_add(BESIDE)
}

/// The other way round; one at least.
#[cfg(unix)]
fn connections_with(files: u64) -> usize {
    usize::try_from(files.saturating_sub(BESIDE) / 2).unwrap_or(usize::MAX).max(1)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_files_are_for_calls() {
        for (files, connections) in [(0, 1), (66, 1), (256, 96), (1024, 480), (8256, 4096)] {
            assert_eq!(connections_with(files), connections, "{files}");
        }
        assert_eq!(files_for(4096), 8256);
    }
}
