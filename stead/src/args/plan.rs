//! Commands that plan a lab from its inventory file.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `plan`
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Write a commented inventory to begin with, with this machine in it
    Init(PlanInit),
    /// Say what a lab takes, costs and holds, and whether it is within its limits
    Check(PlanCheck),
    /// Make an inventory from what another program knows
    #[command(
        subcommand,
        after_help = "Example:\n  stead plan import netbox netbox.json > lab.toml"
    )]
    Import(PlanImport),
    /// Write an inventory for another program
    #[command(
        subcommand,
        after_help = "Example:\n  stead plan export netbox lab.toml > netbox.json"
    )]
    Export(PlanExport),
}

/// `plan init`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead plan init                          write lab.toml here
  stead plan init attic.toml
  stead plan init - | less                 only look at it

Nothing is asked. What this machine says of itself (its model, memory, cores,
disks and network cards) is filled in; the rest is an example to change.")]
pub struct PlanInit {
    /// The file to write; - for standard output
    #[arg(value_name = "FILE", default_value = "lab.toml")]
    pub file: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    pub force: bool,
}

/// `plan check`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead plan check lab.toml
  stead plan check lab.toml --json | jq '.circuits[].continuous_w'

Exit codes: 0 within all limits, 1 not or not for certain, 2 the file is wrong.")]
pub struct PlanCheck {
    /// The inventory
    #[arg(value_name = "FILE", default_value = "lab.toml")]
    pub file: PathBuf,
}

/// `plan import`
#[derive(Debug, Subcommand)]
pub enum PlanImport {
    /// From NetBox: what its REST API answers, one list or several in an object
    #[command(after_help = "\
Example:
  stead plan import netbox netbox.json > lab.toml

FILE has what NetBox's REST API answers: an object with one list for each of
\"sites\", \"racks\", \"power_feeds\", \"devices\", \"power_ports\", \"cables\" and so
on, each as GET /api/dcim/… gave it.")]
    Netbox(PlanFile),
}

/// `plan export`
#[derive(Debug, Subcommand)]
pub enum PlanExport {
    /// For NetBox: lists of the shape that its REST API takes and gives
    #[command(after_help = "Example:\n  stead plan export netbox lab.toml > netbox.json")]
    Netbox(PlanFile),
}

/// A file to read.
#[derive(Debug, Args)]
pub struct PlanFile {
    /// The file to read
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}
