//! A cluster on a lab: it comes together, holds objects, and after a failure elects, reads and writes as far as it can.

use super::wires::{self, Damage, Reach};
use std::collections::{BTreeMap, BTreeSet};
use stead_plan::failures::{Failure, Verdict};
use stead_plan::lab::Resolved;
use stead_plan::rules::{self, Need, When};
use stead_plan::{NodeState, Placer, Policy, Redundancy, Writes, votes};

/// Objects of each kind of data: as many as the planner looks at.
const OBJECTS: u32 = stead_plan::survive::SAMPLES;

/// An object's pieces or copies: each on a machine's disk.
type Laid = Vec<(usize, usize)>;

/// A wrong cluster, so that it is known that the comparison can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spoil {
    /// One voter is enough to decide.
    OneDecides,
    /// Writing takes the writer alone.
    WritesAlone,
    /// What is on a disk that failed is still read.
    DisksStay,
}

/// A cluster that came together on a lab.
#[derive(Debug)]
pub struct Cluster<'l> {
    lab: &'l Resolved,
    spoil: Option<Spoil>,
    /// Machines that are members and not lost.
    members: BTreeSet<usize>,
    /// Those that hold data.
    holders: BTreeSet<usize>,
    leaving: BTreeSet<usize>,
    voters: BTreeSet<usize>,
    /// The different ways in which objects lie, by how they are kept.
    objects: BTreeMap<Policy, BTreeSet<Laid>>,
}

/// Members come in the order of the file, one after another; then some drain, some go away, some are removed, one at a
/// time, and the cluster changes its voters after each as it does.
fn voters(lab: &Resolved) -> BTreeSet<usize> {
    let mut voters: BTreeSet<usize> = BTreeSet::new();
    let mut members: Vec<usize> = Vec::new();
    let mut gone: BTreeSet<usize> = BTreeSet::new();
    let change = |voters: &mut BTreeSet<usize>, members: &[usize], gone: &BTreeSet<usize>| {
        let spare: Vec<usize> = members
            .iter()
            .copied()
            .filter(|member| !voters.contains(member) && !gone.contains(member))
            .collect();
        if let Some(better) = votes::better(voters, |voter| gone.contains(voter), &spare) {
            *voters = better;
        }
    };
    for (id, _) in lab.members() {
        members.push(id.0);
        if voters.is_empty() {
            voters.insert(id.0);
        }
        change(&mut voters, &members, &gone);
    }
    for state in [NodeState::Lost, NodeState::Draining, NodeState::Down] {
        for (id, _) in lab.members().filter(|(_, machine)| machine.state == state) {
            if state == NodeState::Lost {
                members.retain(|member| *member != id.0);
                let spare: Vec<usize> = members
                    .iter()
                    .copied()
                    .filter(|member| !voters.contains(member))
                    .collect();
                if voters.contains(&id.0) {
                    let first = voters
                        .iter()
                        .copied()
                        .find(|voter| *voter != id.0)
                        .unwrap_or(id.0);
                    voters = votes::without(&voters, id.0, first, &spare);
                }
            } else {
                gone.insert(id.0);
            }
            change(&mut voters, &members, &gone);
        }
    }
    voters
}

impl<'l> Cluster<'l> {
    /// Comes together and stores objects, all of which everybody has where placement says.
    pub fn new(lab: &'l Resolved, spoil: Option<Spoil>) -> Self {
        let map = lab.cluster_map();
        let of_state = |state: NodeState| {
            let members = lab.members().filter(move |(_, machine)| machine.state == state);
            members.map(|(id, _)| id.0).collect::<BTreeSet<_>>()
        };
        let lost = of_state(NodeState::Lost);
        let members: BTreeSet<usize> = lab
            .members()
            .map(|(id, _)| id.0)
            .filter(|id| !lost.contains(id))
            .collect();
        let holds = |machine: &usize| lab.things[*machine].disks.iter().any(|disk| disk.data);
        let mut kept: BTreeSet<Policy> = lab.lab.data.iter().map(|data| data.redundancy).collect();
        let any = lab.members().any(|(id, _)| holds(&id.0));
        if kept.is_empty() && any {
            kept.extend(Policy::replicas(3));
        }
        let place = |policy: Policy| {
            let placer = Placer::new(&map, policy);
            let lay = |key: u32| -> Laid {
                let placed = placer.place(&key.to_be_bytes()).copies;
                let on = |copy: &stead_plan::Copy| {
                    let machine = lab.by_name(&copy.node.0)?.0;
                    let disks = &lab.things[machine].disks;
                    let named = |disk: &stead_plan::lab::DiskThing| Some(&disk.name) == copy.disk.as_ref();
                    Some((machine, disks.iter().position(named)?))
                };
                let placed: Vec<(usize, usize)> = placed.iter().filter_map(on).collect();
                let mut laid = match policy.redundancy() {
                    Redundancy::Replicas(_) => placed,
                    Redundancy::Erasure { .. } => rules::piece_holders(&placed, policy.stored()),
                };
                // Which piece is where makes no difference to what is left.
                laid.sort_unstable();
                laid
            };
            let laid: BTreeSet<Laid> = (0..OBJECTS).map(lay).collect();
            (policy, laid)
        };
        Self {
            lab,
            spoil,
            holders: members.iter().copied().filter(holds).collect(),
            leaving: of_state(NodeState::Draining),
            voters: voters(lab),
            objects: kept.into_iter().map(place).collect(),
            members,
        }
    }

