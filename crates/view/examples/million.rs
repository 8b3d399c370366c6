//! Loads many objects into one bucket through the engine itself, and prints what that and reading them
//! back costs: `cargo run --release -p stead-view --example million -- [OBJECTS] [DIRECTORY]`.
//!
//! Each stage runs in a process of its own, so that memory is that stage's; loading ends as a kill would
//! end it, behind its last checkpoint.
#![allow(clippy::result_large_err)] // as in the crate itself

use bytes::Bytes;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::time::{Duration, Instant};
use stead_block::{LocalOptions, LocalStore};
use stead_event::body::{BucketCreated, ObjectPut};
use stead_event::{Body, EventId, NodeId, Principal, Tenant, TextMap, Via, cids};
use stead_log::{Append, Committed, Draft, Machine, Marker, Precondition};
use stead_runtime::{Clock, Rng, Space, Tasks};
use stead_view::{Engine, EngineOptions, ListQuery, Views};

type Outcome = Result<(), Box<dyn Error>>;

const BUCKET: &str = "million";
const BATCH: u64 = 32;
/// Batches between checkpoints: about what 64 MiB of write-ahead log hold.
const CHECKPOINT: u64 = 2048;

struct Node {
    engine: Engine,
    views: Views,
    clock: Clock,
    rng: Rng,
}

fn open(data: &Path) -> Result<Node, Box<dyn Error>> {
    let clock = Clock::system();
    let begin = clock.instant();
    let space = Space::new(data, 0);
    let tasks = Tasks::new();
    let local = LocalOptions {
        clock: clock.clone(),
        tasks: tasks.clone(),
        ..LocalOptions::default()
    };
    let store = LocalStore::open(&data.join("blocks"), &data.join("state"), local, space.clone())?;
    let blocks = begin.elapsed();
    let options = EngineOptions {
        data: data.to_owned(),
        node: NodeId("00".repeat(32)),
        cache_bytes: 32 << 20,
        rotate_bytes: 64 << 20,
        space,
        tasks,
    };
    let begin = clock.instant();
    let (engine, views, _) = Engine::open(options, store)?;
    println!(
        "open: engine {:?}, block store {blocks:?}, {}",
        begin.elapsed(),
        memory()
    );
    Ok(Node {
        engine,
        views,
        clock,
        rng: Rng::system(),
    })
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status
            .lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default();
        line.split_whitespace()
            .nth(1)
            .and_then(|kib| kib.parse::<u64>().ok())
            .unwrap_or(0)
            / 1024
    };
    format!(
        "{} MiB anonymous, {} MiB resident, {} MiB at most",
        field("RssAnon:"),
        field("VmRSS:"),
        field("VmHWM:")
    )
}

fn key(number: u64) -> String {
    // Scattered, as keys of many clients are: consecutive numbers land far apart.
    format!(
        "photos/{:02x}/{:08}.jpg",
        number.wrapping_mul(0x9e37_79b9) >> 8 & 0xff,
        number
    )
}

impl Node {
    fn draft(&self, body: impl Into<Body>) -> Draft {
        let micros = self.clock.now_micros();
        Draft {
            actor: Principal("ana".into()),
            at: stead_event::Timestamp::from_micros(micros),
            body: body.into(),
            cause: None,
            id: EventId::new(micros as u64 / 1000, self.rng.bytes()),
        }
    }

    fn via() -> Via {
        Via {
            protocol: "s3".into(),
            remote: Some("127.0.0.1:50000".into()),
            agent: Some("million".into()),
            request: None,
        }
    }

    fn put(&self, number: u64, inline: usize) -> Append {
        let mut bytes = vec![0; inline];
        self.rng.fill(&mut bytes[..inline.min(16)]);
        let cid = if inline == 0 {
            cids::raw(&number.to_be_bytes())
        } else {
            cids::raw(&bytes)
        };
        let put = ObjectPut {
            stripes: None,
            encryption: None,
            acl: Vec::new(),
            hold: false,
            owner: None,
            retention: None,
            bucket: BUCKET.into(),
            checksum: None,
            cid,
            etag: format!("{:032x}", u128::from(number) << 64),
            headers: [("content-type".to_owned(), "application/octet-stream".to_owned())].into(),
            key: key(number),
            metadata: TextMap::new(),
            parts: Vec::new(),
            size: 4096,
            source: None,
            tags: TextMap::new(),
            upload: None,
            via: Self::via(),
        };
        let blocks = if inline == 0 {
            Vec::new()
        } else {
            vec![(cid, Bytes::from(bytes))]
        };
        let require = vec![Precondition::BucketExists(BUCKET.into())];
        Append {
            node: None,
            tenant: Tenant::main(),
            require,
            events: vec![self.draft(put)],
            blocks,
        }
    }

    /// Applies one entry; answers how long that took.
    fn apply(&mut self, index: u64, appends: Vec<Append>) -> Result<Duration, Box<dyn Error>> {
        let marker = Marker {
            index,
            driver: Bytes::from_static(b"million"),
        };
        let begin = self.clock.instant();
        let outcomes = self.engine.apply(vec![Committed {
            marker,
            term: 0,
            appends,
        }])?;
        let took = begin.elapsed();
        assert!(outcomes[0].iter().all(Result::is_ok));
        Ok(took)
    }

