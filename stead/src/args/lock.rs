//! `lock`: named locks for programs.

use clap::{Args, Subcommand};

/// `lock`
#[derive(Debug, Subcommand)]
pub enum LockCommand {
    /// Run a command while holding a lock
    Run(LockRun),
    /// List the locks that are held
    #[command(visible_alias = "ls", after_help = "Example:\n  stead lock list")]
    List,
    /// Show who holds a lock; exit code 1 where nobody does
    #[command(after_help = "Example:\n  stead lock show backup")]
    Show {
        /// The lock's name
        name: String,
    },
    /// Acquire a lock and print its token; it is lost unless renewed in time
    #[command(after_help = "\
Example:
  token=$(stead lock acquire backup --ttl 60)
  stead lock renew backup $token
  stead lock release backup $token")]
    Acquire {
        /// The lock's name
        name: String,
        #[command(flatten)]
        how: LockHow,
    },
    /// Say that a lock's holder is alive: its lease begins anew
    #[command(after_help = "Example:\n  stead lock renew backup 4711")]
    Renew {
        /// The lock's name
        name: String,
        /// The token that it was acquired with
        token: u64,
    },
    /// Give a lock up
    #[command(after_help = "Example:\n  stead lock release backup 4711")]
    Release {
        /// The lock's name
        name: String,
        /// The token that it was acquired with
        token: u64,
    },
    /// Take a lock away from whoever holds it
    #[command(after_help = "\
Example:
  stead lock break backup

Its holder hears of it with its next sign of life, and goes on until then: make
sure that it has stopped. Writes that carry its token are refused at once.")]
    Break {
        /// The lock's name
        name: String,
    },
}

/// How a lock is asked for.
#[derive(Clone, Debug, Args)]
pub struct LockHow {
    /// How long the lock is held without a sign of life, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub ttl: u64,
    /// Wait at most so long where somebody else holds it [default: as long as it takes]
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_wait")]
    pub wait: Option<u64>,
    /// Do not wait
    #[arg(short, long)]
    pub no_wait: bool,
    /// The holder in words for people [default: host and process]
    #[arg(long, value_name = "TEXT")]
    pub owner: Option<String>,
}

/// `lock run`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead lock run backup -- restic backup /home
  stead lock run --no-wait nightly -- ./nightly.sh
  stead lock run --wait 60 --ttl 30 deploy -- make deploy

The command finds STEAD_LOCK_NAME and STEAD_LOCK_TOKEN in its environment; a
write with the header `x-stead-lock: NAME=TOKEN` is refused once the lock is
lost. The lease is renewed while the command runs. If that fails until the lease
is about to run out, the command is asked to end (SIGTERM), and killed before
somebody else can have the lock.

The exit code is the command's, 128 and the signal where one ended it, or 1
where the lock was not had or was lost.")]
pub struct LockRun {
    /// The lock's name
    pub name: String,
    #[command(flatten)]
    pub how: LockHow,
    /// The command and what it is given
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}
