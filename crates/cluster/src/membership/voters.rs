//! Who votes and who leads: kept right by whoever leads.

use super::health::is_up;
use crate::copies::LevelOptions;
use crate::mesh::{Ask, NodeHealth, Reply};
use crate::raft_log::raft_error;
use crate::{ClusterError, RaftLog};
use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Weak;
use std::time::Duration;
use stead_event::NodeId;
use stead_log::Log;
use stead_plan::votes;
use stead_runtime::Adjustable;
use tokio::time::Instant;

/// How often it is looked whether somebody else should vote.
const TICK: Duration = Duration::from_millis(500);
/// A voter that was away for so long gives its vote to another, where there is one.
const LOST: Duration = Duration::from_secs(60);
/// How long a member may take to show that it is there.
const GLANCE: Duration = Duration::from_secs(1);

/// Keeps the right members voting, while this node leads.
pub(super) async fn keep(log: Weak<RaftLog>, options: Adjustable<LevelOptions>) {
    let mut leads_since: Option<Instant> = None;
    loop {
        tokio::time::sleep(TICK).await;
        let Some(log) = log.upgrade() else { return };
        if log.is_stopping() {
            return;
        }
        if !log.leads() {
            leads_since = None;
            continue;
        }
        let led_for = leads_since.get_or_insert_with(Instant::now).elapsed();
        if log.gives_way().await || log.drains_away().await {
            continue;
        }
        let _one = log.admitting.lock().await;
        log.note_out(options.get().out_after, led_for).await;
        if let Some(voters) = log.better_voters() {
            tracing::info!(?voters, "other members vote from now on");
            if let Err(error) = log.change(ChangeMembers::ReplaceAllVoters(voters)).await {
                tracing::warn!(%error, "the voters could not be changed");
            }
        }
    }
}

impl RaftLog {
    /// Lets another voter lead, if there is one that is up.
    pub async fn step_down(&self) -> Result<(), ClusterError> {
        if !self.leads() {
            return Ok(());
        }
        let voters = self.voters();
        let next = self
            .health()
            .into_iter()
            .filter(|h| h.number != self.number && voters.contains(&h.number) && is_up(h))
            .map(|h| h.number)
            .min();
        let next = next.ok_or_else(|| ClusterError::Refused("no other voter is up to lead".into()))?;
        self.raft
            .trigger()
            .transfer_leader(next)
            .await
            .map_err(raft_error)?;
        for _ in 0..100 {
            if self.leader().is_some_and(|leader| leader != self.number) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(ClusterError::NoLeader("no other voter has taken over".into()))
    }

    /// Lets another lead where this member is to give up what it has. Answers whether it does so.
    async fn drains_away(&self) -> bool {
        self.drains() && self.step_down().await.is_ok()
    }

    /// Whether this member is to hold nothing.
    pub(crate) fn drains(&self) -> bool {
        self.draining().contains(&self.number)
    }

    /// Members that are to hold nothing.
    fn draining(&self) -> BTreeSet<u64> {
        let members = self.members().into_iter();
        members
            .filter(|(_, member)| member.draining)
            .map(|(number, _)| number)
            .collect()
    }

    /// Followers that are up to date and could vote.
    pub(super) fn spare(&self, voters: &BTreeSet<u64>) -> Vec<u64> {
        let draining = self.draining();
        let last = self.raft.metrics().borrow_watched().last_log_index.unwrap_or(0);
        let fit = |h: &&NodeHealth| {
            !voters.contains(&h.number)
                && votes::is_fit(is_up(h), draining.contains(&h.number), h.matched, last)
        };
        self.health().iter().filter(fit).map(|h| h.number).collect()
    }

    /// Members that answer this node now.
    pub(crate) async fn sees(&self) -> Vec<NodeId> {
        let own = self.mesh().map(|mesh| mesh.addresses()).unwrap_or_default();
        let asked = self.ask_others(&Ask::Hello(own), GLANCE).await;
        asked
            .into_iter()
            .filter(|(_, reply)| reply.is_ok())
            .map(|(node, _)| node)
            .collect()
    }

    /// Lets another lead that reaches more voters: this one may be cut off from a voter that others reach, and
    /// who does not hear its leader can do nothing. Answers whether it does so.
    async fn gives_way(&self) -> bool {
        let voters = self.voters();
        let health = self.health();
        let silent = |h: &NodeHealth| voters.contains(&h.number) && !is_up(h);
        if !health.iter().any(silent) {
            return false;
        }
        let names: BTreeMap<NodeId, u64> = self
            .members()
            .into_iter()
            .filter(|(number, _)| voters.contains(number))
            .map(|(number, member)| (NodeId(member.name), number))
            .collect();
        let own = health
            .iter()
            .filter(|h| voters.contains(&h.number) && is_up(h))
            .count();
        for (node, reply) in self.ask_others(&Ask::Sees, GLANCE * 2).await {
            let (Ok(Reply::Sees(seen)), Some(number)) = (reply, names.get(&node)) else {
                continue;
            };
            let sees = 1 + seen.iter().filter(|other| names.contains_key(*other)).count();
            if sees > own {
                tracing::info!(%node, sees, own, "another member reaches more voters; it is to lead");
                if let Err(error) = self.raft.trigger().transfer_leader(*number).await {
                    tracing::warn!(%error, "it could not be asked to");
                }
                return true;
            }
        }
        false
    }

    /// Who should vote, where that is not who does.
    fn better_voters(&self) -> Option<BTreeSet<u64>> {
        let voters = self.voters();
        let health = self.health();
        let draining = self.draining();
        let lost = |number: &u64| {
            let own = health.iter().find(|h| h.number == *number);
            let silent = own.and_then(NodeHealth::silent);
            votes::is_lost(
                draining.contains(number),
                silent.is_none_or(|silent| silent > LOST),
            )
        };
        votes::better(&voters, lost, &self.spare(&voters))
    }
}
