//! The decision.

use super::policy::{Subject, Verdict};
use super::values::Known;
use super::{Access, Action, Ask, BucketAccess, Effect, Need, Object, On, grants};
use crate::Identity;
use crate::objects::ObjectError;
use stead_view::ObjectRecord;

impl Access {
    /// Whether somebody may do something.
    ///
    /// # Errors
    /// [`ObjectError::Denied`]; [`ObjectError::NoSuchBucket`], where nothing else forbids it; or what keeps
    /// the view from being read. That an object is not there is not an error here, as long as whoever asks may
    /// know it: the operation says so.
    pub fn check(&self, ask: &Ask<'_>) -> Result<(), ObjectError> {
        if ask.who.is_local() {
            return Ok(());
        }
        in_scope(ask)?;
        if ask.action.need() == Need::Signed {
            return if ask.who.is_anonymous() {
                Err(denied(ask))
            } else {
                Ok(())
            };
        }
        let bucket = self.existing(ask.bucket)?;
        let found;
        let mut ask = *ask;
        if ask.object.is_unread() && ask.action.reveals() && !self.needs_no_object(&ask, &bucket) {
            found = self.object(&ask)?;
            ask.object = found.as_ref().map_or(Object::Missing, Object::There);
        }
        if self.decide(&ask, &bucket)? {
            Ok(())
        } else {
            Err(denied(&ask))
        }
    }

    /// Whether a policy forbids something that is otherwise permitted along with something else: tags or a
    /// list that come with a put that is permitted.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_not_denied(&self, ask: &Ask<'_>) -> Result<(), ObjectError> {
        if ask.who.is_local() {
            return Ok(());
        }
        let bucket = self.existing(ask.bucket)?;
        if self.judge(ask, &bucket) == Verdict::Deny {
            Err(denied(ask))
        } else {
            Ok(())
        }
    }

    /// Whether somebody may do something with an object that is not there yet: what a policy permits, or who
    /// owns the bucket.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_new(&self, ask: &Ask<'_>) -> Result<(), ObjectError> {
        if ask.who.is_local() {
            return Ok(());
        }
        in_scope(ask)?;
        let bucket = self.existing(ask.bucket)?;
        let allowed = match self.judge(ask, &bucket) {
            Verdict::Deny => false,
            Verdict::Allow if !restricts(ask, &bucket) => true,
            _ => ask.who.is_administrator() || bucket.is_owned_by(ask.who) || self.by_scope(ask)?,
        };
        if allowed { Ok(()) } else { Err(denied(ask)) }
    }

    /// Whether somebody owns a bucket, or has a key that was made for it.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_owner(&self, who: &Identity, bucket: &str) -> Result<(), ObjectError> {
        if who.is_administrator() {
            return Ok(());
        }
        who.check_read(bucket)?;
        let known = self.existing(bucket)?;
        if known.is_owned_by(who) || self.is_scoped(who)? {
            return Ok(());
        }
        Err(ObjectError::Denied {
            who: who.principal.0.clone(),
            what: "look into the past of".into(),
            on: bucket.to_owned(),
        })
    }

    /// Whether the scope of somebody's key is also its permission.
    ///
    /// # Errors
    /// Where the view cannot be read.
    pub fn is_scoped(&self, who: &Identity) -> Result<bool, ObjectError> {
        Ok(who.is_restricted() && self.is_scoped_in(who, &*self.users()?))
    }

    /// Whether the object's state does not matter: no policy, and somebody who may everything.
    fn needs_no_object(&self, ask: &Ask<'_>, bucket: &BucketAccess) -> bool {
        bucket.policy.is_none() && ask.who.is_administrator() && !bucket.is_owned_by(ask.who)
    }

    /// The state that an action is about.
    fn object(&self, ask: &Ask<'_>) -> Result<Option<ObjectRecord>, ObjectError> {
        let Some(key) = ask.key else { return Ok(None) };
        let names = self.views.names()?;
        let found = match ask.version {
            Some(version) => names.version(ask.bucket, key, version)?,
            None => names.object(ask.bucket, key)?,
        };
        Ok(found.filter(|record| !record.marker))
    }

    /// What the policy says.
    fn judge(&self, ask: &Ask<'_>, bucket: &BucketAccess) -> Verdict {
        let policy = match &bucket.policy {
            None => return Verdict::Silent,
            Some(Ok(policy)) => policy,
            Some(Err(error)) => {
                tracing::error!(bucket = ask.bucket, %error, "a policy cannot be read any more; it forbids everything");
                return Verdict::Deny;
            }
        };
        let resource = match ask.key.filter(|_| ask.action.on() == On::Object) {
            Some(key) => format!("{}/{key}", ask.bucket),
            None => ask.bucket.to_owned(),
        };
        let tag = |name: &str| match ask.object {
            Object::There(record) => record.tags.get(name).cloned(),
            Object::Missing => None,
            Object::Unread => self.object(ask).ok()??.tags.get(name).cloned(),
        };
        let values = Known {
            ask,
            now: stead_event::Timestamp::from_micros(self.clock.now_micros()),
            tag,
        };
        let id = (!ask.who.is_anonymous()).then_some(ask.who.canonical_id.as_str());
        policy.judge(Subject { id }, ask.action, &resource, &values)
    }

    fn decide(&self, ask: &Ask<'_>, bucket: &BucketAccess) -> Result<bool, ObjectError> {
        let owns = bucket.is_owned_by(ask.who);
        let verdict = self.judge(ask, bucket);
        // Nobody can lock the owner out of the policy itself.
        let keeps = (owns || ask.who.is_administrator()) && about_policy(ask.action);
        if verdict == Verdict::Deny && !keeps {
            return Ok(false);
        }
        let allowed = (verdict == Verdict::Allow && !restricts(ask, bucket))
            || (ask.who.is_administrator() && !lists_itself(ask, bucket))
            || self.by_scope(ask)?
            || self.by_ownership(ask, bucket)?;
        match (ask.action.reveals(), ask.object) {
            // Who may not list is not told what is there.
            (true, Object::Missing) => self.may_list(ask, bucket),
            _ => Ok(allowed),
        }
    }

    fn may_list(&self, ask: &Ask<'_>, bucket: &BucketAccess) -> Result<bool, ObjectError> {
        let list = Ask {
            action: Action::ListBucket,
            key: None,
            version: None,
            ..*ask
        };
        self.decide(&list, bucket)
    }

    /// The scope of a key that the administrator made for just this.
    fn by_scope(&self, ask: &Ask<'_>) -> Result<bool, ObjectError> {
        let who = ask.who;
        let data = matches!(ask.action.effect(), Effect::Reads | Effect::Writes);
        if !who.is_restricted() || !data {
            return Ok(false);
        }
        Ok(self.is_scoped_in(who, &*self.users()?))
    }

    fn by_ownership(&self, ask: &Ask<'_>, bucket: &BucketAccess) -> Result<bool, ObjectError> {
        let owns = bucket.is_owned_by(ask.who);
        let need = ask.action.need();
        let object = match ask.object {
            Object::There(record) => Some(record),
            _ => None,
        };
        let owns_object = object.is_some_and(|record| bucket.object_is_owned_by(record, ask.who));
        Ok(match need {
            Need::Signed => !ask.who.is_anonymous(),
            Need::BucketOwner => owns,
            Need::EitherOwner => owns || owns_object,
            Need::BucketRead | Need::BucketWrite | Need::BucketReadAcp | Need::BucketWriteAcp => {
                by_list(ask, bucket, &bucket.acl, &bucket.owner)
            }
            Need::Upload => by_list(ask, bucket, &bucket.acl, &bucket.owner) || owns || self.began(ask)?,
            Need::ObjectRead | Need::ObjectReadAcp | Need::ObjectWriteAcp => object.is_some_and(|record| {
                let owner = bucket.owner_of(record.owner.as_deref());
                let orphan = owner == super::ANONYMOUS_ID && owns_object;
                orphan || by_list(ask, bucket, &record.acl, owner)
            }),
        })
    }

    /// Whether somebody began the upload.
    fn began(&self, ask: &Ask<'_>) -> Result<bool, ObjectError> {
        let (Some(key), Some(upload), false) = (ask.key, ask.upload, ask.who.is_anonymous()) else {
            return Ok(false);
        };
        let found = self.views.names()?.upload(ask.bucket, key, upload)?;
        Ok(found.is_some_and(|upload| upload.actor == ask.who.principal))
    }
}

