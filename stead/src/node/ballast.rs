//! Ballast: space that is set aside while there is plenty, so that a node can start on a disk that is full.
//!
//! A start has to put into log, packs and views what was acknowledged last, and that takes room; without it the
//! node could neither answer rightly nor take a delete that makes room. Client writes stay refused by the reserve.
//! Promises: the file holds nothing, may be deleted at any time, and is made anew when there is room again.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use stead_runtime::{Space, blocking};

/// The file's name in the data directory.
const FILE: &str = "ballast";
/// Bytes set aside: twice what the log and its views want free before they apply anything.
const BYTES: u64 = 16 << 20;
/// Bytes that a start wants free.
const START: u64 = 12 << 20;
/// The ballast is at most this part of a file system.
const PART: u64 = 8;

/// Before anything is opened: gives the ballast up where there is no room to start. Answers whether it did.
pub(super) fn give_up(data: &Path, space: &Space) -> bool {
    if space.has(START) {
        return false;
    }
    let given = std::fs::remove_file(data.join(FILE));
    match &given {
        Ok(()) => tracing::warn!(
            bytes = BYTES,
            "the disk is full: the ballast is given up for this start"
        ),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            tracing::warn!("the disk is full, and there is no ballast")
        }
        Err(error) => tracing::warn!(%error, "the disk is full, and the ballast cannot be given up"),
    }
    given.is_ok()
}

/// Sets the ballast aside where there is none, and room for it above the reserve for client writes. Answers
/// whether it did. Blocking.
fn take(data: &Path, space: &Space) -> io::Result<bool> {
    let path = data.join(FILE);
    let whole = rustix::fs::statvfs(data).map(|stat| stat.f_blocks.saturating_mul(stat.f_frsize))?;
    if path.exists() || whole / PART < BYTES || !space.admits(2 * BYTES) {
        return Ok(false);
    }
    let half = path.with_extension("tmp");
    let made = fill(&half).and_then(|()| std::fs::rename(&half, &path));
    if made.is_err() {
        let _ = std::fs::remove_file(&half); // what was taken so far is given back
    }
    made.map(|()| true)
}

/// As [`take`], off the async threads; nothing depends on it.
pub(super) async fn look_after(data: &Path, space: &Space) {
    let (data, space) = (data.to_owned(), space.clone());
    match blocking(move || take(&data, &space)).await {
        Ok(taken) => tracing::debug!(taken, "looked after the ballast"),
        // Not every file system can set space aside; then a start on a full disk has none to give up.
        Err(error) => tracing::debug!(%error, "no ballast could be set aside"),
    }
}

fn fill(path: &Path) -> io::Result<()> {
    let mut open = OpenOptions::new();
    let file: File = open
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, BYTES)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn it_takes_real_space_once_and_goes_only_where_there_is_no_room() {
        let temp = tempfile::tempdir().unwrap();
        let roomy = Space::new(temp.path(), 0);
        assert!(take(temp.path(), &roomy).unwrap());
        let meta = std::fs::metadata(temp.path().join(FILE)).unwrap();
        assert!(meta.blocks() * 512 >= BYTES && meta.mode() & 0o077 == 0);
        assert!(!take(temp.path(), &roomy).unwrap(), "once is enough");
        assert!(!give_up(temp.path(), &roomy), "there is room");
        assert!(temp.path().join(FILE).exists());
    }

    #[test]
    fn it_does_not_touch_the_reserve() {
        let temp = tempfile::tempdir().unwrap();
        let full = Space::new(temp.path(), u64::MAX / 2);
        assert!(!take(temp.path(), &full).unwrap());
        assert!(!temp.path().join(FILE).exists());
    }
}
