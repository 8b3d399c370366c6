//! A file for redb in which a flipped bit is found.

use std::io;
use std::path::{Path, PathBuf};

/// A redb storage backend that keeps a CRC-32C of every 4 KiB page in a side file (`<path>.crc`) and
/// checks it on every read. A mismatch is an [`io::ErrorKind::InvalidData`] error.
#[derive(Debug)]
pub struct CheckedFile {
    path: PathBuf,
}

impl CheckedFile {
    /// Opens or creates the file and its side file.
    pub fn open(path: &Path) -> io::Result<Self> {
        todo!()
    }

    /// Deletes a database and its side file; it is no error where they are not there.
    pub fn remove(path: &Path) -> io::Result<()> {
        todo!()
    }
}

impl redb::StorageBackend for CheckedFile {
    fn len(&self) -> io::Result<u64> {
        todo!()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        todo!()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        todo!()
    }

    fn sync_data(&self) -> io::Result<()> {
        todo!()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        todo!()
    }
}
