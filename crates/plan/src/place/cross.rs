//! Placement where domains lie across each other, so that no tree holds them all.
//!
//! Owns: a search for disks under every cap at once, in the order of each disk's draw, and the draw's weights.
//! Promises: what it finds keeps every cap; the caps are the lowest with which the search finds anything.
//! Limits: shares follow capacities as far as a fixed sample of keys can tell, not exactly.

use super::hash::{fraction, join, ln, mix};
use super::tree::Tree;
use crate::map::DomainKind;
use std::collections::BTreeMap;

/// Steps of one search. Small datacenters need a few dozen.
const STEPS: usize = 50_000;
/// Keys that weights are fitted with, draws in all of one round, and rounds.
const SAMPLE: u64 = 1_024;
const DRAWS: u64 = 200_000;
const ROUNDS: usize = 6;

/// Copies still allowed in each domain, for the kinds that have a cap below the number of copies.
pub struct Room<'a> {
    tree: &'a Tree,
    kinds: Vec<(DomainKind, usize)>,
    used: BTreeMap<(DomainKind, usize), usize>,
}

impl<'a> Room<'a> {
    /// All of it.
    pub fn new(tree: &'a Tree, copies: usize) -> Self {
        let limits = tree.caps.iter();
        let kinds = limits
            .filter(|(kind, cap)| **cap < copies && **kind != DomainKind::Disk)
            .map(|(kind, cap)| (*kind, *cap))
            .collect();
        Self {
            tree,
            kinds,
            used: BTreeMap::new(),
        }
    }

    fn has(&self, leaf: usize) -> bool {
        self.kinds.iter().all(|(kind, cap)| {
            let domain = self.tree.leaves[leaf].domain(*kind);
            self.used.get(&(*kind, domain)).is_none_or(|used| used < cap)
        })
    }

    fn take(&mut self, leaf: usize, add: bool) {
        for (kind, _) in &self.kinds {
            let domain = self.tree.leaves[leaf].domain(*kind);
            let used = self.used.entry((*kind, domain)).or_default();
            *used = if add { *used + 1 } else { used.saturating_sub(1) };
        }
    }
}

/// The first set of so many leaves, in the given order, that keeps every cap and has at least `least` of those
/// that `wanted` marks. None where there is none, or none was found in time.
pub fn search(
    room: &mut Room<'_>,
    order: &[usize],
    copies: usize,
    wanted: Option<(&[bool], usize)>,
) -> Option<Vec<usize>> {
    // Places in `order`, so that going back is possible.
    let mut places: Vec<usize> = Vec::with_capacity(copies);
    let (mut at, mut marked) = (0, 0);
    let is_marked = |leaf: usize| wanted.is_some_and(|(marks, _)| marks[leaf]);
    let least = wanted.map_or(0, |(_, least)| least);
    for _ in 0..STEPS {
        if places.len() == copies {
            return (marked >= least).then(|| places.iter().map(|place| order[*place]).collect());
        }
        let missing = copies - places.len();
        let last = (order.len() + 1).saturating_sub(missing);
        let next = (at..last).find(|place| {
            let leaf = order[*place];
            // Of what is missing, so many may be unmarked.
            (is_marked(leaf) || marked + missing > least) && room.has(leaf)
        });
        match next {
            Some(place) => {
                room.take(order[place], true);
                marked += usize::from(is_marked(order[place]));
                places.push(place);
                at = place + 1;
            }
            None => {
                let place = places.pop()?;
                room.take(order[place], false);
                marked -= usize::from(is_marked(order[place]));
                at = place + 1;
            }
        }
    }
    None
}

/// Raises the caps of crossing kinds until something is found, and fits the weights of the draw.
pub fn prepare(tree: &mut Tree) -> Vec<f64> {
    let mut odds: Vec<f64> = tree.leaves.iter().map(|leaf| leaf.weight).collect();
    if tree.crossing.is_empty() {
        return odds;
    }
    let copies = tree.groups[0].room;
    let order: Vec<usize> = (0..tree.leaves.len()).collect();
    while search(&mut Room::new(tree, copies), &order, copies, None).is_none() {
        // The lowest cap that is not open yet; crossing kinds before those of the tree.
        let open = |kinds: &[DomainKind], tree: &Tree| {
            let kinds = kinds.iter().copied();
            kinds
                .filter(|kind| *kind != DomainKind::Disk && tree.caps[kind] < copies)
                .min_by_key(|kind| tree.caps[kind])
        };
        let Some(kind) = open(&tree.crossing, tree).or_else(|| open(&tree.levels, tree)) else {
            break;
        };
        *tree.caps.entry(kind).or_default() += 1;
    }
    fit(tree, copies, &mut odds);
    odds
}

/// The leaves of a key.
pub fn choose(tree: &Tree, odds: &[f64], key: u64) -> Vec<usize> {
    let copies = tree.groups[0].room;
    let mut draws: Vec<(f64, usize)> = tree
        .leaves
        .iter()
        .enumerate()
        .map(|(index, leaf)| (-ln(fraction(join(key, leaf.hash))) / odds[index], index))
        .collect();
    draws.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
    let order: Vec<usize> = draws.into_iter().map(|(_, leaf)| leaf).collect();
    search(&mut Room::new(tree, copies), &order, copies, None).unwrap_or_else(|| {
        // The order was too hard to search: the order of names is known to have an answer.
        let names: Vec<usize> = (0..tree.leaves.len()).collect();
        search(&mut Room::new(tree, copies), &names, copies, None).unwrap_or_default()
    })
}

/// Changes the weights until a sample of keys is shared out by capacity, as far as the caps allow.
fn fit(tree: &Tree, copies: usize, odds: &mut [f64]) {
    if copies < 2 {
        return;
    }
    let total: f64 = tree.leaves.iter().map(|leaf| leaf.weight).sum();
    let keys = (DRAWS / tree.leaves.len().max(1) as u64).clamp(64, SAMPLE);
    // Leaves with the same domains are fitted as one, which leaves less to chance.
    let mut alike: BTreeMap<Vec<usize>, Vec<usize>> = BTreeMap::new();
    for (index, leaf) in tree.leaves.iter().enumerate() {
        let domains = DomainKind::STATED.iter().map(|kind| leaf.domain(*kind));
        alike.entry(domains.collect()).or_default().push(index);
    }
    for _ in 0..ROUNDS {
        let mut counts = vec![0.0; tree.leaves.len()];
        for key in 0..keys {
            for leaf in choose(tree, odds, mix(key + 1)) {
                counts[leaf] += 1.0;
            }
        }
        for group in alike.values() {
            let had: f64 = group.iter().map(|leaf| counts[*leaf]).sum();
            let weight: f64 = group.iter().map(|leaf| tree.leaves[*leaf].weight).sum();
            let want = keys as f64 * copies as f64 * weight / total;
            let factor = (want / had.max(0.5)).clamp(0.25, 4.0);
            for leaf in group {
                odds[*leaf] = (odds[*leaf] * factor).clamp(total * 1e-6, total * 1e6);
            }
        }
    }
}
