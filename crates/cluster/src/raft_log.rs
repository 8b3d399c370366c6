//! The [`Log`] that clients of consensus see: starting, appending, checkpoints, stopping.

use crate::batch::{Encoded, encode};
use crate::copies::{Lanes, Owed, Progress, StripeIndex};
use crate::discovery::{self, Announced};
use crate::join::Joins;
use crate::machine::{MachineThread, read_marker};
use crate::membership::Sets;
use crate::network::Link;
use crate::options::Together;
use crate::placement::Beliefs;
use crate::proposer::{Answer, Proposal, Proposer, QUEUE};
use crate::recover;
use crate::store::LogStore;
use crate::types::{FOUNDER, TypeConfig};
use crate::wal::{Wal, WalOptions};
use crate::{ClusterError, ClusterOptions, Status};
use async_trait::async_trait;
use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::{Config, Raft, SnapshotPolicy};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;
use stead_event::NodeId;
use stead_log::command::INLINE_MAX;
use stead_log::{Append, Appended, Leases, Log, LogError, Machine, MachineError, Renewal};
use stead_plan::votes::ELECTION_MS;
use stead_runtime::{Rng, Space, TaskKind, Tasks, blocking, free_bytes};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::time::Instant;

#[cfg(test)]
mod promise_tests;
mod start;

pub use start::start;

/// Recent entries kept in memory, about, in bytes. One voter reads an entry once, right after writing it.
const RECENT_BYTES: usize = 4 * 1024 * 1024;
/// Bounds of a segment file's size, in bytes: small where the disk is small.
const SEGMENT_BYTES: (u64, u64) = (1024 * 1024, 16 * 1024 * 1024);
/// An append that is larger when encoded is refused, in bytes.
const APPEND_MAX: usize = 16 * 1024 * 1024;
/// An append of more inline bytes or events than this is encoded off the async threads.
const ENCODE_HERE: (usize, usize) = (256 * 1024, 64);
/// How long an append waits for room in the queue.
const QUEUE_WAIT: Duration = Duration::from_secs(2);
/// How long a stop waits until another member leads.
const HAND_OVER: Duration = Duration::from_secs(3);
/// How long the members of a cluster may take to decide on an append.
const DECIDE: Duration = Duration::from_secs(20);
/// How long the start waits for the election and for what was committed before to be applied again.
const START_WAIT: Duration = Duration::from_secs(30);
/// How often a start looks whether it waits for room on the disk, and how often in a row is too often.
const START_TICK: Duration = Duration::from_millis(200);
const START_FULL_TICKS: u32 = 15;
/// How long a stop waits for the last checkpoint, and for Raft to end.
const STOP_WAIT: Duration = Duration::from_secs(60);
/// How often a checkpoint is tried while the disk is full.
const FULL_TICK: Duration = Duration::from_secs(3);
/// How often the checkpoint policy looks at the write-ahead log's size.
const POLICY_TICK: Duration = Duration::from_secs(1);

/// Appends through Raft. Dropping it does not stop Raft: call [`RaftLog::stop`].
pub struct RaftLog {
    pub(crate) raft: Raft<TypeConfig, MachineThread>,
    pub(crate) machine: MachineThread,
    wal: Wal,
    space: Space,
    queue: mpsc::Sender<Proposal>,
    /// The Raft directory.
    pub(crate) dir: PathBuf,
    /// What this process drew, to be told from another of its node.
    pub(crate) lot: u64,
    pub(crate) rng: Rng,
    /// That this node can be found nearby.
    announced: parking_lot::Mutex<Option<Announced>>,
    pub(crate) node: NodeId,
    pub(crate) number: u64,
    pub(crate) tasks: Tasks,
    pub(crate) link: Link,
    pub(crate) together: Option<Together>,
    pub(crate) joins: Joins,
    /// Copies that other nodes are to be sent.
    pub(crate) owed: Owed,
    /// What is under way to other nodes.
    pub(crate) lanes: Lanes,
    /// Where stripes are found by their pieces.
    pub(crate) stripes: StripeIndex,
    /// Where this node's copies stand.
    pub(crate) progress: Progress,
    /// Who holds which block, as this node believes.
    pub(crate) beliefs: Beliefs,
    /// Which members have copies together.
    pub(crate) sets: parking_lot::Mutex<Option<Sets>>,
    /// Ends the process as its operator would.
    pub(crate) stopper: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// Counts the leases of locks while this node leads.
    pub(crate) leases: OnceLock<Weak<dyn Leases>>,
    /// What every member has and nobody else, for who is let in.
    pub(crate) shared: OnceLock<Bytes>,
    /// Held while the membership is changed.
    pub(crate) admitting: Mutex<()>,
    /// Held while a checkpoint is made, so that two are not made at once.
    checkpoint: Mutex<()>,
    /// Bytes of write-ahead log that had been written at the last checkpoint.
    checkpoint_at: AtomicU64,
    stopped: AtomicBool,
    stop: Arc<Notify>,
    /// Until then this node may have promised, before it was started, not to vote.
    pub(crate) promised: Option<Instant>,
}

