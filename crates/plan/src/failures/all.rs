//! Every single and every double failure.
//!
//! Owns: the sweep. Promises: every failure of [`Failure::all`] and every pair of them is counted; of the pairs, only
//! the counts and the worst few are kept, so that memory does not grow with their number.
//! Failures that do the same to the cluster whatever fails besides (a machine's only cable, its only power supply)
//! are judged once.

use super::copies::Scratch;
use super::failure::{Failure, FailureKind, Named};
use super::graph::Broken;
use super::judge::Forecaster;
use super::verdict::{Outcome, Verdict};
use serde::Serialize;
use std::collections::BTreeMap;

/// Pairs that are told.
pub const WORST: usize = 20;

/// What one failure does.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Single {
    /// What fails.
    #[serde(skip)]
    pub failure: Failure,
    /// What fails, in words.
    pub fails: Named,
    /// What it does.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Others that do the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub same: Vec<Named>,
}

/// What two failures do together that neither does alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// What fails.
    pub fails: [Named; 2],
    /// What it does.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How many pairs do the same, this one included.
    pub pairs: u64,
}

/// How many failures have which verdict, lasting: batteries are empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Safe.
    pub safe: u64,
    /// Slower.
    pub slower: u64,
    /// Read-only.
    pub read_only: u64,
    /// Down.
    pub down: u64,
    /// Data lost.
    pub data_lost: u64,
}

impl Counts {
    pub(super) fn add(&mut self, verdict: Verdict, count: u64) {
        match verdict {
            Verdict::Safe => self.safe += count,
            Verdict::Slower => self.slower += count,
            Verdict::ReadOnly => self.read_only += count,
            Verdict::Down => self.down += count,
            Verdict::DataLost => self.data_lost += count,
        }
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.safe + self.slower + self.read_only + self.down + self.data_lost
    }

    /// Each verdict with its count.
    pub fn each(&self) -> [(Verdict, u64); 5] {
        let counts = [self.safe, self.slower, self.read_only, self.down, self.data_lost];
        std::array::from_fn(|at| (Verdict::ALL[at], counts[at]))
    }
}

/// What all pairs do.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Doubles {
    /// How many pairs there are of each verdict.
    pub counts: Counts,
    /// How many are worse than either of the two alone.
    pub worse_together: u64,
    /// The worst of those.
    pub worst: Vec<Pair>,
}

/// Failures that do the same, whatever fails besides.
pub(super) struct Class {
    pub members: Vec<Failure>,
    broken: Broken,
    pub verdict: Verdict,
}

/// What stands for others that do the same, the first one first.
fn rank(kind: FailureKind) -> usize {
    const ORDER: [FailureKind; 11] = [
        FailureKind::Node,
        FailureKind::Switch,
        FailureKind::Ups,
        FailureKind::Circuit,
        FailureKind::Site,
        FailureKind::Disk,
        FailureKind::Cable,
        FailureKind::Power,
        FailureKind::Pdu,
        FailureKind::Outlet,
        FailureKind::Supply,
    ];
    ORDER
        .iter()
        .position(|other| *other == kind)
        .unwrap_or(ORDER.len())
}

impl Forecaster<'_> {
    /// Failures by what they do, in the order of [`Failure::all`].
    pub(super) fn classes(&self) -> Vec<Class> {
        let mut classes: Vec<Class> = Vec::new();
        let mut known: BTreeMap<(Broken, Broken), usize> = BTreeMap::new();
        let mut scratch = Scratch::default();
        for failure in Failure::all(self.lab) {
            let broken = self.broken(&[failure]);
            let closed =
                [true, false].map(|last| self.graph.close(&broken, &self.graph.alive(&broken, last)));
            let [first, last] = closed;
            let at = *known.entry((first, last)).or_insert(classes.len());
            match classes.get_mut(at) {
                Some(class) => class.members.push(failure),
                None => {
                    let verdict = self.lasting(&broken, &mut scratch);
                    classes.push(Class {
                        members: vec![failure],
                        broken,
                        verdict,
                    });
                }
            }
        }
        for class in &mut classes {
            // The one that people know best stands for all.
            class.members.sort_by_key(|failure| rank(failure.kind()));
        }
        classes
    }

    /// The verdict when batteries are empty, or at once if that is worse, which it never is.
    fn lasting(&self, broken: &Broken, scratch: &mut Scratch) -> Verdict {
        self.moment(broken, false, scratch).verdict
    }

    /// What every single failure does, the worst first, then in the order of [`Failure::all`].
    pub fn singles(&self) -> Vec<Single> {
        let single = |class: Class| {
            let failure = *class.members.first()?;
            let same = class.members.iter().skip(1);
            Some(Single {
                failure,
                fails: Named::of(failure, self.lab),
                outcome: self.judge(&[failure]),
                same: same.map(|failure| Named::of(*failure, self.lab)).collect(),
            })
        };
        let mut singles: Vec<Single> = self.classes().into_iter().filter_map(single).collect();
        singles.sort_by_key(|single| std::cmp::Reverse((single.outcome.worst(), single.outcome.verdict)));
        singles
    }

    /// What every pair of failures does.
    pub fn doubles(&self) -> Doubles {
        let classes = self.classes();
        let mut doubles = Doubles::default();
        let mut worst: Vec<(Verdict, usize, usize, u64)> = Vec::new();
        let mut scratch = Scratch::default();
        for (at, one) in classes.iter().enumerate() {
            let own = one.members.len() as u64;
            doubles.counts.add(one.verdict, own * (own - 1) / 2);
            for (other_at, other) in classes.iter().enumerate().skip(at + 1) {
                let pairs = own * other.members.len() as u64;
                let alone = one.verdict.max(other.verdict);
                if alone == Verdict::DataLost {
                    // Nothing is worse.
                    doubles.counts.add(alone, pairs);
                    continue;
                }
                let mut broken = one.broken.clone();
                broken.add(&other.broken);
                let verdict = self.lasting(&broken, &mut scratch);
                doubles.counts.add(verdict, pairs);
                if verdict > alone {
                    doubles.worse_together += pairs;
                    let full = worst.len() >= WORST * 2;
                    worst.push((verdict, at, other_at, pairs));
                    if full {
                        keep_worst(&mut worst);
                    }
                }
            }
        }
        keep_worst(&mut worst);
        for (_, one, other, pairs) in worst {
            let failures = [&classes[one], &classes[other]].map(|class| class.members[0]);
            doubles.worst.push(Pair {
                fails: failures.map(|failure| Named::of(failure, self.lab)),
                outcome: self.judge(&failures),
                pairs,
            });
        }
        doubles
    }
}

/// The worst, those first that stand for most pairs, then in their order.
fn keep_worst(worst: &mut Vec<(Verdict, usize, usize, u64)>) {
    worst.sort_by_key(|(verdict, one, other, pairs)| {
        (
            std::cmp::Reverse(*verdict),
            std::cmp::Reverse(*pairs),
            *one,
            *other,
        )
    });
    worst.truncate(WORST);
}
