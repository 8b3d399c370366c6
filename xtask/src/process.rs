//! Running programs: into a log, to an end, and what the system says about them.

use crate::Outcome;
use rustix::process::Signal;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Whether a program of that name is on the path.
pub fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

/// Runs to the end with all output in `log` (appended), no input.
pub fn run_logged(command: &mut Command, log: &Path) -> Outcome<ExitStatus> {
    let out = File::options().create(true).append(true).open(log)?;
    let err = out.try_clone()?;
    let status = command.stdin(Stdio::null()).stdout(out).stderr(err).status();
    status.map_err(|why| format!("{}: {why}", command.get_program().to_string_lossy()).into())
}

/// Runs to the end and answers what it printed; an error with its last words where it failed.
pub fn output(command: &mut Command) -> Outcome<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command
        .stdin(Stdio::null())
        .output()
        .map_err(|why| format!("{name}: {why}"))?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(text);
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("{name} failed ({}):\n{text}{said}", done.status).into())
}

/// The same for what may hang: ended after `bound`. For answers that fit a pipe (64 KiB).
pub fn output_within(command: &mut Command, bound: Duration) -> Outcome<String> {
    let done = finished_within(command, bound)?;
    let text = String::from_utf8_lossy(&done.stdout).into_owned();
    if done.status.success() {
        return Ok(text);
    }
    let name = command.get_program().to_string_lossy();
    let said = String::from_utf8_lossy(&done.stderr);
    Err(format!("{name} failed ({}):\n{text}{said}", done.status).into())
}

/// The same whether it succeeds or not.
pub fn finished_within(command: &mut Command, bound: Duration) -> Outcome<Output> {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|why| format!("{name}: {why}"))?;
    if wait(&mut child, bound)?.is_none() {
        child.kill()?;
        child.wait()?;
        return Err(format!("{name} has not ended after {bound:?}").into());
    }
    Ok(child.wait_with_output()?)
}

/// Waits for the end of a child, at most `bound`.
pub fn wait(child: &mut Child, bound: Duration) -> Outcome<Option<ExitStatus>> {
    let until = Instant::now() + bound;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= until {
            return Ok(None);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Asks a child to end with SIGTERM.
pub fn terminate(child: &Child) {
    signal(child, Signal::TERM);
}

/// Sends a signal to a child.
pub fn signal(child: &Child, signal: Signal) {
    if let Some(pid) = rustix::process::Pid::from_raw(child.id() as i32) {
        // A child that is gone already is what was wanted, or found out elsewhere.
        let _ = rustix::process::kill_process(pid, signal);
    }
}

/// Resident memory in bytes.
pub fn resident(pid: u32) -> Outcome<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .ok_or("no VmRSS")?;
    let kib: u64 = line
        .split_whitespace()
        .nth(1)
        .ok_or("no number in VmRSS")?
        .parse()?;
    Ok(kib * 1024)
}

/// Processor time used so far, user and system, in microseconds (at the kernel's 10 ms ticks).
pub fn cpu_us(pid: u32) -> Outcome<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field, the name, may hold spaces; it ends at the last parenthesis.
    let rest = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 = fields.get(11).ok_or("short stat")?.parse::<u64>()?
        + fields.get(12).ok_or("short stat")?.parse::<u64>()?;
    Ok(ticks * 10_000)
}

/// The last `lines` lines of a file.
pub fn tail(path: &Path, lines: usize) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}
