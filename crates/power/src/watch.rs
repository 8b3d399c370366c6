//! Watching a UPS over time: when what it says is a reason to stop what is behind it.
//!
//! Pure: time is given. Promises:
//! - On mains, nothing is stopped. On battery, what is behind it stops when the UPS says that it is low, or its charge or
//!   runtime is below the limits, in two readings with none to the contrary between them: one flicker stops nothing.
//! - That a UPS is not known is never fine, and by itself never a reason to stop. Only one that was on battery when it was
//!   last known, and has been silent for longer than the grace, is taken to be empty.
//! - A UPS that says it will be switched off (FSD) is believed at once: somebody decided it, and it has seconds.

use crate::ups::{Supply, Ups};
use serde::Serialize;
use std::time::Duration;

/// When what is behind a UPS is to stop.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// On battery, below this charge, in percent.
    pub charge_percent: f64,
    /// On battery, below this runtime.
    pub runtime: Duration,
    /// How long a UPS that was on battery may be unknown.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            charge_percent: 30.0,
            runtime: Duration::from_secs(300),
            grace: Duration::from_secs(120),
        }
    }
}

/// What follows from what a UPS said.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict", content = "why")]
pub enum Verdict {
    /// On mains.
    Fine,
    /// On battery, with enough left.
    OnBattery,
    /// It cannot be said; an alarm, and no more.
    Unknown(String),
    /// What is behind it is to stop now, and why.
    Stop(String),
}

/// Readings that have to say the same, with none to the contrary between them, before something is stopped.
const CONFIRM: u32 = 2;

/// One UPS over time.
#[derive(Clone, Debug)]
pub struct Watch {
    limits: Limits,
    /// Whether it was on battery when it was last known.
    on_battery: bool,
    /// When it was last known; time as given to [`Watch::see`].
    known: Option<Duration>,
    /// Readings with a reason to stop, since the last with none.
    low: u32,
}

impl Watch {
    /// Nothing seen yet.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            on_battery: false,
            known: None,
            low: 0,
        }
    }

    /// Takes what the UPS says at `now`, a time since any fixed moment.
    pub fn see(&mut self, ups: &Ups, now: Duration) -> Verdict {
        let why = match &ups.supply {
            Supply::Unknown(why) => return self.silent(why, now),
            Supply::SwitchesOff => {
                self.known(true, now);
                return Verdict::Stop("it says that it will be switched off (FSD)".into());
            }
            Supply::Mains => {
                self.known(false, now);
                self.low = 0;
                return Verdict::Fine;
            }
            Supply::BatteryLow => Some("it says that its battery is low (LB)".to_owned()),
            Supply::Battery => self.below(ups),
        };
        self.known(true, now);
        match why {
            None => {
                self.low = 0;
                Verdict::OnBattery
            }
            Some(why) => {
                self.low = self.low.saturating_add(1);
                if self.low < CONFIRM {
                    Verdict::OnBattery
                } else {
                    Verdict::Stop(why)
                }
            }
        }
    }

    /// Takes that its server could not be asked.
    pub fn unreachable(&mut self, why: &str, now: Duration) -> Verdict {
        self.silent(why, now)
    }

    fn known(&mut self, on_battery: bool, now: Duration) {
        self.on_battery = on_battery;
        self.known = Some(now);
    }

    fn silent(&mut self, why: &str, now: Duration) -> Verdict {
        // What is not known neither confirms nor refutes a low battery: a bad wire must not hide one.
        let silent = self.known.map(|known| now.saturating_sub(known));
        match silent {
            Some(silent) if self.on_battery && silent > self.limits.grace => Verdict::Stop(format!(
                "it was on battery, and has not been known for {} s: {why}",
                silent.as_secs()
            )),
            _ => Verdict::Unknown(why.to_owned()),
        }
    }

    fn below(&self, ups: &Ups) -> Option<String> {
        if let Some(charge) = ups.charge_percent
            && charge < self.limits.charge_percent
        {
            return Some(format!("it is on battery with {charge} % left"));
        }
        let runtime = ups.runtime_seconds?;
        (runtime < self.limits.runtime.as_secs_f64())
            .then(|| format!("it is on battery with {runtime:.0} s left"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ups(status: &str, charge: &str, runtime: &str) -> Ups {
        let pairs = [
            ("ups.status", status),
            ("battery.charge", charge),
            ("battery.runtime", runtime),
        ];
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ups::judge("rack", &variables.into())
    }

    /// What a watch says to statuses ten seconds apart.
    fn verdicts(said: &[(&str, &str, &str)]) -> Vec<Verdict> {
        let mut watch = Watch::new(Limits::default());
        let times = (0..).map(|at| Duration::from_secs(at * 10));
        said.iter()
            .zip(times)
            .map(|((status, charge, runtime), at)| watch.see(&ups(status, charge, runtime), at))
            .collect()
    }

    fn stops(said: &[(&str, &str, &str)]) -> usize {
        let stop = |verdict: &&Verdict| matches!(verdict, Verdict::Stop(_));
        verdicts(said).iter().filter(stop).count()
    }

    #[test]
    fn low_twice_stops_and_once_does_not() {
        for low in [("OB LB", "90", "900"), ("OB", "29", "900"), ("OB", "90", "299")] {
            assert_eq!(stops(&[low, ("OB", "90", "900"), low]), 0, "{low:?}");
            assert_eq!(stops(&[low, low]), 1, "{low:?}");
        }
        assert_eq!(
            stops(&[("OL", "5", "10"), ("OL LB", "5", "10"), ("OL", "5", "10")]),
            0
        );
        assert_eq!(stops(&[("FSD OL", "90", "900")]), 1);
    }

    #[test]
    fn values_that_cannot_be_are_no_reason() {
        let lies = [("OB", "-5", "-1"), ("OB", "nan", "inf"), ("OB", "", "x")];
        assert_eq!(
            verdicts(&lies),
            [Verdict::OnBattery, Verdict::OnBattery, Verdict::OnBattery]
        );
    }

    #[test]
    fn the_unknown_is_never_fine_and_stops_only_after_battery_and_grace() {
        let gone = Ups::unknown("rack", "its data are stale");
        let at = Duration::from_secs;
        let mut never_known = Watch::new(Limits::default());
        let mut on_mains = Watch::new(Limits::default());
        on_mains.see(&ups("OL", "100", "900"), at(0));
        let mut on_battery = Watch::new(Limits::default());
        on_battery.see(&ups("OB", "90", "900"), at(0));
        for second in [10, 119, 120] {
            for watch in [&mut never_known, &mut on_mains, &mut on_battery] {
                let verdict = watch.see(&gone, at(second));
                assert!(matches!(verdict, Verdict::Unknown(_)), "{second}: {verdict:?}");
            }
        }
        assert!(matches!(on_battery.see(&gone, at(121)), Verdict::Stop(_)));
        for watch in [&mut never_known, &mut on_mains] {
            assert!(matches!(watch.see(&gone, at(1_000_000)), Verdict::Unknown(_)));
        }
        assert_eq!(on_battery.see(&ups("OL", "90", "900"), at(130)), Verdict::Fine);
        assert!(matches!(
            on_battery.unreachable("refused", at(9999)),
            Verdict::Unknown(_)
        ));
    }

    #[test]
    fn a_bad_wire_does_not_hide_a_low_battery() {
        let (low, unknown) = (("OB LB", "9", "90"), ("OL OB", "9", "90"));
        assert_eq!(stops(&[low, unknown, unknown, low]), 1);
        assert_eq!(stops(&[low, unknown, ("OL", "9", "90"), low]), 0);
    }
}
