//! One run: a cluster is formed, clients work while something happens to it, and all that they saw is judged.
//!
//! Promises: however it goes, the clients come to an end and what they saw so far is judged.

use super::finish;
use super::hand::{Hand, PROBES};
use super::history::{Clock, Operation};
use super::lock;
use super::network::Network;
use super::nodes::{Nodes, Plan};
use super::report::Report;
use super::verdict;
use super::workload::listing::{self, Listing};
use super::workload::locks::{self, Locks};
use super::workload::registers::{self, Registers};
use super::workload::{Field, Tally};
use crate::Outcome;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Clients of registers, for each node that has data.
const CLIENTS: u16 = 3;
/// Clients that list.
const LISTERS: usize = 2;

/// Forms the cluster, does `meanwhile` to it under load, heals it, and looks at everything.
pub fn trial(
    plan: &Plan<'_>,
    mut network: Network,
    seed: u64,
    report: &mut Report,
    meanwhile: impl FnOnce(&mut Hand<'_>) -> Outcome,
) -> Outcome {
    let mut nodes = Nodes::form(plan, &mut network)?;
    let mut founder = nodes.client(&nodes.all[0]);
    for bucket in [registers::BUCKET, listing::BUCKET, locks::BUCKET, PROBES] {
        founder.create_bucket(bucket)?;
    }
    let field = Field {
        doors: nodes
            .with_data()
            .map(|node| (node.number as u8, node.address))
            .collect(),
        apis: finish::apis(&nodes)?,
        key: nodes.key.clone(),
        seed,
        clock: Clock::start(),
        over: AtomicBool::new(false),
        findings: Mutex::new(Vec::new()),
    };
    let mut hand = Hand::new(&mut nodes, &network, seed);
    let seen = load(&field, &mut hand, report, meanwhile);
    judge(&field, &mut nodes, seen, plan, report)
}

/// What clients saw.
struct Seen<'a> {
    operations: Vec<Operation>,
    listings: Vec<Listing<'a>>,
    calls: Vec<lock::history::Call>,
}

/// The clients at work, and the hand among the nodes. What went wrong for the hand is in the report.
fn load<'a>(
    field: &'a Field,
    hand: &mut Hand<'_>,
    report: &mut Report,
    meanwhile: impl FnOnce(&mut Hand<'_>) -> Outcome,
) -> Seen<'a> {
    let mut clients: Vec<Registers<'_>> = (1..=CLIENTS * field.doors.len() as u16)
        .map(|number| Registers::new(field, number))
        .collect();
    let mut listings: Vec<Listing<'_>> = (1..=LISTERS).map(|number| Listing::new(field, number)).collect();
    let lockers = locks::CLIENTS * field.apis.len() as u16;
    let mut locking: Vec<Locks<'_>> = (1..=lockers).map(|number| Locks::new(field, number)).collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for client in &mut clients {
            scope.spawn(|| client.work());
        }
        for listing in &mut listings {
            scope.spawn(|| listing.work());
        }
        for locks in &mut locking {
            scope.spawn(|| locks.work());
        }
        let went = meanwhile(hand);
        // However it went, the rest is looked at with all healed.
        let healed = hand.heal();
        report.wrong.extend(
            [went, healed]
                .into_iter()
                .filter_map(Outcome::err)
                .map(|why| why.to_string()),
        );
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
    let mut calls = Vec::new();
    for (own, tally) in locking.into_iter().map(Locks::into_parts) {
        calls.extend(own);
        report.locking.add(tally);
    }
    Seen {
        operations,
        listings,
        calls,
    }
}

/// After the load: the nodes become whole, everything is read everywhere and judged.
fn judge(field: &Field, nodes: &mut Nodes, seen: Seen<'_>, plan: &Plan<'_>, report: &mut Report) -> Outcome {
    let Seen {
        mut operations,
        listings,
        mut calls,
    } = seen;
    if !field.apis.is_empty() {
        let (afresh, took) = finish::locks_afresh(field);
        calls.extend(afresh);
        report.fresh_lock = took;
    }
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
    report.judged = verdict::judge(&operations, plan.work)?;
    report.wrong.extend(report.judged.violations.iter().cloned());
    let undecided = report.judged.undecided.iter();
    report
        .wrong
        .extend(undecided.map(|key| format!("the search on the history of {key} was given up")));
    if !field.apis.is_empty() {
        calls.extend(locks::read_back(field));
        let judged = lock::verdict::verdict(&calls, plan.work)?;
        report.wrong.extend(judged.violations.iter().cloned());
        report.locks = Some(judged);
    }
    let (wrong, holes) = finish::examine(nodes);
    report.wrong.extend(wrong);
    report.holes = holes;
    if let Ok(mut findings) = field.findings.lock() {
        report.wrong.append(&mut findings);
    }
    if report.registers.done == 0 {
        report.wrong.push("nothing was ever done".to_owned());
    }
    Ok(())
}
