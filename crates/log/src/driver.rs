//! The seam between who decides the order (a driver) and what is done with it (the machine).
//!
//! A driver (Raft, or the in-memory one in tests) puts appends in an order that survives; the machine
//! evaluates preconditions, writes lines and blocks, and folds views, the same on every node.

use crate::{Append, Appended, Rejection, Renewal};
use async_trait::async_trait;
use bytes::Bytes;
use stead_event::{Position, Tenant};

/// Why an append has no position.
#[derive(Clone, Debug, thiserror::Error)]
pub enum LogError {
    /// A precondition did not hold. Nothing was written.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// The append itself is impossible: no events, or a block that is too large.
    #[error("the append is not valid: {0}")]
    Invalid(&'static str),
    /// There is no room on the disk. Nothing was written.
    #[error("the disk is full")]
    Full,
    /// Too many appends are waiting already. Nothing was written.
    #[error("too many writes are waiting")]
    Busy,
    /// The node is shutting down or has failed. The append may or may not have been accepted.
    #[error("the log is not available: {0}")]
    Unavailable(String),
}

/// Accepts appends. What it has answered with a position is durable and visible in every view.
#[async_trait]
pub trait Log: Send + Sync + 'static {
    /// Appends, and returns when the events are durable and this node's views have folded them.
    async fn append(&self, append: Append) -> Result<Appended, LogError>;

    /// Makes everything applied so far durable in the machine's own files (segments, packs, views), so
    /// that the driver's write-ahead log is no longer needed for it.
    async fn checkpoint(&self) -> Result<(), LogError>;

    /// Whether this node decides the order now. What one node does for all (sealing, lifecycle rules, webhooks)
    /// is done by that one. Where there is one node, it always does.
    fn leads(&self) -> bool {
        true
    }

    /// In which term this node leads; `None` where it does not. A node that leads in the same term later has led all
    /// the while.
    fn term(&self) -> Option<u64> {
        self.leads().then_some(0)
    }

    /// Has whoever leads begin the lease of a lock anew; answers whether the lock was still held.
    ///
    /// # Errors
    /// Where whoever leads cannot be asked: whether the lease goes on is not known then.
    async fn renew(&self, renewal: Renewal) -> Result<bool, LogError> {
        let _ = renewal;
        Err(LogError::Unavailable("this log keeps no leases".into()))
    }

    /// Returns when this node has applied everything that was acknowledged, by any node, before the call: what
    /// is read afterwards is current.
    async fn caught_up(&self) -> Result<(), LogError> {
        Ok(())
    }
}

/// How far the machine has applied: the driver's index, and bytes that the driver wants back with it
/// (its own log id and membership).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// The driver's index of the last applied entry; zero before the first.
    pub index: u64,
    /// Opaque to the machine, stored in the same atomic batch as the views.
    pub driver: Bytes,
}

/// One entry that the driver has committed.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The marker to store with it.
    pub marker: Marker,
    /// In which term whoever led put it in order.
    pub term: u64,
    /// Its appends, in order; none for an entry that is only the driver's own.
    pub appends: Vec<Append>,
}

/// What became of one append.
pub type Outcome = Result<Appended, Rejection>;

/// Why the machine cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// A file could not be read or written.
    #[error("{what}: {source}")]
    Io {
        /// What was being done, to what.
        what: String,
        /// The system's words.
        source: std::io::Error,
    },
    /// Stored data is not what was written.
    #[error("{0}")]
    Damaged(String),
    /// The disk is full; the same call may be made again when there is room. Nothing was applied.
    #[error("the disk is full")]
    Full,
}

/// Applies committed entries. Called from one thread, in order, each entry once (after a crash: again from
/// the durable marker).
pub trait Machine: Send + 'static {
    /// What has been applied.
    fn applied(&self) -> Marker;

    /// Applies entries in order, all or (on error) none, and answers one outcome per append.
    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError>;

    /// Makes everything applied so far durable; answers the marker that a restart would begin from.
    fn checkpoint(&mut self) -> Result<Marker, MachineError>;

    /// Where each tenant's log ends, in what is applied.
    fn heads(&self) -> Vec<(Tenant, Position)> {
        Vec::new()
    }

    /// Takes lines over that another machine has applied, those that follow each other behind this one's own,
    /// and then `marker`; durable when it returns. After an error the machine must be opened again, which brings
    /// it back to where it was.
    fn adopt(&mut self, next: NextLines<'_>, marker: Marker) -> Result<(), MachineError> {
        let _ = (next, marker);
        Err(MachineError::Damaged(
            "this machine takes nothing over from another".into(),
        ))
    }
}

/// Brings the next lines of one tenant's log, in order; `None` at the end.
pub type NextLines<'a> = &'a mut dyn FnMut() -> Result<Option<(Tenant, Vec<Bytes>)>, MachineError>;

impl Append {
    /// What can be refused before any state is looked at: no events, a block larger than
    /// [`INLINE_MAX`](crate::command::INLINE_MAX), an event that could not be written as a line. Every driver
    /// asks this first, because what is committed must be applicable.
    pub fn check(&self) -> Result<(), LogError> {
        if self.events.is_empty() {
            return Err(LogError::Invalid("it has no events"));
        }
        if self
            .blocks
            .iter()
            .any(|(_, bytes)| bytes.len() > crate::command::INLINE_MAX)
        {
            return Err(LogError::Invalid("a block beside it is too large"));
        }
        match self.events.iter().all(|draft| draft.body.check().is_ok()) {
            true => Ok(()),
            false => Err(LogError::Invalid("an event cannot be written as a line")),
        }
    }
}

impl Machine for Box<dyn Machine> {
    fn applied(&self) -> Marker {
        (**self).applied()
    }

    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError> {
        (**self).apply(entries)
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        (**self).checkpoint()
    }

    fn heads(&self) -> Vec<(Tenant, Position)> {
        (**self).heads()
    }

    fn adopt(&mut self, next: NextLines<'_>, marker: Marker) -> Result<(), MachineError> {
        (**self).adopt(next, marker)
    }
}
