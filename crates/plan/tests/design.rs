//! Designs: what is proposed holds, and what cannot be is said.

use std::collections::BTreeSet;
use stead_plan::Budget;
use stead_plan::design::{SHOWN, Wish, search};
use stead_plan::failures::{FailureKind, Forecaster, Report};
use stead_plan::lab::Lab;

fn wish(usable_tb: f64, budget: f64, watts: f64, survive: &[FailureKind]) -> Wish {
    Wish {
        usable_tb,
        budget_usd: Some(budget),
        watts: Some(watts),
        survive: survive.iter().copied().collect(),
    }
}

#[test]
fn what_is_proposed_holds() {
    let asked = [FailureKind::Node, FailureKind::Disk, FailureKind::Switch];
    let wish = wish(8.0, 900.0, 60.0, &asked);
    let designs = search(&wish, &[]).expect("designs");
    assert!((1..=SHOWN).contains(&designs.len()));
    for design in &designs {
        println!("{design}");
        let lab = Lab::read(&design.lab_toml)
            .expect("a file")
            .resolve()
            .expect("a lab");
        let budget = Budget::of(&lab);
        assert!(budget.totals.continuous_w.high <= 60.0, "{design}");
        assert_eq!(budget.usable[0].fits, Some(true), "{design}: {:?}", budget.usable);
        assert!(design.price_usd.low <= 900.0);
        let report = Report::of(&Forecaster::new(&lab), false);
        for single in &report.singles {
            let named = [&single.fails].into_iter().chain(&single.same);
            for named in named.filter(|named| asked.contains(&named.kind)) {
                assert!(single.outcome.worst().goes_on(), "{design}: {}", named.text);
            }
        }
    }
    let names: BTreeSet<&str> = designs.iter().flat_map(|design| design.best_at.clone()).collect();
    assert_eq!(names.len(), SHOWN, "each goal has its design");
    assert_eq!(search(&wish, &[]).expect("designs"), designs, "the same again");
}

#[test]
fn breakers_and_power_cuts_are_borne_where_that_is_asked() {
    for kind in [FailureKind::Circuit, FailureKind::Power] {
        let designs = search(&wish(12.0, 1_300.0, 120.0, &[kind]), &[]).expect("designs");
        for design in designs {
            assert!(design.survives.contains(&kind), "{design}");
            assert!(design.watts.high <= 120.0, "{design}");
        }
    }
}

#[test]
fn what_cannot_be_is_said_with_what_can() {
    let none = search(&wish(8.0, 300.0, 60.0, &[FailureKind::Node]), &[]).expect_err("none");
    assert!(
        none.give.iter().any(|line| line.contains("instead of 300")),
        "{none:?}"
    );
    assert!(
        none.give
            .iter()
            .any(|line| line.contains("TB usable instead of 8")),
        "{none:?}"
    );
    assert!(
        none.give
            .contains(&"not to survive the failure of a node".to_owned()),
        "{none:?}"
    );
    let none = search(&wish(10_000.0, 400.0, 1e9, &[]), &[]).expect_err("none");
    assert!(
        none.give
            .iter()
            .any(|line| line.contains("TB usable instead of 10000")),
        "{none:?}"
    );
}
