//! Budgets against figures computed by hand.

use stead_plan::budget::Verdict;
use stead_plan::lab::Lab;
use stead_plan::{Budget, ClusterMap, Interval, Node, Placer, Policy};

fn budget(text: &str) -> Budget {
    let lab = Lab::read(text)
        .expect("a file")
        .resolve()
        .expect("a lab that holds together");
    Budget::of(&lab)
}

fn range(low: f64, high: f64) -> Interval {
    Interval { low, high }
}

/// A circuit `c` with an outlet `o`.
fn wall(volts: u32, amps: u32) -> String {
    format!(
        "[[circuit]]\nname = \"c\"\nvolts = {volts}\namps = {amps}\n[[outlet]]\nname = \"o\"\ncircuit = \"c\"\n"
    )
}

/// A machine that takes so much, at rest and at work.
fn node(name: &str, power: &str, idle: f64, stress: f64) -> String {
    format!("[[node]]\nname = \"{name}\"\npower = [{power}]\nidle_w = {idle}\nstress_w = {stress}\n")
}

#[test]
fn breakers_by_the_table() {
    for (volts, amps, breaker, limit) in [
        (110, 15, 1_650.0, 1_320.0),
        (110, 16, 1_760.0, 1_408.0),
        (110, 20, 2_200.0, 1_760.0),
        (120, 15, 1_800.0, 1_440.0),
        (120, 16, 1_920.0, 1_536.0),
        (120, 20, 2_400.0, 1_920.0),
        (230, 15, 3_450.0, 2_760.0),
        (230, 16, 3_680.0, 2_944.0),
        (230, 20, 4_600.0, 3_680.0),
    ] {
        let at = |watts: f64| {
            let lab = wall(volts, amps) + &node("n", "\"o\"", watts, watts);
            budget(&lab).circuits.remove(0)
        };
        let full = at(limit);
        assert_eq!(
            (full.limit_w, full.breaker_w),
            (limit, breaker),
            "{volts} V {amps} A"
        );
        assert_eq!(
            (full.verdict, full.share_percent),
            (Verdict::Within, range(100.0, 100.0))
        );
        assert_eq!(at(limit + 1.0).verdict, Verdict::Over, "{volts} V {amps} A");
        assert_eq!(at(limit / 2.0).share_percent, range(50.0, 50.0));
    }
}

#[test]
fn between_rest_and_work_a_limit_may_be_passed_and_others_take_their_part() {
    let lab = wall(120, 15) + &node("n", "\"o\"", 100.0, 1_500.0);
    let found = budget(&lab);
    assert_eq!(found.circuits[0].continuous_w, range(100.0, 1_500.0));
    assert_eq!((found.verdict, found.is_within()), (Verdict::MayBeOver, false));
    assert_eq!(found.circuits[0].findings.len(), 1);
    let busy = "[[circuit]]\nname = \"c\"\nvolts = 120\namps = 15\nother_load_w = [900, 1000]\ncontinuous_percent = 100\n\
                [[outlet]]\nname = \"o\"\ncircuit = \"c\"\n";
    let found = budget(&format!("{busy}{}", node("n", "\"o\"", 100.0, 200.0)));
    assert_eq!(found.circuits[0].continuous_w, range(1_000.0, 1_200.0));
    assert_eq!(
        (found.circuits[0].limit_w, found.verdict),
        (1_800.0, Verdict::Within)
    );
}

#[test]
fn a_start_that_is_too_much_at_once_is_borne_in_groups() {
    // Two towers with eight disks each: 8 x (25 - 8) + 200 W and 8 x (20 - 8) + 100 W while they start.
    let disk = "{ kind = \"hdd-3.5\", size_gb = 8000, part = \"7200rpm HDD\" }";
    let tower = |name: &str| {
        let disks = [disk; 8].join(", ");
        node(name, "\"o\"", 100.0, 200.0) + &format!("disk = [{disks}]\n")
    };
    let lab = "[[circuit]]\nname = \"c\"\nvolts = 120\namps = 5\n[[outlet]]\nname = \"o\"\ncircuit = \"c\"\n"
        .to_owned();
    let lab = lab + &tower("a") + &tower("b");
    let found = budget(&lab).circuits.remove(0);
    assert_eq!((found.breaker_w, found.limit_w), (600.0, 480.0));
    assert_eq!(found.continuous_w, range(200.0, 400.0));
    assert_eq!(found.cold_start_w, range(2.0 * 196.0, 2.0 * 336.0));
    assert_eq!(found.verdict, Verdict::MayBeOver);
    assert_eq!(found.staggered_start_w, range(100.0 + 196.0, 200.0 + 336.0));
    let steps: Vec<_> = found
        .steps
        .iter()
        .map(|step| (step.after_seconds, step.devices.join(" ")))
        .collect();
    assert_eq!(steps, [(0, "a".to_owned()), (30, "b".to_owned())]);
    assert!(
        found.findings[0].contains("in the groups"),
        "{:?}",
        found.findings
    );
}

