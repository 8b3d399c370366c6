//! The thread that owns the machine, and the machine as openraft's state machine.

use crate::members::DriverState;
use crate::types::{Entry, LogId, Payload, StoredMembership, TypeConfig};
use futures::{Stream, StreamExt};
use openraft::OptionalSend;
use openraft::storage::{ApplyResponder, EntryResponder, RaftSnapshotBuilder, RaftStateMachine, Snapshot};
use openraft::type_config::alias::{SnapshotMetaOf, SnapshotOf};
use parking_lot::Mutex;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use stead_log::{Committed, Machine, MachineError, Marker};
use stead_runtime::{TaskKind, Tasks};
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
    Stop,
}

/// What has been applied, and what of it is durable.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    pub applied: Option<LogId>,
    pub membership: StoredMembership,
    pub durable: Option<(LogId, StoredMembership)>,
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
        let progress = Arc::new(Mutex::new(Progress {
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
        })
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

struct Worker {
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
                appends,
            });
        }
        Ok((committed, entries.last().map(|entry| entry.log_id), membership))
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        let made = self.machine.checkpoint()?;
        let durable = read_marker(&made).map_err(MachineError::Damaged)?;
        self.progress.lock().durable = durable;
        Ok(made)
    }
}

impl RaftStateMachine<TypeConfig> for MachineThread {
    type SnapshotData = ();
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
        _meta: &SnapshotMetaOf<TypeConfig>,
        (): Self::SnapshotData,
    ) -> Result<(), io::Error> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this version cannot take over a snapshot from another node",
        ))
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<SnapshotOf<TypeConfig, ()>>, io::Error> {
        Ok(self.progress.lock().durable.clone().map(snapshot))
    }
}

fn snapshot((applied, membership): (LogId, StoredMembership)) -> SnapshotOf<TypeConfig, ()> {
    let meta = SnapshotMetaOf::<TypeConfig> {
        last_log_id: Some(applied),
        last_membership: membership,
    };
    Snapshot { meta, snapshot: () }
}

/// A snapshot is what the machine holds durably; its manifest is the machine's marker.
pub(crate) struct SnapshotBuilder {
    machine: MachineThread,
    /// Whether to make a checkpoint first; else the last one is taken.
    checkpoint: bool,
}

impl RaftSnapshotBuilder<TypeConfig> for SnapshotBuilder {
    type SnapshotData = ();

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<TypeConfig, ()>, io::Error> {
        if self.checkpoint {
            self.machine.checkpoint().await.map_err(io::Error::other)?;
        }
        let durable = self.machine.progress.lock().durable.clone();
        Ok(durable.map_or_else(
            || Snapshot {
                meta: Default::default(),
                snapshot: (),
            },
            snapshot,
        ))
    }
}
