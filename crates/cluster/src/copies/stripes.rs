//! Pieces of stripes on other nodes: sent to who is to hold them, and made anew where they are lost.
//!
//! Promises: a writer is answered when the other nodes together have as many pieces of each stripe as give back all of
//! it. So the loss of any one node, this one included, loses nothing from then on; the loss of as many as there is
//! parity, as soon as every piece is where it belongs. A piece whose holder is away is handed to another node
//! meanwhile.

use super::{PATIENCE, keep, others};
use crate::RaftLog;
use crate::mesh::{Ask, Reply};
use bytes::Bytes;
use futures::future::join_all;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io;
use std::time::Duration;
use stead_block::stripe::Stripe;
use stead_block::{BlockError, LocalStore, Store};
use stead_event::{Cid, NodeId, cids};
use stead_plan::rules;
use stead_runtime::blocking;
use tokio::time::Instant;

/// Names of blocks that are looked through at once.
const NAMES: usize = 4096;
/// Stripes whose blocks are read at once.
const SOME: usize = 256;
/// Between two searches through all blocks for the stripe of one.
const SEARCH_EVERY: Duration = Duration::from_secs(5);

/// Who is to be sent which pieces: those that this node does not hold itself.
pub(super) fn lots(log: &RaftLog, stripes: &[(Cid, Stripe)]) -> BTreeMap<NodeId, Vec<Cid>> {
    let belief = log.belief();
    let mut lots: BTreeMap<NodeId, Vec<Cid>> = BTreeMap::new();
    for (cid, stripe) in stripes {
        let holders = belief.placement.holders(cid, stripe.scheme);
        for (number, piece) in stripe.pieces() {
            if let Some(node) = holders.get(number).filter(|node| **node != log.node) {
                lots.entry(node.clone()).or_default().push(piece);
            }
        }
    }
    lots
}

/// Which stripes lack how many pieces on other nodes, as these `have` them; and which pieces could be sent.
fn lacking<'a>(
    stripes: &'a [(Cid, Stripe)],
    have: &BTreeMap<NodeId, BTreeSet<Cid>>,
) -> impl Iterator<Item = (usize, Vec<Cid>)> + 'a {
    let there: BTreeSet<Cid> = have.values().flatten().copied().collect();
    stripes.iter().filter_map(move |(_, stripe)| {
        let (had, rest): (Vec<Cid>, Vec<Cid>) = stripe
            .pieces()
            .map(|(_, cid)| cid)
            .partition(|cid| there.contains(cid));
        let lacks = rules::pieces_lacking(stripe.needed(), had.len());
        (lacks > 0).then_some((lacks, rest))
    })
}

/// Whether other nodes have enough pieces of every stripe.
pub(super) fn are_met(stripes: &[(Cid, Stripe)], have: &BTreeMap<NodeId, BTreeSet<Cid>>) -> bool {
    lacking(stripes, have).next().is_none()
}

/// Hands pieces whose holders are away to other nodes, in turn, until enough of every stripe are on others than this
/// one. `have` is what other nodes were sent.
pub(super) async fn hand_over(
    log: &RaftLog,
    store: &LocalStore,
    stripes: &[(Cid, Stripe)],
    have: &mut BTreeMap<NodeId, BTreeSet<Cid>>,
    away: &BTreeSet<NodeId>,
) -> Result<(), BlockError> {
    let willing: Vec<NodeId> = others(log)
        .into_iter()
        .filter(|node| !away.contains(node))
        .collect();
    let mut turn = 0;
    let mut sending: BTreeMap<NodeId, Vec<Cid>> = BTreeMap::new();
    for (lacks, pieces) in lacking(stripes, have) {
        for piece in pieces.into_iter().take(lacks) {
            let Some(node) = willing.get(turn % willing.len().max(1)) else {
                break;
            };
            turn += 1;
            sending.entry(node.clone()).or_default().push(piece);
        }
    }
    let sent = join_all(
        sending
            .iter()
            .map(|(node, names)| super::send(log, store, node, names)),
    )
    .await;
    for ((node, names), sent) in sending.into_iter().zip(sent) {
        if sent.is_ok() {
            have.entry(node).or_default().extend(names);
        }
    }
    match lacking(stripes, have).next() {
        None => Ok(()),
        Some((lacks, _)) => Err(BlockError::Elsewhere(format!(
            "{lacks} pieces of a stripe are missing on other nodes"
        ))),
    }
}

