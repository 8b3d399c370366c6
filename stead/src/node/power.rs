//! Power of a running node: asks its meters and UPSes, tells what they said, and stops the node when the UPS that feeds
//! it fails.
//!
//! Promises: every node behind a UPS watches it by itself and computes the same order, so that nobody has to reach
//! anybody while switches lose their power too. When mains are back before a node's turn, it goes on.
//! Never: stops another node, or a machine; that is for the machine's own `upsmon`.

mod kept;
mod tell;

pub(super) use tell::warnings;

use super::Ambient;
use super::operations::NodeOperations;
use crate::process;
use crate::settings::{FedBy, Settings};
use futures::future::join_all;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};
use stead_client::wire;
use stead_gateway::metrics::PowerRound;
use stead_power::shutdown::{self, Failing};
use stead_power::{Look, Meter, PowerError, Reading, Source, Supply, Ups, Verdict, Watch};
use stead_runtime::{TaskKind, blocking};
use tell::{failure, figures, reading, said, supply, word};

/// How long the members are asked for before a node plans for itself alone.
const MEMBERS: Duration = Duration::from_secs(5);

/// How often the meter is written down. An SD card takes that for decades.
const KEEP_EVERY: Duration = Duration::from_secs(900);

/// Letters of a key from which on it names a node.
const SHORT_KEY: usize = 8;

/// Begins to ask, where anything is configured.
pub(super) fn spawn(ambient: &Ambient, settings: &Settings, operations: Arc<NodeOperations>) {
    let (sources, fed_by) = match settings.power.build() {
        Ok(built) => built,
        // The settings were checked when they were read.
        Err(why) => return tracing::warn!(why, "power is not watched"),
    };
    if sources.is_empty() {
        return;
    }
    let begun = ambient.clock.instant();
    let mut meter = Meter::new(settings.power.breaker());
    kept::read(&operations.data, &mut meter);
    let mut watcher = Watcher {
        sources,
        fed_by: fed_by.map(|fed_by| (fed_by, Watch::new(settings.power.limits()))),
        meter,
        kept: begun,
        verdict: None,
        due: None,
        begun,
        operations,
    };
    let every = Duration::from_secs(settings.power.every_seconds);
    let mut stop = ambient.tasks.shutdown_signal();
    ambient.tasks.spawn(TaskKind::Background, "power", async move {
        loop {
            let pause = tokio::select! {
                pause = watcher.round(every) => pause,
                () = stop.wait() => break,
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = stop.wait() => break,
            }
        }
        watcher.keep().await;
    });
}

struct Watcher {
    sources: Vec<Source>,
    fed_by: Option<(FedBy, Watch)>,
    meter: Meter,
    /// When the meter was last written down.
    kept: Instant,
    /// The last one, so that only changes are logged.
    verdict: Option<Verdict>,
    /// When this node is to stop.
    due: Option<Instant>,
    begun: Instant,
    operations: Arc<NodeOperations>,
}

/// What a round found.
#[derive(Default)]
struct Round {
    readings: Vec<Reading>,
    upses: Vec<(String, Ups)>,
    failed: Vec<PowerError>,
}

impl Watcher {
    /// Asks everything once; answers how long to wait for the next time.
    async fn round(&mut self, every: Duration) -> Duration {
        let clock = self.operations.read.clock.clone();
        let asked = self.sources.iter_mut().map(|source| {
            let clock = &clock;
            async move { (source.name(), source.look(clock).await) }
        });
        let looks = join_all(asked).await;
        let mut round = Round::default();
        for (source, look) in looks {
            round.take(source, look);
        }
        for reading in &round.readings {
            if let Err(error) = self.meter.take(reading) {
                round.failed.push(error);
            }
        }
        for error in &round.failed {
            tracing::debug!(%error, "a source of power readings was not read");
        }
        self.watch(&round).await;
        self.publish(&round);
        if clock.instant().duration_since(self.kept) > KEEP_EVERY {
            self.keep().await;
        }
        let now = clock.instant();
        match self.due {
            Some(due) if due <= now => {
                tracing::error!("the UPS fails, and it is this node's turn: it stops");
                process::terminate();
                every
            }
            Some(due) => every.min(due - now),
            None => every,
        }
    }

    /// Writes the meter down.
    async fn keep(&mut self) {
        self.kept = self.operations.read.clock.instant();
        let (data, saved) = (self.operations.data.clone(), self.meter.saved());
        if let Err(error) = blocking(move || kept::write(&data, &saved)).await {
            tracing::warn!(%error, "the month's energy was not written down");
        }
    }

    /// Judges the UPS that feeds this node.
    async fn watch(&mut self, round: &Round) {
        let now = self.operations.read.clock.instant();
        let Some((fed_by, watch)) = &mut self.fed_by else {
            return;
        };
        let since = now.duration_since(self.begun);
        let failed = round.failed.iter().find(|error| error.place == fed_by.source);
        let ups = round.ups(fed_by);
        let verdict = match (ups, failed) {
            (Some(ups), _) => watch.see(ups, since),
            (None, Some(error)) => watch.unreachable(&error.why.to_string(), since),
            (None, None) => watch.unreachable("its server does not list it", since),
        };
        let runtime = match ups {
            Some(ups) if matches!(ups.supply, Supply::Battery | Supply::BatteryLow) => ups.runtime_seconds,
            // One that switches off, or is taken to be empty, leaves no time to go one by one.
            _ => Some(0.0),
        };
        if self.verdict.as_ref() != Some(&verdict) {
            said(&fed_by.name, &verdict);
        }
        match &verdict {
            Verdict::Stop(_) if self.due.is_none() => {
                let begins = self.turn(runtime).await;
                tracing::warn!(
                    in_seconds = begins.as_secs(),
                    "this node stops unless mains are back"
                );
                self.due = Some(now + begins);
            }
            Verdict::Fine if self.due.take().is_some() => {
                tracing::info!("mains are back: this node goes on");
            }
            _ => {}
        }
        self.verdict = Some(verdict);
    }

