//! DAGs from elsewhere: kept as they came (`ipfs.pinned`), and their files as objects.
//!
//! Nothing is named before everything is known to be right: every block matches its CID, every root's DAG is
//! whole (or said to be partial), every file has a key that can be stored. What a file that is refused left
//! behind are blocks that nothing names, which the collector frees.

use super::car_in::{CarReader, Incoming, check};
use super::file::{FilePieces, node_of};
use super::{BlockBody, IpfsError};
use crate::Caller;
use crate::access::{Action, Ask};
use crate::objects::{BodyError, Lock, ObjectError, Objects, Protect, PutRequest, Verify, rules};
use bytes::Bytes;
use futures::{Stream, StreamExt};
use std::collections::HashSet;
use std::pin::pin;
use stead_block::unixfs::hamt;
use stead_block::unixfs::node::{Kind, PbNode};
use stead_block::{LocalStore, Pin, ipld};
use stead_event::body::{IpfsPinned, IpfsUnpinned};
use stead_event::{Cid, Position, TextMap, cids};
use stead_log::Precondition;
use stead_runtime::blocking;

/// Blocks that are stored at a time, in bytes.
const BATCH_BYTES: usize = 4 << 20;
/// Blocks of one DAG at most.
const BLOCKS_MAX: usize = 4 << 20;
/// Objects that one DAG may become.
const OBJECTS_MAX: usize = 100_000;
/// Directories and shards that are opened for them at most: one directory may stand in many places.
const OPENED_MAX: usize = 1_000_000;
/// Directories within each other at most.
const NESTED_MAX: usize = 64;

/// Where a DAG is to go, and how.
#[derive(Clone, Debug)]
pub struct ImportRequest {
    /// The bucket.
    pub bucket: String,
    /// A file's key, or what a directory's keys begin with.
    pub key: String,
    /// Take what is there of a DAG that is not whole; then no objects are made of it.
    pub partial: bool,
    /// Who.
    pub caller: Caller,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct ImportDone {
    /// The roots.
    pub roots: Vec<Cid>,
    /// Blocks that came.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Objects that were stored.
    pub objects: u64,
    /// Where the log has the last of it.
    pub position: Position,
}

/// A file to be made an object.
struct Planned {
    key: String,
    cid: Cid,
    size: u64,
}

/// New blocks, kept from the collector until something names them.
pub(super) struct Taken<'a> {
    store: &'a LocalStore,
    waiting: Vec<(Cid, Bytes)>,
    size: usize,
    pins: Vec<Pin>,
    /// What came, for whoever may not name what others stored.
    came: HashSet<Cid>,
    pub(super) blocks: u64,
    pub(super) bytes: u64,
}

impl<'a> Taken<'a> {
    pub(super) fn new(store: &'a LocalStore) -> Self {
        Self {
            store,
            waiting: Vec::new(),
            size: 0,
            pins: Vec::new(),
            came: HashSet::new(),
            blocks: 0,
            bytes: 0,
        }
    }

    /// Stores a block that was checked.
    pub(super) async fn push(&mut self, cid: Cid, bytes: Bytes) -> Result<(), ObjectError> {
        if ipld::inline(&cid).is_some() {
            return Ok(());
        }
        self.came.insert(v1(&cid));
        if self.came.len() > BLOCKS_MAX {
            return Err(IpfsError::Limit(format!("more than {BLOCKS_MAX} blocks")).into());
        }
        self.blocks += 1;
        self.bytes += bytes.len() as u64;
        self.size += bytes.len();
        self.waiting.push((cid, bytes));
        if self.size >= BATCH_BYTES || self.waiting.len() >= 4096 {
            self.flush().await?;
        }
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<(), ObjectError> {
        self.size = 0;
        let (store, blocks) = (self.store.clone(), std::mem::take(&mut self.waiting));
        self.pins
            .push(blocking(move || store.append_unsynced(&blocks)).await?);
        Ok(())
    }
}

impl Objects {
    /// Takes a CAR in.
    pub async fn import_car<S>(&self, request: ImportRequest, body: S) -> Result<ImportDone, ObjectError>
    where
        S: Stream<Item = Result<Bytes, BodyError>> + Send,
    {
        self.may_import(&request)?;
        let body: Incoming<'_> = pin!(body);
        let mut car = CarReader::open(body).await?;
        if car.roots.is_empty() {
            return Err(IpfsError::Car("its header names no root".into()).into());
        }
        let store = self.context().store.clone();
        let mut taken = Taken::new(&store);
        while let Some((cid, bytes)) = car.next().await? {
            if !self
                .context()
                .space
                .admits(bytes.len() as u64 + BATCH_BYTES as u64)
            {
                return Err(ObjectError::Full);
            }
            taken.push(cid, bytes).await?;
        }
        taken.flush().await?;
        let roots = car.roots;
        self.keep(request, roots, taken).await
    }

