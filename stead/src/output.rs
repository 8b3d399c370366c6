//! What commands print: aligned tables and readable sizes for people, JSON for programs.
//!
//! Owns: tables, sizes, ages, and the one place that knows whether standard output is a terminal.
//! Never: reads anything.

use std::io::{self, IsTerminal, Write};

/// Whether standard output is a terminal.
pub fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Writes to standard output; a reader that went away (`| head`) is not an error of ours.
pub fn print(text: &str) {
    let mut out = io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(e) = written
        && e.kind() == io::ErrorKind::BrokenPipe
    {
        std::process::exit(0);
    }
}

/// As [`print`], with a line feed.
pub fn line(text: impl std::fmt::Display) {
    print(&format!("{text}\n"));
}

/// One JSON line.
pub fn json(value: &impl serde::Serialize) {
    line(serde_json::to_string(value).unwrap_or_else(|e| format!("{{\"error\":\"{e}\"}}")));
}

/// How a column's cells stand.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Numbers.
    Right,
}

/// Rows under aligned columns with a heading. On a terminal, a table without rows says so in words; elsewhere
/// it is nothing at all.
pub struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
    /// What is said where there are no rows.
    none: &'static str,
    /// Whether the heading stands already, above an earlier page.
    begun: bool,
}

impl Table {
    /// No rows yet.
    pub fn new(columns: &[(&'static str, Align)]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            none: "",
            begun: false,
        }
    }

    /// What to say on a terminal where there are no rows.
    pub fn or(mut self, none: &'static str) -> Self {
        self.none = none;
        self
    }

    /// Adds a row, one cell a column.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// Writes what there is so far; more follows. Long listings are not kept in memory.
    pub fn page(&mut self) {
        if !self.rows.is_empty() {
            print(&self.render(false));
            self.begun = true;
            self.rows.clear();
        }
    }

    /// Writes the table, or what is left of it, to standard output.
    pub fn print(&self) {
        print(&self.render(is_terminal()));
    }

    fn render(&self, terminal: bool) -> String {
        if self.rows.is_empty() {
            return match self.none {
                none if terminal && !self.begun && !none.is_empty() => format!("{none}\n"),
                _ => String::new(),
            };
        }
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .map(|(name, _)| name.chars().count())
            .collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.chars().count());
            }
        }
        let mut text = String::new();
        let named = self.columns.iter().any(|(name, _)| !name.is_empty());
        if named && !self.begun {
            let names: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
            self.push(&mut text, &widths, &names);
        }
        for row in &self.rows {
            self.push(&mut text, &widths, row);
        }
        text
    }

    fn push(&self, text: &mut String, widths: &[usize], cells: &[String]) {
        let mut written = String::new();
        for ((cell, width), (_, align)) in cells.iter().zip(widths).zip(&self.columns) {
            let gap = " ".repeat(width.saturating_sub(cell.chars().count()));
            if !written.is_empty() {
                written.push_str("  ");
            }
            match align {
                Align::Left => written.extend([cell.as_str(), &gap]),
                Align::Right => written.extend([gap.as_str(), cell]),
            }
        }
        text.push_str(written.trim_end());
        text.push('\n');
    }
}

/// Bytes in the largest binary unit that leaves at least 1: `1.5 MiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut value, mut unit) = (bytes as f64 / 1024.0, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// A number and its noun: `1 object`, `2 objects`.
pub fn count(n: u64, noun: &str) -> String {
    if n == 1 {
        format!("1 {noun}")
    } else {
        format!("{n} {noun}s")
    }
}

/// A duration in seconds as its two largest units: `3 d 4 h`, `12 s`.
pub fn duration(secs: u64) -> String {
    let (d, h, m, s) = (secs / 86_400, secs / 3600 % 24, secs / 60 % 60, secs % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s} s"),
        (0, 0, _) => format!("{m} min {s} s"),
        (0, ..) => format!("{h} h {m} min"),
        _ => format!("{d} d {h} h"),
    }
}

/// A timestamp's text without its fraction of a second: `2026-11-20 13:00:00`.
pub fn moment(at: stead_event::Timestamp) -> String {
    at.to_string().get(..19).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_nothing_trails() {
        let mut table = Table::new(&[
            ("NAME", Align::Left),
            ("SIZE", Align::Right),
            ("NOTE", Align::Left),
        ]);
        table.row(["a".into(), "10 B".into(), String::new()]);
        table.row(["long".into(), "1.5 MiB".into(), "x".into()]);
        for terminal in [false, true] {
            assert_eq!(
                table.render(terminal),
                "NAME     SIZE  NOTE\na        10 B\nlong  1.5 MiB  x\n"
            );
        }
        (table.begun, table.rows) = (true, Vec::new());
        table.row(["b".into(), "1 B".into(), String::new()]);
        assert_eq!(table.render(true), "b      1 B\n", "one heading for all pages");
    }

    #[test]
    fn a_table_without_rows_says_so_to_people_only() {
        let table = Table::new(&[("NAME", Align::Left)]).or("none yet");
        assert_eq!(table.render(true), "none yet\n");
        assert_eq!(table.render(false), "");
    }

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!(size(1023), "1023 B");
        assert_eq!(size(1536 * 1024), "1.5 MiB");
        assert_eq!(duration(3 * 86_400 + 4 * 3600 + 5), "3 d 4 h");
        assert_eq!(duration(61), "1 min 1 s");
        assert_eq!(count(1, "object"), "1 object");
        assert_eq!(count(0, "object"), "0 objects");
    }
}
