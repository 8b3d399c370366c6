//! Readings over time: watts now, watt-hours of this month, and whether a breaker is near its limit.
//!
//! Pure: time is that of the readings. Promises: memory is bounded by [`MAX_DEVICES`]; a device that is a part of
//! another is not added; a counter is believed before an integral of watts, and neither a counter that jumps nor a gap is
//! made up: what was not seen is in [`Meter::unseen`].
//! Source of the breaker's rule: a load that lasts three hours or more is to stay below 80 % of the breaker's rating
//! (NEC 210.20(A), with "continuous load" of article 100).

mod saved;

pub use saved::Saved;

use crate::error::{PowerError, Why};
use crate::source::{MAX_WATTS, Reading};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use time::OffsetDateTime;

/// Devices that one meter adds up.
pub const MAX_DEVICES: usize = 256;

/// For how long a reading says what is drawn now.
pub const FRESH: Duration = Duration::from_secs(60);

/// Gaps of watts that are bridged. What lies in a longer one without a counter is not known.
const BRIDGED: Duration = Duration::from_secs(300);

/// After this a load is continuous.
const CONTINUOUS: Duration = Duration::from_secs(3 * 3600);

/// A device that has said nothing for a week is not kept for another month.
const GONE_MICROS: i64 = 7 * 86_400 * 1_000_000;

/// What a continuous load may take of the rating, and where of that the warning is.
const CONTINUOUS_SHARE: f64 = 0.8;
const WARN_SHARE: f64 = 0.9;

/// A breaker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Breaker {
    /// What it is rated for, in watts: volts times amperes.
    pub rated_watts: f64,
}

impl Breaker {
    /// What may be drawn for hours, in watts.
    pub fn continuous_watts(self) -> f64 {
        self.rated_watts * CONTINUOUS_SHARE
    }
}

/// How a breaker is loaded.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "load")]
pub enum Load {
    /// Below the warning.
    Fine,
    /// Above nine tenths of what may be drawn for hours.
    Near {
        /// What is left to the continuous limit, in watts.
        left_watts: f64,
    },
    /// Above the continuous limit, which is allowed for three hours.
    Above {
        /// How long that may still go on, in seconds; nought when it has gone on too long.
        left_seconds: u64,
    },
    /// Above the rating: it will trip.
    Over,
}

/// One device's last word, and its month.
#[derive(Clone, Debug)]
struct Track {
    at_micros: i64,
    watts: Option<f64>,
    energy_wh: Option<f64>,
    part: bool,
    /// This month, in watt-hours.
    month_wh: f64,
    unseen: Duration,
}

/// Adds up readings.
#[derive(Clone, Debug, Default)]
pub struct Meter {
    devices: BTreeMap<(String, String), Track>,
    /// Year and month that is counted, in UTC.
    month: Option<(i32, u8)>,
    breaker: Option<Breaker>,
    /// Since when the load is above the continuous limit, in microseconds since the Unix epoch.
    above_since: Option<i64>,
}

impl Meter {
    /// With the breaker that feeds all of it, where there is one.
    pub fn new(breaker: Option<Breaker>) -> Self {
        Self {
            breaker,
            ..Self::default()
        }
    }

    /// Takes a reading.
    ///
    /// # Errors
    /// Where it is not younger than the device's last, its counter grew faster than anything can draw, or there are
    /// [`MAX_DEVICES`] already. Nothing of it is kept then, except that a counter which jumped is measured anew.
    pub fn take(&mut self, reading: &Reading) -> Result<(), PowerError> {
        let wrong = |why: Why| Err(why.at(&reading.source));
        self.turn(reading.at_micros);
        let key = (reading.source.clone(), reading.device.clone());
        let fresh = Track {
            at_micros: reading.at_micros,
            watts: reading.watts,
            energy_wh: reading.energy_wh,
            part: reading.part_of.is_some(),
            month_wh: 0.0,
            unseen: Duration::ZERO,
        };
        let Some(track) = self.devices.get_mut(&key) else {
            if self.devices.len() == MAX_DEVICES {
                return wrong(Why::Answer(format!(
                    "more than {MAX_DEVICES} devices are measured"
                )));
            }
            self.devices.insert(key, fresh);
            self.notice(reading.at_micros);
            return Ok(());
        };
        let passed = reading.at_micros.checked_sub(track.at_micros).unwrap_or(0);
        let Some(passed) = u64::try_from(passed).ok().filter(|passed| *passed > 0) else {
            return wrong(Why::absurd(
                format!("the time of {}", reading.device),
                reading.at_micros,
            ));
        };
        let passed = Duration::from_micros(passed);
        let jumped = match used(track, reading, passed) {
            Used::Energy(energy) => {
                track.month_wh += energy;
                None
            }
            Used::Unseen => {
                track.unseen += passed;
                None
            }
            Used::Jumped(by) => Some(by),
        };
        *track = Track {
            month_wh: track.month_wh,
            unseen: track.unseen,
            ..fresh
        };
        if let Some(by) = jumped {
            track.watts = None;
            return wrong(Why::absurd(
                format!("the growth of {}'s counter in Wh", reading.device),
                by,
            ));
        }
        self.notice(reading.at_micros);
        Ok(())
    }

