//! What a person is told when a command fails: a stable code, what failed, why, and the next step.
//!
//! Owns: [`Failure`], its text on standard error, and the exit codes.
//! Never: decides what to do about it.

use serde::Serialize;
use std::fmt;
use stead_client::wire;
use stead_gateway::Code;

/// The command did what it was asked to.
pub const OK: u8 = 0;
/// It did not.
pub const FAILED: u8 = 1;
/// It was asked in a way that it does not understand.
pub const USAGE: u8 = 2;

/// Why a command failed, as its user should hear it.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// `STEAD-nnnn`; `stead explain` has its page.
    pub code: String,
    /// What failed, and why, in one sentence without a full stop.
    pub message: String,
    /// What to do next; empty where there is nothing more to say.
    pub next: String,
    /// The process's exit code.
    #[serde(skip)]
    pub exit: u8,
}

impl Failure {
    /// A failure with the code's own next step.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        let code = code.to_string();
        let next = crate::codes::find(&code)
            .map(|page| page.next.to_owned())
            .unwrap_or_default();
        Self {
            code,
            message: message.into(),
            next,
            exit: FAILED,
        }
    }

    /// Whether it has this code.
    pub fn is(&self, code: Code) -> bool {
        self.code == code.to_string()
    }

    /// The same with a next step that fits the case better.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = next.into();
        self
    }

    /// A command line that cannot be understood.
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            exit: USAGE,
            ..Self::new(crate::codes::USAGE, message)
        }
    }

    /// A file that could not be read or written.
    pub fn io(what: impl fmt::Display, source: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let code = match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => crate::codes::DISK_FULL,
            _ => crate::codes::FILE,
        };
        Self::new(code, format!("{what}: {source}"))
    }

    /// Writes it on standard error: for people, or as one JSON line.
    pub fn report(&self, json: bool) {
        if json {
            let line = serde_json::json!({ "error": self });
            eprintln!("{line}");
            return;
        }
        eprintln!("{self}");
    }
}

impl From<wire::Problem> for Failure {
    fn from(error: wire::Problem) -> Self {
        Self {
            code: error.code,
            message: error.detail,
            next: error.next,
            exit: FAILED,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, self.message)?;
        if !self.next.is_empty() {
            write!(f, "\nnext step: {}", self.next)?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}
