//! Which circuits feed what, as letters and colours.
//!
//! Owns: the letter of each circuit (in the order of the file), chips with them, and the legend. Promises: the same
//! circuit has the same letter and colour in all pictures of a lab.

use super::figures;
use super::svg::{Anchor, Area, Block, Style};
use super::theme::CIRCUITS;
use crate::lab::{Resolved, ThingId, ThingKind};
use std::collections::BTreeSet;

/// The side of a chip.
pub(super) const CHIP: f64 = 18.0;

/// Not more chips on one device.
const MOST_CHIPS: usize = 3;

/// Circuits of a lab by number, and the circuits of each thing.
pub(super) struct Circuits {
    all: Vec<ThingId>,
    of: Vec<BTreeSet<usize>>,
}

impl Circuits {
    pub(super) fn new(lab: &Resolved) -> Self {
        let all: Vec<ThingId> = lab.of_kind(ThingKind::Circuit).map(|(id, _)| id).collect();
        let mut of = vec![BTreeSet::new(); lab.things.len()];
        for (number, id) in all.iter().enumerate() {
            of[id.0].insert(number);
        }
        for id in &lab.power_order {
            for feed in &lab.thing(*id).feeds {
                let more = of[feed.0].clone();
                of[id.0].extend(more);
            }
        }
        Self { all, of }
    }

    /// The circuits that a thing's power may come from.
    pub(super) fn of(&self, id: ThingId) -> &BTreeSet<usize> {
        &self.of[id.0]
    }

    /// The class of a line in the colour of what feeds a thing.
    pub(super) fn wire(&self, id: ThingId) -> String {
        match self.of(id).first() {
            Some(number) => format!("wire s{}{}", number % CIRCUITS, again(*number, 'w')),
            None => "link".to_owned(),
        }
    }
}

/// The letter of a circuit: A to Z, then AA and so on.
pub(super) fn letter(number: usize) -> String {
    let last = char::from(b'A' + (number % 26) as u8);
    match number / 26 {
        0 => last.to_string(),
        more => format!("{}{last}", letter(more - 1)),
    }
}

/// A class for colours that come for the second or third time.
fn again(number: usize, sort: char) -> String {
    match number / CIRCUITS {
        0 => String::new(),
        times => format!(" {sort}{}", 1 + (times - 1) % 2),
    }
}

/// A field of a circuit's colour with its letter in it.
pub(super) fn chip(block: &mut Block, area: Area, number: usize) {
    let colour = number % CIRCUITS;
    block.rect(area, 2.0, &format!("c{colour}"));
    if number >= CIRCUITS {
        block.rect(area.inset(2.0), 1.0, &format!("i{colour}{}", again(number, 'b')));
    }
    let style = Style::Ink(colour);
    let middle = (
        area.x + area.width / 2.0,
        area.y + (area.height - style.line()) / 2.0,
    );
    block.text(middle, area.width, style, Anchor::Middle, &letter(number));
}

/// Chips side by side, as high as the area; returns where they end.
pub(super) fn chips(block: &mut Block, area: Area, circuits: &BTreeSet<usize>) -> f64 {
    let mut right = area.x;
    for number in circuits.iter().take(MOST_CHIPS) {
        chip(block, Area::new(right, area.y, CHIP, area.height), *number);
        right += CHIP;
    }
    if circuits.len() > MOST_CHIPS {
        let y = area.y + (area.height - Style::Quiet.line()) / 2.0;
        let more = format!("+{}", circuits.len() - MOST_CHIPS);
        right += 2.0 + block.text((right + 2.0, y), 40.0, Style::Quiet, Anchor::Start, &more);
    }
    right
}

/// What the letters mean, in lines not wider than this.
pub(super) fn legend(lab: &Resolved, circuits: &Circuits, width: f64) -> Block {
    const GAP: f64 = 18.0;
    let mut block = Block::default();
    let (mut x, mut y) = (0.0, 0.0);
    for (number, id) in circuits.all.iter().enumerate() {
        let Some(circuit) = lab.circuit(*id) else { continue };
        let mut one = Block::default();
        chip(&mut one, Area::new(0.0, 0.0, CHIP, CHIP), number);
        let y_text = (CHIP - Style::Small.line()) / 2.0;
        let (volts, amps) = (figures::plain(circuit.volts), figures::plain(circuit.amps));
        let left = CHIP + 6.0;
        let room = (width - left) * 0.6;
        let end = left + one.text((left, y_text), room, Style::Small, Anchor::Start, &circuit.name) + 6.0;
        let says = format!("{volts} V, {amps} A");
        one.text((end, y_text), width - end, Style::Quiet, Anchor::Start, &says);
        if x > 0.0 && x + one.width > width {
            (x, y) = (0.0, y + CHIP + 6.0);
        }
        let end = x + one.width + GAP;
        block.put(x, y, one);
        x = end;
    }
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_go_on_after_z() {
        let all: Vec<String> = [0, 25, 26, 27, 701, 702].map(letter).into();
        assert_eq!(all, ["A", "Z", "AA", "AB", "ZZ", "AAA"]);
    }
}
