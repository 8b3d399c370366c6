//! The commands: each asks a node (or a directory) and prints what it answers.
//!
//! Never: touches a data directory's files itself; that is the node's, through its API. Those of `plan`, `guide` and `bench` need no
//! node.

mod bench;
mod bucket;
mod cat;
mod cluster;
mod config;
mod console;
mod cp;
mod disk;
mod doctor;
mod drill;
mod explain;
mod facts;
mod guide;
mod history;
mod ipfs;
mod key;
mod lock;
mod log;
mod ls;
mod path;
mod plan;
mod power;
mod progress;
mod rm;
mod shell;
mod status;
mod up;
mod upkeep;
mod versions;

use crate::args::{BenchCommand, Cli, Command, LogSubcommand};
use crate::failure::Failure;

/// Runs a command; answers the exit code.
pub async fn run(cli: Cli) -> Result<u8, Failure> {
    let global = &cli.global;
    match cli.command {
        Command::Up(args) => up::run(global, &args).await,
        Command::Status => status::run(global).await,
        Command::Bucket(command) => bucket::run(global, command).await,
        Command::Ls(args) => ls::run(global, &args).await,
        Command::Cp(args) => cp::run(global, &args).await,
        Command::Cat(args) => cat::run(global, &args).await,
        Command::Rm(args) => rm::run(global, &args).await,
        Command::Log(args) => match args.command {
            None => log::show(global, &args.show).await,
            Some(LogSubcommand::Verify(verify)) => log::verify(global, &verify).await,
            Some(LogSubcommand::Checkpoint { tenant }) => log::checkpoint(global, &tenant).await,
        },
        Command::History(args) => history::history(global, &args).await,
        Command::Why(args) => history::why(global, &args).await,
        Command::Key(command) => key::run(global, command).await,
        Command::Lock(command) => lock::run(global, command).await,
        Command::Ipfs(command) => ipfs::run(global, command).await,
        Command::Ticket => cluster::ticket(global).await,
        Command::Approve(args) => cluster::approve(global, &args).await,
        Command::Leave => cluster::leave(global).await,
        Command::Node(command) => cluster::node(global, command).await,
        Command::Cluster(command) => cluster::cluster(global, command).await,
        Command::Drill(args) => drill::run(global, &args).await,
        Command::Plan(command) => plan::run(global, command).await,
        Command::Scrub(args) => upkeep::scrub(global, &args).await,
        Command::Gc(args) => upkeep::collect(global, &args).await,
        Command::View(command) => upkeep::view(global, command).await,
        Command::Doctor => doctor::run(global).await,
        Command::Console => console::run(global).await,
        Command::Config(command) => config::run(global, command).await,
        Command::Disk(command) => disk::disk(global, command).await,
        Command::Power(command) => power::run(global, command).await,
        Command::Bench(BenchCommand::Host(args)) => bench::host(global, &args).await,
        Command::Guide(args) => guide::run(global, &args).await,
        Command::Explain(args) => explain::run(global, &args),
        Command::Completions(args) => shell::completions(&args),
        Command::Man(args) => shell::man(&args),
    }
}
