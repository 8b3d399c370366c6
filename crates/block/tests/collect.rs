//! The collector: takes exactly what nothing reaches, beside puts at the same time, and through crashes.
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

mod common;

use bytes::Bytes;
use common::{Dirs, block, put};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;
use stead_block::unixfs::DagBuilder;
use stead_block::{Block, BlockError, CollectOptions, LocalStore};
use stead_event::Cid;

fn now() -> CollectOptions {
    CollectOptions {
        grace: Duration::ZERO,
        ..CollectOptions::default()
    }
}

fn roots(cids: &[Cid]) -> Vec<Result<Cid, BlockError>> {
    cids.iter().map(|cid| Ok(*cid)).collect()
}

fn file(store: &LocalStore, seed: u64, leaves: u64) -> (Cid, Vec<Block>) {
    let mut builder = DagBuilder::with_links(4);
    let mut all = Vec::new();
    for n in 0..leaves {
        let leaf = block(seed * 1000 + n, 500);
        all.extend(builder.push(leaf.cid, 500));
        all.push(leaf);
    }
    let finished = builder.finish();
    all.extend(finished.blocks);
    put(store, &all);
    (finished.root, all)
}

#[test]
fn what_others_hold_is_given_up_unless_it_is_pinned() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    let (root, blocks) = file(&store, 1, 40);
    let names: Vec<Cid> = blocks
        .iter()
        .map(|block| block.cid)
        .filter(|cid| *cid != root)
        .collect();
    assert!(
        store
            .older_than(&names, Duration::from_secs(60))
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.older_than(&names, Duration::ZERO).unwrap(), names);
    let (pinned, given) = (names[0], &names[1..]);
    let pin = store.pin(&[pinned]);
    assert_eq!(store.give_up(&names).unwrap(), given.len() as u64);
    assert_eq!(
        store.give_up(&names).unwrap(),
        0,
        "what is not here cannot be given up"
    );
    drop(pin);
    drop(store);
    // For good: neither a start nor a new index brings it back.
    dirs.remove_index();
    let store = dirs.open();
    assert!(store.contains(&root) && store.contains(&pinned));
    assert!(given.iter().all(|cid| !store.contains(cid)));
    put(&store, &blocks);
    assert!(
        names.iter().all(|cid| store.read(cid).is_ok()),
        "and it can come back"
    );
}

#[test]
fn what_is_asked_for_again_is_young_again() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    let (_, blocks) = file(&store, 1, 4);
    let names: Vec<Cid> = blocks.iter().map(|block| block.cid).collect();
    dirs.time.advance(Duration::from_secs(7200));
    let options = || CollectOptions {
        grace: Duration::from_secs(3600),
        ..CollectOptions::default()
    };
    store.renew(&names[..2]).unwrap();
    let report = store.collect(|| roots(&[]), options()).unwrap();
    assert_eq!((report.deleted, report.protected), (names.len() as u64 - 2, 2));
    assert!(names[..2].iter().all(|cid| store.contains(cid)));
}

#[test]
fn what_roots_reach_stays_and_the_rest_gives_its_room_back() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    let (kept, kept_blocks) = file(&store, 1, 100);
    let (_, gone_blocks) = file(&store, 2, 300);
    let before = store.stat();
    let dry = store
        .collect(
            || roots(&[kept]),
            CollectOptions {
                dry_run: true,
                ..now()
            },
        )
        .unwrap();
    assert_eq!(dry.deleted, gone_blocks.len() as u64);
    assert_eq!(store.stat(), before);
    let report = store.collect(|| roots(&[kept]), now()).unwrap();
    assert_eq!(report.reachable, kept_blocks.len() as u64);
    assert_eq!(report.deleted, gone_blocks.len() as u64);
    assert!(report.packs_removed > 0);
    assert!(
        store.stat().disk_bytes < before.disk_bytes / 2,
        "{:?}",
        store.stat()
    );
    for lose_index in [false, true] {
        let copied = dirs.copy();
        if lose_index {
            std::fs::remove_dir_all(copied.path().join("state")).unwrap();
        }
        let again = dirs.open_in(copied.path());
        assert!(kept_blocks.iter().all(|b| again.read(&b.cid).unwrap() == b.bytes));
        assert!(gone_blocks.iter().all(|b| !again.contains(&b.cid)));
        assert_eq!(again.stat().blocks, kept_blocks.len() as u64);
    }
}

