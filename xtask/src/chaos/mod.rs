//! `cargo xtask chaos`: a cluster of real processes under load, to which things happen that happen to clusters.
//!
//! Promises: every run names its seed; the history of every register is checked, as seen by all clients at all
//! nodes; at the end everything is read once more at every node, and every node's log is verified. What was found is
//! written down, and the exit code says so.
//! Never: counts what could not be decided as good.

mod checker;
mod faults;
mod history;
mod lab;
mod nodes;
mod work;

use crate::args::Args;
use crate::content::Random;
use crate::server::{Build, binary};
use crate::{Outcome, paths, process};
use checker::Verdict;
use faults::Fault;
use history::Entry;
use nodes::Nodes;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use work::{BUCKET, Shared, Worker};

/// Clients at work.
const CLIENTS: u32 = 6;

/// `cargo xtask chaos [--minutes N] [--seed N] [--nodes N] [--witness] [--json]`
pub fn run(mut args: Args) -> Outcome {
    let seconds = 60 * args.number("--minutes", 3)?;
    let seed = args.number("--seed", Random::fresh_seed() % 1_000_000)?;
    let count = usize::try_from(args.number("--nodes", 3)?)?;
    let (witness, json) = (args.flag("--witness"), args.flag("--json"));
    args.done()?;
    if !(3..=7).contains(&count) {
        return Err("a run has 3 to 7 nodes".into());
    }
    // Built outside: inside there is no network.
    let binary = binary(Build::Test)?;
    if let Some(code) = lab::enter()? {
        return match code {
            0 => Ok(()),
            code => Err(format!("the run inside ended with {code}").into()),
        };
    }
    let dir = paths::scratch("chaos")?;
    let mut nodes = Nodes::form(&binary, &dir, count, witness)?;
    let where_ = if nodes.lab.has_cables() {
        "in a network of its own"
    } else {
        "on the loopback: this machine allows no network of its own, so no cable is pulled and no disk filled"
    };
    println!(
        "chaos: {count} nodes{} {where_}, seed {seed}",
        if witness { ", one a witness," } else { "" }
    );
    let shared = Shared::new(nodes.addresses()?, nodes.key.clone());
    let made = nodes.all[0]
        .server
        .as_ref()
        .ok_or("it does not run")?
        .client()
        .create_bucket(BUCKET);
    made?;
    let happened = std::thread::scope(|scope| {
        for number in 1..=CLIENTS {
            let mut worker = Worker::new(&shared, number, seed);
            scope.spawn(move || worker.work());
        }
        let happened = happen(&mut nodes, seed, Duration::from_secs(seconds));
        shared.stop.store(true, Ordering::SeqCst);
        happened
    })?;
    nodes.settle()?;
    work::read_all(&shared);
    verify(&nodes, &shared)?;
    let report = Report::of(seed, &happened, &shared, &dir)?;
    report.print(json);
    report.outcome()
}

/// One fault after the other, until the time is over. Answers how often each happened.
fn happen(nodes: &mut Nodes, seed: u64, long: Duration) -> Outcome<BTreeMap<String, u64>> {
    let mut random = Random::new(seed ^ 0xFA17);
    let until = Instant::now() + long;
    let mut happened = BTreeMap::new();
    while Instant::now() < until {
        std::thread::sleep(Duration::from_millis(1_000 + random.below(3_000)));
        let fault = Fault::draw(&mut random, nodes.lab.has_cables());
        let what = fault
            .happen(nodes, &mut random)
            .map_err(|why| format!("{}: {why}", fault.name()))?;
        println!(
            "  {:7.1} s left: {what}",
            until.saturating_duration_since(Instant::now()).as_secs_f64()
        );
        *happened.entry(fault.name()).or_insert(0) += 1;
        nodes.check_alive()?;
    }
    Ok(happened)
}

/// Has every node verify its log.
fn verify(nodes: &Nodes, shared: &Shared) -> Outcome {
    for (at, node) in nodes.all.iter().enumerate() {
        if let Err(why) = process::output(&mut node.settings.stead(&["log", "verify"])) {
            shared.find(format!("node {}: {why}", at + 1));
        }
    }
    Ok(())
}

/// What a run found.
struct Report {
    seed: u64,
    happened: BTreeMap<String, u64>,
    registers: usize,
    answered: u64,
    unknown: u64,
    undecided: usize,
    findings: Vec<String>,
}

impl Report {
    fn of(
        seed: u64,
        happened: &BTreeMap<String, u64>,
        shared: &Shared,
        dir: &std::path::Path,
    ) -> Outcome<Self> {
        let histories = shared.histories.lock().map_err(|_| "a client panicked")?;
        let mut findings = shared.findings.lock().map_err(|_| "a client panicked")?.clone();
        let mut undecided = 0;
        for (register, history) in histories.iter() {
            match checker::check(history) {
                Verdict::Good => {}
                Verdict::Undecided => undecided += 1,
                Verdict::Bad(unexplained) => {
                    let file = dir.join(format!("{register}.history"));
                    std::fs::write(&file, text(history))?;
                    findings.push(format!(
                        "{register} is not linearizable; not explained, of what is in {}:\n{}",
                        file.display(),
                        text(&unexplained[..unexplained.len().min(12)])
                    ));
                }
            }
        }
        Ok(Self {
            seed,
            happened: happened.clone(),
            registers: histories.len(),
            answered: shared.answered.load(Ordering::Relaxed),
            unknown: shared.unknown.load(Ordering::Relaxed),
            undecided,
            findings,
        })
    }

    fn print(&self, json: bool) {
        let faults: u64 = self.happened.values().sum();
        if json {
            let value = serde_json::json!({
                "seed": self.seed,
                "faults": self.happened,
                "registers": self.registers,
                "answered": self.answered,
                "unknown": self.unknown,
                "undecided": self.undecided,
                "findings": self.findings,
            });
            println!("{value}");
            return;
        }
        let kinds: Vec<String> = self
            .happened
            .iter()
            .map(|(name, count)| format!("{name} {count}"))
            .collect();
        println!("faults: {faults} ({})", kinds.join(", "));
        println!(
            "operations: {} answered, {} of which nothing is known; {} registers checked, {} not decided",
            self.answered, self.unknown, self.registers, self.undecided
        );
        for finding in &self.findings {
            println!("found: {finding}");
        }
    }

    fn outcome(&self) -> Outcome {
        if self.findings.is_empty() && self.undecided == 0 && self.registers > 0 {
            println!(
                "seed {}: every history is linearizable, nothing acknowledged was lost",
                self.seed
            );
            return Ok(());
        }
        Err(format!(
            "seed {}: {} findings, {} histories not decided",
            self.seed,
            self.findings.len(),
            self.undecided
        )
        .into())
    }
}

fn text(history: &[Entry]) -> String {
    let mut sorted = history.to_vec();
    sorted.sort_by_key(|entry| entry.begin);
    let mut text = String::new();
    for entry in sorted {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{entry}");
    }
    text
}
