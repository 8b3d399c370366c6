//! Commands that measure.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `bench`
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Measure what this machine can: hashing, disk, network, watts
    Host(BenchHost),
}

/// `bench host`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead bench host
  stead bench host --write attic.toml      a showcase that others can compare
  stead bench host --compare docs/showcases
  stead bench host --dir /mnt/new --quick
  stead bench host --peer http://10.0.0.2:7300

It takes about ten seconds, and a file of up to 256 MiB that has no name and is
gone when it ends. For figures that mean something, stop what else the machine
does. Watts are what the machine says itself (RAPL, as root, or its sensors);
what cannot be read stays unknown.")]
pub struct BenchHost {
    /// Where the disk is measured [default: the data directory, or here where there is none]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Shorter runs, and a file of 64 MiB: about three seconds, and wider spreads
    #[arg(long)]
    pub quick: bool,
    /// What to call this machine [default: its name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Write the showcase into a new file
    #[arg(long, value_name = "FILE")]
    pub write: Option<PathBuf>,
    /// Compare with a showcase, or with all in a directory
    #[arg(long, value_name = "FILE|DIR")]
    pub compare: Option<PathBuf>,
    /// Another node: how long until it answers
    #[arg(long, value_name = "URL")]
    pub peer: Option<String>,
}
