//! This node among others: what it remembers of being a member, joining, and what the API says of the cluster.

use crate::codes;
use crate::directory::{Directory, RootCredential, write_private};
use crate::failure::Failure;
use crate::settings::Settings;
use ed25519_dalek::SigningKey;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stead_block::LocalStore;
use stead_client::wire;
use stead_cluster::{
    ClusterError, CopyProgress, Door, FOUNDER, Facts, JoinOptions, Joined, NodeStatus, RaftLog, Survival,
    Ticket,
};
use stead_event::NodeId;
use stead_gateway_api::ApiError;
use stead_plan::DomainKind;
use stead_plan::rules;
use stead_plan::survive::Loss;
use stead_runtime::{Rng, Tasks};

/// The file's name in the data directory.
const FILE: &str = "cluster.json";
/// How long a cluster is looked for nearby.
const NEARBY: Duration = Duration::from_secs(20);

/// What a member remembers, in `<data>/cluster.json`. Who the others are says the log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Membership {
    /// Its number among the members.
    pub number: u64,
    /// The port of its mesh: the others know it.
    pub port: u16,
    /// Members that were named when it was let in.
    #[serde(default)]
    pub known: Vec<(NodeId, Vec<SocketAddr>)>,
}

/// What all members have and nobody else.
#[derive(Serialize, Deserialize)]
struct Shared {
    /// The key that seals stored secrets, in hexadecimal.
    storage_key: String,
    root: RootCredential,
}

/// Is told that this node waits, and with which code.
pub type OnWaiting<'a> = &'a (dyn Fn(&str) + Send + Sync);

/// How a node comes to others: the member to ask, and who shows the code.
pub struct Joining<'a> {
    /// Whom to ask; whoever is found nearby where it is not said.
    pub ticket: Option<Ticket>,
    /// Votes and holds no data.
    pub witness: bool,
    /// Shows the code.
    pub waiting: OnWaiting<'a>,
}

fn path(data: &Path) -> PathBuf {
    data.join(FILE)
}

/// What is remembered; nothing where this node was always alone.
pub(super) fn read(data: &Path) -> Result<Option<Membership>, Failure> {
    let path = path(data);
    match std::fs::read(&path) {
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|e| Failure::new(codes::START, format!("{} is not valid: {e}", path.display()))),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::io(format_args!("cannot read {}", path.display()), &e)),
    }
}

fn keep(data: &Path, membership: &Membership) -> Result<(), Failure> {
    let path = path(data);
    let failed = |e: io::Error| Failure::io(format_args!("cannot write {}", path.display()), &e);
    let text = serde_json::to_vec_pretty(membership).map_err(|e| failed(io::Error::other(e)))?;
    write_private(&path, &text).map_err(failed)
}

/// Decides that the node of a directory, which does not run, goes on alone; answers who is given up.
pub fn recover(data: &Path, sure: bool) -> Result<Vec<String>, Failure> {
    // Held, so that no node runs on it meanwhile.
    let held = Directory::open(data)?;
    let Some(known) = read(held.path())? else {
        return Err(Failure::new(
            codes::CLUSTER,
            format!(
                "{} was never one of several: it needs nobody to go on",
                data.display()
            ),
        ));
    };
    if !sure {
        return Err(Failure::new(
            codes::CLUSTER,
            "this makes the node the only member of its cluster, with what it has: whatever the others had acknowledged \
             and this node never saw is lost, and the others can only come back with empty directories",
        )
        .next("if they are lost for good: stead cluster recover --i-have-lost-quorum"));
    }
    stead_cluster::decide_to_recover(&held.path().join("raft")).map_err(failure)?;
    Ok(known.known.iter().map(|(node, _)| node.to_string()).collect())
}

/// Remembers that this node, which founded, has others beside it now.
pub(super) fn founded(data: &Path, port: u16) -> Result<(), Failure> {
    if read(data)?.is_some() {
        return Ok(());
    }
    keep(
        data,
        &Membership {
            number: FOUNDER,
            port,
            known: Vec::new(),
        },
    )
}

/// What a node that is let in is given.
pub(super) fn shared(storage_key: &[u8; 32], root: &RootCredential) -> Vec<u8> {
    let shared = Shared {
        storage_key: hex::encode(storage_key),
        root: root.clone(),
    };
    serde_json::to_vec(&shared).unwrap_or_default()
}

/// What this node says of itself: where it sits, and how much it holds.
pub(super) fn facts(data: &Path, settings: &Settings) -> Facts {
    let capacity = match settings.storage.capacity_gib {
        // In whole GiB, so that it stays the same.
        0 => LocalStore::capacity(&data.join("blocks"), &settings.storage.blocks) >> 30 << 30,
        gib => gib << 30,
    };
    Facts {
        domains: settings.node.domains(),
        capacity,
    }
}

/// What people call this machine.
pub(super) fn label() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    name.chars().filter(|c| !c.is_control()).take(64).collect()
}

