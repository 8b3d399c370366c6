//! Putting what is stored into stripes, and out of them, when its bucket wants its blocks kept otherwise.
//!
//! Promises: an object stays readable all the while; its blocks of bytes are the same ones before and after, so its CID
//! does not change. Done by whoever leads; what was begun and not ended is begun anew.
//! Not done: states that are no version any more. They stay as they were until they are forgotten.

use super::{ObjectError, Objects, keep_wanted};
use std::sync::Arc;
use std::time::Duration;
use stead_block::stripe::{self, Scheme};
use stead_block::unixfs::{LEAF_BYTES, Leaves};
use stead_block::{Block, Keep};
use stead_event::body::ObjectStriped;
use stead_event::{Cid, Via};
use stead_log::Precondition;
use stead_runtime::blocking;
use stead_view::{ObjectRecord, VersionEntry, VersionQuery};
use tokio::time::Instant;

/// How often it is looked whether a bucket changed.
const TICK: Duration = Duration::from_secs(5);
/// Everything is looked at again after so long: what could not be done is tried again.
const AGAIN: Duration = Duration::from_secs(3600);
/// Versions that are looked at in one go.
const PAGE: usize = 1000;

/// Bytes a second at most, as that is now.
type Rate = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Goes through the buckets in the background.
pub struct Restriping {
    objects: Objects,
    bytes_per_second: Rate,
}

impl Restriping {
    /// Over what appends; reads so many bytes a second at most.
    pub fn new(objects: Objects, bytes_per_second: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self {
            objects,
            bytes_per_second: Arc::new(bytes_per_second),
        }
    }

    /// Whenever a bucket was configured, and now and then; for ever.
    pub async fn run(self) {
        let mut done: Option<(u64, Instant)> = None;
        loop {
            tokio::time::sleep(TICK).await;
            let context = self.objects.context();
            if !context.leads() {
                done = None;
                continue;
            }
            let revision = context.views.configured();
            if done.is_some_and(|(of, at)| of == revision && at.elapsed() < AGAIN) {
                continue;
            }
            match self.pass().await {
                Ok(0) => {}
                Ok(changed) => tracing::info!(changed, "objects are kept as their buckets want it now"),
                Err(error) => tracing::warn!(%error, "not all objects are kept as their buckets want it"),
            }
            done = Some((revision, Instant::now()));
        }
    }

    /// Goes through all buckets once; answers how many versions were changed. One that cannot be changed now is passed
    /// over.
    ///
    /// # Errors
    /// Those of the views.
    pub async fn pass(&self) -> Result<u64, ObjectError> {
        let names = self.objects.context().views.names()?;
        let mut changed = 0;
        for (bucket, _) in names.buckets()? {
            let scheme = match keep_wanted(&names, &bucket)? {
                Some(Keep::Stripes(scheme)) => Some(scheme),
                _ => None,
            };
            changed += self.bucket(&bucket, scheme).await?;
        }
        Ok(changed)
    }

    async fn bucket(&self, bucket: &str, scheme: Option<Scheme>) -> Result<u64, ObjectError> {
        let mut query = VersionQuery {
            max: PAGE,
            ..VersionQuery::default()
        };
        let mut changed = 0;
        loop {
            let names = self.objects.context().views.names()?;
            let page = names.list_versions(bucket, &query)?;
            drop(names);
            for VersionEntry { key, record, .. } in page.versions {
                match self.version(bucket, &key, &record, scheme).await {
                    Ok(true) => changed += 1,
                    Ok(false) => {}
                    Err(error) => tracing::warn!(bucket, key, %error, "it stays as it is kept"),
                }
            }
            let Some((key, version)) = page.next else {
                return Ok(changed);
            };
            (query.key_marker, query.version_marker) = (Some(key), version);
            tokio::task::yield_now().await;
        }
    }

    /// Changes one version; answers whether there was something to change.
    async fn version(
        &self,
        bucket: &str,
        key: &str,
        record: &ObjectRecord,
        scheme: Option<Scheme>,
    ) -> Result<bool, ObjectError> {
        let Some(cid) = record.cid else {
            return Ok(false);
        };
        let wanted = scheme.filter(|_| record.size > LEAF_BYTES as u64);
        if self.listed(record.stripes)? == wanted {
            return Ok(false);
        }
        let (stripes, pin) = match wanted {
            None => (None, None),
            Some(scheme) => {
                let (stripes, pin) = self.stripe(cid, record.size, scheme).await?;
                (stripes, Some(pin))
            }
        };
        if stripes == record.stripes {
            return Ok(false);
        }
        let version = record.version_id().to_owned();
        let require = vec![Precondition::VersionExists {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: version.clone(),
        }];
        let striped = ObjectStriped {
            bucket: bucket.to_owned(),
            cid,
            key: key.to_owned(),
            stripes,
            version: Some(version),
            via: Via {
                protocol: "stripes".into(),
                ..Via::default()
            },
        };
        let who = crate::Identity::local(&stead_event::Principal::node().0);
        let appended = self.objects.append_one(&who, require, striped).await;
        drop(pin);
        match appended {
            // Deleted meanwhile.
            Err(ObjectError::NoSuchVersion { .. }) => Ok(false),
            appended => appended.map(|_| true),
        }
    }

    /// The scheme of a list of stripes.
    fn listed(&self, stripes: Option<Cid>) -> Result<Option<Scheme>, ObjectError> {
        let Some(list) = stripes else { return Ok(None) };
        let bytes = self.objects.context().store.read(&list)?;
        Ok(stripe::read_list(&list, &bytes).map(|(scheme, _)| scheme))
    }

    async fn stripe(
        &self,
        root: Cid,
        size: u64,
        scheme: Scheme,
    ) -> Result<(Option<Cid>, stead_block::Pin), ObjectError> {
        let store = self.objects.context().store.clone();
        let (began, mut bytes) = (Instant::now(), 0);
        let reading = store.clone();
        let leaves = move || {
            Leaves::new(|cid: &Cid| reading.read(cid), root, size, None).collect::<Result<Vec<_>, _>>()
        };
        let leaves = blocking(leaves).await?;
        let mut writer = store.writer_of(Keep::Stripes(scheme).into());
        for some in leaves.chunks(scheme.k.into()) {
            let (names, reading) = (
                some.iter().map(|leaf| leaf.cid).collect::<Vec<_>>(),
                store.clone(),
            );
            let read = move || {
                let block = |cid: Cid| reading.read(&cid).map(|bytes| Block { cid, bytes });
                names.into_iter().map(block).collect::<Result<Vec<_>, _>>()
            };
            for block in blocking(read).await? {
                bytes += block.bytes.len() as u64;
                writer.write(block).await?;
            }
            let due = Duration::from_secs_f64(bytes as f64 / (self.bytes_per_second)().max(1) as f64);
            tokio::time::sleep_until(began + due).await;
        }
        let written = writer.finish().await?;
        Ok((written.stripes, written.pin))
    }
}
