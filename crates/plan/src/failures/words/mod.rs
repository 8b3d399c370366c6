//! Failures in the words that a person types: `unplug switch-1`, `node-2 and disk-1 of node-3 die`.
//!
//! Owns: the words. Promises: every word is understood or refused with what would be, and [`Understood::text`] says how
//! all of them were taken; nothing is left out in silence.

mod clause;
mod names;
mod tokens;
mod vocabulary;

use super::failure::Failure;
use crate::lab::Resolved;
use clause::Clause;
use names::Names;
use serde::Serialize;
use vocabulary::Verb;

/// The longest text that is looked at, in bytes.
pub const MAX_WORDS: usize = 1_000;

/// What a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Understood {
    /// What fails.
    pub failures: Vec<Failure>,
    /// The same in words: `switch-1 fails and node-2 dies`.
    pub text: String,
}

/// A text that is not understood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{message}")]
pub struct NotUnderstood {
    /// What is not understood, and why.
    pub message: String,
    /// What to write instead.
    pub next: String,
    /// Examples, with names of this lab, that are understood.
    pub understood: Vec<String>,
}

/// What a text means in a lab.
///
/// # Errors
///
/// With what is not understood, the nearest name, and examples that are.
pub fn understand(lab: &Resolved, text: &str) -> Result<Understood, NotUnderstood> {
    let refuse = |(message, next): (String, String)| NotUnderstood {
        message,
        next,
        understood: examples(lab),
    };
    if text.len() > MAX_WORDS {
        let message = format!("the text has {} bytes; at most {MAX_WORDS} are read", text.len());
        return Err(refuse((message, "Name what fails, in a few words.".to_owned())));
    }
    let names = Names::of(lab);
    let clauses = tokens::clauses(text)
        .into_iter()
        .map(|clause| Clause::read(&names, clause));
    let mut clauses: Vec<Clause> = clauses.collect::<Result<_, _>>().map_err(refuse)?;
    if clauses.is_empty() {
        let next = "Name what fails.".to_owned();
        return Err(refuse(("no words are there".to_owned(), next)));
    }
    share_verbs(&mut clauses);
    let mut failures: Vec<Failure> = Vec::new();
    for clause in &clauses {
        for failure in clause.failures(&names).map_err(refuse)? {
            if !failures.contains(&failure) {
                failures.push(failure);
            }
        }
    }
    let all: Vec<String> = failures.iter().map(|failure| failure.happens(lab)).collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    Ok(Understood {
        text: super::reasons::listed(&all),
        failures,
    })
}

/// A clause without a verb takes that of what follows, if it stands behind its thing there (`a and b die`), else that
/// of what went before, if it stands in front of it (`unplug a and b`).
fn share_verbs(clauses: &mut [Clause]) {
    let own: Vec<Option<(Verb, bool)>> = clauses.iter().map(|clause| clause.verb).collect();
    for (at, clause) in clauses
        .iter_mut()
        .enumerate()
        .filter(|(_, clause)| clause.verb.is_none())
    {
        let after = own[at..].iter().flatten().next().filter(|(_, behind)| *behind);
        let before = own[..at]
            .iter()
            .rev()
            .flatten()
            .next()
            .filter(|(_, behind)| !behind);
        clause.verb = after.or(before).copied();
    }
}

/// What would be understood.
fn examples(lab: &Resolved) -> Vec<String> {
    let quoted = |name: &str| match name.contains(char::is_whitespace) {
        true => format!("\"{name}\""),
        false => name.to_owned(),
    };
    let mut examples = Vec::new();
    if let Some(switch) = lab.lab.switches.first() {
        examples.push(format!("unplug {}", quoted(&switch.common.name)));
    }
    let node = lab
        .members()
        .map(|(id, _)| lab.thing(id))
        .find(|node| !node.disks.is_empty());
    if let Some(node) = node {
        let name = quoted(&node.name);
        examples.push(format!("{name} dies"));
        examples.push(format!("{name} is off"));
        examples.push(format!("{} of {name} dies", quoted(&node.disks[0].name)));
    }
    if let Some(link) = lab.links.first() {
        let end = |id| quoted(&lab.thing(id).name);
        examples.push(format!(
            "pull the cable between {} and {}",
            end(link.from),
            end(link.to)
        ));
    }
    if let Some(circuit) = lab.lab.circuits.first() {
        examples.push(format!("circuit {} trips", quoted(&circuit.name)));
    }
    if let Some(ups) = lab.lab.upses.first() {
        examples.push(format!("the battery of {} is dead", quoted(&ups.common.name)));
    }
    match lab.lab.sites.first() {
        Some(site) => {
            examples.push(format!("power goes out at {}", quoted(&site.name)));
            examples.push(format!("{} burns down", quoted(&site.name)));
        }
        None => examples.push("the power goes out".to_owned()),
    }
    examples
}
