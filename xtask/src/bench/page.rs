//! `docs/benchmarks.md`, section by section: each benchmark owns the one under its heading and leaves the rest.

use super::load_average;
use crate::{Outcome, paths, sign};
use std::fmt::Write;

/// One line of a section's table.
pub struct Row {
    /// What was measured.
    pub what: String,
    /// What it is to reach.
    pub bar: String,
    /// What it reached.
    pub figure: String,
    /// Whether it does; `None` where nothing is asked of it.
    pub met: Option<bool>,
}

/// A section under construction.
pub struct Section {
    heading: &'static str,
    text: String,
    missed: usize,
}

impl Section {
    /// `heading` is what finds it again; `about` says how it was measured.
    pub fn new(heading: &'static str, about: &str) -> Self {
        let date = sign::amz_date(std::time::SystemTime::now());
        let text = format!(
            "## {heading}\n\n{about} {}-{}-{}, {} UTC, load {}.\n\n| what | bar | reached | |\n|---|---|---|---|\n",
            &date[..4],
            &date[4..6],
            &date[6..8],
            &date[9..13],
            load_average()
        );
        Self {
            heading,
            text,
            missed: 0,
        }
    }

    /// Adds a line, and prints it.
    pub fn row(&mut self, row: &Row) {
        let verdict = row.met.map_or("", |met| if met { "met" } else { "**missed**" });
        self.missed += usize::from(row.met == Some(false));
        let Row {
            what, bar, figure, ..
        } = row;
        println!("  {what:<64} {bar:<16} {figure} {verdict}");
        // A string takes whatever is written.
        let _ = writeln!(self.text, "| {what} | {bar} | {figure} | {verdict} |");
    }

    /// Puts it in its place; an error where a bar is missed.
    pub fn write(self) -> Outcome {
        let path = paths::root().join("docs/benchmarks.md");
        let page = std::fs::read_to_string(&path)?;
        std::fs::write(&path, placed(&page, self.heading, &self.text))?;
        println!("written: {} ({})", path.display(), self.heading);
        match self.missed {
            0 => Ok(()),
            missed => Err(format!("{missed} of the bars missed").into()),
        }
    }
}

/// A page with the section in the place of the one before, or at the end. What people wrote below its table
/// stays: it begins with the first line behind the table.
pub fn placed(page: &str, heading: &str, section: &str) -> String {
    let begin = format!("## {heading}\n");
    let Some(at) = page.find(&begin) else {
        return format!("{}\n\n{section}", page.trim_end());
    };
    let rest = &page[at + begin.len()..];
    let end = rest.find("\n## ").map_or(rest.len(), |end| end + 1);
    let (old, after) = rest.split_at(end);
    let notes = old.rfind("|\n").map_or("", |table| old[table + 2..].trim());
    let notes = match notes {
        "" => String::new(),
        notes => format!("\n{notes}\n"),
    };
    let gap = if after.is_empty() { "" } else { "\n" };
    format!("{}{section}{notes}{gap}{after}", &page[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_replaced_and_nothing_else() {
        let page = "# Page\n\n## One\n\n| a |\n| 1 |\n\nBecause of x.\n\n## Two\n\n| b |\n";
        let one = placed(page, "One", "## One\n\n| a |\n| 2 |\n");
        assert_eq!(
            one,
            "# Page\n\n## One\n\n| a |\n| 2 |\n\nBecause of x.\n\n## Two\n\n| b |\n"
        );
        let two = placed(&one, "Two", "## Two\n\n| c |\n");
        assert_eq!(two, one.replace("| b |", "| c |"));
        assert_eq!(placed("# Page\n", "New", "## New\n"), "# Page\n\n## New\n");
    }
}
