//! Whom S3's documents name as owners and initiators.

use crate::acl;
use crate::errors;
use crate::facts::Facts;
use crate::service::S3Gateway;
use s3s::S3Result;
use s3s::dto::{Initiator, Owner};
use std::sync::Arc;
use stead_event::Principal;
use stead_gateway::access::{BucketAccess, Users, Wanted};

/// The owners of what is in one bucket.
pub struct Owners {
    users: Arc<Users>,
    bucket: Arc<BucketAccess>,
}

impl Owners {
    /// The owner of an object whose record names this one.
    pub fn of(&self, owner: Option<&str>) -> Owner {
        acl::owner(self.bucket.owner_of(owner), &self.users)
    }

    /// Who began an upload.
    pub fn initiator(&self, actor: &Principal) -> Initiator {
        let id = self.users.id_of(&actor.0).unwrap_or(&self.bucket.owner);
        Initiator {
            display_name: Some(actor.0.clone()),
            id: Some(id.to_owned()),
        }
    }
}

impl S3Gateway {
    /// The users of this node.
    pub(crate) fn users(&self) -> S3Result<Arc<Users>> {
        self.context().access().users().map_err(errors::from_object)
    }

    /// What a bucket that must be there says of access.
    pub(crate) fn access_of(&self, bucket: &str) -> S3Result<Arc<BucketAccess>> {
        self.context()
            .access()
            .existing(bucket)
            .map_err(errors::from_object)
    }

    /// The owners of what is in a bucket that must be there.
    pub(crate) fn owners(&self, bucket: &str) -> S3Result<Owners> {
        Ok(Owners {
            users: self.users()?,
            bucket: self.access_of(bucket)?,
        })
    }

    /// The list that a request's headers ask for.
    pub(crate) fn list_asked(&self, facts: &Facts<'_>) -> S3Result<Wanted> {
        match acl::is_asked(facts) {
            true => acl::in_headers(facts, &*self.users()?),
            false => Ok(Wanted::Unsaid),
        }
    }
}
