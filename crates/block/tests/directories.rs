//! Several directories of packs: blocks go to all, a disk that is away is missed and comes back, one is emptied.
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

mod common;

use common::{Dirs, block};
use std::path::{Path, PathBuf};
use std::time::Duration;
use stead_block::{Block, BlockError, CollectOptions, DirectoryState, LocalStore, ScrubOptions};

fn blocks(from: u64) -> Vec<Block> {
    (from..from + 200).map(|n| block(n, 2_000)).collect()
}

fn put(store: &LocalStore, blocks: &[Block]) {
    let mut writer = store.writer();
    blocks
        .iter()
        .for_each(|block| writer.write_blocking(block).unwrap());
    drop(writer.finish_blocking().unwrap());
}

fn packs_in(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).unwrap();
    entries
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "pack")
        })
        .count()
}

fn readable(store: &LocalStore, blocks: &[Block]) -> usize {
    let whole = |block: &&Block| store.read(&block.cid).is_ok_and(|bytes| bytes == block.bytes);
    blocks.iter().filter(whole).count()
}

fn states(store: &LocalStore) -> Vec<DirectoryState> {
    store.directories().iter().map(|dir| dir.state).collect()
}

/// A store in three directories, with blocks in it.
fn three() -> (Dirs, [PathBuf; 2], Vec<Block>) {
    let dirs = Dirs::new(30_000);
    let more = ["one", "two"].map(|name| dirs.root.path().join(name));
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    let blocks = blocks(0);
    put(&store, &blocks);
    store.close().unwrap();
    (dirs, more, blocks)
}

#[test]
fn large_blocks_go_to_all_directories_and_small_ones_stay() {
    let (dirs, more, blocks) = three();
    for dir in more.iter().chain([&dirs.packs()]) {
        assert!(packs_in(dir) > 1, "{} has its share", dir.display());
    }
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(readable(&store, &blocks), blocks.len());
    assert_eq!(states(&store), [DirectoryState::InUse; 3]);
    let before = more.clone().map(|dir| packs_in(&dir));
    let small: Vec<_> = (1000..1100)
        .map(|n| block(n, 2_000))
        .map(|block| (block.cid, block.bytes))
        .collect();
    let _pin = store.append_unsynced(&small).unwrap();
    assert_eq!(more.clone().map(|dir| packs_in(&dir)), before);
    let (_, total) = store.room();
    let whole = stead_runtime::total_bytes(dirs.root.path()).unwrap();
    assert_eq!(total, whole, "one file system is counted once");
    drop(store);
    // The index is rebuilt from all of them.
    dirs.remove_index();
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(readable(&store, &blocks), blocks.len());
    let report = store.scrub_blocking(ScrubOptions::default(), |_| {}).unwrap();
    assert!(report.complete && report.damaged.is_empty());
}

#[test]
fn a_directory_that_is_away_is_missed_and_comes_back_with_all_that_was_in_it() {
    let (dirs, more, blocks) = three();
    let aside = dirs.root.path().join("aside");
    std::fs::rename(&more[0], &aside).unwrap();
    std::fs::create_dir(&more[0]).unwrap(); // a mount point without its disk
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(
        states(&store),
        [DirectoryState::InUse, DirectoryState::InUse, DirectoryState::Away]
    );
    let left = readable(&store, &blocks);
    assert!(left > 0 && left < blocks.len());
    let missing = blocks.iter().find(|block| !store.contains(&block.cid)).unwrap();
    assert!(matches!(
        store.read(&missing.cid),
        Err(BlockError::Damaged { .. })
    ));
    // What is put anew is there again; new packs take no number of those that are away.
    put(&store, std::slice::from_ref(missing));
    let later: Vec<Block> = (5000..5100).map(|n| block(n, 2_000)).collect();
    put(&store, &later);
    assert!(store.contains(&missing.cid));
    assert_eq!(packs_in(&more[0]), 0, "nothing is put where a disk should be");
    store.close().unwrap();
    drop(store);
    std::fs::remove_dir(&more[0]).unwrap();
    std::fs::rename(&aside, &more[0]).unwrap();
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(states(&store), [DirectoryState::InUse; 3]);
    assert_eq!(readable(&store, &blocks), blocks.len());
    assert_eq!(readable(&store, &later), later.len());
    drop(store);
    dirs.remove_index();
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(readable(&store, &blocks), blocks.len());
}

