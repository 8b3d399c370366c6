//! Watts, as the machine says itself: its processor's counters, or its sensors. Unknown stays unknown.

use super::Effort;
use stead_guide::showcase::Power;
use stead_power::Source;
use stead_runtime::Clock;

/// What is tried, in this order.
const SOURCES: &[&str] = &["rapl", "hwmon"];

/// A source that answers, if there is one.
pub(super) struct Meter(Option<(&'static str, Source)>);

impl Meter {
    pub(super) async fn find(clock: &Clock) -> Self {
        for name in SOURCES {
            if let Ok(mut source) = name.parse::<Source>()
                && watts(&mut source, clock).await.is_some()
            {
                return Self(Some((name, source)));
            }
        }
        Self(None)
    }

    /// With nothing to do.
    pub(super) async fn rest(&mut self, clock: &Clock, effort: Effort) -> Option<f64> {
        let (_, source) = self.0.as_mut()?;
        watts(source, clock).await?;
        tokio::time::sleep(effort.each * 2).await;
        watts(source, clock).await
    }

    /// In the middle of work that begins now and lasts as long as the runs.
    pub(super) async fn during(&mut self, clock: &Clock, effort: Effort) -> Option<f64> {
        let (_, source) = self.0.as_mut()?;
        // A counter is about the time since it was last looked at, which has to be within the work.
        tokio::time::sleep(effort.each / 2).await;
        watts(source, clock).await?;
        tokio::time::sleep(effort.each * (effort.runs as u32).saturating_sub(2)).await;
        watts(source, clock).await
    }

    pub(super) fn power(self, idle_w: Option<f64>, busy_w: Option<f64>) -> Option<Power> {
        let (name, _) = self.0?;
        (idle_w.is_some() || busy_w.is_some()).then(|| Power {
            source: name.to_owned(),
            idle_w,
            busy_w,
        })
    }
}

/// All that it measures, without parts of others.
async fn watts(source: &mut Source, clock: &Clock) -> Option<f64> {
    let readings = source.look(clock).await.ok()?.readings.ok()?;
    let whole = readings.iter().filter(|reading| reading.part_of.is_none());
    let watts: Vec<f64> = whole.filter_map(|reading| reading.watts).collect();
    (!watts.is_empty()).then(|| (watts.iter().sum::<f64>() * 10.0).round() / 10.0)
}
