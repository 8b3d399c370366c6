//! Where spots are: their order in each column, with few crossings, and their heights.
//!
//! Promises: no two spots of a column overlap; bands do not either.

use super::layers::Graph;

/// A machine's box.
pub(super) const BOX: f64 = 170.0;
/// How high a box is at least.
const TALL: f64 = 40.0;
/// How high a bend is.
const BEND: f64 = 8.0;
/// For each cable at one side of a box.
const CABLE: f64 = 6.0;
const GAP: f64 = 10.0;
/// Around what is in a band, and above it for its name.
const PAD: f64 = 14.0;
const HEAD: f64 = 24.0;
/// Between bands.
const BETWEEN: f64 = 18.0;
/// How often the order and the heights are gone over.
const ROUNDS: usize = 6;

/// Spots with their places.
pub(super) struct Layout {
    /// The upper edge and the height of each spot.
    pub(super) spots: Vec<(f64, f64)>,
    /// The upper edge and the height of each band.
    pub(super) bands: Vec<(f64, f64)>,
    pub(super) columns: usize,
}

impl Layout {
    pub(super) fn middle(&self, spot: usize) -> f64 {
        self.spots[spot].0 + self.spots[spot].1 / 2.0
    }

    pub(super) fn of(graph: &Graph, named: bool) -> Self {
        let count = graph.spots.len();
        let columns = graph.spots.iter().map(|spot| spot.column + 1).max().unwrap_or(0);
        let mut near = vec![Vec::new(); count];
        let (mut left, mut right) = (vec![0_usize; count], vec![0_usize; count]);
        for piece in &graph.pieces {
            near[piece.from].push(piece.to);
            near[piece.to].push(piece.from);
            let arc = graph.spots[piece.from].column == graph.spots[piece.to].column;
            *(if arc {
                &mut left[piece.from]
            } else {
                &mut right[piece.from]
            }) += 1;
            left[piece.to] += 1;
        }
        let tall = |spot: usize| match graph.spots[spot].thing {
            Some(_) => TALL.max(CABLE * (left[spot].max(right[spot]) + 1) as f64),
            None => BEND,
        };
        let mut layout = Self {
            spots: (0..count).map(|spot| (0.0, tall(spot))).collect(),
            bands: Vec::new(),
            columns,
        };
        let (mut y, pad) = (0.0, if named { PAD } else { 0.0 });
        let head = if named { HEAD } else { 0.0 };
        for band in 0..graph.bands.len() {
            let mut cells: Vec<Vec<usize>> = vec![Vec::new(); columns];
            let own = graph
                .spots
                .iter()
                .enumerate()
                .filter(|(_, spot)| spot.band == band);
            own.for_each(|(at, spot)| cells[spot.column].push(at));
            let inner = |spot: &usize| graph.spots[*spot].band == band;
            let near: Vec<Vec<usize>> = near
                .iter()
                .map(|all| all.iter().copied().filter(inner).collect())
                .collect();
            layout.order(graph, &mut cells, &near);
            let height = layout.heights(&cells, &near);
            for spot in cells.iter().flatten() {
                layout.spots[*spot].0 += y + head + pad / 2.0;
            }
            let whole = height + head + 1.5 * pad;
            layout.bands.push((y, whole));
            y += whole + BETWEEN;
        }
        layout
    }

    /// Sorts each column by the mean place of what its spots are linked with, to and fro.
    fn order(&self, graph: &Graph, cells: &mut [Vec<usize>], near: &[Vec<usize>]) {
        let mut place = vec![0.0; self.spots.len()];
        let number = |cell: &[usize], place: &mut Vec<f64>| {
            for (at, spot) in cell.iter().enumerate() {
                place[*spot] = at as f64 / cell.len() as f64;
            }
        };
        cells.iter().for_each(|cell| number(cell, &mut place));
        let last = cells.len();
        for round in 0..ROUNDS {
            for step in 0..last {
                let (column, down) = if round % 2 == 0 {
                    (step, true)
                } else {
                    (last - 1 - step, false)
                };
                let key = |spot: usize| {
                    let side = near[spot].iter().filter(|other| {
                        let theirs = graph.spots[**other].column;
                        if down { theirs < column } else { theirs > column }
                    });
                    let places: Vec<f64> = side.map(|other| place[*other]).collect();
                    match places.len() {
                        0 => place[spot],
                        count => places.iter().sum::<f64>() / count as f64,
                    }
                };
                let mut keyed: Vec<(f64, usize)> =
                    cells[column].iter().map(|spot| (key(*spot), *spot)).collect();
                keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
                cells[column] = keyed.into_iter().map(|(_, spot)| spot).collect();
                number(&cells[column], &mut place);
            }
        }
    }

    /// Moves spots towards what they are linked with, as far as others leave room; returns the height of all.
    fn heights(&mut self, cells: &[Vec<usize>], near: &[Vec<usize>]) -> f64 {
        for cell in cells {
            let mut y = 0.0;
            for spot in cell {
                self.spots[*spot].0 = y;
                y += self.spots[*spot].1 + GAP;
            }
        }
        for round in 0..ROUNDS {
            for step in 0..cells.len() {
                let column = if round % 2 == 0 {
                    cells.len() - 1 - step
                } else {
                    step
                };
                self.pull(&cells[column], near);
            }
        }
        let all = || cells.iter().flatten();
        let top = all()
            .map(|spot| self.spots[*spot].0)
            .fold(f64::INFINITY, f64::min);
        for spot in all() {
            self.spots[*spot].0 -= top;
        }
        all()
            .map(|spot| self.spots[*spot].0 + self.spots[*spot].1)
            .fold(0.0, f64::max)
    }

    /// Between packing a column from above and from below there is one that is close to what each spot wants, and in
    /// order, because both are.
    fn pull(&mut self, cell: &[usize], near: &[Vec<usize>]) {
        let wants = |spot: usize| match near[spot].len() {
            0 => self.spots[spot].0,
            count => {
                let sum: f64 = near[spot].iter().map(|other| self.middle(*other)).sum();
                sum / count as f64 - self.spots[spot].1 / 2.0
            }
        };
        let wanted: Vec<f64> = cell.iter().map(|spot| wants(*spot)).collect();
        let mut down = wanted.clone();
        let mut up = wanted;
        for at in 1..cell.len() {
            down[at] = down[at].max(down[at - 1] + self.spots[cell[at - 1]].1 + GAP);
        }
        for at in (0..cell.len().saturating_sub(1)).rev() {
            up[at] = up[at].min(up[at + 1] - GAP - self.spots[cell[at]].1);
        }
        for (at, spot) in cell.iter().enumerate() {
            self.spots[*spot].0 = (down[at] + up[at]) / 2.0;
        }
    }
}
