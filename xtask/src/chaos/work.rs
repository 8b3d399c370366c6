//! Clients that read and write registers (objects) at every node, and note what they saw.

use super::history::{Entry, Op, State};
use crate::client::{Call, CallError, Client, element};
use crate::content::{self, Random};
use crate::http::Answer;
use crate::sign::{Key, encode};
use std::collections::{BTreeSet, HashMap};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The bucket of everything.
pub const BUCKET: &str = "chaos";
/// How long a client waits for anything: an operation that takes longer is one of which nothing is known.
const PATIENCE: Duration = Duration::from_secs(12);
/// Registers that are used at a time.
const REGISTERS: u64 = 8;
/// After so many operations of all clients others are used, so that a history stays short enough to be checked.
const TURN: u64 = 1_500;
/// Operations of a client in a second at most: the disk is to last for a long run.
const PACE: Duration = Duration::from_millis(15);

/// What all clients have in common.
pub struct Shared {
    pub began: Instant,
    pub addresses: Vec<SocketAddr>,
    pub key: Key,
    pub stop: AtomicBool,
    /// Operations begun.
    pub begun: AtomicU64,
    pub answered: AtomicU64,
    pub unknown: AtomicU64,
    /// Histories by register.
    pub histories: Mutex<HashMap<String, Vec<Entry>>>,
    /// What was wrong in itself, whatever the history.
    pub findings: Mutex<Vec<String>>,
}

impl Shared {
    pub fn new(addresses: Vec<SocketAddr>, key: Key) -> Self {
        Self {
            began: Instant::now(),
            addresses,
            key,
            stop: AtomicBool::new(false),
            begun: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            histories: Mutex::default(),
            findings: Mutex::default(),
        }
    }

    pub fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub fn find(&self, what: String) {
        eprintln!("found: {what}");
        self.findings
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .push(what);
    }

    pub fn note(&self, register: &str, entry: Entry) {
        let mut histories = self
            .histories
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        histories.entry(register.to_owned()).or_default().push(entry);
    }
}

/// The bytes of a value: its number, and enough behind it to travel in each of the ways that there are.
fn body(value: u64, length: usize) -> Vec<u8> {
    let mut body = content::bytes(value, length);
    body[..8].copy_from_slice(&value.to_le_bytes());
    body
}

/// Which value some bytes are, if they are one as it was written.
fn value_of(bytes: &[u8]) -> Option<u64> {
    let value = u64::from_le_bytes(*bytes.first_chunk()?);
    (body(value, bytes.len()) == bytes).then_some(value)
}

/// One client; it works at one node for a while, then at another.
pub struct Worker<'a> {
    shared: &'a Shared,
    number: u32,
    random: Random,
    values: u64,
    node: usize,
    client: Client,
    /// What it put into a list of its own, answered, by where that list is.
    listed: (u64, BTreeSet<String>),
}

/// What is known of a call.
enum Known<T> {
    Done(T),
    /// It may or may not have been done.
    Maybe,
    /// It was refused, and nothing was done.
    Refused(u16),
    /// Nobody listens there: nothing was sent.
    NotSent,
}

impl<'a> Worker<'a> {
    pub fn new(shared: &'a Shared, number: u32, seed: u64) -> Self {
        let mut random = Random::new(seed.wrapping_add(u64::from(number) * 7_919));
        let node = random.below(shared.addresses.len() as u64) as usize;
        Self {
            shared,
            number,
            random,
            values: 0,
            node,
            client: Client::new(shared.addresses[node], &shared.key).with_patience(PATIENCE),
            listed: (u64::MAX, BTreeSet::new()),
        }
    }

    pub fn work(&mut self) {
        while !self.shared.stop.load(Ordering::Relaxed) {
            if self.random.below(20) == 0 {
                self.go_elsewhere();
            }
            let turn = self.shared.begun.fetch_add(1, Ordering::Relaxed) / TURN;
            let register = format!("r{turn}-{}", self.random.below(REGISTERS));
            match self.random.below(100) {
                0..=34 => self.put(&register),
                35..=69 => drop(self.get(&register)),
                70..=74 => self.delete(&register),
                75..=91 => self.swap(&register),
                _ => self.list(turn),
            }
            std::thread::sleep(PACE);
        }
    }

    fn go_elsewhere(&mut self) {
        self.node = self.random.below(self.shared.addresses.len() as u64) as usize;
        self.client = Client::new(self.shared.addresses[self.node], &self.shared.key).with_patience(PATIENCE);
    }

    fn known(&mut self, call: Call<Answer>) -> Known<Answer> {
        let known = match call {
            Ok(answer) if answer.head.status < 300 => Known::Done(answer),
            Ok(answer) if answer.head.status >= 500 => Known::Maybe,
            Ok(answer) => Known::Refused(answer.head.status),
            Err(CallError::Broken(why)) if why.kind() == ErrorKind::ConnectionRefused => Known::NotSent,
            Err(CallError::Broken(_)) => Known::Maybe,
            Err(other) => {
                self.shared.find(format!(
                    "client {} at node {}: {other}",
                    self.number,
                    self.node + 1
                ));
                Known::Maybe
            }
        };
        match known {
            Known::NotSent => self.go_elsewhere(),
            Known::Maybe => {
                self.shared.unknown.fetch_add(1, Ordering::Relaxed);
                // Whatever it was, the next is asked by somebody who is not waiting for it.
                self.go_elsewhere();
            }
            _ => drop(self.shared.answered.fetch_add(1, Ordering::Relaxed)),
        }
        known
    }

