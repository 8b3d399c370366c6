//! The network: the way to the internet, switches, machines, from left to right.
//!
//! Owns: the network picture. A switch is as many columns from the left as it is switches away from the uplink, a
//! machine right of all its switches; each site is a band. Each cable is a line of its own.

mod layers;
mod layout;

use super::device::{Scene, Side};
use super::figures;
use super::rack::headed;
use super::svg::{Anchor, Area, Block, Picture, Style, number};
use super::theme::Theme;
use crate::lab::{Resolved, ThingId, ThingKind};
use layers::{Graph, Piece};
use layout::{BOX, Layout};

/// Between columns, for lines.
const SPACE: f64 = 84.0;
/// The field that stands for the internet.
const OUTSIDE: f64 = 86.0;
/// How far a line between two of one column bows out.
const BOW: f64 = 34.0;

/// The network of a lab.
pub fn network(lab: &Resolved, theme: Theme) -> Picture {
    let scene = Scene::new(lab, Side::Front);
    let graph = Graph::of(lab);
    let named = graph.bands.iter().any(Option::is_some);
    let layout = Layout::of(&graph, named);
    let uplinks: Vec<usize> = uplinks(lab, &graph);
    let left = match (uplinks.is_empty(), named) {
        (true, false) => BOW,
        (true, true) => BOW + 14.0,
        (false, _) => OUTSIDE + SPACE + 14.0,
    };
    let x = |column: usize| left + column as f64 * (BOX + SPACE);
    let mut block = Block::default();
    bands(
        &scene,
        &graph,
        &layout,
        (left, x(layout.columns) - SPACE),
        &mut block,
    );
    lines(&scene, &graph, &layout, &x, &uplinks, &mut block);
    for (at, spot) in graph.spots.iter().enumerate() {
        if let Some(id) = spot.thing {
            let (y, tall) = layout.spots[at];
            thing(&scene, Area::new(x(spot.column), y, BOX, tall), id, &mut block);
        }
    }
    headed(&scene, block, "Network", theme)
}

fn uplinks(lab: &Resolved, graph: &Graph) -> Vec<usize> {
    let is_uplink = |id: ThingId| lab.switch(id).is_some_and(|switch| switch.uplink);
    let spots = graph.spots.iter().enumerate();
    spots
        .filter(|(_, spot)| spot.thing.is_some_and(is_uplink))
        .map(|(at, _)| at)
        .collect()
}

/// A frame around each site, with its name.
fn bands(scene: &Scene<'_>, graph: &Graph, layout: &Layout, (left, right): (f64, f64), block: &mut Block) {
    if graph.bands.iter().all(Option::is_none) {
        return;
    }
    let left = left - BOW - 14.0;
    for (site, (y, height)) in graph.bands.iter().zip(&layout.bands) {
        let area = Area::new(left, *y, right + 14.0 - left, *height);
        let name = site.map_or("No site stated", |id| scene.lab.thing(id).name.as_str());
        block.open(area, 8.0, "site", name);
        block.text(
            (area.x + 12.0, y + 8.0),
            area.width - 24.0,
            Style::Head,
            Anchor::Start,
            name,
        );
        block.close();
    }
}

fn thing(scene: &Scene<'_>, area: Area, id: ThingId, block: &mut Block) {
    let ends = scene.ends(id).len();
    let says = match (scene.lab.thing(id).kind, ends) {
        (ThingKind::Switch, _) => {
            let ports = scene
                .lab
                .thing(id)
                .figures
                .as_ref()
                .and_then(|figures| figures.ports.as_ref());
            match ports {
                Some(ports) => format!("{} of {} ports", ends, ports.value),
                None => figures::counted(ends, "cable"),
            }
        }
        (_, 0) => "no cable".to_owned(),
        (_, count) => figures::counted(count, "cable"),
    };
    let name = &scene.lab.thing(id).name;
    scene.boxed(block, area, id, |block, inner| {
        scene.lines(block, inner, name, &says)
    });
}

/// Where lines leave and enter: each has a place of its own at the side of a box.
struct Ends {
    /// For each piece, at its first spot and at its second.
    y: Vec<(f64, f64)>,
    outside: Vec<f64>,
}

