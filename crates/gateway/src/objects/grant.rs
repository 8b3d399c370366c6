//! Access control lists and access documents, replaced.

use super::{GetRequest, GrantRequest, ObjectError, Objects, buckets};
use crate::access::{BucketAccess, Ownership, PublicAccessBlock, Wanted, document, grants};
use crate::{Caller, Identity};
use stead_event::body::ObjectGranted;
use stead_log::{Expect, Precondition};

impl Objects {
    /// Replaces the list of the current state or one version. Answers the version id.
    ///
    /// # Errors
    /// As [`crate::access::Access::belongs`]; whatever keeps the state from being found.
    pub async fn grant(&self, request: GrantRequest) -> Result<Option<String>, ObjectError> {
        let GrantRequest {
            bucket,
            key,
            version,
            list,
            caller,
        } = request;
        let Caller { identity, via } = caller;
        identity.check_write(&bucket)?;
        let record = self.head(&GetRequest {
            who: &identity,
            bucket: &bucket,
            key: &key,
            version: version.as_deref(),
            at: None,
            range: None,
        })?;
        let access = self.context().access();
        let known = access.existing(&bucket)?;
        let acl = access.list_of(&identity, &bucket, &known, record.owner.as_deref(), &list)?;
        let exists = match &version {
            Some(version) => Precondition::VersionExists {
                bucket: bucket.clone(),
                key: key.clone(),
                version: version.clone(),
            },
            None => Precondition::Object {
                bucket: bucket.clone(),
                key: key.clone(),
                expect: Expect::Event(record.event),
            },
        };
        let require = vec![Precondition::BucketExists(bucket.clone()), exists];
        let answer = version.clone().or(record.version);
        let granted = ObjectGranted {
            acl,
            bucket,
            key,
            version,
            via,
        };
        self.append_one(&identity, require, granted).await?;
        Ok(answer)
    }

    /// Replaces the list of a bucket.
    ///
    /// # Errors
    /// As [`crate::access::Access::belongs`].
    pub async fn grant_bucket(&self, bucket: &str, list: &Wanted, caller: Caller) -> Result<(), ObjectError> {
        let access = self.context().access();
        let known = access.existing(bucket)?;
        let kept = access.list_of_bucket(&caller.identity, bucket, &known, list)?;
        let text = (!kept.is_empty()).then(|| buckets::json(&kept)).transpose()?;
        self.configure_bucket(bucket, document::ACL, text, caller).await
    }

    /// Stores a policy, as it is written; refused where it lets everybody in and the bucket blocks that.
    ///
    /// # Errors
    /// [`ObjectError::Denied`] then; [`ObjectError::Policy`], where it is not a policy.
    pub async fn put_policy(&self, bucket: &str, text: String, caller: Caller) -> Result<(), ObjectError> {
        let access = self.context().access();
        let known = access.existing(bucket)?;
        let policy = crate::access::policy::Policy::parse(&text, bucket, &*access.users()?)
            .map_err(|error| ObjectError::Policy(error.0))?;
        if policy.is_public() && known.blocks().block_public_policy {
            return Err(refused(&caller.identity, "make public", bucket));
        }
        self.configure_bucket(bucket, document::POLICY, Some(text), caller)
            .await
    }

    /// Sets (or with `None` removes) a bucket's public access block.
    ///
    /// # Errors
    /// As [`Self::configure_bucket`].
    pub async fn set_public_access_block(
        &self,
        bucket: &str,
        block: Option<PublicAccessBlock>,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let text = block.map(|block| buckets::json(&block)).transpose()?;
        self.configure_bucket(bucket, document::PUBLIC_ACCESS_BLOCK, text, caller)
            .await
    }

    /// Sets (or with `None` removes) a bucket's object ownership.
    ///
    /// # Errors
    /// [`ObjectError::ListsInUse`], where lists are to go that let others than the owner in.
    pub async fn set_ownership(
        &self,
        bucket: &str,
        ownership: Option<Ownership>,
        caller: Caller,
    ) -> Result<(), ObjectError> {
        let known = self.context().access().existing(bucket)?;
        if ownership.is_some_and(|ownership| !ownership.has_lists()) && opens(&known) {
            return Err(ObjectError::ListsInUse(bucket.to_owned()));
        }
        let text = ownership.map(|ownership| buckets::json(&ownership)).transpose()?;
        self.configure_bucket(bucket, document::OWNERSHIP, text, caller)
            .await
    }
}

/// Whether a bucket's list says more than that the owner may everything.
fn opens(bucket: &BucketAccess) -> bool {
    let shown = grants::from_kept(&bucket.acl, &bucket.owner);
    bucket.owns().has_lists() && !grants::to_kept(shown, &bucket.owner).is_empty()
}

fn refused(who: &Identity, what: &str, bucket: &str) -> ObjectError {
    ObjectError::Denied {
        who: who.principal.0.clone(),
        what: what.to_owned(),
        on: bucket.to_owned(),
    }
}
