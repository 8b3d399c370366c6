//! Flipped bits: found, named, healed, and without effect on anything else.
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

mod common;

use common::{Dirs, block, flip, put};
use std::collections::BTreeSet;
use stead_block::{Block, BlockError, LocalStore, ScrubOptions};
use stead_runtime::Rng;

fn filled(dirs: &Dirs) -> Vec<Block> {
    let store = dirs.open();
    let blocks: Vec<_> = (0..40).map(|n| block(n, (n as usize * 331) % 3000)).collect();
    put(&store, &blocks);
    store.close().unwrap();
    blocks
}

/// The blocks that cannot be read; all others are compared.
fn lost(store: &LocalStore, blocks: &[Block]) -> Vec<Block> {
    let mut lost = Vec::new();
    for block in blocks {
        match store.read(&block.cid) {
            Ok(bytes) => assert_eq!(bytes, block.bytes),
            Err(BlockError::Damaged { cid, .. }) if *cid == block.cid => lost.push(block.clone()),
            Err(BlockError::NotFound(cid)) if cid == block.cid => lost.push(block.clone()),
            Err(e) => panic!("{e}"),
        }
    }
    lost
}

#[test]
fn a_flipped_bit_is_found_named_and_healed() {
    let dirs = Dirs::new(20_000);
    let blocks = filled(&dirs);
    let rng = Rng::seeded(3);
    for round in 0..150 {
        let copied = dirs.copy();
        let packs = common::pack_files(copied.path());
        let pack = &packs[rng.below(packs.len() as u64) as usize];
        flip(pack, rng.below(std::fs::metadata(pack).unwrap().len() * 8));
        let index_lost = round % 3 == 0;
        if index_lost {
            std::fs::remove_dir_all(copied.path().join("state")).unwrap();
        }
        let store = dirs.open_in(copied.path());
        // Scrub first: it must find by itself what reading would find.
        let report = store.scrub_blocking(ScrubOptions::default(), |_| {}).unwrap();
        assert!(report.complete);
        assert_eq!(report.damaged.len(), 1, "round {round}: {:?}", report.damaged);
        let number = pack
            .file_stem()
            .unwrap()
            .to_str()
            .unwrap()
            .parse::<u32>()
            .unwrap();
        assert_eq!(report.damaged[0].pack, number);
        let lost = lost(&store, &blocks);
        assert!(lost.len() <= 1);
        if let (Some(lost), Some(named)) = (lost.first(), report.damaged[0].cid) {
            assert_eq!(lost.cid, named);
        }
        assert!(
            index_lost || lost.is_empty() || report.damaged[0].cid.is_some(),
            "the index knows the name"
        );
        // A put of the lost block stores it anew, and that lasts.
        put(&store, &lost);
        store.close().unwrap();
        drop(store);
        let store = dirs.open_in(copied.path());
        assert_eq!(self::lost(&store, &blocks), []);
        assert_eq!(store.stat().blocks, blocks.len() as u64);
    }
}

#[test]
fn damage_met_while_running_is_not_served_and_not_built_upon() {
    let dirs = Dirs::new(1 << 30);
    let blocks = filled(&dirs);
    let store = dirs.open();
    assert_eq!(store.read(&blocks[7].cid).unwrap(), blocks[7].bytes);
    let pack = &dirs.pack_files()[0];
    let bytes = std::fs::read(pack).unwrap();
    let at = bytes
        .windows(32)
        .position(|w| w == &blocks[7].bytes[..32])
        .unwrap();
    // In place, so that the open file sees it.
    use std::os::unix::fs::FileExt;
    let file = std::fs::OpenOptions::new().write(true).open(pack).unwrap();
    file.write_all_at(&[bytes[at] ^ 0x10], at as u64).unwrap();
    assert!(matches!(
        store.read(&blocks[7].cid),
        Err(BlockError::Damaged { .. })
    ));
    assert!(!store.contains(&blocks[7].cid));
    assert_eq!(lost(&store, &blocks).len(), 1);
    put(&store, &blocks[7..8]);
    assert_eq!(lost(&store, &blocks), []);
    let report = store.scrub_blocking(ScrubOptions::default(), |_| {}).unwrap();
    assert_eq!(report.damaged, []);
    assert_eq!(report.blocks, 40);
}

#[test]
fn a_pack_stored_as_a_block_is_not_taken_for_records() {
    let dirs = Dirs::new(1 << 30);
    let blocks = filled(&dirs);
    let copy = std::fs::read(&dirs.pack_files()[0]).unwrap();
    let store = dirs.open();
    let inner = Block::raw(copy.into());
    put(&store, std::slice::from_ref(&inner));
    store.close().unwrap();
    drop(store);
    // The header of the record that holds the copy goes bad, so the scan has to look inside.
    let pack = &dirs.pack_files()[0];
    let len = std::fs::metadata(pack).unwrap().len();
    flip(pack, (len - inner.bytes.len() as u64 - 60) * 8);
    dirs.remove_index();
    let store = dirs.open();
    assert_eq!(store.stat().blocks, blocks.len() as u64);
    assert_eq!(lost(&store, &blocks), []);
}

#[test]
fn scrub_stops_when_told_and_says_so() {
    let dirs = Dirs::new(1 << 30);
    filled(&dirs);
    let store = dirs.open();
    let tasks = stead_runtime::Tasks::new();
    let shutdown = tasks.shutdown_signal();
    let mut seen = BTreeSet::new();
    let options = ScrubOptions {
        shutdown: Some(shutdown),
        ..ScrubOptions::default()
    };
    let report = store.scrub_blocking(options, |progress| {
        seen.insert(progress.blocks);
        if progress.blocks == 5 {
            tasks.shutdown();
        }
    });
    let report = report.unwrap();
    assert!(!report.complete);
    assert_eq!((report.blocks, seen.len()), (5, 5));
}
