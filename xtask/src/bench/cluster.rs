//! `cargo xtask bench cluster`: three nodes of Stead beside three of Garage on this machine, every object on all.

use super::page::{Row, Section};
use super::peers::{self, Peer};
use super::table::{Cell, Figure, number};
use super::work::{self, Object, Sample};
use crate::args::Args;
use crate::server::{Build, Server, Settings, binary};
use crate::{Outcome, paths, process};
use std::path::Path;
use std::time::{Duration, Instant};

const NODES: usize = 3;
const CLIENTS: usize = 32;
const LARGE: u64 = 64 << 20;
/// How long the idle cluster is watched.
const IDLE: Duration = Duration::from_secs(20);

/// Three nodes; the last one is asked, and does not lead unless it was made to.
struct Cluster {
    settings: Vec<Settings>,
    servers: Vec<Option<Server>>,
    formed: Duration,
}

impl Cluster {
    fn start(binary: &Path, dir: &Path) -> Outcome<Self> {
        let begin = Instant::now();
        let settings: Vec<Settings> = (1..=NODES)
            .map(|number| {
                let own = dir.join(format!("stead-{number}"));
                Settings::new(binary, &own, &own.with_extension("log"))
            })
            .collect();
        let mut servers = vec![Some(Server::start(&settings[0], None)?)];
        for one in &settings[1..] {
            servers.push(Some(Server::join(one, &settings[0])?));
        }
        let mut cluster = Self {
            settings,
            servers,
            formed: Duration::ZERO,
        };
        cluster.settle()?;
        cluster.formed = begin.elapsed();
        Ok(cluster)
    }

    fn status(&self, at: usize) -> Outcome<serde_json::Value> {
        let said = process::output(&mut self.settings[at].stead(&["status", "--json"]))?;
        Ok(serde_json::from_str(&said)?)
    }

