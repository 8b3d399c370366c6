//! Sending blocks to the nodes that are to hold them, before the event that names them.
//!
//! Promises: who writes is answered as soon as most of those that are to have the blocks do, whoever is slow; what the
//! others are still sent goes on, and what fails is owed ([`super::owed`]). Where one of two is away, a third has a copy
//! meanwhile, if there is one. To one node only so much is under way at once, and only so much waits: beyond that it is
//! owed at once.

use super::{others, send, stripes};
use crate::RaftLog;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use stead_block::{BlockError, LocalStore, Lot, Quorum};
use stead_event::{Cid, NodeId};
use stead_plan::rules::{Need, When};
use stead_runtime::TaskKind;
use tokio::sync::{Semaphore, mpsc};

/// Messages of blocks that are under way to one node at once; each is about 4 MiB.
const AT_ONCE: usize = 4;
/// Lots that may wait for one node.
const WAITING: usize = 64;

/// How much is under way to each node.
#[derive(Default)]
pub(crate) struct Lanes(parking_lot::Mutex<HashMap<NodeId, Lane>>);

#[derive(Clone)]
struct Lane {
    going: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Lanes {
    fn of(&self, node: &NodeId) -> Lane {
        let made = || Lane {
            going: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: Arc::new(Semaphore::new(WAITING)),
        };
        self.0.lock().entry(node.clone()).or_insert_with(made).clone()
    }
}

/// What a writer waits for, to the rule.
fn when(quorum: Quorum) -> When {
    match quorum {
        Quorum::Majority => When::Majority,
        Quorum::Local => When::Local,
        Quorum::AcrossSites => When::AcrossSites,
    }
}

/// The blocks of a lot, with what each waits for, and the sites of nodes.
struct Waiting<'a> {
    lot: &'a Lot,
    needs: HashMap<Cid, Need>,
    sites: Sites,
    /// What other nodes have been sent.
    have: BTreeMap<NodeId, BTreeSet<Cid>>,
}

/// Where nodes are; nothing where a node does not say.
pub(super) struct Sites {
    own: Option<String>,
    of: HashMap<NodeId, Option<String>>,
}

impl Sites {
    pub(super) fn of(log: &RaftLog) -> Self {
        let map = log.belief();
        let nodes = map.placement.map().nodes.iter();
        let of: HashMap<NodeId, Option<String>> = nodes
            .map(|node| (NodeId(node.id.0.clone()), node.domains.site.clone()))
            .collect();
        Self {
            own: of.get(&log.node).cloned().flatten(),
            of,
        }
    }

    /// Whether a node is at another site than this one, for certain.
    pub(super) fn is_far(&self, node: &NodeId) -> bool {
        let site = self.of.get(node).and_then(Option::as_ref);
        matches!((&self.own, site), (Some(own), Some(site)) if own != site)
    }
}

impl<'a> Waiting<'a> {
    fn new(log: &RaftLog, lot: &'a Lot) -> (Self, BTreeMap<NodeId, Vec<Cid>>) {
        let belief = log.belief();
        let sites = Sites::of(log);
        let elsewhere = others(log).iter().any(|node| sites.is_far(node));
        let stays = !log.drains();
        let mut lots = stripes::lots(log, &lot.stripes);
        let mut needs = HashMap::new();
        for cid in &lot.names {
            let copies = lot.copies.unwrap_or_else(|| belief.classes.of(cid));
            let owners = belief.placement.owners(cid, copies);
            let near = owners
                .iter()
                .filter(|node| **node != log.node && !sites.is_far(node))
                .count();
            let need = Need::new(
                when(lot.quorum),
                copies.into(),
                (owners.len(), near),
                elsewhere,
                stays,
            );
            needs.insert(*cid, need);
            for node in owners.into_iter().filter(|node| *node != log.node) {
                lots.entry(node).or_default().push(*cid);
            }
        }
        let waiting = Self {
            lot,
            needs,
            sites,
            have: BTreeMap::new(),
        };
        (waiting, lots)
    }