pub(crate) fn raft_error(error: impl std::fmt::Display) -> ClusterError {
    ClusterError::Raft(error.to_string())
}

/// Makes checkpoints after time or bytes, as long as the log lives.
async fn policy(log: std::sync::Weak<RaftLog>, options: ClusterOptions) {
    let Some(stop) = log.upgrade().map(|log| log.stop.clone()) else {
        return;
    };
    let mut last = options.clock.instant();
    let tick = POLICY_TICK.min(options.checkpoint_every);
    loop {
        tokio::select! {
            () = stop.notified() => return,
            () = tokio::time::sleep(tick) => {}
        }
        let Some(log) = log.upgrade() else { return };
        if let Some(why) = log.failed() {
            tracing::error!(
                why,
                "consensus has failed: this process ends, so that it can begin anew"
            );
            log.stop_process();
            return;
        }
        let written = log.wal.metrics.bytes.load(Ordering::Relaxed);
        let since = written.saturating_sub(log.checkpoint_at.load(Ordering::Relaxed));
        // On a full disk a checkpoint makes room: the write-ahead log below it can go.
        let every = if log.is_stalled() {
            FULL_TICK.min(options.checkpoint_every)
        } else {
            options.checkpoint_every
        };
        let due = since >= options.checkpoint_bytes || (last.elapsed() >= every && log.has_news());
        if !due {
            continue;
        }
        last = options.clock.instant();
        match log.make_checkpoint().await {
            Ok(()) => {}
            Err(MachineError::Full) => tracing::warn!("the disk is full: no checkpoint could be made"),
            Err(error) => tracing::error!(%error, "no checkpoint could be made"),
        }
    }
}

impl RaftLog {
    /// How consensus stands.
    pub fn status(&self) -> Status {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let (purged, last_log) = self.wal.bounds();
        let progress = self.machine.progress.lock();
        Status {
            term: metrics.current_term,
            leader: metrics.current_leader,
            voters: metrics.membership_config.membership().voter_ids().collect(),
            last_log: last_log.map(|id| id.index),
            applied: progress.applied.map(|id| id.index),
            durable: progress.durable.as_ref().map(|(id, _)| id.index),
            purged: purged.map(|id| id.index),
            wal_bytes: self.wal.file_bytes(),
            wal_syncs: self.wal.metrics.syncs.load(Ordering::Relaxed),
            wal_sync_micros: self.wal.metrics.sync_micros.load(Ordering::Relaxed),
            wal_entries: self.wal.metrics.entries.load(Ordering::Relaxed),
            wal_stalled: self.is_stalled(),
        }
    }

    /// Why consensus does nothing any more, where it does not although nobody has stopped it.
    fn failed(&self) -> Option<String> {
        if self.is_stopping() {
            return None;
        }
        let state = self.raft.metrics().borrow_watched().running_state.clone();
        state.err().map(|fatal| fatal.to_string())
    }

