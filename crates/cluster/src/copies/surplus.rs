//! Giving up copies that belong to others now. [`stead_plan::rules`] says why two nodes never rely on
//! each other.

use super::PATIENCE;
use crate::RaftLog;
use crate::mesh::{Ask, Reply};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use stead_block::{BlockError, LocalStore, Store};
use stead_event::{Cid, NodeId, cids};
use stead_plan::rules;
use stead_runtime::blocking;

/// Names looked at in one go.
const NAMES: usize = 256;

/// Gives up what belongs to others, is old enough, and is durable at every owner. Answers how many blocks.
pub(super) async fn give_up(log: &Arc<RaftLog>, store: &LocalStore, older: Duration) -> io::Result<u64> {
    let (mut after, mut given) = (None, 0);
    loop {
        let names = store.list(after, NAMES).await.map_err(io::Error::other)?;
        let Some(last) = names.last() else {
            return Ok(given);
        };
        after = Some(*last);
        given += give_up_some(log, store, older, names).await?;
    }
}

async fn give_up_some(
    log: &Arc<RaftLog>,
    store: &LocalStore,
    older: Duration,
    names: Vec<Cid>,
) -> io::Result<u64> {
    let belief = log.belief();
    let mut owners: HashMap<Cid, Vec<NodeId>> = HashMap::new();
    for cid in names.into_iter().filter(|cid| cid.codec() == cids::RAW) {
        let of = belief.owners(&cid);
        if rules::is_surplus(&of, &log.node) {
            owners.insert(cid, of);
        }
    }
    if owners.is_empty() {
        return Ok(0);
    }
    let (asked, reading) = (owners.keys().copied().collect::<Vec<_>>(), store.clone());
    let old = blocking(move || reading.older_than(&asked, older)).await;
    let old = BTreeSet::from_iter(old.map_err(io::Error::other)?);
    owners.retain(|cid, _| old.contains(cid));
    let sure = held_by_all(log, owners).await?;
    if sure.is_empty() {
        return Ok(0);
    }
    let (raft, store) = (log.clone(), store.clone());
    let given = blocking(move || {
        raft.believing(|now| {
            // Believed since before the owners were asked.
            if rules::may_give_up(belief.number, now.number) {
                store.give_up(&sure)
            } else {
                Ok(0)
            }
        })
    });
    given.await.map_err(io::Error::other)
}

/// Of these, the blocks that every owner has.
async fn held_by_all(log: &RaftLog, owners: HashMap<Cid, Vec<NodeId>>) -> io::Result<Vec<Cid>> {
    let mesh = log.mesh().map_err(io::Error::other)?;
    let mut by_node: BTreeMap<NodeId, Vec<Cid>> = BTreeMap::new();
    for (cid, nodes) in &owners {
        for node in nodes {
            by_node.entry(node.clone()).or_default().push(*cid);
        }
    }
    let mut had: BTreeMap<NodeId, BTreeSet<Cid>> = BTreeMap::new();
    for (node, names) in by_node {
        // Of one that does not answer nothing that it owns is given up now.
        if let Ok(Reply::Promised(promised)) = mesh.ask(&node, &Ask::Promise(names), PATIENCE).await {
            had.insert(node, BTreeSet::from_iter(promised));
        }
    }
    let has = |cid: &Cid, node: &NodeId| had.get(node).is_some_and(|had| had.contains(cid));
    let sure = owners
        .into_iter()
        .filter(|(cid, nodes)| rules::all_have(nodes, |node| has(cid, node)));
    Ok(sure.map(|(cid, _)| cid).collect())
}

/// Of these, what this node has durably, and believes to be its own.
pub(crate) async fn promise(
    log: &Arc<RaftLog>,
    store: &LocalStore,
    names: Vec<Cid>,
) -> Result<Vec<Cid>, BlockError> {
    let (log, store) = (log.clone(), store.clone());
    blocking(move || {
        // Read, not looked up: a copy that has rotted is none.
        let whole: Vec<Cid> = names
            .into_iter()
            .filter(|cid| store.read_here(cid).is_ok())
            .collect();
        store.sync()?;
        Ok(log.believing(|belief| {
            let mine = |cid: &Cid| rules::may_promise(&belief.owners(cid), &log.node, store.contains(cid));
            whole.into_iter().filter(mine).collect()
        }))
    })
    .await
}
