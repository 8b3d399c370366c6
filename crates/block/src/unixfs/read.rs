//! From a root to leaves.

use super::pb::{FileNode, Node, decode_file, decode_node};
use crate::BlockError;
use bytes::Bytes;
use std::ops::Range;
use stead_event::{Cid, cids};

/// Trees deeper than this are refused; four levels of 1,024 links are a pebibyte already.
const DEPTH_MAX: usize = 32;

/// A leaf, or the part of it that a range takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaf {
    /// The leaf.
    pub cid: Cid,
    /// Its whole size in bytes.
    pub size: u64,
    /// Where it begins in the file.
    pub offset: u64,
    /// The bytes of it that lie in the range.
    pub slice: Range<u64>,
}

/// Walks a file's leaves in order, reading inner nodes as it comes to them and passing over what lies outside
/// the range. Leaves themselves are not read: `read` is called for inner nodes only, and never for a raw
/// root. Leaves may have any sizes. It ends after an error.
pub struct Leaves<R> {
    read: R,
    range: Range<u64>,
    /// Children still to visit, the next one last: CID, bytes of the file below it, where it begins, depth.
    ahead: Vec<(Cid, u64, u64, usize)>,
}

impl<R: FnMut(&Cid) -> Result<Bytes, BlockError>> Leaves<R> {
    /// The leaves that `range` touches; all where `None`. `size` is the file's size.
    pub fn new(read: R, root: Cid, size: u64, range: Option<Range<u64>>) -> Self {
        let range = range.unwrap_or(0..size);
        Self {
            read,
            range: range.start..range.end.min(size),
            ahead: vec![(root, size, 0, 0)],
        }
    }

    /// Puts the children of an inner node ahead.
    fn expand(&mut self, cid: Cid, size: u64, offset: u64, depth: usize) -> Result<(), BlockError> {
        let not = |why| BlockError::NotAFile { cid, why };
        if depth >= DEPTH_MAX {
            return Err(not("the tree is too deep"));
        }
        let (node, file) = parse(&cid, &(self.read)(&cid)?)?;
        if file.size != size {
            return Err(not("it is not of the size that its parent says"));
        }
        let mut at = offset + size;
        for (link, below) in node.links.iter().zip(&file.block_sizes).rev() {
            at -= below; // the sizes add up to the node's, which was checked
            if *below > 0 && at < self.range.end && at + below > self.range.start {
                self.ahead.push((link.cid, *below, at, depth + 1));
            }
        }
        Ok(())
    }
}

fn parse(cid: &Cid, bytes: &[u8]) -> Result<(Node, FileNode), BlockError> {
    let not = |why| BlockError::NotAFile { cid: *cid, why };
    let node = decode_node(bytes).ok_or_else(|| not("it is not a dag-pb node"))?;
    let file = node
        .data
        .as_deref()
        .and_then(decode_file)
        .ok_or_else(|| not("it is not a UnixFS file"))?;
    if file.inline > 0 {
        return Err(not("its leaves are not raw blocks"));
    }
    if node.links.len() != file.block_sizes.len() {
        return Err(not("it has not one size for each link"));
    }
    Ok((node, file))
}

impl<R: FnMut(&Cid) -> Result<Bytes, BlockError>> Iterator for Leaves<R> {
    type Item = Result<Leaf, BlockError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((cid, size, offset, depth)) = self.ahead.pop() {
            match cid.codec() {
                cids::RAW => {
                    let from = self.range.start.max(offset).min(offset + size) - offset;
                    let to = self.range.end.clamp(offset, offset + size) - offset;
                    if from < to {
                        return Some(Ok(Leaf {
                            cid,
                            size,
                            offset,
                            slice: from..to,
                        }));
                    }
                }
                cids::DAG_PB => {
                    if let Err(e) = self.expand(cid, size, offset, depth) {
                        self.ahead.clear();
                        return Some(Err(e));
                    }
                }
                _ => {
                    self.ahead.clear();
                    return Some(Err(BlockError::NotAFile {
                        cid,
                        why: "it is neither raw nor dag-pb",
                    }));
                }
            }
        }
        None
    }
}

/// The CIDs that a block names: the links of a dag-pb node, none for any other block.
pub fn links(cid: &Cid, bytes: &[u8]) -> Result<Vec<Cid>, BlockError> {
    if cid.codec() != cids::DAG_PB {
        return Ok(Vec::new());
    }
    let node = decode_node(bytes).ok_or(BlockError::NotAFile {
        cid: *cid,
        why: "it is not a dag-pb node",
    })?;
    Ok(node.links.into_iter().map(|link| link.cid).collect())
}

/// The size in bytes of the file under an inner node, from the node's bytes.
pub fn file_size(cid: &Cid, bytes: &[u8]) -> Result<u64, BlockError> {
    match cid.codec() {
        cids::RAW => Ok(bytes.len() as u64),
        _ => Ok(parse(cid, bytes)?.1.size),
    }
}
