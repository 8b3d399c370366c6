//! UnixFS files of any making: other chunkers, leaves of dag-pb, bytes in inner nodes.

use super::PublishedBlocks;
use crate::ipfs::{BlockBody, IpfsError};
use crate::objects::ObjectError;
use bytes::Bytes;
use std::ops::Range;
use stead_block::unixfs::node::{Kind, PbNode, UnixFs};
use stead_block::{LocalStore, ipld};
use stead_event::{Cid, cids};

/// Trees deeper than this are refused. Widths of two or more reach any size below it.
pub const DEPTH_MAX: usize = 128;

/// A node of a file: bytes of its own, and children with their sizes.
pub struct FileNode {
    /// Bytes in the node itself; they come first.
    pub inline: Bytes,
    /// Children, and the bytes of the file below each.
    pub children: Vec<(Cid, u64)>,
}

impl FileNode {
    /// Bytes of the file below this node.
    pub fn size(&self) -> u64 {
        let below = self.children.iter().map(|(_, size)| *size);
        below.fold(self.inline.len() as u64, u64::saturating_add)
    }
}

/// Takes a block apart as a file's node.
pub fn file_node(cid: &Cid, bytes: Bytes) -> Result<FileNode, IpfsError> {
    let not = |why| IpfsError::Unsupported {
        cid: Box::new(*cid),
        why,
    };
    if cid.codec() != cids::DAG_PB {
        return Ok(FileNode {
            inline: bytes,
            children: Vec::new(),
        });
    }
    let node = PbNode::decode(&bytes).ok_or_else(|| not("it is not a dag-pb node"))?;
    let unixfs = node.unixfs().ok_or_else(|| not("it has no UnixFS data"))?;
    node_of(node, unixfs).ok_or_else(|| not("it is not a UnixFS file whose sizes add up"))
}

/// As [`file_node`], of a node that was read already.
pub fn node_of(node: PbNode, unixfs: UnixFs) -> Option<FileNode> {
    let file = matches!(unixfs.kind, Kind::File | Kind::Raw);
    if !file || node.links.len() != unixfs.block_sizes.len() || unixfs.file_size().is_none() {
        return None;
    }
    let children = node.links.iter().map(|link| link.cid).zip(unixfs.block_sizes);
    Some(FileNode {
        inline: unixfs.data,
        children: children.collect(),
    })
}

/// What is still to be visited of a file.
struct Ahead {
    cid: Cid,
    offset: u64,
    size: u64,
    depth: usize,
}

/// The bytes of a file in a range, piece by piece.
pub struct FilePieces {
    store: LocalStore,
    range: Range<u64>,
    ahead: Vec<Ahead>,
    inline: Option<Bytes>,
}

impl FilePieces {
    /// The bytes of `range` of a file of `size` bytes. Whoever asks has seen to it that its root may be read.
    pub fn new(store: LocalStore, root: Cid, size: u64, range: Range<u64>) -> Self {
        let ahead = vec![Ahead {
            cid: root,
            offset: 0,
            size,
            depth: 0,
        }];
        Self {
            store,
            range,
            ahead,
            inline: None,
        }
    }

    /// What of bytes at `offset` lies in the range.
    fn cut(&self, bytes: &Bytes, offset: u64) -> Bytes {
        let end = offset + bytes.len() as u64;
        let from = self.range.start.clamp(offset, end) - offset;
        let to = self.range.end.clamp(offset, end) - offset;
        // Both lie within the bytes, whose length is a usize.
        bytes.slice(from as usize..to.max(from) as usize)
    }

    fn visit(&mut self, at: Ahead) -> Result<Bytes, ObjectError> {
        let missing = || IpfsError::Missing(Box::new(at.cid));
        if at.depth > DEPTH_MAX {
            return Err(IpfsError::Limit(format!("a file's tree is deeper than {DEPTH_MAX}")).into());
        }
        // Only the inline ones are not in the store.
        let bytes = match ipld::inline(&at.cid) {
            Some(bytes) => bytes,
            None => self.store.read(&at.cid).map_err(|error| match error {
                stead_block::BlockError::NotFound(_) => missing().into(),
                error => ObjectError::from(error),
            })?,
        };
        let node = file_node(&at.cid, bytes)?;
        if node.size() != at.size {
            let why = "it is not of the size that its parent says";
            return Err(IpfsError::Unsupported {
                cid: Box::new(at.cid),
                why,
            }
            .into());
        }
        let mut offset = at.offset + at.size;
        for (cid, size) in node.children.iter().rev() {
            offset -= size;
            if *size > 0 && offset < self.range.end && offset + size > self.range.start {
                self.ahead.push(Ahead {
                    cid: *cid,
                    offset,
                    size: *size,
                    depth: at.depth + 1,
                });
            }
        }
        Ok(self.cut(&node.inline, at.offset))
    }
}

impl Iterator for FilePieces {
    type Item = Result<Bytes, ObjectError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(bytes) = self.inline.take() {
            return Some(Ok(bytes));
        }
        while let Some(at) = self.ahead.pop() {
            match self.visit(at) {
                Ok(bytes) if bytes.is_empty() => {}
                Ok(bytes) => return Some(Ok(bytes)),
                Err(error) => {
                    self.ahead.clear();
                    return Some(Err(error));
                }
            }
        }
        None
    }
}

impl PublishedBlocks {
    /// A file's bytes in a range, as a body of exactly known length. The root has been found public.
    pub async fn file(&self, root: Cid, size: u64, range: Range<u64>) -> Result<BlockBody, ObjectError> {
        if range.is_empty() {
            return Ok(BlockBody::of(Bytes::new()));
        }
        let length = range.end - range.start;
        let pieces = FilePieces::new(self.store().clone(), root, size, range);
        BlockBody::ahead(Box::new(pieces), Some(length), &self.context().tasks).await
    }
}
