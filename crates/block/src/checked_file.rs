//! A file for redb in which a flipped bit is found.
//!
//! redb keeps checksums of its pages but compares them only while it repairs. [`CheckedFile`] keeps a
//! CRC-32C of every 4 KiB page, in memory and in a side file (`<path>.crc`), and compares on every read.
//!
//! The two files are kept consistent over a crash by redb's own rule that a page in use is never written
//! over, with page 0 (the header) as the only exception:
//! - `sync_data` writes and flushes the checksums before the pages, so whatever a header refers to has its
//!   checksum on disk. Pages of a commit that never completed may disagree; nobody reads them.
//! - Page 0 has its last few checksums in the side file's header, flushed before page 0 is written; any of
//!   them is accepted when the file is opened.
//! - A one-phase commit (redb's default) lets the header reach the disk before its pages. After an unclean
//!   stop in that mode redb compares its own checksums of the whole tree, so the side file is then made
//!   anew from the pages. Commit with `WriteTransaction::set_quick_repair(true)`, which is two-phase, and
//!   this never happens: opening stays quick after a crash too.
//!
//! Format of the side file: 4 KiB of header (`STEADCRC`, version as u32, four checksums of page 0, the
//! CRC-32C of those 28 bytes), then one u32 a page, page 0's unused. All little-endian. Zero is a page never
//! written, which must read as zeros; a checksum that is zero is stored as one.

use parking_lot::{Mutex, RwLock};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes that one checksum covers; redb's page size.
const PAGE: usize = 4096;
/// Checksums in one 4 KiB block of the side file.
const PER_BLOCK: usize = PAGE / 4;
const MAGIC: &[u8; 8] = b"STEADCRC";
const VERSION: u32 = 1;
/// Where redb's header has its flags, and two of them (redb `docs/design.md`, "god byte").
const FLAGS_AT: usize = 9;
const RECOVERY_REQUIRED: u8 = 2;
const TWO_PHASE: u8 = 4;

/// A redb storage backend that checks a CRC-32C of every 4 KiB page on every read. A mismatch is an
/// [`io::ErrorKind::InvalidData`] error that names the file and the page; redb then refuses all further
/// work until the database is opened again.
#[derive(Debug)]
pub struct CheckedFile {
    path: PathBuf,
    data: File,
    side: File,
    state: RwLock<State>,
    /// Held by writers for as long as a page's bytes and its checksum may disagree.
    writing: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    /// By page; zero where never written.
    crcs: Vec<u32>,
    /// Checksums of page 0 that may be found on disk, the newest first.
    header: [u32; 4],
    /// Blocks of `crcs` that the side file does not have yet.
    dirty: BTreeSet<usize>,
}

fn crc_of(page: &[u8]) -> u32 {
    crc32c::crc32c(page).max(1)
}

fn side_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".crc");
    name.into()
}

