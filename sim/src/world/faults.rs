//! Faults, what an operator does, and healing.

use super::event::Event;
use super::node::Node;
use super::{OPERATE, World, member, note};
use crate::schedule::Fault;
use std::collections::BTreeSet;
use stead_plan::{Policy, Redundancy, rules, votes};

impl World {
    fn pick(&self, number: usize) -> usize {
        number % self.nodes.len().max(1)
    }

    pub fn fault(&mut self, fault: Fault) {
        match fault {
            Fault::Put { node, bucket } => {
                let node = self.pick(node);
                self.begin_write(node, bucket);
            }
            Fault::Crash { node, for_ms } => {
                let node = self.pick(node);
                self.crash(node);
                self.plan(for_ms, Event::Start { node });
            }
            Fault::Die { node } => self.die(self.pick(node)),
            Fault::Rot { node, copy } => self.rot(self.pick(node), copy),
            Fault::Split { side, for_ms } => {
                let on = |node: usize| side >> (node % 12) & 1;
                let all = 0..self.nodes.len();
                let pairs = all.flat_map(|one| (0..one).map(move |other| (other, one)));
                let apart = pairs.filter(|(one, other)| on(*one) != on(*other)).collect();
                self.cut(apart, for_ms);
            }
            Fault::Cut { one, other, for_ms } => {
                let (one, other) = (self.pick(one), self.pick(other));
                self.cut(BTreeSet::from([(one.min(other), one.max(other))]), for_ms);
            }
            Fault::Join => self.join(),
            Fault::Drain { node } => self.drain(self.pick(node)),
            Fault::Capacity { node, bytes } => {
                let node = self.pick(node);
                self.change(format_args!("n{node} holds {bytes}"), |agreed| {
                    if let Some(member) = agreed.members.get_mut(&node) {
                        member.capacity = bytes;
                    }
                });
            }
            Fault::Copies { bucket, copies } => {
                let policy = self.latest().agreed.buckets[bucket];
                if let (Redundancy::Replicas(_), Ok(other)) = (policy.redundancy(), Policy::replicas(copies))
                {
                    self.change(format_args!("b{bucket} is kept as {other}"), |agreed| {
                        agreed.buckets[bucket] = other;
                    });
                }
            }
        }
    }

