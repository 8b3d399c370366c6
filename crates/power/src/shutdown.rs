//! The order in which nodes behind failing UPSes are stopped.
//!
//! Pure. Promises: who is worth least goes first; where a voter is among those that stop, the last to go is a voter, so
//! that the cluster can write down what happened as long as anything runs. Where time is short, several stop at once,
//! from the least worth up; where it is too short even so, the plan says by how much.
//! Never: stops a node that is not behind a failing UPS.

use serde::Serialize;
use std::collections::BTreeSet;

/// A node, as the planner needs to know it.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name; no two have the same.
    pub name: String,
    /// What it is worth: more stays longer.
    pub value: u32,
    /// Whether it votes in the cluster's consensus.
    pub votes: bool,
    /// The UPS that feeds it, where one does.
    pub ups: Option<String>,
    /// How long it takes to stop, in seconds, with its machine where that is switched off too.
    pub stop_seconds: u32,
}

/// A UPS that fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// Its name, as in [`Node::ups`].
    pub ups: String,
    /// How long its battery lasts, in seconds, where it says.
    pub runtime_seconds: Option<u32>,
}

/// Nodes that stop at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopStep {
    /// Their names, least worth first.
    pub nodes: Vec<String>,
    /// When they begin to stop, in seconds from now.
    pub begins_seconds: u32,
    /// When the slowest has stopped, in seconds from now.
    pub ends_seconds: u32,
}

/// What to stop, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StopPlan {
    /// One after the other.
    pub steps: Vec<StopStep>,
    /// How long all takes, in seconds.
    pub seconds: u32,
    /// The shortest runtime of a failing UPS that feeds a node; `None` where none says.
    pub runtime_seconds: Option<u32>,
    /// By how much the time is too short.
    pub short_by_seconds: u32,
    /// The step from whose beginning on fewer than a majority of all voters run, so that nothing can be written.
    pub writes_end_at_step: Option<usize>,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Two nodes have one name.
    #[error("two nodes are called {0}")]
    Twice(String),
    /// A number of watts that cannot be.
    #[error("{0} has a power that cannot be")]
    Watts(String),
}

/// Refuses two nodes of one name.
pub(crate) fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), PlanError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(PlanError::Twice(name.to_owned()));
        }
    }
    Ok(())
}

/// The order for these nodes when these UPSes fail. `nodes` are all of the cluster.
///
/// # Errors
/// Where two nodes have one name.
pub fn stop_plan(nodes: &[Node], failing: &[Failing]) -> Result<StopPlan, PlanError> {
    distinct(nodes.iter().map(|node| node.name.as_str()))?;
    let fails = |node: &&Node| {
        let ups = node.ups.as_ref();
        ups.is_some_and(|ups| failing.iter().any(|failing| failing.ups == *ups))
    };
    let ordered = order(nodes.iter().filter(fails).collect());
    let feeds = |failing: &&Failing| ordered.iter().any(|node| node.ups.as_ref() == Some(&failing.ups));
    let runtime_seconds = failing
        .iter()
        .filter(feeds)
        .filter_map(|failing| failing.runtime_seconds)
        .min();
    let groups = squeeze(ordered.iter().map(|node| vec![*node]).collect(), runtime_seconds);
    let steps = schedule(&groups);
    let seconds = steps.last().map_or(0, |step| step.ends_seconds);
    Ok(StopPlan {
        writes_end_at_step: writes_end(nodes, &groups),
        short_by_seconds: runtime_seconds.map_or(0, |left| seconds.saturating_sub(left)),
        runtime_seconds,
        seconds,
        steps,
    })
}

/// Least worth first; those that do not vote before those that do at the same worth; and a voter last.
fn order(mut nodes: Vec<&Node>) -> Vec<&Node> {
    nodes.sort_by_key(|node| (node.value, node.votes, &node.name));
    if let Some(last) = nodes.iter().rposition(|node| node.votes) {
        let voter = nodes.remove(last);
        nodes.push(voter);
    }
    nodes
}

/// Joins steps, from the front, until all fits. The last goes alone: it has to see the others off.
fn squeeze(mut groups: Vec<Vec<&Node>>, available: Option<u32>) -> Vec<Vec<&Node>> {
    let Some(available) = available else {
        return groups;
    };
    while groups.len() > 2
        && groups
            .iter()
            .fold(0, |sum: u32, group| sum.saturating_add(slowest(group)))
            > available
    {
        let second = groups.remove(1);
        groups[0].extend(second);
    }
    groups
}

fn slowest(group: &[&Node]) -> u32 {
    group.iter().map(|node| node.stop_seconds).max().unwrap_or(0)
}

fn schedule(groups: &[Vec<&Node>]) -> Vec<StopStep> {
    let mut at: u32 = 0;
    let mut step = |group: &Vec<&Node>| {
        let begins_seconds = at;
        at = at.saturating_add(slowest(group));
        StopStep {
            nodes: group.iter().map(|node| node.name.clone()).collect(),
            begins_seconds,
            ends_seconds: at,
        }
    };
    groups.iter().map(&mut step).collect()
}

