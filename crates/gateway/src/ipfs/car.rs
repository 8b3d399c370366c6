//! CAR files of version 1 on their way out: header, then blocks in depth-first order.

use super::file::{DEPTH_MAX, node_of};
use super::{Found, IpfsError, PublishedBlocks};
use crate::objects::ObjectError;
use bytes::Bytes;
use ipld_core::ipld::Ipld;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::ops::Range;
use stead_block::ipld;
use stead_block::unixfs::node::{Kind, PbNode};
use stead_block::unixfs::pb_message::put_varint;
use stead_event::{Cid, cids};

/// Blocks that wait to be visited at most; a DAG that is wide at every depth ends here.
const WAITING_MAX: usize = 1 << 20;
/// Blocks of one CAR at most: nodes that name each other often make few blocks many.
const VISITED_MAX: usize = 4 << 20;

/// How much of a DAG a CAR has below the end of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The block alone.
    Block,
    /// The file, or the directory without what is in its entries; of a file only these bytes.
    Entity(Option<Slice>),
    /// Everything.
    All,
}

/// `entity-bytes`: from, and to (inclusive; to the end where `None`). Negative ones count from the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// First byte.
    pub from: i64,
    /// Last byte.
    pub to: Option<i64>,
}

impl Slice {
    /// As bytes of a file of that size.
    pub fn of(self, size: u64) -> Range<u64> {
        let at = |offset: i64| match u64::try_from(offset) {
            Ok(offset) => offset.min(size),
            Err(_) => size.saturating_sub(offset.unsigned_abs()),
        };
        let end = match self.to {
            None => size,
            Some(to) if to < 0 => (size + 1).saturating_sub(to.unsigned_abs()),
            Some(to) => to.unsigned_abs().saturating_add(1).min(size),
        };
        let from = at(self.from);
        from..end.max(from)
    }
}

/// The header of a CAR.
pub fn header(roots: &[Cid]) -> Bytes {
    let header = Ipld::Map(BTreeMap::from([
        (
            "roots".to_owned(),
            Ipld::List(roots.iter().map(|root| Ipld::Link(*root)).collect()),
        ),
        ("version".to_owned(), Ipld::Integer(1)),
    ]));
    // A map of links and a number always encodes.
    let body = serde_ipld_dagcbor::to_vec(&header).unwrap_or_default();
    let mut out = Vec::with_capacity(body.len() + 2);
    put_varint(&mut out, body.len() as u64);
    out.extend_from_slice(&body);
    out.into()
}

/// The bytes before a block's bytes.
pub fn frame(cid: &Cid, length: usize) -> Bytes {
    let cid = cid.to_bytes();
    let mut out = Vec::with_capacity(cid.len() + 5);
    put_varint(&mut out, (cid.len() + length) as u64);
    out.extend_from_slice(&cid);
    out.into()
}

/// What is still to be written, and what of it.
#[derive(Clone, Debug)]
enum Todo {
    /// A block and everything below.
    All(Cid),
    /// A shard of a directory and its other shards.
    Shard(Cid, usize),
    /// A part of a file: where it begins, how deep it is.
    File(Cid, u64, usize),
}

/// The pieces of a CAR.
pub struct CarPieces {
    blocks: PublishedBlocks,
    ready: VecDeque<Bytes>,
    todo: Vec<Todo>,
    /// Bytes of the file that are wanted.
    range: Range<u64>,
    /// `None` where blocks may come twice.
    seen: Option<HashSet<Cid>>,
    /// Blocks that were visited.
    visited: usize,
}

impl CarPieces {
    /// The blocks on the way to `found`, and of what is there so much as `scope` says.
    pub fn new(blocks: PublishedBlocks, found: &Found, scope: Scope, dups: bool) -> Self {
        let mut car = Self {
            blocks,
            ready: VecDeque::from([header(&[found.cid])]),
            todo: Vec::new(),
            range: 0..u64::MAX,
            seen: (!dups).then(HashSet::new),
            visited: 0,
        };
        let last = found.met.len().saturating_sub(1);
        for (at, (cid, bytes)) in found.met.iter().enumerate() {
            if car.put(cid, bytes) || at == last {
                // Children of the last come below, whether it was written before or not.
                if at == last {
                    let todo = car.below(cid, bytes, scope);
                    car.todo.extend(todo.into_iter().rev());
                }
            }
        }
        car
    }

    /// Writes a block, unless it was and need not be again.
    fn put(&mut self, cid: &Cid, bytes: &Bytes) -> bool {
        if ipld::inline(cid).is_some() {
            return true;
        }
        if let Some(seen) = &mut self.seen
            && !seen.insert(*cid)
        {
            return false;
        }
        self.ready.push_back(frame(cid, bytes.len()));
        if !bytes.is_empty() {
            self.ready.push_back(bytes.clone());
        }
        true
    }

