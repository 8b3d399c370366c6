//! The process: its runtime and its limits.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Threads for blocking work (file reads, hashing) beside the async ones.
const BLOCKING_THREADS: usize = 32;

/// A runtime with a worker for each core.
pub fn runtime() -> std::io::Result<Runtime> {
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(Duration::from_secs(5))
        .thread_name("stead")
        .enable_all()
        .build()
}

/// Raises the number of files that may be open as far as the system lets us: each connection is one.
/// Answers the limit that holds.
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    if limit.current < limit.maximum {
        let raised = Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        };
        if let Err(e) = setrlimit(Resource::Nofile, raised) {
            tracing::warn!(error = %e, "the limit of open files stays as it was");
        }
    }
    getrlimit(Resource::Nofile).current
}
