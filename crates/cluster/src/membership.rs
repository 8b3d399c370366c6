//! Who is a member, who votes: changed by whoever leads, one change at a time.
//!
//! An odd number of members vote (1, 3, 5); the others follow. It is kept so by itself: a follower that is up to
//! date is made a voter when two can be, and one that is lost for a while makes room for one that is there.

use crate::mesh::{Ask, Grant, Health, JoinAsk, Mesh, MeshError, MeshOptions, NodeHealth, Reply};
use crate::raft_log::raft_error;
use crate::service::Answers;
use crate::types::Member;
use crate::{ClusterError, RaftLog};
use openraft::async_runtime::watch::WatchReceiver;
use openraft::{ChangeMembers, Instant as _};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};
use std::time::Duration;
use stead_event::NodeId;
use stead_runtime::TaskKind;

/// The most members that vote.
const VOTERS: usize = 5;
/// How often it is looked whether somebody else should vote.
const TICK: Duration = Duration::from_millis(500);
/// Entries that a follower may be behind and still be made a voter.
const NEAR: u64 = 64;
/// A member that was silent for longer is away.
const AWAY: Duration = Duration::from_secs(5);
/// A voter that was away for so long gives its vote to another, where there is one.
const LOST: Duration = Duration::from_secs(60);
/// How long a change of the membership may take.
const CHANGE: Duration = Duration::from_secs(20);
/// How long a member may take to show that it is there.
const GLANCE: Duration = Duration::from_secs(1);
/// How long others are asked how they are.
const ASK: Duration = Duration::from_secs(3);

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
    /// Whether it answers the leader. `None` where nobody knows: nobody leads.
    pub up: Option<bool>,
    /// Entries that it is behind the leader.
    pub behind: Option<u64>,
}

impl RaftLog {
    /// Opens the mesh, if it is not open.
    pub(crate) async fn open_mesh(self: &Arc<Self>) -> Result<(), ClusterError> {
        if self.link.get().is_some() {
            return Ok(());
        }
        let _one = self.admitting.lock().await;
        if self.link.get().is_some() {
            return Ok(());
        }
        let together = self.together.as_ref().ok_or_else(|| {
            ClusterError::Refused(
                "this node was started without what it takes to have others beside it".into(),
            )
        })?;
        let mesh = match &together.door {
            Some(door) => door.0.clone(),
            None => {
                let options = MeshOptions {
                    secret: together.secret,
                    listen: together.listen,
                    tasks: self.tasks.clone(),
                };
                Mesh::start(options).await?
            }
        };
        for (_, member) in self.members() {
            mesh.learn(&NodeId(member.name.clone()), member.addresses.iter().copied());
        }
        for (node, addresses) in &together.known {
            mesh.learn(node, addresses.iter().copied());
        }
        self.link.set(mesh.clone());
        let answers = Arc::new(Answers::new(Arc::downgrade(self)));
        self.machine.set_source(answers.clone());
        mesh.serve(answers);
        together.store.set_elsewhere(Arc::new(crate::copies::Copies::new(
            Arc::downgrade(self),
            tokio::runtime::Handle::current(),
        )));
        let keep = keep_voters(Arc::downgrade(self));
        self.tasks.spawn(TaskKind::Core, "voters", keep);
        let level = crate::copies::level(Arc::downgrade(self), together.store.clone());
        self.tasks.spawn(TaskKind::Core, "copies", level);
        let hello = hello(Arc::downgrade(self));
        self.tasks.spawn(TaskKind::Core, "hello", hello);
        Ok(())
    }

    /// The port of the mesh, where it is open.
    pub fn mesh_port(&self) -> Option<u16> {
        self.link.get().map(|mesh| mesh.port())
    }

    pub(crate) fn mesh(&self) -> Result<Arc<Mesh>, ClusterError> {
        let mesh = self.link.get().cloned();
        mesh.ok_or_else(|| ClusterError::Refused("this node has no others beside it".into()))
    }

