//! Designs in sentences.

use super::options::Machine;
use super::shape::{Shape, WITNESS};
use super::{Design, SURVIVABLE, Wish};
use crate::failures::FailureKind;
use crate::policy::Writes;
use std::fmt;

fn number(count: usize, one: &str, many: &str) -> String {
    match count {
        1 => format!("one {one}"),
        2 => format!("two {many}"),
        count => format!("{count} {many}"),
    }
}

pub(super) fn title(shape: &Shape, machine: &Machine) -> String {
    let disks = match machine.disks {
        1 => format!("a {}", machine.disk.name),
        count => format!("{count} × {}", machine.disk.name),
    };
    let mut parts = vec![format!("{} × {} with {disks} each", shape.nodes, machine.part)];
    if shape.nodes == 1 {
        parts = vec![format!("{} with {disks}", machine.part)];
    }
    if shape.witness {
        parts.push(format!("a witness on a {WITNESS}"));
    }
    parts.push(number(shape.switches, "switch", "switches"));
    if shape.ups {
        parts.push(number(shape.circuits, "UPS", "UPSes"));
    }
    format!("{}; data kept as `{}`", parts.join(", "), shape.policy)
}

fn words(kinds: impl Iterator<Item = FailureKind>) -> String {
    let words: Vec<&str> = kinds.map(FailureKind::words).collect();
    match words.as_slice() {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [all @ .., last] => format!("{} or {last}", all.join(", ")),
    }
}

pub(super) fn explained(design: &Design, shape: &Shape, wish: &Wish) -> String {
    let survived = SURVIVABLE
        .into_iter()
        .filter(|kind| design.survives.contains(kind));
    let missing = SURVIVABLE
        .into_iter()
        .filter(|kind| !design.survives.contains(kind));
    let mut sentences = vec![format!(
        "It goes on when any one of these fails: {}.",
        words(survived)
    )];
    sentences.push(format!("It does not bear the loss of: {}.", words(missing)));
    let voters = crate::votes::odd(shape.nodes + usize::from(shape.witness));
    let stored = shape.policy.overhead();
    sentences.push(format!(
        "{} {}, and each byte takes {stored:.1} on disk.",
        number(voters, "machine", "machines"),
        if voters == 1 { "decides" } else { "vote" },
    ));
    if shape.policy.writes() == Writes::Fewest {
        sentences.push(
            "What is written while a machine is away has nothing in reserve until it is back.".to_owned(),
        );
    }
    if let Some(budget) = wish.budget_usd.filter(|budget| design.price_usd.high > *budget) {
        sentences.push(format!(
            "It may cost more than {budget:.0} USD: prices of disks, switches and cables are bounds of ours."
        ));
    }
    sentences.join(" ")
}

/// Lines of at most 100 columns.
fn wrapped(f: &mut fmt::Formatter<'_>, indent: &str, text: &str) -> fmt::Result {
    let mut line = indent.to_owned();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > 100 {
            writeln!(f, "{line}")?;
            line = "    ".to_owned();
        }
        if !line.trim().is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(f, "{line}")
}

impl fmt::Display for Design {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        wrapped(f, "", &format!("{}: {}", self.best_at.join(", "), self.title))?;
        writeln!(
            f,
            "    {:.0} USD, {:.1} W, {:.1} TB usable",
            self.price_usd, self.watts, self.usable_tb
        )?;
        wrapped(f, "    ", &self.explained)
    }
}
