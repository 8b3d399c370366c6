//! What other nodes are answered.

use crate::convert::{append_in, appended_out, id_in, vote_in, vote_out, vote_request, voted_out};
use crate::machine::{Content, LineSource};
use crate::members::DriverState;
use crate::mesh::{Ask, Offer, Reply, Service};
use crate::options::Together;
use crate::types::TypeConfig;
use crate::{ClusterError, RaftLog};
use async_trait::async_trait;
use bytes::Bytes;
use openraft::raft::TransferLeaderRequest;
use openraft::storage::Snapshot;
use openraft::type_config::alias::SnapshotMetaOf;
use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;
use stead_block::Store;
use stead_event::{NodeId, Position, Tenant};
use stead_log::Log;
use stead_plan::rules;
use stead_runtime::{TaskKind, blocking};

/// Lines that are asked for at once; they end early where they are long.
const LINES: usize = 2048;
/// Names of blocks in one answer.
const NAMES: usize = 4096;
/// How long an answer has to leave before the node that gives it stops.
const ANSWER_FIRST: Duration = Duration::from_millis(200);
/// How long a node may take over lines.
const LINES_WAIT: Duration = Duration::from_secs(30);

/// What a node needs to have others beside it.
fn together(log: &RaftLog) -> io::Result<&Together> {
    let together = log.together.as_ref();
    together.ok_or_else(|| io::Error::other("this node was started without what others need of it"))
}

/// Answers for a node's consensus, as long as it is there.
pub(crate) struct Answers {
    log: Weak<RaftLog>,
}

impl Answers {
    pub fn new(log: Weak<RaftLog>) -> Self {
        Self { log }
    }

    fn log(&self) -> io::Result<Arc<RaftLog>> {
        self.log
            .upgrade()
            .ok_or_else(|| io::Error::other("this node is stopping"))
    }

    async fn raft(&self, log: &RaftLog, ask: Ask) -> io::Result<Reply> {
        Ok(match ask {
            Ask::Append(append) => {
                let answer = log.raft.append_entries(append_in(append)?).await;
                Reply::Append(appended_out(&answer.map_err(io::Error::other)?))
            }
            // Who hands the lead over has stopped to rely on what was promised.
            Ask::Vote(vote) if !vote.transfer && log.may_have_promised() => {
                return Err(io::Error::other(
                    "this node was started a moment ago and does not vote yet",
                ));
            }
            Ask::Vote(vote) => {
                let request = vote_request(&vote);
                let answer = if vote.pre {
                    log.raft.pre_vote(request).await
                } else {
                    log.raft.vote(request).await
                };
                Reply::Vote(voted_out(&answer.map_err(io::Error::other)?))
            }
            Ask::Transfer(vote, to, last) => {
                let request = TransferLeaderRequest::<TypeConfig>::new(vote_in(vote), to, last.map(id_in));
                let done = log
                    .raft
                    .handle_transfer_leader(request)
                    .await
                    .map_err(io::Error::other)?;
                done.map_err(|error| io::Error::other(format!("{error:?}")))?;
                Reply::Done
            }
            other => return Err(io::Error::other(format!("not Raft's: {other:?}"))),
        })
    }

    async fn snapshot(&self, log: &RaftLog, from: NodeId, offer: Offer) -> io::Result<Reply> {
        let (applied, membership) = DriverState::decode(&offer.marker.1).map_err(io::Error::other)?;
        let meta = SnapshotMetaOf::<TypeConfig> {
            last_log_id: Some(applied),
            last_membership: membership,
        };
        let snapshot = Content {
            from: Some(from),
            heads: offer.heads,
        };
        let snapshot = Snapshot { meta, snapshot };
        let installed = log
            .raft
            .install_full_snapshot(vote_in(offer.vote), snapshot)
            .await;
        let vote = installed.map_err(io::Error::other)?.vote;
        Ok(Reply::Snapshot(vote_out(&vote)))
    }

    async fn lines(&self, log: &RaftLog, tenant: Tenant, after: Position) -> io::Result<Reply> {
        let tail = together(log)?.tail.clone();
        let lines = blocking(move || tail.read(&tenant, after + 1, LINES)).await;
        let lines = lines.map_err(io::Error::other)?;
        Ok(Reply::Lines(lines.into_iter().map(|line| line.bytes).collect()))
    }

    async fn blocks(&self, log: &Arc<RaftLog>, from: &NodeId, ask: Ask) -> io::Result<Reply> {
        let store = together(log)?.store.clone();
        Ok(match ask {
            ask @ (Ask::List(after) | Ask::ListAt(after, _)) => {
                let mut names = store.list(after, NAMES).await.map_err(io::Error::other)?;
                let next = (names.len() == NAMES).then(|| names.last().copied()).flatten();
                let belief = log.belief();
                if let Ask::ListAt(_, asked) = ask
                    && !rules::may_list(belief.membership, asked)
                {
                    return Err(io::Error::other(
                        "this node does not know yet who the members are by whom it is asked",
                    ));
                }
                names.retain(|cid| belief.owners(cid).contains(from));
                Reply::List(names, next)
            }
            Ask::Get(cids) => Reply::Blocks(blocking(move || crate::copies::read_some(&store, cids).0).await),
            Ask::Promise(names) => {
                let had = crate::copies::promise(log, &store, names).await;
                Reply::Promised(had.map_err(io::Error::other)?)
            }
            Ask::Put(blocks) => {
                blocking(move || crate::copies::keep(&store, blocks))
                    .await
                    .map_err(io::Error::other)?;
                Reply::Done
            }
            other => return Err(io::Error::other(format!("not about blocks: {other:?}"))),
        })
    }

