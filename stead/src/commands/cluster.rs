//! `ticket`, `approve`, `node`, `cluster`: the nodes that share one consensus.

use super::progress;
use crate::args::{Approve, ClusterCommand, Global, NodeCommand};
use crate::client::{Client, Needs, Url, find};
use crate::codes;
use crate::directory;
use crate::failure::{self, Failure};
use crate::node::members;
use crate::output::{self, Align, Table};
use http::Method;
use stead_client::wire;

/// Letters of a key that are shown.
const SHORT: usize = 12;

pub(super) async fn ticket(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let nothing = serde_json::json!({});
    let made: wire::Ticket = client.post(Url::new("/api/v1/cluster/ticket"), &nothing).await?;
    if global.json {
        output::json(&made);
    } else {
        output::line(&made.ticket);
    }
    Ok(failure::OK)
}

pub(super) async fn approve(global: &Global, args: &Approve) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let wanted = wire::Approve {
        code: args.code.clone(),
    };
    let node: wire::NodeName = client.post(Url::new("/api/v1/cluster/approve"), &wanted).await?;
    if global.json {
        output::json(&node);
    } else {
        output::line(format!("node {} is let in", short(&node.node)));
        let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
        output::line(format!("may be lost now: {}", spare(&cluster)));
    }
    Ok(failure::OK)
}

pub(super) async fn node(global: &Global, command: NodeCommand) -> Result<u8, Failure> {
    match command {
        NodeCommand::List => list(global).await,
        NodeCommand::Drain { node, undo, no_wait } => drain(global, &node, undo, !no_wait).await,
        NodeCommand::Remove { node } => remove(global, &node).await,
    }
}

pub(super) async fn leave(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
    let own = cluster
        .nodes
        .iter()
        .find(|node| node.this)
        .map(|node| node.id.clone());
    let own = own.unwrap_or_default();
    client
        .call(Method::DELETE, Url::new("/api/v1/cluster/nodes").segment(&own))
        .await?;
    if !global.json {
        output::line(
            "this node is no member any more: stop it, and remove its directory or keep it as a copy",
        );
    }
    Ok(failure::OK)
}

async fn list(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
    if global.json {
        output::json(&cluster);
        return Ok(failure::OK);
    }
    let mut table = Table::new(&[
        ("NODE", Align::Left),
        ("NAME", Align::Left),
        ("STATE", Align::Left),
        ("ROLE", Align::Left),
        ("COPIES", Align::Left),
        ("ADDRESS", Align::Left),
    ]);
    for node in &cluster.nodes {
        let state = match node.behind {
            Some(behind) if behind > 0 && node.state == "up" => format!("up, {behind} behind"),
            _ => node.state.clone(),
        };
        let this = if node.this { " (this)" } else { "" };
        table.row([
            format!("{}{this}", short(&node.id)),
            node.name.clone(),
            state,
            role(node),
            copies_of(node),
            node.addresses.join(" "),
        ]);
    }
    table.print();
    for waiting in &cluster.waiting {
        output::line(format!(
            "{} ({}) waits to be let in: stead approve {}",
            short(&waiting.id),
            waiting.name,
            waiting.code
        ));
    }
    Ok(failure::OK)
}

fn role(node: &wire::ClusterNode) -> String {
    let role = match (node.leader, node.voter, node.witness) {
        (true, _, _) => "leads",
        (_, true, true) => "votes, no data",
        (_, true, false) => "votes",
        (_, false, _) => "follows",
    };
    match (node.draining, node.out) {
        (true, _) => format!("{role}, drains"),
        (_, true) => format!("{role}, out"),
        _ => role.to_owned(),
    }
}

async fn drain(global: &Global, node: &str, undo: bool, wait: bool) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let url = Url::new("/api/v1/cluster/nodes").segment(node).segment("drain");
    client.put(url, &wire::Drain { drain: !undo }).await?;
    if !undo && wait {
        wait_for_copies(global, &client, node).await?;
    }
    if global.json {
        output::json(&serde_json::json!({ "node": node, "draining": !undo, "waited": !undo && wait }));
    } else if undo {
        output::line(format!("node {node} takes its share again"));
    } else if wait {
        output::line(format!(
            "node {node} holds nothing that others do not hold: stead node remove {node}"
        ));
    } else {
        output::line(format!(
            "node {node} gives up its copies: `stead node list` shows how far others are"
        ));
    }
    Ok(failure::OK)
}