fn writes_end(nodes: &[Node], groups: &[Vec<&Node>]) -> Option<usize> {
    let voters = nodes.iter().filter(|node| node.votes).count();
    let mut left = voters;
    groups.iter().position(|group| {
        left -= group.iter().filter(|node| node.votes).count();
        left * 2 <= voters
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(name: &str, value: u32, votes: bool, stop_seconds: u32) -> Node {
        Node {
            name: name.to_owned(),
            value,
            votes,
            ups: Some("rack".into()),
            stop_seconds,
        }
    }

    fn rack(runtime_seconds: Option<u32>) -> [Failing; 1] {
        [Failing {
            ups: "rack".into(),
            runtime_seconds,
        }]
    }

    fn names(plan: &StopPlan) -> Vec<Vec<&str>> {
        let steps = plan.steps.iter();
        steps
            .map(|step| step.nodes.iter().map(String::as_str).collect())
            .collect()
    }

    fn five() -> Vec<Node> {
        vec![
            node("films", 9, false, 30),
            node("a", 5, true, 20),
            node("lab", 1, false, 10),
            node("b", 7, true, 20),
            Node {
                ups: None,
                ..node("c", 5, true, 20)
            },
        ]
    }

    #[test]
    fn one_by_one_where_there_is_time() {
        let plan = stop_plan(&five(), &rack(Some(80))).unwrap();
        assert_eq!(names(&plan), [vec!["lab"], vec!["a"], vec!["films"], vec!["b"]]);
        assert_eq!((plan.seconds, plan.short_by_seconds), (80, 0));
        assert_eq!(plan.steps[2].begins_seconds, 30);
        assert_eq!(plan.writes_end_at_step, Some(3));
    }

    #[test]
    fn several_at_once_where_there_is_not_and_too_short_is_said() {
        let plan = stop_plan(&five(), &rack(Some(79))).unwrap();
        assert_eq!(names(&plan), [vec!["lab", "a"], vec!["films"], vec!["b"]]);
        let plan = stop_plan(&five(), &rack(Some(40))).unwrap();
        assert_eq!(names(&plan), [vec!["lab", "a", "films"], vec!["b"]]);
        assert_eq!(plan.short_by_seconds, 10);
    }

    #[test]
    fn nobody_behind_another_ups_stops() {
        let plan = stop_plan(&five(), &[]).unwrap();
        assert_eq!(
            (plan.steps.len(), plan.seconds, plan.writes_end_at_step),
            (0, 0, None)
        );
        let twice = [node("a", 1, true, 1), node("a", 2, true, 1)];
        assert_eq!(stop_plan(&twice, &rack(None)), Err(PlanError::Twice("a".into())));
    }

    prop_compose! {
        fn any_nodes()(facts in prop::collection::vec((0u32..4, any::<bool>(), 0u8..3, 0u32..100), 0..12)) -> Vec<Node> {
            let facts = facts.into_iter().enumerate();
            facts.map(|(at, (value, votes, ups, stop_seconds))| Node {
                name: format!("n{at}"),
                value,
                votes,
                ups: ["rack", "attic"].get(usize::from(ups)).map(|ups| (*ups).to_owned()),
                stop_seconds,
            }).collect()
        }
    }

    proptest! {
        #[test]
        fn exactly_those_behind_stop_and_a_voter_last(nodes in any_nodes(), runtime in prop::option::of(0u32..1000)) {
            let plan = stop_plan(&nodes, &rack(runtime)).unwrap();
            let stopped: Vec<&str> = names(&plan).concat();
            let find = |name: &str| nodes.iter().find(|node| node.name == name).unwrap();
            let behind = |node: &Node| node.ups.as_deref() == Some("rack");
            let distinct: BTreeSet<&str> = stopped.iter().copied().collect();
            prop_assert_eq!(distinct.len(), stopped.len());
            prop_assert_eq!(stopped.len(), nodes.iter().filter(|node| behind(node)).count());
            prop_assert!(stopped.iter().all(|name| behind(find(name))));
            if stopped.iter().any(|name| find(name).votes) {
                let last = plan.steps.last().unwrap();
                prop_assert!(last.nodes.len() == 1 && find(&last.nodes[0]).votes);
            }
            // All but the last are in the order of their worth.
            let but_last = &stopped[..stopped.len().saturating_sub(1)];
            prop_assert!(but_last.windows(2).all(|two| find(two[0]).value <= find(two[1]).value));
        }

        #[test]
        fn what_can_fit_fits(nodes in any_nodes(), runtime in 0u32..1000) {
            let plan = stop_plan(&nodes, &rack(Some(runtime))).unwrap();
            prop_assert!(plan.steps.windows(2).all(|two| two[0].ends_seconds == two[1].begins_seconds));
            if plan.short_by_seconds > 0 {
                prop_assert!(plan.steps.len() <= 2, "others could have been joined");
                prop_assert_eq!(plan.seconds, runtime + plan.short_by_seconds);
            } else if !plan.steps.is_empty() {
                prop_assert!(plan.seconds <= runtime);
            }
        }
    }
}
