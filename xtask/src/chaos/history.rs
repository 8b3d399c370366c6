//! What clients did and what came of it, with the time of each call and of its answer.
//!
//! Owns: the operations of the register workload, their clock, and how they are written to a file.
//! Promises: what may or may not have happened says so; times are of one monotonic clock for all clients.

use serde_json::{Value as Json, json};
use std::time::Instant;

/// What an object holds, as a number that no two writes share; 0 is no object at all.
pub type Value = u64;

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A PUT without a condition.
    Put(Value),
    /// A PUT with `If-Match` of the value that is expected.
    Swap { expected: Value, new: Value },
    /// A PUT with `If-None-Match: *`.
    Create(Value),
    /// A DELETE.
    Delete,
    /// A GET.
    Get,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged; of a GET, what was found.
    Done(Value),
    /// Its condition did not hold, says the server: nothing was changed.
    Unmet,
    /// No answer, or one that leaves open whether it happened.
    Unknown,
}

/// One operation. What certainly never happened is not one.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// Which key of the run.
    pub key: u32,
    /// Who asked.
    pub client: u16,
    /// Which node was asked.
    pub node: u8,
    /// What for.
    pub kind: Kind,
    /// What came of it.
    pub outcome: Outcome,
    /// When it was sent, in nanoseconds since the run began.
    pub invoked_ns: u64,
    /// When its answer was there, or when nobody waited for it any more.
    pub returned_ns: u64,
}

/// The run's clock.
#[derive(Clone, Copy)]
pub struct Clock(Instant);

impl Clock {
    /// Begins now.
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Nanoseconds since then.
    pub fn now_ns(self) -> u64 {
        self.0.elapsed().as_nanos() as u64
    }
}

impl Operation {
    /// One line for a person.
    pub fn line(&self) -> String {
        let what = match self.kind {
            Kind::Put(value) => format!("put {value:x}"),
            Kind::Swap { expected, new } => format!("put {new:x} if {expected:x}"),
            Kind::Create(value) => format!("put {value:x} if nothing is there"),
            Kind::Delete => "delete".to_owned(),
            Kind::Get => "get".to_owned(),
        };
        let came = match (self.kind, self.outcome) {
            (Kind::Get, Outcome::Done(0)) => "nothing there".to_owned(),
            (Kind::Get, Outcome::Done(value)) => format!("{value:x}"),
            (_, Outcome::Done(_)) => "done".to_owned(),
            (_, Outcome::Unmet) => "condition not met".to_owned(),
            (_, Outcome::Unknown) => "unknown".to_owned(),
        };
        let ms = |ns: u64| ns as f64 / 1e6;
        format!(
            "{:>12.3} – {:>12.3} ms  client {:>4} at node {}  {what} → {came}",
            ms(self.invoked_ns),
            ms(self.returned_ns),
            self.client,
            self.node
        )
    }

    /// The same for a program.
    pub fn json(&self) -> Json {
        let (kind, value, expected) = match self.kind {
            Kind::Put(value) => ("put", value, None),
            Kind::Swap { expected, new } => ("swap", new, Some(expected)),
            Kind::Create(value) => ("create", value, None),
            Kind::Delete => ("delete", 0, None),
            Kind::Get => ("get", 0, None),
        };
        let (outcome, found) = match self.outcome {
            Outcome::Done(found) => ("done", found),
            Outcome::Unmet => ("unmet", 0),
            Outcome::Unknown => ("unknown", 0),
        };
        json!({
            "key": self.key, "client": self.client, "node": self.node, "kind": kind, "value": value,
            "expected": expected, "outcome": outcome, "found": found,
            "invoked_ns": self.invoked_ns, "returned_ns": self.returned_ns,
        })
    }

    /// Reads what [`Self::json`] wrote.
    pub fn from_json(json: &Json) -> Option<Self> {
        let number = |name: &str| json[name].as_u64();
        let value = number("value")?;
        let kind = match json["kind"].as_str()? {
            "put" => Kind::Put(value),
            "swap" => Kind::Swap {
                expected: number("expected")?,
                new: value,
            },
            "create" => Kind::Create(value),
            "delete" => Kind::Delete,
            "get" => Kind::Get,
            _ => return None,
        };
        let outcome = match json["outcome"].as_str()? {
            "done" => Outcome::Done(number("found")?),
            "unmet" => Outcome::Unmet,
            "unknown" => Outcome::Unknown,
            _ => return None,
        };
        Some(Self {
            key: number("key")? as u32,
            client: number("client")? as u16,
            node: number("node")? as u8,
            kind,
            outcome,
            invoked_ns: number("invoked_ns")?,
            returned_ns: number("returned_ns")?,
        })
    }
}
