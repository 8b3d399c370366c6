//! Inodes and directories, each as seen and as kept.

use super::pages::Pages;
use crate::content::Random;
use std::collections::{BTreeMap, BTreeSet};

/// The root's number, as FUSE has it.
pub const ROOT: u64 = 1;
/// File types in a mode.
pub const KIND: u32 = 0o170_000;
/// A directory's type.
pub const DIRECTORY: u32 = 0o040_000;
const FILE: u32 = 0o100_000;

/// Error numbers of Linux.
pub mod errno {
    #![allow(missing_docs)] // the names are the documentation
    pub const ENOENT: i32 = 2;
    pub const EIO: i32 = 5;
    pub const EEXIST: i32 = 17;
    pub const ENOTDIR: i32 = 20;
    pub const EISDIR: i32 = 21;
    pub const EINVAL: i32 = 22;
    pub const ENOSPC: i32 = 28;
    pub const ENOSYS: i32 = 38;
    pub const ENOTEMPTY: i32 = 39;
    pub const EOPNOTSUPP: i32 = 95;
}
use errno::*;

/// An answer, or an error number.
pub type Answer<T> = Result<T, i32>;
type Names = BTreeMap<Vec<u8>, u64>;

enum Node {
    Directory {
        seen: Names,
        kept: Names,
    },
    File(Pages),
    /// A socket or the like: a name and nothing else.
    Other,
}

/// One inode.
pub struct Inode {
    /// Type and permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Owner's group.
    pub gid: u32,
    /// Of the last change of its bytes: seconds and nanoseconds.
    pub modified: (u64, u32),
    node: Node,
}

/// The whole file system.
pub struct Image {
    inodes: BTreeMap<u64, Inode>,
    next: u64,
}

fn now() -> (u64, u32) {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or((0, 0), |since| (since.as_secs(), since.subsec_nanos()))
}

impl Inode {
    fn new(mode: u32, uid: u32, gid: u32) -> Self {
        let node = match mode & KIND {
            DIRECTORY => Node::Directory {
                seen: Names::new(),
                kept: Names::new(),
            },
            FILE => Node::File(Pages::default()),
            _ => Node::Other,
        };
        Self {
            mode,
            uid,
            gid,
            modified: now(),
            node,
        }
    }

    /// In bytes.
    pub fn length(&self) -> u64 {
        match &self.node {
            Node::File(pages) => pages.length(),
            _ => 0,
        }
    }
}

impl Image {
    /// An empty root, writable by everybody.
    pub fn new() -> Self {
        Self {
            inodes: BTreeMap::from([(ROOT, Inode::new(DIRECTORY | 0o777, 0, 0))]),
            next: ROOT + 1,
        }
    }

    /// An inode.
    pub fn inode(&self, id: u64) -> Answer<&Inode> {
        self.inodes.get(&id).ok_or(ENOENT)
    }

    /// The same, to change.
    pub fn inode_mut(&mut self, id: u64) -> Answer<&mut Inode> {
        self.inodes.get_mut(&id).ok_or(ENOENT)
    }

    fn names(&mut self, directory: u64) -> Answer<&mut Names> {
        match &mut self.inode_mut(directory)?.node {
            Node::Directory { seen, .. } => Ok(seen),
            _ => Err(ENOTDIR),
        }
    }

    fn pages(&mut self, file: u64) -> Answer<&mut Pages> {
        match &mut self.inode_mut(file)?.node {
            Node::File(pages) => Ok(pages),
            Node::Directory { .. } => Err(EISDIR),
            Node::Other => Err(EINVAL),
        }
    }

    /// The inode of a name.
    pub fn lookup(&mut self, directory: u64, name: &[u8]) -> Answer<u64> {
        self.names(directory)?.get(name).copied().ok_or(ENOENT)
    }

    /// Makes a file, directory or other thing.
    pub fn make(&mut self, directory: u64, name: &[u8], mode: u32, owner: (u32, u32)) -> Answer<u64> {
        let id = self.next;
        let names = self.names(directory)?;
        if names.contains_key(name) {
            return Err(EEXIST);
        }
        names.insert(name.to_vec(), id);
        let mode = if mode & KIND == 0 { mode | FILE } else { mode };
        self.inodes.insert(id, Inode::new(mode, owner.0, owner.1));
        self.next += 1;
        Ok(id)
    }

