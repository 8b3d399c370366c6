//! Which column and band each machine and switch is in, and the pieces that links are drawn of.
//!
//! Promises: a piece joins spots of neighbouring columns or of one column, so that no line runs through a box; where a
//! link goes past columns, there is a spot without a box for it in each. The same lab gives the same spots.

use crate::lab::{Resolved, ThingId, ThingKind};
use std::collections::{BTreeMap, VecDeque};

/// Not more spots without a box; links beyond that go straight through.
const MOST_BENDS: usize = 4_000;

/// A place in the picture.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// What is there; none for a bend of a link.
    pub(super) thing: Option<ThingId>,
    pub(super) column: usize,
    pub(super) band: usize,
}

/// A piece of a link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    /// The spot to the left, or the upper one.
    pub(super) from: usize,
    pub(super) to: usize,
    /// The link, by its position in the lab's list.
    pub(super) link: usize,
}

/// Spots and pieces.
pub(super) struct Graph {
    pub(super) spots: Vec<Spot>,
    pub(super) pieces: Vec<Piece>,
    /// The sites of bands; none for things of no site.
    pub(super) bands: Vec<Option<ThingId>>,
    /// Links that are drawn straight, because there are too many.
    pub(super) straight: Vec<Piece>,
}

/// Neighbours of each thing, each once.
fn neighbours(lab: &Resolved) -> Vec<Vec<ThingId>> {
    let mut near = vec![Vec::new(); lab.things.len()];
    for link in &lab.links {
        near[link.from.0].push(link.to);
        near[link.to.0].push(link.from);
    }
    for all in &mut near {
        all.sort_unstable();
        all.dedup();
    }
    near
}

/// How far each switch is from the uplink; parts without one begin at the switch with the most cables.
fn of_switches(lab: &Resolved, near: &[Vec<ThingId>]) -> BTreeMap<ThingId, usize> {
    let is_switch = |id: ThingId| lab.thing(id).kind == ThingKind::Switch;
    let switches: Vec<ThingId> = lab.of_kind(ThingKind::Switch).map(|(id, _)| id).collect();
    let uplink = |id: &&ThingId| lab.switch(**id).is_some_and(|switch| switch.uplink);
    let mut open: VecDeque<(ThingId, usize)> = switches.iter().filter(uplink).map(|id| (*id, 0)).collect();
    let mut by_cables = switches.clone();
    by_cables.sort_by_key(|id| (std::cmp::Reverse(near[id.0].len()), *id));
    let mut rest = by_cables.into_iter();
    let mut found = BTreeMap::new();
    loop {
        while let Some((id, column)) = open.pop_front() {
            if found.contains_key(&id) {
                continue;
            }
            found.insert(id, column);
            open.extend(
                near[id.0]
                    .iter()
                    .filter(|next| is_switch(**next))
                    .map(|next| (*next, column + 1)),
            );
        }
        match rest.find(|id| !found.contains_key(id)) {
            Some(id) => open.push_back((id, 0)),
            None => return found,
        }
    }
}

/// The column of every machine: right of all its switches, or of the machine that it hangs on.
fn columns(lab: &Resolved, near: &[Vec<ThingId>]) -> BTreeMap<ThingId, usize> {
    let mut columns = of_switches(lab, near);
    let first = usize::from(!columns.is_empty());
    let switches = columns.clone();
    let mut open = VecDeque::new();
    for (id, _) in lab.of_kind(ThingKind::Node) {
        let last = near[id.0].iter().filter_map(|next| switches.get(next)).max();
        if let Some(last) = last {
            columns.insert(id, last + 1);
            open.push_back(id);
        }
    }
    let mut loose = lab.of_kind(ThingKind::Node).map(|(id, _)| id);
    loop {
        while let Some(id) = open.pop_front() {
            let column = columns[&id];
            for next in &near[id.0] {
                if !columns.contains_key(next) {
                    columns.insert(*next, column + 1);
                    open.push_back(*next);
                }
            }
        }
        match loose.find(|id| !columns.contains_key(id)) {
            Some(id) => {
                columns.insert(id, first);
                open.push_back(id);
            }
            None => return columns,
        }
    }
}

impl Graph {
    pub(super) fn of(lab: &Resolved) -> Self {
        let columns = columns(lab, &neighbours(lab));
        let mut bands: Vec<Option<ThingId>> = lab.of_kind(ThingKind::Site).map(|(id, _)| Some(id)).collect();
        bands.push(None);
        bands.retain(|site| columns.keys().any(|id| lab.thing(*id).site == *site));
        let mut graph = Self {
            spots: Vec::new(),
            pieces: Vec::new(),
            bands,
            straight: Vec::new(),
        };
        let mut at = BTreeMap::new();
        for (id, column) in &columns {
            let site = lab.thing(*id).site;
            let band = graph.bands.iter().position(|own| *own == site).unwrap_or(0);
            at.insert(*id, graph.spots.len());
            graph.spots.push(Spot {
                thing: Some(*id),
                column: *column,
                band,
            });
        }
        let boxes = graph.spots.len();
        for (link, it) in lab.links.iter().enumerate() {
            let (Some(from), Some(to)) = (at.get(&it.from), at.get(&it.to)) else {
                continue;
            };
            graph.join(*from, *to, link, boxes);
        }
        graph
    }

    /// Joins two spots, by way of bends in the columns between.
    fn join(&mut self, one: usize, other: usize, link: usize, boxes: usize) {
        let key = |at: &usize| (self.spots[*at].column, *at);
        let (from, to) = if key(&one) <= key(&other) {
            (one, other)
        } else {
            (other, one)
        };
        let (first, last) = (self.spots[from].column, self.spots[to].column);
        if last > first + 1 && self.spots.len() - boxes + (last - first) > MOST_BENDS {
            self.straight.push(Piece { from, to, link });
            return;
        }
        let mut before = from;
        for column in first + 1..last {
            let bend = self.spots.len();
            self.spots.push(Spot {
                thing: None,
                column,
                band: self.spots[to].band,
            });
            self.pieces.push(Piece {
                from: before,
                to: bend,
                link,
            });
            before = bend;
        }
        self.pieces.push(Piece {
            from: before,
            to,
            link,
        });
    }
}
