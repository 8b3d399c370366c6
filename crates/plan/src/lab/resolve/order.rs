//! The order in which power comes: each thing after all that feed it; and the circles, in which there is none.

use super::{Errors, Kind, Thing, ThingId};
use std::collections::VecDeque;

/// Everything, each after its feeds. Where power goes in a circle, what is in it or behind it is left out.
pub(super) fn power(things: &[Thing], errors: &mut Errors) -> Vec<ThingId> {
    let mut waits: Vec<usize> = things.iter().map(|thing| thing.feeds.len()).collect();
    let mut feeds: Vec<Vec<usize>> = vec![Vec::new(); things.len()];
    for (at, thing) in things.iter().enumerate() {
        for feed in &thing.feeds {
            feeds[feed.0].push(at);
        }
    }
    let mut ready: VecDeque<usize> = (0..things.len()).filter(|at| waits[*at] == 0).collect();
    let mut order = Vec::new();
    while let Some(at) = ready.pop_front() {
        order.push(ThingId(at));
        for fed in &feeds[at] {
            waits[*fed] -= 1;
            if waits[*fed] == 0 {
                ready.push_back(*fed);
            }
        }
    }
    circles(things, &waits, errors);
    order
}

/// Tells each circle once. What still waits has a feed that waits, so that walking up the feeds comes round.
fn circles(things: &[Thing], waits: &[usize], errors: &mut Errors) {
    let mut told = vec![false; things.len()];
    for start in (0..things.len()).filter(|at| waits[*at] > 0) {
        let mut path = Vec::new();
        let mut at = start;
        while !told[at] {
            told[at] = true;
            path.push(at);
            let up = things[at].feeds.iter().find(|feed| waits[feed.0] > 0);
            let Some(up) = up else { break };
            at = up.0;
        }
        let Some(begin) = path.iter().position(|seen| *seen == at) else {
            continue;
        };
        let mut names: Vec<&str> = path[begin..].iter().map(|at| things[*at].name.as_str()).collect();
        names.push(&things[at].name);
        let shown = match names.len() {
            0..=8 => names.join("` is plugged into `"),
            many => format!("{}` … {many} in all", names[..8].join("` is plugged into `")),
        };
        let message = format!("power goes in a circle: `{shown}`");
        errors.push(
            &things[at].name,
            Kind::PowerCycle,
            message,
            "Plug one of them into an outlet.",
        );
    }
}