/// Where stripes are found by their pieces, if they are not known otherwise: by all blocks that describe one.
#[derive(Default)]
pub(crate) struct StripeIndex(Mutex<Found>);

#[derive(Default)]
struct Found {
    /// By the first bytes of a piece's digest.
    stripes: HashMap<u64, Cid>,
    seen: BTreeSet<Cid>,
    searched: Option<Instant>,
}

fn prefix(cid: &Cid) -> Option<u64> {
    let digest = cids::digest(cid)?;
    digest.first_chunk().map(|first| u64::from_be_bytes(*first))
}

impl StripeIndex {
    fn get(&self, store: &LocalStore, piece: &Cid) -> Option<(Cid, Stripe)> {
        let cid = *self.0.lock().stripes.get(&prefix(piece)?)?;
        read(store, cid).filter(|(_, stripe)| stripe.pieces().any(|(_, cid)| cid == *piece))
    }

    /// Looks through all blocks for stripes that are not known, unless that was just done. They are on every node.
    async fn search(&self, store: &LocalStore) -> Result<(), BlockError> {
        {
            let mut found = self.0.lock();
            if found.searched.is_some_and(|at| at.elapsed() < SEARCH_EVERY) {
                return Ok(());
            }
            found.searched = Some(Instant::now());
        }
        let mut after = None;
        loop {
            let mut names = store.list(after, NAMES).await?;
            after = names.last().copied();
            if after.is_none() {
                return Ok(());
            }
            names.retain(|cid| cid.codec() == cids::DAG_CBOR && !self.0.lock().seen.contains(cid));
            let reading = store.clone();
            let read = blocking(move || {
                let stripes = names.iter().filter_map(|cid| read(&reading, *cid));
                let stripes: Vec<_> = stripes.collect();
                (names, stripes)
            });
            let (names, stripes) = read.await;
            let mut found = self.0.lock();
            found.seen.extend(names);
            for (cid, stripe) in stripes {
                let pieces = stripe.pieces().filter_map(|(_, piece)| prefix(&piece));
                found.stripes.extend(pieces.map(|piece| (piece, cid)));
            }
        }
    }
}

fn read(store: &LocalStore, cid: Cid) -> Option<(Cid, Stripe)> {
    let bytes = store.read_here(&cid).ok()?;
    Stripe::read(&cid, &bytes).map(|stripe| (cid, stripe))
}

/// A block that nobody has, from the other pieces of a stripe that it is in.
pub(super) async fn fetch(log: &RaftLog, wanted: Cid) -> Option<Bytes> {
    let store = &log.together.as_ref()?.store;
    let known: Vec<Cid> = {
        let belief = log.belief();
        belief.classes.stripes_of(&wanted).map(|(cid, ..)| *cid).collect()
    };
    for cid in known {
        if let Some((cid, stripe)) = read(store, cid)
            && let Some(bytes) = restore(log, store, (cid, &stripe), &wanted).await
        {
            return Some(bytes);
        }
    }
    if log.stripes.get(store, &wanted).is_none() {
        log.stripes.search(store).await.ok()?;
    }
    let (cid, stripe) = log.stripes.get(store, &wanted)?;
    restore(log, store, (cid, &stripe), &wanted).await
}

