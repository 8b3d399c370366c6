//! What the block store's tests share.
#![allow(dead_code, clippy::unwrap_used)] // each test file uses some of it; a panic is how a test fails

use bytes::Bytes;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stead_block::{Block, BlockError, LocalOptions, LocalStore};
use stead_runtime::{Clock, ManualTime, Rng, Space};

pub struct Dirs {
    pub root: tempfile::TempDir,
    pub time: Arc<ManualTime>,
    pub pack_bytes: u64,
}

impl Dirs {
    pub fn new(pack_bytes: u64) -> Self {
        let root = tempfile::tempdir().unwrap();
        Self {
            root,
            time: ManualTime::new(1_800_000_000_000_000),
            pack_bytes,
        }
    }

    pub fn packs(&self) -> PathBuf {
        self.root.path().join("blocks")
    }

    pub fn state(&self) -> PathBuf {
        self.root.path().join("state")
    }

    pub fn open(&self) -> LocalStore {
        self.open_in(self.root.path())
    }

    /// Opens a copy of the directories.
    pub fn open_in(&self, root: &Path) -> LocalStore {
        self.open_with(root, &[]).unwrap()
    }

    /// Opens with more directories of packs.
    pub fn open_with(&self, root: &Path, more: &[PathBuf]) -> Result<LocalStore, BlockError> {
        self.open_as(root, more, 1)
    }

    /// As another node would, where the seed is another.
    pub fn open_as(&self, root: &Path, more: &[PathBuf], seed: u64) -> Result<LocalStore, BlockError> {
        let options = LocalOptions {
            more: more.to_vec(),
            pack_bytes: self.pack_bytes,
            cache_bytes: 256 * 1024,
            clock: Clock::from_source(self.time.clone()),
            rng: Rng::seeded(seed),
            ..LocalOptions::default()
        };
        LocalStore::open(
            &root.join("blocks"),
            &root.join("state"),
            options,
            Space::new(root, 0),
        )
    }

    pub fn remove_index(&self) {
        std::fs::remove_dir_all(self.state()).unwrap();
    }

    /// What a killed process leaves behind: all files as they are now.
    pub fn copy(&self) -> tempfile::TempDir {
        let to = tempfile::tempdir().unwrap();
        for dir in ["blocks", "state"] {
            std::fs::create_dir(to.path().join(dir)).unwrap();
            for entry in std::fs::read_dir(self.root.path().join(dir)).unwrap() {
                let entry = entry.unwrap();
                std::fs::copy(entry.path(), to.path().join(dir).join(entry.file_name())).unwrap();
            }
        }
        to
    }

    pub fn pack_files(&self) -> Vec<PathBuf> {
        pack_files(self.root.path())
    }
}

pub fn pack_files(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join("blocks"))
        .unwrap()
        .map(|e| e.unwrap().path());
    let mut files: Vec<PathBuf> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "pack"))
        .collect();
    files.sort();
    files
}

pub fn flip(path: &Path, bit: u64) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
    std::fs::write(path, bytes).unwrap();
}

/// A raw block of `len` bytes that differ by `seed`.
pub fn block(seed: u64, len: usize) -> Block {
    let mut bytes = vec![0; len];
    Rng::seeded(seed).fill(&mut bytes);
    Block::raw(Bytes::from(bytes))
}

pub fn put(store: &LocalStore, blocks: &[Block]) {
    let blocks: Vec<_> = blocks.iter().map(|b| (b.cid, b.bytes.clone())).collect();
    drop(store.append_unsynced(&blocks).unwrap());
}
