//! What must hold.

use super::view::{Block, View};
use super::{OPERATE, World, note};
use crate::schedule::FAULTS_MS;
use std::collections::{BTreeMap, BTreeSet};
use stead_plan::{Policy, votes};

/// An object, and what it has been promised.
#[derive(Debug)]
pub struct Object {
    pub bucket: usize,
    pub key: [u8; 8],
    pub pieces: usize,
    /// A client was told that it is stored.
    pub acked: bool,
    /// Nodes or copies that may still be lost before it may be.
    allow: i64,
    /// More was lost than it bears.
    given: bool,
    /// Faults that hit it.
    pub hits: u32,
}

impl Object {
    pub fn new(bucket: usize, key: [u8; 8], pieces: usize) -> Self {
        Self {
            bucket,
            key,
            pieces,
            acked: false,
            allow: 0,
            given: false,
            hits: 0,
        }
    }
}

/// Nodes that may be lost, whichever they are, where each of these holds so many of the pieces.
fn tolerance(pieces: &BTreeMap<usize, usize>, needed: usize) -> i64 {
    let mut most: Vec<usize> = pieces.values().copied().collect();
    most.sort_unstable_by(|one, other| other.cmp(one));
    let mut left: usize = most.iter().sum();
    let mut borne = -1;
    for pieces in most {
        if left < needed {
            return borne;
        }
        borne += 1;
        left -= pieces;
    }
    borne
}

impl World {
    fn needed(&self, object: usize) -> usize {
        // Whether an object is copies or pieces never changes.
        self.latest().agreed.buckets[self.objects[object].bucket].to_read()
    }

    /// The different pieces of an object that these nodes have whole.
    pub fn pieces(&self, object: usize, mut of: impl FnMut(&usize) -> bool) -> BTreeSet<usize> {
        let nodes: Vec<usize> = (0..self.nodes.len()).filter(|node| of(node)).collect();
        let has = |piece: &usize| {
            nodes
                .iter()
                .any(|node| self.nodes[*node].has_whole((object, *piece)))
        };
        (0..self.objects[object].pieces).filter(has).collect()
    }

    fn is_there(&self, object: usize) -> bool {
        self.pieces(object, |_| true).len() >= self.needed(object)
    }

    /// How many failures a version's placement of an object bears.
    fn borne(&self, object: usize, view: &View) -> i64 {
        let mut on: BTreeMap<usize, usize> = BTreeMap::new();
        for piece in 0..self.objects[object].pieces {
            for owner in self.owners(view, (object, piece)) {
                *on.entry(owner).or_default() += 1;
            }
        }
        tolerance(&on, self.needed(object))
    }

    /// How many failures an object bears as its pieces lie now, wherever that is.
    fn bears_now(&self, object: usize) -> i64 {
        let holds = |node: &usize| {
            (0..self.objects[object].pieces).any(|piece| self.nodes[*node].has_whole((object, piece)))
        };
        let holders: Vec<usize> = (0..self.nodes.len()).filter(holds).collect();
        let needed = self.needed(object);
        let fatal = (0_u32..1 << holders.len().min(16)).filter(|lost| {
            let left = |node: &usize| {
                let at = holders.iter().position(|holder| holder == node);
                at.is_some_and(|at| lost >> at & 1 == 0)
            };
            self.pieces(object, left).len() < needed
        });
        fatal
            .map(|lost| i64::from(lost.count_ones()) - 1)
            .min()
            .unwrap_or(0)
    }

    /// Whether everybody has what placement gives it.
    fn is_full(&self, object: usize, view: &View) -> bool {
        (0..self.objects[object].pieces).all(|piece| {
            let owners = self.owners(view, (object, piece));
            !owners.is_empty()
                && owners
                    .iter()
                    .all(|owner| self.nodes[*owner].has_whole((object, piece)))
        })
    }

    /// A client is told that an object is stored: from now on it bears what it was promised.
    pub fn acknowledge(&mut self, object: usize, striped: bool) {
        let holders = (0..self.nodes.len()).filter(|node| self.nodes[*node].has_whole((object, 0)));
        let copies = holders.count() as i64;
        let alone = self.latest().agreed.members.len() == 1;
        let own = &mut self.objects[object];
        own.acked = true;
        own.allow = match striped {
            true if alone => 0,
            true => 1,
            false => copies - 1,
        };
        note!(self, "o{object} is stored");
        if !self.is_there(object) {
            self.broken("stored", format!("o{object} is nowhere when it is acknowledged"));
        }
    }

