//! What a node does now and then: it sends what it owes, compares its blocks with others', fetches what belongs to it,
//! makes lost pieces anew, and gives up what belongs to others.

use super::event::Event;
use super::view::{Block, View};
use super::{Spoil, TICK, World, note};
use std::collections::BTreeSet;
use stead_plan::{Redundancy, rules};

/// Between two comparisons where nothing changed.
const EVERY: u64 = 60_000;
/// Blocks asked for at once.
const ASK_BLOCKS: usize = 4;
/// How long each block takes.
const BLOCK_MS: u64 = 20;

impl World {
    pub fn tick(&mut self, node: usize, start: u32) {
        if !self.goes_on((node, start)) {
            return;
        }
        let in_ms = TICK + self.draw.below(500);
        self.plan(in_ms, Event::Tick { node, start });
        let latest = self.latest().number;
        if self.nodes[node].knows < latest && self.reaches_leader(node) {
            let in_ms = self.delay();
            self.plan(
                in_ms,
                Event::Learn {
                    node,
                    version: latest,
                },
            );
        }
        let view = self.view_of(node);
        if self.spoil == Some(Spoil::Idle) || !view.holds_data(node) {
            return;
        }
        self.settle((node, start), &view);
        self.round((node, start), &view);
    }

    /// Sends what others are owed.
    fn settle(&mut self, by: (usize, u32), view: &View) {
        for (other, blocks) in std::mem::take(&mut self.nodes[by.0].memory.owed) {
            if !view.holds_data(other) {
                continue; // it is no member any more
            }
            self.send(by, other, blocks.into_iter().collect(), None);
        }
    }

    fn round(&mut self, by: (usize, u32), view: &View) {
        let (node, now) = (by.0, self.now);
        let cut_off = !self.reaches_leader(node);
        let others: BTreeSet<usize> = view.others(node).into_iter().collect();
        let memory = &mut self.nodes[node].memory;
        if memory.under != view.number || now >= memory.due || cut_off {
            memory.compared.clear();
            memory.comparing.clear();
            memory.had_compared = 0;
            memory.under = view.number;
            memory.due = now + EVERY;
        }
        memory.compared.retain(|other| others.contains(other));
        let ask: Vec<usize> = others
            .iter()
            .copied()
            .filter(|other| !memory.compared.contains(other) && !memory.comparing.contains(other))
            .collect();
        for of in ask
            .into_iter()
            .filter(|of| self.reaches(node, *of))
            .collect::<Vec<_>>()
        {
            self.nodes[node].memory.comparing.insert(of);
            let in_ms = self.delay();
            let under = view.number;
            self.plan(in_ms, Event::List { by, of, under });
        }
        let is_level = rules::is_level(others.iter(), &self.nodes[node].memory.compared, &view.out())
            && self.rebuild(by, view);
        let memory = &mut self.nodes[node].memory;
        if !is_level {
            return;
        }
        if memory.level_at != Some(view.number) {
            memory.level_at = Some(view.number);
            note!(self, "n{node} is level at v{}", view.number);
        }
        let memory = &mut self.nodes[node].memory;
        let grew = memory.compared.len() > memory.had_compared;
        memory.had_compared = memory.compared.len();
        if grew || self.is_trim_due(node, view) {
            self.begin_trim(by, view);
        }
    }

    /// A node is asked which of its blocks belong to who asks, as it believes; those that are missing there follow.
    pub fn list(&mut self, by: (usize, u32), of: usize, under: usize) {
        if !self.goes_on(by) || !self.reaches(by.0, of) {
            self.nodes[by.0].memory.comparing.remove(&of);
            return;
        }
        let view = self.view_of(of);
        if !rules::may_list(view.number, under) {
            self.nodes[by.0].memory.comparing.remove(&of);
            return;
        }
        let missing = |block: &Block| {
            self.nodes[of].has_whole(*block)
                && !self.nodes[by.0].disk.contains_key(block)
                && self.owners(&view, *block).contains(&by.0)
        };
        let mut blocks: Vec<Block> = self.nodes[of].disk.keys().copied().filter(missing).collect();
        let rest = blocks.len() > ASK_BLOCKS;
        blocks.truncate(ASK_BLOCKS);
        let in_ms = self.delay() + BLOCK_MS * blocks.len() as u64;
        self.plan(
            in_ms,
            Event::Arrive {
                by,
                of,
                under,
                blocks,
                rest,
            },
        );
    }

    /// What was missing arrives.
    pub fn arrive(&mut self, by: (usize, u32), of: usize, under: usize, blocks: Vec<Block>, rest: bool) {
        let (node, there) = (by.0, self.goes_on(by) && self.reaches(by.0, of));
        if !there {
            self.nodes[node].memory.comparing.remove(&of);
            return;
        }
        for block in blocks {
            self.store(node, block);
            note!(self, "n{node} fetched o{}/{} from n{of}", block.0, block.1);
        }
        if rest {
            let in_ms = self.delay();
            self.plan(in_ms, Event::List { by, of, under });
            return;
        }
        let memory = &mut self.nodes[node].memory;
        memory.comparing.remove(&of);
        if memory.under == under {
            memory.compared.insert(of);
        }
    }

    /// Begins to make pieces anew that belong here and are lost. Answers whether none is missing.
    fn rebuild(&mut self, by: (usize, u32), view: &View) -> bool {
        let node = by.0;
        let mut missing = Vec::new();
        for (number, object) in self.objects.iter().enumerate().filter(|(_, object)| object.acked) {
            let policy = view.agreed.buckets[object.bucket];
            if !matches!(policy.redundancy(), Redundancy::Erasure { .. }) {
                continue;
            }
            for piece in 0..object.pieces {
                let block = (number, piece);
                if !self.nodes[node].disk.contains_key(&block) && self.owners(view, block).contains(&node) {
                    missing.push((block, policy.to_read()));
                }
            }
        }
        for (block, needed) in &missing {
            let readable = |node: &usize| self.reaches(by.0, *node);
            if self.pieces(block.0, readable).len() >= *needed {
                let in_ms = self.delay() + BLOCK_MS * *needed as u64;
                self.plan(in_ms, Event::Made { by, block: *block });
            }
        }
        missing.is_empty()
    }

    pub fn made(&mut self, by: (usize, u32), block: Block) {
        if self.goes_on(by) && !self.nodes[by.0].disk.contains_key(&block) {
            self.store(by.0, block);
            note!(self, "n{} made o{}/{} anew", by.0, block.0, block.1);
        }
    }
}
