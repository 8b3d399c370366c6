//! Writing an object: sending its blocks, and when the writer is answered.

use super::check::Object;
use super::event::Event;
use super::node::Held;
use super::view::Block;
use super::{World, note};
use std::collections::{BTreeMap, BTreeSet};
use stead_plan::rules::{self, Need, When};
use stead_plan::{Policy, Redundancy};

/// A write that somebody waits for.
#[derive(Debug)]
pub struct Write {
    object: usize,
    by: (usize, u32),
    /// What copies wait for; pieces of stripes are counted.
    need: Option<Need>,
    policy: Policy,
    /// Which pieces other nodes have.
    have: BTreeMap<usize, BTreeSet<usize>>,
    away: BTreeSet<usize>,
    pending: usize,
    /// Another node was asked to stand in for one that is away.
    stood_in: bool,
    done: bool,
}

impl Write {
    fn lacks(&self) -> usize {
        let there: BTreeSet<usize> = self.have.values().flatten().copied().collect();
        rules::pieces_lacking(self.policy.to_read(), there.len())
    }

    fn is_met(&self) -> bool {
        self.need.as_ref().map_or_else(|| self.lacks() == 0, Need::is_met)
    }

    fn is_enough(&self) -> bool {
        self.need
            .as_ref()
            .map_or_else(|| self.lacks() == 0, Need::is_enough)
    }
}

impl World {
    fn is_far(&self, one: usize, other: usize) -> bool {
        let site = |node: usize| self.machines[node].domains.site.as_ref();
        matches!((site(one), site(other)), (Some(one), Some(other)) if one != other)
    }

    /// A client writes an object through a node.
    pub fn begin_write(&mut self, node: usize, bucket: usize) {
        let view = self.view_of(node);
        if !view.holds_data(node) || !self.reaches_leader(node) {
            self.counts.refused += 1;
            return;
        }
        let policy = view.agreed.buckets[bucket];
        let object = self.objects.len();
        let key = self.draw.key();
        let striped = matches!(policy.redundancy(), Redundancy::Erasure { .. });
        let pieces = if striped { policy.stored() } else { 1 };
        self.objects.push(Object::new(bucket, key, pieces));
        let mut lots: BTreeMap<usize, Vec<Block>> = BTreeMap::new();
        for piece in 0..pieces {
            self.store(node, (object, piece));
            for owner in self.owners(&view, (object, piece)) {
                if owner != node {
                    lots.entry(owner).or_default().push((object, piece));
                }
            }
        }
        let others = view.others(node);
        let need = (!striped).then(|| {
            let owners = self.owners(&view, (object, 0));
            let near = owners
                .iter()
                .filter(|owner| **owner != node && !self.is_far(node, **owner));
            let elsewhere = others.iter().any(|other| self.is_far(node, *other));
            let when = match self.key_choice(key) {
                0 => When::Local,
                1 => When::AcrossSites,
                _ => When::Majority,
            };
            let stays = view.agreed.members.get(&node).is_some_and(|own| !own.draining);
            Need::new(
                when,
                policy.stored(),
                (owners.len(), near.count()),
                elsewhere,
                stays,
            )
        });
        note!(self, "n{node} writes o{object} as {policy} to {:?}", lots.keys());
        let by = (node, self.nodes[node].start);
        let write = self.writes.len();
        self.writes.push(Write {
            object,
            by,
            need,
            policy,
            have: BTreeMap::new(),
            away: BTreeSet::new(),
            pending: lots.len(),
            stood_in: false,
            done: false,
        });
        for (to, blocks) in lots {
            self.send(by, to, blocks, Some(write));
        }
        let alone = view.agreed.members.len() == 1;
        if alone || self.writes[write].is_met() {
            self.finish(write, true);
        } else if self.writes[write].pending == 0 {
            self.stand_in(write);
        }
    }

    fn key_choice(&self, key: [u8; 8]) -> u8 {
        key[0] % 8
    }