    fn renew(&mut self, object: usize) {
        let view = self.latest();
        if self.objects[object].acked && self.is_full(object, &view) {
            self.objects[object].allow = self.borne(object, &view);
        }
    }

    /// Destroys copies of objects, and checks that each is lost only where more failed than it bears.
    pub fn charge(&mut self, objects: &[usize], destroy: impl FnOnce(&mut Self)) {
        objects.iter().for_each(|object| self.renew(*object));
        destroy(self);
        for object in objects {
            let own = &mut self.objects[*object];
            own.allow -= 1;
            own.hits += 1;
            self.check(*object, "after a fault");
        }
    }

    fn check(&mut self, object: usize, when: &str) {
        let own = &self.objects[object];
        if !own.acked || own.given || self.is_there(object) {
            return;
        }
        if self.objects[object].allow >= 0 {
            self.broken("durable", format!("o{object} is lost {when}"));
        } else {
            note!(self, "o{object} is lost, as more failed than it bears");
            self.counts.borne_not += 1;
            self.objects[object].given = true;
        }
    }

    /// Deletes what was lost because more failed than it bears.
    pub fn delete_lost(&mut self) {
        for object in self.objects.iter_mut().filter(|object| object.given) {
            object.acked = false;
        }
    }

    pub fn check_all(&mut self, when: &str) {
        (0..self.objects.len()).for_each(|object| self.check(object, when));
    }

    /// A copy was given up: every owner by which it was has one, unless faults took it meanwhile.
    pub fn check_given_up(&mut self, by: usize, block: Block, owners: &[usize], hits_then: u32) {
        let have = owners.iter().filter(|owner| self.nodes[**owner].has_whole(block));
        let hit = self.objects[block.0].hits - hits_then;
        let (have, wanted) = (have.count(), owners.len());
        if self.objects[block.0].acked && have + (hit as usize) < wanted {
            let what = format!(
                "n{by} gave up o{}/{} with {have} of {wanted} copies at {owners:?}",
                block.0, block.1
            );
            self.broken("given-up", what);
        }
        let view = self.view_of(by);
        let placed = self.borne(block.0, &view);
        // While a stripe moves, piece by piece, it may bear less than where it was and where it goes to.
        let borne = match self.objects[block.0].pieces {
            1 => placed,
            _ => placed.min(self.bears_now(block.0)),
        };
        self.counts.thinned += u64::from(borne < placed);
        let own = &mut self.objects[block.0];
        own.allow = own.allow.min(borne);
        self.check(block.0, "after a copy was given up");
    }

    /// A change of what is agreed on: voters are odd, members, and never change but by most of both.
    pub fn check_change(&mut self, before: &View, after: &View) {
        let voters = &after.agreed.voters;
        let members = voters
            .iter()
            .all(|voter| after.agreed.members.contains_key(voter));
        if voters.len().is_multiple_of(2) || voters.len() > votes::MOST || !members {
            self.broken(
                "voters",
                format!("{voters:?} vote of {:?}", after.agreed.members.keys()),
            );
        }
        let drains = |voter: &&usize| {
            after
                .agreed
                .members
                .get(voter)
                .is_some_and(|member| member.draining)
        };
        let more = voters.difference(&before.agreed.voters).find(drains);
        if let Some(voter) = more {
            self.broken("voters", format!("n{voter} drains, and is made a voter"));
        }
        self.check_movement(before, after);
    }

    /// Where nodes are alike, one that comes or goes moves hardly more than what it has.
    fn check_movement(&mut self, before: &View, after: &View) {
        let alike = |view: &View| {
            let mut members = view.agreed.members.values().filter(|member| !member.witness);
            members.all(|member| member.capacity == 1_000 && member.domains == Default::default())
        };
        if !alike(before) || !alike(after) {
            return;
        }
        let active = |view: &View| -> BTreeSet<usize> {
            let members = view.agreed.members.iter();
            let active = members.filter(|(_, member)| !member.witness && !member.draining && !member.out);
            active.map(|(node, _)| *node).collect()
        };
        let (old, new) = (active(before), active(after));
        let changed: Vec<usize> = old.symmetric_difference(&new).copied().collect();
        let ([one], Ok(policy)) = (changed.as_slice(), Policy::replicas(2)) else {
            return;
        };
        let (mut moved, mut must) = (0, 0);
        for key in 0..200_u32 {
            let had = before.place(policy, &key.to_be_bytes());
            let has = after.place(policy, &key.to_be_bytes());
            moved += has.iter().filter(|node| !had.contains(node)).count();
            let wide = if new.contains(one) { &has } else { &had };
            must += usize::from(wide.contains(one));
        }
        if moved > must + must / 5 + 6 {
            self.broken(
                "movement",
                format!("{moved} of 400 copies moved for n{one}, and {must} had to"),
            );
        }
    }

