//! From the log to one webhook: reads on, posts what concerns it, and remembers how far it came.

use super::document::{DOCUMENT, Notification};
use super::send::{Place, Sender};
use super::{State, Webhook, Webhooks, cursor, record};
use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stead_event::{Event, Position, Tenant, Via};
use stead_gateway::metrics::Metrics;
use stead_gateway::{Caller, Identity, ObjectError, Objects, blocking};
use stead_view::BucketRecord;

/// The name under which it acts.
const NAME: &str = "notify";
/// Lines of the log that are read at once.
const LINES: usize = 1000;
/// Records in one message at most.
const BATCH: usize = 100;
/// How often at most the position is written down.
const REMEMBER: Duration = Duration::from_secs(3);
/// How often a node that does not lead looks whether it does now.
const TURN: Duration = Duration::from_secs(1);
/// The pause after the first failure; each is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What is known of a bucket that has notifications.
struct Bucket {
    told: Notification,
    record: BucketRecord,
}

/// A bucket whose webhook was told of everything up to a position.
type Floors = HashMap<String, Position>;

/// One webhook's task.
pub struct Pump {
    webhooks: Webhooks,
    name: String,
    objects: Objects,
    region: String,
    sender: Sender,
    tenant: Tenant,
    /// As the views were when so much had been configured.
    known: (u64, HashMap<String, Option<Arc<Bucket>>>),
    floors: Floors,
    /// Buckets that were told of since the position was last written down.
    told: BTreeSet<String>,
    remembered: Instant,
}

impl Pump {
    /// For a webhook.
    pub fn new(
        webhooks: Webhooks,
        webhook: Webhook,
        objects: Objects,
        region: String,
    ) -> Result<Self, String> {
        let context = objects.context().read_only().clone();
        let place = Place::parse(&webhook.url)?;
        Ok(Self {
            webhooks,
            region,
            tenant: context.tenant.clone(),
            remembered: context.clock.instant(),
            sender: Sender::new(place, webhook.ca, webhook.secret, webhook.allow_private, context),
            name: webhook.name,
            known: (u64::MAX, HashMap::new()),
            floors: Floors::new(),
            told: BTreeSet::new(),
            objects,
        })
    }

    /// Runs until the node stops.
    pub async fn run(mut self) {
        let mut stop = self.objects.context().tasks.shutdown_signal();
        tokio::select! {
            () = self.follow() => {}
            () = stop.wait() => {}
        }
        self.remember().await;
    }

    /// One node tells for all: whichever leads. Another that takes over goes on from what was written down last,
    /// so that something may be told twice, and nothing never.
    async fn follow(&mut self) {
        loop {
            while !self.objects.context().leads() {
                tokio::time::sleep(TURN).await;
            }
            self.tell().await;
        }
    }

    /// Tells as long as this node leads.
    async fn tell(&mut self) {
        self.floors.clear();
        self.known = (u64::MAX, HashMap::new());
        let mut position = loop {
            match self.begin() {
                Ok(position) => break position,
                Err(error) => self.trouble("where it was cannot be read", &error).await,
            }
        };
        while self.objects.context().leads() {
            self.webhooks
                .update(&self.name, |state| state.position = position);
            self.metrics().webhook_at(&self.name, position);
            match self.step(position).await {
                Ok(Some(next)) => position = next,
                Ok(None) => self.wait(position).await,
                Err(error) => self.trouble("the log cannot be read on", &error).await,
            }
            let now = self.objects.context().clock.instant();
            if now.duration_since(self.remembered) >= REMEMBER {
                self.remember().await;
            }
        }
    }

    fn metrics(&self) -> &Metrics {
        &self.objects.context().metrics
    }

    async fn trouble(&self, what: &str, error: &ObjectError) {
        tracing::warn!(webhook = self.name, %error, "notifications: {what}; trying again");
        tokio::time::sleep(REMEMBER).await;
    }

    /// Waits for more, and meanwhile writes down how far it came.
    async fn wait(&mut self, position: Position) {
        let tail = self.objects.context().tail.clone();
        let more = tail.wait_past(&self.tenant, position);
        if self.told.is_empty() {
            more.await;
        } else {
            let _ = tokio::time::timeout(REMEMBER, more).await;
        }
    }

    /// Where to go on: the least position that any bucket was told up to; the end where there is none.
    fn begin(&mut self) -> Result<Position, ObjectError> {
        let names = self.objects.context().views.names()?;
        let end = names.position()?;
        for (bucket, _) in names.buckets()? {
            self.bucket(&bucket)?;
        }
        Ok(self.floors.values().copied().min().unwrap_or(end).min(end))
    }

