//! Changes of who is a member. The leader makes them; others ask it to.

use crate::mesh::{Ask, Grant, JoinAsk, MeshError, Reply};
use crate::raft_log::raft_error;
use crate::types::Member;
use crate::{ClusterError, RaftLog};
use openraft::ChangeMembers;
use openraft::async_runtime::watch::WatchReceiver;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stead_event::NodeId;
use stead_log::Log;
use stead_plan::votes;

/// How long a change of the membership may take.
const CHANGE: Duration = Duration::from_secs(20);
/// How long a node may take to say that it stops.
const STOP: Duration = Duration::from_secs(3);

impl RaftLog {
    /// Makes a node a member that follows; the leader does it.
    pub(crate) async fn admit_node(&self, node: &NodeId, ask: &JoinAsk) -> Result<Grant, ClusterError> {
        if self.leads() {
            return self.admit_here(node, ask).await;
        }
        let ask = Ask::Admit(node.clone(), ask.clone());
        match self.ask_leader(&ask, "let a node in", CHANGE * 2).await? {
            Reply::Grant(grant) => Ok(grant),
            other => Err(ClusterError::Mesh(other.unexpected().to_string())),
        }
    }

    /// As [`Self::admit_node`], where this node leads.
    pub(crate) async fn admit_here(&self, node: &NodeId, ask: &JoinAsk) -> Result<Grant, ClusterError> {
        let _one = self.admitting.lock().await;
        let shared = self.shared.get().cloned();
        let shared =
            shared.ok_or_else(|| ClusterError::Refused("this node has only begun: try again".into()))?;
        self.describe_self().await?;
        let known = self
            .members()
            .into_iter()
            .find(|(_, member)| member.name == node.0);
        let number = match known {
            Some((number, _)) => number,
            // Every member before was let in by an entry of its own, so no number is given twice.
            None => self.raft.metrics().borrow_watched().last_log_index.unwrap_or(0) + 2,
        };
        // What came before clusters is in lines now: whoever is new begins with those, not with entries.
        let made = self.make_checkpoint().await;
        made.map_err(|error| ClusterError::Raft(error.to_string()))?;
        let member = Member {
            name: node.0.clone(),
            label: ask.label.clone(),
            addresses: ask.addresses.clone(),
            witness: ask.witness,
            facts: ask.facts.clone(),
            ..Member::default()
        };
        self.mesh()?.relearn(node, ask.addresses.iter().copied());
        let nodes = BTreeMap::from([(number, member)]);
        self.change(ChangeMembers::Batch(vec![
            ChangeMembers::AddNodes(nodes.clone()),
            ChangeMembers::SetNodes(nodes),
        ]))
        .await?;
        let members = self.members().into_iter();
        Ok(Grant {
            number,
            members: members
                .map(|(_, member)| (NodeId(member.name), member.addresses))
                .collect(),
            secrets: shared,
        })
    }

    pub(super) async fn change(&self, change: ChangeMembers<u64, Member>) -> Result<(), ClusterError> {
        let changed = tokio::time::timeout(CHANGE, self.raft.change_membership(change, true)).await;
        let late = |_| ClusterError::NoLeader("too few voters answer to change the membership".into());
        changed.map_err(late)?.map_err(raft_error)?;
        Ok(())
    }

    /// Stops every node: those that follow first, whoever leads after them, this one last. Answers who did not
    /// hear of it.
    pub async fn stop_all(&self) -> Vec<NodeId> {
        let leader = self.leader_name();
        let mut deaf = Vec::new();
        if let Some(mesh) = self.link.get() {
            let mut others: Vec<NodeId> = self
                .members()
                .iter()
                .filter(|(number, _)| *number != self.number)
                .map(|(_, member)| self.link.reachable(member))
                .collect();
            others.sort_by_key(|node| Some(node) == leader.as_ref());
            for node in others {
                if mesh.ask(&node, &Ask::Stop, STOP).await.is_err() {
                    deaf.push(node);
                }
            }
        }
        self.stop_process();
        deaf
    }

    pub(crate) fn stop_process(&self) {
        match self.stopper.get() {
            Some(stop) => stop(),
            None => tracing::warn!("the cluster is to stop, and this node was not told how"),
        }
    }

    /// Makes a node no member any more; whoever leads does it.
    ///
    /// # Errors
    /// [`ClusterError::Refused`] where it is none, or the last.
    pub async fn remove(&self, node: &NodeId) -> Result<(), ClusterError> {
        if *node == self.node && self.leads() && self.members().len() > 1 {
            self.step_down().await?;
        }
        if self.leads() {
            return self.remove_here(node).await;
        }
        let ask = Ask::Remove(node.clone());
        self.ask_leader(&ask, "remove a node", CHANGE * 3).await.map(drop)
    }

    /// Asks whoever leads to do what only it can do.
    pub(super) async fn ask_leader(
        &self,
        ask: &Ask,
        what: &str,
        limit: Duration,
    ) -> Result<Reply, ClusterError> {
        let leader = self.leader_name();
        let leader = leader.ok_or_else(|| ClusterError::NoLeader(format!("nobody can {what} now")))?;
        match self.mesh()?.ask(&leader, ask, limit).await {
            Ok(Reply::NotLeader) => Err(ClusterError::NoLeader(
                "the leader has just changed: try again".into(),
            )),
            Ok(reply) => Ok(reply),
            Err(MeshError::Refused { why, .. }) => Err(ClusterError::Refused(why)),
            Err(error) => Err(ClusterError::Mesh(error.to_string())),
        }
    }

    pub(crate) async fn remove_here(&self, node: &NodeId) -> Result<(), ClusterError> {
        let _one = self.admitting.lock().await;
        let members = self.members();
        let Some((number, _)) = members.iter().find(|(_, member)| member.name == node.0) else {
            return Err(ClusterError::Refused(format!("{node} is not a member")));
        };
        if members.len() == 1 {
            return Err(ClusterError::Refused(
                "this is the only node: nothing would be left".into(),
            ));
        }
        if *number == self.number {
            return Err(ClusterError::Refused(
                "this node leads: another has to lead before it can go".into(),
            ));
        }
        let voters = self.voters();
        if voters.contains(number) {
            let left = voters.iter().copied().filter(|other| other != number).collect();
            let voters = votes::without(&voters, *number, self.number, &self.spare(&left));
            self.change(ChangeMembers::ReplaceAllVoters(voters)).await?;
        }
        self.change(ChangeMembers::RemoveNodes(BTreeSet::from([*number])))
            .await
    }
}
