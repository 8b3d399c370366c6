//! The [`Log`] that clients of consensus see: starting, appending, checkpoints, stopping.

use crate::batch::{Encoded, encode};
use crate::copies::Owed;
use crate::join::Joins;
use crate::machine::{MachineThread, read_marker};
use crate::network::Link;
use crate::options::Together;
use crate::proposer::{Answer, Proposal, Proposer, QUEUE};
use crate::recover;
use crate::store::LogStore;
use crate::types::{FOUNDER, Member, TypeConfig};
use crate::wal::{Wal, WalOptions};
use crate::{ClusterError, ClusterOptions, Status};
use async_trait::async_trait;
use bytes::Bytes;
use openraft::async_runtime::watch::WatchReceiver;
use openraft::{Config, Raft, SnapshotPolicy};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stead_event::NodeId;
use stead_log::command::INLINE_MAX;
use stead_log::{Append, Appended, Log, LogError, Machine, MachineError};
use stead_runtime::{Space, TaskKind, Tasks, blocking, free_bytes};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::time::Instant;

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
/// An election begins when nothing was heard of whoever leads for so long, in milliseconds: from, to. A voter that
/// has heard of it grants nobody else a vote for the longer time, and a leader answers reads for as long without
/// asking again.
const ELECTION_MS: (u64, u64) = (600, 1_200);
/// How often the checkpoint policy looks at the write-ahead log's size.
const POLICY_TICK: Duration = Duration::from_secs(1);

