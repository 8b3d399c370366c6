//! Large directories: a trie over the names' hashes, each node of which is a block.
//!
//! The layout is the one of go-unixfs and profile `unixfs-v1-2025`: fanout 256, murmur3-x64-64, one byte of
//! the hash a level, most significant first. A node's form follows from its entries alone: a sub-node with
//! a single entry is never kept, so it does not matter in which order entries came and went.

use super::directory::{DirError, Entry};
use super::murmur3::murmur3_x64_64;
use super::node::{Kind, NamedLink, PbNode};
use super::pb::{put_bytes, put_number};
use crate::Block;
use bytes::Bytes;
use std::collections::BTreeMap;
use stead_event::{Cid, cids};

/// The hash function's multihash code: murmur3-x64-64.
pub const MURMUR3: u64 = 0x22;
/// Slots of a node.
pub const FANOUT: u64 = 256;
/// Levels at most: a byte of the hash each.
const LEVELS: usize = 8;

/// Where a name goes, level by level.
pub fn path_of(name: &str) -> [u8; LEVELS] {
    murmur3_x64_64(name.as_bytes()).to_be_bytes()
}

/// A slot of a node.
#[derive(Debug)]
enum Slot {
    Entry(Entry),
    /// A sub-node that was not looked at.
    Stored(Cid, u64),
    Node(Box<Shard>),
}

/// A node with what of it was loaded or changed.
#[derive(Debug, Default)]
pub struct Shard {
    slots: BTreeMap<u8, Slot>,
}

/// A name that found no place: its whole hash is that of another name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collision;

/// Reads a block of the directory.
pub type Read<'a> = &'a dyn Fn(&Cid) -> Result<Bytes, DirError>;

impl Shard {
    /// Reads a node's block.
    pub fn decode(cid: &Cid, bytes: &Bytes) -> Result<Self, DirError> {
        let not = |why| DirError::Malformed { cid: *cid, why };
        let node = PbNode::decode(bytes).ok_or_else(|| not("it is not a dag-pb node"))?;
        let unixfs = node.unixfs().ok_or_else(|| not("it has no UnixFS data"))?;
        if unixfs.kind != Kind::Shard || unixfs.fanout != Some(FANOUT) || unixfs.hash != Some(MURMUR3) {
            return Err(not("it is not a shard of 256 slots by murmur3"));
        }
        let mut slots = BTreeMap::new();
        for link in node.links {
            let (index, name) = split(&link.name).ok_or_else(|| not("a link's name has no slot"))?;
            let slot = if name.is_empty() {
                Slot::Stored(link.cid, link.total_size)
            } else {
                Slot::Entry(Entry {
                    name: name.to_owned(),
                    cid: link.cid,
                    total_size: link.total_size,
                })
            };
            slots.insert(index, slot);
        }
        Ok(Self { slots })
    }

    /// Puts an entry in its place; answers the one that it replaces.
    pub fn set(
        &mut self,
        read: Read<'_>,
        entry: Entry,
    ) -> Result<Result<Option<Entry>, Collision>, DirError> {
        let path = path_of(&entry.name);
        self.set_at(read, &path, entry)
    }

    fn set_at(
        &mut self,
        read: Read<'_>,
        path: &[u8],
        entry: Entry,
    ) -> Result<Result<Option<Entry>, Collision>, DirError> {
        let Some((index, below)) = path.split_first() else {
            return Ok(Err(Collision));
        };
        match self.slots.get_mut(index) {
            None => {
                self.slots.insert(*index, Slot::Entry(entry));
                Ok(Ok(None))
            }
            Some(Slot::Entry(other)) if other.name == entry.name => {
                Ok(Ok(Some(std::mem::replace(other, entry))))
            }
            Some(Slot::Entry(other)) => {
                let other_path = path_of(&other.name);
                let depth = LEVELS - below.len();
                if other_path == path_of(&entry.name) {
                    return Ok(Err(Collision));
                }
                let mut node = Shard::default();
                node.set_at(read, &other_path[depth..], other.clone())?
                    .map_err(|Collision| DirError::Deep)?;
                let done = node.set_at(read, below, entry)?;
                self.slots.insert(*index, Slot::Node(Box::new(node)));
                Ok(done)
            }
            Some(slot) => load(slot, read)?.set_at(read, below, entry),
        }
    }

    /// Takes an entry out; answers it.
    pub fn remove(&mut self, read: Read<'_>, name: &str) -> Result<Option<Entry>, DirError> {
        self.remove_at(read, &path_of(name), name)
    }

