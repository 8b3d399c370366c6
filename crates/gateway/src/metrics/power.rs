//! What meters and UPSes said last.
//!
//! Promises: a device that is not known now has no figure, rather than its last one.

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

/// A round of readings.
#[derive(Clone, Debug, Default)]
pub struct PowerRound {
    /// Source, device and watts.
    pub watts: Vec<(String, String, f64)>,
    /// Watt-hours of this month that were seen.
    pub month_watt_hours: f64,
    /// UPSes whose state is known.
    pub upses: Vec<UpsFigures>,
    /// Sources that could not be read.
    pub failed: Vec<String>,
}

/// A UPS whose state is known.
#[derive(Clone, Debug, Default)]
pub struct UpsFigures {
    /// Its server.
    pub source: String,
    /// Its name.
    pub ups: String,
    /// Whether it is on battery.
    pub on_battery: bool,
    /// In percent.
    pub charge: Option<f64>,
    /// In seconds.
    pub runtime: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DeviceLabels {
    source: String,
    device: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct UpsLabels {
    source: String,
    ups: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SourceLabel {
    source: String,
}

/// None: a family of one, that is absent until it is set.
type Unlabelled = [(&'static str, &'static str); 0];

type Level = Gauge<f64, AtomicU64>;

#[derive(Default)]
pub(super) struct Power {
    watts: Family<DeviceLabels, Level>,
    month: Family<Unlabelled, Level>,
    on_battery: Family<UpsLabels, Gauge>,
    charge: Family<UpsLabels, Level>,
    runtime: Family<UpsLabels, Level>,
    failed: Family<SourceLabel, Counter>,
    /// One round is written at a time, and none is read half.
    pub(super) writing: Mutex<()>,
}

impl Power {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("power_watts", "What a device draws", self.watts.clone());
        registry.register(
            "power_month_watt_hours",
            "What was seen to be drawn this month (UTC)",
            self.month.clone(),
        );
        registry.register(
            "ups_on_battery",
            "Whether a UPS is on battery; absent where it is unknown",
            self.on_battery.clone(),
        );
        registry.register(
            "ups_charge_percent",
            "How full its battery is",
            self.charge.clone(),
        );
        registry.register(
            "ups_runtime_seconds",
            "How long its battery lasts",
            self.runtime.clone(),
        );
        registry.register("power_failures", "Readings that failed", self.failed.clone());
    }
}

impl super::Metrics {
    /// Takes a round of readings in place of the one before.
    pub fn power(&self, round: &PowerRound) {
        let power = &self.0.power;
        let _writing = power.writing.lock();
        power.watts.clear();
        power.on_battery.clear();
        power.charge.clear();
        power.runtime.clear();
        for (source, device, watts) in &round.watts {
            let labels = DeviceLabels {
                source: source.clone(),
                device: device.clone(),
            };
            power.watts.get_or_create(&labels).set(*watts);
        }
        power.month.get_or_create(&[]).set(round.month_watt_hours);
        for ups in &round.upses {
            let labels = UpsLabels {
                source: ups.source.clone(),
                ups: ups.ups.clone(),
            };
            power.on_battery.get_or_create(&labels).set(ups.on_battery.into());
            if let Some(charge) = ups.charge {
                power.charge.get_or_create(&labels).set(charge);
            }
            if let Some(runtime) = ups.runtime {
                power.runtime.get_or_create(&labels).set(runtime);
            }
        }
        for source in &round.failed {
            let label = SourceLabel {
                source: source.clone(),
            };
            power.failed.get_or_create(&label).inc();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Metrics;
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn what_is_not_known_any_more_has_no_figure() {
        let metrics = Metrics::new();
        let text = || {
            let mut text = String::new();
            encode(&mut text, &metrics.0.registry).unwrap();
            text
        };
        assert!(
            !text().contains("stead_power_month_watt_hours{"),
            "nothing is measured"
        );
        let mut round = PowerRound {
            watts: vec![("shelly 10.0.0.5".into(), "switch:0".into(), 8.5)],
            month_watt_hours: 12.5,
            upses: vec![UpsFigures {
                source: "nut a:3493".into(),
                ups: "rack".into(),
                on_battery: true,
                charge: Some(55.0),
                runtime: None,
            }],
            failed: vec!["rapl".into()],
        };
        metrics.power(&round);
        for line in [
            r#"stead_power_watts{source="shelly 10.0.0.5",device="switch:0"} 8.5"#,
            "stead_power_month_watt_hours{} 12.5",
            r#"stead_ups_on_battery{source="nut a:3493",ups="rack"} 1"#,
            r#"stead_ups_charge_percent{source="nut a:3493",ups="rack"} 55.0"#,
            r#"stead_power_failures_total{source="rapl"} 1"#,
        ] {
            assert!(text().contains(line), "{line} is not in {}", text());
        }
        (round.watts, round.upses) = (Vec::new(), Vec::new());
        metrics.power(&round);
        assert!(!text().contains("stead_power_watts{") && !text().contains("stead_ups_on_battery{"));
        assert!(text().contains(r#"stead_power_failures_total{source="rapl"} 2"#));
    }
}
