//! Which disks have all copies of some block, for each way that data is kept.
//!
//! Owns: the sets of disks that placement really gives copies to, of [`SAMPLES`] keys each, and the count of what is
//! left of each set when some disks are gone. The sets are computed once; a count looks only at sets in which a disk
//! is gone.

use super::bits::Bits;
use crate::map::ClusterMap;
use crate::place::Placer;
use crate::policy::Policy;
use crate::survive::SAMPLES;
use std::collections::{BTreeMap, BTreeSet};

/// A way that data is kept.
#[derive(Clone, Debug)]
pub(super) struct Family {
    pub policy: Policy,
    /// The kinds of data that are kept so.
    pub names: Vec<String>,
    /// How many copies each set has.
    sizes: Vec<u8>,
    /// For each disk, the sets that it is in.
    sets_of: Vec<Vec<u32>>,
    /// The fewest copies that any set has with all disks there.
    least: usize,
    /// The most.
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
}

/// Counts that are used again, so that looking costs no memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    away: Vec<u8>,
    lost: Vec<u8>,
    touched: Vec<u32>,
}

impl Family {
    /// Of a map, whose disks have these numbers.
    pub(super) fn new(
        map: &ClusterMap,
        policy: Policy,
        names: Vec<String>,
        leaves: &BTreeMap<(&str, &str), usize>,
        count: usize,
    ) -> Self {
        let placer = Placer::new(map, policy);
        let mut sets: BTreeSet<Vec<usize>> = BTreeSet::new();
        for key in 0..SAMPLES {
            let copies = placer.place(&key.to_be_bytes()).copies;
            let leaf = |copy: &crate::place::Copy| {
                let disk = copy.disk.as_deref().unwrap_or_default();
                leaves.get(&(copy.node.0.as_str(), disk)).copied()
            };
            let mut set: Vec<usize> = copies.iter().filter_map(leaf).collect();
            set.sort_unstable();
            sets.insert(set);
        }
        sets.remove(&Vec::new());
        let mut sets_of = vec![Vec::new(); count];
        for (at, set) in (0_u32..).zip(&sets) {
            set.iter().for_each(|leaf| sets_of[*leaf].push(at));
        }
        Self {
            policy,
            names,
            // A policy has 32 pieces at most.
            sizes: sets.iter().map(|set| set.len() as u8).collect(),
            least: sets.iter().map(Vec::len).min().unwrap_or(0),
            most: sets.iter().map(Vec::len).max().unwrap_or(0),
            sets_of,
        }
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
    pub(super) fn left(&self, away: impl Iterator<Item = usize>, lost: &Bits, scratch: &mut Scratch) -> Left {
        let sets = self.sizes.len();
        if scratch.away.len() < sets {
            scratch.away.resize(sets, 0);
            scratch.lost.resize(sets, 0);
        }
        for leaf in away {
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
            to_write: self.policy.to_write_of(self.least),
            kept: self.least,
            fewer: !scratch.touched.is_empty(),
            gone: false,
            unread: !self.has_place(),
            unwritten: self.policy.to_write_of(self.least) > self.least,
        };
        for set in scratch.touched.drain(..) {
            let at = set as usize;
            let size = usize::from(self.sizes[at]);
            let now = size - usize::from(std::mem::take(&mut scratch.away[at]));
            let kept = size - usize::from(std::mem::take(&mut scratch.lost[at]));
            let to_write = self.policy.to_write_of(size);
            left.gone |= kept < read && kept < size;
            left.unread |= now < read;
            left.unwritten |= now < to_write;
            left.kept = left.kept.min(kept);
            if now < left.now {
                (left.now, left.of, left.to_write) = (now, size, to_write);
            }
        }
        left
    }
}
