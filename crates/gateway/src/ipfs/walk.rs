//! From a root and a path to what is there, over every codec, keeping the blocks that were met.
//!
//! Only public blocks are read. A path has a bounded number of segments, and a shard a bounded depth, so a
//! walk is bounded whatever the blocks say.

use super::file::node_of;
use super::{IpfsError, PublishedBlocks};
use crate::objects::ObjectError;
use bytes::Bytes;
use ipld_core::ipld::Ipld;
use stead_block::ipld;
use stead_block::unixfs::hamt;
use stead_block::unixfs::node::{Kind, PbNode, UnixFs};
use stead_event::{Cid, cids};

/// Segments of a path at most.
pub const SEGMENTS_MAX: usize = 256;
/// Symbolic links are answered, not followed; entries of one listing at most.
pub const LISTING_MAX: usize = 100_000;

/// What stands at the end of a path.
#[derive(Clone, Debug)]
pub enum Node {
    /// A file of so many bytes.
    File(u64),
    /// A directory in one block.
    Directory(PbNode),
    /// A directory in shards; its root block.
    Shard(PbNode),
    /// A symbolic link, and where it points.
    Symlink(Bytes),
    /// Data of dag-cbor, dag-json, cbor or json.
    Data,
    /// dag-pb without UnixFS, or UnixFS of no known kind.
    Other,
}

/// The end of a path.
#[derive(Clone, Debug)]
pub struct Found {
    /// Its block.
    pub cid: Cid,
    /// The block's bytes.
    pub bytes: Bytes,
    /// What it is.
    pub node: Node,
    /// The root of each segment: the path's root first, `cid` last.
    pub roots: Vec<Cid>,
    /// Every block that was read on the way, `cid`'s last.
    pub met: Vec<(Cid, Bytes)>,
    /// Segments that lie within the block (of dag-cbor and dag-json) rather than behind a link.
    pub within: usize,
}

/// Where a path does not lead on.
#[derive(Clone, Debug)]
pub enum Walked {
    /// There it is.
    Found(Box<Found>),
    /// A block is not public or not here.
    Absent,
    /// A directory has no such entry: the segments that were found, the root of each last.
    NoEntry(Vec<Cid>),
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedEntry {
    /// Its name.
    pub name: String,
    /// What it is.
    pub cid: Cid,
    /// Bytes of its blocks, as the directory says.
    pub total_size: u64,
}

/// What a block is.
pub(super) fn node_at(cid: &Cid, bytes: &Bytes) -> Node {
    match cid.codec() {
        cids::DAG_PB => {}
        cids::RAW => return Node::File(bytes.len() as u64),
        _ => return Node::Data,
    }
    let Some(node) = PbNode::decode(bytes) else {
        return Node::Other;
    };
    let Some(unixfs) = node.unixfs() else {
        return Node::Other;
    };
    match unixfs.kind {
        Kind::Directory => Node::Directory(node),
        Kind::Shard => Node::Shard(node),
        Kind::Symlink => Node::Symlink(unixfs.data),
        Kind::File | Kind::Raw => file(node, unixfs),
        Kind::Metadata => Node::Other,
    }
}

fn file(node: PbNode, unixfs: UnixFs) -> Node {
    node_of(node, unixfs).map_or(Node::Other, |node| Node::File(node.size()))
}

impl PublishedBlocks {
    /// Walks a path from a root.
    pub async fn walk(&self, root: Cid, path: &[String]) -> Result<Walked, ObjectError> {
        if path.len() > SEGMENTS_MAX {
            return Err(IpfsError::Limit(format!("a path has more than {SEGMENTS_MAX} segments")).into());
        }
        let Some(bytes) = self.get(&root).await? else {
            return Ok(Walked::Absent);
        };
        let mut found = Found {
            cid: root,
            node: node_at(&root, &bytes),
            roots: vec![root],
            met: vec![(root, bytes.clone())],
            bytes,
            within: 0,
        };
        let mut rest = path.iter();
        while let Some(segment) = rest.next() {
            let next = match &found.node {
                Node::Directory(node) => {
                    let link = node.links.iter().find(|link| link.name == *segment);
                    link.map(|link| link.cid)
                }
                Node::Shard(_) => self.in_shards(&mut found, segment).await?,
                Node::Data => match within(&found, segment, rest.as_slice())? {
                    Within::Link(cid, skip) => {
                        rest = rest.as_slice().get(skip..).unwrap_or_default().iter();
                        Some(cid)
                    }
                    Within::Value => {
                        found.within = 1 + rest.len();
                        return Ok(Walked::Found(Box::new(found)));
                    }
                    Within::Nothing => None,
                },
                Node::File(_) | Node::Symlink(_) | Node::Other => None,
            };
            let Some(cid) = next else {
                return Ok(Walked::NoEntry(found.roots));
            };
            let Some(bytes) = self.get(&cid).await? else {
                return Ok(Walked::Absent);
            };
            found.roots.push(cid);
            found.met.push((cid, bytes.clone()));
            found.node = node_at(&cid, &bytes);
            (found.cid, found.bytes) = (cid, bytes);
        }
        Ok(Walked::Found(Box::new(found)))
    }

