//! What happens to data and to service when one thing fails, whichever it is, as things are now.
//!
//! Owns: the answer for nodes and for the domains that they state. It goes by the sets of nodes that placement
//! really gives copies to: those of [`SAMPLES`] keys. In a small cluster these are all that there are; a set that
//! none of so many keys has holds less than about a thousandth of all blocks.
//! Promises: what is away now is counted as lost; a copy that is not known to be made yet as not there.

use crate::map::{ClusterMap, DomainKind, NodeId, NodeState};
use crate::place::Placer;
use crate::policy::Policy;
use crate::rules;
use std::collections::{BTreeMap, BTreeSet};

/// Keys whose placement is looked at.
pub const SAMPLES: u32 = 8_192;

/// Which sets of nodes have all copies (or pieces) of some block, by policy, and how many of them a reader needs. Costs milliseconds to make; good as long as the map
/// and the policies are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopySets(BTreeSet<(usize, Vec<NodeId>)>);

impl CopySets {
    /// For blocks with these policies.
    pub fn of(map: &ClusterMap, policies: &BTreeSet<Policy>) -> Self {
        let mut sets = BTreeSet::new();
        for policy in policies {
            let placer = Placer::new(map, *policy);
            for key in 0..SAMPLES {
                let copies = placer.place(&key.to_be_bytes()).copies;
                let mut nodes: Vec<NodeId> = copies.into_iter().map(|copy| copy.node).collect();
                if policy.to_read() > 1 {
                    // Where there are fewer nodes than pieces, some hold several.
                    nodes = rules::piece_holders(&nodes, policy.stored());
                }
                nodes.sort();
                // Of copies, one more on the same node is none; a piece is one wherever it is.
                if policy.to_read() == 1 {
                    nodes.dedup();
                }
                if !nodes.is_empty() {
                    sets.insert((policy.to_read(), nodes));
                }
            }
        }
        Self(sets)
    }

    /// The fewest copies that any block has among these nodes; of pieces, by how many there are more than are needed,
    /// and one.
    fn fewest(&self, among: &BTreeSet<NodeId>) -> usize {
        let left = |(needed, set): &(usize, Vec<NodeId>)| {
            let left = set.iter().filter(|node| among.contains(*node)).count();
            (left + 1).saturating_sub(*needed)
        };
        self.0.iter().map(left).min().unwrap_or(0)
    }
}

/// A cluster as it is now.
#[derive(Clone, Debug)]
pub struct Now<'a> {
    /// Its nodes.
    pub map: &'a ClusterMap,
    /// Who has copies together.
    pub sets: &'a CopySets,
    /// Who votes.
    pub voters: &'a BTreeSet<NodeId>,
    /// Who answers.
    pub up: &'a BTreeSet<NodeId>,
    /// Who answers and has all copies that it should have.
    pub level: &'a BTreeSet<NodeId>,
}

/// What one failure does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What fails: a node, or what several sit behind.
    pub kind: DomainKind,
    /// Its name.
    pub name: String,
    /// The nodes that fail with it.
    pub nodes: Vec<NodeId>,
    /// Whether a copy of every block is left, if what failed never comes back.
    pub data_stays: bool,
    /// Whether reading and writing go on.
    pub service_goes_on: bool,
    /// Voters that are left, and how many it takes.
    pub votes: (usize, usize),
}

