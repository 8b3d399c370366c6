//! What placement promises: shares by capacity, little movement, independence of the map's order.
#![allow(clippy::unwrap_used)] // a panic is how a test fails, in its helpers too

use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use stead_plan::{ClusterMap, DomainKind, Node, NodeState, Placer, Policy};

const KEYS: u32 = 20_000;

fn key(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

fn map(weights: &[u64]) -> ClusterMap {
    let node = |(number, weight): (usize, &u64)| Node::new(format!("n{number:02}"), *weight);
    ClusterMap {
        nodes: weights.iter().enumerate().map(node).collect(),
    }
}

fn placer(map: &ClusterMap, copies: u8) -> Placer {
    Placer::new(map, Policy::replicas(copies).unwrap())
}

/// The nodes of every key.
fn all(placer: &Placer) -> Vec<Vec<String>> {
    let of = |number| {
        let copies = placer.place(&key(number)).copies;
        copies.into_iter().map(|copy| copy.node.0).collect()
    };
    (0..KEYS).map(of).collect()
}

fn counts(placed: &[Vec<String>]) -> BTreeMap<&str, f64> {
    let mut counts = BTreeMap::new();
    for node in placed.iter().flatten() {
        *counts.entry(node.as_str()).or_insert(0.0) += 1.0;
    }
    counts
}

/// Copies that are somewhere else than before.
fn moved(before: &[Vec<String>], after: &[Vec<String>]) -> usize {
    let pairs = before.iter().zip(after);
    let new = pairs.map(|(before, after)| after.iter().filter(|node| !before.contains(node)).count());
    new.sum()
}

fn check_balance(map: &ClusterMap, copies: u8) {
    let placer = placer(map, copies);
    let placed = all(&placer);
    let counts = counts(&placed);
    for (copy, share) in placer.expected() {
        let wanted = share * f64::from(KEYS);
        let got = counts.get(copy.node.0.as_str()).copied().unwrap_or(0.0);
        // Five percent, and room for the lot: four standard deviations of so many draws.
        let room = wanted * 0.05 + 4.0 * wanted.sqrt();
        assert!(
            (got - wanted).abs() <= room,
            "{}: {got} instead of {wanted} ({copies} copies)",
            copy.node
        );
    }
    let total: f64 = counts.values().sum();
    let each = usize::from(copies).min(map.nodes.len());
    assert_eq!(total, f64::from(KEYS) * each as f64);
}

#[test]
fn shares_are_by_capacity() {
    check_balance(&map(&[100; 3]), 1);
    check_balance(&map(&[100; 5]), 3);
    check_balance(&map(&[100; 10]), 3);
    check_balance(&map(&[100, 200, 300, 400]), 1);
    check_balance(&map(&[100, 200, 300, 400]), 2);
    check_balance(&map(&[100, 100, 100, 300, 300]), 3);
    check_balance(&map(&[1000, 1, 1]), 2);
}

#[test]
fn what_is_expected_is_by_capacity_where_that_can_be() {
    let placer = placer(&map(&[100, 200, 300, 400]), 2);
    let shares: Vec<f64> = placer.expected().into_iter().map(|(_, share)| share).collect();
    for (share, wanted) in shares.iter().zip([0.2, 0.4, 0.6, 0.8]) {
        assert!((share - wanted).abs() < 1e-6, "{shares:?}");
    }
}

#[test]
fn a_new_node_takes_its_share_and_nothing_else_moves() {
    for (weights, copies) in [
        (vec![100; 4], 1),
        (vec![100; 4], 3),
        (vec![100; 9], 3),
        (vec![100, 200, 300], 1),
    ] {
        let before = all(&placer(&map(&weights), copies));
        let grown = [weights.clone(), vec![100]].concat();
        let after = all(&placer(&map(&grown), copies));
        let new = format!("n{:02}", weights.len());
        let taken = after.iter().flatten().filter(|node| **node == new).count();
        let moved = moved(&before, &after);
        assert!(
            moved as f64 <= taken as f64 * 1.1,
            "{weights:?}, {copies} copies: {moved} moved, {taken} had to"
        );
    }
}

#[test]
fn what_a_lost_node_held_is_all_that_moves() {
    for (count, copies) in [(4, 1), (5, 3), (10, 3)] {
        let mut map = map(&vec![100; count]);
        let before = all(&placer(&map, copies));
        let lost = map.nodes[1].id.0.clone();
        let held = before.iter().flatten().filter(|node| **node == lost).count();
        map.nodes[1].state = NodeState::Lost;
        let after = all(&placer(&map, copies));
        assert!(after.iter().flatten().all(|node| *node != lost));
        let moved = moved(&before, &after);
        assert!(
            moved as f64 <= held as f64 * 1.1,
            "{count} nodes, {copies} copies: {moved} moved, {held} had to"
        );
    }
}

#[test]
fn a_node_that_is_only_down_moves_nothing() {
    let mut map = map(&[100; 5]);
    let before = all(&placer(&map, 3));
    map.nodes[2].state = NodeState::Down;
    assert_eq!(before, all(&placer(&map, 3)));
}

#[test]
fn where_a_key_is_placed_stays_what_it_was() {
    let placer = placer(&map(&[100, 200, 300, 400, 500]), 3);
    let placed = [0, 1, 2, 3, 1_000_000].map(|number| {
        let copies = placer.place(&key(number)).copies.into_iter();
        copies.map(|copy| copy.node.0).collect::<Vec<_>>().join(" ")
    });
    assert_eq!(placed, GOLDEN);
}

/// Data lies where these say: they never change.
const GOLDEN: [&str; 5] = [
    "n01 n03 n04",
    "n01 n04 n02",
    "n04 n03 n01",
    "n04 n03 n01",
    "n02 n01 n04",
];

fn domains() -> impl Strategy<Value = ClusterMap> {
    let domain = || proptest::option::of(0_u8..3);
    let nodes = proptest::collection::vec((1_u64..5, domain(), domain()), 1..9);
    nodes.prop_map(|nodes| {
        let node = |(number, (weight, circuit, switch)): (usize, (u64, Option<u8>, Option<u8>))| {
            let mut node = Node::new(format!("n{number}"), weight * 100);
            node.domains.circuit = circuit.map(|circuit| format!("c{circuit}"));
            node.domains.switch = switch.map(|switch| format!("s{switch}"));
            node
        };
        ClusterMap {
            nodes: nodes.into_iter().enumerate().map(node).collect(),
        }
    })
}

/// Different domains of a kind that copies could be in; all that say nothing count as one.
fn different(map: &ClusterMap, kind: DomainKind) -> usize {
    let names: BTreeSet<_> = map.nodes.iter().map(|node| node.domains.get(kind)).collect();
    names.len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn copies_are_on_different_nodes_whatever_the_order(
        map in domains(), copies in 1_u8..=5, seed in any::<u32>(),
    ) {
        let own = placer(&map, copies);
        let mut turned = map.clone();
        turned.nodes.reverse();
        let other = placer(&turned, copies);
        for number in 0..20 {
            let placed = own.place(&key(seed.wrapping_add(number)));
            let nodes: BTreeSet<_> = placed.copies.iter().map(|copy| &copy.node).collect();
            prop_assert_eq!(nodes.len(), usize::from(copies).min(map.nodes.len()));
            prop_assert_eq!(placed.missing, usize::from(copies).saturating_sub(map.nodes.len()));
            prop_assert_eq!(&placed, &other.place(&key(seed.wrapping_add(number))));
        }
    }

    #[test]
    fn two_copies_are_not_behind_one_thing_where_that_can_be(map in domains(), seed in any::<u32>()) {
        let placer = placer(&map, 2);
        let (circuits, switches) = (different(&map, DomainKind::Circuit), different(&map, DomainKind::Switch));
        for number in 0..20 {
            let placed = placer.place(&key(seed.wrapping_add(number)));
            // With one kind of domain alone, two different ones are enough.
            if circuits > 1 && switches == 1 {
                prop_assert_eq!(placed.independent(DomainKind::Circuit), 2, "{:?}", placed);
            }
            if switches > 1 && circuits == 1 {
                prop_assert_eq!(placed.independent(DomainKind::Switch), 2, "{:?}", placed);
            }
        }
    }
}