/// Appends through Raft. Dropping it does not stop Raft: call [`RaftLog::stop`].
pub struct RaftLog {
    pub(crate) raft: Raft<TypeConfig, MachineThread>,
    pub(crate) machine: MachineThread,
    wal: Wal,
    space: Space,
    queue: mpsc::Sender<Proposal>,
    pub(crate) node: NodeId,
    pub(crate) number: u64,
    pub(crate) tasks: Tasks,
    pub(crate) link: Link,
    pub(crate) together: Option<Together>,
    pub(crate) joins: Joins,
    /// Copies that other nodes are to be sent.
    pub(crate) owed: Owed,
    /// Ends the process as its operator would.
    pub(crate) stopper: OnceLock<Box<dyn Fn() + Send + Sync>>,
    /// What every member has and nobody else, for who is let in.
    pub(crate) shared: OnceLock<Bytes>,
    /// Held while the membership is changed.
    pub(crate) admitting: Mutex<()>,
    /// Held while a checkpoint is made, so that two are not made at once.
    pub(crate) checkpoint: Mutex<()>,
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

fn config() -> Result<Arc<Config>, ClusterError> {
    let config = Config {
        cluster_name: "stead".into(),
        // Writes stop for an election's time when a leader is lost; a slow disk's sync must fit in it.
        heartbeat_interval: 200,
        election_timeout_min: ELECTION_MS.0,
        election_timeout_max: ELECTION_MS.1,
        // Checkpoints decide when there is a snapshot, and the log is purged right behind it.
        snapshot_policy: SnapshotPolicy::Never,
        max_in_snapshot_log_to_keep: 0,
        purge_batch_size: 1,
        // A restarted leader may have lost unsynced entries of its term, so it begins a new one.
        enable_leader_restore: Some(false),
        ..Config::default()
    };
    config.validate().map(Arc::new).map_err(raft_error)
}

/// Starts consensus on `options.dir` over `machine`, making a cluster of one voter at the first start.
/// A node that is alone leads, and has applied everything that was acknowledged before, when this returns; a
/// member of several is answered for by whoever leads, and is waited for a while.
///
/// # Errors
/// [`ClusterError::Full`] where the disk has no room for what must be applied first. Others where the directory
/// cannot be read or written, is damaged above what the machine holds durably, or was
/// written by a newer version.
pub async fn start(options: ClusterOptions, machine: Box<dyn Machine>) -> Result<Arc<RaftLog>, ClusterError> {
    let marker = machine.applied();
    let durable = read_marker(&marker)
        .map_err(|why| ClusterError::Diverged(format!("the applied marker is not readable: {why}")))?;
    let wal = open_wal(&options, durable.as_ref().map(|(id, _)| *id)).await?;
    let (purged, _) = wal.bounds();
    if purged.is_some_and(|purged| durable.as_ref().is_none_or(|(id, _)| id.index < purged.index)) {
        wal.stop().await;
        return Err(ClusterError::Diverged(format!(
            "the write-ahead log begins after entry {}, but the machine's files hold only {}: an older copy \
             of log/ or state/ was put beside a newer raft/. Put back the files that belong together",
            purged.map_or(0, |id| id.index),
            durable.map_or_else(
                || "nothing".into(),
                |(id, _)| format!("entries up to {}", id.index)
            ),
        )));
    }
    if let Err(error) = recover::recover(&options, &wal).await {
        wal.stop().await;
        return Err(error);
    }
    let machine = MachineThread::start(machine, durable, &options.tasks)
        .map_err(ClusterError::io("cannot start the machine's thread"))?;
    let log = match begin(&options, &wal, &machine).await {
        Ok(log) => log,
        Err(error) => {
            wal.stop().await;
            machine.stop().await;
            return Err(error);
        }
    };
    if let Err(error) = settle(&log, &options).await {
        if matches!(error, ClusterError::Full) {
            log.give_up_waiting();
        }
        log.stop_notice();
        // The first error says why; that the shut-down fails as well adds nothing.
        let _ = log.raft.shutdown().await;
        wal.stop().await;
        machine.stop().await;
        return Err(error);
    }
    Ok(log)
}

/// Puts Raft and what serves it together.
async fn begin(
    options: &ClusterOptions,
    wal: &Wal,
    machine: &MachineThread,
) -> Result<Arc<RaftLog>, ClusterError> {
    let link = Link::default();
    // What is known to be committed is applied again in here.
    let begun = Raft::new(
        options.number,
        config()?,
        link.clone(),
        LogStore(wal.clone()),
        machine.clone(),
    );
    let raft = unless_full(wal, machine, begun).await?.map_err(raft_error)?;
    let member = options.together.as_ref().is_some_and(|together| together.member);
    let promised = member.then(|| keep_promise(&raft, &options.tasks));
    let (queue, proposals) = mpsc::channel(QUEUE);
    let stalled = {
        let (wal, machine) = (wal.metrics.clone(), machine.stalled.clone());
        move || wal.stalled.load(Ordering::SeqCst) || machine.load(Ordering::SeqCst)
    };
    let proposer = Proposer {
        raft: raft.clone(),
        queue: proposals,
        stalled: Box::new(stalled),
    };
    options.tasks.spawn(TaskKind::Core, "proposer", proposer.run());
    let log = Arc::new(RaftLog {
        raft,
        machine: machine.clone(),
        wal: wal.clone(),
        space: options.space.clone(),
        queue,
        node: options.node.clone(),
        number: options.number,
        tasks: options.tasks.clone(),
        link,
        together: options.together.clone(),
        joins: Joins::default(),
        owed: Owed::default(),
        shared: OnceLock::new(),
        stopper: OnceLock::new(),
        admitting: Mutex::new(()),
        checkpoint: Mutex::new(()),
        checkpoint_at: AtomicU64::new(0),
        stopped: AtomicBool::new(false),
        stop: Arc::default(),
        promised,
    });
    options.tasks.spawn(
        TaskKind::Core,
        "checkpoints",
        policy(Arc::downgrade(&log), options.clone()),
    );
    Ok(log)
}

/// What a voter has promised to whoever leads is forgotten with its process: not to elect another for a while, which
/// reads rely on. So it neither votes nor stands for election until any such promise has run out.
fn keep_promise(raft: &Raft<TypeConfig, MachineThread>, tasks: &Tasks) -> Instant {
    raft.runtime_config().elect(false);
    let until = Instant::now() + Duration::from_millis(ELECTION_MS.1);
    let raft = raft.clone();
    tasks.spawn(TaskKind::Core, "promise", async move {
        tokio::time::sleep_until(until).await;
        raft.runtime_config().elect(true);
    });
    until
}

/// Waits until this node leads, where it is alone; else opens the mesh and waits for whoever leads.
async fn settle(log: &Arc<RaftLog>, options: &ClusterOptions) -> Result<(), ClusterError> {
    let member = options.together.as_ref().is_some_and(|together| together.member);
    if member {
        log.open_mesh().await?;
        if !log.alone() {
            return log.wait_for_leader(START_WAIT).await;
        }
    }
    let elected = unless_full(&log.wal, &log.machine, elect(&log.raft, options)).await;
    elected.and_then(|elected| elected)
}

async fn open_wal(
    options: &ClusterOptions,
    durable: Option<crate::types::LogId>,
) -> Result<Wal, ClusterError> {
    let (smallest, largest) = SEGMENT_BYTES;
    let room = options
        .dir
        .parent()
        .and_then(|parent| free_bytes(parent).ok())
        .unwrap_or(u64::MAX);
    let wal = WalOptions {
        dir: options.dir.clone(),
        segment_bytes: (room / 64).next_multiple_of(4096).clamp(smallest, largest),
        recent_bytes: RECENT_BYTES,
        durable,
        tasks: options.tasks.clone(),
        clock: options.clock.clone(),
    };
    blocking(move || Wal::open(wal)).await
}

/// Waits for a step of the start, but not for room on a full disk: nobody could tell how long that takes.
async fn unless_full<T>(
    wal: &Wal,
    machine: &MachineThread,
    step: impl Future<Output = T>,
) -> Result<T, ClusterError> {
    tokio::pin!(step);
    let mut full = 0;
    loop {
        tokio::select! {
            done = &mut step => return Ok(done),
            () = tokio::time::sleep(START_TICK) => {}
        }
        let stalled = wal.metrics.stalled.load(Ordering::SeqCst) || machine.stalled.load(Ordering::SeqCst);
        full = if stalled { full + 1 } else { 0 };
        if full > START_FULL_TICKS {
            return Err(ClusterError::Full);
        }
    }
}

/// Makes this node the leader and waits until what was committed before is applied.
async fn elect(raft: &Raft<TypeConfig, MachineThread>, options: &ClusterOptions) -> Result<(), ClusterError> {
    if raft.is_initialized().await.map_err(raft_error)? {
        raft.trigger().elect(false).await.map_err(raft_error)?;
    } else {
        let founder = Member {
            name: options.node.to_string(),
            label: options
                .together
                .as_ref()
                .map(|t| t.label.clone())
                .unwrap_or_default(),
            ..Member::default()
        };
        raft.initialize(BTreeMap::from([(FOUNDER, founder)]))
            .await
            .map_err(raft_error)?;
    }
    let wait = raft.wait(Some(START_WAIT));
    wait.metrics(|m| m.current_leader == Some(options.number), "this node leads")
        .await
        .map_err(raft_error)?;
    if let Err(late) = raft.wait_for_recovery(Some(START_WAIT)).await {
        let broken = raft.metrics().borrow_watched().running_state.clone();
        broken.map_err(raft_error)?;
        tracing::warn!(%late, "what was written before is not all applied yet");
    }
    Ok(())
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

    /// Makes a checkpoint, ends Raft and its threads. Appends answer `Unavailable` afterwards.
    ///
    /// # Errors
    /// Where the checkpoint or the shut-down fails; everything acknowledged is durable all the same.
    pub async fn stop(&self) -> Result<(), ClusterError> {
        if self.stopped.swap(true, Ordering::SeqCst) {
            return Ok(());
        }
        self.stop.notify_one();
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

    async fn caught_up(&self) -> Result<(), LogError> {
        self.read_barrier().await
    }
}

#[cfg(test)]
mod promise_tests;
