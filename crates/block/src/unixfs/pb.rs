//! dag-pb and UnixFS v1 messages, as far as files need them.
//!
//! Formats: dag-pb (<https://ipld.io/specs/codecs/dag-pb/spec/>) and UnixFS (<https://specs.ipfs.tech/unixfs/>).
//! Written by hand because both are small and what is written must be exactly one sequence of bytes.

use stead_event::Cid;

/// Nodes of more links are refused: no profile comes near.
const LINKS_MAX: usize = 65_536;

/// UnixFS data types.
const RAW: u64 = 0;
const FILE: u64 = 2;

const VARINT: u64 = 0;
const FIXED64: u64 = 1;
const BYTES: u64 = 2;
const FIXED32: u64 = 5;

/// A link of an inner node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The child.
    pub cid: Cid,
    /// Bytes of the child's blocks, with all below it.
    pub total_size: u64,
}

/// A dag-pb node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its children.
    pub links: Vec<Link>,
    /// What the application keeps in it.
    pub data: Option<Vec<u8>>,
}

/// A node of a UnixFS file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FileNode {
    /// Bytes of the file below this node.
    pub size: u64,
    /// Bytes of the file below each link.
    pub block_sizes: Vec<u64>,
    /// Bytes of the file in the node itself.
    pub inline: usize,
}

pub(super) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn put_number(out: &mut Vec<u8>, field: u64, value: u64) {
    put_varint(out, field << 3 | VARINT);
    put_varint(out, value);
}

pub(super) fn put_bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    put_varint(out, field << 3 | BYTES);
    put_varint(out, value.len() as u64);
    out.extend_from_slice(value);
}

/// The bytes of an inner node of a file: its children and how many bytes of the file are below each.
pub fn encode_file(children: &[(Link, u64)]) -> Vec<u8> {
    let mut file = Vec::with_capacity(16 + children.len() * 5);
    put_number(&mut file, 1, FILE);
    put_number(&mut file, 3, children.iter().map(|(_, size)| size).sum());
    children
        .iter()
        .for_each(|(_, size)| put_number(&mut file, 4, *size));
    let mut node = Vec::with_capacity(children.len() * 50 + file.len() + 8);
    let mut message = Vec::with_capacity(64);
    for (link, _) in children {
        message.clear();
        put_bytes(&mut message, 1, &link.cid.to_bytes());
        put_bytes(&mut message, 2, b""); // the name, which a file's links have and leave empty
        put_number(&mut message, 3, link.total_size);
        put_bytes(&mut node, 2, &message);
    }
    put_bytes(&mut node, 1, &file);
    node
}

pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Other,
}

/// Iterates over the fields of a protobuf message.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first()?;
            self.0 = rest;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return None;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, len: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(len).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// `Some(None)` at the end, `None` where the bytes are not a message.
    pub(super) fn next(&mut self) -> Option<Option<(u64, Value<'a>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let key = self.varint()?;
        let value = match key & 7 {
            VARINT => Value::Number(self.varint()?),
            BYTES => {
                let len = self.varint()?;
                Value::Bytes(self.take(len)?)
            }
            FIXED64 => self.take(8).map(|_| Value::Other)?,
            FIXED32 => self.take(4).map(|_| Value::Other)?,
            _ => return None,
        };
        Some(Some((key >> 3, value)))
    }
}

fn decode_link(bytes: &[u8]) -> Option<Link> {
    let mut fields = Fields(bytes);
    let (mut cid, mut total_size) = (None, 0);
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Bytes(bytes)) => cid = Some(Cid::try_from(bytes).ok()?),
            (3, Value::Number(size)) => total_size = size,
            _ => {}
        }
    }
    Some(Link {
        cid: cid?,
        total_size,
    })
}

/// Reads a dag-pb node; `None` where the bytes are not one.
pub fn decode_node(bytes: &[u8]) -> Option<Node> {
    let mut fields = Fields(bytes);
    let mut node = Node::default();
    while let Some(field) = fields.next()? {
        match field {
            (2, Value::Bytes(link)) if node.links.len() < LINKS_MAX => node.links.push(decode_link(link)?),
            (1, Value::Bytes(data)) if node.data.is_none() => node.data = Some(data.to_vec()),
            _ => return None,
        }
    }
    Some(node)
}

/// Reads what a dag-pb node of a file has as its data; `None` where it is no file.
pub fn decode_file(bytes: &[u8]) -> Option<FileNode> {
    let mut fields = Fields(bytes);
    let (mut kind, mut size, mut file) = (None, None, FileNode::default());
    while let Some(field) = fields.next()? {
        match field {
            (1, Value::Number(found)) => kind = Some(found),
            (2, Value::Bytes(data)) => file.inline = data.len(),
            (3, Value::Number(found)) => size = Some(found),
            (4, Value::Number(found)) => file.block_sizes.push(found),
            (4, Value::Bytes(packed)) => {
                let mut packed = Fields(packed);
                while !packed.0.is_empty() {
                    file.block_sizes.push(packed.varint()?);
                }
            }
            _ => {}
        }
        if file.block_sizes.len() > LINKS_MAX {
            return None;
        }
    }
    let below = file
        .block_sizes
        .iter()
        .try_fold(file.inline as u64, |sum, size| sum.checked_add(*size))?;
    file.size = size.unwrap_or(below);
    (matches!(kind, Some(RAW | FILE)) && file.size == below).then_some(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use stead_event::cids;

    #[test]
    fn what_is_encoded_is_decoded() {
        let child = |n: u8, size| {
            (
                Link {
                    cid: cids::raw(&[n]),
                    total_size: size + 7,
                },
                size,
            )
        };
        let children = [
            child(1, 1),
            child(2, 127),
            child(3, 128),
            child(4, 1 << 20),
            child(5, u64::MAX >> 8),
        ];
        let node = decode_node(&encode_file(&children)).unwrap();
        assert_eq!(
            node.links,
            children.iter().map(|(link, _)| link.clone()).collect::<Vec<_>>()
        );
        let file = decode_file(&node.data.unwrap()).unwrap();
        assert_eq!(
            file.block_sizes,
            children.iter().map(|(_, size)| *size).collect::<Vec<_>>()
        );
        assert_eq!(file.size, file.block_sizes.iter().sum::<u64>());
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bad in [
            &[0xff][..],
            &[0x12, 5, 1],
            &[0x0a],
            &[0x0b],
            &[0x12, 0],
            &[0xff; 12],
        ] {
            assert_eq!(decode_node(bad), None, "{bad:?}");
        }
        assert_eq!(decode_file(&[8, 1]), None, "a directory");
        assert_eq!(
            decode_file(&[8, 2, 0x18, 5, 0x20, 4]),
            None,
            "sizes that do not add up"
        );
        assert_eq!(decode_node(&[]), Some(Node::default()));
    }
}
