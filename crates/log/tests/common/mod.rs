//! A log to test with.
#![allow(dead_code, clippy::unwrap_used, missing_docs)] // a test file uses a part of it, and a failure is a panic

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use stead_event::body::BucketCreated;
use stead_event::{Body, ChainHead, EventId, NodeId, Position, Principal, Tenant, Timestamp, Via};
use stead_log::{
    Draft, LogPoint, SegmentOptions, SegmentWriter, Tail, compress, install_sealed, scan, unsealed,
};

pub fn node() -> NodeId {
    NodeId::from_public_key(&[7; 32])
}

pub fn draft(number: u64, name: &str) -> Draft {
    let via = Via {
        protocol: "test".into(),
        ..Via::default()
    };
    let body: Body = BucketCreated {
        owner: None,
        bucket: name.into(),
        via,
    }
    .into();
    let id = EventId::new(number, [number as u8; 10]);
    let at = Timestamp::from_micros(1_700_000_000_000_000 + number as i64);
    Draft {
        actor: Principal("ana".into()),
        at,
        body,
        cause: None,
        id,
    }
}

pub fn options(rotate_bytes: u64) -> SegmentOptions {
    SegmentOptions { rotate_bytes }
}

pub fn writer(dir: &Path, at: LogPoint, rotate_bytes: u64) -> SegmentWriter {
    SegmentWriter::open(dir, &Tenant::main(), at, options(rotate_bytes)).unwrap()
}

/// Writes `count` events; answers the point after each, beginning with the one before the first.
pub fn write(dir: &Path, count: u64, rotate_bytes: u64) -> Vec<LogPoint> {
    let mut writer = writer(dir, LogPoint::default(), rotate_bytes);
    let mut points = vec![writer.point()];
    for number in 1..=count {
        let event = writer
            .push(draft(number, &format!("bucket-{number}")), &node())
            .unwrap();
        assert_eq!(
            (event.seq, event.cause, event.correlation),
            (number, event.id, event.id)
        );
        points.push(writer.point());
    }
    writer.sync().unwrap();
    points
}

pub fn seal_all(dir: &Path) -> usize {
    let candidates = unsealed(dir, &Tenant::main()).unwrap();
    for candidate in &candidates {
        let compressed = compress(candidate).unwrap();
        let path = install_sealed(candidate, &compressed).unwrap();
        assert!(path.exists() && !candidate.path.exists() && !compressed.exists());
    }
    candidates.len()
}

/// The segment files, in order.
pub fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("main")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Every line, by chain-checked scan.
pub fn lines(dir: &Path) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    scan(dir, &Tenant::main(), 1, &mut |_, line| {
        lines.push(line.to_vec());
        ControlFlow::Continue(())
    })
    .unwrap();
    lines
}

pub fn tail(dir: &Path, head: ChainHead) -> Tail {
    let tail = Tail::open(dir).unwrap();
    tail.publish(&Tenant::main(), head);
    tail
}

pub fn seqs(tail: &Tail, from: Position, max: usize) -> Vec<Position> {
    tail.read(&Tenant::main(), from, max)
        .unwrap()
        .iter()
        .map(|line| line.seq)
        .collect()
}
