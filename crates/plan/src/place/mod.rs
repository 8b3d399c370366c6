//! Placement: which disks hold the copies of a block.
//!
//! Owns: weighted rendezvous hashing over failure domains. The map is a tree (sites, racks, … nodes, disks); at each
//! level the copies are divided among the domains by capacity, whole shares for certain and the rest by lot: every
//! domain draws a number from the block's hash and its own name, and the best draws win. Domains that do not nest
//! (two switches across two circuits) are searched instead, in the order of such draws.
//! Promises: the same map, key and policy give the same answer, in whatever order the map lists its nodes; no two
//! copies on one disk, ever; no two behind one node, switch, circuit, rack or site where the map has another way;
//! where it has none, [`Placed::shared`] names what is shared.
//! Not promised: that little moves where a node is so large that every block has a copy on it, and a change of the map
//! ends that: a fourth node of 100 beside 100, 200 and 300 with two copies moves three times what it has to. With equal
//! capacities, and for one copy, what moves is what has to (`tests/placement.rs`).
//! Never: remembers anything. A node that is [`Down`](crate::NodeState::Down) keeps its place.

mod cross;
mod draw;
pub(crate) mod hash;
mod leaves;
mod tree;

use crate::map::{ClusterMap, DomainKind, NodeId};
use crate::policy::Policy;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where one copy (or piece) is. The position in the list is the piece's number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Copy {
    /// The node.
    pub node: NodeId,
    /// Its disk, where the map tells its disks apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk: Option<String>,
}

/// A domain with more than one copy of the same block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Shared {
    /// What kind.
    pub kind: DomainKind,
    /// Which; none where the map does not say, so that it may be one and the same.
    pub name: Option<String>,
    /// Copies in it.
    pub copies: usize,
}

/// The copies of one block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Placed {
    /// Where they are.
    pub copies: Vec<Copy>,
    /// Copies that the policy asks for and no disk is left for.
    pub missing: usize,
    /// What two or more of them share, because the map has nothing better.
    pub shared: Vec<Shared>,
}

impl Placed {
    /// How many of the copies may be counted as copies if one thing of this kind fails: those in different ones.
    pub fn independent(&self, kind: DomainKind) -> usize {
        let together = self.shared.iter().filter(|shared| shared.kind == kind);
        self.copies.len() - together.map(|shared| shared.copies - 1).sum::<usize>()
    }
}

/// A map prepared for a policy. Making one costs milliseconds, asking it microseconds: keep it while the map is
/// the same.
#[derive(Debug)]
pub struct Placer {
    map: ClusterMap,
    policy: Policy,
    tree: tree::Tree,
    /// Where domains cross: the weight in the draw that gives each leaf its share.
    odds: Vec<f64>,
}

/// Where the copies of a block are, in one call; [`Placer`] is for many.
pub fn place(map: &ClusterMap, key: &[u8], policy: Policy) -> Placed {
    Placer::new(map, policy).place(key)
}

impl Placer {
    /// Prepares a map, which [`ClusterMap::check`] should have found good.
    pub fn new(map: &ClusterMap, policy: Policy) -> Self {
        let mut tree = tree::Tree::new(map, policy.stored());
        let odds = cross::prepare(&mut tree);
        Self {
            map: map.clone(),
            policy,
            tree,
            odds,
        }
    }

    /// What it was made for.
    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The map that it was made for.
    pub fn map(&self) -> &ClusterMap {
        &self.map
    }

    /// Where the copies of a block are. The key is its CID's bytes, or any others that name it.
    pub fn place(&self, key: &[u8]) -> Placed {
        let chosen = self.choose(hash::hash(key));
        let copies: Vec<Copy> = chosen.iter().map(|leaf| self.copy(*leaf)).collect();
        Placed {
            missing: self.policy.stored() - copies.len(),
            shared: self.shared(&chosen),
            copies,
        }
    }

    /// Bytes of data that fit before the first disk is full, if every block had this policy. Where domains cross
    /// it is what capacities alone would give.
    pub fn usable_bytes(&self) -> u64 {
        if self.tree.groups[0].room < self.policy.stored() {
            return 0;
        }
        let blocks = self
            .tree
            .expected()
            .iter()
            .zip(&self.tree.leaves)
            .filter(|(share, _)| **share > 0.0)
            .map(|(share, leaf)| leaf.weight / share)
            .fold(f64::INFINITY, f64::min);
        // Each copy of a block is whole; each piece is one of the `k` that data is cut into.
        let bytes = blocks * self.policy.to_read() as f64;
        if bytes.is_finite() { bytes as u64 } else { 0 }
    }

    /// How many copies of a block each disk gets on average, as capacity and independence divide them.
    pub fn expected(&self) -> Vec<(Copy, f64)> {
        let shares = self.tree.expected();
        (0..self.tree.leaves.len())
            .map(|leaf| (self.copy(leaf), shares[leaf]))
            .collect()
    }

    fn copy(&self, leaf: usize) -> Copy {
        let leaf = &self.tree.leaves[leaf];
        let node = &self.map.nodes[leaf.node];
        Copy {
            node: node.id.clone(),
            disk: leaf.disk.map(|disk| node.disks[disk].id.clone()),
        }
    }

    /// The leaves for a key, by the copy's number.
    fn choose(&self, key: u64) -> Vec<usize> {
        let mut chosen = if self.tree.crossing.is_empty() {
            let mut chosen = Vec::with_capacity(self.policy.stored());
            draw::descend(&self.tree, key, 0, self.tree.groups[0].room, &mut chosen);
            chosen
        } else {
            cross::choose(&self.tree, &self.odds, key)
        };
        draw::number(&self.tree, key, &mut chosen);
        chosen
    }

    fn shared(&self, chosen: &[usize]) -> Vec<Shared> {
        let mut shared = Vec::new();
        for kind in DomainKind::STATED.into_iter().chain([DomainKind::Node]) {
            let mut together: BTreeMap<usize, (usize, usize)> = BTreeMap::new();
            for leaf in chosen {
                let domain = self.tree.leaves[*leaf].domain(kind);
                together.entry(domain).or_insert((0, *leaf)).0 += 1;
            }
            for (copies, leaf) in together.into_values().filter(|(copies, _)| *copies > 1) {
                let node = &self.map.nodes[self.tree.leaves[leaf].node];
                let name = match kind {
                    DomainKind::Node => Some(node.id.0.as_str()),
                    kind => node.domains.get(kind),
                };
                shared.push(Shared {
                    kind,
                    name: name.map(str::to_owned),
                    copies,
                });
            }
        }
        shared
    }
}
