//! Buckets: made, removed, configured.

use super::{LockConfig, NewBucket, ObjectError, Objects, rules};
use crate::Caller;
use stead_event::body::{BucketConfigured, BucketCreated, BucketDeleted, BucketVersioned, Versioning};
use stead_log::Precondition;

/// The largest configuration document of a bucket, in bytes (512 KiB): a thousand lifecycle rules fit.
const DOCUMENT_MAX: usize = 512 << 10;

impl Objects {
    /// Makes a bucket. One that is there already is [`ObjectError::BucketExists`].
    pub async fn create_bucket(&self, bucket: &str, caller: Caller) -> Result<(), ObjectError> {
        self.create_bucket_with(bucket, NewBucket::default(), caller)
            .await
    }

    /// As [`Self::create_bucket`], with what a bucket can have from its beginning on.
    pub async fn create_bucket_with(
        &self,
        bucket: &str,
        options: NewBucket,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_administer()?;
        rules::bucket(bucket)?;
        let require = vec![Precondition::BucketAbsent(bucket.to_owned())];
        let created = BucketCreated {
            owner: None,
            bucket: bucket.to_owned(),
            via: via.clone(),
        };
        let mut events = vec![self.draft(&identity, created)];
        if options.locks {
            let (versioned, configured) = Self::locking(bucket, LockConfig::default(), &via);
            events.push(self.draft(&identity, versioned));
            events.push(self.draft(&identity, configured));
        }
        self.append(require, events, Vec::new()).await?;
        Ok(())
    }

    /// Removes an empty bucket. Uploads that are open in it are given up.
    pub async fn delete_bucket(&self, bucket: &str, caller: Caller) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_administer()?;
        let bucket = bucket.to_owned();
        let require = vec![
            Precondition::BucketExists(bucket.clone()),
            Precondition::BucketEmpty(bucket.clone()),
        ];
        self.append_one(&identity, require, BucketDeleted { bucket, via })
            .await?;
        Ok(())
    }

    /// Sets a bucket's versioning.
    pub async fn set_versioning(
        &self,
        bucket: &str,
        state: Versioning,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_write(bucket)?;
        let bucket = bucket.to_owned();
        if state == Versioning::Off {
            let why = "versioning cannot be turned off again, only suspended";
            return Err(ObjectError::Invalid(why.into()));
        }
        let require = vec![Precondition::BucketExists(bucket.clone())];
        self.append_one(&identity, require, BucketVersioned { bucket, state, via })
            .await?;
        Ok(())
    }

    /// Stores (or with `None` removes) a named configuration document of a bucket: `tagging`, `cors`, …
    pub async fn configure_bucket(
        &self,
        bucket: &str,
        name: &str,
        document: Option<String>,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let Caller { identity, via } = caller;
        identity.check_write(bucket)?;
        if let Some(size) = document
            .as_ref()
            .map(String::len)
            .filter(|size| *size > DOCUMENT_MAX)
        {
            let (size, max) = (size as u64, DOCUMENT_MAX as u64);
            return Err(ObjectError::TooLarge {
                what: "the configuration document",
                size,
                max,
            });
        }
        let bucket = bucket.to_owned();
        let require = vec![Precondition::BucketExists(bucket.clone())];
        let configured = BucketConfigured {
            bucket,
            name: name.to_owned(),
            document,
            via,
        };
        self.append_one(&identity, require, configured).await?;
        Ok(())
    }
}