/// What a list, as it is kept, permits; where lists do not count, the owner everything.
fn by_list(ask: &Ask<'_>, bucket: &BucketAccess, kept: &[stead_event::body::Grant], owner: &str) -> bool {
    let Some(wanted) = grants::permission(ask.action.need()) else {
        return false;
    };
    if !bucket.owns().has_lists() {
        return bucket.is_owned_by(ask.who);
    }
    let private = bucket.blocks().ignore_public_acls;
    grants::permits(kept, owner, ask.who, wanted, private)
}

/// Whether somebody said itself who may do what with something, itself included: what the administrator took
/// from itself in a list of its own does not come back for being the administrator.
fn lists_itself(ask: &Ask<'_>, bucket: &BucketAccess) -> bool {
    match (ask.action.need(), ask.object) {
        (Need::BucketRead | Need::BucketWrite, _) => bucket.is_owned_by(ask.who),
        (Need::ObjectRead, Object::There(record)) => bucket.object_is_owned_by(record, ask.who),
        _ => false,
    }
}

/// Whether what the policy permits does not count for somebody: it lets everybody in, and the bucket's public
/// access block restricts such a bucket to its owner.
fn restricts(ask: &Ask<'_>, bucket: &BucketAccess) -> bool {
    bucket.blocks().restrict_public_buckets
        && !bucket.is_owned_by(ask.who)
        && matches!(&bucket.policy, Some(Ok(policy)) if policy.is_public())
}

fn about_policy(action: Action) -> bool {
    matches!(
        action,
        Action::GetBucketPolicy | Action::PutBucketPolicy | Action::DeleteBucketPolicy
    )
}

/// What the scope of the key covers.
fn in_scope(ask: &Ask<'_>) -> Result<(), ObjectError> {
    if ask.action.on() == On::Service {
        return Ok(());
    }
    match ask.action.effect() {
        Effect::Reads => ask.who.check_read(ask.bucket),
        Effect::Writes | Effect::Permits => ask.who.check_write(ask.bucket),
        Effect::Administers => ask.who.check_administer(),
    }
}

fn denied(ask: &Ask<'_>) -> ObjectError {
    let on = match ask.key {
        Some(key) => format!("{}/{key}", ask.bucket),
        None => ask.bucket.to_owned(),
    };
    ObjectError::Denied {
        who: ask.who.principal.0.clone(),
        what: ask.action.name().to_owned(),
        on,
    }
}
