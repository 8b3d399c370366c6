//! The map as a tree: domains that lie within each other, then nodes, then disks.
//!
//! Owns: which kinds nest (levels) and which cross, how many copies one domain may get at most (caps), and each
//! group's expected share.
//! Promises: the order of nodes in the map changes nothing.

use super::hash::join;
use super::leaves::{Hashes, Leaf, leaves, nests};
use crate::map::{ClusterMap, DomainKind};
use std::collections::BTreeMap;

/// What a group gives a child for certain, and with which probability one more.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Copies that it always gets.
    pub base: usize,
    /// Probability of one more.
    pub extra: f64,
}

/// A domain, a node or a disk.
#[derive(Debug)]
pub struct Group {
    /// Of its names; what decides between it and its siblings.
    pub hash: u64,
    /// Bytes below it.
    pub weight: f64,
    /// Copies of one block that it may get.
    pub room: usize,
    /// The groups in it.
    pub children: Vec<usize>,
    /// The disk that it is.
    pub leaf: Option<usize>,
    /// The group that it is in.
    pub parent: usize,
    /// For each number of copies from 0 to `room`: its children's shares.
    pub shares: Vec<Vec<Share>>,
}

/// The tree of a map.
#[derive(Debug)]
pub struct Tree {
    /// Every disk, in the order of names.
    pub leaves: Vec<Leaf>,
    /// The root is the first; a parent comes before its children.
    pub groups: Vec<Group>,
    /// Copies that one domain of a kind may get.
    pub caps: BTreeMap<DomainKind, usize>,
    /// Kinds whose domains lie across those of the tree.
    pub crossing: Vec<DomainKind>,
    /// Kinds of the tree from the root down, disks included.
    pub levels: Vec<DomainKind>,
}

impl Tree {
    /// The tree of a map for so many copies.
    pub fn new(map: &ClusterMap, copies: usize) -> Self {
        let (leaves, domains, hashes) = leaves(map);
        let mut kinds: Vec<DomainKind> = DomainKind::STATED
            .into_iter()
            .filter(|kind| domains.get(kind).is_some_and(|count| *count > 1))
            .collect();
        kinds.sort_by_key(|kind| (domains[kind], *kind));
        let (mut levels, mut crossing) = (Vec::<DomainKind>::new(), Vec::new());
        for kind in kinds {
            match levels.last() {
                Some(last) if !nests(&leaves, kind, *last) => crossing.push(kind),
                _ => levels.push(kind),
            }
        }
        levels.extend([DomainKind::Node, DomainKind::Disk]);
        let cap = |kind: &DomainKind| match kind {
            DomainKind::Disk => 1,
            kind => copies.div_ceil(domains.get(kind).copied().unwrap_or(1).max(1)),
        };
        let caps = levels
            .iter()
            .chain(&crossing)
            .map(|kind| (*kind, cap(kind)))
            .collect();
        let mut tree = Self {
            leaves,
            groups: Vec::new(),
            caps,
            crossing,
            levels,
        };
        tree.grow(&hashes);
        tree.relax(copies);
        tree.share();
        tree
    }

    /// Makes the groups from the leaves.
    fn grow(&mut self, hashes: &Hashes) {
        let group = |hash, parent| Group {
            hash,
            weight: 0.0,
            room: 0,
            children: Vec::new(),
            leaf: None,
            parent,
            shares: Vec::new(),
        };
        self.groups.push(group(0, 0));
        let mut known: BTreeMap<(DomainKind, usize), usize> = BTreeMap::new();
        for (index, leaf) in self.leaves.iter().enumerate() {
            let mut at = 0;
            self.groups[0].weight += leaf.weight;
            for kind in &self.levels {
                let domain = leaf.domain(*kind);
                let next = match known.get(&(*kind, domain)) {
                    Some(next) => *next,
                    None => {
                        let next = self.groups.len();
                        let own = hashes[&(*kind, domain)];
                        self.groups.push(group(join(*kind as u64, own), at));
                        self.groups[at].children.push(next);
                        known.insert((*kind, domain), next);
                        next
                    }
                };
                at = next;
                self.groups[at].weight += leaf.weight;
            }
            self.groups[at].leaf = Some(index);
        }
    }

