//! The running cluster as the planner sees it.

use crate::args::Global;
use crate::client::{Needs, Url, find};
use crate::failure::Failure;
use std::collections::BTreeMap;
use stead_client::wire;
use stead_plan::live::{Live, Member};
use stead_plan::policy::Policy;

/// Copies of what asks for nothing else.
const USUAL_COPIES: u8 = 3;
/// Buckets that are named where several are kept alike.
const NAMED: usize = 3;

/// How the cluster is now, by the node that is asked.
pub(crate) async fn state(global: &Global) -> Result<Live, Failure> {
    let client = find(global, Needs::Node).await?;
    let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
    let buckets: wire::Page<wire::Bucket> = client.all(Url::new("/api/v1/buckets")).await?;
    Ok(Live {
        members: members(&cluster.nodes),
        data: data(&buckets.items),
    })
}

/// What people call a node, where it is the only one of that name; else with the beginning of its key.
pub(crate) fn called(nodes: &[wire::ClusterNode], node: &wire::ClusterNode) -> String {
    let alike = nodes.iter().filter(|other| other.name == node.name).count();
    match node.name.as_str() {
        "" => node.id.chars().take(8).collect(),
        name if alike > 1 => format!("{name}-{}", node.id.chars().take(8).collect::<String>()),
        name => name.to_owned(),
    }
}

fn members(nodes: &[wire::ClusterNode]) -> Vec<Member> {
    let member = |node: &wire::ClusterNode| Member {
        name: called(nodes, node),
        site: node.site.clone(),
        rack: node.rack.clone(),
        circuit: node.circuit.clone(),
        switch: node.switch.clone(),
        capacity_bytes: node.capacity_bytes,
        witness: node.witness,
        voter: node.voter,
        up: node.state == "up",
        draining: node.draining,
        out: node.out,
        // One node alone compares itself with nobody.
        level: nodes.len() == 1 || node.copies.as_ref().is_some_and(|copies| copies.level),
    };
    nodes.iter().map(member).collect()
}

fn data(buckets: &[wire::Bucket]) -> Vec<(String, Policy)> {
    let mut kept: BTreeMap<String, (Policy, Vec<&str>)> = BTreeMap::new();
    for bucket in buckets {
        let copies = Policy::replicas(bucket.copies.unwrap_or(USUAL_COPIES));
        let erasure = bucket.erasure.as_deref().and_then(|text| text.parse().ok());
        if let Some(policy) = erasure.or(copies.ok()) {
            let alike = kept.entry(policy.to_string()).or_insert((policy, Vec::new()));
            alike.1.push(&bucket.name);
        }
    }
    if kept.is_empty() {
        return Policy::replicas(USUAL_COPIES)
            .map(|policy| vec![("everything".to_owned(), policy)])
            .unwrap_or_default();
    }
    let name = |names: &[&str]| {
        let mut text = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        if names.len() > NAMED {
            text.push_str(&format!(" and {} more", names.len() - NAMED));
        }
        text
    };
    kept.into_values()
        .map(|(policy, names)| (name(&names), policy))
        .collect()
}
