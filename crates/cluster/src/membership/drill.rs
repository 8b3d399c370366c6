//! Drills: members are cut off from the others for a while, to see that everything goes on.
//!
//! Whether it is safe is decided by who asks for one; each node that is cut off counts the time itself.

use crate::mesh::{Ask, Reply};
use crate::{ClusterError, RaftLog};
use std::time::Duration;
use stead_event::NodeId;

/// How long a member may take to take part.
const BEGIN: Duration = Duration::from_secs(3);
/// How long a drill lasts at most, in seconds.
pub(crate) const LONGEST: u32 = 600;

impl RaftLog {
    /// Cuts other members off for so many seconds, 1 to 600. Where one of them does not take part, none does.
    ///
    /// # Errors
    /// [`ClusterError::Mesh`] where one cannot be told.
    pub async fn drill(&self, nodes: &[NodeId], seconds: u32) -> Result<(), ClusterError> {
        let mesh = self.mesh()?;
        for node in nodes {
            let asked = mesh
                .ask(node, &Ask::Drill(seconds.clamp(1, LONGEST)), BEGIN)
                .await;
            let failed = match asked {
                Ok(Reply::Done) => continue,
                Ok(other) => other.unexpected().to_string(),
                Err(error) => error.to_string(),
            };
            self.end_drill().await;
            return Err(ClusterError::Mesh(failed));
        }
        Ok(())
    }

    /// Ends every drill; answers which members could not be told. Theirs ends by itself.
    pub async fn end_drill(&self) -> Vec<NodeId> {
        if let Some(mesh) = self.link.get() {
            mesh.plug_in();
        }
        let told = self.ask_others(&Ask::Drill(0), BEGIN).await;
        let deaf = told.into_iter().filter(|(_, reply)| reply.is_err());
        deaf.map(|(node, _)| node).collect()
    }

    /// Takes part in a drill, or ends it where there are no seconds.
    pub(crate) fn drill_here(&self, seconds: u32) -> Result<(), ClusterError> {
        let mesh = self.mesh()?;
        match seconds {
            0 => mesh.plug_in(),
            seconds => mesh.cut_off(Duration::from_secs(seconds.min(LONGEST).into())),
        }
        Ok(())
    }
}
