//! What is done to the nodes: one thing at a time, drawn by lot, undone after a while.

use super::nodes::Nodes;
use crate::Outcome;
use crate::content::Random;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::time::Duration;

/// What can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SIGKILL of one.
    Kill,
    /// SIGKILL of whoever leads.
    KillLeader,
    /// SIGKILL of all at once, as a power cut does it (what was written and not synced stays in the page cache).
    KillAll,
    /// SIGTERM of one.
    Stop,
    /// SIGSTOP of one.
    Hold,
    /// SIGSTOP of whoever leads: it goes on believing that it leads.
    HoldLeader,
    /// One's cable is pulled.
    Cut,
    /// The cable of whoever leads is pulled.
    CutLeader,
    /// Two do not reach each other, and both reach the rest.
    Apart,
    /// Nothing that one sends reaches another; the other way is open.
    OneWay,
    /// A cable is pulled and plugged in, again and again.
    Flap,
    /// The disk of one is full.
    Full,
}

use Fault::{Apart, Cut, CutLeader, Flap, Full, Hold, HoldLeader, Kill, KillAll, KillLeader, OneWay, Stop};

/// What needs nothing but processes.
const PROCESSES: &[Fault] = &[Kill, KillLeader, KillAll, Stop, Hold, HoldLeader];
/// What needs a network and mounts of our own.
const CABLES: &[Fault] = &[Cut, CutLeader, Apart, OneWay, Flap, Full];

impl Fault {
    /// Its name, for people.
    pub fn name(self) -> String {
        format!("{self:?}")
    }

    /// One by lot.
    pub fn draw(random: &mut Random, cables: bool) -> Self {
        let among: Vec<Self> = if cables {
            [PROCESSES, CABLES].concat()
        } else {
            PROCESSES.to_vec()
        };
        among[random.below(among.len() as u64) as usize]
    }

    /// Does it, waits, and undoes it.
    pub fn happen(self, nodes: &mut Nodes, random: &mut Random) -> Outcome<String> {
        let count = nodes.all.len();
        let one = 1 + random.below(count as u64) as usize;
        let other = 1 + (one - 1 + 1 + random.below(count as u64 - 1) as usize) % count;
        let target = match self {
            KillLeader | HoldLeader | CutLeader => nodes.leader().unwrap_or(one),
            Full => count,
            _ => one,
        };
        let pause = Duration::from_millis(1_500 + random.below(5_000));
        let wait = || std::thread::sleep(pause);
        match self {
            Kill | KillLeader => {
                nodes.kill(target)?;
                wait();
                nodes.start()?;
            }
            KillAll => {
                for number in 1..=count {
                    nodes.kill(number)?;
                }
                wait();
                nodes.start()?;
            }
            Stop => {
                nodes.stop(target)?;
                wait();
                nodes.start()?;
            }
            Hold | HoldLeader => {
                nodes.hold(target, true)?;
                wait();
                nodes.hold(target, false)?;
            }
            Cut | CutLeader => {
                nodes.lab.cable(target, false)?;
                wait();
                nodes.lab.cable(target, true)?;
            }
            Apart => {
                nodes.lab.apart(one, true)?;
                nodes.lab.apart(other, true)?;
                wait();
                nodes.lab.apart(one, false)?;
                nodes.lab.apart(other, false)?;
            }
            OneWay => {
                nodes.lab.deaf(one, other, true)?;
                wait();
                nodes.lab.deaf(one, other, false)?;
            }
            Flap => {
                for _ in 0..8 {
                    nodes.lab.cable(target, false)?;
                    std::thread::sleep(Duration::from_millis(100 + random.below(500)));
                    nodes.lab.cable(target, true)?;
                    std::thread::sleep(Duration::from_millis(100 + random.below(500)));
                }
            }
            Full => {
                let filler = nodes.all[target - 1].settings.data.join("filler");
                fill(&filler)?;
                wait();
                std::fs::remove_file(&filler)?;
            }
        }
        Ok(match self {
            Apart | OneWay => format!("{} {one} {other}", self.name()),
            KillAll => self.name(),
            _ => format!("{} {target}", self.name()),
        })
    }
}

/// Takes all room there is.
fn fill(at: &Path) -> Outcome {
    let mut file = File::create(at)?;
    let zeros = vec![0; 1 << 20];
    loop {
        match file.write_all(&zeros) {
            Ok(()) => {}
            Err(why) if why.kind() == ErrorKind::StorageFull => return Ok(()),
            Err(why) => return Err(why.into()),
        }
    }
}
