//! How fast the local store is here: `cargo run --release -p stead-block --example speed [DIR]`.

use bytes::Bytes;
use std::path::PathBuf;
use std::time::Instant;
use stead_block::{Block, LocalOptions, LocalStore};
use stead_event::{Cid, cids};
use stead_runtime::{Clock, Rng, Space};

const SMALL: usize = 200_000;
const LARGE: usize = 512;

fn report(what: &str, from: Instant, clock: &Clock, count: usize, bytes: usize) {
    let secs = clock.instant().duration_since(from).as_secs_f64();
    let each = secs * 1e6 / count as f64;
    println!(
        "{what}: {each:.1} us each, {:.0} MiB/s",
        bytes as f64 / secs / 1_048_576.0
    );
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let dir = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join("stead-speed");
    let clock = Clock::system();
    let options = LocalOptions::default();
    let store = LocalStore::open(
        &dir.join("blocks"),
        &dir.join("state"),
        options,
        Space::new(&dir, 0),
    )?;
    let mut base = vec![0; 4096];
    Rng::system().fill(&mut base);
    let small: Vec<(Cid, Bytes)> = (0..SMALL)
        .map(|n| {
            base[..8].copy_from_slice(&n.to_le_bytes());
            (cids::raw(&base), Bytes::copy_from_slice(&base))
        })
        .collect();
    let from = clock.instant();
    for batch in small.chunks(32) {
        drop(store.append_unsynced(batch)?);
    }
    report("append 4 KiB in 32s", from, &clock, SMALL, SMALL * 4096);
    let from = clock.instant();
    store.close()?;
    report("write the index", from, &clock, SMALL, SMALL * 50);
    let from = clock.instant();
    for (cid, _) in &small {
        store.read(cid)?;
    }
    report("read 4 KiB", from, &clock, SMALL, SMALL * 4096);
    let mut large = vec![0; 1 << 20];
    Rng::system().fill(&mut large);
    let blocks: Vec<Block> = (0..LARGE)
        .map(|n| {
            large[..8].copy_from_slice(&n.to_le_bytes());
            Block::raw(Bytes::copy_from_slice(&large))
        })
        .collect();
    let from = clock.instant();
    let mut writer = store.writer();
    blocks.iter().try_for_each(|block| writer.write_blocking(block))?;
    report("stream 1 MiB", from, &clock, LARGE, LARGE << 20);
    let pin = writer.finish_blocking()?.pin;
    report("stream 1 MiB, durable", from, &clock, LARGE, LARGE << 20);
    drop(pin);
    let from = clock.instant();
    for block in &blocks {
        store.read(&block.cid)?;
    }
    report("read 1 MiB", from, &clock, LARGE, LARGE << 20);
    store.close()?;
    drop(store);
    let from = clock.instant();
    let store = LocalStore::open(
        &dir.join("blocks"),
        &dir.join("state"),
        LocalOptions::default(),
        Space::new(&dir, 0),
    )?;
    report("open", from, &clock, 1, 1);
    drop(store);
    std::fs::remove_dir_all(&dir)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    status
        .lines()
        .filter(|line| line.starts_with("VmHWM"))
        .for_each(|line| println!("{line}"));
    Ok(())
}
