//! Who still reaches whom.

use super::bits::Bits;
use super::graph::{Broken, Graph};
use crate::lab::ThingKind;
use std::collections::BTreeMap;

impl Graph {
    /// Which members some member reaches, itself included: the different sets that there are of those that somebody
    /// outside can talk to.
    pub(super) fn reaches(&self, broken: &Broken, alive: &Bits) -> Vec<Bits> {
        let up = || (0..self.members.len()).filter(|at| alive.has(self.members[*at]));
        if self.links.is_empty() {
            let mut all = Bits::none(self.members.len());
            up().for_each(|member| all.set(member));
            return vec![all];
        }
        let mut islands = Islands::new(self.kinds.len() + 1);
        let good = |link: usize| {
            let (from, to) = self.links[link];
            (!broken.links.has(link) && alive.has(from) && alive.has(to)).then_some((from, to))
        };
        let is_switch = |at: usize| self.kinds[at] == ThingKind::Switch;
        for (from, to) in (0..self.links.len()).filter_map(good) {
            if is_switch(from) && is_switch(to) {
                islands.join(from, to);
            }
        }
        for gateway in self.gateways.iter().filter(|at| alive.has(**at)) {
            islands.join(*gateway, self.kinds.len());
        }
        let mut on: BTreeMap<usize, Bits> = BTreeMap::new();
        let mut own: Vec<Vec<usize>> = vec![Vec::new(); self.members.len()];
        let mut direct = Vec::new();
        for member in up() {
            let thing = self.members[member];
            for (from, to) in self.links_of[thing].iter().filter_map(|link| good(*link)) {
                let end = if from == thing { to } else { from };
                if is_switch(end) {
                    let island = islands.of(end);
                    own[member].push(island);
                    on.entry(island)
                        .or_insert_with(|| Bits::none(self.members.len()))
                        .set(member);
                } else if let Some(other) = self.member_of.get(&end) {
                    direct.push((member, *other));
                }
            }
        }
        let mut reaches: Vec<Bits> = Vec::new();
        for member in up().filter(|member| !self.switched || !own[*member].is_empty()) {
            let mut reach = Bits::none(self.members.len());
            reach.set(member);
            own[member].iter().for_each(|island| reach.add(&on[island]));
            let ends = direct.iter().filter(|(one, _)| *one == member);
            ends.for_each(|(_, other)| reach.set(*other));
            if !reaches.contains(&reach) {
                reaches.push(reach);
            }
        }
        reaches
    }
}

/// Things that are connected, as far as is known.
struct Islands(Vec<usize>);

impl Islands {
    fn new(size: usize) -> Self {
        Self((0..size).collect())
    }

    fn of(&mut self, mut at: usize) -> usize {
        while self.0[at] != at {
            self.0[at] = self.0[self.0[at]];
            at = self.0[at];
        }
        at
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.of(one), self.of(other));
        self.0[one.max(other)] = one.min(other);
    }
}
