//! Racks and shelves as they look from the front or the rear, to scale.
//!
//! Owns: the elevation. Promises: one unit is 44.45 mm and a rack 482.6 or 254 mm wide (EIA-310, IEC 60297), a
//! millimetre being one unit of the picture; units are counted from the bottom; a device without a unit is drawn beside
//! its rack, one without a rack below its site's racks.

use super::circuits;
use super::device::{Scene, Side};
use super::svg::{Anchor, Area, Block, Picture, Style};
use super::theme::Theme;
use crate::lab::model::RackKind;
use crate::lab::{Resolved, ThingId, ThingKind};

/// One rack unit, in millimetres.
const UNIT: f64 = 44.45;
/// Not more units are drawn; what is above is drawn beside.
const MOST_UNITS: u32 = 60;
/// Where nothing says how wide a device is.
const DEVICE: f64 = 210.0;
/// Side by side on a shelf, before another board begins.
const ON_BOARD: usize = 4;
/// Racks side by side are not wider than this together.
const ROW: f64 = 1_500.0;
const GAP: f64 = 12.0;
const MARGIN: f64 = 20.0;

/// The racks of a lab.
pub fn racks(lab: &Resolved, side: Side, theme: Theme) -> Picture {
    let scene = Scene::new(lab, side);
    let mut all = Block::default();
    let mut sites: Vec<Option<ThingId>> = lab.of_kind(ThingKind::Site).map(|(id, _)| Some(id)).collect();
    sites.push(None);
    let several = sites.len() > 2;
    let mut y = 0.0;
    for site in sites {
        let Some(block) = of_site(&scene, site) else {
            continue;
        };
        if several {
            let name = site.map_or("No site stated", |id| lab.thing(id).name.as_str());
            all.text((0.0, y), block.width.max(200.0), Style::Head, Anchor::Start, name);
            y += Style::Head.line() + GAP;
        }
        let height = block.height;
        all.put(0.0, y, block);
        y += height + 2.0 * GAP;
    }
    let word = match side {
        Side::Front => "front",
        Side::Rear => "rear",
    };
    headed(&scene, all, &format!("Racks, {word}"), theme)
}

/// With a title and the legend of circuits above it.
pub(super) fn headed(scene: &Scene<'_>, content: Block, what: &str, theme: Theme) -> Picture {
    let lab = scene.lab;
    let name = match lab.lab.name.as_str() {
        "" => what.to_owned(),
        name => format!("{name}: {what}"),
    };
    let width = content.width.max(320.0);
    let mut whole = Block::default();
    whole.text((0.0, 0.0), width, Style::Title, Anchor::Start, &name);
    let legend = circuits::legend(lab, &scene.circuits, width);
    let mut y = Style::Title.line() + GAP;
    if legend.height > 0.0 {
        let height = legend.height;
        whole.put(0.0, y, legend);
        y += height + 1.5 * GAP;
    }
    whole.put(0.0, y, content);
    whole.picture(&name, theme.class(), &theme.css(), MARGIN)
}

/// Racks in rows, then what is in no rack.
fn of_site(scene: &Scene<'_>, site: Option<ThingId>) -> Option<Block> {
    let lab = scene.lab;
    let mut block = Block::default();
    let (mut x, mut y, mut row) = (0.0, 0.0, 0.0_f64);
    for (id, _) in lab
        .of_kind(ThingKind::Rack)
        .filter(|(_, thing)| thing.site == site)
    {
        let rack = one(scene, id);
        if x > 0.0 && x + rack.width > ROW {
            (x, y, row) = (0.0, y + row + 2.0 * GAP, 0.0);
        }
        let width = rack.width;
        row = row.max(rack.height);
        block.put(x, y, rack);
        x += width + 3.0 * GAP;
    }
    let loose: Vec<ThingId> = lab
        .ids()
        .filter(|(_, thing)| thing.kind.is_device() && thing.rack.is_none() && thing.site == site)
        .map(|(id, _)| id)
        .collect();
    if !loose.is_empty() {
        let below = if row > 0.0 { y + row + 2.0 * GAP } else { 0.0 };
        let across = ((block.width + GAP) / (DEVICE + GAP)).floor().clamp(1.0, 6.0) as usize;
        let across = if row > 0.0 { across } else { ON_BOARD };
        block.put(0.0, below, listed(scene, "In no rack", &loose, across));
    }
    (block.height > 0.0).then_some(block)
}

/// Devices without a unit, `across` side by side.
fn listed(scene: &Scene<'_>, head: &str, devices: &[ThingId], across: usize) -> Block {
    let mut block = Block::default();
    block.text((0.0, 0.0), DEVICE, Style::Quiet, Anchor::Start, head);
    let top = Style::Quiet.line() + 4.0;
    for (at, id) in devices.iter().enumerate() {
        let (column, line) = ((at % across) as f64, (at / across) as f64);
        let area = Area::new(
            column * (DEVICE + GAP),
            top + line * (UNIT + 6.0),
            DEVICE,
            UNIT - 2.0,
        );
        scene.device(&mut block, area, *id);
    }
    block
}

