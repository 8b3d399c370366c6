//! A tree of UnixFS as a TAR archive, made while it is read.
//!
//! Names come from whoever made the tree: they are joined and resolved here, and what would lead out of the
//! archive's one root, or through a symbolic link of it, ends the archive. Work and memory are bounded.

use super::file::FilePieces;
use super::tar_header::{BLOCK, Member, header, padding};
use super::walk::node_at;
use super::{BlockBody, Found, IpfsError, Node, PublishedBlocks};
use crate::objects::ObjectError;
use bytes::Bytes;
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use stead_block::unixfs::hamt;
use stead_block::unixfs::node::PbNode;
use stead_event::Cid;

/// Members of an archive at most.
const MEMBERS_MAX: usize = 4 << 20;
/// Members and shards that wait at most.
const WAITING_MAX: usize = 1 << 20;
/// Symbolic links at most: they are remembered.
const LINKS_MAX: usize = 100_000;
/// Bytes of a path at most, as in Linux.
const PATH_MAX: usize = 4096;
/// Shards within each other at most.
const SHARDS_DEEP: usize = 8;

enum Todo {
    /// A member: the directory's path, its name there, what it is.
    Member(Arc<str>, String, Cid),
    /// A shard of a directory, and how deep it is.
    Shard(Arc<str>, Cid, usize),
}

/// A file whose contents are being written.
struct Open {
    cid: Cid,
    pieces: FilePieces,
    left: u64,
    padding: usize,
}

/// The pieces of an archive.
struct TarPieces {
    blocks: PublishedBlocks,
    ready: VecDeque<Bytes>,
    todo: Vec<Todo>,
    open: Option<Open>,
    links: HashSet<String>,
    members: usize,
    ended: bool,
}

fn unsupported(cid: &Cid, why: &'static str) -> ObjectError {
    IpfsError::Unsupported {
        cid: Box::new(*cid),
        why,
    }
    .into()
}

fn limit(what: &str) -> ObjectError {
    IpfsError::Limit(what.to_owned()).into()
}

/// The path of a name in a directory; `None` where it is none below the first segment of the directory's.
fn join(directory: &str, name: &str) -> Option<String> {
    let mut path: Vec<&str> = directory
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let root = path.len().min(1);
    for segment in name.split('/') {
        match segment {
            "" | "." => {}
            ".." if path.len() > root => {
                path.pop();
            }
            ".." => return None,
            segment if segment.contains('\0') => return None,
            segment => path.push(segment),
        }
    }
    (path.len() > root).then(|| path.join("/"))
}

impl TarPieces {
    fn new(blocks: PublishedBlocks, root: Cid, name: String) -> Self {
        Self {
            blocks,
            ready: VecDeque::new(),
            todo: vec![Todo::Member("".into(), name, root)],
            open: None,
            links: HashSet::new(),
            members: 0,
            ended: false,
        }
    }

    fn read(&self, cid: &Cid) -> Result<(Node, Bytes), ObjectError> {
        let missing = || IpfsError::Missing(Box::new(*cid));
        let bytes = self.blocks.read(cid)?.ok_or_else(missing)?;
        Ok((node_at(cid, &bytes), bytes))
    }

    fn visit(&mut self, todo: Todo) -> Result<(), ObjectError> {
        self.members += 1;
        if self.members > MEMBERS_MAX || self.todo.len() > WAITING_MAX {
            return Err(limit("the tree is too large for one archive"));
        }
        match todo {
            Todo::Member(directory, name, cid) => self.member(&directory, &name, &cid),
            Todo::Shard(path, cid, depth) => match self.read(&cid)?.0 {
                Node::Shard(node) if depth < SHARDS_DEEP => {
                    self.shard(&path, node, depth);
                    Ok(())
                }
                _ => Err(unsupported(&cid, "it is no shard of a directory")),
            },
        }
    }

