//! The verdict on a state of failures.
//!
//! Owns: which verdict a state gets. By the cluster's own rules: who votes
//! ([`crate::votes`]), where copies are ([`crate::place`](fn@crate::place)), when a writer is answered
//! ([`crate::rules`]); a part of the cluster without most of the voters answers
//! nothing, because it could only answer with something old.
//! Promises: one more failure never makes a verdict better; names make no difference but to where copies are placed.

use super::bits::Bits;
use super::copies::{Family, Left, Scratch, There};
use super::failure::Failure;
use super::graph::{Broken, Graph};
use super::reasons::{self, Reason};
use super::verdict::{Beyond, Outcome, Verdict};
use crate::budget::Budget;
use crate::interval::Interval;
use crate::lab::{Resolved, ThingId, ThingKind};
use crate::map::{ClusterMap, Node, NodeState};
use crate::policy::Policy;
use crate::votes;
use std::collections::{BTreeMap, BTreeSet};

/// One moment of a state, in figures.
#[derive(Clone, Debug)]
pub(super) struct Moment {
    pub verdict: Verdict,
    pub alive: Bits,
    /// The members that are together with most voters.
    pub together: Bits,
    /// Whether anybody can be talked to.
    pub reached: bool,
    pub votes: usize,
    pub left: Vec<Left>,
}

/// A lab, prepared for judging what fails in it. Making one costs milliseconds; keep it while the lab is the same.
#[derive(Clone, Debug)]
pub struct Forecaster<'l> {
    pub(super) lab: &'l Resolved,
    pub(super) graph: Graph,
    pub(super) families: Vec<Family>,
    pub(super) voters: Bits,
    /// The member that each disk with data is in.
    pub(super) member_of_leaf: Vec<usize>,
    /// Members that are to be there.
    expected: Bits,
    /// Those that hold data, and of them those that are to go on holding it.
    holders: Bits,
    staying: Bits,
    as_it_is: Broken,
    minutes: BTreeMap<String, Option<Interval>>,
    pub(super) map: ClusterMap,
}

impl<'l> Forecaster<'l> {
    /// Of a lab.
    pub fn new(lab: &'l Resolved) -> Self {
        Self::with(lab, None)
    }

