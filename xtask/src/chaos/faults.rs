//! What is done to a cluster, drawn from a seed: which fault, to whom, for how long.
//!
//! Promises: the same seed and machine give the same faults in the same order; every kind that is possible comes
//! before one comes twice. Whoever leads when its turn comes is the cluster's to say.

use crate::content::Random;
use std::time::Duration;

/// One kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL, and started again at the end.
    Kill,
    /// SIGKILL of all at once.
    KillAll,
    /// SIGTERM, and started again at the end.
    Restart,
    /// SIGSTOP, and SIGCONT at the end.
    Pause,
    /// No other node is reached, nor reaches it; clients do.
    Isolate,
    /// What it sends to other nodes is lost; what they send arrives.
    Mute,
    /// The other way round.
    Deaf,
    /// The others do not reach each other, and all reach it.
    Bridge,
    /// The others do not reach each other, and it is killed and started at once, again and again: a voter that
    /// forgot whom it had promised to wait for.
    Amnesia,
    /// Its cable is pulled, for clients too.
    Cable,
    /// Its cable is bad: late and lossy.
    BadCable,
    /// All other nodes are lost to it for moments, again and again.
    Stutter,
    /// Its clock jumps, and jumps back at the end.
    Clock,
    /// Nothing more fits on its disk.
    FullDisk,
    /// Its disk takes its time for each sync.
    SlowDisk,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Self; 15] = [
        Self::Kill,
        Self::KillAll,
        Self::Restart,
        Self::Pause,
        Self::Isolate,
        Self::Mute,
        Self::Deaf,
        Self::Bridge,
        Self::Amnesia,
        Self::Cable,
        Self::BadCable,
        Self::Stutter,
        Self::Clock,
        Self::FullDisk,
        Self::SlowDisk,
    ];

    /// As in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Kill => "kill",
            Self::KillAll => "kill-all",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Isolate => "partition",
            Self::Mute => "one-way-out",
            Self::Deaf => "one-way-in",
            Self::Bridge => "bridge-split",
            Self::Amnesia => "amnesia",
            Self::Cable => "cable",
            Self::BadCable => "bad-cable",
            Self::Stutter => "stutter",
            Self::Clock => "clock-jump",
            Self::FullDisk => "full-disk",
            Self::SlowDisk => "slow-disk",
        }
    }

    /// The kind of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }

    /// Whether it is one of the network between hosts.
    pub fn of_the_network(self) -> bool {
        use Fault::{Amnesia, BadCable, Bridge, Cable, Deaf, Isolate, Mute, Stutter};
        matches!(
            self,
            Isolate | Mute | Deaf | Bridge | Amnesia | Cable | BadCable | Stutter
        )
    }

    /// Whether it is one of disks.
    pub fn of_the_disk(self) -> bool {
        matches!(self, Self::FullDisk | Self::SlowDisk)
    }
}

/// To whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Whoever leads when it comes to that.
    Leader,
    /// That one.
    Node(usize),
}

/// One thing that is done.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// What.
    pub fault: Fault,
    /// To whom.
    pub target: Target,
    /// How far a clock jumps.
    pub jump_s: i64,
}

/// One or two faults at once, and the calm before them.
#[derive(Clone, Debug)]
pub struct Round {
    /// Nothing happens for so long first.
    pub calm: Duration,
    /// What happens then.
    pub deeds: Vec<Deed>,
    /// For how long.
    pub hold: Duration,
}

/// The faults of a run.
pub struct Faults {
    random: Random,
    possible: Vec<Fault>,
    bag: Vec<Fault>,
    nodes: usize,
}

impl Faults {
    /// Of these kinds, to so many nodes.
    pub fn new(seed: u64, possible: Vec<Fault>, nodes: usize) -> Self {
        Self {
            random: Random::new(seed ^ 0xFA17),
            possible,
            bag: Vec::new(),
            nodes,
        }
    }

    fn deed(&mut self) -> Deed {
        if self.bag.is_empty() {
            self.bag.clone_from(&self.possible);
        }
        let drawn = self.random.below(self.bag.len() as u64) as usize;
        let fault = self.bag.swap_remove(drawn);
        let target = match self.random.below(2) {
            0 => Target::Leader,
            _ => Target::Node(self.random.below(self.nodes as u64) as usize),
        };
        let jumps = [-7_200, -240, -15, -2, 3, 20, 300, 7_200, 86_400];
        let jump_s = jumps[self.random.below(jumps.len() as u64) as usize];
        Deed {
            fault,
            target,
            jump_s,
        }
    }
}

impl Iterator for Faults {
    type Item = Round;

    fn next(&mut self) -> Option<Round> {
        let ms = |random: &mut Random, least: u64, most: u64| {
            Duration::from_millis(least + random.below(most - least))
        };
        let calm = ms(&mut self.random, 500, 3_000);
        // Most of the time long enough for an election, sometimes hardly noticed, and now and then so long that what
        // was missed is no longer in anybody's write-ahead log (there is a checkpoint every 30 s).
        let hold = match self.random.below(12) {
            0..3 => ms(&mut self.random, 50, 800),
            3..8 => ms(&mut self.random, 2_000, 6_000),
            8..11 => ms(&mut self.random, 6_000, 12_000),
            _ => ms(&mut self.random, 40_000, 70_000),
        };
        let mut deeds = vec![self.deed()];
        if self.random.below(4) == 0 {
            deeds.push(self.deed());
        }
        Some(Round { calm, deeds, hold })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_faults_and_all_kinds_come() {
        let rounds =
            |seed: u64| -> Vec<Round> { Faults::new(seed, Fault::ALL.to_vec(), 3).take(20).collect() };
        assert_eq!(format!("{:?}", rounds(7)), format!("{:?}", rounds(7)));
        assert_ne!(format!("{:?}", rounds(7)), format!("{:?}", rounds(8)));
        let deeds: Vec<Deed> = rounds(7).into_iter().flat_map(|round| round.deeds).collect();
        for fault in Fault::ALL {
            assert!(deeds.iter().any(|deed| deed.fault == fault), "{fault:?}");
            assert_eq!(Fault::named(fault.name()), Some(fault));
        }
    }
}