impl Now<'_> {
    fn quorum(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    /// What is left of these nodes.
    fn without<'n>(of: &BTreeSet<NodeId>, lost: impl IntoIterator<Item = &'n NodeId>) -> BTreeSet<NodeId> {
        let mut left = of.clone();
        for node in lost {
            left.remove(node);
        }
        left
    }

    fn loss(&self, kind: DomainKind, name: &str, nodes: Vec<NodeId>) -> Loss {
        let up = Self::without(self.up, &nodes);
        let copies = self.sets.fewest(&Self::without(self.level, &nodes));
        let votes = up.intersection(self.voters).count();
        Loss {
            kind,
            name: name.to_owned(),
            nodes,
            data_stays: copies > 0,
            service_goes_on: votes >= self.quorum() && copies > 0,
            votes: (votes, self.quorum()),
        }
    }

    /// What each single failure does: of each node, then of each domain that has more than one.
    pub fn losses(&self) -> Vec<Loss> {
        let nodes = self.map.nodes.iter().filter(|node| node.state != NodeState::Lost);
        let nodes: Vec<_> = nodes.collect();
        let mut losses: Vec<Loss> = nodes
            .iter()
            .map(|node| self.loss(DomainKind::Node, &node.id.0, vec![node.id.clone()]))
            .collect();
        for kind in [
            DomainKind::Switch,
            DomainKind::Circuit,
            DomainKind::Rack,
            DomainKind::Site,
        ] {
            let mut behind: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
            for node in &nodes {
                if let Some(name) = node.domains.get(kind) {
                    behind.entry(name).or_default().push(node.id.clone());
                }
            }
            losses.extend(
                behind
                    .into_iter()
                    .map(|(name, nodes)| self.loss(kind, name, nodes)),
            );
        }
        losses
    }

    /// How many nodes may be lost, whichever they are, by votes and by copies; the smaller one counts.
    pub fn spare(&self) -> (Option<usize>, usize) {
        let votes = self.up.intersection(self.voters).count();
        let copies = self.sets.fewest(self.level);
        (votes.checked_sub(self.quorum()), copies.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::Node;

    struct Case {
        map: ClusterMap,
        voters: BTreeSet<NodeId>,
        copies: u8,
    }

    impl Case {
        /// Nodes by name, each with its breaker; those in capitals only vote.
        fn new(nodes: &[(&str, &str)], voters: &[&str], copies: u8) -> Self {
            let node = |(name, circuit): &(&str, &str)| {
                let witness = name.chars().all(char::is_uppercase);
                let mut node = Node::new(*name, if witness { 0 } else { 100 });
                node.domains.circuit = (!circuit.is_empty()).then(|| (*circuit).to_owned());
                node
            };
            Self {
                map: ClusterMap {
                    nodes: nodes.iter().map(node).collect(),
                },
                voters: voters.iter().map(|name| NodeId::from(*name)).collect(),
                copies,
            }
        }

        fn ask<T>(&self, away: &[&str], behind: &[&str], ask: impl FnOnce(&Now<'_>) -> T) -> T {
            let policies = BTreeSet::from([Policy::replicas(self.copies).unwrap()]);
            let sets = CopySets::of(&self.map, &policies);
            let all: BTreeSet<NodeId> = self.map.nodes.iter().map(|node| node.id.clone()).collect();
            let named = |names: &[&str]| names.iter().map(|name| NodeId::from(*name)).collect::<Vec<_>>();
            let up = Now::without(&all, &named(away));
            let level = Now::without(&up, &named(behind));
            ask(&Now {
                map: &self.map,
                sets: &sets,
                voters: &self.voters,
                up: &up,
                level: &level,
            })
        }

        /// What may fail without losing data, and without losing service.
        fn kept(&self, away: &[&str]) -> (Vec<String>, Vec<String>) {
            let losses = self.ask(away, &[], |now| now.losses());
            let named = |keep: fn(&Loss) -> bool| {
                losses
                    .iter()
                    .filter(|loss| keep(loss))
                    .map(|loss| loss.name.clone())
                    .collect()
            };
            (named(|loss| loss.data_stays), named(|loss| loss.service_goes_on))
        }
    }

    #[test]
    fn one_node_may_not_fail() {
        let case = Case::new(&[("a", "")], &["a"], 3);
        assert_eq!(case.kept(&[]), (vec![], vec![]));
        assert_eq!(case.ask(&[], &[], |now| now.spare()), (Some(0), 0));
    }

    #[test]
    fn of_two_the_one_that_does_not_vote_may_and_a_witness_makes_it_either() {
        let two = Case::new(&[("a", ""), ("b", "")], &["a"], 3);
        assert_eq!(two.kept(&[]), (vec!["a".into(), "b".into()], vec!["b".into()]));
        let witnessed = Case::new(&[("a", ""), ("b", ""), ("W", "")], &["a", "b", "W"], 3);
        let all: Vec<String> = ["a", "b", "W"].map(str::to_owned).to_vec();
        assert_eq!(witnessed.kept(&[]), (all.clone(), all));
        assert_eq!(witnessed.ask(&[], &[], |now| now.spare()), (Some(1), 1));
        // One is away: the other has the only copy there is.
        assert_eq!(witnessed.kept(&["b"]).0, ["b".to_owned(), "W".to_owned()]);
        assert_eq!(witnessed.ask(&["b"], &[], |now| now.spare()), (Some(0), 0));
    }

    #[test]
    fn three_behind_one_breaker_stop_with_it() {
        let case = Case::new(&[("a", "k"), ("b", "k"), ("c", "k")], &["a", "b", "c"], 3);
        let (data, service) = case.kept(&[]);
        assert_eq!(data, ["a", "b", "c"]);
        assert_eq!(service, ["a", "b", "c"]);
        let apart = Case::new(&[("a", "k"), ("b", "k"), ("c", "l")], &["a", "b", "c"], 3);
        let (data, service) = apart.kept(&[]);
        assert_eq!(data, ["a", "b", "c", "k", "l"]);
        assert_eq!(service, ["a", "b", "c", "l"], "two of three votes are behind k");
    }

    #[test]
    fn fewer_nodes_than_pieces_hold_several() {
        let names = ["a", "b", "c"];
        let map = ClusterMap {
            nodes: names.iter().map(|name| Node::new(*name, 100)).collect(),
        };
        let sets = CopySets::of(&map, &BTreeSet::from([Policy::erasure(4, 2).unwrap()]));
        let all: BTreeSet<NodeId> = names.iter().map(|name| NodeId::from(*name)).collect();
        let now = Now {
            map: &map,
            sets: &sets,
            voters: &all,
            up: &all,
            level: &all,
        };
        let kept = now.losses().into_iter().filter(|loss| loss.data_stays).count();
        assert_eq!(kept, 3, "two pieces each: four are left when one goes");
    }

    #[test]
    fn one_copy_is_lost_with_its_node_and_what_is_not_made_yet_is_not_there() {
        let one = Case::new(&[("a", ""), ("b", ""), ("c", "")], &["a", "b", "c"], 1);
        assert_eq!(one.kept(&[]).0, Vec::<String>::new());
        let three = Case::new(&[("a", ""), ("b", ""), ("c", "")], &["a", "b", "c"], 3);
        assert_eq!(three.ask(&[], &["c"], |now| now.spare()), (Some(1), 1));
        assert_eq!(three.ask(&[], &["b", "c"], |now| now.spare()), (Some(1), 0));
        let five = Case::new(
            &[("a", ""), ("b", ""), ("c", ""), ("d", ""), ("e", "")],
            &["a", "b", "c", "d", "e"],
            3,
        );
        assert_eq!(five.ask(&[], &[], |now| now.spare()), (Some(2), 2));
        assert_eq!(five.ask(&["e"], &[], |now| now.spare()), (Some(1), 1));
    }
}
