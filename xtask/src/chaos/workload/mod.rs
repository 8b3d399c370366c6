//! What clients do while the cluster suffers, each in a thread of its own.
//!
//! Owns: the clients and what they are asked to remember. One file is one workload: `registers` (every operation
//! is recorded and checked for linearizability), `listing` (clients see their own writes in lists at every node),
//! `locks` (named locks, and writes fenced with their tokens; every call is recorded, and judged by `lock`).

pub mod listing;
pub mod locks;
pub mod registers;

use crate::client::{Client, element};
use crate::http::Answer;
use crate::sign::Key;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a client waits before it no longer knows.
const PATIENCE: Duration = Duration::from_secs(6);

/// What all clients share.
pub struct Field {
    /// Where each node that has data speaks S3, with its number.
    pub doors: Vec<(u8, SocketAddr)>,
    /// Where each of them answers the API, in the same order; none where they know no locks.
    pub apis: Vec<SocketAddr>,
    /// What they sign with.
    pub key: Key,
    /// The run's seed.
    pub seed: u64,
    /// The run's clock.
    pub clock: super::history::Clock,
    /// Set when they shall come to an end.
    pub over: AtomicBool,
    /// What no correct cluster answers, in words.
    pub findings: Mutex<Vec<String>>,
}

impl Field {
    /// A client of each node.
    pub fn clients(&self) -> Vec<Client> {
        self.doors
            .iter()
            .map(|(_, address)| Client::new(*address, &self.key).patience(PATIENCE))
            .collect()
    }

    /// The same, of the API.
    pub fn api_clients(&self, patience: Duration) -> Vec<Client> {
        let client = |address: &SocketAddr| Client::api(*address, &self.key).patience(patience);
        self.apis.iter().map(client).collect()
    }

    /// Whether it goes on.
    pub fn goes_on(&self) -> bool {
        !self.over.load(Ordering::Relaxed)
    }

    /// Something that must not be.
    pub fn finding(&self, what: String) {
        if let Ok(mut findings) = self.findings.lock() {
            println!("FOUND: {what}");
            findings.push(what);
        }
    }
}

/// How many operations came to what.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Answered as asked, or that the condition did not hold.
    pub done: u64,
    /// Asked for, and never known.
    pub unknown: u64,
    /// Refused, or not even asked: certainly not done.
    pub refused: u64,
    /// What servers said of those, by status and code.
    pub said: BTreeMap<String, u64>,
}

impl Tally {
    /// Notes an answer that is an error.
    pub fn note(&mut self, answer: &Answer) {
        let text = String::from_utf8_lossy(&answer.body);
        let problem: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let problem = problem.as_ref().and_then(|problem| problem["code"].as_str());
        let code = element(&text, "Code").or(problem).unwrap_or("no code");
        *self
            .said
            .entry(format!("{} {code}", answer.head.status))
            .or_default() += 1;
    }

    /// Both.
    pub fn add(&mut self, other: Self) {
        self.done += other.done;
        self.unknown += other.unknown;
        self.refused += other.refused;
        for (what, count) in other.said {
            *self.said.entry(what).or_default() += count;
        }
    }
}
