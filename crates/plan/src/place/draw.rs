//! Lots: which domains win the copies that cannot be divided evenly, and which copy is which.
//!
//! Promises: a draw depends on the key and the drawing domain's name alone, so that a change elsewhere does not
//! move it.

use super::hash::{fraction, join, ln};
use super::tree::Tree;

/// Divides copies among the children of a group, and goes on in each.
pub fn descend(tree: &Tree, key: u64, at: usize, copies: usize, chosen: &mut Vec<usize>) {
    let group = &tree.groups[at];
    if copies == 0 {
        return;
    }
    if let Some(leaf) = group.leaf {
        chosen.push(leaf);
        return;
    }
    let shares = &group.shares[copies];
    let certain: usize = shares.iter().map(|share| share.base).sum();
    let lots = copies - certain.min(copies);
    let mut draws: Vec<(f64, usize)> = Vec::new();
    if lots > 0 {
        for (position, (child, share)) in group.children.iter().zip(shares).enumerate() {
            if share.extra > 0.0 {
                let draw = fraction(join(key, tree.groups[*child].hash));
                draws.push((score(draw, share.extra, lots), position));
            }
        }
        draws.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        draws.truncate(lots);
    }
    for (position, child) in group.children.iter().enumerate() {
        let won = draws.iter().any(|(_, winner)| *winner == position);
        let own = shares[position].base + usize::from(won);
        descend(tree, key, *child, own, chosen);
    }
}

/// A draw's rank, the lowest first. With one winner the lowest of exponential clocks gives exactly the wanted
/// probabilities; with more, a ratio of odds does nearly so (Pareto sampling).
fn score(draw: f64, chance: f64, winners: usize) -> f64 {
    if winners == 1 {
        -ln(draw) / chance
    } else {
        (draw / (1.0 - draw)) / (chance / (1.0 - chance))
    }
}

/// Gives each chosen leaf a number that it mostly keeps when another leaf takes one's place: number and leaf find
/// each other in the order of a draw for each pair.
pub fn number(tree: &Tree, key: u64, chosen: &mut Vec<usize>) {
    let count = chosen.len();
    if count < 2 {
        return;
    }
    let mut pairs: Vec<(u64, usize, usize)> = Vec::with_capacity(count * count);
    for leaf in chosen.iter() {
        let own = join(key, tree.leaves[*leaf].hash);
        pairs.extend((0..count).map(|number| (join(own, number as u64), number, *leaf)));
    }
    pairs.sort_unstable();
    let mut numbers = vec![None; count];
    for (_, number, leaf) in pairs {
        if numbers[number].is_none() && !numbers.contains(&Some(leaf)) {
            numbers[number] = Some(leaf);
        }
    }
    *chosen = numbers.into_iter().flatten().collect();
}