    fn load(&mut self, objects: u64) -> Outcome {
        let created = BucketCreated {
            owner: None,
            bucket: BUCKET.into(),
            via: Self::via(),
        };
        let events = vec![self.draft(created)];
        let create = Append {
            node: None,
            tenant: Tenant::main(),
            require: Vec::new(),
            events,
            blocks: Vec::new(),
        };
        self.apply(1, vec![create])?;
        let begin = self.clock.instant();
        let (mut batches, mut checkpoints) = (Vec::new(), Vec::new());
        for batch in 0..objects.div_ceil(BATCH) {
            let numbers = batch * BATCH..objects.min((batch + 1) * BATCH);
            let appends = numbers.map(|number| self.put(number, 0)).collect();
            batches.push(self.apply(batch + 2, appends)?);
            if batch % CHECKPOINT == CHECKPOINT - 1 {
                let begin = self.clock.instant();
                self.engine.checkpoint()?;
                checkpoints.push(begin.elapsed());
            }
        }
        println!("load: {objects} objects in {:?}, {}", begin.elapsed(), memory());
        self.engine.checkpoint()?;
        println!("apply of {BATCH} puts: {}", spread(batches));
        println!("checkpoint: {}", spread(checkpoints));
        let mut inline = Vec::new();
        for batch in 0..200 {
            let appends = (0..BATCH)
                .map(|n| self.put(objects + batch * BATCH + n, 4096))
                .collect();
            inline.push(self.apply(objects + 10 + batch, appends)?);
        }
        println!("apply of {BATCH} puts with 4 KiB each inline: {}", spread(inline));
        let single = (0..500).map(|n| {
            let append = self.put(objects + 10_000 + n, 4096);
            self.apply(objects + 1_000 + n, vec![append])
        });
        println!(
            "apply of one such put: {}",
            spread(single.collect::<Result<_, _>>()?)
        );
        Ok(())
    }

    fn time<T>(&self, rounds: u64, mut work: impl FnMut(u64) -> T) -> Vec<Duration> {
        let mut taken = Vec::new();
        for round in 0..rounds {
            let begin: Instant = self.clock.instant();
            std::hint::black_box(work(round));
            taken.push(begin.elapsed());
        }
        taken
    }

    fn read(&self, objects: u64) -> Outcome {
        let picks: Vec<String> = (0..20_000).map(|_| key(self.rng.below(objects))).collect();
        let look = |round: u64| {
            let found = self
                .views
                .names()
                .and_then(|names| names.object(BUCKET, &picks[round as usize]));
            assert!(found.is_ok_and(|found| found.is_some()));
        };
        println!(
            "object(), a transaction each, anywhere: {}",
            spread(self.time(20_000, look))
        );
        let near = |round: u64| {
            let found = self
                .views
                .names()
                .and_then(|names| names.object(BUCKET, &picks[round as usize % 1000]));
            assert!(found.is_ok_and(|found| found.is_some()));
        };
        println!(
            "object(), a transaction each, in the cache: {}",
            spread(self.time(20_000, near))
        );
        let mut after = None;
        let list = |_| {
            let query = ListQuery {
                after: after.take(),
                max: 1000,
                ..ListQuery::default()
            };
            let page = self.views.names().and_then(|names| names.list(BUCKET, &query));
            after = page.ok().and_then(|page| page.next);
        };
        println!("list of 1,000: {}", spread(self.time(200, list)));
        let rolled = |_| {
            let query = ListQuery {
                prefix: "photos/".into(),
                delimiter: Some("/".into()),
                max: 1000,
                ..ListQuery::default()
            };
            let page = self.views.names().and_then(|names| names.list(BUCKET, &query));
            assert!(page.is_ok_and(|page| page.prefixes.len() == 256.min(objects as usize)));
        };
        println!("list of 256 common prefixes: {}", spread(self.time(100, rolled)));
        println!("after reading: {}", memory());
        Ok(())
    }
}

fn spread(mut taken: Vec<Duration>) -> String {
    taken.sort();
    let at = |share: usize| taken.get(taken.len() * share / 100).copied().unwrap_or_default();
    format!(
        "p50 {:?}, p99 {:?}, most {:?}",
        at(50),
        at(99),
        taken.last().copied().unwrap_or_default()
    )
}

fn stage(name: &str, objects: u64, data: &Path) -> Outcome {
    println!("-- {name}");
    let status = Command::new(std::env::current_exe()?)
        .args([objects.to_string().as_ref(), data.as_os_str(), name.as_ref()])
        .status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("stage {name} failed").into())
    }
}

fn main() -> Outcome {
    let mut arguments = std::env::args().skip(1);
    let objects = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let given = arguments.next().map(PathBuf::from);
    let name = arguments.next();
    let Some(name) = name else {
        let temporary = tempfile::tempdir()?;
        let data = given.unwrap_or(temporary.path().to_owned());
        for name in ["load", "after-kill", "after-stop"] {
            stage(name, objects, &data)?;
        }
        let size = std::fs::metadata(data.join("state/views.redb"))?.len();
        println!("view database: {} MiB", size >> 20);
        return Ok(());
    };
    let data = given.unwrap_or_default();
    std::fs::create_dir_all(&data)?;
    let mut node = open(&data)?;
    if name == "load" {
        node.load(objects)?;
        exit(0); // nothing is closed
    }
    node.read(objects)
}
