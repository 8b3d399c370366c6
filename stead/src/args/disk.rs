//! Arguments of `disk`.

use clap::Subcommand;

/// `disk`
#[derive(Debug, Subcommand)]
pub enum DiskCommand {
    /// List the directories that blocks are kept in
    #[command(after_help = "\
Examples:
  stead disk list
  stead disk list --json | jq -r '.[] | select(.state == \"away\").path'

More are named in stead.toml, one on each disk:
  [storage]
  blocks = [\"/mnt/disk1\", \"/mnt/disk2\"]")]
    List,
    /// Move all blocks out of one, so that its disk can be taken away
    #[command(after_help = "\
Example:
  stead disk empty /mnt/disk2

The node goes on meanwhile. Afterwards take the directory out of
storage.blocks; the node misses nothing when it starts without it.")]
    Empty {
        /// The directory, as `stead disk list` names it
        path: String,
    },
}
