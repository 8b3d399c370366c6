//! What can be lost, all of it, for people and for programs.
//!
//! Owns: the report of a lab, and its text. The text fits 100 columns where names do.

use super::all::{Counts, Doubles, Pair, Single};
use super::failure::{Failure, Named};
use super::fixes::{Fix, fixes, risk};
use super::judge::Forecaster;
use super::reasons::line;
use super::verdict::{Beyond, Outcome, Verdict};
use super::words::Understood;
use crate::interval::Interval;
use serde::Serialize;
use std::fmt;

/// Columns of the text.
const COLUMNS: usize = 100;
/// Where the text beside a verdict begins.
const INDENT: usize = 11;

/// What can be lost in a lab.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The lab's name.
    pub name: String,
    /// The money of all prices; empty where the file does not say.
    pub currency: String,
    /// As things are, with nothing failing.
    pub now: Outcome,
    /// Who votes.
    pub voters: Vec<String>,
    /// The worst that a single failure does.
    pub worst: Verdict,
    /// How many single failures there are of each verdict.
    pub counts: Counts,
    /// What hangs on one thing, in sentences.
    pub findings: Vec<String>,
    /// Every single failure, the worst first.
    pub singles: Vec<Single>,
    /// Every pair of failures, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub doubles: Option<Doubles>,
    /// The measure that fixes are compared by.
    pub risk: f64,
    /// What helps.
    pub fixes: Vec<Fix>,
    /// What was taken for granted.
    pub notes: Vec<String>,
}

impl Report {
    /// Of a lab.
    pub fn of(at: &Forecaster<'_>, with_doubles: bool) -> Self {
        let singles = at.singles();
        let worst = singles.iter().map(|single| single.outcome.worst()).max();
        let mut counts = Counts::default();
        for single in &singles {
            counts.add(single.outcome.worst(), 1 + single.same.len() as u64);
        }
        Self {
            name: at.lab().lab.name.clone(),
            currency: at.lab().lab.currency.clone(),
            now: at.judge(&[]),
            voters: at.voters().into_iter().map(str::to_owned).collect(),
            worst: worst.unwrap_or(Verdict::Safe),
            counts,
            doubles: with_doubles.then(|| at.doubles()),
            risk: (risk(&singles) * 1e3).round() / 1e3,
            fixes: fixes(at, &singles),
            notes: at.notes(),
            findings: super::findings::of(at, &singles),
            singles,
        }
    }
}

/// What a few failures do together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// How the words were understood.
    pub understood: String,
    /// What fails.
    pub fails: Vec<Named>,
    /// What it does.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// What was taken for granted.
    pub notes: Vec<String>,
}

impl WhatIf {
    /// What this does in a lab.
    pub fn of(at: &Forecaster<'_>, understood: &Understood) -> Self {
        let named = |failure: &Failure| Named::of(*failure, at.lab());
        Self {
            understood: understood.text.clone(),
            fails: understood.failures.iter().map(named).collect(),
            outcome: at.judge(&understood.failures),
            notes: at.notes(),
        }
    }
}

/// Text in lines of [`COLUMNS`], of which all but the first are indented.
fn wrapped(f: &mut fmt::Formatter<'_>, first: &str, text: &str) -> fmt::Result {
    write!(f, "{first:INDENT$}")?;
    let mut column = INDENT.max(first.chars().count());
    for (at, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if at > 0 && column + 1 + length > COLUMNS {
            write!(f, "\n{:INDENT$}", "")?;
            column = INDENT;
        } else if at > 0 {
            f.write_str(" ")?;
            column += 1;
        }
        f.write_str(word)?;
        column += length;
    }
    f.write_str("\n")
}

fn outcome(f: &mut fmt::Formatter<'_>, outcome: &Outcome) -> fmt::Result {
    let chain = line(&outcome.chain, outcome.verdict);
    wrapped(f, outcome.verdict.words(), &chain)?;
    match &outcome.beyond {
        Some(Beyond { verdict, chain, .. }) => wrapped(f, "", &format!("then: {}", line(chain, *verdict))),
        None => Ok(()),
    }
}

