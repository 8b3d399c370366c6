//! Where packs are: the store's own directory, and others that are on more disks.
//!
//! Each further directory has a slot. The slot is in a marker file in it, in a register beside the own packs, and in the
//! upper eight bits of the numbers of all packs that are made there: packs of a disk that is away never share a number
//! with new ones, and a mount point without its disk is never taken for an empty disk.

use super::register::{MARKER, Marker, REGISTER, Register, Registered};
use crate::BlockError;
use crate::key::Key;
use crate::pack::file::sync_dir;
use crate::pack::numbers;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use stead_runtime::{Rng, Space, free_bytes, total_bytes};

/// Bits of a pack's number below its slot.
const SLOT_SHIFT: u32 = 24;

/// How a directory of packs is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DirectoryState {
    /// Read and written.
    InUse,
    /// Read, and written no more: it is being emptied.
    Leaving,
    /// Its disk was not there when the store was opened. What is on it is missing here until then.
    Away,
    /// Writing to it failed. What is on it is missing here until the store is opened anew.
    Failed,
}

/// A directory of packs as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Where it is.
    pub path: PathBuf,
    /// How it is.
    pub state: DirectoryState,
    /// Packs in it.
    pub packs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes that are free in its file system; 0 where it is away.
    pub free: u64,
    /// The size of its file system in bytes; 0 where it is away.
    pub total: u64,
}

/// One directory that was there at the start.
#[derive(Debug)]
pub(super) struct Dir {
    pub path: PathBuf,
    pub slot: u8,
    /// The file system that it is in.
    pub device: u64,
    leaving: AtomicBool,
    failed: AtomicBool,
}

/// All directories; the first is the store's own.
#[derive(Debug)]
pub(super) struct Dirs {
    pub all: Vec<Dir>,
    pub away: Vec<Registered>,
}

fn refused(path: &Path, why: impl Into<String>) -> BlockError {
    BlockError::Directory {
        path: path.to_owned(),
        why: why.into(),
    }
}

