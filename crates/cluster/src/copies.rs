//! Copies of blocks on other nodes: made before the event that names them, fetched where one is missing or
//! damaged here, and levelled when a node was away.

use crate::RaftLog;
use crate::mesh::{Ask, MeshError, Reply};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Weak;
use std::time::Duration;
use stead_block::{Block, BlockError, Copying, Elsewhere, LocalStore};
use stead_event::{Cid, NodeId, cids};
use stead_runtime::{TaskKind, blocking};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Bytes of blocks in one message, about.
const SEND_BYTES: usize = 4 * 1024 * 1024;
/// Blocks asked for at once.
const ASK_BLOCKS: usize = 64;
/// How long a node may take over blocks before it counts as away.
const PATIENCE: Duration = Duration::from_secs(20);
/// Between two comparisons of what is here with what others have.
const LEVEL: Duration = Duration::from_secs(600);
/// How often it is looked whether somebody came back.
const TICK: Duration = Duration::from_secs(2);
/// Names that are remembered of copies that could not be made. What is forgotten is found by comparing.
const OWED: usize = 100_000;

/// Copies that other nodes are owed: those nodes were away when the blocks were written.
#[derive(Default)]
pub(crate) struct Owed(Mutex<BTreeMap<NodeId, BTreeSet<Cid>>>);

impl Owed {
    fn note(&self, node: &NodeId, names: &[Cid]) {
        let mut owed = self.0.lock();
        let total: usize = owed.values().map(BTreeSet::len).sum();
        let room = OWED.saturating_sub(total);
        owed.entry(node.clone())
            .or_default()
            .extend(names.iter().take(room));
    }

    fn take(&self) -> BTreeMap<NodeId, BTreeSet<Cid>> {
        std::mem::take(&mut *self.0.lock())
    }
}

/// The other members' block stores.
pub(crate) struct Copies {
    log: Weak<RaftLog>,
    runtime: Handle,
}

impl Copies {
    pub fn new(log: Weak<RaftLog>, runtime: Handle) -> Self {
        Self { log, runtime }
    }

    async fn fetch_one(log: &RaftLog, cid: Cid) -> Option<Bytes> {
        let mesh = log.link.get()?;
        for node in holders(log) {
            if let Ok(Reply::Blocks(blocks)) = mesh.ask(&node, &Ask::Get(vec![cid]), PATIENCE).await
                && let Some((_, bytes)) = blocks.into_iter().find(|(name, _)| *name == cid)
                && cids::verify(&cid, &bytes)
            {
                return Some(bytes);
            }
        }
        None
    }

    /// Sends blocks to every other node that holds data, and returns when enough have them.
    async fn spread(log: &RaftLog, store: &LocalStore, names: &[Cid]) -> Result<(), BlockError> {
        let others = holders(log);
        if others.is_empty() {
            return Ok(());
        }
        let copies = others.len() + 1;
        let sending = others.iter().map(|node| send(log, store, node, names));
        let sent = futures::future::join_all(sending).await;
        let have = 1 + sent.iter().filter(|sent| sent.is_ok()).count();
        for (node, sent) in others.iter().zip(&sent) {
            if let Err(error) = sent {
                tracing::warn!(%error, "a copy was not made; it will be when that node is back");
                log.owed.note(node, names);
            }
        }
        // Of two, one may be away: there is no third to ask, and its copy is made when it is back.
        let enough = if copies <= 2 { 1 } else { copies / 2 + 1 };
        if have >= enough {
            return Ok(());
        }
        Err(BlockError::Elsewhere(format!(
            "{have} of {copies} nodes have a copy and {enough} are needed"
        )))
    }
}

/// The other members that hold data.
fn holders(log: &RaftLog) -> Vec<NodeId> {
    let others = log.members().into_iter();
    others
        .filter(|(number, member)| *number != log.number && !member.witness)
        .map(|(_, member)| log.link.reachable(&member))
        .collect()
}