    /// Of a lab that differs little: where copies are is known already if the machines are the same.
    pub(super) fn again<'o>(&self, lab: &'o Resolved) -> Forecaster<'o> {
        Forecaster::with(lab, Some(self))
    }

    fn family(&self, map: &ClusterMap, policy: Policy) -> Option<&Family> {
        let mut families = self.families.iter();
        families.find(|family| family.policy == policy && self.map == *map)
    }

    fn with(lab: &'l Resolved, known: Option<&Forecaster<'_>>) -> Self {
        let (graph, map) = (Graph::new(lab), lab.cluster_map());
        let members = graph.members.len();
        let mut member_of_leaf = vec![0; graph.leaves()];
        let mut named = BTreeMap::new();
        for ((thing, disk), leaf) in &graph.leaf_of {
            let member = graph.members.iter().position(|member| member == thing);
            member_of_leaf[*leaf] = member.unwrap_or(0);
            let thing = lab.thing(ThingId(*thing));
            named.insert((thing.name.as_str(), thing.disks[*disk].name.as_str()), *leaf);
        }
        let which = |keep: &dyn Fn(&Node) -> bool| {
            let mut which = Bits::none(members);
            let kept = map.nodes.iter().enumerate().filter(|(_, node)| keep(node));
            kept.for_each(|(at, _)| which.set(at));
            which
        };
        let expected = which(&|node| node.state != NodeState::Lost);
        let holders = which(&|node| node.state != NodeState::Lost && node.capacity() > 0);
        let staying = which(&Node::takes_copies);
        let families = policies(lab)
            .into_iter()
            .map(
                |(policy, names)| match known.and_then(|known| known.family(&map, policy)) {
                    Some(known) => known.named(names),
                    None => Family::new(&map, policy, names, &named, &member_of_leaf),
                },
            )
            .collect();
        let budget = Budget::of(lab);
        let minutes = budget.upses.iter().map(|ups| {
            let ends = [ups.runtime_idle_minutes, ups.runtime_stress_minutes];
            (
                ups.name.clone(),
                ends.into_iter().flatten().reduce(Interval::hull),
            )
        });
        Self {
            as_it_is: graph.as_it_is(lab),
            voters: voters(&map),
            families,
            member_of_leaf,
            expected,
            holders,
            staying,
            minutes: minutes.collect(),
            lab,
            graph,
            map,
        }
    }

    /// Of the same lab with who votes now, and which members have not what belongs there; by name.
    pub(crate) fn with_state(mut self, voters: &[&str], lacking: &[&str]) -> Self {
        let mut voting = Bits::none(self.map.nodes.len());
        for (at, node) in self.map.nodes.iter().enumerate() {
            let name = node.id.0.as_str();
            if voters.contains(&name) {
                voting.set(at);
            }
            if lacking.contains(&name) {
                let of_member = self.member_of_leaf.iter().enumerate();
                let leaves = of_member.filter(|(_, member)| **member == at);
                leaves.for_each(|(leaf, _)| self.as_it_is.lost.set(leaf));
            }
        }
        self.voters = voting;
        self
    }

    /// The lab.
    pub fn lab(&self) -> &'l Resolved {
        self.lab
    }

    /// What was taken for granted.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = self.graph.notes.clone();
        for family in self.families.iter().filter(|family| family.most > 0) {
            let (most, wanted) = (family.most, family.policy.stored());
            if most < wanted {
                let names = family.names.join(", ");
                notes.push(format!(
                    "{names} is kept as {}, which takes {wanted} disks; there are {most}.",
                    family.policy
                ));
            }
        }
        notes
    }

    /// The members that vote, in the order of the file.
    pub fn voters(&self) -> Vec<&str> {
        let voters = self.voters.iter();
        voters.map(|at| self.map.nodes[at].id.0.as_str()).collect()
    }

    /// What is broken when these have failed, besides what does not answer anyhow.
    pub(super) fn broken(&self, failures: &[Failure]) -> Broken {
        let mut broken = self.as_it_is.clone();
        for failure in failures {
            self.graph.fail(self.lab, *failure, &mut broken);
        }
        broken
    }

    /// What these failures do, together, with reasons.
    pub fn judge(&self, failures: &[Failure]) -> Outcome {
        let mut scratch = Scratch::default();
        let broken = self.broken(failures);
        let first = self.moment(&broken, true, &mut scratch);
        let last = self.moment(&broken, false, &mut scratch);
        let on_battery: Vec<usize> = first.alive.iter().filter(|at| !last.alive.has(*at)).collect();
        let whole = self.moment(&self.as_it_is, true, &mut scratch);
        let chain = reasons::chain(self, failures, (&broken, &first), &whole);
        let upses: Vec<ThingId> = on_battery
            .into_iter()
            .map(ThingId)
            .filter(|id| self.lab.thing(*id).kind == ThingKind::Ups)
            .collect();
        let beyond = (!upses.is_empty()).then(|| {
            let each = upses.iter().map(|ups| self.minutes(*ups));
            let minutes = each.reduce(|one, other| {
                let (one, other) = (one?, other?);
                Interval::new(one.low.min(other.low), one.high.min(other.high)).ok()
            });
            let minutes = minutes.flatten();
            let mut chain = vec![Reason::empty(self.lab, &upses, minutes)];
            chain.extend(reasons::chain(self, &[], (&broken, &last), &whole));
            Beyond {
                minutes,
                verdict: last.verdict,
                chain,
            }
        });
        Outcome {
            verdict: first.verdict,
            chain,
            votes: (
                first.votes,
                self.voters.count(),
                votes::quorum(self.voters.count()),
            ),
            beyond,
        }
    }

    /// How long a battery lasts.
    pub(super) fn minutes(&self, ups: ThingId) -> Option<Interval> {
        self.minutes.get(&self.lab.thing(ups).name).copied().flatten()
    }

    /// How things are, while batteries last or when they are empty.
    pub(super) fn moment(&self, broken: &Broken, batteries_last: bool, scratch: &mut Scratch) -> Moment {
        let alive = self.graph.alive(broken, batteries_last);
        self.look(broken, alive, scratch)
    }

    /// How things are, where this is who has power.
    pub(super) fn look(&self, broken: &Broken, alive: Bits, scratch: &mut Scratch) -> Moment {
        let reaches = self.graph.reaches(broken, &alive);
        let mut best: Option<Moment> = None;
        let none = Bits::none(self.graph.members.len());
        let reached = reaches.iter().any(|reach| reach.outside);
        let outside = reaches
            .iter()
            .filter(|reach| reach.outside)
            .map(|reach| &reach.to);
        let outside: Vec<&Bits> = if reached { outside.collect() } else { vec![&none] };
        for together in outside {
            let together = together.clone();
            // Who leads has to vote, and to reach most of the voters itself.
            let votes = reaches
                .iter()
                .filter(|reach| {
                    self.voters
                        .iter()
                        .any(|voter| reach.from.has(voter) && together.has(voter))
                })
                .map(|reach| self.voters.shared(&reach.to))
                .max()
                .unwrap_or(0);
            let left = self.left(broken, &together, scratch);
            let verdict = self.verdict(&together, votes, reached, &left);
            let key = |verdict, votes, count| (std::cmp::Reverse(verdict), votes, count);
            let better = best.as_ref().is_none_or(|best| {
                key(verdict, votes, together.count()) > key(best.verdict, best.votes, best.together.count())
            });
            if better {
                best = Some(Moment {
                    verdict,
                    alive: Bits::default(),
                    together,
                    reached,
                    votes,
                    left,
                });
            }
        }
        let mut moment = best.unwrap_or(Moment {
            verdict: Verdict::Down,
            alive: Bits::default(),
            together: Bits::default(),
            reached: false,
            votes: 0,
            left: Vec::new(),
        });
        moment.alive = alive;
        moment
    }

    fn left(&self, broken: &Broken, together: &Bits, scratch: &mut Scratch) -> Vec<Left> {
        let away = |leaf: &usize| broken.lost.has(*leaf) || !together.has(self.member_of_leaf[*leaf]);
        let there = There {
            only: self.expected.count() == 1,
            hold: self.holders.shared(together),
            stay: self.staying.shared(together),
        };
        let families = self.families.iter();
        families
            .map(|family| {
                family.left(
                    (0..self.graph.leaves()).filter(away),
                    &broken.lost,
                    there,
                    scratch,
                )
            })
            .collect()
    }

    fn verdict(&self, together: &Bits, votes: usize, reached: bool, left: &[Left]) -> Verdict {
        if left.iter().any(|left| left.gone) {
            return Verdict::DataLost;
        }
        let decides = votes >= votes::quorum(self.voters.count());
        if !decides || !reached || left.iter().any(|left| left.unread) {
            return Verdict::Down;
        }
        if left.iter().any(|left| left.unwritten) {
            return Verdict::ReadOnly;
        }
        let all = self.expected.shared(together) == self.expected.count();
        match all && !left.iter().any(|left| left.fewer) {
            true => Verdict::Safe,
            false => Verdict::Slower,
        }
    }
}

