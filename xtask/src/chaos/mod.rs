//! `cargo xtask chaos`: a cluster of real processes under load and faults, and a check of all that clients saw.
//!
//! Owns: the command. Faults come one or two at a time, with calm between them (`faults`, `hand`); meanwhile clients
//! read and write through every node (`workload`). At the end all is healed, every node reads every key, and each
//! key's history must be linearizable (`register`, `checker`), every list right, every chain whole, all heads equal.
//! Promises: the seed gives the same faults in the same order (the machine's timing is its own); what a machine
//! cannot do is left out and said. A finding is an error, with the history in a file.
//! Never: leaves processes, mounts or networks behind, or looks into what nodes store.

mod checker;
mod faults;
mod finish;
mod hand;
mod history;
mod lock;
mod network;
mod node;
mod nodes;
mod register;
mod report;
mod trial;
pub mod upgrade;
mod verdict;
mod workload;

use crate::args::Args;
use crate::content::Random;
use crate::server::{Build, binary};
use crate::{Outcome, paths};
use faults::{Fault, Faults};
use hand::Hand;
use network::Network;
use nodes::Plan;
use report::Report;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What was asked for.
struct Wanted {
    minutes: u64,
    seed: u64,
    nodes: usize,
    witness: bool,
    power_cut: bool,
    json: bool,
    /// Leaves the directory, with the longest history in it, also where nothing is wrong.
    keep: bool,
    /// Only these kinds; all where there are none.
    only: Vec<Fault>,
}

impl Wanted {
    fn of(args: &mut Args) -> Outcome<Self> {
        let named =
            |name: String| Fault::named(&name).ok_or_else(|| format!("there is no fault {name:?}").into());
        let wanted = Self {
            minutes: args.number("--minutes", 3)?,
            seed: args.number("--seed", Random::fresh_seed() % 1_000_000)?,
            nodes: args.number("--nodes", 3)? as usize,
            witness: args.flag("--witness"),
            power_cut: args.flag("--power-cut"),
            json: args.flag("--json"),
            keep: args.flag("--keep"),
            only: args
                .values("--fault")?
                .into_iter()
                .map(named)
                .collect::<Outcome<_>>()?,
        };
        if !matches!(wanted.nodes, 3 | 5) {
            return Err("--nodes is 3 or 5: so many vote that each of them counts".into());
        }
        Ok(wanted)
    }

    /// The same again, on the command line of the process inside.
    fn arguments(&self) -> Vec<String> {
        let mut words = vec!["chaos".to_owned()];
        let numbers = [
            ("minutes", self.minutes),
            ("seed", self.seed),
            ("nodes", self.nodes as u64),
        ];
        words.extend(numbers.map(|(name, value)| format!("--{name}={value}")));
        let flags = [
            ("witness", self.witness),
            ("power-cut", self.power_cut),
            ("json", self.json),
            ("keep", self.keep),
        ];
        words.extend(
            flags
                .iter()
                .filter(|(_, on)| *on)
                .map(|(name, _)| format!("--{name}")),
        );
        words.extend(self.only.iter().map(|fault| format!("--fault={}", fault.name())));
        words
    }

    fn directory(&self) -> String {
        let witness = if self.witness { "-witness" } else { "" };
        let power_cut = if self.power_cut { "-power-cut" } else { "" };
        format!("chaos-{}{witness}{power_cut}", self.seed)
    }

    fn about(&self) -> String {
        let disks = if self.power_cut {
            ", disks that forget what was not synced"
        } else {
            ""
        };
        match self.witness {
            true => format!("{} nodes and a witness{disks}", self.nodes - 1),
            false => format!("{} nodes{disks}", self.nodes),
        }
    }

    /// The kinds of faults that this machine and these disks allow, and what is left out for which reason.
    fn possible(&self, network: &Network) -> (Vec<Fault>, Vec<String>) {
        let mut left_out = Vec::new();
        if let Some(why) = network.shortcoming() {
            left_out.push(format!(
                "faults of the network, on loopback: no namespaces here ({why})"
            ));
        }
        if !node::clocks_can_be_set() {
            left_out.push("clock jumps: they need Debian's package faketime".to_owned());
        }
        if !self.power_cut {
            left_out.push(
                "full and slow disks, and forgetting what was not synced: --power-cut has them".to_owned(),
            );
        }
        let possible = |fault: &Fault| {
            (network.is_lab() || !fault.of_the_network())
                && (node::clocks_can_be_set() || *fault != Fault::Clock)
                && (self.power_cut || !fault.of_the_disk())
                && (self.only.is_empty() || self.only.contains(fault))
        };
        (Fault::ALL.into_iter().filter(possible).collect(), left_out)
    }
}

/// `cargo xtask chaos [--minutes N] [--seed N] [--nodes N] [--witness] [--power-cut] [--fault NAME]... [--keep] [--json]`,
/// or `--check FILE`: judges a history that an earlier run wrote down.
pub fn run(mut args: Args) -> Outcome<ExitCode> {
    let saved = args.values("--check")?;
    let wanted = Wanted::of(&mut args)?;
    args.done()?;
    if !saved.is_empty() {
        return verdict::check_files(&saved);
    }
    let binary = binary(Build::Test)?;
    if let Some(code) = network::enter(&wanted.arguments(), &binary)? {
        return Ok(code);
    }
    println!(
        "chaos: {}, {} minutes, --seed {}",
        wanted.about(),
        wanted.minutes,
        wanted.seed
    );
    let work = paths::scratch(&wanted.directory())?;
    let network = Network::new()?;
    let (possible, left_out) = wanted.possible(&network);
    let mut report = Report {
        seed: wanted.seed,
        about: wanted.about(),
        left_out,
        ..Report::default()
    };
    let plan = Plan {
        binary: &binary,
        work: &work,
        count: wanted.nodes,
        witness: wanted.witness,
        power_cut: wanted.power_cut,
    };
    let all = Faults::new(wanted.seed, possible, wanted.nodes);
    let time = Duration::from_secs(60 * wanted.minutes);
    trial::trial(&plan, network, wanted.seed, &mut report, |hand| {
        faults(hand, all, time)
    })?;
    ended(&report, wanted.json, wanted.keep, &work)
}

/// Says what a run came to; a directory in which something went wrong is left.
fn ended(report: &Report, json: bool, keep: bool, work: &Path) -> Outcome<ExitCode> {
    match json {
        true => println!("{}", report.json()),
        false => println!("{}", report.text()),
    }
    let well = report.wrong.is_empty();
    if well && !keep {
        std::fs::remove_dir_all(work)?;
    } else {
        println!("left as it is: {}", work.display());
    }
    Ok(if well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Faults until the time is over.
fn faults(hand: &mut Hand<'_>, faults: Faults, time: Duration) -> Outcome {
    let begin = Instant::now();
    for round in faults {
        let left = time.saturating_sub(begin.elapsed());
        if left < Duration::from_secs(5) {
            break;
        }
        if left < round.calm + round.hold {
            continue; // the next one may be shorter
        }
        hand.round(&round)?;
    }
    Ok(())
}
