//! Any dag-pb node, and any UnixFS message in it: files, directories, shards of directories, symbolic links.
//!
//! [`super::pb`] has the narrow forms that Stead's own files need; this has what others may have written.
//! Every count is bounded, so that a hostile block costs no more than its own bytes.

use super::pb::{Fields, Value, put_bytes, put_number};
use bytes::Bytes;
use stead_event::Cid;

/// Links of one node at most. A block of 2 MiB cannot hold many more.
const LINKS_MAX: usize = 65_536;

/// A link with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedLink {
    /// Its name; empty in a file's nodes.
    pub name: String,
    /// The child.
    pub cid: Cid,
    /// Bytes of the child's blocks with all below it, as the writer says.
    pub total_size: u64,
}

/// A dag-pb node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PbNode {
    /// Its children, in their order.
    pub links: Vec<NamedLink>,
    /// What the application keeps in it.
    pub data: Option<Bytes>,
}

/// What a UnixFS message is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Bytes of a file, in the old way.
    Raw,
    /// A directory whose entries are its links.
    Directory,
    /// A file, or a part of one.
    File,
    /// Out of use.
    Metadata,
    /// A symbolic link.
    Symlink,
    /// A part of a large directory.
    Shard,
}

/// A UnixFS message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixFs {
    /// Of what.
    pub kind: Kind,
    /// Bytes of a file, target of a link, or bit field of a shard.
    pub data: Bytes,
    /// Bytes of the file below.
    pub size: Option<u64>,
    /// Bytes of the file below each link.
    pub block_sizes: Vec<u64>,
    /// Of a shard: the hash function's code.
    pub hash: Option<u64>,
    /// Of a shard: how many slots it has.
    pub fanout: Option<u64>,
}

impl PbNode {
    /// Reads a node; `None` where the bytes are not one.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut fields = Fields(bytes);
        let mut node = Self::default();
        while let Some(field) = fields.next()? {
            match field {
                (2, Value::Bytes(link)) if node.links.len() < LINKS_MAX => node.links.push(link_of(link)?),
                (1, Value::Bytes(data)) if node.data.is_none() => node.data = Some(bytes.slice_ref(data)),
                _ => return None,
            }
        }
        Some(node)
    }

    /// Its one sequence of bytes: links before data, as dag-pb has it.
    pub fn encode(&self) -> Vec<u8> {
        let data = self.data.as_deref().unwrap_or_default();
        let mut out = Vec::with_capacity(self.links.len() * 64 + data.len() + 8);
        let mut message = Vec::with_capacity(128);
        for link in &self.links {
            message.clear();
            put_link(&mut message, &link.name, &link.cid, link.total_size);
            put_bytes(&mut out, 2, &message);
        }
        if self.data.is_some() {
            put_bytes(&mut out, 1, data);
        }
        out
    }

    /// The UnixFS message in it.
    pub fn unixfs(&self) -> Option<UnixFs> {
        UnixFs::decode(self.data.as_ref()?)
    }
}

fn put_link(out: &mut Vec<u8>, name: &str, cid: &Cid, total_size: u64) {
    put_bytes(out, 1, &cid.to_bytes());
    put_bytes(out, 2, name.as_bytes());
    put_number(out, 3, total_size);
}

/// Bytes that a link takes within a node.
pub fn link_bytes(name: &str, cid: &Cid, total_size: u64) -> u64 {
    let varint = |value: u64| u64::from((64 - (value | 1).leading_zeros()).div_ceil(7));
    let (name, cid) = (name.len() as u64, cid.encoded_len() as u64);
    let message = 1 + varint(cid) + cid + 1 + varint(name) + name + 1 + varint(total_size);
    1 + varint(message) + message
}

fn link_of(bytes: &[u8]) -> Option<NamedLink> {
    let mut fields = Fields(bytes);
    let (mut cid, mut name, mut total_size) = (None, String::new(), 0);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => cid = Some(Cid::try_from(bytes).ok()?),
            (2, Value::Bytes(bytes)) => name = std::str::from_utf8(bytes).ok()?.to_owned(),
            (3, Value::Number(size)) => total_size = size,
            _ => {}
        }
    }
    Some(NamedLink {
        name,
        cid: cid?,
        total_size,
    })
}

impl UnixFs {
    /// Reads a message; `None` where the bytes are not one.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut fields = Fields(bytes);
        let mut kind = None;
        let mut found = Self {
            kind: Kind::Raw,
            data: Bytes::new(),
            size: None,
            block_sizes: Vec::new(),
            hash: None,
            fanout: None,
        };
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Number(code)) => kind = Some(Kind::of(code)?),
                (2, Value::Bytes(data)) => found.data = bytes.slice_ref(data),
                (3, Value::Number(size)) => found.size = Some(size),
                (4, Value::Number(size)) => found.block_sizes.push(size),
                (4, Value::Bytes(packed)) => {
                    let mut packed = Fields(packed);
                    while !packed.0.is_empty() {
                        found.block_sizes.push(packed.varint()?);
                    }
                }
                (5, Value::Number(hash)) => found.hash = Some(hash),
                (6, Value::Number(fanout)) => found.fanout = Some(fanout),
                _ => {}
            }
            if found.block_sizes.len() > LINKS_MAX {
                return None;
            }
        }
        found.kind = kind?;
        Some(found)
    }

    /// Bytes of the file: what the sizes add up to; `None` where they contradict each other.
    pub fn file_size(&self) -> Option<u64> {
        let sum = self
            .block_sizes
            .iter()
            .try_fold(self.data.len() as u64, |sum, size| sum.checked_add(*size))?;
        (self.size.is_none() || self.size == Some(sum)).then_some(sum)
    }
}

impl Kind {
    fn of(code: u64) -> Option<Self> {
        Some(match code {
            0 => Self::Raw,
            1 => Self::Directory,
            2 => Self::File,
            3 => Self::Metadata,
            4 => Self::Symlink,
            5 => Self::Shard,
            _ => return None,
        })
    }

    pub(super) fn code(self) -> u64 {
        match self {
            Self::Raw => 0,
            Self::Directory => 1,
            Self::File => 2,
            Self::Metadata => 3,
            Self::Symlink => 4,
            Self::Shard => 5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::cids;

    #[test]
    fn a_link_takes_as_many_bytes_as_is_said() {
        for (name, size) in [("", 0), ("a", 127), ("päth", 128), (&"x".repeat(300), 1 << 40)] {
            let node = PbNode {
                links: vec![NamedLink {
                    name: name.to_owned(),
                    cid: cids::raw(name.as_bytes()),
                    total_size: size,
                }],
                data: None,
            };
            let bytes = node.encode();
            assert_eq!(bytes.len() as u64, link_bytes(name, &node.links[0].cid, size));
            assert_eq!(PbNode::decode(&bytes.into()), Some(node));
        }
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [&[0x12u8, 0][..], &[0x0a], &[0xff; 12], &[0x18, 1]] {
            assert_eq!(PbNode::decode(&Bytes::copy_from_slice(bad)), None, "{bad:?}");
        }
        for bad in [&[8u8, 9][..], &[], &[0x22, 1, 0xff]] {
            assert_eq!(UnixFs::decode(&Bytes::copy_from_slice(bad)), None, "{bad:?}");
        }
    }
}