    /// What is drawn at `now_micros`, in watts; `None` where no device has said so within [`FRESH`].
    pub fn watts(&self, now_micros: i64) -> Option<f64> {
        let watts = self.devices.values().filter(|track| {
            let age = now_micros.saturating_sub(track.at_micros);
            !track.part && u128::try_from(age).is_ok_and(|age| age <= FRESH.as_micros())
        });
        watts
            .filter_map(|track| track.watts)
            .fold(None, |sum, watts| Some(sum.unwrap_or(0.0) + watts))
    }

    /// What was drawn in the month of the last reading (UTC) as far as it was seen, in watt-hours.
    pub fn month_wh(&self) -> f64 {
        let whole = self.devices.values().filter(|track| !track.part);
        whole.map(|track| track.month_wh).sum()
    }

    /// The longest time of this month of which a device has not said what it drew.
    pub fn unseen(&self) -> Duration {
        let unseen = self.devices.values().map(|track| track.unseen);
        unseen.max().unwrap_or_default()
    }

    /// How the breaker is loaded; `None` without a breaker or a reading.
    pub fn load(&self, now_micros: i64) -> Option<Load> {
        let (breaker, watts) = (self.breaker?, self.watts(now_micros)?);
        let limit = breaker.continuous_watts();
        Some(if watts > breaker.rated_watts {
            Load::Over
        } else if watts > limit {
            let since = self.above_since.unwrap_or(now_micros);
            let gone = u64::try_from(now_micros.saturating_sub(since)).unwrap_or(0);
            let left = CONTINUOUS.saturating_sub(Duration::from_micros(gone));
            Load::Above {
                left_seconds: left.as_secs(),
            }
        } else if watts > limit * WARN_SHARE {
            Load::Near {
                left_watts: limit - watts,
            }
        } else {
            Load::Fine
        })
    }

    /// Begins a new month where the time is in another.
    fn turn(&mut self, at_micros: i64) {
        let at = OffsetDateTime::from_unix_timestamp(at_micros.div_euclid(1_000_000));
        let Ok(at) = at else {
            return;
        };
        let month = (at.year(), u8::from(at.month()));
        // A clock that is set back does not empty the month.
        if self.month.is_some_and(|known| known >= month) {
            return;
        }
        self.month = Some(month);
        // Devices that are gone leave with the month that they were in.
        let gone = at_micros.saturating_sub(GONE_MICROS);
        self.devices.retain(|_, track| track.at_micros >= gone);
        for track in self.devices.values_mut() {
            track.month_wh = 0.0;
            track.unseen = Duration::ZERO;
        }
    }

    /// Remembers since when the load is above the continuous limit.
    fn notice(&mut self, at_micros: i64) {
        let Some(breaker) = self.breaker else {
            return;
        };
        let above = self
            .watts(at_micros)
            .is_some_and(|watts| watts > breaker.continuous_watts());
        self.above_since = match (above, self.above_since) {
            (true, since) => Some(since.unwrap_or(at_micros)),
            (false, _) => None,
        };
    }
}

/// What a device used between two readings.
enum Used {
    /// Watt-hours.
    Energy(f64),
    /// Nobody knows.
    Unseen,
    /// The counter says more than can be.
    Jumped(f64),
}

fn used(before: &Track, now: &Reading, passed: Duration) -> Used {
    let hours = passed.as_secs_f64() / 3600.0;
    if let (Some(before), Some(now)) = (before.energy_wh, now.energy_wh)
        && now >= before
    {
        let by = now - before;
        // A counter ticks in steps; one step is no jump.
        let most = MAX_WATTS * hours + 10.0;
        return if by <= most {
            Used::Energy(by)
        } else {
            Used::Jumped(by)
        };
    }
    match (before.watts, now.watts) {
        (Some(before), Some(now)) if passed <= BRIDGED => Used::Energy((before + now) / 2.0 * hours),
        _ => Used::Unseen,
    }
}