    /// What a bucket's configuration says, if it concerns this webhook.
    fn bucket(&mut self, bucket: &str) -> Result<Option<Arc<Bucket>>, ObjectError> {
        let views = &self.objects.context().views;
        let at = views.configured(); // before the views are read, so that nothing newer is kept as older
        if self.known.0 != at {
            self.known = (at, HashMap::new());
        }
        if let Some(known) = self.known.1.get(bucket) {
            return Ok(known.clone());
        }
        let names = views.names()?;
        let document = names.config(bucket, DOCUMENT)?;
        let told: Option<Notification> = document.and_then(|text| serde_json::from_str(&text).ok());
        let told = told.filter(|told| told.webhooks().any(|webhook| webhook == self.name));
        let found = match (told, names.bucket(bucket)?) {
            (Some(told), Some(record)) => {
                let floor = names.config(bucket, &cursor(&self.name))?;
                let floor = floor.and_then(|text| text.parse().ok()).unwrap_or(0);
                let known = self.floors.entry(bucket.to_owned()).or_insert(floor);
                *known = floor.max(*known);
                Some(Arc::new(Bucket { told, record }))
            }
            _ => None,
        };
        self.known.1.insert(bucket.to_owned(), found.clone());
        Ok(found)
    }

    /// Reads on, and posts. Answers the new position; nothing where there was nothing to read.
    async fn step(&mut self, position: Position) -> Result<Option<Position>, ObjectError> {
        let (tail, tenant) = (self.objects.context().tail.clone(), self.tenant.clone());
        let lines = blocking(move || tail.read(&tenant, position + 1, LINES)).await;
        let lines = lines.map_err(|error| ObjectError::Internal(error.to_string()))?;
        let Some(last) = lines.last().map(|line| line.seq) else {
            return Ok(None);
        };
        let mut batch = Vec::with_capacity(BATCH);
        for line in &lines {
            let Ok(event) = line.event() else {
                continue; // of a kind that a newer release wrote
            };
            let Some(bucket) = record::about(&event) else {
                continue;
            };
            let records = self.records(bucket, &event)?;
            if records.is_empty() {
                continue;
            }
            batch.push((bucket.to_owned(), event.seq, records));
            if batch.len() >= BATCH {
                self.deliver(std::mem::take(&mut batch)).await;
            }
        }
        self.deliver(batch).await;
        Ok(Some(last))
    }

    fn records(&mut self, bucket: &str, event: &Event) -> Result<Vec<Value>, ObjectError> {
        let Some(known) = self.bucket(bucket)? else {
            return Ok(Vec::new());
        };
        let floor = self.floors.get(bucket).copied().unwrap_or(0);
        if event.seq <= floor {
            return Ok(Vec::new());
        }
        let Some(happened) = record::happened(event, &known.record) else {
            return Ok(Vec::new());
        };
        let told = known.told.told(&self.name, happened.name, happened.key);
        let records = told.map(|target| happened.record(event, &known.record, &target.id, &self.region));
        Ok(records.collect())
    }

    /// Posts, again and again until it is taken.
    async fn deliver(&mut self, batch: Vec<(String, Position, Vec<Value>)>) {
        if batch.is_empty() {
            return;
        }
        let mut records = Vec::with_capacity(batch.len());
        let mut told = Vec::with_capacity(batch.len());
        for (bucket, seq, some) in batch {
            records.extend(some);
            told.push((bucket, seq));
        }
        let count = records.len() as u64;
        let message = Bytes::from(json!({ "Records": records }).to_string());
        let mut pause = FIRST_PAUSE;
        while let Err(why) = self.sender.post(message.clone()).await {
            self.webhooks.update(&self.name, |state| failed(state, &why));
            self.metrics().webhook_retried(&self.name);
            tracing::warn!(
                webhook = self.name,
                why,
                ?pause,
                "a webhook does not take its messages"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        self.metrics().webhook_delivered(&self.name, count);
        self.webhooks.update(&self.name, |state| {
            state.failing = None;
            state.delivered += count;
        });
        for (bucket, seq) in told {
            self.floors.insert(bucket.clone(), seq);
            self.told.insert(bucket);
        }
    }

    /// Writes down how far each bucket's events were told.
    async fn remember(&mut self) {
        self.remembered = self.objects.context().clock.instant();
        let via = Via {
            protocol: NAME.into(),
            ..Via::default()
        };
        for bucket in std::mem::take(&mut self.told) {
            let Some(floor) = self.floors.get(&bucket).map(Position::to_string) else {
                continue;
            };
            let caller = Caller::new(Identity::local(NAME), via.clone());
            let done = self
                .objects
                .configure_bucket(&bucket, &cursor(&self.name), Some(floor), caller)
                .await;
            match done {
                Ok(_) => {}
                Err(ObjectError::NoSuchBucket(_)) => {
                    self.floors.remove(&bucket);
                }
                Err(error) => {
                    // Not lost: what is told twice at worst is told twice.
                    tracing::warn!(webhook = self.name, bucket, %error, "how far it came is not written down");
                    self.told.insert(bucket);
                }
            }
        }
    }
}

fn failed(state: &mut State, why: &str) {
    let times = state.failing.as_ref().map_or(0, |(times, _)| *times);
    state.failing = Some((times + 1, why.to_owned()));
}
