//! The local store against a model: any sequence of puts, deletions, restarts, lost indexes and kills.
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

mod common;

use common::{Dirs, block, flip, put};
use proptest::prelude::*;
use std::collections::BTreeMap;
use stead_block::{BlockError, LocalStore, Store, store_conformance};
use stead_event::Cid;

#[tokio::test]
async fn the_local_store_conforms() {
    store_conformance(&Dirs::new(1 << 30).open()).await;
    // Many packs.
    store_conformance(&Dirs::new(100_000).open()).await;
}

#[tokio::test]
async fn a_writer_streams_and_its_blocks_survive_a_kill() {
    let dirs = Dirs::new(1 << 30);
    let store = dirs.open();
    let mut writer = store.writer();
    let blocks: Vec<_> = (0..10).map(|n| block(n, 1 << 20)).collect();
    for block in &blocks {
        writer.write(block.clone()).await.unwrap();
    }
    let pin = writer.finish().await.unwrap().pin;
    assert_eq!(pin.len(), 10);
    let copied = dirs.copy();
    let again = dirs.open_in(copied.path());
    for block in &blocks {
        assert_eq!(again.read(&block.cid).unwrap(), block.bytes);
    }
    assert_eq!(again.stat().blocks, 10);
}

#[test]
fn threads_put_and_read_the_same_blocks_at_once() {
    let dirs = Dirs::new(300_000);
    let store = dirs.open();
    std::thread::scope(|scope| {
        for thread in 0..4u64 {
            let store = store.clone();
            scope.spawn(move || {
                for n in 0..200 {
                    let block = block(n / 2, (n as usize * 37) % 5000);
                    if thread % 2 == 0 {
                        put(&store, std::slice::from_ref(&block));
                    } else {
                        store.writer().write_blocking(&block).unwrap();
                    }
                    assert_eq!(store.read(&block.cid).unwrap(), block.bytes);
                    if n % 50 == 0 {
                        store.sync().unwrap();
                    }
                }
            });
        }
    });
    let expected: BTreeMap<Cid, usize> = (0..200u64)
        .map(|n| block(n / 2, (n as usize * 37) % 5000))
        .map(|b| (b.cid, b.bytes.len()))
        .collect();
    assert_eq!(store.stat().blocks, expected.len() as u64);
    assert_eq!(
        store.stat().bytes,
        expected.values().map(|len| *len as u64).sum::<u64>()
    );
    store.close().unwrap();
    drop(store);
    dirs.remove_index();
    assert_eq!(dirs.open().stat().blocks, expected.len() as u64);
}

#[test]
fn a_damaged_index_is_rebuilt_at_the_next_start() {
    let dirs = Dirs::new(100_000);
    let store = dirs.open();
    let blocks: Vec<_> = (0..500).map(|n| block(n, 300)).collect();
    put(&store, &blocks);
    store.close().unwrap();
    drop(store);
    let index = dirs.state().join("blocks.redb");
    let len = std::fs::metadata(&index).unwrap().len();
    for round in 0..20 {
        flip(&index, (len * 8 / 20) * round + 13);
        let store = dirs.open();
        for block in &blocks {
            match store.read(&block.cid) {
                Ok(bytes) => assert_eq!(bytes, block.bytes),
                // Found only now: the index is rebuilt behind our back.
                Err(BlockError::IndexRebuilding) => {
                    store.close().unwrap();
                    assert_eq!(store.read(&block.cid).unwrap(), block.bytes);
                }
                Err(e) => panic!("{e}"),
            }
        }
        assert_eq!(store.stat().blocks, 500);
        store.close().unwrap();
    }
}

#[test]
fn an_index_found_damaged_while_running_is_rebuilt_under_new_writes() {
    let dirs = Dirs::new(1 << 20);
    let store = dirs.open();
    let blocks: Vec<_> = (0..20_000).map(|n| block(n, 20)).collect();
    put(&store, &blocks);
    store.close().unwrap();
    drop(store);
    let store = dirs.open();
    // Every page but the first ones goes bad under the running store.
    let index = dirs.state().join("blocks.redb");
    let bytes = std::fs::read(&index).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(&index).unwrap();
    for page in 8..bytes.len() / 4096 {
        use std::os::unix::fs::FileExt;
        file.write_all_at(&[bytes[page * 4096 + 100] ^ 1], (page * 4096 + 100) as u64)
            .unwrap();
    }
    let fresh = block(1_000_000, 50);
    put(&store, std::slice::from_ref(&fresh));
    // One of these meets a bad page; from then on answers are either right or an error that says so.
    for block in &blocks {
        match store.read(&block.cid) {
            Ok(bytes) => assert_eq!(bytes, block.bytes),
            Err(BlockError::IndexRebuilding) => break,
            Err(e) => panic!("{e}"),
        }
    }
    // Already stored, but the store may not know it at the moment.
    put(&store, &blocks[..10]);
    store.close().unwrap();
    assert_eq!(store.stat().blocks, 20_001);
    for block in blocks.iter().chain([&fresh]) {
        assert_eq!(store.read(&block.cid).unwrap(), block.bytes);
    }
    store.close().unwrap();
    drop(store);
    assert_eq!(dirs.open().stat().blocks, 20_001);
}