    /// How long from now this node's turn is, by the order that every node behind the UPS computes.
    async fn turn(&self, runtime_seconds: Option<f64>) -> Duration {
        let operations = &self.operations;
        let settings = &operations.settings.power;
        let Some(running) = &operations.running else {
            return Duration::ZERO;
        };
        let Ok(members) = tokio::time::timeout(MEMBERS, running.raft.nodes()).await else {
            return Duration::ZERO;
        };
        let own = operations.read.node.to_string();
        let member = |status: stead_cluster::NodeStatus| {
            let name = status.node.to_string();
            let labelled = |given: &String| *given == status.label;
            // A name of a few letters may be the beginning of somebody's key.
            let keyed = |given: &String| given.len() >= SHORT_KEY && name.starts_with(given.as_str());
            let given = &settings.ups_nodes;
            let worth = given.iter().position(labelled);
            let worth = worth.or_else(|| given.iter().position(keyed));
            shutdown::Node {
                votes: status.voter,
                ups: (worth.is_some() || name == own).then(|| "this".to_owned()),
                value: worth.map_or(0, |at| u32::try_from(at).unwrap_or(u32::MAX)),
                stop_seconds: u32::try_from(settings.stop_seconds).unwrap_or(u32::MAX),
                name,
            }
        };
        let nodes: Vec<_> = members.into_iter().map(member).collect();
        let failing = Failing {
            ups: "this".to_owned(),
            runtime_seconds: runtime_seconds.map(|seconds| seconds as u32),
        };
        let plan = match shutdown::stop_plan(&nodes, &[failing]) {
            Ok(plan) => plan,
            Err(why) => {
                tracing::warn!(%why, "no order of stopping can be made: this node stops at once");
                return Duration::ZERO;
            }
        };
        if plan.short_by_seconds > 0 {
            let short = plan.short_by_seconds;
            tracing::warn!(short, "the battery may not last until every node has stopped");
        }
        let step = plan.steps.iter().find(|step| step.nodes.contains(&own));
        Duration::from_secs(step.map_or(0, |step| step.begins_seconds).into())
    }

    /// Tells the metrics and the API.
    fn publish(&self, round: &Round) {
        let read = &self.operations.read;
        let now = read.clock.now_micros();
        let watts =
            |reading: &Reading| Some((reading.source.clone(), reading.device.clone(), reading.watts?));
        read.metrics.power(&PowerRound {
            watts: round.readings.iter().filter_map(watts).collect(),
            month_watt_hours: self.meter.month_wh(),
            upses: round.upses.iter().filter_map(figures).collect(),
            failed: round.failed.iter().map(|error| error.place.clone()).collect(),
        });
        let left = self
            .due
            .map(|due| due.saturating_duration_since(read.clock.instant()).as_secs());
        let power = wire::Power {
            at: read.now(),
            watts: self.meter.watts(now),
            month_watt_hours: self.meter.month_wh(),
            readings: round.readings.iter().map(reading).collect(),
            ups: round
                .upses
                .iter()
                .map(|(source, ups)| self.ups(source, ups))
                .collect(),
            failed: round.failed.iter().map(failure).collect(),
            breaker: self.meter.load(now).map(|load| word(load).to_owned()),
            stops_in_seconds: left,
        };
        let mut last = self
            .operations
            .power
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = Some(power);
    }

    fn ups(&self, source: &str, ups: &Ups) -> wire::PowerUps {
        let (supply, why) = supply(&ups.supply);
        let feeds = |(fed_by, _): &(FedBy, Watch)| fed_by.source == source && fed_by.name == ups.name;
        wire::PowerUps {
            source: source.to_owned(),
            name: ups.name.clone(),
            supply: supply.to_owned(),
            why,
            charge_percent: ups.charge_percent,
            runtime_seconds: ups.runtime_seconds,
            load_percent: ups.load_percent,
            feeds_this: self.fed_by.as_ref().is_some_and(feeds),
        }
    }
}

impl Round {
    fn take(&mut self, source: String, look: Result<Look, PowerError>) {
        match look {
            Ok(look) => {
                match look.readings {
                    Ok(readings) => self.readings.extend(readings),
                    Err(error) => self.failed.push(error),
                }
                let upses = look.upses.into_iter();
                self.upses.extend(upses.map(|ups| (source.clone(), ups)));
            }
            Err(error) => self.failed.push(error),
        }
    }

    fn ups(&self, fed_by: &FedBy) -> Option<&Ups> {
        let matches = |(source, ups): &&(String, Ups)| *source == fed_by.source && ups.name == fed_by.name;
        self.upses.iter().find(matches).map(|(_, ups)| ups)
    }
}
