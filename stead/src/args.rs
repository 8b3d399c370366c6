//! The command line: every command, its options, its help and examples.
//!
//! Owns: what may be typed. Never: does any of it; that is `commands`.

mod bench;
mod config;
mod data;
mod disk;
mod drill;
mod guide;
mod ipfs;
mod lock;
mod log;
mod plan;
mod power;
mod upkeep;

pub use bench::{BenchCommand, BenchHost};
pub use config::{ConfigApply, ConfigCommand, ConfigDiff, ConfigSet, ConfigShow};
pub use data::{AtArg, BucketCommand, Cat, Cp, Ls, Rm};
pub use disk::DiskCommand;
pub use drill::Drill;
pub use guide::Guide;
pub use ipfs::IpfsCommand;
pub use lock::{LockCommand, LockHow, LockRun};
pub use log::{History, LogCommand, LogShow, LogSubcommand, LogVerify, Why};
pub use plan::{
    PlanCheck, PlanCommand, PlanDesign, PlanDraw, PlanExport, PlanImport, PlanInit, PlanLose, PlanPicture,
    PlanReport, PlanTheme, PlanWhatIf,
};
pub use power::{PowerCommand, PowerRead};
pub use upkeep::{
    Approve, ClusterCommand, Completions, Explain, Gc, KeyCommand, Man, NEARBY, NodeCommand, Scrub, Up,
    ViewCommand,
};

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

const AFTER: &str = "\
Examples:
  stead up                                 start a node here; Ctrl-C ends it
  stead bucket create photos
  stead cp -r Pictures photos/2026         store a folder
  stead ls photos/2026/
  stead history photos/2026/cat.jpg        what happened to it
  stead cat --at '2026-11-20 09:00' photos/notes.txt

A command finds its node by --data DIR or STEAD_DATA (the running node's socket
is in that directory), or by --server URL with an access key. Where no node
runs, commands that only read work on the directory.

Exit codes: 0 done, 1 failed, 2 not understood.";

/// A datacenter of your own in one binary: S3 storage that remembers how everything got there.
#[derive(Debug, Parser)]
#[command(name = "stead", version, after_help = AFTER, max_term_width = 110, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Common options")]
pub struct Global {
    /// The data directory [default: $XDG_DATA_HOME/stead, or /var/lib/stead for root]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "STEAD_DATA",
        hide_env_values = true
    )]
    pub data: Option<PathBuf>,
    /// A node's API, instead of a data directory: http://HOST:PORT
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "STEAD_SERVER",
        hide_env_values = true
    )]
    pub server: Option<String>,
    /// Access key for --server
    #[arg(
        long,
        global = true,
        value_name = "KEY",
        env = "STEAD_ACCESS_KEY",
        hide_env_values = true
    )]
    pub access_key: Option<String>,
    /// Its secret; better given in the environment, where other users do not see it
    #[arg(
        long,
        global = true,
        value_name = "SECRET",
        env = "STEAD_SECRET_KEY",
        hide_env_values = true
    )]
    pub secret_key: Option<Secret>,
    /// Print JSON for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// What to log on standard error, as in RUST_LOG: info, debug, stead_cluster=trace, …
    #[arg(long = "log", global = true, value_name = "FILTER", id = "log_filter")]
    pub log: Option<String>,
}

/// A text that is never shown.
#[derive(Clone)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(secret)")
    }
}

