//! The nodes of a run together: formed into a cluster, asked who leads, waited for.

use super::network::Network;
use super::node::{Node, PATIENCE};
use crate::Outcome;
use crate::client::Client;
use crate::sign::Key;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// What a run's nodes are made of.
pub struct Plan<'a> {
    /// The binary.
    pub binary: &'a Path,
    /// A directory for all.
    pub work: &'a Path,
    /// How many, the witness among them.
    pub count: usize,
    /// Whether the last one is a witness.
    pub witness: bool,
    /// Whether their disks are simulated, and forget what was not synced.
    pub power_cut: bool,
}

/// Where a node that says that it is ready answers the API.
fn api(ready: &Value) -> Option<SocketAddr> {
    let url = ready["endpoints"]["api"].as_str()?;
    url.trim_start_matches("http://")
        .trim_end_matches('/')
        .parse()
        .ok()
}

/// All of them.
pub struct Nodes {
    /// In the order of their numbers.
    pub all: Vec<Node>,
    /// What clients sign with.
    pub key: Key,
}

impl Nodes {
    /// Makes a cluster of them, and waits until it is one.
    pub fn form(plan: &Plan<'_>, network: &mut Network) -> Outcome<Self> {
        let mut founder = Node::new(plan, 1, network)?;
        founder.start(&[])?;
        let ready = founder.line(0)?;
        let text = |name: &str| ready[name].as_str().map(str::to_owned);
        let key = Key {
            access: text("access_key").ok_or("no access_key")?,
            secret: text("secret_key").ok_or("no secret_key")?,
            region: "us-east-1".to_owned(),
        };
        founder.api = api(&ready);
        let mut all = vec![founder];
        for number in 2..=plan.count {
            let ticket = all[0].ask_patiently(&["ticket"])?;
            let mut node = Node::new(plan, number, network)?;
            let witness: &[&str] = if node.witness { &["--witness"] } else { &[] };
            node.start(&[&["--join", ticket.trim()], witness].concat())?;
            let waiting = node.line(0)?;
            let code = waiting["code"].as_str().ok_or("it does not wait to be let in")?;
            all[0].ask_patiently(&["approve", code])?;
            node.api = api(&node.line(1)?);
            all.push(node);
        }
        for node in &mut all {
            node.id = node.status()?["node"].as_str().unwrap_or_default().to_owned();
        }
        let mut nodes = Self { all, key };
        nodes.settle(PATIENCE)?;
        Ok(nodes)
    }

    /// Those that clients speak to.
    pub fn with_data(&self) -> impl Iterator<Item = &Node> {
        self.all.iter().filter(|node| !node.witness)
    }

    /// A client of a node.
    pub fn client(&self, node: &Node) -> Client {
        Client::new(node.address, &self.key)
    }

    /// Which one leads, by its place, as far as one that answers knows.
    pub fn leader(&self) -> Option<usize> {
        let leads = |node: &Node| {
            let status = node.status().ok()?;
            let leader = status["leader"].as_str()?;
            self.all.iter().position(|node| node.id == leader)
        };
        self.all.iter().find_map(leads)
    }

    /// Waits until every node is there for every other, all vote that should, and one may be lost.
    pub fn settle(&mut self, bound: Duration) -> Outcome {
        let until = Instant::now() + bound;
        loop {
            let settled = self.unsettled();
            match settled {
                None => return Ok(()),
                Some(why) if Instant::now() > until => {
                    let logs: Vec<String> = self
                        .all
                        .iter()
                        .map(|node| format!("-- node {}:\n{}", node.number, node.log()))
                        .collect();
                    return Err(
                        format!("not whole {bound:?} after all healed: {why}\n{}", logs.join("\n")).into(),
                    );
                }
                Some(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }

    fn unsettled(&mut self) -> Option<String> {
        let count = self.all.len();
        for node in &mut self.all {
            let number = node.number;
            if !node.runs() {
                return Some(format!("node {number} has ended"));
            }
            let status = match node.status() {
                Ok(status) => status,
                Err(why) => return Some(format!("node {number}: {why}")),
            };
            let up = |one: &&Value| one["state"] == "up";
            let there = status["nodes"]
                .as_array()
                .map_or(0, |all| all.iter().filter(up).count());
            let voters = status["voters"].as_array().map_or(0, Vec::len);
            if there < count || voters != count || status["leader"].is_null() {
                return Some(format!(
                    "node {number} sees {there} of {count} up, {voters} voters, leader {}",
                    status["leader"]
                ));
            }
        }
        None
    }

    /// Where every log ends at every node that has them: one text each.
    pub fn heads(&self) -> Outcome<Vec<String>> {
        let head = |node: &Node| -> Outcome<String> {
            let status = node.status()?;
            let mut logs: Vec<String> = status["logs"]
                .as_array()
                .ok_or("no logs in the status")?
                .iter()
                .map(|log| format!("{} {} {}", log["tenant"], log["position"], log["head"]))
                .collect();
            logs.sort();
            Ok(logs.join(", "))
        };
        self.with_data().map(head).collect()
    }
}
