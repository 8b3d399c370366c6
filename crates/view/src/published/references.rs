//! Which blocks are reachable from something public: for each, how many public nodes name it.
//!
//! A node is opened when its count leaves zero (its children are counted) and closed when it comes back to
//! zero. So a change to a directory costs its changed nodes, a DAG whose nodes name each other a million
//! times costs each node once, and depth costs nothing but time.

use crate::error::ViewError;
use redb::{ReadableTable, Table};
use std::collections::{HashMap, VecDeque};
use stead_block::unixfs::node::{Kind, PbNode};
use stead_block::{BlockError, LocalStore, ipld};
use stead_event::{Cid, cids};

/// Raw blocks are counted in memory until there are so many; they have no children to wait for.
const LEAVES: usize = 100_000;

/// Codec and digest: what a block is counted under, whatever the version of its CID.
pub(super) type Key = [u8; 34];

/// The key of a CID that can be stored.
pub(super) fn key_of(cid: &Cid) -> Option<Key> {
    let (codec, digest) = (u16::try_from(cid.codec()).ok()?, cids::digest(cid)?);
    let mut key = [0; 34];
    key[..2].copy_from_slice(&codec.to_be_bytes());
    key[2..].copy_from_slice(&digest);
    Some(key)
}

/// The CID (version 1) of a key.
pub(super) fn cid_of(key: &Key) -> Cid {
    let mut digest = [0; 32];
    digest.copy_from_slice(&key[2..]);
    cids::from_digest(u16::from_be_bytes([key[0], key[1]]).into(), digest)
}

/// Counts within one write transaction.
pub(super) struct References<'t, 'd> {
    /// Twice the count, and one more where the node is open.
    pub(super) counts: &'t mut Table<'d, &'static [u8], u64>,
    /// Directory nodes that are not current any more, and since when (microseconds).
    pub(super) retired: &'t mut Table<'d, &'static [u8], i64>,
    pub(super) store: &'t LocalStore,
    /// Directory nodes that close are kept as retired from this moment; dropped where `None`.
    pub(super) retire: Option<i64>,
    pub(super) nodes: HashMap<Key, i64>,
    pub(super) queue: VecDeque<Key>,
    pub(super) leaves: HashMap<Key, i64>,
}

impl References<'_, '_> {
    /// Counts one more (or less) reference to a block.
    pub(super) fn add(&mut self, cid: &Cid, delta: i64) -> Result<(), ViewError> {
        let Some(key) = key_of(cid) else { return Ok(()) };
        if cid.codec() == cids::RAW {
            *self.leaves.entry(key).or_default() += delta;
            if self.leaves.len() > LEAVES {
                self.flush()?;
            }
            return Ok(());
        }
        if let Some(pending) = self.nodes.get_mut(&key) {
            *pending += delta;
            return Ok(());
        }
        self.nodes.insert(key, delta);
        self.queue.push_back(key);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ViewError> {
        for (key, delta) in std::mem::take(&mut self.leaves) {
            if delta != 0 {
                self.count(&key, delta, |_| None)?;
            }
        }
        Ok(())
    }

    /// Carries out everything that was added, level by level, so that what one side adds and the other takes
    /// away is never opened.
    pub(super) fn run(&mut self) -> Result<(), ViewError> {
        while let Some(key) = self.queue.pop_front() {
            let delta = self.nodes.remove(&key).unwrap_or(0);
            if delta == 0 {
                continue;
            }
            let turn = self.count(&key, delta, |open| Some(!open))?;
            let Some(opens) = turn else { continue };
            let children = self.children(&key, opens)?;
            for child in &children {
                self.add(child, if opens { 1 } else { -1 })?;
            }
        }
        self.flush()
    }

    /// Changes a count. Answers whether the node is to be opened (`true`) or closed (`false`).
    fn count(
        &mut self,
        key: &Key,
        delta: i64,
        turn: impl Fn(bool) -> Option<bool>,
    ) -> Result<Option<bool>, ViewError> {
        let stored = self.counts.get(key.as_slice())?.map_or(0, |value| value.value());
        let (count, open) = ((stored >> 1) as i64 + delta, stored & 1 == 1);
        if count < 0 {
            return Err(ViewError::Damaged(format!(
                "fewer than no references to {}",
                cid_of(key)
            )));
        }
        let turns = if (count > 0) != open { turn(open) } else { None };
        let open = turns.unwrap_or(open);
        if count == 0 {
            self.counts.remove(key.as_slice())?;
        } else {
            self.counts
                .insert(key.as_slice(), (count as u64) << 1 | u64::from(open))?;
        }
        Ok(turns)
    }

    /// The children of a node that opens or closes. One that cannot be read has none, and stays closed.
    fn children(&mut self, key: &Key, opens: bool) -> Result<Vec<Cid>, ViewError> {
        let cid = cid_of(key);
        let bytes = match self.store.read(&cid) {
            Ok(bytes) => bytes,
            Err(error @ (BlockError::Io { .. } | BlockError::IndexRebuilding)) => {
                return Err(ViewError::Block(error));
            }
            Err(error) if opens => {
                tracing::warn!(%cid, %error, "a public block cannot be read; what is below it is not public");
                let stored = self.counts.get(key.as_slice())?.map_or(0, |value| value.value());
                self.counts.insert(key.as_slice(), stored & !1)?;
                return Ok(Vec::new());
            }
            // Its children stay counted for ever; only making the index anew helps.
            Err(error) => return Err(ViewError::Damaged(error.to_string())),
        };
        self.note(key, &cid, &bytes, opens)?;
        Ok(ipld::links(&cid, &bytes).unwrap_or_default())
    }

    fn note(&mut self, key: &Key, cid: &Cid, bytes: &bytes::Bytes, opens: bool) -> Result<(), ViewError> {
        if opens {
            self.retired.remove(key.as_slice())?;
        } else if let Some(now) = self.retire
            && cid.codec() == cids::DAG_PB
            && let Some(unixfs) = PbNode::decode(bytes).and_then(|node| node.unixfs())
            && matches!(unixfs.kind, Kind::Directory | Kind::Shard)
        {
            self.retired.insert(key.as_slice(), now)?;
        }
        Ok(())
    }
}
