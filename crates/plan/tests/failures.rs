//! What has to hold for every lab.

use proptest::prelude::*;
use std::collections::BTreeSet;
use stead_plan::failures::{Failure, Forecaster, Verdict};
use stead_plan::survive::{CopySets, Now};
use stead_plan::{DomainKind, NodeId};
use stead_sim::labs::{Machine, Plan};

fn plans() -> impl Strategy<Value = Plan> {
    let policy = prop::sample::select(vec!["1", "2", "2 strict", "3", "3 fewest", "2+1", "4+2 strict"]);
    let machine = (
        prop::collection::vec(0_usize..8, 1..3),
        prop::collection::vec(0_usize..8, 0..3),
        0_usize..4,
        prop::bool::weighted(0.2),
    )
        .prop_map(|(feeds, switches, disks, poe)| Machine {
            feeds,
            switches,
            disks,
            poe,
            state: "active",
        });
    let switch = (
        prop::collection::vec(0_usize..8, 1..3),
        prop::option::of(0_usize..8),
    );
    (
        1_usize..4,
        prop::collection::vec(0_usize..4, 0..3),
        prop::collection::vec(switch, 0..4),
        prop::collection::vec(machine, 1..7),
        prop::collection::vec(policy, 1..3),
        0_usize..3,
    )
        .prop_map(|(circuits, upses, switches, nodes, policies, sites)| Plan {
            circuits,
            upses,
            switches,
            nodes,
            policies,
            sites,
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn one_more_failure_never_makes_it_better(plan in plans(), picks in prop::collection::vec(any::<prop::sample::Index>(), 1..12)) {
        let Some(lab) = plan.lab("") else { return Ok(()) };
        let (at, all) = (Forecaster::new(&lab), Failure::all(&lab));
        let mut failed = Vec::new();
        let mut before = at.judge(&failed);
        for pick in picks {
            failed.push(*pick.get(&all));
            let after = at.judge(&failed);
            prop_assert!(after.verdict >= before.verdict, "{failed:?}: {before:?} {after:?}");
            prop_assert!(after.worst() >= before.worst(), "{failed:?}: {before:?} {after:?}");
            prop_assert!(after.votes.0 <= before.votes.0 || after.verdict > before.verdict || after.votes.0 < after.votes.2);
            before = after;
        }
    }

    #[test]
    fn what_is_judged_once_for_many_is_what_each_of_them_does(plan in plans(), picks in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..40)) {
        let Some(lab) = plan.lab("") else { return Ok(()) };
        let (at, all) = (Forecaster::new(&lab), Failure::all(&lab));
        let singles = at.singles();
        let class = |failure: Failure| {
            let name = failure.name(&lab);
            singles.iter().find(|single| single.failure == failure || single.same.iter().any(|same| same.name == name && same.kind == failure.kind()))
        };
        for (one, other) in picks {
            let (one, other) = (*one.get(&all), *other.get(&all));
            // Two cables side by side bear one name, by which no class can be told.
            let alone = |failure: &Failure| {
                let same = |other: &&Failure| other.kind() == failure.kind() && other.name(&lab) == failure.name(&lab);
                all.iter().filter(same).count() == 1
            };
            if !alone(&one) || !alone(&other) {
                continue;
            }
            let (Some(class_one), Some(class_other)) = (class(one), class(other)) else {
                return Err(TestCaseError::fail("a failure is in no class"));
            };
            let each = at.judge(&[one, other]);
            let once = at.judge(&[class_one.failure, class_other.failure]);
            prop_assert_eq!((each.verdict, each.worst()), (once.verdict, once.worst()), "{:?} {:?}", one, other);
        }
    }

    #[test]
    fn doubles_are_counted_as_they_are_judged(plan in plans()) {
        let Some(lab) = plan.lab("") else { return Ok(()) };
        let (at, all) = (Forecaster::new(&lab), Failure::all(&lab));
        prop_assume!(all.len() <= 40);
        let mut counted: Vec<(Verdict, u64)> = Verdict::ALL.map(|verdict| (verdict, 0)).to_vec();
        for (place, one) in all.iter().enumerate() {
            for other in &all[place + 1..] {
                let verdict = at.judge(&[*one, *other]).worst();
                counted.iter_mut().filter(|(known, _)| *known == verdict).for_each(|(_, count)| *count += 1);
            }
        }
        prop_assert_eq!(at.doubles().counts.each().to_vec(), counted);
    }

    #[test]
    fn a_node_s_failure_is_what_the_cluster_says_of_it(plan in plans()) {
        let plan = Plan { policies: plan.policies.iter().copied().filter(|policy| !policy.contains('+')).collect(), ..plan };
        prop_assume!(!plan.policies.is_empty());
        let Some(lab) = plan.lab("") else { return Ok(()) };
        let at = Forecaster::new(&lab);
        // The cluster knows no wires: what is dark or cut off already is no matter of this test.
        prop_assume!(at.judge(&[]).verdict <= Verdict::Slower && at.judge(&[]).votes.0 == at.judge(&[]).votes.1);
        let map = lab.cluster_map();
        let policies = lab.lab.data.iter().map(|data| data.redundancy).collect();
        let sets = CopySets::of(&map, &policies);
        let all: BTreeSet<NodeId> = map.nodes.iter().map(|node| node.id.clone()).collect();
        let voters: BTreeSet<NodeId> = at.voters().into_iter().map(NodeId::from).collect();
        let now = Now { map: &map, sets: &sets, voters: &voters, up: &all, level: &all };
        let holds = map.nodes.iter().any(|node| node.takes_copies());
        for loss in now.losses().into_iter().filter(|loss| loss.kind == DomainKind::Node && holds) {
            let outcome = at.judge(&[Failure::Node(lab.by_name(&loss.name).expect("it"))]);
            prop_assert_eq!(outcome.verdict != Verdict::DataLost, loss.data_stays, "{:?} {:?}", loss, outcome);
            // Of a machine that is cut off all along, and holds data, it does not know either.
            let wires = outcome.chain.iter().any(|reason| reason.text.contains("cut off") || reason.text.contains("no power"));
            if outcome.votes.0 == loss.votes.0 && !wires {
                let strict = outcome.verdict == Verdict::ReadOnly;
                prop_assert_eq!(outcome.verdict.goes_on() || strict, loss.service_goes_on, "{:?} {:?}", loss, outcome);
            }
            prop_assert!(outcome.votes.0 <= loss.votes.0, "{:?} {:?}", loss, outcome);
            prop_assert_eq!(outcome.votes.2, loss.votes.1);
        }
    }
}

/// Where no block is placed by a lot (as many copies as machines), names change nothing.
#[test]
fn names_make_no_difference() {
    let plan = |policies| Plan {
        circuits: 2,
        upses: vec![0],
        switches: vec![(vec![0, 2], None), (vec![1], Some(0))],
        nodes: (0..3)
            .map(|at| Machine {
                feeds: vec![at, 2],
                switches: vec![at],
                disks: 1,
                poe: at == 1,
                state: "active",
            })
            .collect(),
        policies,
        sites: 1,
    };
    for policies in [vec!["3"], vec!["2 strict", "1"], vec!["2+1"]] {
        let verdicts = |prefix: &str| {
            let lab = plan(policies.clone()).lab(prefix).expect("a lab");
            let at = Forecaster::new(&lab);
            let all = Failure::all(&lab);
            let judged = all.iter().map(|failure| at.judge(&[*failure]).worst());
            (judged.collect::<Vec<_>>(), at.doubles().counts)
        };
        assert_eq!(verdicts(""), verdicts("Ümläut "), "{policies:?}");
    }
}
