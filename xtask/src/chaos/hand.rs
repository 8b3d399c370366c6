//! The hand that does what the plan says: begins faults, holds them, heals them, and waits for the cluster.
//!
//! Promises: after [`Hand::heal`] every process runs, every cable is good, every clock and disk is right.

use super::faults::{Deed, Fault, Round, Target};
use super::network::Network;
use super::nodes::Nodes;
use crate::Outcome;
use crate::content::Random;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// How long a cluster that was healed may take until every node stores something again.
const RECOVERY: Duration = Duration::from_secs(60);
/// Where that is tried.
pub const PROBES: &str = "probes";

/// The hand, and what it did.
pub struct Hand<'a> {
    /// Whom it is among.
    pub nodes: &'a mut Nodes,
    network: &'a Network,
    random: Random,
    began: Instant,
    /// How often each fault was begun.
    pub counts: BTreeMap<&'static str, u64>,
    /// After each round: from the end of its faults to every node storing again.
    pub recoveries: Vec<Duration>,
    /// Bytes that simulated disks forgot.
    pub dropped: u64,
}

impl<'a> Hand<'a> {
    /// Over these.
    pub fn new(nodes: &'a mut Nodes, network: &'a Network, seed: u64) -> Self {
        Self {
            nodes,
            network,
            random: Random::new(seed ^ 0x4A4D),
            began: Instant::now(),
            counts: BTreeMap::new(),
            recoveries: Vec::new(),
            dropped: 0,
        }
    }

    /// One round: calm, faults, and the cluster whole again.
    pub fn round(&mut self, round: &Round) -> Outcome {
        std::thread::sleep(round.calm);
        let begun_s = self.began.elapsed().as_secs_f64();
        let mut active = Vec::new();
        let mut words = Vec::new();
        for deed in &round.deeds {
            let (mut at, mut leads) = self.target(deed.target);
            if deed.fault == Fault::Amnesia && leads {
                // It is about a voter between whoever leads and the others.
                (at, leads) = ((at + 1) % self.nodes.all.len(), false);
            }
            let number = self.nodes.all[at].number;
            let whom = match deed.fault {
                Fault::KillAll => String::new(),
                _ if leads => format!(" node {number} (leads)"),
                _ => format!(" node {number}"),
            };
            let how = if deed.fault == Fault::Clock {
                format!(" {:+} s", deed.jump_s)
            } else {
                String::new()
            };
            words.push(format!("{}{whom}{how}", deed.fault.name()));
            *self.counts.entry(deed.fault.name()).or_default() += 1;
            self.begin(deed, at)?;
            active.push((*deed, at));
        }
        let hold_s = round.hold.as_secs_f64();
        println!("{begun_s:>7.1} s  {} for {hold_s:.1} s", words.join(", "));
        self.hold(&active, round.hold)?;
        for (deed, at) in active.iter().rev() {
            self.end(deed, *at)?;
        }
        let took = self.recovered()?;
        println!(
            "{:>9}  every node stores again after {:.1} s",
            "",
            took.as_secs_f64()
        );
        self.recoveries.push(took);
        Ok(())
    }

    fn target(&self, target: Target) -> (usize, bool) {
        let leader = self.nodes.leader();
        match (target, leader) {
            (Target::Leader, Some(at)) => (at, true),
            (Target::Leader, None) => (0, false),
            (Target::Node(at), leader) => (at, leader == Some(at)),
        }
    }

    fn kill(&mut self, at: usize) -> Outcome {
        // As often as not some of what was not synced got through all the same.
        let torn = self.random.below(2) == 0;
        let torn = torn.then_some(&mut self.random);
        self.dropped += self.nodes.all[at].kill(torn)?;
        Ok(())
    }

    fn begin(&mut self, deed: &Deed, at: usize) -> Outcome {
        let number = self.nodes.all[at].number;
        match deed.fault {
            Fault::Kill => self.kill(at)?,
            Fault::KillAll => (0..self.nodes.all.len()).try_for_each(|at| self.kill(at))?,
            Fault::Restart => {
                // A process that sleeps would not hear it.
                self.nodes.all[at].pause(false);
                self.nodes.all[at].stop()?;
            }
            Fault::Pause => self.nodes.all[at].pause(true),
            Fault::Isolate | Fault::Mute | Fault::Deaf => self.reach(deed.fault, number, false)?,
            Fault::Bridge | Fault::Amnesia => self.bridge(number, false)?,
            Fault::Cable => self.network.cable(number, false)?,
            Fault::BadCable => self.network.bad_cable(number, true)?,
            Fault::Stutter => {}
            Fault::Clock => self.nodes.all[at].set_clock(deed.jump_s)?,
            Fault::FullDisk | Fault::SlowDisk => self.disk(deed.fault, at, true),
        }
        Ok(())
    }

