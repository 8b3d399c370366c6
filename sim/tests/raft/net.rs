//! Messages between the engines: late, lost, cut off in one direction or both.

use crate::disk::Types;
use crate::world::World;
use openraft::errors::{NetworkError, RPCError, ReplicationClosed, StreamingError, Unreachable};
use openraft::network::{RPCOption, RaftNetworkFactory, RaftNetworkV2};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::type_config::alias::{SnapshotOf, VoteOf};
use std::future::Future;
use std::io;
use std::time::Duration;

/// How long a node waits for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way from a node to others.
#[derive(Clone)]
pub struct Net {
    pub from: u64,
    pub world: World,
}

impl RaftNetworkFactory<Types> for Net {
    type Network = Peer;

    async fn new_client(&mut self, target: u64, _node: &openraft::EmptyNode) -> Peer {
        Peer {
            from: self.from,
            to: target,
            world: self.world.clone(),
        }
    }
}

/// The way from one to another.
pub struct Peer {
    from: u64,
    to: u64,
    world: World,
}

fn lost(why: &str) -> RPCError<Types> {
    RPCError::Network(NetworkError::new(&io::Error::other(why.to_owned())))
}

impl Peer {
    /// Carries a question over and the answer back, or loses one of them.
    async fn carry<T, F: Future<Output = Option<T>>>(
        &self,
        answer: impl FnOnce() -> F,
    ) -> Result<T, RPCError<Types>> {
        if !self.world.runs(self.to) {
            let gone = io::Error::other("it does not run");
            return Err(RPCError::Unreachable(Unreachable::new(&gone)));
        }
        if !self.pass(self.from, self.to).await {
            return Err(lost("the question was lost"));
        }
        let answer = answer().await.ok_or_else(|| lost("it stopped"))?;
        match self.pass(self.to, self.from).await {
            true => Ok(answer),
            false => Err(lost("the answer was lost")),
        }
    }

    async fn pass(&self, from: u64, to: u64) -> bool {
        match self.world.message(from, to) {
            Some(late) => {
                tokio::time::sleep(late).await;
                true
            }
            None => {
                tokio::time::sleep(PATIENCE).await;
                false
            }
        }
    }
}

impl RaftNetworkV2<Types> for Peer {
    type SnapshotData = ();

    async fn append_entries(
        &mut self,
        rpc: AppendEntriesRequest<Types>,
        _option: RPCOption,
    ) -> Result<AppendEntriesResponse<Types>, RPCError<Types>> {
        let ask = || async { self.world.raft(self.to)?.append_entries(rpc).await.ok() };
        self.carry(ask).await
    }

    async fn vote(
        &mut self,
        rpc: VoteRequest<Types>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let ask = || async { self.world.votes(self.to)?.vote(rpc).await.ok() };
        self.carry(ask).await
    }

    async fn pre_vote(
        &mut self,
        rpc: VoteRequest<Types>,
        _option: RPCOption,
    ) -> Result<VoteResponse<Types>, RPCError<Types>> {
        let ask = || async { self.world.votes(self.to)?.pre_vote(rpc).await.ok() };
        self.carry(ask).await
    }

    async fn full_snapshot(
        &mut self,
        _vote: VoteOf<Types>,
        _snapshot: SnapshotOf<Types, ()>,
        _cancel: impl Future<Output = ReplicationClosed> + Send + 'static,
        _option: RPCOption,
    ) -> Result<SnapshotResponse<Types>, StreamingError<Types>> {
        let none = io::Error::other("nobody makes snapshots here");
        Err(StreamingError::Network(NetworkError::new(&none)))
    }
}
