//! `cargo xtask bench copies`: what copies and pieces cost on three nodes, how fast a lost node's are made again, and
//! how many nodes one machine bears. There is no peer here: the bars are of the disk and of Stead itself.

use super::content::Content;
use super::page::{Row, Section};
use super::peers::Peer;
use super::table::{Figure, number};
use super::work::{self, Object};
use crate::args::Args;
use crate::client::Client;
use crate::server::{Build, Server, Settings, binary};
use crate::{Outcome, paths, process};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const LARGE: u64 = 64 << 20;
/// Seconds instead of minutes and hours, so that what belongs elsewhere is given up while somebody watches.
const QUICK: &str = "[copies]\nevery_seconds = 2\nout_after_seconds = 5\nsurplus_after_seconds = 1\n\
                     mib_per_second = 100000\n";

/// Nodes that were started one after the other.
struct Nodes {
    dir: PathBuf,
    binary: PathBuf,
    all: Vec<(Settings, Option<Server>)>,
}

impl Nodes {
    fn new(binary: &Path, dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            binary: binary.to_owned(),
            all: Vec::new(),
        }
    }

    fn add(&mut self, toml: &str) -> Outcome {
        let own = self.dir.join(format!("node-{}", self.all.len() + 1));
        std::fs::create_dir_all(&own)?;
        std::fs::write(own.join("stead.toml"), toml)?;
        let settings = Settings::new(&self.binary, &own, &own.with_extension("log"));
        let server = match self.all.first() {
            None => Server::start(&settings, None)?,
            Some((first, _)) => Server::join(&settings, first)?,
        };
        self.all.push((settings, Some(server)));
        Ok(())
    }

    fn status(&self, at: usize) -> Outcome<Value> {
        let said = process::output(&mut self.all[at].0.stead(&["status", "--json"]))?;
        Ok(serde_json::from_str(&said)?)
    }

    fn stead(&self, words: &[&str]) -> Outcome<String> {
        process::output(&mut self.all[0].0.stead(words))
    }

    fn server(&self, at: usize) -> Outcome<&Server> {
        self.all[at]
            .1
            .as_ref()
            .ok_or_else(|| "that node does not run".into())
    }

    /// Bytes of blocks on all nodes that run.
    fn stored(&self) -> Outcome<u64> {
        let mut bytes = 0;
        for at in 0..self.all.len() {
            if self.all[at].1.is_some() {
                bytes += self.status(at)?["blocks"]["bytes"].as_u64().unwrap_or(0);
            }
        }
        Ok(bytes)
    }

    fn wait(&self, what: &str, patience: Duration, is: impl Fn(&Value) -> bool) -> Outcome<Duration> {
        let begin = Instant::now();
        loop {
            if is(&self.status(0)?) {
                return Ok(begin.elapsed());
            }
            if begin.elapsed() > patience {
                return Err(format!("it takes too long until {what}").into());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn wait_level(&self, patience: Duration) -> Outcome<Duration> {
        self.wait("every copy is where it belongs", patience, |status| {
            let nodes = status["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
            nodes
                .iter()
                .all(|node| node["state"] != "up" || node["copies"]["level"] == true)
        })
    }
}

/// `cargo xtask bench copies [--rounds N] [--gib N] [--nodes N]`
pub fn run(mut args: Args) -> Outcome {
    if cfg!(debug_assertions) {
        return super::in_release();
    }
    let rounds = args.number("--rounds", 3)?;
    let gib = args.number("--gib", 10)?;
    let nodes = args.number("--nodes", 44)?;
    args.done()?;
    let binary = binary(Build::Release)?;
    let mut section = Section::new(
        "Copies and pieces",
        &format!(
            "`cargo xtask bench copies`: all nodes on one machine and disk; {rounds} rounds, repair of {gib} GiB, {nodes} \
             nodes. No peer: see the bars."
        ),
    );
    erasure(&binary, rounds, &mut section)?;
    repair(&binary, gib, &mut section)?;
    many(&binary, nodes, &mut section)?;
    section.write()
}

fn bar(section: &mut Section, what: &str, bar: &str, figure: &str, met: bool) {
    println!("  {what}: {figure}");
    section.row(&Row {
        what: what.into(),
        bar: bar.into(),
        figure: format!("**{figure}**"),
        met: Some(met),
    });
}

/// 64 MiB objects with three copies and as 2+1, by turns; then what is stored of the latter.
fn erasure(binary: &Path, rounds: u64, section: &mut Section) -> Outcome {
    let dir = paths::scratch("bench-erasure")?;
    let mut cluster = Nodes::new(binary, &dir);
    for _ in 0..3 {
        cluster.add(QUICK)?;
    }
    cluster.wait("three vote", Duration::from_secs(60), |status| {
        status["can_lose"] == 1
    })?;
    let server = cluster.all[0].1.take().ok_or("no such node")?;
    let peer = Peer::of(server);
    let mut client = Client::new(peer.address, &peer.key);
    let (mut copies, mut pieces) = (Figure::default(), Figure::default());
    let mut next = 1;
    for (bucket, how) in [("whole", ["--copies", "3"]), ("pieces", ["--erasure", "2+1"])] {
        client.create_bucket(bucket)?;
        cluster.stead(&["bucket", "set", bucket, how[0], how[1]])?;
    }
    let signer = work::signer(&peer);
    let mut round = |bucket: &str, figure: &mut Figure| -> Outcome {
        let objects = (next..next + 4).map(|id| Object::new(id, LARGE));
        next += 4;
        let requests =
            objects.map(|object| object.put_at(&signer, &format!("/{bucket}/{}", object.content.id), false));
        let requests = requests.collect();
        rustix::fs::sync();
        figure.push(work::all(&peer, 1, requests)?.measured.mib_s());
        Ok(())
    };
    for _ in 0..rounds {
        round("whole", &mut copies)?;
        round("pieces", &mut pieces)?;
    }
    let ratio = pieces.median() / copies.median();
    bar(
        section,
        "64 MiB PUT as 2+1 against three copies",
        "≥ 0.8 ×",
        &format!(
            "{} × ({} and {} MiB/s)",
            number(ratio),
            pieces.spread(),
            copies.spread()
        ),
        ratio >= 0.8,
    );
    for id in 0..rounds * 8 {
        client.delete("whole", &(id + 1).to_string())?;
    }
    // Only what is kept as pieces is left once nobody holds what is not its own, and what is deleted is freed.
    cluster.wait_level(Duration::from_secs(120))?;
    let until = Instant::now() + Duration::from_secs(120);
    let data = (rounds * 4 * LARGE) as f64;
    let mut overhead = f64::MAX;
    while Instant::now() < until && overhead > 1.52 {
        for (settings, _) in &cluster.all {
            process::output(&mut settings.stead(&["gc", "--grace", "0s", "--retention", "0s"]))?;
        }
        std::thread::sleep(Duration::from_secs(2));
        let mut bytes = 0;
        for at in 0..3 {
            bytes += cluster.status(at)?["blocks"]["bytes"].as_u64().unwrap_or(0);
        }
        overhead = bytes as f64 / data;
    }
    bar(
        section,
        "what 2+1 stores of a byte",
        "≤ 1.52 ×",
        &format!("{overhead:.3} ×"),
        overhead <= 1.52,
    );
    peer.stop()?;
    drop(cluster);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// How fast this disk takes what is written to it and synced, in MiB/s.
fn disk(dir: &Path) -> Outcome<f64> {
    let path = dir.join("speed");
    let chunk = vec![0x5a; 8 << 20];
    let mut file = std::fs::File::create(&path)?;
    let begin = Instant::now();
    for _ in 0..128 {
        file.write_all(&chunk)?;
    }
    file.sync_all()?;
    let took = begin.elapsed().as_secs_f64();
    std::fs::remove_file(&path)?;
    Ok(1024.0 / took)
}

/// The latency that 99 of 100 requests keep, in milliseconds, of a client that puts and gets until told to stop.
fn foreground(server: &Server, over: &AtomicBool, name: &str) -> Outcome<f64> {
    let mut client = Client::new(server.address, &server.key);
    let mut took = Vec::new();
    let mut at = 0_u64;
    while !over.load(Ordering::Relaxed) || took.len() < 100 {
        let key = format!("{name}-{}", at % 500);
        let begin = Instant::now();
        match at % 2 {
            0 => drop(client.put("front", &key, &[7; 4096])?),
            _ => drop(client.get("front", &key)?),
        }
        took.push(begin.elapsed().as_secs_f64() * 1e3);
        at += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    took.sort_by(f64::total_cmp);
    Ok(took[took.len() * 99 / 100])
}

/// Three nodes hold so much; one is lost for good, and another takes its place.
fn repair(binary: &Path, gib: u64, section: &mut Section) -> Outcome {
    let dir = paths::scratch("bench-repair")?;
    let mut cluster = Nodes::new(binary, &dir);
    for _ in 0..3 {
        cluster.add(QUICK)?;
    }
    cluster.wait("three vote", Duration::from_secs(60), |status| {
        status["can_lose"] == 1
    })?;
    let mut client = Client::new(cluster.server(0)?.address, &cluster.server(0)?.key);
    for bucket in ["bulk", "front"] {
        client.create_bucket(bucket)?;
    }
    for id in 0..gib * 16 {
        let mut body = Vec::with_capacity(LARGE as usize);
        Content { id, size: LARGE }.append_to(&mut body);
        client.put("bulk", &format!("{id}"), &body)?;
    }
    cluster.wait_level(Duration::from_secs(300))?;
    let quiet = AtomicBool::new(false);
    let before = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(10));
            quiet.store(true, Ordering::Relaxed);
        });
        foreground(cluster.server(0)?, &quiet, "quiet")
    })?;
    let lost = cluster.status(2)?["node"].as_str().unwrap_or_default().to_owned();
    if let Some(server) = cluster.all[2].1.take() {
        server.kill()?;
    }
    std::fs::remove_dir_all(&cluster.all[2].0.data)?;
    let disk = disk(&dir)?;
    cluster.stead(&["node", "remove", &lost])?;
    let held = cluster.status(0)?["blocks"]["bytes"].as_u64().unwrap_or(0);
    let begin = Instant::now();
    cluster.add(QUICK)?;
    let over = AtomicBool::new(false);
    let (during, took) = std::thread::scope(|scope| -> Outcome<(f64, f64)> {
        let front = scope.spawn(|| foreground(cluster.server(0)?, &over, "busy"));
        let patience = Duration::from_secs(60 + gib * 60);
        let waited = wait_holds(&cluster, 3, held * 98 / 100, patience);
        let took = begin.elapsed().as_secs_f64();
        over.store(true, Ordering::Relaxed);
        let during = front.join().map_err(|_| "the foreground panicked")??;
        waited?;
        Ok((during, took))
    })?;
    let rate = held as f64 / f64::from(1 << 20) / took;
    bar(
        section,
        &format!("repair of {gib} GiB after a node is replaced, from its start"),
        "≥ 0.6 × the disk's write",
        &format!(
            "{} × ({} of {} MiB/s)",
            number(rate / disk),
            number(rate),
            number(disk)
        ),
        rate >= 0.6 * disk,
    );
    bar(
        section,
        "a client's p99 meanwhile against quiet, 4 KiB PUT and GET",
        "≤ 3 ×",
        &format!(
            "{} × ({} and {} ms)",
            number(during / before),
            number(during),
            number(before)
        ),
        during <= 3.0 * before,
    );
    drop(cluster);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

fn wait_holds(cluster: &Nodes, at: usize, bytes: u64, patience: Duration) -> Outcome {
    let until = Instant::now() + patience;
    while cluster.status(at)?["blocks"]["bytes"].as_u64().unwrap_or(0) < bytes {
        if Instant::now() > until {
            let stored = cluster.stored()?;
            return Err(format!("the repair does not end; {stored} bytes are stored in all").into());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}

/// So many nodes on this machine: five vote, the others follow.
fn many(binary: &Path, nodes: u64, section: &mut Section) -> Outcome {
    let dir = paths::scratch("bench-many")?;
    let mut cluster = Nodes::new(binary, &dir);
    let begin = Instant::now();
    for _ in 0..nodes {
        cluster.add("")?;
    }
    cluster.wait("all are up and five vote", Duration::from_secs(120), |status| {
        let up = status["nodes"].as_array().map_or(0, |nodes| {
            nodes.iter().filter(|node| node["state"] == "up").count()
        });
        let voters = status["voters"].as_array().map_or(0, Vec::len);
        up as u64 == nodes && voters == 5.min(nodes as usize)
    })?;
    let formed = begin.elapsed().as_secs_f64();
    bar(
        section,
        &format!("{nodes} nodes, one approval each, until all are up and five vote, seconds"),
        "≤ 120 s",
        &number(formed),
        formed <= 120.0,
    );
    std::thread::sleep(Duration::from_secs(10));
    let mut memory = 0.0_f64;
    for (_, server) in &cluster.all {
        let pid = server.as_ref().map(Server::pid).ok_or("that node does not run")?;
        memory = memory.max(process::resident(pid)? as f64 / f64::from(1 << 20));
    }
    bar(
        section,
        &format!("resident memory of a node among {nodes}, MiB, the most"),
        "≤ 60 MiB",
        &number(memory),
        memory <= 60.0,
    );
    let last = cluster.server(cluster.all.len() - 1)?;
    let mut client = Client::new(last.address, &cluster.server(0)?.key);
    client.create_bucket("many")?;
    let begin = Instant::now();
    let written = (0..20).all(|id| client.put("many", &format!("{id}"), &[1; 4096]).is_ok());
    let each = begin.elapsed().as_secs_f64() * 50.0;
    bar(
        section,
        "writes through the last one, 4 KiB, milliseconds each",
        "accepted",
        &number(each),
        written,
    );
    drop(cluster);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}
