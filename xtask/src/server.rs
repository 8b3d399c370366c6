//! A `stead` process of our own: found or built, started, watched, killed.

use crate::client::Client;
use crate::sign::Key;
use crate::{Outcome, paths, process};
use serde_json::Value;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a start may take before it counts as failed.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Which build of the binary is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// `target/debug`: what the tests build anyway.
    Test,
    /// `target/release`: what is measured.
    Release,
}

/// The binary: `STEAD_BIN`, else built now.
pub fn binary(build: Build) -> Outcome<PathBuf> {
    if let Some(given) = std::env::var_os("STEAD_BIN") {
        return Ok(given.into());
    }
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--quiet", "--locked"])
        .current_dir(paths::root());
    match build {
        // The same packages and features as the test run's build, so that nothing is compiled twice.
        Build::Test => command.args(["--workspace", "--all-targets"]),
        Build::Release => command.args(["--release", "--package", "stead"]),
    };
    if !command.status()?.success() {
        return Err("stead does not build".into());
    }
    let profile = if build == Build::Test { "debug" } else { "release" };
    Ok(paths::target().join(profile).join("stead"))
}

/// How to start it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The binary.
    pub binary: PathBuf,
    /// `--data`
    pub data: PathBuf,
    /// `--listen`: a free port of this machine, unless it is said.
    pub listen: String,
    /// Where its standard error goes, appended.
    pub log: PathBuf,
    /// Put before the binary, such as `setpriv …`.
    pub before: Vec<String>,
    /// Further variables.
    pub env: Vec<(String, String)>,
}

impl Settings {
    /// The usual.
    pub fn new(binary: &Path, data: &Path, log: &Path) -> Self {
        let (binary, data, log) = (binary.to_owned(), data.to_owned(), log.to_owned());
        Self {
            binary,
            data,
            listen: "127.0.0.1:0".to_owned(),
            log,
            before: Vec::new(),
            env: Vec::new(),
        }
    }

    /// `stead up`
    pub fn up(&self) -> Command {
        let mut words = self
            .before
            .iter()
            .map(Into::into)
            .chain([self.binary.clone().into_os_string()]);
        // There is at least the binary itself.
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).arg("up").arg("--data").arg(&self.data);
        command.args(["--listen", &self.listen, "--json"]);
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Any other command of the binary on the same directory.
    pub fn stead(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.args(arguments).env("STEAD_DATA", &self.data);
        command
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    /// Where S3 is spoken.
    pub address: SocketAddr,
    /// Where the HTTP API is, if it is told.
    pub api: Option<String>,
    /// Where IPFS is spoken, if it is told.
    pub ipfs: Option<String>,
    /// The key printed at the start.
    pub key: Key,
    /// From the start of the process to its ready line.
    pub ready_after: Duration,
}

impl Server {
    /// Starts and waits for the ready line. `known` is the key of an earlier start of the same directory.
    pub fn start(settings: &Settings, known: Option<&Key>) -> Outcome<Self> {
        Self::begin(settings, &[], known, |_| Ok(()))
    }

    /// Starts one more node of the cluster that `member` is of, and has it let in there.
    pub fn join(settings: &Settings, member: &Settings) -> Outcome<Self> {
        let ticket = process::output(&mut member.stead(&["ticket"]))?;
        Self::begin(settings, &["--join", ticket.trim()], None, |said| {
            let waiting: Value = serde_json::from_str(&said.next()?)?;
            let code = waiting["code"].as_str().ok_or("it does not wait to be let in")?;
            process::output(&mut member.stead(&["approve", code])).map(drop)
        })
    }

    fn begin(
        settings: &Settings,
        more: &[&str],
        known: Option<&Key>,
        before_ready: impl FnOnce(&Said) -> Outcome,
    ) -> Outcome<Self> {
        let log = File::options().create(true).append(true).open(&settings.log)?;
        let begin = Instant::now();
        let mut command = settings.up();
        let mut child = command
            .args(more)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()?;
        let said = Said::of(&mut child)?;
        let line = match before_ready(&said).and_then(|()| said.next()) {
            Ok(line) => line,
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                let said = process::tail(&settings.log, 15);
                return Err(format!("stead does not start: {why}\n{said}").into());
            }
        };
        let ready_after = begin.elapsed();
        let server = Self::from_ready(child, &line, known, ready_after);
        server.map_err(|why| format!("the ready line is not understood ({why}): {line}").into())
    }

    fn from_ready(mut child: Child, line: &str, known: Option<&Key>, ready_after: Duration) -> Outcome<Self> {
        let read = || -> Outcome<_> {
            let ready: Value = serde_json::from_str(line)?;
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let s3 = text(&ready["endpoints"]["s3"]).ok_or("no endpoints.s3")?;
            let address = s3.trim_start_matches("http://").trim_end_matches('/').parse()?;
            let key = match (text(&ready["access_key"]), text(&ready["secret_key"])) {
                (Some(access), Some(secret)) => Key {
                    access,
                    secret,
                    region: "us-east-1".to_owned(),
                },
                _ => known.cloned().ok_or("no access_key and secret_key")?,
            };
            let endpoint = |name: &str| text(&ready["endpoints"][name]);
            Ok((address, endpoint("api"), endpoint("ipfs"), key))
        };
        match read() {
            Ok((address, api, ipfs, key)) => Ok(Self {
                child,
                address,
                api,
                ipfs,
                key,
                ready_after,
            }),
            Err(why) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(why)
            }
        }
    }

    /// A client of it.
    pub fn client(&self) -> Client {
        Client::new(self.address, &self.key)
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// SIGKILL, and gone.
    pub fn kill(mut self) -> Outcome {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// SIGTERM, and SIGKILL while it is still busy with that.
    pub fn kill_while_draining(self, patience: Duration) -> Outcome {
        process::terminate(&self.child);
        std::thread::sleep(patience);
        self.kill()
    }

    /// SIGTERM; fails where it does not end well within `bound`.
    pub fn stop(mut self, bound: Duration) -> Outcome<Duration> {
        let begin = Instant::now();
        self.terminate(bound)?;
        Ok(begin.elapsed())
    }

    /// The same on a borrowed server, which is of no use afterwards.
    pub fn terminate(&mut self, bound: Duration) -> Outcome {
        process::terminate(&self.child);
        match process::wait(&mut self.child, bound)? {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("stead ended with {status}").into()),
            None => Err(format!("stead has not ended {bound:?} after SIGTERM").into()),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lines of a process's standard output, waited for with patience; all are drained so that nothing blocks.
struct Said(mpsc::Receiver<String>);

impl Said {
    fn of(child: &mut Child) -> Outcome<Self> {
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // Nobody listens after the last line that is waited for.
                let _ = sender.send(line);
            }
        });
        Ok(Self(receiver))
    }

    fn next(&self) -> Outcome<String> {
        match self.0.recv_timeout(START_PATIENCE) {
            Ok(line) => Ok(line),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("not ready after {START_PATIENCE:?}").into()),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err("it ended before it was ready".into()),
        }
    }
}
