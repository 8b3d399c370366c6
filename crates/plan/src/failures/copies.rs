//! Which disks have all copies of some block, for each way that data is kept.
//!
//! Owns: the sets of disks that placement really gives copies to, of [`SAMPLES`] keys each, and the count of what is
//! left of each set when some disks are gone. The sets are computed once; a count looks only at sets in which a disk
//! is gone.

use super::bits::Bits;
use crate::map::ClusterMap;
use crate::place::Placer;
use crate::policy::{Policy, Redundancy, Writes, most_of};
use crate::rules;
use crate::survive::SAMPLES;
use std::collections::{BTreeMap, BTreeSet};

/// A way that data is kept.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub policy: Policy,
    /// The kinds of data that are kept so.
    pub names: Vec<String>,
    /// How many copies each set has, and on how many machines.
    sizes: Vec<u8>,
    machines: Vec<u8>,
    /// The disks of sets with a machine that has more than one of them.
    doubled: BTreeMap<u32, Vec<usize>>,
    /// The machine of each disk.
    machine_of: Vec<usize>,
    /// For each disk, the sets that it is in.
    sets_of: Vec<Vec<u32>>,
    /// The fewest copies that any set has with all disks there.
    least: usize,
    /// The most disks that any is on.
    pub most: usize,
}

/// What is left of a family's copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Left {
    /// The fewest copies that can be read now, of any block.
    pub now: usize,
    /// How many that block should have.
    pub of: usize,
    /// How many of its copies a writer needs.
    pub to_write: usize,
    /// The fewest copies that are not lost for good.
    pub kept: usize,
    /// Whether some copy cannot be read now.
    pub fewer: bool,
    /// Whether some block has lost so many copies for good that it cannot be read again.
    pub gone: bool,
    /// Whether some block cannot be read now.
    pub unread: bool,
    /// Whether some block cannot be written now.
    pub unwritten: bool,
    /// Whether that is because there is no other machine to take what is written.
    pub alone: bool,
}

/// Who is there to take what is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct There {
    /// There is one member only, which waits for nobody.
    pub only: bool,
    /// Members that hold data and are together, and of them those that go on holding it.
    pub hold: usize,
    pub stay: usize,
}

/// Counts that are used again, so that looking costs no memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    away: Vec<u8>,
    lost: Vec<u8>,
    touched: Vec<u32>,
    /// Disks that are away.
    gone: Vec<bool>,
}

impl Family {
    /// Of a map, whose disks have these numbers.
    pub(super) fn new(
        map: &ClusterMap,
        policy: Policy,
        names: Vec<String>,
        leaves: &BTreeMap<(&str, &str), usize>,
        machine_of: &[usize],
    ) -> Self {
        let count = machine_of.len();
        let placer = Placer::new(map, policy);
        let mut sets: BTreeSet<Vec<usize>> = BTreeSet::new();
        for key in 0..SAMPLES {
            let copies = placer.place(&key.to_be_bytes()).copies;
            let leaf = |copy: &crate::place::Copy| {
                let disk = copy.disk.as_deref().unwrap_or_default();
                leaves.get(&(copy.node.0.as_str(), disk)).copied()
            };
            let mut set: Vec<usize> = copies.iter().filter_map(leaf).collect();
            // Where there are fewer disks than pieces, some have several.
            if let Redundancy::Erasure { .. } = policy.redundancy() {
                set = rules::piece_holders(&set, policy.stored());
            }
            set.sort_unstable();
            sets.insert(set);
        }
        sets.remove(&Vec::new());
        let mut sets_of = vec![Vec::new(); count];
        for (at, set) in (0_u32..).zip(&sets) {
            set.iter().for_each(|leaf| sets_of[*leaf].push(at));
        }
        let different = |of: &mut dyn Iterator<Item = usize>| of.collect::<BTreeSet<_>>().len();
        let machines = |set: &Vec<usize>| different(&mut set.iter().map(|leaf| machine_of[*leaf]));
        let doubled = (0_u32..).zip(&sets).filter(|(_, set)| machines(set) < set.len());
        Self {
            policy,
            names,
            doubled: doubled.map(|(at, set)| (at, set.clone())).collect(),
            machine_of: machine_of.to_vec(),
            machines: sets.iter().map(|set| machines(set) as u8).collect(),
            // A policy has 32 pieces at most.
            sizes: sets.iter().map(|set| set.len() as u8).collect(),
            least: sets.iter().map(Vec::len).min().unwrap_or(0),
            most: sets
                .iter()
                .map(|set| different(&mut set.iter().copied()))
                .max()
                .unwrap_or(0),
            sets_of,
        }
    }

