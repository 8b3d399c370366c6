//! Appends per second with concurrent clients on a real disk, with a machine that does nothing.
//!
//! `cargo run --release -p stead-cluster --example append -- [clients] [seconds] [block bytes] [directory]
//! [microseconds of work for each append]`

#![allow(clippy::disallowed_methods)] // a measurement

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use stead_cluster::{ClusterOptions, start};
use stead_event::{Body, EventId, NodeId, Principal, Tenant, Timestamp, body, cids};
use stead_log::{Append, Appended, Committed, Draft, Log, Machine, MachineError, Marker, Outcome};
use stead_runtime::{Clock, Rng, Space, TaskKind, Tasks};

#[derive(Default)]
struct Trivial {
    marker: Marker,
    seq: u64,
    work: Duration,
}

impl Machine for Trivial {
    fn applied(&self) -> Marker {
        self.marker.clone()
    }

    fn apply(&mut self, entries: Vec<Committed>) -> Result<Vec<Vec<Outcome>>, MachineError> {
        let mut answers = Vec::new();
        for entry in entries {
            self.marker = entry.marker;
            let mut outcomes = Vec::new();
            for _ in entry.appends {
                self.seq += 1;
                let until = Instant::now() + self.work;
                while Instant::now() < until {}
                outcomes.push(Ok(Appended {
                    first: self.seq,
                    last: self.seq,
                }));
            }
            answers.push(outcomes);
        }
        Ok(answers)
    }

    fn checkpoint(&mut self) -> Result<Marker, MachineError> {
        Ok(self.marker.clone())
    }
}

fn append(n: u64, block: &bytes::Bytes) -> Append {
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    let via = body::Via {
        protocol: "s3".into(),
        ..Default::default()
    };
    Append {
        node: None,
        tenant: Tenant::main(),
        require: Vec::new(),
        events: vec![Draft {
            actor: Principal("ana".into()),
            at: Timestamp::from_micros(0),
            body: Body::BucketCreated(body::BucketCreated {
                owner: None,
                bucket: n.to_string(),
                via,
            }),
            cause: None,
            id: EventId::new(0, random),
        }],
        blocks: vec![(cids::raw(&n.to_be_bytes()), block.clone())],
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let mut number = |default: u64| args.next().and_then(|arg| arg.parse().ok()).unwrap_or(default);
    let (clients, seconds, bytes) = (number(32), number(5), number(4096) as usize);
    let parent = args.next().unwrap_or_else(|| "/work".into());
    let work = Duration::from_micros(args.next().and_then(|arg| arg.parse().ok()).unwrap_or(0));
    let dir = std::path::Path::new(&parent).join(format!("stead-append-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let tasks = Tasks::new();
    let space = Space::new(&dir, 0);
    let node = NodeId("00".repeat(32));
    let options = ClusterOptions::new(
        dir.join("raft"),
        node,
        Clock::system(),
        Rng::system(),
        tasks.clone(),
        space,
    );
    let begun = Instant::now();
    let log = start(
        options,
        Box::new(Trivial {
            work,
            ..Trivial::default()
        }),
    )
    .await?;
    println!("ready after {:?}", begun.elapsed());
    let block = bytes::Bytes::from(vec![7; bytes]);
    let (count, micros) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let before = log.status();
    let begun = Instant::now();
    let until = begun + Duration::from_secs(seconds);
    let mut running = Vec::new();
    for client in 0..clients {
        let (log, count, micros, block) = (log.clone(), count.clone(), micros.clone(), block.clone());
        running.push(tasks.spawn(TaskKind::Connection, "client", async move {
            let mut n = client << 40;
            while Instant::now() < until {
                let sent = Instant::now();
                log.append(append(n, &block)).await.expect("is accepted");
                micros.fetch_add(sent.elapsed().as_micros() as u64, Ordering::Relaxed);
                count.fetch_add(1, Ordering::Relaxed);
                n += 1;
            }
        }));
    }
    for client in running {
        client.await?;
    }
    let (count, took) = (count.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
    let after = log.status();
    let syncs = after.wal_syncs - before.wal_syncs;
    println!(
        "{:.0} appends/s of {bytes} bytes with {clients} clients; {:.2} ms each; {:.1} appends a sync; \
         {:.2} ms a write and sync; {:.0} syncs/s",
        count as f64 / took,
        micros.load(Ordering::Relaxed) as f64 / 1e3 / count as f64,
        count as f64 / syncs as f64,
        (after.wal_sync_micros - before.wal_sync_micros) as f64 / 1e3 / syncs as f64,
        syncs as f64 / took,
    );
    log.stop().await?;
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
