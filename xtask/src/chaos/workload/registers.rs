//! A register per key: unique values put, read, deleted, and swapped under a condition, by clients that share the
//! keys and go to any node.

use super::{Field, Tally};
use crate::chaos::history::{Kind, Operation, Outcome, Value};
use crate::client::{CallError, Client, element};
use crate::content::{self, Random};
use crate::http::Answer;
use std::collections::HashMap;
use std::time::{Duration, Instant};

/// Their bucket.
pub const BUCKET: &str = "registers";
/// Keys at a time.
const KEYS: u64 = 6;
/// Other keys every so often: a history is searched the faster the shorter it is.
const GENERATION_NS: u64 = 12_000_000_000;
/// How long a node may take to answer one of the last reads.
const READ_BACK: Duration = Duration::from_secs(30);
/// The value that says that what was found is none that anybody put.
const NONSENSE: Value = Value::MAX - 1;

/// The name of a key.
pub fn name(key: u32) -> String {
    format!("{:05}/key-{}", u64::from(key) / KEYS, u64::from(key) % KEYS)
}

/// The bytes of a value, which say which value it is. Mostly small, some too large to travel beside their event.
pub fn body(value: Value) -> Vec<u8> {
    let mut random = Random::new(value);
    let length = match random.below(1_000) {
        0..880 => random.below(4_000),
        880..930 => random.below(65_000),
        930..992 => 65_537 + random.below(200_000),
        _ => (1 << 20) + random.below(3 << 20),
    };
    let mut bytes = value.to_le_bytes().to_vec();
    bytes.extend(content::bytes(value, length as usize));
    bytes
}

/// Which value these bytes are.
pub fn value(bytes: &[u8]) -> Option<Value> {
    let value = Value::from_le_bytes(bytes.get(..8)?.try_into().ok()?);
    (body(value) == bytes).then_some(value)
}

/// One client.
pub struct Registers<'a> {
    field: &'a Field,
    number: u16,
    random: Random,
    clients: Vec<Client>,
    next: u64,
    generation: u64,
    /// Of the keys of this generation: the last value that this client knows of, and its ETag.
    known: HashMap<u32, (Value, String)>,
    /// What it did.
    pub operations: Vec<Operation>,
    /// What came of it.
    pub tally: Tally,
}

