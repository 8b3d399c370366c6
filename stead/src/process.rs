//! The process: its runtime, its memory and its limits.

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

/// Has the C library give memory back. By default each thread gets heaps of its own (up to eight for each core),
/// and after the first large buffer is freed, large buffers are cut from these heaps, which then stay resident in
/// pieces: 100 MiB after uploads from four clients, 58 with this. To be called while there is one thread.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)] // no crate offers this call as a safe one
pub fn tune_memory() {
    /// From this size on, a buffer is a mapping of its own, and gone when it is freed.
    const OWN_MAPPING_BYTES: libc::c_int = 512 * 1024;
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let heaps = libc::c_int::try_from(cores.max(2)).unwrap_or(libc::c_int::MAX);
    // SAFETY: `mallopt` takes two integers and keeps no reference; a parameter that it does not know it ignores.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, heaps);
        libc::mallopt(libc::M_MMAP_THRESHOLD, OWN_MAPPING_BYTES);
    }
}

/// Elsewhere the C library's ways are its own.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn tune_memory() {}

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

/// Asks this very process to end, as its operator would.
pub fn terminate() {
    let own = rustix::process::getpid();
    if let Err(error) = rustix::process::kill_process(own, rustix::process::Signal::TERM) {
        tracing::error!(%error, "this process cannot be asked to end");
    }
}