    pub(super) fn may_import(&self, request: &ImportRequest) -> Result<(), ObjectError> {
        let who = &request.caller.identity;
        who.check_write(&request.bucket)?;
        let ask = Ask::object(who, Action::PutObject, &request.bucket, &request.key);
        self.context().access().check(&ask)?;
        if request.partial && !may_see_all(&request.caller) {
            // What is missing would tell what others have stored.
            return Err(ObjectError::Denied {
                who: who.principal.0.clone(),
                what: "import a part of a DAG into".into(),
                on: request.bucket.clone(),
            });
        }
        self.require_bucket(&request.bucket)?;
        if !request.key.is_empty() {
            rules::key(&request.key)?;
        }
        Ok(())
    }

    /// Names what was taken: objects for files, and the DAG as it came.
    pub(super) async fn keep(
        &self,
        request: ImportRequest,
        roots: Vec<Cid>,
        mut taken: Taken<'_>,
    ) -> Result<ImportDone, ObjectError> {
        let store = self.context().store.clone();
        let (of, key, partial) = (roots.clone(), request.key.clone(), request.partial);
        let came = std::mem::take(&mut taken.came);
        let mine = (!may_see_all(&request.caller)).then_some(came);
        let planned = blocking(move || -> Result<Vec<Planned>, ObjectError> {
            let mut planned = Vec::new();
            for root in &of {
                whole(&store, root, partial, mine.as_ref())?;
                let key = match of.len() {
                    1 => key.clone(),
                    _ => format!("{}/{root}", key.trim_end_matches('/')),
                };
                if !partial {
                    plan(&store, root, &key, &mut planned)?;
                }
            }
            store.sync()?;
            Ok(planned)
        })
        .await?;
        let mut done = ImportDone {
            roots,
            blocks: taken.blocks,
            bytes: taken.bytes,
            ..ImportDone::default()
        };
        for file in planned {
            self.put_file(&request, file).await?;
            done.objects += 1;
        }
        for root in &done.roots {
            let pinned = IpfsPinned {
                bucket: request.bucket.clone(),
                cid: *root,
                key: request.key.clone(),
                partial: request.partial,
                via: request.caller.via.clone(),
            };
            let require = vec![Precondition::BucketExists(request.bucket.clone())];
            let appended = self.append_one(&request.caller.identity, require, pinned).await?;
            done.position = appended.last;
        }
        drop(taken);
        Ok(done)
    }

    async fn put_file(&self, request: &ImportRequest, file: Planned) -> Result<(), ObjectError> {
        let context = self.context();
        let body = if file.size == 0 {
            BlockBody::of(Bytes::new())
        } else {
            let pieces = FilePieces::new(context.store.clone(), file.cid, file.size, 0..file.size);
            BlockBody::ahead(Box::new(pieces), Some(file.size), &context.tasks).await?
        };
        let body = body.map(|bytes| bytes.map_err(|error| BodyError::Malformed(error.to_string())));
        let put = PutRequest {
            bucket: request.bucket.clone(),
            key: file.key,
            headers: TextMap::new(),
            metadata: TextMap::new(),
            tags: TextMap::new(),
            lock: Lock::default(),
            protect: Protect::AsBucket,
            expect: None,
            caller: request.caller.clone(),
        };
        let verify = Verify {
            content_length: Some(file.size),
            ..Verify::default()
        };
        self.put(put, body, verify).await.map(drop)
    }

    /// Lets go of a DAG that was kept. The objects that were made of it stay.
    pub async fn unpin(
        &self,
        bucket: &str,
        key: &str,
        cid: Cid,
        caller: Caller,
    ) -> Result<Position, ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_write(bucket)?;
        let pins = self.context().views.published()?.pins()?;
        let known = pins
            .iter()
            .any(|pin| pin.bucket == bucket && pin.key == key && pin.cid == cid);
        if !known {
            return Err(IpfsError::Missing(Box::new(cid)).into());
        }
        let gone = IpfsUnpinned {
            bucket: bucket.to_owned(),
            cid,
            key: key.to_owned(),
            via,
        };
        let require = vec![Precondition::BucketExists(bucket.to_owned())];
        Ok(self.append_one(&identity, require, gone).await?.first)
    }
}

/// Version 1 of a CID: what a block is stored under.
fn v1(cid: &Cid) -> Cid {
    Cid::new_v1(cid.codec(), *cid.hash())
}

/// Whether somebody may name blocks that others stored: a CID alone is no right to what it names.
pub(super) fn may_see_all(caller: &Caller) -> bool {
    caller.identity.is_administrator()
}

