//! Directories: small ones are one block, large ones are [`super::hamt`].
//!
//! A directory's form, and so its CID, follows from its entries alone (profile `unixfs-v1-2025`): one block
//! of links sorted by name while that block has at most 256 KiB, shards beyond. [`Change`]s are applied to
//! what is stored, so that a change to a directory of a million entries touches three blocks.

use super::hamt::{Collision, Read, Shard};
use super::node::{Kind, NamedLink, PbNode, link_bytes};
use super::pb::put_number;
use crate::{Block, BlockError};
use bytes::Bytes;
use std::collections::BTreeMap;
use stead_event::{Cid, cids};

/// A directory whose single block would be larger than this is sharded (256 KiB).
pub const BASIC_MAX: u64 = 256 * 1024;
/// Bytes of an empty directory's block: its UnixFS data alone.
const EMPTY_BYTES: u64 = 4;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name: not empty, no slash.
    pub name: String,
    /// What it is.
    pub cid: Cid,
    /// Bytes of its blocks, with all below.
    pub total_size: u64,
}

impl Entry {
    fn bytes(&self) -> u64 {
        link_bytes(&self.name, &self.cid, self.total_size)
    }
}

/// What is to be done to a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The name is this now.
    Set(Entry),
    /// The name is gone.
    Remove(String),
}

/// A stored directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Directory {
    /// Its root block.
    pub cid: Cid,
    /// Bytes of its blocks, with all below.
    pub total_size: u64,
    /// How many entries it has.
    pub entries: u64,
    /// How many bytes it would have as one block.
    pub basic_bytes: u64,
    /// Entries that found no place: their names' hashes are those of others.
    pub left_out: u64,
}

/// Why a directory cannot be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum DirError {
    /// A block of it cannot be read.
    #[error("{0}")]
    Block(Box<BlockError>),
    /// A block of it is something else.
    #[error("{cid} is not a directory's block: {why}")]
    Malformed {
        /// Which.
        cid: Cid,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A shard lies deeper than hashes have bits.
    #[error("the directory's shards are nested too deep")]
    Deep,
    /// Whoever takes the blocks had enough.
    #[error("{0}")]
    Stopped(String),
}

impl From<BlockError> for DirError {
    fn from(error: BlockError) -> Self {
        Self::Block(Box::new(error))
    }
}

type Out<'a> = &'a mut dyn FnMut(Block) -> Result<(), DirError>;

impl Directory {
    /// Whether it is sharded.
    pub fn is_sharded(&self) -> bool {
        self.basic_bytes > BASIC_MAX
    }

    /// A new directory of these entries.
    pub fn build(entries: BTreeMap<String, Entry>, out: Out<'_>) -> Result<Self, DirError> {
        let basic_bytes = EMPTY_BYTES + entries.values().map(Entry::bytes).sum::<u64>();
        if basic_bytes <= BASIC_MAX {
            return basic(entries, out);
        }
        let none = |cid: &Cid| Err(DirError::from(BlockError::NotFound(*cid)));
        let (mut root, mut left_out, mut count, mut bytes) = (Shard::default(), 0, 0, basic_bytes);
        for entry in entries.into_values() {
            let size = entry.bytes();
            match root.set(&none, entry)? {
                Ok(_) => count += 1,
                Err(Collision) => (left_out, bytes) = (left_out + 1, bytes - size),
            }
        }
        let (cid, total_size) = root.encode(out)?;
        Ok(Self {
            cid,
            total_size,
            entries: count,
            basic_bytes: bytes.max(BASIC_MAX + 1),
            left_out,
        })
    }

    /// This directory with the changes made; the blocks that are new go to `out`.
    pub fn change(&self, read: Read<'_>, changes: Vec<Change>, out: Out<'_>) -> Result<Self, DirError> {
        if !self.is_sharded() {
            let mut entries = entries_of_block(&self.cid, &read(&self.cid)?)?;
            for change in changes {
                match change {
                    Change::Set(entry) => entries.insert(entry.name.clone(), entry),
                    Change::Remove(name) => entries.remove(&name),
                };
            }
            return Self::build(entries, out);
        }
        let mut root = Shard::decode(&self.cid, &read(&self.cid)?)?;
        let mut new = *self;
        for change in changes {
            let (gone, come) = match change {
                Change::Set(entry) => {
                    let size = entry.bytes();
                    match root.set(read, entry)? {
                        Ok(old) => (old, Some(size)),
                        Err(Collision) => {
                            new.left_out += 1;
                            continue;
                        }
                    }
                }
                Change::Remove(name) => (root.remove(read, &name)?, None),
            };
            new.entries = new.entries + u64::from(come.is_some()) - u64::from(gone.is_some());
            new.basic_bytes = new.basic_bytes + come.unwrap_or(0) - gone.map_or(0, |old| old.bytes());
        }
        if new.is_sharded() {
            (new.cid, new.total_size) = root.encode(out)?;
            return Ok(new);
        }
        let mut entries = BTreeMap::new();
        root.entries(read, &mut |entry| {
            entries.insert(entry.name.clone(), entry);
            Ok(())
        })?;
        basic(entries, out)
    }
}

