//! Where the nodes of a run are: hosts on a bridge in a network of our own, whose cables can be pulled; or, where the
//! machine allows no such network, addresses of the loopback, where only processes can be ended or held.

use crate::Outcome;
use crate::process::output;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Set in the process that is inside.
const INSIDE: &str = "STEAD_CHAOS_INSIDE";
const NET: &str = "10.77.0";

/// Runs this program again, with the same arguments, in a network and with mounts of its own; answers its exit
/// code. `None` where this is that process already, or where the machine does not allow it.
pub fn enter() -> Outcome<Option<u8>> {
    if std::env::var_os(INSIDE).is_some() {
        return Ok(None);
    }
    let mut flags = vec!["--net", "--mount"];
    if !rustix::process::getuid().is_root() {
        flags.extend(["--user", "--map-root-user"]);
    }
    let possible = Command::new("unshare")
        .args(&flags)
        .args(["ip", "link", "set", "lo", "up"])
        .stderr(Stdio::null())
        .status();
    if !possible.is_ok_and(|status| status.success()) {
        return Ok(None);
    }
    let status = Command::new("unshare")
        .args(&flags)
        .arg("--")
        .arg(std::env::current_exe()?)
        .args(std::env::args().skip(1))
        .env(INSIDE, "1")
        .status()?;
    Ok(Some(
        status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1),
    ))
}

fn ip(arguments: &[&str]) -> Outcome {
    output(Command::new("ip").args(arguments)).map(drop)
}

/// A host on the bridge, held by a process that sleeps in its network.
struct Host {
    holder: Child,
    prefix: Vec<String>,
}

/// The hosts of a run.
pub struct Lab(Option<Vec<Host>>);

impl Lab {
    /// So many hosts.
    pub fn new(count: usize) -> Outcome<Self> {
        if std::env::var_os(INSIDE).is_none() {
            return Ok(Self(None));
        }
        ip(&["link", "set", "lo", "up"])?;
        ip(&["link", "add", "br0", "type", "bridge"])?;
        ip(&["addr", "add", &format!("{NET}.254/24"), "dev", "br0"])?;
        ip(&["link", "set", "br0", "up"])?;
        let mut lab = Self(Some(Vec::new()));
        for number in 1..=count {
            lab.add(number)?;
        }
        Ok(lab)
    }

    fn add(&mut self, number: usize) -> Outcome {
        let holder = Command::new("unshare")
            .args(["--net", "sleep", "infinity"])
            .spawn()?;
        let pid = holder.id().to_string();
        let prefix = ["nsenter", "--target", &pid, "--net"].map(str::to_owned).to_vec();
        if let Some(hosts) = &mut self.0 {
            hosts.push(Host { holder, prefix });
        }
        // Until the process is in its network, the interface would go nowhere.
        while fs::read_link(format!("/proc/{pid}/ns/net"))? == fs::read_link("/proc/self/ns/net")? {
            std::thread::yield_now();
        }
        let port = port(number);
        ip(&[
            "link", "add", &port, "type", "veth", "peer", "name", "eth0", "netns", &pid,
        ])?;
        ip(&["link", "set", &port, "master", "br0", "up"])?;
        self.inside(number, &["ip", "link", "set", "lo", "up"])?;
        self.inside(
            number,
            &["ip", "addr", "add", &format!("{NET}.{number}/24"), "dev", "eth0"],
        )?;
        self.inside(number, &["ip", "link", "set", "eth0", "up"])
    }

    /// Whether cables can be pulled.
    pub fn has_cables(&self) -> bool {
        self.0.is_some()
    }

    /// What is put before a program so that it runs on a host.
    pub fn prefix(&self, number: usize) -> Vec<String> {
        let host = self.0.as_ref().and_then(|hosts| hosts.get(number - 1));
        host.map(|host| host.prefix.clone()).unwrap_or_default()
    }

    /// Where a node on a host listens.
    pub fn listen(&self, number: usize) -> String {
        match self.0 {
            Some(_) => format!("{NET}.{number}:7300"),
            None => format!("127.77.0.{number}:7300"),
        }
    }

    fn inside(&self, number: usize, command: &[&str]) -> Outcome {
        let prefix = self.prefix(number);
        let mut words = prefix.iter().map(String::as_str).chain(command.iter().copied());
        output(Command::new(words.next().unwrap_or_default()).args(words)).map(drop)
    }

    /// Pulls a host's cable, or plugs it in.
    pub fn cable(&self, number: usize, plugged: bool) -> Outcome {
        ip(&["link", "set", &port(number), if plugged { "up" } else { "down" }])
    }

    /// Hosts that are set apart do not reach each other, and do reach those that are not.
    pub fn apart(&self, number: usize, apart: bool) -> Outcome {
        let on = if apart { "on" } else { "off" };
        ip(&[
            "link",
            "set",
            &port(number),
            "type",
            "bridge_slave",
            "isolated",
            on,
        ])
    }

    /// Nothing that one host sends reaches another, or all does again; the other way is open.
    pub fn deaf(&self, from: usize, to: usize, deaf: bool) -> Outcome {
        let what = if deaf { "add" } else { "del" };
        self.inside(
            from,
            &["ip", "route", what, "blackhole", &format!("{NET}.{to}/32")],
        )
    }

    /// A file system of its own, in memory, for a node whose disk is to be filled.
    pub fn small_disk(&self, at: &Path) -> Outcome {
        fs::create_dir_all(at)?;
        output(
            Command::new("mount")
                .args(["-t", "tmpfs", "-o", "size=3g,mode=0700", "tmpfs"])
                .arg(at),
        )
        .map(drop)
    }
}

fn port(number: usize) -> String {
    format!("port{number}")
}

impl Drop for Lab {
    fn drop(&mut self) {
        for host in self.0.iter_mut().flatten() {
            // Gone already is fine; the network goes with the process that is in it.
            let _ = host.holder.kill();
            let _ = host.holder.wait();
        }
    }
}
