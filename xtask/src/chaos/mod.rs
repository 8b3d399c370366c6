//! `cargo xtask chaos`: a cluster of real processes under load and faults, and a check of all that clients saw.
//!
//! Owns: the run. Faults come one or two at a time, with calm between them (`faults`, `hand`); meanwhile clients
//! read and write through every node (`workload`). At the end all is healed, every node reads every key, and each
//! key's history must be linearizable (`register`, `checker`), every list right, every chain whole, all heads equal.
//! Promises: the seed gives the same faults in the same order and the same operations (not the same timing); what
//! a machine cannot do is left out and said. A finding is an error, with the history in a file.
//! Never: leaves processes, mounts or networks behind, or looks into what nodes store.

mod checker;
mod faults;
mod finish;
mod hand;
mod history;
mod network;
mod nodes;
mod register;
mod report;
mod verdict;
mod workload;

use crate::args::Args;
use crate::content::Random;
use crate::server::{Build, binary};
use crate::{Outcome, paths};
use faults::{Fault, Faults};
use hand::Hand;
use history::{Clock, Operation};
use network::Network;
use nodes::{Nodes, Plan};
use report::Report;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use workload::listing::{self, Listing};
use workload::registers::{self, Registers};
use workload::{Field, Tally};

/// Clients of registers, for each node that has data.
const CLIENTS: u16 = 3;
/// Clients that list.
const LISTERS: usize = 2;

/// What was asked for.
struct Wanted {
    minutes: u64,
    seed: u64,
    nodes: usize,
    witness: bool,
    power_cut: bool,
    json: bool,
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
        if !nodes::clocks_can_be_set() {
            left_out.push("clock jumps: they need Debian's package faketime".to_owned());
        }
        if !self.power_cut {
            left_out.push(
                "full and slow disks, and forgetting what was not synced: --power-cut has them".to_owned(),
            );
        }
        let possible = |fault: &Fault| {
            (network.is_lab() || !fault.of_the_network())
                && (nodes::clocks_can_be_set() || *fault != Fault::Clock)
                && (self.power_cut || !fault.of_the_disk())
                && (self.only.is_empty() || self.only.contains(fault))
        };
        (Fault::ALL.into_iter().filter(possible).collect(), left_out)
    }
}

/// `cargo xtask chaos [--minutes N] [--seed N] [--nodes N] [--witness] [--power-cut] [--fault NAME]... [--json]`,
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
    let name = format!(
        "chaos-{}{}{}",
        wanted.seed,
        if wanted.witness { "-witness" } else { "" },
        if wanted.power_cut { "-power-cut" } else { "" }
    );
    let work = paths::scratch(&name)?;
    let report = cluster(&wanted, &binary, &work)?;
    match wanted.json {
        true => println!("{}", report.json()),
        false => println!("{}", report.text()),
    }
    if report.wrong.is_empty() {
        std::fs::remove_dir_all(&work)?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("left as it is: {}", work.display());
    Ok(ExitCode::FAILURE)
}

fn cluster(wanted: &Wanted, binary: &Path, work: &Path) -> Outcome<Report> {
    let mut network = Network::new()?;
    let plan = Plan {
        binary,
        work,
        count: wanted.nodes,
        witness: wanted.witness,
        power_cut: wanted.power_cut,
    };
    let mut nodes = Nodes::form(&plan, &mut network)?;
    let mut founder = nodes.client(&nodes.all[0]);
    for bucket in [registers::BUCKET, listing::BUCKET, hand::PROBES] {
        founder.create_bucket(bucket)?;
    }
    let field = Field {
        doors: nodes
            .with_data()
            .map(|node| (node.number as u8, node.address))
            .collect(),
        key: nodes.key.clone(),
        seed: wanted.seed,
        clock: Clock::start(),
        over: AtomicBool::new(false),
        findings: Mutex::new(Vec::new()),
    };
    let (possible, left_out) = wanted.possible(&network);
    let mut report = Report {
        seed: wanted.seed,
        about: wanted.about(),
        left_out,
        ..Report::default()
    };
    let faults = Faults::new(wanted.seed, possible, wanted.nodes);
    let mut hand = Hand::new(&mut nodes, &network, wanted.seed);
    let (operations, listings) = load(&field, &mut hand, faults, wanted, &mut report);
    settle(&field, &mut nodes, operations, listings, work, &mut report)?;
    Ok(report)
}

/// The clients at work, and the hand among the nodes. What went wrong for the hand is in the report.
fn load<'a>(
    field: &'a Field,
    hand: &mut Hand<'_>,
    faults: Faults,
    wanted: &Wanted,
    report: &mut Report,
) -> (Vec<Operation>, Vec<Listing<'a>>) {
    let mut clients: Vec<Registers<'_>> = (1..=CLIENTS * field.doors.len() as u16)
        .map(|number| Registers::new(field, number))
        .collect();
    let mut listings: Vec<Listing<'_>> = (1..=LISTERS).map(|number| Listing::new(field, number)).collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        clients
            .iter_mut()
            .for_each(|client| drop(scope.spawn(|| client.work())));
        listings
            .iter_mut()
            .for_each(|listing| drop(scope.spawn(|| listing.work())));
        let time = Duration::from_secs(60 * wanted.minutes);
        for round in faults {
            let left = time.saturating_sub(begin.elapsed());
            if left < Duration::from_secs(5) {
                break;
            }
            if left < round.calm + round.hold {
                continue; // the next one may be shorter
            }
            if let Err(why) = hand.round(&round) {
                report.wrong.push(why.to_string());
                break;
            }
        }
        // However it went, the rest is looked at with all healed.
        if let Err(why) = hand.heal() {
            report.wrong.push(why.to_string());
        }
        field.over.store(true, Ordering::SeqCst);
    });
    report.took = begin.elapsed();
    report.faults.clone_from(&hand.counts);
    report.recoveries.clone_from(&hand.recoveries);
    report.dropped = hand.dropped;
    let mut operations = Vec::new();
    for client in clients {
        operations.extend(client.operations);
        report.registers.add(client.tally);
    }
    (operations, listings)
}

/// After the load: the nodes become whole, everything is read everywhere and judged.
fn settle(
    field: &Field,
    nodes: &mut Nodes,
    mut operations: Vec<Operation>,
    listings: Vec<Listing<'_>>,
    work: &Path,
    report: &mut Report,
) -> Outcome {
    match finish::converge(nodes) {
        Ok(took) => report.converged = Some(took),
        Err(why) => report.wrong.push(why.to_string()),
    }
    let last = finish::read_all(field, &operations);
    operations.extend(last);
    let mut listed = Tally::default();
    for mut listing in listings {
        listing.compare_everywhere();
        report.lists += listing.compared;
        listed.add(std::mem::take(&mut listing.tally));
    }
    report.listing = listed;
    report.recorded = operations.len();
    report.judged = verdict::judge(&operations, work)?;
    report.wrong.extend(report.judged.violations.iter().cloned());
    let undecided = report.judged.undecided.iter();
    report
        .wrong
        .extend(undecided.map(|key| format!("the search on the history of {key} was given up")));
    report.wrong.extend(finish::examine(nodes));
    if let Ok(mut findings) = field.findings.lock() {
        report.wrong.append(&mut findings);
    }
    if report.registers.done == 0 {
        report.wrong.push("nothing was ever done".to_owned());
    }
    Ok(())
}
