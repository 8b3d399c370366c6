//! Who still reaches whom.

use super::bits::Bits;
use super::graph::{Broken, Graph};
use crate::lab::ThingKind;
use std::collections::BTreeMap;

/// Members that some members reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reach {
    /// Who reaches them.
    pub from: Bits,
    /// Those that are reached, itself included.
    pub to: Bits,
    /// Whether somebody outside can talk to who reaches them.
    pub outside: bool,
}

impl Graph {
    /// Which members each member reaches: the different sets that there are.
    pub(super) fn reaches(&self, broken: &Broken, alive: &Bits) -> Vec<Reach> {
        let up = || (0..self.members.len()).filter(|at| alive.has(self.members[*at]));
        if self.links.is_empty() {
            let mut all = Bits::none(self.members.len());
            up().for_each(|member| all.set(member));
            return vec![Reach {
                from: all.clone(),
                to: all,
                outside: true,
            }];
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
        let mut reaches: Vec<Reach> = Vec::new();
        for member in up() {
            let outside = !self.switched || !own[member].is_empty();
            let mut to = Bits::none(self.members.len());
            to.set(member);
            own[member].iter().for_each(|island| to.add(&on[island]));
            let ends = direct.iter().filter(|(one, _)| *one == member);
            ends.for_each(|(_, other)| to.set(*other));
            let known = reaches
                .iter_mut()
                .find(|reach| reach.outside == outside && reach.to == to);
            match known {
                Some(reach) => reach.from.set(member),
                None => {
                    let mut from = Bits::none(self.members.len());
                    from.set(member);
                    reaches.push(Reach { from, to, outside });
                }
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
