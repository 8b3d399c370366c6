//! The nodes that share one consensus.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/cluster`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Cluster {
    pub nodes: Vec<ClusterNode>,
    /// Who votes: names of nodes.
    pub voters: Vec<String>,
    /// Who leads; absent where nobody does, and then nothing can be written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub leader: Option<String>,
    /// How many nodes, whichever they are, may be lost now without losing data or service.
    pub can_lose: u64,
    /// Why no more may be lost, in words.
    pub because: String,
    /// What each single failure does: of every node, then of what several sit behind.
    #[serde(default)]
    pub losses: Vec<NodeLoss>,
    /// Who waits to be let in.
    #[serde(default)]
    pub waiting: Vec<WaitingNode>,
}

/// A member of the cluster.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct ClusterNode {
    /// Its key.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// Whether it is the node that answers.
    pub this: bool,
    pub addresses: Vec<String>,
    pub voter: bool,
    pub leader: bool,
    /// It votes and holds no data.
    pub witness: bool,
    /// `up`, `away`, or `unknown` where nobody leads.
    pub state: String,
    /// Entries of consensus that it is behind the leader.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<u64>,
    /// The building that it is in, where it says so; and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// The breaker that feeds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// The network switch that it is plugged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
    /// What it can hold; zero where it did not say.
    #[serde(default)]
    pub capacity_bytes: u64,
    /// It gives up its copies and its vote, because somebody wants it to go.
    #[serde(default)]
    pub draining: bool,
    /// It was away for so long that others hold its copies.
    #[serde(default)]
    pub out: bool,
    /// Where its copies stand; absent where it does not answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copies: Option<NodeCopies>,
}

/// Where the copies on a node stand.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NodeCopies {
    /// Whether it has all that belongs there, by the membership as it is now.
    pub level: bool,
    /// Blocks that are known to be missing there.
    pub missing: u64,
    /// Blocks fetched since it began to fetch.
    pub fetched: u64,
    pub fetched_bytes: u64,
    /// Seconds until nothing is missing, by how it goes; absent where that cannot be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining_secs: Option<u64>,
    /// Blocks given up since its start, because others hold them.
    pub given_up: u64,
}

/// `PUT /api/v1/cluster/nodes/{node}/drain`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Drain {
    /// Whether it is to hold nothing.
    pub drain: bool,
}

/// What one failure does.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NodeLoss {
    /// `node`, `switch`, `circuit`, `rack` or `site`.
    pub kind: String,
    /// Which: what people call it.
    pub name: String,
    /// The names of the nodes that fail with it.
    pub nodes: Vec<String>,
    /// Their keys.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Whether a copy of everything is left, should it never come back.
    pub data_stays: bool,
    /// Whether reading and writing go on.
    pub service_goes_on: bool,
    /// Voters that are left.
    pub votes: u64,
    /// Voters that it takes.
    pub quorum: u64,
}

/// `POST /api/v1/cluster/drill`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BeginDrill {
    /// What is to be as if it failed: a node, or a switch, circuit, rack or site; with its kind in front where its name is
    /// not the only one.
    pub what: String,
    /// For how long, 5 to 600.
    pub seconds: u32,
    /// Only say what is forecast.
    #[serde(default)]
    pub forecast_only: bool,
}

/// A drill.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Drill {
    /// What is forecast.
    #[serde(flatten)]
    pub loss: NodeLoss,
    pub seconds: u32,
    /// Whether whoever leads is cut off: another has to be elected before anything is written.
    pub leader: bool,
}

/// A node that waits to be let in.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct WaitingNode {
    /// Its key.
    pub id: String,
    pub name: String,
    /// What lets it in.
    pub code: String,
}

/// `POST /api/v1/cluster/ticket`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Ticket {
    pub ticket: String,
}

/// `POST /api/v1/cluster/approve`
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Approve {
    /// The code that the waiting node shows.
    pub code: String,
}

/// `POST /api/v1/cluster/stop`
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Stopped {
    /// Nodes that could not be told.
    pub deaf: Vec<String>,
}

/// A node, named by its key, the beginning of it, or what people call it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct NodeName {
    pub node: String,
}