    /// Reads an object through a node: while no more owners are away than it bears, that works.
    pub fn probe(&mut self) {
        self.plan(OPERATE, super::Event::Probe);
        (0..self.objects.len()).for_each(|object| self.renew(object));
        let (object, node) = (self.draw.at(self.objects.len()), self.draw.at(self.nodes.len()));
        let view = self.latest();
        if self
            .objects
            .get(object)
            .is_none_or(|object| !object.acked || object.given)
            || !view.agreed.members.contains_key(&node)
            || !self.reaches_leader(node)
            || !self.is_full(object, &view)
        {
            return;
        }
        let owners: BTreeSet<usize> = (0..self.objects[object].pieces)
            .flat_map(|piece| self.owners(&view, (object, piece)))
            .collect();
        let away = owners.iter().filter(|owner| !self.reaches(node, **owner)).count() as i64;
        if away > self.borne(object, &view) {
            return;
        }
        self.counts.probed += u64::from(away > 0);
        let read = self.pieces(object, |other| self.reaches(node, *other));
        if read.len() < self.needed(object) {
            self.broken(
                "readable",
                format!("o{object} cannot be read at n{node} with {away} of {owners:?} away"),
            );
        }
    }

    /// What is not where it belongs.
    fn astray(&self) -> Option<String> {
        let view = self.latest();
        let mut members = view.agreed.members.keys();
        if let Some(node) = members.find(|node| self.nodes[**node].knows != view.number) {
            return Some(format!("n{node} does not know v{}", view.number));
        }
        let members = view.agreed.members.iter();
        let (draining, staying): (Vec<_>, Vec<_>) = members.partition(|(_, member)| member.draining);
        if let Some((node, _)) = draining.first() {
            return Some(format!("n{node} still drains"));
        }
        if let Some((node, _)) = staying.iter().find(|(_, member)| member.out) {
            return Some(format!("n{node} is still out"));
        }
        if view.agreed.voters.len() != votes::odd(staying.len()) {
            return Some(format!(
                "{:?} vote of {} members",
                view.agreed.voters,
                staying.len()
            ));
        }
        let objects = self.objects.iter().enumerate();
        for (number, object) in objects.filter(|(_, object)| object.acked && !object.given) {
            if !self.is_full(number, &view) {
                return Some(format!("o{number} is not everywhere where it belongs"));
            }
            for piece in 0..object.pieces {
                let owners = self.owners(&view, (number, piece));
                let mut nodes = view.agreed.members.keys();
                let surplus = |node: &&usize| {
                    self.nodes[**node].disk.contains_key(&(number, piece)) && !owners.contains(node)
                };
                if let Some(node) = nodes.find(surplus) {
                    return Some(format!("o{number}/{piece} is still on n{node}"));
                }
            }
        }
        None
    }

    pub fn check_converged(&mut self) {
        if self.astray().is_none() {
            self.done = true;
            self.counts.healed_ms = self.now - FAULTS_MS;
            note!(self, "everything is where it belongs");
        }
    }

    pub fn not_converged(&mut self) {
        let what = self
            .astray()
            .unwrap_or_else(|| "nothing was looked at".to_owned());
        self.broken("converges", what);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_are_lost_counts() {
        let on = |pieces: &[usize]| pieces.iter().copied().enumerate().collect::<BTreeMap<_, _>>();
        assert_eq!(tolerance(&on(&[1, 1, 1]), 1), 2);
        assert_eq!(tolerance(&on(&[1, 1, 1, 1, 1, 1]), 4), 2);
        assert_eq!(tolerance(&on(&[2, 2, 1, 1]), 4), 1);
        assert_eq!(tolerance(&on(&[2, 1]), 2), 0);
        assert_eq!(tolerance(&on(&[]), 1), -1);
    }
}
