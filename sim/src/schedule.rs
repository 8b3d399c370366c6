//! What happens to a cluster, and when: drawn from a seed before it begins, so that single steps can be left out.

use crate::Draw;
use stead_plan::{Domains, Policy};

/// How long faults go on, in milliseconds of the cluster's time.
pub const FAULTS_MS: u64 = 15 * 60_000;
/// How long the cluster has, healed, to bring everything to where it belongs.
pub const HEAL_MS: u64 = 15 * 60_000;

/// A node as it begins.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Bytes that it says it holds; zero where it does not say.
    pub capacity: u64,
    /// What can fail with it.
    pub domains: Domains,
    /// It only votes.
    pub witness: bool,
}

/// One thing that happens. Numbers are taken modulo what there is then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An object is written into a bucket through a node.
    Put {
        /// The node.
        node: usize,
        /// The bucket.
        bucket: usize,
    },
    /// A node stops, and starts again after so long.
    Crash {
        /// The node.
        node: usize,
        /// Milliseconds.
        for_ms: u64,
    },
    /// A node is gone for good, with its disk.
    Die {
        /// The node.
        node: usize,
    },
    /// A copy on a node's disk is damaged.
    Rot {
        /// The node.
        node: usize,
        /// Which of its copies.
        copy: usize,
    },
    /// Nodes of which the bit is set and the others do not reach each other.
    Split {
        /// By the node's number.
        side: u64,
        /// Milliseconds.
        for_ms: u64,
    },
    /// Two nodes do not reach each other.
    Cut {
        /// One.
        one: usize,
        /// The other.
        other: usize,
        /// Milliseconds.
        for_ms: u64,
    },
    /// A machine that waited comes in.
    Join,
    /// A node is to give up what it has; it is removed as soon as others hold everything.
    Drain {
        /// The node.
        node: usize,
    },
    /// A node holds more or less than it said.
    Capacity {
        /// The node.
        node: usize,
        /// Bytes.
        bytes: u64,
    },
    /// A bucket is to have another number of copies.
    Copies {
        /// The bucket.
        bucket: usize,
        /// Copies.
        copies: u8,
    },
}

/// A fault at its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds from the beginning.
    pub at_ms: u64,
    /// What happens.
    pub what: Fault,
}

/// A cluster and all that happens to it.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What it was drawn from; delays are drawn from it as well.
    pub seed: u64,
    /// Nodes that are there from the beginning.
    pub machines: Vec<Machine>,
    /// Nodes that may come.
    pub waiting: Vec<Machine>,
    /// How each bucket is kept.
    pub buckets: Vec<Policy>,
    /// What happens, by time.
    pub steps: Vec<Step>,
}

fn machine(draw: &mut Draw, style: u64, plain: bool, witness: bool) -> Machine {
    let named = |kind: &str, number: u64| Some(format!("{kind}{number}"));
    let mut domains = Domains::default();
    // By style: nothing known; breakers; sites with racks in them; breakers across switches.
    if style == 1 || style == 3 {
        domains.circuit = named("c", draw.below(3));
    }
    if style == 2 {
        let site = draw.below(2);
        domains.site = named("s", site);
        domains.rack = named("r", site * 2 + draw.below(2));
    }
    if style == 3 {
        domains.switch = named("w", draw.below(2));
    }
    Machine {
        capacity: match draw.below(4) {
            _ if plain => 1_000,
            0 => 0,
            1 => 2_000,
            _ => 1_000,
        },
        domains,
        witness,
    }
}

fn fault(draw: &mut Draw, buckets: usize) -> Fault {
    let node = draw.at(64);
    let for_ms = match draw.below(4) {
        0 => draw.from_to(100, 3_000),
        1 => draw.from_to(3_000, 20_000),
        2 => draw.from_to(20_000, 90_000),
        _ => draw.from_to(60_000, 240_000),
    };
    match draw.below(100) {
        0..=39 => Fault::Put {
            node,
            bucket: draw.at(buckets),
        },
        40..=55 => Fault::Crash { node, for_ms },
        56..=58 => Fault::Die { node },
        59..=64 => Fault::Rot {
            node,
            copy: draw.at(64),
        },
        65..=71 => Fault::Split {
            side: draw.below(1 << 12),
            for_ms,
        },
        72..=77 => Fault::Cut {
            one: node,
            other: draw.at(64),
            for_ms,
        },
        78..=83 => Fault::Join,
        84..=89 => Fault::Drain { node },
        90..=93 => Fault::Capacity {
            node,
            bytes: 500 * draw.from_to(1, 6),
        },
        _ => Fault::Copies {
            bucket: draw.at(buckets),
            copies: draw.from_to(1, 5) as u8,
        },
    }
}

impl Schedule {
    /// The one of a seed.
    pub fn of(seed: u64) -> Self {
        let mut draw = Draw::new(seed);
        // Domains that lie across each other are searched, which takes long: they are one in eight.
        let style = match draw.below(8) {
            0..=2 => 0,
            3..=4 => 1,
            5..=6 => 2,
            _ => 3,
        };
        let count = draw.from_to(2, 7);
        let plain = style == 0 && draw.percent(60);
        let with_witness = draw.percent(25);
        let mut machines: Vec<Machine> = (0..count)
            .map(|_| machine(&mut draw, style, plain, false))
            .collect();
        if with_witness {
            machines.push(machine(&mut draw, style, plain, true));
        }
        let waiting = (0..draw.below(3))
            .map(|_| machine(&mut draw, style, plain, false))
            .collect();
        let buckets: Vec<Policy> = (0..draw.from_to(1, 3))
            .filter_map(|_| bucket(&mut draw))
            .collect();
        let mut steps: Vec<Step> = (0..draw.from_to(4, 8))
            .map(|_| Step {
                at_ms: draw.from_to(1_000, 20_000),
                what: Fault::Put {
                    node: draw.at(64),
                    bucket: draw.at(buckets.len()),
                },
            })
            .collect();
        steps.extend((0..draw.from_to(6, 40)).map(|_| Step {
            at_ms: draw.from_to(20_000, FAULTS_MS),
            what: fault(&mut draw, buckets.len()),
        }));
        steps.sort_by_key(|step| step.at_ms);
        Self {
            seed,
            machines,
            waiting,
            buckets,
            steps,
        }
    }
}

fn bucket(draw: &mut Draw) -> Option<Policy> {
    match draw.below(8) {
        0 => Policy::erasure(2, 1),
        1 => Policy::erasure(4, 2),
        _ => Policy::replicas(draw.from_to(1, 5) as u8),
    }
    .ok()
}
