//! What hangs on one thing: the few sentences to read first.
//!
//! Owns: what is worth a sentence of its own. Promises: each is derived from what the forecast says.

use super::all::Single;
use super::copies::Scratch;
use super::failure::{Failure, FailureKind};
use super::judge::Forecaster;
use super::reasons::listed;
use super::verdict::Verdict;
use crate::lab::{ThingId, ThingKind};
use crate::votes;

/// Those of a lab.
pub(super) fn of(at: &Forecaster<'_>, singles: &[Single]) -> Vec<String> {
    let mut found = Vec::new();
    // From what is nearest to the machines to what feeds it.
    let kinds = [
        ThingKind::Switch,
        ThingKind::Pdu,
        ThingKind::Ups,
        ThingKind::Outlet,
        ThingKind::Circuit,
    ];
    for kind in kinds {
        let all = at.lab.of_kind(kind);
        found.extend(all.filter_map(|(id, _)| carries(at, id)));
    }
    found.extend(writing_stops(at));
    found.extend(votes_of_one(at, singles));
    found
}

/// Whether all power, or all switching, goes through a thing.
fn carries(at: &Forecaster<'_>, id: ThingId) -> Option<String> {
    let mut scratch = Scratch::default();
    let whole = at.moment(&at.broken(&[]), true, &mut scratch);
    let members = &at.graph.members;
    let powered = members.iter().filter(|member| whole.alive.has(**member)).count();
    if powered < 2 || !whole.verdict.goes_on() {
        return None;
    }
    let thing = at.lab.thing(id);
    let mut broken = at.broken(&[]);
    broken.things.set(id.0);
    let dark = at.graph.alive(&broken, true);
    let power = !members.iter().any(|member| dark.has(*member));
    let cables: Vec<Failure> = (0..at.lab.links.len())
        .filter(|link| [at.lab.links[*link].from, at.lab.links[*link].to].contains(&id))
        .map(Failure::Cable)
        .collect();
    let mut cut = at.broken(&[]);
    for failure in &cables {
        if let Failure::Cable(link) = failure {
            cut.links.set(*link);
        }
    }
    let apart = at.moment(&cut, true, &mut scratch);
    let switching = thing.kind == ThingKind::Switch && (!apart.reached || apart.together.count() <= 1);
    let what = match (power, switching) {
        (true, true) => "all power and all switching",
        (true, false) => "all power",
        (false, true) => "all switching",
        (false, false) => return None,
    };
    let verdict = at.look(&broken, dark, &mut scratch).verdict;
    let name = match thing.kind {
        ThingKind::Outlet | ThingKind::Circuit => format!("{} {}", thing.kind.word(), thing.name),
        _ => thing.name.clone(),
    };
    Some(format!(
        "{name} alone carries {what} of the {powered} machines: without it, {verdict}."
    ))
}

/// Data that cannot be written when one machine dies, though most voters are there.
fn writing_stops(at: &Forecaster<'_>) -> Vec<String> {
    let mut scratch = Scratch::default();
    let moments: Vec<_> = at
        .lab
        .members()
        .map(|(id, _)| at.moment(&at.broken(&[Failure::Node(id)]), true, &mut scratch))
        .collect();
    let quorum = votes::quorum(at.voters.count());
    let mut found = Vec::new();
    for (place, family) in at.families.iter().enumerate() {
        let stops = moments.iter().any(|now| {
            let left = now.left.get(place);
            now.votes >= quorum && left.is_some_and(|left| left.unwritten && !left.unread && !left.gone)
        });
        if stops && family.has_place() {
            found.push(format!(
                "{} is kept as `{}`: writing stops when one machine dies, until it is back.",
                family.names.join(", "),
                family.policy
            ));
        }
    }
    found
}

/// Machines without which nothing is decided.
fn votes_of_one(at: &Forecaster<'_>, singles: &[Single]) -> Option<String> {
    let needed = |single: &&Single| {
        let (together, _, needed) = single.outcome.votes;
        single.fails.kind == FailureKind::Node && single.outcome.verdict >= Verdict::Down && together < needed
    };
    let names: Vec<&str> = singles
        .iter()
        .filter(needed)
        .map(|single| single.fails.name.as_str())
        .collect();
    let voters = at.voters.count();
    (!names.is_empty()).then(|| {
        format!(
            "Nothing is decided without {}: {voters} of the machines vote{}.",
            listed(&names),
            if voters == 1 {
                ", and a third machine or a witness would make it three"
            } else {
                ""
            }
        )
    })
}
