//! The write-ahead log as openraft's log store.

use crate::types::{Entry, LogId, TypeConfig, Vote};
use crate::wal::{Done, Wal};
use futures::Stream;
use openraft::OptionalSend;
use openraft::storage::{IOFlushed, LogState, RaftLogReader, RaftLogStorage};
use std::collections::VecDeque;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use stead_runtime::blocking;
use tokio::sync::oneshot;

/// About this many bytes of entries are read at a time.
const READ_BYTES: usize = 4 * 1024 * 1024;

/// openraft's view of the write-ahead log.
#[derive(Clone)]
pub(crate) struct LogStore(pub Wal);

fn bounds(range: &impl RangeBounds<u64>) -> (u64, u64) {
    let start = match range.start_bound() {
        Bound::Included(start) => *start,
        Bound::Excluded(start) => start.saturating_add(1),
        Bound::Unbounded => 0,
    };
    let end = match range.end_bound() {
        Bound::Included(end) => end.saturating_add(1),
        Bound::Excluded(end) => *end,
        Bound::Unbounded => u64::MAX,
    };
    (start, end)
}

/// A callback and what waits for it.
fn answer() -> (Done, impl Future<Output = io::Result<()>>) {
    let (send, receive) = oneshot::channel();
    let done: Done = Box::new(move |result| {
        // Who waited may have gone; then nobody needs the answer.
        let _ = send.send(result);
    });
    (done, async move {
        receive
            .await
            .unwrap_or_else(|_| Err(io::Error::other("the write-ahead log has stopped")))
    })
}

impl LogStore {
    async fn read(&self, start: u64, end: u64, limit: usize) -> io::Result<Vec<Entry>> {
        if self.0.is_recent(start, end) {
            return self.0.read(start, end, limit);
        }
        let wal = self.0.clone();
        blocking(move || wal.read(start, end, limit)).await
    }
}

impl RaftLogReader<TypeConfig> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, io::Error> {
        let (start, end) = bounds(&range);
        self.read(start, end, usize::MAX).await
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, io::Error> {
        Ok(self.0.vote())
    }

    async fn limited_get_log_entries(&mut self, start: u64, end: u64) -> Result<Vec<Entry>, io::Error> {
        self.read(start, end, READ_BYTES).await
    }

    async fn entries_stream<RB>(
        &mut self,
        range: RB,
    ) -> impl Stream<Item = Result<Entry, io::Error>> + OptionalSend
    where
        RB: RangeBounds<u64> + Clone + Debug + OptionalSend,
    {
        let (start, end) = bounds(&range);
        let reading = (self.clone(), start, VecDeque::new());
        futures::stream::unfold(reading, move |(store, mut next, mut ready)| async move {
            if ready.is_empty() && next < end {
                match store.read(next, end, READ_BYTES).await {
                    Ok(entries) => ready = VecDeque::from(entries),
                    Err(error) => return Some((Err(error), (store, end, ready))),
                }
            }
            let entry: Entry = ready.pop_front()?;
            next = entry.log_id.index + 1;
            Some((Ok(entry), (store, next, ready)))
        })
    }
}

impl RaftLogStorage<TypeConfig> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<TypeConfig>, io::Error> {
        let (last_purged_log_id, last_log_id) = self.0.bounds();
        Ok(LogState {
            last_purged_log_id,
            last_log_id,
        })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), io::Error> {
        let (done, saved) = answer();
        self.0.save_vote(*vote, done);
        saved.await
    }

    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), io::Error> {
        self.0.set_committed(committed);
        Ok(())
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, io::Error> {
        Ok(self.0.committed())
    }

    async fn append<I>(&mut self, entries: I, callback: IOFlushed<TypeConfig>) -> Result<(), io::Error>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        self.0
            .append(entries, Box::new(move |result| callback.io_completed(result)))
    }

    async fn truncate_after(&mut self, last_log_id: Option<LogId>) -> Result<(), io::Error> {
        let (done, truncated) = answer();
        self.0.truncate_after(last_log_id, done);
        truncated.await
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), io::Error> {
        if self.0.ends_before(log_id) {
            let (done, skipped) = answer();
            self.0.skip_to(log_id, done);
            skipped.await?;
        }
        let wal = self.0.clone();
        blocking(move || wal.purge(log_id)).await
    }
}