#[derive(Clone, Debug)]
enum Step {
    Put(Vec<u64>),
    PutDurable(u64),
    Delete(u64),
    Sync,
    WriteIndex,
    /// Stop (cleanly or not) and start again, perhaps without the index.
    Restart {
        clean: bool,
        lose_index: bool,
    },
    /// Start again on a copy of the files with so many bytes cut from the end of the last pack.
    Torn {
        cut: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::collection::vec(0..40u64, 1..12).prop_map(Step::Put),
        2 => (0..40u64).prop_map(Step::PutDurable),
        4 => (0..40u64).prop_map(Step::Delete),
        1 => Just(Step::Sync),
        2 => Just(Step::WriteIndex),
        2 => any::<(bool, bool)>().prop_map(|(clean, lose_index)| Step::Restart { clean, lose_index }),
        1 => (0..5000u64).prop_map(|cut| Step::Torn { cut }),
    ]
}

/// By seed, which also gives the length.
type Model = BTreeMap<u64, stead_block::Block>;

fn compare(store: &LocalStore, model: &Model) {
    for block in model.values() {
        assert_eq!(store.read(&block.cid).unwrap(), block.bytes);
    }
    assert_eq!(store.stat().blocks, model.len() as u64);
    assert_eq!(
        store.stat().bytes,
        model.values().map(|b| b.bytes.len() as u64).sum::<u64>()
    );
}

fn torn(dirs: &Dirs, model: &Model, cut: u64) {
    let copied = dirs.copy();
    let Some(last) = common::pack_files(copied.path()).pop() else {
        return;
    };
    let file = std::fs::OpenOptions::new().write(true).open(&last).unwrap();
    let len = file.metadata().unwrap().len();
    file.set_len(len.saturating_sub(cut).max(192)).unwrap();
    let store = dirs.open_in(copied.path());
    for block in model.values() {
        // Whole, or known to be missing or damaged: never other bytes.
        match store.read(&block.cid) {
            Ok(bytes) => assert_eq!(bytes, block.bytes),
            Err(BlockError::NotFound(cid)) if cid == block.cid => {}
            Err(BlockError::Damaged { cid, .. }) if *cid == block.cid => {}
            Err(e) => panic!("{e}"),
        }
        // And it can be stored again.
        put(&store, std::slice::from_ref(block));
        assert_eq!(store.read(&block.cid).unwrap(), block.bytes);
    }
    store.close().unwrap();
    drop(store);
    let store = dirs.open_in(copied.path());
    compare(&store, model);
}

fn run(steps: Vec<Step>) {
    let dirs = Dirs::new(20_000);
    let mut store = dirs.open();
    let mut model = Model::new();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let make = |seed: u64| block(seed, (seed as usize * 997) % 6000);
    for step in steps {
        match step {
            Step::Put(seeds) => {
                let blocks: Vec<_> = seeds.iter().map(|seed| make(*seed)).collect();
                put(&store, &blocks);
                model.extend(seeds.into_iter().zip(blocks));
            }
            Step::PutDurable(seed) => {
                runtime.block_on(store.put(vec![make(seed)])).unwrap();
                model.insert(seed, make(seed));
            }
            Step::Delete(seed) => {
                let there = runtime.block_on(store.delete(&make(seed).cid)).unwrap();
                assert_eq!(there, model.remove(&seed).is_some());
            }
            Step::Sync => store.sync().unwrap(),
            Step::WriteIndex => store.close().unwrap(),
            Step::Restart { clean, lose_index } => {
                if clean {
                    store.close().unwrap();
                }
                drop(store);
                if lose_index {
                    dirs.remove_index();
                }
                store = dirs.open();
                compare(&store, &model);
            }
            Step::Torn { cut } => torn(&dirs, &model, cut),
        }
    }
    compare(&store, &model);
    let listed = runtime.block_on(store.list(None, 1000)).unwrap();
    assert_eq!(listed.len(), model.len());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn the_store_does_what_a_map_does(steps in proptest::collection::vec(step(), 1..60)) {
        run(steps);
    }
}
