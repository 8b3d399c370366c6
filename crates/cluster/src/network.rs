//! Raft's way to other members: over the mesh, where there is one.

use crate::convert::{append_out, appended_in, ask_vote, id_out, vote_in, vote_out, voted_in};
use crate::machine::Content;
use crate::members::DriverState;
use crate::mesh::{Ask, Mesh, MeshError, Offer, Reply};
use crate::types::{Member, TypeConfig, Vote};
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, TransferLeaderRequest,
    TransferLeaderResponse, VoteRequest, VoteResponse,
};
use openraft::type_config::alias::SnapshotOf;
use std::future::Future;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use stead_event::NodeId;

/// A heartbeat, a vote: whoever does not answer within this is as good as away.
const SHORT: Duration = Duration::from_secs(2);
/// Entries, which are synced before they are answered.
const ENTRIES: Duration = Duration::from_secs(10);
/// A snapshot: the whole log may have to be taken over.
const SNAPSHOT: Duration = Duration::from_secs(24 * 3600);

/// The mesh, once there is one: a node that is alone has none.
#[derive(Clone, Default)]
pub(crate) struct Link(Arc<OnceLock<Arc<Mesh>>>);

impl Link {
    pub fn set(&self, mesh: Arc<Mesh>) {
        // Made once, by whoever composes the node.
        let _ = self.0.set(mesh);
    }

    pub fn get(&self) -> Option<&Arc<Mesh>> {
        self.0.get()
    }

    /// A member's name, its addresses known to the mesh.
    pub fn reachable(&self, member: &Member) -> NodeId {
        let node = NodeId(member.name.clone());
        if let Some(mesh) = self.get() {
            mesh.learn(&node, member.addresses.iter().copied());
        }
        node
    }
}

impl RaftNetworkFactory<TypeConfig> for Link {
    type Network = Peer;

    async fn new_client(&mut self, _target: u64, member: &Member) -> Peer {
        Peer {
            link: self.clone(),
            node: self.reachable(member),
        }
    }
}

/// One other member.
pub(crate) struct Peer {
    link: Link,
    node: NodeId,
}

fn unreachable(error: &(impl std::error::Error + 'static)) -> RPCError<TypeConfig> {
    RPCError::Unreachable(Unreachable::new(error))
}

fn network(error: &(impl std::error::Error + 'static)) -> RPCError<TypeConfig> {
    RPCError::Network(NetworkError::new(error))
}

impl Peer {
    async fn ask(&self, ask: &Ask, limit: Duration) -> Result<Reply, RPCError<TypeConfig>> {
        let Some(mesh) = self.link.get() else {
            return Err(unreachable(&io::Error::other("this node has no mesh yet")));
        };
        mesh.ask(&self.node, ask, limit)
            .await
            .map_err(|error| match error {
                MeshError::Unreachable { .. } => unreachable(&error),
                MeshError::Lost { .. } | MeshError::Refused { .. } => network(&error),
            })
    }

    async fn ask_for_vote(
        &self,
        request: &VoteRequest<TypeConfig>,
        pre: bool,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        match self.ask(&Ask::Vote(ask_vote(request, pre)), SHORT).await? {
            Reply::Vote(answer) => Ok(voted_in(answer)),
            other => Err(network(&other.unexpected())),
        }
    }
}

impl RaftNetworkV2<TypeConfig> for Peer {
    type SnapshotData = Content;

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<TypeConfig>, RPCError<TypeConfig>> {
        let limit = if rpc.entries.is_empty() { SHORT } else { ENTRIES };
        let request = append_out(&rpc).map_err(|e| network(&e))?;
        match self.ask(&Ask::Append(request), limit).await? {
            Reply::Append(answer) => Ok(appended_in(answer)),
            other => Err(network(&other.unexpected())),
        }
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_for_vote(&rpc, false).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<VoteResponse<TypeConfig>, RPCError<TypeConfig>> {
        self.ask_for_vote(&rpc, true).await
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: SnapshotOf<TypeConfig, Content>,
        cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<TypeConfig>, StreamingError<TypeConfig>> {
        let Some(applied) = &snapshot.meta.last_log_id else {
            let empty = io::Error::other("there is nothing to hand over yet");
            return Err(StreamingError::Network(NetworkError::new(&empty)));
        };
        let marker = DriverState::new(applied, &snapshot.meta.last_membership).encode();
        let offer = Offer {
            vote: vote_out(&vote),
            marker: (id_out(applied).1 + 1, marker.into()),
            heads: snapshot.snapshot.heads.clone(),
        };
        let ask = Ask::Snapshot(offer);
        let answer = tokio::select! {
            answer = self.ask(&ask, SNAPSHOT) => answer?,
            closed = cancel => return Err(StreamingError::Closed(closed)),
        };
        match answer {
            Reply::Snapshot(vote) => Ok(SnapshotResponse::new(vote_in(vote))),
            other => Err(network(&other.unexpected()).into()),
        }
    }

    async fn transfer_leader(
        &mut self,
        request: TransferLeaderRequest<TypeConfig>,
        _option: RPCOption,
    ) -> Result<TransferLeaderResponse<TypeConfig>, RPCError<TypeConfig>> {
        let ask = Ask::Transfer(
            vote_out(request.from_leader()),
            *request.to_node_id(),
            request.last_log_id().map(id_out),
        );
        match self.ask(&ask, SHORT).await? {
            Reply::Done => Ok(Ok(())),
            other => Err(network(&other.unexpected())),
        }
    }
}
