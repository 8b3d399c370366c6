//! What clients asked of locks and of what locks protect, and what came of it, with the time of each call.
//!
//! Owns: the calls of the lock workload, and how they are written to a file.
//! Promises: what may or may not have happened says so; times are of one monotonic clock for all clients.

use serde_json::{Value as Json, json};

/// What was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A lock, by a request with this number. The same request may be made again.
    Acquire(u64),
    /// A sign of life.
    Renew,
    /// To give a lock up.
    Release,
    /// To take a lock from whoever holds it.
    Break,
    /// To store this number in the object that the lock protects, fenced with the token.
    Write(u64),
    /// What that object holds: no token is needed for that.
    Read,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Acknowledged. Of a read: what was found, 0 for nothing.
    Done(u64),
    /// The lock is not held with that token (any more): nothing was changed.
    Lost,
    /// No answer, or one that leaves open whether it happened, perhaps later.
    Unknown,
}

/// One call. What certainly never happened, and says nothing of the lock, is not one.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// Which lock, and the object of the same name.
    pub lock: u8,
    /// Who asked.
    pub client: u16,
    /// Which node was asked.
    pub node: u8,
    /// What for.
    pub kind: Kind,
    /// With which token; of an acquisition, the one that was granted; 0 where there is none.
    pub token: u64,
    /// What came of it.
    pub outcome: Outcome,
    /// When it was sent, in nanoseconds since the run began.
    pub invoked_ns: u64,
    /// When its answer was there, or when nobody waited for it any more.
    pub returned_ns: u64,
}

impl Call {
    /// Whether it was acknowledged.
    pub fn done(&self) -> bool {
        matches!(self.outcome, Outcome::Done(_))
    }

    /// Whether it may have had, or may still have, an effect at or after that time.
    pub fn may_act_after(&self, at_ns: u64) -> bool {
        match self.outcome {
            Outcome::Done(_) => self.returned_ns > at_ns,
            Outcome::Lost => false,
            Outcome::Unknown => true,
        }
    }

    fn names(&self) -> (&'static str, u64) {
        match self.kind {
            Kind::Acquire(request) => ("acquire", request),
            Kind::Renew => ("renew", 0),
            Kind::Release => ("release", 0),
            Kind::Break => ("break", 0),
            Kind::Write(value) => ("write", value),
            Kind::Read => ("read", 0),
        }
    }

    /// One line for a person.
    pub fn line(&self) -> String {
        let (name, value) = self.names();
        let what = match self.kind {
            Kind::Acquire(_) => format!("acquire by request {value:x}"),
            Kind::Write(_) => format!("write {value:x} with token {}", self.token),
            Kind::Renew | Kind::Release => format!("{name} token {}", self.token),
            Kind::Break | Kind::Read => name.to_owned(),
        };
        let came = match (self.kind, self.outcome) {
            (Kind::Acquire(_), Outcome::Done(_)) => format!("token {}", self.token),
            (Kind::Read, Outcome::Done(0)) => "nothing there".to_owned(),
            (Kind::Read, Outcome::Done(found)) => format!("{found:x}"),
            (_, Outcome::Done(_)) => "done".to_owned(),
            (_, Outcome::Lost) => "not held with that token".to_owned(),
            (_, Outcome::Unknown) => "unknown".to_owned(),
        };
        let ms = |ns: u64| ns as f64 / 1e6;
        format!(
            "{:>12.3} – {:>12.3} ms  client {:>4} at node {}  lock {}: {what} → {came}",
            ms(self.invoked_ns),
            ms(self.returned_ns),
            self.client,
            self.node,
            self.lock
        )
    }

    /// The same for a program.
    pub fn json(&self) -> Json {
        let (kind, value) = self.names();
        let (outcome, found) = match self.outcome {
            Outcome::Done(found) => ("done", found),
            Outcome::Lost => ("lost", 0),
            Outcome::Unknown => ("unknown", 0),
        };
        json!({
            "lock": self.lock, "client": self.client, "node": self.node, "kind": kind, "value": value,
            "token": self.token, "outcome": outcome, "found": found,
            "invoked_ns": self.invoked_ns, "returned_ns": self.returned_ns,
        })
    }

    /// Reads what [`Self::json`] wrote.
    pub fn from_json(json: &Json) -> Option<Self> {
        let number = |name: &str| json[name].as_u64();
        let value = number("value")?;
        let kind = match json["kind"].as_str()? {
            "acquire" => Kind::Acquire(value),
            "renew" => Kind::Renew,
            "release" => Kind::Release,
            "break" => Kind::Break,
            "write" => Kind::Write(value),
            "read" => Kind::Read,
            _ => return None,
        };
        let outcome = match json["outcome"].as_str()? {
            "done" => Outcome::Done(number("found")?),
            "lost" => Outcome::Lost,
            "unknown" => Outcome::Unknown,
            _ => return None,
        };
        Some(Self {
            lock: u8::try_from(number("lock")?).ok()?,
            client: u16::try_from(number("client")?).ok()?,
            node: u8::try_from(number("node")?).ok()?,
            kind,
            token: number("token")?,
            outcome,
            invoked_ns: number("invoked_ns")?,
            returned_ns: number("returned_ns")?,
        })
    }
}
