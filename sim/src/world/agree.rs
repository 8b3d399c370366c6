//! Who leads, and what most voters agree on.
//!
//! That an agreed version is never lost is taken for granted: Raft's part. What is real is who is made a voter and who
//! counts as out.

use super::event::Event;
use super::view::{Agreed, View};
use super::{LEAD, Spoil, World, note};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use stead_plan::{rules, votes};

/// A member that was silent for longer is away; its vote goes to another; others hold its copies.
const AWAY: u64 = 5_000;
const LOST: u64 = 60_000;
const OUT: u64 = 120_000;

/// Whoever leads.
#[derive(Debug)]
pub struct Lead {
    pub node: usize,
    pub since: u64,
    pub heard: BTreeMap<usize, u64>,
}

impl World {
    fn decides(&self, node: usize, voters: &BTreeSet<usize>) -> bool {
        let with = voters.iter().filter(|voter| self.reaches(node, **voter)).count();
        with >= votes::quorum(voters.len())
    }

    /// Whoever leads and can decide something.
    pub fn leader(&self) -> Option<usize> {
        let lead = self.lead.as_ref()?;
        let voters = &self.latest().agreed.voters;
        (self.nodes[lead.node].up && voters.contains(&lead.node) && self.decides(lead.node, voters))
            .then_some(lead.node)
    }

    pub fn reaches_leader(&self, node: usize) -> bool {
        self.leader().is_some_and(|leader| self.reaches(node, leader))
    }

    fn take_over(&mut self, node: usize) {
        note!(self, "n{node} leads");
        let own = self.latest().number;
        self.nodes[node].knows = own;
        self.lead = Some(Lead {
            node,
            since: self.now,
            heard: BTreeMap::new(),
        });
    }

    /// Every other voter that could lead.
    fn candidates(&self, but: Option<usize>) -> Vec<usize> {
        let voters = self.latest().agreed.voters.clone();
        let able = |voter: &usize| Some(*voter) != but && self.decides(*voter, &voters);
        voters.iter().copied().filter(able).collect()
    }

    pub fn look(&mut self) {
        self.plan(LEAD, Event::Lead);
        let Some(leader) = self.leader() else {
            self.lead = None;
            let able = self.candidates(None);
            if let Some(node) = self.draw.one(&able) {
                self.take_over(node);
            }
            return;
        };
        let view = self.latest();
        let now = self.now;
        let heard: Vec<usize> = view.agreed.members.keys().copied().collect();
        let heard: Vec<usize> = heard
            .into_iter()
            .filter(|node| self.reaches(leader, *node))
            .collect();
        if let Some(lead) = &mut self.lead {
            lead.heard.extend(heard.into_iter().map(|node| (node, now)));
        }
        // It is to hold nothing: another leads, where there is one.
        if view.agreed.members.get(&leader).is_some_and(|own| own.draining)
            && let Some(next) = self.candidates(Some(leader)).first()
        {
            self.take_over(*next);
            return;
        }
        self.note_out(leader);
        self.keep_voters(leader);
    }

    fn silent(&self, node: usize) -> Option<u64> {
        let heard = self.lead.as_ref()?.heard.get(&node)?;
        Some(self.now - heard)
    }

    fn is_up(&self, node: usize) -> bool {
        self.silent(node).is_some_and(|silent| silent < AWAY)
    }

    fn note_out(&mut self, leader: usize) {
        let led_for = self.lead.as_ref().map_or(0, |lead| self.now - lead.since);
        for (node, member) in self.latest().agreed.members.clone() {
            if member.witness {
                continue;
            }
            let away = self.silent(node).unwrap_or(led_for) > OUT;
            let out = rules::is_out(member.out, self.is_up(node), away);
            if out != member.out {
                let mut agreed = self.latest().agreed.clone();
                if let Some(member) = agreed.members.get_mut(&node) {
                    member.out = out;
                }
                let how = if out { "out" } else { "back" };
                self.agree(leader, agreed, format_args!("n{node} is {how}"));
            }
        }
    }

    /// Followers that could vote.
    pub fn spare(&self, voters: &BTreeSet<usize>) -> Vec<usize> {
        let view = self.latest();
        let fit = |node: &usize| {
            let draining = view.agreed.members[node].draining;
            let matched = Some(self.nodes[*node].knows as u64);
            !voters.contains(node) && votes::is_fit(self.is_up(*node), draining, matched, view.number as u64)
        };
        view.agreed.members.keys().copied().filter(fit).collect()
    }

    fn keep_voters(&mut self, leader: usize) {
        let view = self.latest();
        let voters = &view.agreed.voters;
        let lost = |node: &usize| {
            let draining = view
                .agreed
                .members
                .get(node)
                .is_some_and(|member| member.draining);
            votes::is_lost(draining, self.silent(*node).is_none_or(|silent| silent > LOST))
        };
        let better = match self.spoil {
            Some(Spoil::EvenVoters) => {
                let all = voters.iter().copied().chain(self.spare(voters)).take(4).collect();
                Some(all).filter(|all| all != voters)
            }
            _ => votes::better(voters, lost, &self.spare(voters)),
        };
        if let Some(better) = better {
            let mut agreed = view.agreed.clone();
            agreed.voters = better;
            let what = format!("voters {:?}", agreed.voters);
            self.agree(leader, agreed, format_args!("{what}"));
        }
    }

    /// Agrees on a change, if most of those that vote, and of those that are to, reach whoever leads.
    pub fn agree(&mut self, leader: usize, agreed: Agreed, what: std::fmt::Arguments<'_>) -> bool {
        let before = self.latest();
        if !self.decides(leader, &before.agreed.voters) || !self.decides(leader, &agreed.voters) {
            return false;
        }
        let view = Rc::new(View::new(self.views.len(), agreed));
        note!(self, "v{}: {what}", view.number);
        self.counts.versions += 1;
        self.check_change(&before, &view);
        self.nodes[leader].knows = view.number;
        let both: BTreeSet<usize> = before
            .agreed
            .members
            .keys()
            .chain(view.agreed.members.keys())
            .copied()
            .collect();
        let number = view.number;
        self.views.push(view);
        for node in both.into_iter().filter(|node| *node != leader) {
            let in_ms = self.delay();
            self.plan(
                in_ms,
                Event::Learn {
                    node,
                    version: number,
                },
            );
        }
        true
    }

    /// A node hears of a version, unless it is cut off: then it hears later.
    pub fn learn(&mut self, node: usize, version: usize) {
        if self.reaches_leader(node) && self.nodes[node].knows < version {
            self.nodes[node].knows = version;
            note!(self, "n{node} knows v{version}");
        }
    }
}
