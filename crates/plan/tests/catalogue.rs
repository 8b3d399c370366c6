//! The catalogue has every figure that is known.

use stead_plan::Interval;
use stead_plan::lab::Catalogue;
use stead_plan::lab::model::{DiskKind, Part, PartKind};

fn part(name: &str) -> &'static Part {
    Catalogue::built_in().get(name).expect(name)
}

fn figure(text: &str) -> Option<f64> {
    (!text.is_empty()).then(|| text.parse().expect(text))
}

fn one(value: Option<f64>) -> Option<Interval> {
    value.map(Interval::exactly)
}

#[test]
fn every_figure_of_every_metered_board() {
    let mut boards = 0;
    for row in include_str!("facts/boards_power.csv").lines().skip(1) {
        let row: Vec<&str> = row.split(',').collect();
        let [name, _, year, price, idle, stress, geekbench, hpl, source] = row[..] else {
            panic!("{row:?}");
        };
        let found = part(name);
        assert_eq!(found.kind, PartKind::Node);
        assert_eq!(found.year, year.parse().ok(), "{name}");
        assert_eq!(found.price_usd, figure(price), "{name}");
        assert_eq!(found.idle_w, one(figure(idle)), "{name}");
        assert_eq!(found.stress_w, one(figure(stress)), "{name}");
        assert_eq!(found.geekbench_w, one(figure(geekbench)), "{name}");
        assert_eq!(found.hpl_w, one(figure(hpl)), "{name}");
        assert_eq!(
            (found.source.as_str(), found.method.as_str()),
            (source, "metered at the plug")
        );
        boards += 1;
    }
    assert_eq!(boards, 45);
}

#[test]
fn some_by_hand() {
    let cm4 = part("Raspberry Pi Compute Module 4");
    assert_eq!((cm4.idle_w, cm4.hpl_w), (one(Some(2.5)), one(Some(5.2))));
    let tower = part("Dell Optiplex 780");
    assert_eq!((tower.idle_w, tower.hpl_w), (one(Some(66.0)), one(Some(180.0))));
    assert_eq!((tower.price_usd, tower.year), (Some(60.0), Some(2009)));
    let mini = part("GMKtec NucBox G3 Plus");
    assert_eq!((mini.idle_w, mini.stress_w), (one(Some(9.3)), one(Some(25.0))));
    assert_eq!(
        part("Qualcomm Snapdragon X Dev Kit").stress_w,
        None,
        "unknown stays unknown"
    );
}

#[test]
fn every_figure_of_what_is_no_board() {
    let range = |low, high| Some(Interval { low, high });
    let same = |value| one(Some(value));
    for (name, idle, typical, stress) in [
        ("Raspberry Pi CM4 + NVMe", same(3.0), same(5.5), same(7.5)),
        ("Orange Pi 5 Pro 16GB + NVMe", same(2.5), same(6.0), same(11.0)),
        ("Jetson Orin Nano Super", same(5.0), same(12.5), same(25.0)),
        ("MikroTik RB5009UPr+S+IN", None, same(12.0), same(20.0)),
        ("MikroTik CRS309-1G-8S+IN", None, range(15.0, 20.0), None),
        ("x86 edge router", None, range(10.0, 20.0), None),
        ("USB SSD", None, range(2.0, 4.0), None),
        ("HP EliteDesk 800 G5 mini", range(6.0, 7.0), None, None),
        ("BKHD N100 OPNsense", same(20.0), None, None),
        ("BKHD N100 Proxmox", same(15.0), None, None),
        ("BKHD N100 NAS 4x3.5in HDD", same(35.0), None, None),
        ("Ubiquiti USW-24-POE", same(20.0), None, None),
        ("Dell OptiPlex 3050 Micro", range(5.0, 18.0), None, None),
        ("3.5in 5TB SMR HDD", same(3.5), None, same(5.5)),
        ("3.5in 8TB SMR HDD", same(5.0), None, same(7.5)),
        ("2.5in 5TB HDD", same(1.3), None, same(2.0)),
        ("7200rpm HDD", range(6.0, 8.0), None, range(8.0, 12.0)),
    ] {
        let found = part(name);
        assert_eq!(
            (found.idle_w, found.typical_w, found.stress_w),
            (idle, typical, stress),
            "{name}"
        );
    }
    let rows = include_str!("facts/other_power.csv").lines().skip(1).count();
    assert_eq!(rows, 17, "as many as are above");
    for (name, kind, start, standby) in [
        (
            "3.5in 5TB SMR HDD",
            DiskKind::HddLarge,
            range(10.0, 24.0),
            range(0.0, 0.75),
        ),
        (
            "3.5in 8TB SMR HDD",
            DiskKind::HddLarge,
            range(10.0, 24.0),
            range(0.0, 0.75),
        ),
        ("2.5in 5TB HDD", DiskKind::HddSmall, same(3.75), same(0.18)),
        ("7200rpm HDD", DiskKind::HddLarge, range(20.0, 25.0), None),
    ] {
        let found = part(name);
        assert_eq!(
            (found.disk_kind, found.start_w, found.standby_w),
            (Some(kind), start, standby),
            "{name}"
        );
    }
    assert_eq!(part("MikroTik RB5009UPr+S+IN").poe_budget_w, Some(130.0));
    assert!(
        part("Dell OptiPlex 3050 Micro")
            .note
            .as_deref()
            .is_some_and(|note| note.contains("10 W when settled"))
    );
}