    /// The entry of a sharded directory; shards that were read are noted as met.
    async fn in_shards(&self, found: &mut Found, name: &str) -> Result<Option<Cid>, ObjectError> {
        let Node::Shard(root) = &found.node else {
            return Ok(None);
        };
        let mut node = root.clone();
        for slot in hamt::path_of(name) {
            let wanted = format!("{slot:02X}");
            let Some(link) = node.links.iter().find(|link| link.name.starts_with(&wanted)) else {
                return Ok(None);
            };
            if link.name.len() > 2 {
                return Ok((link.name[2..] == *name).then_some(link.cid));
            }
            let cid = link.cid;
            let Some(bytes) = self.get(&cid).await? else {
                return Err(IpfsError::Missing(Box::new(cid)).into());
            };
            let Node::Shard(next) = node_at(&cid, &bytes) else {
                return Ok(None);
            };
            found.met.push((cid, bytes));
            node = next;
        }
        Ok(None)
    }

    /// Up to `max` entries of a directory, and whether there are more.
    pub async fn entries(&self, node: &Node, max: usize) -> Result<(Vec<ListedEntry>, bool), ObjectError> {
        let mut entries = Vec::new();
        let mut ahead = match node {
            Node::Directory(node) => {
                for link in node.links.iter().take(max + 1) {
                    entries.push(entry(&link.name, link.cid, link.total_size));
                }
                Vec::new()
            }
            Node::Shard(node) => vec![(node.clone(), 0)],
            _ => Vec::new(),
        };
        while let Some((node, depth)) = ahead.pop() {
            for link in node.links {
                let Some((_, name)) = hamt::split(&link.name) else {
                    continue;
                };
                if !name.is_empty() {
                    entries.push(entry(name, link.cid, link.total_size));
                } else if depth < 8
                    && entries.len() <= max
                    && let Some(bytes) = self.get(&link.cid).await?
                    && let Node::Shard(below) = node_at(&link.cid, &bytes)
                {
                    ahead.push((below, depth + 1));
                }
            }
            if entries.len() > max {
                break;
            }
        }
        let more = entries.len() > max;
        entries.truncate(max);
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((entries, more))
    }
}

fn entry(name: &str, cid: Cid, total_size: u64) -> ListedEntry {
    ListedEntry {
        name: name.to_owned(),
        cid,
        total_size,
    }
}

/// Where a segment leads within data.
enum Within {
    /// Behind a link, after so many more segments.
    Link(Cid, usize),
    /// To something within the block.
    Value,
    Nothing,
}

fn within(found: &Found, segment: &str, rest: &[String]) -> Result<Within, ObjectError> {
    let Ok(data) = ipld::data(&found.cid, &found.bytes) else {
        return Ok(Within::Nothing);
    };
    let segments = std::iter::once(segment).chain(rest.iter().map(String::as_str));
    let mut at = &data;
    for (used, segment) in segments.enumerate() {
        let next = match at {
            Ipld::Map(map) => map.get(segment),
            Ipld::List(list) => segment.parse::<usize>().ok().and_then(|index| list.get(index)),
            _ => None,
        };
        match next {
            Some(Ipld::Link(cid)) => return Ok(Within::Link(*cid, used)),
            Some(value) => at = value,
            None => return Ok(Within::Nothing),
        }
    }
    Ok(Within::Value)
}
