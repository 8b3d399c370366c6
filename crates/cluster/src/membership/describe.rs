//! What a member says of itself, kept in the membership: its name for people, where it is, what can fail with it.

use crate::mesh::{About, Ask, Reply};
use crate::types::Member;
use crate::{ClusterError, RaftLog};
use openraft::ChangeMembers;
use std::collections::BTreeMap;
use std::time::Duration;
use stead_event::NodeId;
use stead_log::Log;

/// How long whoever leads may take over it.
const DESCRIBE: Duration = Duration::from_secs(10);

impl RaftLog {
    /// Says what this node is, where the membership says something else.
    pub(super) async fn describe(&self) -> Result<(), ClusterError> {
        let about = self.about()?;
        let own = self
            .members()
            .into_iter()
            .find(|(number, _)| *number == self.number);
        if own.is_none_or(|(_, member)| says(&member, &about)) {
            return Ok(());
        }
        if self.leads() {
            let _one = self.admitting.lock().await;
            return self.describe_member(&self.node, &about).await;
        }
        let Some(leader) = self.leader_name() else {
            return Ok(());
        };
        match self.mesh()?.ask(&leader, &Ask::Describe(about), DESCRIBE).await {
            Ok(Reply::Done | Reply::NotLeader) => Ok(()),
            Ok(other) => Err(ClusterError::Mesh(other.unexpected().to_string())),
            Err(error) => Err(ClusterError::Mesh(error.to_string())),
        }
    }

    /// As [`Self::describe`], by whoever leads and holds the lock of changes: the founder joined nobody, so nobody
    /// was told.
    pub(super) async fn describe_self(&self) -> Result<(), ClusterError> {
        let about = self.about()?;
        self.describe_member(&self.node, &about).await
    }

    /// What another member says of itself.
    pub(crate) async fn describe_here(&self, node: &NodeId, about: &About) -> Result<(), ClusterError> {
        let _one = self.admitting.lock().await;
        self.describe_member(node, about).await
    }

    async fn describe_member(&self, node: &NodeId, about: &About) -> Result<(), ClusterError> {
        let differs = |member: &Member| !says(member, about);
        self.set_member(node, differs, |member| {
            member.label.clone_from(&about.label);
            member.addresses.clone_from(&about.addresses);
            member.facts.clone_from(&about.facts);
        })
        .await
    }

    /// Changes what the membership says of a member, where it is to be changed.
    pub(super) async fn set_member(
        &self,
        node: &NodeId,
        when: impl FnOnce(&Member) -> bool,
        change: impl FnOnce(&mut Member),
    ) -> Result<(), ClusterError> {
        let members = self.members().into_iter();
        let own = members.into_iter().find(|(_, member)| member.name == node.0);
        let (number, mut member) =
            own.ok_or_else(|| ClusterError::Refused(format!("{node} is not a member")))?;
        if !when(&member) {
            return Ok(());
        }
        change(&mut member);
        self.change(ChangeMembers::SetNodes(BTreeMap::from([(number, member)])))
            .await
    }

    fn about(&self) -> Result<About, ClusterError> {
        let together = self.together.as_ref();
        let said = together.map(|together| (together.label.clone(), together.facts.clone()));
        let (label, facts) = said.unwrap_or_default();
        let mut addresses = self.mesh()?.addresses();
        // In an order of their own, so that the same ones are the same.
        addresses.sort();
        Ok(About {
            label,
            addresses,
            facts,
        })
    }
}

fn says(member: &Member, about: &About) -> bool {
    (&member.label, &member.addresses, &member.facts) == (&about.label, &about.addresses, &about.facts)
}
