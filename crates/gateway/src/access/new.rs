//! Whose something new is, and what its list says.

use super::{Access, BucketAccess, Canned, Ownership, grants};
use crate::Identity;
use crate::objects::ObjectError;
use stead_event::body::{Grant, Grantee, Permission};

/// The list that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Wanted {
    /// Nothing is said: the owner's full control.
    #[default]
    Unsaid,
    /// A canned list.
    Canned(Canned),
    /// These grants, and no others.
    Grants(Vec<Grant>),
}

impl Wanted {
    /// The grants that it stands for.
    pub fn grants(&self, owner: &str, bucket_owner: &str, of_bucket: bool) -> Vec<Grant> {
        match self {
            Self::Unsaid => Canned::Private.grants(owner, bucket_owner, of_bucket),
            Self::Canned(canned) => canned.grants(owner, bucket_owner, of_bucket),
            Self::Grants(grants) => grants.clone(),
        }
    }

    /// Whether it gives the bucket's owner full control.
    fn is_for_owner(&self, bucket_owner: &str) -> bool {
        match self {
            Self::Unsaid => false,
            Self::Canned(canned) => *canned == Canned::BucketOwnerFullControl,
            Self::Grants(grants) => grants.iter().any(|grant| {
                grant.permission == Permission::FullControl
                    && matches!(&grant.to, Grantee::Canonical(id) if id == bucket_owner)
            }),
        }
    }

    /// Whether it may be said where lists do not count: it says what is so anyway.
    fn is_idle(&self, bucket_owner: &str) -> bool {
        match self {
            Self::Unsaid => true,
            Self::Canned(_) => self.is_for_owner(bucket_owner),
            Self::Grants(grants) => grants.len() == 1 && self.is_for_owner(bucket_owner),
        }
    }
}

/// Whose an object is, and its list, as events have them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Belongs {
    /// The owner's canonical id; the bucket's owner where `None`.
    pub owner: Option<String>,
    /// The list, as it is kept.
    pub acl: Vec<Grant>,
}

impl Access {
    /// Whose an object will be that somebody puts into a bucket, and its list.
    ///
    /// # Errors
    /// [`ObjectError::NoSuchBucket`]; [`ObjectError::ListsOff`], where the bucket has no lists;
    /// [`ObjectError::Denied`], where the list would let everybody in and the bucket blocks that.
    pub fn belongs(&self, who: &Identity, bucket: &str, wanted: &Wanted) -> Result<Belongs, ObjectError> {
        if who.is_local() && *wanted == Wanted::Unsaid {
            return Ok(Belongs::default());
        }
        let known = self.existing(bucket)?;
        let owner = self.owner_of_new(who, &known, wanted)?;
        let acl = self.list_of(who, bucket, &known, owner.as_deref(), wanted)?;
        Ok(Belongs { owner, acl })
    }

    /// The list of an object of `owner` (of the bucket's owner, where `None`), as it is to be kept.
    ///
    /// # Errors
    /// As [`Self::belongs`].
    pub fn list_of(
        &self,
        who: &Identity,
        name: &str,
        bucket: &BucketAccess,
        owner: Option<&str>,
        wanted: &Wanted,
    ) -> Result<Vec<Grant>, ObjectError> {
        if !bucket.owns().has_lists() {
            return match wanted.is_idle(&bucket.owner) {
                true => Ok(Vec::new()),
                false => Err(ObjectError::ListsOff(name.to_owned())),
            };
        }
        let owner = owner.unwrap_or(&bucket.owner);
        let grants = wanted.grants(owner, &bucket.owner, false);
        refuse_public(who, name, bucket, &grants)?;
        Ok(grants::to_kept(grants, owner))
    }

    /// The list of a bucket itself, as it is to be kept.
    ///
    /// # Errors
    /// As [`Self::belongs`].
    pub fn list_of_bucket(
        &self,
        who: &Identity,
        name: &str,
        bucket: &BucketAccess,
        wanted: &Wanted,
    ) -> Result<Vec<Grant>, ObjectError> {
        if !bucket.owns().has_lists() {
            return match wanted.is_idle(&bucket.owner) {
                true => Ok(Vec::new()),
                false => Err(ObjectError::ListsOff(name.to_owned())),
            };
        }
        let grants = wanted.grants(&bucket.owner, &bucket.owner, true);
        refuse_public(who, name, bucket, &grants)?;
        Ok(grants::to_kept(grants, &bucket.owner))
    }

    fn owner_of_new(
        &self,
        who: &Identity,
        bucket: &BucketAccess,
        wanted: &Wanted,
    ) -> Result<Option<String>, ObjectError> {
        let of_bucket = who.is_local()
            || bucket.is_owned_by(who)
            || match bucket.owns() {
                Ownership::BucketOwnerEnforced => true,
                Ownership::BucketOwnerPreferred => wanted.is_for_owner(&bucket.owner),
                Ownership::ObjectWriter => false,
            }
            // A key that the administrator made for this bucket writes for the bucket's owner.
            || (who.is_restricted() && self.is_scoped_in(who, &*self.users()?));
        Ok((!of_bucket).then(|| who.canonical_id.clone()))
    }
}

fn refuse_public(
    who: &Identity,
    name: &str,
    bucket: &BucketAccess,
    wanted: &[Grant],
) -> Result<(), ObjectError> {
    if bucket.blocks().block_public_acls && grants::is_public(wanted) {
        return Err(ObjectError::Denied {
            who: who.principal.0.clone(),
            what: "grant everybody access in".into(),
            on: name.to_owned(),
        });
    }
    Ok(())
}
