//! The search.

use super::impossible::{self, Impossible};
use super::options::{self, Machine};
use super::shape::{Judged, Shape, WITNESS};
use super::{Design, SHOWN, Wish, text};
use crate::Budget;
use crate::interval::Interval;
use crate::lab::model::Part;
use crate::lab::{Catalogue, Lab};
use std::collections::BTreeMap;

/// A design in figures.
#[derive(Clone, Debug)]
pub(super) struct Candidate<'m> {
    pub shape: Shape,
    pub machine: &'m Machine,
    pub watts: Interval,
    pub price: Interval,
    pub usable_tb: f64,
    pub survived: usize,
}

impl Candidate<'_> {
    pub(super) fn middle_price(&self) -> f64 {
        (self.price.low + self.price.high) / 2.0
    }

    /// Whether it is at least as good in all, and better in something.
    fn beats(&self, other: &Self) -> bool {
        let less = |one: f64, other: f64| (one <= other, one < other);
        let all = [
            less(self.middle_price(), other.middle_price()),
            less(self.watts.high, other.watts.high),
            less(-self.usable_tb, -other.usable_tb),
            less(-(self.survived as f64), -(other.survived as f64)),
        ];
        all.iter().all(|(as_good, _)| *as_good) && all.iter().any(|(_, better)| *better)
    }
}

/// All there is to choose from.
pub(super) struct Space {
    pub machines: Vec<Machine>,
    witness: Option<(Interval, f64)>,
    pub judged: BTreeMap<Shape, Judged>,
}

impl Space {
    fn new(own: &[Part]) -> Self {
        let catalogue = Catalogue::built_in().clone().with(own);
        let witness = catalogue.get(WITNESS).and_then(|part| {
            let (idle, hard) = (part.idle_w?, part.stress_w?);
            let hardest = [part.geekbench_w, part.hpl_w]
                .into_iter()
                .flatten()
                .fold(hard, Interval::max);
            Some((idle.hull(hardest), part.price_usd?))
        });
        Self {
            machines: options::machines(&catalogue, own),
            witness,
            judged: BTreeMap::new(),
        }
    }

    /// What fits a wish, in the order of shapes and machines; of each shape, what nothing of it beats.
    pub(super) fn fitting<'s>(&'s mut self, wish: &Wish) -> Vec<Candidate<'s>> {
        let shapes = Shape::all(wish);
        let possible = |space: &Self, shape: &Shape| {
            // Without a look at placement: room is never more than all disks by the overhead.
            let most = (shape.nodes * shape.disks) as f64 / shape.policy.overhead();
            space.of(*shape, most, 0).any(|one| fits(&one, wish))
        };
        for shape in shapes
            .iter()
            .filter(|shape| possible(self, shape))
            .collect::<Vec<_>>()
        {
            if !self.judged.contains_key(shape)
                && let Some(judged) = shape.judge()
            {
                self.judged.insert(*shape, judged);
            }
        }
        let mut found = Vec::new();
        for shape in shapes {
            let Some(judged) = self.judged.get(&shape) else {
                continue;
            };
            if !wish.survive.is_subset(&judged.survives) {
                continue;
            }
            let all = self.of(shape, judged.usable_disks, judged.survives.len());
            let mut own: Vec<Candidate<'_>> = all.filter(|one| fits(one, wish)).collect();
            own = front(own);
            found.append(&mut own);
        }
        found
    }

    /// A shape with each machine that has as many disks.
    fn of(&self, shape: Shape, usable_disks: f64, survived: usize) -> impl Iterator<Item = Candidate<'_>> {
        let (rest_w, rest_price) = shape.rest(self.witness);
        let machines = self
            .machines
            .iter()
            .filter(move |machine| machine.disks == shape.disks);
        machines.map(move |machine| Candidate {
            shape,
            machine,
            watts: shape.at_the_wall(machine.watts * shape.nodes as f64 + rest_w),
            price: machine.price * shape.nodes as f64 + rest_price,
            usable_tb: usable_disks * machine.disk.size_gb / 1e3,
            survived,
        })
    }
}

/// A price fits by the middle of its bounds; watts by their upper one.
fn fits(one: &Candidate<'_>, wish: &Wish) -> bool {
    // Placement's shares are sums of many small numbers.
    const SLACK: f64 = 1e-6;
    one.usable_tb >= wish.usable_tb * (1.0 - SLACK)
        && wish.budget_usd.is_none_or(|budget| one.middle_price() <= budget)
        && wish.watts.is_none_or(|watts| one.watts.high <= watts)
}

