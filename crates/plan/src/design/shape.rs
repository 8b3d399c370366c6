//! What a lab looks like, whatever its machines are: how many, how they are fed and connected, how data is kept.
//!
//! Owns: the file of a design, and what such a lab survives. Both depend on the shape alone where all machines are
//! alike, so that each shape is judged once.

use super::options::{DISKS, Machine, disk_lines, quote};
use super::{SURVIVABLE, Wish};
use crate::budget::UPS_LOSS;
use crate::failures::{FailureKind, Forecaster, Outcome, Verdict, prices};
use crate::interval::Interval;
use crate::lab::model::PartKind;
use crate::lab::{Catalogue, Lab};
use crate::place::Placer;
use crate::policy::Policy;
use std::collections::BTreeSet;
use std::fmt::Write;

/// What a lab looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Shape {
    pub nodes: usize,
    /// Of each machine.
    pub disks: usize,
    pub policy: Policy,
    /// Each machine has a cable to all of them.
    pub switches: usize,
    pub witness: bool,
    pub circuits: usize,
    pub ups: bool,
}

/// What is known of a shape.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub survives: BTreeSet<FailureKind>,
    /// Room for data, in sizes of one disk.
    pub usable_disks: f64,
}

/// The watts of a small switch. A bound of ours, without a source.
const SWITCH_W: Interval = Interval { low: 2.0, high: 6.0 };
/// The board that a witness is on.
pub(super) const WITNESS: &str = "Raspberry Pi 3 model B+";

impl Shape {
    /// All that are tried for a wish.
    pub(super) fn all(wish: &Wish) -> Vec<Self> {
        let policies = ["1", "2", "3", "2+1 fewest", "2+2", "4+2"];
        let policies: Vec<Policy> = policies.iter().filter_map(|text| text.parse().ok()).collect();
        let asks = |kind| wish.survive.contains(&kind);
        let apart = asks(FailureKind::Circuit) || asks(FailureKind::Outlet);
        let mut shapes = Vec::new();
        for nodes in 1..=super::MOST_NODES {
            for (disks, policy) in [1, 2]
                .into_iter()
                .flat_map(|disks| policies.iter().map(move |it| (disks, *it)))
            {
                // A way of keeping data that finds no place for all copies is none.
                if nodes * disks < policy.stored() {
                    continue;
                }
                for switches in if nodes == 1 { 1..=1 } else { 1..=2 } {
                    for witness in [false, true] {
                        // Two voters and a witness are three; four and a witness are five.
                        if witness && !matches!(nodes, 2 | 4) {
                            continue;
                        }
                        shapes.push(Self {
                            nodes,
                            disks,
                            policy,
                            switches,
                            witness,
                            circuits: if apart { 3 } else { 1 },
                            ups: asks(FailureKind::Power),
                        });
                    }
                }
            }
        }
        shapes
    }

    /// What all that is no machine with data takes, and costs.
    pub(super) fn rest(&self, witness: Option<(Interval, f64)>) -> (Interval, Interval) {
        let machines = (self.nodes + usize::from(self.witness)) as f64;
        let switches = self.switches as f64;
        let mut watts = SWITCH_W * switches;
        let mut price = prices::SWITCH * switches + prices::CABLE * (machines * switches);
        price = price + prices::CARD * (machines * (switches - 1.0));
        if let (true, Some((own, cost))) = (self.witness, witness) {
            watts = watts + own;
            price = price + Interval::exactly(cost);
        }
        if self.ups {
            price = price + prices::UPS * self.circuits as f64;
        }
        (watts, price)
    }

    /// What a load takes at the wall: with a UPS in between, what that takes and loses, too.
    pub(super) fn at_the_wall(&self, load: Interval) -> Interval {
        let bound = Catalogue::built_in().bound(PartKind::Ups, None);
        let own = bound.and_then(|bound| Some(bound.idle_w?.hull(bound.stress_w?)));
        match self.ups {
            false => load,
            true => {
                let load = load + own.unwrap_or_default() * self.circuits as f64;
                Interval {
                    low: load.low * UPS_LOSS.low,
                    high: load.high * UPS_LOSS.high,
                }
            }
        }
    }

