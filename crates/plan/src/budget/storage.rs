//! Room for data, and what it takes and costs.
//!
//! Owns: the bound on usable space, which `tests/budget.rs` compares with where placement really puts blocks. It is
//! the simple one: each domain (disk, machine, rack, circuit, switch, site)
//! takes no more copies of one block than placement puts there, and placement spreads them as evenly as it can
//! ([`crate::place`](mod@crate::place)). What the cluster needs for its log and for moving copies about is not taken
//! off.

use super::totals::Totals;
use super::{round, rounded};
use crate::interval::Interval;
use crate::lab::model::Role;
use crate::lab::{Resolved, ThingId, ThingKind};
use crate::map::NodeState;
use crate::policy::{Policy, Redundancy};
use serde::Serialize;
use std::collections::BTreeMap;

/// Copies that the cluster keeps where nothing is said.
const USUAL: u8 = 3;

/// Room for one way of keeping data, if all were kept so.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Usable {
    /// The data's name; `(usual)` where the file has none.
    pub name: String,
    /// How it is kept.
    pub redundancy: Policy,
    /// Bytes of all disks with data, in terabytes of 10^12.
    pub raw_tb: f64,
    /// Room for data with all copies, in terabytes of 10^12.
    pub usable_tb: f64,
    /// What of the lab counts for each usable terabyte, from rest to hard work.
    pub w_per_usable_tb: Option<Interval>,
    /// The prices that are known, for each usable terabyte.
    pub price_per_usable_tb_at_least: Option<f64>,
    /// Whether what the file says there is fits in; none where it does not say.
    pub fits: Option<bool>,
}

/// Watts and prices by memory and by core, of all machines whose memory or cores are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Per {
    /// Memory in all.
    pub memory_gb: Option<f64>,
    /// Cores in all.
    pub cores: Option<u32>,
    /// The lab's watts for each gigabyte of memory.
    pub w_per_memory_gb: Option<Interval>,
    /// The lab's known prices for each gigabyte of memory.
    pub price_per_memory_gb_at_least: Option<f64>,
    /// The lab's watts for each core.
    pub w_per_core: Option<Interval>,
    /// The lab's known prices for each core.
    pub price_per_core_at_least: Option<f64>,
}

/// A machine with the sizes of its disks for data.
struct Holder {
    id: ThingId,
    disks: Vec<f64>,
}

impl Holder {
    fn size(&self) -> f64 {
        self.disks.iter().sum()
    }
}

fn holders(lab: &Resolved) -> Vec<Holder> {
    let nodes = lab.of_kind(ThingKind::Node).filter(|(id, _)| {
        let node = lab.node(*id);
        node.is_some_and(|node| {
            node.role() == Role::Storage && matches!(node.state, NodeState::Active | NodeState::Down)
        })
    });
    nodes
        .map(|(id, thing)| Holder {
            id,
            disks: thing
                .disks
                .iter()
                .filter(|disk| disk.data)
                .map(|disk| disk.size_gb)
                .collect(),
        })
        .filter(|holder| !holder.disks.is_empty())
        .collect()
}

/// Of each kind of data.
pub(super) fn usable(lab: &Resolved, totals: &Totals, notes: &mut Vec<String>) -> Vec<Usable> {
    let holders = holders(lab);
    let raw: f64 = holders.iter().map(Holder::size).sum();
    let mut kinds: Vec<(String, Policy, Option<f64>)> = Vec::new();
    for data in &lab.lab.data {
        kinds.push((data.name.clone(), data.redundancy, data.size_gb));
    }
    if kinds.is_empty() {
        kinds.extend(
            Policy::replicas(USUAL)
                .ok()
                .map(|policy| ("(usual)".to_owned(), policy, None)),
        );
    }
    if !holders.is_empty() {
        notes.push(
            "Usable space is a bound: copies spread over disks, machines, racks, circuits, switches and sites as evenly \
             as there are such; room for the log and for moving copies is not taken off."
                .to_owned(),
        );
    }
    let made = kinds.into_iter().map(|(name, policy, size)| {
        let tb = room(lab, &holders, policy) / 1e3;
        if tb == 0.0 && !holders.is_empty() {
            let needs = policy.stored();
            notes.push(format!(
                "`{name}` is kept as {policy}: that takes {needs} disks, and there are fewer."
            ));
        }
        let per = (tb > 0.0).then_some(1.0 / tb);
        Usable {
            name,
            redundancy: policy,
            raw_tb: round(raw / 1e3),
            usable_tb: round(tb),
            w_per_usable_tb: per.map(|per| rounded(totals.continuous_w * per)),
            price_per_usable_tb_at_least: per.map(|per| round(totals.price_at_least * per)),
            fits: size.map(|size| size / 1e3 <= tb),
        }
    });
    made.collect()
}

