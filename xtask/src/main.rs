//! `cargo xtask`: everything that is done to Stead rather than by it.
//!
//! Owns: the whole test run (`test`), the rules of the tree (`tidy`), the tests that need a real process to
//! be killed, starved or fed damaged files (`crash`, `torture`), the measurements (`bench`), `fuzz`.
//! Promises: what is not run is said and counted as failed, never skipped in silence; only processes that it
//! started itself are ended.
//! Never: is linked into Stead. It speaks to the binary as any client does, so it depends on no room.
#![allow(clippy::disallowed_methods)] // real time, threads and randomness are what is being tested against

mod args;
mod bench;
mod chaos;
mod client;
mod content;
mod crash;
mod fuzz;
mod http;
mod paths;
mod powercut;
mod process;
mod server;
mod sign;
mod sim;
mod suite;
mod tidy;
mod torture;

use args::Args;
use std::process::ExitCode;

/// Why a chore failed, in words for a person.
type Failure = Box<dyn std::error::Error + Send + Sync>;
/// What a chore answers.
type Outcome<T = ()> = Result<T, Failure>;

const HELP: &str = "\
cargo xtask <chore>

  test [--skip-clients] [--only NAME]...   everything: format, lints, tidy, tests, clients, crash, torture
       [--list]                            the names that --only takes
  tidy                                     the rules of the tree: layers, fences, sizes, docs
  crash [--rounds N] [--seed N] [--power-cut]
                                           kill the process (or cut its unsynced writes) under load, N times
  torture [NAME]...                        bit rot, full disk, slow clients, idle connections, refusals
  chaos [--minutes N] [--seed N] [--nodes 3|5] [--witness] [--power-cut] [--fault NAME]... [--keep] [--json]
                                           a cluster under load and faults; what clients saw is checked
  chaos --check FILE...                    histories that a run has written down, checked again
  sim [--seed N] [--schedules N] [--minutes M] [--labs N] [--trace]
                                           a cluster in one thread, from seeds; failures injected into labs
  upgrade [--from REV] [--seconds N]       nodes of REV (HEAD~1) replaced one by one by this tree's, under load
  bench s3 [--quick] [--only PEER]... [--part small|large|full]...
                                           against Garage, s3s-fs and nginx; writes docs/benchmarks.md
  bench sse [--subscribers N] [--rate N] [--seconds N]
                                           subscribers of the live log, none of whom may miss an event
  bench ipfs [--quick] [--rounds N] [--keys N]
                                           blocks, CARs and publishing, against our own S3
  bench notifications [--rounds N] [--puts N]
                                           how fast one webhook is told, in order
  bench cluster [--rounds N] [--losses N]  three nodes beside three of Garage; a leader killed; idle
  bench console [--rounds N]               the overview in Chromium: first paint, transfer
  fuzz [TARGET] [--seconds N]              the targets in fuzz/, by cargo-fuzz

  STEAD_BIN=PATH uses that binary instead of building one.
";

fn main() -> ExitCode {
    let mut args = Args::from_env();
    let chore = args.positional();
    let done = match chore.as_deref() {
        Some("test") => suite::run(args),
        Some("tidy") => tidy::run(args),
        Some("crash") => crash::run(args),
        Some("torture") => torture::run(args),
        Some("chaos") => return exit(chaos::run(args)),
        Some("sim") => return exit(sim::run(args)),
        Some("upgrade") => return exit(chaos::upgrade::run(args)),
        Some("bench") => bench::run(args),
        Some("fuzz") => fuzz::run(args),
        None | Some("help") => {
            print!("{HELP}");
            Ok(())
        }
        Some(other) => Err(format!("there is no chore {other:?}\n\n{HELP}").into()),
    };
    exit(done.map(|()| ExitCode::SUCCESS))
}

fn exit(done: Outcome<ExitCode>) -> ExitCode {
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}