/// Waits until every node that takes copies has all that belongs there. The node that is asked has to know of the drain,
/// else it would speak of the time before; and of one that is out nobody knows what only it has.
async fn wait_for_copies(global: &Global, client: &Client, drained: &str) -> Result<(), Failure> {
    let spinner = progress::spinner("copies", global.json);
    loop {
        let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
        let is_it = |node: &&wire::ClusterNode| node.name == drained || node.id.starts_with(drained);
        let own = cluster.nodes.iter().find(is_it);
        if let Some(own) = own.filter(|own| !own.draining || own.out) {
            let why = if own.out { "is away" } else { "does not drain yet" };
            spinner.set_message(format!("{} {why}", own.name));
            tokio::time::sleep(std::time::Duration::from_millis(500)).await;
            continue;
        }
        let takes = |node: &&wire::ClusterNode| !node.witness && !node.draining && !node.out;
        let mut behind = cluster
            .nodes
            .iter()
            .filter(takes)
            .filter(|node| !node.copies.as_ref().is_some_and(|copies| copies.level));
        let Some(first) = behind.next() else {
            spinner.finish_and_clear();
            return Ok(());
        };
        spinner.set_message(format!("{}: {}", first.name, copies_of(first)));
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}

/// Where a node's copies stand, in words.
fn copies_of(node: &wire::ClusterNode) -> String {
    let Some(copies) = &node.copies else {
        return if node.witness {
            String::new()
        } else {
            "not known".into()
        };
    };
    match (node.witness, copies.level, copies.missing) {
        (true, ..) => String::new(),
        (_, true, _) => "all here".into(),
        (_, false, 0) => "compares".into(),
        (_, false, missing) => {
            let left = copies
                .remaining_secs
                .map_or(String::new(), |left| format!(", {left} s left"));
            format!("{missing} to fetch{left}")
        }
    }
}

async fn remove(global: &Global, node: &str) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    client
        .call(Method::DELETE, Url::new("/api/v1/cluster/nodes").segment(node))
        .await?;
    if !global.json {
        output::line(format!("node {node} is no member any more"));
    }
    Ok(failure::OK)
}

pub(super) async fn cluster(global: &Global, command: ClusterCommand) -> Result<u8, Failure> {
    match command {
        ClusterCommand::CanLose => can_lose(global).await,
        ClusterCommand::Stop => stop(global).await,
        ClusterCommand::Recover { i_have_lost_quorum } => recover(global, i_have_lost_quorum),
    }
}

async fn stop(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let nothing = serde_json::json!({});
    let stopped: wire::Stopped = client.post(Url::new("/api/v1/cluster/stop"), &nothing).await?;
    if global.json {
        output::json(&stopped);
    } else if stopped.deaf.is_empty() {
        output::line("every node stops");
    }
    if stopped.deaf.is_empty() {
        return Ok(failure::OK);
    }
    let deaf: Vec<&str> = stopped.deaf.iter().map(|node| short(node)).collect();
    Err(Failure::new(
        codes::PARTIAL,
        format!(
            "the others stop, and these could not be told: {}",
            deaf.join(", ")
        ),
    ))
}

async fn can_lose(global: &Global) -> Result<u8, Failure> {
    let client = find(global, Needs::Node).await?;
    let cluster: wire::Cluster = client.get(Url::new("/api/v1/cluster")).await?;
    if global.json {
        output::json(&serde_json::json!({
            "can_lose": cluster.can_lose,
            "because": cluster.because,
            "losses": cluster.losses,
        }));
    } else {
        output::line(spare(&cluster));
        losses(&cluster.losses).print();
    }
    Ok(failure::OK)
}

/// How many nodes may be lost, and what bounds it.
fn spare(cluster: &wire::Cluster) -> String {
    format!("{}: {}", output::count(cluster.can_lose, "node"), cluster.because)
}

/// What each single failure does.
fn losses(losses: &[wire::NodeLoss]) -> Table {
    let mut table = Table::new(&[
        ("IF IT FAILS", Align::Left),
        ("DATA", Align::Left),
        ("SERVICE", Align::Left),
        ("NODES", Align::Left),
    ]);
    for loss in losses {
        let data = match (loss.data_stays, loss.kind.as_str()) {
            (true, _) => "stays",
            (false, "switch" | "circuit") => "away until it is back",
            (false, _) => "some is lost",
        };
        let service = match (loss.service_goes_on, loss.votes < loss.quorum) {
            (true, _) => "goes on".to_owned(),
            (false, true) => format!("stops: {} of {} votes", loss.votes, loss.quorum),
            (false, false) => "some cannot be read".to_owned(),
        };
        table.row([
            format!("{} {}", loss.kind, loss.name),
            data.to_owned(),
            service,
            loss.nodes.join(", "),
        ]);
    }
    table
}

fn recover(global: &Global, sure: bool) -> Result<u8, Failure> {
    let data = global.data.clone().unwrap_or_else(directory::default_path);
    let others = members::recover(&data, sure)?;
    if global.json {
        output::json(&serde_json::json!({ "recovers": true, "lost": others }));
    } else {
        output::line("this node goes on alone when it is started: stead up");
    }
    Ok(failure::OK)
}

fn short(key: &str) -> &str {
    key.get(..SHORT).unwrap_or(key)
}
