//! Who is a member, who votes: changed by whoever leads, one change at a time.
//!
//! An odd number of members vote (1, 3, 5); the others follow. It is kept so by itself: a follower that is up to
//! date is made a voter when two can be, and one that is lost for a while makes room for one that is there.

mod admit;
mod describe;
mod drain;
mod drill;
mod health;
mod survive;
mod voters;

pub use health::NodeStatus;
pub(crate) use survive::Sets;
pub use survive::Survival;

use crate::mesh::{Ask, Incarnation, Mesh, MeshError, MeshOptions, Reply};
use crate::service::Answers;
use crate::types::Member;
use crate::{ClusterError, RaftLog};
use openraft::async_runtime::watch::WatchReceiver;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;
use stead_event::NodeId;
use stead_runtime::TaskKind;

/// How long others are asked how they are.
const ASK: Duration = Duration::from_secs(3);
/// How often it is looked whether this node is where the others were told.
const HELLO: Duration = Duration::from_secs(2);

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
                let starts = |error| ClusterError::io("cannot count this start")(error);
                let options = MeshOptions {
                    incarnation: Incarnation::of_start(&self.dir, self.lot).map_err(starts)?,
                    secret: together.secret,
                    listen: together.listen,
                    tasks: self.tasks.clone(),
                };
                Mesh::start(options).await?
            }
        };
        for (node, addresses) in &together.known {
            mesh.learn(node, addresses.iter().copied());
        }
        self.link.set(mesh.clone());
        for (_, member) in self.members() {
            self.link.reachable(&member);
        }
        let answers = Arc::new(Answers::new(Arc::downgrade(self)));
        self.machine.set_source(answers.clone());
        mesh.serve(answers);
        together.store.set_elsewhere(Arc::new(crate::copies::Copies::new(
            Arc::downgrade(self),
            tokio::runtime::Handle::current(),
        )));
        let keep = voters::keep(Arc::downgrade(self), together.level.clone());
        self.tasks.spawn(TaskKind::Core, "voters", keep);
        let with = (together.level.clone(), together.wants.clone());
        let level = crate::copies::level(Arc::downgrade(self), together.store.clone(), with.0, with.1);
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
            let node = self.link.reachable(&member);
            let reply = mesh.ask(&node, ask, limit).await;
            (node, reply)
        });
        futures::future::join_all(asking).await
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
            if let Err(error) = strong.describe().await {
                tracing::debug!(%error, "the others do not know yet what this node is");
            }
        }
        drop(strong);
        tokio::time::sleep(HELLO).await;
    }
}
