//! `cargo xtask crash`: the process is killed under a mixed load, again and again, and starts again on what it
//! left. With `--power-cut`, whatever it did not fsync is dropped in between.
//!
//! A round: start, check everything that any earlier round acknowledged, verify the chain, load, kill at a
//! random moment. Some rounds kill during the start, some during the drain, every fifth compares the views
//! with a rebuild. The seed gives the same load and moments (the machine's timing is its own).

mod check;
mod load;
mod model;

use crate::args::Args;
use crate::content::Random;
use crate::powercut::PowerCut;
use crate::server::{Build, Server, Settings, binary};
use crate::sign::Key;
use crate::{Outcome, paths, process};
use load::Worker;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const WORKERS: usize = 6;
/// Small segments, so that rotation and sealing happen under the load too.
const SETTINGS: &str = "[storage]\nsegment_mib = 1\n";
/// A clean stop may take this long.
const STOP: Duration = Duration::from_secs(30);

struct Run {
    settings: Settings,
    random: Random,
    workers: Vec<Worker>,
    key: Option<Key>,
    disk: Option<PowerCut>,
    dropped: u64,
}

/// `cargo xtask crash [--rounds N] [--seed N] [--power-cut]`
pub fn run(mut args: Args) -> Outcome {
    let rounds = args.number("--rounds", 50)?;
    let seed = args.number("--seed", Random::fresh_seed() % 1_000_000)?;
    let power_cut = args.flag("--power-cut");
    args.done()?;
    let name = if power_cut { "power-cut" } else { "crash" };
    println!("{name}: {rounds} rounds, --seed {seed}");
    let binary = binary(Build::Test)?;
    let work = paths::scratch(name)?;
    let data = work.join("data");
    std::fs::create_dir(&data)?;
    let disk = if power_cut {
        Some(PowerCut::mount(&data)?)
    } else {
        None
    };
    std::fs::write(data.join("stead.toml"), SETTINGS)?;
    if power_cut {
        std::fs::File::open(data.join("stead.toml"))?.sync_all()?;
        std::fs::File::open(&data)?.sync_all()?;
    }
    let settings = Settings::new(&binary, &data, &work.join("stead.log"));
    let workers = (0..WORKERS)
        .map(|number| Worker::new(number, seed, !power_cut))
        .collect();
    let mut run = Run {
        settings,
        random: Random::new(seed),
        workers,
        key: None,
        disk,
        dropped: 0,
    };
    let begin = Instant::now();
    for round in 1..=rounds {
        run.round(round).map_err(|why| {
            let log = process::tail(&run.settings.log, 30);
            format!(
                "round {round} (--seed {seed}): {why}\nstead's log ends:\n{log}\nleft as it is: {}",
                work.display()
            )
        })?;
    }
    run.last()?;
    let writes: u64 = run.workers.iter().map(|worker| worker.acknowledged).sum();
    println!(
        "{rounds} rounds, {writes} acknowledged writes, all there, in {:.0} s",
        begin.elapsed().as_secs_f64()
    );
    if power_cut {
        println!("{} MiB of unsynced pages were dropped", run.dropped >> 20);
    }
    drop(run);
    std::fs::remove_dir_all(&work)?;
    Ok(())
}

impl Run {
    fn round(&mut self, round: u64) -> Outcome {
        let begin = Instant::now();
        if round > 1 && self.random.below(8) == 0 {
            self.kill_while_starting()?;
        }
        let server = self.start()?;
        let ready = server.ready_after;
        if round == 1 {
            server.client().create_bucket(load::BUCKET)?;
        }
        check::contents(&server, &mut self.workers)?;
        check::chain(&self.settings)?;
        if round.is_multiple_of(5) {
            check::rebuild(&self.settings)?;
            check::contents(&server, &mut self.workers)?;
        }
        let checked = begin.elapsed();
        let before: u64 = self.workers.iter().map(|worker| worker.acknowledged).sum();
        self.load_and_kill(server)?;
        let after: u64 = self.workers.iter().map(|worker| worker.acknowledged).sum();
        let dropped = self.cut(round)?;
        println!(
            "round {round}: ready after {:.2} s, checked after {:.2} s, {} writes acknowledged, killed{}",
            ready.as_secs_f64(),
            checked.as_secs_f64(),
            after - before,
            if dropped > 0 {
                format!(", {} KiB dropped", dropped >> 10)
            } else {
                String::new()
            }
        );
        Ok(())
    }

    fn start(&mut self) -> Outcome<Server> {
        let server = Server::start(&self.settings, self.key.as_ref())?;
        self.key = Some(server.key.clone());
        Ok(server)
    }

    /// A start that does not get far.
    fn kill_while_starting(&mut self) -> Outcome {
        let log = std::fs::File::options()
            .append(true)
            .create(true)
            .open(&self.settings.log)?;
        let mut child = self
            .settings
            .up()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        std::thread::sleep(Duration::from_millis(self.random.below(150)));
        child.kill()?;
        child.wait()?;
        self.cut(0).map(drop)
    }

    fn load_and_kill(&mut self, server: Server) -> Outcome {
        let moment = Duration::from_millis(100 + self.random.below(2_000));
        let while_draining = self.random.below(5) == 0;
        let patience = Duration::from_millis(self.random.below(120));
        let killed = AtomicBool::new(false);
        let workers = &mut self.workers;
        let findings: Vec<String> = std::thread::scope(|scope| {
            let killed = &killed;
            let client = || server.client();
            let running: Vec<_> = workers
                .iter_mut()
                .map(|worker| {
                    let client = client();
                    scope.spawn(move || worker.work(client, killed))
                })
                .collect();
            std::thread::sleep(moment);
            killed.store(true, Ordering::SeqCst);
            let ended = if while_draining {
                server.kill_while_draining(patience)
            } else {
                server.kill()
            };
            let finish = |thread: std::thread::ScopedJoinHandle<'_, Result<(), String>>| {
                thread
                    .join()
                    .unwrap_or_else(|_| Err("a client panicked".to_owned()))
                    .err()
            };
            let mut findings: Vec<String> = running.into_iter().filter_map(finish).collect();
            findings.extend(ended.err().map(|why| why.to_string()));
            findings
        });
        if findings.is_empty() {
            Ok(())
        } else {
            Err(findings.join("\n").into())
        }
    }

    /// Drops what was not synced: all of it, or (in every third round) a random part.
    fn cut(&mut self, round: u64) -> Outcome<u64> {
        let Some(disk) = &mut self.disk else { return Ok(0) };
        let torn = (round % 3 == 2).then_some(&mut self.random);
        let dropped = disk.cut(torn)?;
        self.dropped += dropped;
        Ok(dropped)
    }

    /// Once more from the start: check, rebuild, stop well, and what is left verifies without a server.
    fn last(&mut self) -> Outcome {
        let server = self.start()?;
        check::contents(&server, &mut self.workers)?;
        check::rebuild(&self.settings)?;
        check::contents(&server, &mut self.workers)?;
        server.stop(STOP)?;
        check::chain(&self.settings)
    }
}
