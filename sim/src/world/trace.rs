//! What happened, a line for each thing.

use std::fmt::{self, Write};

/// Lines, and a digest of them.
#[derive(Debug, Default)]
pub struct Trace {
    lines: Vec<String>,
}

impl Trace {
    /// Adds a line.
    pub fn note(&mut self, now: u64, what: fmt::Arguments<'_>) {
        let mut line = String::with_capacity(48);
        // Writing to a string does not fail.
        let _ = write!(line, "{:>5}.{:03} {what}", now / 1_000, now % 1_000);
        self.lines.push(line);
    }

    /// All lines.
    pub fn into_lines(self) -> Vec<String> {
        self.lines
    }
}
