//! The meter over made-up days.

use proptest::prelude::*;
use std::time::Duration;
use stead_power::{Breaker, Load, Meter, Reading};

/// 2026-11-20T00:00:00Z.
const START: i64 = 1_795_132_800;

fn reading(device: &str, second: i64, watts: Option<f64>, energy_wh: Option<f64>) -> Reading {
    Reading {
        source: "test".into(),
        device: device.into(),
        watts,
        energy_wh,
        part_of: None,
        at_micros: (START + second) * 1_000_000,
    }
}

fn micros(second: i64) -> i64 {
    (START + second) * 1_000_000
}

#[test]
fn fresh_devices_add_up_and_parts_do_not() {
    let mut meter = Meter::new(None);
    assert_eq!(meter.watts(micros(0)), None);
    meter.take(&reading("a", 0, Some(40.0), None)).unwrap();
    meter.take(&reading("b", 30, Some(2.5), None)).unwrap();
    let part = Reading {
        part_of: Some("a".into()),
        ..reading("a core", 30, Some(11.0), None)
    };
    meter.take(&part).unwrap();
    assert_eq!(meter.watts(micros(60)), Some(42.5));
    assert_eq!(meter.watts(micros(61)), Some(2.5));
    assert_eq!(meter.watts(micros(91)), None);
}

#[test]
fn watts_are_integrated_over_short_gaps_only() {
    let mut meter = Meter::new(None);
    meter.take(&reading("a", 0, Some(100.0), None)).unwrap();
    meter.take(&reading("a", 180, Some(200.0), None)).unwrap();
    assert!((meter.month_wh() - 7.5).abs() < 1e-9, "{}", meter.month_wh());
    meter.take(&reading("a", 1080, Some(200.0), None)).unwrap();
    assert!((meter.month_wh() - 7.5).abs() < 1e-9);
    assert_eq!(meter.unseen(), Duration::from_secs(900));
}

#[test]
fn a_counter_is_believed_first_and_its_reset_is_no_energy() {
    let mut meter = Meter::new(None);
    meter.take(&reading("a", 0, Some(100.0), Some(5000.0))).unwrap();
    meter
        .take(&reading("a", 86_400, Some(100.0), Some(7000.0)))
        .unwrap();
    assert!((meter.month_wh() - 2000.0).abs() < 1e-9);
    // Begun anew: the watts are taken.
    meter.take(&reading("a", 86_436, Some(100.0), Some(0.5))).unwrap();
    assert!((meter.month_wh() - 2001.0).abs() < 1e-9);
    // A jump is refused, and measured anew from where it is.
    let jump = meter
        .take(&reading("a", 86_446, Some(100.0), Some(9e6)))
        .unwrap_err();
    assert!(jump.to_string().contains("cannot be"), "{jump}");
    assert_eq!(meter.watts(micros(86_446)), None);
    meter
        .take(&reading("a", 86_456, Some(100.0), Some(9e6 + 1.0)))
        .unwrap();
    assert!((meter.month_wh() - 2002.0).abs() < 1e-9);
}

#[test]
fn time_that_stands_or_goes_back_is_refused() {
    let mut meter = Meter::new(None);
    meter.take(&reading("a", 10, Some(100.0), None)).unwrap();
    for second in [10, 9, -1_000_000_000] {
        assert!(meter.take(&reading("a", second, Some(900.0), None)).is_err());
    }
    assert_eq!(meter.watts(micros(10)), Some(100.0));
}

#[test]
fn a_month_begins_at_nought() {
    let mut meter = Meter::new(None);
    let end = 11 * 86_400; // The first of December.
    meter.take(&reading("a", end - 7200, None, Some(100.0))).unwrap();
    meter.take(&reading("a", end - 3600, None, Some(300.0))).unwrap();
    assert!((meter.month_wh() - 200.0).abs() < 1e-9);
    meter.take(&reading("a", end + 1, None, Some(310.0))).unwrap();
    assert!((meter.month_wh() - 10.0).abs() < 1e-9);
}