    fn note(&self, register: &str, op: Op, begin: u64, end: Option<u64>, node: usize) {
        let entry = Entry {
            op,
            begin,
            end,
            client: self.number,
            node: node as u32 + 1,
        };
        self.shared.note(register, entry);
    }

    fn new_value(&mut self) -> (u64, Vec<u8>) {
        self.values += 1;
        let value = u64::from(self.number) << 40 | self.values;
        let length = match self.random.below(400) {
            0..=3 => 1_500_000,
            4..=19 => 100_000,
            _ => 16 + self.random.below(2_000) as usize,
        };
        (value, body(value, length))
    }

    fn write(
        &mut self,
        register: &str,
        method: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        op: Op,
        miss: Option<Op>,
    ) {
        let (begin, node) = (self.shared.now(), self.node);
        let path = format!("/{BUCKET}/{register}");
        let call = self.client.send(method, &path, "", headers, body);
        let known = self.known(call);
        let end = Some(self.shared.now());
        match (known, miss) {
            (Known::Done(_), _) => self.note(register, op, begin, end, node),
            (Known::Maybe, _) => self.note(register, op, begin, None, node),
            (Known::Refused(412 | 404), Some(miss)) => self.note(register, miss, begin, end, node),
            // Two at the same time: S3's word for "try again".
            (Known::Refused(409), Some(_)) | (Known::NotSent, _) => {}
            (Known::Refused(status), _) => {
                self.shared
                    .find(format!("{method} {register} was answered {status}"));
            }
        }
    }

    fn put(&mut self, register: &str) {
        let (value, body) = self.new_value();
        self.write(register, "PUT", &[], &body, Op::Put(value), None);
    }

    fn delete(&mut self, register: &str) {
        self.write(register, "DELETE", &[], &[], Op::Delete, None);
    }

    /// What is there, with its ETag; nothing where that is not known.
    fn get(&mut self, register: &str) -> Option<(State, String)> {
        let (begin, node) = (self.shared.now(), self.node);
        let call = self
            .client
            .send("GET", &format!("/{BUCKET}/{register}"), "", &[], &[]);
        let (state, etag) = match self.known(call) {
            Known::Done(answer) => match value_of(&answer.body) {
                Some(value) => (
                    Some(value),
                    answer.head.get("etag").unwrap_or_default().to_owned(),
                ),
                None => {
                    let count = answer.body.len();
                    self.shared.find(format!(
                        "{register} at node {}: {count} bytes that nobody wrote",
                        node + 1
                    ));
                    return None;
                }
            },
            Known::Refused(404) => (None, String::new()),
            Known::Refused(status) => {
                self.shared.find(format!("GET {register} was answered {status}"));
                return None;
            }
            Known::Maybe | Known::NotSent => return None,
        };
        self.note(register, Op::Get(state), begin, Some(self.shared.now()), node);
        Some((state, etag))
    }

    fn swap(&mut self, register: &str) {
        let Some((from, etag)) = self.get(register) else {
            return;
        };
        let (value, body) = self.new_value();
        let header = match from {
            Some(_) => ("if-match", etag.as_str()),
            None => ("if-none-match", "*"),
        };
        self.write(
            register,
            "PUT",
            &[header],
            &body,
            Op::Swap(from, value),
            Some(Op::Miss(from)),
        );
    }

    /// Puts something new, and lists all of its own: at whichever node, what was answered has to be there.
    fn list(&mut self, turn: u64) {
        if self.listed.0 != turn {
            self.listed = (turn, BTreeSet::new());
        }
        let prefix = format!("l{turn}-{}/", self.number);
        let key = format!("{prefix}{}", self.values);
        self.values += 1;
        let call = self
            .client
            .send("PUT", &format!("/{BUCKET}/{key}"), "", &[], b"listed");
        if let Known::Done(_) = self.known(call) {
            self.listed.1.insert(key);
        }
        self.go_elsewhere();
        let node = self.node;
        let query = format!("list-type=2&prefix={}", encode(&prefix, false));
        let call = self.client.send("GET", &format!("/{BUCKET}"), &query, &[], &[]);
        let Known::Done(answer) = self.known(call) else {
            return;
        };
        let xml = String::from_utf8_lossy(&answer.body);
        let found: BTreeSet<&str> = xml
            .split("<Contents>")
            .skip(1)
            .filter_map(|entry| element(entry, "Key"))
            .collect();
        if let Some(lost) = self.listed.1.iter().find(|key| !found.contains(key.as_str())) {
            self.shared.find(format!(
                "node {} does not list {lost}, which was answered before",
                node + 1
            ));
        }
    }
}

/// Reads every register once more at every node, and notes that.
pub fn read_all(shared: &Shared) {
    let registers: Vec<String> = {
        let histories = shared
            .histories
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        histories.keys().cloned().collect()
    };
    for node in 0..shared.addresses.len() {
        let mut worker = Worker::new(shared, 1_000 + node as u32, 1);
        for register in &registers {
            worker.node = node;
            worker.client = Client::new(shared.addresses[node], &shared.key).with_patience(PATIENCE);
            if worker.get(register).is_none() {
                shared.find(format!("{register} cannot be read at node {}", node + 1));
            }
        }
    }
}
