//! Arguments of `config`.

use clap::{Args, Subcommand};
use std::path::PathBuf;

/// `config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting of this node, and where its value is from
    #[command(after_help = "\
Examples:
  stead config show
  stead config show gc                     settings that begin so
  stead config show --document > shared.toml
  stead config show --revision 3

A node's own stead.toml wins over what all nodes share.")]
    Show(ConfigShow),
    /// Change the shared document in an editor
    #[command(after_help = "\
Example:
  EDITOR=nano stead config edit

A document that is refused is opened again, with the reason in its first lines;
save it unchanged to give up.")]
    Edit(ConfigMessage),
    /// Share the settings of a file
    #[command(after_help = "\
Examples:
  stead config apply shared.toml --message \"a week is enough\"
  stead config apply - --dry-run < shared.toml")]
    Apply(ConfigApply),
    /// Share one setting
    #[command(after_help = "\
Examples:
  stead config set gc.retention_days 7
  stead config set s3.domains '[\"s3.example.org\"]'")]
    Set(ConfigSet),
    /// Share one setting no more: its default counts, or each node's own
    #[command(after_help = "Example:\n  stead config unset gc.retention_days")]
    Unset(ConfigUnset),
    /// Show what differs between two documents
    #[command(after_help = "\
Examples:
  stead config diff shared.toml            what applying it would change
  stead config diff 3                      since revision 3
  stead config diff 3 5

Exit codes: 0 nothing differs, 1 something does.")]
    Diff(ConfigDiff),
    /// List every document that there was
    #[command(after_help = "Example:\n  stead config history")]
    History,
    /// Share the document of an earlier revision again
    #[command(after_help = "Example:\n  stead config rollback 3")]
    Rollback(ConfigRollback),
}

/// `config show`
#[derive(Debug, Args)]
pub struct ConfigShow {
    /// Only settings whose names begin so
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Only the shared document
    #[arg(long)]
    pub document: bool,
    /// The shared document of this revision
    #[arg(long, value_name = "N")]
    pub revision: Option<u64>,
}

/// `config edit`, and what else has a message
#[derive(Debug, Args)]
pub struct ConfigMessage {
    /// Why, for the history
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
}

/// `config apply`
#[derive(Debug, Args)]
pub struct ConfigApply {
    /// The document, TOML; - for standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Only say what would change
    #[arg(long)]
    pub dry_run: bool,
    /// Only where this revision still counts
    #[arg(long, value_name = "N")]
    pub over: Option<u64>,
    /// Why, for the history
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
}

/// `config set`
#[derive(Debug, Args)]
pub struct ConfigSet {
    /// The setting's whole name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Its value, as TOML has it; a text may do without quotes
    #[arg(value_name = "VALUE")]
    pub value: String,
    /// Why, for the history
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
}

/// `config unset`
#[derive(Debug, Args)]
pub struct ConfigUnset {
    /// The setting's whole name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Why, for the history
    #[arg(short, long, value_name = "TEXT", default_value = "")]
    pub message: String,
}

/// `config diff`
#[derive(Debug, Args)]
pub struct ConfigDiff {
    /// A file, or the number of a revision
    #[arg(value_name = "FILE|N")]
    pub from: String,
    /// The revision to compare with [default: the one that counts]
    #[arg(value_name = "N")]
    pub to: Option<u64>,
}

/// `config rollback`
#[derive(Debug, Args)]
pub struct ConfigRollback {
    /// The revision
    #[arg(value_name = "N")]
    pub revision: u64,
}
