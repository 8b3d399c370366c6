//! What is counted, in Prometheus' text form.

mod power;
mod totals;
mod webhooks;

pub use power::{PowerRound, UpsFigures};
pub use totals::{Latency, Totals};

use crate::ReadContext;
use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64};
use std::time::Duration;

/// The `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The gateway's name.
    pub gateway: &'static str,
    /// The operation: `PutObject`, `GET /api/v1/status`, …
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// From the request's head to the answer's head.
    pub took: Duration,
}

/// Figures that other rooms keep, asked for whenever the metrics are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Probe {
    /// Fsyncs of the write-ahead log.
    pub fsyncs: u64,
    /// Raft's term.
    pub term: u64,
    /// Entries in the write-ahead log that are not purged yet.
    pub wal_entries: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    gateway: &'static str,
    operation: &'static str,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabels {
    gateway: &'static str,
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GatewayLabel {
    gateway: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
#[allow(non_camel_case_types)] // the label's values as they are written
enum Mode {
    user,
    system,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModeLabel {
    mode: Mode,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ActionLabel {
    action: &'static str,
}

type Level = Gauge<i64, AtomicI64>;

#[derive(Default)]
struct Levels {
    position: Level,
    blocks: Level,
    block_bytes: Level,
    disk_free: Level,
    resident: Level,
    tasks: Level,
    term: Level,
    wal_entries: Level,
    fsyncs: Level,
    cpu: Family<ModeLabel, Gauge<f64, AtomicU64>>,
}

struct Inner {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    seconds: Family<OperationLabels, Histogram>,
    received: Family<GatewayLabel, Counter>,
    sent: Family<GatewayLabel, Counter>,
    connections: Family<GatewayLabel, Gauge>,
    refused: Family<GatewayLabel, Counter>,
    appends: Counter,
    events: Counter,
    lifecycle: Family<ActionLabel, Counter>,
    peer_blocks: Family<ActionLabel, Counter>,
    webhooks: webhooks::Webhooks,
    power: power::Power,
    levels: Levels,
    live: totals::Live,
    probe: Mutex<Option<Box<dyn Fn() -> Probe + Send + Sync>>>,
}

/// Counters, gauges and histograms. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

fn latency() -> Histogram {
    // 100 µs to 52 s, each bucket twice the one before.
    Histogram::new(exponential_buckets(0.0001, 2.0, 20))
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("stead");
        let seconds = Family::<OperationLabels, Histogram>::new_with_constructor(latency);
        let mut inner = Inner {
            requests: Family::default(),
            seconds,
            received: Family::default(),
            sent: Family::default(),
            connections: Family::default(),
            refused: Family::default(),
            appends: Counter::default(),
            events: Counter::default(),
            lifecycle: Family::default(),
            peer_blocks: Family::default(),
            webhooks: webhooks::Webhooks::default(),
            power: power::Power::default(),
            levels: Levels::default(),
            live: totals::Live::default(),
            probe: Mutex::default(),
            registry: Registry::default(),
        };
        inner.register(&mut registry);
        inner.levels.register(&mut registry);
        inner.webhooks.register(&mut registry);
        inner.power.register(&mut registry);
        inner.registry = registry;
        Self(Arc::new(inner))
    }

    /// Asks `probe` whenever the metrics are read.
    pub fn set_probe(&self, probe: Box<dyn Fn() -> Probe + Send + Sync>) {
        *self.0.probe.lock() = Some(probe);
    }

    /// Counts a request.
    pub fn answered(&self, request: Answered) {
        let Answered {
            gateway,
            operation,
            status,
            took,
        } = request;
        self.0
            .requests
            .get_or_create(&RequestLabels {
                gateway,
                operation,
                status,
            })
            .inc();
        self.0
            .seconds
            .get_or_create(&OperationLabels { gateway, operation })
            .observe(took.as_secs_f64());
        self.0.live.answered(operation, status, took);
    }

    /// Counts bytes of bodies received.
    pub fn received(&self, gateway: &'static str, bytes: u64) {
        self.0
            .received
            .get_or_create(&GatewayLabel { gateway })
            .inc_by(bytes);
        self.0.live.received(bytes);
    }

    /// Counts bytes of bodies sent.
    pub fn sent(&self, gateway: &'static str, bytes: u64) {
        self.0.sent.get_or_create(&GatewayLabel { gateway }).inc_by(bytes);
        self.0.live.sent(bytes);
    }

    /// What was counted since the start, over all gateways.
    pub fn totals(&self) -> Totals {
        self.0.live.totals()
    }

    /// Counts an append of so many events.
    pub fn appended(&self, events: u64) {
        self.0.appends.inc();
        self.0.events.inc_by(events);
    }

    /// Counts what lifecycle rules did: `delete` or `abort`.
    pub fn lifecycle(&self, action: &'static str, count: u64) {
        if count > 0 {
            let label = ActionLabel { action };
            self.0.lifecycle.get_or_create(&label).inc_by(count);
        }
    }

    /// Counts blocks between this node and IPFS peers: `served`, `fetched`, `absent`, or `refused`.
    pub fn peer_block(&self, action: &'static str) {
        self.0.peer_blocks.get_or_create(&ActionLabel { action }).inc();
    }

    /// The gauge of open connections of a gateway.
    pub fn connections(&self, gateway: &'static str) -> Gauge {
        self.0.connections.get_or_create_owned(&GatewayLabel { gateway })
    }

    /// Counts a connection above the cap.
    pub fn refused(&self, gateway: &'static str) {
        self.0.refused.get_or_create(&GatewayLabel { gateway }).inc();
    }

    /// Everything, in the OpenMetrics text form. Reads a few small files of `/proc`.
    pub fn render(&self, context: &ReadContext) -> String {
        let levels = &self.0.levels;
        levels.read(context);
        self.0.webhooks.read(context.views.position(&context.tenant));
        if let Some(probe) = &*self.0.probe.lock() {
            let Probe {
                fsyncs,
                term,
                wal_entries,
            } = probe();
            levels.fsyncs.set(signed(fsyncs));
            levels.term.set(signed(term));
            levels.wal_entries.set(signed(wal_entries));
        }
        let _whole_round = self.0.power.writing.lock();
        let mut text = String::with_capacity(16 << 10);
        match encode(&mut text, &self.0.registry) {
            Ok(()) => text,
            // Writing to a string does not fail; a metric that cannot be encoded leaves what came before.
            Err(std::fmt::Error) => text,
        }
    }
}

impl Inner {
    fn register(&self, registry: &mut Registry) {
        registry.register("requests", "Answered requests", self.requests.clone());
        registry.register_with_unit(
            "request",
            "From a request's head to its answer's head",
            Unit::Seconds,
            self.seconds.clone(),
        );
        registry.register_with_unit("received", "Bodies received", Unit::Bytes, self.received.clone());
        registry.register_with_unit("sent", "Bodies sent", Unit::Bytes, self.sent.clone());
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register(
            "connections_refused",
            "Connections above the cap",
            self.refused.clone(),
        );
        registry.register("log_appends", "Accepted appends", self.appends.clone());
        registry.register("log_events", "Events in accepted appends", self.events.clone());
        registry.register(
            "lifecycle_actions",
            "What lifecycle rules deleted or gave up",
            self.lifecycle.clone(),
        );
        registry.register(
            "peer_blocks",
            "Blocks that IPFS peers were given or gave, or that were refused",
            self.peer_blocks.clone(),
        );
    }
}

impl Levels {
    fn register(&self, registry: &mut Registry) {
        registry.register("log_position", "The last folded position", self.position.clone());
        registry.register("blocks", "Blocks stored", self.blocks.clone());
        registry.register_with_unit("blocks", "Blocks stored", Unit::Bytes, self.block_bytes.clone());
        registry.register_with_unit("disk_free", "Room left", Unit::Bytes, self.disk_free.clone());
        registry.register_with_unit(
            "process_resident",
            "Resident memory",
            Unit::Bytes,
            self.resident.clone(),
        );
        registry.register_with_unit("process_cpu", "Processor time", Unit::Seconds, self.cpu.clone());
        registry.register("tasks", "Running tasks", self.tasks.clone());
        registry.register("raft_term", "The term of consensus", self.term.clone());
        registry.register("wal_entries", "Entries not purged yet", self.wal_entries.clone());
        registry.register("wal_fsyncs", "Fsyncs of the write-ahead log", self.fsyncs.clone());
    }

    fn read(&self, context: &ReadContext) {
        self.position.set(signed(context.views.position(&context.tenant)));
        let stat = context.store.stat();
        self.blocks.set(signed(stat.blocks));
        self.block_bytes.set(signed(stat.bytes));
        if let Some(free) = context.space.free() {
            self.disk_free.set(signed(free));
        }
        self.tasks.set(signed(context.tasks.list().len() as u64));
        if let Some(process) = process() {
            self.resident.set(signed(process.resident_bytes));
            self.cpu
                .get_or_create(&ModeLabel { mode: Mode::user })
                .set(process.user_seconds);
            self.cpu
                .get_or_create(&ModeLabel { mode: Mode::system })
                .set(process.system_seconds);
        }
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// What this process uses.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Process {
    /// Resident memory, in bytes.
    pub resident_bytes: u64,
    /// Processor time in the program, in seconds.
    pub user_seconds: f64,
    /// Processor time in the kernel, in seconds.
    pub system_seconds: f64,
}

/// Reads `/proc/self` (Linux); `None` elsewhere.
pub fn process() -> Option<Process> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split(' ').nth(1)?.parse().ok()?;
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in parentheses and may hold anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks = rustix::param::clock_ticks_per_second() as f64;
    let mut seconds = || Some(fields.next()?.parse::<u64>().ok()? as f64 / ticks);
    Some(Process {
        resident_bytes: pages * rustix::param::page_size() as u64,
        user_seconds: seconds()?,
        system_seconds: seconds()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_come_out_as_text() {
        let metrics = Metrics::new();
        let took = Duration::from_millis(3);
        metrics.answered(Answered {
            gateway: "s3",
            operation: "GetObject",
            status: 200,
            took,
        });
        metrics.sent("s3", 4096);
        metrics.appended(2);
        metrics.connections("s3").inc();
        metrics.webhook_delivered("hook", 3);
        metrics.webhook_retried("hook");
        metrics.webhook_at("hook", 40);
        metrics.0.webhooks.read(42);
        let mut text = String::new();
        encode(&mut text, &metrics.0.registry).unwrap();
        for line in [
            "stead_requests_total{gateway=\"s3\",operation=\"GetObject\",status=\"200\"} 1",
            "stead_sent_bytes_total{gateway=\"s3\"} 4096",
            "stead_log_events_total 2",
            "stead_webhook_records_total{webhook=\"hook\"} 3",
            "stead_webhook_retries_total{webhook=\"hook\"} 1",
            "stead_webhook_lag_positions{webhook=\"hook\"} 2",
            "stead_connections{gateway=\"s3\"} 1",
            "stead_request_seconds_count{gateway=\"s3\",operation=\"GetObject\"} 1",
        ] {
            assert!(text.lines().any(|l| l == line), "{line}\n{text}");
        }
    }

    #[test]
    fn the_process_uses_memory() {
        let process = process().unwrap();
        assert!(process.resident_bytes > 1 << 20);
    }
}