impl std::str::FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start a node: one process, one directory
    Up(Up),
    /// Show how the node is
    #[command(after_help = "Examples:\n  stead status\n  stead status --json | jq .free_bytes")]
    Status,
    /// Make, list and delete buckets
    #[command(
        subcommand,
        after_help = "Examples:\n  stead bucket create photos --versioned\n  stead bucket list"
    )]
    Bucket(BucketCommand),
    /// List buckets, or what is in one
    Ls(Ls),
    /// Copy files to, from and within Stead
    Cp(Cp),
    /// Write an object to standard output
    Cat(Cat),
    /// Delete objects
    Rm(Rm),
    /// Show the log of everything that happened; verify it; sign a checkpoint
    Log(LogCommand),
    /// Show all that happened to an object
    History(History),
    /// Explain how an object came to be, with the proof
    Why(Why),
    /// Make, list and revoke access keys
    #[command(
        subcommand,
        after_help = "Examples:\n  stead key create backup\n  stead key list"
    )]
    Key(KeyCommand),
    /// Locks for programs, held by a lease
    #[command(
        subcommand,
        after_help = "Examples:\n  stead lock run backup -- restic backup /home\n  stead lock list"
    )]
    Lock(LockCommand),
    /// Make buckets public to IPFS and back
    #[command(
        subcommand,
        after_help = "Examples:\n  stead ipfs publish photos\n  stead ipfs ls"
    )]
    Ipfs(IpfsCommand),
    /// Print a ticket, with which another machine joins this cluster
    #[command(
        after_help = "Example:\n  stead ticket\n\nThe ticket lets nobody in by itself: the new node shows a code, which `stead\napprove CODE` lets in."
    )]
    Ticket,
    /// Let the node in that shows this code
    Approve(Approve),
    /// Make this node no member of its cluster any more; the others have what it holds
    #[command(after_help = "Example:\n  stead leave")]
    Leave,
    /// List and remove the nodes of the cluster
    #[command(
        subcommand,
        after_help = "Examples:\n  stead node list\n  stead node remove 3f9a1c"
    )]
    Node(NodeCommand),
    /// Ask about the cluster as a whole
    #[command(subcommand, after_help = "Example:\n  stead cluster can-lose")]
    Cluster(ClusterCommand),
    /// Try what is forecast to be safe: a node, a switch, a breaker fails for a while
    Drill(Drill),
    /// Plan a lab: what it takes, costs and holds, from one inventory file
    #[command(
        subcommand,
        after_help = "Examples:\n  stead plan init\n  stead plan check lab.toml"
    )]
    Plan(PlanCommand),
    /// Read every block back and compare it with its hash
    Scrub(Scrub),
    /// Free the blocks that nothing reaches any more
    Gc(Gc),
    /// Settings that all nodes share
    #[command(
        subcommand,
        after_help = "Examples:\n  stead config show\n  stead config set gc.retention_days 7"
    )]
    Config(ConfigCommand),
    /// The disks that a node keeps blocks on
    #[command(
        subcommand,
        after_help = "Examples:\n  stead disk list\n  stead disk empty /mnt/disk2"
    )]
    Disk(DiskCommand),
    /// Work on views
    #[command(subcommand, after_help = "Example:\n  stead view rebuild")]
    View(ViewCommand),
    /// Examine the directory, the disk, the clock, the log, the views
    #[command(after_help = "Examples:\n  stead doctor\n  stead doctor --data /srv/stead --json")]
    Doctor,
    /// Print a link that opens the web console, signed in
    #[command(
        after_help = "Examples:\n  stead console\n  xdg-open \"$(stead console --json | jq -r .url)\"\n\nThe link works once, within ten minutes, for whoever has it."
    )]
    Console,
    /// Read meters and UPSes
    #[command(
        subcommand,
        after_help = "Examples:\n  stead power read --nut 10.0.0.4\n  stead power read --rapl --json"
    )]
    Power(PowerCommand),
    /// Measure this machine
    #[command(
        subcommand,
        after_help = "Examples:\n  stead bench host\n  stead bench host --compare docs/showcases"
    )]
    Bench(BenchCommand),
    /// Show guides: what to do, step by step, and in an outage
    Guide(Guide),
    /// Explain an error code
    Explain(Explain),
    /// Print shell completions
    Completions(Completions),
    /// Print the manual page
    Man(Man),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    /// Every command with a text of its own below its options.
    fn walk(command: &clap::Command, check: &mut dyn FnMut(&clap::Command)) {
        check(command);
        for below in command.get_subcommands() {
            walk(below, check);
        }
    }

    #[test]
    fn every_command_has_an_example_that_fits_a_terminal() {
        walk(&Cli::command(), &mut |command| {
            let name = command.get_name();
            let text = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            assert!(text.starts_with("Example"), "{name}: {text:?}");
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{name}: {line}");
            }
        });
    }

    #[test]
    fn codes_in_examples_exist() {
        walk(&Cli::command(), &mut |command| {
            let text = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            for code in text.split_whitespace().filter(|word| word.starts_with("STEAD-")) {
                assert!(crate::codes::find(code).is_some(), "{code}");
            }
        });
    }
}
