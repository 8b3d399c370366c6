//! One node of a run as a process: started, killed, stopped, asked.
//!
//! Owns: its directory, disk and clock. Promises: it keeps its address over restarts; no question here waits for a
//! node that hangs.

use super::network::Network;
use super::nodes::Plan;
use crate::content::Random;
use crate::powercut::{PowerCut, Trouble};
use crate::server::Settings;
use crate::{Outcome, process};
use rustix::process::Signal;
use serde_json::Value;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Small segments, so that rotation and sealing happen under the load too.
const SETTINGS: &str = "[storage]\nsegment_mib = 1\n";
/// How long one question may take.
const ANSWER: Duration = Duration::from_secs(4);
/// How long a start, a joining or a stop may take.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Lets a process's clock be set through a file (Debian's `faketime`).
const FAKE_CLOCK: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

/// One node.
pub struct Node {
    /// From 1, as its host.
    pub number: usize,
    /// Where it speaks S3.
    pub address: SocketAddr,
    /// Where it answers the HTTP API, once it is ready.
    pub api: Option<SocketAddr>,
    /// It votes and holds no data.
    pub witness: bool,
    /// Its key.
    pub id: String,
    settings: Settings,
    child: Option<Child>,
    said: PathBuf,
    clock: PathBuf,
    disk: Option<PowerCut>,
}

/// Whether clocks can be set.
pub fn clocks_can_be_set() -> bool {
    Path::new(FAKE_CLOCK).is_file()
}

impl Node {
    /// A node that does not run yet, on a host of its own.
    pub fn new(plan: &Plan<'_>, number: usize, network: &mut Network) -> Outcome<Self> {
        let (address, before) = network.host(number)?;
        let data = plan.work.join(format!("node-{number}"));
        std::fs::create_dir(&data)?;
        let disk = if plan.power_cut {
            Some(PowerCut::mount(&data)?)
        } else {
            None
        };
        let toml = data.join("stead.toml");
        std::fs::write(&toml, SETTINGS)?;
        File::open(&toml)?.sync_all()?;
        File::open(&data)?.sync_all()?;
        let beside = |end: &str| data.with_extension(end);
        let (clock, said) = (beside("clock"), beside("said"));
        std::fs::write(&clock, "+0s\n")?;
        let mut settings = Settings::new(plan.binary, &data, &beside("log"));
        settings.listen = address.to_string();
        settings.before = before;
        if clocks_can_be_set() {
            // Named on the command line and not for `nsenter` itself, which needs no clock.
            let set = |name: &str, value: &str| format!("{name}={value}");
            settings
                .before
                .extend(["env".to_owned(), set("LD_PRELOAD", FAKE_CLOCK)]);
            settings.before.extend([
                set("FAKETIME_TIMESTAMP_FILE", &clock.to_string_lossy()),
                set("FAKETIME_CACHE_DURATION", "1"),
                set("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
                set("FAKETIME_DISABLE_SHM", "1"),
                set("NO_FAKE_STAT", "1"),
            ]);
        }
        Ok(Self {
            number,
            address,
            api: None,
            witness: plan.witness && number == plan.count,
            id: String::new(),
            settings,
            child: None,
            said,
            clock,
            disk,
        })
    }

    /// Starts the process, unless it runs; waits for nothing.
    pub fn start(&mut self, more: &[&str]) -> Outcome {
        if self.runs() {
            return Ok(());
        }
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.settings.log)?;
        let mut command = self.settings.up();
        command
            .args(more)
            .stdin(Stdio::null())
            .stdout(File::create(&self.said)?)
            .stderr(log);
        self.child = Some(command.spawn()?);
        Ok(())
    }

    /// What its next start runs.
    pub fn use_binary(&mut self, binary: &Path) {
        binary.clone_into(&mut self.settings.binary);
    }

    /// Whether the process is there.
    pub fn runs(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// A line of its output, as soon as it is there.
    pub fn line(&mut self, at: usize) -> Outcome<Value> {
        let until = Instant::now() + PATIENCE;
        loop {
            let text = std::fs::read_to_string(&self.said)?;
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if let Some(line) = whole.lines().nth(at) {
                return Ok(serde_json::from_str(line)?);
            }
            if !self.runs() || Instant::now() > until {
                return Err(format!("node {} does not start:\n{}", self.number, self.log()).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        process::tail(&self.settings.log, 20)
    }

    /// SIGKILL; a simulated disk forgets what was not synced, and answers how much that was.
    pub fn kill(&mut self, torn: Option<&mut Random>) -> Outcome<u64> {
        let Some(mut child) = self.child.take() else {
            return Ok(0);
        };
        child.kill()?;
        child.wait()?;
        match &mut self.disk {
            Some(disk) => disk.cut(torn),
            None => Ok(0),
        }
    }

    /// SIGSTOP, or SIGCONT.
    pub fn pause(&self, paused: bool) {
        if let Some(child) = &self.child {
            process::signal(child, if paused { Signal::STOP } else { Signal::CONT });
        }
    }

    /// Ends it as an operator does.
    pub fn stop(&mut self) -> Outcome {
        let Some(mut child) = self.child.take() else {
            return Ok(());
        };
        process::terminate(&child);
        match process::wait(&mut child, PATIENCE)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("node {} ended with {status}:\n{}", self.number, self.log()).into()),
            None => {
                child.kill()?;
                child.wait()?;
                let log = self.log();
                Err(format!(
                    "node {} has not ended {PATIENCE:?} after SIGTERM:\n{log}",
                    self.number
                )
                .into())
            }
        }
    }

    /// Sets its clock this far from the machine's.
    pub fn set_clock(&self, seconds: i64) -> Outcome {
        // Renamed into place: never read half written.
        let new = self.clock.with_extension("clock-new");
        std::fs::write(&new, format!("{seconds:+}s\n"))?;
        Ok(std::fs::rename(new, &self.clock)?)
    }

    /// What its disk does beside its work, where that is simulated.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.disk.as_ref().map(PowerCut::trouble)
    }

    /// A command on its directory, bounded.
    pub fn ask(&self, words: &[&str]) -> Outcome<String> {
        process::output_within(&mut self.settings.stead(words), ANSWER)
    }

    /// A command that may take its time.
    pub fn ask_patiently(&self, words: &[&str]) -> Outcome<String> {
        process::output_within(&mut self.settings.stead(words), PATIENCE)
    }

    /// What a command prints that fails where it finds something.
    pub fn ask_what_is_wrong(&self, words: &[&str]) -> Outcome<String> {
        let done = process::finished_within(&mut self.settings.stead(words), PATIENCE)?;
        Ok(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Whether its disk forgets what was not synced.
    pub fn forgets(&self) -> bool {
        self.disk.is_some()
    }

    /// What it says of itself.
    pub fn status(&self) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.ask(&["status", "--json"])?)?)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            // Gone already is fine.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
