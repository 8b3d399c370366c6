//! The network that nodes are in: a host each on one bridge, where cables can be pulled and packets lost.
//!
//! Owns: the namespaces and what is done to them; without namespaces, loopback addresses on which nothing can be
//! done. Promises: nothing of it is visible in, or left behind on, the machine's own network; all of it, and every
//! process in it, ends with the run. Clients are on the bridge: they reach nodes that do not reach each other.

use crate::{Outcome, process};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

/// Set for the process that is inside; says why there are no namespaces where there are none.
const INSIDE: &str = "STEAD_CHAOS_INSIDE";
/// A hardware address that nobody has: what is sent there is lost.
const NOBODY: &str = "02:00:00:00:00:fe";
const PORT: u16 = 7300;

/// Runs this very command again inside of namespaces of its own; `None` where this is the one inside already.
pub fn enter(arguments: &[String], binary: &Path) -> Outcome<Option<ExitCode>> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(None);
    }
    // Processes end with the first of their namespace, mounts and networks with the last of theirs; and all of it
    // with this process, which is the one that a person interrupts.
    let mut flags = vec![
        "--pdeathsig",
        "KILL",
        "unshare",
        "--net",
        "--mount",
        "--pid",
        "--fork",
    ];
    flags.extend(["--kill-child", "--mount-proc"]);
    if !rustix::process::geteuid().is_root() {
        flags.extend(["--user", "--map-root-user"]);
    }
    let possible = process::output(
        Command::new("setpriv")
            .args(&flags)
            .args(["ip", "link", "set", "lo", "up"]),
    );
    let own = std::env::current_exe()?;
    let mut command = match &possible {
        Ok(_) => {
            let mut command = Command::new("setpriv");
            command.args(&flags).arg(own).env(INSIDE, "");
            command
        }
        Err(why) => {
            let mut command = Command::new(own);
            command.env(INSIDE, why.to_string().trim());
            command
        }
    };
    let status = command.args(arguments).env("STEAD_BIN", binary).status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(Some(code.map_or(ExitCode::FAILURE, ExitCode::from)))
}

/// What nodes are connected by.
pub enum Network {
    /// Hosts on a bridge, each held open by a process that sleeps.
    Lab(Vec<Child>),
    /// The machine's loopback, and why there is nothing better.
    Loopback(String),
}

fn ip(words: &[&str]) -> Outcome {
    process::output(Command::new("ip").args(words)).map(drop)
}

impl Network {
    /// The network of this process, without hosts.
    pub fn new() -> Outcome<Self> {
        let why = std::env::var(INSIDE).unwrap_or_default();
        if !why.is_empty() {
            return Ok(Self::Loopback(why));
        }
        ip(&["link", "set", "lo", "up"])?;
        ip(&["link", "add", "br0", "type", "bridge"])?;
        ip(&["addr", "add", "10.77.0.254/24", "dev", "br0"])?;
        ip(&["link", "set", "br0", "up"])?;
        Ok(Self::Lab(Vec::new()))
    }

    /// Whether anything can be done to it.
    pub fn is_lab(&self) -> bool {
        matches!(self, Self::Lab(_))
    }

    /// Why there are no faults of the network.
    pub fn shortcoming(&self) -> Option<&str> {
        match self {
            Self::Lab(_) => None,
            Self::Loopback(why) => Some(why),
        }
    }

    /// One more host: where a node listens there, and what its command begins with. Numbers count from 1.
    pub fn host(&mut self, number: usize) -> Outcome<(SocketAddr, Vec<String>)> {
        let Self::Lab(holders) = self else {
            // A block of loopback addresses to itself, so that runs beside each other do not meet.
            let own = std::process::id() % 250 + 1;
            return Ok((format!("127.77.{own}.{number}:{PORT}").parse()?, Vec::new()));
        };
        let holder = Command::new("unshare")
            .args(["--net", "sleep", "infinity"])
            .stdin(Stdio::null())
            .spawn()?;
        let namespace = |pid: &str| std::fs::read_link(format!("/proc/{pid}/ns/net"));
        let pid = holder.id().to_string();
        holders.push(holder);
        // Until it is in its namespace, the interface would go nowhere.
        let until = Instant::now() + Duration::from_secs(10);
        while namespace(&pid)? == namespace("self")? {
            if Instant::now() > until {
                return Err("the host does not leave this namespace".into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        let port = format!("port{number}");
        ip(&[
            "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &pid,
        ])?;
        ip(&["link", "set", &port, "master", "br0", "up"])?;
        self.inside(number, &["ip", "link", "set", "lo", "up"])?;
        // One family of addresses, or what is cut on one would go through the other.
        let quiet = "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 || true";
        self.inside(number, &["sh", "-c", quiet])?;
        let address = format!("10.77.0.{number}");
        self.inside(
            number,
            &["ip", "addr", "add", &format!("{address}/24"), "dev", "eth0"],
        )?;
        self.inside(number, &["ip", "link", "set", "eth0", "up"])?;
        let prefix = ["nsenter", "--target", &pid, "--net"].map(str::to_owned).to_vec();
        Ok((format!("{address}:{PORT}").parse()?, prefix))
    }

    fn inside(&self, number: usize, words: &[&str]) -> Outcome {
        let Self::Lab(holders) = self else {
            return Err("there are no hosts on loopback".into());
        };
        let holder = holders.get(number - 1).ok_or("there is no such host")?;
        let target = holder.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &target, "--net"]).args(words);
        process::output(&mut command).map(drop)
    }

    /// Whether what one host sends to another arrives. One way: the other direction is another call.
    pub fn reach(&self, from: usize, to: usize, reached: bool) -> Outcome {
        let to = format!("10.77.0.{to}");
        if reached {
            // Forgotten already is fine.
            let _ = self.inside(from, &["ip", "neigh", "del", &to, "dev", "eth0"]);
            return Ok(());
        }
        let words = [
            "ip",
            "neigh",
            "replace",
            &to,
            "lladdr",
            NOBODY,
            "dev",
            "eth0",
            "nud",
            "permanent",
        ];
        self.inside(from, &words)
    }

    /// Pulls a host's cable, or puts it back: clients do not reach it either.
    pub fn cable(&self, number: usize, there: bool) -> Outcome {
        let port = format!("port{number}");
        ip(&["link", "set", &port, if there { "up" } else { "down" }])
    }

    /// Makes a host's cable bad, or good again: late and lossy where the kernel can do that (netem), else so
    /// narrow that packets queue up for as long and the rest is dropped (tbf).
    pub fn bad_cable(&self, number: usize, bad: bool) -> Outcome {
        let port = format!("port{number}");
        let netem = ["netem", "delay", "40ms", "30ms", "loss", "5%"];
        let narrow = ["tbf", "rate", "3mbit", "burst", "16kb", "latency", "150ms"];
        for (inside, device) in [(false, port.as_str()), (true, "eth0")] {
            let tc = |what: &str, how: &[&str]| {
                let words = [&["tc", "qdisc", what, "dev", device, "root"], how].concat();
                match inside {
                    true => self.inside(number, &words),
                    false => process::output(Command::new("tc").args(&words[1..])).map(drop),
                }
            };
            if bad {
                tc("replace", &netem).or_else(|_| tc("replace", &narrow))?;
            } else {
                // None there is fine.
                let _ = tc("del", &[]);
            }
        }
        Ok(())
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Self::Lab(holders) = self {
            for holder in holders {
                // Gone already is fine.
                let _ = holder.kill();
                let _ = holder.wait();
            }
            let _ = ip(&["link", "del", "br0"]);
        }
    }
}
