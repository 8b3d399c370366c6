//! A log and a machine in memory: the log loses at a crash what was not synced, the machine everything.

use crate::runtime::Ordered;
use crate::world::{Spoil, World};
use futures::{Stream, StreamExt};
use openraft::storage::{
    EntryResponder, IOFlushed, LogState, RaftLogReader, RaftLogStorage, RaftSnapshotBuilder,
    RaftStateMachine, Snapshot,
};
use openraft::type_config::alias::{
    EntryOf, LogIdOf, SnapshotMetaOf, SnapshotOf, StoredMembershipOf, VoteOf,
};
use openraft::{EntryPayload, OptionalSend, RaftTypeConfig};
use openraft_rt::deterministic_rng::DeterministicRng;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Raft as the cluster has it, but for what an entry is, and for a runtime whose numbers come from the seed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Types;

impl RaftTypeConfig for Types {
    type D = u64;
    type R = u64;
    type NodeId = u64;
    type Node = openraft::EmptyNode;
    type Term = u64;
    type LeaderId = openraft::impls::leader_id_std::LeaderId<u64, u64>;
    type Vote = openraft::impls::Vote<Self::LeaderId>;
    type Payload = EntryPayload<u64, u64, openraft::EmptyNode>;
    type Entry =
        openraft::impls::Entry<openraft::type_config::alias::CommittedLeaderIdOf<Self>, Self::Payload>;
    type AsyncRuntime = DeterministicRng<Ordered>;
    type Responder<T>
        = openraft::impls::OneshotResponder<Self, T>
    where
        T: Send + 'static;
    type Batch<T>
        = openraft::impls::InlineBatch<T>
    where
        T: Send + 'static;
    type ErrorSource = openraft::impls::BoxedErrorSource;
}

pub type Entry = EntryOf<Types>;
pub type LogId = LogIdOf<Types>;

#[derive(Default)]
struct Kept {
    vote: Option<VoteOf<Types>>,
    committed: Option<LogId>,
    entries: BTreeMap<u64, Entry>,
    /// Entries up to this index are synced.
    synced: Option<u64>,
    /// Counts crashes: a sync that was under way is none.
    start: u64,
    /// When the last sync ends that is under way.
    busy: Option<Instant>,
}

/// A node's disk.
#[derive(Clone)]
pub struct Disk(Arc<Mutex<Kept>>, World);

impl Disk {
    pub fn new(world: &World) -> Self {
        Self(Arc::default(), world.clone())
    }

    /// What was not synced is gone.
    pub fn crash(&self) {
        let mut kept = self.0.lock();
        kept.start += 1;
        kept.busy = None;
        let synced = kept.synced;
        kept.entries
            .retain(|index, _| synced.is_some_and(|synced| *index <= synced));
    }
}

impl RaftLogReader<Types> for Disk {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let kept = self.0.lock();
        Ok(kept
            .entries
            .range(range)
            .map(|(_, entry)| entry.clone())
            .collect())
    }

    async fn read_vote(&mut self) -> Result<Option<VoteOf<Types>>, io::Error> {
        Ok(self.0.lock().vote)
    }

    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = Result<Entry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let bounds: (Bound<u64>, Bound<u64>) = (range.start_bound().cloned(), range.end_bound().cloned());
        let kept = self.0.lock();
        let entries: Vec<_> = kept
            .entries
            .range(bounds)
            .map(|(_, entry)| Ok(entry.clone()))
            .collect();
        futures::stream::iter(entries)
    }
}

