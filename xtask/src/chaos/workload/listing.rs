//! A client with keys of its own sees in a list, at every node, exactly what it was told is there.

use super::{Field, Tally};
use crate::client::{CallError, Client};
use crate::content::{self, Random};
use std::collections::BTreeMap;
use std::time::Duration;

/// Their bucket.
pub const BUCKET: &str = "listing";
/// Keys that it works with at a time.
const KEYS: usize = 24;

/// One client.
pub struct Listing<'a> {
    field: &'a Field,
    number: usize,
    random: Random,
    clients: Vec<Client>,
    /// The names that are worked with.
    names: Vec<String>,
    made: u64,
    /// What is there for certain, with its size.
    there: BTreeMap<String, u64>,
    /// What may be there or not, for ever: a write that nobody waited for may come at any time.
    perhaps: Vec<String>,
    /// Lists that were compared.
    pub compared: u64,
    /// What came of writes.
    pub tally: Tally,
}

impl<'a> Listing<'a> {
    /// Client `number`.
    pub fn new(field: &'a Field, number: usize) -> Self {
        let mut listing = Self {
            field,
            number,
            random: Random::new(field.seed ^ (number as u64 + 1).wrapping_mul(104_729)),
            clients: field.clients(),
            names: Vec::new(),
            made: 0,
            there: BTreeMap::new(),
            perhaps: Vec::new(),
            compared: 0,
            tally: Tally::default(),
        };
        listing.names = (0..KEYS).map(|_| listing.name()).collect();
        listing
    }

    fn prefix(&self) -> String {
        format!("own-{}/", self.number)
    }

    fn name(&mut self) -> String {
        self.made += 1;
        format!("{}{:06}", self.prefix(), self.made)
    }

    /// Works until the run is over.
    pub fn work(&mut self) {
        while self.field.goes_on() {
            for _ in 0..1 + self.random.below(4) {
                self.write();
            }
            let door = self.random.below(self.clients.len() as u64) as usize;
            if !self.compare(door) {
                std::thread::sleep(Duration::from_millis(100));
            }
            std::thread::sleep(Duration::from_millis(self.random.below(60)));
        }
    }

    fn write(&mut self) {
        let at = self.random.below(KEYS as u64) as usize;
        let door = self.random.below(self.clients.len() as u64) as usize;
        let client = &mut self.clients[door];
        if client.connect().is_err() {
            self.tally.refused += 1;
            return;
        }
        let name = self.names[at].clone();
        let length = 1 + self.random.below(2_000);
        let delete = self.random.below(3) == 0;
        let done = match delete {
            true => client.delete(BUCKET, &name),
            false => client
                .put(BUCKET, &name, &content::bytes(length, length as usize))
                .map(drop),
        };
        match done {
            Ok(()) => {
                self.tally.done += 1;
                match delete {
                    true => self.there.remove(&name),
                    false => self.there.insert(name, length),
                };
            }
            Err(CallError::Refused(400..=499, _)) => self.tally.refused += 1,
            Err(_) => {
                self.tally.unknown += 1;
                self.there.remove(&name);
                self.perhaps.push(name);
                self.names[at] = self.name();
            }
        }
    }

    /// Whether a list at that node is what it should be; false where there is none to be had.
    pub fn compare(&mut self, door: usize) -> bool {
        let prefix = self.prefix();
        let Ok(listed) = self.clients[door].list_below(BUCKET, &prefix) else {
            return false;
        };
        let certain = |name: &String| !self.perhaps.contains(name);
        let listed: BTreeMap<String, u64> = listed.into_iter().filter(|(name, _)| certain(name)).collect();
        self.compared += 1;
        if listed != self.there {
            let missing: Vec<_> = self
                .there
                .iter()
                .filter(|(name, size)| listed.get(*name) != Some(size))
                .collect();
            let extra: Vec<_> = listed
                .iter()
                .filter(|(name, _)| !self.there.contains_key(*name))
                .collect();
            let node = self.field.doors[door].0;
            let at_ms = self.field.clock.now_ns() / 1_000_000;
            self.field.finding(format!(
                "at {at_ms} ms the list of {prefix} at node {node} is wrong: missing or of another size \
                 {missing:?}, too many {extra:?}"
            ));
        }
        true
    }

    /// The same at every node, until each has answered.
    pub fn compare_everywhere(&mut self) {
        for door in 0..self.clients.len() {
            let answered = (0..60).any(|_| {
                let answered = self.compare(door);
                if !answered {
                    std::thread::sleep(Duration::from_millis(500));
                }
                answered
            });
            if !answered {
                let node = self.field.doors[door].0;
                self.field
                    .finding(format!("node {node} lists nothing after all healed"));
            }
        }
    }
}