#[test]
fn grace_and_pins_protect() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    let (old, pinned, young) = (block(1, 100), block(2, 100), block(3, 100));
    put(&store, &[old.clone(), pinned.clone()]);
    dirs.time.advance(Duration::from_secs(100));
    put(&store, std::slice::from_ref(&young));
    let pin = store.pin(&[pinned.cid]);
    let options = CollectOptions {
        grace: Duration::from_secs(50),
        ..CollectOptions::default()
    };
    let report = store.collect(|| roots(&[]), options).unwrap();
    assert_eq!((report.deleted, report.protected), (1, 2));
    assert!(!store.contains(&old.cid) && store.contains(&pinned.cid) && store.contains(&young.cid));
    drop(pin);
    assert_eq!(store.collect(|| roots(&[]), now()).unwrap().deleted, 2);
}

#[test]
fn a_put_that_finds_a_block_about_to_be_swept_keeps_it() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    let dead = block(1, 100);
    put(&store, std::slice::from_ref(&dead));
    // While the roots are gathered, somebody stores the same block again, refers to it and lets go of the pin.
    let report = store.collect(
        || {
            put(&store, std::slice::from_ref(&dead));
            roots(&[])
        },
        now(),
    );
    assert_eq!(report.unwrap().deleted, 0);
    assert_eq!(store.read(&dead.cid).unwrap(), dead.bytes);
}

#[test]
fn where_a_node_cannot_be_read_nothing_is_deleted() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    let garbage = block(9, 10);
    put(&store, std::slice::from_ref(&garbage));
    let missing = Block::dag_pb(Bytes::from_static(b"\x0a\x02\x08\x02"));
    let report = store.collect(|| roots(&[missing.cid]), now()).unwrap();
    assert_eq!((report.unreadable, report.deleted), (1, 0));
    let failing = store.collect(|| vec![Err(BlockError::Full)], now());
    assert!(matches!(failing, Err(BlockError::Full)));
    assert!(store.contains(&garbage.cid));
}

