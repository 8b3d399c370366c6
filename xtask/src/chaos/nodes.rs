//! The nodes of a run: processes that are killed, held, stopped and started again.

use super::lab::Lab;
use crate::server::{Server, Settings};
use crate::sign::Key;
use crate::{Outcome, process};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a cluster may take to be whole again when nothing is wrong any more.
const SETTLE: Duration = Duration::from_secs(120);
/// How long a stop may take.
const STOP: Duration = Duration::from_secs(90);

/// One node; its number is its place, from one.
pub struct Node {
    pub settings: Settings,
    pub server: Option<Server>,
}

/// All of them, and where they are.
pub struct Nodes {
    pub lab: Lab,
    pub all: Vec<Node>,
    pub key: Key,
}

impl Nodes {
    /// A cluster of so many nodes; the last is a witness where that is wanted.
    pub fn form(binary: &Path, dir: &Path, count: usize, witness: bool) -> Outcome<Self> {
        let lab = Lab::new(count)?;
        let settings = |number: usize| {
            let data = dir.join(format!("node-{number}"));
            let mut settings = Settings::new(binary, &data, &data.with_extension("log"));
            settings.before = lab.prefix(number);
            settings.listen = lab.listen(number);
            settings
        };
        // One node's disk can be filled.
        if lab.has_cables() {
            lab.small_disk(&settings(count).data)?;
        }
        let first = settings(1);
        let founder = Server::start(&first, None)?;
        let key = founder.key.clone();
        let mut all = vec![Node {
            settings: first,
            server: Some(founder),
        }];
        for number in 2..=count {
            let own = settings(number);
            let more: &[&str] = if witness && number == count {
                &["--witness"]
            } else {
                &[]
            };
            let server = Server::join_as(&own, &all[0].settings, more)?;
            all.push(Node {
                settings: own,
                server: Some(server),
            });
        }
        let nodes = Self { lab, all, key };
        nodes.settle()?;
        Ok(nodes)
    }

    /// Where each is asked.
    pub fn addresses(&self) -> Outcome<Vec<SocketAddr>> {
        let addresses = (1..=self.all.len()).map(|number| self.lab.listen(number).parse());
        Ok(addresses.collect::<Result<_, _>>()?)
    }

    pub fn status(&self, number: usize) -> Outcome<Value> {
        let said = process::output(&mut self.all[number - 1].settings.stead(&["status", "--json"]))?;
        Ok(serde_json::from_str(&said)?)
    }

    /// Which leads, if any does.
    pub fn leader(&self) -> Option<usize> {
        (1..=self.all.len()).find(|number| {
            let status = self.status(*number);
            status.is_ok_and(|status| status["leader"].is_string() && status["leader"] == status["node"])
        })
    }

    /// Waits until every node runs, is up, and has the same log.
    pub fn settle(&self) -> Outcome {
        let until = Instant::now() + SETTLE;
        loop {
            let whole = self.whole();
            match whole {
                Ok(true) => return Ok(()),
                _ if Instant::now() < until => std::thread::sleep(Duration::from_millis(200)),
                Ok(false) => return Err(self.why_not().into()),
                Err(why) => return Err(why),
            }
        }
    }

    fn whole(&self) -> Outcome<bool> {
        let mut heads = Vec::new();
        for number in 1..=self.all.len() {
            let status = self.status(number)?;
            let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
            let up = nodes.iter().filter(|node| node["state"] == "up").count();
            if up != self.all.len() {
                return Ok(false);
            }
            heads.push(status["logs"].to_string());
        }
        heads.dedup();
        Ok(heads.len() == 1)
    }

    fn why_not(&self) -> String {
        let mut text = String::from("the nodes have not become whole again:");
        for number in 1..=self.all.len() {
            match self.status(number) {
                Ok(status) => text.push_str(&format!(
                    "\nnode {number}: {} {}",
                    status["nodes"], status["logs"]
                )),
                Err(why) => text.push_str(&format!("\nnode {number}: {why}")),
            }
        }
        text
    }

    /// SIGKILL.
    pub fn kill(&mut self, number: usize) -> Outcome {
        self.all[number - 1].server.take().map_or(Ok(()), Server::kill)
    }

    /// SIGTERM, and its end.
    pub fn stop(&mut self, number: usize) -> Outcome {
        let server = self.all[number - 1].server.take();
        server.map_or(Ok(()), |server| server.stop(STOP).map(drop))
    }

    /// Starts all that do not run, at once.
    pub fn start(&mut self) -> Outcome {
        let key = &self.key;
        let starts: Vec<Outcome> = std::thread::scope(|scope| {
            let dead = self.all.iter_mut().filter(|node| node.server.is_none());
            let starting: Vec<_> = dead
                .map(|node| {
                    scope.spawn(move || -> Outcome {
                        node.server = Some(Server::start(&node.settings, Some(key))?);
                        Ok(())
                    })
                })
                .collect();
            let joined = starting.into_iter().map(|thread| thread.join());
            joined
                .map(|done| done.unwrap_or_else(|_| Err("a start panicked".into())))
                .collect()
        });
        starts.into_iter().collect()
    }

    /// Holds a process, or lets it go on.
    pub fn hold(&self, number: usize, held: bool) -> Outcome {
        let pid = self.all[number - 1].server.as_ref().map(Server::pid);
        let pid = pid
            .and_then(|pid| Pid::from_raw(pid.try_into().ok()?))
            .ok_or("that node does not run")?;
        kill_process(pid, if held { Signal::STOP } else { Signal::CONT })?;
        Ok(())
    }

    /// That every process that should run does.
    pub fn check_alive(&mut self) -> Outcome {
        for (at, node) in self.all.iter_mut().enumerate() {
            if node.server.as_mut().is_some_and(|server| !server.alive()) {
                let said = process::tail(&node.settings.log, 30);
                return Err(format!("node {} ended by itself:\n{said}", at + 1).into());
            }
        }
        Ok(())
    }
}
