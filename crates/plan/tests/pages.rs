//! What docs/planner.md shows is what is printed.

use stead_plan::Lab;
use stead_plan::design::{Wish, search};
use stead_plan::failures::{FailureKind, Forecaster, Report, WhatIf, understand};

fn has(shown: &str) {
    let page = include_str!("../../../docs/planner.md");
    assert!(
        page.contains(shown.trim_end()),
        "docs/planner.md should have:\n{shown}"
    );
}

#[test]
fn failures_are_as_the_page_shows_them() {
    let text = include_str!("labs/three-cm4.toml");
    let lab = Lab::read(text).expect("a file").resolve().expect("a lab");
    let at = Forecaster::new(&lab);
    let report = Report::of(&at, false).to_string();
    let until = report.find("read-only  cm4-2 dies").expect("another machine");
    has(&report[..until]);
    let helps = report.find("WHAT HELPS").expect("what helps");
    let until = report.find("\n3.  ").expect("a third thing");
    has(&report[helps..until]);
    let words = "unplug router";
    let understood = understand(&lab, words).expect(words);
    has(&WhatIf::of(&at, &understood).to_string());
}

#[test]
fn designs_are_as_the_page_shows_them() {
    let wish = Wish {
        usable_tb: 8.0,
        budget_usd: Some(900.0),
        watts: Some(60.0),
        survive: [FailureKind::Node, FailureKind::Disk, FailureKind::Switch].into(),
    };
    for design in search(&wish, &[]).expect("designs") {
        has(&design.to_string());
    }
    let less = Wish {
        budget_usd: Some(300.0),
        ..wish
    };
    for give in search(&less, &[]).expect_err("none").give {
        has(&format!("Possible with {give}.\n"));
    }
}
