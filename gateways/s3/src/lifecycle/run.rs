//! Carries the rules out: once when the node starts, and then at every midnight.
//!
//! Promises: every deletion is an event that names its rule; writers are never held up (a page of versions is
//! looked at, a small batch is appended, and so on); what was not finished when the node stopped is found
//! again at its next start, because what is due is read from the views and kept nowhere else.

use super::due::Day;
use super::plan::Planner;
use super::rules::{DOCUMENT, Rules};
use std::time::Duration;
use stead_event::{Timestamp, Via};
use stead_gateway::objects::Expiry;
use stead_gateway::{Caller, Identity, ObjectError, Objects, WriteContext};
use stead_view::{UploadQuery, VersionQuery};

/// The name under which it acts, and the protocol that its events name.
const NAME: &str = "lifecycle";
/// Versions or uploads that are looked at in one read.
const PAGE: usize = 1000;
/// The longest time between two looks at the clock: it may be set, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(60);

/// What one run did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Current objects and versions that were deleted.
    pub deleted: u64,
    /// Uploads that were given up.
    pub aborted: u64,
}

/// The rules of all buckets, carried out. Cheap to clone.
#[derive(Clone)]
pub struct Lifecycle {
    objects: Objects,
    day: Day,
}

impl Lifecycle {
    /// Over a context.
    pub fn new(context: WriteContext, day: Day) -> Self {
        Self {
            objects: Objects::new(context),
            day,
        }
    }

    fn now(&self) -> Timestamp {
        self.objects.context().now()
    }

    /// Runs at once, and at every midnight, for ever.
    pub async fn run(self) {
        loop {
            let next = self.day.next(self.now());
            // One node carries rules out for all; another takes over at the next midnight.
            if !self.objects.context().leads() {
                self.wait_until(next).await;
                continue;
            }
            match self.pass().await {
                Ok(Report {
                    deleted: 0,
                    aborted: 0,
                }) => {}
                Ok(Report { deleted, aborted }) => {
                    tracing::info!(deleted, aborted, "lifecycle rules were carried out");
                }
                Err(error) => {
                    tracing::warn!(%error, "lifecycle rules could not be carried out; again at the next midnight");
                }
            }
            self.wait_until(next).await;
        }
    }

    /// In short steps: the clock may be set.
    async fn wait_until(&self, next: Timestamp) {
        while self.now() < next {
            let left = next.as_micros() - self.now().as_micros();
            let left = Duration::from_micros(u64::try_from(left).unwrap_or(0));
            tokio::time::sleep(left.min(LOOK)).await;
        }
    }

    /// Carries out once what is due now, in all buckets.
    ///
    /// # Errors
    /// Those of the views and of the log, where nothing more can be done now.
    pub async fn pass(&self) -> Result<Report, ObjectError> {
        let now = self.now();
        let mut report = Report::default();
        let buckets = self.objects.context().views.names()?.buckets()?;
        for (bucket, _) in buckets {
            let document = self.objects.context().views.names()?.config(&bucket, DOCUMENT)?;
            let Some(rules) = document.map(|document| Rules::read(&document)) else {
                continue;
            };
            for prefix in rules.prefixes() {
                report.deleted += self.versions(&bucket, prefix, &rules, now).await?;
                report.aborted += self.uploads(&bucket, prefix, &rules, now).await?;
            }
        }
        Ok(report)
    }

    fn caller(&self) -> Caller {
        let via = Via {
            protocol: NAME.into(),
            ..Via::default()
        };
        Caller::new(Identity::local(NAME), via)
    }

    async fn versions(
        &self,
        bucket: &str,
        prefix: &str,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<u64, ObjectError> {
        let mut planner = Planner::new(rules, self.day, now);
        let mut query = VersionQuery {
            prefix: prefix.to_owned(),
            max: PAGE,
            ..VersionQuery::default()
        };
        let mut deleted = 0;
        loop {
            let page = self
                .objects
                .context()
                .views
                .names()?
                .list_versions(bucket, &query)?;
            let mut due = Vec::new();
            for entry in page.versions {
                planner.look(entry, &mut due);
            }
            if page.next.is_none() {
                planner.end(&mut due);
            }
            deleted += self.expire(bucket, due).await?;
            let Some((key, version)) = page.next else {
                return Ok(deleted);
            };
            (query.key_marker, query.version_marker) = (Some(key), version);
            tokio::task::yield_now().await;
        }
    }

    async fn expire(&self, bucket: &str, due: Vec<Expiry>) -> Result<u64, ObjectError> {
        match due.is_empty() {
            true => Ok(0),
            false => self.objects.expire(bucket, due, &self.caller()).await,
        }
    }

    async fn uploads(
        &self,
        bucket: &str,
        prefix: &str,
        rules: &Rules,
        now: Timestamp,
    ) -> Result<u64, ObjectError> {
        let mut query = UploadQuery {
            prefix: prefix.to_owned(),
            max: PAGE,
            ..UploadQuery::default()
        };
        let mut aborted = 0;
        loop {
            let page = self.objects.context().views.names()?.uploads(bucket, &query)?;
            for upload in page.uploads {
                let due = rules.abort(&upload.key, upload.started, self.day);
                let Some(due) = due.filter(|due| due.at <= now) else {
                    continue;
                };
                let mut caller = self.caller();
                caller.via.agent = Some(due.rule.to_owned());
                let id = upload.id.to_string();
                match self.objects.abort_upload(bucket, &upload.key, &id, caller).await {
                    Ok(()) => aborted += 1,
                    // Completed or given up meanwhile.
                    Err(ObjectError::NoSuchUpload { .. } | ObjectError::NoSuchBucket(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            let Some((key, upload)) = page.next else {
                self.objects.context().metrics.lifecycle("abort", aborted);
                return Ok(aborted);
            };
            (query.key_marker, query.upload_marker) = (Some(key), upload);
            tokio::task::yield_now().await;
        }
    }
}
