//! What is measured, in which order: Stead and its peers by turns within every round.

use super::peers::{self, Peer};
use super::table::Cell;
use super::work::{self, Object, Sample};
use crate::{Outcome, process};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Debug)]
pub struct Scale {
    /// Rounds of everything.
    pub rounds: u64,
    /// Of one window of small requests.
    pub window: Duration,
    /// Objects of the large scenarios, in bytes.
    pub large: u64,
    /// Objects in the full bucket.
    pub million: u64,
}

/// Results by scenario and peer, in the order in which they came.
#[derive(Default)]
pub struct Results {
    cells: Vec<(String, &'static str, Cell)>,
    /// Resident bytes by peer, idle and after everything.
    pub memory: BTreeMap<&'static str, (u64, u64)>,
}

impl Results {
    fn push(&mut self, scenario: &str, peer: &Peer, sample: &Sample) {
        println!(
            "  {:<22} {:<14} {:>9.0}/s {:>8.1} MiB/s  cpu {:>7.0} us  p50 {:>7} us  p99 {:>7} us",
            scenario,
            peer.name,
            sample.measured.rate(),
            sample.measured.mib_s(),
            sample.cpu_us,
            sample.measured.latency_us(0.5),
            sample.measured.latency_us(0.99)
        );
        let own = |(name, by, _): &&mut (String, &'static str, Cell)| name == scenario && *by == peer.name;
        match self.cells.iter_mut().find(own) {
            Some((_, _, cell)) => cell.push(sample),
            None => {
                let mut cell = Cell::default();
                cell.push(sample);
                self.cells.push((scenario.to_owned(), peer.name, cell));
            }
        }
    }

    /// All, in order.
    pub fn cells(&self) -> impl Iterator<Item = (&str, &'static str, &Cell)> {
        self.cells
            .iter()
            .map(|(scenario, peer, cell)| (scenario.as_str(), *peer, cell))
    }

    /// One.
    pub fn cell(&self, scenario: &str, peer: &str) -> Cell {
        let found = self
            .cells()
            .find(|(name, by, _)| *name == scenario && *by == peer);
        found.map(|(_, _, cell)| cell.clone()).unwrap_or_default()
    }
}

/// Names of the scenarios.
pub const PUT_4K: &str = "PUT 4 KiB × 32";
/// See [`PUT_4K`].
pub const GET_4K: &str = "GET 4 KiB × 32";

/// The name of a large scenario.
pub fn large(verb: &str, clients: u64) -> String {
    format!("{verb} 256 MiB × {clients}")
}

const SMALL_CLIENTS: usize = 32;
/// Objects that the small GETs go round.
const SMALL_SET: u64 = 2_000;

/// Starts everything that is measured together.
pub fn everybody(binary: Option<&Path>, dir: &Path, wanted: &[String]) -> Outcome<Vec<Peer>> {
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|own| own == name);
    let mut all = Vec::new();
    if let Some(binary) = binary.filter(|_| wants("stead")) {
        all.push(peers::stead(binary, dir, None)?.0);
        work::make_bucket(&all[0])?;
    }
    if wants("garage") {
        all.push(peers::garage(dir, false)?);
    }
    if wants("garage-fsync") {
        all.push(peers::garage(dir, true)?);
    }
    if wants("s3s-fs") {
        all.push(peers::s3s_fs(dir)?);
    }
    if wants("nginx") {
        all.push(peers::nginx(dir)?);
    }
    std::thread::sleep(Duration::from_secs(3));
    Ok(all)
}

/// Notes what each holds before anything was asked of it.
pub fn idle_memory(everybody: &[Peer], results: &mut Results) -> Outcome {
    for peer in everybody {
        results
            .memory
            .insert(peer.name, (process::resident(peer.pid())?, 0));
    }
    Ok(())
}

/// Notes what each holds now.
pub fn final_memory(everybody: &[Peer], results: &mut Results) -> Outcome {
    for peer in everybody {
        let now = process::resident(peer.pid())?;
        results.memory.entry(peer.name).or_default().1 = now;
    }
    Ok(())
}

/// 4 KiB objects, 32 clients.
pub fn small(everybody: &[Peer], scale: &Scale, results: &mut Results) -> Outcome {
    let writers = || everybody.iter().filter(|peer| peer.name != "nginx");
    let set: Vec<Object> = (0..SMALL_SET).map(|id| Object::new(id, 4_096)).collect();
    for peer in writers().filter(|peer| peer.name != "Garage, fsync") {
        let signer = work::signer(peer);
        work::all(
            peer,
            SMALL_CLIENTS,
            set.iter().map(|object| object.put(&signer, true)).collect(),
        )?;
    }
    let mut next_id = 1_000_000;
    for _ in 0..scale.rounds {
        for peer in writers() {
            let most = if peer.name == "Garage, fsync" {
                2_000
            } else {
                24_000
            };
            let most = most * scale.window.as_secs().max(1);
            let signer = work::signer(peer);
            let requests: Vec<_> = (next_id..next_id + most)
                .map(|id| Object::new(id, 4_096).put(&signer, true))
                .collect();
            next_id += most;
            let mut requests = requests.into_iter();
            let sample = work::measure(peer, SMALL_CLIENTS, scale.window, &mut || requests.next())?;
            results.push(PUT_4K, peer, &sample);
        }
        for peer in writers().filter(|peer| peer.name != "Garage, fsync") {
            let signer = work::signer(peer);
            let requests: Vec<_> = set.iter().map(|object| object.get(&signer)).collect();
            let mut requests = requests.iter().cycle().cloned();
            let sample = work::measure(peer, SMALL_CLIENTS, scale.window, &mut || requests.next())?;
            results.push(GET_4K, peer, &sample);
        }
    }
    Ok(())
}

/// Large objects, 1 and 4 clients. nginx serves files with the same bytes.
pub fn large_objects(everybody: &[Peer], dir: &Path, scale: &Scale, results: &mut Results) -> Outcome {
    let mut next_id = 100;
    for round in 0..scale.rounds {
        for clients in [1_u64, 4] {
            let count = clients.max(2);
            let objects: Vec<Object> = (next_id..next_id + count)
                .map(|id| Object::new(id, scale.large))
                .collect();
            next_id += count;
            if everybody.iter().any(|peer| peer.name == "nginx") {
                give_to_nginx(dir, &objects)?;
            }
            for peer in everybody.iter().filter(|peer| peer.name != "nginx") {
                let signer = work::signer(peer);
                // Nobody is to wait for the disk because of what another has left unwritten.
                rustix::fs::sync();
                let puts = objects.iter().map(|object| object.put(&signer, false)).collect();
                results.push(
                    &large("PUT", clients),
                    peer,
                    &work::all(peer, clients as usize, puts)?,
                );
            }
            for peer in everybody.iter().filter(|peer| peer.name != "Garage, fsync") {
                let signer = work::signer(peer);
                let gets = objects
                    .iter()
                    .chain(&objects)
                    .map(|object| object.get(&signer))
                    .collect();
                results.push(
                    &large("GET", clients),
                    peer,
                    &work::all(peer, clients as usize, gets)?,
                );
            }
        }
        println!("  round {} of {} done", round + 1, scale.rounds);
    }
    Ok(())
}

fn give_to_nginx(dir: &Path, objects: &[Object]) -> Outcome {
    let root = dir.join("nginx/bench");
    std::fs::remove_dir_all(&root)?;
    for object in objects {
        let file = root.join(work::key(object.content.id));
        std::fs::create_dir_all(file.parent().unwrap_or(&root))?;
        let mut out = std::io::BufWriter::new(std::fs::File::create(file)?);
        let mut written = Ok(());
        object.content.pieces(0, object.content.size, |piece| {
            written = std::io::Write::write_all(&mut out, piece);
            written.is_ok()
        });
        written?;
    }
    Ok(())
}

/// What a full bucket costs.
#[derive(Clone, Debug, Default)]
pub struct Full {
    /// Objects in it.
    pub objects: u64,
    /// Puts a second while it was filled.
    pub load_rate: f64,
    /// Listing of 1,000 keys, in milliseconds.
    pub list_p50_ms: f64,
    /// See `list_p50_ms`.
    pub list_p99_ms: f64,
    /// From the start of the process to its ready line, after a clean stop.
    pub ready_s: f64,
    /// The same after SIGKILL right behind the load.
    pub ready_after_kill_s: f64,
    /// Resident bytes after the load, and after a restart and the listings.
    pub resident: (u64, u64),
}

/// Fills one bucket and starts again on it.
pub fn full_bucket(binary: &Path, dir: &Path, scale: &Scale) -> Outcome<Full> {
    let (peer, _) = peers::stead(binary, dir, None)?;
    work::make_bucket(&peer)?;
    let begin = Instant::now();
    let mut at = 0;
    while at < scale.million {
        let until = (at + 20_000).min(scale.million);
        let signer = work::signer(&peer);
        let batch = (at..until)
            .map(|id| Object::new(id, 100).put(&signer, true))
            .collect();
        work::all(&peer, 64, batch)?;
        at = until;
        if at % 100_000 == 0 {
            println!(
                "  {at} objects, {:.0}/s",
                at as f64 / begin.elapsed().as_secs_f64()
            );
        }
    }
    let load_rate = scale.million as f64 / begin.elapsed().as_secs_f64();
    let after_load = process::resident(peer.pid())?;
    let key = peer.key.clone();
    // SIGKILL right behind the last answer: what no checkpoint has seen yet is in the Raft log alone.
    peer.kill();
    let (peer, ready_after_kill) = peers::stead(binary, dir, Some(&key))?;
    peer.stop()?;
    let (peer, ready) = peers::stead(binary, dir, Some(&key))?;
    let signer = work::signer(&peer);
    let mut random = crate::content::Random::new(11);
    let listings = (0..300).map(|_| {
        let id = random.below(scale.million.saturating_sub(1_100).max(1));
        work::list(&signer, &work::key(id))
    });
    let listed = work::all(&peer, 1, listings.collect())?.measured;
    let after = process::resident(peer.pid())?;
    peer.stop()?;
    Ok(Full {
        objects: scale.million,
        load_rate,
        list_p50_ms: f64::from(listed.latency_us(0.5)) / 1_000.0,
        list_p99_ms: f64::from(listed.latency_us(0.99)) / 1_000.0,
        ready_s: ready.as_secs_f64(),
        ready_after_kill_s: ready_after_kill.as_secs_f64(),
        resident: (after_load, after),
    })
}

/// From the start of a process on a new directory to its first object stored and read, in seconds.
pub fn first_start(binary: &Path, dir: &Path) -> Outcome<(f64, f64)> {
    let begin = Instant::now();
    let (peer, ready) = peers::stead(binary, dir, None)?;
    work::make_bucket(&peer)?;
    let object = Object::new(1, 100);
    let signer = work::signer(&peer);
    work::all(&peer, 1, vec![object.put(&signer, true), object.get(&signer)])?;
    let served = begin.elapsed();
    peer.stop()?;
    Ok((ready.as_secs_f64(), served.as_secs_f64()))
}
