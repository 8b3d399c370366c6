//! What a drill does to clients: one object after another is written and read back, small ones, which are in the log, and
//! larger ones, whose blocks are copied to other nodes first.

use crate::client::{Client, Url, body_of, bytes_of, empty, request};
use crate::failure::Failure;
use bytes::Bytes;
use http::Method;
use serde::Serialize;
use std::fmt;
use std::time::Duration;
use stead_runtime::Rng;
use tokio::time::{Instant, timeout};

/// How long one write or read is waited for. Longer than any pause that is forecast: a pause is then one slow answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Bytes of the larger objects, about: twice what the log takes.
const LARGE: usize = 128 * 1024;
/// Pause between two objects.
const PAUSE: Duration = Duration::from_millis(50);

/// What happened.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Happened {
    /// How long it took.
    pub seconds: f64,
    /// Whether it was ended before its time.
    pub stopped: bool,
    /// Objects that were acknowledged.
    pub written: u64,
    /// Writes and reads that were answered with an error, or not in time.
    pub failed: u64,
    /// The longest time without an acknowledged write, in seconds.
    pub write_pause_s: f64,
    /// The longest time without a read that was answered, in seconds.
    pub read_pause_s: f64,
    /// Acknowledged objects that cannot be read back.
    pub lost: u64,
    /// Seconds until all nodes were back with all copies; absent where they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub back_s: Option<f64>,
}

impl fmt::Display for Happened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let early = if self.stopped {
            ", ended before its time"
        } else {
            ""
        };
        writeln!(
            f,
            "happened  {:.0} s{early}; {} objects written, {} errors",
            self.seconds, self.written, self.failed
        )?;
        writeln!(
            f,
            "          longest pause: writing {:.1} s, reading {:.1} s; {} acknowledged objects lost",
            self.write_pause_s, self.read_pause_s, self.lost
        )?;
        match self.back_s {
            Some(back) => writeln!(
                f,
                "          all nodes back with all copies {back:.1} s afterwards"
            ),
            None => writeln!(f, "          not all nodes are back"),
        }
    }
}

/// What an object holds: every fourth one is larger than what the log takes.
fn content(number: u64) -> Bytes {
    let text = number.to_string();
    match number % 4 {
        0 => Bytes::from(text.repeat(LARGE / text.len() + 1)),
        _ => Bytes::from(text),
    }
}

/// Writes and reads in a bucket of its own.
pub(super) struct Probe<'c> {
    client: &'c Client,
    bucket: String,
    begun: u64,
    kept: Vec<u64>,
    failed: u64,
    last_write: Instant,
    last_read: Instant,
    pauses: (Duration, Duration),
}

impl<'c> Probe<'c> {
    /// Makes the bucket.
    pub async fn begin(client: &'c Client) -> Result<Self, Failure> {
        let bucket = format!("stead-drill-{:08x}", u32::from_le_bytes(Rng::system().bytes()));
        client
            .call(Method::PUT, Url::new("/api/v1/buckets").segment(&bucket))
            .await?;
        let now = Instant::now();
        Ok(Self {
            client,
            bucket,
            begun: 0,
            kept: Vec::new(),
            failed: 0,
            last_write: now,
            last_read: now,
            pauses: Default::default(),
        })
    }

    fn url(&self, number: u64) -> Url {
        Url::new("/api/v1/objects")
            .segment(&self.bucket)
            .key(&format!("{number}"))
    }

    async fn write(&self, number: u64) -> bool {
        let body = body_of(content(number));
        let Ok(request) = request(Method::PUT, self.url(number), body) else {
            return false;
        };
        matches!(timeout(PATIENCE, self.client.send(request)).await, Ok(Ok(_)))
    }

    async fn read(&self, number: u64) -> bool {
        let Ok(request) = request(Method::GET, self.url(number), empty()) else {
            return false;
        };
        let answered = timeout(PATIENCE, async {
            let response = self.client.send(request).await.ok()?;
            bytes_of(response).await.ok()
        });
        matches!(answered.await, Ok(Some(bytes)) if bytes == content(number))
    }

    /// One object: written, and read back.
    pub async fn step(&mut self) {
        self.begun += 1;
        let number = self.begun;
        if self.write(number).await {
            self.kept.push(number);
            let now = Instant::now();
            self.pauses.0 = self.pauses.0.max(now - self.last_write);
            self.last_write = now;
        } else {
            self.failed += 1;
        }
        if let Some(last) = self.kept.last().copied() {
            if self.read(last).await {
                let now = Instant::now();
                self.pauses.1 = self.pauses.1.max(now - self.last_read);
                self.last_read = now;
            } else {
                self.failed += 1;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }

    /// What happened up to now; a pause that goes on counts.
    pub fn so_far(&self, time: Duration, stopped: bool) -> Happened {
        Happened {
            seconds: time.as_secs_f64(),
            stopped,
            written: self.kept.len() as u64,
            failed: self.failed,
            write_pause_s: self.pauses.0.max(self.last_write.elapsed()).as_secs_f64(),
            read_pause_s: self.pauses.1.max(self.last_read.elapsed()).as_secs_f64(),
            lost: 0,
            back_s: None,
        }
    }

    /// Reads everything back and removes the bucket; answers how much is lost.
    pub async fn end(self) -> Result<u64, Failure> {
        let mut lost = 0;
        for number in &self.kept {
            lost += u64::from(!self.read(*number).await);
        }
        for number in 1..=self.begun {
            // One whose answer never came may be there, or not.
            let _ = self.client.call(Method::DELETE, self.url(number)).await;
        }
        self.client
            .call(Method::DELETE, Url::new("/api/v1/buckets").segment(&self.bucket))
            .await?;
        Ok(lost)
    }
}
