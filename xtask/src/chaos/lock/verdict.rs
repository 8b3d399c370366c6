//! After the load: all calls are judged and counted, and what is wrong is written down.

use super::history::{Call, Kind, Outcome as Came};
use super::{Violation, judge, possessions, spoiled};
use crate::Outcome;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

/// Violations that are put in words.
const SHOWN: usize = 20;

/// What the judging came to, and how much there was to judge.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    /// Acquisitions that somebody knew of.
    pub possessions: usize,
    /// Of those, how many a client could be sure of for some time.
    pub sure: usize,
    /// Signs of life that were in time.
    pub renewals: usize,
    /// Calls that were told that the lock is lost, writes apart.
    pub lost: usize,
    /// Locks that were taken from somebody.
    pub breaks: usize,
    /// Fenced writes that were acknowledged.
    pub accepted: usize,
    /// Fenced writes that were refused.
    pub refused: usize,
    /// Calls of unknown outcome.
    pub unknown: usize,
    /// Reads of what locks protect.
    pub reads: usize,
    /// In words, one each.
    pub violations: Vec<String>,
    /// Which damages to the same history were refused, as they had to be.
    pub spoiled: Vec<&'static str>,
}

/// Judges all calls of a run. They go to a file in `dir`, which is left where something is wrong.
pub fn verdict(calls: &[Call], dir: &Path) -> Outcome<Judged> {
    let mut judged = count(calls);
    let found = judge(calls);
    let file = dir.join("locks.jsonl");
    let lines: Vec<String> = calls.iter().map(|one| one.json().to_string()).collect();
    std::fs::write(&file, lines.join("\n") + "\n")?;
    judged.violations = found.iter().take(SHOWN).map(|one| words(one, &file)).collect();
    if found.len() > SHOWN {
        judged
            .violations
            .push(format!("… and {} more like these", found.len() - SHOWN));
    }
    for (rule, calls) in spoiled(calls) {
        if !judge(&calls).iter().any(|violation| violation.rule == rule) {
            return Err(format!("the judge of locks takes a history that was spoiled: {rule}").into());
        }
        judged.spoiled.push(rule);
    }
    Ok(judged)
}

/// Reads a history that [`verdict`] wrote.
pub fn read(text: &str) -> Option<Vec<Call>> {
    let line = |line: &str| Call::from_json(&serde_json::from_str(line).ok()?);
    text.lines().map(line).collect()
}

fn count(calls: &[Call]) -> Judged {
    let count = |is: &dyn Fn(&Call) -> bool| calls.iter().filter(|call| is(call)).count();
    let is_write = |call: &Call| matches!(call.kind, Kind::Write(_));
    let locks: BTreeSet<u8> = calls.iter().map(|call| call.lock).collect();
    let (mut held, mut sure) = (0, 0);
    for lock in locks {
        let own: Vec<Call> = calls.iter().filter(|call| call.lock == lock).copied().collect();
        let possessions = possessions(&own);
        held += possessions.len();
        let is_sure = |one: &&super::Possession| one.sure_from_ns < one.sure_until_ns;
        sure += possessions.iter().filter(is_sure).count();
    }
    Judged {
        possessions: held,
        sure,
        renewals: count(&|call| call.kind == Kind::Renew && call.done()),
        lost: count(&|call| !is_write(call) && call.outcome == Came::Lost),
        breaks: count(&|call| call.kind == Kind::Break && call.done()),
        accepted: count(&|call| is_write(call) && call.done()),
        refused: count(&|call| is_write(call) && call.outcome == Came::Lost),
        unknown: count(&|call| call.outcome == Came::Unknown),
        reads: count(&|call| call.kind == Kind::Read),
        ..Judged::default()
    }
}

/// One violation for a person.
pub fn words(violation: &Violation, file: &Path) -> String {
    let mut text = format!("locks: {} ({})\n", violation.why, violation.rule);
    for call in &violation.calls {
        // A String takes everything.
        let _ = writeln!(text, "  {}", call.line());
    }
    let _ = write!(text, "  all calls: {}", file.display());
    text
}
