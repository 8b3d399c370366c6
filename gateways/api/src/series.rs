//! Stead's own history: figures sampled from its metrics, in memory, a day back.
//!
//! Promises: bounded memory (8,640 steps of a dozen numbers, under a megabyte), and nothing is written.
//! Never: the truth about anything but this process since it started.

use crate::operations::Operations;
use crate::wire;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use stead_gateway::ReadContext;
use stead_gateway::metrics::{self, Totals};

/// Seconds between two points.
const STEP_S: u64 = 10;
/// A day.
const KEPT: usize = 24 * 3600 / STEP_S as usize;
/// How often totals are looked at, for what moves now.
const LOOK: Duration = Duration::from_secs(1);
/// Looks that a rate is averaged over.
const LOOKS: usize = 5;

/// A figure that is kept.
pub(crate) struct Figure {
    pub(crate) name: &'static str,
    unit: &'static str,
    what: &'static str,
}

const fn figure(name: &'static str, unit: &'static str, what: &'static str) -> Figure {
    Figure { name, unit, what }
}

/// In the order of a step's values.
pub(crate) const FIGURES: [Figure; 11] = [
    figure(
        "requests",
        "1/s",
        "answered requests of all gateways, averaged over the step",
    ),
    figure(
        "bytes_in",
        "B/s",
        "bytes of bodies received, averaged over the step",
    ),
    figure("bytes_out", "B/s", "bytes of bodies sent, averaged over the step"),
    figure(
        "errors",
        "1/s",
        "answers with a status of 500 or above, averaged over the step",
    ),
    figure(
        "put_p50_ms",
        "ms",
        "median time to answer a put of an object, in the step",
    ),
    figure(
        "get_p50_ms",
        "ms",
        "median time to answer a get of an object, in the step",
    ),
    figure(
        "rss_bytes",
        "B",
        "resident memory of this process, from /proc/self/statm",
    ),
    figure(
        "space_free",
        "B",
        "room left in the file system of the data directory",
    ),
    figure("log_position", "", "the last position of the log"),
    figure("block_bytes", "B", "bytes of the blocks in the local store"),
    figure("scrub_blocks", "", "blocks that the last scrub read back"),
];

type Values = [f64; FIGURES.len()];

#[derive(Default)]
struct Kept {
    /// Seconds since 1970, and values; NaN where there is none.
    steps: VecDeque<(i64, Values)>,
    looks: VecDeque<(Instant, Totals)>,
}

/// The figures. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Figures(Arc<Mutex<Kept>>);

impl Figures {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Samples until shutdown.
    pub(crate) async fn sample(self, context: ReadContext, operations: Arc<dyn Operations>) {
        let mut stop = context.tasks.shutdown_signal();
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last = (context.clock.instant(), context.metrics.totals());
        loop {
            tokio::select! {
                _ = looks.tick() => {}
                () = stop.wait() => return,
            }
            let now = (context.clock.instant(), context.metrics.totals());
            {
                let mut kept = self.kept();
                kept.looks.push_back(now);
                if kept.looks.len() > LOOKS {
                    kept.looks.pop_front();
                }
            }
            if now.0.duration_since(last.0).as_secs() >= STEP_S {
                let scrubbed = operations.upkeep().await.scrub;
                let values = values(&context, last, now, scrubbed.map(|scrub| scrub.result.blocks));
                last = now;
                let mut kept = self.kept();
                if kept.steps.len() >= KEPT {
                    kept.steps.pop_front();
                }
                kept.steps
                    .push_back((context.now().as_micros() / 1_000_000, values));
            }
        }
    }

    /// What moves now.
    pub(crate) fn rates(&self, context: &ReadContext) -> wire::Rates {
        let now = (context.clock.instant(), context.metrics.totals());
        let Some(before) = self.kept().looks.front().copied() else {
            return wire::Rates::default();
        };
        let [requests, received, sent, errors] = per_second(before, now);
        wire::Rates {
            requests_per_s: requests,
            bytes_in_per_s: received,
            bytes_out_per_s: sent,
            errors_per_s: errors,
        }
    }

    /// Those of these names behind a moment.
    pub(crate) fn series(&self, names: &[String], since: i64) -> wire::SeriesSet {
        let kept = self.kept();
        let one = |(at, figure): (usize, &Figure)| wire::Series {
            name: figure.name.to_owned(),
            unit: figure.unit.to_owned(),
            what: figure.what.to_owned(),
            points: kept
                .steps
                .iter()
                .filter(|(time, values)| *time > since && !values[at].is_nan())
                .map(|(time, values)| (*time, values[at]))
                .collect(),
        };
        let wanted = |(_, figure): &(usize, &Figure)| names.iter().any(|name| name == figure.name);
        wire::SeriesSet {
            step_s: STEP_S,
            series: FIGURES.iter().enumerate().filter(wanted).map(one).collect(),
        }
    }
}

fn per_second(before: (Instant, Totals), now: (Instant, Totals)) -> [f64; 4] {
    let seconds = now.0.duration_since(before.0).as_secs_f64().max(0.001);
    let rate = |of: fn(&Totals) -> u64| of(&now.1).saturating_sub(of(&before.1)) as f64 / seconds;
    [
        rate(|totals| totals.requests),
        rate(|totals| totals.received),
        rate(|totals| totals.sent),
        rate(|totals| totals.errors),
    ]
}

fn values(
    context: &ReadContext,
    before: (Instant, Totals),
    now: (Instant, Totals),
    scrubbed: Option<u64>,
) -> Values {
    let [requests, received, sent, errors] = per_second(before, now);
    let none = f64::NAN;
    let number = |value: Option<u64>| value.map_or(none, |value| value as f64);
    [
        requests,
        received,
        sent,
        errors,
        now.1.puts.since(&before.1.puts).median_ms().unwrap_or(none),
        now.1.gets.since(&before.1.gets).median_ms().unwrap_or(none),
        number(metrics::process().map(|process| process.resident_bytes)),
        number(Some(context.store.room().0)),
        context.views.position(&context.tenant) as f64,
        context.store.stat().bytes as f64,
        number(scrubbed),
    ]
}
