//! What every [`Store`] must do, as one function that each implementation's tests call.

use crate::{Block, BlockError, MAX_BLOCK_BYTES, Store};
use bytes::Bytes;
use std::collections::BTreeSet;
use stead_event::{Cid, cids};

fn block(n: u8, len: usize) -> Block {
    Block::raw(Bytes::from(
        (0..len)
            .map(|i| (i as u8).wrapping_mul(31).wrapping_add(n))
            .collect::<Vec<u8>>(),
    ))
}

/// Panics where `store` does not keep the promises of [`Store`]. The store must be empty.
pub async fn store_conformance(store: &dyn Store) {
    assert_eq!(
        store.stat().await.expect("stat").blocks,
        0,
        "the store must be empty"
    );
    let mut blocks: Vec<Block> = [0, 1, 64, 4096, 65_536, 1 << 20]
        .map(|len| block(1, len))
        .to_vec();
    blocks.push(Block::dag_pb(Bytes::from_static(&[0x0a, 0x02, 0x08, 0x02])));
    puts_and_gets(store, &blocks).await;
    ranges(store, &blocks[3]).await;
    refusals(store).await;
    lists(store, &blocks).await;
    deletes(store, &blocks).await;
}

async fn puts_and_gets(store: &dyn Store, blocks: &[Block]) {
    store.put(blocks.to_vec()).await.expect("put");
    // Again, and twice in one call: stored once.
    store
        .put(vec![blocks[1].clone(), blocks[1].clone()])
        .await
        .expect("put again");
    for block in blocks {
        assert!(store.has(&block.cid).await.expect("has"));
        assert_eq!(store.get(&block.cid, None).await.expect("get"), block.bytes);
    }
    let stat = store.stat().await.expect("stat");
    assert_eq!(stat.blocks, blocks.len() as u64);
    assert_eq!(
        stat.bytes,
        blocks.iter().map(|b| b.bytes.len() as u64).sum::<u64>()
    );
    let absent = block(2, 10).cid;
    assert!(!store.has(&absent).await.expect("has"));
    assert!(matches!(store.get(&absent, None).await, Err(BlockError::NotFound(cid)) if cid == absent));
}

async fn ranges(store: &dyn Store, block: &Block) {
    let len = block.bytes.len() as u64;
    for range in [0..len, 0..0, len..len, 1..2, 100..4000, len - 1..len] {
        let got = store
            .get(&block.cid, Some(range.clone()))
            .await
            .expect("get a range");
        assert_eq!(got, block.bytes[range.start as usize..range.end as usize]);
    }
    let beyond = store.get(&block.cid, Some(0..len + 1)).await;
    assert!(matches!(beyond, Err(BlockError::Range { .. })), "{beyond:?}");
}

async fn refusals(store: &dyn Store) {
    let large = Block::raw(vec![7; MAX_BLOCK_BYTES + 1].into());
    assert!(matches!(
        store.put(vec![large]).await,
        Err(BlockError::TooLarge(_))
    ));
    // identity, empty
    let foreign: Cid = "bafkqaaa".parse().expect("a CID");
    let put = store
        .put(vec![Block {
            cid: foreign,
            bytes: Bytes::new(),
        }])
        .await;
    assert!(matches!(put, Err(BlockError::Unsupported(_))), "{put:?}");
}

async fn lists(store: &dyn Store, blocks: &[Block]) {
    let all: BTreeSet<Cid> = blocks.iter().map(|b| b.cid).collect();
    for page in [1, 3, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let listed = store.list(after, page).await.expect("list");
            assert!(listed.len() <= page);
            let Some(last) = listed.last() else { break };
            after = Some(*last);
            seen.extend(listed);
        }
        assert_eq!(seen.len(), all.len(), "each once");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all);
    }
}

async fn deletes(store: &dyn Store, blocks: &[Block]) {
    let gone = &blocks[3];
    assert!(store.delete(&gone.cid).await.expect("delete"));
    assert!(!store.delete(&gone.cid).await.expect("delete again"));
    assert!(!store.has(&gone.cid).await.expect("has"));
    assert!(matches!(
        store.get(&gone.cid, None).await,
        Err(BlockError::NotFound(_))
    ));
    assert_eq!(store.stat().await.expect("stat").blocks, blocks.len() as u64 - 1);
    assert_eq!(store.list(None, 100).await.expect("list").len(), blocks.len() - 1);
    store.put(vec![gone.clone()]).await.expect("put after delete");
    assert_eq!(store.get(&gone.cid, None).await.expect("get"), gone.bytes);
    assert_eq!(cids::raw(&gone.bytes), gone.cid);
}
