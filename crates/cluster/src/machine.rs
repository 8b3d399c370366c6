//! The thread that owns the machine, and the machine as openraft's state machine.

use crate::members::DriverState;
use crate::types::{Entry, LogId, Payload, StoredMembership, TypeConfig, term};
use async_trait::async_trait;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use openraft::OptionalSend;
use openraft::storage::{ApplyResponder, EntryResponder, RaftSnapshotBuilder, RaftStateMachine, Snapshot};
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stead_event::{NodeId, Position, Tenant};
use stead_log::{Committed, Machine, MachineError, Marker};
use stead_runtime::{TaskKind, Tasks, blocking};
use tokio::sync::{oneshot, watch};

/// One call of the machine takes up no more entries, and not many more bytes, than this.
const CHUNK_ENTRIES: usize = 64;
const CHUNK_BYTES: usize = 8 * 1024 * 1024;
/// How long to wait before trying again on a full disk.
const FULL_RETRY: Duration = Duration::from_millis(200);

type Work = Vec<(Entry, Option<ApplyResponder<TypeConfig>>)>;

enum Job {
    Apply(Work, oneshot::Sender<io::Result<()>>),
    Checkpoint(oneshot::Sender<Result<Marker, MachineError>>),
    Heads(oneshot::Sender<Vec<(Tenant, Position)>>),
    Adopt(Takeover, oneshot::Sender<io::Result<()>>),
    Stop,
}

/// Lines that come in from another node, and the marker that goes with them.
struct Takeover {
    lines: Receiver<io::Result<(Tenant, Vec<Bytes>)>>,
    applied: LogId,
    membership: StoredMembership,
}

/// What a snapshot is: where each tenant's log ends in it, and which node to ask for the lines; `None` where
/// it is this node's own.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub from: Option<NodeId>,
    pub heads: Vec<(Tenant, Position)>,
}

/// Brings lines from other nodes: those of a tenant after a position.
#[async_trait]
pub(crate) trait LineSource: Send + Sync + 'static {
    /// What has to be here before lines that name it: blocks.
    async fn prepare(&self, from: &NodeId) -> io::Result<()>;

    async fn lines(&self, from: &NodeId, tenant: &Tenant, after: Position) -> io::Result<Vec<Bytes>>;
}

/// What has been applied, and what of it is durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub applied: Option<LogId>,
    pub membership: StoredMembership,
    pub durable: Option<(LogId, StoredMembership)>,
    /// Where each tenant's log ends in what is durable.
    pub heads: Vec<(Tenant, Position)>,
}

/// A handle on the machine's thread; cheap to clone.
#[derive(Clone)]
pub(crate) struct MachineThread {
    jobs: Sender<Job>,
    pub progress: Arc<Mutex<Progress>>,
    /// The machine has said that the disk is full and is being asked again.
    pub stalled: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
    ended: watch::Receiver<bool>,
    /// Index after the last applied entry.
    pub applied: watch::Receiver<u64>,
    source: Arc<OnceLock<Arc<dyn LineSource>>>,
}

/// What the machine's marker says about the driver's entries: nothing before the first.
pub(crate) fn read_marker(marker: &Marker) -> Result<Option<(LogId, StoredMembership)>, String> {
    if marker.driver.is_empty() {
        return Ok(None);
    }
    DriverState::decode(&marker.driver).map(Some)
}

fn marker(applied: &LogId, membership: &StoredMembership) -> Marker {
    // Raft counts from zero, a marker from one: zero is "before the first".
    Marker {
        index: applied.index + 1,
        driver: DriverState::new(applied, membership).encode().into(),
    }
}

fn gone() -> io::Error {
    io::Error::other("the machine's thread has stopped")
}

