//! From keys to one directory, whole ([`build`]) or only where keys changed ([`update`]).
//!
//! A directory is known by its *key prefix* below the publication (`""`, `"a/"`, `"a//"`), which is what the
//! index remembers it under. An update asks the names what a key is *now*, so it does not matter how often
//! or in what order it changed.

use super::names;
use crate::error::ViewError;
use crate::names::{ListQuery, Names, ObjectRecord};
use std::collections::{BTreeMap, BTreeSet};
use stead_block::unixfs::directory::{Change, DirError, Directory, Entry};
use stead_block::unixfs::node::PbNode;
use stead_block::{Block, LocalStore};
use stead_event::{Cid, cids};

/// Keys that a listing gives at a time.
const PAGE: usize = 1000;

/// What of a publication's directories is new, by key prefix; `None` is gone.
pub type Directories = BTreeMap<String, Option<Directory>>;

/// Where new blocks go.
pub type Out<'a> = &'a mut dyn FnMut(Block) -> Result<(), DirError>;

/// Why a tree could not be made.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    /// The names cannot be read.
    #[error("{0}")]
    View(#[from] ViewError),
    /// A directory cannot be read or written.
    #[error("{0}")]
    Directory(#[from] DirError),
}

/// A bucket's or prefix's keys at one moment.
pub struct Keys<'a> {
    /// The moment.
    pub names: &'a Names,
    /// Where blocks are.
    pub store: &'a LocalStore,
    /// The bucket.
    pub bucket: &'a str,
    /// Empty, or ending with a slash.
    pub prefix: &'a str,
}

impl Keys<'_> {
    /// The entry that an object is, under a name; `None` where there is no such object or it is none.
    fn file(&self, key: &str, name: String) -> Result<Option<Entry>, TreeError> {
        if key.is_empty() {
            return Ok(None);
        }
        let record = self
            .names
            .object(self.bucket, &[self.prefix, key].concat())?
            .filter(|record| !record.marker && is_public(key, record));
        match record.and_then(|record| Some((record.cid?, record.size))) {
            Some((cid, size)) => Ok(Some(self.entry(name, cid, size)?)),
            None => Ok(None),
        }
    }

    fn entry(&self, name: String, cid: Cid, size: u64) -> Result<Entry, TreeError> {
        let total_size = match cid.codec() {
            cids::DAG_PB => self.total_size(&cid, size),
            _ => size,
        };
        Ok(Entry {
            name,
            cid,
            total_size,
        })
    }

    /// Bytes of a file's blocks. Where its root cannot be read, its bytes alone: damage to one file is not
    /// to stop its directory.
    fn total_size(&self, cid: &Cid, size: u64) -> u64 {
        let node = self.store.read(cid).ok().map(|bytes| {
            let below: u64 = PbNode::decode(&bytes)
                .map(|node| node.links.iter().map(|link| link.total_size).sum())
                .unwrap_or_default();
            below.saturating_add(bytes.len() as u64)
        });
        node.unwrap_or(size)
    }
}

/// Whether an object is an entry. What is encrypted is not: its blocks would tell nobody anything.
fn is_public(key: &str, record: &ObjectRecord) -> bool {
    record.encryption.is_none() && names::is_entry(key, record.size)
}

/// A directory that is being listed.
#[derive(Default)]
struct Open {
    prefix: String,
    entries: BTreeMap<String, Entry>,
}