/// Spreads the ends of lines over the sides of boxes, in the order of their other ends.
fn ends(graph: &Graph, layout: &Layout, uplinks: &[usize], outside: f64) -> Ends {
    let count = graph.spots.len();
    let mut sides: Vec<[Vec<(f64, usize, bool)>; 2]> = vec![Default::default(); count];
    for (at, piece) in graph.pieces.iter().enumerate() {
        let arc = graph.spots[piece.from].column == graph.spots[piece.to].column;
        sides[piece.from][usize::from(!arc)].push((layout.middle(piece.to), at, true));
        sides[piece.to][0].push((layout.middle(piece.from), at, false));
    }
    let pieces = graph.pieces.len();
    for (at, spot) in uplinks.iter().enumerate() {
        sides[*spot][0].push((outside, pieces + at, false));
    }
    let mut ends = Ends {
        y: vec![(0.0, 0.0); pieces],
        outside: vec![0.0; uplinks.len()],
    };
    for (spot, both) in sides.iter_mut().enumerate() {
        let (top, tall) = layout.spots[spot];
        for side in both {
            side.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            let step = tall / (side.len() + 1) as f64;
            for (place, (_, at, first)) in side.iter().enumerate() {
                let y = top + step * (place + 1) as f64;
                match (ends.y.get_mut(*at), first) {
                    (Some(own), true) => own.0 = y,
                    (Some(own), false) => own.1 = y,
                    (None, _) => ends.outside[*at - pieces] = y,
                }
            }
        }
    }
    ends
}

fn lines(
    scene: &Scene<'_>,
    graph: &Graph,
    layout: &Layout,
    x: &dyn Fn(usize) -> f64,
    uplinks: &[usize],
    block: &mut Block,
) {
    let outside = match uplinks.len() {
        0 => 0.0,
        count => uplinks.iter().map(|spot| layout.middle(*spot)).sum::<f64>() / count as f64,
    };
    let ends = ends(graph, layout, uplinks, outside);
    let cable = |block: &mut Block, path: &str, piece: &Piece| {
        let link = &scene.lab.links[piece.link];
        let fast = link.mbit_per_second.is_some_and(|speed| speed > 1_000.0);
        let speed = link
            .mbit_per_second
            .map_or(String::new(), |speed| format!(", {}", figures::speed(speed)));
        let class = if fast { "link fast" } else { "link" };
        block.path(path, class, &format!("{}{speed}", link.name));
    };
    for (at, piece) in graph.pieces.iter().enumerate() {
        let (from, to) = (&graph.spots[piece.from], &graph.spots[piece.to]);
        let (y, other) = ends.y[at];
        let path = match from.column == to.column {
            true => arc(x(from.column), y, other),
            false => {
                let mut path = curve((x(from.column) + BOX, y), (x(to.column), other));
                if to.thing.is_none() {
                    path.push_str(&format!("H{}", number(x(to.column) + BOX)));
                }
                path
            }
        };
        cable(block, &path, piece);
    }
    for piece in &graph.straight {
        let (from, to) = (&graph.spots[piece.from], &graph.spots[piece.to]);
        let start = (x(from.column) + BOX, layout.middle(piece.from));
        cable(
            block,
            &curve(start, (x(to.column), layout.middle(piece.to))),
            piece,
        );
    }
    for (at, spot) in uplinks.iter().enumerate() {
        let path = curve(
            (OUTSIDE, outside),
            (x(graph.spots[*spot].column), ends.outside[at]),
        );
        block.path(&path, "link", "uplink");
    }
    if !uplinks.is_empty() {
        let area = Area::new(0.0, outside - 16.0, OUTSIDE, 32.0);
        block.open(area, 16.0, "device", "the way to the internet");
        let middle = (
            area.x + OUTSIDE / 2.0,
            area.y + (area.height - Style::Small.line()) / 2.0,
        );
        block.text(middle, OUTSIDE - 12.0, Style::Small, Anchor::Middle, "Internet");
        block.close();
    }
}

/// From one box to the right to another one.
fn curve((x, y): (f64, f64), (right, other): (f64, f64)) -> String {
    let bend = (right - x) / 2.0;
    let [x, y, right, other, one, two] = [x, y, right, other, x + bend, right - bend].map(number);
    format!("M{x} {y}C{one} {y} {two} {other} {right} {other}")
}

/// Between two boxes of one column, to the left of it.
fn arc(x: f64, y: f64, other: f64) -> String {
    let [x, y, other, out] = [x, y, other, x - BOW].map(number);
    format!("M{x} {y}C{out} {y} {out} {other} {x} {other}")
}