/// One rack or shelf with all that is in it.
fn one(scene: &Scene<'_>, id: ThingId) -> Block {
    let lab = scene.lab;
    let inside: Vec<ThingId> = lab
        .ids()
        .filter(|(_, thing)| thing.rack == Some(id))
        .map(|(id, _)| id)
        .collect();
    match lab.rack(id).map(|rack| (rack.kind, rack.units)) {
        Some((RackKind::Shelf, _)) | None => shelf(scene, id, &inside),
        Some((RackKind::Nineteen, units)) => frame(scene, id, &inside, (482.6, units)),
        Some((RackKind::Ten, units)) => frame(scene, id, &inside, (254.0, units)),
    }
}

/// Where in a rack a device is: its lowest unit and its height, if it can be drawn there.
fn place(lab: &Resolved, id: ThingId, units: u32) -> Option<(f64, f64)> {
    // What takes no unit hangs at the side.
    const LEAST: f64 = 0.2;
    let height = lab.thing(id).figures.as_ref()?.height_u.value;
    let at_u = lab.common(id)?.at_u?;
    let fits = at_u >= 1 && height >= LEAST && f64::from(at_u) + height <= f64::from(units) + 1.0;
    fits.then_some((f64::from(at_u), height))
}

fn frame(scene: &Scene<'_>, id: ThingId, inside: &[ThingId], (width, units): (f64, u32)) -> Block {
    const NUMBERS: f64 = 26.0;
    let lab = scene.lab;
    let drawn = units.clamp(1, MOST_UNITS);
    let mut block = Block::default();
    let size = if width > 300.0 { "19 inches" } else { "10 inches" };
    block.text(
        (NUMBERS, 0.0),
        width,
        Style::Head,
        Anchor::Start,
        &lab.thing(id).name,
    );
    let top = Style::Head.line();
    block.text(
        (NUMBERS, top),
        width,
        Style::Quiet,
        Anchor::Start,
        &format!("{size}, {units} U"),
    );
    let top = top + Style::Quiet.line() + 10.0;
    let height = f64::from(drawn) * UNIT;
    block.rect(
        Area::new(NUMBERS - 4.0, top - 4.0, width + 8.0, height + 8.0),
        4.0,
        "frame",
    );
    for unit in 1..=drawn {
        let y = top + height - f64::from(unit) * UNIT;
        let middle = y + (UNIT - Style::Quiet.line()) / 2.0;
        block.text(
            (NUMBERS - 9.0, middle),
            NUMBERS - 9.0,
            Style::Quiet,
            Anchor::End,
            &unit.to_string(),
        );
        if unit < drawn {
            block.path(&line(NUMBERS, y, NUMBERS + width), "rule", "");
        }
    }
    let mut beside = Vec::new();
    for device in inside {
        match place(lab, *device, drawn) {
            Some((at_u, tall)) => {
                let y = top + height - (at_u - 1.0 + tall) * UNIT;
                let area = Area::new(NUMBERS, y + 1.0, width, tall.max(0.4) * UNIT - 2.0);
                scene.device(&mut block, area, *device);
            }
            None => beside.push(*device),
        }
    }
    if !beside.is_empty() {
        block.put(
            NUMBERS + width + 2.0 * GAP,
            top - 4.0,
            listed(scene, "Without a unit", &beside, 1),
        );
    }
    block
}

fn line(x: f64, y: f64, right: f64) -> String {
    let [x, y, right] = [x, y, right].map(super::svg::number);
    format!("M{x} {y}H{right}")
}

/// Boards with what stands on them side by side.
fn shelf(scene: &Scene<'_>, id: ThingId, inside: &[ThingId]) -> Block {
    let lab = scene.lab;
    let mut block = Block::default();
    let wide = inside.len().clamp(1, ON_BOARD) as f64 * (DEVICE + GAP) + GAP;
    block.text((0.0, 0.0), wide, Style::Head, Anchor::Start, &lab.thing(id).name);
    block.text(
        (0.0, Style::Head.line()),
        wide,
        Style::Quiet,
        Anchor::Start,
        "shelf",
    );
    let mut y = Style::Head.line() + Style::Quiet.line() + 10.0;
    for board in inside
        .chunks(ON_BOARD)
        .chain(inside.is_empty().then_some(&[][..]))
    {
        let tall = |id: &ThingId| {
            let figures = lab.thing(*id).figures.as_ref();
            figures
                .map_or(1.0, |figures| figures.height_u.value)
                .clamp(1.0, 8.0)
                * UNIT
        };
        let bottom = y + board.iter().map(tall).fold(UNIT, f64::max);
        for (at, device) in board.iter().enumerate() {
            let height = tall(device) - 2.0;
            let area = Area::new(GAP + at as f64 * (DEVICE + GAP), bottom - height, DEVICE, height);
            scene.device(&mut block, area, *device);
        }
        block.rect(Area::new(0.0, bottom, wide, 5.0), 1.0, "board");
        y = bottom + 5.0 + GAP;
    }
    block
}