    /// Injects a failure, and says what clients see: at once, and when batteries are empty.
    pub fn fail(&self, failure: Option<Failure>) -> (Verdict, Verdict) {
        let mut damage = Damage::before(self.lab);
        if let Some(failure) = failure {
            damage.inject(self.lab, failure);
        }
        if self.spoil == Some(Spoil::DisksStay) {
            damage.lost.clear();
        }
        let see = |batteries| self.see(&damage, &wires::powered(self.lab, &damage, batteries));
        (see(true), see(false))
    }

    fn see(&self, damage: &Damage, on: &BTreeSet<usize>) -> Verdict {
        let left = |laid: &Laid| laid.iter().filter(|at| !damage.lost.contains(at)).count();
        let mut objects = self
            .objects
            .iter()
            .flat_map(|(policy, laid)| laid.iter().map(move |laid| (policy.to_read(), laid)));
        if objects.any(|(needed, laid)| laid.len() >= needed && left(laid) < needed) {
            return Verdict::DataLost;
        }
        let up = self
            .members
            .iter()
            .copied()
            .filter(|machine| on.contains(machine));
        let reach: BTreeMap<usize, Reach> = up
            .map(|machine| (machine, wires::walk(self.lab, damage, on, machine)))
            .collect();
        let decides = |voter: &usize| {
            let reach = reach.get(voter);
            let with = reach.map_or(0, |reach| reach.machines.intersection(&self.voters).count());
            let needed = match self.spoil {
                Some(Spoil::OneDecides) => 1,
                _ => votes::quorum(self.voters.len()),
            };
            with >= needed
        };
        let leaders: BTreeSet<usize> = self.voters.iter().copied().filter(decides).collect();
        // Clients go to whichever member serves them best.
        let serve = |reach: &Reach| {
            let led = !reach.machines.is_disjoint(&leaders);
            (reach.by_clients && led).then(|| self.serve(damage, reach))
        };
        reach.values().filter_map(serve).min().unwrap_or(Verdict::Down)
    }

    /// What a member that reaches these can do for clients.
    fn serve(&self, damage: &Damage, reach: &Reach) -> Verdict {
        let read = |at: &&(usize, usize)| reach.machines.contains(&at.0) && !damage.lost.contains(*at);
        let mut verdict = match self.members.is_subset(&reach.machines) {
            true => Verdict::Safe,
            false => Verdict::Slower,
        };
        for (policy, objects) in &self.objects {
            for laid in objects {
                let there = laid.iter().filter(read).count();
                if there < policy.to_read() {
                    return Verdict::Down;
                }
                if there < laid.len() {
                    verdict = verdict.max(Verdict::Slower);
                }
                // Clients write through whichever member of these takes it.
                let writes = |writer: &usize| self.writes(damage, *writer, reach, *policy, laid);
                if !reach.machines.iter().any(writes) {
                    verdict = verdict.max(Verdict::ReadOnly);
                }
            }
        }
        verdict
    }

    /// Writes an object that is to lie so, through a member that reaches these.
    fn writes(&self, damage: &Damage, writer: usize, reach: &Reach, policy: Policy, laid: &Laid) -> bool {
        if !self.holders.contains(&writer) || self.spoil == Some(Spoil::WritesAlone) {
            return self.holders.contains(&writer);
        }
        let takes = |at: &&(usize, usize)| reach.machines.contains(&at.0) && !damage.lost.contains(*at);
        let stored = laid.iter().filter(takes).count();
        let others: Vec<usize> = reach
            .machines
            .iter()
            .copied()
            .filter(|machine| *machine != writer && self.holders.contains(machine))
            .collect();
        match (policy.writes(), policy.redundancy()) {
            (Writes::Strict, _) => stored >= policy.stored(),
            (Writes::Fewest, _) => stored >= policy.to_read(),
            // The other nodes together have enough pieces, several each if need be.
            (Writes::Majority, Redundancy::Erasure { .. }) => self.members.len() == 1 || !others.is_empty(),
            (Writes::Majority, Redundancy::Replicas(_)) => {
                let owners: BTreeSet<usize> = laid.iter().map(|at| at.0).collect();
                let near = owners.iter().filter(|owner| **owner != writer).count();
                let stays = !self.leaving.contains(&writer);
                let mut need = Need::new(
                    When::Majority,
                    policy.stored(),
                    (owners.len(), near),
                    false,
                    stays,
                );
                let answers: BTreeSet<usize> = laid.iter().filter(takes).map(|at| at.0).collect();
                for _ in answers.iter().filter(|owner| **owner != writer) {
                    need.note(false);
                }
                if need.is_alone() && !others.is_empty() {
                    need.note(false);
                }
                self.members.len() == 1 || need.is_enough()
            }
        }
    }
}