fn basic(entries: BTreeMap<String, Entry>, out: Out<'_>) -> Result<Directory, DirError> {
    let mut data = Vec::with_capacity(2);
    put_number(&mut data, 1, Kind::Directory.code());
    let links: Vec<NamedLink> = entries
        .into_values()
        .map(|entry| NamedLink {
            name: entry.name,
            cid: entry.cid,
            total_size: entry.total_size,
        })
        .collect();
    let below: u64 = links.iter().map(|link| link.total_size).sum();
    let node = PbNode {
        links,
        data: Some(data.into()),
    };
    let bytes: Bytes = node.encode().into();
    let directory = Directory {
        cid: cids::dag_pb(&bytes),
        total_size: below.saturating_add(bytes.len() as u64),
        entries: node.links.len() as u64,
        basic_bytes: bytes.len() as u64,
        left_out: 0,
    };
    out(Block {
        cid: directory.cid,
        bytes,
    })?;
    Ok(directory)
}

fn entries_of_block(cid: &Cid, bytes: &Bytes) -> Result<BTreeMap<String, Entry>, DirError> {
    let not = |why| DirError::Malformed { cid: *cid, why };
    let node = PbNode::decode(bytes).ok_or_else(|| not("it is not a dag-pb node"))?;
    let kind = node.unixfs().map(|unixfs| unixfs.kind);
    if kind != Some(Kind::Directory) {
        return Err(not("it is not a UnixFS directory"));
    }
    let entries = node.links.into_iter().map(|link| {
        let entry = Entry {
            name: link.name.clone(),
            cid: link.cid,
            total_size: link.total_size,
        };
        (link.name, entry)
    });
    Ok(entries.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::collections::HashMap;

    #[derive(Default)]
    struct Blocks(RefCell<HashMap<Cid, Bytes>>);

    impl Blocks {
        fn read(&self, cid: &Cid) -> Result<Bytes, DirError> {
            let found = self.0.borrow().get(cid).cloned();
            found.ok_or(DirError::from(BlockError::NotFound(*cid)))
        }

        fn build(&self, entries: BTreeMap<String, Entry>) -> Directory {
            Directory::build(entries, &mut |block| self.keep(block)).unwrap()
        }

        fn keep(&self, block: Block) -> Result<(), DirError> {
            self.0.borrow_mut().insert(block.cid, block.bytes);
            Ok(())
        }

        fn change(&self, of: Directory, changes: Vec<Change>) -> Directory {
            of.change(&|cid| self.read(cid), changes, &mut |block| self.keep(block))
                .unwrap()
        }
    }

    fn entry(n: u64) -> Entry {
        Entry {
            name: format!("file-{n:06}.txt"),
            cid: cids::raw(&n.to_be_bytes()),
            total_size: n,
        }
    }

    fn entries(of: impl Iterator<Item = u64>) -> BTreeMap<String, Entry> {
        of.map(|n| (entry(n).name, entry(n))).collect()
    }

    #[test]
    fn the_empty_directory_has_the_cid_that_everybody_knows() {
        let empty = Blocks::default().build(BTreeMap::new());
        assert_eq!(
            empty.cid.to_string(),
            "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354"
        );
        assert_eq!(empty.basic_bytes, EMPTY_BYTES);
    }

    #[test]
    fn changes_lead_where_building_leads_whatever_the_way() {
        let blocks = Blocks::default();
        let mut directory = blocks.build(BTreeMap::new());
        for step in 0..60 {
            let changes = (step * 100..step * 100 + 100).map(|n| Change::Set(entry(n)));
            directory = blocks.change(directory, changes.collect());
            assert_eq!(directory, blocks.build(entries(0..step * 100 + 100)), "{step}");
        }
        assert!(directory.is_sharded());
        for step in (0..60).rev() {
            let gone = (step * 100..step * 100 + 100).map(|n| Change::Remove(entry(n).name));
            directory = blocks.change(directory, gone.collect());
            assert_eq!(directory, blocks.build(entries(0..step * 100)), "{step}");
        }
        assert!(!directory.is_sharded());
    }

    #[test]
    fn the_threshold_is_256_kib_of_block() {
        let blocks = Blocks::default();
        let below = blocks.build(entries(1000..1000 + 4300));
        assert!(!below.is_sharded(), "{}", below.basic_bytes);
        assert_eq!(blocks.read(&below.cid).unwrap().len() as u64, below.basic_bytes);
        let mut all = entries(1000..1000 + 4300);
        let fill = BASIC_MAX - below.basic_bytes;
        let mut last = entry(1);
        let with_one = below.basic_bytes + last.bytes();
        last.name = "z".repeat(last.name.len() + (BASIC_MAX - with_one) as usize - 2);
        all.insert(last.name.clone(), last.clone());
        let most = blocks.build(all.clone());
        assert!(
            fill > 0 && most.basic_bytes <= BASIC_MAX && !most.is_sharded(),
            "{most:?}"
        );
        all.remove(&last.name);
        last.name.push_str("zzzzzzzz");
        all.insert(last.name.clone(), last);
        assert!(blocks.build(all).is_sharded());
    }

    #[test]
    fn a_name_is_found_in_shards() {
        let blocks = Blocks::default();
        let directory = blocks.build(entries(0..20_000));
        let read = |cid: &Cid| blocks.read(cid);
        for n in [0, 7, 19_999] {
            assert_eq!(
                Shard::find(&read, &directory.cid, &entry(n).name).unwrap(),
                Some(entry(n))
            );
        }
        assert_eq!(Shard::find(&read, &directory.cid, "absent").unwrap(), None);
        let changed = blocks.change(directory, vec![Change::Set(entry(20_000))]);
        assert_eq!(changed, blocks.build(entries(0..20_001)));
    }
}
