//! One of several: who leads, bringing it appends, and reading what is current.

use crate::batch::Encoded;
use crate::mesh::{Ask, MeshError, Proposed, Reply};
use crate::{ClusterError, RaftLog};
use openraft::ReadPolicy;
use openraft::async_runtime::watch::WatchReceiver;
use std::sync::Weak;
use std::time::Duration;
use stead_event::NodeId;
use stead_log::{Append, Appended, LogError, Renewal};
use tokio::time::Instant;

/// How long an append or a read waits for somebody to lead.
const LEADER_WAIT: Duration = Duration::from_secs(8);
/// How long whoever leads may take over an append.
const PROPOSE: Duration = Duration::from_secs(30);
/// How long a quorum may take to confirm that this node leads.
const QUORUM: Duration = Duration::from_secs(2);
/// How long it may take over a question.
const QUESTION: Duration = Duration::from_secs(4);
/// How long this node may be behind what it has to read.
const BEHIND: Duration = Duration::from_secs(15);
/// Between two looks whether somebody leads.
const TICK: Duration = Duration::from_millis(50);

impl RaftLog {
    /// The number of whoever leads, where that is known.
    pub(crate) fn leader(&self) -> Option<u64> {
        self.raft.metrics().borrow_watched().current_leader
    }

    /// Whether this node has nobody beside it.
    pub(crate) fn alone(&self) -> bool {
        self.link.get().is_none() || {
            let metrics = self.raft.metrics();
            let metrics = metrics.borrow_watched();
            let mut members = metrics.membership_config.membership().nodes();
            // One that was let in and has heard of nobody yet has others beside it.
            members.next().is_some_and(|(number, _)| *number == self.number) && members.next().is_none()
        }
    }

    /// Whether this node was started so recently that it may have promised somebody else not to vote.
    pub(crate) fn may_have_promised(&self) -> bool {
        self.promised.is_some_and(|until| Instant::now() < until)
    }