    /// Waits until every node votes and may be lost.
    fn settle(&self) -> Outcome {
        let until = Instant::now() + Duration::from_secs(60);
        while self.status(0)?["can_lose"] != 1 {
            if Instant::now() > until {
                return Err("the cluster does not settle".into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn server(&self, at: usize) -> Outcome<&Server> {
        self.servers[at]
            .as_ref()
            .ok_or_else(|| "that node does not run".into())
    }

    /// Which of them leads.
    fn leader(&self) -> Outcome<usize> {
        for at in 0..NODES {
            let status = self.status(at)?;
            if status["leader"] == status["node"] {
                return Ok(at);
            }
        }
        Err("nobody leads".into())
    }

    /// Kills whoever leads and answers after how many seconds another node has stored something.
    fn lose_the_leader(&mut self, round: u64) -> Outcome<f64> {
        let leader = self.leader()?;
        let other = (leader + 1) % NODES;
        let mut client = self.server(other)?.client();
        let lost = self.servers[leader].take().ok_or("it does not run")?;
        let key = lost.key.clone();
        lost.kill()?;
        let begin = Instant::now();
        let until = begin + Duration::from_secs(60);
        let path = format!("/{}/after-{round}", work::BUCKET);
        loop {
            let answer = client.send("PUT", &path, "", &[], b"stored");
            if answer.is_ok_and(|answer| answer.head.status == 200) {
                break;
            }
            if Instant::now() > until {
                return Err("nothing is stored any more".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let stopped = begin.elapsed().as_secs_f64();
        self.servers[leader] = Some(Server::start(&self.settings[leader], Some(&key))?);
        self.settle()?;
        Ok(stopped)
    }
}

/// `cargo xtask bench cluster [--rounds N]`
pub fn run(mut args: Args) -> Outcome {
    if cfg!(debug_assertions) {
        return super::in_release();
    }
    let rounds = args.number("--rounds", 3)?;
    let losses = args.number("--losses", 5)?;
    args.done()?;
    let dir = paths::scratch("bench-cluster")?;
    let mut cluster = Cluster::start(&binary(Build::Release)?, &dir)?;
    let (idle_cpu, idle_memory) = idle(&cluster)?;
    let asked = NODES - 1;
    let entry = cluster.servers[asked].take().ok_or("no such node")?;
    let stead = Peer::of(entry);
    work::make_bucket(&stead)?;
    let garage = peers::garages(&dir, false, NODES)?;
    let synced = peers::garages(&dir, true, NODES)?;
    let last = |peers: &[Peer]| peers.len() - 1;
    let all = [&stead, &garage[last(&garage)], &synced[last(&synced)]];
    let small = measure_small(&all, rounds)?;
    let (puts, gets) = measure_large(&all[..2], rounds)?;
    drop((garage, synced));
    let key = stead.key.clone();
    stead.stop()?;
    cluster.servers[asked] = Some(Server::start(&cluster.settings[asked], Some(&key))?);
    cluster.settle()?;
    let mut stopped = Figure::default();
    for round in 0..losses {
        stopped.push(cluster.lose_the_leader(round)?);
    }
    drop(cluster.servers);
    std::fs::remove_dir_all(&dir)?;
    let about = format!(
        "`cargo xtask bench cluster`: three nodes of Stead and three of Garage {} (replication factor 3) on one machine \
         and disk, by turns, through one node that need not lead; {rounds} rounds, {losses} lost leaders.",
        peers::GARAGE
    );
    let mut section = Section::new("A cluster of three", &about);
    let over = |mine: &Figure, theirs: &Figure| mine.median() / theirs.median();
    let times = |ratio: f64| format!("**{} ×**", number(ratio));
    section.row(&bar(
        "bare directories to three nodes that may lose one, seconds",
        "≤ 30 s",
        format!("**{}**", number(cluster.formed.as_secs_f64())),
        cluster.formed.as_secs_f64() <= 30.0,
    ));
    let [mine, plain, synced] = &small;
    let ratio = over(&mine.rate, &synced.rate);
    section.row(&bar(
        "4 KiB PUT × 32 against Garage with fsync",
        "≥ 20 ×",
        times(ratio),
        ratio >= 20.0,
    ));
    let ratio = over(&mine.rate, &plain.rate);
    section.row(&bar(
        "4 KiB PUT × 32 against Garage without",
        "≥ 2 ×",
        times(ratio),
        ratio >= 2.0,
    ));
    for (what, [mine, theirs]) in [("64 MiB PUT", &puts), ("64 MiB GET", &gets)] {
        let ratio = over(&mine.mib_s, &theirs.mib_s);
        section.row(&bar(
            &format!("{what} against Garage"),
            "≥ 2 ×",
            times(ratio),
            ratio >= 2.0,
        ));
        section.row(&said(&format!("{what}, MiB/s"), &mine.mib_s, &theirs.mib_s));
    }
    section.row(&said("4 KiB PUT × 32, per second", &mine.rate, &plain.rate));
    section.row(&said(
        "the same against Garage with fsync",
        &mine.rate,
        &synced.rate,
    ));
    section.row(&bar(
        "leader killed: seconds until another node stores something, median (least–most)",
        "≤ 3 s p99",
        format!("**{}**", stopped.spread()),
        stopped.most() <= 3.0,
    ));
    section.row(&bar(
        "idle: processor time of a node, per cent of a core, the most of three",
        "≤ 1 %",
        format!("**{}**", number(idle_cpu)),
        idle_cpu <= 1.0,
    ));
    section.row(&bar(
        "idle: resident memory of a node, MiB, the most of three",
        "≤ 60 MiB",
        format!("**{}**", number(idle_memory)),
        idle_memory <= 60.0,
    ));
    section.write()
}

fn bar(what: &str, bar: &str, figure: String, met: bool) -> Row {
    Row {
        what: what.into(),
        bar: bar.into(),
        figure,
        met: Some(met),
    }
}

fn said(what: &str, mine: &Figure, theirs: &Figure) -> Row {
    Row {
        what: what.into(),
        bar: String::new(),
        figure: format!("Stead {}, Garage {}", mine.spread(), theirs.spread()),
        met: None,
    }
}

/// Processor time of the busiest node in per cent of a core, and resident MiB of the largest.
fn idle(cluster: &Cluster) -> Outcome<(f64, f64)> {
    let pids: Vec<u32> = cluster.servers.iter().flatten().map(Server::pid).collect();
    std::thread::sleep(Duration::from_secs(5));
    let before: Vec<u64> = pids
        .iter()
        .map(|pid| process::cpu_us(*pid))
        .collect::<Outcome<_>>()?;
    std::thread::sleep(IDLE);
    let (mut cpu, mut memory) = (0.0_f64, 0.0_f64);
    for (pid, before) in pids.iter().zip(before) {
        let spent = process::cpu_us(*pid)?.saturating_sub(before) as f64;
        cpu = cpu.max(100.0 * spent / IDLE.as_micros() as f64);
        memory = memory.max(process::resident(*pid)? as f64 / f64::from(1 << 20));
    }
    Ok((cpu, memory))
}

fn told(scenario: &str, peer: &Peer, sample: &Sample) {
    println!(
        "  {scenario:<16} {:<14} {:>8.0}/s {:>8.1} MiB/s  p50 {:>7} us  p99 {:>7} us",
        peer.name,
        sample.measured.rate(),
        sample.measured.mib_s(),
        sample.measured.latency_us(0.5),
        sample.measured.latency_us(0.99)
    );
}

fn measure_small(peers: &[&Peer; 3], rounds: u64) -> Outcome<[Cell; 3]> {
    let mut cells = [Cell::default(), Cell::default(), Cell::default()];
    let mut next = 1_000_000;
    for _ in 0..rounds {
        for (peer, cell) in peers.iter().zip(&mut cells) {
            let signer = work::signer(peer);
            let requests: Vec<_> = (next..next + 60_000)
                .map(|id| Object::new(id, 4_096).put(&signer, true))
                .collect();
            next += 60_000;
            let mut requests = requests.into_iter();
            let sample = work::measure(peer, CLIENTS, Duration::from_secs(5), &mut || requests.next())?;
            told("PUT 4 KiB × 32", peer, &sample);
            cell.push(&sample);
        }
    }
    Ok(cells)
}

fn measure_large(peers: &[&Peer], rounds: u64) -> Outcome<([Cell; 2], [Cell; 2])> {
    let mut puts = [Cell::default(), Cell::default()];
    let mut gets = [Cell::default(), Cell::default()];
    let mut next = 100;
    for _ in 0..rounds {
        let objects: Vec<Object> = (next..next + 4).map(|id| Object::new(id, LARGE)).collect();
        next += 4;
        for ((peer, puts), gets) in peers.iter().zip(&mut puts).zip(&mut gets) {
            let signer = work::signer(peer);
            rustix::fs::sync();
            let requests = objects.iter().map(|object| object.put(&signer, false)).collect();
            let sample = work::all(peer, 1, requests)?;
            told("PUT 64 MiB", peer, &sample);
            puts.push(&sample);
            let requests = objects.iter().map(|object| object.get(&signer)).collect();
            let sample = work::all(peer, 1, requests)?;
            told("GET 64 MiB", peer, &sample);
            gets.push(&sample);
        }
    }
    Ok((puts, gets))
}