    /// What is below the end of the path.
    fn below(&mut self, cid: &Cid, bytes: &Bytes, scope: Scope) -> Vec<Todo> {
        match scope {
            Scope::Block => Vec::new(),
            Scope::All => all_below(cid, bytes),
            Scope::Entity(slice) => {
                let Some(node) = (cid.codec() == cids::DAG_PB)
                    .then(|| PbNode::decode(bytes))
                    .flatten()
                else {
                    return Vec::new();
                };
                let kind = node.unixfs().map(|unixfs| unixfs.kind);
                match (kind, node.unixfs()) {
                    (Some(Kind::Shard), _) => shards_below(&node, 0),
                    (Some(Kind::File | Kind::Raw), Some(unixfs)) => {
                        let Some(file) = node_of(node, unixfs) else {
                            return Vec::new();
                        };
                        let size = file.size();
                        self.range = slice.map_or(0..size, |slice| slice.of(size));
                        self.file_below(file.inline.len() as u64, &file.children, 0)
                    }
                    _ => Vec::new(),
                }
            }
        }
    }

    /// The children of a file's node that the range touches.
    fn file_below(&self, start: u64, children: &[(Cid, u64)], depth: usize) -> Vec<Todo> {
        let mut offset = start;
        let mut todo = Vec::new();
        for (cid, size) in children {
            let end = offset.saturating_add(*size);
            if offset < self.range.end && end > self.range.start {
                todo.push(Todo::File(*cid, offset, depth + 1));
            }
            offset = end;
        }
        todo
    }

    fn visit(&mut self, todo: Todo) -> Result<(), ObjectError> {
        let cid = match &todo {
            Todo::All(cid) | Todo::Shard(cid, _) | Todo::File(cid, ..) => *cid,
        };
        // What came before came with everything below it.
        if self.seen.as_ref().is_some_and(|seen| seen.contains(&cid)) && !matches!(todo, Todo::File(..)) {
            return Ok(());
        }
        let missing = || IpfsError::Missing(Box::new(cid));
        let bytes = self.blocks.read(&cid)?.ok_or_else(missing)?;
        self.put(&cid, &bytes);
        let below = match todo {
            Todo::All(_) => all_below(&cid, &bytes),
            Todo::Shard(_, depth) if depth < 8 => match PbNode::decode(&bytes) {
                Some(node) => shards_below(&node, depth),
                None => Vec::new(),
            },
            Todo::Shard(..) => Vec::new(),
            Todo::File(_, offset, depth) => {
                if depth > DEPTH_MAX {
                    return Err(IpfsError::Limit(format!("a file's tree is deeper than {DEPTH_MAX}")).into());
                }
                let node = super::file::file_node(&cid, bytes)?;
                self.file_below(offset + node.inline.len() as u64, &node.children, depth)
            }
        };
        self.visited += 1;
        if self.todo.len() + below.len() > WAITING_MAX || self.visited > VISITED_MAX {
            return Err(IpfsError::Limit("the DAG is too wide to be one CAR".into()).into());
        }
        self.todo.extend(below.into_iter().rev());
        Ok(())
    }
}

fn all_below(cid: &Cid, bytes: &Bytes) -> Vec<Todo> {
    let links = ipld::all_links(cid, bytes).unwrap_or_default();
    links.into_iter().map(Todo::All).collect()
}

fn shards_below(node: &PbNode, depth: usize) -> Vec<Todo> {
    let shards = node.links.iter().filter(|link| link.name.len() == 2);
    shards.map(|link| Todo::Shard(link.cid, depth + 1)).collect()
}

impl Iterator for CarPieces {
    type Item = Result<Bytes, ObjectError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some(Ok(bytes));
            }
            let todo = self.todo.pop()?;
            if let Err(error) = self.visit(todo) {
                self.todo.clear();
                return Some(Err(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_count_from_either_end() {
        let of = |from, to| Slice { from, to }.of(100);
        assert_eq!(of(0, None), 0..100);
        assert_eq!(of(10, Some(19)), 10..20);
        assert_eq!(of(-10, None), 90..100);
        assert_eq!(of(-10, Some(-1)), 90..100);
        assert_eq!(of(0, Some(-90)), 0..11);
        assert_eq!(of(200, None), 100..100);
        assert_eq!(of(50, Some(10)), 50..50);
        assert_eq!(of(i64::MIN, Some(i64::MAX)), 0..100);
    }
}
