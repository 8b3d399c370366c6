//! What the gateway's own paths cost, without network and consensus: `cargo run --release -p stead-gateway
//! --example paths`. Prints microseconds an operation, or MiB a second.
#![allow(clippy::unwrap_used)] // a tool for developers

use bytes::Bytes;
use futures::StreamExt;
use http::{HeaderMap, Method};
use std::hint::black_box;
use std::sync::Arc;
use stead_block::{LocalOptions, LocalStore};
use stead_event::{NodeId, Tenant, TextMap, Via};
use stead_gateway::context::Parts;
use stead_gateway::objects::{GetRequest, Lock, PutRequest, Verify};
use stead_gateway::sigv4::{Signable, Signer, SigningKeys, parse, verify};
use stead_gateway::{Caller, Identity, Limits, Metrics, Objects, ReadContext, SecretBox, WriteContext};
use stead_log::memory::MemoryLog;
use stead_runtime::{Clock, Rng, Space, Tasks};
use stead_view::{Engine, EngineOptions};

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

async fn run() {
    let dir = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, Into::into)
        .join("stead-paths");
    let (objects, clock) = (open(&dir), Clock::system());
    let caller = Caller::new(
        Identity::local("ana"),
        Via {
            protocol: "bench".into(),
            ..Via::default()
        },
    );
    objects.create_bucket("bench", caller.clone()).await.unwrap();
    signatures(&clock);
    let small = Bytes::from(vec![7; 4096]);
    let rounds = 5000_u32;
    let start = clock.instant();
    for n in 0..rounds {
        put(&objects, &caller, &format!("small/{n}"), &small, 4096).await;
    }
    println!(
        "put 4 KiB (with fold)  {:8.1} us",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    );
    let start = clock.instant();
    for n in 0..rounds {
        let key = format!("small/{n}");
        let request = GetRequest {
            who: &caller.identity,
            bucket: "bench",
            key: &key,
            version: None,
            at: None,
            range: None,
        };
        let (_, mut opened) = objects.get(&request).await.unwrap();
        assert_eq!(opened.body.take_small().unwrap().len(), 4096);
    }
    println!(
        "get 4 KiB              {:8.1} us",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    );
    let mut large = vec![0; 256 << 20];
    Rng::seeded(1).fill(&mut large);
    let large = Bytes::from(large);
    for round in 0..2 {
        let (start, before) = (clock.instant(), cpu_seconds());
        put(
            &objects,
            &caller,
            &format!("large/{round}"),
            &large.slice(round << 10..),
            64 << 10,
        )
        .await;
        println!(
            "put 256 MiB, durable   {:8.0} MiB/s, {:.2} ms of CPU a MiB",
            256.0 / start.elapsed().as_secs_f64(),
            (cpu_seconds() - before) * 1000.0 / 256.0
        );
        let start = clock.instant();
        let key = format!("large/{round}");
        let request = GetRequest {
            who: &caller.identity,
            bucket: "bench",
            key: &key,
            version: None,
            at: None,
            range: None,
        };
        let (_, mut opened) = objects.get(&request).await.unwrap();
        while let Some(frame) = opened.body.next().await {
            black_box(frame.unwrap());
        }
        println!(
            "get 256 MiB            {:8.0} MiB/s",
            256.0 / start.elapsed().as_secs_f64()
        );
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

fn cpu_seconds() -> f64 {
    stead_gateway::metrics::process().map_or(0.0, |process| process.user_seconds + process.system_seconds)
}

async fn put(objects: &Objects, caller: &Caller, key: &str, bytes: &Bytes, frame: usize) {
    let frames = (0..bytes.len())
        .step_by(frame)
        .map(|at| Ok(bytes.slice(at..bytes.len().min(at + frame))));
    let request = PutRequest {
        protect: stead_gateway::objects::Protect::AsBucket,
        bucket: "bench".into(),
        key: key.into(),
        headers: TextMap::new(),
        metadata: TextMap::new(),
        tags: TextMap::new(),
        lock: Lock::default(),
        expect: None,
        caller: caller.clone(),
    };
    let verify = Verify {
        content_length: Some(bytes.len() as u64),
        ..Verify::default()
    };
    objects
        .put(request, futures::stream::iter(frames), verify)
        .await
        .unwrap();
}

fn signatures(clock: &Clock) {
    let signer = Signer::new(
        "SDABCDEFGHIJKLMNOPQR",
        "0123456789012345678901234567890123456789",
        "us-east-1",
    );
    let now = stead_event::Timestamp::from_micros(clock.now_micros());
    let mut headers = HeaderMap::new();
    headers.insert("host", "127.0.0.1:9000".parse().unwrap());
    signer
        .sign(
            &Method::GET,
            "/bucket/key",
            "",
            &mut headers,
            "UNSIGNED-PAYLOAD",
            now,
        )
        .unwrap();
    let request = Signable {
        method: &Method::GET,
        path: "/bucket/key",
        query: "",
        headers: &headers,
    };
    let keys = SigningKeys::new();
    let (rounds, start) = (20_000_u32, clock.instant());
    for _ in 0..rounds {
        let claim = parse(&request).unwrap();
        verify(
            &request,
            &claim,
            "0123456789012345678901234567890123456789",
            now,
            &keys,
        )
        .unwrap();
    }
    println!(
        "parse and verify sigv4 {:8.1} us",
        start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds)
    );
}

fn open(dir: &std::path::Path) -> Objects {
    let _ = std::fs::remove_dir_all(dir);
    std::fs::create_dir_all(dir).unwrap();
    let (space, tasks, node) = (Space::new(dir, 0), Tasks::new(), NodeId("0".repeat(64)));
    let options = LocalOptions {
        tasks: tasks.clone(),
        ..LocalOptions::default()
    };
    let store = LocalStore::open(&dir.join("blocks"), &dir.join("state"), options, space.clone()).unwrap();
    let options = EngineOptions {
        data: dir.to_owned(),
        node: node.clone(),
        cache_bytes: 32 << 20,
        rotate_bytes: 64 << 20,
        space: space.clone(),
        tasks: tasks.clone(),
    };
    let (engine, views, tail) = Engine::open(options, store.clone()).unwrap();
    let read = ReadContext::new(Parts {
        tenant: Tenant::main(),
        node,
        views,
        tail,
        store,
        clock: Clock::system(),
        rng: Rng::system(),
        tasks,
        space,
        metrics: Metrics::new(),
        secrets: SecretBox::new([7; 32]),
        limits: Limits::default(),
    });
    Objects::new(WriteContext::new(read, Arc::new(MemoryLog::new(engine))))
}