fn io_at(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> BlockError {
    let what = format!("{doing} {}", path.display());
    move |e| BlockError::io(what, e)
}

impl Dir {
    fn new(path: &Path, slot: u8) -> Result<Self, BlockError> {
        let device = match std::fs::metadata(path) {
            Ok(found) => found.dev(),
            // Only read, the own directory need not be there.
            Err(e) if e.kind() == io::ErrorKind::NotFound => 0,
            Err(e) => return Err(io_at("looking at", path)(e)),
        };
        Ok(Self {
            path: path.to_owned(),
            slot,
            device,
            leaving: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        })
    }

    pub fn state(&self) -> DirectoryState {
        match (
            self.failed.load(Ordering::Acquire),
            self.leaving.load(Ordering::Acquire),
        ) {
            (true, _) => DirectoryState::Failed,
            (false, true) => DirectoryState::Leaving,
            (false, false) => DirectoryState::InUse,
        }
    }

    /// Takes it out of use; answers whether it was in use.
    pub fn fail(&self) -> bool {
        !self.failed.swap(true, Ordering::AcqRel)
    }

    /// Has nothing more written to it, or again.
    pub fn set_leaving(&self, leaving: bool) {
        self.leaving.store(leaving, Ordering::Release);
    }

    fn free(&self) -> u64 {
        free_bytes(&self.path).unwrap_or(0)
    }
}

impl Dirs {
    /// The own directory, and `more` of them. One that is new is made ready; one whose disk is not there is left out.
    pub fn open(own: &Path, more: &[PathBuf], read_only: bool, rng: &Rng) -> Result<Self, BlockError> {
        let mut this = Self {
            all: vec![Dir::new(own, 0)?],
            away: Vec::new(),
        };
        if let Some(twice) = more
            .iter()
            .enumerate()
            .find(|(n, path)| more[..*n].contains(path))
        {
            return Err(refused(twice.1, "it is named twice"));
        }
        let path = own.join(REGISTER);
        let known = Register::read(&path)?;
        if more.is_empty() && known.is_none() {
            return Ok(this);
        }
        let mut register = known.unwrap_or_else(|| Register::new(rng));
        let before = register.clone();
        for path in more {
            this.add(path, &mut register, read_only)?;
        }
        if register != before && !read_only {
            register.write(&path)?;
        }
        let there = |slot: u8| this.all.iter().any(|dir| dir.slot == slot);
        let gone = register.directories.iter().filter(|known| !there(known.slot));
        this.away = gone.cloned().collect();
        for away in &this.away {
            tracing::error!(path = %away.path.display(), slot = away.slot, "a directory of packs is away; the blocks in it are missing on this node");
        }
        Ok(this)
    }

    fn add(&mut self, path: &Path, register: &mut Register, read_only: bool) -> Result<(), BlockError> {
        let marker = match Marker::read(&path.join(MARKER)) {
            Ok(marker) => marker,
            Err(error) => {
                tracing::error!(path = %path.display(), %error, "a directory of packs cannot be read");
                return Ok(());
            }
        };
        let slot = match marker {
            Some(marker) if marker.store != register.store => {
                return Err(refused(path, "it belongs to another node's store"));
            }
            Some(marker) => marker.slot,
            None if register.by_path(path) && !is_empty_disk(path) => return Ok(()), // away
            None if read_only => return Ok(()),
            None => self.make(path, register)?,
        };
        let dir = Dir::new(path, slot)?;
        if self.all.iter().any(|other| other.slot == slot) || same_place(&self.all, path) {
            return Err(refused(path, "it is named twice, or is a copy of another one"));
        }
        register.set(slot, path);
        self.all.push(dir);
        Ok(())
    }

    /// Makes a new directory ready, durably.
    fn make(&self, path: &Path, register: &Register) -> Result<u8, BlockError> {
        if !path.is_absolute() {
            return Err(refused(path, "its path does not begin with /"));
        }
        match std::fs::create_dir(path) {
            Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(io_at("creating", path)(e)),
            _ => {}
        }
        if same_place(&self.all, path) {
            return Err(refused(path, "it is named twice, or is the data directory's own"));
        }
        if !numbers(path, "pack")?.is_empty() {
            return Err(refused(path, "there are packs in it that are not this node's"));
        }
        let slot = register
            .next_slot()
            .ok_or_else(|| refused(path, "a node takes 255 directories in its life"))?;
        Marker {
            store: register.store.clone(),
            slot,
        }
        .write(&path.join(MARKER))?;
        path.parent().map_or(Ok(()), sync_dir)?;
        tracing::info!(path = %path.display(), slot, "blocks are kept in one more directory");
        Ok(slot)
    }

    /// Whether the directory that a pack was made in is away.
    pub fn is_away(&self, pack: u32) -> bool {
        self.away
            .iter()
            .any(|away| u32::from(away.slot) == pack >> SLOT_SHIFT)
    }

    /// The files with that ending, by number; each with its directory.
    pub fn numbers(&self, extension: &str) -> Result<Vec<(u32, &Path)>, BlockError> {
        let mut found: Vec<(u32, &Path)> = Vec::new();
        for dir in &self.all {
            let listed = numbers(&dir.path, extension)?;
            found.extend(listed.into_iter().map(|number| (number, dir.path.as_path())));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// The number that follows `last`, the highest of a directory's.
    pub fn first_number(&self, at: usize, used: &[u32]) -> u32 {
        let slot = u32::from(self.all[at].slot);
        let own = used.iter().filter(|number| *number >> SLOT_SHIFT == slot);
        own.max().map_or((slot << SLOT_SHIFT) + 1, |last| last + 1)
    }

    /// Where a large block goes: to each directory in the measure of its free room, so that all disks fill up alike
    /// and work at once.
    pub fn choose(&self, key: &Key, space: &Space) -> usize {
        if self.all.len() == 1 {
            return 0;
        }
        let usable = |dir: &Dir| dir.state() == DirectoryState::InUse;
        let room = |dir: &Dir| u128::from(dir.free().saturating_sub(space.reserve()));
        let rooms: Vec<u128> = self
            .all
            .iter()
            .map(|dir| if usable(dir) { room(dir) } else { 0 })
            .collect();
        let point = (u128::from(key.prefix()) * rooms.iter().sum::<u128>()) >> 64;
        let mut passed = 0;
        let hit = rooms.iter().position(|room| {
            passed += room;
            point < passed
        });
        hit.unwrap_or(0)
    }

    /// Whether a client's bytes fit somewhere, and the log beside them.
    pub fn admits(&self, bytes: u64, space: &Space) -> bool {
        let wanted = space.reserve().saturating_add(bytes);
        let mut others = self.all[1..].iter();
        space.admits(bytes)
            || space.admits(0)
                && others.any(|dir| dir.state() == DirectoryState::InUse && dir.free() >= wanted)
    }
}

/// The size of the file systems that packs are kept in, each counted once; of those whose disk is there.
pub(super) fn capacity(own: &Path, more: &[PathBuf]) -> u64 {
    let register = Register::read(&own.join(REGISTER)).ok().flatten();
    let away = |path: &Path| {
        let known = register.as_ref().is_some_and(|register| register.by_path(path));
        known && !path.join(MARKER).exists() && !is_empty_disk(path)
    };
    let mut seen = Vec::new();
    let mut sum = 0;
    // A directory that is still to be made is on its parent's.
    let place = |path: &Path| path.ancestors().find(|path| path.exists()).map(Path::to_owned);
    for path in std::iter::once(own).chain(more.iter().map(PathBuf::as_path)) {
        let Some(place) = place(path).filter(|_| !away(path)) else {
            continue;
        };
        let device = std::fs::metadata(&place).map(|found| found.dev()).ok();
        if !seen.contains(&device) {
            seen.push(device);
            sum += total_bytes(&place).unwrap_or(0);
        }
    }
    sum
}

/// Whether a directory is one of these, under whatever name.
fn same_place(dirs: &[Dir], path: &Path) -> bool {
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    dirs.iter().any(|dir| place(&dir.path) == place(path))
}

/// Whether a disk is mounted there that nothing is on: the successor of one that is gone.
fn is_empty_disk(path: &Path) -> bool {
    let device = |path: &Path| std::fs::metadata(path).map(|found| found.dev()).ok();
    let mounted =
        device(path).is_some() && path.parent().is_some_and(|parent| device(parent) != device(path));
    let bare =
        |entry: io::Result<std::fs::DirEntry>| entry.is_ok_and(|entry| entry.file_name() == "lost+found");
    mounted && std::fs::read_dir(path).is_ok_and(|mut entries| entries.all(bare))
}