impl MachineThread {
    /// Starts the thread. `durable` is what the machine's marker says.
    pub fn start(
        machine: Box<dyn Machine>,
        durable: Option<(LogId, StoredMembership)>,
        tasks: &Tasks,
    ) -> io::Result<Self> {
        let (jobs, inbox) = channel();
        let (ending, ended) = watch::channel(false);
        let (telling, applied) = watch::channel(durable.as_ref().map_or(0, |(id, _)| id.index + 1));
        let heads = machine.heads();
        let progress = Arc::new(Mutex::new(Progress {
            heads,
            applied: durable.as_ref().map(|(id, _)| *id),
            membership: durable
                .as_ref()
                .map(|(_, membership)| membership.clone())
                .unwrap_or_default(),
            durable,
        }));
        let (stalled, stopping) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
        let mut worker = Worker {
            machine,
            progress: progress.clone(),
            stalled: stalled.clone(),
            stopping: stopping.clone(),
            telling,
        };
        tasks.thread(TaskKind::Core, "machine", move || {
            worker.run(&inbox);
            drop(worker); // its files are closed before anybody hears that it ended
            ending.send_replace(true);
        })?;
        Ok(Self {
            jobs,
            progress,
            stalled,
            stopping,
            ended,
            applied,
            source: Arc::default(),
        })
    }

    /// Says where lines of other nodes come from; called once.
    pub fn set_source(&self, source: Arc<dyn LineSource>) {
        let _ = self.source.set(source);
    }

    /// Returns when the entry is applied, or the machine has stopped.
    pub async fn wait_applied(&self, index: u64) {
        // An error means that the thread is gone; whoever asks next hears of it.
        let _ = self.applied.clone().wait_for(|next| *next > index).await;
    }

    /// Takes over what `content.from` has applied.
    async fn adopt(&self, applied: LogId, membership: StoredMembership, content: &Content) -> io::Result<()> {
        let lost = || io::Error::other("a snapshot of nobody's");
        let from = content.from.clone().ok_or_else(lost)?;
        let source = self.source.get().cloned().ok_or_else(lost)?;
        source.prepare(&from).await?;
        let own: BTreeMap<Tenant, Position> = {
            let (send, heads) = oneshot::channel();
            self.jobs.send(Job::Heads(send)).map_err(|_| gone())?;
            heads.await.map_err(|_| gone())?.into_iter().collect()
        };
        let (feed, lines) = sync_channel(2);
        let (done, taken) = oneshot::channel();
        let takeover = Takeover {
            lines,
            applied,
            membership,
        };
        self.jobs.send(Job::Adopt(takeover, done)).map_err(|_| gone())?;
        let wanted: Vec<(Tenant, Position, Position)> = content
            .heads
            .iter()
            .map(|(tenant, to)| (tenant.clone(), own.get(tenant).copied().unwrap_or(0), *to))
            .collect();
        let fetched = fetch(source, from, wanted, feed).await;
        let taken = taken.await.unwrap_or_else(|_| Err(gone()));
        fetched.and(taken)
    }

