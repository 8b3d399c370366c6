//! `ipfs`: what is public, and CAR files.

use clap::Subcommand;

/// `ipfs`
#[derive(Debug, Subcommand)]
pub enum IpfsCommand {
    /// Let everybody who knows its CID fetch a bucket, or what is below a prefix of it
    #[command(after_help = "\
Examples:
  stead ipfs publish photos
  stead ipfs publish photos/2026/")]
    Publish {
        /// BUCKET or BUCKET/PREFIX
        path: String,
    },
    /// Take that back
    #[command(after_help = "Example:\n  stead ipfs unpublish photos/2026/")]
    Unpublish {
        /// BUCKET or BUCKET/PREFIX, as it was published
        path: String,
    },
    /// List what is public: its root, its IPNS name, how far behind it is
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  stead ipfs ls\n  stead ipfs ls --json | jq -r '.published[].cid'"
    )]
    Ls,
}