    fn end(&mut self, deed: &Deed, at: usize) -> Outcome {
        let number = self.nodes.all[at].number;
        match deed.fault {
            Fault::Kill | Fault::KillAll | Fault::Restart => {
                for node in &mut self.nodes.all {
                    node.start(&[])?;
                }
            }
            Fault::Pause => self.nodes.all[at].pause(false),
            Fault::Isolate | Fault::Mute | Fault::Deaf => self.reach(deed.fault, number, true)?,
            Fault::Bridge | Fault::Amnesia => self.bridge(number, true)?,
            Fault::Cable => self.network.cable(number, true)?,
            Fault::BadCable => self.network.bad_cable(number, false)?,
            Fault::Stutter => self.reach(Fault::Isolate, number, true)?,
            Fault::Clock => self.nodes.all[at].set_clock(0)?,
            Fault::FullDisk | Fault::SlowDisk => self.disk(deed.fault, at, false),
        }
        Ok(())
    }

    /// Waits, doing what some faults do again and again.
    fn hold(&mut self, active: &[(Deed, usize)], time: Duration) -> Outcome {
        let until = Instant::now() + time;
        let those = |fault: Fault| -> Vec<usize> {
            let of_it = active.iter().filter(|(deed, _)| deed.fault == fault);
            of_it.map(|(_, at)| *at).collect()
        };
        let (stutter, amnesia) = (those(Fault::Stutter), those(Fault::Amnesia));
        let mut reached = true;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            let moment = match (stutter.is_empty(), amnesia.is_empty()) {
                (true, true) => left,
                // Between two elections: those who wait for one are always about to ask for votes.
                (true, false) => Duration::from_millis(1_500 + self.random.below(1_500)),
                _ => Duration::from_millis(50 + self.random.below(350)),
            };
            std::thread::sleep(left.min(moment));
            reached = !reached;
            for at in &stutter {
                self.reach(Fault::Isolate, self.nodes.all[*at].number, reached)?;
            }
            if !amnesia.is_empty() && moment < left {
                for at in &amnesia {
                    self.kill(*at)?;
                    self.nodes.all[*at].start(&[])?;
                }
            }
        }
        Ok(())
    }

    fn reach(&self, fault: Fault, number: usize, reached: bool) -> Outcome {
        for node in self.nodes.all.iter().filter(|node| node.number != number) {
            if fault != Fault::Deaf {
                self.network.reach(number, node.number, reached)?;
            }
            if fault != Fault::Mute {
                self.network.reach(node.number, number, reached)?;
            }
        }
        Ok(())
    }

    /// Cuts all pairs that `number` is not of.
    fn bridge(&self, number: usize, reached: bool) -> Outcome {
        let sides: Vec<usize> = self
            .nodes
            .all
            .iter()
            .map(|node| node.number)
            .filter(|side| *side != number)
            .collect();
        for from in &sides {
            for to in sides.iter().filter(|to| *to != from) {
                self.network.reach(*from, *to, reached)?;
            }
        }
        Ok(())
    }

    fn disk(&self, fault: Fault, at: usize, on: bool) {
        let Some(trouble) = self.nodes.all[at].trouble() else {
            return;
        };
        match fault {
            Fault::FullDisk => trouble.full.store(on, Ordering::Relaxed),
            _ => trouble.sync_ms.store(if on { 300 } else { 0 }, Ordering::Relaxed),
        }
    }

    /// Ends every fault there is, whatever was begun.
    pub fn heal(&mut self) -> Outcome {
        for at in 0..self.nodes.all.len() {
            let number = self.nodes.all[at].number;
            self.disk(Fault::FullDisk, at, false);
            self.disk(Fault::SlowDisk, at, false);
            if self.network.is_lab() {
                self.network.cable(number, true)?;
                self.network.bad_cable(number, false)?;
                self.reach(Fault::Isolate, number, true)?;
            }
            let node = &mut self.nodes.all[at];
            node.set_clock(0)?;
            node.pause(false);
            node.start(&[])?;
        }
        Ok(())
    }

    /// Waits until every node has stored something, and answers how long that took.
    pub fn recovered(&mut self) -> Outcome<Duration> {
        let begin = Instant::now();
        for at in 0..self.nodes.all.len() {
            if self.nodes.all[at].witness {
                continue;
            }
            let node = &self.nodes.all[at];
            let mut client = self.nodes.client(node).patience(Duration::from_secs(5));
            let key = format!("node-{}", node.number);
            let mut last = String::new();
            while let Err(why) = client.put(PROBES, &key, last.as_bytes()) {
                last = why.to_string();
                let node = &mut self.nodes.all[at];
                if !node.runs() {
                    return Err(format!("node {} has ended by itself:\n{}", node.number, node.log()).into());
                }
                if begin.elapsed() > RECOVERY {
                    let log = node.log();
                    let number = node.number;
                    return Err(format!(
                        "node {number} stores nothing {RECOVERY:?} after all healed ({last}); its log ends:\n{log}"
                    )
                    .into());
                }
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        Ok(begin.elapsed())
    }
}