    /// Every member, by number.
    pub(crate) fn members(&self) -> Vec<(u64, Member)> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        let members = metrics.membership_config.membership();
        members.nodes().map(|(n, member)| (*n, member.clone())).collect()
    }

    pub(crate) fn voters(&self) -> BTreeSet<u64> {
        let metrics = self.raft.metrics();
        let metrics = metrics.borrow_watched();
        metrics.membership_config.membership().voter_ids().collect()
    }

    /// Asks every other member at once.
    pub(crate) async fn ask_others(
        &self,
        ask: &Ask,
        limit: Duration,
    ) -> Vec<(NodeId, Result<Reply, MeshError>)> {
        let Some(mesh) = self.link.get() else {
            return Vec::new();
        };
        let others = self
            .members()
            .into_iter()
            .filter(|(number, _)| *number != self.number);
        let asking = others.map(|(_, member)| async move {
            let node = self.reachable(&member);
            let reply = mesh.ask(&node, ask, limit).await;
            (node, reply)
        });
        futures::future::join_all(asking).await
    }

    /// Makes a node a member that follows; the leader does it.
    pub(crate) async fn admit_node(&self, node: &NodeId, ask: &JoinAsk) -> Result<Grant, ClusterError> {
        let leader = self.leader();
        if leader == Some(self.number) {
            return self.admit_here(node, ask).await;
        }
        let name = leader.and_then(|leader| self.name_of(leader));
        let name = name.ok_or_else(|| ClusterError::NoLeader("nobody can let a node in now".into()))?;
        let (mesh, ask) = (self.mesh()?, Ask::Admit(node.clone(), ask.clone()));
        match mesh.ask(&name, &ask, CHANGE * 2).await {
            Ok(Reply::Grant(grant)) => Ok(grant),
            Ok(_) => Err(ClusterError::NoLeader(
                "the leader has just changed: try again".into(),
            )),
            Err(error) => Err(ClusterError::Mesh(error.to_string())),
        }
    }

    /// As [`Self::admit_node`], where this node leads.
    pub(crate) async fn admit_here(&self, node: &NodeId, ask: &JoinAsk) -> Result<Grant, ClusterError> {
        let _one = self.admitting.lock().await;
        let shared = self.shared.get().cloned();
        let shared =
            shared.ok_or_else(|| ClusterError::Refused("this node has only begun: try again".into()))?;
        self.know_own_address().await?;
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
                .map(|(number, member)| (number, NodeId(member.name), member.addresses))
                .collect(),
            secrets: shared,
        })
    }

    /// Says in the membership where this node is: the founder joined nobody, so nobody was told.
    async fn know_own_address(&self) -> Result<(), ClusterError> {
        let addresses = self.mesh()?.addresses();
        let own = self
            .members()
            .into_iter()
            .find(|(number, _)| *number == self.number);
        match own {
            Some((number, mut member)) if member.addresses != addresses => {
                member.addresses = addresses;
                let nodes = BTreeMap::from([(number, member)]);
                self.change(ChangeMembers::SetNodes(nodes)).await
            }
            _ => Ok(()),
        }
    }

    async fn change(&self, change: ChangeMembers<u64, Member>) -> Result<(), ClusterError> {
        let changed = tokio::time::timeout(CHANGE, self.raft.change_membership(change, true)).await;
        let late = |_| ClusterError::NoLeader("too few voters answer to change the membership".into());
        changed.map_err(late)?.map_err(raft_error)?;
        Ok(())
    }

    /// Makes a node no member any more; whoever leads does it.
    ///
    /// # Errors
    /// [`ClusterError::Refused`] where it is none, or the last.
    pub async fn remove(&self, node: &NodeId) -> Result<(), ClusterError> {
        if *node == self.node && self.leader() == Some(self.number) && self.members().len() > 1 {
            self.step_down().await?;
        }
        let leader = self.leader();
        if leader == Some(self.number) {
            return self.remove_here(node).await;
        }
        let name = leader.and_then(|leader| self.name_of(leader));
        let name = name.ok_or_else(|| ClusterError::NoLeader("no node can be removed now".into()))?;
        match self
            .mesh()?
            .ask(&name, &Ask::Remove(node.clone()), CHANGE * 3)
            .await
        {
            Ok(Reply::Done) => Ok(()),
            Ok(_) => Err(ClusterError::NoLeader(
                "the leader has just changed: try again".into(),
            )),
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
        let mut voters = self.voters();
        if voters.remove(number) {
            let mut spare = self.spare(&voters);
            spare.retain(|other| other != number);
            let wanted = odd(voters.len() + spare.len());
            // This node, which leads, goes on voting; then those that did.
            let own = voters.take(&self.number);
            let ranked = own.into_iter().chain(voters).chain(spare);
            let voters: BTreeSet<u64> = ranked.take(wanted.max(1)).collect();
            self.change(ChangeMembers::ReplaceAllVoters(voters)).await?;
        }
        self.change(ChangeMembers::RemoveNodes(BTreeSet::from([*number])))
            .await
    }

    /// Lets another voter lead, if there is one that is up.
    pub async fn step_down(&self) -> Result<(), ClusterError> {
        if self.leader() != Some(self.number) {
            return Ok(());
        }
        let up: BTreeSet<u64> = self
            .health()
            .0
            .iter()
            .filter(|h| near(h))
            .map(|h| h.number)
            .collect();
        let next = self
            .voters()
            .into_iter()
            .find(|voter| *voter != self.number && up.contains(voter));
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

    /// What this node, leading, knows of the others.
    pub(crate) fn health(&self) -> Health {
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
        Health(members.map(|(number, _)| of(number)).collect())
    }

    async fn health_of_all(&self) -> Option<Health> {
        let leader = self.leader()?;
        if leader == self.number {
            return Some(self.health());
        }
        let (mesh, name) = (self.link.get()?, self.name_of(leader)?);
        match mesh.ask(&name, &Ask::Health, ASK).await {
            Ok(Reply::Health(health)) => Some(health),
            _ => None,
        }
    }

    /// Every member and how it is.
    pub async fn nodes(&self) -> Vec<NodeStatus> {
        let (members, voters, leader) = (self.members(), self.voters(), self.leader());
        let health = self.health_of_all().await;
        let last = health
            .as_ref()
            .and_then(|all| all.0.iter().filter_map(|h| h.matched).max());
        let of = |(number, member): (u64, Member)| {
            let own = health
                .as_ref()
                .and_then(|all| all.0.iter().find(|h| h.number == number));
            NodeStatus {
                number,
                node: NodeId(member.name),
                label: member.label,
                addresses: member.addresses.iter().map(ToString::to_string).collect(),
                voter: voters.contains(&number),
                leader: leader == Some(number),
                witness: member.witness,
                up: health.as_ref().map(|_| own.is_some_and(is_up)),
                behind: own.and_then(|h| Some(last?.saturating_sub(h.matched?))),
            }
        };
        members.into_iter().map(of).collect()
    }

    /// Followers that are up to date and could vote.
    fn spare(&self, voters: &BTreeSet<u64>) -> Vec<u64> {
        let last = self.raft.metrics().borrow_watched().last_log_index.unwrap_or(0);
        let fit = |h: &&NodeHealth| {
            is_up(h) && h.matched.is_some_and(|at| at + NEAR >= last) && !voters.contains(&h.number)
        };
        self.health().0.iter().filter(fit).map(|h| h.number).collect()
    }
}

fn is_up(health: &NodeHealth) -> bool {
    health
        .silent_ms
        .is_some_and(|ms| u128::from(ms) < AWAY.as_millis())
}

fn near(health: &NodeHealth) -> bool {
    is_up(health)
}

/// The largest odd number of voters that so many members can be.
fn odd(members: usize) -> usize {
    let most = members.min(VOTERS);
    if most.is_multiple_of(2) {
        most.saturating_sub(1)
    } else {
        most
    }
}

/// Keeps the right members voting, while this node leads.
async fn keep_voters(log: Weak<RaftLog>) {
    loop {
        tokio::time::sleep(TICK).await;
        let Some(log) = log.upgrade() else { return };
        if log.is_stopping() {
            return;
        }
        if log.leader() != Some(log.number) {
            continue;
        }
        if log.gives_way().await {
            continue;
        }
        let _one = log.admitting.lock().await;
        if let Some(voters) = log.better_voters() {
            tracing::info!(?voters, "other members vote from now on");
            if let Err(error) = log.change(ChangeMembers::ReplaceAllVoters(voters)).await {
                tracing::warn!(%error, "the voters could not be changed");
            }
        }
    }
}

impl RaftLog {
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
        if !health.0.iter().any(silent) {
            return false;
        }
        let names: BTreeMap<NodeId, u64> = self
            .members()
            .into_iter()
            .filter(|(number, _)| voters.contains(number))
            .map(|(number, member)| (NodeId(member.name), number))
            .collect();
        let own = health
            .0
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
        let lost = |number: &u64| {
            let own = health.0.iter().find(|h| h.number == *number);
            own.is_none_or(|h| h.silent_ms.is_none_or(|ms| u128::from(ms) > LOST.as_millis()))
        };
        let mut spare = self.spare(&voters);
        // Ranked by who can be relied upon: voters that are there, then whoever could be one.
        let (gone, mut wanted): (Vec<u64>, Vec<u64>) = voters.iter().copied().partition(lost);
        let target = odd(voters.len() + spare.len());
        while wanted.len() < target && !spare.is_empty() {
            wanted.push(spare.remove(0));
        }
        for voter in gone {
            if wanted.len() < target {
                wanted.push(voter);
            }
        }
        let wanted: BTreeSet<u64> = wanted.into_iter().collect();
        (wanted.len() == target && wanted != voters).then_some(wanted)
    }
}

/// Tells the others where this node is, so that a changed address or port is known before anybody needs it.
async fn hello(log: Weak<RaftLog>) {
    let mut told: Vec<std::net::SocketAddr> = Vec::new();
    loop {
        let Some(strong) = log.upgrade() else { return };
        if strong.is_stopping() {
            return;
        }
        if let Ok(mesh) = strong.mesh() {
            let own = mesh.addresses();
            let silent = strong.leader().is_none();
            if own != told || silent {
                let greeted = strong.ask_others(&Ask::Hello(own.clone()), ASK).await;
                if greeted.iter().all(|(_, reply)| reply.is_ok()) {
                    told = own;
                }
            }
        }
        drop(strong);
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
}