/// A piece from the others: those that are here, then what their holders have, then what anybody has.
async fn restore(
    log: &RaftLog,
    store: &LocalStore,
    (cid, stripe): (Cid, &Stripe),
    wanted: &Cid,
) -> Option<Bytes> {
    let mut missing: BTreeMap<Cid, usize> = BTreeMap::new();
    let mut pieces: Vec<(usize, Bytes)> = Vec::new();
    for (number, piece) in stripe.pieces().filter(|(_, piece)| piece != wanted) {
        match store.read_here(&piece) {
            Ok(bytes) => pieces.push((number, bytes)),
            Err(_) => drop(missing.insert(piece, number)),
        }
    }
    let holders = log.belief().placement.holders(&cid, stripe.scheme);
    let mut asked: BTreeMap<NodeId, Vec<Cid>> = BTreeMap::new();
    for (piece, number) in &missing {
        if let Some(node) = holders.get(*number).filter(|node| **node != log.node) {
            asked.entry(node.clone()).or_default().push(*piece);
        }
    }
    for round in 0..2 {
        if pieces.len() >= stripe.needed() {
            break;
        }
        if round > 0 {
            let rest: Vec<Cid> = missing.keys().copied().collect();
            asked = others(log).into_iter().map(|node| (node, rest.clone())).collect();
        }
        let asking = asked.iter().map(|(node, names)| get(log, node, names.clone()));
        for (cid, bytes) in join_all(asking).await.into_iter().flatten() {
            if let Some(number) = missing.remove(&cid) {
                pieces.push((number, bytes));
            }
        }
    }
    let (stripe, wanted) = (stripe.clone(), *wanted);
    let restored = blocking(move || stripe.restore(&wanted, &pieces)).await;
    match restored {
        Ok(bytes) => {
            tracing::info!(block = %wanted, stripe = %cid, "a block was made anew from the others of its stripe");
            Some(bytes)
        }
        Err(error) => {
            tracing::warn!(block = %wanted, stripe = %cid, %error, "a block cannot be made anew now");
            None
        }
    }
}

/// Those of some blocks that a node has, checked.
async fn get(log: &RaftLog, node: &NodeId, mut names: Vec<Cid>) -> Vec<(Cid, Bytes)> {
    let Some(mesh) = log.link.get() else {
        return Vec::new();
    };
    let mut had = Vec::new();
    while !names.is_empty() {
        let Ok(Reply::Blocks(blocks)) = mesh.ask(node, &Ask::Get(names.clone()), PATIENCE).await else {
            break;
        };
        let came: BTreeSet<Cid> = blocks.iter().map(|(cid, _)| *cid).collect();
        if came.is_empty() {
            break;
        }
        names.retain(|cid| !came.contains(cid));
        had.extend(blocks.into_iter().filter(|(cid, bytes)| cids::verify(cid, bytes)));
    }
    had
}

/// Makes pieces anew that belong here and that nobody has. Answers how many were made, and how many could not be.
pub(super) async fn rebuild(
    log: &RaftLog,
    store: &LocalStore,
    bytes_per_second: u64,
) -> io::Result<(u64, u64)> {
    let belief = log.belief();
    let (begun, mut bytes, mut made, mut failed) = (Instant::now(), 0, 0, 0);
    for some in belief.classes.stripes().chunks(SOME) {
        let (reading, names) = (
            store.clone(),
            some.iter().map(|(cid, _)| *cid).collect::<Vec<_>>(),
        );
        let stripes = blocking(move || {
            names
                .into_iter()
                .filter_map(|cid| read(&reading, cid))
                .collect::<Vec<_>>()
        });
        for (cid, stripe) in stripes.await {
            let holders = belief.placement.holders(&cid, stripe.scheme);
            for (number, piece) in stripe.pieces() {
                if holders.get(number) != Some(&log.node) || store.contains(&piece) {
                    continue;
                }
                log.progress.found(1);
                let restored = restore(log, store, (cid, &stripe), &piece).await;
                let size = restored.as_ref().map_or(0, |restored| restored.len() as u64);
                log.progress.asked(1, u64::from(restored.is_some()), size);
                let Some(restored) = restored else {
                    failed += 1;
                    continue;
                };
                let keeping = store.clone();
                let kept = blocking(move || keep(&keeping, vec![(piece, restored)])).await;
                kept.map_err(io::Error::other)?;
                made += 1;
                // What was read for it went over the network as well.
                bytes += size * stripe.needed() as u64;
                let due = Duration::from_secs_f64(bytes as f64 / bytes_per_second.max(1) as f64);
                tokio::time::sleep_until(begun + due).await;
            }
        }
    }
    Ok((made, failed))
}
