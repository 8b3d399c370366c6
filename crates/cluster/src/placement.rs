//! Which members hold the copies of a block: the cluster map as the membership makes it, and what this node
//! believes of it.
//!
//! Promises: every member that knows the same membership names the same holders; a belief is replaced, never
//! changed, and each has its own number.
//! Never: asks anybody.

use crate::RaftLog;
use crate::types::{Member, term};
use openraft::async_runtime::watch::WatchReceiver;
use parking_lot::Mutex;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use stead_block::Keep;
use stead_block::stripe::{Scheme, Stripe};
use stead_event::{Cid, NodeId, cids};
use stead_plan::rules::{self, Standing};
use stead_plan::{ClusterMap, Placer, Policy};

/// Copies of a block where nothing else is said.
pub const USUAL_COPIES: u8 = 3;
/// Copies at most.
pub const MAX_COPIES: u8 = stead_plan::policy::MAX_REPLICAS;

/// How blocks are kept, where that is not the usual number of copies. 64 bits of a digest stand for a block: of two
/// that share them, both are kept as either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Classes {
    copies: HashMap<u64, u8>,
    /// Pieces of stripes: in which one, and which of its pieces. Most are in one.
    pieces: HashMap<u64, (u32, u8)>,
    /// The other stripes of those that are in several.
    more: HashMap<u64, Vec<(u32, u8)>>,
    stripes: Vec<(Cid, Scheme)>,
}

impl Classes {
    /// Notes a stripe. Its pieces are kept where the stripe says, whatever number of copies is noted for them, and as
    /// copies beside it where one is.
    pub fn note_stripe(&mut self, cid: Cid, stripe: &Stripe) {
        // A copy of an object has its stripes.
        let first = stripe.pieces().next();
        if first.is_some_and(|(_, piece)| self.stripes_of(&piece).any(|(known, ..)| *known == cid)) {
            return;
        }
        let Ok(number) = u32::try_from(self.stripes.len()) else {
            return;
        };
        self.stripes.push((cid, stripe.scheme));
        for (piece, cid) in stripe.pieces() {
            let (Some(prefix), Ok(piece)) = (prefix(&cid), u8::try_from(piece)) else {
                continue;
            };
            match self.pieces.entry(prefix) {
                Entry::Vacant(free) => drop(free.insert((number, piece))),
                Entry::Occupied(_) => self.more.entry(prefix).or_default().push((number, piece)),
            }
        }
    }

    /// Whether a block is a piece of a stripe.
    pub fn is_piece(&self, cid: &Cid) -> bool {
        prefix(cid).is_some_and(|prefix| self.pieces.contains_key(&prefix))
    }

    /// The stripes that a block is a piece of: the stripe's block, its scheme, the piece's number.
    pub(crate) fn stripes_of(&self, cid: &Cid) -> impl Iterator<Item = (&Cid, Scheme, usize)> {
        let prefix = prefix(cid);
        let first = prefix.and_then(|prefix| self.pieces.get(&prefix));
        let more = prefix.and_then(|prefix| self.more.get(&prefix));
        let all = first.into_iter().chain(more.into_iter().flatten());
        all.filter_map(|(number, piece)| {
            let (cid, scheme) = self.stripes.get(*number as usize)?;
            Some((cid, *scheme, usize::from(*piece)))
        })
    }

    /// Every stripe that is noted.
    pub(crate) fn stripes(&self) -> &[(Cid, Scheme)] {
        &self.stripes
    }

    /// Notes that something reaches a block which wants so many copies. The most that anything wants counts.
    pub fn note(&mut self, cid: &Cid, copies: u8) {
        if let Some(prefix) = prefix(cid) {
            let noted = self.copies.entry(prefix).or_insert(copies);
            *noted = copies.max(*noted);
        }
    }

    /// Notes that something else reaches a block, if it is noted, which wants at least so many copies.
    pub fn raise(&mut self, cid: &Cid, copies: u8) {
        if let Some(noted) = prefix(cid).and_then(|prefix| self.copies.get_mut(&prefix)) {
            *noted = copies.max(*noted);
        }
    }

    /// Copies of a block.
    pub fn of(&self, cid: &Cid) -> u8 {
        self.noted(cid).unwrap_or(USUAL_COPIES)
    }

    fn noted(&self, cid: &Cid) -> Option<u8> {
        if self.copies.is_empty() {
            return None;
        }
        self.copies.get(&prefix(cid)?).copied()
    }
}

fn prefix(cid: &Cid) -> Option<u64> {
    let digest = cids::digest(cid)?;
    let first: [u8; 8] = digest[..8].try_into().ok()?;
    Some(u64::from_be_bytes(first))
}

/// What wants another number of copies than is usual: whoever knows the buckets tells it.
pub trait Wants: Send + Sync + 'static {
    /// A number that is another one after the answer of [`Self::classes`] may have changed.
    fn revision(&self) -> u64;

    /// How anything wants blocks to be kept.
    fn kept(&self) -> BTreeSet<Keep>;

    /// Every block that is to be kept otherwise than is usual. Blocks the thread, maybe for long.
    ///
    /// # Errors
    /// Where it cannot be known; then nothing is given up.
    fn classes(&self) -> Result<Classes, String>;
}

