//! How webhooks do: what each took, how often it did not, and how far behind the log it is.

use parking_lot::Mutex;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use stead_event::Position;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WebhookLabel {
    webhook: String,
}

/// Figures by webhook. Names are those of the settings, so there are few.
#[derive(Default)]
pub(super) struct Webhooks {
    delivered: Family<WebhookLabel, Counter>,
    retries: Family<WebhookLabel, Counter>,
    lag: Family<WebhookLabel, Gauge>,
    at: Mutex<BTreeMap<String, Position>>,
}

fn label(webhook: &str) -> WebhookLabel {
    WebhookLabel {
        webhook: webhook.to_owned(),
    }
}

impl Webhooks {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register(
            "webhook_records",
            "Records that a webhook took",
            self.delivered.clone(),
        );
        registry.register(
            "webhook_retries",
            "Messages that a webhook did not take, and that are sent again",
            self.retries.clone(),
        );
        registry.register(
            "webhook_lag_positions",
            "Positions of the log that a webhook was not told of yet",
            self.lag.clone(),
        );
    }

    /// Says how far behind `head` each is.
    pub(super) fn read(&self, head: Position) {
        for (webhook, at) in &*self.at.lock() {
            let lag = super::signed(head.saturating_sub(*at));
            self.lag.get_or_create(&label(webhook)).set(lag);
        }
    }
}

impl super::Metrics {
    /// Counts records that a webhook took.
    pub fn webhook_delivered(&self, webhook: &str, records: u64) {
        self.0
            .webhooks
            .delivered
            .get_or_create(&label(webhook))
            .inc_by(records);
    }

    /// Counts a message that a webhook did not take.
    pub fn webhook_retried(&self, webhook: &str) {
        self.0.webhooks.retries.get_or_create(&label(webhook)).inc();
    }

    /// Notes up to where a webhook was told.
    pub fn webhook_at(&self, webhook: &str, position: Position) {
        self.0.webhooks.at.lock().insert(webhook.to_owned(), position);
    }
}
