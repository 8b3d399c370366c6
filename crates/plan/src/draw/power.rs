//! Where power comes from: circuit, outlet, battery or strip, device.
//!
//! Owns: the power tree. Each thing has a line of its own, below what its first plug is in and further to the right;
//! further plugs are lines that come from the right. Beside each line is what it carries, against its limit where there
//! is one. Promises: no line runs through a box.

use super::circuits::{self, CHIP};
use super::device::{Scene, Side};
use super::figures;
use super::rack::headed;
use super::svg::{Anchor, Area, Block, Picture, Style, number};
use super::theme::Theme;
use crate::budget::{Budget, Verdict, load_of};
use crate::interval::Interval;
use crate::lab::{Resolved, ThingId, ThingKind};
use std::collections::BTreeMap;

const BOX: f64 = 200.0;
const TALL: f64 = 40.0;
const INDENT: f64 = 30.0;
const STEP: f64 = TALL + 10.0;
/// From the left edge of a box to the line that goes down from it.
const TRUNK: f64 = 14.0;
/// Between lines that come from the right.
const LANE: f64 = 9.0;
/// The column of figures.
const COLUMN: f64 = 250.0;
const BAR: f64 = 180.0;
/// Further to the right is not gone.
const MOST_DEPTH: usize = 40;
/// Plugs that are drawn, of one device.
const MOST_PLUGS: usize = 4;

/// One line.
struct Row {
    id: ThingId,
    depth: usize,
}

/// What a thing carries.
struct Carried {
    load: Interval,
    limit: Option<f64>,
    over: bool,
}

/// The power tree of a lab.
pub fn power(lab: &Resolved, budget: &Budget, theme: Theme) -> Picture {
    let scene = Scene::new(lab, Side::Front);
    let rows = rows(lab);
    let carried = carried(budget);
    let at: BTreeMap<ThingId, usize> = rows.iter().enumerate().map(|(at, row)| (row.id, at)).collect();
    let deepest = rows.iter().map(|row| row.depth).max().unwrap_or(0);
    let right = deepest as f64 * INDENT + BOX;
    let mut block = Block::default();
    trunks(&scene, &rows, &at, &mut block);
    let lanes = further(&scene, &rows, &at, right, &mut block);
    let column = right + 20.0 + lanes as f64 * LANE;
    for (line, row) in rows.iter().enumerate() {
        let y = line as f64 * STEP;
        thing(&scene, row, y, &mut block);
        let says = says(&scene, row.id, &carried);
        beside(&says, column, y, &mut block);
    }
    headed(&scene, block, "Power", theme)
}

/// Circuits with what hangs on them; at the end what is plugged in nowhere.
fn rows(lab: &Resolved) -> Vec<Row> {
    let mut below: BTreeMap<ThingId, Vec<ThingId>> = BTreeMap::new();
    let mut roots = Vec::new();
    for (id, thing) in lab.ids() {
        match thing.feeds.first() {
            Some(feed) => below.entry(*feed).or_default().push(id),
            None if thing.kind == ThingKind::Circuit || thing.kind.is_device() => roots.push(id),
            None => {}
        }
    }
    let mut rows = Vec::new();
    let mut open: Vec<(ThingId, usize)> = roots.into_iter().rev().map(|id| (id, 0)).collect();
    while let Some((id, depth)) = open.pop() {
        rows.push(Row {
            id,
            depth: depth.min(MOST_DEPTH),
        });
        // What has nothing below it first, so that lines to it are short.
        let mut children = below.remove(&id).unwrap_or_default();
        children.sort_by_key(|child| below.contains_key(child));
        open.extend(children.into_iter().rev().map(|child| (child, depth + 1)));
    }
    rows
}

