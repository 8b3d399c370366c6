//! After the faults: every node has everything, and all have the same.

use super::history::Operation;
use super::lock::history::Call;
use super::nodes::Nodes;
use super::workload::{Field, locks, registers};
use crate::Outcome;
use crate::client::Client;
use serde_json::Value;
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// How long all nodes may take to be whole again.
const WHOLE: Duration = Duration::from_secs(90);

/// Where each node with data answers the API; none where they come from a commit that has no locks.
pub fn apis(nodes: &Nodes) -> Outcome<Vec<SocketAddr>> {
    let apis: Option<Vec<SocketAddr>> = nodes.with_data().map(|node| node.api).collect();
    let apis = apis.ok_or("a node does not say where it answers the API")?;
    let first = apis.first().ok_or("no node has data")?;
    let answer = Client::api(*first, &nodes.key).send("GET", "/api/v1/locks", "", &[], b"")?;
    match answer.head.status {
        200 => Ok(apis),
        404 => Ok(Vec::new()),
        status => Err(format!("the API answers with {status} when asked for locks").into()),
    }
}

/// Has a new client acquire each lock, now that all is healed; answers how long that took at most.
pub fn locks_afresh(field: &Field) -> (Vec<Call>, Option<Duration>) {
    let (mut calls, mut most) = (Vec::new(), None);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..locks::LOCKS)
            .map(|lock| scope.spawn(move || locks::acquire_afresh(field, lock)))
            .collect();
        for one in all {
            match one.join() {
                Ok(Ok((own, took))) => {
                    calls.extend(own);
                    most = most.max(Some(took));
                }
                Ok(Err(why)) => field.finding(why),
                Err(_) => field.finding("a client of locks panicked".to_owned()),
            }
        }
    });
    (calls, most)
}

/// Waits until the nodes are whole and all their logs end the same.
pub fn converge(nodes: &mut Nodes) -> Outcome<Duration> {
    let begin = Instant::now();
    nodes.settle(WHOLE)?;
    loop {
        let heads = nodes.heads()?;
        if heads.windows(2).all(|two| two[0] == two[1]) {
            return Ok(begin.elapsed());
        }
        if begin.elapsed() > WHOLE {
            return Err(format!("the logs do not end the same:\n{}", heads.join("\n")).into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Reads every key that was ever used, at every node; what is found belongs to the histories.
pub fn read_all(field: &Field, operations: &[Operation]) -> Vec<Operation> {
    let keys: BTreeSet<u32> = operations.iter().map(|operation| operation.key).collect();
    let at_one = |door: usize| {
        let mut client = field.clients().swap_remove(door);
        let read = |key: &u32| registers::read_back(field, door, &mut client, *key);
        let (mut found, mut given_up) = (Vec::new(), 0);
        for answer in keys.iter().map(read) {
            match answer {
                Ok(operation) => found.push(operation),
                Err(why) => {
                    field.finding(why);
                    given_up += 1;
                }
            }
            // Each takes its time to be given up; a few are enough to know.
            if given_up > 3 {
                break;
            }
        }
        found
    };
    std::thread::scope(|scope| {
        let at_one = &at_one;
        let running: Vec<_> = (0..field.doors.len())
            .map(|door| scope.spawn(move || at_one(door)))
            .collect();
        let finish = |thread: std::thread::ScopedJoinHandle<'_, Vec<Operation>>| {
            thread.join().unwrap_or_else(|_| {
                field.finding("a reader panicked".to_owned());
                Vec::new()
            })
        };
        running.into_iter().flat_map(finish).collect()
    })
}

/// Each chain verifies, the views are what a rebuild gives, no block is damaged, and a clean stop is one. Also
/// answers how many stretches of packs hold no record: what a power cut left of writes that were not synced.
pub fn examine(nodes: &mut Nodes) -> (Vec<String>, usize) {
    let (mut wrong, mut holes) = (Vec::new(), 0);
    let json = |text: &str| serde_json::from_str::<Value>(text.trim()).unwrap_or_default();
    for node in nodes.with_data() {
        let number = node.number;
        let mut must =
            |words: &[&str], good: &mut dyn FnMut(&Value) -> bool| match node.ask_what_is_wrong(words) {
                Ok(said) if good(&json(&said)) => {}
                Ok(said) => wrong.push(format!("node {number}: `stead {}` says {said}", words.join(" "))),
                Err(why) => wrong.push(format!("node {number}: {why}")),
            };
        must(&["log", "verify", "--json"], &mut |said| said["ok"] == true);
        must(&["view", "rebuild", "--json"], &mut |said| said["equal"] == true);
        must(&["scrub", "--json"], &mut |said| {
            let Some(damaged) = said["damaged"].as_array() else {
                return false;
            };
            let nothing_lost = damaged.iter().all(|one| one["cid"].is_null());
            holes += damaged.len();
            damaged.is_empty() || (nothing_lost && node.forgets())
        });
    }
    for node in &mut nodes.all {
        wrong.extend(node.stop().err().map(|why| why.to_string()));
    }
    (wrong, holes)
}
