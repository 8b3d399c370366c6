//! What the API asks of the node beyond objects and views: the work that only the composition root can do,
//! because it touches rooms that a gateway may not know.

use crate::error::ApiError;
use crate::wire;
use async_trait::async_trait;
use std::sync::Arc;
use stead_event::{Position, Tenant};
use stead_gateway::Identity;

/// Is told how far long work is. Called from any thread, possibly often.
pub type Progress = Arc<dyn Fn(wire::Progress) + Send + Sync>;

/// The node's own work, done by the binary.
#[async_trait]
pub trait Operations: Send + Sync + 'static {
    /// How the node is.
    async fn status(&self) -> Result<wire::Status, ApiError>;

    /// Signs where a tenant's log ends now; the text form.
    async fn checkpoint(&self, tenant: &Tenant) -> Result<String, ApiError>;

    /// Checks the chains of one tenant or all, and whether they still contain a checkpoint.
    async fn verify(
        &self,
        tenant: Option<Tenant>,
        against: Option<String>,
        progress: Progress,
    ) -> Result<wire::Verified, ApiError>;

    /// Reads every block back, at most so many bytes a second.
    async fn scrub(
        &self,
        bytes_per_second: Option<u64>,
        progress: Progress,
    ) -> Result<wire::Scrubbed, ApiError>;

    /// Forgets what retention has passed for, and frees the blocks that nothing reaches.
    async fn collect(&self, options: wire::Collect, progress: Progress) -> Result<wire::Collected, ApiError>;

    /// Moves all blocks out of a directory, so that its disk can be taken away.
    async fn empty_disk(&self, path: &str, progress: Progress) -> Result<wire::EmptiedDisk, ApiError>;

    /// Deletes the views and folds them again from the log.
    async fn rebuild(&self, progress: Progress) -> Result<wire::Rebuilt, ApiError>;

    /// Examines everything.
    async fn doctor(&self) -> Result<wire::Doctor, ApiError>;

    /// A link that signs a browser in once, in `who`'s name.
    fn console_link(&self, who: &Identity) -> Result<wire::ConsoleLink, ApiError>;

    /// The nodes of the cluster, and who waits to be let in.
    async fn cluster(&self) -> Result<wire::Cluster, ApiError>;

    /// A ticket for a node that is to join.
    async fn ticket(&self) -> Result<String, ApiError>;

    /// Lets the node in that shows this code; answers which it is.
    async fn approve(&self, code: &str) -> Result<String, ApiError>;

    /// Has a node give up its copies and its vote, or take them again.
    async fn drain_node(&self, node: &str, drain: bool) -> Result<(), ApiError>;

    /// Cuts off what may fail, for a while, where the forecast is that everything goes on.
    async fn begin_drill(&self, wanted: &wire::BeginDrill) -> Result<wire::Drill, ApiError>;

    /// Ends every drill; answers which nodes could not be told.
    async fn end_drill(&self) -> Result<Vec<String>, ApiError>;

    /// Stops every node of the cluster; answers which did not hear of it.
    async fn stop_cluster(&self) -> Result<Vec<String>, ApiError>;

    /// Makes a node no member any more: by its key, the beginning of it, or its name.
    async fn remove_node(&self, node: &str) -> Result<(), ApiError>;

    /// The settings that all nodes share, and what this node makes of them.
    async fn config(&self) -> Result<wire::Config, ApiError>;

    /// Sets another document of shared settings, or says what it would change.
    async fn set_config(
        &self,
        wanted: wire::SetConfig,
        caller: stead_gateway::Caller,
    ) -> Result<wire::ConfigChanged, ApiError>;

    /// Who the node is, without looking anything up on disk.
    fn facts(&self) -> wire::NodeFacts;

    /// What a person should look at now. Quick: nothing is read back.
    async fn warnings(&self) -> Vec<wire::Warning>;

    /// What the node's own work found last.
    async fn upkeep(&self) -> wire::Upkeep;

    /// What meters and UPSes said last; nothing where none is configured.
    fn power(&self) -> Option<wire::Power>;

    /// The access key that stands for the owner at the socket, where there is one.
    fn root_key(&self) -> Option<String>;

    /// The file and the line of a position, where it is known.
    fn place(&self, tenant: &Tenant, position: Position) -> Option<wire::Place>;
}
