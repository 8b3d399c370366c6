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
    /// Fetch a CID from other gateways, check every block, and store what it is
    #[command(after_help = "\
Examples:
  stead ipfs pin bafybeic… --from http://127.0.0.1:8080 films/trailer.mp4
  stead ipfs pin bafybeic… --from http://a:8080 --from http://b:8080 site/
  stead ipfs pin bafybeic… --from /ip4/192.0.2.7/tcp/4001/p2p/12D3KooW… site/")]
    Pin {
        /// What to fetch
        cid: String,
        /// Where it goes: a file's key, or what a directory's keys begin with
        path: String,
        /// A trustless gateway, or with ipfs.bitswap a peer's multiaddress; more than one are asked in turn.
        /// Without any, the peers of ipfs.bitswap_peers
        #[arg(long, value_name = "URL|MULTIADDR")]
        from: Vec<String>,
    },
    /// Let go of a DAG that was pinned or imported; its objects stay
    #[command(after_help = "Example:\n  stead ipfs unpin bafybeic… films/trailer.mp4")]
    Unpin {
        /// Its root
        cid: String,
        /// BUCKET/KEY, as it was stored
        path: String,
    },
    /// Write a CAR file of an object, of what is published, or of a CID
    #[command(after_help = "\
Examples:
  stead ipfs export photos/cat.jpg cat.car
  stead ipfs export bafybeic… - | ipfs dag import")]
    Export {
        /// BUCKET/KEY, BUCKET/PREFIX/ that is published, or a CID
        what: String,
        /// The file; - is standard output
        file: std::path::PathBuf,
    },
    /// Read a CAR file (version 1 or 2), check every block, and store what it is
    #[command(after_help = "\
Examples:
  stead ipfs import site.car site/
  stead ipfs import --partial some.car site/")]
    Import {
        /// The file
        file: std::path::PathBuf,
        /// Where it goes: a file's key, or what a directory's keys begin with
        path: String,
        /// Keep what is there of a DAG that is not whole; no objects are made of it
        #[arg(long)]
        partial: bool,
    },
    /// List what is public: its root, its IPNS name, how far behind it is
    #[command(
        visible_alias = "list",
        after_help = "Examples:\n  stead ipfs ls\n  stead ipfs ls --json | jq -r '.published[].cid'"
    )]
    Ls,
}
