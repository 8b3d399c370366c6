//! From leaves to a root: the balanced layout, level by level.

use super::NODE_LINKS;
use super::pb::{Link, encode_file};
use crate::Block;
use bytes::Bytes;
use stead_event::Cid;

/// Builds the balanced tree over leaves that are stored by somebody else. Inner nodes come out as soon as
/// they are full, so memory grows with the depth of the tree and not with the file.
///
/// Leaves keep the sizes they are pushed with; only where all but the last are [`super::LEAF_BYTES`] long is
/// the root the one of profile `unixfs-v1-2025`.
#[derive(Debug)]
pub struct DagBuilder {
    links: usize,
    /// What has no parent yet, by height above the leaves; each with the bytes of the file below it.
    levels: Vec<Vec<(Link, u64)>>,
    size: u64,
}

/// A finished tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Names the whole file.
    pub root: Cid,
    /// Bytes of the file.
    pub size: u64,
    /// The blocks that are still to be stored: inner nodes, or for an empty file the empty raw block.
    pub blocks: Vec<Block>,
}

impl DagBuilder {
    /// Profile `unixfs-v1-2025`.
    pub fn new() -> Self {
        Self::with_links(NODE_LINKS)
    }

    /// Another width; at least 2.
    pub fn with_links(links: usize) -> Self {
        Self {
            links: links.max(2),
            levels: vec![Vec::new()],
            size: 0,
        }
    }

    /// The next leaf and its size in bytes. Answers the inner nodes that are full now.
    pub fn push(&mut self, leaf: Cid, size: u64) -> Vec<Block> {
        self.size += size;
        let mut blocks = Vec::new();
        self.add(
            0,
            (
                Link {
                    cid: leaf,
                    total_size: size,
                },
                size,
            ),
            &mut blocks,
        );
        blocks
    }

    /// The root, and the blocks that are still to be stored.
    pub fn finish(mut self) -> Finished {
        let mut blocks = Vec::new();
        let mut height = 0;
        loop {
            let top = self.levels[height + 1..].iter().all(Vec::is_empty);
            match self.levels[height].as_slice() {
                [] if top => {
                    let empty = Block::raw(Bytes::new());
                    return Finished {
                        root: empty.cid,
                        size: 0,
                        blocks: vec![empty],
                    };
                }
                [(root, _)] if top => {
                    return Finished {
                        root: root.cid,
                        size: self.size,
                        blocks,
                    };
                }
                [] => {}
                _ => self.wrap(height, &mut blocks),
            }
            height += 1;
        }
    }

    fn add(&mut self, height: usize, child: (Link, u64), blocks: &mut Vec<Block>) {
        if self.levels.len() <= height {
            self.levels.push(Vec::new());
        }
        self.levels[height].push(child);
        if self.levels[height].len() == self.links {
            self.wrap(height, blocks);
        }
    }

    /// Makes one node of a level and puts it on the level above.
    fn wrap(&mut self, height: usize, blocks: &mut Vec<Block>) {
        let children = std::mem::take(&mut self.levels[height]);
        let node = Block::dag_pb(encode_file(&children).into());
        let below: u64 = children.iter().map(|(link, _)| link.total_size).sum();
        let link = Link {
            cid: node.cid,
            total_size: below + node.bytes.len() as u64,
        };
        blocks.push(node);
        self.add(
            height + 1,
            (link, children.iter().map(|(_, size)| size).sum()),
            blocks,
        );
    }
}

impl Default for DagBuilder {
    fn default() -> Self {
        Self::new()
    }
}
