//! The steps of the whole test, in the order in which they are run: what fails quickly comes first.

use super::{Session, clients, console, helia, tools};
use crate::{Outcome, paths, process};
use std::process::Command;

/// One step.
pub struct Step {
    /// What `--only` takes, and the log's name.
    pub name: &'static str,
    /// In a few words.
    pub what: &'static str,
    /// Whether it needs programs that do not come with Rust.
    pub client: bool,
    /// Does it; an error is a failure, and so is a failed test in the log.
    pub run: fn(&Session) -> Outcome,
}

const fn step(name: &'static str, what: &'static str, run: fn(&Session) -> Outcome) -> Step {
    Step {
        name,
        what,
        client: false,
        run,
    }
}

const fn client(name: &'static str, what: &'static str, run: fn(&Session) -> Outcome) -> Step {
    Step {
        name,
        what,
        client: true,
        run,
    }
}

/// All of them.
pub const ALL: &[Step] = &[
    step("format", "rustfmt", |session| {
        cargo(session, &["fmt", "--all", "--check"])
    }),
    step("tidy", "layers, fences, sizes, docs", |session| {
        own(session, &["tidy"])
    }),
    step("lints", "clippy, warnings are errors", |session| {
        cargo(
            session,
            &[
                "clippy",
                "--quiet",
                "--workspace",
                "--all-targets",
                "--locked",
                "--",
                "-D",
                "warnings",
            ],
        )
    }),
    step(
        LICENCES,
        "licences, bans and sources of dependencies, where cargo-deny is installed",
        licences,
    ),
    step("build", "everything, as the tests need it", |session| {
        cargo(session, &["build", "--workspace", "--all-targets", "--locked"])
    }),
    step("tests", "unit, property and integration tests in Rust", tests),
    step("doc-tests", "examples in documentation", |session| {
        cargo(session, &["test", "--quiet", "--workspace", "--doc", "--locked"])
    }),
    client("s3", "the S3 behaviour suite (boto3, raw sockets)", clients::s3),
    client(
        "api",
        "the HTTP API: tokens, pages, proofs, live events, zips, its OpenAPI document",
        clients::api,
    ),
    client(
        "boto3",
        "TransferManager multipart, presigned URLs",
        clients::boto3,
    ),
    client("aws", "aws s3 cp and sync, both ways", clients::aws),
    client(
        "rclone",
        "copy, check, sync, both ways, multipart",
        clients::rclone,
    ),
    client(
        "restic",
        "init, backup, check --read-data, restore",
        clients::restic,
    ),
    client("s3cmd", "put, get, sync, multipart", clients::s3cmd),
    client(
        "console",
        "the web console in Chromium: every page, live events, axe-core, sign-out",
        console::console,
    ),
    client(
        "ipfs",
        "the gateway specifications' cases over their CAR fixtures",
        clients::ipfs,
    ),
    client(
        "cluster",
        "several nodes: joining, losing, catching up, healing, with real processes",
        clients::cluster,
    ),
    client(
        "power",
        "NUT's server with UPSes on mains, on battery, low, stale, lying; nodes that stop in order",
        clients::power,
    ),
    client(
        "guides",
        "every guide followed line by line, on nodes of its own; their commands and links exist",
        clients::guides,
    ),
    client(
        "helia",
        "helia fetches by the trustless gateway and Bitswap, and refuses changed blocks",
        helia::helia,
    ),
    client("cids", "object CIDs against ipfs-unixfs-importer", clients::cids),
    step(
        "crash",
        "SIGKILL under load, then everything acknowledged reads back",
        |session| own(session, &["crash", "--rounds", &session.rounds.to_string()]),
    ),
    step(
        "power-cut",
        "what was not fsynced is dropped, under load",
        |session| {
            own(
                session,
                &[
                    "crash",
                    "--power-cut",
                    "--rounds",
                    &(session.rounds / 2).max(1).to_string(),
                ],
            )
        },
    ),
    step(
        "chaos",
        "clusters under faults and load: what clients saw has an order",
        chaos,
    ),
    step("bit-rot", "a flipped bit in each kind of file", |session| {
        own(session, &["torture", "bit-rot"])
    }),
    step(
        "disk-full",
        "a small file system fills up and is freed",
        |session| own(session, &["torture", "disk-full"]),
    ),
    step(
        "slow-clients",
        "stalled bodies and heads are bounded",
        |session| own(session, &["torture", "slow-clients"]),
    ),
    step(
        "idle-connections",
        "10,000 connections that say nothing",
        |session| own(session, &["torture", "idle-connections"]),
    ),
    step(
        "refusals",
        "second process, newer format, read-only directory, wrong owner",
        |session| own(session, &["torture", "refusals"]),
    ),
];

fn logged(session: &Session, command: &mut Command) -> Outcome {
    let status = process::run_logged(command.current_dir(paths::root()), &session.log)?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("ended with {status}").into())
    }
}

fn cargo(session: &Session, arguments: &[&str]) -> Outcome {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    logged(session, Command::new(cargo).args(arguments))
}

/// Another chore of this program, as a process of its own, so that its output has a log.
fn own(session: &Session, arguments: &[&str]) -> Outcome {
    // Not `current_exe`: the build step may have replaced the file that this process runs from.
    let own = paths::target().join("debug/xtask");
    let program = if own.is_file() {
        own
    } else {
        std::env::current_exe()?
    };
    logged(session, Command::new(program).args(arguments))
}

/// Three clusters, a minute each. More, and longer: `cargo xtask chaos --minutes 30`.
fn chaos(session: &Session) -> Outcome {
    // Without these there are fewer faults, and the run says which.
    if let Err(why) = need(&["ip", "unshare", "faketime"]) {
        println!("{:<18} {why}", "");
    }
    own(session, &["chaos", "--minutes", "1"])?;
    own(session, &["chaos", "--minutes", "1", "--witness"])?;
    own(session, &["chaos", "--minutes", "1", "--power-cut"])
}

fn tests(session: &Session) -> Outcome {
    if process::installed("cargo-nextest") {
        let arguments = [
            "nextest",
            "run",
            "--workspace",
            "--all-targets",
            "--locked",
            "--no-fail-fast",
        ];
        return cargo(session, &arguments);
    }
    cargo(
        session,
        &[
            "test",
            "--workspace",
            "--all-targets",
            "--locked",
            "--no-fail-fast",
        ],
    )
}

/// The name of the step that only runs where its tool is.
pub const LICENCES: &str = "licences";

/// Whether cargo-deny is there. It takes too long to build to be installed for every run.
pub fn can_check_licences() -> bool {
    process::installed("cargo-deny")
}

/// Advisories need a database from elsewhere, so they are not asked for here.
fn licences(session: &Session) -> Outcome {
    if !can_check_licences() {
        return Err("cargo-deny is not installed: cargo install cargo-deny --locked".into());
    }
    cargo(
        session,
        &["deny", "--offline", "check", "licenses", "bans", "sources"],
    )
}

/// Programs that a step needs, installed or named.
pub fn need(programs: &[&str]) -> Outcome {
    tools::programs(programs)
}
