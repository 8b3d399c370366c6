//! How members are, as whoever leads knows it.

use super::ASK;
use crate::RaftLog;
use crate::mesh::{Ask, NodeHealth, Reply};
use crate::types::{Facts, Member};
use openraft::Instant as _;
use openraft::async_runtime::watch::WatchReceiver;
use std::time::Duration;
use stead_event::NodeId;
use stead_log::Log;

/// A member that was silent for longer is away.
const AWAY: Duration = Duration::from_secs(5);

/// A member, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeStatus {
    /// Its number.
    pub number: u64,
    /// Its key.
    pub node: NodeId,
    /// What people call it.
    pub label: String,
    /// Where it said that it is.
    pub addresses: Vec<String>,
    /// Whether it votes.
    pub voter: bool,
    /// Whether it leads.
    pub leader: bool,
    /// It votes and holds no data.
    pub witness: bool,
    /// What can fail with it, and how much it holds.
    pub facts: Facts,
    /// It gives up its copies and its vote.
    pub draining: bool,
    /// It was away for so long that others hold its copies.
    pub out: bool,
    /// Whether it answers the leader. `None` where nobody knows: nobody leads.
    pub up: Option<bool>,
    /// Entries that it is behind the leader.
    pub behind: Option<u64>,
    /// The entry that made the membership as it is: term and index.
    pub described_at: (u64, u64),
}

impl RaftLog {
    /// What this node, leading, knows of the others.
    pub(crate) fn health(&self) -> Vec<NodeHealth> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let last = metrics.last_log_index;
        let of = |number: &u64| {
            if *number == self.number {
                return NodeHealth {
                    number: *number,
                    silent_ms: Some(0),
                    matched: last,
                };
            }
            let heard = metrics
                .heartbeat
                .as_ref()
                .and_then(|all| all.get(number))
                .copied()
                .flatten();
            let matched = metrics
                .replication
                .as_ref()
                .and_then(|all| all.get(number))
                .copied()
                .flatten();
            NodeHealth {
                number: *number,
                silent_ms: heard
                    .map(|at| u64::try_from(at.into_inner().elapsed().as_millis()).unwrap_or(u64::MAX)),
                matched: matched.map(|id| id.index),
            }
        };
        let members = metrics.membership_config.membership().nodes();
        members.map(|(number, _)| of(number)).collect()
    }

    async fn health_of_all(&self) -> Option<Vec<NodeHealth>> {
        if self.leads() {
            return Some(self.health());
        }
        let (mesh, name) = (self.link.get()?, self.leader_name()?);
        match mesh.ask(&name, &Ask::Health, ASK).await {
            Ok(Reply::Health(health)) => Some(health),
            _ => None,
        }
    }

    /// Every member and how it is.
    pub async fn nodes(&self) -> Vec<NodeStatus> {
        let (members, voters, leader) = (self.members(), self.voters(), self.leader());
        let health = self.health_of_all().await;
        let belief = self.belief();
        let last = health
            .as_ref()
            .and_then(|all| all.iter().filter_map(|h| h.matched).max());
        let of = |(number, member): (u64, Member)| {
            let own = health
                .as_ref()
                .and_then(|all| all.iter().find(|h| h.number == number));
            NodeStatus {
                number,
                node: NodeId(member.name),
                label: member.label,
                addresses: member.addresses.iter().map(ToString::to_string).collect(),
                voter: voters.contains(&number),
                leader: leader == Some(number),
                witness: member.witness,
                facts: member.facts,
                draining: member.draining,
                out: member.out,
                up: health.as_ref().map(|_| own.is_some_and(is_up)),
                described_at: belief.membership,
                behind: own.and_then(|h| Some(last?.saturating_sub(h.matched?))),
            }
        };
        members.into_iter().map(of).collect()
    }
}

/// Whether a member answers whoever leads.
pub(super) fn is_up(health: &NodeHealth) -> bool {
    health.silent().is_some_and(|silent| silent < AWAY)
}