/// The ways that data is kept, each with the kinds of data that are kept so; where nothing is said, the usual one.
fn policies(lab: &Resolved) -> BTreeMap<Policy, Vec<String>> {
    let mut policies: BTreeMap<Policy, Vec<String>> = BTreeMap::new();
    for data in &lab.lab.data {
        policies
            .entry(data.redundancy)
            .or_default()
            .push(data.name.clone());
    }
    let holds = lab
        .members()
        .any(|(id, _)| lab.thing(id).disks.iter().any(|disk| disk.data));
    if policies.is_empty() && holds {
        policies.extend(
            Policy::replicas(USUAL)
                .ok()
                .map(|policy| (policy, vec!["data".to_owned()])),
        );
    }
    policies
}

/// Copies where nothing is said.
const USUAL: u8 = 3;

/// Who votes: as the cluster chooses from members in the order in which they came, of whom then, one after another, some
/// began to drain and some went away. A voter that drains goes on voting where nobody else could.
fn voters(map: &ClusterMap) -> Bits {
    let of = |state: NodeState| {
        let all = map.nodes.iter().enumerate();
        all.filter(move |(_, node)| node.state == state).map(|(at, _)| at)
    };
    let lost: BTreeSet<usize> = of(NodeState::Lost).collect();
    let came: Vec<usize> = (0..map.nodes.len()).filter(|at| !lost.contains(at)).collect();
    let mut chosen: BTreeSet<usize> = came.iter().copied().take(votes::odd(came.len())).collect();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    for leaves in of(NodeState::Draining).chain(of(NodeState::Down)) {
        gone.insert(leaves);
        let spare = came
            .iter()
            .copied()
            .filter(|at| !chosen.contains(at) && !gone.contains(at));
        let spare: Vec<usize> = spare.collect();
        if let Some(better) = votes::better(&chosen, |at| gone.contains(at), &spare) {
            chosen = better;
        }
    }
    let mut voters = Bits::none(map.nodes.len());
    chosen.into_iter().for_each(|at| voters.set(at));
    voters
}
