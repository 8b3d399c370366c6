//! Commands that start, examine and keep a node.

use clap::{Args, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// In place of a ticket: whichever cluster is found nearby.
pub const NEARBY: &str = "nearby";

/// `up`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Examples:
  stead up
  stead up --data /srv/stead --listen 0.0.0.0:7300
  stead up --listen 127.0.0.1:0 --json     for programs: one line when ready
  stead up --listen 10.0.0.2:7300 --join            join a cluster nearby
  stead up --listen 10.0.0.2:7300 --join stead1-…   join one by its ticket

The first start makes everything: the directory, the node's identity, the first
access key. Settings are in DIR/stead.toml, which need not exist. SIGTERM and
Ctrl-C let running requests end (a second Ctrl-C does not).")]
pub struct Up {
    /// Where S3 listens; port 0 picks a free one [default: 127.0.0.1:7300]
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: Option<SocketAddr>,
    /// Where the API listens [default: the port after S3's; a free one where S3's is picked]
    #[arg(long, value_name = "ADDR:PORT")]
    pub api_listen: Option<SocketAddr>,
    /// Where the web console listens [default: two ports after S3's; a free one where S3's is picked]
    #[arg(long, value_name = "ADDR:PORT")]
    pub web_listen: Option<SocketAddr>,
    /// Where IPFS is answered [default: three ports after S3's; a free one where S3's is picked]
    #[arg(long, value_name = "ADDR:PORT")]
    pub ipfs_listen: Option<SocketAddr>,
    /// Where other nodes reach this one, by UDP [default: five ports after S3's; a free one where S3's is picked]
    #[arg(long, value_name = "ADDR:PORT")]
    pub mesh_listen: Option<SocketAddr>,
    /// What people call this node, said when it begins or joins [default: the machine's name]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Join a cluster, once a member has approved the code shown here: that of a ticket (`stead ticket` there), or
    /// the one that is found nearby
    #[arg(long, value_name = "TICKET", num_args = 0..=1, default_missing_value = NEARBY)]
    pub join: Option<String>,
    /// Join as a witness: it votes, and holds no data
    #[arg(long, requires = "join")]
    pub witness: bool,
}

/// `approve`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stead approve 7QXKMA")]
pub struct Approve {
    /// The six letters that the waiting node shows
    pub code: String,
}

/// `node`
#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// List the nodes of the cluster, and who waits to be let in
    #[command(visible_alias = "ls", after_help = "Example:\n  stead node list")]
    List,
    /// Have a node give up its copies and its vote, and wait until others hold them
    #[command(after_help = "\
Examples:
  stead node drain shed             then `stead node remove shed`, or repair it
  stead node drain shed --undo      it takes its share again

Stopped early, it goes on without the command. A drained node still answers, and
reads what others hold.")]
    Drain {
        /// Its name, its key, or the beginning of its key
        node: String,
        /// Let it take its share again
        #[arg(long)]
        undo: bool,
        /// Do not wait
        #[arg(long, conflicts_with = "undo")]
        no_wait: bool,
    },
    /// Make a node no member any more; what it holds is held by the others
    #[command(visible_alias = "rm", after_help = "Example:\n  stead node remove 3f9a1c")]
    Remove {
        /// Its name, its key, or the beginning of its key
        node: String,
    },
}

/// `cluster`
#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// Say how many nodes may be lost now, and what bounds it
    #[command(after_help = "Example:\n  stead cluster can-lose")]
    CanLose,
    /// Stop every node of the cluster, cleanly
    #[command(after_help = "Example:\n  stead cluster stop")]
    Stop,
    /// Go on with this node alone, after the others are lost for good
    ///
    /// What the lost nodes had acknowledged and this one never saw is lost. It says first what that can be, and does
    /// nothing without --i-have-lost-quorum. The node has to be stopped, and does it when it is started again.
    #[command(after_help = "Example:\n  stead cluster recover --i-have-lost-quorum")]
    Recover {
        /// That the other nodes will not come back
        #[arg(long)]
        i_have_lost_quorum: bool,
    },
}

/// `key`
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make an access key; its secret is shown this once
    ///
    /// Keys of one name are one user's: they own the same buckets and objects. The user `root` is the
    /// administrator. A key without a scope may use what its user owns, and what others open to it; one with
    /// a scope may also what the scope says, unless (with --read-only alone) its user has a key without one.
    #[command(after_help = "\
Examples:
  stead key create backup
  stead key create viewer --read-only --bucket photos --bucket films")]
    Create {
        /// Who will use it
        name: String,
        /// Reading only
        #[arg(long)]
        read_only: bool,
        /// Only this bucket; may be given more than once
        #[arg(long, value_name = "BUCKET")]
        bucket: Vec<String>,
    },
    /// List access keys
    #[command(visible_alias = "ls", after_help = "Example:\n  stead key list")]
    List,
    /// Make an access key useless
    #[command(after_help = "Example:\n  stead key revoke STEADQ7LJ2M5K4T3XB6W")]
    Revoke {
        /// The access key
        access_key: String,
    },
}

/// `scrub`
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stead scrub --rate 50")]
pub struct Scrub {
    /// Read at most this many MiB a second [default: as fast as the disk]
    #[arg(long, value_name = "MIB")]
    pub rate: Option<u64>,
}

/// `gc`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead gc --dry-run
  stead gc --retention 7d --grace 1h")]
pub struct Gc {
    /// Only tell what would be freed
    #[arg(long)]
    pub dry_run: bool,
    /// Keep what was written within this time, reached or not: 90m, 12h, 2d [default: from stead.toml]
    #[arg(long, value_name = "DURATION")]
    pub grace: Option<String>,
    /// Keep overwritten and deleted states this long [default: from stead.toml]
    #[arg(long, value_name = "DURATION")]
    pub retention: Option<String>,
}

/// `view`
#[derive(Debug, Subcommand)]
pub enum ViewCommand {
    /// Delete every view and fold it again from the log; tells whether the result is what was there
    #[command(after_help = "Example:\n  stead view rebuild")]
    Rebuild,
}

/// `explain`
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stead explain STEAD-0101\n  stead explain 101        the same\n  stead explain            all codes"
)]
pub struct Explain {
    /// STEAD-nnnn, or its number alone
    pub code: Option<String>,
}

/// `completions`
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  stead completions bash > ~/.local/share/bash-completion/completions/stead"
)]
pub struct Completions {
    /// Which shell
    pub shell: clap_complete::Shell,
}

/// `man`
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  stead man | man -l -\n  stead man --dir /usr/local/share/man/man1")]
pub struct Man {
    /// Write a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}
