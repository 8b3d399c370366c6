//! The cluster map: nodes, what they can hold, and what can fail under them.
//!
//! Promises: [`ClusterMap::check`] refuses a map that placement could misread.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;

/// A node's name in a map: any text that is not empty, the same for ever.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub String);

impl From<&str> for NodeId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for NodeId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What can fail as one, from the widest to the narrowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DomainKind {
    /// A building.
    Site,
    /// A rack or shelf.
    Rack,
    /// What one breaker feeds.
    Circuit,
    /// What one network switch connects.
    Switch,
    /// A machine.
    Node,
    /// A disk (a data directory).
    Disk,
}

impl DomainKind {
    /// The four that a node states.
    pub const STATED: [Self; 4] = [Self::Site, Self::Rack, Self::Circuit, Self::Switch];

    /// Its word, as in the map.
    pub fn word(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Rack => "rack",
            Self::Circuit => "circuit",
            Self::Switch => "switch",
            Self::Node => "node",
            Self::Disk => "disk",
        }
    }
}

impl fmt::Display for DomainKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Where a node sits. What is not stated is unknown, and never counted as different from another unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Domains {
    /// The building.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// The rack or shelf; a name means another rack in another site, and so for the next two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// The breaker.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit: Option<String>,
    /// The network switch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub switch: Option<String>,
}

impl Domains {
    /// The one of a kind; none for nodes and disks, which are no domains of a node.
    pub fn get(&self, kind: DomainKind) -> Option<&str> {
        match kind {
            DomainKind::Site => self.site.as_deref(),
            DomainKind::Rack => self.rack.as_deref(),
            DomainKind::Circuit => self.circuit.as_deref(),
            DomainKind::Switch => self.switch.as_deref(),
            DomainKind::Node | DomainKind::Disk => None,
        }
    }
}

/// What a node is in the map. A node that is merely away keeps its place, so that a reboot moves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NodeState {
    /// Takes its share.
    #[default]
    Active,
    /// Away for now: keeps its share, answers nothing.
    Down,
    /// Gives its share to others; still answers.
    Draining,
    /// Gone for good, with what it held.
    Lost,
}

/// One disk (one data directory) of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Disk {
    /// Its name, unique within its node.
    pub id: String,
    /// Bytes that it may hold.
    pub weight: u64,
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name.
    pub id: NodeId,
    /// Bytes that it may hold; nothing for a witness. Where disks are listed, theirs count instead.
    #[serde(default)]
    pub weight: u64,
    /// Its disks, where they are told apart.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<Disk>,
    /// Where it sits.
    #[serde(default)]
    pub domains: Domains,
    /// What it is now.
    #[serde(default)]
    pub state: NodeState,
}

impl Node {
    /// An active node of this capacity, of which nothing else is known.
    pub fn new(id: impl Into<NodeId>, weight: u64) -> Self {
        Self {
            id: id.into(),
            weight,
            disks: Vec::new(),
            domains: Domains::default(),
            state: NodeState::Active,
        }
    }

    /// Bytes that it may hold.
    pub fn capacity(&self) -> u64 {
        match self.disks.as_slice() {
            [] => self.weight,
            disks => disks.iter().fold(0, |sum, disk| sum.saturating_add(disk.weight)),
        }
    }

    /// Whether it is given copies.
    pub fn takes_copies(&self) -> bool {
        matches!(self.state, NodeState::Active | NodeState::Down) && self.capacity() > 0
    }
}

/// Every node that there is. The order of nodes means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterMap {
    /// The nodes.
    pub nodes: Vec<Node>,
}

/// A map that nothing may be placed by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MapError {
    /// Two nodes of one name.
    #[error("two nodes are called {0:?}; give one of them another name")]
    TwoNodes(String),
    /// Two disks of one name in one node.
    #[error("node {0:?} has two disks called {1:?}; give one of them another name")]
    TwoDisks(String, String),
    /// A name without a letter.
    #[error("node {0:?}, a disk of it or a domain of it has an empty name; name it or leave it out")]
    Empty(String),
    /// More nodes than a small datacenter has.
    #[error("{0} nodes are too many: {MAX_NODES} at most")]
    TooMany(usize),
}

/// Nodes that a map may have.
pub const MAX_NODES: usize = 4_096;

impl ClusterMap {
    /// A node by its name.
    pub fn node(&self, id: &NodeId) -> Option<&Node> {
        self.nodes.iter().find(|node| node.id == *id)
    }

    /// Refuses names that are empty or there twice.
    pub fn check(&self) -> Result<(), MapError> {
        if self.nodes.len() > MAX_NODES {
            return Err(MapError::TooMany(self.nodes.len()));
        }
        let mut ids = BTreeSet::new();
        for node in &self.nodes {
            if !ids.insert(&node.id) {
                return Err(MapError::TwoNodes(node.id.0.clone()));
            }
            let mut disks = BTreeSet::new();
            for disk in &node.disks {
                if !disks.insert(&disk.id) {
                    return Err(MapError::TwoDisks(node.id.0.clone(), disk.id.clone()));
                }
            }
            let stated = DomainKind::STATED
                .iter()
                .filter_map(|kind| node.domains.get(*kind));
            let mut names = node.disks.iter().map(|disk| disk.id.as_str()).chain(stated);
            if node.id.0.trim().is_empty() || names.any(|name| name.trim().is_empty()) {
                return Err(MapError::Empty(node.id.0.clone()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_be_told_apart_are_refused() {
        let map = |ids: &[&str]| ClusterMap {
            nodes: ids.iter().map(|id| Node::new(*id, 1)).collect(),
        };
        assert_eq!(map(&["a", "b"]).check(), Ok(()));
        assert_eq!(map(&["a", "a"]).check(), Err(MapError::TwoNodes("a".into())));
        assert_eq!(map(&["a", " "]).check(), Err(MapError::Empty(" ".into())));
        let mut disks = map(&["a"]);
        let disk = Disk {
            id: "d".into(),
            weight: 1,
        };
        disks.nodes[0].disks = vec![disk.clone(), disk];
        assert_eq!(disks.check(), Err(MapError::TwoDisks("a".into(), "d".into())));
    }

    #[test]
    fn what_is_not_stated_may_be_left_out_of_the_text() {
        let text = r#"{"nodes":[{"id":"a","weight":5,"domains":{"switch":"s1"}}]}"#;
        let map: ClusterMap = serde_json::from_str(text).expect("a map");
        assert_eq!(map.nodes[0].domains.get(DomainKind::Switch), Some("s1"));
        assert_eq!(map.nodes[0].state, NodeState::Active);
        let back: ClusterMap =
            serde_json::from_str(&serde_json::to_string(&map).expect("text")).expect("a map");
        assert_eq!(back, map);
    }
}