#[test]
fn switches_start_before_machines_and_voters_before_others() {
    let lab = wall(230, 16)
        + &node("other", "\"o\"", 5.0, 10.0)
        + "role = \"other\"\n"
        + &node("n", "\"s\"", 5.0, 10.0)
        + "[[switch]]\nname = \"s\"\npower = [\"o\"]\nidle_w = 10\nstress_w = 10\npoe_budget_w = 60\n";
    let found = budget(&lab);
    let groups: Vec<_> = found.circuits[0]
        .steps
        .iter()
        .map(|step| step.devices.join(" "))
        .collect();
    assert_eq!(groups, ["s", "n", "other"]);
    // What arrives as 10 W may be 10 x 15.4 / 12.95 at the switch.
    assert_eq!(found.poe[0].poe_w, range(5.0, 11.892));
    assert_eq!(found.circuits[0].continuous_w, range(20.0, 31.892));
}

#[test]
fn power_over_ethernet_and_strips_have_limits_too() {
    let poe = |limit: f64| {
        let switch = format!(
            "[[switch]]\nname = \"s\"\npower = [\"o\"]\nidle_w = 5\nstress_w = 8\npoe_budget_w = {limit}\n"
        );
        budget(&(wall(230, 16) + &switch + &node("n", "\"s\"", 20.0, 40.0))).poe[0].verdict
    };
    assert_eq!(poe(60.0), Verdict::Within);
    assert_eq!(poe(40.0), Verdict::MayBeOver);
    assert_eq!(poe(15.0), Verdict::Over);
    let strip = "[[pdu]]\nname = \"p\"\npower = [\"o\"]\nmax_amps = 2\nidle_w = 0\nstress_w = 0\n";
    let found = budget(&(wall(120, 15) + strip + &node("n", "\"p\"", 250.0, 250.0)));
    assert_eq!(
        (found.pdus[0].limit_w, found.pdus[0].verdict),
        (Some(240.0), Verdict::Over)
    );
}

#[test]
fn a_battery_lasts_as_long_as_its_watt_hours() {
    let ups = "[[ups]]\nname = \"u\"\npower = [\"o\"]\nmax_w = 360\nbattery_wh = [60, 80]\nidle_w = 4\nstress_w = 4\n";
    let found = budget(&(wall(230, 16) + ups + &node("n", "\"u\"", 20.0, 60.0)));
    let ups = &found.upses[0];
    assert_eq!(
        (ups.load_w, ups.limit_w, ups.verdict),
        (range(20.0, 60.0), Some(360.0), Verdict::Within)
    );
    assert_eq!(ups.runtime_idle_minutes, Some(range(180.0, 240.0)));
    assert_eq!(ups.runtime_stress_minutes, Some(range(60.0, 80.0)));
    assert_eq!(ups.cold_start_w, range(20.0, 60.0));
    // A fifth of the input may be lost.
    assert_eq!(found.circuits[0].continuous_w, range(24.0, 4.0 + 75.0));
    let bare = "[[ups]]\nname = \"u\"\npower = [\"o\"]\npart = \"UPS\"\n";
    let found = budget(&(wall(230, 16) + bare + &node("n", "\"u\"", 20.0, 60.0)));
    assert_eq!(
        (found.upses[0].verdict, found.upses[0].runtime_idle_minutes),
        (Verdict::Unknown, None)
    );
    assert!(found.is_within() && found.notes.iter().any(|note| note.contains("battery_wh")));
}

#[test]
fn two_supplies_may_take_all_from_either() {
    let two =
        "[[circuit]]\nname = \"d\"\nvolts = 230\namps = 16\n[[outlet]]\nname = \"q\"\ncircuit = \"d\"\n";
    let found = budget(&(wall(230, 16) + two + &node("n", "\"o\", \"q\"", 50.0, 90.0)));
    assert_eq!(found.circuits[0].continuous_w, range(0.0, 90.0));
    assert_eq!(found.circuits[1].continuous_w, range(0.0, 90.0));
    assert_eq!(found.totals.continuous_w, range(50.0, 90.0), "and no more in all");
    let same = budget(&(wall(230, 16) + &node("n", "\"o\", \"o\"", 50.0, 90.0)));
    assert_eq!(same.circuits[0].continuous_w, range(50.0, 90.0));
    assert_eq!(same.circuits[0].inrush.supplies, 2);
}

