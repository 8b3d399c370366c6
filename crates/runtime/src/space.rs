//! Free space: asked before writing, so that a full disk is refused cleanly instead of met half way.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes that an unprivileged process can still write in the file system that holds `path`.
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

/// The size of the file system that holds `path`, in bytes.
pub fn total_bytes(path: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(path)?;
    Ok(stat.f_blocks.saturating_mul(stat.f_frsize))
}

/// The free space of a data directory, with a reserve that client writes may not touch: what is written
/// for them already (log, views, consensus) must still find room.
#[derive(Clone, Debug)]
pub struct Space(Arc<(PathBuf, u64)>);

impl Space {
    /// Watches the file system of `path`, keeping `reserve` bytes.
    pub fn new(path: &Path, reserve: u64) -> Self {
        Self(Arc::new((path.to_owned(), reserve)))
    }

    /// Whether a client's `bytes` still fit above the reserve. Where the question itself fails the answer
    /// is yes: the write will meet the error and name it.
    pub fn admits(&self, bytes: u64) -> bool {
        let (path, reserve) = &*self.0;
        free_bytes(path).map_or(true, |free| free >= reserve.saturating_add(bytes))
    }

    /// Bytes that client writes may not use.
    pub fn reserve(&self) -> u64 {
        self.0.1
    }

    /// Bytes that are free, the reserve included; `None` where the question fails.
    pub fn free(&self) -> Option<u64> {
        free_bytes(&self.0.0).ok()
    }

    /// The size of the file system, in bytes; `None` where the question fails.
    pub fn total(&self) -> Option<u64> {
        total_bytes(&self.0.0).ok()
    }

    /// Whether `bytes` of our own (not a client's) still fit, ignoring the reserve.
    pub fn has(&self, bytes: u64) -> bool {
        free_bytes(&self.0.0).map_or(true, |free| free >= bytes)
    }
}
