//! Giving up what belongs to others.

use super::event::Event;
use super::view::{Block, View};
use super::{Spoil, World, note};
use std::collections::{BTreeMap, BTreeSet};
use stead_plan::rules;

/// A block that others hold is given up when it is older.
const SURPLUS_AFTER: u64 = 120_000;
/// Between two looks where nothing changed.
const LOOK: u64 = 60_000;

/// A node that asks the owners of what it would give up.
#[derive(Debug)]
pub struct Trim {
    by: (usize, u32),
    /// The version that it went by when it began.
    under: usize,
    owners: BTreeMap<Block, Vec<usize>>,
    /// Owners that are to be asked.
    ask: Vec<usize>,
    had: BTreeMap<usize, BTreeSet<Block>>,
    /// How many faults had hit each block's object when it began.
    hits: BTreeMap<Block, u32>,
}

impl World {
    pub fn is_trim_due(&self, node: usize, view: &View) -> bool {
        let trimmed = self.nodes[node].memory.trimmed;
        trimmed.is_none_or(|(under, at)| under != view.number || self.now >= at + LOOK)
    }

    pub fn begin_trim(&mut self, by: (usize, u32), view: &View) {
        if std::mem::replace(&mut self.nodes[by.0].memory.trimming, true) {
            return;
        }
        let mut owners = BTreeMap::new();
        for (block, held) in &self.nodes[by.0].disk {
            let of = self.owners(view, *block);
            if held.since + SURPLUS_AFTER < self.now && rules::is_surplus(&of, &by.0) {
                owners.insert(*block, of);
            }
        }
        let ask: BTreeSet<usize> = owners.values().flatten().copied().collect();
        let hits = owners.keys().map(|block| (*block, self.objects[block.0].hits));
        let trim = Trim {
            by,
            under: view.number,
            ask: ask.into_iter().rev().collect(),
            had: BTreeMap::new(),
            hits: hits.collect(),
            owners,
        };
        self.trims.push(trim);
        let in_ms = self.delay();
        let trim = self.trims.len() - 1;
        self.plan(in_ms, Event::Promise { trim });
    }

    /// The next owner is asked; when none is left, what all have is given up.
    pub fn promise(&mut self, trim: usize) {
        let by = self.trims[trim].by;
        if !self.goes_on(by) {
            return;
        }
        let Some(owner) = self.trims[trim].ask.pop() else {
            self.give_up(trim);
            return;
        };
        if self.reaches(by.0, owner) {
            let view = self.view_of(owner);
            let promised = |(block, owners): (&Block, &Vec<usize>)| {
                let own = self.owners(&view, *block);
                let whole = self.nodes[owner].has_whole(*block);
                let may = match self.spoil {
                    Some(Spoil::Disbelief) => whole,
                    _ => rules::may_promise(&own, &owner, whole),
                };
                (owners.contains(&owner) && may).then_some(*block)
            };
            let had = self.trims[trim].owners.iter().filter_map(promised).collect();
            self.trims[trim].had.insert(owner, had);
        }
        let in_ms = self.delay() + self.delay();
        self.plan(in_ms, Event::Promise { trim });
    }

    fn give_up(&mut self, trim: usize) {
        let own = &mut self.trims[trim];
        let (by, under) = (own.by, own.under);
        let (owners, had) = (std::mem::take(&mut own.owners), std::mem::take(&mut own.had));
        let now = self.nodes[by.0].knows;
        let memory = &mut self.nodes[by.0].memory;
        memory.trimming = false;
        memory.trimmed = Some((now, self.now));
        if !rules::may_give_up(under as u64, now as u64) && self.spoil != Some(Spoil::Disbelief) {
            return;
        }
        for (block, of) in owners {
            let has = |owner: &usize| had.get(owner).is_some_and(|had| had.contains(&block));
            if !rules::all_have(&of, has) && self.spoil != Some(Spoil::Unasked) {
                continue;
            }
            let hits = self.trims[trim].hits.get(&block).copied().unwrap_or_default();
            self.nodes[by.0].disk.remove(&block);
            self.counts.given_up += 1;
            note!(self, "n{} gave up o{}/{}, held by {of:?}", by.0, block.0, block.1);
            self.check_given_up(by.0, block, &of, hits);
        }
    }
}