    /// Changes what is agreed on, if there is anybody to decide it.
    fn change(&mut self, what: std::fmt::Arguments<'_>, change: impl FnOnce(&mut super::Agreed)) -> bool {
        let Some(leader) = self.leader() else {
            return false;
        };
        let before = self.latest();
        let mut agreed = before.agreed.clone();
        change(&mut agreed);
        agreed != before.agreed && self.agree(leader, agreed, what)
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].up {
            self.nodes[node].up = false;
            note!(self, "n{node} stops");
        }
    }

    fn cut(&mut self, apart: BTreeSet<(usize, usize)>, for_ms: u64) {
        note!(self, "apart: {apart:?}");
        let cut = self.planned;
        self.cuts.insert(cut, apart);
        self.plan(for_ms, Event::Rejoin { cut });
    }

    /// A node and its disk are gone. Not where most of the voters would be: only a person can go on from there.
    fn die(&mut self, node: usize) {
        let voters = &self.latest().agreed.voters;
        let alive = |voter: &&usize| !self.nodes[**voter].dead && **voter != node;
        if self.nodes[node].dead || voters.iter().filter(alive).count() < votes::quorum(voters.len()) {
            return;
        }
        note!(self, "n{node} dies");
        let hit: BTreeSet<usize> = self.nodes[node].disk.keys().map(|block| block.0).collect();
        let hit: Vec<usize> = hit
            .into_iter()
            .filter(|object| {
                (0..self.objects[*object].pieces).any(|piece| self.nodes[node].has_whole((*object, piece)))
            })
            .collect();
        self.charge(&hit, |world| {
            world.nodes[node].up = false;
            world.nodes[node].dead = true;
            world.nodes[node].disk.clear();
        });
    }

    fn rot(&mut self, node: usize, copy: usize) {
        let disk = &self.nodes[node].disk;
        let whole: Vec<_> = disk
            .iter()
            .filter(|(_, held)| held.whole)
            .map(|(block, _)| *block)
            .collect();
        let Some(block) = whole.get(copy % whole.len().max(1)).copied() else {
            return;
        };
        note!(self, "o{}/{} rots on n{node}", block.0, block.1);
        self.charge(&[block.0], |world| {
            if let Some(held) = world.nodes[node].disk.get_mut(&block) {
                held.whole = false;
            }
        });
    }

    fn join(&mut self) {
        if self.leader().is_none() {
            return;
        }
        let Some(machine) = self.waiting.pop() else { return };
        let node = self.nodes.len();
        let joined = member(node, &machine);
        self.machines.push(machine);
        self.nodes.push(Node::default());
        if self.change(format_args!("n{node} joins"), |agreed| {
            agreed.members.insert(node, joined);
        }) {
            self.start(node);
        } else {
            self.nodes[node].dead = true;
        }
    }

    /// A node is to give up what it has, unless it is the only one that holds data.
    fn drain(&mut self, node: usize) {
        let view = self.latest();
        let holds = |(other, member): (&usize, &super::Member)| {
            *other != node && !member.witness && !member.draining && !member.out
        };
        if self.nodes[node].dead || self.healed || !view.agreed.members.iter().any(holds) {
            return;
        }
        let draining = self.change(format_args!("n{node} drains"), |agreed| {
            if let Some(member) = agreed.members.get_mut(&node) {
                member.draining = true;
            }
        });
        if draining {
            self.drains.insert(node);
        }
    }

    /// The operator removes whoever is dead, and whoever drains as soon as all others have all that they should have.
    pub fn operate(&mut self) {
        self.plan(OPERATE, Event::Operate);
        let view = self.latest();
        let dead: Vec<usize> = view
            .agreed
            .members
            .keys()
            .copied()
            .filter(|node| self.nodes[*node].dead)
            .collect();
        for node in dead {
            if self.healed || self.draw.percent(10) {
                self.remove(node);
            }
        }
        for node in self.drains.clone() {
            if self.undrain(node) {
                continue;
            }
            let up: Vec<usize> = view
                .agreed
                .members
                .keys()
                .copied()
                .filter(|node| self.nodes[*node].up)
                .collect();
            let Some(via) = self.draw.one(&up) else { return };
            if self.is_drained(node, via) && self.remove(node) {
                self.drains.remove(&node);
                note!(self, "n{node} is taken away");
                self.nodes[node].up = false;
                // Names are compared, not bytes: what has rotted elsewhere unnoticed was held here only, and its
                // loss counts as one more failure.
                let damaged = self.damaged();
                self.charge(&damaged, |world| {
                    world.nodes[node].dead = true;
                    world.nodes[node].disk.clear();
                });
                self.check_all("after a drained node was removed");
            }
        }
        if self.healed {
            self.check_converged();
        }
    }

    /// A node is not drained after all, because nobody else is left to hold the data.
    fn undrain(&mut self, node: usize) -> bool {
        let view = self.latest();
        let holds = |(other, member): (&usize, &super::Member)| {
            *other != node && !member.witness && !member.draining && !member.out
        };
        if view.agreed.members.iter().any(holds) {
            return false;
        }
        let kept = self.change(format_args!("n{node} is kept"), |agreed| {
            if let Some(member) = agreed.members.get_mut(&node) {
                member.draining = false;
            }
        });
        if kept {
            self.drains.remove(&node);
        }
        kept
    }

    /// Objects of which a copy is damaged somewhere.
    fn damaged(&self) -> Vec<usize> {
        let disks = self.nodes.iter().flat_map(|node| &node.disk);
        let damaged: BTreeSet<usize> = disks
            .filter(|(_, held)| !held.whole)
            .map(|(block, _)| block.0)
            .collect();
        damaged.into_iter().collect()
    }

    /// Whether all members that take copies have all that they should have, as a node says it.
    fn is_drained(&self, node: usize, via: usize) -> bool {
        let view = self.view_of(via);
        // It knows of the drain: else it would speak of the time before. Of one that is out nobody knows what only it
        // has.
        let known = view.agreed.members.get(&node);
        known.is_some_and(|member| member.draining && !member.out)
            && view.agreed.members.iter().all(|(other, member)| {
                let takes = !member.witness && !member.draining && !member.out;
                let level = rules::is_level_at(self.nodes[*other].memory.level_at, view.number);
                !takes || (self.reaches(via, *other) && level)
            })
    }

    fn remove(&mut self, node: usize) -> bool {
        let Some(leader) = self.leader().filter(|leader| *leader != node) else {
            return false;
        };
        let voters = self.latest().agreed.voters.clone();
        let left: BTreeSet<usize> = voters.iter().copied().filter(|voter| *voter != node).collect();
        let spare = self.spare(&left);
        self.change(format_args!("n{node} is removed"), |agreed| {
            if voters.contains(&node) {
                agreed.voters = votes::without(&voters, node, leader, &spare);
            }
            agreed.members.remove(&node);
        })
    }

    /// The faults end: all that is not dead starts, all reach each other, what is damaged is found.
    pub fn heal(&mut self) {
        self.healed = true;
        note!(self, "all is healed");
        self.cuts.clear();
        // A stripe that is lost keeps its holders from ever having all: a person deletes what is lost.
        self.delete_lost();
        for node in 0..self.nodes.len() {
            let own = &mut self.nodes[node];
            own.disk.retain(|_, held| held.whole);
            own.memory.compared.clear();
            own.memory.level_at = None;
            self.start(node);
        }
    }
}
