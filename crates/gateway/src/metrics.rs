//! What is counted, in Prometheus' text form.

use crate::ReadContext;
use std::time::Duration;

/// Counters, gauges and histograms. Cheap to clone.
#[derive(Clone)]
pub struct Metrics {}

/// One answered request.
#[derive(Clone, Copy, Debug)]
pub struct Answered {
    /// The gateway's name.
    pub gateway: &'static str,
    /// The operation: `PutObject`, `GET /v1/status`, …
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

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    pub fn new() -> Self {
        Self {}
    }

    /// Asks `probe` whenever the metrics are read.
    pub fn set_probe(&self, probe: Box<dyn Fn() -> Probe + Send + Sync>) {
        let _ = probe;
        todo!()
    }

    /// Counts a request.
    pub fn answered(&self, request: Answered) {
        let _ = request;
    }

    /// Counts bytes of bodies received.
    pub fn received(&self, gateway: &'static str, bytes: u64) {
        let _ = (gateway, bytes);
    }

    /// Counts bytes of bodies sent.
    pub fn sent(&self, gateway: &'static str, bytes: u64) {
        let _ = (gateway, bytes);
    }

    /// Everything, in the OpenMetrics text form.
    pub fn render(&self, context: &ReadContext) -> String {
        let _ = context;
        todo!()
    }
}

/// The `Content-Type` of [`Metrics::render`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