    /// Sends blocks; those that cannot be read are left out.
    pub fn send(&mut self, by: (usize, u32), to: usize, blocks: Vec<Block>, write: Option<usize>) {
        let whole = |block: &Block| self.nodes[by.0].has_whole(*block);
        let blocks = blocks.into_iter().filter(whole).collect();
        let in_ms = self.delay();
        self.plan(
            in_ms,
            Event::Put {
                from: by,
                to,
                blocks,
                write,
            },
        );
    }

    /// A block is stored. What was there before is as young as what was not.
    pub fn store(&mut self, node: usize, block: Block) {
        let since = self.now;
        self.nodes[node].disk.insert(block, Held { whole: true, since });
    }

    /// Blocks that were sent arrive, or do not.
    pub fn put_arrives(&mut self, from: (usize, u32), to: usize, blocks: Vec<Block>, write: Option<usize>) {
        let ok = self.goes_on(from) && self.reaches(from.0, to);
        if ok {
            for block in &blocks {
                self.store(to, *block);
                note!(self, "n{to} has o{}/{} from n{}", block.0, block.1, from.0);
            }
        } else if self.goes_on(from) {
            let owed = &mut self.nodes[from.0].memory.owed;
            owed.entry(to).or_default().extend(blocks.iter().copied());
        }
        if let Some(write) = write {
            let in_ms = self.delay();
            let start = from.1;
            self.plan(
                in_ms,
                Event::Stored {
                    write,
                    start,
                    node: to,
                    ok,
                    blocks,
                },
            );
        }
    }

    /// The writer hears whether somebody stored what it sent.
    pub fn stored(&mut self, write: usize, start: u32, node: usize, ok: bool, blocks: Vec<Block>) {
        let far = self.is_far(self.writes[write].by.0, node);
        let goes_on = self.goes_on((self.writes[write].by.0, start));
        let own = &mut self.writes[write];
        own.pending = own.pending.saturating_sub(1);
        if own.done || !goes_on {
            return;
        }
        if ok {
            if let Some(need) = &mut own.need {
                need.note(far);
            }
            own.have
                .entry(node)
                .or_default()
                .extend(blocks.iter().map(|block| block.1));
        } else {
            own.away.insert(node);
        }
        if own.is_met() {
            self.finish(write, true);
        } else if own.pending == 0 {
            match own.stood_in {
                true => self.finish(write, self.writes[write].is_enough()),
                false => self.stand_in(write),
            }
        }
    }

    /// Has nodes that are there hold what would else be on the writer alone, because owners are away.
    fn stand_in(&mut self, write: usize) {
        let by = self.writes[write].by;
        let others = self.view_of(by.0).others(by.0);
        let own = &mut self.writes[write];
        own.stood_in = true;
        let willing: Vec<usize> = others
            .into_iter()
            .filter(|node| !own.away.contains(node))
            .collect();
        let object = own.object;
        let mut lots: BTreeMap<usize, Vec<Block>> = BTreeMap::new();
        match &own.need {
            Some(need) if !need.is_alone() => {}
            Some(_) => {
                if let Some(node) = willing.iter().find(|node| self.reaches(by.0, **node)) {
                    lots.insert(*node, vec![(object, 0)]);
                }
            }
            None => {
                let there: BTreeSet<usize> = own.have.values().flatten().copied().collect();
                let missing = (0..own.policy.stored()).filter(|piece| !there.contains(piece));
                for (turn, piece) in missing.take(own.lacks()).enumerate() {
                    if let Some(node) = willing.get(turn % willing.len().max(1)) {
                        lots.entry(*node).or_default().push((object, piece));
                    }
                }
            }
        }
        self.writes[write].pending = lots.len();
        if lots.is_empty() {
            let enough = self.writes[write].is_enough();
            self.finish(write, enough);
        }
        for (to, blocks) in lots {
            self.send(by, to, blocks, Some(write));
        }
    }

    /// The event that names the blocks is agreed on, if enough nodes have them and whoever leads is reached.
    fn finish(&mut self, write: usize, enough: bool) {
        let own = &mut self.writes[write];
        own.done = true;
        let (object, by, striped) = (own.object, own.by, own.need.is_none());
        if !enough || !self.reaches_leader(by.0) {
            note!(self, "o{object} is refused");
            self.counts.refused += 1;
            return;
        }
        self.counts.written += 1;
        self.acknowledge(object, striped);
    }
}
