//! Directories of packs in use: how they are, losing one, emptying one.

use super::dirs::{self, Dir, Directory, DirectoryState};
use super::register::{MARKER, REGISTER, Register};
use super::{Inner, LocalStore};
use crate::BlockError;
use crate::pack::Pack;
use crate::pack::file::{remove_retired, sync_dir};
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use stead_runtime::{free_bytes, total_bytes};

impl LocalStore {
    /// All directories of packs, the store's own first; at the end those that are away.
    pub fn directories(&self) -> Vec<Directory> {
        let inner = &self.0;
        let mut packs: HashMap<_, (u64, u64)> = HashMap::new();
        for pack in inner.packs.read().values() {
            let (count, bytes) = packs.entry(pack.dir().to_owned()).or_default();
            *count += 1;
            *bytes += pack.len().unwrap_or(0);
        }
        let there = inner.dirs.all.iter().map(|dir| {
            let (packs, bytes) = packs.get(&dir.path).copied().unwrap_or_default();
            Directory {
                path: dir.path.clone(),
                state: dir.state(),
                packs,
                bytes,
                free: free_bytes(&dir.path).unwrap_or(0),
                total: total_bytes(&dir.path).unwrap_or(0),
            }
        });
        let away = inner.dirs.away.iter().map(|away| Directory {
            path: away.path.clone(),
            state: DirectoryState::Away,
            packs: 0,
            bytes: 0,
            free: 0,
            total: 0,
        });
        there.chain(away).collect()
    }

    /// The size of the file systems that a store in `packs` and `more` keeps packs in, each counted once, without those
    /// whose disk is away; before it is opened.
    pub fn capacity(packs: &Path, more: &[PathBuf]) -> u64 {
        dirs::capacity(packs, more)
    }

    /// Free and total bytes of the file systems that packs are in, each counted once.
    pub fn room(&self) -> (u64, u64) {
        let dirs = &self.0.dirs.all;
        let usable = |dir: &&Dir| dir.state() == DirectoryState::InUse;
        let mut seen = Vec::new();
        let mut room = (0, 0);
        for dir in dirs.iter().filter(usable) {
            if !seen.contains(&dir.device) {
                seen.push(dir.device);
                room.0 += free_bytes(&dir.path).unwrap_or(0);
                room.1 += total_bytes(&dir.path).unwrap_or(0);
            }
        }
        room
    }
}

/// What emptying a directory came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Emptied {
    /// Packs whose blocks are in other directories now.
    pub moved: u64,
    /// Bytes that were copied.
    pub bytes: u64,
    /// Packs that stay where they are, for something in them cannot be read; the scrubber says what.
    pub stuck: u64,
}

impl LocalStore {
    /// Moves all blocks out of one of the further directories, so that its disk can be taken away. Nothing more is
    /// written to it meanwhile or afterwards. `progress` hears of packs done and of all. Where the others have no room
    /// it ends early, with what was moved moved. Blocks for as long as it takes; not beside a collection.
    pub fn empty_directory(
        &self,
        path: &Path,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Emptied, BlockError> {
        let inner = &self.0;
        let _one = inner.collecting.lock();
        let refused = |why: &str| BlockError::Directory {
            path: path.to_owned(),
            why: why.to_owned(),
        };
        let at = inner.dirs.all.iter().position(|dir| dir.path == path);
        let at = at.ok_or_else(|| refused("it is not one of this node's directories of blocks"))?;
        if at == 0 {
            return Err(refused("it is the data directory's own, which stays"));
        }
        let dir = &inner.dirs.all[at];
        dir.set_leaving(true);
        let emptied = inner.empty(at, &mut progress);
        match &emptied {
            Ok(Emptied { stuck: 0, .. }) => inner.leave(dir)?,
            _ => dir.set_leaving(false),
        }
        emptied
    }
}

impl Inner {
    fn empty(&self, at: usize, progress: &mut dyn FnMut(u64, u64)) -> Result<Emptied, BlockError> {
        let all: Vec<Arc<Pack>> = self.packs.read().values().cloned().collect();
        let mut packs: Vec<_> = all
            .into_iter()
            .filter(|pack| self.further_directory(pack) == Some(at))
            .collect();
        packs.sort_unstable_by_key(|pack| pack.number());
        let mut emptied = Emptied::default();
        for (done, pack) in packs.iter().enumerate() {
            progress(done as u64, packs.len() as u64);
            if !self.dirs.admits(pack.len()?, &self.space) {
                return Err(BlockError::Full);
            }
            match self.move_pack(pack.number())? {
                Some(moved) => {
                    emptied.moved += 1;
                    emptied.bytes += moved.copied;
                    // Only when the index on disk does not name it any more.
                    self.flush()?;
                    remove_retired(&moved.dir, pack.number())?;
                }
                None => emptied.stuck += 1,
            }
        }
        progress(packs.len() as u64, packs.len() as u64);
        Ok(emptied)
    }

