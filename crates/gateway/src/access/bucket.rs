//! What a bucket's documents say of access, read and parsed once.

use super::policy::{Policy, PolicyError};
use super::{Ownership, PublicAccessBlock, Users, grants};
use crate::Identity;
use crate::objects::ObjectError;
use serde::de::DeserializeOwned;
use stead_event::body::Grant;
use stead_view::{BucketRecord, Names, ObjectRecord};

/// The names of the documents, as `bucket.configured` events have them.
pub mod document {
    /// The list: JSON, an array of grants.
    pub const ACL: &str = "acl";
    /// The policy, as it was put.
    pub const POLICY: &str = "policy";
    /// The public access block: JSON.
    pub const PUBLIC_ACCESS_BLOCK: &str = "public-access-block";
    /// The object ownership: JSON, its name.
    pub const OWNERSHIP: &str = "ownership";
}

/// What a bucket says of who may do what.
#[derive(Debug)]
pub struct BucketAccess {
    /// The bucket.
    pub record: BucketRecord,
    /// Its owner's canonical id; empty where the node never had an administrator's key.
    pub owner: String,
    /// Its list, as it is kept.
    pub acl: Vec<Grant>,
    /// Its policy. One that cannot be read any more forbids everything.
    pub policy: Option<Result<Policy, PolicyError>>,
    /// Its public access block; `None` where none was set.
    pub block: Option<PublicAccessBlock>,
    /// Its object ownership; `None` where none was set.
    pub ownership: Option<Ownership>,
}

impl BucketAccess {
    /// Reads a bucket's documents; `None` where there is no such bucket.
    pub(super) fn read(names: &Names, bucket: &str, users: &Users) -> Result<Option<Self>, ObjectError> {
        let Some(record) = names.bucket(bucket)? else {
            return Ok(None);
        };
        let owner = match &record.owner_id {
            Some(id) => id.clone(),
            None => users.administrator().to_owned(),
        };
        let policy = names.config(bucket, document::POLICY)?;
        Ok(Some(Self {
            owner,
            acl: json(names, bucket, document::ACL)?.unwrap_or_default(),
            policy: policy.map(|text| Policy::parse(&text, bucket, users)),
            block: json(names, bucket, document::PUBLIC_ACCESS_BLOCK)?,
            ownership: json(names, bucket, document::OWNERSHIP)?,
            record,
        }))
    }

    /// The public access block that holds.
    pub fn blocks(&self) -> PublicAccessBlock {
        self.block.unwrap_or_default()
    }

    /// The object ownership that holds.
    pub fn owns(&self) -> Ownership {
        self.ownership.unwrap_or_default()
    }

    /// Whether somebody owns it.
    pub fn is_owned_by(&self, who: &Identity) -> bool {
        !who.is_anonymous() && !self.owner.is_empty() && who.canonical_id == self.owner
    }

    /// Whether it lets everybody in, by its list or its policy.
    pub fn is_public(&self) -> bool {
        let blocks = self.blocks();
        let by_list = self.owns().has_lists() && !blocks.ignore_public_acls && grants::is_public(&self.acl);
        let by_policy = matches!(&self.policy, Some(Ok(policy)) if policy.is_public());
        by_list || (by_policy && !blocks.restrict_public_buckets)
    }

    /// The canonical id of an object's owner.
    pub fn owner_of<'a>(&'a self, owner: Option<&'a str>) -> &'a str {
        match owner {
            Some(owner) if self.owns().has_lists() => owner,
            _ => &self.owner,
        }
    }

    /// Whether somebody owns an object in it. What came from nobody in particular is the bucket owner's.
    pub(super) fn object_is_owned_by(&self, object: &ObjectRecord, who: &Identity) -> bool {
        match self.owner_of(object.owner.as_deref()) {
            super::ANONYMOUS_ID => self.is_owned_by(who),
            owner => !who.is_anonymous() && !owner.is_empty() && who.canonical_id == owner,
        }
    }
}

/// A document that this room wrote.
fn json<T: DeserializeOwned>(names: &Names, bucket: &str, name: &str) -> Result<Option<T>, ObjectError> {
    let Some(text) = names.config(bucket, name)? else {
        return Ok(None);
    };
    let read = serde_json::from_str(&text);
    read.map(Some)
        .map_err(|error| ObjectError::State(format!("the document {name} of bucket {bucket}: {error}")))
}