    /// Makes a checkpoint, ends Raft and its threads. Appends answer `Unavailable` afterwards.
    ///
    /// # Errors
    /// Where the checkpoint or the shut-down fails; everything acknowledged is durable all the same.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        if self.stopped.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.stop.notify_one();
        drop(self.announced.lock().take());
        if !self.alone() {
            // Another leads before this one goes, so that nobody has to find out that it went.
            let handed = tokio::time::timeout(HAND_OVER, self.step_down()).await;
            if !matches!(handed, Ok(Ok(()))) {
                tracing::debug!("no other voter took over before the stop");
            }
        }
        if self.is_stalled() {
            self.give_up_waiting();
        }
        let checkpoint = async {
            let news = self.has_news();
            if news {
                self.make_checkpoint().await
            } else {
                Ok(())
            }
        };
        let checkpoint = tokio::time::timeout(STOP_WAIT, checkpoint).await;
        self.give_up_waiting();
        let shut = tokio::time::timeout(STOP_WAIT, self.raft.shutdown()).await;
        if let Some(mesh) = self.link.get() {
            mesh.close().await;
        }
        self.wal.stop().await;
        self.machine.stop().await;
        let late = |_| ClusterError::Raft("it took too long to stop".into());
        let made = checkpoint.map_err(late)?;
        made.map_err(|error| ClusterError::Raft(format!("no checkpoint at the stop: {error}")))?;
        shut.map_err(late)?.map_err(raft_error)
    }

    /// Says what every member has and nobody else: it is given to who is let in. Nobody is, before.
    pub fn share(&self, shared: Bytes) {
        let _ = self.shared.set(shared);
    }

    /// Lets nodes that are to join find this one nearby. Opens the mesh where it is not. Answers whether it can be
    /// reached from elsewhere: else nothing is said.
    ///
    /// # Errors
    /// Where the mesh cannot be opened, or nothing can be said by multicast.
    pub async fn announce(self: &Arc<Self>) -> Result<bool, ClusterError> {
        self.open_mesh().await?;
        let first = self.members().into_iter().next();
        let cluster = first.map_or_else(|| self.node.clone(), |(_, member)| NodeId(member.name));
        let label = self.together.as_ref().map(|together| together.label.clone());
        let addresses = self.mesh()?.addresses();
        let said = discovery::announce(&self.node, &label.unwrap_or_default(), &cluster, &addresses)?;
        let is_said = said.is_some();
        *self.announced.lock() = said;
        Ok(is_said)
    }

    /// Says who counts the leases of locks while this node leads.
    pub fn keep_leases(&self, leases: Weak<dyn Leases>) {
        let _ = self.leases.set(leases);
    }

    /// Says how the process is ended when the whole cluster is stopped.
    pub fn on_cluster_stop(&self, stop: Box<dyn Fn() + Send + Sync>) {
        let _ = self.stopper.set(stop);
    }

    /// Whether background work is to end.
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// Whether a node was named as a member when this one was let in: until the log says who is.
    pub(crate) fn is_known(&self, node: &NodeId) -> bool {
        let together = self.together.as_ref();
        together.is_some_and(|together| together.known.iter().any(|(known, _)| known == node))
    }

    /// Tells background work to end.
    fn stop_notice(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.stop.notify_one();
    }

    /// No longer waits for room on a full disk.
    fn give_up_waiting(&self) {
        self.machine.give_up_waiting();
        self.wal.give_up_waiting();
    }

    fn is_stalled(&self) -> bool {
        self.wal.metrics.stalled.load(Ordering::SeqCst) || self.machine.stalled.load(Ordering::SeqCst)
    }

    /// Why appends are not possible.
    pub(crate) fn unavailable(&self) -> LogError {
        let state = self.raft.metrics().borrow_watched().running_state.clone();
        LogError::Unavailable(match state {
            Err(fatal) if !self.stopped.load(Ordering::SeqCst) => format!("consensus has failed: {fatal}"),
            _ => "this node is stopping".into(),
        })
    }

    /// Whether anything was applied that is not durable outside the write-ahead log.
    fn has_news(&self) -> bool {
        let progress = self.machine.progress.lock();
        progress.applied != progress.durable.as_ref().map(|(id, _)| *id)
    }

    pub(crate) async fn make_checkpoint(&self) -> Result<(), MachineError> {
        let _one = self.checkpoint.lock().await;
        let written = self.wal.metrics.bytes.load(Ordering::Relaxed);
        self.machine.checkpoint().await?;
        self.checkpoint_at.store(written, Ordering::Relaxed);
        // Raft takes the durable marker for its snapshot and purges the log below it.
        if let Err(error) = self.raft.trigger().snapshot().await {
            tracing::warn!(%error, "the write-ahead log is not purged");
        }
        Ok(())
    }
}