    /// The name of a member.
    pub(crate) fn name_of(&self, number: u64) -> Option<NodeId> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let member = metrics.membership_config.membership().get_node(&number)?;
        Some(self.link.reachable(member))
    }

    /// The name of whoever leads, where that is known.
    pub(crate) fn leader_name(&self) -> Option<NodeId> {
        self.name_of(self.leader()?)
    }

    /// Whether a node is named as a member.
    pub(crate) fn has_member(&self, node: &NodeId) -> bool {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let mut members = metrics.membership_config.membership().nodes().peekable();
        // Only until the log says who is one: who was removed since must not be one for ever.
        if members.peek().is_none() {
            return self.is_known(node);
        }
        members.any(|(_, member)| member.name == node.0)
    }

    /// Waits a while until somebody leads. That nobody does is no error: a member whose others are away
    /// must come up all the same.
    pub(crate) async fn wait_for_leader(&self, limit: Duration) -> Result<(), ClusterError> {
        let until = Instant::now() + limit;
        while self.leader().is_none() {
            if Instant::now() >= until {
                tracing::warn!(
                    "no other member answers, so nobody leads: nothing can be written until one does"
                );
                return Ok(());
            }
            tokio::time::sleep(TICK).await;
        }
        if self.read_barrier().await.is_err() {
            tracing::warn!("this node is behind the others and catches up");
        }
        Ok(())
    }

    fn nobody_leads(&self) -> LogError {
        LogError::Unavailable(
            "too few members of the cluster answer each other to decide anything; `stead status` says which are away"
                .into(),
        )
    }

    /// Whoever leads, waiting for an election where nobody does.
    async fn leader_by(&self, until: Instant) -> Result<u64, LogError> {
        loop {
            if let Some(leader) = self.leader() {
                return Ok(leader);
            }
            if Instant::now() >= until {
                return Err(self.nobody_leads());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Brings an append to whoever leads; returns when it is applied here as well.
    pub(crate) async fn forward(&self, encoded: Encoded) -> Result<Appended, LogError> {
        let until = Instant::now() + LEADER_WAIT;
        let ask = Ask::Propose(encoded.cbor.clone());
        loop {
            let leader = self.leader_by(until).await?;
            if leader == self.number {
                return self.propose(encoded).await.map(|(appended, _)| appended);
            }
            let (Some(mesh), Some(name)) = (self.link.get(), self.name_of(leader)) else {
                return Err(self.nobody_leads());
            };
            let asked = tokio::select! {
                asked = mesh.ask(&name, &ask, PROPOSE) => asked,
                () = self.deposed(leader) => {
                    let why = "whoever led was lost meanwhile; whether it took the write is not known".into();
                    return Err(LogError::Unavailable(why));
                }
            };
            match asked {
                Ok(Reply::Proposed(Proposed::Done(appended, index))) => {
                    self.wait_applied(index).await?;
                    return Ok(appended);
                }
                Ok(Reply::Proposed(Proposed::NotLeader)) | Err(MeshError::Unreachable { .. }) => {}
                Ok(Reply::Proposed(other)) => return Err(refused(other)),
                Ok(other) => return Err(LogError::Unavailable(format!("the leader answers {other:?}"))),
                Err(error) => return Err(LogError::Unavailable(error.to_string())),
            }
            if Instant::now() >= until {
                return Err(self.nobody_leads());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    async fn wait_applied(&self, index: u64) -> Result<(), LogError> {
        let waited = tokio::time::timeout(BEHIND, self.machine.wait_applied(index)).await;
        waited.map_err(|_| LogError::Unavailable("this node is too far behind the others".into()))
    }

    /// An append that another node brings.
    pub(crate) async fn take(&self, from: &NodeId, cbor: bytes::Bytes) -> Proposed {
        if self.leader() != Some(self.number) {
            return Proposed::NotLeader;
        }
        let append: Append = match serde_ipld_dagcbor::from_slice(&cbor) {
            Ok(append) => append,
            Err(error) => return Proposed::Unavailable(format!("an append does not decode: {error}")),
        };
        if append.node.as_ref() != Some(from) {
            return Proposed::Unavailable("an append in another node's name".into());
        }
        let taken = match self.admit(&append) {
            Ok(_) => self.propose(Encoded { append, cbor }).await,
            Err(error) => Err(error),
        };
        match taken {
            Ok((appended, index)) => Proposed::Done(appended, index),
            Err(LogError::Rejected(rejection)) => Proposed::Rejected(rejection),
            Err(LogError::Busy) => Proposed::Busy,
            Err(LogError::Full) => Proposed::Full,
            Err(error) => Proposed::Unavailable(error.to_string()),
        }
    }

    /// Returns when everything that was acknowledged before is applied here.
    pub(crate) async fn read_barrier(&self) -> Result<(), LogError> {
        if self.alone() {
            return Ok(());
        }
        let until = Instant::now() + LEADER_WAIT;
        loop {
            let leader = self.leader_by(until).await?;
            let index = if leader == self.number {
                self.read_index().await
            } else {
                self.ask_read_index(leader).await
            };
            if let Some(index) = index {
                return self.wait_applied(index).await;
            }
            if Instant::now() >= until {
                return Err(self.nobody_leads());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Has whoever leads begin a lease anew; tried again where another leads meanwhile, because it does no harm twice.
    pub(crate) async fn renew_at_leader(&self, renewal: Renewal) -> Result<bool, LogError> {
        let until = Instant::now() + LEADER_WAIT;
        loop {
            let leader = self.leader_by(until).await?;
            let renewed = if leader == self.number {
                self.renew_here(&renewal).await.ok()
            } else {
                self.ask_renew(leader, &renewal).await
            };
            if let Some(held) = renewed {
                return Ok(held);
            }
            if Instant::now() >= until {
                return Err(self.nobody_leads());
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Begins a lease anew, where this node leads.
    pub(crate) async fn renew_here(&self, renewal: &Renewal) -> Result<bool, LogError> {
        let leases = self.leases.get().and_then(Weak::upgrade);
        let leases = leases.ok_or_else(|| LogError::Unavailable("this node keeps no leases yet".into()))?;
        leases.renew(renewal).await
    }

    async fn ask_renew(&self, leader: u64, renewal: &Renewal) -> Option<bool> {
        let (mesh, name) = (self.link.get()?, self.name_of(leader)?);
        let ask = Ask::Renew(renewal.clone());
        tokio::select! {
            asked = mesh.ask(&name, &ask, QUESTION) => match asked {
                Ok(Reply::Renewed(held)) => Some(held),
                _ => None,
            },
            () = self.deposed(leader) => None,
        }
    }

    async fn ask_read_index(&self, leader: u64) -> Option<u64> {
        let (mesh, name) = (self.link.get()?, self.name_of(leader)?);
        tokio::select! {
            asked = mesh.ask(&name, &Ask::ReadIndex, QUESTION) => match asked {
                Ok(Reply::ReadIndex(index)) => index,
                _ => None,
            },
            () = self.deposed(leader) => None,
        }
    }

    /// Returns when that member no longer leads: an answer of one that was lost would be waited for in vain.
    async fn deposed(&self, leader: u64) {
        while self.leader() == Some(leader) {
            tokio::time::sleep(TICK).await;
        }
    }

    /// Index of the last entry that a read must have applied; `None` where this node does not lead.
    pub(crate) async fn read_index(&self) -> Option<u64> {
        // A lease saves the round to a quorum; where it has run out, the quorum is asked.
        let leased = self.raft.get_read_log_id(ReadPolicy::LeaseRead).await;
        let read = match leased {
            Ok(read) => read,
            Err(_) => {
                let asked = self.raft.get_read_log_id(ReadPolicy::ReadIndex);
                tokio::time::timeout(QUORUM, asked).await.ok()?.ok()?
            }
        };
        Some(read.0.index())
    }
}

fn refused(proposed: Proposed) -> LogError {
    match proposed {
        Proposed::Rejected(rejection) => LogError::Rejected(rejection),
        Proposed::Busy => LogError::Busy,
        Proposed::Full => LogError::Full,
        Proposed::Unavailable(why) => LogError::Unavailable(why),
        Proposed::Done(..) | Proposed::NotLeader => LogError::Unavailable("an answer that cannot be".into()),
    }
}