#[test]
fn a_disk_that_is_mounted_elsewhere_is_known_again() {
    let (dirs, mut more, blocks) = three();
    let elsewhere = dirs.root.path().join("elsewhere");
    std::fs::rename(&more[1], &elsewhere).unwrap();
    more[1] = elsewhere;
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(states(&store), [DirectoryState::InUse; 3]);
    assert_eq!(readable(&store, &blocks), blocks.len());
}

#[test]
fn what_cannot_be_a_directory_of_packs_is_refused_and_left_as_it_is() {
    let (dirs, more, _) = three();
    let refused = |dirs: &Dirs, more: &[PathBuf]| match dirs.open_with(dirs.root.path(), more) {
        Err(BlockError::Directory { why, .. }) => why,
        other => panic!("{other:?}"),
    };
    let other = tempfile::tempdir().unwrap();
    let foreign = dirs.open_as(other.path(), &more[..1], 2).unwrap_err();
    assert!(foreign.to_string().contains("another node"), "{foreign}");
    assert!(refused(&dirs, &[more[0].clone(), more[0].clone()]).contains("twice"));
    assert!(refused(&dirs, &[more[0].clone(), more[1].clone(), dirs.packs()]).contains("own"));
    assert!(refused(&dirs, &["relative".into()]).contains("begin with /"));
    let strange = dirs.root.path().join("strange");
    std::fs::create_dir(&strange).unwrap();
    std::fs::copy(
        common::pack_files(dirs.root.path()).remove(0),
        strange.join("000001.pack"),
    )
    .unwrap();
    assert!(refused(&dirs, std::slice::from_ref(&strange)).contains("packs in it"));
    assert_eq!(std::fs::read_dir(&strange).unwrap().count(), 1);
}

#[test]
fn a_directory_is_emptied_and_can_be_taken_away() {
    let (dirs, more, blocks) = three();
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    let mut steps = Vec::new();
    let emptied = store
        .empty_directory(&more[0], |done, all| steps.push((done, all)))
        .unwrap();
    assert!(emptied.moved > 0 && emptied.stuck == 0);
    assert_eq!(steps.last(), Some(&(emptied.moved, emptied.moved)));
    assert_eq!(std::fs::read_dir(&more[0]).unwrap().count(), 0);
    assert_eq!(states(&store)[1], DirectoryState::Leaving);
    let later: Vec<Block> = (5000..5100).map(|n| block(n, 2_000)).collect();
    put(&store, &later);
    assert_eq!(packs_in(&more[0]), 0);
    store.close().unwrap();
    drop(store);
    // It is not missed; named still, it is a new one.
    let store = dirs.open_with(dirs.root.path(), &more[1..]).unwrap();
    assert_eq!(states(&store), [DirectoryState::InUse; 2]);
    assert_eq!(readable(&store, &blocks), blocks.len());
    drop(store);
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    assert_eq!(states(&store), [DirectoryState::InUse; 3]);
    assert_eq!(readable(&store, &later), later.len());
    assert!(store.empty_directory(&dirs.packs(), |_, _| {}).is_err());
    assert!(store.empty_directory(Path::new("/nowhere"), |_, _| {}).is_err());
}

#[test]
fn the_collector_compacts_packs_in_the_directory_that_they_are_in() {
    let (dirs, more, blocks) = three();
    let store = dirs.open_with(dirs.root.path(), &more).unwrap();
    dirs.time.advance(Duration::from_secs(7200));
    let kept: Vec<&Block> = blocks.iter().step_by(10).collect();
    let roots: Vec<Result<_, BlockError>> = kept.iter().map(|block| Ok(block.cid)).collect();
    let report = store.collect(|| roots, CollectOptions::default()).unwrap();
    assert_eq!(report.deleted, (blocks.len() - kept.len()) as u64);
    assert!(report.packs_removed > 5);
    assert!(
        kept.iter()
            .all(|block| store.read(&block.cid).unwrap() == block.bytes)
    );
    for dir in more.iter().chain([&dirs.packs()]) {
        let left = std::fs::read_dir(dir).unwrap();
        let gone = left.filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .path()
                .extension()
                .is_some_and(|e| e == "gone")
        });
        assert_eq!(gone.count(), 0);
    }
}