/// Makes every directory anew, from the first key to the last.
pub fn build(keys: &Keys<'_>, out: Out<'_>) -> Result<Directories, TreeError> {
    let mut done = Directories::new();
    let mut stack = vec![Open::default()];
    let mut query = ListQuery {
        prefix: keys.prefix.to_owned(),
        max: PAGE,
        ..ListQuery::default()
    };
    loop {
        let page = keys.names.list(keys.bucket, &query)?;
        for (key, record) in page.objects {
            let Some(key) = key.strip_prefix(keys.prefix).filter(|key| !key.is_empty()) else {
                continue;
            };
            let Some(cid) = record.cid.filter(|_| is_public(key, &record)) else {
                continue;
            };
            let (directory, segment) = names::split(key);
            close_until(&mut stack, directory, &mut done, out)?;
            open_until(&mut stack, directory);
            let entry = keys.entry(names::name_of(segment), cid, record.size)?;
            if let Some(open) = stack.last_mut() {
                open.entries.insert(entry.name.clone(), entry);
            }
        }
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    close_until(&mut stack, "", &mut done, out)?;
    let root = stack.pop().unwrap_or_default();
    done.insert(String::new(), Some(Directory::build(root.entries, out)?));
    Ok(done)
}

/// Opens the directories down to `directory`.
fn open_until(stack: &mut Vec<Open>, directory: &str) {
    let mut at = stack.last().map_or(0, |open| open.prefix.len());
    while let Some(slash) = directory[at..].find('/') {
        at += slash + 1;
        stack.push(Open {
            prefix: directory[..at].to_owned(),
            entries: BTreeMap::new(),
        });
    }
}

/// Closes directories until the one on top is above `directory` (or is it).
fn close_until(
    stack: &mut Vec<Open>,
    directory: &str,
    done: &mut Directories,
    out: Out<'_>,
) -> Result<(), TreeError> {
    while let Some(top) = stack.pop_if(|top| !directory.starts_with(&top.prefix)) {
        let closed = Directory::build(top.entries, out)?;
        if let (Some(above), Some((_, segment))) = (stack.last_mut(), names::parent(&top.prefix)) {
            put_directory(above, &names::name_of(segment), &closed);
        }
        done.insert(top.prefix, Some(closed));
    }
    Ok(())
}

/// A directory takes its name; a file that has it stands beside.
fn put_directory(above: &mut Open, name: &str, directory: &Directory) {
    let entry = Entry {
        name: name.to_owned(),
        cid: directory.cid,
        total_size: directory.total_size,
    };
    if let Some(file) = above.entries.insert(name.to_owned(), entry) {
        let beside = [name, names::BESIDE].concat();
        let file = Entry {
            name: beside.clone(),
            ..file
        };
        above.entries.insert(beside, file);
    }
}

/// What is to be looked at in a directory: segments, and whether a directory of that segment came or went.
type Touched = BTreeMap<String, bool>;

/// Makes the directories anew that `dirty` keys (below the prefix) lie in. `known` is what the index
/// remembers of a directory.
pub fn update(
    keys: &Keys<'_>,
    known: &dyn Fn(&str) -> Result<Option<Directory>, ViewError>,
    dirty: &BTreeSet<String>,
    out: Out<'_>,
) -> Result<Directories, TreeError> {
    let read = |cid: &Cid| keys.store.read(cid).map_err(DirError::from);
    // Deepest first: by the number of slashes, then by prefix.
    let mut open: BTreeMap<(usize, String), Touched> = BTreeMap::new();
    for key in dirty.iter().filter(|key| !key.is_empty()) {
        let (directory, segment) = names::split(key);
        let place = (depth(directory), directory.to_owned());
        open.entry(place)
            .or_default()
            .entry(segment.to_owned())
            .or_default();
    }
    let mut done = Directories::new();
    while let Some(((_, directory), touched)) = open.pop_last() {
        let before = known(&directory)?;
        let mut changes = Vec::with_capacity(touched.len());
        for (segment, turned) in touched {
            refresh(keys, known, &done, (&directory, &segment, turned), &mut changes)?;
        }
        let after = match before {
            Some(before) => before.change(&read, changes, out)?,
            None => Directory::build(of_nothing(changes), out)?,
        };
        let above = names::parent(&directory);
        let (Some((parent, segment)), changed) = (above, before != Some(after)) else {
            done.insert(directory, Some(after));
            continue;
        };
        let gone = after.entries == 0;
        let turned = gone != before.is_none();
        if turned || changed {
            let place = (depth(parent), parent.to_owned());
            let entry = open.entry(place).or_default().entry(segment.to_owned());
            *entry.or_default() |= turned;
        }
        done.insert(directory.clone(), (!gone).then_some(after));
    }
    Ok(done)
}

fn depth(directory: &str) -> usize {
    directory.bytes().filter(|byte| *byte == b'/').count()
}

/// What a segment of a directory is now, as changes.
fn refresh(
    keys: &Keys<'_>,
    known: &dyn Fn(&str) -> Result<Option<Directory>, ViewError>,
    done: &Directories,
    (directory, segment, turned): (&str, &str, bool),
    changes: &mut Vec<Change>,
) -> Result<(), TreeError> {
    let key = [directory, segment].concat();
    let below = [&key, "/"].concat();
    let child = match done.get(&below) {
        Some(child) => *child,
        None => known(&below)?,
    };
    let name = names::name_of(segment);
    let beside = [&name, names::BESIDE].concat();
    let set = |entry: Option<Entry>, name: String| match entry {
        Some(entry) => Change::Set(entry),
        None => Change::Remove(name),
    };
    if let Some(child) = child {
        let entry = Entry {
            name,
            cid: child.cid,
            total_size: child.total_size,
        };
        changes.push(Change::Set(entry));
        changes.push(set(keys.file(&key, beside.clone())?, beside));
    } else {
        changes.push(set(keys.file(&key, name.clone())?, name));
        if turned {
            changes.push(Change::Remove(beside));
        }
    }
    Ok(())
}

fn of_nothing(changes: Vec<Change>) -> BTreeMap<String, Entry> {
    let set = changes.into_iter().filter_map(|change| match change {
        Change::Set(entry) => Some((entry.name.clone(), entry)),
        Change::Remove(_) => None,
    });
    set.collect()
}
