//! Drills: what may fail fails for a while, where everything is forecast to go on.

use super::members;
use std::sync::Arc;
use stead_client::wire::{self, ClusterNode, NodeLoss};
use stead_cluster::{ClusterError, RaftLog};
use stead_event::NodeId;
use stead_gateway_api::ApiError;

/// Finds what is meant, forecasts what its failure does now, and cuts it off unless something is forecast to stop.
pub(super) async fn begin(
    raft: &Arc<RaftLog>,
    own: &NodeId,
    wanted: &wire::BeginDrill,
) -> Result<wire::Drill, ApiError> {
    if !(5..=600).contains(&wanted.seconds) {
        return Err(ApiError::invalid("a drill takes 5 to 600 seconds"));
    }
    let cluster = members::cluster(raft, own).await;
    let loss = find(&cluster, &wanted.what)?.clone();
    let cut: Vec<&ClusterNode> = cluster
        .nodes
        .iter()
        .filter(|node| loss.ids.contains(&node.id))
        .collect();
    let drill = wire::Drill {
        leader: cut.iter().any(|node| node.leader),
        seconds: wanted.seconds,
        loss,
    };
    if wanted.forecast_only {
        return Ok(drill);
    }
    if let Some(why) = unsafe_now(&drill.loss, &cut) {
        return Err(refused(why).next("`stead cluster can-lose` says what may fail now"));
    }
    let nodes: Vec<NodeId> = cut.iter().map(|node| NodeId(node.id.clone())).collect();
    raft.drill(&nodes, wanted.seconds)
        .await
        .map_err(members::api_error)?;
    Ok(drill)
}

fn refused(why: String) -> ApiError {
    members::api_error(ClusterError::Refused(why))
}

/// Why it is not safe to try.
fn unsafe_now(loss: &NodeLoss, cut: &[&ClusterNode]) -> Option<String> {
    let what = format!("{} {}", loss.kind, loss.name);
    if let Some(away) = cut.iter().find(|node| node.state != "up") {
        return Some(format!("{} is away already: {what} is no drill now", away.name));
    }
    if cut.iter().any(|node| node.this) {
        return Some(format!(
            "this node fails with {what}, and could not tell what happens: ask another one for this drill"
        ));
    }
    match (loss.service_goes_on, loss.data_stays) {
        (true, true) => None,
        (false, _) if loss.votes < loss.quorum => Some(format!(
            "without {what} nothing can be written: {} of {} votes that it takes are left",
            loss.votes, loss.quorum
        )),
        _ => Some(format!("not everything has a copy beside {what} now")),
    }
}

/// The failure that is meant.
fn find<'a>(cluster: &'a wire::Cluster, what: &str) -> Result<&'a NodeLoss, ApiError> {
    let named = |loss: &&NodeLoss| loss.name == what || format!("{} {}", loss.kind, loss.name) == what;
    let of_node = |loss: &&NodeLoss| {
        let mut ids = loss.ids.iter();
        what.len() >= 4 && loss.kind == "node" && ids.any(|id| id.starts_with(what))
    };
    let mut found: Vec<&NodeLoss> = cluster.losses.iter().filter(named).collect();
    if found.is_empty() {
        found = cluster.losses.iter().filter(of_node).collect();
    }
    match found[..] {
        [one] => Ok(one),
        [] => Err(refused(format!("nothing here is called {what:?}"))
            .next("`stead cluster can-lose` names what may fail")),
        _ => {
            let kinds: Vec<String> = found
                .iter()
                .map(|loss| format!("{} {}", loss.kind, loss.name))
                .collect();
            Err(refused(format!("{what:?} may be {}", kinds.join(" or ")))
                .next("say which: its kind and its name, or a node's key"))
        }
    }
}