    /// A second name of an inode.
    pub fn link(&mut self, id: u64, directory: u64, name: &[u8]) -> Answer<()> {
        self.inode(id)?;
        match self.names(directory)?.insert(name.to_vec(), id) {
            Some(_) => Err(EEXIST),
            None => Ok(()),
        }
    }

    /// Removes a name; a directory's only where it is empty.
    pub fn remove(&mut self, directory: u64, name: &[u8]) -> Answer<()> {
        let id = self.lookup(directory, name)?;
        if let Node::Directory { seen, .. } = &self.inode(id)?.node
            && !seen.is_empty()
        {
            return Err(ENOTEMPTY);
        }
        self.names(directory)?.remove(name);
        Ok(())
    }

    /// Renames, replacing what is there unless `exclusive`.
    pub fn rename(&mut self, from: (u64, &[u8]), to: (u64, &[u8]), exclusive: bool) -> Answer<()> {
        let id = self.lookup(from.0, from.1)?;
        if let Ok(replaced) = self.lookup(to.0, to.1) {
            if exclusive {
                return Err(EEXIST);
            }
            if replaced == id {
                return Ok(());
            }
            if let Node::Directory { seen, .. } = &self.inode(replaced)?.node
                && !seen.is_empty()
            {
                return Err(ENOTEMPTY);
            }
        }
        self.names(from.0)?.remove(from.1);
        self.names(to.0)?.insert(to.1.to_vec(), id);
        Ok(())
    }

    /// Names, inodes and modes, in order.
    pub fn entries(&mut self, directory: u64) -> Answer<Vec<(Vec<u8>, u64, u32)>> {
        let names = self.names(directory)?.clone();
        let mode = |id: u64| self.inodes.get(&id).map_or(0, |inode| inode.mode);
        Ok(names.into_iter().map(|(name, id)| (name, id, mode(id))).collect())
    }

    /// Reads from a file.
    pub fn read(&mut self, file: u64, offset: u64, count: u64) -> Answer<Vec<u8>> {
        Ok(self.pages(file)?.read(offset, count))
    }

    /// Writes to a file.
    pub fn write(&mut self, file: u64, offset: u64, bytes: &[u8]) -> Answer<()> {
        self.pages(file)?.write(offset, bytes);
        self.inode_mut(file)?.modified = now();
        Ok(())
    }

    /// Whether a write there needs room that the file does not have yet.
    pub fn takes_room(&mut self, file: u64, offset: u64, count: u64) -> Answer<bool> {
        Ok(self.pages(file)?.has_holes(offset, count))
    }

    /// Sets a file's length.
    pub fn resize(&mut self, file: u64, length: u64) -> Answer<()> {
        self.pages(file)?.resize(length);
        self.inode_mut(file)?.modified = now();
        Ok(())
    }

    /// Keeps a file's bytes, or a directory's names.
    pub fn sync(&mut self, id: u64) -> Answer<()> {
        match &mut self.inode_mut(id)?.node {
            Node::Directory { seen, kept } => kept.clone_from(seen),
            Node::File(pages) => pages.sync(),
            Node::Other => {}
        }
        Ok(())
    }

    /// Drops what was not synced, and whatever no kept name leads to. Answers the bytes lost.
    pub fn cut(&mut self, mut torn: Option<&mut Random>) -> u64 {
        let mut lost = 0;
        for inode in self.inodes.values_mut() {
            match &mut inode.node {
                Node::Directory { seen, kept } => {
                    // A rename or removal that got through by luck is as likely as not.
                    if seen != kept && torn.as_mut().is_some_and(|random| random.below(2) == 0) {
                        kept.clone_from(seen);
                    }
                    seen.clone_from(kept);
                }
                Node::File(pages) => lost += pages.cut(torn.as_deref_mut()),
                Node::Other => {}
            }
        }
        let mut reached = BTreeSet::from([ROOT]);
        let mut open = vec![ROOT];
        while let Some(id) = open.pop() {
            if let Some(Node::Directory { seen, .. }) = self.inodes.get(&id).map(|inode| &inode.node) {
                open.extend(seen.values().filter(|id| reached.insert(**id)));
            }
        }
        self.inodes.retain(|id, _| reached.contains(id));
        lost
    }
}
