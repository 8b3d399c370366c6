//! Readers of strangers' bytes never panic, and never believe what cannot be.

use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;
use stead_power::{Supply, Ups, Verdict, Watch};

const WORDS: &[&str] = &[
    "OL", "OB", "LB", "FSD", "CHRG", "DISCHRG", "RB", "CAL", "OFF", "WAIT", "ALARM", "x",
];
const NUMBERS: &[&str] = &[
    "0", "50", "100", "101", "-1", "NaN", "inf", "1e99", "", "12,5", "100000",
];

prop_compose! {
    fn any_ups()(
        words in prop::collection::vec(prop::sample::select(WORDS), 0..5),
        numbers in prop::collection::vec(prop::sample::select(NUMBERS), 5),
    ) -> Ups {
        let names = ["battery.charge", "battery.runtime", "ups.load", "ups.realpower", "ups.realpower.nominal"];
        let mut variables: BTreeMap<String, String> =
            names.iter().zip(numbers).map(|(name, number)| ((*name).to_owned(), number.to_owned())).collect();
        variables.insert("ups.status".to_owned(), words.join(" "));
        Ups::judge("rack", &variables)
    }
}

proptest! {
    #[test]
    fn contradiction_is_unknown_and_numbers_are_possible(ups in any_ups()) {
        let has = |word: &str| ups.status.iter().any(|own| own == word);
        if has("OL") && has("OB") {
            prop_assert!(matches!(ups.supply, Supply::Unknown(_)));
        }
        if ups.supply == Supply::Mains {
            prop_assert!(has("OL") && !has("OB") && !has("FSD"));
        }
        prop_assert!(ups.charge_percent.is_none_or(|charge| (0.0..=100.0).contains(&charge)));
        prop_assert!(ups.watts.is_none_or(|watts| (0.0..=300_000.0).contains(&watts)));
        prop_assert!(ups.runtime_seconds.is_none_or(|seconds| seconds >= 0.0));
    }

    /// Without battery or FSD ever said for certain, nothing is ever stopped.
    #[test]
    fn nothing_stops_without_battery(said in prop::collection::vec((any_ups(), 0u64..100_000), 0..40)) {
        let mut watch = Watch::new(Default::default());
        let (mut now, mut battery) = (0, false);
        for (ups, passed) in said {
            now += passed;
            battery |= !matches!(ups.supply, Supply::Mains | Supply::Unknown(_));
            let verdict = watch.see(&ups, Duration::from_secs(now));
            if matches!(verdict, Verdict::Stop(_)) {
                prop_assert!(battery);
                prop_assert!(ups.supply != Supply::Mains);
            }
            if matches!(ups.supply, Supply::Unknown(_)) {
                prop_assert!(verdict != Verdict::Fine && verdict != Verdict::OnBattery);
            }
        }
    }
}
