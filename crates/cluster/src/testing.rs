//! A machine for tests: it keeps what it applied in memory, loses at a "crash" what it did not checkpoint,
//! and fails when told to.

use crate::ClusterOptions;
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use stead_event::{Body, EventId, NodeId, Principal, Tenant, Timestamp, body, cids};
use stead_log::{Append, Appended, Committed, Draft, Expect, Machine, MachineError, Marker};
use stead_log::{Outcome, Precondition, Rejection};
use stead_runtime::{Clock, Rng, Space, Tasks};

/// The event id of the `n`th append.
pub fn event_id(n: u64) -> EventId {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    EventId::new(1_763_640_000_000, random)
}

/// An append of one event, with one block of `size` bytes unless that is zero.
pub fn append(n: u64, size: usize) -> Append {
    let bytes: Vec<u8> = (0..size).map(|at| (at as u64 ^ n) as u8).collect();
    let cid = cids::raw(&n.to_be_bytes());
    let via = body::Via {
        protocol: "s3".into(),
        ..Default::default()
    };
    Append {
        node: None,
        tenant: Tenant::main(),
        require: vec![Precondition::Object {
            bucket: "b".into(),
            key: n.to_string(),
            expect: Expect::Absent,
        }],
        events: vec![Draft {
            actor: Principal("ana".into()),
            at: Timestamp::from_micros(1_763_640_000_000_000),
            body: Body::BucketCreated(body::BucketCreated {
                owner: None,
                bucket: format!("bucket-{n}"),
                via,
            }),
            cause: None,
            id: event_id(n),
        }],
        blocks: if size == 0 {
            Vec::new()
        } else {
            vec![(cid, Bytes::from(bytes))]
        },
    }
}

/// An append that [`Fake`] rejects.
pub fn rejected(n: u64) -> Append {
    let mut append = append(n, 0);
    append.require = vec![Precondition::BucketExists("none".into())];
    append
}

#[derive(Clone, Default)]
struct Held {
    marker: Marker,
    ids: Vec<EventId>,
}

/// What to do instead of applying or checkpointing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    Full,
    Broken,
}

#[derive(Default)]
struct Inner {
    now: Held,
    durable: Held,
    apply_failures: VecDeque<Failure>,
    checkpoint_failures: VecDeque<Failure>,
    calls: Vec<usize>,
}

/// The machine's state; clones share it, so a test keeps one and restarts with another.
#[derive(Clone, Default)]
pub struct Fake(Arc<Mutex<Inner>>);

impl Fake {
    /// What is applied, in order.
    pub fn ids(&self) -> Vec<EventId> {
        self.0.lock().now.ids.clone()
    }

    /// How many entries each call of `apply` had.
    pub fn calls(&self) -> Vec<usize> {
        self.0.lock().calls.clone()
    }

    pub fn durable(&self) -> Marker {
        self.0.lock().durable.marker.clone()
    }

    pub fn fail_apply(&self, failures: impl IntoIterator<Item = Failure>) {
        self.0.lock().apply_failures.extend(failures);
    }

    pub fn fail_checkpoint(&self, failures: impl IntoIterator<Item = Failure>) {
        self.0.lock().checkpoint_failures.extend(failures);
    }

    /// A machine as it would be after losing power now.
    pub fn crashed(&self) -> Self {
        let inner = self.0.lock();
        let held = inner.durable.clone();
        Self(Arc::new(Mutex::new(Inner {
            now: held.clone(),
            durable: held,
            ..Inner::default()
        })))
    }
}

fn fail(failures: &mut VecDeque<Failure>) -> Result<(), MachineError> {
    match failures.pop_front() {
        None => Ok(()),
        Some(Failure::Full) => Err(MachineError::Full),
        Some(Failure::Broken) => Err(MachineError::Damaged("told to fail".into())),
    }
}

fn outcome(now: &mut Held, append: &Append) -> Outcome {
    if let Some(Precondition::BucketExists(bucket)) = append.require.first() {
        return Err(Rejection(Precondition::BucketExists(bucket.clone())));
    }
    let first = now.ids.len() as u64 + 1;
    now.ids.extend(append.events.iter().map(|event| event.id));
    Ok(Appended {
        first,
        last: now.ids.len() as u64,
    })
}

impl Machine for Fake {
    fn applied(&self) -> Marker {
        self.0.lock().now.marker.clone()
    }

    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError> {
        let mut inner = self.0.lock();
        fail(&mut inner.apply_failures)?;
        inner.calls.push(entries.len());
        let mut answers = Vec::new();
        for entry in entries {
            assert!(
                entry.marker.index > inner.now.marker.index,
                "an entry is applied once, in order"
            );
            answers.push(
                entry
                    .appends
                    .iter()
                    .map(|append| outcome(&mut inner.now, append))
                    .collect(),
            );
            inner.now.marker = entry.marker;
        }
        Ok(answers)
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        let mut inner = self.0.lock();
        fail(&mut inner.checkpoint_failures)?;
        inner.durable = inner.now.clone();
        Ok(inner.durable.marker.clone())
    }
}

/// Options over `dir` with no reserve.
pub fn options(dir: &Path) -> ClusterOptions {
    let node = NodeId("00".repeat(32));
    let space = Space::new(dir, 0);
    ClusterOptions::new(
        dir.join("raft"),
        node,
        Clock::system(),
        Rng::system(),
        Tasks::new(),
        space,
    )
}