impl RaftLogStorage<Types> for Disk {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, io::Error> {
        let kept = self.0.lock();
        Ok(LogState {
            last_purged_log_id: None,
            last_log_id: kept.entries.values().next_back().map(|entry| entry.log_id),
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &VoteOf<Types>) -> Result<(), io::Error> {
        let (start, wait) = (self.0.lock().start, self.1.sync_ms());
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let mut kept = self.0.lock();
        if kept.start != start {
            return Err(io::Error::other("it crashed"));
        }
        kept.vote = Some(*vote);
        Ok(())
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.0.lock().committed = committed;
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        let kept = self.0.lock();
        // It is not synced: what it names may be gone.
        let last = kept.entries.values().next_back().map(|entry| entry.log_id);
        Ok(kept.committed.min(last))
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<Types>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let wait = Duration::from_millis(self.1.sync_ms());
        let (start, last, ends) = {
            let mut kept = self.0.lock();
            let mut last = None;
            for entry in entries {
                last = Some(entry.log_id.index);
                kept.entries.insert(entry.log_id.index, entry);
            }
            let ends = (Instant::now() + wait).max(kept.busy.unwrap_or_else(Instant::now));
            kept.busy = Some(ends);
            (kept.start, last, ends)
        };
        let (kept, lies) = (self.0.clone(), self.1.spoil() == Some(Spoil::LyingDisk));
        tokio::spawn(async move {
            tokio::time::sleep_until(ends).await;
            {
                let mut kept = kept.lock();
                if kept.start != start {
                    return;
                }
                if !lies {
                    // What was cut off meanwhile is not there any more.
                    let there = kept.entries.keys().next_back().copied();
                    kept.synced = kept.synced.max(last.min(there));
                }
            }
            callback.io_completed(Ok(()));
        });
        Ok(())
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        let mut kept = self.0.lock();
        let last = last_log_id.map(|id| id.index);
        kept.entries
            .retain(|index, _| last.is_some_and(|last| *index <= last));
        kept.synced = kept.synced.min(last);
        Ok(())
    }

    async fn purge(&mut self, _log_id: LogId) -> Result<(), io::Error> {
        Ok(())
    }
}

/// What a machine has applied.
#[derive(Default)]
pub struct Applied {
    pub last: Option<LogId>,
    membership: StoredMembershipOf<Types>,
    /// Entry and value, in order.
    pub values: Vec<(u64, u64, u64)>,
}

/// A machine that forgets all when its process ends; the log gives it back.
#[derive(Clone, Default)]
pub struct Machine(pub Arc<Mutex<Applied>>);

impl RaftStateMachine<Types> for Machine {
    type SnapshotData = ();
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, StoredMembershipOf<Types>), io::Error> {
        let applied = self.0.lock();
        Ok((applied.last, applied.membership.clone()))
    }

    async fn apply<Strm>(&mut self, mut entries: Strm) -> Result<(), io::Error>
    where
        Strm: Stream<Item = Result<EntryResponder<Types>, io::Error>> + Unpin + OptionalSend,
    {
        while let Some(item) = entries.next().await {
            let (entry, responder) = item?;
            let mut applied = self.0.lock();
            applied.last = Some(entry.log_id);
            let mut answer = 0;
            match &entry.payload {
                EntryPayload::Normal(value) => {
                    let term = *entry.log_id.leader_id;
                    applied.values.push((term, entry.log_id.index, *value));
                    answer = *value;
                }
                EntryPayload::Membership(members) => {
                    applied.membership =
                        StoredMembershipOf::<Types>::new(Some(entry.log_id), members.clone());
                }
                EntryPayload::Blank => {}
            }
            drop(applied);
            if let Some(responder) = responder {
                responder.send(answer);
            }
        }
        Ok(())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn install_snapshot(
        &mut self,
        _meta: &SnapshotMetaOf<Types>,
        _content: (),
    ) -> Result<(), io::Error> {
        Err(io::Error::other("nobody makes snapshots here"))
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<SnapshotOf<Types, ()>>, io::Error> {
        Ok(None)
    }
}

impl RaftSnapshotBuilder<Types> for Machine {
    type SnapshotData = ();

    async fn build_snapshot(&mut self) -> Result<SnapshotOf<Types, ()>, io::Error> {
        Ok(Snapshot {
            meta: Default::default(),
            snapshot: (),
        })
    }
}