    /// The file of such a lab.
    pub(super) fn text(&self, machine: &Machine, name: &str, usable_tb: f64) -> String {
        let mut text = format!(
            "name = {}\ncurrency = \"USD\"\n\n[[data]]\nname = \"data\"\nredundancy = \"{}\"\nsize_gb = {}\n\n\
             [[site]]\nname = \"home\"\n",
            quote(name),
            self.policy,
            usable_tb * 1e3
        );
        for at in 1..=self.circuits {
            let _ = write!(
                text,
                "\n[[circuit]]\nname = \"circuit-{at}\"\n# Change both to what your breaker says.\nvolts = 120\namps = 20\n\n\
                 [[outlet]]\nname = \"outlet-{at}\"\ncircuit = \"circuit-{at}\"\n"
            );
            if self.ups {
                let _ = write!(
                    text,
                    "\n[[ups]]\nname = \"ups-{at}\"\npower = [\"outlet-{at}\"]\n# State `battery_wh` and `max_w` of yours.\n"
                );
            }
        }
        let plug = |at: usize| {
            let word = if self.ups { "ups" } else { "outlet" };
            format!("power = [\"{word}-{}\"]\n", at % self.circuits + 1)
        };
        for at in 0..self.switches {
            let _ = write!(
                text,
                "\n[[switch]]\nname = \"switch-{}\"\n{}ports = 8\n# A bound of ours for a small switch; measure yours.\n\
                 idle_w = [{}, {}]\nstress_w = [{}, {}]\n",
                at + 1,
                plug(at),
                SWITCH_W.low,
                SWITCH_W.high,
                SWITCH_W.low,
                SWITCH_W.high
            );
            if at > 0 {
                text.push_str("network = [\"switch-1\"]\n");
            }
        }
        let switches: Vec<String> = (1..=self.switches).map(|at| format!("\"switch-{at}\"")).collect();
        let network = format!("network = [{}]\n", switches.join(", "));
        for at in 0..self.nodes {
            let _ = write!(
                text,
                "\n[[node]]\nname = \"node-{}\"\npart = {}\n{}{network}",
                at + 1,
                quote(&machine.part),
                plug(at)
            );
            for _ in 0..self.disks {
                let _ = write!(text, "\n[[node.disk]]\n{}", disk_lines(machine.disk));
            }
        }
        if self.witness {
            let _ = write!(
                text,
                "\n[[node]]\nname = \"witness-1\"\npart = {}\nrole = \"witness\"\n{}{network}",
                quote(WITNESS),
                plug(self.nodes)
            );
        }
        text
    }

    /// What such a lab survives, and how much of its disks is for data.
    pub(super) fn judge(&self) -> Option<Judged> {
        let machine = Machine {
            at: 0,
            part: WITNESS.to_owned(),
            disk: DISKS[0],
            disks: self.disks,
            watts: Interval::ZERO,
            price: Interval::ZERO,
        };
        let lab = Lab::read(&self.text(&machine, "shape", 1.0))
            .ok()?
            .resolve()
            .ok()?;
        let at = Forecaster::new(&lab);
        let mut survives: BTreeSet<FailureKind> = SURVIVABLE.into();
        for single in at.singles() {
            let fails = single.same.iter().chain([&single.fails]);
            for named in fails.filter(|named| !goes_on(named.kind, &single.outcome)) {
                survives.remove(&named.kind);
            }
        }
        let bytes = Placer::new(&lab.cluster_map(), self.policy).usable_bytes();
        Some(Judged {
            survives,
            usable_disks: bytes as f64 / (DISKS[0].size_gb * 1e9),
        })
    }
}

/// Whether a failure is survived: of a power cut the time on battery counts, of all else what lasts.
fn goes_on(kind: FailureKind, outcome: &Outcome) -> bool {
    let verdict: Verdict = match kind {
        FailureKind::Power => outcome.verdict,
        _ => outcome.worst(),
    };
    verdict.goes_on()
}