fn carried(budget: &Budget) -> BTreeMap<&str, Carried> {
    let one = |load, limit, verdict: Verdict| Carried {
        load,
        limit,
        over: verdict.is_bad(),
    };
    let circuits = budget.circuits.iter().map(|it| {
        (
            it.name.as_str(),
            one(it.continuous_w, Some(it.limit_w), it.verdict),
        )
    });
    let upses = budget
        .upses
        .iter()
        .map(|it| (it.name.as_str(), one(it.load_w, it.limit_w, it.verdict)));
    let pdus = budget
        .pdus
        .iter()
        .map(|it| (it.name.as_str(), one(it.load_w, it.limit_w, it.verdict)));
    let poe = budget
        .poe
        .iter()
        .map(|it| (it.name.as_str(), one(it.poe_w, it.limit_w, it.verdict)));
    circuits.chain(upses).chain(pdus).chain(poe).collect()
}

/// Lines from each thing down to what its plugs are for.
fn trunks(scene: &Scene<'_>, rows: &[Row], at: &BTreeMap<ThingId, usize>, block: &mut Block) {
    for (line, row) in rows.iter().enumerate() {
        let Some(feed) = scene.lab.thing(row.id).feeds.first() else {
            continue;
        };
        let Some(parent) = at.get(feed) else { continue };
        let x = rows[*parent].depth as f64 * INDENT + TRUNK;
        let from = *parent as f64 * STEP + TALL;
        let to = line as f64 * STEP + TALL / 2.0;
        let end = row.depth as f64 * INDENT;
        let path = format!("M{} {}V{}H{}", number(x), number(from), number(to), number(end));
        block.path(&path, &scene.circuits.wire(*feed), "");
    }
}

/// Lines of further plugs, in lanes to the right of all boxes; returns how many lanes there are.
fn further(
    scene: &Scene<'_>,
    rows: &[Row],
    at: &BTreeMap<ThingId, usize>,
    right: f64,
    block: &mut Block,
) -> usize {
    let mut of_source: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    for (line, row) in rows.iter().enumerate() {
        let feeds = scene.lab.thing(row.id).feeds.iter().enumerate();
        for (plug, feed) in feeds.skip(1).take(MOST_PLUGS - 1) {
            if let Some(source) = at.get(feed) {
                of_source.entry(*source).or_default().push((line, plug));
            }
        }
    }
    // A lane is free again below the last line that it was used for.
    let mut ends: Vec<usize> = Vec::new();
    for (source, targets) in &of_source {
        let lines = targets.iter().map(|(line, _)| *line).chain([*source]);
        let (first, last) = lines.fold((usize::MAX, 0), |(low, high), line| {
            (low.min(line), high.max(line))
        });
        let lane = ends.iter().position(|end| *end < first).unwrap_or(ends.len());
        match ends.get_mut(lane) {
            Some(end) => *end = last,
            None => ends.push(last),
        }
        let x = right + 14.0 + lane as f64 * LANE;
        let start = rows[*source].depth as f64 * INDENT + BOX;
        let from = *source as f64 * STEP + TALL - 7.0;
        for (line, plug) in targets {
            let to = *line as f64 * STEP + TALL / 2.0 + (*plug as f64 - 2.0) * 8.0;
            let end = rows[*line].depth as f64 * INDENT + BOX;
            let [start, from, x, to, end] = [start, from, x, to, end].map(number);
            let path = format!("M{start} {from}H{x}V{to}H{end}");
            block.path(&path, &scene.circuits.wire(rows[*source].id), "");
        }
    }
    ends.len()
}

