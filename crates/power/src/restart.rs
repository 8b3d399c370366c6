//! The order in which nodes are started under a breaker's limit.
//!
//! Pure. Promises: voters first, then who is worth most; at no step does what runs and what starts together pass the
//! limit, unless a node passes it by itself: that one starts alone, and the plan says by how much.

use crate::shutdown::{PlanError, distinct};
use crate::source::{MAX_WATTS, within};
use serde::Serialize;

/// A node that is to be started.
#[derive(Clone, Debug, PartialEq)]
pub struct Starter {
    /// Its name; no two have the same.
    pub name: String,
    /// What it is worth: more starts earlier.
    pub value: u32,
    /// Whether it votes in the cluster's consensus.
    pub votes: bool,
    /// The most that it draws while it starts, in watts.
    pub start_watts: f64,
    /// What it draws when it runs, in watts.
    pub run_watts: f64,
}

/// Nodes that start at once.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StartStep {
    /// Their names.
    pub nodes: Vec<String>,
    /// When, in seconds from the beginning.
    pub at_seconds: u32,
    /// The most that is drawn in this step: who runs already, and who starts.
    pub watts: f64,
    /// By how much that passes the limit; nought where it does not.
    pub over_by_watts: f64,
}

/// The order for these nodes under `limit_watts`, with `settle_seconds` between two groups.
///
/// # Errors
/// Where two nodes have one name, or a power is negative, no number, or above [`MAX_WATTS`].
pub fn start_plan(
    nodes: &[Starter],
    limit_watts: f64,
    settle_seconds: u32,
) -> Result<Vec<StartStep>, PlanError> {
    distinct(nodes.iter().map(|node| node.name.as_str()))?;
    let can_be =
        |watts, whose: &str| within(watts, MAX_WATTS).ok_or_else(|| PlanError::Watts(whose.to_owned()));
    can_be(limit_watts, "the breaker")?;
    for node in nodes {
        can_be(node.start_watts, &node.name)?;
        can_be(node.run_watts, &node.name)?;
    }
    let mut ordered: Vec<&Starter> = nodes.iter().collect();
    ordered.sort_by_key(|node| (!node.votes, std::cmp::Reverse(node.value), &node.name));

    let mut steps: Vec<StartStep> = Vec::new();
    let (mut running, mut open) = (0.0, Vec::new());
    for node in ordered {
        let peak = |group: &[&Starter]| group.iter().map(|node| node.peak()).sum::<f64>();
        if !open.is_empty() && running + peak(&open) + node.peak() > limit_watts {
            let group = std::mem::take(&mut open);
            running += close(&mut steps, &group, running, limit_watts, settle_seconds);
        }
        open.push(node);
    }
    if !open.is_empty() {
        close(&mut steps, &open, running, limit_watts, settle_seconds);
    }
    Ok(steps)
}

impl Starter {
    /// It draws at least what it draws afterwards.
    fn peak(&self) -> f64 {
        self.start_watts.max(self.run_watts)
    }
}

/// Adds a step; answers what its nodes draw from then on.
fn close(steps: &mut Vec<StartStep>, group: &[&Starter], running: f64, limit: f64, settle: u32) -> f64 {
    let watts = running + group.iter().map(|node| node.peak()).sum::<f64>();
    let before = u32::try_from(steps.len()).unwrap_or(u32::MAX);
    steps.push(StartStep {
        nodes: group.iter().map(|node| node.name.clone()).collect(),
        at_seconds: before.saturating_mul(settle),
        watts,
        over_by_watts: (watts - limit).max(0.0),
    });
    group.iter().map(|node| node.run_watts).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn starter(name: &str, value: u32, votes: bool, start_watts: f64, run_watts: f64) -> Starter {
        Starter {
            name: name.to_owned(),
            value,
            votes,
            start_watts,
            run_watts,
        }
    }

    #[test]
    fn voters_start_first_and_groups_stay_below_the_limit() {
        let nodes = [
            starter("films", 9, false, 200.0, 60.0),
            starter("a", 1, true, 100.0, 20.0),
            starter("b", 2, true, 100.0, 20.0),
            starter("c", 3, true, 100.0, 20.0),
        ];
        let steps = start_plan(&nodes, 250.0, 30).unwrap();
        let short: Vec<_> = steps
            .iter()
            .map(|step| {
                (
                    step.nodes.join(" "),
                    step.at_seconds,
                    step.watts,
                    step.over_by_watts,
                )
            })
            .collect();
        assert_eq!(
            short,
            [
                ("c b".to_owned(), 0, 200.0, 0.0),
                ("a".to_owned(), 30, 140.0, 0.0),
                ("films".to_owned(), 60, 260.0, 10.0),
            ]
        );
    }

    #[test]
    fn powers_that_cannot_be_are_refused() {
        for watts in [-1.0, f64::NAN, f64::INFINITY, 100_001.0] {
            let nodes = [starter("a", 1, true, watts, 1.0)];
            assert_eq!(start_plan(&nodes, 100.0, 1), Err(PlanError::Watts("a".into())));
            let nodes = [starter("a", 1, true, 1.0, 1.0)];
            assert_eq!(
                start_plan(&nodes, watts, 1),
                Err(PlanError::Watts("the breaker".into()))
            );
        }
        assert_eq!(start_plan(&[], 0.0, 1), Ok(Vec::new()));
    }

    prop_compose! {
        fn any_nodes()(facts in prop::collection::vec((0u32..4, any::<bool>(), 0.0..500.0, 0.0..300.0), 0..12))
            -> Vec<Starter> {
            let facts = facts.into_iter().enumerate();
            facts.map(|(at, (value, votes, start, run))| starter(&format!("n{at}"), value, votes, start, run)).collect()
        }
    }

    proptest! {
        #[test]
        fn the_limit_holds_or_one_is_alone_and_it_is_said(nodes in any_nodes(), limit in 0.0..2000.0) {
            let steps = start_plan(&nodes, limit, 10).unwrap();
            let find = |name: &String| nodes.iter().find(|node| node.name == *name).unwrap();
            let mut running = 0.0;
            for step in &steps {
                // Counted anew, with who runs and who starts.
                let peaks = step.nodes.iter().map(|name| find(name).start_watts.max(find(name).run_watts));
                let drawn: f64 = running + peaks.sum::<f64>();
                prop_assert!((drawn - step.watts).abs() < 1e-6);
                prop_assert!(!step.nodes.is_empty());
                if drawn > limit + 1e-6 {
                    prop_assert!(step.nodes.len() == 1 && step.over_by_watts > 0.0, "{:?}", step);
                } else {
                    prop_assert!(step.over_by_watts < 1e-6);
                }
                running += step.nodes.iter().map(|name| find(name).run_watts).sum::<f64>();
            }
            let mut started: Vec<&String> = steps.iter().flat_map(|step| &step.nodes).collect();
            let votes: Vec<bool> = started.iter().map(|name| find(name).votes).collect();
            prop_assert!(votes.is_sorted_by(|first, second| first >= second), "voters first");
            started.sort();
            let mut all: Vec<&String> = nodes.iter().map(|node| &node.name).collect();
            all.sort();
            prop_assert_eq!(started, all, "each once");
        }
    }
}