    fn member(&mut self, directory: &str, name: &str, cid: &Cid) -> Result<(), ObjectError> {
        let outside = || unsupported(cid, "its name leads out of the archive");
        let path = join(directory, name).ok_or_else(outside)?;
        if path.len() > PATH_MAX {
            return Err(limit("a path is longer than 4096 bytes"));
        }
        let above = path.match_indices('/').map(|(at, _)| &path[..at]);
        if !self.links.is_empty() && above.chain([path.as_str()]).any(|part| self.links.contains(part)) {
            return Err(unsupported(cid, "its name leads through a symbolic link"));
        }
        match self.read(cid)?.0 {
            Node::File(size) => {
                self.put(header(&path, Member::File(size)));
                self.open = Some(Open {
                    cid: *cid,
                    pieces: FilePieces::new(self.blocks.store().clone(), *cid, size, 0..size),
                    left: size,
                    padding: padding(size),
                });
            }
            Node::Directory(node) => {
                self.put(header(&path, Member::Directory));
                let path: Arc<str> = path.into();
                let children = node.links.into_iter().rev();
                let children = children.map(|link| Todo::Member(path.clone(), link.name, link.cid));
                self.todo.extend(children);
            }
            Node::Shard(node) => {
                self.put(header(&path, Member::Directory));
                self.shard(&path.into(), node, 0);
            }
            Node::Symlink(target) => {
                let target = std::str::from_utf8(&target)
                    .ok()
                    .filter(|text| !text.contains('\0'));
                let target = target.ok_or_else(|| unsupported(cid, "it links to what is no path"))?;
                if target.len() > PATH_MAX || self.links.len() >= LINKS_MAX {
                    return Err(limit("symbolic links"));
                }
                self.put(header(&path, Member::Symlink(target)));
                self.links.insert(path);
            }
            Node::Data | Node::Other => return Err(unsupported(cid, "it is not UnixFS")),
        }
        Ok(())
    }

    fn shard(&mut self, path: &Arc<str>, node: PbNode, depth: usize) {
        for link in node.links.into_iter().rev() {
            match hamt::split(&link.name) {
                Some((_, "")) => self.todo.push(Todo::Shard(path.clone(), link.cid, depth + 1)),
                Some((_, name)) => self
                    .todo
                    .push(Todo::Member(path.clone(), name.to_owned(), link.cid)),
                None => {}
            }
        }
    }

    fn put(&mut self, bytes: impl Into<Bytes>) {
        self.ready.push_back(bytes.into());
    }

    /// More of the file that is open.
    fn contents(&mut self, mut open: Open) -> Result<Option<Bytes>, ObjectError> {
        match open.pieces.next() {
            Some(piece) => {
                let piece = piece?;
                let size = piece.len() as u64;
                let too_long = || unsupported(&open.cid, "the file is not of the size that it says");
                open.left = open.left.checked_sub(size).ok_or_else(too_long)?;
                self.open = Some(open);
                Ok(Some(piece))
            }
            None if open.left > 0 => Err(unsupported(&open.cid, "the file is not of the size that it says")),
            None if open.padding > 0 => Ok(Some(Bytes::from_static(&[0; BLOCK]).slice(..open.padding))),
            None => Ok(None),
        }
    }

    fn step(&mut self) -> Result<Option<Bytes>, ObjectError> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Ok(Some(bytes));
            }
            if let Some(open) = self.open.take() {
                match self.contents(open)? {
                    Some(bytes) => return Ok(Some(bytes)),
                    None => continue,
                }
            }
            match self.todo.pop() {
                Some(todo) => self.visit(todo)?,
                None if self.ended => return Ok(None),
                None => {
                    self.ended = true;
                    // Two blocks of nothing are the end.
                    return Ok(Some(Bytes::from_static(&[0; 2 * BLOCK])));
                }
            }
        }
    }
}

impl Iterator for TarPieces {
    type Item = Result<Bytes, ObjectError>;

    fn next(&mut self) -> Option<Self::Item> {
        let step = self.step();
        if step.is_err() {
            (self.open, self.ended) = (None, true);
            self.todo.clear();
            self.ready.clear();
        }
        step.transpose()
    }
}

impl PublishedBlocks {
    /// What is at the end of a path as an archive, in which it has this name (its CID, where the name is none).
    pub async fn tar(&self, found: &Found, name: Option<&str>) -> Result<BlockBody, ObjectError> {
        let plain = name.filter(|name| !name.contains('/') && join("", name).as_deref() == Some(*name));
        let name = plain.map_or_else(|| found.cid.to_string(), str::to_owned);
        let pieces = TarPieces::new(self.clone(), found.cid, name);
        BlockBody::ahead_or_nothing(Box::new(pieces), &self.context().tasks).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_below_the_root() {
        assert_eq!(join("", "root").as_deref(), Some("root"));
        assert_eq!(join("root", "a").as_deref(), Some("root/a"));
        assert_eq!(join("root/a/b", "../file").as_deref(), Some("root/a/file"));
        assert_eq!(
            join("root/a", "/etc//passwd").as_deref(),
            Some("root/a/etc/passwd")
        );
        for (directory, name) in [
            ("root", "../foo"),
            ("root", ".."),
            ("root", "."),
            ("root", ""),
            ("root/a", "../../foo"),
            ("root", "a/../../root/b"),
            ("root", "a\0b"),
            ("", ".."),
        ] {
            assert_eq!(join(directory, name), None, "{directory} {name}");
        }
    }
}
