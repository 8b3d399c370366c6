//! A pack's files: opening, positioned reads and writes, the list of dead records.

use super::record::{DEAD_BYTES, PACK_HEADER_BYTES, PackHeader, RECORD_HEADER_BYTES, Record, RecordError};
use crate::BlockError;
use bytes::Bytes;
use parking_lot::Mutex;
use rustix::buffer::spare_capacity;
use rustix::io::{Errno, pread, pwritev};
use std::fs::{File, OpenOptions};
use std::io::{self, IoSlice};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// One pack, open. Reads need no lock; who appends must hold the lane that the pack is active in.
#[derive(Debug)]
pub(crate) struct Pack {
    pub header: PackHeader,
    file: File,
    path: PathBuf,
    /// Whether bytes were written since the last flush began.
    dirty: AtomicBool,
    dead: Mutex<Option<Dead>>,
}

#[derive(Debug)]
struct Dead {
    file: File,
    len: u64,
    dirty: bool,
}

fn pack_path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:06}.pack"))
}

/// The numbers of the files in `dir` that end in `.extension`, ascending.
pub(crate) fn numbers(dir: &Path, extension: &str) -> Result<Vec<u32>, BlockError> {
    let listing = |e| BlockError::io(format!("listing {}", dir.display()), e);
    let mut found = Vec::new();
    let entries = match std::fs::read_dir(dir) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries.map_err(listing)?,
    };
    for entry in entries {
        let path = entry.map_err(listing)?.path();
        if path.extension().is_some_and(|e| e == extension) {
            found.extend(
                path.file_stem()
                    .and_then(|s| s.to_str())
                    .and_then(|s| s.parse::<u32>().ok()),
            );
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Makes names made or removed in `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), BlockError> {
    let synced = File::open(dir).and_then(|d| d.sync_all());
    synced.map_err(|e| BlockError::io(format!("syncing {}", dir.display()), e))
}

impl Pack {
    /// Makes a new pack, durably.
    pub fn create(dir: &Path, number: u32, salt: u64) -> Result<Self, BlockError> {
        let path = pack_path(dir, number);
        let failed = |e| BlockError::io(format!("creating {}", path.display()), e);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(failed)?;
        let header = PackHeader { number, salt };
        let written = file
            .write_all_at(&header.encode(), 0)
            .and_then(|()| file.sync_all());
        if let Err(e) = written {
            let _ = std::fs::remove_file(&path); // best effort: an empty pack is removed at the next start
            return Err(failed(e));
        }
        sync_dir(dir)?;
        Ok(Self {
            header,
            file,
            path,
            dirty: AtomicBool::new(false),
            dead: Mutex::new(None),
        })
    }

    /// Opens a pack; `None` where its creation was interrupted (it holds no record and is removed), or where
    /// no copy of its header is whole. Only read, nothing is removed. Also answers how many copies of the header are damaged.
    pub fn open(dir: &Path, number: u32, read_only: bool) -> Result<Option<(Self, usize)>, BlockError> {
        let path = pack_path(dir, number);
        let failed = |e| BlockError::io(format!("opening {}", path.display()), e);
        let file = OpenOptions::new()
            .read(true)
            .write(!read_only)
            .open(&path)
            .map_err(failed)?;
        let len = file.metadata().map_err(failed)?.len();
        let mut head = vec![0; len.min(PACK_HEADER_BYTES) as usize];
        file.read_exact_at(&mut head, 0).map_err(failed)?;
        match PackHeader::parse(&head) {
            Ok((header, bad)) if header.number == number => {
                let pack = Self {
                    header,
                    file,
                    path,
                    dirty: AtomicBool::new(false),
                    dead: Mutex::new(None),
                };
                Ok(Some((pack, bad)))
            }
            Err(RecordError::TooNew) => Err(failed(io::Error::new(
                io::ErrorKind::Unsupported,
                "it was written by a newer release",
            ))),
            _ if len <= PACK_HEADER_BYTES => {
                if !read_only {
                    std::fs::remove_file(&path).map_err(failed)?;
                }
                Ok(None)
            }
            _ => {
                tracing::error!(pack = %path.display(), "no copy of the pack's header is whole; it is left alone");
                Ok(None)
            }
        }
    }

    pub fn number(&self) -> u32 {
        self.header.number
    }

    fn failed(&self, doing: &str, e: impl Into<io::Error>) -> BlockError {
        BlockError::io(format!("{doing} {}", self.path.display()), e.into())
    }

    /// Bytes in the file.
    pub fn len(&self) -> Result<u64, BlockError> {
        Ok(self
            .file
            .metadata()
            .map_err(|e| self.failed("measuring", e))?
            .len())
    }

    /// Cuts what was left behind by a write that never completed.
    pub fn truncate(&self, len: u64) -> Result<(), BlockError> {
        let cut = self.file.set_len(len);
        self.set_dirty();
        cut.map_err(|e| self.failed("truncating", e))
    }

    /// Appends into `buffer` up to `len` bytes from `offset`, fewer only at the end of the file.
    pub fn read_into(&self, buffer: &mut Vec<u8>, offset: u64, len: usize) -> Result<(), BlockError> {
        let from = buffer.len();
        buffer.reserve(len);
        while buffer.len() - from < len {
            let at = offset + (buffer.len() - from) as u64;
            match pread(&self.file, spare_capacity(buffer), at) {
                Ok(0) => break,
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(self.failed("reading", e)),
            }
        }
        buffer.truncate(from + len);
        Ok(())
    }

    /// The record at `offset` that carries `len` bytes of data, in `buffer` (which must be empty).
    pub fn read_record(
        &self,
        mut buffer: Vec<u8>,
        offset: u64,
        len: u32,
    ) -> Result<(Vec<u8>, Result<Record, RecordError>), BlockError> {
        self.read_into(&mut buffer, offset, RECORD_HEADER_BYTES + len as usize)?;
        let record = match Record::parse_whole(&self.header, offset, &buffer) {
            Ok((record, data)) if data.len() == len as usize => Ok(record),
            Ok(_) => Err(RecordError::Header),
            Err(e) => Err(e),
        };
        Ok((buffer, record))
    }

    /// Writes at `offset`. Where it fails, what is behind `offset` is cut again as far as possible.
    pub fn write(&self, offset: u64, parts: &[&[u8]]) -> Result<(), BlockError> {
        let written = self.write_parts(offset, parts);
        if written.is_err() {
            let _ = self.file.set_len(offset); // best effort: the caller's offset has not moved either
        }
        // Not before: a sync that began meanwhile would take the mark and leave the bytes.
        self.set_dirty();
        written.map_err(|e| self.failed("writing", e))
    }

    fn write_parts(&self, mut offset: u64, parts: &[&[u8]]) -> io::Result<()> {
        let mut slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match pwritev(&self.file, rest, offset) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => {
                    offset += n as u64;
                    IoSlice::advance_slices(&mut rest, n);
                }
                Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }

    /// Lets the kernel begin to write these bytes to disk, so that a later flush has little left to do.
    /// `POSIX_FADV_DONTNEED` does that for dirty pages; it drops only clean ones, of which there are none.
    pub fn begin_writeback(&self, offset: u64, len: u64) {
        if let Some(len) = std::num::NonZeroU64::new(len) {
            let _ = rustix::fs::fadvise(&self.file, offset, Some(len), rustix::fs::Advice::DontNeed);
        }
    }

    /// Has the next [`Self::sync`] flush the pack: something was written, or an earlier process may not have flushed.
    pub fn set_dirty(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    /// Makes what was written durable. After an error nobody knows what the disk has.
    pub fn sync(&self) -> Result<(), BlockError> {
        if self.dirty.swap(false, Ordering::AcqRel) {
            self.file.sync_data().map_err(|e| {
                self.dirty.store(true, Ordering::Release);
                self.failed("syncing", e)
            })?;
        }
        let mut dead = self.dead.lock();
        match &mut *dead {
            Some(list) if list.dirty => {
                list.file
                    .sync_data()
                    .map_err(|e| self.failed("syncing the dead list of", e))?;
                list.dirty = false;
            }
            _ => {}
        }
        Ok(())
    }

    fn open_dead<'a>(&self, dead: &'a mut Option<Dead>) -> Result<&'a mut Dead, BlockError> {
        if dead.is_none() {
            let path = self.path.with_extension("dead");
            let opened = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path);
            let file = opened.map_err(|e| self.failed("opening the dead list of", e))?;
            let len = file
                .metadata()
                .map_err(|e| self.failed("measuring the dead list of", e))?
                .len();
            if len == 0 {
                self.path.parent().map_or(Ok(()), sync_dir)?;
            }
            // An entry that was cut short is written over.
            *dead = Some(Dead {
                file,
                len: len - len % DEAD_BYTES as u64,
                dirty: false,
            });
        }
        Ok(dead.as_mut().expect("it was opened just now"))
    }

    /// Marks records dead. The records must be durable, or a later record in the same place could be meant.
    pub fn mark_dead(&self, records: &[(u32, stead_event::Cid)]) -> Result<(), BlockError> {
        let mut dead = self.dead.lock();
        let list = self.open_dead(&mut dead)?;
        let entries = records
            .iter()
            .filter_map(|(offset, cid)| self.header.encode_dead(*offset, cid));
        let bytes: Vec<u8> = entries.flatten().collect();
        list.file
            .write_all_at(&bytes, list.len)
            .map_err(|e| self.failed("writing the dead list of", e))?;
        list.len += bytes.len() as u64;
        list.dirty = true;
        Ok(())
    }

    /// The dead list from byte `from`: offsets and digest prefixes, and where the list ends now. Damaged
    /// entries are skipped: the worst is a dead block that lives until the next collection.
    pub fn read_dead(&self, from: u64) -> Result<(Vec<(u32, u64)>, u64), BlockError> {
        let path = self.path.with_extension("dead");
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
            Err(e) => return Err(self.failed("reading the dead list of", e)),
        };
        let whole = bytes.len() - bytes.len() % DEAD_BYTES;
        let fresh = bytes[..whole].get(from as usize..).unwrap_or_default();
        let entries = fresh
            .chunks_exact(DEAD_BYTES)
            .filter_map(|e| self.header.parse_dead(e).ok())
            .collect();
        Ok((entries, whole as u64))
    }

    /// Bytes of the dead list.
    pub fn dead_len(&self) -> Result<u64, BlockError> {
        match &*self.dead.lock() {
            Some(list) => Ok(list.len),
            None => Ok(self.read_dead(u64::MAX)?.1),
        }
    }

    /// Takes the pack out of the directory's packs; its bytes stay until [`remove_retired`].
    pub fn retire(&self) -> Result<(), BlockError> {
        std::fs::rename(&self.path, self.path.with_extension("gone"))
            .map_err(|e| self.failed("retiring", e))?;
        sync_dir(self.dir())
    }

    /// The directory that it is in.
    pub fn dir(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }
}

/// Removes a retired pack and its dead list.
pub(crate) fn remove_retired(dir: &Path, number: u32) -> Result<(), BlockError> {
    let pack = pack_path(dir, number);
    for path in [pack.with_extension("dead"), pack.with_extension("gone")] {
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(BlockError::io(format!("removing {}", path.display()), e));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The data of a record that was read whole.
pub(crate) fn data_of(buffer: Vec<u8>) -> Bytes {
    Bytes::from(buffer).slice(RECORD_HEADER_BYTES..)
}
