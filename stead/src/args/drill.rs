//! Arguments of `drill`.

use clap::Args;

/// `drill`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead drill node-2                       30 seconds without node-2
  stead drill \"switch attic\" --seconds 60
  stead drill \"circuit kitchen\" --dry-run  only the forecast
  stead drill --stop                       end one that another terminal began

Only what is forecast to be safe is tried. The nodes concerned neither answer
the others nor ask them for that time, as if their cables were pulled, and
then go on by themselves; Ctrl-C ends it at once. Meanwhile small objects are
written to a bucket of the drill's own and read back, by this node.

Exit codes: 0 what happened is what was forecast, 1 it is not, or it was not
tried.")]
pub struct Drill {
    /// What is to be as if it failed, as `stead cluster can-lose` names it
    #[arg(value_name = "WHAT", required_unless_present = "stop")]
    pub what: Option<String>,
    /// How long, 5 to 600
    #[arg(long, default_value_t = 30)]
    pub seconds: u32,
    /// Only say what is forecast
    #[arg(long)]
    pub dry_run: bool,
    /// End every drill
    #[arg(long, conflicts_with = "what")]
    pub stop: bool,
}