#[test]
fn heat_energy_money_noise() {
    let lab = "currency = \"EUR\"\ntariff_per_kwh = 0.3\n".to_owned()
        + &wall(230, 16)
        + &node("a", "\"o\"", 100.0, 200.0)
        + "noise_dba = 30\nprice = 100\nmemory_gb = 32\ncores = 8\n"
        + &node("b", "\"o\"", 100.0, 200.0)
        + "noise_dba = 30\nprice = 300\nmemory_gb = 32\ncores = 2\n";
    let found = budget(&lab);
    let all = &found.totals;
    assert_eq!(all.heat_btu_per_hour, range(682.4, 1_364.8));
    assert_eq!(all.energy_kwh_per_month, range(146.1, 292.2));
    assert_eq!(all.cost_per_month, Some(range(43.83, 87.66)));
    assert_eq!(all.noise_dba, Some(range(33.01, 33.01)));
    assert_eq!((all.price_at_least, all.price_unknown.len()), (400.0, 0));
    assert_eq!(found.per.w_per_memory_gb, Some(range(3.125, 6.25)));
    assert_eq!(found.per.price_per_core_at_least, Some(40.0));
}

#[test]
fn usable_space_follows_the_copies() {
    let disk = |gb: u32| format!("disk = [{{ kind = \"ssd\", size_gb = {gb}, price = 50 }}]\nprice = 50\n");
    let lab = |data: &str, sizes: &[u32]| {
        let mut lab = format!("[[data]]\nname = \"d\"\n{data}\n");
        for (at, gb) in sizes.iter().enumerate() {
            lab += &(node(&format!("n{at}"), "", 10.0, 20.0) + &disk(*gb));
        }
        budget(&lab).usable.remove(0)
    };
    let three = lab("redundancy = \"3\"", &[1_000, 1_000, 1_000]);
    assert_eq!((three.raw_tb, three.usable_tb), (3.0, 1.0));
    assert_eq!(three.w_per_usable_tb, Some(range(30.0, 60.0)));
    assert_eq!(three.price_per_usable_tb_at_least, Some(300.0));
    assert_eq!(
        lab("redundancy = \"2 strict\"", &[1_000, 1_000, 1_000]).usable_tb,
        1.5
    );
    assert_eq!(lab("redundancy = \"2\"", &[1_000, 1_000, 8_000]).usable_tb, 2.0);
    assert_eq!(lab("redundancy = \"2+1\"", &[1_000, 1_000, 1_000]).usable_tb, 2.0);
    assert_eq!(lab("redundancy = \"3\"", &[1_000, 1_000]).usable_tb, 0.0);
    assert_eq!(
        lab("redundancy = \"2\"\nsize_gb = 900", &[1_000, 1_000]).fits,
        Some(true)
    );
    assert_eq!(
        lab("redundancy = \"2\"\nsize_gb = 1100", &[1_000, 1_000]).fits,
        Some(false)
    );
}

#[test]
fn what_is_not_known_is_wide_and_said() {
    let found = budget(&(wall(230, 16) + "[[node]]\nname = \"box\"\npower = [\"o\"]\n"));
    assert_eq!(found.circuits[0].continuous_w, range(0.5, 440.0));
    assert!(!found.devices[0].known);
    assert!(
        found
            .notes
            .iter()
            .any(|note| note.starts_with("Watts not known") && note.contains("box"))
    );
    let apart = budget(&node("n", "", 5.0, 5.0));
    assert!(
        apart
            .notes
            .iter()
            .any(|note| note.starts_with("Plugged in nowhere"))
    );
    assert_eq!(apart.totals.continuous_w, range(5.0, 5.0));
}

#[test]
fn an_old_tower_is_weighed_against_what_idles_low() {
    let lab = "currency = \"USD\"\ntariff_per_kwh = 0.3\n".to_owned()
        + &wall(120, 20)
        + "[[node]]\nname = \"tower\"\npart = \"Dell Optiplex 780\"\npower = [\"o\"]\n\
           [[node]]\nname = \"small\"\npart = \"GMKtec NucBox G3 Plus\"\npower = [\"o\"]\n";
    let hints = budget(&lab).hints;
    assert!(hints.iter().all(|hint| hint.name == "tower"), "{hints:?}");
    let best = &hints[0];
    assert_eq!(
        (best.instead.as_str(), best.idle_w, best.instead_idle_w),
        ("Radxa X4", 66.0, 9.1)
    );
    // 56.9 W are 41.565 kWh a month, 12.47 a month at 0.30; 79.90 / 12.47 = 6.4 months.
    assert_eq!(
        (best.saved_kwh_per_month, best.payback_months),
        (41.565, Some(6.408))
    );
}

#[test]
fn a_budget_reads_well_and_is_the_same_each_time() {
    let text = include_str!("labs/three-cm4.toml");
    let found = budget(text);
    let report = found.to_string();
    assert!(
        report.starts_with("three CM4 and a router: within its limits\n"),
        "{report}"
    );
    assert_eq!(report, budget(text).to_string());
    let json = serde_json::to_value(&found).expect("JSON");
    assert_eq!(json["circuits"][0]["limit_w"], 1_920.0);
    assert_eq!(json["circuits"][0]["continuous_w"]["low"], 8.5);
    assert_eq!(json["poe"][0]["limit_w"], 130.0);
    assert_eq!(json["usable"][0]["usable_tb"], 1.5);
}