/// Gigabytes of data that fit, with all their copies.
fn room(lab: &Resolved, holders: &[Holder], policy: Policy) -> f64 {
    let stored = policy.stored();
    let pieces = match policy.redundancy() {
        Redundancy::Replicas(_) => 1.0,
        Redundancy::Erasure { k, .. } => f64::from(k),
    };
    let disks: Vec<f64> = holders.iter().flat_map(|holder| &holder.disks).copied().collect();
    if disks.len() < stored {
        return 0.0;
    }
    let mut levels = vec![disks, holders.iter().map(Holder::size).collect()];
    levels.extend(domains(lab, holders));
    let rooms = levels.iter().map(|sizes| fill(sizes, stored) * pieces);
    rooms.reduce(f64::min).unwrap_or(0.0)
}

/// The sizes of all racks, circuits, switches and sites, for each of these that is known of all machines.
fn domains(lab: &Resolved, holders: &[Holder]) -> Vec<Vec<f64>> {
    let only = |mut all: Vec<ThingId>| (all.len() == 1).then(|| all.remove(0));
    let switch = |id: ThingId| {
        let mut ends: Vec<ThingId> = lab
            .links
            .iter()
            .filter_map(|link| match (link.from == id, link.to == id) {
                (true, _) => Some(link.to),
                (_, true) => Some(link.from),
                _ => None,
            })
            .filter(|end| lab.thing(*end).kind == ThingKind::Switch)
            .collect();
        ends.sort();
        ends.dedup();
        only(ends)
    };
    let circuit = |id: ThingId| only(lab.circuits_of(id).into_iter().collect());
    let (rack, site) = (|id: ThingId| lab.thing(id).rack, |id: ThingId| lab.thing(id).site);
    let kinds: [&dyn Fn(ThingId) -> Option<ThingId>; 4] = [&rack, &site, &circuit, &switch];
    let sizes = |domain: &dyn Fn(ThingId) -> Option<ThingId>| {
        let mut sizes: BTreeMap<ThingId, f64> = BTreeMap::new();
        for holder in holders {
            *sizes.entry(domain(holder.id)?).or_default() += holder.size();
        }
        Some(sizes.into_values().collect())
    };
    kinds.into_iter().filter_map(sizes).collect()
}

/// The most blocks (in gigabytes each copy) of which so many copies fit, where none of these takes more than its even
/// share of the copies, rounded up.
fn fill(sizes: &[f64], copies: usize) -> f64 {
    let each = copies.div_ceil(sizes.len().max(1)) as f64;
    let fits = |data: f64| {
        let taken: f64 = sizes.iter().map(|size| size.min(each * data)).sum();
        taken >= copies as f64 * data * (1.0 - 1e-12)
    };
    let (mut low, mut high) = (0.0, sizes.iter().sum::<f64>() / copies as f64);
    if fits(high) {
        return high;
    }
    for _ in 0..80 {
        let middle = (low + high) / 2.0;
        if fits(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

/// By memory and by core.
pub(super) fn per(lab: &Resolved, totals: &Totals) -> Per {
    let figures = || {
        lab.of_kind(ThingKind::Node)
            .filter_map(|(_, node)| node.figures.as_ref())
    };
    let memory: Vec<f64> = figures()
        .filter_map(|it| Some(it.memory_gb.as_ref()?.value))
        .collect();
    let cores: Vec<u32> = figures()
        .filter_map(|it| Some(it.cores.as_ref()?.value))
        .collect();
    // Where some machines do not say, a sum would be the sum of something else.
    let count = figures().count();
    let memory = (count > 0 && memory.len() == count).then(|| memory.iter().sum::<f64>());
    let cores = (count > 0 && cores.len() == count).then(|| cores.into_iter().fold(0, u32::saturating_add));
    let by = |amount: Option<f64>| amount.filter(|amount| *amount > 0.0).map(|amount| 1.0 / amount);
    let (by_memory, by_core) = (by(memory), by(cores.map(f64::from)));
    Per {
        memory_gb: memory,
        cores,
        w_per_memory_gb: by_memory.map(|by| rounded(totals.continuous_w * by)),
        price_per_memory_gb_at_least: by_memory.map(|by| round(totals.price_at_least * by)),
        w_per_core: by_core.map(|by| rounded(totals.continuous_w * by)),
        price_per_core_at_least: by_core.map(|by| round(totals.price_at_least * by)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_one_is_filled_no_further_than_the_others_can_follow() {
        for (sizes, copies, room) in [
            (&[100.0, 100.0, 100.0][..], 3, 100.0),
            (&[100.0, 100.0, 100.0], 2, 150.0),
            (&[100.0, 100.0, 1_000.0], 2, 200.0),
            (&[100.0, 1_000.0], 2, 100.0),
            (&[100.0, 100.0], 3, 200.0 / 3.0),
            (&[100.0], 3, 100.0 / 3.0),
            (&[], 3, 0.0),
        ] {
            assert!((fill(sizes, copies) - room).abs() < 1e-6, "{sizes:?} {copies}");
        }
    }
}
