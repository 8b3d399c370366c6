//! Messages of Bitswap 1.2 and 1.1: wants, blocks, and who has what.
//!
//! Format: <https://specs.ipfs.tech/bitswap-protocol/>. Written by hand because it is small; fields that are
//! not known are passed over, as protobuf wants it, and so is an entry whose CID is none.

use bytes::Bytes;
use stead_event::{Cid, cids};
use stead_gateway::ipfs::unixfs::pb_message::{Field, fields_up_to, put_bytes, put_number, put_varint};

/// Entries, blocks and presences of one message at most, each.
pub const ENTRIES_MAX: usize = 4096;
/// The largest message that is read, in bytes (4 MiB): what the specification asks for.
pub const MESSAGE_MAX: usize = 4 << 20;
/// Fields of one message at most: three lists and a few numbers.
const FIELDS_MAX: usize = 3 * ENTRIES_MAX;

/// Whether a peer wants a block, or to know whether there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Want {
    /// The block itself.
    #[default]
    Block,
    /// Only whether it is there.
    Have,
}

/// A line of a wantlist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is wanted.
    pub cid: Cid,
    /// More is sooner.
    pub priority: i32,
    /// It is not wanted any more.
    pub cancel: bool,
    /// What of it.
    pub want: Want,
    /// Whether its absence is to be said.
    pub say_absent: bool,
}

/// A block, and the part of its CID that the bytes do not tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Version, codec, hash function and length of the hash.
    pub prefix: [u64; 4],
    /// The bytes.
    pub data: Bytes,
}

/// Whether a peer has a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Which block.
    pub cid: Cid,
    /// It has it.
    pub have: bool,
}

/// One message. Any part may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The entries are the whole wantlist: what was wanted before is not any more.
    pub full: bool,
    /// Wants.
    pub wants: Vec<Entry>,
    /// Blocks.
    pub blocks: Vec<Block>,
    /// What is there and what is not.
    pub presences: Vec<Presence>,
}

impl Block {
    /// A block as the answer to a want for `cid`.
    pub fn of(cid: &Cid, data: Bytes) -> Self {
        let hash = cid.hash();
        Self {
            prefix: [
                cid.version().into(),
                cid.codec(),
                hash.code(),
                u64::from(hash.size()),
            ],
            data,
        }
    }

    /// The CID (version 1) that the bytes have; `None` for a hash function that is not known.
    pub fn cid(&self) -> Option<Cid> {
        let [_, codec, hash, len] = self.prefix;
        if hash != cids::SHA2_256 || len != 32 {
            return None;
        }
        Some(cids::from_digest(codec, cids::digest(&cids::raw(&self.data))?))
    }
}

/// The same CID as version 1: what two nodes mean by it does not depend on how it is written.
pub fn v1(cid: &Cid) -> Cid {
    Cid::new_v1(cid.codec(), *cid.hash())
}

