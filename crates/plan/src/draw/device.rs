//! One device as a box: from the front what it is, from the rear what is plugged into it.

use super::circuits::{self, Circuits};
use super::figures;
use super::svg::{Anchor, Area, Block, Style};
use crate::lab::{Resolved, ThingId, ThingKind};
use crate::map::NodeState;

/// Which side of a rack is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Names, parts, watts.
    #[default]
    Front,
    /// Plugs and the ends of network cables.
    Rear,
}

/// What all devices of a picture share.
pub(super) struct Scene<'l> {
    pub(super) lab: &'l Resolved,
    pub(super) circuits: Circuits,
    pub(super) side: Side,
    /// The links of each thing, by their position in the lab's list.
    links: Vec<Vec<usize>>,
}

impl<'l> Scene<'l> {
    pub(super) fn new(lab: &'l Resolved, side: Side) -> Self {
        let mut links = vec![Vec::new(); lab.things.len()];
        for (at, link) in lab.links.iter().enumerate() {
            links[link.from.0].push(at);
            links[link.to.0].push(at);
        }
        Self {
            lab,
            circuits: Circuits::new(lab),
            side,
            links,
        }
    }

    /// The other ends of a thing's network cables.
    pub(super) fn ends(&self, id: ThingId) -> Vec<&'l str> {
        let other = |at: &usize| {
            let link = &self.lab.links[*at];
            let other = if link.from == id { link.to } else { link.from };
            self.lab.thing(other).name.as_str()
        };
        self.links[id.0].iter().map(other).collect()
    }

    /// The names of what feeds a thing.
    pub(super) fn feeds(&self, id: ThingId) -> Vec<&'l str> {
        let feeds = self.lab.thing(id).feeds.iter();
        feeds.map(|feed| self.lab.thing(*feed).name.as_str()).collect()
    }

    /// All of it, for whoever points at it.
    fn title(&self, id: ThingId) -> String {
        let mut parts = vec![self.lab.thing(id).name.clone(), figures::part(self.lab, id)];
        parts.push(figures::device_watts(self.lab, id));
        for (word, names) in [("power", self.feeds(id)), ("network", self.ends(id))] {
            if !names.is_empty() {
                parts.push(format!("{word}: {}", names.join(", ")));
            }
        }
        parts.join("; ")
    }

    /// Draws a device into an area at least 16 high and 120 wide.
    pub(super) fn device(&self, block: &mut Block, area: Area, id: ThingId) {
        self.boxed(block, area, id, |block, inner| match self.side {
            Side::Front => self.front(block, inner, id),
            Side::Rear => self.rear(block, inner, id),
        });
    }

    /// A box with the chips of what feeds a device, and what `draw` puts beside them.
    pub(super) fn boxed(
        &self,
        block: &mut Block,
        area: Area,
        id: ThingId,
        draw: impl FnOnce(&mut Block, Area),
    ) {
        let away = self
            .lab
            .node(id)
            .is_some_and(|node| node.state == NodeState::Lost);
        block.open(area, 3.0, if away { "away" } else { "device" }, &self.title(id));
        let stripe = Area::new(area.x + 2.0, area.y + 2.0, 0.0, area.height - 4.0);
        let left = circuits::chips(block, stripe, self.circuits.of(id)) + 7.0;
        draw(
            block,
            Area::new(left, area.y, area.right() - 8.0 - left, area.height),
        );
        block.close();
    }

    fn front(&self, block: &mut Block, area: Area, id: ThingId) {
        let (name, part) = (&self.lab.thing(id).name, figures::part(self.lab, id));
        let watts = figures::device_watts(self.lab, id);
        let line = Style::Name.line();
        let two = area.height >= line + Style::Small.line() + 2.0;
        if two {
            // Watts stand in the second line where the name needs the whole first one.
            let top = area.y + (area.height - line - Style::Small.line()) / 2.0;
            let room = area.width * 0.6;
            let taken = block.text(
                (area.right(), top + line),
                room,
                Style::Small,
                Anchor::End,
                &watts,
            );
            block.text((area.x, top), area.width, Style::Name, Anchor::Start, name);
            block.text(
                (area.x, top + line),
                area.width - taken - 8.0,
                Style::Quiet,
                Anchor::Start,
                &part,
            );
            return;
        }
        let top = area.y + (area.height - line) / 2.0;
        let taken = block.text(
            (area.right(), top + 1.5),
            area.width * 0.5,
            Style::Small,
            Anchor::End,
            &watts,
        );
        block.text(
            (area.x, top),
            area.width - taken - 8.0,
            Style::Name,
            Anchor::Start,
            name,
        );
    }

    /// A device with its name and part alone.
    pub(super) fn device_named(&self, block: &mut Block, area: Area, id: ThingId) {
        self.boxed(block, area, id, |block, inner| {
            self.lines(
                block,
                inner,
                &self.lab.thing(id).name,
                &figures::part(self.lab, id),
            );
        });
    }

    /// A name and what it is, one below the other.
    pub(super) fn lines(&self, block: &mut Block, area: Area, name: &str, below: &str) {
        let line = Style::Name.line();
        let top = area.y + (area.height - line - Style::Quiet.line()) / 2.0;
        block.text((area.x, top), area.width, Style::Name, Anchor::Start, name);
        block.text(
            (area.x, top + line),
            area.width,
            Style::Quiet,
            Anchor::Start,
            below,
        );
    }

    fn rear(&self, block: &mut Block, area: Area, id: ThingId) {
        let (line, small) = (Style::Name.line(), Style::Small.line());
        let name = &self.lab.thing(id).name;
        if area.height < line + small + 2.0 {
            let top = area.y + (area.height - line) / 2.0;
            let half = (area.width - 8.0) / 2.0;
            block.text((area.x, top), half, Style::Name, Anchor::Start, name);
            let all = [self.feeds(id), self.ends(id)].concat().join(", ");
            block.text((area.right(), top + 1.5), half, Style::Quiet, Anchor::End, &all);
            return;
        }
        let top = area.y + (area.height - line - small) / 2.0;
        block.text((area.x, top), area.width, Style::Name, Anchor::Start, name);
        let half = (area.width - 10.0) / 2.0;
        let low = top + line;
        let feeds = self.lab.thing(id).feeds.iter();
        let plugs: Vec<Option<usize>> = feeds
            .map(|feed| self.circuits.of(*feed).first().copied())
            .collect();
        let none = match self.lab.thing(id).kind {
            ThingKind::Ups | ThingKind::Pdu => "",
            _ => "no cable",
        };
        self.plugs(
            block,
            (area.x, low, half),
            &plugs,
            &names_or(&self.feeds(id), "no plug"),
        );
        ports(
            block,
            (area.x + half + 10.0, low, half),
            self.links[id.0].len(),
            &names_or(&self.ends(id), none),
        );
    }

    /// Plugs in the colours of what is at their other ends, and its names.
    fn plugs(&self, block: &mut Block, (x, y, room): (f64, f64, f64), plugs: &[Option<usize>], names: &str) {
        let mut x_now = x;
        for plug in plugs.iter().take(4) {
            let class = match plug {
                Some(number) => format!("c{}", number % super::theme::CIRCUITS),
                None => "hole".to_owned(),
            };
            block.rect(Area::new(x_now, y + 1.5, 10.0, 10.0), 5.0, &class);
            x_now += 13.0;
        }
        block.text((x_now, y), x + room - x_now, Style::Quiet, Anchor::Start, names);
    }
}

/// Sockets of network cables, and the names of what is at their other ends.
fn ports(block: &mut Block, (x, y, room): (f64, f64, f64), count: usize, names: &str) {
    let mut x_now = x;
    for _ in 0..count.min(4) {
        block.rect(Area::new(x_now, y + 2.0, 9.0, 8.5), 1.0, "port");
        x_now += 12.0;
    }
    block.text((x_now, y), x + room - x_now, Style::Quiet, Anchor::Start, names);
}

/// Names in a row, several of the same as `2 × name`.
fn names_or(names: &[&str], none: &str) -> String {
    if names.is_empty() {
        return none.to_owned();
    }
    let mut counted: Vec<(&str, usize)> = Vec::new();
    for name in names {
        match counted.iter().position(|(own, _)| own == name) {
            Some(at) => counted[at].1 += 1,
            // A switch may have very many; what is drawn has room for a few.
            None if counted.len() < 16 => counted.push((name, 1)),
            None => {}
        }
    }
    let each = counted.into_iter().map(|(name, count)| match count {
        1 => name.to_owned(),
        count => format!("{count} × {name}"),
    });
    each.collect::<Vec<_>>().join(", ")
}
