//! Members that are to hold nothing: because a person wants one to go, or because one has been away for long.

use super::health::is_up;
use crate::copies::CopyProgress;
use crate::mesh::{Ask, NodeHealth, Reply};
use crate::types::Member;
use crate::{ClusterError, RaftLog};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use stead_event::NodeId;
use stead_log::Log;
use stead_plan::rules;

/// How long whoever leads may take over it.
const CHANGE: Duration = Duration::from_secs(30);
/// How long a member may take to say where its copies stand.
const GLANCE: Duration = Duration::from_secs(2);

impl RaftLog {
    /// Has a member give up its copies and its vote, or take them again. Returns when that is decided; the copies
    /// are made elsewhere after that ([`Self::copies`] says how far that is).
    ///
    /// # Errors
    /// [`ClusterError::Refused`] where it is no member, or the only one that holds data.
    pub async fn drain(&self, node: &NodeId, drain: bool) -> Result<(), ClusterError> {
        if self.leads() {
            return self.drain_here(node, drain).await;
        }
        let ask = Ask::Drain(node.clone(), drain);
        self.ask_leader(&ask, "drain a node", CHANGE).await.map(drop)
    }

    pub(crate) async fn drain_here(&self, node: &NodeId, drain: bool) -> Result<(), ClusterError> {
        let _one = self.admitting.lock().await;
        let holds = |(_, member): &(u64, Member)| {
            !member.witness && !member.draining && !member.out && member.name != node.0
        };
        if drain && !self.members().iter().any(holds) {
            return Err(ClusterError::Refused(
                "no other node is there to hold the data: let one in first".into(),
            ));
        }
        let differs = |member: &Member| member.draining != drain;
        self.set_member(node, differs, |member| member.draining = drain)
            .await
    }

    /// Notes who has been away for so long that others are to hold its copies, and who is back.
    pub(super) async fn note_out(&self, after: Duration, led_for: Duration) {
        let health: BTreeMap<u64, NodeHealth> = self.health().into_iter().map(|h| (h.number, h)).collect();
        for (number, member) in self.members() {
            let Some(health) = health.get(&number).filter(|_| !member.witness) else {
                continue;
            };
            // One that never answered whoever leads now is counted from when that one began to lead.
            let away = health.silent().unwrap_or(led_for) > after;
            let out = rules::is_out(member.out, is_up(health), away);
            if out == member.out {
                continue;
            }
            let node = NodeId(member.name);
            tracing::info!(%node, out, "a node's copies are held by others while it is out");
            let changed = self.set_member(&node, |_| true, |member| member.out = out).await;
            if let Err(error) = changed {
                tracing::warn!(%error, "it could not be noted who is out");
                return;
            }
        }
    }

    /// Members that others hold the copies of.
    pub(crate) fn out(&self) -> BTreeSet<NodeId> {
        let members = self.members().into_iter();
        members
            .filter(|(_, member)| member.out)
            .map(|(_, member)| NodeId(member.name))
            .collect()
    }

    /// Where every member's copies stand. Of whoever does not answer nothing is known; a node that is alone has no
    /// copies.
    pub async fn copies(&self) -> BTreeMap<NodeId, CopyProgress> {
        if self.alone() {
            return BTreeMap::new();
        }
        let asked = self.ask_others(&Ask::Copies, GLANCE).await;
        let mut copies: BTreeMap<NodeId, CopyProgress> = asked
            .into_iter()
            .filter_map(|(node, reply)| match reply {
                Ok(Reply::Copies(copies)) => Some((node, copies)),
                _ => None,
            })
            .collect();
        copies.insert(self.node.clone(), self.progress.now());
        copies
    }
}
