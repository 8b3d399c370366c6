//! The documented lab of three machines and one router: what the planner has to say of it by itself.

use stead_plan::failures::{Failure, Forecaster, Named, Report, Verdict, line};
use stead_plan::lab::{Lab, Resolved};

fn lab() -> Resolved {
    let text = include_str!("labs/three-cm4.toml");
    Lab::read(text).expect("a file").resolve().expect("a lab")
}

fn said(lab: &Resolved, failure: Failure) -> String {
    let outcome = Forecaster::new(lab).judge(&[failure]);
    line(&outcome.chain, outcome.worst())
}

#[test]
fn its_one_router_carries_all_power_and_all_switching() {
    let lab = lab();
    let router = lab.by_name("router").expect("it");
    assert_eq!(
        said(&lab, Failure::Switch(router)),
        "router fails → cm4-1, cm4-2 and cm4-3 have no power → 0 of 3 voters together, 2 needed → there is no way to \
         the internet → down"
    );
}

#[test]
fn two_copies_with_strict_writes_stop_when_a_node_dies() {
    let lab = lab();
    for name in ["cm4-1", "cm4-2", "cm4-3"] {
        let said = said(&lab, Failure::Node(lab.by_name(name).expect("it")));
        assert_eq!(
            said,
            format!(
                "{name} dies → 2 of 3 voters are together, which is enough → of some of everything (2 strict) 1 of 2 \
                 copies are there, and writing takes 2 → read-only"
            )
        );
    }
}

#[test]
fn all_of_it() {
    let lab = lab();
    let at = Forecaster::new(&lab);
    let singles = at.singles();
    let of = |name: &str| {
        let is = |named: &Named| named.name == name;
        let found = singles
            .iter()
            .find(|single| is(&single.fails) || single.same.iter().any(is));
        found.map(|single| single.outcome.worst())
    };
    for (name, verdict) in [
        ("router", Verdict::Down),
        ("circuit kitchen", Verdict::Down),
        ("outlet wall", Verdict::Down),
        ("the power at home", Verdict::Down),
        ("site home", Verdict::DataLost),
        ("cm4-2", Verdict::ReadOnly),
        ("disk-1 of cm4-2", Verdict::ReadOnly),
        ("the cable cm4-2 to router", Verdict::ReadOnly),
    ] {
        assert_eq!(of(name), Some(verdict), "{name}");
    }
    let doubles = at.doubles();
    assert_eq!(doubles.counts.all(), {
        let singles = Failure::all(&lab).len() as u64;
        singles * (singles - 1) / 2
    });
    let worst = &doubles.worst[0];
    assert_eq!(
        line(&worst.outcome.chain, worst.outcome.worst()),
        "cm4-1 dies and cm4-2 dies → 1 of 3 voters together, 2 needed → of some of everything \
         (2 strict) no copy is left → data lost"
    );
}

#[test]
fn it_says_so_by_itself_and_what_helps() {
    let lab = lab();
    let report = Report::of(&Forecaster::new(&lab), true);
    assert_eq!(
        report.findings,
        [
            "router alone carries all power and all switching of the 3 machines: without it, down.",
            "outlet wall alone carries all power of the 3 machines: without it, down.",
            "circuit kitchen alone carries all power of the 3 machines: without it, down.",
            "everything is kept as `2 strict`: writing stops when one machine dies, until it is back.",
        ]
    );
    let first = &report.fixes[0];
    assert_eq!(first.title, "Keep everything as `2` instead of `2 strict`.");
    assert_eq!(first.change, ["[[data]] everything: redundancy = \"2\""]);
    // A second switch, and supplies of their own, help only together.
    let both = report
        .fixes
        .iter()
        .find(|fix| fix.title.contains("supply") && fix.title.contains("second switch"));
    let router = ("router".to_owned(), Verdict::Down, Verdict::Safe);
    assert!(
        both.is_some_and(|fix| fix.better.contains(&router)),
        "{:#?}",
        report.fixes
    );
    let text = report.to_string();
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert_eq!(text, Report::of(&Forecaster::new(&lab), true).to_string());
}