/// Asks to be let in, and takes what it is given; nothing is kept before somebody has approved.
pub(super) async fn join(
    directory: &Directory,
    key: &SigningKey,
    (listen, name, facts): (SocketAddr, &str, &Facts),
    joining: &Joining<'_>,
    (rng, tasks): (&Rng, &Tasks),
) -> Result<(Membership, Door), Failure> {
    if directory.has_history() {
        return Err(Failure::new(
            codes::CLUSTER,
            format!(
                "{} has data of its own, which would not be the cluster's",
                directory.path().display()
            ),
        )
        .next("join with an empty directory, then copy the objects over with `stead cp` or `rclone`"));
    }
    let options = JoinOptions {
        secret: key.to_bytes(),
        listen,
        label: name.to_owned(),
        release: env!("CARGO_PKG_VERSION").into(),
        witness: joining.witness,
        facts: facts.clone(),
        lot: rng.below(u64::MAX),
    };
    let ticket = match &joining.ticket {
        Some(ticket) => ticket.clone(),
        None => nearby().await?,
    };
    let joined = stead_cluster::join(&ticket, options, joining.waiting, (rng, tasks)).await;
    let Joined {
        number,
        door,
        shared,
        members,
    } = joined.map_err(failure)?;
    let given: Shared = serde_json::from_slice(&shared).map_err(|e| {
        Failure::new(
            codes::CLUSTER,
            format!("what the cluster gave is not understood: {e}"),
        )
    })?;
    let mut storage_key = [0; 32];
    hex::decode_to_slice(&given.storage_key, &mut storage_key).map_err(|e| {
        Failure::new(
            codes::CLUSTER,
            format!("what the cluster gave is not understood: {e}"),
        )
    })?;
    directory.keep_storage_key(&storage_key)?;
    directory.keep_root_credential(&given.root)?;
    let membership = Membership {
        number,
        port: door.port(),
        known: members,
    };
    // Last: with it, the node is a member for good.
    keep(directory.path(), &membership)?;
    Ok((membership, door))
}

/// A member that is found nearby.
async fn nearby() -> Result<Ticket, Failure> {
    let found = stead_cluster::find_nearby(NEARBY).await.map_err(failure)?;
    let at: Vec<String> = found.ticket.addresses.iter().map(ToString::to_string).collect();
    tracing::info!(member = %found.ticket.node, name = found.label, at = at.join(" "), "a cluster was found nearby");
    Ok(found.ticket)
}

/// Why something about the cluster did not work, for the command line.
pub(super) fn failure(error: ClusterError) -> Failure {
    let code = match &error {
        ClusterError::NoLeader(_) => codes::NO_LEADER,
        _ => codes::CLUSTER,
    };
    Failure::new(code, error.to_string())
}

/// The same for the API.
pub(super) fn api_error(error: ClusterError) -> ApiError {
    let (status, code) = match &error {
        ClusterError::NoLeader(_) => (StatusCode::SERVICE_UNAVAILABLE, codes::NO_LEADER),
        ClusterError::Refused(_) => (StatusCode::CONFLICT, codes::CLUSTER),
        _ => (StatusCode::BAD_GATEWAY, codes::CLUSTER),
    };
    let next = codes::find(&code.to_string())
        .map(|page| page.next)
        .unwrap_or_default();
    ApiError::new(status, code, error.to_string()).next(next)
}

/// The member of a name: its key, the beginning of it, or what people call it.
pub(super) fn find<'a>(nodes: &'a [NodeStatus], name: &str) -> Result<&'a NodeStatus, ClusterError> {
    let matches = |node: &&NodeStatus| node.label == name || name.len() >= 4 && node.node.0.starts_with(name);
    let found: Vec<_> = nodes.iter().filter(matches).collect();
    match found[..] {
        [one] => Ok(one),
        [] => Err(ClusterError::Refused(format!("no node is called {name:?}"))),
        _ => Err(ClusterError::Refused(format!(
            "{} nodes are called {name:?}: name one by its key",
            found.len()
        ))),
    }
}

/// The cluster as the API tells it.
pub(super) async fn cluster(raft: &Arc<RaftLog>, own: &NodeId) -> wire::Cluster {
    let (nodes, waiting, copies) = tokio::join!(raft.nodes(), raft.waiting(), raft.copies());
    let survival = raft.survival(&nodes, &copies).await;
    let (can_lose, because) = can_lose(&nodes, &survival);
    let waiting = waiting.into_iter().map(|waiting| wire::WaitingNode {
        id: waiting.node.to_string(),
        name: waiting.label,
        code: waiting.code,
    });
    let name = |node: &NodeStatus| node.node.to_string();
    wire::Cluster {
        voters: nodes.iter().filter(|node| node.voter).map(name).collect(),
        leader: nodes.iter().find(|node| node.leader).map(name),
        can_lose,
        because,
        losses: survival
            .losses
            .iter()
            .map(|loss| shown_loss(loss, &nodes))
            .collect(),
        waiting: waiting.collect(),
        nodes: nodes
            .iter()
            .map(|node| shown(node, own, copies.get(&node.node)))
            .collect(),
    }
}

