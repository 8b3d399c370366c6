//! `cargo xtask bench ipfs`: what IPFS costs beside S3, on the same node.
//!
//! Both sides are read by the same load tool, by turns, and every byte is compared.

mod blocks;
mod car;
mod publish;

use super::page::{Row, Section};
use super::socket;
use super::work::Object;
use crate::args::Args;
use crate::server::{Build, Server, Settings, binary};
use crate::{Outcome, paths};
use std::net::SocketAddr;
use std::time::Duration;

const BUCKET: &str = "bench";

/// How much is measured.
struct Scale {
    rounds: u64,
    window: Duration,
    /// Keys of the large published bucket.
    keys: u64,
    /// Puts of one round into it.
    puts: u64,
    /// Bytes of the object whose CAR is read.
    large: u64,
}

/// A node, and where its gateway is.
struct Node {
    server: Server,
    settings: Settings,
    ipfs: SocketAddr,
}

/// Publishes a whole bucket.
fn make_public(node: &Node, bucket: &str) -> Outcome {
    let body = format!("{{\"bucket\":\"{bucket}\"}}");
    socket::call(&node.settings.data, "POST", "/api/v1/ipfs/publish", &body).map(drop)
}

/// `cargo xtask bench ipfs [--quick] [--rounds N] [--keys N]`
pub fn run(mut args: Args) -> Outcome {
    if cfg!(debug_assertions) {
        return super::in_release();
    }
    let quick = args.flag("--quick");
    let scale = Scale {
        rounds: args.number("--rounds", if quick { 1 } else { 3 })?,
        window: Duration::from_secs(if quick { 1 } else { 3 }),
        keys: args.number("--keys", if quick { 20_000 } else { 1_000_000 })?,
        puts: if quick { 1_000 } else { 10_000 },
        large: if quick { 64 << 20 } else { 1 << 30 },
    };
    args.done()?;
    let about = format!(
        "`cargo xtask bench ipfs`: one node, {} rounds, S3 and IPFS by turns, medians (least–most), every byte \
         compared; the load tool runs on the same two cores.",
        scale.rounds
    );
    let mut section = Section::new("IPFS", &about);
    let dir = paths::scratch("bench-ipfs")?;
    let node = start(&dir.join("small"))?;
    blocks::measure(&node, &scale, &mut section)?;
    car::measure(&node, &scale, &mut section)?;
    node.server.stop(Duration::from_secs(60))?;
    let node = start(&dir.join("large"))?;
    publish::measure(&node, &scale, &mut section)?;
    node.server.stop(Duration::from_secs(60))?;
    std::fs::remove_dir_all(&dir)?;
    if quick {
        println!("not everything was measured, so docs/benchmarks.md stays as it is");
        return Ok(());
    }
    section.write()
}

fn start(dir: &std::path::Path) -> Outcome<Node> {
    std::fs::create_dir_all(dir)?;
    let settings = Settings::new(&binary(Build::Release)?, &dir.join("data"), &dir.join("log"));
    let server = Server::start(&settings, None)?;
    let ipfs = server.ipfs.clone().ok_or("the server names no IPFS endpoint")?;
    let ipfs = ipfs.trim_start_matches("http://").parse()?;
    server.client().create_bucket(BUCKET).map_err(|e| e.to_string())?;
    Ok(Node {
        server,
        settings,
        ipfs,
    })
}

/// A share of what S3 does, as a row.
fn share(what: String, bar: f64, own: f64, s3: f64) -> Row {
    let reached = own / s3;
    Row {
        what,
        bar: format!("≥ {bar} × S3"),
        figure: format!(
            "{} / {} = **{}×**",
            super::table::number(own),
            super::table::number(s3),
            super::table::number(reached)
        ),
        met: Some(reached >= bar),
    }
}

/// The CID of an object of one block: version 1, raw, sha2-256, in base32.
fn cid(object: &Object) -> Outcome<String> {
    let mut bytes = vec![0x01, 0x55, 0x12, 0x20];
    bytes.extend(hex::decode(object.sha256())?);
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut text = "b".to_owned();
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        (held, bits) = (held << 8 | u32::from(byte), bits + 8);
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(LETTERS[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(char::from(LETTERS[(held << (5 - bits) & 31) as usize]));
    }
    Ok(text)
}