#[test]
fn a_long_chain_of_batteries_stays_finite() {
    let mut lab = wall(230, 16);
    for at in 0..3_000 {
        let from = if at == 0 {
            "o".to_owned()
        } else {
            format!("u{}", at - 1)
        };
        lab += &format!("[[ups]]\nname = \"u{at}\"\npower = [\"{from}\"]\n");
    }
    lab += &node("n", "\"u2999\"", 5.0, 5.0);
    assert!(budget(&lab).circuits[0].continuous_w.high.is_finite());
}

#[test]
fn the_documented_reports_are_those_of_the_documented_labs() {
    let page = include_str!("../../../docs/planner.md");
    for lab in [
        include_str!("labs/attic.toml"),
        include_str!("labs/three-cm4.toml"),
    ] {
        let report = budget(lab).to_string();
        assert!(page.contains(&report), "docs/planner.md should have:\n{report}");
    }
}

#[test]
fn a_tower_is_compared_without_its_disks() {
    let hints = budget(include_str!("labs/attic.toml")).hints;
    assert_eq!((hints[0].name.as_str(), hints[0].idle_w), ("tower", 66.0));
    let disk = "{ kind = \"hdd-3.5\", part = \"3.5in 8TB SMR HDD\", size_gb = 8000 }";
    let own = format!("{}disk = [{disk}, {disk}]\n", node("n", "", 32.0, 40.0));
    let hints = budget(&own).hints;
    assert!(
        !hints.is_empty() && hints.iter().all(|hint| hint.idle_w == 22.0),
        "32 W less two disks of 5 W: {hints:?}"
    );
}

/// Gigabytes of data at which the first node is full, when placement puts blocks there.
fn placed_until_full(sizes: &[(f64, &str)], policy: Policy) -> f64 {
    const KEYS: u32 = 10_000;
    let node = |(at, (gb, site)): (usize, &(f64, &str))| {
        let mut node = Node::new(format!("n{at}"), (gb * 1e9) as u64);
        node.domains.site = Some((*site).to_owned());
        node
    };
    let map = ClusterMap {
        nodes: sizes.iter().enumerate().map(node).collect(),
    };
    let placer = Placer::new(&map, policy);
    let mut copies = vec![0_u32; sizes.len()];
    for key in 0..KEYS {
        for copy in placer.place(&key.to_be_bytes()).copies {
            let at = map
                .nodes
                .iter()
                .position(|node| node.id == copy.node)
                .expect("a node");
            copies[at] += 1;
        }
    }
    let each = 1.0 / policy.to_read() as f64;
    let full = |(copies, (gb, _)): (&u32, &(f64, &str))| gb / (f64::from(*copies) / f64::from(KEYS) * each);
    copies.iter().zip(sizes).map(full).fold(f64::INFINITY, f64::min)
}

#[test]
fn usable_space_is_what_placement_reaches() {
    for (sizes, redundancy) in [
        (&[(1e3, "x"), (1e3, "x"), (1e3, "x")][..], "2"),
        (&[(1e3, "x"), (1e3, "x"), (8e3, "x")], "2"),
        (&[(1e3, "x"), (2e3, "x"), (3e3, "x"), (4e3, "x")], "3"),
        (&[(1e3, "x"), (1e3, "x"), (4e3, "y")], "2"),
        (&[(1e3, "x"), (1e3, "x"), (1e3, "x"), (1e3, "y")], "2"),
        (
            &[(1e3, "x"), (1e3, "x"), (1e3, "x"), (1e3, "x"), (1e3, "x")],
            "2+1",
        ),
    ] {
        let mut lab = format!("[[data]]\nname = \"d\"\nredundancy = \"{redundancy}\"\n");
        for site in ["x", "y"] {
            lab += &format!(
                "[[site]]\nname = \"{site}\"\n[[rack]]\nname = \"r{site}\"\nsite = \"{site}\"\nunits = 9\n"
            );
        }
        for (at, (gb, site)) in sizes.iter().enumerate() {
            lab += &node(&format!("n{at}"), "", 1.0, 1.0);
            lab += &format!("rack = \"r{site}\"\ndisk = [{{ kind = \"ssd\", size_gb = {gb} }}]\n");
        }
        let bound = budget(&lab).usable[0].usable_tb * 1e3;
        let placed = placed_until_full(sizes, redundancy.parse().expect("a policy"));
        assert!(
            (placed / bound - 1.0).abs() < 0.05,
            "{sizes:?} {redundancy}: {placed} of {bound}"
        );
    }
}
