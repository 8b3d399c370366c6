//! Buckets: made, removed, configured.

use super::{LockConfig, NewBucket, ObjectError, Objects, rules};
use crate::access::{document, grants};
use crate::{Caller, Identity};
use stead_event::body::{BucketConfigured, BucketCreated, BucketDeleted, BucketVersioned, Versioning};
use stead_log::Precondition;

/// The largest configuration document of a bucket, in bytes (512 KiB): a thousand lifecycle rules fit.
const DOCUMENT_MAX: usize = 512 << 10;

impl Objects {
    /// Makes a bucket. One that is there already is [`ObjectError::BucketExists`] where the caller owns it, else
    /// [`ObjectError::BucketTaken`].
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
        // What nobody owns is the administrator's.
        let owner = (!identity.is_administrator()).then(|| identity.canonical_id.clone());
        let created = BucketCreated {
            owner,
            bucket: bucket.to_owned(),
            via: via.clone(),
        };
        let mut events = vec![self.draft(&identity, created)];
        if options.locks {
            let (versioned, configured) = Self::locking(bucket, LockConfig::default(), &via);
            events.push(self.draft(&identity, versioned));
            events.push(self.draft(&identity, configured));
        }
        for (name, document) in self.documents_of_new(&identity, &options)? {
            let configured = BucketConfigured {
                bucket: bucket.to_owned(),
                name: name.to_owned(),
                document: Some(document),
                via: via.clone(),
            };
            events.push(self.draft(&identity, configured));
        }
        match self.append(require, events, Vec::new()).await {
            Err(ObjectError::BucketExists(_)) if !self.is_own(&identity, bucket)? => {
                Err(ObjectError::BucketTaken(bucket.to_owned()))
            }
            done => done.map(drop),
        }
    }

    fn is_own(&self, who: &Identity, bucket: &str) -> Result<bool, ObjectError> {
        let known = self.context().access().bucket(bucket)?;
        Ok(who.is_local() || known.is_none_or(|known| known.is_owned_by(who)))
    }

    /// The documents that a new bucket has from its beginning on.
    fn documents_of_new(
        &self,
        who: &Identity,
        options: &NewBucket,
    ) -> Result<Vec<(&'static str, String)>, ObjectError> {
        let mut documents = Vec::new();
        let users = self.context().access().users()?;
        let owner = match who.is_administrator() {
            true => users.administrator(),
            false => &who.canonical_id,
        };
        let list = grants::to_kept(options.list.grants(owner, owner, true), owner);
        if !list.is_empty() {
            documents.push((document::ACL, json(&list)?));
        }
        if let Some(ownership) = options.ownership {
            documents.push((document::OWNERSHIP, json(&ownership)?));
        }
        Ok(documents)
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

/// A document as JSON.
pub(super) fn json<T: serde::Serialize>(value: &T) -> Result<String, ObjectError> {
    serde_json::to_string(value).map_err(|error| ObjectError::Internal(error.to_string()))
}