/// The holders of copies, as one membership places them.
#[derive(Debug)]
pub(crate) struct Placement {
    map: ClusterMap,
    /// By number of copies, from one.
    placers: Vec<Placer>,
    /// Those of stripes, made when they are first asked.
    striped: Mutex<BTreeMap<Scheme, Arc<Placer>>>,
    /// Members that hold data.
    holders: Vec<NodeId>,
}

impl Placement {
    fn new(members: &[(u64, Member)]) -> Self {
        let map = map(members);
        let policies = (1..=MAX_COPIES).filter_map(|copies| Policy::replicas(copies).ok());
        let holders = members.iter().filter(|(_, member)| !member.witness);
        Self {
            placers: policies.map(|policy| Placer::new(&map, policy)).collect(),
            striped: Mutex::default(),
            map,
            holders: holders.map(|(_, member)| NodeId(member.name.clone())).collect(),
        }
    }

    /// What the membership is to the planner.
    pub fn map(&self) -> &ClusterMap {
        &self.map
    }

    /// Who holds a block. What names other blocks is small and read often: everybody has it.
    pub fn owners(&self, cid: &Cid, copies: u8) -> Vec<NodeId> {
        let index = usize::from(copies.clamp(1, MAX_COPIES)) - 1;
        match self.placers.get(index) {
            Some(placer) if cid.codec() == cids::RAW => {
                let holders = rules::copy_holders(placer, &cid.to_bytes());
                holders.into_iter().map(|node| NodeId(node.0)).collect()
            }
            _ => self.holders.clone(),
        }
    }

    /// Who holds which piece of a stripe, by the piece's number. Where there are fewer nodes than pieces, some hold
    /// several; nobody where no node holds data.
    pub fn holders(&self, stripe: &Cid, scheme: Scheme) -> Vec<NodeId> {
        let placer = {
            let mut striped = self.striped.lock();
            let made = || {
                let policy = Policy::erasure(scheme.k, scheme.m).ok()?;
                Some(Arc::new(Placer::new(&self.map, policy)))
            };
            match striped.get(&scheme) {
                Some(placer) => placer.clone(),
                None => {
                    let Some(placer) = made() else { return Vec::new() };
                    striped.insert(scheme, placer.clone());
                    placer
                }
            }
        };
        let placed = rules::copy_holders(&placer, &stripe.to_bytes());
        let placed: Vec<NodeId> = placed.into_iter().map(|node| NodeId(node.0)).collect();
        rules::piece_holders(&placed, scheme.pieces())
    }
}

/// The map that a membership is.
fn map(members: &[(u64, Member)]) -> ClusterMap {
    rules::cluster_map(members.iter().map(|(_, member)| Standing {
        name: &member.name,
        capacity: member.facts.capacity,
        domains: &member.facts.domains,
        witness: member.witness,
        draining: member.draining,
        out: member.out,
    }))
}

/// What this node goes by.
#[derive(Debug)]
pub(crate) struct Belief {
    /// No two have the same; a later one has a higher one.
    pub number: u64,
    /// The entry that made the membership: term and index.
    pub membership: (u64, u64),
    pub placement: Placement,
    pub classes: Arc<Classes>,
}

impl Belief {
    /// Who holds a block.
    pub fn owners(&self, cid: &Cid) -> Vec<NodeId> {
        let mut striped = self.classes.stripes_of(cid).peekable();
        if striped.peek().is_none() {
            return self.placement.owners(cid, self.classes.of(cid));
        }
        let copies = self
            .classes
            .noted(cid)
            .map(|copies| self.placement.owners(cid, copies));
        let mut owners = copies.unwrap_or_default();
        for (stripe, scheme, piece) in striped {
            owners.extend(self.placement.holders(stripe, scheme).get(piece).cloned());
        }
        owners.sort();
        owners.dedup();
        owners
    }
}

/// The current belief, and the lock under which copies are promised and given up.
///
/// [`stead_plan::rules`] says why two nodes never rely on each other: a node promises a copy only while it believes
/// itself to be an owner, and gives one up only while it has believed since before it asked that it is none; both
/// under this lock.
#[derive(Default)]
pub(crate) struct Beliefs(Mutex<State>);

#[derive(Default)]
struct State {
    current: Option<Arc<Belief>>,
    classes: Arc<Classes>,
    count: u64,
}

impl RaftLog {
    /// What this node believes now.
    pub(crate) fn belief(&self) -> Arc<Belief> {
        self.current(&mut self.beliefs.0.lock())
    }

    /// Runs `act` with the current belief, which stays it meanwhile.
    pub(crate) fn believing<T>(&self, act: impl FnOnce(&Belief) -> T) -> T {
        let mut state = self.beliefs.0.lock();
        let belief = self.current(&mut state);
        act(&belief)
    }