    async fn apply(&self, work: Work) -> io::Result<()> {
        let (done, applied) = oneshot::channel();
        self.jobs.send(Job::Apply(work, done)).map_err(|_| gone())?;
        applied.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Makes everything applied so far durable.
    pub async fn checkpoint(&self) -> Result<Marker, MachineError> {
        let (done, made) = oneshot::channel();
        let lost = || MachineError::Io {
            what: "cannot make a checkpoint".into(),
            source: gone(),
        };
        self.jobs.send(Job::Checkpoint(done)).map_err(|_| lost())?;
        made.await.unwrap_or_else(|_| Err(lost()))
    }

    /// No longer waits for room on a full disk.
    pub fn give_up_waiting(&self) {
        self.stopping.store(true, Ordering::SeqCst);
    }

    /// Ends the thread and drops the machine; returns when that is done.
    pub async fn stop(&self) {
        self.give_up_waiting();
        // An error means that the thread is gone already.
        let _ = self.jobs.send(Job::Stop);
        let _ = self.ended.clone().wait_for(|ended| *ended).await;
    }
}

/// Brings lines until every log is where it is wanted. What goes wrong is told to the taker, so that nothing is
/// taken over in part; who asked hears it from there.
async fn fetch(
    source: Arc<dyn LineSource>,
    from: NodeId,
    wanted: Vec<(Tenant, Position, Position)>,
    feed: SyncSender<io::Result<(Tenant, Vec<Bytes>)>>,
) -> io::Result<()> {
    for (tenant, mut at, to) in wanted {
        while at < to {
            let lines = source.lines(&from, &tenant, at).await;
            let lines = lines.and_then(|mut lines| {
                lines.truncate(usize::try_from(to - at).unwrap_or(usize::MAX));
                if lines.is_empty() {
                    return Err(io::Error::other(format!(
                        "{from} has no line of {tenant} after {at}"
                    )));
                }
                Ok(lines)
            });
            let taken = lines.as_ref().ok().map(|lines| lines.len() as u64);
            let item = lines.map(|lines| (tenant.clone(), lines));
            let feed = feed.clone();
            // The taker folds slower than lines come: off the async threads.
            blocking(move || feed.send(item)).await.map_err(|_| gone())?;
            // Why there are none, the taker was told.
            let Some(taken) = taken else { return Ok(()) };
            at += taken;
        }
    }
    Ok(())
}

struct Worker {
    telling: watch::Sender<u64>,
    machine: Box<dyn Machine>,
    progress: Arc<Mutex<Progress>>,
    stalled: Arc<AtomicBool>,
    stopping: Arc<AtomicBool>,
}

impl Worker {
    fn run(&mut self, inbox: &Receiver<Job>) {
        while let Ok(job) = inbox.recv() {
            // Who waited may have gone; then nobody needs the answer.
            match job {
                Job::Apply(work, done) => drop(done.send(self.apply(work))),
                Job::Checkpoint(done) => drop(done.send(self.checkpoint())),
                Job::Heads(done) => drop(done.send(self.machine.heads())),
                Job::Adopt(takeover, done) => drop(done.send(self.adopt(takeover))),
                Job::Stop => return,
            }
        }
    }

    fn apply(&mut self, work: Work) -> io::Result<()> {
        let (entries, responders): (Vec<_>, Vec<_>) = work.into_iter().unzip();
        let mut told = false;
        loop {
            let (committed, applied, membership) = self.committed(&entries)?;
            let result = self.machine.apply(committed);
            if matches!(result, Err(MachineError::Full)) && !self.stopping.load(Ordering::SeqCst) {
                if !told {
                    tracing::warn!("the disk is full: applying waits for room");
                    told = true;
                }
                self.stalled.store(true, Ordering::SeqCst);
                std::thread::sleep(FULL_RETRY);
                continue;
            }
            self.stalled.store(false, Ordering::SeqCst);
            let outcomes = result.map_err(io::Error::other)?;
            if outcomes.len() != responders.len() {
                return Err(io::Error::other("the machine did not answer every entry"));
            }
            {
                let mut progress = self.progress.lock();
                progress.applied = applied.or(progress.applied);
                progress.membership = membership;
            }
            if let Some(applied) = &applied {
                self.telling.send_replace(applied.index + 1);
            }
            for (outcomes, responder) in outcomes.into_iter().zip(responders) {
                if let Some(responder) = responder {
                    responder.send(outcomes);
                }
            }
            return Ok(());
        }
    }

    fn committed(&self, entries: &[Entry]) -> io::Result<(Vec<Committed>, Option<LogId>, StoredMembership)> {
        let mut membership = self.progress.lock().membership.clone();
        let mut committed = Vec::with_capacity(entries.len());
        for entry in entries {
            let appends = match &entry.payload {
                Payload::Blank => Vec::new(),
                Payload::Membership(changed) => {
                    membership = StoredMembership::new(Some(entry.log_id), changed.clone());
                    Vec::new()
                }
                Payload::Normal(batch) => batch.take().map_err(|why| {
                    io::Error::other(format!(
                        "Raft entry {} does not decode: {why}",
                        entry.log_id.index
                    ))
                })?,
            };
            committed.push(Committed {
                marker: marker(&entry.log_id, &membership),
                term: term(&entry.log_id),
                appends,
            });
        }
        Ok((committed, entries.last().map(|entry| entry.log_id), membership))
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        let made = self.machine.checkpoint()?;
        let durable = read_marker(&made).map_err(MachineError::Damaged)?;
        let heads = self.machine.heads();
        let mut progress = self.progress.lock();
        progress.durable = durable;
        progress.heads = heads;
        drop(progress);
        Ok(made)
    }

