//! The command that runs while a lock is held.
//!
//! Promises: it ends when this process does, however this one ends.

use crate::failure::Failure;
use rustix::process::{Pid, Signal};
use std::io::IsTerminal;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use tokio::process::{Child, Command};

/// A running command.
pub(super) struct Running {
    child: Child,
    /// Whether it has a process group of its own. At a terminal it has not, because only the foreground's group may
    /// read there.
    grouped: bool,
}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)] // the standard library offers no safe way to say this of a child
fn bind_to_parent(command: &mut Command) {
    let parent = rustix::process::getpid();
    // SAFETY: between fork and exec only async-signal-safe calls are made: prctl and getppid.
    unsafe {
        command.pre_exec(move || {
            rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
            // Whoever started it may have ended before the line above.
            match rustix::process::getppid() == Some(parent) {
                true => Ok(()),
                false => Err(std::io::ErrorKind::Interrupted.into()),
            }
        });
    }
}

#[cfg(not(target_os = "linux"))]
fn bind_to_parent(_: &mut Command) {}

impl Running {
    /// Starts a command with these variables in its environment.
    pub(super) fn start(words: &[String], environment: [(&str, String); 2]) -> Result<Self, Failure> {
        let (program, arguments) = words
            .split_first()
            .ok_or_else(|| Failure::usage("which command is to run?"))?;
        let grouped = !std::io::stdin().is_terminal();
        let mut command = Command::new(program);
        command.args(arguments).envs(environment).kill_on_drop(true);
        if grouped {
            command.process_group(0);
        }
        bind_to_parent(&mut command);
        let child = command
            .spawn()
            .map_err(|error| Failure::io(format_args!("{program} does not start"), &error))?;
        Ok(Self { child, grouped })
    }

    /// Returns when it has ended.
    pub(super) async fn ended(&mut self) -> Result<ExitStatus, Failure> {
        let waited = self.child.wait().await;
        waited.map_err(|error| Failure::io("the command cannot be waited for", &error))
    }

    /// Sends it a signal; nothing where it has ended.
    pub(super) fn signal(&self, signal: Signal) {
        let id = self.child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let Some(id) = id else { return };
        let sent = match self.grouped {
            true => rustix::process::kill_process_group(id, signal),
            false => rustix::process::kill_process(id, signal),
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "the command could not be signalled");
        }
    }
}

/// A shell's exit code for how a command ended.
pub(super) fn exit_code(status: ExitStatus) -> u8 {
    let signalled = || status.signal().map(|signal| 128 + signal);
    let code = status.code().or_else(signalled);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