impl CheckedFile {
    /// Opens or creates the file and its side file. An error of kind [`io::ErrorKind::InvalidData`] says
    /// that one of them is damaged.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let data = options.open(path)?;
        let side = options.open(side_path(path))?;
        let file = Self {
            path: path.to_owned(),
            data,
            side,
            state: RwLock::default(),
            writing: Mutex::new(()),
        };
        file.load()?;
        Ok(file)
    }

    /// As [`Self::open`], of files that are there, for reading alone: neither is changed, and neither need be
    /// writable. What is written to it fails.
    pub fn open_read(path: &Path) -> io::Result<Self> {
        let file = Self {
            path: path.to_owned(),
            data: File::open(path)?,
            side: File::open(side_path(path))?,
            state: RwLock::default(),
            writing: Mutex::new(()),
        };
        if file.data.metadata()?.len() == 0 {
            return Err(file.damaged("it is empty"));
        }
        file.load()?;
        Ok(file)
    }

    /// Deletes a database and its side file; it is no error where they are not there.
    pub fn remove(path: &Path) -> io::Result<()> {
        for file in [path.to_owned(), side_path(path)] {
            match std::fs::remove_file(file) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
        }
        Ok(())
    }

    /// Moves a database and its side file, replacing what is there. A crash in between leaves two files
    /// that do not belong together, which the next opening finds.
    pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(side_path(from), side_path(to))?;
        std::fs::rename(from, to)
    }

    fn damaged(&self, what: impl std::fmt::Display) -> io::Error {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("{} is damaged: {what}", self.path.display()),
        )
    }

    fn load(&self) -> io::Result<()> {
        let len = self.data.metadata()?.len();
        let pages = len.div_ceil(PAGE as u64) as usize;
        if len == 0 {
            self.side.set_len(0)?;
            self.write_side_header(&[0; 4])?;
            return self.side.sync_all();
        }
        let header = self.read_side_header()?;
        let mut bytes = vec![0; pages * 4];
        let have = ((self.side.metadata()?.len()).saturating_sub(PAGE as u64) as usize).min(bytes.len());
        self.side.read_exact_at(&mut bytes[..have], PAGE as u64)?;
        let crcs = bytes
            .chunks_exact(4)
            .map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        *self.state.write() = State {
            crcs,
            header,
            dirty: BTreeSet::new(),
        };
        let first = self.read_page(0)?;
        if !header.contains(&crc_of(&first)) {
            return Err(self.damaged("page 0 has another checksum"));
        }
        let flags = first[FLAGS_AT];
        if flags & RECOVERY_REQUIRED != 0 && flags & TWO_PHASE == 0 {
            self.adopt(pages)?;
        }
        Ok(())
    }

    /// Takes the checksums from the pages as they are, for a file whose pages redb is about to verify.
    fn adopt(&self, pages: usize) -> io::Result<()> {
        let mut state = self.state.write();
        for page in 1..pages {
            let bytes = self.read_page(page)?;
            let crc = if bytes.iter().all(|b| *b == 0) {
                0
            } else {
                crc_of(&bytes)
            };
            if state.crcs[page] != crc {
                state.crcs[page] = crc;
                state.dirty.insert(page / PER_BLOCK);
            }
        }
        Ok(())
    }

    fn read_side_header(&self) -> io::Result<[u32; 4]> {
        let mut head = [0; 32];
        self.side
            .read_exact_at(&mut head, 0)
            .map_err(|_| self.damaged("its checksum file is too short"))?;
        let word = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if &head[..8] != MAGIC || word(28) != crc32c::crc32c(&head[..28]) {
            return Err(self.damaged("its checksum file has no valid header"));
        }
        if word(8) != VERSION {
            return Err(self.damaged("its checksum file is of another version"));
        }
        Ok([word(12), word(16), word(20), word(24)])
    }

    fn write_side_header(&self, header: &[u32; 4]) -> io::Result<()> {
        let mut head = Vec::with_capacity(32);
        head.extend_from_slice(MAGIC);
        head.extend_from_slice(&VERSION.to_le_bytes());
        for crc in header {
            head.extend_from_slice(&crc.to_le_bytes());
        }
        head.extend_from_slice(&crc32c::crc32c(&head).to_le_bytes());
        self.side.write_all_at(&head, 0)
    }

    /// One whole page, padded with zeros where the file ends inside it. Not checked.
    fn read_page(&self, page: usize) -> io::Result<[u8; PAGE]> {
        let mut bytes = [0; PAGE];
        let mut at = 0;
        while at < PAGE {
            match self.data.read_at(&mut bytes[at..], (page * PAGE + at) as u64) {
                Ok(0) => break,
                Ok(n) => at += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(bytes)
    }

    fn matches(state: &State, page: usize, bytes: &[u8]) -> bool {
        if page == 0 {
            return state.header.contains(&crc_of(bytes));
        }
        match state.crcs.get(page).copied().unwrap_or(0) {
            0 => bytes.iter().all(|b| *b == 0),
            crc => crc == crc_of(bytes),
        }
    }

    fn check(&self, page: usize, bytes: &[u8]) -> io::Result<()> {
        if Self::matches(&self.state.read(), page, bytes) {
            return Ok(());
        }
        // A write of this page may have been under way; with the writers locked out there is no doubt.
        let _quiet = self.writing.lock();
        if Self::matches(&self.state.read(), page, &self.read_page(page)?) {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the page was being written",
            ));
        }
        Err(self.damaged(format_args!("page {page} has another checksum")))
    }

    fn read_checked(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.data.read_exact_at(out, offset)?;
        let mut at = 0;
        while at < out.len() {
            let position = offset + at as u64;
            let (page, inside) = (
                (position / PAGE as u64) as usize,
                (position % PAGE as u64) as usize,
            );
            let take = (PAGE - inside).min(out.len() - at);
            if take == PAGE {
                self.check(page, &out[at..at + take])?;
            } else {
                let whole = self.read_page(page)?;
                self.check(page, &whole)?;
                out[at..at + take].copy_from_slice(&whole[inside..inside + take]);
            }
            at += take;
        }
        Ok(())
    }

    /// Notes the checksums that the pages will have once `data` is written at `offset`.
    fn note(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut at = 0;
        while at < data.len() {
            let position = offset + at as u64;
            let (page, inside) = (
                (position / PAGE as u64) as usize,
                (position % PAGE as u64) as usize,
            );
            let take = (PAGE - inside).min(data.len() - at);
            let crc = if take == PAGE {
                crc_of(&data[at..at + take])
            } else {
                let mut whole = self.read_page(page)?;
                whole[inside..inside + take].copy_from_slice(&data[at..at + take]);
                crc_of(&whole)
            };
            self.set(page, crc)?;
            at += take;
        }
        Ok(())
    }

    fn set(&self, page: usize, crc: u32) -> io::Result<()> {
        let mut state = self.state.write();
        if page == 0 {
            if state.header[0] != crc {
                state.header.rotate_right(1);
                state.header[0] = crc;
                self.write_side_header(&state.header)?;
                self.side.sync_data()?;
            }
            return Ok(());
        }
        if state.crcs.len() <= page {
            state.crcs.resize(page + 1, 0);
        }
        state.crcs[page] = crc;
        state.dirty.insert(page / PER_BLOCK);
        Ok(())
    }

    fn write_side(&self) -> io::Result<()> {
        let (blocks, bytes) = {
            let mut state = self.state.write();
            let dirty = std::mem::take(&mut state.dirty);
            let mut bytes = Vec::with_capacity(dirty.len() * PAGE);
            for block in &dirty {
                let from = (block * PER_BLOCK).min(state.crcs.len());
                let to = (from + PER_BLOCK).min(state.crcs.len());
                bytes.extend(state.crcs[from..to].iter().flat_map(|crc| crc.to_le_bytes()));
                bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
            }
            (dirty, bytes)
        };
        if blocks.is_empty() {
            return Ok(());
        }
        let written = blocks
            .iter()
            .zip(bytes.chunks(PAGE))
            .try_for_each(|(block, chunk)| self.side.write_all_at(chunk, (PAGE + block * PAGE) as u64));
        if let Err(e) = written.and_then(|()| self.side.sync_data()) {
            self.state.write().dirty.extend(blocks);
            return Err(e);
        }
        Ok(())
    }
}