#[test]
fn puts_reads_and_collections_at_once_lose_nothing() {
    let dirs = Dirs::new(40_000);
    let store = dirs.open();
    let referred = std::sync::Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..3u64)
            .map(|thread| {
                let (store, referred) = (store.clone(), &referred);
                scope.spawn(move || {
                    for n in 0..300u64 {
                        // The same blocks come and go.
                        let block = block((n * 7 + thread) % 60, 800);
                        let pin = store
                            .append_unsynced(&[(block.cid, block.bytes.clone())])
                            .unwrap();
                        referred.lock().unwrap().insert(block.cid, block.bytes.clone());
                        drop(pin);
                        assert_eq!(store.read(&block.cid).unwrap(), block.bytes);
                        if n % 3 == 0 {
                            // As a deleted object: no reader expects it from here on.
                            let other = common::block((n * 11 + thread) % 60, 800).cid;
                            if thread == 0 {
                                referred.lock().unwrap().remove(&other);
                            }
                        }
                    }
                })
            })
            .collect();
        while workers.iter().any(|worker| !worker.is_finished()) {
            let named = || {
                referred
                    .lock()
                    .unwrap()
                    .keys()
                    .map(|cid| Ok(*cid))
                    .collect::<Vec<_>>()
            };
            store
                .collect(
                    named,
                    CollectOptions {
                        compact_percent: 20,
                        ..now()
                    },
                )
                .unwrap();
        }
    });
    let referred = referred.into_inner().unwrap();
    for (cid, bytes) in &referred {
        assert_eq!(store.read(cid).unwrap(), bytes);
    }
    store
        .collect(|| referred.keys().map(|cid| Ok(*cid)).collect::<Vec<_>>(), now())
        .unwrap();
    assert_eq!(store.stat().blocks, referred.len() as u64);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Files as they were at any moment of a collection, with whatever was not written yet missing.
    #[test]
    fn a_kill_at_any_moment_of_a_collection_loses_nothing(
        keep in proptest::collection::vec(any::<bool>(), 60), lose_index in any::<bool>(), again in any::<bool>(),
    ) {
        let dirs = Dirs::new(8_000);
        let store = dirs.open();
        let blocks: Vec<_> = (0..60).map(|n| block(n, (n as usize * 131) % 900 + 1)).collect();
        put(&store, &blocks);
        store.sync().unwrap();
        let kept: Vec<&Block> = blocks.iter().zip(&keep).filter(|(_, keep)| **keep).map(|(b, _)| b).collect();
        let named: Vec<Cid> = kept.iter().map(|b| b.cid).collect();
        let stop = std::sync::atomic::AtomicBool::new(false);
        let copies = std::thread::scope(|scope| {
            let copier = scope.spawn(|| {
                let mut copies = Vec::new();
                while !stop.load(std::sync::atomic::Ordering::Relaxed) && copies.len() < 12 {
                    copies.extend(snapshot(&dirs));
                }
                copies
            });
            store.collect(|| roots(&named), now()).unwrap();
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
            copier.join().unwrap()
        });
        for copied in copies {
            if lose_index {
                std::fs::remove_dir_all(copied.path().join("state")).unwrap();
            }
            let store = dirs.open_in(copied.path());
            for block in &kept {
                prop_assert_eq!(&store.read(&block.cid).unwrap(), &block.bytes);
            }
            if again {
                store.collect(|| roots(&named), now()).unwrap();
                prop_assert_eq!(store.stat().blocks, named.len() as u64);
                drop(store);
                std::fs::remove_dir_all(copied.path().join("state")).unwrap();
                prop_assert_eq!(dirs.open_in(copied.path()).stat().blocks, named.len() as u64);
            }
        }
    }
}

/// A copy of all files; `None` where they changed while they were copied, which no kill could look like.
fn snapshot(dirs: &Dirs) -> Option<tempfile::TempDir> {
    let look = || {
        let mut files = BTreeMap::new();
        for dir in [dirs.packs(), dirs.state()] {
            for entry in std::fs::read_dir(dir).ok()? {
                let path = entry.ok()?.path();
                let bytes = std::fs::read(&path).ok()?;
                files.insert(path.strip_prefix(dirs.root.path()).ok()?.to_owned(), bytes);
            }
        }
        Some(files)
    };
    let (files, same) = (look()?, look()?);
    if files != same {
        return None;
    }
    let copied = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        let to = copied.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::write(to, bytes).unwrap();
    }
    Some(copied)
}

#[test]
fn what_a_pinned_node_reaches_is_kept_whenever_the_pin_came() {
    let dirs = Dirs::new(30_000);
    let store = dirs.open();
    for (seed, late) in [(1, false), (2, true)] {
        let (root, blocks) = file(&store, seed, 9);
        let mut pin = (!late).then(|| store.pin(&[root]));
        let report = store.collect(
            || {
                // Somebody copies the tree whose last name has just gone.
                pin.get_or_insert_with(|| store.pin(&[root]));
                roots(&[])
            },
            now(),
        );
        assert_eq!(report.unwrap().deleted, 0, "late: {late}");
        drop(pin);
        let report = store.collect(|| roots(&[]), now()).unwrap();
        assert_eq!(report.deleted, blocks.len() as u64);
    }
}
