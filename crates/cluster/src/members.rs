//! The stored form of a membership. DAG-CBOR maps have text keys only, so the members are a list.

use crate::types::{LogId, Member, StoredMembership, log_id, term};
use openraft::Membership;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Who votes and who is known, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Members {
    /// One set of voters, or two while it changes.
    configs: Vec<BTreeSet<u64>>,
    nodes: Vec<(u64, Member)>,
}

impl Members {
    pub fn of(membership: &Membership<u64, Member>) -> Self {
        Self {
            configs: membership.get_joint_config().clone(),
            nodes: membership
                .nodes()
                .map(|(id, member)| (*id, member.clone()))
                .collect(),
        }
    }

    pub fn membership(self) -> Result<Membership<u64, Member>, String> {
        let nodes: BTreeMap<u64, Member> = self.nodes.into_iter().collect();
        Membership::new(self.configs, nodes).map_err(|error| error.to_string())
    }
}

/// What the driver keeps in the machine's marker: the applied entry and the membership as of then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DriverState {
    version: u16,
    applied: (u64, u64),
    members_at: Option<(u64, u64)>,
    members: Members,
}

impl DriverState {
    const VERSION: u16 = 1;

    pub fn new(applied: &LogId, membership: &StoredMembership) -> Self {
        Self {
            version: Self::VERSION,
            applied: (term(applied), applied.index),
            members_at: membership.log_id().as_ref().map(|id| (term(id), id.index)),
            members: Members::of(membership.membership()),
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        serde_ipld_dagcbor::to_vec(self).expect("numbers, text and lists encode")
    }

    pub fn decode(bytes: &[u8]) -> Result<(LogId, StoredMembership), String> {
        let state: Self = serde_ipld_dagcbor::from_slice(bytes).map_err(|error| error.to_string())?;
        if state.version != Self::VERSION {
            return Err(format!("format {} is not known", state.version));
        }
        let applied = log_id(state.applied.0, state.applied.1);
        let members_at = state.members_at.map(|(term, index)| log_id(term, index));
        Ok((
            applied,
            StoredMembership::new(members_at, state.members.membership()?),
        ))
    }
}
