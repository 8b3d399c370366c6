//! Gathers appends into Raft entries, so that all that wait share one entry and one sync.

use crate::batch::{Batch, Encoded};
use crate::machine::MachineThread;
use crate::types::{Callback, TypeConfig};
use openraft::Raft;
use openraft::raft::ClientWriteResult;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use stead_log::{Appended, LogError};
use tokio::sync::{Semaphore, mpsc, oneshot};

/// An entry carries no more appends than this.
const BATCH_APPENDS: usize = 256;
/// An entry is closed when it has reached this many bytes.
const BATCH_BYTES: usize = 1024 * 1024;
/// Entries on their way at once: the next is written while the former is applied.
const IN_FLIGHT: usize = 2;
/// How many appends may wait in the queue.
pub(crate) const QUEUE: usize = 256;
/// How often a full disk is asked after while appends wait.
const STALL_CHECK: Duration = Duration::from_millis(100);

/// Where an append went, and the index of the Raft entry that has it.
pub(crate) type Answer = Result<(Appended, u64), LogError>;

/// An append and who waits for it.
pub(crate) struct Proposal {
    pub encoded: Encoded,
    pub answer: oneshot::Sender<Answer>,
}

/// Takes proposals from the queue until it is closed.
pub(crate) struct Proposer {
    pub raft: Raft<TypeConfig, MachineThread>,
    pub queue: mpsc::Receiver<Proposal>,
    /// Whether the disk is full, so that what waits must be refused.
    pub stalled: Box<dyn Fn() -> bool + Send>,
}

impl Proposer {
    pub async fn run(mut self) {
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
        while let Some(first) = self.queue.recv().await {
            let mut first = Some(first);
            let permit = loop {
                match tokio::time::timeout(STALL_CHECK, in_flight.clone().acquire_owned()).await {
                    Ok(permit) => break permit.ok(),
                    Err(_) if (self.stalled)() => self.refuse(first.take()),
                    Err(_) => {}
                }
            };
            // Those that were refused left nothing to propose.
            let Some(first) = first.or_else(|| self.queue.try_recv().ok()) else {
                continue;
            };
            let (batch, waiting) = self.gather(first);
            let answered = Callback(Box::new(move |result| {
                drop(permit);
                answer(result, waiting);
            }));
            if let Err(fatal) = self.raft.client_write_ff(batch, Some(answered)).await {
                // The callback, and with it who waits, is gone: they hear that the log is not available.
                tracing::error!(%fatal, "consensus has stopped");
            }
        }
    }

    fn refuse(&mut self, first: Option<Proposal>) {
        let mut next = first.or_else(|| self.queue.try_recv().ok());
        while let Some(proposal) = next {
            // Who waited may have gone; then nobody needs the answer.
            let _ = proposal.answer.send(Err(LogError::Full));
            next = self.queue.try_recv().ok();
        }
    }

    fn gather(&mut self, first: Proposal) -> (Batch, VecDeque<oneshot::Sender<Answer>>) {
        let mut bytes = 0;
        let mut items = Vec::new();
        let mut waiting = VecDeque::new();
        let mut next = Some(first);
        while let Some(proposal) = next {
            bytes += proposal.encoded.cbor.len();
            items.push(proposal.encoded);
            waiting.push_back(proposal.answer);
            let more = items.len() < BATCH_APPENDS && bytes < BATCH_BYTES;
            next = if more { self.queue.try_recv().ok() } else { None };
        }
        (Batch::join(items), waiting)
    }
}

fn answer(result: ClientWriteResult<TypeConfig>, waiting: VecDeque<oneshot::Sender<Answer>>) {
    match result {
        Ok(response) => {
            let index = response.log_id.index;
            for (waiting, outcome) in waiting.into_iter().zip(response.data) {
                let answer = outcome.map(|appended| (appended, index));
                let _ = waiting.send(answer.map_err(LogError::from));
            }
        }
        Err(error) => {
            for waiting in waiting {
                let _ = waiting.send(Err(LogError::Unavailable(error.to_string())));
            }
        }
    }
}
