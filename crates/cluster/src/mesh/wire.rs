//! What nodes say to each other. DAG-CBOR: maps have text keys, so members and the like are lists.

use super::greet::Incarnation;
use crate::copies::CopyProgress;
use crate::types::Facts;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use stead_event::{Cid, NodeId, Position, Tenant};
use stead_log::{Appended, Renewal};

/// A vote: term, whom it is for, and whether a quorum has granted it.
pub(crate) type WireVote = (u64, u64, bool);
/// A log id: term and index.
pub(crate) type WireId = (u64, u64);

/// A Raft entry: its id, its kind as the write-ahead log numbers it, and its body as it stands there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct WireEntry {
    pub id: WireId,
    pub kind: u8,
    pub body: Bytes,
}

/// Raft's AppendEntries.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AppendEntries {
    pub vote: WireVote,
    pub prev: Option<WireId>,
    pub entries: Vec<WireEntry>,
    pub commit: Option<WireId>,
}

/// The answer to [`AppendEntries`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum AppendAnswer {
    Success,
    Partial(Option<WireId>),
    Conflict,
    HigherVote(WireVote),
}

/// Raft's RequestVote, or the question before it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VoteAsk {
    pub vote: WireVote,
    pub last: Option<WireId>,
    pub transfer: bool,
    pub pre: bool,
}

/// The answer to [`VoteAsk`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VoteAnswer {
    pub vote: WireVote,
    pub granted: bool,
    pub last: Option<WireId>,
}

/// A snapshot that the leader holds; its content is fetched from there.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub vote: WireVote,
    /// The machine's marker as of the snapshot: driver's index and bytes.
    pub marker: (u64, Bytes),
    /// Where each tenant's log ends in it.
    pub heads: Vec<(Tenant, Position)>,
}

/// What became of an append that another node brought.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Proposed {
    /// Its positions, and the Raft entry that it is in.
    Done(Appended, u64),
    /// Which precondition did not hold.
    Rejected(stead_log::Rejection),
    /// This node does not lead. Nothing was written.
    NotLeader,
    /// Too many wait. Nothing was written.
    Busy,
    /// No room. Nothing was written.
    Full,
    /// It may or may not have been written.
    Unavailable(String),
}

/// What a member says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct About {
    /// A name for people.
    pub label: String,
    pub addresses: Vec<SocketAddr>,
    pub facts: Facts,
}

/// A node that wants to be let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JoinAsk {
    /// The number that it had committed itself to.
    pub drawn: Bytes,
    /// A name for people.
    pub label: String,
    pub addresses: Vec<SocketAddr>,
    pub release: String,
    pub witness: bool,
    #[serde(default)]
    pub facts: Facts,
}

/// What a node is given when it is let in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Grant {
    /// Its Raft number.
    pub number: u64,
    /// Everybody: name, addresses.
    pub members: Vec<(NodeId, Vec<SocketAddr>)>,
    /// What the nodes of a cluster share and nobody else has; opaque here.
    pub secrets: Bytes,
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// What the leader knows of a member.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NodeHealth {
    pub number: u64,
    /// Milliseconds since it last acknowledged the leader; `None` where it never did.
    pub silent_ms: Option<u64>,
    /// The last entry that it has.
    pub matched: Option<u64>,
}

impl NodeHealth {
    /// For how long it has not acknowledged the leader; `None` where it never did.
    pub fn silent(&self) -> Option<Duration> {
        self.silent_ms.map(Duration::from_millis)
    }
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// This process of me speaks; which of you?
    Hail(Incarnation),
    /// Here I am; these are my addresses.
    Hello(Vec<SocketAddr>),
    Append(AppendEntries),
    Vote(VoteAsk),
    Snapshot(Offer),
    /// To the node that is to lead: its leader's vote, whom it is to be, its last entry.
    Transfer(WireVote, u64, Option<WireId>),
    /// An append, encoded.
    Propose(Bytes),
    /// Up to which entry a read must have applied to see all that was acknowledged.
    ReadIndex,
    /// To the leader: the lease of a lock is to begin anew.
    Renew(Renewal),
    /// Lines of a tenant's log after a position.
    Lines(Tenant, Position),
    /// Names of blocks that belong to whoever asks, behind one.
    List(Option<Cid>),
    /// The same, of one that knows the membership which I go by: term and index of its entry.
    ListAt(Option<Cid>, (u64, u64)),
    Get(Vec<Cid>),
    Put(Vec<(Cid, Bytes)>),
    /// Which of these do you have, and believe to be yours to keep?
    Promise(Vec<Cid>),
    /// Where do your copies stand?
    Copies,
    /// To the leader: this is what I am now.
    Describe(About),
    /// To the leader: a member is to give up its copies and its vote, or is not any more.
    Drain(NodeId, bool),
    /// I want to be let in, and have drawn a number, of which this is the hash.
    Meet(Bytes),
    /// I want to be let in: note it.
    Knock(JoinAsk),
    /// The same, held until somebody decides or a while has passed.
    Join(JoinAsk),
    /// To whoever holds the request with this code: let it in.
    Approve(String),
    /// To the leader: make it a member.
    Admit(NodeId, JoinAsk),
    /// To the leader: make it no member.
    Remove(NodeId),
    /// What waits for approval here.
    Waiting,
    /// Which members answer you?
    Sees,
    /// The whole cluster is to stop; end as an operator would have you end.
    Stop,
    Health,
    /// For so many seconds be as if your cable were pulled; none: it is plugged in again.
    Drill(u32),
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Reply {
    Done,
    /// This one.
    Hail(Incarnation),
    /// You are not who counts as you any more; why.
    Superseded(String),
    Refused(String),
    Append(AppendAnswer),
    Vote(VoteAnswer),
    Snapshot(WireVote),
    Proposed(Proposed),
    /// The entry; `None` where this node does not lead.
    ReadIndex(Option<u64>),
    /// Whether the lock was still held.
    Renewed(bool),
    Lines(Vec<Bytes>),
    /// Names of blocks, and behind which one to go on.
    List(Vec<Cid>, Option<Cid>),
    /// Those that are.
    Promised(Vec<Cid>),
    Copies(CopyProgress),
    /// Those that are here, in any order.
    Blocks(Vec<(Cid, Bytes)>),
    Grant(Grant),
    /// Whether there was such a request here.
    Approved(Option<NodeId>),
    /// The number that this one has drawn.
    Met(Bytes),
    /// That does not fit what was said before, or nothing was.
    Unmet,
    /// Node, name for people, code.
    Waiting(Vec<(NodeId, String, String)>),
    /// What the leader knows of everybody.
    Health(Vec<NodeHealth>),
    /// Those that do.
    Sees(Vec<NodeId>),
    NotLeader,
}

impl Reply {
    /// The error of whoever asked for something else.
    pub fn unexpected(&self) -> io::Error {
        io::Error::other(format!("an answer to another question: {self:?}"))
    }
}
