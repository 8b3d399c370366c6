//! After the load: every key's history is judged, and what is wrong is written down.

use super::checker::Verdict;
use super::history::Operation;
use super::workload::registers::name;
use super::{lock, register};
use crate::Outcome;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Operations that are shown of a violation.
const SHOWN: usize = 40;

/// What the judging came to.
#[derive(Default)]
pub struct Judged {
    /// Keys whose histories have an order.
    pub in_order: usize,
    /// Keys on which the search was given up.
    pub undecided: Vec<String>,
    /// In words, one each.
    pub violations: Vec<String>,
    /// Of the longest history.
    pub longest: usize,
    /// Histories that were refused, as they had to be, once one answer in them was changed.
    pub spoiled: usize,
}

/// Judges all keys. The histories of those that are wrong go to files in `dir`.
pub fn judge(operations: &[Operation], dir: &Path) -> Outcome<Judged> {
    let mut keys: BTreeMap<u32, Vec<Operation>> = BTreeMap::new();
    for operation in operations {
        keys.entry(operation.key).or_default().push(*operation);
    }
    let mut judged = Judged::default();
    for (key, history) in &mut keys {
        history.sort_by_key(|operation| operation.invoked_ns);
        judged.longest = judged.longest.max(history.len());
        match register::judge(history) {
            Verdict::Linearizable => judged.in_order += 1,
            Verdict::Undecided => {
                write(history, &dir.join(format!("undecided-{key}.jsonl")))?;
                judged.undecided.push(name(*key));
            }
            Verdict::Violated => {
                let file = write(history, &dir.join(format!("violation-{key}.jsonl")))?;
                judged.violations.push(words(&name(*key), history, &file));
            }
        }
    }
    if let Some(longest) = keys.values().max_by_key(|history| history.len()) {
        write(longest, &dir.join("longest.jsonl"))?;
    }
    // That the checker would have noticed: the same histories with one answer changed.
    for (key, history) in keys.iter().take(20) {
        let Some(spoiled) = register::spoiled(history) else {
            continue;
        };
        if register::judge(&spoiled) == Verdict::Linearizable {
            let name = name(*key);
            return Err(
                format!("the checker takes the history of {name} with a stale read put into it").into(),
            );
        }
        judged.spoiled += 1;
    }
    Ok(judged)
}

/// Judges histories that were written down: of single keys, or of all locks.
pub fn check_files(files: &[String]) -> Outcome<ExitCode> {
    let mut code = ExitCode::SUCCESS;
    for file in files {
        let text = std::fs::read_to_string(file)?;
        if let Some(calls) = lock::verdict::read(&text) {
            let found = lock::judge(&calls);
            println!(
                "{file}: {} calls about locks, {} violations",
                calls.len(),
                found.len()
            );
            for violation in &found {
                println!("{}", lock::verdict::words(violation, Path::new(file)));
                code = ExitCode::FAILURE;
            }
            continue;
        }
        let history = read(&text).ok_or_else(|| format!("{file} is no history"))?;
        match register::judge(&history) {
            Verdict::Linearizable => println!("{file}: {} operations in order", history.len()),
            Verdict::Undecided => println!("{file}: given up"),
            Verdict::Violated => println!("{}", words(file, &history, Path::new(file))),
        }
        if register::judge(&history) != Verdict::Linearizable {
            code = ExitCode::FAILURE;
        }
    }
    Ok(code)
}

/// Reads what [`write`] wrote.
pub fn read(text: &str) -> Option<Vec<Operation>> {
    let line = |line: &str| Operation::from_json(&serde_json::from_str(line).ok()?);
    text.lines().map(line).collect()
}

/// Writes a history, a line for each operation.
pub fn write(history: &[Operation], file: &Path) -> Outcome<PathBuf> {
    let lines: Vec<String> = history.iter().map(|one| one.json().to_string()).collect();
    std::fs::write(file, lines.join("\n") + "\n")?;
    Ok(file.to_owned())
}

fn words(name: &str, history: &[Operation], file: &Path) -> String {
    let window = register::window(history);
    let mut text = format!("the history of {name} has no order; the part that shows it:\n");
    for operation in window.iter().take(SHOWN) {
        // A String takes everything.
        let _ = writeln!(text, "  {}", operation.line());
    }
    if window.len() > SHOWN {
        let _ = writeln!(text, "  … and {} more", window.len() - SHOWN);
    }
    let _ = write!(text, "  all {} operations: {}", history.len(), file.display());
    text
}
