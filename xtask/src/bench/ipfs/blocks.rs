//! Raw blocks by CID against the same objects by key, 32 clients each.

use super::{BUCKET, Node, Scale, cid, share};
use crate::bench::load::{self, Expect, Measured, Request, Target};
use crate::bench::page::{Row, Section};
use crate::bench::table::Cell;
use crate::bench::work::{Object, Sample};
use crate::sign::Signer;
use crate::{Outcome, process};
use std::net::SocketAddr;
use std::time::Duration;

const CLIENTS: usize = 32;
const BAR: f64 = 0.8;
/// Sizes, their names, and how many objects the requests go round.
const SIZES: [(u64, &str, u64); 3] = [
    (4 << 10, "4 KiB", 2_000),
    (64 << 10, "64 KiB", 500),
    (1 << 20, "1 MiB", 64),
];

pub fn measure(node: &Node, scale: &Scale, section: &mut Section) -> Outcome {
    let signer = Signer::new(&node.server.key, &node.server.address.to_string());
    let mut first = 0;
    let mut sets = Vec::new();
    for (size, name, count) in SIZES {
        let objects: Vec<Object> = (first..first + count).map(|id| Object::new(id, size)).collect();
        first += count;
        let mut puts = objects.iter().map(|object| object.put(&signer, true));
        run(node.server.address, Duration::from_secs(600), &mut || puts.next())?;
        sets.push((name, objects));
    }
    super::make_public(node, BUCKET)?;
    for (name, objects) in &sets {
        let by_key: Vec<Request> = objects.iter().map(|object| object.get(&signer)).collect();
        let by_cid = objects
            .iter()
            .map(|object| request(node, object))
            .collect::<Outcome<Vec<_>>>()?;
        let (mut s3, mut ipfs) = (Cell::default(), Cell::default());
        for _ in 0..scale.rounds {
            s3.push(&window(node, node.server.address, scale, &by_key)?);
            ipfs.push(&window(node, node.ipfs, scale, &by_cid)?);
        }
        let what = format!("raw block GET, {name} × {CLIENTS}, per second");
        section.row(&share(what, BAR, ipfs.rate.median(), s3.rate.median()));
        section.row(&Row {
            what: "the same: per second; server CPU, µs each; p99, µs".to_owned(),
            bar: String::new(),
            figure: format!(
                "{}; {}; {} (S3: {}; {}; {})",
                ipfs.rate.spread(),
                ipfs.cpu_us.spread(),
                ipfs.p99_us.spread(),
                s3.rate.spread(),
                s3.cpu_us.spread(),
                s3.p99_us.spread()
            ),
            met: None,
        });
    }
    Ok(())
}

fn request(node: &Node, object: &Object) -> Outcome<Request> {
    let head = format!(
        "GET /ipfs/{}?format=raw HTTP/1.1\r\nhost: {}\r\n\r\n",
        cid(object)?,
        node.ipfs
    );
    Ok(Request {
        head: head.into_bytes(),
        body: None,
        expect: Expect::Content(object.content),
    })
}

fn window(node: &Node, address: SocketAddr, scale: &Scale, requests: &[Request]) -> Outcome<Sample> {
    let mut requests = requests.iter().cycle().cloned();
    let before = process::cpu_us(node.server.pid())?;
    let measured = run(address, scale.window, &mut || requests.next())?;
    let spent = process::cpu_us(node.server.pid())?.saturating_sub(before);
    let cpu_us = spent as f64 / measured.operations.max(1) as f64;
    Ok(Sample { measured, cpu_us })
}

fn run(
    address: SocketAddr,
    window: Duration,
    next: &mut dyn FnMut() -> Option<Request>,
) -> Outcome<Measured> {
    let target = Target {
        address,
        clients: CLIENTS,
        quick_ack: false,
    };
    load::run(target, window, next)
}