impl<'a> Registers<'a> {
    /// Client `number`.
    pub fn new(field: &'a Field, number: u16) -> Self {
        Self {
            field,
            number,
            random: Random::new(field.seed.wrapping_add(u64::from(number) * 7_919)),
            clients: field.clients(),
            next: u64::from(number) << 32,
            generation: 0,
            known: HashMap::new(),
            operations: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Works until the run is over.
    pub fn work(&mut self) {
        while self.field.goes_on() {
            let generation = self.field.clock.now_ns() / GENERATION_NS;
            if generation != self.generation {
                (self.generation, self.known) = (generation, HashMap::new());
            }
            let key = (generation * KEYS + self.random.below(KEYS)) as u32;
            // Mostly the node that is its own; where that is cut off, it finds out through others too.
            let own = usize::from(self.number) % self.clients.len();
            let door = match self.random.below(3) {
                0 => self.random.below(self.clients.len() as u64) as usize,
                _ => own,
            };
            let kind = self.choose(key);
            let rest_ms = match self.perform(door, key, kind) {
                true => self.random.below(20),
                false => 30 + self.random.below(120),
            };
            std::thread::sleep(Duration::from_millis(rest_ms));
        }
    }

    fn choose(&mut self, key: u32) -> Kind {
        self.next += 1;
        let new = self.next;
        let known = self.known.get(&key).map(|(value, _)| *value);
        match (self.random.below(100), known) {
            (0..28, _) => Kind::Put(new),
            (28..46, Some(expected)) => Kind::Swap { expected, new },
            (46..52, _) => Kind::Create(new),
            (52..57, _) => Kind::Delete,
            _ => Kind::Get,
        }
    }

    /// Asks, and records what came of it; false where it came to nothing.
    fn perform(&mut self, door: usize, key: u32, kind: Kind) -> bool {
        if self.clients[door].connect().is_err() {
            self.tally.refused += 1;
            return false;
        }
        let path = format!("/{BUCKET}/{}", name(key));
        let (method, new) = match kind {
            Kind::Put(new) | Kind::Swap { new, .. } | Kind::Create(new) => ("PUT", Some(new)),
            Kind::Delete => ("DELETE", None),
            Kind::Get => ("GET", None),
        };
        let body = new.map(body).unwrap_or_default();
        let etag = self
            .known
            .get(&key)
            .map(|(_, etag)| etag.clone())
            .unwrap_or_default();
        let headers: &[(&str, &str)] = match kind {
            Kind::Swap { .. } => &[("if-match", &etag)],
            Kind::Create(_) => &[("if-none-match", "*")],
            _ => &[],
        };
        let invoked_ns = self.field.clock.now_ns();
        let answer = self.clients[door].send(method, &path, "", headers, &body);
        let returned_ns = self.field.clock.now_ns();
        let outcome = self.outcome(key, kind, answer);
        match outcome {
            Some(Outcome::Unknown) => self.tally.unknown += 1,
            Some(_) => self.tally.done += 1,
            None => self.tally.refused += 1,
        }
        if let Some(outcome) = outcome {
            self.operations.push(Operation {
                key,
                client: self.number,
                node: self.field.doors[door].0,
                kind,
                outcome,
                invoked_ns,
                returned_ns,
            });
        }
        matches!(outcome, Some(Outcome::Done(_) | Outcome::Unmet))
    }

    /// What an answer says; nothing where it certainly was not done, or nothing was learned.
    fn outcome(&mut self, key: u32, kind: Kind, answer: Result<Answer, CallError>) -> Option<Outcome> {
        let no_answer = (kind != Kind::Get).then_some(Outcome::Unknown);
        let Ok(answer) = answer else { return no_answer };
        let etag = || answer.head.get("etag").unwrap_or_default().to_owned();
        match (answer.head.status, kind) {
            (200, Kind::Get) => {
                let found = value(&answer.body).unwrap_or(NONSENSE);
                if found == NONSENSE {
                    let length = answer.body.len();
                    self.field
                        .finding(format!("{}: {length} bytes that nobody put", name(key)));
                }
                self.known.insert(key, (found, etag()));
                Some(Outcome::Done(found))
            }
            (200, Kind::Put(new) | Kind::Swap { new, .. } | Kind::Create(new)) => {
                self.known.insert(key, (new, etag()));
                Some(Outcome::Done(0))
            }
            (204, Kind::Delete) => Some(Outcome::Done(0)),
            (404, Kind::Get | Kind::Swap { .. }) if code(&answer) == "NoSuchKey" => match kind {
                Kind::Get => Some(Outcome::Done(0)),
                _ => Some(Outcome::Unmet),
            },
            (412, Kind::Swap { .. } | Kind::Create(_)) => Some(Outcome::Unmet),
            (500.., _) => {
                self.tally.note(&answer);
                no_answer
            }
            // The clock of the node or a conflict: refused before anything was done.
            (403 | 409, _) => {
                self.tally.note(&answer);
                None
            }
            (status, _) => {
                self.tally.note(&answer);
                let at_ms = self.field.clock.now_ns() / 1_000_000;
                let text = String::from_utf8_lossy(&answer.body);
                let headers = &answer.head.headers;
                self.field.finding(format!(
                    "at {at_ms} ms {}: {kind:?} was answered with {status}: {text} {headers:?}",
                    name(key)
                ));
                no_answer
            }
        }
    }
}

fn code(answer: &Answer) -> String {
    let text = String::from_utf8_lossy(&answer.body);
    element(&text, "Code").unwrap_or_default().to_owned()
}

/// Reads a key at one node until it answers, and says what was found there as an operation like any other.
pub fn read_back(field: &Field, door: usize, client: &mut Client, key: u32) -> Result<Operation, String> {
    let (node, _) = field.doors[door];
    let mut last = String::new();
    let until = Instant::now() + READ_BACK;
    while Instant::now() < until {
        let invoked_ns = field.clock.now_ns();
        let answer = client.get(BUCKET, &name(key));
        let returned_ns = field.clock.now_ns();
        let found = match answer {
            Ok(Some(answer)) => match value(&answer.body) {
                Some(found) => found,
                None => return Err(format!("{} at node {node}: bytes that nobody put", name(key))),
            },
            Ok(None) => 0,
            Err(why) => {
                last = why.to_string();
                std::thread::sleep(Duration::from_millis(500));
                continue;
            }
        };
        return Ok(Operation {
            key,
            client: 9_000 + u16::from(node),
            node,
            kind: Kind::Get,
            outcome: Outcome::Done(found),
            invoked_ns,
            returned_ns,
        });
    }
    Err(format!("{} is not read at node {node}: {last}", name(key)))
}