/// Those that no other beats.
fn front(all: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let beaten = |one: &Candidate<'_>| all.iter().any(|other| other.beats(one));
    let kept: Vec<bool> = all.iter().map(|one| !beaten(one)).collect();
    all.into_iter()
        .zip(kept)
        .filter(|(_, kept)| *kept)
        .map(|(one, _)| one)
        .collect()
}

/// Designs for a wish, with parts of one's own besides those of the catalogue.
///
/// # Errors
///
/// If there is none: which wish is in the way, and what is possible.
pub fn search(wish: &Wish, own: &[Part]) -> Result<Vec<Design>, Impossible> {
    let mut space = Space::new(own);
    let chosen = choose(&front(space.fitting(wish)));
    if chosen.is_empty() {
        return Err(impossible::why(&mut space, wish));
    }
    let survives: Vec<_> = chosen
        .iter()
        .map(|(one, _)| space.judged.get(&one.0).map(|judged| judged.survives.clone()))
        .collect();
    let designs = chosen
        .iter()
        .zip(survives)
        .enumerate()
        .filter_map(|(at, ((one, best_at), survives))| {
            let machine = space.machines.get(one.1)?;
            design(
                wish,
                own,
                (one, machine),
                (at + 1, best_at),
                survives.unwrap_or_default(),
            )
        });
    Ok(designs.collect())
}

/// A candidate by its shape and the position of its machine, with its figures.
type Picked = (Shape, usize, Interval, Interval, f64);

/// A figure of a design, of which less is better.
type Figure<'a> = &'a dyn Fn(&Candidate<'_>) -> f64;

/// The few that are best at something, each with what at.
fn choose(all: &[Candidate<'_>]) -> Vec<(Picked, Vec<&'static str>)> {
    let range = |of: &dyn Fn(&Candidate<'_>) -> f64| {
        let (low, high) = all
            .iter()
            .map(of)
            .fold((f64::MAX, f64::MIN), |(low, high), value| {
                (low.min(value), high.max(value))
            });
        (low, (high - low).max(f64::MIN_POSITIVE))
    };
    let price = |one: &Candidate<'_>| one.middle_price();
    let watts = |one: &Candidate<'_>| one.watts.high;
    let room = |one: &Candidate<'_>| -one.usable_tb;
    let kinds = |one: &Candidate<'_>| -(one.survived as f64);
    let of: [Figure<'_>; 4] = [&price, &watts, &room, &kinds];
    let ranges = of.map(range);
    let balance = |one: &Candidate<'_>| {
        let shares = of
            .iter()
            .zip(ranges)
            .map(|(of, (low, width))| (of(one) - low) / width);
        shares.sum::<f64>()
    };
    let goals: [(&'static str, Figure<'_>); SHOWN] = [
        ("cheapest", &price),
        ("least power", &watts),
        ("most room", &room),
        ("bears most", &kinds),
        ("balanced", &balance),
    ];
    let mut chosen: Vec<(usize, Vec<&'static str>)> = Vec::new();
    for (name, goal) in goals {
        // Equal at the goal, the cheaper one; equal at that, the first.
        let best = (0..all.len()).min_by(|one, other| {
            let (one, other) = (&all[*one], &all[*other]);
            goal(one)
                .total_cmp(&goal(other))
                .then(price(one).total_cmp(&price(other)))
        });
        let Some(best) = best else { continue };
        match chosen.iter_mut().find(|(at, _)| *at == best) {
            Some((_, names)) => names.push(name),
            None => chosen.push((best, vec![name])),
        }
    }
    chosen
        .into_iter()
        .map(|(at, names)| {
            let one = &all[at];
            (
                (one.shape, one.machine.at, one.watts, one.price, one.usable_tb),
                names,
            )
        })
        .collect()
}

fn design(
    wish: &Wish,
    own: &[Part],
    (one, machine): (&Picked, &Machine),
    (number, best_at): (usize, &Vec<&'static str>),
    survives: std::collections::BTreeSet<crate::failures::FailureKind>,
) -> Option<Design> {
    let (shape, _, _, price, usable_tb) = *one;
    let lab_toml = shape.text(machine, &format!("design {number}"), wish.usable_tb);
    let mut lab = Lab::read(&lab_toml).ok()?;
    lab.parts = own.to_vec();
    let budget = Budget::of(&lab.resolve().ok()?);
    let mut design = Design {
        best_at: best_at.clone(),
        title: text::title(&shape, machine),
        explained: String::new(),
        price_usd: price,
        watts: budget.totals.continuous_w,
        usable_tb: (usable_tb * 1e3).floor() / 1e3,
        redundancy: shape.policy,
        survives,
        lab_toml,
    };
    design.explained = text::explained(&design, &shape, wish);
    Some(design)
}