    /// Lets go of a directory that nothing is in any more: a later start does not miss it.
    fn leave(&self, dir: &Dir) -> Result<(), BlockError> {
        let path = self.dirs.all[0].path.join(REGISTER);
        if let Some(mut register) = Register::read(&path)? {
            register.leave(dir.slot);
            register.write(&path)?;
        }
        let marker = dir.path.join(MARKER);
        std::fs::remove_file(&marker)
            .map_err(|e| BlockError::io(format!("removing {}", marker.display()), e))?;
        sync_dir(&dir.path)
    }

    /// Which of the directories beside the own one a pack is in.
    pub(super) fn further_directory(&self, pack: &Pack) -> Option<usize> {
        let all = self.dirs.all.iter();
        all.skip(1)
            .position(|dir| dir.path == pack.dir())
            .map(|at| at + 1)
    }

    /// Takes a directory out of use whose disk failed. What is in it is missing from now on, and whoever wrote to it
    /// before is told so by [`Self::unless_lost_since`].
    pub(super) fn lose_directory(&self, at: usize, error: &BlockError) {
        let dir = &self.dirs.all[at];
        if !dir.fail() {
            return;
        }
        tracing::error!(path = %dir.path.display(), %error, "a directory of packs failed and is left out until the next start");
        let packs: Vec<Arc<Pack>> = self.packs.read().values().cloned().collect();
        for pack in packs
            .iter()
            .filter(|pack| self.further_directory(pack) == Some(at))
        {
            self.close_pack(pack.number());
            self.packs.write().remove(&pack.number());
        }
        // Not before: whoever begins after this finds nothing of it any more.
        self.losses.fetch_add(1, Ordering::AcqRel);
    }

    /// An error where a directory was lost since the count was that: what was written since may have been in it.
    pub(super) fn unless_lost_since(&self, losses: u64) -> Result<(), BlockError> {
        if self.losses.load(Ordering::Acquire) == losses {
            return Ok(());
        }
        let why = "a disk failed while this was written; nothing was stored, try again";
        Err(BlockError::io("storing blocks", io::Error::other(why)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Block, LocalOptions};
    use bytes::Bytes;
    use stead_runtime::{Rng, Space};

    fn block(seed: u64) -> Block {
        let mut bytes = vec![0; 2_000];
        Rng::seeded(seed).fill(&mut bytes);
        Block::raw(Bytes::from(bytes))
    }

    fn readable(store: &LocalStore, blocks: &[Block]) -> usize {
        let whole = |block: &&Block| store.read(&block.cid).is_ok_and(|bytes| bytes == block.bytes);
        blocks.iter().filter(whole).count()
    }

    #[test]
    fn who_wrote_before_a_disk_failed_is_told_and_all_others_go_on() {
        let root = tempfile::tempdir().unwrap();
        let options = LocalOptions {
            more: vec![root.path().join("one"), root.path().join("two")],
            ..LocalOptions::default()
        };
        let (packs, state) = (root.path().join("blocks"), root.path().join("state"));
        let open = || LocalStore::open(&packs, &state, options.clone(), Space::new(root.path(), 0)).unwrap();
        let store = open();
        let (first, second): (Vec<_>, Vec<_>) =
            ((0..100).map(block).collect(), (100..200).map(block).collect());
        let put = |store: &LocalStore, blocks: &[Block]| {
            let mut writer = store.writer();
            blocks
                .iter()
                .for_each(|block| writer.write_blocking(block).unwrap());
            writer
        };
        drop(put(&store, &first).finish_blocking().unwrap());
        let unfinished = put(&store, &second);
        let broken = BlockError::io("writing", io::ErrorKind::Other.into());
        store.0.lose_directory(1, &broken);
        assert!(unfinished.finish_blocking().is_err());
        assert_eq!(store.directories()[1].state, DirectoryState::Failed);
        let left = readable(&store, &first);
        assert!(left > 0 && left < first.len());
        // Put again, all is there: what was lost is stored anew, and nothing goes to the failed disk.
        drop(put(&store, &first).finish_blocking().unwrap());
        drop(put(&store, &second).finish_blocking().unwrap());
        assert_eq!(readable(&store, &first) + readable(&store, &second), 200);
        assert_eq!(store.directories()[1].packs, 0);
        store.close().unwrap();
        drop(store);
        // At the next start the disk is tried again.
        let store = open();
        assert_eq!(store.directories()[1].state, DirectoryState::InUse);
        assert_eq!(readable(&store, &first) + readable(&store, &second), 200);
    }
}
