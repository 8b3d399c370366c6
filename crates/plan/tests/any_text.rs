//! Whatever a file says: it is refused or planned, never a panic, and no figure is without an end.

use proptest::prelude::*;
use stead_plan::Budget;
use stead_plan::lab::{Lab, locate, netbox};

const LABS: [&str; 3] = [
    include_str!("labs/attic.toml"),
    include_str!("labs/three-cm4.toml"),
    include_str!("labs/netbox.toml"),
];

fn plan(text: &str) {
    let Ok(lab) = Lab::read(text) else { return };
    match lab.resolve() {
        Err(mut errors) => locate(text, &mut errors),
        Ok(lab) => {
            let budget = Budget::of(&lab);
            let json = serde_json::to_string(&budget).expect("JSON");
            for circuit in &budget.circuits {
                assert!(
                    circuit.continuous_w.high.is_finite() && circuit.continuous_w.low >= 0.0,
                    "{json}"
                );
                assert!(circuit.continuous_w.low <= circuit.continuous_w.high, "{json}");
            }
            assert!(!budget.to_string().is_empty());
            let made = netbox::import(&netbox::export(&lab).to_string());
            assert!(made.is_ok() || lab.things.iter().all(|thing| !thing.kind.is_device()));
        }
    }
}

proptest! {
    #[test]
    fn of_any_text(text in "\\PC{0,200}") {
        plan(&text);
    }

    #[test]
    fn of_a_lab_with_lines_taken_out_doubled_and_swapped(
        which in 0..LABS.len(),
        edits in proptest::collection::vec((0..3_u8, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..6),
    ) {
        let mut lines: Vec<&str> = LABS[which].lines().collect();
        for (edit, one, other) in edits {
            let (one, other) = (one.index(lines.len()), other.index(lines.len()));
            match edit {
                0 => drop(lines.remove(one)),
                1 => lines.insert(other, lines[one]),
                _ => lines.swap(one, other),
            }
        }
        plan(&lines.join("\n"));
    }

    #[test]
    fn of_a_lab_with_other_figures(which in 0..LABS.len(), digit in "[0-9]", with in "-?[0-9]{1,10}|nan|inf|\"9 W\"|\\[0, 5\\]") {
        plan(&LABS[which].replace(&format!("= {digit}"), &format!("= {with} # ")));
    }
}
