//! Commands on buckets and objects.

use clap::{Args, Subcommand};

/// `--at`
#[derive(Clone, Debug, Default, Args)]
pub struct AtArg {
    /// As of a moment (2026-11-20, '2026-11-20 09:00', RFC 3339, 90m, 3h, 2d ago) or a log position (1234)
    #[arg(long, value_name = "TIME|POSITION")]
    pub at: Option<String>,
}

/// `--version`
#[derive(Clone, Debug, Default, Args)]
pub struct VersionArg {
    /// A version by its id, as `ls --versions` and `history` show it
    #[arg(long, value_name = "VERSION", conflicts_with = "at")]
    pub version: Option<String>,
}

/// A number of copies, or as many as is usual.
#[derive(Clone, Copy, Debug)]
pub struct CopiesArg(pub Option<u8>);

impl std::str::FromStr for CopiesArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "usual" {
            return Ok(Self(None));
        }
        let copies = text.parse().ok().filter(|copies| (1..=5).contains(copies));
        copies
            .map(|copies| Self(Some(copies)))
            .ok_or_else(|| "give 1 to 5, or `usual`".into())
    }
}

/// `bucket`
#[derive(Debug, Subcommand)]
pub enum BucketCommand {
    /// Make a bucket
    #[command(after_help = "Example:\n  stead bucket create photos")]
    Create {
        /// 3 to 63 lower-case letters, digits, dots and hyphens
        name: String,
        /// Keep every version of every object
        #[arg(long)]
        versioned: bool,
    },
    /// List buckets
    #[command(visible_alias = "ls", after_help = "Example:\n  stead bucket list --json")]
    List,
    /// Change how a bucket is kept
    #[command(after_help = "\
Examples:
  stead bucket set photos --copies 5
  stead bucket set cache --copies 1
  stead bucket set photos --copies usual     3, where there are as many nodes
  stead bucket set films --erasure 4+2       any 4 of 6 nodes have all of it
  stead bucket set films --writes local      do not wait for other sites

With erasure coding, blocks of bytes are put into stripes with parity: 4+2 takes
half as much again as the data, and any two nodes may be lost. It needs as many
nodes as there are pieces. What is there already is changed in the background.")]
    Set {
        /// The bucket
        name: String,
        /// How many nodes have its blocks: 1 to 5, or `usual`. Made and given up in the background
        #[arg(long, value_name = "N", required_unless_present_any = ["erasure", "writes"])]
        copies: Option<CopiesArg>,
        /// Data and parity pieces in place of copies: 2 to 12, and 1 to 4
        #[arg(long, value_name = "K+M", conflicts_with = "copies")]
        erasure: Option<String>,
        /// When writers are answered: `majority` of copies, two nodes of the `local` site, or `across-sites`
        #[arg(long, value_name = "HOW", value_parser = ["majority", "local", "across-sites"])]
        writes: Option<String>,
    },
    /// Delete an empty bucket
    #[command(visible_alias = "rm", after_help = "Example:\n  stead bucket delete photos")]
    Delete {
        /// The bucket
        name: String,
    },
}

/// `ls`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead ls                          buckets
  stead ls photos/                  the top of a bucket
  stead ls -r photos/2026/          everything below
  stead ls --versions photos/a.jpg  every version of it, delete markers too
  stead ls photos/ --at 2d          as it was two days ago")]
pub struct Ls {
    /// BUCKET or BUCKET/PREFIX
    pub path: Option<String>,
    /// Everything below, not only this level
    #[arg(short, long)]
    pub recursive: bool,
    /// Every version with its id, and delete markers
    #[arg(long, requires = "path", conflicts_with = "at")]
    pub versions: bool,
    #[command(flatten)]
    pub at: AtArg,
}

/// `cp`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead cp cat.jpg photos/cat.jpg          store a file
  stead cp cat.jpg photos/2026/            keep its name
  stead cp photos/cat.jpg .                fetch it
  stead cp photos/cat.jpg stead:archive/   copy inside Stead; no byte moves
  stead cp -r Pictures photos/2026         a folder
  tar c src | stead cp - backups/src.tar   from standard input
  stead cp --at 3h photos/cat.jpg old.jpg  as it was three hours ago
  stead cp --version ID photos/cat.jpg .   one version of it

Which side is which: `stead:BUCKET/KEY` is always Stead; `/…`, `./…`, `../…`,
`.` and `-` are always files. Otherwise a source that exists as a file is that
file, and the other side is the other: from a file the target is in Stead, from
Stead it is a file. So a copy inside Stead needs `stead:` before its target.

A large upload that was interrupted goes on where it stopped when the same
command is given again; so does a download (into FILE.part until it is whole).")]
pub struct Cp {
    /// What to copy
    pub source: String,
    /// Where to
    pub target: String,
    /// Folders with all that is below them
    #[arg(short, long)]
    pub recursive: bool,
    /// No progress bar
    #[arg(short, long)]
    pub quiet: bool,
    /// Do not resume: begin again
    #[arg(long)]
    pub restart: bool,
    #[command(flatten)]
    pub at: AtArg,
    #[command(flatten)]
    pub version: VersionArg,
}

/// `cat`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead cat notes/todo.txt
  stead cat --at 1842 notes/todo.txt       as it was at position 1842 of the log
  stead cat --version ID notes/todo.txt    one version of it")]
pub struct Cat {
    /// BUCKET/KEY
    #[arg(required = true)]
    pub paths: Vec<String>,
    #[command(flatten)]
    pub at: AtArg,
    #[command(flatten)]
    pub version: VersionArg,
}

/// `rm`
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stead rm photos/cat.jpg
  stead rm -r photos/2026/                 everything below
  stead rm --version ID photos/cat.jpg     one version, or a delete marker
  stead rm -r --versions photos/           all of it, with every version

What was deleted stays readable with --at until its retention has passed.")]
pub struct Rm {
    /// BUCKET/KEY, or with -r BUCKET/PREFIX
    #[arg(required = true)]
    pub paths: Vec<String>,
    /// Everything below the prefix
    #[arg(short, long)]
    pub recursive: bool,
    /// One version only, for good
    #[arg(long, value_name = "VERSION", conflicts_with = "recursive")]
    pub version: Option<String>,
    /// With -r: every version and delete marker too, for good
    #[arg(long, requires = "recursive")]
    pub versions: bool,
    /// It is well where there is nothing to delete
    #[arg(short, long)]
    pub force: bool,
}
