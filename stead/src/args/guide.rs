//! Commands that teach.

use clap::Args;

/// `guide`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead guide                      what guides there are
  stead guide first-node
  stead guide outage               by symptom, with what the cluster says now
  stead guide --search battery
  stead guide --recommendations    machines and parts, with figures and sources

Guides are in the binary: they need no node and no network. Commands that stand
in them were run by a test when this release was built, where they say so.

Exit codes: 0 shown, 2 there is no such guide.")]
pub struct Guide {
    /// Which; all are listed where none is named
    pub name: Option<String>,
    /// List the guides with these words in them
    #[arg(long, value_name = "WORDS", conflicts_with_all = ["name", "markdown"])]
    pub search: Option<String>,
    /// List machines, parts and programs that are recommended, each with its source
    #[arg(long, conflicts_with_all = ["name", "search", "markdown"])]
    pub recommendations: bool,
    /// Print the guide as it was written
    #[arg(long, requires = "name")]
    pub markdown: bool,
}
