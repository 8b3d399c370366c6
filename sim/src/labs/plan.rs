//! Labs at random: of any wiring that a file can say, sensible or not.

use crate::Draw;
use std::fmt::Write;
use stead_plan::lab::{Lab, Resolved};

/// A lab in numbers: what each thing is fed by and where it sits. Numbers are taken modulo what there is.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Circuits, each with an outlet.
    pub circuits: usize,
    /// UPSes, by the outlet of each.
    pub upses: Vec<usize>,
    /// Switches: what feeds each, and the switch that it has a cable to; its own number is a way to the internet.
    pub switches: Vec<(Vec<usize>, Option<usize>)>,
    /// Machines.
    pub nodes: Vec<Machine>,
    /// How data is kept.
    pub policies: Vec<&'static str>,
    /// Buildings.
    pub sites: usize,
}

/// A machine.
#[derive(Clone, Debug)]
pub struct Machine {
    /// What feeds it: outlets, then UPSes.
    pub feeds: Vec<usize>,
    /// The switches that it has a cable to.
    pub switches: Vec<usize>,
    /// Its disks; without one it is a witness.
    pub disks: usize,
    /// Its first switch feeds it.
    pub poe: bool,
    /// `active`, `down`, `draining` or `lost`.
    pub state: &'static str,
}

/// How data may be kept.
pub const POLICIES: [&str; 10] = [
    "1",
    "2",
    "2 strict",
    "3",
    "3 fewest",
    "5",
    "2+1",
    "4+2",
    "2+1 fewest",
    "4+2 strict",
];

impl Plan {
    /// One at random.
    pub fn draw(draw: &mut Draw) -> Self {
        let some = |draw: &mut Draw, least: u64, most: u64, below: u64| -> Vec<usize> {
            let count = draw.from_to(least, most);
            (0..count).map(|_| draw.below(below) as usize).collect()
        };
        let circuits = draw.from_to(1, 3) as usize;
        let upses = some(draw, 0, 2, 4);
        let switches = (0..draw.below(4))
            .map(|_| {
                let feeds = some(draw, 1, 2, 8);
                let uplink = draw.percent(60).then(|| draw.below(8) as usize);
                (feeds, uplink)
            })
            .collect();
        let stated = draw.percent(25);
        let nodes = (0..draw.from_to(1, 7))
            .map(|_| Machine {
                feeds: some(draw, 1, 2, 8),
                switches: some(draw, 0, 2, 8),
                disks: draw.below(4) as usize,
                poe: draw.percent(20),
                state: match draw.below(10) {
                    0 if stated => "down",
                    1 if stated => "draining",
                    2 if stated => "lost",
                    _ => "active",
                },
            })
            .collect();
        let policies = (0..draw.from_to(1, 2))
            .filter_map(|_| draw.one(&POLICIES))
            .collect();
        Self {
            circuits,
            upses,
            switches,
            nodes,
            policies,
            sites: draw.below(3) as usize,
        }
    }

    /// As a file, in which every name begins with this.
    pub fn text(&self, prefix: &str) -> String {
        let mut text = String::new();
        for (at, policy) in self.policies.iter().enumerate() {
            let _ = writeln!(
                text,
                "[[data]]\nname = \"{prefix}d{at}\"\nredundancy = \"{policy}\""
            );
        }
        for site in 0..self.sites {
            let _ = writeln!(text, "[[site]]\nname = \"{prefix}site{site}\"");
        }
        for at in 0..self.circuits {
            let _ = writeln!(
                text,
                "[[circuit]]\nname = \"{prefix}c{at}\"\nvolts = 230\namps = 16"
            );
            if self.sites > 0 {
                let _ = writeln!(text, "site = \"{prefix}site{}\"", at % self.sites);
            }
            let _ = writeln!(
                text,
                "[[outlet]]\nname = \"{prefix}o{at}\"\ncircuit = \"{prefix}c{at}\""
            );
        }
        for (at, feed) in self.upses.iter().enumerate() {
            let outlet = feed % self.circuits;
            let _ = writeln!(
                text,
                "[[ups]]\nname = \"{prefix}u{at}\"\npower = [\"{prefix}o{outlet}\"]"
            );
        }
        let feed = |number: usize| {
            let all = self.circuits + self.upses.len();
            match number % all {
                outlet if outlet < self.circuits => format!("\"{prefix}o{outlet}\""),
                ups => format!("\"{prefix}u{}\"", ups - self.circuits),
            }
        };
        let feeds = |numbers: &[usize]| numbers.iter().map(|at| feed(*at)).collect::<Vec<_>>().join(", ");
        for (at, (power, uplink)) in self.switches.iter().enumerate() {
            let _ = writeln!(
                text,
                "[[switch]]\nname = \"{prefix}s{at}\"\npower = [{}]",
                feeds(power)
            );
            match uplink {
                Some(to) if to % self.switches.len() != at => {
                    let _ = writeln!(text, "network = [\"{prefix}s{}\"]", to % self.switches.len());
                }
                Some(_) => text.push_str("uplink = true\n"),
                None => {}
            }
        }
        for (at, node) in self.nodes.iter().enumerate() {
            let switch = |number: &usize| format!("\"{prefix}s{}\"", number % self.switches.len().max(1));
            let network: Vec<String> = node.switches.iter().map(switch).collect();
            let network = if self.switches.is_empty() {
                Vec::new()
            } else {
                network
            };
            let power = match node.poe && !network.is_empty() {
                true => network[0].clone(),
                false => feeds(&node.feeds),
            };
            let _ = writeln!(
                text,
                "[[node]]\nname = \"{prefix}n{at}\"\npower = [{power}]\nnetwork = [{}]\nrole = \"{}\"\nstate = \"{}\"",
                network.join(", "),
                if node.disks == 0 { "witness" } else { "storage" },
                node.state
            );
            for _ in 0..node.disks {
                text.push_str("[[node.disk]]\nkind = \"ssd\"\nsize_gb = 100\n");
            }
        }
        text
    }

    /// The lab that it is; none where the file holds together as text only (power that goes round in a circle).
    pub fn lab(&self, prefix: &str) -> Option<Resolved> {
        Lab::read(&self.text(prefix)).ok()?.resolve().ok()
    }
}