#[test]
fn the_breaker_warns_then_counts_three_hours_then_is_over() {
    let mut meter = Meter::new(Some(Breaker { rated_watts: 2300.0 }));
    let mut load = |second: i64, watts: f64| {
        meter.take(&reading("a", second, Some(watts), None)).unwrap();
        meter.load(micros(second)).unwrap()
    };
    assert_eq!(load(0, 1656.0), Load::Fine);
    assert_eq!(load(10, 1700.0), Load::Near { left_watts: 140.0 });
    assert_eq!(load(20, 1841.0), Load::Above { left_seconds: 10_800 });
    assert_eq!(load(3620, 1900.0), Load::Above { left_seconds: 7200 });
    assert_eq!(load(20_000, 1900.0), Load::Above { left_seconds: 0 });
    assert_eq!(load(20_010, 2301.0), Load::Over);
    assert_eq!(load(20_020, 1000.0), Load::Fine);
    assert_eq!(load(20_030, 1900.0), Load::Above { left_seconds: 10_800 });
}

#[test]
fn a_restart_does_not_begin_the_month_anew() {
    let mut before = Meter::new(None);
    before
        .take(&reading("plug", 0, Some(100.0), Some(500.0)))
        .unwrap();
    before
        .take(&reading("plug", 60, Some(100.0), Some(502.0)))
        .unwrap();
    before.take(&reading("rapl", 60, Some(30.0), None)).unwrap();
    let kept = serde_json::to_string(&before.saved()).unwrap();

    let mut after = Meter::new(None);
    after.resume(serde_json::from_str(&kept).unwrap()).unwrap();
    assert_eq!((after.month_wh(), after.watts(micros(61))), (2.0, None));
    // The counter went on while nobody looked; the other did not say.
    after
        .take(&reading("plug", 86_460, Some(100.0), Some(2902.0)))
        .unwrap();
    after.take(&reading("rapl", 86_460, Some(30.0), None)).unwrap();
    assert!((after.month_wh() - 2402.0).abs() < 1e-9);
    assert_eq!(after.unseen(), Duration::from_secs(86_400));

    for (right, wrong) in [
        ("\"version\":1", "\"version\":2"),
        ("\"month_wh\":2.0", "\"month_wh\":-2.0"),
    ] {
        assert!(kept.contains(right), "{kept}");
        let saved = serde_json::from_str(&kept.replace(right, wrong)).unwrap();
        let mut meter = Meter::new(None);
        assert!(meter.resume(saved).is_err());
        assert_eq!(meter.month_wh(), 0.0);
    }
}

#[test]
fn devices_that_are_gone_leave_with_the_month() {
    let mut meter = Meter::new(None);
    for at in 0..256 {
        meter
            .take(&reading(&format!("d{at}"), 0, Some(1.0), None))
            .unwrap();
    }
    let next_month = 12 * 86_400;
    assert!(meter.take(&reading("new", next_month, Some(1.0), None)).is_ok());
    assert_eq!(meter.watts(micros(next_month)), Some(1.0));
}

#[test]
fn memory_is_bounded() {
    let mut meter = Meter::new(None);
    let taken = (0..1000).filter(|at| {
        let one = reading(&format!("d{at}"), 0, Some(1.0), None);
        meter.take(&one).is_ok()
    });
    assert_eq!(taken.count(), stead_power::meter::MAX_DEVICES);
    assert_eq!(meter.watts(micros(0)), Some(256.0));
}

proptest! {
    /// However often it is read, a counter's month is the counter's difference.
    #[test]
    fn a_counter_adds_up(steps in prop::collection::vec((1i64..900, 0.0..20.0), 1..50)) {
        let mut meter = Meter::new(None);
        meter.take(&reading("a", 0, None, Some(0.0))).unwrap();
        let (mut second, mut energy) = (0, 0.0);
        for (passed, by) in steps {
            second += passed;
            energy += by;
            meter.take(&reading("a", second, None, Some(energy))).unwrap();
        }
        prop_assert!((meter.month_wh() - energy).abs() < 1e-6);
    }
}
