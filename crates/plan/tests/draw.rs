//! Pictures: nothing lies over anything else, every text is where it belongs, and whatever names are, they are text.

use stead_plan::draw::{Picture, Runbook, Side, Theme, network, power, racks, report};
use stead_plan::lab::Resolved;
use stead_plan::{Budget, Lab};

/// A lab with so many machines in several racks, on two circuits and two switches.
fn lab(machines: usize, name: &str) -> Resolved {
    let mut text = format!(
        "name = '{name}'\ncurrency = \"EUR\"\n[[data]]\nname = \"all\"\nredundancy = \"2\"\n[[site]]\nname = \"home\"\n"
    );
    for at in 1..=2 {
        text += &format!("[[circuit]]\nname = \"c{at}\"\nvolts = 230\namps = 16\n");
        text += &format!("[[outlet]]\nname = \"wall-{at}\"\ncircuit = \"c{at}\"\n");
        text += &format!("[[switch]]\nname = \"switch-{at}\"\npower = [\"wall-{at}\"]\nports = 128\n");
    }
    let racks = machines.div_ceil(20).max(1);
    for rack in 1..=racks {
        text += &format!("[[rack]]\nname = \"rack-{rack}\"\nkind = \"19-inch\"\nunits = 24\n");
    }
    for at in 0..machines {
        let (side, rack, unit) = (at % 2 + 1, at / 20 + 1, at % 20 + 1);
        text += &format!(
            "[[node]]\nname = '{name}-{at}'\npart = \"Raspberry Pi 5 model B\"\npower = [\"wall-{side}\"]\n\
             network = [\"switch-{side}\"]\nrack = \"rack-{rack}\"\nat_u = {unit}\n\
             [[node.disk]]\nkind = \"nvme\"\nsize_gb = 1000\n"
        );
    }
    let lab = Lab::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    lab.resolve().unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn pictures(lab: &Resolved) -> [Picture; 4] {
    let budget = Budget::of(lab);
    [
        racks(lab, Side::Front, Theme::Light),
        racks(lab, Side::Rear, Theme::Dark),
        power(lab, &budget, Theme::Auto),
        network(lab, Theme::Light),
    ]
}

#[test]
fn no_text_lies_over_another_and_each_is_inside_its_box() {
    for machines in [1, 3, 17, 60] {
        for picture in pictures(&lab(machines, "node")) {
            assert!(picture.labels.len() > machines);
            for (at, label) in picture.labels.iter().enumerate() {
                if let Some(inside) = label.inside {
                    assert!(inside.holds(label.area), "{machines}: {label:?}");
                }
                for other in &picture.labels[at + 1..] {
                    assert!(
                        !label.area.overlaps(other.area),
                        "{machines}: {label:?} and {other:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_same_lab_gives_the_same_picture() {
    assert_eq!(pictures(&lab(9, "node")), pictures(&lab(9, "node")));
}

#[test]
fn names_are_text_whatever_they_are() {
    for name in ["<script>x", "ünï 🦀 \u{202e}x", "&amp;", &"w".repeat(90)] {
        let lab = lab(2, name);
        let budget = Budget::of(&lab);
        let page = report(&lab, &budget, &Runbook::of(&lab, &budget));
        for text in pictures(&lab).map(|picture| picture.svg).iter().chain([&page]) {
            assert!(!text.contains("<script"), "{name}");
            assert!(
                !text.contains("http://")
                    || text.matches("http://").count() == text.matches("http://www.w3.org/").count()
            );
        }
    }
}
