//! Commands on the log and on where things came from.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `log`
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  stead log                                the last events
  stead log --from 1 --json | jq .kind     every event, as it is stored
  stead log --follow --stream bucket/photos
  stead log verify
  stead log checkpoint > /usb/stead.checkpoint
  stead log verify --against /usb/stead.checkpoint"
)]
pub struct LogCommand {
    #[command(subcommand)]
    pub command: Option<LogSubcommand>,
    #[command(flatten)]
    pub show: LogShow,
}

/// Under `log`.
#[derive(Debug, Subcommand)]
pub enum LogSubcommand {
    /// Check the whole chain; name any line that was changed, is missing, out of order or cut off
    Verify(LogVerify),
    /// Sign where the log ends now; kept elsewhere, it proves later that history was not rewritten
    #[command(after_help = "Example:\n  stead log checkpoint > /usb/stead.checkpoint")]
    Checkpoint {
        /// Whose log
        #[arg(long, default_value = "main")]
        tenant: String,
    },
}

/// `log` itself.
#[derive(Debug, Args)]
pub struct LogShow {
    /// Go on with new events as they happen
    #[arg(short, long)]
    pub follow: bool,
    /// From this position on [default: the last 20 events]
    #[arg(long, value_name = "POSITION")]
    pub from: Option<u64>,
    /// Only events of this stream: bucket/NAME, key/ACCESSKEY, …
    #[arg(long)]
    pub stream: Option<String>,
    /// Whose log
    #[arg(long, default_value = "main")]
    pub tenant: String,
}

/// `log verify`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  stead log verify\n  stead log verify --against /usb/stead.checkpoint")]
pub struct LogVerify {
    /// A signed checkpoint that the log must still contain
    #[arg(long, value_name = "FILE")]
    pub against: Option<PathBuf>,
    /// Only this tenant's log [default: all of them]
    #[arg(long)]
    pub tenant: Option<String>,
}

/// `history`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stead history photos/cat.jpg")]
pub struct History {
    /// BUCKET or BUCKET/KEY
    pub path: String,
    /// Read the whole log, also for states whose retention has passed, tags and given-up uploads
    #[arg(long)]
    pub full: bool,
}

/// `why`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead why photos/cat.jpg
  stead why bafkreifjjcie6lypi6ny7amxnfftagclbuxndqonfipmb64f2km2devei4")]
pub struct Why {
    /// BUCKET/KEY, or a CID
    pub what: String,
    #[command(flatten)]
    pub at: super::AtArg,
}
