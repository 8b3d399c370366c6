//! A failing schedule made smaller: steps without which it still fails are left out.

use crate::schedule::Schedule;
use crate::world::{Run, Spoil, run};

/// Runs at most.
const TRIES: usize = 400;

/// Leaves out what is not needed for the same rule to be broken: halves first, then single steps. Delays come from the
/// same seed, so a smaller schedule is as repeatable as the first.
pub fn shrink(schedule: &Schedule, spoil: Option<Spoil>) -> (Schedule, Run) {
    let mut smallest = (schedule.clone(), run(schedule, spoil));
    let Some(rule) = smallest.1.violation.as_ref().map(|violation| violation.rule) else {
        return smallest;
    };
    let mut size = smallest.0.steps.len() / 2;
    let mut tries = 0;
    while size > 0 {
        let mut at = 0;
        let before = smallest.0.steps.len();
        while at < smallest.0.steps.len() && tries < TRIES {
            tries += 1;
            let mut smaller = smallest.0.clone();
            let end = (at + size).min(smaller.steps.len());
            smaller.steps.drain(at..end);
            let again = run(&smaller, spoil);
            match &again.violation {
                Some(violation) if violation.rule == rule => smallest = (smaller, again),
                _ => at += size,
            }
        }
        let done = size == 1 && smallest.0.steps.len() == before;
        if done || tries >= TRIES {
            break;
        }
        size = (size / 2).max(1);
    }
    smallest
}