    async fn members(&self, log: &Arc<RaftLog>, from: NodeId, ask: Ask) -> Result<Reply, ClusterError> {
        Ok(match ask {
            Ask::Hello(addresses) => {
                log.mesh()?.relearn(&from, addresses);
                Reply::Done
            }
            Ask::Meet(commitment) => log.joins.meet(&from, &commitment, &log.rng),
            Ask::Knock(request) => match log.joins.note(&from, &log.node, request) {
                Ok(_) => Reply::Done,
                Err(reply) => reply,
            },
            Ask::Join(request) => {
                log.mesh()?.relearn(&from, request.addresses.iter().copied());
                log.joins.wait(from, &log.node, request).await
            }
            Ask::Approve(code) => Reply::Approved(log.approve_here(&code).await?),
            Ask::Admit(node, request) if log.leads() => Reply::Grant(log.admit_here(&node, &request).await?),
            Ask::Remove(node) if log.leads() => {
                log.remove_here(&node).await?;
                Reply::Done
            }
            Ask::Describe(about) if log.leads() => {
                log.describe_here(&from, &about).await?;
                Reply::Done
            }
            Ask::Drain(node, drain) if log.leads() => {
                log.drain_here(&node, drain).await?;
                Reply::Done
            }
            Ask::Drill(seconds) => {
                log.drill_here(seconds)?;
                Reply::Done
            }
            Ask::Copies => Reply::Copies(log.progress.now()),
            Ask::Waiting => Reply::Waiting(log.joins.waiting()),
            Ask::Stop => {
                let stopping = log.clone();
                log.tasks.spawn(TaskKind::Core, "stop", async move {
                    tokio::time::sleep(ANSWER_FIRST).await;
                    stopping.stop_process();
                });
                Reply::Done
            }
            Ask::Sees => Reply::Sees(log.sees().await),
            Ask::Health => Reply::Health(log.health()),
            _ => Reply::NotLeader,
        })
    }
}

#[async_trait]
impl Service for Answers {
    fn is_member(&self, node: &NodeId) -> bool {
        self.log.upgrade().is_some_and(|log| log.has_member(node))
    }

    fn superseded(&self, by: &NodeId, why: &str) {
        tracing::error!(%by, why, "this process must not go on: another counts as this node");
        if let Some(log) = self.log.upgrade() {
            log.stop_process();
        }
    }

    async fn answer(&self, from: NodeId, ask: Ask) -> Reply {
        let log = match self.log() {
            Ok(log) => log,
            Err(error) => return Reply::Refused(error.to_string()),
        };
        let answered = match ask {
            ask @ (Ask::Append(_) | Ask::Vote(_) | Ask::Transfer(..)) => self.raft(&log, ask).await,
            Ask::Snapshot(offer) => self.snapshot(&log, from, offer).await,
            Ask::Propose(cbor) => Ok(Reply::Proposed(log.take(&from, cbor).await)),
            Ask::ReadIndex => Ok(Reply::ReadIndex(log.read_index().await)),
            Ask::Renew(renewal) => log
                .renew_here(&renewal)
                .await
                .map(Reply::Renewed)
                .map_err(io::Error::other),
            Ask::Lines(tenant, after) => self.lines(&log, tenant, after).await,
            ask @ (Ask::List(_) | Ask::ListAt(..) | Ask::Get(_) | Ask::Put(_) | Ask::Promise(_)) => {
                self.blocks(&log, &from, ask).await
            }
            ask => self.members(&log, from, ask).await.map_err(io::Error::other),
        };
        answered.unwrap_or_else(|error| Reply::Refused(error.to_string()))
    }
}

#[async_trait]
impl LineSource for Answers {
    async fn prepare(&self, from: &NodeId) -> io::Result<()> {
        let log = self.log()?;
        let together = together(&log)?;
        crate::copies::fetch_all(&log, (&together.store, &together.level), from, None)
            .await
            .map(drop)
    }

    async fn lines(&self, from: &NodeId, tenant: &Tenant, after: Position) -> io::Result<Vec<Bytes>> {
        let mesh = self.log()?.mesh().map_err(io::Error::other)?;
        match mesh
            .ask(from, &Ask::Lines(tenant.clone(), after), LINES_WAIT)
            .await
        {
            Ok(Reply::Lines(lines)) => Ok(lines),
            Ok(other) => Err(other.unexpected()),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}
