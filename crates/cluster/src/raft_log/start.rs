//! Starting: the write-ahead log, the machine, Raft, and the wait for whoever leads.

use super::*;
use stead_plan::votes;

fn config() -> Result<Arc<Config>, ClusterError> {
    let config = Config {
        cluster_name: "stead".into(),
        // Writes stop for an election's time when a leader is lost; a slow disk's sync must fit in it.
        heartbeat_interval: votes::HEARTBEAT_MS,
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
pub(super) async fn begin(
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
        dir: options.dir.clone(),
        lot: options.rng.below(u64::MAX),
        rng: options.rng.clone(),
        announced: parking_lot::Mutex::default(),
        node: options.node.clone(),
        number: options.number,
        tasks: options.tasks.clone(),
        link,
        together: options.together.clone(),
        joins: Joins::default(),
        owed: Owed::default(),
        progress: Progress::default(),
        beliefs: Beliefs::default(),
        sets: parking_lot::Mutex::default(),
        shared: OnceLock::new(),
        stopper: OnceLock::new(),
        leases: OnceLock::new(),
        lanes: Lanes::default(),
        stripes: StripeIndex::default(),
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

pub(super) async fn open_wal(
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
        raft.initialize(BTreeMap::from([(FOUNDER, options.member())]))
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
