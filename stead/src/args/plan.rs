//! Commands that plan a lab from its inventory file.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// `plan`
#[derive(Debug, Subcommand)]
pub enum PlanCommand {
    /// Write a commented inventory to begin with, with this machine in it
    Init(PlanInit),
    /// Say what a lab takes, costs and holds, and whether it is within its limits
    Check(PlanCheck),
    /// Say what each failure does to data and service, and what helps
    Lose(PlanLose),
    /// Say what a few failures do together, in your words
    WhatIf(PlanWhatIf),
    /// Propose labs that hold and bear what you ask for
    Design(PlanDesign),
    /// Draw a lab's racks, its power or its network as SVG
    Draw(PlanDraw),
    /// Make a page to print: pictures, bill of materials, runbook, labels
    Report(PlanReport),
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

/// `plan lose`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead plan lose lab.toml
  stead plan lose lab.toml --double        every pair of failures, too
  stead plan lose --json | jq '.fixes[0]'

Exit codes: 0 everything goes on whichever one thing fails, 1 it does not,
2 the file is wrong.")]
pub struct PlanLose {
    /// The inventory
    #[arg(value_name = "FILE", default_value = "lab.toml")]
    pub file: PathBuf,
    /// Every pair of failures as well
    #[arg(long)]
    pub double: bool,
}

/// `plan what-if`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead plan what-if lab.toml \"unplug switch-1\"
  stead plan what-if lab.toml \"node-2 and disk-1 of node-3 die\"
  stead plan what-if lab.toml \"power goes out at home\"
  stead plan what-if lab.toml \"pull the cable between node-1 and switch-1\"
  stead plan what-if lab.toml \"the battery of ups-1 is dead\"
  stead plan what-if --live \"switch-1 fails\"
  stead plan what-if --live lab.toml \"the breaker of kitchen trips\"

With --live it is the cluster as it is now: who is away, who votes, what has
its copies. Without a file it has the switches, breakers, racks and sites that
[node] in stead.toml names; with one, what is in the file.

Names that have spaces may stand in quotes. How the words were understood is
the first line of the answer.

Exit codes: 0 everything goes on, 1 it does not, 2 the file is wrong or the
words are not understood.")]
pub struct PlanWhatIf {
    /// The inventory, which --live does without; then what fails
    #[arg(value_name = "FILE WORDS", required = true, num_args = 1..)]
    pub parts: Vec<PathBuf>,
    /// The running cluster, as it is now
    #[arg(long)]
    pub live: bool,
}

impl PlanWhatIf {
    /// The inventory, if one is named, and the words.
    pub fn parts(&self) -> (Option<&PathBuf>, Vec<String>) {
        let words = |parts: &[PathBuf]| parts.iter().map(|part| part.display().to_string()).collect();
        match self.parts.as_slice() {
            [first, rest @ ..] if !self.live || first.extension().is_some_and(|it| it == "toml") => {
                (Some(first), words(rest))
            }
            all => (None, words(all)),
        }
    }
}

/// `plan design`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead plan design --usable 8TB --budget 900 --watts 60 \\
      --survive node,disk,switch
  stead plan design --usable 2TB --survive node,power --write designs

Kinds: node, disk, switch, cable, card, supply, outlet, circuit, power.

Prices are in US dollars. Machines are those of the catalogue of which price
and watts are known; --parts adds yours.

Exit codes: 0 there are designs, 1 there is none, 2 a wish is not understood.")]
pub struct PlanDesign {
    /// Room for data with all copies, such as 8TB or 500GB
    #[arg(long, value_name = "SIZE")]
    pub usable: String,
    /// What it may cost, in US dollars
    #[arg(long, value_name = "USD")]
    pub budget: Option<f64>,
    /// What it may take with all to do
    #[arg(long, value_name = "WATTS")]
    pub watts: Option<f64>,
    /// Of what any one may fail: node,disk,switch,circuit,power,…
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    pub survive: Vec<String>,
    /// A file with [[part]] tables of yours
    #[arg(long, value_name = "FILE")]
    pub parts: Option<PathBuf>,
    /// Write the inventory of each design into this directory
    #[arg(long, value_name = "DIR")]
    pub write: Option<PathBuf>,
}

/// What is drawn.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PlanPicture {
    /// Racks and shelves, to scale
    Rack,
    /// From the breakers to the devices, with watts
    Power,
    /// Switches, machines and cables
    Network,
}

/// In which colours.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum PlanTheme {
    /// As whoever looks at it prefers
    Auto,
    /// Dark on light
    Light,
    /// Light on dark
    Dark,
}

/// `plan draw`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead plan draw lab.toml -o rack.svg
  stead plan draw lab.toml --rear -o rear.svg
  stead plan draw lab.toml --what power -o power.svg
  stead plan draw lab.toml --what network --theme dark > network.svg

What is behind one breaker has one colour, and a letter beside it.")]
pub struct PlanDraw {
    /// The inventory; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// What to draw
    #[arg(long, value_enum, default_value_t = PlanPicture::Rack)]
    pub what: PlanPicture,
    /// Racks from behind: plugs and cables
    #[arg(long)]
    pub rear: bool,
    /// The colours
    #[arg(long, value_enum, default_value_t = PlanTheme::Auto)]
    pub theme: PlanTheme,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `plan report`
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  stead plan report lab.toml -o lab.html

One HTML page without scripts and without anything from elsewhere; print it.")]
pub struct PlanReport {
    /// The inventory; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Where to write it [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