/// The box of a thing.
fn thing(scene: &Scene<'_>, row: &Row, y: f64, block: &mut Block) {
    let area = Area::new(row.depth as f64 * INDENT, y, BOX, TALL);
    let thing = scene.lab.thing(row.id);
    if thing.kind.is_device() {
        scene.device_named(block, area, row.id);
        return;
    }
    let word = match scene.lab.circuit(row.id) {
        Some(circuit) => {
            let (volts, amps) = (figures::plain(circuit.volts), figures::plain(circuit.amps));
            format!("circuit, {volts} V, {amps} A")
        }
        None => thing.kind.word().to_owned(),
    };
    block.open(area, 3.0, "device", &format!("{}; {word}", thing.name));
    let stripe = Area::new(area.x + 2.0, y + 2.0, 0.0, TALL - 4.0);
    let left = circuits::chips(block, stripe, scene.circuits.of(row.id)).max(area.x + 2.0 + CHIP) + 7.0;
    scene.lines(
        block,
        Area::new(left, y, area.right() - 8.0 - left, TALL),
        &thing.name,
        &word,
    );
    block.close();
}

/// What is said of one line.
struct Says {
    text: String,
    more: String,
    carried: Option<(Interval, f64, bool)>,
    bad: bool,
}

fn says(scene: &Scene<'_>, id: ThingId, carried: &BTreeMap<&str, Carried>) -> Says {
    let lab = scene.lab;
    let thing = lab.thing(id);
    let own = figures::device_watts(lab, id);
    let further = match thing.feeds.len() {
        0 | 1 => String::new(),
        _ => format!("all or part of it from {}", scene.feeds(id).join(", ")),
    };
    match carried.get(thing.name.as_str()) {
        Some(Carried { load, limit, over }) => {
            let word = match thing.kind {
                ThingKind::Circuit => " for hours",
                ThingKind::Switch => " over Ethernet",
                _ => "",
            };
            let text = match limit {
                Some(limit) => format!("{} of {} W{word}", figures::span(*load), figures::plain(*limit)),
                None => format!("{}{word}, limit not known", figures::watts(*load)),
            };
            let more = match thing.kind {
                ThingKind::Switch => format!("itself {own}"),
                _ => further,
            };
            Says {
                text,
                more,
                carried: limit.map(|limit| (*load, limit, *over)),
                bad: *over,
            }
        }
        None => {
            let text = if own.is_empty() {
                figures::watts(load_of(lab, id))
            } else {
                own
            };
            let nowhere = thing.kind.is_device() && thing.feeds.is_empty();
            let more = if nowhere {
                "plugged in nowhere".to_owned()
            } else {
                further
            };
            Says {
                text,
                more,
                carried: None,
                bad: false,
            }
        }
    }
}

/// The figures beside a line.
fn beside(says: &Says, x: f64, y: f64, block: &mut Block) {
    let style = if says.bad { Style::Bad } else { Style::Small };
    let line = style.line();
    let text = match says.bad {
        true => format!("{}: too much, or may be", says.text),
        false => says.text.clone(),
    };
    let Some((load, limit, over)) = says.carried else {
        let high = if says.more.is_empty() { line } else { 2.0 * line };
        let top = y + (TALL - high) / 2.0;
        block.text((x, top), COLUMN, style, Anchor::Start, &text);
        block.text((x, top + line), COLUMN, Style::Quiet, Anchor::Start, &says.more);
        return;
    };
    let high = line + 9.0 + if says.more.is_empty() { 0.0 } else { line };
    let top = y + (TALL - high) / 2.0;
    block.text((x, top), COLUMN, style, Anchor::Start, &text);
    let bar = Area::new(x, top + line + 2.0, BAR, 5.0);
    block.rect(bar, 2.5, "track");
    let part = |watts: f64| {
        if limit > 0.0 {
            (watts / limit).clamp(0.0, 1.0) * BAR
        } else {
            BAR
        }
    };
    let (low, most) = (part(load.low), part(load.high));
    if most > 0.0 {
        block.rect(
            Area {
                width: most.max(3.0),
                ..bar
            },
            2.5,
            if over { "over" } else { "most" },
        );
    }
    if low > 0.0 && !over {
        block.rect(
            Area {
                width: low.max(3.0),
                ..bar
            },
            2.5,
            "load",
        );
    }
    block.text(
        (x, top + line + 9.0),
        COLUMN,
        Style::Quiet,
        Anchor::Start,
        &says.more,
    );
}
