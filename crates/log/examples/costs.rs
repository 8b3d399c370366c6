//! What the log's paths cost, in microseconds: `cargo run --release -p stead-log --example costs`.

use stead_event::body::ObjectPut;
use stead_event::{EventId, NodeId, Principal, Tenant, Timestamp, Via, cids};
use stead_log::{
    Draft, LogPoint, SegmentOptions, SegmentWriter, Tail, compress, install_sealed, unsealed, verify,
};
use stead_runtime::{Clock, Rng};

const EVENTS: u64 = 300_000;

fn draft(number: u64) -> Draft {
    let body = ObjectPut {
        stripes: None,
        encryption: None,
        acl: Vec::new(),
        hold: false,
        owner: None,
        retention: None,
        bucket: "photos".into(),
        checksum: None,
        cid: cids::from_digest(cids::RAW, [number as u8; 32]),
        etag: "5d41402abc4b2a76b9719d911017c592".into(),
        headers: [("content-type".into(), "application/octet-stream".into())].into(),
        key: format!("some/folder/object-{number:08}"),
        metadata: Default::default(),
        parts: vec![],
        size: 4096,
        source: None,
        tags: Default::default(),
        upload: None,
        via: Via {
            protocol: "s3".into(),
            remote: Some("127.0.0.1:54321".into()),
            agent: Some("aws-cli/2.9".into()),
            request: Some("0123456789abcdef".into()),
        },
    };
    let at = Timestamp::from_micros(1_700_000_000_000_000 + number as i64);
    Draft {
        actor: Principal("ana".into()),
        at,
        body: body.into(),
        cause: None,
        id: EventId::new(number, [1; 10]),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (clock, rng) = (Clock::system(), Rng::system());
    let dir = std::env::temp_dir().join(format!("stead-log-costs-{}", rng.below(1 << 40)));
    let node = NodeId::from_public_key(&[7; 32]);
    let main = Tenant::main();
    let mut writer = SegmentWriter::open(&dir, &main, LogPoint::default(), SegmentOptions::default())?;
    let drafts: Vec<_> = (0..EVENTS).map(draft).collect();
    let each = |name: &str, count: u64, since: std::time::Instant| {
        println!(
            "{name:<40} {:>9.2} µs each",
            since.elapsed().as_secs_f64() * 1e6 / count as f64
        );
    };
    let since = clock.instant();
    for (number, draft) in drafts.into_iter().enumerate() {
        writer.push(draft, &node)?;
        if number % 64 == 63 {
            writer.flush()?;
        }
    }
    each("push, and flush every 64", EVENTS, since);
    let since = clock.instant();
    writer.sync()?;
    each("sync", 1, since);
    let point = writer.point();
    println!(
        "{} bytes a line",
        point.offset / (point.head.seq - point.segment + 1)
    );
    let candidates = unsealed(&dir, &main)?;
    let since = clock.instant();
    if let Some(candidate) = candidates.first() {
        let lines = candidate.last - candidate.first + 1;
        let compressed = compress(candidate)?;
        let path = install_sealed(candidate, &compressed)?;
        each("seal, a line", lines, since);
        println!("{} bytes sealed", path.metadata()?.len());
    }
    let sealed_last = candidates.first().map_or(1, |candidate| candidate.last);
    let since = clock.instant();
    let tail = Tail::open(&dir)?;
    each("Tail::open", 1, since);
    for (name, low, high) in [
        ("sealed", 1, sealed_last),
        ("open", point.segment, point.head.seq),
        ("open again", point.segment, point.head.seq),
    ] {
        let since = clock.instant();
        tail.read(&main, high - 1, 1)?;
        each(&format!("first read near the end, {name}"), 1, since);
        let since = clock.instant();
        for _ in 0..300 {
            tail.read(&main, low + rng.below(high - low), 1)?;
        }
        each(&format!("random read of one line, {name}"), 300, since);
        let since = clock.instant();
        let mut from = low;
        while from <= high {
            from += tail.read(&main, from, 1000)?.len() as u64;
        }
        each(&format!("sequential read, a line, {name}"), high - low + 1, since);
    }
    let since = clock.instant();
    verify(&dir, &main, &mut |_| {})?;
    each("verify, a line", EVENTS, since);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
