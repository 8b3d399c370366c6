//! The disks of a map, each with its domains as numbers.
//!
//! Promises: disks come in the order of their names; a domain of one name in two sites is two domains; what a node
//! does not state is one domain with what other nodes do not state.

use super::hash::{hash, join};
use crate::map::{ClusterMap, DomainKind};
use std::collections::{BTreeMap, BTreeSet};

/// A disk that can be given a copy.
#[derive(Clone, Debug)]
pub struct Leaf {
    /// Its node, as an index of the map.
    pub node: usize,
    /// Its disk, as an index of the node's; none where the node does not tell its disks apart.
    pub disk: Option<usize>,
    /// Bytes.
    pub weight: f64,
    /// Of its names.
    pub hash: u64,
    /// Its domain of each kind, by the kind's place: equal where the domain is the same.
    domains: [usize; 6],
}

impl Leaf {
    /// The number of its domain of a kind.
    pub fn domain(&self, kind: DomainKind) -> usize {
        self.domains[kind as usize]
    }
}

/// The hash of each domain's name, by its kind and number.
pub type Hashes = BTreeMap<(DomainKind, usize), u64>;

/// The leaves of a map in the order of their names, how many domains of each kind they are in, and the hashes of
/// the domains' names.
pub fn leaves(map: &ClusterMap) -> (Vec<Leaf>, BTreeMap<DomainKind, usize>, Hashes) {
    let mut order: Vec<usize> = (0..map.nodes.len())
        .filter(|index| map.nodes[*index].takes_copies())
        .collect();
    order.sort_by(|one, other| map.nodes[*one].id.cmp(&map.nodes[*other].id));
    let mut numbers: BTreeMap<(DomainKind, Option<&str>, Option<&str>), usize> = BTreeMap::new();
    let mut counts: BTreeMap<DomainKind, usize> = BTreeMap::new();
    let (mut leaves, mut hashes) = (Vec::new(), Hashes::new());
    for index in order {
        let node = &map.nodes[index];
        let mut domains = [0; 6];
        for kind in DomainKind::STATED {
            let stated = node.domains.get(kind);
            let site = stated.and(node.domains.site.as_deref());
            let count = counts.entry(kind).or_default();
            let number = *numbers.entry((kind, site, stated)).or_insert_with(|| {
                *count += 1;
                *count - 1
            });
            domains[kind as usize] = number;
            let text = |text: Option<&str>| hash(text.unwrap_or_default().as_bytes());
            hashes.insert((kind, number), join(text(site), text(stated)));
        }
        domains[DomainKind::Node as usize] = index;
        *counts.entry(DomainKind::Node).or_default() += 1;
        let name = hash(node.id.0.as_bytes());
        hashes.insert((DomainKind::Node, index), name);
        let mut add = |disk: Option<usize>, weight: u64, hash: u64| {
            if weight > 0 {
                let mut domains = domains;
                domains[DomainKind::Disk as usize] = leaves.len();
                hashes.insert((DomainKind::Disk, leaves.len()), hash);
                leaves.push(Leaf {
                    node: index,
                    disk,
                    weight: weight as f64,
                    hash,
                    domains,
                });
            }
        };
        if node.disks.is_empty() {
            add(None, node.weight, name);
            continue;
        }
        let mut disks: Vec<usize> = (0..node.disks.len()).collect();
        disks.sort_by(|one, other| node.disks[*one].id.cmp(&node.disks[*other].id));
        for disk in disks {
            let own = &node.disks[disk];
            add(Some(disk), own.weight, join(name, hash(own.id.as_bytes())));
        }
    }
    counts.insert(DomainKind::Disk, leaves.len());
    (leaves, counts, hashes)
}

/// Whether every domain of `fine` lies in one domain of `coarse`.
pub fn nests(leaves: &[Leaf], fine: DomainKind, coarse: DomainKind) -> bool {
    let pairs: BTreeSet<(usize, usize)> = leaves
        .iter()
        .map(|leaf| (leaf.domain(fine), leaf.domain(coarse)))
        .collect();
    let fines: BTreeSet<usize> = pairs.iter().map(|(fine, _)| *fine).collect();
    fines.len() == pairs.len()
}
