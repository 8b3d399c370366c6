//! Copies that other nodes are owed: those nodes were away when the blocks were written.

use super::send;
use crate::RaftLog;
use parking_lot::Mutex;
use std::collections::{BTreeMap, BTreeSet};
use stead_block::LocalStore;
use stead_event::{Cid, NodeId};

/// Names that are remembered. What is forgotten is found by comparing.
const OWED: usize = 100_000;

/// Which node is owed which copies.
#[derive(Default)]
pub(crate) struct Owed(Mutex<BTreeMap<NodeId, BTreeSet<Cid>>>);

impl Owed {
    pub fn note(&self, node: &NodeId, names: &[Cid]) {
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

/// Makes copies that are owed to nodes that are back.
pub(super) async fn settle(log: &RaftLog, store: &LocalStore) {
    for (node, names) in log.owed.take() {
        if !super::others(log).contains(&node) {
            continue; // it is no member any more
        }
        let names: Vec<Cid> = names.into_iter().collect();
        match send(log, store, &node, &names).await {
            Ok(()) => tracing::info!(%node, copies = names.len(), "copies were made that it was owed"),
            Err(_) => log.owed.note(&node, &names),
        }
    }
}