    /// Copies that each group has room for under the caps; the root's is all that can be placed.
    fn measure(&mut self) -> usize {
        let mut depth = vec![0; self.groups.len()];
        for index in 1..self.groups.len() {
            depth[index] = depth[self.groups[index].parent] + 1;
        }
        for index in (0..self.groups.len()).rev() {
            let inside: usize = match self.groups[index].leaf {
                Some(_) => 1,
                None => {
                    let children = self.groups[index].children.iter();
                    children.map(|child| self.groups[*child].room).sum()
                }
            };
            let cap = match depth[index] {
                0 => usize::MAX,
                depth => self.caps[&self.levels[depth - 1]],
            };
            self.groups[index].room = inside.min(cap);
        }
        self.groups[0].room
    }

    /// Raises caps, the widest domain's first, until the copies fit or nothing helps.
    fn relax(&mut self, copies: usize) {
        while self.measure() < copies {
            let before = self.groups[0].room;
            let open: Vec<DomainKind> = self
                .levels
                .iter()
                .copied()
                .filter(|kind| *kind != DomainKind::Disk && self.caps[kind] < copies)
                .collect();
            let Some(widest) = open.first().copied() else {
                break;
            };
            let mut helped = false;
            for kind in open {
                *self.caps.entry(kind).or_default() += 1;
                helped = self.measure() > before;
                if helped {
                    break;
                }
                *self.caps.entry(kind).or_default() -= 1;
            }
            if !helped {
                *self.caps.entry(widest).or_default() += 1;
            }
        }
        self.groups[0].room = self.groups[0].room.min(copies);
    }

    /// The shares of every group's children, for each number of copies that it may get.
    fn share(&mut self) {
        for index in 0..self.groups.len() {
            let group = &self.groups[index];
            let parts: Vec<(f64, usize)> = group
                .children
                .iter()
                .map(|child| (self.groups[*child].weight, self.groups[*child].room))
                .collect();
            self.groups[index].shares = (0..=group.room).map(|copies| shares(copies, &parts)).collect();
        }
    }

    /// How many copies of a block each leaf gets on average.
    pub fn expected(&self) -> Vec<f64> {
        let mut expected = vec![0.0; self.leaves.len()];
        // Of each group, the probability of each number of copies.
        let mut chances: Vec<BTreeMap<usize, f64>> = vec![BTreeMap::new(); self.groups.len()];
        chances[0].insert(self.groups[0].room, 1.0);
        for (index, group) in self.groups.iter().enumerate() {
            let own = std::mem::take(&mut chances[index]);
            for (copies, chance) in own {
                if let Some(leaf) = group.leaf {
                    expected[leaf] += chance * copies as f64;
                }
                for (child, share) in group.children.iter().zip(&group.shares[copies]) {
                    *chances[*child].entry(share.base).or_default() += chance * (1.0 - share.extra);
                    if share.extra > 0.0 {
                        *chances[*child].entry(share.base + 1).or_default() += chance * share.extra;
                    }
                }
            }
        }
        expected
    }
}

/// Divides copies by weight, no part above its room.
fn shares(copies: usize, parts: &[(f64, usize)]) -> Vec<Share> {
    /// What is this near to a whole number is one.
    const NEAR: f64 = 1e-9;
    let mut share = vec![0.0; parts.len()];
    let mut open: Vec<usize> = (0..parts.len()).collect();
    let mut left = copies as f64;
    loop {
        let weight: f64 = open.iter().map(|part| parts[*part].0).sum();
        if weight <= 0.0 {
            break;
        }
        let (full, rest): (Vec<usize>, Vec<usize>) = open
            .iter()
            .partition(|part| left * parts[**part].0 / weight >= parts[**part].1 as f64);
        if full.is_empty() {
            for part in rest {
                share[part] = left * parts[part].0 / weight;
            }
            break;
        }
        for part in full {
            share[part] = parts[part].1 as f64;
            left -= share[part];
        }
        left = left.max(0.0);
        open = rest;
    }
    share
        .into_iter()
        .map(|share| {
            let base = (share + NEAR).floor();
            let extra = share - base;
            Share {
                base: base as usize,
                extra: if extra < NEAR { 0.0 } else { extra },
            }
        })
        .collect()
}