fn validate(append: &Append) -> Result<(), LogError> {
    if append.events.is_empty() {
        return Err(LogError::Invalid("it has no events"));
    }
    if append.blocks.iter().any(|(_, bytes)| bytes.len() > INLINE_MAX) {
        return Err(LogError::Invalid("a block is larger than 64 KiB"));
    }
    Ok(())
}

async fn encoded(append: Append, inline: usize) -> Result<Encoded, LogError> {
    let large = inline > ENCODE_HERE.0 || append.events.len() > ENCODE_HERE.1;
    let make = move || encode(&append).map(|cbor| Encoded { append, cbor });
    let made = if large { blocking(make).await } else { make() };
    let made = made.map_err(|why| {
        tracing::error!(%why, "an append does not encode");
        LogError::Invalid("it does not encode")
    })?;
    if made.cbor.len() > APPEND_MAX {
        return Err(LogError::Invalid("it is larger than 16 MiB"));
    }
    Ok(made)
}

impl RaftLog {
    /// Puts an append into the queue of what is proposed here, and waits for what becomes of it.
    pub(crate) async fn propose(&self, encoded: Encoded) -> Answer {
        let room = tokio::time::timeout(QUEUE_WAIT, self.queue.reserve()).await;
        let room = room
            .map_err(|_| LogError::Busy)?
            .map_err(|_| self.unavailable())?;
        let (answer, answered) = oneshot::channel();
        room.send(Proposal { encoded, answer });
        let answered = async { answered.await.unwrap_or_else(|_| Err(self.unavailable())) };
        if self.alone() {
            return answered.await;
        }
        // Without a quorum nothing is ever decided; who waits has to hear of it.
        let bounded = tokio::time::timeout(DECIDE, answered).await;
        bounded.unwrap_or_else(|_| {
            Err(LogError::Unavailable(
                "too few members answered in time; whether it was written is not known".into(),
            ))
        })
    }

    /// Whether an append of so many inline bytes is taken at all.
    pub(crate) fn admit(&self, append: &Append) -> Result<usize, LogError> {
        validate(append)?;
        if self.stopped.load(Ordering::SeqCst) {
            return Err(self.unavailable());
        }
        let inline: usize = append.blocks.iter().map(|(_, bytes)| bytes.len()).sum();
        if !self.space.admits(inline as u64) {
            return Err(LogError::Full);
        }
        Ok(inline)
    }
}

#[async_trait]
impl Log for RaftLog {
    async fn append(&self, mut append: Append) -> Result<Appended, LogError> {
        let inline = self.admit(&append)?;
        append.node.get_or_insert_with(|| self.node.clone());
        let encoded = encoded(append, inline).await?;
        if self.leads() {
            return self.propose(encoded).await.map(|(appended, _)| appended);
        }
        self.forward(encoded).await
    }

    async fn checkpoint(&self) -> Result<(), LogError> {
        self.make_checkpoint().await.map_err(|error| match error {
            MachineError::Full => LogError::Full,
            other => LogError::Unavailable(other.to_string()),
        })
    }

    fn leads(&self) -> bool {
        self.leader() == Some(self.number)
    }

    fn term(&self) -> Option<u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        (metrics.current_leader == Some(self.number)).then_some(metrics.current_term)
    }

    async fn renew(&self, renewal: Renewal) -> Result<bool, LogError> {
        self.renew_at_leader(renewal).await
    }

    async fn caught_up(&self) -> Result<(), LogError> {
        self.read_barrier().await
    }
}
