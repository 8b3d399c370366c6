//! Segment files: their names, how they are made ready, and reading from them.
//!
//! A segment is filled with zeros and synced before it is used, so that a later write changes no metadata
//! and `fdatasync` has nothing but data to wait for.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One segment file.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its number; names count up without gaps.
    pub number: u64,
    /// Where it is.
    pub path: PathBuf,
    /// Open for reading and writing.
    pub file: Arc<File>,
    /// Bytes set aside for it.
    pub size: u64,
    /// The highest index of an entry in it, if it holds any.
    pub last_index: Option<u64>,
}

/// The file of segment `number`.
pub fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:020}.wal"))
}

/// The numbers of the segments in `dir`, ascending.
pub fn list(dir: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let name = entry?.file_name();
        if let Some(number) = name.to_str().and_then(|name| name.strip_suffix(".wal")) {
            numbers.extend(number.parse::<u64>().ok());
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Syncs a directory, so that names made or removed in it stay so.
pub fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Makes segment `number`: zeros, synced, its name durable. A half-made file of that name is replaced.
pub fn create(dir: &Path, number: u64, size: u64) -> io::Result<Segment> {
    #[cfg(test)]
    if dir.join("full").exists() {
        return Err(io::ErrorKind::StorageFull.into()); // how a test says that there is no room
    }
    let path = path(dir, number);
    let made = fill(&path, size).and_then(|file| sync_dir(dir).map(|()| file));
    if made.is_err() {
        // What was taken so far is given back: the disk is probably full.
        let _ = std::fs::remove_file(&path);
    }
    Ok(Segment {
        number,
        path,
        file: Arc::new(made?),
        size,
        last_index: None,
    })
}

fn fill(path: &Path, size: u64) -> io::Result<File> {
    const ZEROS: &[u8] = &[0; 256 * 1024];
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(path)?;
    match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, size) {
        // Not every file system can; writing the zeros does the same, only in smaller pieces.
        Err(rustix::io::Errno::OPNOTSUPP) | Ok(()) => {}
        Err(error) => return Err(error.into()),
    }
    let mut at = 0;
    while at < size {
        let take = (size - at).min(ZEROS.len() as u64);
        file.write_all_at(&ZEROS[..take as usize], at)?;
        at += take;
    }
    file.sync_all()?;
    Ok(file)
}

/// Opens an existing segment.
pub fn open(dir: &Path, number: u64) -> io::Result<Segment> {
    let path = path(dir, number);
    let file = OpenOptions::new().read(true).write(true).open(&path)?;
    let size = file.metadata()?.len();
    Ok(Segment {
        number,
        path,
        file: Arc::new(file),
        size,
        last_index: None,
    })
}

/// Whether an error says that the disk (or the quota) is full.
pub fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
