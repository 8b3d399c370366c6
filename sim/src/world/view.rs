//! What all members agree on, in one version: who is a member, who votes, how buckets are kept; and what follows from it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;
use stead_plan::rules::{self, Standing};
use stead_plan::{ClusterMap, Domains, Placer, Policy, Redundancy};

/// A block: its object's number, and which piece of it.
pub type Block = (usize, usize);

/// A member, as the membership has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    pub name: String,
    pub capacity: u64,
    pub domains: Domains,
    pub witness: bool,
    pub draining: bool,
    pub out: bool,
}

/// What can change, by a decision of most voters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreed {
    pub members: BTreeMap<usize, Member>,
    pub voters: BTreeSet<usize>,
    pub buckets: Vec<Policy>,
}

/// Who holds each piece, by how an object is kept and its number.
type Holders = HashMap<(Policy, usize), Rc<Vec<usize>>>;

/// A version of it.
#[derive(Debug)]
pub struct View {
    pub number: usize,
    pub agreed: Agreed,
    map: ClusterMap,
    by_name: HashMap<String, usize>,
    placers: RefCell<BTreeMap<Policy, Rc<Placer>>>,
    holders: RefCell<Holders>,
}

impl View {
    pub fn new(number: usize, agreed: Agreed) -> Self {
        let standing = agreed.members.values().map(|member| Standing {
            name: &member.name,
            capacity: member.capacity,
            domains: &member.domains,
            witness: member.witness,
            draining: member.draining,
            out: member.out,
        });
        Self {
            number,
            map: rules::cluster_map(standing),
            by_name: agreed
                .members
                .iter()
                .map(|(node, member)| (member.name.clone(), *node))
                .collect(),
            agreed,
            placers: RefCell::default(),
            holders: RefCell::default(),
        }
    }

    fn placer(&self, policy: Policy) -> Rc<Placer> {
        let mut placers = self.placers.borrow_mut();
        let made = || Rc::new(Placer::new(&self.map, policy));
        placers.entry(policy).or_insert_with(made).clone()
    }

    /// Who holds what has this key, by placement.
    pub fn place(&self, policy: Policy, key: &[u8]) -> Vec<usize> {
        let named = rules::copy_holders(&self.placer(policy), key);
        named
            .iter()
            .filter_map(|node| self.by_name.get(&node.0).copied())
            .collect()
    }

    /// Who holds each piece of an object: of copies, all hold the only piece.
    fn holders(&self, policy: Policy, object: usize, key: &[u8]) -> Rc<Vec<usize>> {
        if let Some(known) = self.holders.borrow().get(&(policy, object)) {
            return known.clone();
        }
        let placed = self.place(policy, key);
        let holders = Rc::new(match policy.redundancy() {
            Redundancy::Replicas(_) => placed,
            Redundancy::Erasure { .. } => rules::piece_holders(&placed, policy.stored()),
        });
        self.holders
            .borrow_mut()
            .insert((policy, object), holders.clone());
        holders
    }

    /// Who is to hold a block.
    pub fn owners(&self, bucket: usize, (object, piece): Block, key: &[u8]) -> Vec<usize> {
        let Some(policy) = self.agreed.buckets.get(bucket).copied() else {
            return Vec::new();
        };
        let holders = self.holders(policy, object, key);
        match policy.redundancy() {
            Redundancy::Replicas(_) => holders.to_vec(),
            Redundancy::Erasure { .. } => holders.get(piece).copied().into_iter().collect(),
        }
    }

    /// Members that hold data.
    pub fn holds_data(&self, node: usize) -> bool {
        self.agreed
            .members
            .get(&node)
            .is_some_and(|member| !member.witness)
    }

    /// The other members that hold data.
    pub fn others(&self, node: usize) -> Vec<usize> {
        let members = self.agreed.members.iter();
        members
            .filter(|(other, member)| **other != node && !member.witness)
            .map(|(other, _)| *other)
            .collect()
    }

    /// Members that others hold the copies of.
    pub fn out(&self) -> BTreeSet<usize> {
        let members = self.agreed.members.iter();
        members
            .filter(|(_, member)| member.out)
            .map(|(node, _)| *node)
            .collect()
    }
}