impl Message {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        self.wants.is_empty() && self.blocks.is_empty() && self.presences.is_empty() && !self.full
    }

    /// Its bytes, without the length before it.
    pub fn encode(&self) -> Vec<u8> {
        let data: usize = self.blocks.iter().map(|block| block.data.len() + 32).sum();
        let mut out = Vec::with_capacity(data + 64 * (self.wants.len() + self.presences.len()) + 8);
        let mut part = Vec::new();
        if !self.wants.is_empty() || self.full {
            let mut list = Vec::with_capacity(self.wants.len() * 56);
            for entry in &self.wants {
                part.clear();
                put_entry(&mut part, entry);
                put_bytes(&mut list, 1, &part);
            }
            put_flag(&mut list, 2, self.full);
            put_bytes(&mut out, 1, &list);
        }
        for block in &self.blocks {
            let mut prefix = Vec::with_capacity(8);
            block
                .prefix
                .iter()
                .for_each(|part| put_varint(&mut prefix, *part));
            // Not by way of `part`: a block would be copied once more.
            let before = 2 + prefix.len() + 1 + varint_len(block.data.len());
            put_varint(&mut out, 3 << 3 | 2);
            put_varint(&mut out, (before + block.data.len()) as u64);
            put_bytes(&mut out, 1, &prefix);
            put_bytes(&mut out, 2, &block.data);
        }
        for presence in &self.presences {
            part.clear();
            put_bytes(&mut part, 1, &presence.cid.to_bytes());
            put_flag(&mut part, 2, !presence.have);
            put_bytes(&mut out, 4, &part);
        }
        out
    }

    /// Reads a message; `None` where the bytes are none.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut message = Self::default();
        for field in fields_up_to(bytes, FIELDS_MAX)? {
            match field {
                Field::Bytes(1, list) => message.read_wants(list)?,
                // Version 1.0 gave blocks without a prefix: dag-pb and sha2-256, as version 0 CIDs are.
                Field::Bytes(2, data) => message.blocks.push(Block {
                    prefix: [0, cids::DAG_PB, cids::SHA2_256, 32],
                    data: bytes.slice_ref(data),
                }),
                Field::Bytes(3, block) => message.blocks.push(read_block(bytes, block)?),
                Field::Bytes(4, presence) => message.presences.extend(read_presence(presence)?),
                _ => {}
            }
        }
        let longest = message.blocks.len().max(message.presences.len());
        (longest.max(message.wants.len()) <= ENTRIES_MAX).then_some(message)
    }

    fn read_wants(&mut self, list: &[u8]) -> Option<()> {
        for field in fields_up_to(list, FIELDS_MAX)? {
            match field {
                Field::Bytes(1, entry) => self.wants.extend(read_entry(entry)?),
                Field::Number(2, full) => self.full = full != 0,
                _ => {}
            }
        }
        Some(())
    }
}

fn varint_len(value: usize) -> usize {
    (usize::BITS - value.max(1).leading_zeros()).div_ceil(7) as usize
}

fn put_flag(out: &mut Vec<u8>, field: u64, flag: bool) {
    if flag {
        put_number(out, field, 1);
    }
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    put_bytes(out, 1, &entry.cid.to_bytes());
    // A negative number is written as 64 bits of two's complement.
    put_number(out, 2, i64::from(entry.priority) as u64);
    put_flag(out, 3, entry.cancel);
    put_flag(out, 4, entry.want == Want::Have);
    put_flag(out, 5, entry.say_absent);
}

/// `Some(None)` where the entry is not one that can be answered.
fn read_entry(bytes: &[u8]) -> Option<Option<Entry>> {
    let (mut cid, mut priority, mut cancel, mut want, mut say_absent) = (None, 0, false, Want::Block, false);
    for field in fields_up_to(bytes, 64)? {
        match field {
            Field::Bytes(1, bytes) => cid = Cid::try_from(bytes).ok(),
            Field::Number(2, value) => priority = value as i32,
            Field::Number(3, value) => cancel = value != 0,
            Field::Number(4, 0) => want = Want::Block,
            Field::Number(4, _) => want = Want::Have,
            Field::Number(5, value) => say_absent = value != 0,
            _ => {}
        }
    }
    Some(cid.map(|cid| Entry {
        cid,
        priority,
        cancel,
        want,
        say_absent,
    }))
}

fn read_block(all: &Bytes, bytes: &[u8]) -> Option<Block> {
    let (mut prefix, mut data) = (None, Bytes::new());
    for field in fields_up_to(bytes, 64)? {
        match field {
            Field::Bytes(1, bytes) => prefix = Some(read_prefix(bytes)?),
            Field::Bytes(2, bytes) => data = all.slice_ref(bytes),
            _ => {}
        }
    }
    prefix.map(|prefix| Block { prefix, data })
}

fn read_prefix(mut bytes: &[u8]) -> Option<[u64; 4]> {
    let mut prefix = [0; 4];
    for part in &mut prefix {
        *part = read_varint(&mut bytes)?;
    }
    bytes.is_empty().then_some(prefix)
}

fn read_varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn read_presence(bytes: &[u8]) -> Option<Option<Presence>> {
    let (mut cid, mut have) = (None, true);
    for field in fields_up_to(bytes, 64)? {
        match field {
            Field::Bytes(1, bytes) => cid = Cid::try_from(bytes).ok(),
            Field::Number(2, value) => have = value == 0,
            _ => {}
        }
    }
    Some(cid.map(|cid| Presence { cid, have }))
}