fn shown(node: &NodeStatus, own: &NodeId, copies: Option<&CopyProgress>) -> wire::ClusterNode {
    let domains = &node.facts.domains;
    let state = match node.up {
        Some(true) => "up",
        Some(false) => "away",
        None => "unknown",
    };
    wire::ClusterNode {
        id: node.node.to_string(),
        name: node.label.clone(),
        this: node.node == *own,
        addresses: node.addresses.clone(),
        voter: node.voter,
        leader: node.leader,
        witness: node.witness,
        state: state.into(),
        behind: node.behind,
        site: domains.site.clone(),
        rack: domains.rack.clone(),
        circuit: domains.circuit.clone(),
        switch: domains.switch.clone(),
        capacity_bytes: node.facts.capacity,
        draining: node.draining,
        out: node.out,
        copies: copies.map(|copies| wire::NodeCopies {
            level: copies.missing == 0 && rules::is_level_at(copies.level_at, node.described_at),
            missing: copies.missing,
            fetched: copies.fetched,
            fetched_bytes: copies.fetched_bytes,
            remaining_secs: copies.remaining_seconds(),
            given_up: copies.given_up,
        }),
    }
}

/// How many nodes may be lost, whichever they are, and what bounds it.
fn can_lose(nodes: &[NodeStatus], survival: &Survival) -> (u64, String) {
    if nodes.len() <= 1 {
        return (0, "there is one node: what is lost with it is lost".into());
    }
    let voters = nodes.iter().filter(|node| node.voter);
    let (voters, voting) = voters.fold((0, 0), |(all, up), node| {
        (all + 1, up + usize::from(node.up == Some(true)))
    });
    let quorum = voters / 2 + 1;
    let Some(votes) = survival.spare_votes else {
        return (
            0,
            format!("{voting} of {voters} voters answer and {quorum} are needed: nothing can be written"),
        );
    };
    let copies = survival.spare_copies;
    let because = if votes <= copies {
        format!("{voting} of {voters} voters answer and {quorum} have to, to decide anything")
    } else if let Some(behind) = nodes.iter().find(|node| survival.behind.contains(&node.node)) {
        format!("{} has not yet all copies that it is to have", behind.label)
    } else {
        match copies {
            0 => "of some blocks one copy is left, on a node that answers".into(),
            more => format!("of some blocks {} copies are on nodes that answer", more + 1),
        }
    };
    (votes.min(copies) as u64, because)
}

fn shown_loss(loss: &Loss, nodes: &[NodeStatus]) -> wire::NodeLoss {
    let called = |id: &str| {
        let node = nodes.iter().find(|node| node.node.0 == id);
        node.map_or_else(|| id.to_owned(), |node| node.label.clone())
    };
    wire::NodeLoss {
        kind: loss.kind.word().into(),
        name: match loss.kind {
            DomainKind::Node => called(&loss.name),
            _ => loss.name.clone(),
        },
        nodes: loss.nodes.iter().map(|node| called(&node.0)).collect(),
        ids: loss.nodes.iter().map(|node| node.0.clone()).collect(),
        data_stays: loss.data_stays,
        service_goes_on: loss.service_goes_on,
        votes: loss.votes.0 as u64,
        quorum: loss.votes.1 as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(number: u64, voter: bool, up: bool, witness: bool) -> NodeStatus {
        NodeStatus {
            number,
            node: NodeId(format!("{number:064x}")),
            label: format!("n{number}"),
            addresses: Vec::new(),
            voter,
            leader: number == 1,
            witness,
            up: Some(up),
            behind: Some(0),
            facts: Facts::default(),
            draining: false,
            out: false,
            described_at: (1, 1),
        }
    }

    #[test]
    fn what_may_be_lost_is_bounded_by_votes_and_by_copies() {
        let of = |nodes: &[NodeStatus], votes, copies| {
            let survival = Survival {
                losses: Vec::new(),
                spare_votes: votes,
                spare_copies: copies,
                behind: Vec::new(),
            };
            can_lose(nodes, &survival)
        };
        assert_eq!(of(&[node(1, true, true, false)], Some(0), 0).0, 0);
        let three: Vec<_> = (1..=3).map(|n| node(n, true, true, false)).collect();
        let (count, because) = of(&three, Some(1), 2);
        assert_eq!((count, because.contains("3 of 3 voters")), (1, true), "{because}");
        let (count, because) = of(&three, Some(1), 0);
        assert_eq!((count, because.contains("one copy")), (0, true), "{because}");
        let mut away = three.clone();
        for node in &mut away[1..] {
            node.up = Some(false);
        }
        let (count, because) = of(&away, None, 0);
        assert_eq!(
            (count, because.contains("nothing can be written")),
            (0, true),
            "{because}"
        );
    }

    #[test]
    fn a_node_is_found_by_name_or_the_beginning_of_its_key() {
        let nodes = [node(1, true, true, false), node(2, true, true, false)];
        assert_eq!(find(&nodes, "n2").expect("is there").number, 2);
        assert!(find(&nodes, "0000").is_err(), "both begin so");
        assert!(find(&nodes, "n3").is_err());
    }
}