    /// Takes note of how many copies blocks have.
    pub(crate) fn believe(&self, classes: Classes) {
        let mut state = self.beliefs.0.lock();
        if *state.classes != classes {
            state.classes = Arc::new(classes);
            state.current = None;
        }
    }

    fn current(&self, state: &mut State) -> Arc<Belief> {
        let metrics = self.raft.metrics();
        let membership = {
            let metrics = metrics.borrow_watched();
            let id = metrics.membership_config.log_id();
            id.as_ref().map_or((0, 0), |id| (term(id), id.index))
        };
        if let Some(belief) = state
            .current
            .as_ref()
            .filter(|belief| belief.membership == membership)
        {
            return belief.clone();
        }
        state.count += 1;
        let belief = Arc::new(Belief {
            number: state.count,
            membership,
            placement: Placement::new(&self.members()),
            classes: state.classes.clone(),
        });
        state.current = Some(belief.clone());
        belief
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::Facts;

    fn member(name: &str, circuit: Option<&str>) -> Member {
        let mut facts = Facts::default();
        facts.domains.circuit = circuit.map(str::to_owned);
        Member {
            name: name.to_owned(),
            facts,
            ..Member::default()
        }
    }

    fn members(of: &[(&str, Option<&str>)]) -> Vec<(u64, Member)> {
        (1..)
            .zip(of.iter().map(|(name, circuit)| member(name, *circuit)))
            .collect()
    }

    fn raw(number: u32) -> Cid {
        cids::raw(&number.to_be_bytes())
    }

    #[test]
    fn copies_are_behind_different_breakers_where_that_can_be() {
        let members = members(&[
            ("a", Some("1")),
            ("b", Some("1")),
            ("c", Some("2")),
            ("d", Some("2")),
        ]);
        let placement = Placement::new(&members);
        for number in 0..200 {
            let owners = placement.owners(&raw(number), 2);
            let left = owners
                .iter()
                .filter(|owner| ["a", "b"].contains(&owner.0.as_str()));
            assert_eq!((owners.len(), left.count()), (2, 1), "{owners:?}");
        }
    }

    #[test]
    fn who_drains_or_is_out_or_only_votes_holds_nothing() {
        let mut members = members(&[("a", None), ("b", None), ("c", None), ("d", None), ("e", None)]);
        members[0].1.draining = true;
        members[1].1.out = true;
        members[2].1.witness = true;
        let placement = Placement::new(&members);
        for number in 0..100 {
            let mut owners = placement.owners(&raw(number), 3);
            owners.sort();
            assert_eq!(owners, [NodeId("d".into()), NodeId("e".into())]);
        }
        let inner = cids::dag_pb(b"names others");
        assert_eq!(placement.owners(&inner, 1).len(), 4, "all but the witness");
    }

    #[test]
    fn pieces_are_on_different_nodes_and_copies_beside_them() {
        let members = members(&[("a", None), ("b", None), ("c", None), ("d", None)]);
        let placement = Placement::new(&members);
        let blocks: Vec<_> = (0..2u8)
            .map(|n| stead_block::Block::raw(vec![n; 9].into()))
            .collect();
        let scheme = Scheme { k: 2, m: 1 };
        let stripe = Stripe::code(scheme, &blocks).expect("coded").0;
        let cid = stripe.block().expect("a block").cid;
        let mut classes = Classes::default();
        classes.note_stripe(cid, &stripe);
        classes.note_stripe(cid, &stripe);
        assert_eq!(classes.stripes().len(), 1);
        let holders = placement.holders(&cid, scheme);
        assert_eq!(holders.iter().collect::<BTreeSet<_>>().len(), 3);
        let belief = |classes: &Classes| Belief {
            number: 1,
            membership: (1, 1),
            placement: Placement::new(&members),
            classes: Arc::new(classes.clone()),
        };
        let alone = belief(&classes);
        for (number, piece) in stripe.pieces() {
            assert_eq!(alone.owners(&piece), [holders[number].clone()]);
        }
        // What another bucket wants copies of has these as well.
        classes.note(&blocks[0].cid, 4);
        assert_eq!(belief(&classes).owners(&blocks[0].cid).len(), 4);
        assert_eq!(belief(&classes).owners(&blocks[1].cid).len(), 1);
    }

    #[test]
    fn fewer_nodes_than_pieces_hold_several() {
        let placement = Placement::new(&members(&[("a", None), ("b", None)]));
        let holders = placement.holders(&raw(1), Scheme { k: 4, m: 2 });
        assert_eq!(holders.len(), 6);
        assert!(
            Placement::new(&[])
                .holders(&raw(1), Scheme { k: 2, m: 1 })
                .is_empty()
        );
    }

    #[test]
    fn the_most_that_anything_wants_counts() {
        let mut classes = Classes::default();
        classes.note(&raw(1), 1);
        classes.note(&raw(1), 5);
        classes.note(&raw(1), 2);
        assert_eq!((classes.of(&raw(1)), classes.of(&raw(2))), (5, USUAL_COPIES));
    }
}
