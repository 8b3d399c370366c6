//! A node in a temporary directory, and commands against it.
#![allow(dead_code)] // each test binary uses its part
#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The built binary.
pub fn stead() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stead"));
    for name in [
        "STEAD_DATA",
        "STEAD_SERVER",
        "STEAD_ACCESS_KEY",
        "STEAD_SECRET_KEY",
        "RUST_LOG",
    ] {
        command.env_remove(name);
    }
    command
        .env("USER", "ana")
        .env_remove("SUDO_USER")
        .stdin(Stdio::null());
    command
}

/// A place for data, files and state.
pub struct Home {
    temp: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self {
            temp: tempfile::tempdir().unwrap(),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.temp.path().join("data")
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.temp.path().join(name)
    }

    /// Writes a file and answers its path as text.
    pub fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// A command on the data directory.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = stead();
        command.arg("--data").arg(self.data()).args(args);
        command
            .env("XDG_STATE_HOME", self.path("state"))
            .current_dir(self.temp.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must succeed; answers what it printed.
    pub fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        assert!(
            output.status.success(),
            "stead {args:?}: {}",
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Runs a command that must succeed with --json; answers its JSON.
    pub fn json(&self, args: &[&str]) -> Value {
        let text = self.ok(&[args, &["--json"]].concat());
        serde_json::from_str(&text).unwrap_or_else(|e| panic!("stead {args:?}: {e}: {text}"))
    }

    /// Runs a command that must fail; answers its exit code and what it said.
    pub fn fails(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(args);
        assert!(
            !output.status.success(),
            "stead {args:?} succeeded: {}",
            text(&output.stdout)
        );
        (output.status.code().unwrap(), text(&output.stderr))
    }

    /// Runs a command with something on its standard input.
    pub fn with_input(&self, args: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    pub fn up(&self) -> Node {
        self.up_with(&[])
    }

    /// Starts a node and waits until it is ready.
    pub fn up_with(&self, args: &[&str]) -> Node {
        let mut child = self
            .command(&[&["up", "--listen", "127.0.0.1:0", "--json"], args].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::from(std::fs::File::create(self.path("node.log")).unwrap()))
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let log = || std::fs::read_to_string(self.path("node.log")).unwrap();
        let ready =
            serde_json::from_str(&line).unwrap_or_else(|e| panic!("not ready: {e}: {line:?}\n{}", log()));
        Node { child, ready }
    }
}

/// A node that runs; killed when dropped.
pub struct Node {
    child: Child,
    pub ready: Value,
}

impl Node {
    pub fn endpoint(&self, name: &str) -> &str {
        self.ready["endpoints"][name].as_str().unwrap()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `kill -SIGNAL` by the system's own tool.
    pub fn signal(&self, signal: &str) {
        let status = Command::new("kill")
            .arg(signal)
            .arg(self.pid().to_string())
            .status()
            .unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        for _ in 0..600 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the node did not end within 30 s");
    }

    /// Stops it in good order.
    pub fn stop(mut self) {
        self.signal("-TERM");
        assert!(self.wait().success());
    }

    /// Ends it without a chance to do anything.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Bytes that do not repeat soon.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    let mut bytes: Vec<u8> = std::iter::repeat_with(next)
        .take(length.div_ceil(8))
        .flatten()
        .collect();
    bytes.truncate(length);
    bytes
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