    /// A node has these durably.
    fn note(&mut self, node: &NodeId, names: Vec<Cid>) {
        let far = self.sites.is_far(node);
        for cid in &names {
            if let Some(need) = self.needs.get_mut(cid) {
                need.note(far);
            }
        }
        self.have.entry(node.clone()).or_default().extend(names);
    }

    fn is_met(&self) -> bool {
        self.needs.values().all(Need::is_met) && stripes::are_met(&self.lot.stripes, &self.have)
    }

    /// Has a node that is there hold what would else be on this one alone, because the other owner is away.
    async fn stand_in(&mut self, log: &RaftLog, store: &LocalStore, away: &BTreeSet<NodeId>) {
        let alone = self.needs.iter().filter(|(_, need)| need.is_alone());
        let alone: Vec<Cid> = alone.map(|(cid, _)| *cid).collect();
        if alone.is_empty() {
            return;
        }
        for node in others(log).into_iter().filter(|node| !away.contains(node)) {
            if send(log, store, &node, &alone).await.is_ok() {
                self.note(&node, alone);
                return;
            }
        }
    }

    /// Why too few have it.
    fn unmet(&self) -> Option<BlockError> {
        let need = self.needs.values().find(|need| !need.is_enough())?;
        let Need { have, enough, .. } = need;
        Some(BlockError::Elsewhere(match need.far {
            Some(false) if need.near >= *enough => {
                format!("{have} nodes have a copy, and none of them is at another site than this one")
            }
            _ => format!("{have} nodes have a copy and {enough} are needed"),
        }))
    }
}

/// Sends blocks to the nodes that are to hold them, and returns when enough have them.
pub(super) async fn spread(log: &Arc<RaftLog>, store: &LocalStore, lot: &Lot) -> Result<(), BlockError> {
    let (mut waiting, lots) = Waiting::new(log, lot);
    if waiting.is_met() && lots.is_empty() {
        return Ok(());
    }
    // Room for every answer, so that nobody who sends waits for who has stopped to listen.
    let (answer, mut answers) = mpsc::channel(lots.len().max(1));
    for (node, names) in lots {
        begin(log, store, node, names, answer.clone());
    }
    drop(answer);
    let mut away = BTreeSet::new();
    while !waiting.is_met() {
        match answers.recv().await {
            Some((node, Some(names))) => waiting.note(&node, names),
            Some((node, None)) => drop(away.insert(node)),
            None => break,
        }
    }
    waiting.stand_in(log, store, &away).await;
    if let Some(unmet) = waiting.unmet() {
        return Err(unmet);
    }
    stripes::hand_over(log, store, &lot.stripes, &mut waiting.have, &away).await
}

/// Begins to send blocks to a node, in a task of its own; what fails is owed.
fn begin(
    log: &Arc<RaftLog>,
    store: &LocalStore,
    node: NodeId,
    names: Vec<Cid>,
    answer: mpsc::Sender<(NodeId, Option<Vec<Cid>>)>,
) {
    let lane = log.lanes.of(&node);
    let Ok(place) = lane.waiting.try_acquire_owned() else {
        log.owed.note(&node, &names);
        // There is room for it; who waits may have gone.
        let _ = answer.try_send((node, None));
        return;
    };
    let (raft, store) = (log.clone(), store.clone());
    log.tasks.spawn(TaskKind::Core, "copies-to", async move {
        let going = lane.going.acquire_owned().await;
        let sent = send(&raft, &store, &node, &names).await;
        drop((going, place));
        let sent = match sent {
            Ok(()) => Some(names),
            Err(error) => {
                tracing::warn!(%error, "a copy was not made; it will be when that node is back");
                raft.owed.note(&node, &names);
                None
            }
        };
        let _ = answer.try_send((node, sent));
    });
}