    fn adopt(&mut self, takeover: Takeover) -> io::Result<()> {
        let Takeover {
            lines,
            applied,
            membership,
        } = takeover;
        let own = self.progress.lock().applied.map_or(0, |id| id.index + 1);
        if applied.index < own {
            return Err(io::Error::other("a snapshot of before what is applied here"));
        }
        let mut next = || match lines.recv() {
            Ok(Ok(lines)) => Ok(Some(lines)),
            Ok(Err(error)) => Err(MachineError::Io {
                what: "cannot fetch another node's log".into(),
                source: error,
            }),
            Err(_) => Ok(None),
        };
        let marker = marker(&applied, &membership);
        self.machine.adopt(&mut next, marker).map_err(io::Error::other)?;
        let heads = self.machine.heads();
        let index = applied.index + 1;
        {
            let mut progress = self.progress.lock();
            progress.applied = Some(applied);
            progress.membership = membership.clone();
            progress.durable = Some((applied, membership));
            progress.heads = heads;
        }
        self.telling.send_replace(index);
        Ok(())
    }
}

impl RaftStateMachine<TypeConfig> for MachineThread {
    type SnapshotData = Content;
    type SnapshotBuilder = SnapshotBuilder;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembership), io::Error> {
        let progress = self.progress.lock();
        Ok((progress.applied, progress.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<TypeConfig>, io::Error>> + Unpin + OptionalSend,
    {
        let (mut chunk, mut bytes) = (Vec::new(), 0);
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            if let Payload::Normal(batch) = &entry.payload {
                bytes += batch.cbor().len();
            }
            chunk.push((entry, responder));
            if chunk.len() >= CHUNK_ENTRIES || bytes >= CHUNK_BYTES {
                bytes = 0;
                MachineThread::apply(self, std::mem::take(&mut chunk)).await?;
            }
        }
        if chunk.is_empty() {
            Ok(())
        } else {
            MachineThread::apply(self, chunk).await
        }
    }

    async fn try_create_snapshot_builder(&mut self, force: bool) -> Option<SnapshotBuilder> {
        Some(SnapshotBuilder {
            machine: self.clone(),
            checkpoint: force,
        })
    }

    async fn get_snapshot_builder(&mut self) -> SnapshotBuilder {
        SnapshotBuilder {
            machine: self.clone(),
            checkpoint: true,
        }
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMetaOf<TypeConfig>,
        content: Self::SnapshotData,
    ) -> Result<(), io::Error> {
        let applied = meta
            .last_log_id
            .ok_or_else(|| io::Error::other("a snapshot of nothing"))?;
        tracing::info!(entry = applied.index, "taking over another node's log");
        self.adopt(applied, meta.last_membership.clone(), &content).await
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<SnapshotOf<TypeConfig, Content>>, io::Error> {
        Ok(self.durable())
    }
}

impl MachineThread {
    /// The durable state as a snapshot; nothing before the first checkpoint.
    fn durable(&self) -> Option<SnapshotOf<TypeConfig, Content>> {
        let progress = self.progress.lock();
        let (applied, membership) = progress.durable.clone()?;
        let meta = SnapshotMetaOf::<TypeConfig> {
            last_log_id: Some(applied),
            last_membership: membership,
        };
        let heads = progress.heads.clone();
        let snapshot = Content { from: None, heads };
        Some(Snapshot { meta, snapshot })
    }
}

/// A snapshot is what the machine holds durably; its manifest is the machine's marker.
pub(crate) struct SnapshotBuilder {
    machine: MachineThread,
    /// Whether to make a checkpoint first; else the last one is taken.
    checkpoint: bool,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = Content;

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, Content>, io::Error> {
        if self.checkpoint {
            self.machine.checkpoint().await.map_err(io::Error::other)?;
        }
        Ok(self.machine.durable().unwrap_or_else(|| Snapshot {
            meta: Default::default(),
            snapshot: Content::default(),
        }))
    }
}