impl redb::StorageBackend for CheckedFile {
    fn len(&self) -> io::Result<u64> {
        Ok(self.data.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        loop {
            match self.read_checked(offset, out) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                done => return done,
            }
        }
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let _writing = self.writing.lock();
        let pages = len.div_ceil(PAGE as u64) as usize;
        {
            let mut state = self.state.write();
            let old = state.crcs.len();
            if pages < old {
                state.crcs[pages..].fill(0);
                state.dirty.extend((pages / PER_BLOCK)..=(old / PER_BLOCK));
                let crcs = std::mem::take(&mut state.crcs);
                state.crcs = crcs[..pages].to_vec();
            }
        }
        self.data.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write_side()?;
        self.data.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let _writing = self.writing.lock();
        self.note(offset, data)?;
        self.data.write_all_at(data, offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

    const TABLE: TableDefinition<u64, &[u8]> = TableDefinition::new("t");

    fn database(path: &Path) -> Result<Database, redb::DatabaseError> {
        let file =
            CheckedFile::open(path).map_err(|e| redb::DatabaseError::Storage(redb::StorageError::Io(e)))?;
        Database::builder()
            .set_cache_size(64 * 1024)
            .create_with_backend(file)
    }

    fn fill(db: &Database, from: u64, to: u64, quick: bool) {
        let mut tx = db.begin_write().unwrap();
        tx.set_quick_repair(quick);
        {
            let mut table = tx.open_table(TABLE).unwrap();
            for n in from..to {
                table.insert(n, [n as u8; 200].as_slice()).unwrap();
            }
        }
        tx.commit().unwrap();
    }

    fn sum(db: &Database) -> Result<u64, redb::Error> {
        let tx = db.begin_read()?;
        let table = tx.open_table(TABLE)?;
        let mut count = 0;
        for row in table.iter()? {
            let (key, value) = row?;
            assert_eq!(value.value(), [key.value() as u8; 200].as_slice());
            count += 1;
        }
        Ok(count)
    }

    fn copy(from: &Path, to: &Path) {
        std::fs::copy(from, to).unwrap();
        std::fs::copy(side_path(from), side_path(to)).unwrap();
    }

    #[test]
    fn a_database_survives_reopening_growing_and_shrinking() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.redb");
        for round in 0..4 {
            let db = database(&path).unwrap();
            fill(&db, round * 1000, (round + 1) * 1000, round % 2 == 0);
            assert_eq!(sum(&db).unwrap(), (round + 1) * 1000);
        }
        let mut db = database(&path).unwrap();
        let tx = db.begin_write().unwrap();
        tx.delete_table(TABLE).unwrap();
        tx.commit().unwrap();
        db.compact().unwrap();
        fill(&db, 0, 10, true);
        drop(db);
        assert_eq!(sum(&database(&path).unwrap()).unwrap(), 10);
    }

    #[test]
    fn the_files_of_a_killed_process_open_again() {
        let dir = tempfile::tempdir().unwrap();
        let (path, copied) = (dir.path().join("a.redb"), dir.path().join("b.redb"));
        for quick in [true, false] {
            CheckedFile::remove(&path).unwrap();
            let db = database(&path).unwrap();
            for round in 0..5 {
                fill(&db, round * 500, (round + 1) * 500, quick);
                // What a killed process leaves: everything written, nothing closed.
                copy(&path, &copied);
                let reopened = database(&copied).unwrap();
                assert_eq!(sum(&reopened).unwrap(), (round + 1) * 500);
                fill(&reopened, 100_000, 100_100, quick);
                drop(reopened);
                assert_eq!(sum(&database(&copied).unwrap()).unwrap(), (round + 1) * 500 + 100);
            }
        }
    }

    #[test]
    fn every_flipped_bit_is_found_or_without_effect() {
        let dir = tempfile::tempdir().unwrap();
        let (path, bad) = (dir.path().join("a.redb"), dir.path().join("b.redb"));
        let db = database(&path).unwrap();
        fill(&db, 0, 3000, true);
        drop(db);
        let len = std::fs::metadata(&path).unwrap().len();
        let rng = stead_runtime::Rng::seeded(7);
        let mut found = 0;
        for round in 0..120 {
            copy(&path, &bad);
            let file = OpenOptions::new().read(true).write(true).open(&bad).unwrap();
            // Half of them in the first pages, where the header is.
            let at = rng.below(if round % 2 == 0 { 3 * PAGE as u64 } else { len });
            let mut byte = [0];
            file.read_exact_at(&mut byte, at).unwrap();
            byte[0] ^= 1 << rng.below(8);
            file.write_all_at(&byte, at).unwrap();
            match database(&bad) {
                Err(_) => found += 1,
                Ok(db) => match sum(&db) {
                    Err(_) => found += 1,
                    Ok(count) => assert_eq!(count, 3000),
                },
            }
        }
        assert!(found > 20, "{found}");
    }

    #[test]
    fn a_missing_or_foreign_side_file_is_damage() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.redb");
        fill(&database(&path).unwrap(), 0, 10, true);
        std::fs::remove_file(side_path(&path)).unwrap();
        assert_eq!(
            CheckedFile::open(&path).unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
}
