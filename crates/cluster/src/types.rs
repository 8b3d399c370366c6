//! The types that Raft is instantiated with.

use crate::batch::Batch;
use openraft::RaftTypeConfig;
use openraft::raft::responder::Responder;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use stead_log::Outcome;
use stead_plan::Domains;

/// Standard Raft (one leader a term) over [`Batch`]es.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TypeConfig;

/// A member of the cluster, as the membership entry names it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// The node's name: its public key as text.
    pub name: String,
    /// What people call it.
    #[serde(default)]
    pub label: String,
    /// Where it is reached, as it said when it joined.
    #[serde(default)]
    pub addresses: Vec<SocketAddr>,
    /// It votes and holds no data.
    #[serde(default)]
    pub witness: bool,
    /// What it says of itself.
    #[serde(default)]
    pub facts: Facts,
    /// It gives up its copies and its vote, because somebody wants it to go.
    #[serde(default)]
    pub draining: bool,
    /// It was away for so long that others hold its copies; until it is back.
    #[serde(default)]
    pub out: bool,
}

/// What a node says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What can fail with it.
    #[serde(default)]
    pub domains: Domains,
    /// Bytes that it can hold; zero where it did not say.
    #[serde(default)]
    pub capacity: u64,
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The Raft number of the node that founds a cluster.
pub const FOUNDER: u64 = 1;

/// Called with the result of a write, on the thread that has applied it: answering a client costs no
/// further task.
pub struct Callback<T>(pub Box<dyn FnOnce(T) + Send>);

impl<T: Send + 'static> Responder<TypeConfig, T> for Callback<T> {
    fn on_complete(self, result: T) {
        (self.0)(result);
    }
}

impl RaftTypeConfig for TypeConfig {
    type D = Batch;
    type R = Vec<Outcome>;
    type NodeId = u64;
    type Node = Member;
    type Term = u64;
    type LeaderId = openraft::impls::leader_id_std::LeaderId<u64, u64>;
    type Vote = openraft::impls::Vote<Self::LeaderId>;
    type Payload = openraft::EntryPayload<Batch, u64, Member>;
    type Entry =
        openraft::impls::Entry<openraft::type_config::alias::CommittedLeaderIdOf<Self>, Self::Payload>;
    type AsyncRuntime = openraft::impls::TokioRuntime;
    type Responder<T>
        = Callback<T>
    where
        T: Send + 'static;
    type Batch<T>
        = openraft::impls::InlineBatch<T>
    where
        T: Send + 'static;
    type ErrorSource = openraft::impls::BoxedErrorSource;
}

pub(crate) type Entry = openraft::type_config::alias::EntryOf<TypeConfig>;
pub(crate) type Payload = openraft::type_config::alias::PayloadOf<TypeConfig>;
pub(crate) type LogId = openraft::type_config::alias::LogIdOf<TypeConfig>;
pub(crate) type Vote = openraft::type_config::alias::VoteOf<TypeConfig>;
pub(crate) type StoredMembership = openraft::type_config::alias::StoredMembershipOf<TypeConfig>;

/// A log id from its two numbers.
pub(crate) fn log_id(term: u64, index: u64) -> LogId {
    LogId::new(term.into(), index)
}

/// The term of a log id.
pub(crate) fn term(id: &LogId) -> u64 {
    *id.leader_id
}