/// That every block of a DAG is stored, each looked at once however often it is named. Where `mine` is given,
/// only those count.
fn whole(
    store: &LocalStore,
    root: &Cid,
    partial: bool,
    mine: Option<&HashSet<Cid>>,
) -> Result<(), ObjectError> {
    let contains = |cid: &Cid| mine.is_none_or(|mine| mine.contains(&v1(cid))) && store.contains(cid);
    let mut seen = HashSet::from([*root]);
    let mut ahead = vec![*root];
    while let Some(cid) = ahead.pop() {
        if !ipld::is_known(cid.codec()) {
            let why = "its codec is not understood";
            return Err(IpfsError::Unsupported {
                cid: Box::new(cid),
                why,
            }
            .into());
        }
        let bytes = match ipld::inline(&cid) {
            Some(bytes) => bytes,
            None if !contains(&cid) && partial => continue,
            None if !contains(&cid) => return Err(IpfsError::Missing(Box::new(cid)).into()),
            None if cid.codec() == cids::RAW => continue,
            None => store.read(&cid)?,
        };
        for link in ipld::links(&cid, &bytes).map_err(|_| malformed(&cid))? {
            if seen.insert(link) {
                ahead.push(link);
            }
        }
        if seen.len() > BLOCKS_MAX {
            return Err(IpfsError::Limit(format!("a DAG has more than {BLOCKS_MAX} blocks")).into());
        }
    }
    Ok(())
}

fn malformed(cid: &Cid) -> IpfsError {
    IpfsError::Unsupported {
        cid: Box::new(*cid),
        why: "it is not in the codec that its CID names",
    }
}

fn load(store: &LocalStore, cid: &Cid) -> Result<Bytes, ObjectError> {
    match ipld::inline(cid) {
        Some(bytes) => {
            check(cid, &bytes)?;
            Ok(bytes)
        }
        None => Ok(store.read(cid)?),
    }
}

/// The objects that a DAG becomes.
fn plan(store: &LocalStore, root: &Cid, key: &str, planned: &mut Vec<Planned>) -> Result<(), ObjectError> {
    let mut ahead = vec![(*root, key.to_owned(), 0)];
    let mut opened = 0;
    while let Some((cid, key, depth)) = ahead.pop() {
        opened += 1;
        if opened > OPENED_MAX || planned.len() > OBJECTS_MAX {
            return Err(IpfsError::Limit(format!("a DAG becomes more than {OBJECTS_MAX} objects")).into());
        }
        if depth > NESTED_MAX {
            return Err(IpfsError::Limit(format!("directories are nested deeper than {NESTED_MAX}")).into());
        }
        let bytes = load(store, &cid)?;
        let mut file = |size| {
            rules::key(&key)?;
            planned.push(Planned {
                key: key.clone(),
                cid,
                size,
            });
            Ok::<_, ObjectError>(())
        };
        if cid.codec() != cids::DAG_PB {
            // Data becomes the bytes of its root block; the rest of its DAG is kept beside.
            file(bytes.len() as u64)?;
            continue;
        }
        let node = PbNode::decode(&bytes).ok_or_else(|| malformed(&cid))?;
        let Some(unixfs) = node.unixfs() else {
            continue;
        };
        match unixfs.kind {
            Kind::File | Kind::Raw => file(node_of(node, unixfs).ok_or_else(|| malformed(&cid))?.size())?,
            Kind::Directory => {
                for link in node.links {
                    let below = below(&key, &link.name, &cid)?;
                    ahead.push((link.cid, below, depth + 1));
                }
            }
            Kind::Shard => {
                for link in node.links {
                    let (_, name) = hamt::split(&link.name).ok_or_else(|| malformed(&cid))?;
                    let below = if name.is_empty() {
                        key.clone()
                    } else {
                        below(&key, name, &cid)?
                    };
                    ahead.push((link.cid, below, depth + 1));
                }
            }
            // Links and what is out of use are kept in the DAG; no object says what they say.
            Kind::Symlink | Kind::Metadata => {}
        }
    }
    Ok(())
}

fn below(key: &str, name: &str, cid: &Cid) -> Result<String, IpfsError> {
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        return Err(IpfsError::Unsupported {
            cid: Box::new(*cid),
            why: "a name in it cannot be a part of a key",
        });
    }
    let key = key.trim_end_matches('/');
    Ok(if key.is_empty() {
        name.to_owned()
    } else {
        format!("{key}/{name}")
    })
}

/// The blocks that DAGs kept in part name and do not have.
pub fn absent(store: &LocalStore, roots: &[Cid]) -> HashSet<Cid> {
    let mut seen: HashSet<Cid> = roots.iter().copied().collect();
    let mut ahead = roots.to_vec();
    let mut absent = HashSet::new();
    while let Some(cid) = ahead.pop() {
        let bytes = match ipld::inline(&cid) {
            Some(bytes) => bytes,
            None if !store.contains(&cid) => {
                absent.insert(cid);
                continue;
            }
            None if cid.codec() == cids::RAW => continue,
            None => store.read(&cid).unwrap_or_default(),
        };
        let links = ipld::links(&cid, &bytes).unwrap_or_default();
        ahead.extend(links.into_iter().filter(|link| seen.insert(*link)));
    }
    absent
}
