//! Who may do what: one check for every gateway.
//!
//! Owns: the policy language ([`policy`]), access control lists ([`grants`]), public access blocks, object
//! ownership, users by name and canonical id, and the one decision ([`Access::check`]).
//! The order: the scope of the key; what the bucket's policy forbids; what the public access block takes away;
//! what policy, ownership or list permit; else no. The administrator may everything that no policy forbids,
//! and whoever opens the socket in the data directory is asked nothing.
//! Promises: what is not understood permits nothing. A bucket without documents costs one lookup in a cache.
//! Never: knows a protocol's syntax; what a condition asks of a request comes through [`policy::Values`].

mod action;
mod ask;
mod block;
mod bucket;
mod decide;
pub mod grants;
mod new;
mod ownership;
pub mod policy;
mod users;
mod values;

pub use action::{Action, Effect, Need, On};
pub use ask::{Ask, Object};
pub use block::PublicAccessBlock;
pub use bucket::{BucketAccess, document};
pub use grants::Canned;
pub use new::{Belongs, Wanted};
pub use ownership::Ownership;
pub use users::{ADMINISTRATOR, ANONYMOUS, ANONYMOUS_ID, Users};

use crate::Identity;
use crate::objects::ObjectError;
use parking_lot::RwLock;
use std::collections::HashMap;
use std::sync::Arc;
use stead_event::{Position, Tenant};
use stead_runtime::Clock;
use stead_view::Views;

/// Buckets whose documents are in memory at most.
const CACHED: usize = 1024;

/// Who may do what. One for a node.
pub struct Access {
    views: Views,
    clock: Clock,
    buckets: RwLock<Buckets>,
    users: RwLock<(Option<Position>, Arc<Users>)>,
}

/// Documents as they were when so many buckets had been configured and the keys were there up to a position.
#[derive(Default)]
struct Buckets {
    at: (u64, Position),
    found: HashMap<String, Option<Arc<BucketAccess>>>,
}

impl Access {
    /// Over the views.
    pub fn new(views: Views, clock: Clock) -> Self {
        Self {
            views,
            clock,
            buckets: RwLock::default(),
            users: RwLock::default(),
        }
    }

    /// The users of this node. Read anew only when the system tenant's log, which has the keys, moved on.
    ///
    /// # Errors
    /// Where the view cannot be read.
    pub fn users(&self) -> Result<Arc<Users>, ObjectError> {
        // Read before the view, so that an entry is never newer in name than in fact.
        let position = self.views.position(&Tenant::system());
        {
            let known = self.users.read();
            if known.0 == Some(position) {
                return Ok(known.1.clone());
            }
        }
        let users = Arc::new(Users::of(self.views.keys()?.keys()?));
        *self.users.write() = (Some(position), users.clone());
        Ok(users)
    }

    /// What a bucket says of access; `None` where there is no such bucket.
    ///
    /// # Errors
    /// Where the view cannot be read, or a document is damaged.
    pub fn bucket(&self, bucket: &str) -> Result<Option<Arc<BucketAccess>>, ObjectError> {
        let at = (self.views.configured(), self.views.position(&Tenant::system()));
        {
            let known = self.buckets.read();
            if known.at == at
                && let Some(found) = known.found.get(bucket)
            {
                return Ok(found.clone());
            }
        }
        let users = self.users()?;
        let found = BucketAccess::read(&self.views.names()?, bucket, &users)?.map(Arc::new);
        let mut known = self.buckets.write();
        if known.at != at || known.found.len() >= CACHED {
            *known = Buckets {
                at,
                found: HashMap::new(),
            };
        }
        known.found.insert(bucket.to_owned(), found.clone());
        Ok(found)
    }

    /// As [`Self::bucket`], of one that must be there.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`] too.
    pub fn existing(&self, bucket: &str) -> Result<Arc<BucketAccess>, ObjectError> {
        self.bucket(bucket)?
            .ok_or_else(|| ObjectError::NoSuchBucket(bucket.to_owned()))
    }

    /// Whether a user sees a bucket in the list of its own: those that it owns, and those that its key is for.
    pub fn lists(&self, who: &Identity, name: &str, owner: Option<&str>) -> Result<bool, ObjectError> {
        if who.is_local() {
            return Ok(true);
        }
        if who.is_anonymous() || !who.may_read(name) {
            return Ok(false);
        }
        let users = self.users()?;
        let owner = owner.unwrap_or_else(|| users.administrator());
        Ok(owner == who.canonical_id || self.is_scoped_in(who, &users))
    }

    /// Whether a key's scope is also its permission: the administrator made the key for just that. Where a
    /// user has an unrestricted key as well, a read-only one only takes away.
    fn is_scoped_in(&self, who: &Identity, users: &Users) -> bool {
        if who.is_of_administrator() {
            return who.is_restricted();
        }
        // The key's own scope: what the holder of a token took away permits nothing.
        let scope = who.key_scope();
        !scope.buckets.is_empty() || (scope.read_only && !users.has_whole_key(&who.canonical_id))
    }
}
