//! Two nodes on loopback: blocks go from one to the other, and nothing else does.
#![allow(clippy::unwrap_used)]

use async_trait::async_trait;
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use stead_event::{Cid, cids};
use stead_gateway::listen::Runtime;
use stead_gateway::{Metrics, TaskKind};
use stead_gateway_bitswap::{Bitswap, Blocks, FetchError};
use stead_runtime::{Clock, Tasks};

#[derive(Default)]
struct Kept(HashMap<Cid, Bytes>);

#[async_trait]
impl Blocks for Kept {
    async fn get(&self, cid: &Cid) -> Option<Bytes> {
        self.0.get(cid).cloned()
    }

    async fn has(&self, cid: &Cid) -> bool {
        self.0.contains_key(cid)
    }
}

struct Running {
    node: Bitswap,
    runtime: Runtime,
}

async fn start(seed: u8, listen: &str, blocks: Kept) -> Running {
    let runtime = Runtime {
        clock: Clock::system(),
        tasks: Tasks::new(),
        metrics: Metrics::new(),
    };
    let listen: Vec<String> = [listen]
        .iter()
        .filter(|text| !text.is_empty())
        .map(ToString::to_string)
        .collect();
    let node = Bitswap::start([seed; 32], &listen, Arc::new(blocks), runtime.clone())
        .await
        .unwrap();
    Running { node, runtime }
}

impl Running {
    /// Every task ends in time.
    async fn stop(self) {
        self.runtime.tasks.shutdown();
        for kind in [TaskKind::Listener, TaskKind::Background] {
            let left = self.runtime.tasks.drain(kind, Duration::from_secs(5)).await;
            assert_eq!(left, 0, "{:?}", self.runtime.tasks.list());
        }
    }
}

fn block(number: usize, bytes: usize) -> (Cid, Bytes) {
    let data: Vec<u8> = (0..bytes).map(|at| (at * 7 + number * 13) as u8).collect();
    (cids::raw(&data), data.into())
}

async fn exchange(listen: &str) {
    let mut blocks = Kept::default();
    let mut all: Vec<(Cid, Bytes)> = (0..64).map(|number| block(number, 1 + number * 700)).collect();
    all.extend((0..4).map(|number| block(number, 1 << 20)));
    blocks.0.extend(all.iter().cloned());
    let (there, here) = (
        start(1, listen, blocks).await,
        start(2, "", Kept::default()).await,
    );
    let from = there.node.addresses();
    assert!(from[0].ends_with(&there.node.peer_id()), "{from:?}");
    let fetches = all.iter().map(|(cid, _)| here.node.fetch(cid, &from));
    let fetched = futures::future::join_all(fetches).await;
    for (fetched, (cid, bytes)) in fetched.into_iter().zip(&all) {
        assert!(fetched.unwrap() == bytes, "{cid}");
    }
    assert_eq!((here.node.connected(), there.node.connected()), (1, 1));
    let (absent, _) = block(999, 5);
    let refused = here.node.fetch(&absent, &from).await.unwrap_err();
    assert!(matches!(refused, FetchError::Absent(_)), "{refused}");
    // The same block by the name that older programs write.
    let node = Bytes::from_static(b"\n\x04\x08\x01\x18\0");
    let old = Cid::new_v0(*cids::dag_pb(&node).hash()).unwrap();
    let refused = here.node.fetch(&old, &from).await.unwrap_err();
    assert!(matches!(refused, FetchError::Absent(_)), "{refused}");
    here.stop().await;
    there.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_exchanged_over_tcp() {
    exchange("/ip4/127.0.0.1/tcp/0").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_exchanged_over_quic() {
    exchange("/ip4/127.0.0.1/udp/0/quic-v1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_than_those_asked_for_are_refused_and_the_next_peer_is_asked() {
    let (cid, bytes) = block(1, 5000);
    let mut lies = Kept::default();
    lies.0.insert(cid, Bytes::from_static(b"something else"));
    let mut truth = Kept::default();
    truth.0.insert(cid, bytes.clone());
    let liar = start(3, "/ip4/127.0.0.1/tcp/0", lies).await;
    let honest = start(4, "/ip4/127.0.0.1/tcp/0", truth).await;
    let here = start(5, "", Kept::default()).await;
    let refused = here.node.fetch(&cid, &liar.node.addresses()).await.unwrap_err();
    assert!(matches!(refused, FetchError::Wrong(_)), "{refused}");
    let both = [liar.node.addresses(), honest.node.addresses()].concat();
    assert_eq!(here.node.fetch(&cid, &both).await.unwrap(), bytes);
    for node in [here, honest, liar] {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_be_reached_or_is_somebody_else_is_said_to_be_so() {
    let there = start(6, "/ip4/127.0.0.1/tcp/0", Kept::default()).await;
    let here = start(7, "", Kept::default()).await;
    let (cid, _) = block(1, 10);
    let address = there.node.addresses()[0].clone();
    let other = address.replace(&there.node.peer_id(), &here.node.peer_id());
    for wrong in ["", "/ip4/127.0.0.1/tcp/4001", "http://127.0.0.1", &address[..20]] {
        let refused = here.node.fetch(&cid, &[wrong.into()]).await.unwrap_err();
        assert!(matches!(refused, FetchError::Address(_)), "{wrong}: {refused}");
    }
    let third = start(8, "", Kept::default()).await;
    let refused = third.node.fetch(&cid, &[other]).await.unwrap_err();
    assert!(matches!(refused, FetchError::Unreachable(..)), "{refused}");
    there.stop().await;
    let refused = here.node.fetch(&cid, &[address]).await.unwrap_err();
    assert!(matches!(refused, FetchError::Unreachable(..)), "{refused}");
    here.stop().await;
    third.stop().await;
}
