//! Copies of blocks on other nodes: made before the event that names them, fetched where one is missing or
//! damaged here, and levelled when the membership changed or a node was away.

mod level;
mod owed;
mod progress;
mod surplus;

pub use level::LevelOptions;
pub(crate) use level::{fetch_all, level};
pub(crate) use owed::Owed;
pub use progress::CopyProgress;
pub(crate) use progress::Progress;
pub(crate) use surplus::promise;

use crate::RaftLog;
use crate::mesh::{Ask, MeshError, Reply};
use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use std::collections::{BTreeMap, HashMap};
use std::sync::Weak;
use std::time::Duration;
use stead_block::{Block, BlockError, Copying, Elsewhere, Fetched, LocalStore};
use stead_event::{Cid, NodeId, cids};
use stead_plan::policy::most_of;
use stead_runtime::{TaskKind, blocking};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

/// Bytes of blocks in one message, about.
const SEND_BYTES: usize = 4 * 1024 * 1024;
/// How long a node may take over blocks before it counts as away.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long the nearest holder may take before the next is asked as well.
const HEDGE: Duration = Duration::from_millis(250);

/// The other members' block stores.
pub(crate) struct Copies {
    log: Weak<RaftLog>,
    runtime: Handle,
}

impl Copies {
    pub fn new(log: Weak<RaftLog>, runtime: Handle) -> Self {
        Self { log, runtime }
    }

    /// Asks those that should have the block, then everybody else: each a while after the one before, or at once
    /// where that one has it not. The first that is right wins.
    async fn fetch_one(log: &RaftLog, cid: Cid) -> Option<Fetched> {
        let belief = log.belief();
        let owners = belief.owners(&cid);
        let mut ranked: Vec<NodeId> = owners.iter().filter(|node| **node != log.node).cloned().collect();
        let rest = others(log).into_iter().filter(|node| !owners.contains(node));
        ranked.extend(rest.collect::<Vec<_>>());
        let mut ranked = ranked.into_iter();
        let mut asking = FuturesUnordered::new();
        loop {
            if let Some(node) = ranked.next() {
                asking.push(fetch_from(log, node, cid));
            } else if asking.is_empty() {
                return None;
            }
            let answered = tokio::time::timeout(HEDGE, asking.next()).await;
            if let Ok(Some(Some(bytes))) = answered {
                let keep = owners.contains(&log.node);
                return Some(Fetched { bytes, keep });
            }
        }
    }

    /// Sends blocks to the nodes that are to hold them, and returns when enough have them.
    async fn spread(
        log: &RaftLog,
        store: &LocalStore,
        names: &[Cid],
        copies: Option<u8>,
    ) -> Result<(), BlockError> {
        let belief = log.belief();
        let mut held: HashMap<Cid, (usize, usize)> = HashMap::new();
        let mut lots: BTreeMap<NodeId, Vec<Cid>> = BTreeMap::new();
        for cid in names {
            let copies = copies.unwrap_or_else(|| belief.classes.of(cid));
            let owners = belief.placement.owners(cid, copies);
            held.insert(*cid, (1, most_of(owners.len().min(copies.into()))));
            for node in owners.into_iter().filter(|node| *node != log.node) {
                lots.entry(node).or_default().push(*cid);
            }
        }
        let sending = lots.iter().map(|(node, names)| send(log, store, node, names));
        let sent = futures::future::join_all(sending).await;
        for ((node, names), sent) in lots.iter().zip(&sent) {
            if let Err(error) = sent {
                tracing::warn!(%error, "a copy was not made; it will be when that node is back");
                log.owed.note(node, names);
                continue;
            }
            for cid in names {
                held.entry(*cid).and_modify(|(have, _)| *have += 1);
            }
        }
        match held.values().find(|(have, enough)| have < enough) {
            None => Ok(()),
            Some((have, enough)) => Err(BlockError::Elsewhere(format!(
                "{have} nodes have a copy and {enough} are needed"
            ))),
        }
    }
}

async fn fetch_from(log: &RaftLog, node: NodeId, cid: Cid) -> Option<Bytes> {
    let mesh = log.link.get()?;
    let Ok(Reply::Blocks(blocks)) = mesh.ask(&node, &Ask::Get(vec![cid]), PATIENCE).await else {
        return None;
    };
    let (_, bytes) = blocks.into_iter().find(|(name, _)| *name == cid)?;
    cids::verify(&cid, &bytes).then_some(bytes)
}

/// The other members that hold data, as reachable ones.
pub(crate) fn others(log: &RaftLog) -> Vec<NodeId> {
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

/// Stores blocks that another node sent, if they are what they are called. Durable when it returns. What was here
/// before is as young as what was not: an event is on its way that names it.
pub(crate) fn keep(store: &LocalStore, blocks: Vec<(Cid, Bytes)>) -> Result<(), BlockError> {
    let mut writer = store.writer_here();
    let mut names = Vec::with_capacity(blocks.len());
    for (cid, bytes) in blocks {
        if !cids::verify(&cid, &bytes) {
            return Err(BlockError::Mismatch(cid));
        }
        names.push(cid);
        writer.write_blocking(&Block { cid, bytes })?;
    }
    let pin = writer.finish_blocking()?;
    store.renew(&names)?;
    drop(pin);
    Ok(())
}

impl Elsewhere for Copies {
    fn fetch(&self, cid: &Cid) -> Option<Fetched> {
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

    fn replicate(&self, store: &LocalStore, names: Vec<Cid>, copies: Option<u8>) -> Copying {
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
            let _ = answer.send(Self::spread(&log, &store, &names, copies).await);
        });
        copying
    }
}