async fn send(log: &RaftLog, store: &LocalStore, node: &NodeId, names: &[Cid]) -> Result<(), MeshError> {
    let away = |why: String| MeshError::Unreachable {
        node: node.clone(),
        why,
    };
    let mesh = log.link.get().ok_or_else(|| away("no mesh".into()))?;
    let mut rest = names.to_vec();
    while !rest.is_empty() {
        let (store, batch) = (store.clone(), rest);
        let (blocks, left) = blocking(move || read_some(&store, batch)).await;
        rest = left;
        match mesh.ask(node, &Ask::Put(blocks), PATIENCE).await {
            Ok(Reply::Done) => {}
            Ok(other) => return Err(away(format!("it answers {other:?}"))),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Blocks of about [`SEND_BYTES`], and the names that are left. What is missing or damaged here is left out:
/// somebody else may have it.
pub(crate) fn read_some(store: &LocalStore, mut names: Vec<Cid>) -> (Vec<(Cid, Bytes)>, Vec<Cid>) {
    let (mut blocks, mut bytes, mut taken) = (Vec::new(), 0, 0);
    for cid in &names {
        taken += 1;
        if let Ok(block) = store.read_here(cid) {
            bytes += block.len();
            blocks.push((*cid, block));
        }
        if bytes >= SEND_BYTES {
            break;
        }
    }
    names.drain(..taken);
    (blocks, names)
}

/// Stores blocks that another node sent, if they are what they are called. Durable when it returns.
pub(crate) fn keep(store: &LocalStore, blocks: Vec<(Cid, Bytes)>) -> Result<(), BlockError> {
    let mut writer = store.writer_here();
    for (cid, bytes) in blocks {
        if !cids::verify(&cid, &bytes) {
            return Err(BlockError::Mismatch(cid));
        }
        writer.write_blocking(&Block { cid, bytes })?;
    }
    writer.finish_blocking().map(drop)
}

/// Fetches every block that `from` has and this node has not; answers how many.
pub(crate) async fn fetch_all(log: &RaftLog, store: &LocalStore, from: &NodeId) -> io::Result<u64> {
    let mesh = log.mesh().map_err(io::Error::other)?;
    let (mut after, mut fetched) = (None, 0);
    loop {
        let names = match mesh.ask(from, &Ask::List(after), PATIENCE).await {
            Ok(Reply::List(names)) => names,
            Ok(other) => return Err(other.unexpected()),
            Err(error) => return Err(io::Error::other(error)),
        };
        let Some(last) = names.last() else {
            return Ok(fetched);
        };
        after = Some(*last);
        let mut missing: BTreeSet<Cid> = names.into_iter().filter(|cid| !store.contains(cid)).collect();
        while !missing.is_empty() {
            let wanted: Vec<Cid> = missing.iter().take(ASK_BLOCKS).copied().collect();
            let blocks = match mesh.ask(from, &Ask::Get(wanted.clone()), PATIENCE).await {
                Ok(Reply::Blocks(blocks)) => blocks,
                Ok(other) => return Err(other.unexpected()),
                Err(error) => return Err(io::Error::other(error)),
            };
            if blocks.is_empty() {
                // Collected there since, or damaged there: another node may have them.
                missing.retain(|cid| !wanted.contains(cid));
                continue;
            }
            missing.retain(|cid| !blocks.iter().any(|(name, _)| name == cid));
            fetched += blocks.len() as u64;
            let store = store.clone();
            blocking(move || keep(&store, blocks))
                .await
                .map_err(io::Error::other)?;
        }
    }
}

/// Makes copies that are owed to nodes that are back.
async fn settle(log: &RaftLog, store: &LocalStore) {
    for (node, names) in log.owed.take() {
        if !holders(log).contains(&node) {
            continue; // it is no member any more
        }
        let names: Vec<Cid> = names.into_iter().collect();
        match send(log, store, &node, &names).await {
            Ok(()) => tracing::info!(%node, copies = names.len(), "copies were made that it was owed"),
            Err(_) => log.owed.note(&node, &names),
        }
    }
}

/// Fetches what is missing here: when this node begins, when a node is back, and now and then.
pub(crate) async fn level(log: Weak<RaftLog>, store: LocalStore) {
    let mut due: Option<tokio::time::Instant> = None;
    let mut levelled = BTreeSet::new();
    loop {
        tokio::time::sleep(TICK).await;
        let Some(log) = log.upgrade() else { return };
        if log.is_stopping() {
            return;
        }
        settle(&log, &store).await;
        let now = tokio::time::Instant::now();
        // Without a leader this node is cut off, and misses what others write.
        if due.is_none_or(|due| now >= due) || log.leader().is_none() {
            levelled.clear();
            due = Some(now + LEVEL);
        }
        let others = BTreeSet::from_iter(holders(&log));
        levelled.retain(|node| others.contains(node));
        for node in others.difference(&levelled.clone()) {
            match fetch_all(&log, &store, node).await {
                Ok(fetched) => {
                    if fetched > 0 {
                        tracing::info!(%node, fetched, "blocks that were missing here were fetched");
                    }
                    levelled.insert(node.clone());
                }
                Err(error) => tracing::debug!(%node, %error, "its blocks cannot be compared now"),
            }
        }
    }
}

impl Elsewhere for Copies {
    fn fetch(&self, cid: &Cid) -> Option<Bytes> {
        let log = self.log.upgrade()?;
        if log.alone() {
            return None;
        }
        let (runtime, cid) = (self.runtime.clone(), *cid);
        let fetching = async move { Self::fetch_one(&log, cid).await };
        // Reads are made on async threads as well: those may only block where they say so.
        if Handle::try_current().is_ok() {
            tokio::task::block_in_place(|| runtime.block_on(fetching))
        } else {
            runtime.block_on(fetching)
        }
    }

    fn replicate(&self, store: &LocalStore, names: Vec<Cid>) -> Copying {
        let (answer, copying) = oneshot::channel();
        let Some(log) = self.log.upgrade().filter(|log| !log.alone()) else {
            // Who waits may have gone; then nobody needs the answer.
            let _ = answer.send(Ok(()));
            return copying;
        };
        let store = store.clone();
        let _within = self.runtime.enter(); // the caller may be a thread of its own
        let tasks = log.tasks.clone();
        tasks.spawn(TaskKind::Core, "copies-out", async move {
            let _ = answer.send(Self::spread(&log, &store, &names).await);
        });
        copying
    }
}