fn counted(counts: &Counts) -> String {
    let each = counts.each().into_iter().rev().filter(|(_, count)| *count > 0);
    let texts: Vec<String> = each
        .map(|(verdict, count)| format!("{count} {verdict}"))
        .collect();
    texts.join(", ")
}

fn price(price: Option<Interval>, currency: &str, assumed: bool) -> String {
    let money = if currency.is_empty() { "USD" } else { currency };
    match price {
        None => "price not known".to_owned(),
        Some(price) if price.high <= 0.0 => "free".to_owned(),
        Some(price) if assumed => format!("{price:.0} {money}, a bound of ours"),
        Some(price) => format!("{price:.0} {money}"),
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() {
            "This lab"
        } else {
            &self.name
        };
        writeln!(
            f,
            "{name}: {} single failures: {}.",
            self.counts.all(),
            counted(&self.counts)
        )?;
        writeln!(f, "Voters: {}.\n", self.voters.join(", "))?;
        if self.now.verdict != Verdict::Safe {
            f.write_str("AS IT IS NOW\n")?;
            outcome(f, &self.now)?;
            f.write_str("\n")?;
        }
        for finding in &self.findings {
            wrapped(f, "!", finding)?;
        }
        if !self.findings.is_empty() {
            f.write_str("\n")?;
        }
        f.write_str("IF ONE THING FAILS\n")?;
        for single in &self.singles {
            outcome(f, &single.outcome)?;
            let same: Vec<&str> = single.same.iter().map(|named| named.name.as_str()).collect();
            if !same.is_empty() {
                wrapped(f, "", &format!("the same: {}", same.join(", ")))?;
            }
        }
        if let Some(doubles) = &self.doubles {
            pairs(f, doubles)?;
        }
        if !self.fixes.is_empty() {
            f.write_str("\nWHAT HELPS\n")?;
        }
        for (at, fix) in self.fixes.iter().enumerate() {
            self.fix(f, at + 1, fix)?;
        }
        notes(f, &self.notes)
    }
}

impl Report {
    fn fix(&self, f: &mut fmt::Formatter<'_>, number: usize, fix: &Fix) -> fmt::Result {
        const SHOWN: usize = 4;
        let price = price(fix.price, &self.currency, fix.price_assumed);
        let removed = fix.removed_percent;
        wrapped(
            f,
            &format!("{number}."),
            &format!("{} ({price}; {removed:.1} % of the risk)", fix.title),
        )?;
        let mut better: Vec<String> = fix
            .better
            .iter()
            .take(SHOWN)
            .map(|(name, was, now)| format!("{name}: {was} → {now}"))
            .collect();
        if fix.better.len() > SHOWN {
            better.push(format!("{} more", fix.better.len() - SHOWN));
        }
        if !better.is_empty() {
            wrapped(f, "", &better.join("; "))?;
        }
        if let Some(note) = &fix.note {
            wrapped(f, "", note)?;
        }
        for line in &fix.change {
            writeln!(f, "{:INDENT$}  {line}", "")?;
        }
        Ok(())
    }
}

fn pairs(f: &mut fmt::Formatter<'_>, doubles: &Doubles) -> fmt::Result {
    writeln!(
        f,
        "\nIF TWO THINGS FAIL\n{} pairs: {}.",
        doubles.counts.all(),
        counted(&doubles.counts)
    )?;
    if doubles.worst.is_empty() {
        return f.write_str("No pair is worse than the worse one of its two alone.\n");
    }
    writeln!(
        f,
        "{} are worse than either alone; the worst:",
        doubles.worse_together
    )?;
    for Pair {
        outcome: done, pairs, ..
    } in &doubles.worst
    {
        outcome(f, done)?;
        if *pairs > 1 {
            wrapped(f, "", &format!("{pairs} pairs do the same"))?;
        }
    }
    Ok(())
}

fn notes(f: &mut fmt::Formatter<'_>, notes: &[String]) -> fmt::Result {
    if !notes.is_empty() {
        f.write_str("\nNOTES\n")?;
    }
    for note in notes {
        wrapped(f, "-", note)?;
    }
    Ok(())
}

impl fmt::Display for WhatIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Understood: {}.\n", self.understood)?;
        outcome(f, &self.outcome)?;
        notes(f, &self.notes)
    }
}
