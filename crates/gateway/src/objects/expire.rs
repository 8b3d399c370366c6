//! Deletions that rules ask for: small batches, each event naming its rule, none of what changed meanwhile.

use super::{Expiry, ObjectError, Objects};
use crate::Caller;
use stead_event::body::ObjectDeleted;
use stead_log::{Draft, Expect, Precondition};

/// Deletions of one append.
const BATCH: usize = 100;

impl Objects {
    /// Deletes what is due, as far as it still is what was looked at; answers how many. Locked versions stay.
    pub async fn expire(&self, bucket: &str, due: Vec<Expiry>, caller: &Caller) -> Result<u64, ObjectError> {
        let mut deleted = 0;
        for batch in due.chunks(BATCH) {
            match self.expire_batch(bucket, batch, caller).await {
                Ok(()) => deleted += batch.len() as u64,
                Err(error) if is_stale(&error) => {
                    // One of them is not what it was: each for itself.
                    for one in batch {
                        match self.expire_batch(bucket, std::slice::from_ref(one), caller).await {
                            Ok(()) => deleted += 1,
                            Err(error) if is_stale(&error) => {}
                            Err(error) => return Err(error),
                        }
                    }
                }
                Err(error) => return Err(error),
            }
        }
        self.context().metrics.lifecycle("delete", deleted);
        Ok(deleted)
    }

    async fn expire_batch(&self, bucket: &str, due: &[Expiry], caller: &Caller) -> Result<(), ObjectError> {
        caller.identity.check_write(bucket)?;
        let mut require = vec![Precondition::BucketExists(bucket.to_owned())];
        let mut events: Vec<Draft> = Vec::with_capacity(due.len());
        for Expiry {
            key,
            version,
            current,
            rule,
        } in due
        {
            require.push(Precondition::Object {
                bucket: bucket.to_owned(),
                key: key.clone(),
                expect: current.map_or(Expect::Absent, Expect::Event),
            });
            if let Some(version) = version {
                require.push(Precondition::VersionExists {
                    bucket: bucket.to_owned(),
                    key: key.clone(),
                    version: version.clone(),
                });
            }
            let mut via = caller.via.clone();
            via.agent = Some(rule.clone());
            let deleted = ObjectDeleted {
                bucket: bucket.to_owned(),
                bypass: false,
                key: key.clone(),
                version: version.clone(),
                via,
            };
            events.push(self.draft(&caller.identity, deleted));
        }
        self.append(require, events, Vec::new()).await?;
        Ok(())
    }
}

/// Whether an append was refused because something changed since it was looked at.
fn is_stale(error: &ObjectError) -> bool {
    matches!(
        error,
        ObjectError::Precondition(_)
            | ObjectError::Locked { .. }
            | ObjectError::NoSuchVersion { .. }
            | ObjectError::NoSuchBucket(_)
    )
}
