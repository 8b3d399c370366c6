//! Whether the planner says of a failure what happens when it is injected.

use super::cluster::{Cluster, Spoil};
use super::plan::Plan;
use crate::Draw;
use stead_plan::failures::{Failure, Forecaster, Verdict};

/// A failure of which the planner said something else than happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disagreement {
    /// What the lab was drawn from.
    pub seed: u64,
    /// What fails; nothing where it is the lab as it is.
    pub fails: Option<Failure>,
    /// In words.
    pub name: String,
    /// At once, and when batteries are empty: as the planner says.
    pub said: (Verdict, Verdict),
    /// As it happened.
    pub happened: (Verdict, Verdict),
}

/// What came of a lab.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Failures that were injected, one at a time; and the lab as it is.
    pub injected: u64,
    /// How many of them had which verdict, lasting.
    pub verdicts: [u64; 5],
    /// Where the two differ.
    pub differ: Vec<Disagreement>,
}

/// So many labs from a seed on, and what came of each. Seeds that make no lab are passed over.
pub fn tried(seed: u64, labs: u64) -> impl Iterator<Item = (u64, Agreement)> {
    let seeds = (0..).map(move |more| seed.wrapping_add(more));
    let each = seeds.filter_map(|seed| Some((seed, agreement(seed, None)?)));
    each.take(usize::try_from(labs).unwrap_or(usize::MAX))
}

/// Injects every single failure of the lab of a seed. None where the seed's file is no lab: power goes round.
pub fn agreement(seed: u64, spoil: Option<Spoil>) -> Option<Agreement> {
    let plan = Plan::draw(&mut Draw::new(seed));
    let lab = plan.lab("")?;
    let forecaster = Forecaster::new(&lab);
    let cluster = Cluster::new(&lab, spoil);
    let mut agreement = Agreement::default();
    let failures = Failure::all(&lab).into_iter().map(Some);
    for fails in std::iter::once(None).chain(failures) {
        let failed: Vec<Failure> = fails.into_iter().collect();
        let outcome = forecaster.judge(&failed);
        let said = (outcome.verdict, outcome.worst());
        let (first, last) = cluster.fail(fails);
        let happened = (first, first.max(last));
        agreement.injected += 1;
        agreement.verdicts[happened.1 as usize] += 1;
        if said != happened {
            agreement.differ.push(Disagreement {
                seed,
                fails,
                name: fails.map_or_else(|| "nothing".to_owned(), |failure| failure.happens(&lab)),
                said,
                happened,
            });
        }
    }
    Some(agreement)
}