    fn remove_at(&mut self, read: Read<'_>, path: &[u8], name: &str) -> Result<Option<Entry>, DirError> {
        let Some((index, below)) = path.split_first() else {
            return Ok(None);
        };
        let removed = match self.slots.get_mut(index) {
            None => return Ok(None),
            Some(Slot::Entry(entry)) => {
                if entry.name != name {
                    return Ok(None);
                }
                let taken = entry.clone();
                self.slots.remove(index);
                return Ok(Some(taken));
            }
            Some(slot) => {
                let node = load(slot, read)?;
                let removed = node.remove_at(read, below, name)?;
                if let Some(only) = node.only_entry() {
                    *slot = Slot::Entry(only);
                } else if node.slots.is_empty() {
                    self.slots.remove(index);
                }
                removed
            }
        };
        Ok(removed)
    }

    /// The single entry of a node that has nothing else.
    fn only_entry(&self) -> Option<Entry> {
        match self.slots.values().next() {
            Some(Slot::Entry(entry)) if self.slots.len() == 1 => Some(entry.clone()),
            _ => None,
        }
    }

    /// The entry of that name.
    pub fn find(read: Read<'_>, root: &Cid, name: &str) -> Result<Option<Entry>, DirError> {
        let mut cid = *root;
        for index in path_of(name) {
            let node = Self::decode(&cid, &read(&cid)?)?;
            match node.slots.get(&index) {
                Some(Slot::Entry(entry)) if entry.name == name => return Ok(Some(entry.clone())),
                Some(Slot::Stored(below, _)) => cid = *below,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Every entry below, in no order that means anything.
    pub fn entries(
        &self,
        read: Read<'_>,
        each: &mut dyn FnMut(Entry) -> Result<(), DirError>,
    ) -> Result<(), DirError> {
        self.entries_at(read, 0, each)
    }

    fn entries_at(
        &self,
        read: Read<'_>,
        level: usize,
        each: &mut dyn FnMut(Entry) -> Result<(), DirError>,
    ) -> Result<(), DirError> {
        if level >= LEVELS {
            return Err(DirError::Deep);
        }
        for slot in self.slots.values() {
            match slot {
                Slot::Entry(entry) => each(entry.clone())?,
                Slot::Stored(cid, _) => {
                    Self::decode(cid, &read(cid)?)?.entries_at(read, level + 1, each)?;
                }
                Slot::Node(node) => node.entries_at(read, level + 1, each)?,
            }
        }
        Ok(())
    }

    /// The blocks of every node that was changed, and the root: its CID and the bytes of all below it.
    pub fn encode(&self, out: &mut dyn FnMut(Block) -> Result<(), DirError>) -> Result<(Cid, u64), DirError> {
        let mut bits = [0u8; 32];
        let mut links = Vec::with_capacity(self.slots.len());
        for (index, slot) in &self.slots {
            bits[31 - usize::from(index / 8)] |= 1 << (index % 8);
            let (name, cid, total_size) = match slot {
                Slot::Entry(entry) => (format!("{index:02X}{}", entry.name), entry.cid, entry.total_size),
                Slot::Stored(cid, size) => (format!("{index:02X}"), *cid, *size),
                Slot::Node(node) => {
                    let (cid, size) = node.encode(out)?;
                    (format!("{index:02X}"), cid, size)
                }
            };
            links.push(NamedLink {
                name,
                cid,
                total_size,
            });
        }
        let first = bits.iter().position(|byte| *byte != 0).unwrap_or(32);
        let mut data = Vec::with_capacity(48);
        put_number(&mut data, 1, Kind::Shard.code());
        put_bytes(&mut data, 2, &bits[first..]);
        put_number(&mut data, 5, MURMUR3);
        put_number(&mut data, 6, FANOUT);
        let below: u64 = links.iter().map(|link| link.total_size).sum();
        let node = PbNode {
            links,
            data: Some(data.into()),
        };
        let bytes: Bytes = node.encode().into();
        let (cid, size) = (cids::dag_pb(&bytes), bytes.len() as u64);
        out(Block { cid, bytes })?;
        Ok((cid, below.saturating_add(size)))
    }
}

/// A slot's sub-node, read where it was not yet.
fn load<'s>(slot: &'s mut Slot, read: Read<'_>) -> Result<&'s mut Shard, DirError> {
    if let Slot::Stored(cid, _) = slot {
        *slot = Slot::Node(Box::new(Shard::decode(cid, &read(cid)?)?));
    }
    match slot {
        Slot::Node(node) => Ok(node),
        Slot::Entry(_) | Slot::Stored(..) => Err(DirError::Deep),
    }
}

/// Slot and name of a link: two hexadecimal digits, then the entry's name, or nothing for a sub-node.
pub fn split(link: &str) -> Option<(u8, &str)> {
    let (digits, name) = link.split_at_checked(2)?;
    Some((u8::from_str_radix(digits, 16).ok()?, name))
}