    /// Whether a writer waits for most of the copies, and another machine may stand in for one that is away.
    fn is_by_majority(&self) -> bool {
        let of = (self.policy.writes(), self.policy.redundancy());
        matches!(of, (Writes::Majority, Redundancy::Replicas(_)))
    }

    /// Whether a writer is answered when the other machines together have enough pieces, several each if need be.
    fn takes_others(&self) -> bool {
        let of = (self.policy.writes(), self.policy.redundancy());
        matches!(of, (Writes::Majority, Redundancy::Erasure { .. }))
    }

    /// How many copies a writer needs of so many.
    fn to_write(&self, size: usize) -> usize {
        match self.takes_others() {
            true => self.policy.to_read(),
            false => self.policy.to_write_of(size),
        }
    }

    /// Whether a writer finds most of the machines that are to have a block. The one that writes counts whether it is
    /// among them or not, unless it is to go; where a block would be on one machine alone, another stands in.
    fn has_most(&self, set: u32, now: usize, there: There, gone: &[bool]) -> bool {
        let reached = match self.doubled.get(&set) {
            Some(leaves) => {
                let left = leaves.iter().filter(|leaf| !gone[**leaf]);
                left.map(|leaf| self.machine_of[*leaf])
                    .collect::<BTreeSet<_>>()
                    .len()
            }
            None => now,
        };
        let near = match reached {
            1 => 1 + usize::from(there.hold > 1),
            _ => reached + usize::from(there.stay > reached),
        };
        let machines = usize::from(self.machines[set as usize]);
        near >= most_of(machines.min(self.policy.stored()))
    }

    /// The same for other kinds of data.
    pub(super) fn named(&self, names: Vec<String>) -> Self {
        Self {
            names,
            ..self.clone()
        }
    }

    /// Whether there is a place for it at all.
    pub(super) fn has_place(&self) -> bool {
        self.least >= self.policy.to_read()
    }

    /// What is left when these disks are away, and those of them lost for good.
    pub(super) fn left(
        &self,
        away: impl Iterator<Item = usize>,
        lost: &Bits,
        there: There,
        scratch: &mut Scratch,
    ) -> Left {
        let sets = self.sizes.len();
        if scratch.away.len() < sets {
            scratch.away.resize(sets, 0);
            scratch.lost.resize(sets, 0);
        }
        scratch.gone.clear();
        scratch.gone.resize(self.machine_of.len(), false);
        for leaf in away {
            scratch.gone[leaf] = true;
            let is_lost = u8::from(lost.has(leaf));
            for set in &self.sets_of[leaf] {
                let at = *set as usize;
                if scratch.away[at] == 0 {
                    scratch.touched.push(*set);
                }
                scratch.away[at] += 1;
                scratch.lost[at] += is_lost;
            }
        }
        let read = self.policy.to_read();
        let mut left = Left {
            now: self.least,
            of: self.least,
            to_write: self.to_write(self.least),
            kept: self.least,
            fewer: !scratch.touched.is_empty(),
            gone: false,
            unread: !self.has_place(),
            unwritten: self.to_write(self.least) > self.least,
            alone: false,
        };
        if self.takes_others() && !there.only && there.hold < 2 {
            (left.unwritten, left.alone) = (true, true);
        }
        for set in scratch.touched.drain(..) {
            let at = set as usize;
            let size = usize::from(self.sizes[at]);
            let now = size - usize::from(std::mem::take(&mut scratch.away[at]));
            let kept = size - usize::from(std::mem::take(&mut scratch.lost[at]));
            let to_write = self.to_write(size);
            left.gone |= kept < read && size >= read;
            left.unread |= now < read;
            left.unwritten |= match self.is_by_majority() {
                true => !there.only && !self.has_most(set, now, there, &scratch.gone),
                false => now < to_write,
            };
            left.kept = left.kept.min(kept);
            if now < left.now {
                (left.now, left.of, left.to_write) = (now, size, to_write);
            }
        }
        left
    }
}
